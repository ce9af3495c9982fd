//! What is known of a core's settings by name: where each may be set, who may change it, whether it may be seen.
//!
//! As core 12.1.1 and its PostgreSQL plugin have them, read in their source; core 9.2.2 has a part of them.

/// Where a setting may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In the core's own base configuration and nowhere else.
    Base,
    /// For a domain or an app: all tenants of an app have the same.
    App,
    /// For each tenant.
    Tenant,
    /// For each tenant, and it decides which database is used or how.
    Database,
}

/// Set in the core's own base configuration and nowhere else: a put of one is refused by the core.
const BASE: &[&str] = &[
    "argon2_hashing_pool_size",
    "argon2_iterations",
    "argon2_memory_kb",
    "argon2_parallelism",
    "base_path",
    "bcrypt_log_rounds",
    "deadlock_logger_enable",
    "error_log_path",
    "firebase_password_hashing_pool_size",
    "host",
    "info_log_path",
    "log_level",
    "max_server_pool_size",
    "oauth_client_secret_encryption_key",
    "otel_collector_connection_uri",
    "port",
    "recent_token_reuse_behaviour",
    "supertokens_saas_load_only_cud",
    "supertokens_saas_secret",
    "webserver_https_enabled",
];

/// The same for all tenants of an app.
const APP: &[&str] = &[
    "access_token_blacklisting",
    "access_token_dynamic_signing_key_update_interval",
    "access_token_signing_key_dynamic",
    "access_token_signing_key_update_interval",
    "access_token_validity",
    "access_token_validity_jitter",
    "api_keys",
    "bulk_migration_batch_size",
    "bulk_migration_parallelism",
    "bulk_migration_sleep_between_rounds_in_batch_ms",
    "disable_telemetry",
    "firebase_password_hashing_signer_key",
    "oauth_provider_admin_service_url",
    "oauth_provider_consent_login_base_url",
    "oauth_provider_public_service_url",
    "oauth_provider_url_configured_in_oauth_provider",
    "password_hashing_alg",
    "refresh_token_rotation_grace_period",
    "refresh_token_validity",
    "saml_legacy_acs_url",
    "supertokens_max_cdi_version",
    "supertokens_min_cdi_version",
    "webauthn_recover_account_token_lifetime",
];

const TENANT: &[&str] = &[
    "email_verification_token_lifetime",
    "ip_allow_regex",
    "ip_deny_regex",
    "password_reset_token_lifetime",
    "passwordless_code_lifetime",
    "passwordless_max_code_input_attempts",
    "saml_claims_validity",
    "saml_relay_state_validity",
    "saml_sp_entity_id",
    "totp_max_attempts",
    "totp_rate_limit_cooldown_sec",
];

const DATABASE: &[&str] = &[
    "migration_mode",
    "postgresql_connection_attributes",
    "postgresql_connection_pool_size",
    "postgresql_connection_scheme",
    "postgresql_connection_uri",
    "postgresql_database_name",
    "postgresql_host",
    "postgresql_idle_connection_timeout",
    "postgresql_minimum_idle_connections",
    "postgresql_password",
    "postgresql_port",
    "postgresql_table_names_prefix",
    "postgresql_table_schema",
    "postgresql_user",
];

/// Changed, and shown, with the secret of a shared core only, besides those of the database.
const PROTECTED: &[&str] = &[
    "ip_allow_regex",
    "ip_deny_regex",
    "oauth_provider_admin_service_url",
    "oauth_provider_consent_login_base_url",
    "oauth_provider_public_service_url",
    "oauth_provider_url_configured_in_oauth_provider",
    "saml_legacy_acs_url",
];

/// Settings that are or may hold a secret, or the address of something internal.
const HIDDEN: &[&str] = &[
    "api_keys",
    "firebase_password_hashing_signer_key",
    "oauth_client_secret_encryption_key",
    "oauth_provider_admin_service_url",
    "oauth_provider_consent_login_base_url",
    "oauth_provider_public_service_url",
    "oauth_provider_url_configured_in_oauth_provider",
    "otel_collector_connection_uri",
    "postgresql_connection_attributes",
    "postgresql_connection_scheme",
    "postgresql_connection_uri",
    "postgresql_database_name",
    "postgresql_host",
    "postgresql_password",
    "postgresql_user",
    "saml_legacy_acs_url",
    "supertokens_saas_secret",
];

/// Which database it is: another value leads to other users.
const WHICH_DATABASE: &[&str] = &[
    "postgresql_connection_attributes",
    "postgresql_connection_uri",
    "postgresql_database_name",
    "postgresql_host",
    "postgresql_port",
    "postgresql_table_names_prefix",
    "postgresql_table_schema",
];

