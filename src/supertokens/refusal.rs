//! What a core's plain-text refusals mean.
//!
//! Texts are those of core 9.2.2, observed, and of 12.1.1, read in its source. The text of a failure on the
//! core's own side names the database's host, name and user: it is looked at here and dropped.

use crate::gateway::AdminError;
use crate::model::Text;
use crate::model::admin::Place;

/// How much of a refusal is shown when its meaning is not known.
const SHOWN: usize = 300;

/// What a status and a body mean.
pub(super) fn refusal(status: u16, body: &str) -> AdminError {
    match status {
        400 => wrong(body.trim()),
        401 => AdminError::WrongKey,
        402 => AdminError::NoLicence { feature: feature(body) },
        403 => forbidden(body.trim()),
        404 => AdminError::UnknownCall,
        405 => AdminError::Garbled { what: "it refuses the method".to_owned() },
        429 => AdminError::Throttled,
        // No core says so: something on the way to it does.
        502 | 503 => AdminError::Broken { why: "what stands before it says connection refused".to_owned() },
        500..=599 => failed(status, body),
        300..=399 => AdminError::Garbled { what: format!("it redirects ({status}), which no core does") },
        _ => AdminError::Garbled { what: format!("status {status}") },
    }
}

fn wrong(body: &str) -> AdminError {
    let text = body.strip_prefix("Invalid core config: ").unwrap_or(body);
    // The base domain is empty: nothing may follow the last word.
    if let Some((domain, with)) =
        between(text, "ConnectionUriDomain: ", " cannot be mapped to the same user pool as")
    {
        return AdminError::SamePool { domain, with };
    }
    if let Some(key) = text.strip_prefix("Invalid config key: ") {
        return AdminError::UnknownSetting { key: word(key) };
    }
    if let Some((key, _)) = text.split_once(" can only be set via the core's base config setting") {
        return AdminError::BaseOnly { key: word(key) };
    }
    if let Some((key, within)) = between(text, "You cannot set different values for ", " for the same ") {
        let within = if within.as_str() == "appId" { Text::new("app") } else { within };
        return AdminError::Conflict { key, within };
    }
    if let Some(version) =
        text.strip_prefix("cdi-version ").and_then(|rest| rest.strip_suffix(" not supported"))
    {
        return AdminError::UnknownVersion { version: word(version) };
    }
    if let Some((_, triple)) = text.split_once("combination not found: (") {
        return unknown_tenant(triple);
    }
    match text {
        "Cannot modify base config" => AdminError::BaseConfig,
        "connectionUriDomain is invalid" | "connectionUriDomain should not be an empty String" => {
            AdminError::BadDomain
        }
        "This API is not supported in the in-memory database." => AdminError::InMemory,
        _ if text.starts_with("Connection URI domain is disallowed")
            || text.starts_with("Creation of connection uri domain or app or tenant is disallowed") =>
        {
            AdminError::OtherDomain
        }
        _ => AdminError::Refused { text: shown(text) },
    }
}

fn forbidden(body: &str) -> AdminError {
    match body {
        "Not allowed to modify DB related configs." => AdminError::Protected { what: Text::new("database") },
        "Not allowed to modify protected configs." => AdminError::Protected { what: Text::new("core") },
        // No core writes pages: the server below it refuses the address before any call is looked at.
        page if page.is_empty() || page.starts_with('<') => AdminError::AddressDenied,
        _ => AdminError::Forbidden { text: shown(body) },
    }
}

fn feature(body: &str) -> Text {
    let named = body.split_once("Cannot use feature: ").and_then(|(_, rest)| rest.split_once(','));
    named.map_or_else(|| Text::new("the feature"), |(feature, _)| word(feature))
}

/// The text is only searched: whatever else it says is the database's address.
fn failed(status: u16, body: &str) -> AdminError {
    let says = |words: &[&str]| words.iter().any(|word| body.contains(word));
    if says(&["too many clients already", "remaining connection slots are reserved"]) {
        AdminError::DatabaseFull
    } else if says(&[
        "Connection is not available",
        "Connection refused",
        "Failed to initialize pool",
        "StorageQueryException",
        "The connection attempt failed",
        "Error connecting to",
    ]) {
        AdminError::DatabaseDown
    } else {
        AdminError::Failed { status }
    }
}

fn unknown_tenant(triple: &str) -> AdminError {
    let inside = triple.split(')').next().unwrap_or_default();
    let mut parts = inside.split(',').map(word);
    let (domain, app, tenant) = (parts.next(), parts.next(), parts.next());
    match (domain, app, tenant) {
        (Some(domain), Some(app), Some(tenant)) => {
            AdminError::UnknownTenant { place: Place { domain, app, tenant } }
        }
        _ => AdminError::Refused { text: shown(triple) },
    }
}

