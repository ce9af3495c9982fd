//! From what somebody names to where its lines are: cores, tenants, services, instances and tasks.

use crate::error::{Error, Result, did_you_mean};
use crate::fleet::{Fleet, TaskRow};
use crate::gateway::Source;
use crate::model::text::harmless;
use crate::model::{ClusterArn, Core, Home, InstanceId, Known, Scope, TaskArn, Tenant, Text, short_arn};
use std::sync::Arc;

/// What is sought: a name that may say what it is, `core/prod-acme`, and where. Ids differ only within a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// The name.
    pub name: String,
    /// The account and region that it is in; none where that was not said.
    pub scope: Option<Arc<Scope>>,
}

impl Sought {
    /// A name, wherever it is.
    pub fn anywhere(name: impl Into<String>) -> Self {
        Self { name: name.into(), scope: None }
    }

    fn is_in(&self, scope: &Scope) -> bool {
        self.scope.as_deref().is_none_or(|wanted| wanted == scope)
    }
}

/// What must be read to know where cores and tasks are: what a shell needs.
pub const PLACES: [Source; 6] =
    [Source::Registry, Source::Instances, Source::Clusters, Source::Services, Source::Tasks, Source::Hosts];

/// What must be read to know where lines are.
pub const SOURCES: [Source; 8] = [
    Source::Registry,
    Source::Instances,
    Source::Clusters,
    Source::Services,
    Source::Tasks,
    Source::Hosts,
    Source::Targets,
    Source::Rules,
];

/// Where lines come from: one container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// What it is called before each of its lines.
    pub name: Text,
    /// Where it is.
    pub scope: Arc<Scope>,
    /// What writes them.
    pub place: Place,
    /// Domains that its lines must be about; empty for all.
    pub only: Vec<Text>,
    /// What is to be known of its lines, where they are not just those of what was sought.
    pub doubt: Option<String>,
    /// The service of ECS whose later tasks are meant too; none where this one was asked for by itself.
    pub service: Option<Text>,
}

/// What writes lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A container that docker runs on an instance.
    Container {
        /// The instance.
        instance: InstanceId,
        /// The container's name.
        container: Text,
    },
    /// A task of ECS.
    Task {
        /// Its cluster.
        cluster: ClusterArn,
        /// The task.
        task: TaskArn,
        /// Its definition: `family:revision`.
        definition: Text,
    },
}

/// What a name may stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A core.
    Core,
    /// A tenant.
    Tenant,
    /// A service of ECS.
    Service,
    /// An instance.
    Instance,
    /// A task of ECS.
    Task,
}

impl Named {
    /// Every kind, in the order in which a name is looked for.
    pub const ALL: [Self; 5] = [Self::Core, Self::Tenant, Self::Service, Self::Instance, Self::Task];

    /// The word before the slash: `core/prod-acme`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Tenant => "tenant",
            Self::Service => "service",
            Self::Instance => "instance",
            Self::Task => "task",
        }
    }
}

/// Finds the origins of these names, each once. A name may say what it is: `tenant/acme`.
///
/// # Errors
///
/// A name that nothing has, that two things of one kind in different places have, or behind which nothing runs.
pub fn resolve(fleet: &Fleet, sought: &[Sought]) -> Result<Vec<Origin>> {
    let mut all: Vec<Origin> = Vec::new();
    for sought in sought {
        let found = one(fleet, sought)?;
        for origin in found {
            match all.iter_mut().find(|known| known.place == origin.place && known.scope == origin.scope) {
                // Whoever asked for the core wants all of it, and not a tenant's part.
                Some(known) if known.only.is_empty() || origin.only.is_empty() => known.only.clear(),
                Some(known) => {
                    known.only.extend(origin.only);
                    known.doubt = known.doubt.take().or(origin.doubt);
                }
                None => all.push(origin),
            }
        }
    }
    Ok(all)
}

/// What each of these is called before its lines: by its name, and by its scope where another has that name too.
pub fn called(origins: &[Origin]) -> Vec<Text> {
    let is_double = |one: &Origin| {
        origins
            .iter()
            .any(|other| other.name == one.name && (&other.scope, &other.place) != (&one.scope, &one.place))
    };
    let called = |one: &Origin| match is_double(one) {
        true => Text::from(format!("{} {}", one.name, one.scope)),
        false => one.name.clone(),
    };
    origins.iter().map(called).collect()
}

