//! What of a core matters to an operation: what a place sets itself, and whether its customers are served.

use super::aspect::Value;
use crate::gateway::AdminError;
use crate::gateway::core::{CoreDoor, CoreLook, CoreSeen, SecretRef, Worth};
use crate::gateway::{Look, Seen};
use crate::model::admin::{Domain, Place};
use crate::model::setting::protected;
use crate::model::text::harmless;
use crate::model::{Sealed, Setting, Text};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A fact about one process of a core.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum CoreFact {
    /// What a place sets itself, as this process knows it. Of a secret only whether it is one of these.
    Setting {
        /// Which process.
        at: CoreDoor,
        /// Which place.
        place: Place,
        /// Which setting.
        key: Text,
        /// What it may be: texts of SecureStrings with commas between.
        known: Vec<Vec<SecretRef>>,
    },
    /// Whether it counts the users of a place: yes, or why not.
    Serves {
        /// Which process.
        at: CoreDoor,
        /// Which place.
        place: Place,
        /// With which key; none means one that is known to open it.
        with: Option<SecretRef>,
    },
}

impl CoreFact {
    /// The look that shows it.
    pub fn look(&self) -> Look {
        let of = match self {
            Self::Setting { at, known, .. } => {
                CoreLook::Domains { at: at.clone(), secrets: known.iter().flatten().cloned().collect() }
            }
            Self::Serves { at, place, with } => {
                CoreLook::Serves { at: at.clone(), place: place.clone(), with: with.clone() }
            }
        };
        Look::Core { of }
    }

    /// Its value in what was seen; none when that was an answer to another look.
    pub fn value(&self, seen: &Seen) -> Option<Value> {
        let Seen::Core(seen) = seen else { return None };
        match (self, seen) {
            (
                Self::Setting { place, key, known, .. },
                CoreSeen::Domains { domains, secrets, key: opener },
            ) => Some(match domains {
                Ok(domains) => of_setting(domains, (secrets, opener.as_ref()), place, key, known),
                Err(error) => trouble(error),
            }),
            (Self::Serves { .. }, CoreSeen::Serves(answer)) => Some(match answer {
                Ok(()) => Value::Flag(true),
                Err(error) => trouble(error),
            }),
            _ => None,
        }
    }
}

/// Why a core did not tell, as a value.
pub fn trouble(error: &AdminError) -> Value {
    Value::Word(error.to_string())
}

/// The tenant of a place in a list of domains.
pub fn setup<'d>(domains: &'d [Domain], place: &Place) -> Option<&'d BTreeMap<Text, Setting>> {
    let domain = domains.iter().find(|domain| domain.domain == place.domain)?;
    let app = domain.apps.iter().find(|app| app.id == place.app)?;
    app.tenants.iter().find(|tenant| tenant.id == place.tenant).map(|tenant| &tenant.settings)
}

fn of_setting(
    domains: &[Domain],
    (secrets, opener): (&BTreeMap<SecretRef, Sealed>, Option<&Sealed>),
    place: &Place,
    key: &str,
    known: &[Vec<SecretRef>],
) -> Value {
    let Some(own) = setup(domains, place) else {
        return Value::word("not there: the core does not know the place");
    };
    match own.get(key) {
        // What is protected is left out of the lists of whoever has an ordinary key.
        None if protected(key).is_some() && !shows_protected(domains, place) => Value::word(WITHHELD),
        None => Value::Absent,
        Some(Setting::Shown(value)) => Value::Word(value.to_string()),
        Some(Setting::Hidden(held)) => {
            let held = serde_json::from_str::<String>(held.open()).ok().map(Sealed::new);
            let is_it = |of: &&Vec<SecretRef>| {
                let texts: Option<Vec<&str>> =
                    of.iter().map(|one| secrets.get(one).map(Sealed::open)).collect();
                held.as_ref()
                    .is_some_and(|held| texts.is_some_and(|texts| same(&texts.join(","), held.open())))
            };
            match (known.iter().find(is_it), held.as_ref().zip(opener)) {
                (Some(of), _) => sealed(of),
                (None, Some((held, opener))) => {
                    Value::Word(format!("{UNKNOWN}, told apart as {}", mark(held, opener, place, key)))
                }
                (None, None) => Value::word(UNKNOWN),
            }
        }
    }
}

/// Whether a list shows what is protected: each domain but the base's names a database of its own.
fn shows_protected(domains: &[Domain], place: &Place) -> bool {
    let own = setup(domains, &Place::of(&place.domain));
    place.domain.is_empty() || own.is_some_and(|own| own.keys().any(|key| protected(key).is_some()))
}

/// What nobody sees who has an ordinary key.
const WITHHELD: &str =
    "not shown: the key is not the secret of the shared core, which protected settings take";

/// Whether a value is a secret that may become another one without anybody seeing it: the core is asked without a key.
pub fn is_unmarked(value: &Value) -> bool {
    *value == Value::word(UNKNOWN)
}

