//! Which of its tables a core of version 12 reads and writes: step by step, and never back from the last.

use super::answers::{Said, good};
use super::keys;
use super::look::users;
use super::memory::Triple;
use super::put::Desk;
use serde_json::{Map, Value, json};

/// The steps, in their order.
const STEPS: [&str; 4] = ["LEGACY", "DUAL_WRITE_READ_OLD", "DUAL_WRITE_READ_NEW", "MIGRATED"];

/// What a setting means; what nobody knows is the first step.
pub(super) fn step(value: Option<&Value>) -> usize {
    let word = value.and_then(Value::as_str).unwrap_or_default().to_uppercase();
    STEPS.iter().position(|step| *step == word).unwrap_or(0)
}

/// Why a step may not follow another, if it may not.
pub(super) fn fault(from: usize, to: usize) -> Option<String> {
    let name = |step: usize| STEPS.get(step).copied().unwrap_or_default();
    if from == to {
        return None;
    }
    if from == STEPS.len() - 1 {
        return Some(format!(
            "migration_mode is currently MIGRATED, which is terminal. Old tables are stale and cannot be re-introduced into the read path without first being repopulated out of band. Refusing transition to {}.",
            name(to)
        ));
    }
    if from.abs_diff(to) == 1 {
        return None;
    }
    let below = from.checked_sub(1).and_then(|at| STEPS.get(at)).copied();
    let around: Vec<&str> = below.into_iter().chain(STEPS.get(from + 1).copied()).collect();
    Some(format!(
        "migration_mode transitions must progress one step at a time. Refusing {} → {}. Allowed neighbours of {}: {}.",
        name(from),
        name(to),
        name(from),
        around.join(", ")
    ))
}

fn of(desk: &Desk<'_>, place: &Triple) -> usize {
    let settings = desk.process.resolved(place);
    step(settings.get("migration_mode").or(Some(&keys::default("migration_mode"))))
}

fn name(step: usize) -> &'static str {
    STEPS.get(step).copied().unwrap_or_default()
}

/// Says something of every database when the base is asked, and of its own when a domain is.
fn told(desk: &Desk<'_>, say: impl Fn(&Triple) -> Map<String, Value>) -> Said {
    let mut whole = Map::new();
    whole.insert("status".to_owned(), "OK".into());
    if desk.place.is_base() {
        let publics =
            desk.process.known.keys().filter(|(_, app, tenant)| app == "public" && tenant == "public");
        let rows: Vec<Value> = publics
            .map(|place| {
                let mut row = say(place);
                row.insert("connectionUriDomain".to_owned(), place.0.clone().into());
                row.into()
            })
            .collect();
        whole.insert("cuds".to_owned(), rows.into());
    } else {
        whole.extend(say(&desk.place.of_app()));
    }
    good(&whole.into())
}

/// Which step each is at.
pub(super) fn modes(desk: &Desk<'_>) -> Said {
    told(desk, |place| Map::from_iter([("mode".to_owned(), name(of(desk, place)).into())]))
}

/// How far the old rows are copied. They are while both are written and the old ones are read.
pub(super) fn progress(desk: &Desk<'_>) -> Said {
    let verifies = desk.asked.is_set("verify");
    told(desk, |place| {
        let step = of(desk, place);
        let reads_old = step < 2;
        // Nobody copies before both are written.
        let pending = if step == 0 { users(desk, &desk.pool(place), &place.1, &place.2) } else { 0 };
        let mut row = Map::from_iter([
            ("mode".to_owned(), name(step).into()),
            ("pendingUsers".to_owned(), pending.into()),
        ]);
        if verifies {
            let (key, value): (&str, Value) = match (reads_old, pending) {
                (false, _) => ("verifySkipped", "migrated".into()),
                (true, 0) => ("inconsistentUsersCount", json!(0)),
                (true, _) => ("verifySkipped", "backfillIncomplete".into()),
            };
            row.insert(key.to_owned(), value);
        }
        row
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_each_other_and_nothing_follows_the_last() {
        assert_eq!((fault(0, 1), fault(1, 0), fault(2, 3), fault(3, 3)), (None, None, None, None));
        let two = fault(0, 2).unwrap();
        assert!(two.ends_with("Allowed neighbours of LEGACY: DUAL_WRITE_READ_OLD."), "{two}");
        assert!(fault(1, 3).unwrap().ends_with("LEGACY, DUAL_WRITE_READ_NEW."));
        assert!(fault(3, 2).unwrap().contains("which is terminal"));
        assert_eq!((step(None), step(Some(&"migrated".into())), step(Some(&"?".into()))), (0, 3, 0));
    }
}
