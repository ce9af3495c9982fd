//! Documents: made, described, read, changed, deleted.

use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::commands::Document;
use crate::sim::world::place::Place;
use compact_str::CompactString;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// The document of AWS's that every account has, as far as it is understood.
pub(super) const SHELL: &str = "AWS-RunShellScript";

fn shell_script() -> String {
    serde_json::json!({
        "schemaVersion": "2.2",
        "description": "Run a shell script or specify the commands to run.",
        "parameters": {
            "commands": { "type": "StringList", "description": "The commands to run" },
            "workingDirectory": { "type": "String", "default": "" },
            "executionTimeout": { "type": "String", "default": "3600" },
        },
        "mainSteps": [{ "action": "aws:runShellScript", "name": "runShellScript", "inputs": {
            "timeoutSeconds": "{{ executionTimeout }}", "runCommand": ["{{ commands }}"],
        } }],
    })
    .to_string()
}

/// Puts AWS's own document into a place.
pub(crate) fn furnish(place: &mut Place) {
    let document = Document {
        name: SHELL.into(),
        description: "Run a shell script or specify the commands to run.".into(),
        owner: "Amazon".into(),
        created: crate::sim::time::Moment(1_500_000_000_000),
        versions: vec![shell_script()],
        default: 0,
    };
    place.documents.insert(SHELL, document);
}

fn invalid(code: &'static str, sentence: impl Into<String>) -> Fault {
    Fault::new(code, sentence)
}

/// The document of a name or ARN, or the refusal.
pub(super) fn find<'p>(place: &'p Place, name: &str) -> Result<&'p Document, Fault> {
    let name = name.rsplit("document/").next().unwrap_or(name);
    place
        .documents
        .get(name)
        .ok_or_else(|| invalid("InvalidDocument", format!("Document with name {name} does not exist.")))
}

/// The index of the version that a call means.
pub(super) fn version(document: &Document, text: Option<&str>) -> Result<usize, Fault> {
    let newest = document.versions.len().saturating_sub(1);
    let index = match text {
        None | Some("" | "$DEFAULT") => Some(document.default),
        Some("$LATEST") => Some(newest),
        Some(text) => text.parse::<usize>().ok().and_then(|number| number.checked_sub(1)),
    };
    index.filter(|index| *index <= newest).ok_or_else(|| {
        invalid("InvalidDocumentVersion", "The document version is not valid or does not exist.")
    })
}

/// SHA-256 in hexadecimal digits.
pub(super) fn hash(content: &str) -> String {
    Sha256::digest(content).iter().fold(String::new(), |mut all, byte| {
        // Writing to a string cannot fail.
        _ = write!(all, "{byte:02x}");
        all
    })
}

/// Reads a document as far as it is run here.
fn check(content: &str) -> Result<Value, Fault> {
    let bad = |sentence: &str| invalid("InvalidDocumentContent", sentence.to_owned());
    let document: Value =
        serde_json::from_str(content).map_err(|error| bad(&format!("JSON not well-formed. {error}")))?;
    let schema = document.get("schemaVersion").and_then(Value::as_str);
    if schema == Some("1.0") && document.get("sessionType").is_some() {
        // A document of sessions has no steps.
        return Ok(document);
    }
    if schema != Some("2.2") {
        return Err(invalid("InvalidDocumentSchemaVersion", "Only schema version 2.2 is understood here."));
    }
    let steps = document.get("mainSteps").and_then(Value::as_array).filter(|steps| !steps.is_empty());
    let steps = steps.ok_or_else(|| bad("mainSteps is required."))?;
    for step in steps {
        if step.get("action").and_then(Value::as_str) != Some("aws:runShellScript") {
            return Err(bad("Only the action aws:runShellScript is understood here."));
        }
        if step.get("inputs").and_then(|inputs| inputs.get("runCommand")).is_none() {
            return Err(bad("runCommand is required."));
        }
    }
    for (name, declared) in document.get("parameters").and_then(Value::as_object).into_iter().flatten() {
        if let Some(pattern) = declared.get("allowedPattern").and_then(Value::as_str)
            && regex_syntax::parse(pattern).is_err()
        {
            return Err(bad(&format!("allowedPattern of {name} is no regular expression.")));
        }
    }
    Ok(document)
}

/// CreateDocument.
pub(super) fn create(call: &Call, place: &mut Place) -> Answer {
    let input = call.input;
    let name = CompactString::from(input.text("Name").unwrap_or_default());
    let is_good = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !(3..=128).contains(&name.len()) || !name.chars().all(is_good) {
        return Err(invalid("ValidationException", format!("{name} is no name for a document.")));
    }
    let lower = name.to_ascii_lowercase();
    if ["aws", "amazon", "amzn"].iter().any(|word| lower.starts_with(word)) {
        return Err(invalid("ValidationException", "Document names cannot begin with aws, amazon or amzn."));
    }
    if !matches!(input.text("DocumentType"), None | Some("Command" | "Session")) {
        return Err(invalid(
            "ValidationException",
            "Only documents of the types Command and Session are understood here.",
        ));
    }
    if !matches!(input.text("DocumentFormat"), None | Some("JSON")) {
        return Err(invalid("ValidationException", "Only the format JSON is understood here."));
    }
    if place.documents.has(&name) {
        return Err(invalid(
            "DocumentAlreadyExists",
            format!("Document with same name {name} already exists"),
        ));
    }
    let content = input.text("Content").unwrap_or_default();
    let document = check(content)?;
    let description = document.get("description").and_then(Value::as_str).unwrap_or_default();
    let row = Document {
        name: name.clone(),
        description: description.into(),
        owner: place.account.as_ref().into(),
        created: call.now,
        versions: vec![content.to_owned()],
        default: 0,
    };
    place.documents.insert(name.clone(), row);
    let row = find(place, &name)?;
    Ok(Fields::new().with("DocumentDescription", description_shape(row, 0)).into())
}

