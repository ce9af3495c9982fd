//! The tiers that are assumed when a configuration names none.

use crate::model::{InstanceType, Selector, Text, Tier, TierName};

/// The tag keys that are looked at, most explicit first.
const KEYS: [&str; 5] = ["coredeck:tier", "tier", "mode", "environment", "env"];

/// Guesses at how most fleets are tagged and named. Shared comes first: a shared core is often
/// tagged with the environment that it serves too, and then being shared is the finer word.
pub(super) fn guessed() -> Vec<Tier> {
    vec![
        Tier {
            selectors: selectors(&["shared*", "multitenant*", "multi-tenant*"]),
            tenants_per_core: Some(50),
            development_tenants_per_core: Some(100),
            ..tier("shared", "t3.large")
        },
        Tier { selectors: selectors(&["prod*"]), cores_per_host: Some(1), ..tier("production", "t2.micro") },
        Tier { selectors: selectors(&["dev*"]), cores_per_host: Some(7), ..tier("development", "t3.small") },
    ]
}

fn tier(name: &str, instance_type: &str) -> Tier {
    Tier {
        name: TierName::new(name),
        instance_types: vec![InstanceType::new(instance_type)],
        ..Tier::default()
    }
}

/// Tags whose value is like one of `words`, then groups and services with such a word in their name.
fn selectors(words: &[&str]) -> Vec<Selector> {
    let tags = KEYS.iter().flat_map(|key| {
        words.iter().map(move |word| Selector::Tag { key: Text::new(key), value: Text::new(word) })
    });
    let groups = words.iter().flat_map(|word| [(*word).to_owned(), format!("*-{word}")]);
    // A service that falls into a tier counts as cores: only names that speak of cores may be guessed.
    let services = words.iter().flat_map(|word| {
        [
            format!("{word}/*core*"),
            format!("*-{word}/*core*"),
            format!("{word}/*supertokens*"),
            format!("*-{word}/*supertokens*"),
            format!("*/{word}core*"),
            format!("*/*core*-{word}"),
        ]
    });
    tags.chain(groups.map(|glob| Selector::Group(Text::from(glob))))
        .chain(services.map(|glob| Selector::Service(Text::from(glob))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::guessed;
    use crate::model::tier::{TierFacts, classify};
    use crate::model::{Tags, TierName};

    fn falls(tags: &[(&str, &str)], group: Option<&str>, service: Option<(&str, &str)>) -> Option<TierName> {
        let tags: Tags = tags.iter().copied().collect();
        let facts = TierFacts { tags: Some(&tags), group, service };
        classify(&guessed(), facts).map(|found| found.tier.name.clone())
    }

    #[test]
    fn usual_tags_and_names_are_recognised() {
        assert_eq!(falls(&[("env", "Production")], None, None), Some("production".into()));
        assert_eq!(falls(&[("mode", "dev")], None, None), Some("development".into()));
        assert_eq!(falls(&[("tier", "shared"), ("env", "prod")], None, None), Some("shared".into()));
        assert_eq!(falls(&[], Some("core-dev-hosts"), None), Some("development".into()));
        assert_eq!(falls(&[], None, Some(("eu-shared", "cores"))), Some("shared".into()));
        assert_eq!(falls(&[], None, Some(("main", "prod-core-7"))), Some("production".into()));
        assert_eq!(falls(&[("env", "staging")], Some("web"), None), None);
        assert_eq!(falls(&[], None, Some(("workers-prod", "email-worker"))), None, "no core by its name");
    }
}