/// A secret that lies in no SecureString that is known.
const UNKNOWN: &str = "another secret";

/// What tells one secret from another and nothing else: whoever would try out guesses against it must hold the key
/// that opens the core, and could then as well ask the core for the secret itself.
fn mark(held: &Sealed, opener: &Sealed, place: &Place, key: &str) -> String {
    let about = format!("{place} {key} ");
    let mut mac = match Hmac::<Sha256>::new_from_slice(opener.open().as_bytes()) {
        Ok(mac) => mac,
        Err(never) => return never.to_string(),
    };
    mac.update(about.as_bytes());
    mac.update(held.open().as_bytes());
    mac.finalize().into_bytes().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Lists of keys are the same in whatever order, spaces aside.
fn same(one: &str, other: &str) -> bool {
    let words = |text: &str| text.split(',').map(|word| word.trim().to_owned()).collect::<BTreeSet<_>>();
    one == other || words(one) == words(other)
}

/// How a secret is told: by where it lies.
pub fn sealed(of: &[SecretRef]) -> Value {
    let names: Vec<String> = of.iter().map(SecretRef::to_string).collect();
    Value::Word(format!("what lies in {}", names.join(" and ")))
}

/// How a wish for a setting is told, once it is so.
pub fn value_of(worth: &Worth) -> Value {
    match worth {
        Worth::Inherited => Value::Absent,
        Worth::Open { json } => Value::Word(json.clone()),
        Worth::Sealed { of } => sealed(of),
    }
}

impl fmt::Display for CoreFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { at, place, key, .. } => {
                write!(
                    f,
                    "{} of {} at {}",
                    harmless(key),
                    harmless(&place.to_string()),
                    harmless(at.core.as_str())
                )
            }
            Self::Serves { at, place, with } => {
                write!(f, "{} served by {}", harmless(&place.to_string()), harmless(at.core.as_str()))?;
                match with {
                    Some(with) => write!(f, " with the key of {}", harmless(&with.to_string())),
                    None => Ok(()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::admin::{App, TenantSetup};

    fn one(version: u64) -> SecretRef {
        SecretRef { parameter: "/s".into(), version }
    }

    #[test]
    fn a_secret_is_known_by_where_it_lies_and_by_nothing_else() {
        let held = Setting::secret("new-key, old-key");
        let tenant = TenantSetup {
            id: "public".into(),
            settings: BTreeMap::from([("api_keys".into(), held), ("port".into(), Setting::Shown(1.into()))]),
            ..TenantSetup::default()
        };
        let app = App { id: "public".into(), tenants: vec![tenant] };
        let domains = vec![Domain { domain: "c1".into(), apps: vec![app] }];
        let secrets = BTreeMap::from([(one(1), Sealed::new("old-key")), (one(2), Sealed::new("new-key"))]);
        let place = Place::of("c1");
        let told =
            |key: &str, known: &[Vec<SecretRef>]| of_setting(&domains, (&secrets, None), &place, key, known);
        let both = vec![one(1), one(2)];
        assert_eq!(told("api_keys", &[vec![one(1)], both.clone()]), sealed(&both));
        assert_eq!(told("api_keys", &[vec![one(1)]]), Value::word("another secret"));
        assert_eq!(
            told("api_keys", &[vec![one(1), one(3)]]),
            Value::word("another secret"),
            "one is not there"
        );
        assert_eq!((told("port", &[]), told("host", &[])), (Value::word("1"), Value::Absent));
        let nobody = of_setting(&domains, (&secrets, None), &Place::of("c2"), "port", &[]);
        assert_ne!(
            nobody,
            Value::Absent,
            "a place that is not there sets nothing, and that is something else"
        );
    }

    #[test]
    fn an_unknown_secret_is_told_from_another_and_from_nothing_but_with_the_key_of_its_core() {
        let of = |secret: &str, opener: Option<&str>| {
            let settings = BTreeMap::from([("api_keys".into(), Setting::secret(secret))]);
            let tenant = TenantSetup { id: "public".into(), settings, ..TenantSetup::default() };
            let apps = vec![App { id: "public".into(), tenants: vec![tenant] }];
            let domains = vec![Domain { domain: "c1".into(), apps }];
            let opener = opener.map(Sealed::new);
            let held = (&BTreeMap::new(), opener.as_ref());
            of_setting(&domains, held, &Place::of("c1"), "api_keys", &[])
        };
        let Value::Word(said) = of("one", Some("opener")) else { panic!() };
        assert!(said.starts_with("another secret, told apart as ") && !said.contains("one"), "{said}");
        assert_eq!(of("one", Some("opener")), Value::Word(said.clone()));
        assert_ne!(of("two", Some("opener")), Value::Word(said.clone()));
        assert_ne!(of("one", Some("other")), Value::Word(said));
        assert_eq!(of("one", None), Value::word("another secret"), "who has no key reads it without one");
    }
}
