//! Where each value of a configuration came from.

use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where a value came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    #[default]
    Default,
    /// The file, at this line.
    File(Arc<Path>, usize),
    /// An environment variable.
    Env(&'static str),
    /// A flag.
    Flag(&'static str),
    /// The simulator behind `--demo`.
    Demo,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Env(name) => write!(f, "env {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Demo => f.write_str("flag --demo"),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The origin of every value, by its key: `fleet`, `accounts.prod.profile`, `refresh.instances`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Notes where a value came from; a later note wins.
    pub fn note(&mut self, key: impl Into<String>, origin: Origin) {
        self.0.insert(key.into(), origin);
    }

    /// Where a value came from; the nearest enclosing key answers for keys without a note.
    pub fn of(&self, key: &str) -> Origin {
        let mut key = key;
        loop {
            if let Some(origin) = self.0.get(key) {
                return origin.clone();
            }
            match key.rfind('.') {
                Some(dot) => key = key.get(..dot).unwrap_or_default(),
                None => return Origin::Default,
            }
        }
    }

    /// Forgets what lies under a key, which a stronger layer replaced whole.
    pub fn forget(&mut self, under: &str) {
        self.0.retain(|key, _| {
            key.strip_prefix(under).is_none_or(|rest| !rest.is_empty() && !rest.starts_with('.'))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, Origins};

    #[test]
    fn the_nearest_note_answers() {
        let mut origins = Origins::default();
        origins.note("accounts.a", Origin::Flag("--profile"));
        origins.note("accountsx", Origin::Demo);
        assert_eq!(origins.of("accounts.a.profile"), Origin::Flag("--profile"));
        assert_eq!(origins.of("accounts.b"), Origin::Default);
        origins.forget("accounts");
        assert_eq!(origins.of("accounts.a.profile"), Origin::Default);
        assert_eq!(origins.of("accountsx"), Origin::Demo);
    }
}
