//! Where a change of a core's own settings goes: the core that was named, by itself or by its tenant, every process
//! that shares its base database, the place in it, and what that holds now.

mod apart;
mod found;

use self::found::{door, named, replicas};
use super::super::aspect::{Aspect, Value};
use super::super::desk::{Desk, Draft, blind};
use super::super::intent::{ConfigWish, Intent};
use super::super::plan::{Fact, Lane, Leg, Proof, ROOM_FOR_ID, Spoiled, Step, Undo, leg};
use super::super::run;
use super::super::telling::{CoreFact, is_unmarked, setup, value_of};
use crate::error::Result;
use crate::gateway::change::Change;
use crate::gateway::core::{CoreDoor, CoreLook, CorePut, CoreSeen, SealedFrom, Sealing, SecretRef, Worth};
use crate::gateway::{AdminError, Look, Seen};
use crate::model::admin::{Domain, Effective, Place};
use crate::model::setting::protected;
use crate::model::{CoreId, ParameterDetail, Scope, Sealed, Setting, Text};
use crate::ops::Condition;
use crate::store::journal::Grip;
use std::collections::{BTreeMap, BTreeSet};

/// What a licence must have for domains, apps and tenants beside a core's own.
const MANY: &str = "multi_tenancy";
/// Versions of a parameter that are searched for what a core holds now.
const SEARCHED: u64 = 10;

/// Where a change goes.
pub(super) struct Site {
    pub(super) scope: Scope,
    /// Every process with its base database, the one that is asked first.
    pub(super) replicas: Vec<CoreDoor>,
    pub(super) place: Place,
    /// What the core lists.
    pub(super) domains: Vec<Domain>,
    /// What holds for the place.
    pub(super) effective: Vec<Effective>,
    /// Where present values are kept.
    kept_under: String,
}

impl Site {
    /// Finds it; what stands in the way is refused.
    pub(super) async fn find(
        desk: &Desk<'_>,
        intent: &Intent,
        wish: &ConfigWish,
        draft: &mut Draft,
    ) -> Result<Option<Self>> {
        let [target] = intent.targets.as_slice() else {
            let mend = "changes of one shared core follow each other: name one";
            draft.refuse(intent.targets.join(" "), "one core or tenant at a time", mend);
            return Ok(None);
        };
        let Some((part, record, domain)) = named(desk, target, draft) else { return Ok(None) };
        let Some(at) = door(part, record, wish) else {
            let mend =
                "`coredeck get cores` shows its host; `coredeck inventory sync` mends a registry that is old";
            draft.refuse(target, "its host does not run, or the registry does not name it", mend);
            return Ok(None);
        };
        let scope = (*part.scope).clone();
        let domains =
            match seen(desk, &scope, CoreLook::Domains { at: at.clone(), secrets: BTreeSet::new() }).await? {
                CoreSeen::Domains { domains: Ok(domains), .. } => domains,
                CoreSeen::Domains { domains: Err(error), .. } => {
                    refuse(draft, target, &error);
                    return Ok(None);
                }
                _ => Vec::new(),
            };
        let has_many = domains.iter().any(|domain| !domain.domain.is_empty());
        let domain = domain.filter(|domain| domain.is_of_many || has_many).map(|domain| domain.name);
        let named_domain = wish.domain.as_deref().map(str::to_lowercase).or(domain).unwrap_or_default();
        let word = |word: &Option<String>| word.as_deref().unwrap_or("public").to_lowercase();
        let place = Place {
            domain: named_domain.into(),
            app: word(&wish.app).into(),
            tenant: word(&wish.tenant).into(),
        };
        if setup(&domains, &place).is_none() {
            let known = domains.iter().filter(|domain| !domain.domain.is_empty()).count();
            let why = format!("{} knows no {place}, and a put would make it", at.core);
            let mend =
                format!("it has {known} domains besides its own: `coredeck core config show {}`", at.core);
            draft.refuse(target, why, mend);
            return Ok(None);
        }
        let effective =
            match seen(desk, &scope, CoreLook::Settings { at: at.clone(), place: place.clone() }).await? {
                CoreSeen::Settings(Ok(effective)) => effective,
                // A domain whose database is down can still be pointed to another one.
                CoreSeen::Settings(Err(error)) => {
                    draft.warn(format!("what holds for {place} could not be asked: {error}"));
                    Vec::new()
                }
                _ => Vec::new(),
            };
        let replicas = replicas(desk, part, record, at, wish, draft).await?;
        draft.hold(&scope, "core", replicas[0].core.as_str(), Grip::Alone);
        for other in &replicas {
            draft.hold(&scope, "core", other.core.as_str(), Grip::Alone);
        }
        let kept_under = format!("/coredeck/{}/kept", desk.config.fleet);
        Ok(Some(Self { scope, replicas, place, domains, effective, kept_under }))
    }

