//! What operations see and change in cores: stands before the cloud's own probe and writer, and hands on to them
//! everything that no core is asked for.
//!
//! Secrets are read by name when they are needed, sent, and dropped.

use super::Client;
use super::visit::{base_of, first_key, own_settings};
use crate::clock::Clock;
use crate::gateway::change::{Answered, FleetWriter, Proof, Receipt, Token, WriteError};
use crate::gateway::core::{CoreDoor, CoreLook, CorePut, CoreSeen, SealedFrom, Sealing, SecretRef, Worth};
use crate::gateway::{
    AdminError, Answer, Change, CoreAdmin as _, Door, FleetProbe, HostAt, Look, Seals, Secrets, Seen,
};
use crate::model::admin::{Domain, Effective, Place};
use crate::model::{Scope, Sealed, Setting, Text, Trouble, TroubleKind};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read as _;
use std::sync::Arc;

/// Sees a cloud and its cores.
pub struct Probing {
    cloud: Arc<dyn FleetProbe>,
    secrets: Arc<dyn Secrets>,
    client: Arc<Client>,
    clock: Clock,
}

/// Changes a cloud and its cores.
pub struct Writing {
    cloud: Arc<dyn FleetWriter>,
    seals: Arc<dyn Seals>,
    probing: Arc<Probing>,
}

type Read = BTreeMap<Text, Sealed>;

impl Probing {
    /// Sees this cloud, and cores by this client with keys from there.
    pub fn new(
        cloud: Arc<dyn FleetProbe>,
        secrets: Arc<dyn Secrets>,
        client: impl Into<Arc<Client>>,
        clock: Clock,
    ) -> Self {
        Self { cloud, secrets, client: client.into(), clock }
    }

    fn trouble(&self, kind: TroubleKind, message: String, hint: Option<&str>) -> Trouble {
        Trouble {
            kind,
            call: Text::new("core:Put"),
            code: None,
            message,
            hint: hint.map(str::to_owned),
            request_id: None,
            at: self.clock.now(),
        }
    }

    /// The way into a core, and whatever else lies in SecureStrings and is wanted along.
    async fn door(
        &self,
        scope: &Scope,
        at: &CoreDoor,
        more: impl IntoIterator<Item = Text>,
    ) -> Result<(Door, Read), Trouble> {
        let names: BTreeSet<Text> = at.key.iter().cloned().chain(more).collect();
        let read = match names.is_empty() {
            true => Read::new(),
            false => {
                let names = names.into_iter().collect();
                self.secrets.secrets(scope, names).await.map_err(|error| error.trouble)?
            }
        };
        let key = at.key.as_ref().and_then(|name| read.get(name)).cloned();
        self.client.ready().await?;
        let host = at.instance.clone().map(|instance| HostAt { scope: scope.clone(), instance });
        Ok((Door { address: at.address.to_string(), host, key }, read))
    }

    /// What a core answers; where the key that is known does not open the place, what it answers to a key that the
    /// place has of its own.
    async fn asked<T, F: Future<Output = Answer<T>>>(
        &self,
        door: Door,
        place: &Place,
        ask: impl Fn(Door) -> F,
    ) -> Answer<T> {
        match ask(door.clone()).await {
            Err(AdminError::WrongKey) => ask(self.inside(&door, place).await?).await,
            other => other,
        }
    }

    /// The door with a key that a place, or what stands above it, has of its own: for whoever holds an ordinary key of
    /// the core, and not the secret of a shared one, which opens everything.
    async fn inside(&self, door: &Door, place: &Place) -> Answer<Door> {
        let domains = self.client.domains(door).await?;
        let key = own_key(&domains, place).ok_or(AdminError::WrongKey)?;
        Ok(Door { key: Some(key), ..door.clone() })
    }

    async fn settings(&self, door: Door, place: &Place) -> Answer<Vec<Effective>> {
        self.asked(door, place, |door| async move { self.client.settings(&door, place).await }).await
    }

