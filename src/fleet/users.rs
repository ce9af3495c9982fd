//! Users of many cores, each database counted once: replicas of one core have the same users, and each of them tells all.

use crate::model::admin::{CoreWord, DomainWord};
use crate::model::{Core, Known, Text, WhyUnknown};
use std::collections::{HashMap, HashSet};

/// A sum over databases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// The sum.
    pub sum: u64,
    /// Databases that several cores told of, and that are in it once.
    pub shared: u32,
    /// The most cores that told of one.
    pub replicas: u32,
}

impl Counted {
    /// What is in the sum once although several told it; none where there is no such thing.
    pub fn said(self) -> Option<String> {
        let of = match self.shared {
            0 => return None,
            1 => "of one database".to_owned(),
            many => format!("of {many} databases"),
        };
        Some(format!("users {of} are counted once for {} replicas", self.replicas))
    }
}

/// The sum over the databases of some cores. Not known unless each core told all of it, and each database that a
/// replica of the same core may have, too, is told apart from others.
pub fn counted<'a>(
    cores: impl IntoIterator<Item = &'a Core>,
    of: impl Fn(&DomainWord) -> Option<u64>,
) -> Known<Counted> {
    let mut told: HashMap<&Text, (u64, u32)> = HashMap::new();
    // How many cores have a domain of this name, and of which of them nobody knows which database that has.
    let (mut named, mut untold): (HashMap<Text, u32>, HashSet<Text>) = Default::default();
    let mut counted = Counted::default();
    for core in cores {
        let word = match &core.word {
            Known::Yes(Some(word)) => word,
            Known::Yes(None) => return Known::No(WhyUnknown::NotAsked),
            Known::No(why) => return Known::No(*why),
        };
        if word.domains.is_empty() {
            return Known::No(WhyUnknown::Trouble);
        }
        let is_own = is_own(core, word);
        let mut mine = HashSet::new();
        for domain in &word.domains {
            let Some(users) = of(domain) else { return Known::No(WhyUnknown::Trouble) };
            let name = domain.domain.to_lowercase();
            if domain.database.is_none() {
                counted.sum += users;
                // Whoever has no users changes no sum: a spare core makes nothing unknown.
                if !is_own && users > 0 {
                    untold.insert(name.clone());
                }
            }
            *named.entry(name).or_default() += 1;
            if let Some(database) = &domain.database {
                let (most, cores) = told.entry(database).or_default();
                // They were asked one after the other, and may have told of different moments.
                *most = users.max(*most);
                *cores += u32::from(mine.insert(database));
            }
        }
    }
    if untold.iter().any(|name| named.get(name).is_some_and(|cores| *cores > 1)) {
        return Known::No(WhyUnknown::Trouble);
    }
    for (most, cores) in told.into_values() {
        counted.sum += most;
        counted.shared += u32::from(cores > 1);
        counted.replicas = counted.replicas.max(cores);
    }
    Known::Yes(counted)
}

/// Whether it is one customer's own, by the registry and by its own word: then it is no replica of another one's.
fn is_own(core: &Core, word: &CoreWord) -> bool {
    word.customers() == Some(0) && matches!(core.tenants, Known::Yes(1..))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Health, Home, Scope};
    use std::sync::Arc;

    fn core(tenants: u32, domains: &[(&str, u64, Option<&str>)]) -> Core {
        let domain = |(name, users, database): &(&str, u64, Option<&str>)| {
            Arc::new(DomainWord {
                domain: (*name).into(),
                apps: 1,
                users: Some(*users),
                database: database.map(Text::new),
                ..DomainWord::default()
            })
        };
        let word = CoreWord { domains: domains.iter().map(domain).collect(), ..CoreWord::default() };
        Core {
            id: "c".into(),
            scope: Arc::new(Scope { account: "a".into(), region: "r".into() }),
            tier: None,
            home: Home::Container { instance_id: None, container: None },
            port: None,
            version: None,
            tenants: Known::Yes(tenants),
            room: Known::Yes(None),
            left: Known::Yes(None),
            cpu: Known::Yes(None),
            credits: Known::Yes(None),
            names: Known::Yes(Vec::new()),
            drift: None,
            word: Known::Yes(Some(Arc::new(word))),
            health: Health::Ok,
            troubles: Vec::new(),
        }
    }

    fn sum(cores: &[Core]) -> Known<Counted> {
        counted(cores, |domain| domain.users)
    }

    #[test]
    fn what_replicas_tell_is_counted_once_and_said_to_be() {
        let replica = |more: u64| {
            core(
                0,
                &[
                    ("", 5, Some("base")),
                    ("c1.example.com", 70 + more, Some("d1")),
                    ("c2.example.com", 30, Some("d2")),
                ],
            )
        };
        let found = sum(&[replica(0), replica(1), core(0, &[("", 9, Some("other"))])]);
        assert_eq!(found, Known::Yes(Counted { sum: 5 + 71 + 30 + 9, shared: 3, replicas: 2 }));
        let said = found.yes().unwrap().said().unwrap();
        assert_eq!(said, "users of 3 databases are counted once for 2 replicas");
        assert_eq!(sum(&[replica(0)]).yes().unwrap().said(), None);
    }

    #[test]
    fn where_nobody_says_which_database_it_is_the_sum_is_known_only_of_those_that_are_no_replicas() {
        let untold = |tenants, name| core(tenants, &[("", 5, Some("base")), (name, 70, None)]);
        assert_eq!(sum(&[untold(3, "c1.example.com")]).yes().unwrap().sum, 75);
        assert_eq!(
            sum(&[untold(3, "c1.example.com"), untold(0, "C1.example.com")]),
            Known::No(WhyUnknown::Trouble)
        );
        let found = sum(&[untold(3, "c1.example.com"), untold(0, "c2.example.com")]);
        assert_eq!(found.yes().map(|counted| counted.sum), Some(5 + 70 + 70));
        // Cores of one customer each are told apart by the registry.
        let own = |tenants| core(tenants, &[("", 40, None)]);
        assert_eq!(sum(&[own(1), own(1)]).yes().unwrap().sum, 80);
        assert_eq!(sum(&[own(1), own(0)]), Known::No(WhyUnknown::Trouble), "the second may be its replica");
        assert_eq!(sum(&[own(0), own(0)]), Known::No(WhyUnknown::Trouble));
        let silent = Core { word: Known::Yes(None), ..own(1) };
        assert_eq!(sum(&[own(1), silent]), Known::No(WhyUnknown::NotAsked));
        assert_eq!(sum(&[]), Known::Yes(Counted::default()));
    }
}