    /// The core that is asked.
    pub(super) fn first(&self) -> &CoreDoor {
        &self.replicas[0]
    }

    /// Says what a put at this core is worth: one without a database keeps nothing, and one whose licence does not have
    /// what customers' domains take refuses each put for one.
    pub(super) async fn mind(&self, desk: &Desk<'_>, draft: &mut Draft) -> Result<()> {
        let look = CoreLook::Nature { at: self.first().clone() };
        let CoreSeen::Nature { is_in_memory, features } = seen(desk, &self.scope, look).await? else {
            return Ok(());
        };
        let core = &self.first().core;
        if is_in_memory == Some(true) {
            draft.warn(format!(
                "{core} has no database: what is put there is lost when it stops, like everything that its users did; \
                 name a database in its container's environment first (POSTGRESQL_CONNECTION_URI)"
            ));
        }
        match features {
            Ok(all) if !self.place.is_base() && !all.contains(MANY) => {
                refuse(draft, core.as_str(), &AdminError::NoLicence { feature: MANY.into() });
            }
            Ok(_) => {}
            Err(error) => draft.warn(format!(
                "whether {core} has a licence for {MANY} could not be asked ({error}): without it the put is refused"
            )),
        }
        Ok(())
    }

    /// What the place sets itself.
    pub(super) fn own(&self, key: &str) -> Option<&Setting> {
        setup(&self.domains, &self.place)?.get(key)
    }

    /// What holds for the place, wherever it comes from.
    pub(super) fn held(&self, key: &str) -> Option<&Effective> {
        self.effective.iter().find(|one| one.key == key)
    }

    /// Whether the key opens what is protected: without the secret of a shared core that is left out of every list.
    pub(super) fn shows_protected(&self) -> bool {
        self.effective.is_empty() || self.effective.iter().any(|one| protected(&one.key).is_some())
    }

    /// A fact about a setting, in each process, that knows where secrets lie that it may be.
    fn facts(&self, key: &Text, worths: &[&Worth]) -> Vec<Aspect> {
        let of = worths.iter().filter_map(|worth| match worth {
            Worth::Sealed { of } => Some(of.clone()),
            Worth::Inherited | Worth::Open { .. } => None,
        });
        let known: Vec<Vec<SecretRef>> = of.collect();
        let fact = |at: &CoreDoor| CoreFact::Setting {
            at: at.clone(),
            place: self.place.clone(),
            key: key.clone(),
            known: known.clone(),
        };
        self.replicas.iter().map(|at| Aspect::Core { fact: Box::new(fact(at)) }).collect()
    }

    /// Each process serves the place.
    pub(super) fn serves(&self, with: Option<&SecretRef>, answer: &Value) -> Vec<Condition> {
        let fact = |at: &CoreDoor| CoreFact::Serves {
            at: at.clone(),
            place: self.place.clone(),
            with: with.cloned(),
        };
        self.replicas
            .iter()
            .map(|at| Condition::is(Aspect::Core { fact: Box::new(fact(at)) }, answer.clone()))
            .collect()
    }

    /// Secrets of the Parameter Store by name and version.
    pub(super) async fn secrets(
        &self,
        desk: &Desk<'_>,
        wanted: impl IntoIterator<Item = SecretRef>,
    ) -> Result<BTreeMap<SecretRef, Sealed>> {
        let secrets = wanted.into_iter().collect();
        let look = CoreLook::Domains { at: self.first().clone(), secrets };
        Ok(match seen(desk, &self.scope, look).await? {
            CoreSeen::Domains { secrets, .. } => secrets,
            _ => BTreeMap::new(),
        })
    }