/// The steps of a migration of a core's tables, in their order.
pub const MIGRATION: [&str; 4] = ["LEGACY", "DUAL_WRITE_READ_OLD", "DUAL_WRITE_READ_NEW", "MIGRATED"];

/// Where a setting may be set; none where no setting is called so.
pub fn reach(key: &str) -> Option<Reach> {
    let lists =
        [(BASE, Reach::Base), (APP, Reach::App), (TENANT, Reach::Tenant), (DATABASE, Reach::Database)];
    let found = lists.into_iter().find(|(list, _)| list.contains(&key)).map(|(_, reach)| reach);
    found.or_else(|| is_table(key).then_some(Reach::Database))
}

fn is_table(key: &str) -> bool {
    key.starts_with("postgresql_") && key.ends_with("_table_name")
}

/// Whether it is changed with the secret of a shared core only, where there is one: what the core calls it then.
pub fn protected(key: &str) -> Option<&'static str> {
    if PROTECTED.contains(&key) {
        return Some("core");
    }
    (key != "migration_mode" && reach(key) == Some(Reach::Database)).then_some("database")
}

/// Whether its value may be seen. What nobody knows is hidden.
pub fn is_open(key: &str) -> bool {
    reach(key).is_some() && !HIDDEN.contains(&key) && !is_table(key)
}

/// Whether a variable of a container may hold a secret, by its name: a setting that is not for eyes, or what is called so.
pub fn may_hold_a_secret(variable: &str) -> bool {
    let key = variable.to_ascii_lowercase();
    if reach(&key).is_some() {
        return !is_open(&key) && !is_table(&key);
    }
    let words: Vec<&str> = key.split('_').collect();
    let is_secret = |word: &&str| {
        let known =
            ["password", "passwd", "pass", "pwd", "secret", "secrets", "token", "credentials", "key", "keys"];
        known.contains(word) || matches!(*word, "uri" | "url" | "dsn")
    };
    words.iter().any(is_secret) && !key.ends_with("_lifetime") && !key.ends_with("_validity")
}

/// Whether another value means another database.
pub fn chooses_database(key: &str) -> bool {
    WHICH_DATABASE.contains(&key) || is_table(key)
}

/// Every name that is known.
pub fn names() -> impl Iterator<Item = &'static str> {
    [BASE, APP, TENANT, DATABASE].into_iter().flatten().copied()
}

/// What is wrong with a list of API keys, if anything is: each has twenty letters, digits, `=` or `-` at least.
pub fn fault_of_keys(keys: &str) -> Option<&'static str> {
    let is_key = |key: &str| {
        key.len() >= 20 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'=' | b'-'))
    };
    (!keys.split(',').all(|key| is_key(key.trim())))
        .then_some("each API key has at least 20 characters, of letters, digits, = and -")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_stands_in_one_list_and_what_opens_something_is_hidden() {
        for list in [BASE, APP, TENANT, DATABASE, PROTECTED, HIDDEN, WHICH_DATABASE] {
            assert!(list.is_sorted(), "{list:?}");
        }
        let mut all: Vec<&str> = names().collect();
        let many = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!((all.len(), BASE.len()), (many, 20));
        for key in ["api_keys", "postgresql_password", "supertokens_saas_secret", "a_setting_of_tomorrow"] {
            assert!(!is_open(key), "{key}");
        }
        assert!(PROTECTED.iter().chain(HIDDEN).all(|key| reach(key).is_some()));
        assert!(is_open("access_token_validity") && is_open("migration_mode"));
    }

    #[test]
    fn who_may_set_what_is_as_the_core_says() {
        assert_eq!(reach("log_level"), Some(Reach::Base));
        assert_eq!(reach("api_keys"), Some(Reach::App));
        assert_eq!(reach("totp_max_attempts"), Some(Reach::Tenant));
        assert_eq!(reach("postgresql_users_table_name"), Some(Reach::Database));
        assert_eq!(reach("foo"), None);
        assert_eq!(
            (protected("ip_deny_regex"), protected("postgresql_host")),
            (Some("core"), Some("database"))
        );
        assert_eq!((protected("api_keys"), protected("migration_mode")), (None, None));
    }

    #[test]
    fn keys_are_long_and_plain() {
        assert_eq!(fault_of_keys("a-key-of-twenty-letters=, another-key-of-twenty-letters"), None);
        assert!(
            fault_of_keys("short").is_some() && fault_of_keys("an_under_score_in_twenty_letters").is_some()
        );
    }
}
