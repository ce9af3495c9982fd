//! Tiers: what a core is for, and how things are sorted into tiers.

use super::group::RefreshPreset;
use super::ids::{InstanceType, TierName};
use super::tags::Tags;
use super::text::Text;
use serde::Serialize;

/// A tier as the configuration describes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Tier {
    /// Its name.
    pub name: TierName,
    /// Anything that matches one of these belongs to it. The first tier that matches wins.
    pub selectors: Vec<Selector>,
    /// Cores on one host, at most.
    pub cores_per_host: Option<u32>,
    /// Tenants on one core, at most.
    pub tenants_per_core: Option<u32>,
    /// Tenants on one core, at most, where all of them are development tenants, which weigh less:
    /// a development tenant then takes `tenants_per_core / development_tenants_per_core` of a place.
    pub development_tenants_per_core: Option<u32>,
    /// The instance types it should run on; empty means any.
    pub instance_types: Vec<InstanceType>,
    /// How many of its instances operations may make unavailable at once; none means a tenth.
    pub max_unavailable: Option<Limit>,
    /// How its groups are refreshed.
    pub refresh: RefreshPreset,
    /// What new hosts of it are launched from.
    pub launch: Launch,
}

/// What new hosts of a tier are launched from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Launch {
    /// A launch template, by id or name; none means the only one whose tags fall into the tier.
    pub template: Option<Text>,
    /// `$Default`, `$Latest` or a number; none means `$Default`.
    pub version: Option<Text>,
    /// The subnets that they are spread over; none means those that hosts of the tier are in now, and an empty list
    /// that the template says it.
    pub subnets: Option<Vec<Text>>,
}

/// A number of instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// So many; 0 for none.
    Count(u32),
    /// So many percent of those there are, rounded up; 0 to 100.
    Percent(u32),
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// How a tier recognises what belongs to it. Patterns are globs: `*` any run, `?` any one character.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Selector {
    /// A tag with this key whose value matches.
    Tag {
        /// The key, exactly.
        key: Text,
        /// A glob over the value.
        value: Text,
    },
    /// An Auto Scaling group whose name matches.
    Group(Text),
    /// An ECS service whose `cluster/service` matches.
    Service(Text),
}

/// What is known of a thing when it is sorted into a tier.
#[derive(Clone, Copy, Debug, Default)]
pub struct TierFacts<'a> {
    /// Its own tags.
    pub tags: Option<&'a Tags>,
    /// Its Auto Scaling group.
    pub group: Option<&'a str>,
    /// Its cluster and service names.
    pub service: Option<(&'a str, &'a str)>,
}

/// A tier, and the selector that put something there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TierMatch<'a> {
    /// The tier.
    pub tier: &'a Tier,
    /// Why.
    pub by: &'a Selector,
}

/// Returns the first tier with a selector that matches.
pub fn classify<'a>(tiers: &'a [Tier], facts: TierFacts<'_>) -> Option<TierMatch<'a>> {
    tiers.iter().find_map(|tier| {
        let by = tier.selectors.iter().find(|selector| selector.matches(facts))?;
        Some(TierMatch { tier, by })
    })
}

impl Selector {
    /// Tells whether it matches.
    pub fn matches(&self, facts: TierFacts<'_>) -> bool {
        match self {
            Self::Tag { key, value } => {
                facts.tags.and_then(|tags| tags.get(key)).is_some_and(|tag| glob(value, tag))
            }
            Self::Group(pattern) => facts.group.is_some_and(|group| glob(pattern, group)),
            Self::Service(pattern) => {
                facts.service.is_some_and(|(cluster, service)| glob(pattern, &format!("{cluster}/{service}")))
            }
        }
    }
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tag { key, value } => write!(f, "tag {key}={value}"),
            Self::Group(pattern) => write!(f, "group {pattern}"),
            Self::Service(pattern) => write!(f, "service {pattern}"),
        }
    }
}

/// Matches `text` against a glob of `*` (any run) and `?` (any one character), ignoring ASCII case.
/// Needs no memory of its own: it is asked for every instance and selector on each change.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') => {
                p += 1;
                t += 1 + text[t + 1..].iter().take_while(|byte| is_continuation(**byte)).count();
            }
            Some(byte) if byte.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, eaten)) => {
                    p = at + 1;
                    t = eaten + 1;
                    star = Some((at, eaten + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// A byte that continues a UTF-8 character.
fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn globs() {
        assert!(glob("dev-*", "dev-hosts"));
        assert!(glob("*api*", "prod-api-2"));
        assert!(glob("a?c", "abc"));
        assert!(!glob("a?c", "ac"));
        assert!(glob("*", ""));
        assert!(!glob("prod", "production"));
        assert!(glob("?x", "éx"));
        assert!(glob("*ab", "aab"));
        assert!(glob("PROD*", "prod-1"));
    }
}