    /// The SecureString of that name as it stands; what is none is refused.
    pub(super) async fn secure(
        &self,
        desk: &Desk<'_>,
        name: &str,
        draft: &mut Draft,
    ) -> Result<Option<SecretRef>> {
        match self.parameter(desk, name).await? {
            Some(found) if found.kind == "SecureString" => {
                Ok(Some(SecretRef { parameter: found.name, version: found.version }))
            }
            Some(found) => {
                let why =
                    format!("it is a {}: its value lies open to whoever may read parameters", found.kind);
                draft.refuse(
                    name,
                    why,
                    "put it into a SecureString: aws ssm put-parameter --type SecureString",
                );
                Ok(None)
            }
            None => {
                let why = format!("{} has no such parameter", self.scope);
                draft.refuse(name, why, "aws ssm put-parameter --type SecureString puts it there");
                Ok(None)
            }
        }
    }

    /// A parameter as it stands.
    pub(super) async fn parameter(&self, desk: &Desk<'_>, name: &str) -> Result<Option<ParameterDetail>> {
        let look = Look::Parameters { of: vec![name.into()] };
        Ok(match desk.look(&self.scope, look).await? {
            Seen::Parameters(all) => all.into_iter().find(|one| one.name == name),
            _ => None,
        })
    }

    /// Where a secret that holds now can be set back from: a version of a parameter that has it already, or a new
    /// one of a parameter of ours, and then the step that makes it.
    pub(super) async fn keep(
        &self,
        desk: &Desk<'_>,
        key: &str,
        held: &Sealed,
        candidates: &[Text],
    ) -> Result<(SecretRef, Option<(Step, Fact)>)> {
        let Place { domain, app, tenant } = &self.place;
        let domain = if domain.is_empty() { "base" } else { domain };
        let ours: Text =
            format!("{}/{}/{domain}/{app}/{tenant}/{key}", self.kept_under, self.first().core).into();
        let mut was = None;
        for name in candidates.iter().chain([&ours]) {
            let Some(found) = self.parameter(desk, name).await? else { continue };
            if *name == ours {
                was = Some(found.version);
            }
            let from = found.version.saturating_sub(SEARCHED - 1).max(1);
            let versions = (from..=found.version).rev();
            let wanted: Vec<SecretRef> =
                versions.map(|version| SecretRef { parameter: name.clone(), version }).collect();
            let read = self.secrets(desk, wanted).await?;
            if let Some((known, _)) = read.iter().rev().find(|(_, value)| *value == held) {
                return Ok((known.clone(), None));
            }
        }
        let from =
            SealedFrom::Setting { at: self.first().clone(), place: self.place.clone(), key: key.into() };
        let kept = SecretRef { parameter: ours, version: was.unwrap_or(0) + 1 };
        let title =
            format!("keep the present {key} of {} as {kept}, unseen, to be set back from", self.place);
        Ok((kept.clone(), Some(seal(&kept, from, title))))
    }

    /// The lane of a put: what it rests on, what comes before it, and the put.
    pub(super) async fn lane(&self, desk: &Desk<'_>, putting: Putting, draft: &mut Draft) -> Result<Lane> {
        let Putting { title, turns, before, until, back, stays } = putting;
        let (mut steps, mut facts): (Vec<Step>, Vec<Fact>) = before.into_iter().unzip();
        let (mut there, mut gone, mut asked) = (Vec::new(), Vec::new(), Vec::new());
        for (key, (from, to)) in &turns {
            for fact in self.facts(key, &[from, to]) {
                there.push(Condition::is(fact.clone(), value_of(to)));
                gone.push(Condition::is(fact.clone(), value_of(from)));
                asked.push((self.scope.clone(), fact));
            }
        }
        there.extend(until);
        gone.extend(back);
        // What every process says now, as far as that can be looked at: what is kept only on the way is not there yet.
        let now = run::see(desk.probe, &asked).await.map_err(|trouble| blind(&trouble))?;
        for ((_, fact), was) in now {
            if is_unmarked(&was) {
                draft.warn(format!(
                    "nobody sees whether {fact} becomes another secret until then: the core is asked without a key"
                ));
            }
            facts.push(Fact { fact, was });
        }
        let all = |pick: fn(&(Worth, Worth)) -> &Worth| -> BTreeMap<Text, Worth> {
            turns.iter().map(|(key, turn)| (key.clone(), pick(turn).clone())).collect()
        };
        let undo = match stays {
            Some(why) => Undo::Impossible { why },
            None => Undo::Exact { leg: Box::new(self.put(all(|(from, _)| from), gone)) },
        };
        steps.push(Step {
            title,
            go: self.put(all(|(_, to)| to), there),
            undo,
            proof: Proof::Checked,
            expected_s: 10,
            may_be_forced: false,
        });
        Ok(Lane {
            name: format!("{} at {}", self.place, self.first().core),
            target: self.first().core.to_string(),
            scope: self.scope.clone(),
            tier: None,
            facts,
            steps,
        })
    }

