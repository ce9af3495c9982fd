//! Where a request goes: Host names the domain, the path the app, the tenant and the call.

use super::answers::Asked;
use super::memory::{Process, Triple};

/// Where a request goes, and the call that is left of its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) triple: Triple,
    /// `/` where nothing is left; as it came where no call is called so.
    pub(super) path: String,
    /// A core has such a call.
    pub(super) is_call: bool,
    /// Not below the path that the core was started with.
    pub(super) is_outside: bool,
}

/// Every call that a pretended core has, and the oldest core that has it.
const CALLS: [(&str, u32); 33] = [
    ("/hello", 0),
    ("/apiversion", 0),
    ("/requests/stats", 0),
    ("/telemetry", 0),
    ("/config", 0),
    ("/.well-known/jwks.json", 0),
    ("/recipe/jwt/jwks", 0),
    ("/users/count", 0),
    ("/users/count/active", 0),
    ("/ee/featureflag", 0),
    ("/ee/license", 0),
    ("/bulk-import/users", 0),
    ("/bulk-import/users/count", 0),
    ("/migration/mode", 12),
    ("/migration/backfill/progress", 12),
    ("/recipe/dashboard/tenant/core-config", 0),
    ("/recipe/multitenancy/connectionuridomain", 0),
    ("/recipe/multitenancy/connectionuridomain/v2", 0),
    ("/recipe/multitenancy/connectionuridomain/list", 0),
    ("/recipe/multitenancy/connectionuridomain/list/v2", 0),
    ("/recipe/multitenancy/connectionuridomain/remove", 0),
    ("/recipe/multitenancy/app", 0),
    ("/recipe/multitenancy/app/v2", 0),
    ("/recipe/multitenancy/app/list", 0),
    ("/recipe/multitenancy/app/list/v2", 0),
    ("/recipe/multitenancy/app/remove", 0),
    ("/recipe/multitenancy/tenant", 0),
    ("/recipe/multitenancy/tenant/v2", 0),
    ("/recipe/multitenancy/tenant/list", 0),
    ("/recipe/multitenancy/tenant/list/v2", 0),
    ("/recipe/multitenancy/tenant/remove", 0),
    ("/recipe/multitenancy/config/thirdparty", 0),
    ("/recipe/multitenancy/config/thirdparty/remove", 0),
];
/// And those about one user.
const OF_A_USER: [&str; 2] = ["/recipe/multitenancy/tenant/user", "/recipe/multitenancy/tenant/user/remove"];

/// Words that are no tenant: paths begin with them.
pub(super) const TAKEN: [&str; 4] = ["recipe", "config", "users", "hello"];

/// Whether it may be the name of an app or a tenant.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl Place {
    /// The place of a request to a core of this version. A host that nobody knows is no error: it is the base.
    pub(super) fn of(process: &Process, asked: &Asked, major: u32) -> Self {
        let host = asked.host.rsplit_once(':').map_or(asked.host.as_str(), |(host, _)| host).to_lowercase();
        let is_known = process.known.keys().any(|(domain, ..)| *domain == host);
        let domain = if is_known { host } else { String::new() };
        let path = asked.path.to_lowercase();
        let mut rest = path.trim_matches('/');
        // With a path of its own it answers below that, and nowhere else.
        let base = process.told("base_path").unwrap_or_default().trim_matches('/').to_lowercase();
        let mut is_outside = false;
        if !base.is_empty() {
            let below = rest.strip_prefix(&base).filter(|below| below.is_empty() || below.starts_with('/'));
            is_outside = below.is_none();
            rest = below.unwrap_or(rest).trim_start_matches('/');
        }
        let mut app = "public";
        if let Some(after) = rest.strip_prefix("appid-") {
            (app, rest) = after.split_once('/').unwrap_or((after, ""));
        }
        let has = |call: &str| {
            let known =
                CALLS.iter().any(|(known, since)| known.trim_start_matches('/') == call && major >= *since);
            known || OF_A_USER.iter().any(|known| known.trim_start_matches('/') == call)
        };
        let mut tenant = "public";
        let mut is_call = has(rest);
        if !is_call {
            let (first, after) = rest.split_once('/').unwrap_or((rest, ""));
            // What is left may be nothing: then it is a hello.
            if is_name(first) && (after.is_empty() || has(after)) && !TAKEN.contains(&first) {
                is_call = !after.is_empty();
                (tenant, rest) = (first, after);
            }
        }
        Self {
            triple: (domain, app.to_owned(), tenant.to_owned()),
            path: format!("/{rest}"),
            is_call,
            is_outside,
        }
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

    /// The public tenant of its app.
    pub(super) fn of_app(&self) -> Triple {
        (self.triple.0.clone(), self.triple.1.clone(), "public".to_owned())
    }

    pub(super) fn is_public_tenant(&self) -> bool {
        self.tenant() == "public"
    }

    pub(super) fn is_base(&self) -> bool {
        self.domain().is_empty() && self.app() == "public" && self.is_public_tenant()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_and_tenant_stand_before_a_call_and_both_may_be_left_out() {
        let of = |path: &str| {
            let asked = Asked { path: path.to_owned(), ..Asked::default() };
            let place = Place::of(&Process::default(), &asked, 11);
            (place.app().to_owned(), place.tenant().to_owned(), place.path.clone(), place.is_call)
        };
        let says = |app: &str, tenant: &str, path: &str, is_call| {
            (app.to_owned(), tenant.to_owned(), path.to_owned(), is_call)
        };
        assert_eq!(of("/users/count"), says("public", "public", "/users/count", true));
        assert_eq!(of("/T1/users/count/"), says("public", "t1", "/users/count", true));
        assert_eq!(of("/appid-A1/users/count"), says("a1", "public", "/users/count", true));
        assert_eq!(of("/appid-a1/t1/hello"), says("a1", "t1", "/hello", true));
        assert_eq!(of("/"), says("public", "public", "/", false));
        assert_eq!(of("/appid-a1/"), says("a1", "public", "/", false));
        assert_eq!(of("/metrics"), says("public", "metrics", "/", false));
        assert_eq!(of("/no/such"), says("public", "public", "/no/such", false));
        assert_eq!(of("/migration/mode"), says("public", "public", "/migration/mode", false));
    }
}
