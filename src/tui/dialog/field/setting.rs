//! The fields of settings and of API keys. They hold names of SecureStrings, and never what lies in one.

use super::{Field, Name};
use crate::error::did_you_mean;
use crate::model::setting::{is_open, names, reach};
use crate::ops::intent::{ConfigWish, SettingWish};

/// The fields of a verb.
pub(super) fn fields(verb: &str) -> Vec<Field> {
    let own: &[Name] = match verb {
        "core keys rotate" => &[Name::NewKey, Name::Generate],
        "core keys retire" => &[Name::Keep],
        _ => &[Name::Set, Name::Secrets, Name::Unset],
    };
    let place = [Name::Domain, Name::App, Name::Tenant, Name::Saas];
    own.iter().chain(&place).map(|name| Field::line(*name, String::new())).collect()
}

/// The words of a line; blanks between quotes part none.
pub(super) fn words(text: &str) -> Vec<&str> {
    let mut is_quoted = false;
    let parts = text.split(|c: char| {
        is_quoted ^= c == '"';
        c.is_whitespace() && !is_quoted
    });
    parts.filter(|word| !word.is_empty()).collect()
}

/// The line without what might be a secret, and why that is not taken; none where nothing in it might be one. What is
/// typed on is not taken either, because the name with its sign stays.
pub(super) fn withheld(text: &str) -> Option<(String, String)> {
    let (at, key) = words(text).into_iter().find_map(|word| {
        let (key, value) = word.split_once('=')?;
        let is_closed = !is_open(key) && !value.is_empty();
        is_closed.then(|| (word.as_ptr() as usize - text.as_ptr() as usize, key))
    })?;
    let kept = text.get(..=at + key.len()).unwrap_or_default().to_owned();
    Some((kept, closed(key)))
}

/// Why no value of a setting is typed.
fn closed(key: &str) -> String {
    if reach(key).is_some() {
        return format!(
            "{key} is or may hold a secret: name the SecureString that it lies in under `secrets`"
        );
    }
    match did_you_mean(key, names()) {
        Some(meant) => format!("no setting is called `{key}`: did you mean {meant}?"),
        None => format!("no setting is called `{key}`, and its value is not taken: it might be a secret"),
    }
}

/// What fields say of settings and keys, and where.
///
/// # Errors
///
/// A sentence about the one that is not as it must be; no value is repeated.
pub(super) fn wish(fields: &[Field]) -> Result<ConfigWish, String> {
    let mut wish = ConfigWish::default();
    let mut all: Vec<(String, SettingWish)> = Vec::new();
    for field in fields {
        let text = field.text().trim();
        let given = || (!text.is_empty()).then(|| text.to_owned());
        match field.name {
            Name::Domain => wish.domain = given(),
            Name::App => wish.app = given(),
            Name::Tenant => wish.tenant = given(),
            Name::Saas => wish.key_parameter = given(),
            Name::NewKey => wish.new_key = given(),
            Name::Generate => wish.generate = given(),
            Name::Keep => wish.keep_key = given(),
            Name::Set => {
                for word in words(text) {
                    let (key, value) = word.split_once('=').ok_or("set: it is written NAME=VALUE")?;
                    if !is_open(key) {
                        return Err(closed(key));
                    }
                    all.push((key.to_owned(), SettingWish::typed(value)));
                }
            }
            Name::Secrets => {
                for word in words(text) {
                    let found = word.split_once('=').filter(|(_, name)| name.starts_with('/'));
                    let (key, name) = found.ok_or(
                        "secrets: it is written NAME=PARAMETER, and a parameter begins with a slash",
                    )?;
                    all.push((key.to_owned(), SettingWish::Secret { parameter: name.to_owned() }));
                }
            }
            Name::Unset => {
                let names = text.split([' ', ',']).filter(|name| !name.is_empty());
                all.extend(names.map(|name| (name.to_owned(), SettingWish::Unset)));
            }
            _ => {}
        }
    }
    for (key, setting) in all {
        if wish.set.insert(key.clone(), setting).is_some() {
            return Err(format!("{key} is named twice"));
        }
    }
    if wish.new_key.is_some() && wish.generate.is_some() {
        return Err("either a new key or one that is made, not both".to_owned());
    }
    Ok(wish)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_taken_however_it_comes() {
        let key = "api_keys";
        assert!(!is_open(key) && is_open("totp_max_attempts"));
        let (kept, why) = withheld("totp_max_attempts=7 api_keys=hunter2").unwrap();
        assert_eq!(kept, "totp_max_attempts=7 api_keys=");
        assert!(why.contains("`secrets`") && !why.contains("hunter2"), "{why}");
        let (kept, why) = withheld("postgresql_pasword=hunter2").unwrap();
        assert!(kept == "postgresql_pasword=" && why.contains("postgresql_password"), "{why}");
        assert_eq!(withheld("totp_max_attempts=7 api_keys="), None);
    }

    #[test]
    fn settings_are_read_as_scripts_write_them() {
        let mut fields = fields("core config set");
        let mut type_in = |name: Name, text: &str| {
            let field = fields.iter_mut().find(|field| field.name == name).unwrap();
            *field = Field::line(name, text.to_owned());
        };
        type_in(Name::Set, "totp_max_attempts=7 log_level=\"A B\"");
        type_in(Name::Secrets, "api_keys=/keys/new");
        type_in(Name::Unset, "ip_allow_regex, ip_deny_regex");
        type_in(Name::Tenant, "t1");
        let wish = wish(&fields).unwrap();
        assert_eq!(wish.tenant.as_deref(), Some("t1"));
        let open = |json: &str| SettingWish::Open { json: json.to_owned() };
        assert_eq!(wish.set["totp_max_attempts"], open("7"));
        assert_eq!(wish.set["log_level"], open("\"A B\""));
        assert_eq!(wish.set["api_keys"], SettingWish::Secret { parameter: "/keys/new".to_owned() });
        assert_eq!(wish.set["ip_deny_regex"], SettingWish::Unset);
        let mut fields = super::fields("core config set");
        fields[0] = Field::line(Name::Set, "totp_max_attempts=7 totp_max_attempts=8".to_owned());
        assert_eq!(super::wish(&fields), Err("totp_max_attempts is named twice".to_owned()));
    }
}
