//! The accounts of a file.

use super::{Cell, Reader};
use crate::config::shape;
use crate::config::{Account, Login};
use crate::error::did_you_mean;
use crate::model::{AccountName, ProfileName, Text};
use std::ops::Range;
use toml::de::DeTable;

/// The keys of an account.
pub(super) const KEYS: [&str; 4] = ["name", "profile", "role", "regions"];
/// The keys of a role.
pub(super) const ROLE_KEYS: [&str; 5] = ["arn", "from", "external_id", "mfa_serial", "session_name"];

impl Reader<'_> {
    pub(super) fn accounts(&mut self, cell: &Cell<'_>) -> Option<Vec<Account>> {
        let tables = self.tables(cell, "accounts");
        let mut accounts: Vec<Account> = Vec::new();
        let mut chain: Option<usize> = None;
        for (at, (span, table)) in tables.into_iter().enumerate() {
            let heading = self.heading(&span);
            self.keys(table, &KEYS, "[[accounts]]");
            let login = self.login(heading.clone(), table);
            let name = self.name(heading.clone(), table, "accounts", "an account");
            let name = name.unwrap_or_else(|| format!("account-{}", at + 1));
            if accounts.iter().any(|account| account.name.as_str() == name) {
                let span = table.get("name").map_or(heading.clone(), |cell| cell.span());
                self.fault(span, (format!("two accounts are named `{name}`"), None));
            }
            if login == Some(Login::Chain) {
                let line = self.doc.line_of(heading.start);
                if let Some(first) = chain {
                    let message = format!("a second account without `profile` or `role`, after line {first}");
                    let hint = "both would be the same account: give this one a `profile` or a `role`";
                    self.missing(heading.clone(), message, hint.to_owned());
                }
                chain = chain.or(Some(line));
            }
            let regions = table.get("regions").and_then(|cell| self.regions(cell));
            let key = format!("accounts.{name}");
            for (key, cell) in KEYS.iter().filter_map(|key| Some((key, table.get(*key)?))) {
                self.note(format!("accounts.{name}.{key}"), cell);
            }
            self.origins.note(key, self.at_line(heading.start));
            accounts.push(Account {
                name: AccountName::from(name),
                login: login.unwrap_or(Login::Chain),
                regions,
            });
        }
        (!accounts.is_empty()).then_some(accounts)
    }

    fn login(&mut self, heading: Range<usize>, table: &DeTable<'_>) -> Option<Login> {
        match (table.get("profile"), table.get("role")) {
            (None, None) => Some(Login::Chain),
            (Some(profile), None) => {
                let profile = self.profile(profile, "profile");
                Some(profile.map_or(Login::Profile(ProfileName::default()), Login::Profile))
            }
            (None, Some(role)) => self.role(role),
            (Some(_), Some(role)) => {
                let hint = "to assume the role from that profile, write `role = { arn = …, from = … }`";
                let message = "an account has either a `profile` or a `role`, not both".to_owned();
                let span = if role.span().start < heading.end { heading } else { role.span() };
                self.fault(span, (message, Some(hint.to_owned())));
                None
            }
        }
    }

    fn role(&mut self, cell: &Cell<'_>) -> Option<Login> {
        let Some(table) = cell.get_ref().as_table() else {
            self.wrong_type(cell, "role", "a table such as { arn = \"arn:aws:iam::…:role/…\" }");
            return None;
        };
        self.keys(table, &ROLE_KEYS, "`role`");
        let arn = match table.get("arn") {
            Some(cell) => self.checked(cell, "arn", shape::role_arn).map(Text::new),
            None => {
                let hint = "add `arn = \"arn:aws:iam::123456789012:role/…\"`".to_owned();
                self.missing(cell.span(), "a role without `arn`".to_owned(), hint);
                None
            }
        };
        let from = table.get("from").and_then(|cell| self.profile(cell, "from"));
        let mut optional = |key: &str, check: fn(&str) -> Option<shape::Wrong>| {
            table.get(key).and_then(|cell| self.checked(cell, key, check)).map(Text::new)
        };
        let external_id = optional("external_id", shape::external_id);
        let mfa_serial = optional("mfa_serial", shape::mfa_serial);
        let session_name = optional("session_name", shape::session_name);
        Some(Login::Role { from, arn: arn.unwrap_or_default(), external_id, mfa_serial, session_name })
    }

    /// A profile that AWS's own files hold.
    fn profile(&mut self, cell: &Cell<'_>, key: &str) -> Option<ProfileName> {
        let raw = self.text(cell, key)?;
        if self.profiles.iter().any(|profile| profile == raw) {
            return Some(ProfileName::new(raw));
        }
        self.fault(cell.span(), unknown_profile(raw, self.profiles));
        None
    }

    /// The name of an account or a tier, which must be there.
    pub(super) fn name(
        &mut self,
        heading: Range<usize>,
        table: &DeTable<'_>,
        list: &str,
        what: &str,
    ) -> Option<String> {
        match table.get("name") {
            Some(cell) => {
                let check = |raw: &str| shape::name(raw, what);
                self.checked(cell, "name", check).map(str::to_owned)
            }
            None => {
                let hint = "add `name = \"…\"`".to_owned();
                self.missing(heading, format!("one of [[{list}]] has no `name`"), hint);
                None
            }
        }
    }
}

/// What to say of a profile that AWS's own files do not hold.
pub(in crate::config) fn unknown_profile(raw: &str, profiles: &[String]) -> shape::Wrong {
    let hint = match did_you_mean(raw, profiles.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if profiles.is_empty() => "there are no profiles yet: `aws configure sso` makes one".to_owned(),
        None if profiles.len() <= 12 => format!("there are {}", profiles.join(", ")),
        None => format!("there are {} others: `aws configure list-profiles`", profiles.len()),
    };
    (format!("there is no AWS profile `{raw}`"), Some(hint))
}