fn one(fleet: &Fleet, sought: &Sought) -> Result<Vec<Origin>> {
    let typed = sought.name.as_str();
    let kinds = typed.split_once('/').and_then(|(word, rest)| {
        let kind = Named::ALL.into_iter().find(|kind| kind.word() == word)?;
        Some((vec![kind], rest))
    });
    let (kinds, name) = kinds.unwrap_or_else(|| (Named::ALL.to_vec(), typed));
    for kind in &kinds {
        let found = match kind {
            Named::Core => cores(fleet, name, sought),
            Named::Tenant => tenants(fleet, name, sought)?,
            Named::Service => services(fleet, name, sought)?,
            Named::Instance => instances(fleet, name, sought)?,
            Named::Task => tasks(fleet, name, sought),
        };
        if let Some(found) = found {
            return Ok(found);
        }
    }
    if let [only] = kinds.as_slice() {
        let error = Error::failed(format!("no {} is called '{}'", only.word(), harmless(name)));
        return Err(error.hint(format!("`coredeck get {}s -o name` lists those that are known", only.word())));
    }
    let known = fleet.cores.iter().map(|core| core.id.as_str());
    let known = known.chain(fleet.tenants.iter().map(|tenant| tenant.id.as_str()));
    let known = known.chain(fleet.services.iter().map(|row| row.it.name.as_str()));
    let error =
        Error::failed(format!("no core, tenant, service, instance or task is called '{}'", harmless(typed)));
    let error = match did_you_mean(name, known) {
        Some(near) => error.hint(format!("did you mean '{}'?", harmless(near))),
        None => error,
    };
    Err(error.hint("`coredeck get cores -o name` lists the cores"))
}

fn origin_of(fleet: &Fleet, core: &Core) -> Option<Origin> {
    let place = match &core.home {
        Home::Container { instance_id, container } => Place::Container {
            instance: instance_id.clone()?,
            container: container.clone().unwrap_or_else(|| core.id.as_str().into()),
        },
        Home::Task { task, .. } => {
            task_place(fleet.tasks.iter().find(|row| row.it.arn == *task && row.scope == core.scope)?)
        }
    };
    let name = match &core.home {
        Home::Container { .. } => Text::new(core.id.as_str()),
        Home::Task { task, service, .. } => task_name(service, task.as_str()),
    };
    Some(Origin { name, scope: Arc::clone(&core.scope), place, only: Vec::new(), service: None, doubt: None })
}

fn task_place(row: &TaskRow) -> Place {
    Place::Task {
        cluster: row.it.cluster.clone(),
        task: row.it.arn.clone(),
        definition: short_arn(&row.it.task_definition).into(),
    }
}

/// `auth-core/3f2a91bc`
pub(super) fn task_name(of: &str, arn: &str) -> Text {
    let id: String = arn.rsplit('/').next().unwrap_or_default().chars().take(8).collect();
    Text::from(format!("{of}/{id}"))
}

fn cores(fleet: &Fleet, name: &str, sought: &Sought) -> Option<Vec<Origin>> {
    let is_it = |core: &&Core| core.id.as_str() == name && sought.is_in(&core.scope);
    let found: Vec<&Core> = fleet.cores.iter().filter(is_it).collect();
    (!found.is_empty()).then(|| found.into_iter().filter_map(|core| origin_of(fleet, core)).collect())
}

fn tenants(fleet: &Fleet, name: &str, sought: &Sought) -> Result<Option<Vec<Origin>>> {
    let is_it = |tenant: &&Tenant| {
        tenant.id.as_str() == name
            || tenant.name.as_deref() == Some(name)
            || tenant.domain.as_deref().is_some_and(|domain| domain.eq_ignore_ascii_case(name))
    };
    let found: Vec<&Tenant> =
        fleet.tenants.iter().filter(is_it).filter(|tenant| sought.is_in(&tenant.scope)).collect();
    if found.is_empty() {
        return Ok(None);
    }
    let mut all = Vec::new();
    for tenant in found {
        let serving: Vec<&Core> = fleet.cores.iter().filter(|core| serves(fleet, core, tenant)).collect();
        for core in serving {
            let is_shared = is_shared(core);
            // A core of its own serves one customer, from its base domain.
            let only = tenant.domain.as_ref().filter(|_| is_shared).map(|it| Text::from(it.to_lowercase()));
            let doubt = (is_shared && only.is_none()).then(|| {
                format!("these are all lines of {}: the domain of {} is not known", core.id, tenant.id)
            });
            let only: Vec<Text> = only.into_iter().collect();
            let service = match &core.home {
                Home::Task { service, .. } => Some(service.clone()),
                Home::Container { .. } => None,
            };
            all.extend(origin_of(fleet, core).map(|it| Origin { only, doubt, service, ..it }));
        }
    }
    if all.is_empty() {
        let error = Error::failed(format!("nothing is known to serve the tenant '{}'", harmless(name)));
        return Err(error.hint(format!("coredeck describe tenant {}", harmless(name))));
    }
    Ok(Some(all))
}

