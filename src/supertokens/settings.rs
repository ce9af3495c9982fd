//! Which settings of a core may be seen. What is not known to be harmless is hidden.

use crate::model::{Sealed, Setting, Text};
use serde_json::Value;
use std::collections::BTreeMap;

/// Settings without a secret in them, of core 12.1.1 and its PostgreSQL plugin.
const SHOWN: &[&str] = &[
    "access_token_blacklisting",
    "access_token_dynamic_signing_key_update_interval",
    "access_token_signing_key_dynamic",
    "access_token_signing_key_update_interval",
    "access_token_validity",
    "access_token_validity_jitter",
    "argon2_hashing_pool_size",
    "argon2_iterations",
    "argon2_memory_kb",
    "argon2_parallelism",
    "base_path",
    "bcrypt_log_rounds",
    "bulk_migration_batch_size",
    "bulk_migration_parallelism",
    "bulk_migration_sleep_between_rounds_in_batch_ms",
    "deadlock_logger_enable",
    "disable_telemetry",
    "email_verification_token_lifetime",
    "error_log_path",
    "firebase_password_hashing_pool_size",
    "host",
    "info_log_path",
    "ip_allow_regex",
    "ip_deny_regex",
    "log_level",
    "max_server_pool_size",
    "migration_mode",
    "password_hashing_alg",
    "password_reset_token_lifetime",
    "passwordless_code_lifetime",
    "passwordless_max_code_input_attempts",
    "port",
    "postgresql_connection_pool_size",
    "postgresql_idle_connection_timeout",
    "postgresql_minimum_idle_connections",
    "postgresql_port",
    "postgresql_table_names_prefix",
    "postgresql_table_schema",
    "recent_token_reuse_behaviour",
    "refresh_token_rotation_grace_period",
    "refresh_token_validity",
    "saml_claims_validity",
    "saml_relay_state_validity",
    "saml_sp_entity_id",
    "supertokens_max_cdi_version",
    "supertokens_min_cdi_version",
    "supertokens_saas_load_only_cud",
    "totp_max_attempts",
    "totp_rate_limit_cooldown_sec",
    "webauthn_recover_account_token_lifetime",
    "webserver_https_enabled",
];

/// A setting's value, hidden unless its name is known to be harmless. Nothing is no secret.
pub(super) fn setting(key: &str, value: Value) -> Setting {
    match value {
        Value::Null => Setting::Shown(Value::Null),
        value if SHOWN.binary_search(&key).is_ok() => Setting::Shown(value),
        value => Setting::Hidden(Sealed::new(value.to_string())),
    }
}

/// The JSON that a setting is sent as.
pub(super) fn json(setting: &Setting) -> Value {
    match setting {
        Setting::Shown(value) => value.clone(),
        // What is hidden is JSON; were it not, then a text that nobody quoted.
        Setting::Hidden(sealed) => {
            serde_json::from_str(sealed.open()).unwrap_or_else(|_| Value::String(sealed.open().to_owned()))
        }
    }
}

/// All settings of an object.
pub(super) fn settings(object: Option<&mut Value>) -> BTreeMap<Text, Setting> {
    let Some(Value::Object(object)) = object.map(Value::take) else { return BTreeMap::new() };
    object.into_iter().map(|(key, value)| (Text::new(&key), setting(&key, value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_so_that_it_can_be_searched() {
        assert!(SHOWN.is_sorted());
    }

    #[test]
    fn keys_addresses_and_whatever_is_unknown_are_hidden() {
        for key in [
            "api_keys",
            "postgresql_connection_uri",
            "postgresql_password",
            "postgresql_host",
            "postgresql_user",
            "supertokens_saas_secret",
            "oauth_client_secret_encryption_key",
            "firebase_password_hashing_signer_key",
            "a_setting_of_tomorrow",
        ] {
            let hidden = setting(key, Value::String("s3cret".into()));
            assert!(!format!("{hidden:?}").contains("s3cret"), "{key}");
            assert_eq!(json(&hidden), Value::String("s3cret".into()), "{key} goes out as it came");
        }
        assert_eq!(json(&Setting::secret("123456")), Value::String("123456".into()), "a text stays one");
        assert_eq!(setting("access_token_validity", 3600.into()), Setting::Shown(3600.into()));
    }
}
