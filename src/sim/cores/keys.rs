//! Which settings a core knows, and who may set them where.

/// Set in the core's own base configuration and nowhere else.
const BASE_ONLY: &[&str] = &[
    "port",
    "host",
    "max_server_pool_size",
    "base_path",
    "log_level",
    "info_log_path",
    "error_log_path",
    "argon2_iterations",
    "argon2_memory_kb",
    "argon2_parallelism",
    "argon2_hashing_pool_size",
    "bcrypt_log_rounds",
    "firebase_password_hashing_pool_size",
    "supertokens_saas_secret",
    "supertokens_saas_load_only_cud",
    "oauth_client_secret_encryption_key",
    "otel_collector_connection_uri",
    "deadlock_logger_enable",
    "recent_token_reuse_behaviour",
    "webserver_https_enabled",
];

/// The same for all tenants of an app.
pub(super) const OF_AN_APP: &[&str] = &[
    "access_token_validity",
    "access_token_blacklisting",
    "refresh_token_validity",
    "refresh_token_rotation_grace_period",
    "access_token_validity_jitter",
    "access_token_signing_key_dynamic",
    "access_token_dynamic_signing_key_update_interval",
    "access_token_signing_key_update_interval",
    "api_keys",
    "disable_telemetry",
    "password_hashing_alg",
    "firebase_password_hashing_signer_key",
    "oauth_provider_public_service_url",
    "oauth_provider_admin_service_url",
    "oauth_provider_consent_login_base_url",
    "oauth_provider_url_configured_in_oauth_provider",
    "supertokens_max_cdi_version",
    "supertokens_min_cdi_version",
    "saml_legacy_acs_url",
    "bulk_migration_parallelism",
    "bulk_migration_batch_size",
    "bulk_migration_sleep_between_rounds_in_batch_ms",
    "webauthn_recover_account_token_lifetime",
];

const OF_A_TENANT: &[&str] = &[
    "password_reset_token_lifetime",
    "email_verification_token_lifetime",
    "passwordless_max_code_input_attempts",
    "passwordless_code_lifetime",
    "totp_max_attempts",
    "totp_rate_limit_cooldown_sec",
    "ip_allow_regex",
    "ip_deny_regex",
    "saml_sp_entity_id",
    "saml_claims_validity",
    "saml_relay_state_validity",
    "migration_mode",
];

/// Settings of the database.
pub(super) const OF_THE_DATABASE: &[&str] = &[
    "postgresql_connection_pool_size",
    "postgresql_connection_uri",
    "postgresql_host",
    "postgresql_port",
    "postgresql_user",
    "postgresql_password",
    "postgresql_database_name",
    "postgresql_table_schema",
    "postgresql_idle_connection_timeout",
    "postgresql_minimum_idle_connections",
    "postgresql_connection_attributes",
    "postgresql_connection_scheme",
    "postgresql_table_names_prefix",
];

/// Changed with the secret of a shared core only, besides those of the database.
const PROTECTED: &[&str] = &[
    "ip_allow_regex",
    "ip_deny_regex",
    "oauth_provider_public_service_url",
    "oauth_provider_admin_service_url",
    "oauth_provider_consent_login_base_url",
    "oauth_provider_url_configured_in_oauth_provider",
    "saml_legacy_acs_url",
];

/// Tells whether a key is the database's.
pub(super) fn is_database(key: &str) -> bool {
    OF_THE_DATABASE.contains(&key) || is_table(key)
}

fn is_table(key: &str) -> bool {
    key.starts_with("postgresql_") && key.ends_with("_table_name")
}

/// Tells whether a key is shown and changed with the secret only, where there is one.
pub(super) fn is_protected(key: &str) -> bool {
    PROTECTED.contains(&key) || is_database(key)
}

/// The first version that knows a key, where that is not every one.
fn since(key: &str) -> u32 {
    if key == "migration_mode" { 12 } else { 0 }
}

/// Whether a core of this version knows a key.
pub(super) fn is_known(key: &str, major: u32) -> bool {
    let is_known = BASE_ONLY.contains(&key)
        || OF_AN_APP.contains(&key)
        || OF_A_TENANT.contains(&key)
        || is_database(key);
    is_known && major >= since(key)
}

/// Whether a key is set in the core's own configuration and nowhere else.
pub(super) fn is_of_the_base(key: &str) -> bool {
    BASE_ONLY.contains(&key)
}

/// Every key that stands in an effective configuration of this version, and whether tenants of an app may differ in it.
pub(super) fn all(major: u32) -> impl Iterator<Item = (&'static str, bool)> {
    let base = BASE_ONLY.iter().filter(|key| **key != "supertokens_saas_secret");
    let fixed = base.chain(OF_AN_APP).map(|key| (*key, false));
    let all = fixed.chain(OF_A_TENANT.iter().chain(OF_THE_DATABASE).map(|key| (*key, true)));
    all.filter(move |(key, _)| major >= since(key))
}

/// The number or text that holds where nobody sets a key.
pub(super) fn default(key: &str) -> serde_json::Value {
    match key {
        "port" => 3567.into(),
        "host" => "localhost".into(),
        "max_server_pool_size" | "postgresql_connection_pool_size" => 10.into(),
        "access_token_validity" => 3600.into(),
        "refresh_token_validity" => 144_000.into(),
        "bcrypt_log_rounds" => 11.into(),
        "argon2_iterations" | "argon2_hashing_pool_size" => 1.into(),
        "argon2_memory_kb" => 87_795.into(),
        "argon2_parallelism" => 2.into(),
        "postgresql_port" => 5432.into(),
        "postgresql_host" => "localhost".into(),
        "postgresql_database_name" => "supertokens".into(),
        "postgresql_table_schema" => "public".into(),
        "postgresql_idle_connection_timeout" => 60_000.into(),
        "password_hashing_alg" => "BCRYPT".into(),
        "log_level" => "INFO".into(),
        "migration_mode" => "LEGACY".into(),
        "disable_telemetry" | "access_token_blacklisting" => false.into(),
        "bulk_migration_batch_size" => 8000.into(),
        _ => serde_json::Value::Null,
    }
}

/// Letters of a key that opens an app, and of the secret of a shared core, at least.
const KEY: usize = 20;
const SECRET: usize = 40;

fn is_written_well(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'=' | b'-'))
}

/// What is wrong with a list of keys, if anything is.
pub(super) fn fault_of_keys(keys: &str) -> Option<&'static str> {
    let all = || keys.split(',').map(str::trim);
    if all().any(|key| key.len() < KEY) {
        return Some("One of the API keys is too short. Please use at least 20 characters");
    }
    (!all().all(is_written_well)).then_some(
        "Invalid characters in API key. Please only use '=', '-' and alpha-numeric (including capitals)",
    )
}

/// What keeps a core from starting with the secret that it is given, if anything does.
pub(super) fn fault_of_secret(secret: &str, keys: Option<&str>) -> Option<&'static str> {
    if keys.is_none() {
        return Some("supertokens_saas_secret can only be used when api_key is also defined");
    }
    if secret.len() < SECRET {
        return Some("supertokens_saas_secret is too short. Please use at least 40 characters");
    }
    (!is_written_well(secret)).then_some("Invalid characters in supertokens_saas_secret key")
}
