//! Who calls, and where: the credential scope of a SigV4 header. Signatures are not verified, any key will do.

use super::fault::Fault;
use super::world::geography::Region;
use axum::http::HeaderMap;

/// What the credential scope of a request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) key: String,
    pub(crate) region: &'static str,
    pub(crate) service: String,
}

/// Reads the `Authorization` header.
pub(crate) fn credential(headers: &HeaderMap) -> Result<Credential, Fault> {
    let header = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header.is_empty() {
        return Err(Fault::new("MissingAuthenticationToken", "Missing Authentication Token").with_status(403));
    }
    let incomplete = |what: &str| {
        Fault::new("IncompleteSignature", format!("Authorization header requires '{what}' parameter."))
            .with_status(403)
    };
    let fields = header.strip_prefix("AWS4-HMAC-SHA256 ").ok_or_else(|| incomplete("AWS4-HMAC-SHA256"))?;
    let field = |name: &str| {
        fields
            .split(',')
            .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
            .filter(|v| !v.is_empty())
    };
    field("Signature").ok_or_else(|| incomplete("Signature"))?;
    field("SignedHeaders").ok_or_else(|| incomplete("SignedHeaders"))?;
    let scope = field("Credential").ok_or_else(|| incomplete("Credential"))?;
    let parts: Vec<&str> = scope.rsplitn(5, '/').collect();
    let [end, service, region, _date, key] = parts.as_slice() else { return Err(incomplete("Credential")) };
    let mismatch = |message: String| Fault::new("SignatureDoesNotMatch", message).with_status(403);
    if *end != "aws4_request" {
        return Err(mismatch("Credential should be scoped with a valid terminator: 'aws4_request'.".into()));
    }
    let Some(known) = Region::named(region) else {
        return Err(mismatch(format!("Credential should be scoped to a valid region, not '{region}'.")));
    };
    Ok(Credential { key: (*key).to_owned(), region: known.name, service: (*service).to_owned() })
}

/// Refuses a region that the account has not opted into, with the service's own code.
pub(crate) fn opted_in(region: &str, service: &str) -> Result<(), Fault> {
    if !Region::named(region).is_some_and(|region| region.is_opt_in) {
        return Ok(());
    }
    Err(match service {
        "ec2" => Fault::new("AuthFailure", "AWS was not able to validate the provided access credentials")
            .with_status(401),
        "ecs" | "ssm" | "logs" | "pricing" => Fault::new(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        _ => Fault::new("InvalidClientTokenId", "The security token included in the request is invalid")
            .with_status(403),
    })
}
