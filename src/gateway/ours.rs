//! Documents of our own in an account: fixed, known by their names and by the hashes of their contents.

use crate::model::DocumentDetail;

/// A document of ours, as somebody needs it who is about to use it.
#[derive(Clone, Copy, Debug)]
pub struct Ours<'a> {
    /// What it is called; a new content gets a new name.
    pub name: &'a str,
    /// The SHA-256 of its content in hex.
    pub sha256: &'a str,
    /// Whether it may be put into an account that lacks it.
    pub may_put: bool,
}

/// What is to be done about a document of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is there: it may be used.
    Use,
    /// It is not there: it is to be put there, once.
    Put,
    /// It is on its way: it is to be looked at again.
    Wait,
    /// It is not there, and may not be put there.
    Lacking,
    /// Another one is there under its name: it must not be used.
    Foreign,
}

impl Ours<'_> {
    /// What is to be done, by what was seen of it now and whether it was put there just before.
    pub fn turn(&self, found: Option<&DocumentDetail>, was_put: bool) -> Turn {
        match found {
            Some(found) if found.sha256.as_deref() != Some(self.sha256) => Turn::Foreign,
            Some(found) if found.status == "Active" => Turn::Use,
            Some(_) => Turn::Wait,
            None if was_put => Turn::Wait,
            None if self.may_put => Turn::Put,
            None => Turn::Lacking,
        }
    }

    /// Why it cannot be used, in a sentence.
    pub fn why_not(&self, turn: Turn) -> String {
        let name = self.name;
        match turn {
            Turn::Foreign => format!("the document {name} is not ours: its content differs"),
            Turn::Lacking => {
                format!("the document {name} is not in the account: say --yes once to put it there")
            }
            Turn::Use | Turn::Put | Turn::Wait => {
                format!("the document {name} was put into the account and is not usable yet")
            }
        }
    }
}

/// Whether AWS would not put a document there because somebody else was quicker: the next look tells whose it is.
pub fn was_quicker(code: Option<&str>) -> bool {
    code == Some("DocumentAlreadyExists")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_used_when_it_is_ours_and_active_and_put_there_once() {
        let ours = Ours { name: "coredeck-x-1", sha256: "abc", may_put: true };
        let seen = |sha256: &str, status: &str| DocumentDetail {
            name: ours.name.into(),
            status: status.into(),
            default_version: "1".into(),
            sha256: Some(sha256.into()),
        };
        assert_eq!(ours.turn(None, false), Turn::Put);
        assert_eq!(ours.turn(None, true), Turn::Wait);
        assert_eq!(ours.turn(Some(&seen("abc", "Creating")), true), Turn::Wait);
        assert_eq!(ours.turn(Some(&seen("abc", "Active")), true), Turn::Use);
        for was_put in [false, true] {
            assert_eq!(ours.turn(Some(&seen("def", "Active")), was_put), Turn::Foreign);
        }
        assert_eq!(Ours { may_put: false, ..ours }.turn(None, false), Turn::Lacking);
        assert!(ours.why_not(Turn::Lacking).contains("--yes"));
    }
}
