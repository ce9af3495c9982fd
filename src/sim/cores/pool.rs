//! Which database settings lead to: the address that a core compares, and the database that really stands there.

use super::memory::Settings;
use serde_json::Value;

/// A pool of connections, as settings name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pool {
    pub(super) host: String,
    pub(super) port: String,
    pub(super) name: String,
    pub(super) schema: String,
    pub(super) user: String,
    pub(super) size: u32,
    /// What else makes it another pool of the same database.
    rest: Vec<String>,
}

/// Settings that make another pool of the same database, besides its size and its user.
const APART: [&str; 6] = [
    "postgresql_password",
    "postgresql_connection_attributes",
    "postgresql_connection_scheme",
    "postgresql_idle_connection_timeout",
    "postgresql_minimum_idle_connections",
    "migration_mode",
];

/// Connections of a pool, where nobody says otherwise.
const SIZE: u32 = 10;

impl Pool {
    /// The pool of resolved settings. Parts of an address override the settings of the same part.
    pub(super) fn of(settings: &Settings) -> Self {
        let text = |key: &str| match settings.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let mut pool = Self {
            host: text("postgresql_host").unwrap_or_else(|| "localhost".to_owned()),
            port: text("postgresql_port").unwrap_or_else(|| "5432".to_owned()),
            name: text("postgresql_database_name").unwrap_or_else(|| "supertokens".to_owned()),
            schema: text("postgresql_table_schema").unwrap_or_else(|| "public".to_owned()),
            user: text("postgresql_user").unwrap_or_default(),
            size: text("postgresql_connection_pool_size").and_then(|text| text.parse().ok()).unwrap_or(SIZE),
            rest: APART.iter().map(|key| text(key).unwrap_or_default()).collect(),
        };
        if let Some(uri) = text("postgresql_connection_uri") {
            pool.read(&uri);
        }
        pool
    }

    /// `postgresql://user:password@host:port/name?currentSchema=schema`
    fn read(&mut self, uri: &str) {
        let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, name) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        if let Some(user) = login.split(':').next().filter(|user| !user.is_empty()) {
            self.user = user.to_owned();
        }
        self.rest.extend([login.split_once(':').map_or("", |(_, word)| word).to_owned(), query.to_owned()]);
        let (host, port) = address.split_once(':').unwrap_or((address, ""));
        for (part, value) in [(&mut self.host, host), (&mut self.port, port), (&mut self.name, name)] {
            if !value.is_empty() {
                *part = value.to_owned();
            }
        }
        let schema = query.split('&').find_map(|pair| pair.strip_prefix("currentSchema="));
        if let Some(schema) = schema {
            self.schema = schema.to_owned();
        }
    }

    /// What a core compares: texts, whatever they lead to.
    pub(super) fn user_pool(&self) -> String {
        format!("|{}|{}|{}|{}", self.host, self.port, self.name, self.schema)
    }

    /// One pool of connections.
    pub(super) fn id(&self) -> String {
        format!("{}|{}|{}|{}", self.user_pool(), self.size, self.user, self.rest.join("|"))
    }

    /// The host that it ends at: `x.proxy.internal` is another name of `x.db.internal`.
    pub(super) fn server(&self) -> String {
        self.host.replace(".proxy.internal", ".db.internal")
    }

    /// The database that really stands there.
    pub(super) fn database(&self) -> String {
        format!("{}/{}/{}", self.server(), self.name, self.schema)
    }

    /// Whether there is such a host.
    pub(super) fn exists(&self) -> bool {
        self.server().ends_with(".db.internal")
    }

    /// What a core says when it cannot reach it: host, port, database, schema and user, all but the password.
    pub(super) fn trouble(&self) -> String {
        let (host, port, name, schema, user) = (&self.host, &self.port, &self.name, &self.schema, &self.user);
        format!(
            "java.sql.SQLException: com.zaxxer.hikari.pool.HikariPool$PoolInitializationException: Failed to initialize pool: Connection to {host}:{port} refused. Check that the hostname and port are correct and that the postmaster is accepting TCP/IP connections. (jdbc:postgresql://{host}:{port}/{name}?currentSchema={schema}, user={user}, password=****)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_address_overrides_the_parts_and_an_alias_leads_to_the_same_rows() {
        let of = |value: Value| Pool::of(value.as_object().unwrap());
        let parts = of(json!({ "postgresql_host": "a.db.internal", "postgresql_database_name": "x" }));
        assert_eq!(parts.user_pool(), "|a.db.internal|5432|x|public");
        let whole = of(json!({
            "postgresql_host": "a.db.internal",
            "postgresql_connection_uri": "postgresql://u:p@b.proxy.internal:6000/y?currentSchema=s",
            "postgresql_connection_pool_size": 3,
        }));
        assert_eq!(whole.user_pool(), "|b.proxy.internal|6000|y|s");
        assert_eq!(
            (whole.database().as_str(), whole.size, whole.user.as_str()),
            ("b.db.internal/y/s", 3, "u")
        );
        assert!(whole.exists() && !of(json!({})).exists());
    }

    #[test]
    fn a_pool_is_another_by_size_user_and_what_sets_it_apart_and_its_rows_by_where_they_stand() {
        let of = |key: &str, value: Value| {
            let mut settings = json!({ "postgresql_host": "a.db.internal" });
            settings[key] = value;
            Pool::of(settings.as_object().unwrap())
        };
        let plain = of("postgresql_host", json!("a.db.internal"));
        let apart = ["postgresql_user", "postgresql_connection_pool_size"].into_iter().chain(APART);
        for key in apart {
            let other = of(key, json!("7"));
            assert!(other.id() != plain.id() && other.user_pool() == plain.user_pool(), "{key}");
        }
        for key in
            ["postgresql_host", "postgresql_port", "postgresql_database_name", "postgresql_table_schema"]
        {
            let other = of(key, json!("7"));
            assert!(other.id() != plain.id() && other.user_pool() != plain.user_pool(), "{key}");
        }
        assert_eq!(of("access_token_validity", json!(7)).id(), plain.id());
    }
}
