//! Values that must not be seen: API keys, provider secrets, database addresses.
//!
//! A sealed value can be sent and compared, and nothing else: it has no `Display`, no `Serialize`, its
//! `Debug` says that it is hidden, and its memory is wiped when it is dropped.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use std::fmt;

/// A secret text.
#[derive(Clone)]
pub struct Sealed(SecretString);

impl Sealed {
    /// Seals a text.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(SecretString::from(secret.into()))
    }

    /// The text, for the one place that sends it.
    pub fn open(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.open().is_empty()
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl PartialEq for Sealed {
    fn eq(&self, other: &Self) -> bool {
        self.open() == other.open()
    }
}

impl Eq for Sealed {}

/// A setting's value: shown, or hidden because it is or may be a secret.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// Anybody may see it.
    Shown(Value),
    /// Its JSON text, hidden.
    Hidden(Sealed),
}

impl Setting {
    /// A text to be hidden: a key, a password, an address.
    pub fn secret(text: impl Into<String>) -> Self {
        Self::Hidden(Sealed::new(Value::String(text.into()).to_string()))
    }

    /// What may be printed of it.
    pub fn shown(&self) -> String {
        match self {
            Self::Shown(Value::String(text)) => text.clone(),
            Self::Shown(value) => value.to_string(),
            Self::Hidden(_) => "(hidden)".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_says_nothing_of_itself() {
        let sealed = Sealed::new("s3cret-of-the-customer");
        assert_eq!(format!("{sealed:?}"), "(hidden)");
        let setting = Setting::Hidden(sealed);
        assert!(!format!("{setting:?}{}", setting.shown()).contains("s3cret"));
    }
}