/// Whether a core is for several tenants, however many it has now: its tier says so, or they are there. Where nobody
/// knows, it may be.
fn is_shared(core: &Core) -> bool {
    match (core.tenants, core.room) {
        (Known::Yes(tenants), Known::Yes(room)) => {
            tenants > 1 || room.is_some_and(|room| i64::from(tenants).saturating_add(room) > 1)
        }
        (Known::Yes(tenants), Known::No(_)) => tenants > 1,
        (Known::No(_), _) => true,
    }
}

/// Whether a core serves a tenant: by the registry, or as a target behind its rule.
fn serves(fleet: &Fleet, core: &Core, tenant: &Tenant) -> bool {
    if core.scope != tenant.scope {
        return false;
    }
    if tenant.core.as_ref() == Some(&core.id) {
        return true;
    }
    let Some(instance) = core.home.instance_id() else { return false };
    fleet.targets.iter().any(|row| {
        row.scope == core.scope
            && tenant.target_groups.contains(&row.it.group)
            && row.it.id == instance.as_str()
            && (row.it.port.is_none() || row.it.port == core.port)
    })
}

fn services(fleet: &Fleet, name: &str, sought: &Sought) -> Result<Option<Vec<Origin>>> {
    let mut named = fleet.services.iter().filter(|row| {
        sought.is_in(&row.scope)
            && (row.it.name == name
                || format!("{}/{}", row.cluster, row.it.name) == name
                || row.it.arn.as_str() == name)
    });
    let Some(service) = named.next() else { return Ok(None) };
    if let Some(other) = named.next() {
        let error = Error::usage(format!("two services are called '{}'", harmless(name)));
        return Err(error.hint(format!(
            "say which: service/{}/{} or service/{}/{}",
            service.cluster, service.it.name, other.cluster, other.it.name
        )));
    }
    let group = format!("service:{}", service.it.name);
    let mine = |row: &&TaskRow| {
        row.scope == service.scope
            && row.it.cluster == service.it.cluster
            && row.it.group.as_deref() == Some(&group)
    };
    let all: Vec<Origin> =
        fleet.tasks.iter().filter(mine).map(|row| of_task(row, &service.it.name)).collect();
    let all: Vec<Origin> = all
        .into_iter()
        .map(|origin| Origin { service: Some(service.it.name.as_str().into()), ..origin })
        .collect();
    if all.is_empty() {
        return Err(Error::failed(format!("the service '{}' has no task now", harmless(name))));
    }
    Ok(Some(all))
}

fn of_task(row: &TaskRow, called: &str) -> Origin {
    Origin {
        name: task_name(called, row.it.arn.as_str()),
        scope: Arc::clone(&row.scope),
        place: task_place(row),
        only: Vec::new(),
        doubt: None,
        service: None,
    }
}

fn instances(fleet: &Fleet, name: &str, sought: &Sought) -> Result<Option<Vec<Origin>>> {
    let mut named = fleet.instances.iter().filter(|row| {
        sought.is_in(&row.scope) && (row.it.id.as_str() == name || row.it.name() == Some(name))
    });
    let Some(row) = named.next() else { return Ok(None) };
    if named.next().is_some() {
        let error = Error::usage(format!("several instances are called '{}'", harmless(name)));
        return Err(error.hint("name it by its id"));
    }
    let here = |core: &&Core| core.scope == row.scope && core.home.instance_id() == Some(&row.it.id);
    let mut all: Vec<Origin> =
        fleet.cores.iter().filter(here).filter_map(|core| origin_of(fleet, core)).collect();
    for task in &fleet.tasks {
        let on_it = matches!(&task.instance, Known::Yes(Some(id)) if id == row.it.id.as_str());
        let called = task.it.group.as_deref().map_or("task", |group| group.trim_start_matches("service:"));
        let origin = of_task(task, called);
        if on_it && task.scope == row.scope && !all.iter().any(|known| known.place == origin.place) {
            all.push(origin);
        }
    }
    if all.is_empty() {
        let error = Error::failed(format!("no core and no task is known to run on '{}'", harmless(name)));
        return Err(error.hint("`coredeck inventory show` asks its docker"));
    }
    Ok(Some(all))
}