    async fn see(&self, scope: &Scope, look: &CoreLook) -> Result<CoreSeen, Trouble> {
        let wanted: Vec<&SecretRef> = match look {
            CoreLook::Domains { secrets, .. } => secrets.iter().collect(),
            CoreLook::Serves { with, .. } => with.iter().collect(),
            _ => Vec::new(),
        };
        let (mut door, read) = self.door(scope, look.at(), wanted.iter().map(|one| one.name())).await?;
        let client = &self.client;
        Ok(match look {
            CoreLook::Domains { secrets, .. } => CoreSeen::Domains {
                domains: client.domains(&door).await,
                secrets: secrets
                    .iter()
                    .filter_map(|one| Some((one.clone(), read.get(&one.name())?.clone())))
                    .collect(),
                key: door.key,
            },
            CoreLook::Keys { .. } => CoreSeen::Keys(client.keys(&door, &Place::of("")).await),
            CoreLook::Nature { .. } => CoreSeen::Nature {
                is_in_memory: base_of(client, &door).await.1,
                features: client.licence(&door, &Place::of("")).await.map(|licence| licence.features),
            },
            CoreLook::Settings { place, .. } => CoreSeen::Settings(self.settings(door, place).await),
            CoreLook::Traffic { place, .. } => CoreSeen::Traffic(
                self.asked(door, place, |door| async move { client.traffic(&door, place).await }).await,
            ),
            CoreLook::Serves { place, with, .. } => {
                let served = match with {
                    Some(one) => {
                        // A SecureString may hold several keys: the first is shown.
                        door.key = read.get(&one.name()).and_then(|keys| first_of(keys.open()));
                        client.users(&door, place, false).await
                    }
                    None => {
                        self.asked(door, place, |door| async move { client.users(&door, place, false).await })
                            .await
                    }
                };
                CoreSeen::Serves(served.map(|_| ()))
            }
        })
    }

    /// What holds for a setting of a place.
    async fn held(
        &self,
        scope: &Scope,
        at: &CoreDoor,
        place: &Place,
        key: &str,
    ) -> Result<Option<String>, WriteError> {
        let (door, _) = self.door(scope, at, []).await.map_err(WriteError::NotSent)?;
        let all = self.settings(door, place).await.map_err(|error| self.not_sent(&error))?;
        let found = all.into_iter().find(|one| one.key == key);
        Ok(found.and_then(|one| match one.value {
            Setting::Shown(value) => value.as_str().map(str::to_owned),
            Setting::Hidden(sealed) => serde_json::from_str::<String>(sealed.open()).ok(),
        }))
    }

    fn not_sent(&self, error: &AdminError) -> WriteError {
        WriteError::NotSent(self.trouble(kind(error), error.to_string(), error.hint()))
    }

    async fn put(&self, scope: &Scope, put: &CorePut) -> Result<Receipt, WriteError> {
        let sealed = put.settings.values().filter_map(|worth| match worth {
            Worth::Sealed { of } => Some(of),
            Worth::Inherited | Worth::Open { .. } => None,
        });
        let names: Vec<Text> = sealed.flatten().map(SecretRef::name).collect();
        let (door, read) = self.door(scope, &put.at, names).await.map_err(WriteError::NotSent)?;
        let mut settings = BTreeMap::new();
        for (key, worth) in &put.settings {
            let value = match worth {
                Worth::Inherited => None,
                Worth::Open { json } => Some(Setting::Shown(serde_json::from_str(json).unwrap_or_default())),
                Worth::Sealed { of } => {
                    let texts: Option<Vec<&str>> =
                        of.iter().map(|one| read.get(&one.name()).map(Sealed::open)).collect();
                    let Some(texts) = texts else {
                        let said = format!("{key}: {} is no SecureString that can be read", named(of));
                        return Err(WriteError::NotSent(self.trouble(TroubleKind::NotFound, said, None)));
                    };
                    Some(Setting::secret(texts.join(",")))
                }
            };
            settings.insert(key.clone(), value);
        }
        let mut done = self.client.put_settings(&door, &put.place, &settings).await;
        let is_domain = put.place.app == "public" && put.place.tenant == "public";
        // A domain is put by whoever opens the base; what is below a domain by whoever opens that.
        if done == Err(AdminError::WrongKey) && !is_domain {
            // Not by `asked`: where the key is not found nothing was sent, and that is known.
            let door = self.inside(&door, &put.place).await.map_err(|error| self.not_sent(&error))?;
            done = self.client.put_settings(&door, &put.place, &settings).await;
        }
        done.map_err(|error| self.failed(&error))?;
        Ok(Receipt {
            request_id: None,
            at: self.clock.now(),
            command: command(put),
            answered: Answered::Yes,
            missed: Vec::new(),
        })
    }

