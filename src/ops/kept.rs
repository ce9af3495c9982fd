//! What operations recorded and might go back to: template versions and images that nobody may clean away.

use super::intent::Intent;
use crate::error::Result;
use crate::store::journal::Ledger;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeSet;

/// An intent that knows what operations recorded, where it must: `clean` takes nothing away blindly.
///
/// # Errors
///
/// The journal cannot be read, and then nobody knows.
pub fn asked(mut intent: Intent, ledger: &dyn Ledger, now: Timestamp) -> Result<Intent> {
    if intent.verb == "clean" {
        let wish = intent.options.clean.get_or_insert_default();
        let since = wish.forget_s.map(|seconds| {
            let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
            now.saturating_sub(span).unwrap_or(Timestamp::MIN)
        });
        wish.recorded = Some(recorded(ledger, since)?);
    }
    Ok(intent)
}

/// Every template version (`lt-…:7`, or by the template's name) and image that a plan in the journal names, done or not.
/// Operations that are over and began before a moment are left out, where one is given.
///
/// # Errors
///
/// The journal cannot be read, and then nobody knows.
pub fn recorded(ledger: &dyn Ledger, since: Option<Timestamp>) -> Result<Vec<String>> {
    let mut found = BTreeSet::new();
    for op in ledger.ops(usize::MAX)? {
        // One that is not over may still go back, however long ago it was begun.
        if since.is_some_and(|since| op.at < since) && super::read(ledger, &op.id)?.ended.is_some() {
            continue;
        }
        // A plan that cannot be read was made by another version: whoever asks must not take it for empty.
        let plan: Value = serde_json::from_str(&op.plan).map_err(|why| {
            crate::error::Error::failed(format!("the plan of {} cannot be read", op.id)).because(why)
        })?;
        // What an operation deletes it does not go back to.
        if op.kind != "clean" {
            walk(&plan, &mut found);
        }
    }
    Ok(found.into_iter().collect())
}

fn walk(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let words = text.split([' ', ',', '`']);
            let is_meant =
                |word: &&str| word.starts_with("ami-") || word.starts_with("lt-") && word.contains(':');
            found.extend(words.filter(is_meant).map(str::to_owned));
        }
        Value::Array(all) => all.iter().for_each(|one| walk(one, found)),
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            let number = |name: &str| {
                let value = fields.get(name)?;
                value.as_u64().map(|number| number.to_string()).or_else(|| value.as_str().map(str::to_owned))
            };
            let templates = [text("id"), text("name"), text("template")];
            for version in [number("version"), number("from")].into_iter().flatten() {
                found.extend(templates.into_iter().flatten().map(|template| format!("{template}:{version}")));
            }
            fields.values().for_each(|one| walk(one, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::walk;
    use serde_json::json;
    use std::collections::BTreeSet;

    #[test]
    fn versions_are_found_however_a_plan_writes_them() {
        let mut found = BTreeSet::new();
        let plan = json!({
            "desired": { "template": { "id": "lt-1", "name": "web", "version": "7" } },
            "made": { "template": "lt-2", "from": 3, "image": "ami-1" },
            "facts": [{ "was": ["lt-3:4", "1 on demand, 20 % above", "m5.large with ami-2"] }],
        });
        walk(&plan, &mut found);
        for wanted in ["lt-1:7", "web:7", "lt-2:3", "ami-1", "lt-3:4", "ami-2"] {
            assert!(found.contains(wanted), "no {wanted}: {found:?}");
        }
    }
}
