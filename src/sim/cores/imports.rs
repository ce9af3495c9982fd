//! Users who wait to be imported: they are taken in when the process's five minutes are over.

use super::answers::{Said, good, text};
use super::pool::Pool;
use super::put::Desk;
use crate::sim::dice::Dice;
use crate::sim::time::Moment;
use serde_json::{Value, json};

/// Users that may be given at once.
const MOST: usize = 10_000;
/// How often a process takes in who waits, in seconds.
const TAKES_IN: i64 = 300;

/// Tells whether who came then is taken in now: at the first turn of this process after it.
fn is_in(desk: &Desk<'_>, came: Moment) -> bool {
    let turn = |at: Moment| at.since(desk.process.started).div_euclid(TAKES_IN);
    turn(desk.core.now) > turn(came)
}

fn waiting<'d>(desk: &'d Desk<'_>, pool: &Pool, app: &str) -> &'d [(Moment, u64)] {
    desk.databases.imports.get(&(pool.database(), app.to_owned())).map_or(&[], Vec::as_slice)
}

/// Users of an app that were taken in.
pub(super) fn imported(desk: &Desk<'_>, pool: &Pool, app: &str) -> u64 {
    waiting(desk, pool, app).iter().filter(|(came, _)| is_in(desk, *came)).map(|(_, many)| many).sum()
}

fn refused_in_memory(desk: &Desk<'_>) -> Result<(), Said> {
    match desk.base.is_in_memory {
        true => Err(text(400, "This API is not supported in the in-memory database.")),
        false => Ok(()),
    }
}

/// How many wait. None fails and none is seen while it is taken in.
pub(super) fn queued(desk: &Desk<'_>, pool: &Pool) -> Result<Said, Said> {
    refused_in_memory(desk)?;
    let status = desk.asked.parameter("status");
    if !matches!(status, None | Some("NEW" | "PROCESSING" | "FAILED")) {
        return Err(text(400, "Invalid value for status. Pass one of NEW, PROCESSING, or FAILED!"));
    }
    let rows = waiting(desk, pool, desk.place.app()).iter().filter(|(came, _)| !is_in(desk, *came));
    let many: u64 = if matches!(status, None | Some("NEW")) { rows.map(|(_, many)| many).sum() } else { 0 };
    Ok(good(&json!({ "status": "OK", "count": many })))
}

/// Lets users wait.
pub(super) fn added(desk: &mut Desk<'_>, pool: &Pool) -> Result<Said, Said> {
    refused_in_memory(desk)?;
    let body = desk.body()?;
    let invalid = || text(400, "Field name 'users' is invalid in JSON input");
    let users = body.get("users").and_then(Value::as_array).ok_or_else(invalid)?;
    let wrong = |why: Value| text(400, why.to_string());
    if users.len() > MOST {
        return Err(wrong(json!({ "error": format!("You can only add {MOST} users at a time.") })));
    }
    let has_method = |user: &Value| {
        let methods = user.get("loginMethods").and_then(Value::as_array);
        methods.is_some_and(|methods| !methods.is_empty())
    };
    let faults: Vec<Value> = (0..)
        .zip(users)
        .filter(|(_, user)| !has_method(user))
        .map(|(at, _): (i32, _)| json!({ "index": at, "errors": ["loginMethods is required."] }))
        .collect();
    if !faults.is_empty() {
        let error = "Data has missing or invalid fields. Please check the users field for more details.";
        return Err(wrong(json!({ "error": error, "users": faults })));
    }
    if users.is_empty() {
        return Ok(good(&json!({ "status": "OK" })));
    }
    let key = (pool.database(), desk.place.app().to_owned());
    let mut dice = Dice::new(desk.core.seed, &format!("{}/{}/import", key.0, desk.core.now.0));
    let named: Vec<Value> = users
        .iter()
        .map(|user| {
            let mut user = user.clone();
            if let Some(fields) = user.as_object_mut() {
                fields.insert("id".to_owned(), dice.uuid().into());
            }
            user
        })
        .collect();
    let many = u64::try_from(users.len()).unwrap_or(0);
    desk.databases.imports.entry(key).or_default().push((desk.core.now, many));
    Ok(good(&json!({ "status": "OK", "users": named })))
}
