//! Which settings of a core may be seen. What is not known to be harmless is hidden.

use crate::model::setting::is_open;
use crate::model::{Sealed, Setting, Text};
use serde_json::Value;
use std::collections::BTreeMap;

/// A setting's value, hidden unless its name is known to be harmless. Nothing is no secret.
pub(super) fn setting(key: &str, value: Value) -> Setting {
    match value {
        Value::Null => Setting::Shown(Value::Null),
        value if is_open(key) => Setting::Shown(value),
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