/// UpdateDocument: a new version; the default one stays.
pub(super) fn update(call: &Call, place: &mut Place) -> Answer {
    let content = call.input.text("Content").unwrap_or_default();
    check(content)?;
    let found = find(place, call.input.text("Name").unwrap_or_default())?;
    let name = found.name.clone();
    let base = version(found, call.input.text("DocumentVersion").or(Some("$LATEST")))?;
    if found.owner == "Amazon" {
        return Err(invalid("AccessDeniedException", "Documents of AWS cannot be changed."));
    }
    if base + 1 != found.versions.len() {
        return Err(invalid("InvalidDocumentVersion", "The document version is not the latest one."));
    }
    if found.versions.last().is_some_and(|last| last == content) {
        return Err(invalid(
            "DuplicateDocumentContent",
            "The content of the association document matches another document. Change the content of the document and try again.",
        ));
    }
    if let Some(found) = place.documents.get_mut(&name) {
        found.versions.push(content.to_owned());
    }
    let row = find(place, &name)?;
    Ok(Fields::new().with("DocumentDescription", description_shape(row, base + 1)).into())
}

/// UpdateDocumentDefaultVersion.
pub(super) fn set_default(call: &Call, place: &mut Place) -> Answer {
    let found = find(place, call.input.text("Name").unwrap_or_default())?;
    let wanted = call.input.text("DocumentVersion").ok_or_else(|| {
        invalid(
            "ValidationException",
            "1 validation error detected: Value null at 'documentVersion' failed to satisfy constraint: Member must not be null",
        )
    })?;
    let (name, index) = (found.name.clone(), version(found, Some(wanted))?);
    if let Some(found) = place.documents.get_mut(&name) {
        found.default = index;
    }
    let row = Fields::new().with("Name", name).with("DefaultVersion", (index + 1).to_string());
    Ok(Fields::new().with("Description", row).into())
}

/// DeleteDocument.
pub(super) fn delete(call: &Call, place: &mut Place) -> Answer {
    let found = find(place, call.input.text("Name").unwrap_or_default())?;
    if found.owner == "Amazon" {
        return Err(invalid("AccessDeniedException", "Documents of AWS cannot be deleted."));
    }
    let name = found.name.clone();
    place.documents.remove(&name);
    Ok(Fields::new().into())
}

fn description_shape(row: &Document, index: usize) -> Shape {
    let content = row.versions.get(index).map(String::as_str).unwrap_or_default();
    let document: Value = serde_json::from_str(content).unwrap_or_default();
    let parameters = document.get("parameters").and_then(Value::as_object);
    let parameters = list(parameters.into_iter().flatten(), |(name, declared)| {
        let text = |key: &str| declared.get(key).and_then(Value::as_str).map(str::to_owned);
        let default = declared.get("default").map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        Fields::new()
            .with("Name", name)
            .with("Type", text("type").unwrap_or_else(|| "String".to_owned()))
            .maybe("Description", text("description"))
            .maybe("DefaultValue", default)
    });
    Fields::new()
        .with("Hash", hash(content))
        .with("HashType", "Sha256")
        .with("Name", &row.name)
        .with("Owner", &row.owner)
        .with("CreatedDate", row.created)
        .with("Status", "Active")
        .with("DocumentVersion", (index + 1).to_string())
        .with("Description", &row.description)
        .with("Parameters", parameters)
        .with("PlatformTypes", vec!["Linux", "MacOS"])
        .with("DocumentType", "Command")
        .with("SchemaVersion", "2.2")
        .with("LatestVersion", row.versions.len().to_string())
        .with("DefaultVersion", (row.default + 1).to_string())
        .with("DocumentFormat", "JSON")
        .with("Tags", Shape::List(Vec::new()))
        .into()
}

/// DescribeDocument.
pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    let row = find(place, call.input.text("Name").unwrap_or_default())?;
    let index = version(row, call.input.text("DocumentVersion"))?;
    Ok(Fields::new().with("Document", description_shape(row, index)).into())
}

/// GetDocument.
pub(super) fn get(call: &Call, place: &Place) -> Answer {
    let row = find(place, call.input.text("Name").unwrap_or_default())?;
    let index = version(row, call.input.text("DocumentVersion"))?;
    if !matches!(call.input.text("DocumentFormat"), None | Some("JSON")) {
        return Err(invalid("ValidationException", "Only the format JSON is understood here."));
    }
    Ok(Fields::new()
        .with("Name", &row.name)
        .with("CreatedDate", row.created)
        .with("DocumentVersion", (index + 1).to_string())
        .with("Status", "Active")
        .maybe("Content", row.versions.get(index))
        .with("DocumentType", "Command")
        .with("DocumentFormat", "JSON")
        .into())
}
