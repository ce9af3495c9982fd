//! The fields of what is done to cores.

use super::setting::words;
use super::{Field, Name};
use crate::model::setting::may_hold_a_secret;
use crate::ops::intent::{CoreWish, NEW_HOST, Traffic};

/// The fields of new cores.
pub(super) fn fields() -> Vec<Field> {
    let names = [
        Name::Ids,
        Name::Tier,
        Name::Like,
        Name::Made,
        Name::Host,
        Name::Template,
        Name::Subnet,
        Name::Memory,
        Name::ApiKey,
        Name::Database,
        Name::Doors,
    ];
    of(&names)
}

/// The fields of cores that move.
pub(super) fn moved() -> Vec<Field> {
    of(&[Name::Host, Name::Template, Name::Subnet, Name::ApiKey, Name::Database])
}

fn of(names: &[Name]) -> Vec<Field> {
    let carried = [Name::Variables, Name::Hidden, Name::Without];
    let empty = names.iter().chain(&carried).map(|name| Field::line(*name, String::new()));
    empty.chain([Field::choice(Name::Risk, super::RISK)]).collect()
}

/// The line without what might be a secret, and why that is not taken; none where nothing in it might be one. What is
/// typed on is not taken either, because the name with its sign stays.
pub(super) fn withheld(text: &str) -> Option<(String, String)> {
    let (at, name) = words(text).into_iter().find_map(|word| {
        let (name, value) = word.split_once('=')?;
        let is_closed = may_hold_a_secret(name) && !value.is_empty();
        is_closed.then(|| (word.as_ptr() as usize - text.as_ptr() as usize, name))
    })?;
    let kept = text.get(..=at + name.len()).unwrap_or_default().to_owned();
    let why =
        format!("{name} is or may hold a secret: name the SecureString that it lies in under `by name`");
    Some((kept, why))
}

/// What fields say of cores.
///
/// # Errors
///
/// A sentence about the one that is not as it must be; no value is repeated.
pub(super) fn wish(fields: &[Field]) -> Result<CoreWish, String> {
    let mut wish = CoreWish::default();
    for field in fields {
        let text = field.text().trim();
        let given = || (!text.is_empty()).then(|| text.to_owned());
        match field.name {
            Name::To => wish.image = given(),
            Name::Host => wish.host = given(),
            Name::Memory => {
                let number = || text.parse::<u32>().ok().filter(|mib| (128..=262_144).contains(mib));
                if !text.is_empty() {
                    wish.memory_mib = Some(number().ok_or("MiB each: a whole number from 128 on")?);
                }
            }
            Name::Variables => {
                for word in words(text) {
                    let (name, value) = word.split_once('=').ok_or("settings: it is written NAME=VALUE")?;
                    if may_hold_a_secret(name) {
                        return Err(format!(
                            "{name} may hold a secret: name its SecureString under `by name`"
                        ));
                    }
                    if wish.carry.settings.insert(name.to_owned(), value.to_owned()).is_some() {
                        return Err(format!("{name} is named twice"));
                    }
                }
            }
            Name::Hidden => {
                for word in words(text) {
                    let found = word.split_once('=').filter(|(_, at)| at.starts_with('/'));
                    let (name, at) = found.ok_or(
                        "by name: it is written NAME=PARAMETER, and a parameter begins with a slash",
                    )?;
                    if wish.carry.secrets.insert(name.to_owned(), at.to_owned()).is_some() {
                        return Err(format!("{name} is named twice"));
                    }
                }
            }
            Name::Without => {
                let names = text.split([' ', ',']).filter(|name| !name.is_empty());
                wish.carry.without = names.map(str::to_owned).collect();
            }
            Name::Downgrade => wish.allow_downgrade = text == "take",
            Name::Database => wish.database = given(),
            Name::Tier => wish.tier = given(),
            Name::Like => wish.like = given(),
            Name::Made => wish.image = given(),
            Name::Template => wish.template = given(),
            Name::Subnet => wish.subnet = given(),
            Name::ApiKey => wish.api_key = given(),
            Name::Doors => {
                let names = text.split([' ', ',']).filter(|name| !name.is_empty());
                wish.target_groups = names.map(str::to_owned).collect();
            }
            Name::Traffic => {
                wish.traffic = match text {
                    "drain" => Traffic::Drain,
                    "keep" => Traffic::Keep,
                    _ => Traffic::WhereServed,
                }
            }
            _ => {}
        }
    }
    if let Some(host) = wish.host.as_deref().filter(|host| *host != NEW_HOST)
        && (wish.template.is_some() || wish.subnet.is_some())
    {
        return Err(format!(
            "a template and a subnet are for a new host, and {host} is named: empty one of them"
        ));
    }
    Ok(wish)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(fields: &mut [Field], name: Name, text: &str) {
        let field = fields.iter_mut().find(|field| field.name == name).unwrap();
        *field = Field::line(name, text.to_owned());
    }

    #[test]
    fn what_a_script_may_say_of_a_new_container_a_dialog_may_too() {
        for mut fields in [fields(), moved()] {
            typed(&mut fields, Name::Variables, "BASE_PATH=/auth MAX_SERVER_POOL_SIZE=20");
            typed(&mut fields, Name::Hidden, "SUPERTOKENS_SAAS_SECRET=/coredeck/main/secrets/saas");
            typed(&mut fields, Name::Without, "mounts, TZ");
            let carry = wish(&fields).unwrap().carry;
            assert_eq!((carry.settings["BASE_PATH"].as_str(), carry.settings.len()), ("/auth", 2));
            assert_eq!(carry.secrets["SUPERTOKENS_SAAS_SECRET"], "/coredeck/main/secrets/saas");
            assert!(carry.without.contains("mounts") && carry.without.contains("TZ"));
            typed(&mut fields, Name::Hidden, "SUPERTOKENS_SAAS_SECRET=hunter2");
            let why = wish(&fields).unwrap_err();
            assert!(why.contains("NAME=PARAMETER") && !why.contains("hunter2"), "{why}");
            typed(&mut fields, Name::Hidden, "");
            typed(&mut fields, Name::Host, "i-1");
            typed(&mut fields, Name::Template, "web");
            assert!(wish(&fields).unwrap_err().contains("for a new host"));
        }
    }

    #[test]
    fn a_secret_is_not_taken_as_a_setting() {
        for name in
            ["POSTGRESQL_PASSWORD", "API_KEYS", "SMTP_PASSWORD", "DATABASE_URL", "SUPERTOKENS_SAAS_SECRET"]
        {
            let (kept, why) = withheld(&format!("BASE_PATH=/a {name}=hunter2")).unwrap();
            assert!(kept == format!("BASE_PATH=/a {name}=") && !why.contains("hunter2"), "{kept} {why}");
        }
        let open = "BASE_PATH=/a ACCESS_TOKEN_VALIDITY=3600 POSTGRESQL_TABLE_SCHEMA=x PASSWORD_RESET_TOKEN_LIFETIME=1 TZ=UTC";
        assert_eq!(withheld(open), None);
    }
}
