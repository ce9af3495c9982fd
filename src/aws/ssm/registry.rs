//! The registry in Parameter Store: `/coredeck/<fleet>/cores/<id>` and `/coredeck/<fleet>/tenants/<id>`.
//!
//! Values are JSON. What cannot be understood becomes a sentence that names the parameter, and takes
//! nothing else with it. Secrets stay out: AWS is never asked to decrypt, and whatever is not a plain
//! String is dropped unread.

use crate::gateway::Reading;
use crate::model::{CoreRecord, TenantRecord};
use aws_sdk_ssm::types::{Parameter, ParameterType};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What the registry says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Registry {
    cores: Vec<CoreRecord>,
    tenants: Vec<TenantRecord>,
    faults: Vec<String>,
}

/// One parameter of the registry, understood.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry {
    /// A core.
    Core(CoreRecord),
    /// A tenant.
    Tenant(TenantRecord),
    /// A sentence about a parameter that makes no sense here.
    Fault(String),
    /// A secret, left where it is.
    Secret,
}

impl FromIterator<Entry> for Registry {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut all = Self::default();
        for entry in entries {
            match entry {
                Entry::Core(core) => all.cores.push(core),
                Entry::Tenant(tenant) => all.tenants.push(tenant),
                Entry::Fault(fault) => all.faults.push(fault),
                Entry::Secret => {}
            }
        }
        all.cores.sort_by(|a, b| a.id.cmp(&b.id));
        all.tenants.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }
}

impl From<Registry> for Reading {
    fn from(all: Registry) -> Self {
        Self::Registry { cores: all.cores, tenants: all.tenants, faults: all.faults }
    }
}

/// Returns the reading that entries add up to.
pub(super) fn reading(entries: Vec<Entry>) -> Reading {
    entries.into_iter().collect::<Registry>().into()
}

/// Returns the path as AWS wants it: it opens with a slash and does not end with one.
pub(super) fn path(raw: &str) -> String {
    format!("/{}", raw.trim_matches('/'))
}

/// Understands one parameter under `path`.
pub(super) fn entry(raw: Parameter, path: &str) -> Entry {
    let name = raw.name.unwrap_or_default();
    let below = name.strip_prefix(path).unwrap_or(&name).trim_start_matches('/');
    let place = below.split_once('/').filter(|(_, id)| !id.is_empty() && !id.contains('/'));
    let is_plain = raw.r#type == Some(ParameterType::String);
    let value = raw.value.unwrap_or_default();
    match place {
        Some(("cores" | "tenants", _)) if !is_plain => {
            let kind = raw.r#type.as_ref().map_or("nothing known", ParameterType::as_str);
            Entry::Fault(format!("{name} is a {kind}; the registry wants a String that holds JSON"))
        }
        Some(("cores", id)) => match object::<CoreRecord>(&value) {
            Ok(core) => Entry::Core(CoreRecord { id: id.into(), ..core }),
            Err(why) => Entry::Fault(format!("{name} is not a core: {why}")),
        },
        Some(("tenants", id)) => match object::<TenantRecord>(&value) {
            Ok(tenant) => Entry::Tenant(TenantRecord { id: id.into(), ..tenant }),
            Err(why) => Entry::Fault(format!("{name} is not a tenant: {why}")),
        },
        _ if raw.r#type == Some(ParameterType::SecureString) => Entry::Secret,
        _ => Entry::Fault(format!("{name} is neither in cores/ nor in tenants/, and nothing reads it")),
    }
}

/// Reads a JSON object. A list would pass for one with its fields in order, so it is refused by name.
/// The reason tells the field and what was wanted there, and never the value: what people put into the
/// wrong place is often a secret.
fn object<R: DeserializeOwned>(value: &str) -> Result<R, String> {
    let json: Value = serde_json::from_str(value)
        .map_err(|error| format!("not JSON at line {}, column {}", error.line(), error.column()))?;
    let Value::Object(fields) = json else {
        return Err(format!("a JSON object is wanted, this is {}", kind(&json)));
    };
    match R::deserialize(Value::Object(fields.clone())) {
        Ok(record) => Ok(record),
        Err(_) => Err(wrong_fields::<R>(fields)),
    }
}

