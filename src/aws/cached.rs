//! Roles that the aws command has entered already: its cache of temporary credentials, read and never written.
//!
//! The command caches a role that it assumed with an MFA code under `~/.aws/cli/cache`. Using that session
//! spares a second code, and lets a session be renewed from another window while a screen is open here.

use aws_credential_types::Credentials;
use aws_types::os_shim_internal::Env;
use jiff::Timestamp;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A session that ends sooner is not worth using.
const AT_LEAST: Duration = Duration::from_secs(5 * 60);

/// No honest file of the cache is this long.
const LONGEST_FILE: u64 = 64 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    credentials: Keys,
    assumed_role_user: User,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct User {
    arn: String,
}

/// The session of a role that lasts longest, if the aws command has one that is good for a while.
pub(super) fn role(env: &Env, role_arn: &str, now: SystemTime) -> Option<Credentials> {
    let home = env.get("HOME").or_else(|_| env.get("USERPROFILE")).ok()?;
    best(&PathBuf::from(home).join(".aws/cli/cache"), role_arn, now)
}

fn best(folder: &Path, role_arn: &str, now: SystemTime) -> Option<Credentials> {
    let wanted = assumed(role_arn)?;
    // No folder, or one that we may not read: then there is no session to spare a code with.
    let files = std::fs::read_dir(folder).ok()?.flatten();
    files
        .filter(|file| file.path().extension().is_some_and(|ending| ending == "json"))
        .filter(|file| file.metadata().is_ok_and(|facts| facts.len() <= LONGEST_FILE))
        .filter_map(|file| serde_json::from_slice::<Entry>(&std::fs::read(file.path()).ok()?).ok())
        .filter(|entry| entry.assumed_role_user.arn.starts_with(&wanted))
        .filter_map(|entry| {
            let end = SystemTime::from(entry.credentials.expiration.parse::<Timestamp>().ok()?);
            Some((end, entry.credentials))
        })
        .filter(|(end, _)| end.duration_since(now).is_ok_and(|left| left > AT_LEAST))
        .max_by_key(|(end, _)| *end)
        .map(|(end, keys)| {
            let token = Some(keys.session_token);
            Credentials::new(
                keys.access_key_id,
                keys.secret_access_key,
                token,
                Some(end),
                "aws command's cache",
            )
        })
}

/// How ARNs of a role's sessions begin: `arn:aws:sts::ACCOUNT:assumed-role/NAME/`.
fn assumed(role_arn: &str) -> Option<String> {
    let parts: Vec<&str> = role_arn.splitn(6, ':').collect();
    let [_, partition, "iam", _, account, role] = parts.as_slice() else { return None };
    let name = role.strip_prefix("role/")?.rsplit('/').next()?;
    Some(format!("arn:{partition}:sts::{account}:assumed-role/{name}/"))
}

#[cfg(test)]
mod tests {
    use super::{assumed, best};
    use jiff::Timestamp;
    use std::time::SystemTime;

    const ROLE: &str = "arn:aws:iam::111122223333:role/team/Ops";

    fn entry(role: &str, key: &str, end: &str) -> String {
        format!(
            r#"{{"Credentials":{{"AccessKeyId":"{key}","SecretAccessKey":"s","SessionToken":"t","Expiration":"{end}"}},
               "AssumedRoleUser":{{"AssumedRoleId":"A:b","Arn":"arn:aws:sts::111122223333:assumed-role/{role}/b"}},
               "ResponseMetadata":{{}}}}"#
        )
    }

    #[test]
    fn takes_the_session_of_that_role_that_lasts_longest() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("a.json", &entry("Ops", "SHORT", "2026-03-01T12:30:00Z"));
        write("b.json", &entry("Ops", "LONG", "2026-03-01T13:00:00+00:00"));
        write("c.json", &entry("Other", "OTHER", "2026-03-01T20:00:00Z"));
        write("d.json", "{ not json");
        let now = SystemTime::from("2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap());
        assert_eq!(best(folder.path(), ROLE, now).unwrap().access_key_id(), "LONG");
        let late = SystemTime::from("2026-03-01T12:58:00Z".parse::<Timestamp>().unwrap());
        assert!(best(folder.path(), ROLE, late).is_none(), "two minutes are not worth it");
    }

    #[test]
    fn a_role_is_known_by_account_and_name_without_its_path() {
        assert_eq!(assumed(ROLE).unwrap(), "arn:aws:sts::111122223333:assumed-role/Ops/");
        assert_eq!(assumed("not an arn"), None);
    }
}