    /// What a put that failed means. After a failure of the core's side it may have been kept all the same.
    fn failed(&self, error: &AdminError) -> WriteError {
        let trouble = self.trouble(kind(error), error.to_string(), error.hint());
        match error {
            AdminError::Unreachable { .. } | AdminError::NoWay { .. } => WriteError::NotSent(trouble),
            AdminError::Broken { .. }
            | AdminError::TimedOut { .. }
            | AdminError::Garbled { .. }
            | AdminError::DatabaseDown
            | AdminError::DatabaseFull
            | AdminError::Failed { .. } => WriteError::Unknown(trouble),
            _ => WriteError::Refused(trouble),
        }
    }
}

fn kind(error: &AdminError) -> TroubleKind {
    match error {
        AdminError::Unreachable { .. } | AdminError::NoWay { .. } | AdminError::Broken { .. } => {
            TroubleKind::Unreachable
        }
        AdminError::TimedOut { .. } => TroubleKind::Timeout,
        AdminError::Garbled { .. } => TroubleKind::Garbled,
        AdminError::Throttled => TroubleKind::Throttled,
        AdminError::DatabaseDown | AdminError::DatabaseFull | AdminError::Failed { .. } => {
            TroubleKind::Server
        }
        AdminError::UnknownTenant { .. } => TroubleKind::NotFound,
        _ => TroubleKind::Refused,
    }
}

/// The first of the keys that a domain, or an app of it, has of its own.
fn own_key(domains: &[Domain], place: &Place) -> Option<Sealed> {
    let domain = domains.iter().find(|known| known.domain == place.domain)?;
    let app = domain.apps.iter().find(|app| app.id == place.app);
    let public = app.and_then(|app| app.tenants.iter().find(|tenant| tenant.id == "public"));
    let of_app = public.and_then(|tenant| first_key(tenant.settings.get("api_keys")?));
    of_app.or_else(|| first_key(own_settings(domain)?.get("api_keys")?))
}

/// The first of several keys.
fn first_of(keys: &str) -> Option<Sealed> {
    let first = keys.split(',').next()?.trim();
    (!first.is_empty()).then(|| Sealed::new(first))
}

fn named(of: &[SecretRef]) -> String {
    of.iter().map(SecretRef::to_string).collect::<Vec<_>>().join(", ")
}

/// What does the same by hand; names stand where secrets would.
fn command(put: &CorePut) -> String {
    let mut body = serde_json::Map::new();
    let (asked_of, path) = super::path::put(&put.place, &mut body);
    let settings: serde_json::Map<_, _> = put
        .settings
        .iter()
        .map(|(key, worth)| {
            let value = match worth {
                Worth::Inherited => serde_json::Value::Null,
                Worth::Open { json } => serde_json::from_str(json).unwrap_or_default(),
                Worth::Sealed { of } => format!("({})", named(of)).into(),
            };
            (key.to_string(), value)
        })
        .collect();
    body.insert("coreConfig".into(), settings.into());
    let mut said = format!("curl -X PUT {}{}", put.at.address, super::path::of(&asked_of, path));
    // Writing to a string cannot fail.
    if !asked_of.domain.is_empty() {
        _ = write!(said, " -H 'host: {}'", asked_of.domain);
    }
    if let Some(key) = &put.at.key {
        _ = write!(said, " -H 'api-key: ({key})'");
    }
    _ = write!(said, " -d '{}'", serde_json::Value::Object(body));
    said
}