/// Names the fields that cannot be read, by trying each alone.
fn wrong_fields<R: DeserializeOwned>(fields: serde_json::Map<String, Value>) -> String {
    let wrong: Vec<String> = fields
        .into_iter()
        .filter_map(|(field, value)| {
            let found = kind(&value);
            let alone = Value::Object([(field.clone(), value)].into_iter().collect());
            R::deserialize(alone).is_err().then(|| format!("{field} cannot be {found} like this"))
        })
        .collect();
    wrong.join(", ")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/coredeck/main";

    fn parameter(name: &str, kind: ParameterType, value: &str) -> Parameter {
        Parameter::builder().name(name).r#type(kind).value(value).build()
    }

    fn plain(name: &str, value: &str) -> Entry {
        entry(parameter(name, ParameterType::String, value), PATH)
    }

    fn fault(of: Entry) -> String {
        match of {
            Entry::Fault(said) => said,
            other => panic!("{other:?} is no fault"),
        }
    }

    #[test]
    fn cores_and_tenants_are_understood_with_fields_of_the_future() {
        let core = plain(
            "/coredeck/main/cores/prod-1",
            r#"{"tier":"production","instance_id":"i-1","container":"core","port":3567,"version":"11.0.4",
                "image":"supertokens/core:11.0.4","api_key_parameter":"/coredeck/main/secrets/prod-1","later":[1]}"#,
        );
        let Entry::Core(core) = core else { panic!("{core:?}") };
        assert_eq!((core.id.as_str(), core.port), ("prod-1", Some(3567)));
        assert_eq!(core.tier.as_ref().map(AsRef::as_ref), Some("production"));
        assert_eq!(core.api_key_parameter.as_deref(), Some("/coredeck/main/secrets/prod-1"));
        let tenant = plain("/coredeck/main/tenants/acme", r#"{"name":"Acme","core":"prod-1","mode":null}"#);
        let Entry::Tenant(tenant) = tenant else { panic!("{tenant:?}") };
        assert_eq!((tenant.id.as_str(), tenant.name.as_deref(), tenant.mode), ("acme", Some("Acme"), None));
        assert!(matches!(plain("/coredeck/main/cores/bare", "{}"), Entry::Core(_)));
    }

    #[test]
    fn garbage_is_a_sentence_that_names_the_parameter_and_not_its_value() {
        let said = fault(plain("/coredeck/main/cores/a", "hunter2"));
        assert_eq!(said, "/coredeck/main/cores/a is not a core: not JSON at line 1, column 1");
        let said = fault(plain("/coredeck/main/cores/a", r#"{"port":"hunter2","tier":7,"image":"ok"}"#));
        assert!(said.contains("port cannot be a text") && said.contains("tier cannot be a number"), "{said}");
        assert!(!said.contains("hunter2") && !said.contains("image"), "{said}");
        let said = fault(plain("/coredeck/main/cores/a", r#"{"port":70000}"#));
        assert!(said.contains("port cannot be a number like this"), "{said}");
        let said = fault(plain("/coredeck/main/tenants/a", "[]"));
        assert!(said.contains("this is a list"), "{said}");
        for cut in ["", "{", "\"", "nul", "{\"port\":"] {
            assert!(matches!(plain("/coredeck/main/tenants/a", cut), Entry::Fault(_)));
        }
    }

    #[test]
    fn secrets_are_never_kept() {
        let secret = |name: &str| entry(parameter(name, ParameterType::SecureString, "AQICAH"), PATH);
        assert_eq!(secret("/coredeck/main/secrets/prod-1"), Entry::Secret);
        let said = fault(secret("/coredeck/main/cores/prod-1"));
        assert!(said.starts_with("/coredeck/main/cores/prod-1 is a SecureString"), "{said}");
        assert!(!said.contains("AQICAH"));
        let list = entry(parameter("/coredeck/main/cores/x", ParameterType::StringList, "a,b"), PATH);
        assert!(fault(list).contains("StringList"));
    }

    #[test]
    fn what_stands_elsewhere_is_named() {
        for name in ["/coredeck/main/notes", "/coredeck/main/cores/a/b", "/coredeck/main/cores/", "/else/x/y"]
        {
            assert!(fault(plain(name, "{}")).starts_with(name), "{name}");
        }
        assert!(matches!(entry(Parameter::builder().build(), PATH), Entry::Fault(_)));
    }

    #[test]
    fn entries_add_up_to_a_reading_in_order_of_their_ids() {
        let entries = vec![
            plain("/coredeck/main/cores/b", "{}"),
            plain("/coredeck/main/cores/a", "{}"),
            plain("/coredeck/main/tenants/t", "{}"),
            plain("/coredeck/main/cores/c", "no"),
            Entry::Secret,
        ];
        let Reading::Registry { cores, tenants, faults } = reading(entries) else { panic!() };
        assert_eq!(cores.iter().map(|core| core.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((tenants.len(), faults.len()), (1, 1));
    }

    #[test]
    fn the_path_has_one_slash_before_and_none_behind() {
        assert_eq!(path("/coredeck/main/"), "/coredeck/main");
        assert_eq!(path("coredeck/main"), "/coredeck/main");
    }
}
