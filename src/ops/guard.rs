//! What keeps an operation from a target: refusals with their reason and their mend, all at once.

use super::intent::Options;
use crate::error::{Error, ErrorKind};
use crate::model::Tags;
use crate::model::text::harmless;
use jiff::Timestamp;
use std::fmt;

/// The tag by which people keep everybody's hands off something: `true`, or until when, and perhaps why after
/// a semicolon.
pub const DO_NOT_DISRUPT: &str = "coredeck:do-not-disrupt";

/// Why a target is refused, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was asked for.
    pub target: String,
    /// Why not, in a sentence.
    pub why: String,
    /// What to do or type.
    pub mend: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(target: impl fmt::Display, why: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { target: target.to_string(), why: why.into(), mend: mend.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", harmless(&self.target), harmless(&self.why), harmless(&self.mend))
    }
}

/// Several refusals, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals(pub Vec<Refusal>);

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(Refusal::to_string).collect::<Vec<_>>().join("\n"))
    }
}

impl std::error::Error for Refusals {}

/// Refusals as the error that a person meets.
pub fn refused(verb: &str, refusals: Vec<Refusal>) -> Error {
    let what = match refusals.len() {
        1 => format!("{verb} is refused; nothing was changed"),
        n => format!("{verb} is refused for {n} reasons; nothing was changed"),
    };
    Error::new(ErrorKind::Refused, what).because(Refusals(refusals))
}

/// Whether a tag forbids to touch what carries it, and the words of who put it there.
pub fn forbids(tags: &Tags, options: &Options, now: Timestamp) -> Option<String> {
    let value = tags.get(DO_NOT_DISRUPT)?;
    if options.ignore_do_not_disrupt {
        return None;
    }
    let (until, why) = value.split_once(';').unwrap_or((value, ""));
    let is_over = until.trim().parse::<Timestamp>().is_ok_and(|until| until <= now)
        || until.trim().eq_ignore_ascii_case("false");
    let why = if why.trim().is_empty() { String::new() } else { format!(": {}", why.trim()) };
    (!is_over).then(|| format!("its tag {DO_NOT_DISRUPT} says {}{why}", until.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_holds_until_its_time_is_over() {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        let says = |value: &str| {
            let tags: Tags = [(DO_NOT_DISRUPT, value)].into_iter().collect();
            forbids(&tags, &Options::default(), now)
        };
        assert!(says("true").is_some());
        assert!(says("2026-11-21T13:00:00Z;migration").unwrap().ends_with(": migration"));
        assert_eq!(says("2026-11-21T11:00:00Z;migration"), None);
        assert_eq!(says("false"), None);
        assert!(says("soon").is_some(), "what is not understood holds");
        let tags: Tags = [(DO_NOT_DISRUPT, "true")].into_iter().collect();
        let options = Options { ignore_do_not_disrupt: true, ..Options::default() };
        assert_eq!(forbids(&tags, &options, now), None);
    }
}