    fn put(&self, settings: BTreeMap<Text, Worth>, until: Vec<Condition>) -> Leg {
        let until = Condition::All { of: until };
        let taken = self.is_at_first(&until);
        let put = CorePut { at: self.first().clone(), place: self.place.clone(), settings };
        Leg { taken: Some(taken), ..leg(Change::PutCore { put }, until, WITHIN_S, EVERY_S) }
    }

    /// The part of a condition that is about settings in the process that is asked: when that holds the put was
    /// carried out, whatever was answered.
    fn is_at_first(&self, until: &Condition) -> Condition {
        let is_mine = |one: &&Condition| {
            let setting = |fact: &&Aspect| matches!(fact, Aspect::Core { fact } if matches!(&**fact, CoreFact::Setting { at, .. } if at == self.first()));
            let facts = one.facts();
            !facts.is_empty() && facts.iter().all(setting)
        };
        match until {
            Condition::All { of } => Condition::All { of: of.iter().filter(is_mine).cloned().collect() },
            one => one.clone(),
        }
    }
}

/// How long a change may take to be known everywhere: a put may hang for a minute, and a replica looks once a minute.
const WITHIN_S: u64 = 240;
/// How often is looked. Each look makes the replica that is asked read its base database.
const EVERY_S: u64 = 5;

/// A put with what stands around it.
pub(super) struct Putting {
    /// What it does, in a line.
    pub(super) title: String,
    /// From what to what settings go.
    pub(super) turns: BTreeMap<Text, (Worth, Worth)>,
    /// What is made or kept before it.
    pub(super) before: Vec<(Step, Fact)>,
    /// What must hold after it, besides.
    pub(super) until: Vec<Condition>,
    /// What must hold after it was taken back, besides.
    pub(super) back: Vec<Condition>,
    /// Why it cannot be taken back, where it cannot.
    pub(super) stays: Option<String>,
}

/// The step that writes a SecureString, and what it rests on.
pub(super) fn seal(to: &SecretRef, from: SealedFrom, title: String) -> (Step, Fact) {
    let version = Aspect::ParameterVersion { parameter: to.parameter.clone() };
    let was = match to.version {
        1 => Value::Absent,
        version => Value::Count(version - 1),
    };
    let sealing = Sealing {
        parameter: to.parameter.clone(),
        from,
        description: format!("coredeck {ROOM_FOR_ID}"),
        overwrites: to.version > 1,
    };
    let until = Condition::is(version.clone(), Value::Count(to.version));
    let not = |value: Value| Condition::IsNot { fact: version.clone(), value };
    let spoiled = Spoiled {
        when: not(was.clone()).and(not(Value::Count(to.version))),
        why: "somebody else wrote the parameter meanwhile, and it is left as they wrote it".to_owned(),
    };
    let go = Leg {
        taken: Some(until.clone()),
        spoiled: Some(spoiled),
        ..leg(Change::SealSecret { sealing }, until, 120, 5)
    };
    let step = Step {
        title,
        go,
        // What lies sealed harms nobody, and a later rollback may need it.
        undo: Undo::Nothing,
        proof: Proof::Checked,
        expected_s: 2,
        may_be_forced: false,
    };
    (step, Fact { fact: version, was })
}

/// Refuses by a core's own word.
pub(super) fn refuse(draft: &mut Draft, target: &str, error: &AdminError) {
    draft.refuse(target, error.to_string(), error.hint().unwrap_or("`coredeck describe core` shows more"));
}

