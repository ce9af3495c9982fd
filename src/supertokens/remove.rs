//! The one removal that there is: of a domain whose database was just seen to hold nobody.
//!
//! A core that removes a domain deletes the rows of its app in the domain's own database, and with them every user,
//! session and key of a customer that stands there. So nothing can be removed that was not proved to be empty, the
//! proof cannot be made outside of this file, and it is made once more before the call is sent.

use super::{Client, READ_WITHIN, answers, path};
use crate::gateway::{AdminError, Answer, CoreAdmin as _, Door};
use crate::model::Text;
use crate::model::admin::Place;
use reqwest::Method;
use serde_json::json;

/// That a domain of a core had no users, no sessions and no app but its public one. There is no other way to
/// one than [`Client::prove_empty`], and it is used up by the removal.
#[derive(Debug)]
pub struct Empty {
    address: String,
    domain: Text,
}

impl Client {
    /// Looks whether a domain of a core holds nobody. It must be known to the core, must not be the base or share
    /// its database, and each of its tenants must be without users and sessions by the core's own count.
    ///
    /// # Errors
    /// `NotEmpty` with what stands against it, and whatever keeps the core from telling.
    pub async fn prove_empty(&self, door: &Door, domain: &str) -> Answer<Empty> {
        let refuse = |why: &str| Err(AdminError::NotEmpty { domain: domain.into(), why: why.to_owned() });
        if domain.is_empty() {
            return refuse("it is the core's own");
        }
        // The list makes this replica look into its base database: what follows is asked of the domain itself.
        let domains = self.domains(door).await?;
        let Some(found) = domains.iter().find(|known| known.domain == domain) else {
            return refuse("the core does not know it, and would answer for its own");
        };
        let [app] = found.apps.as_slice() else { return refuse("it has apps besides the public one") };
        let place = Place::of(domain);
        let base = self.keys(door, &Place::of("")).await?;
        if self.keys(door, &place).await?.intersection(&base).next().is_some() {
            return refuse("it signs with the keys of the core's own domain: it is the same database");
        }
        if self.users(door, &place, true).await? > 0 {
            return refuse("it has users");
        }
        let licence = self.licence(door, &place).await?;
        for tenant in &app.tenants {
            let mut uses = licence.tenants.iter();
            match uses.find(|told| told.place.domain == domain && told.place.tenant == tenant.id) {
                Some(told) if told.is_used || told.users > 0 => return refuse("it has users or sessions"),
                Some(_) => {}
                None => return refuse("the core does not tell whether it has sessions"),
            }
        }
        Ok(Empty { address: door.address.clone(), domain: domain.into() })
    }

    /// Removes a domain that was proved to be empty, after proving it once more.
    ///
    /// # Errors
    /// `NotEmpty` when it no longer is, or was proved at another core.
    pub async fn remove_empty(&self, door: &Door, proof: Empty) -> Answer<()> {
        let Empty { address, domain } = proof;
        if address != door.address {
            let why = "it was proved at another core".to_owned();
            return Err(AdminError::NotEmpty { domain, why });
        }
        let Empty { domain, .. } = self.prove_empty(door, &domain).await?;
        let base = Place::of("");
        let path = path::of(&base, "/recipe/multitenancy/connectionuridomain/remove");
        let body = json!({ "connectionUriDomain": domain.as_str() });
        let body = self.send(door, &base, Method::POST, &path, Some(body), READ_WITHIN).await?;
        answers::ok(&body, &base).map(|_| ())
    }
}
