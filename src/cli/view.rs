//! Whose rows the cache holds: one name for everything that decides what a run sees.

use crate::config::{Config, Surroundings};
use sha2::{Digest, Sha256};

/// Variables by which the AWS SDK decides who we are and where we look.
const DECIDING: [&str; 13] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "HOME",
];

/// `AWS_ENDPOINT_URL` and its variants for each service.
const ENDPOINTS: &str = "AWS_ENDPOINT_URL";

/// A name for what this configuration shows in these surroundings. It is a hash: external ids and keys
/// stay out of the database.
pub(super) fn view(config: &Config, around: &Surroundings) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text.len().to_le_bytes());
        hash.update(text.as_bytes());
    };
    let Config { fleet, endpoint_url, accounts, regions, .. } = config;
    add(&format!("{fleet:?} {endpoint_url:?} {accounts:?} {regions:?}"));
    for (name, value) in &around.vars {
        if DECIDING.contains(&name.as_str()) || name.starts_with(ENDPOINTS) {
            add(name);
            add(value);
        }
    }
    add(&format!("{:?}", around.home));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Account, Login};

    fn around(vars: &[(&str, &str)]) -> Surroundings {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Surroundings { vars, ..Surroundings::default() }
    }

    #[test]
    fn another_login_or_endpoint_is_another_view() {
        let config = Config::default();
        let plain = view(&config, &around(&[]));
        for name in DECIDING.into_iter().chain(["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2"]) {
            let one = view(&config, &around(&[(name, "one")]));
            assert_ne!(one, plain, "{name}");
            assert_ne!(one, view(&config, &around(&[(name, "two")])), "{name}");
        }
        assert_eq!(plain, view(&config, &around(&[("TERM", "xterm"), ("PATH", "/bin")])));
        let home = Surroundings { home: Some("/home/b".into()), ..Surroundings::default() };
        assert_ne!(view(&config, &home), plain);
        assert_ne!(view(&Config { fleet: "b".into(), ..Config::default() }, &around(&[])), plain);
    }

    #[test]
    fn neither_keys_nor_external_ids_can_be_read_from_it() {
        let login = Login::Role {
            from: None,
            arn: "arn:aws:iam::123456789012:role/r".into(),
            external_id: Some("sesame".into()),
            mfa_serial: None,
            session_name: None,
        };
        let account = Account { name: "prod".into(), login, regions: None };
        let config = Config { accounts: vec![account], ..Config::default() };
        let view = view(&config, &around(&[("AWS_ACCESS_KEY_ID", "AKIAXXXX")]));
        assert_eq!(view.len(), 64);
        assert!(view.chars().all(|c| c.is_ascii_hexdigit()), "{view}");
    }
}
