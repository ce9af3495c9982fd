//! Where a request goes: Host names the domain, the path the app and the tenant.

use super::answers::Asked;
use super::memory::{Process, Triple};

/// Where a request goes, and the path that is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) triple: Triple,
    pub(super) path: String,
}

/// First parts of a path that are no tenant.
const CALLS: [&str; 13] = [
    "recipe",
    "users",
    "hello",
    "requests",
    "apiversion",
    "telemetry",
    "config",
    "ee",
    ".well-known",
    "migration",
    "bulk-import",
    "user",
    "",
];

impl Place {
    /// The place of a request. A host that nobody knows is no error: it is the base.
    pub(super) fn of(process: &Process, asked: &Asked) -> Self {
        let host = asked.host.rsplit_once(':').map_or(asked.host.as_str(), |(host, _)| host).to_lowercase();
        let is_known = process.known.keys().any(|(domain, ..)| *domain == host);
        let domain = if is_known { host } else { String::new() };
        let mut rest = asked.path.trim_matches('/');
        let mut app = "public";
        if let Some(after) = rest.strip_prefix("appid-") {
            (app, rest) = after.split_once('/').unwrap_or((after, ""));
        }
        let first = rest.split('/').next().unwrap_or_default();
        let mut tenant = "public";
        if !CALLS.contains(&first) {
            (tenant, rest) = rest.split_once('/').unwrap_or((rest, ""));
        }
        Self { triple: (domain, app.to_lowercase(), tenant.to_lowercase()), path: format!("/{rest}") }
    }

    pub(super) fn domain(&self) -> &str {
        &self.triple.0
    }

    pub(super) fn app(&self) -> &str {
        &self.triple.1
    }

    pub(super) fn tenant(&self) -> &str {
        &self.triple.2
    }

    /// One app's name in what a process counts.
    pub(super) fn app_key(&self) -> String {
        format!("{}/{}", self.domain(), self.app())
    }

    pub(super) fn is_public_tenant(&self) -> bool {
        self.tenant() == "public"
    }

    pub(super) fn is_base(&self) -> bool {
        self.domain().is_empty() && self.app() == "public" && self.is_public_tenant()
    }
}
