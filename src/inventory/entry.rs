//! Entries of the registry as they stand: their fields, their version, and whether anybody but coredeck wrote them.
//!
//! An entry that an inventory wrote carries a seal: a hash of the fields that it wrote. A seal that does not fit,
//! or none, means that a person or another program had a hand in it.

use crate::model::{ParameterDetail, Scope};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The field that holds the seal.
const SEAL: &str = "inventory";

/// A part of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// `cores/`
    Cores,
    /// `tenants/`
    Tenants,
}

impl Part {
    /// The word in its path.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cores => "cores",
            Self::Tenants => "tenants",
        }
    }

    /// The fields that an inventory sees for itself.
    pub(super) fn seen(self) -> &'static [&'static str] {
        match self {
            Self::Cores => &["tier", "instance_id", "container", "port", "version", "image", "base_path"],
            Self::Tenants => &["core", "domain"],
        }
    }

    /// The fields that people fill in, and that stay as they are.
    fn kept(self) -> &'static [&'static str] {
        match self {
            Self::Cores => &["id", "api_key_parameter", "database_parameter"],
            Self::Tenants => &["id", "name", "mode"],
        }
    }
}

/// Who wrote an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// An inventory did, and nobody changed it since.
    Intact,
    /// An inventory did, and somebody changed it since.
    Broken,
    /// Somebody else did.
    None,
}

/// An entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where its parameter is.
    pub scope: Scope,
    /// Its parameter's whole name.
    pub name: String,
    /// Its part.
    pub part: Part,
    /// The last word of its name.
    pub id: String,
    /// Its parameter's version.
    pub version: u64,
    /// Its value as it stands; empty where it is no String.
    pub raw: String,
    /// Its fields, or why there are none.
    pub fields: Result<Map<String, Value>, String>,
    /// Who wrote it.
    pub seal: Seal,
}

impl Entry {
    /// A field that is text.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.fields.as_ref().ok()?.get(field)?.as_str()
    }

    /// A field that is a port.
    pub fn number(&self, field: &str) -> Option<u16> {
        u16::try_from(self.fields.as_ref().ok()?.get(field)?.as_u64()?).ok()
    }

    /// Why nothing may be written over it, whatever is asked: its value would be kept in a plan and a journal.
    pub fn is_closed(&self) -> Option<String> {
        let fields = match &self.fields {
            Ok(fields) => fields,
            Err(why) => return Some(why.clone()),
        };
        let known =
            |name: &str| name == SEAL || self.part.seen().contains(&name) || self.part.kept().contains(&name);
        let strangers: Vec<&str> = fields.keys().map(String::as_str).filter(|name| !known(name)).collect();
        if !strangers.is_empty() {
            return Some(format!("it has fields that this version does not know: {}", strangers.join(", ")));
        }
        // An address with a password in it, where none belongs.
        let address =
            fields.iter().find(|(_, value)| value.as_str().is_some_and(|text| text.contains("://")));
        address.map(|(name, _)| format!("its field {name} holds an address, which may hold a secret"))
    }
}

/// The entries of a scope's registry. Secrets and what is neither a core nor a tenant are left out.
pub fn entries(scope: &Scope, path: &str, parameters: &[ParameterDetail]) -> Vec<Entry> {
    parameters.iter().filter_map(|parameter| entry(scope, path, parameter)).collect()
}

fn entry(scope: &Scope, path: &str, parameter: &ParameterDetail) -> Option<Entry> {
    let below = parameter.name.strip_prefix(path)?.trim_start_matches('/');
    let (part, id) = below.split_once('/').filter(|(_, id)| !id.is_empty() && !id.contains('/'))?;
    let part = [Part::Cores, Part::Tenants].into_iter().find(|known| known.word() == part)?;
    let fields = match &parameter.value {
        None => Err(format!("it is a {}, and no String", parameter.kind)),
        Some(raw) => match serde_json::from_str::<Value>(raw) {
            Ok(Value::Object(fields)) => shape(part, fields),
            Ok(_) => Err("it is no JSON object".to_owned()),
            Err(_) => Err("it is no JSON".to_owned()),
        },
    };
    let seal = fields.as_ref().map_or(Seal::None, |fields| match fields.get(SEAL) {
        None => Seal::None,
        Some(Value::String(seal)) if *seal == sum(part, fields) => Seal::Intact,
        Some(_) => Seal::Broken,
    });
    Some(Entry {
        scope: scope.clone(),
        name: parameter.name.to_string(),
        part,
        id: id.to_owned(),
        version: parameter.version,
        raw: parameter.value.clone().unwrap_or_default(),
        fields,
        seal,
    })
}

/// Fields without nulls, if each is of its type.
fn shape(part: Part, fields: Map<String, Value>) -> Result<Map<String, Value>, String> {
    let fields: Map<String, Value> = fields.into_iter().filter(|(_, value)| !value.is_null()).collect();
    let wrong = part.seen().iter().find(|name| {
        fields.get(**name).is_some_and(|value| match **name {
            "port" => value.as_u64().is_none_or(|port| port > 65_535),
            _ => !value.is_string(),
        })
    });
    match wrong {
        Some(name) => Err(format!("its field {name} is not of the right type")),
        None => Ok(fields),
    }
}

/// The seal of what an inventory sees.
fn sum(part: Part, fields: &Map<String, Value>) -> String {
    let mut hash = Sha256::new();
    // Entries that were sealed before anybody saw such paths have the same seal still.
    for name in part.seen().iter().filter(|name| **name != "base_path" || fields.contains_key(**name)) {
        let value = fields.get(*name).map(Value::to_string).unwrap_or_default();
        hash.update(format!("{name}={value}\n"));
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// The value of a core's entry of ours that was changed since it was sealed, sealed again; none where it is no entry.
pub fn sealed_again(value: &str) -> Option<String> {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(value) else { return None };
    fields.insert(SEAL.to_owned(), Value::String(sum(Part::Cores, &fields)));
    Some(Value::Object(fields).to_string())
}

/// The value of an entry with these fields in place of those that it had, sealed.
pub fn value(part: Part, before: Option<&Entry>, seen: &[(&'static str, Value)]) -> String {
    let mut fields = before.and_then(|entry| entry.fields.clone().ok()).unwrap_or_default();
    for (name, value) in seen {
        match value {
            Value::Null => fields.remove(*name),
            value => fields.insert((*name).to_owned(), value.clone()),
        };
    }
    fields.insert(SEAL.to_owned(), Value::String(sum(part, &fields)));
    Value::Object(fields).to_string()
}