fn tasks(fleet: &Fleet, name: &str, sought: &Sought) -> Option<Vec<Origin>> {
    let is_it = |row: &&TaskRow| {
        let arn = row.it.arn.as_str();
        let id = arn.rsplit('/').next().unwrap_or_default();
        sought.is_in(&row.scope) && (arn == name || id == name || (name.len() >= 8 && id.starts_with(name)))
    };
    let row = fleet.tasks.iter().find(is_it)?;
    let called = row.it.group.as_deref().map_or("task", |group| group.trim_start_matches("service:"));
    Some(vec![of_task(row, called)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::join;
    use crate::fleet::made::{core, instance, tenant, tiers};
    use crate::gateway::Reading;
    use crate::model::{CoreRecord, TenantRecord};
    use crate::snapshot::{Part, Snapshot};
    use jiff::Timestamp;

    fn scope(region: &str) -> Arc<Scope> {
        Arc::new(Scope { account: "a".into(), region: region.into() })
    }

    fn part(region: &str, hosts: &[&str], cores: Vec<CoreRecord>, tenants: Vec<TenantRecord>) -> Arc<Part> {
        let mut part = Part::new(scope(region));
        let hosts = hosts.iter().map(|id| Arc::new(instance(id, &[]))).collect();
        let registry = Reading::Registry { cores, tenants, faults: Vec::new() };
        for reading in [Reading::Instances(hosts), registry] {
            part.settle(reading, Timestamp::UNIX_EPOCH, true);
        }
        Arc::new(part)
    }

    fn fleet(parts: Vec<Arc<Part>>) -> Fleet {
        let taken_at = Timestamp::UNIX_EPOCH;
        join(&Snapshot { seq: 1, taken_at, parts, troubles: Vec::new() }, &tiers())
    }

    #[test]
    fn ids_differ_only_within_a_scope_and_the_row_says_which_is_meant() {
        let here = |region: &str, host: &str| part(region, &[host], vec![core("acme", host)], Vec::new());
        let fleet = fleet(vec![here("us-east-1", "i-1"), here("eu-west-1", "i-2")]);
        let all = resolve(&fleet, &[Sought::anywhere("core/acme")]).unwrap();
        assert_eq!(called(&all), ["acme a/us-east-1", "acme a/eu-west-1"], "both, and told apart");
        for (region, host) in [("us-east-1", "i-1"), ("eu-west-1", "i-2")] {
            for name in ["core/acme".to_owned(), format!("instance/{host}")] {
                let sought = Sought { name, scope: Some(scope(region)) };
                let found = resolve(&fleet, &[sought]).unwrap();
                assert_eq!(called(&found), ["acme"]);
                assert!(
                    matches!(&found[0].place, Place::Container { instance, .. } if instance.as_str() == host)
                );
            }
        }
        let elsewhere = Sought { name: "instance/i-1".to_owned(), scope: Some(scope("eu-west-1")) };
        assert!(resolve(&fleet, &[elsewhere]).is_err());
    }

    #[test]
    fn a_tenant_without_a_domain_on_a_core_for_several_is_said_to_show_all_of_it() {
        let shared = CoreRecord { tier: Some("shared".into()), ..core("shared-1", "i-1") };
        let own = CoreRecord { tier: Some("development".into()), ..core("dev-1", "i-1") };
        let bare = TenantRecord { domain: None, ..tenant("bare", "shared-1", "production") };
        let only_one = TenantRecord { domain: None, ..tenant("alone", "dev-1", "production") };
        let of = |tenants: Vec<TenantRecord>, name: &str| {
            let fleet = fleet(vec![part("us-east-1", &["i-1"], vec![shared.clone(), own.clone()], tenants)]);
            resolve(&fleet, &[Sought::anywhere(format!("tenant/{name}"))]).unwrap().remove(0)
        };
        // The only one that it has now, and yet the next may come any time.
        let found = of(vec![bare], "bare");
        assert_eq!(
            found.doubt.as_deref(),
            Some("these are all lines of shared-1: the domain of bare is not known")
        );
        let found = of(vec![tenant("acme", "shared-1", "production")], "acme");
        assert_eq!((found.only, found.doubt), (vec![Text::from("acme.example.com")], None));
        let found = of(vec![only_one], "alone");
        assert_eq!((found.only, found.doubt), (Vec::new(), None), "a core of its own");
    }
}
