//! What the last inventory found to differ from the registry, so that every later look at the fleet can say so.

use super::{own, private_folder};
use crate::error::Error;
use crate::model::{DriftSort, Scope};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

/// What an inventory found to differ.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// When.
    pub at: Timestamp,
    /// What, an entry each; besides, what could not be judged. All other entries said what was seen.
    pub differences: Vec<Drifted>,
    /// Entries that were looked at, each as its place and its parameter's name. An earlier version did not keep them.
    #[serde(default)]
    pub known: BTreeSet<String>,
}

/// An entry of the registry that differs from what was seen, or that lacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drifted {
    /// Where its parameter is.
    pub scope: Scope,
    /// The parameter's whole name.
    pub name: String,
    /// Why, in a sentence.
    pub why: String,
    /// There is no such entry yet.
    pub is_new: bool,
    /// How it stands to what was seen. An earlier version did not keep that.
    #[serde(default = "behind")]
    pub sort: DriftSort,
}

fn behind() -> DriftSort {
    DriftSort::Change
}

/// Keeps what an inventory found, in place of what the one before did.
///
/// # Errors
///
/// The file cannot be written.
pub fn keep_drift(file: &Path, drift: &Drift) -> Result<(), Error> {
    let failed = |why: std::io::Error| {
        Error::failed(format!("what the inventory found cannot be kept in {}", file.display())).because(why)
    };
    let text = serde_json::to_string(drift)
        .map_err(|why| Error::failed("what the inventory found cannot be written").because(why))?;
    if let Some(folder) = file.parent() {
        private_folder(folder).map_err(failed)?;
    }
    // Whoever reads it meanwhile sees the one before or this one, never half of one.
    let fresh = file.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&fresh, text).map_err(failed)?;
    own(&fresh);
    std::fs::rename(&fresh, file).map_err(failed)
}

/// What the last inventory found; none where there was none.
///
/// # Errors
///
/// The file cannot be read, or is no such file.
pub fn kept_drift(file: &Path) -> Result<Option<Drift>, Error> {
    let wrong = || format!("what the last inventory found cannot be read from {}", file.display());
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(Error::failed(wrong()).because(why)),
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|why| Error::failed(wrong()).because(why).hint("make a new one: coredeck inventory diff"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_is_kept_and_garbage_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("coredeck").join("drift.json");
        assert_eq!(kept_drift(&file).unwrap(), None);
        let scope = Scope { account: "a".into(), region: "r".into() };
        let one = Drifted {
            scope,
            name: "/c/f/cores/x".to_owned(),
            why: "moved".to_owned(),
            is_new: false,
            sort: DriftSort::Gone,
        };
        let drift = Drift {
            at: Timestamp::UNIX_EPOCH,
            differences: vec![one],
            known: BTreeSet::from(["a/r /c/f/cores/x".to_owned()]),
        };
        keep_drift(&file, &drift).unwrap();
        assert_eq!(kept_drift(&file).unwrap(), Some(drift));
        keep_drift(&file, &Drift::default()).unwrap();
        assert_eq!(kept_drift(&file).unwrap(), Some(Drift::default()));
        std::fs::write(&file, "{").unwrap();
        assert!(kept_drift(&file).unwrap_err().to_string().contains("cannot be read"));
    }
}