/// Bits that nobody can guess, as digits.
fn random() -> std::io::Result<Sealed> {
    let mut bytes = [0_u8; 24];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let mut text = String::with_capacity(48);
    for byte in bytes {
        // Writing to a string cannot fail.
        _ = write!(text, "{byte:02x}");
    }
    Ok(Sealed::new(text))
}

impl FleetProbe for Probing {
    fn look<'a>(&'a self, scope: &'a Scope, look: &'a Look) -> BoxFuture<'a, Result<Seen, Trouble>> {
        match look {
            Look::Core { of } => async move { self.see(scope, of).await.map(Seen::Core) }.boxed(),
            other => self.cloud.look(scope, other),
        }
    }
}

impl Writing {
    /// Changes this cloud, and cores as far as this one sees them.
    pub fn new(cloud: Arc<dyn FleetWriter>, seals: Arc<dyn Seals>, probing: Arc<Probing>) -> Self {
        Self { cloud, seals, probing }
    }

    async fn seal(&self, scope: &Scope, sealing: &Sealing) -> Result<Receipt, WriteError> {
        let probing = &self.probing;
        let value = match &sealing.from {
            SealedFrom::Random => random().map_err(|error| {
                let said = format!("no random key could be made: {error}");
                WriteError::NotSent(probing.trouble(TroubleKind::Other, said, None))
            })?,
            SealedFrom::Setting { at, place, key } => {
                let held = probing.held(scope, at, place, key).await?;
                Sealed::new(held.ok_or_else(|| {
                    let said = format!("{place} of {} has no {key} to keep", at.core);
                    WriteError::NotSent(probing.trouble(TroubleKind::NotFound, said, None))
                })?)
            }
        };
        self.seals.seal(scope, sealing, &value).await
    }
}

impl FleetWriter for Writing {
    fn write<'a>(
        &'a self,
        scope: &'a Scope,
        change: &'a Change,
        token: &'a Token,
    ) -> BoxFuture<'a, Result<Receipt, WriteError>> {
        match change {
            Change::PutCore { put } => self.probing.put(scope, put).boxed(),
            Change::SealSecret { sealing } => self.seal(scope, sealing).boxed(),
            other => self.cloud.write(scope, other, token),
        }
    }

    fn prove<'a>(&'a self, scope: &'a Scope, change: &'a Change) -> BoxFuture<'a, Result<Proof, WriteError>> {
        match change {
            Change::PutCore { .. } => async { Ok(Proof::None) }.boxed(),
            other => self.cloud.prove(scope, other),
        }
    }

    fn command<'a>(
        &'a self,
        scope: &'a Scope,
        change: &'a Change,
        token: &'a Token,
    ) -> BoxFuture<'a, Result<String, WriteError>> {
        match change {
            Change::PutCore { put } => async move { Ok(command(put)) }.boxed(),
            other => self.cloud.command(scope, other, token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_random_keys_are_two_and_long_enough_for_a_core() {
        let (one, two) = (random().unwrap(), random().unwrap());
        assert_ne!(one, two);
        assert_eq!(crate::model::setting::fault_of_keys(one.open()), None);
    }

    #[test]
    fn a_command_names_where_secrets_lie() {
        let put = CorePut {
            at: CoreDoor {
                core: "c".into(),
                address: "http://10.0.0.1:3567".into(),
                instance: None,
                key: Some("/k".into()),
            },
            place: Place { app: "a1".into(), ..Place::of("c1.example.com") },
            settings: BTreeMap::from([
                ("access_token_validity".into(), Worth::Open { json: "7200".to_owned() }),
                (
                    "api_keys".into(),
                    Worth::Sealed { of: vec![SecretRef { parameter: "/s".into(), version: 3 }] },
                ),
            ]),
        };
        assert_eq!(
            command(&put),
            "curl -X PUT http://10.0.0.1:3567/recipe/multitenancy/app/v2 -H 'host: c1.example.com' \
             -H 'api-key: (/k)' -d '{\"appId\":\"a1\",\"coreConfig\":{\"access_token_validity\":7200,\
             \"api_keys\":\"(/s version 3)\"}}'"
        );
    }
}
