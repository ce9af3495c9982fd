//! What a host, a database and a connection pool are taken to bear, for the view of capacity.

/// Figures that capacity is computed with. The usual ones are what SuperTokens published of its own service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Monthly users that one host bears: one t3.micro is enough for 100,000.
    pub monthly_users_per_host: u32,
    /// Requests a second that one host bears with ease: 150 on six t3.micro, at a tenth of their processors.
    pub requests_per_host: u32,
    /// MiB of database for a million users.
    pub database_mib_per_million_users: u32,
    /// Connections that one domain's pool opens, in each replica.
    pub connections_per_domain: u32,
    /// Connections that a tier's database takes; none where nobody said.
    pub max_connections: Option<u32>,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            monthly_users_per_host: 100_000,
            requests_per_host: 25,
            database_mib_per_million_users: 1_536,
            connections_per_domain: 10,
            max_connections: None,
        }
    }
}
