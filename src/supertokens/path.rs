//! Where a question goes: the app and the tenant stand in the path, the domain in the Host header.

use crate::model::Text;
use crate::model::admin::Place;
use serde_json::{Map, Value};

const PUBLIC: &str = "public";

/// The path of a question about a place.
pub(super) fn of(place: &Place, path: &str) -> String {
    let app = if place.app == PUBLIC { String::new() } else { format!("/appid-{}", place.app) };
    let tenant = if place.tenant == PUBLIC { String::new() } else { format!("/{}", place.tenant) };
    format!("{app}{tenant}{path}")
}

/// The public tenant of a place's app, where questions about the app are asked.
pub(super) fn public(place: &Place) -> Place {
    Place { tenant: Text::new(PUBLIC), ..place.clone() }
}

/// Whom a put of a place is sent to, and by which path; its name goes into the body. A domain's own public
/// tenant is the domain itself, an app's the app.
pub(super) fn put(place: &Place, body: &mut Map<String, Value>) -> (Place, &'static str) {
    let name = |text: &Text| Value::String(text.to_string());
    if place.tenant != PUBLIC {
        body.insert("tenantId".into(), name(&place.tenant));
        return (public(place), "/recipe/multitenancy/tenant/v2");
    }
    if place.app != PUBLIC {
        body.insert("appId".into(), name(&place.app));
        return (Place::of(&place.domain), "/recipe/multitenancy/app/v2");
    }
    // The core's own has no name, and an empty one is no domain.
    let domain = if place.domain.is_empty() { Value::Null } else { name(&place.domain) };
    body.insert("connectionUriDomain".into(), domain);
    (Place::of(""), "/recipe/multitenancy/connectionuridomain/v2")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(app: &str, tenant: &str) -> Place {
        Place { domain: "c1.example.com".into(), app: app.into(), tenant: tenant.into() }
    }

    #[test]
    fn public_is_left_out_of_the_path() {
        assert_eq!(of(&place("public", "public"), "/hello"), "/hello");
        assert_eq!(of(&place("a1", "public"), "/hello"), "/appid-a1/hello");
        assert_eq!(of(&place("public", "t1"), "/hello"), "/t1/hello");
        assert_eq!(of(&place("a1", "t1"), "/hello"), "/appid-a1/t1/hello");
    }

    #[test]
    fn a_put_goes_to_what_stands_above_it() {
        let sent = |place: &Place| {
            let mut body = Map::new();
            let (whom, path) = put(place, &mut body);
            (whom.domain.to_string(), of(&whom, path), Value::Object(body).to_string())
        };
        let says =
            |domain: &str, path: &str, body: &str| (domain.to_owned(), path.to_owned(), body.to_owned());
        assert_eq!(
            sent(&place("a1", "t1")),
            says("c1.example.com", "/appid-a1/recipe/multitenancy/tenant/v2", r#"{"tenantId":"t1"}"#)
        );
        assert_eq!(
            sent(&place("a1", "public")),
            says("c1.example.com", "/recipe/multitenancy/app/v2", r#"{"appId":"a1"}"#)
        );
        assert_eq!(
            sent(&place("public", "public")),
            says(
                "",
                "/recipe/multitenancy/connectionuridomain/v2",
                r#"{"connectionUriDomain":"c1.example.com"}"#
            )
        );
    }
}
