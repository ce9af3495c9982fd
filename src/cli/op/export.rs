//! The whole journal, for another place; and the proof that nothing in it was changed.

use super::{Place, Reading};
use crate::cli::json;
use crate::cli::output::Output;
use crate::error::{Error, Result};
use crate::store::journal::{Entry, Salvage};
use serde_json::{Value, json as object};

/// `coredeck op export`
pub(super) fn export(place: &Place, out: &mut Output) -> Result<()> {
    let reading = Reading::open(place, out)?;
    let mut ops = reading.ops(usize::MAX)?;
    ops.reverse();
    for op in &ops {
        let mut told = serde_json::to_value(op).unwrap_or_default();
        if let Some(told) = told.as_object_mut() {
            told.insert("schema".to_owned(), "coredeck.journal.operation.v1".into());
            let plan = serde_json::from_str::<Value>(&op.plan).unwrap_or_default();
            told.insert("plan".to_owned(), plan);
        }
        out.data(&(json::line(&told) + "\n"))?;
        for entry in reading.entries(&op.id)? {
            out.data(&(record(&entry) + "\n"))?;
        }
    }
    Ok(())
}

/// A record as one line of JSON.
pub(super) fn record(entry: &Entry) -> String {
    let body = serde_json::from_str::<Value>(&entry.body).unwrap_or_default();
    json::line(&object!({
        "schema": "coredeck.journal.record.v1",
        "seq": entry.seq, "op": entry.op, "epoch": entry.epoch, "at": entry.at.to_string(),
        "kind": entry.kind, "body": body, "prev": entry.prev, "hash": entry.hash,
    }))
}

/// `coredeck op verify`
pub(super) fn verify(place: &Place, out: &mut Output) -> Result<()> {
    if !place.file.exists() {
        out.say(&format!("there is no journal yet at {}", place.file.display()));
        return Ok(());
    }
    let chain = match place.open() {
        Ok(journal) => journal.verify()?,
        Err(_) => Salvage::verify(&place.file)?,
    };
    if chain.faults.is_empty() {
        out.say(&format!("{} records follow each other and are as they were written", chain.length));
        return Ok(());
    }
    let error = Error::failed(format!("the journal {} is not as it was written", place.file.display()));
    Err(error.because(chain.faults.join("\n")).hint("`coredeck op export` writes what can be read"))
}