/// The way into a core that the registry of this place names; none where its host does not run, or nobody names it there.
/// Another account or region may have a core that is called so too.
pub(super) fn door_of(desk: &Desk<'_>, scope: &Scope, core: &CoreId) -> Option<CoreDoor> {
    let part = desk.snapshot.parts.iter().find(|part| *part.scope == *scope)?;
    let record = part.registry.value.as_ref()?.cores.iter().find(|record| record.id == *core)?;
    door(part, record, &ConfigWish::default())
}

/// What a core says.
pub(super) async fn seen(desk: &Desk<'_>, scope: &Scope, of: CoreLook) -> Result<CoreSeen> {
    let none = CoreSeen::Serves(Err(AdminError::Garbled { what: "it is of another kind".to_owned() }));
    Ok(match desk.look(scope, Look::Core { of }).await? {
        Seen::Core(seen) => seen,
        _ => none,
    })
}

/// For which places of a domain something that one of them sets holds, and which below it set their own.
pub(super) fn affected(domains: &[Domain], place: &Place, key: &str) -> (Vec<Place>, Vec<Place>) {
    let (mut holds, mut own) = (Vec::new(), Vec::new());
    let Some(domain) = domains.iter().find(|domain| domain.domain == place.domain) else {
        return (holds, own);
    };
    for app in &domain.apps {
        let is_whole_domain = place.app == "public" && place.tenant == "public";
        if app.id != place.app && !is_whole_domain {
            continue;
        }
        let of_app = app.tenants.iter().find(|tenant| tenant.id == "public");
        let app_sets = of_app.is_some_and(|tenant| tenant.settings.contains_key(key));
        for tenant in &app.tenants {
            let here =
                Place { domain: domain.domain.clone(), app: app.id.clone(), tenant: tenant.id.clone() };
            let is_below = place.tenant == "public" || tenant.id == place.tenant;
            if here == *place {
                holds.push(here);
            } else if is_below {
                let has_own = tenant.settings.contains_key(key) || (app.id != place.app && app_sets);
                if has_own { own.push(here) } else { holds.push(here) }
            }
        }
    }
    // Their own order: what is public first.
    let order =
        |one: &Place| (one.app != "public", one.app.clone(), one.tenant != "public", one.tenant.clone());
    holds.sort_by_key(order);
    own.sort_by_key(order);
    (holds, own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::admin::{App, TenantSetup};

    fn tenant(id: &str, sets: &[&str]) -> TenantSetup {
        let settings = sets.iter().map(|key| ((*key).into(), Setting::Shown(1.into()))).collect();
        TenantSetup { id: id.into(), settings, ..TenantSetup::default() }
    }

    #[test]
    fn a_setting_holds_for_whoever_stands_below_and_sets_nothing_else() {
        let app = |id: &str, tenants: Vec<TenantSetup>| App { id: id.into(), tenants };
        let domain = Domain {
            domain: "c1".into(),
            apps: vec![
                app("public", vec![tenant("public", &["k"]), tenant("t1", &[]), tenant("t2", &["k"])]),
                app("a1", vec![tenant("public", &[]), tenant("t3", &[])]),
                app("a2", vec![tenant("public", &["k"]), tenant("t4", &[])]),
            ],
        };
        let said = |place: &Place| {
            let (holds, own) = affected(std::slice::from_ref(&domain), place, "k");
            let text = |places: Vec<Place>| places.iter().map(Place::to_string).collect::<Vec<_>>().join(" ");
            (text(holds), text(own))
        };
        let place =
            |app: &str, tenant: &str| Place { app: app.into(), tenant: tenant.into(), ..Place::of("c1") };
        let says = |holds: &str, own: &str| (holds.to_owned(), own.to_owned());
        assert_eq!(
            said(&place("public", "public")),
            says("c1 c1/public/t1 c1/a1 c1/a1/t3", "c1/public/t2 c1/a2 c1/a2/t4")
        );
        assert_eq!(said(&place("a2", "public")), says("c1/a2 c1/a2/t4", ""));
        assert_eq!(said(&place("public", "t1")), says("c1/public/t1", ""));
    }
}