/// What stands on both sides of `middle`, after `start`.
fn between(text: &str, start: &str, middle: &str) -> Option<(Text, Text)> {
    let (left, right) = text.strip_prefix(start)?.split_once(middle)?;
    Some((word(left), word(right)))
}

fn word(raw: &str) -> Text {
    Text::new(raw.trim().trim_end_matches('.'))
}

/// A refusal's own words without what could be a secret: addresses with a scheme, and what follows an equals
/// sign.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    for part in text.split_inclusive(char::is_whitespace) {
        let part = match (part.find("://"), part.find('=')) {
            (Some(_), _) => "(hidden) ",
            (None, Some(at)) => {
                shown.push_str(part.get(..=at).unwrap_or_default());
                "(hidden) "
            }
            (None, None) => part,
        };
        if shown.len() + part.len() > SHOWN {
            shown.push('…');
            break;
        }
        shown.push_str(part);
    }
    shown.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recorded_text_has_its_meaning() {
        let place = Place { domain: "c1.example.com".into(), app: "public".into(), tenant: "t1".into() };
        let recorded: [(u16, &str, AdminError); 18] = [
            (
                400,
                "Invalid core config: ConnectionUriDomain: c2.example.com cannot be mapped to the same user pool as c1.example.com",
                AdminError::SamePool { domain: "c2.example.com".into(), with: "c1.example.com".into() },
            ),
            (
                400,
                "Invalid core config: Invalid config key: foo",
                AdminError::UnknownSetting { key: "foo".into() },
            ),
            (400, "Cannot modify base config", AdminError::BaseConfig),
            (400, "connectionUriDomain is invalid", AdminError::BadDomain),
            (400, "cdi-version 99.0 not supported", AdminError::UnknownVersion { version: "99.0".into() }),
            (
                400,
                "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: (c1.example.com, public, t1)",
                AdminError::UnknownTenant { place },
            ),
            (
                400,
                "Invalid core config: log_level can only be set via the core's base config setting",
                AdminError::BaseOnly { key: "log_level".into() },
            ),
            (
                400,
                "Invalid core config: You cannot set different values for api_keys for the same appId",
                AdminError::Conflict { key: "api_keys".into(), within: "app".into() },
            ),
            (
                400,
                "Invalid core config: You cannot set different values for postgresql_table_names_prefix for the same user pool",
                AdminError::Conflict {
                    key: "postgresql_table_names_prefix".into(),
                    within: "user pool".into(),
                },
            ),
            (400, "Connection URI domain is disallowed", AdminError::OtherDomain),
            (
                400,
                "Creation of connection uri domain or app or tenant is disallowed",
                AdminError::OtherDomain,
            ),
            (401, "Invalid API key", AdminError::WrongKey),
            (
                402,
                "Cannot use feature: multi_tenancy, because the license key is missing, or doesn't have this feature enabled.",
                AdminError::NoLicence { feature: "multi_tenancy".into() },
            ),
            (
                403,
                "Not allowed to modify DB related configs.",
                AdminError::Protected { what: "database".into() },
            ),
            (403, "Not allowed to modify protected configs.", AdminError::Protected { what: "core".into() }),
            (404, "Not found", AdminError::UnknownCall),
            (429, "", AdminError::Throttled),
            (500, "FATAL: sorry, too many clients already", AdminError::DatabaseFull),
        ];
        for (status, body, meaning) in recorded {
            assert_eq!(refusal(status, body), meaning, "{status} {body}");
        }
    }

    #[test]
    fn what_a_failing_core_says_of_its_database_is_kept_nowhere() {
        let body = "io.supertokens.pluginInterface.exceptions.StorageQueryException: jdbc:postgresql://db.internal:5432/cust1 \
                    user=cust1_admin password=**** schema=public: Connection is not available";
        let error = refusal(500, body);
        assert_eq!(error, AdminError::DatabaseDown);
        for secret in ["db.internal", "cust1", "cust1_admin", "schema"] {
            assert!(!format!("{error:?} {error}").contains(secret), "{secret}");
        }
    }

    #[test]
    fn an_unknown_refusal_is_shown_without_addresses_and_values() {
        let error = refusal(400, "Bad value postgresql://u:p@db/x for key, password=hunter2 given");
        let text = format!("{error:?} {error}");
        assert!(text.contains("Bad value"), "{text}");
        assert!(text.contains("given"), "{text}");
        for secret in ["hunter2", "u:p", "db/x"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
