//! From what somebody names to where its lines are: cores, tenants, services, instances and tasks.

use crate::error::{Error, Result, did_you_mean};
use crate::fleet::{Fleet, TaskRow};
use crate::gateway::Source;
use crate::model::text::harmless;
use crate::model::{ClusterArn, Core, Home, InstanceId, Known, Scope, TaskArn, Tenant, Text, short_arn};
use std::sync::Arc;

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
pub fn resolve(fleet: &Fleet, names: &[String]) -> Result<Vec<Origin>> {
    let mut all: Vec<Origin> = Vec::new();
    for name in names {
        let found = one(fleet, name)?;
        for origin in found {
            match all.iter_mut().find(|known| known.place == origin.place && known.scope == origin.scope) {
                // Whoever asked for the core wants all of it, and not a tenant's part.
                Some(known) if known.only.is_empty() || origin.only.is_empty() => known.only.clear(),
                Some(known) => known.only.extend(origin.only),
                None => all.push(origin),
            }
        }
    }
    Ok(all)
}

fn one(fleet: &Fleet, typed: &str) -> Result<Vec<Origin>> {
    let kinds = typed.split_once('/').and_then(|(word, rest)| {
        let kind = Named::ALL.into_iter().find(|kind| kind.word() == word)?;
        Some((vec![kind], rest))
    });
    let (kinds, name) = kinds.unwrap_or_else(|| (Named::ALL.to_vec(), typed));
    for kind in kinds {
        let found = match kind {
            Named::Core => cores(fleet, name),
            Named::Tenant => tenants(fleet, name)?,
            Named::Service => services(fleet, name)?,
            Named::Instance => instances(fleet, name)?,
            Named::Task => tasks(fleet, name),
        };
        if let Some(found) = found {
            return Ok(found);
        }
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
        Home::Task { task, .. } => task_place(fleet.tasks.iter().find(|row| row.it.arn == *task)?),
    };
    let name = match &core.home {
        Home::Container { .. } => Text::new(core.id.as_str()),
        Home::Task { task, service, .. } => task_name(service, task.as_str()),
    };
    Some(Origin { name, scope: Arc::clone(&core.scope), place, only: Vec::new(), service: None })
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

fn cores(fleet: &Fleet, name: &str) -> Option<Vec<Origin>> {
    let found: Vec<&Core> = fleet.cores.iter().filter(|core| core.id.as_str() == name).collect();
    (!found.is_empty()).then(|| found.into_iter().filter_map(|core| origin_of(fleet, core)).collect())
}

fn tenants(fleet: &Fleet, name: &str) -> Result<Option<Vec<Origin>>> {
    let is_it = |tenant: &&Tenant| {
        tenant.id.as_str() == name
            || tenant.name.as_deref() == Some(name)
            || tenant.domain.as_deref().is_some_and(|domain| domain.eq_ignore_ascii_case(name))
    };
    let found: Vec<&Tenant> = fleet.tenants.iter().filter(is_it).collect();
    if found.is_empty() {
        return Ok(None);
    }
    let mut all = Vec::new();
    for tenant in found {
        let serving: Vec<&Core> = fleet.cores.iter().filter(|core| serves(fleet, core, tenant)).collect();
        for core in serving {
            let alone = matches!(core.tenants, Known::Yes(0 | 1));
            // A core of its own serves one customer, from its base domain.
            let only = tenant.domain.as_ref().filter(|_| !alone).map(|it| Text::from(it.to_lowercase()));
            let service = match &core.home {
                Home::Task { service, .. } => Some(service.clone()),
                Home::Container { .. } => None,
            };
            all.extend(origin_of(fleet, core).map(|it| Origin {
                only: only.into_iter().collect(),
                service,
                ..it
            }));
        }
    }
    if all.is_empty() {
        let error = Error::failed(format!("nothing is known to serve the tenant '{}'", harmless(name)));
        return Err(error.hint(format!("coredeck describe tenant {}", harmless(name))));
    }
    Ok(Some(all))
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

fn services(fleet: &Fleet, name: &str) -> Result<Option<Vec<Origin>>> {
    let mut named = fleet.services.iter().filter(|row| {
        row.it.name == name
            || format!("{}/{}", row.cluster, row.it.name) == name
            || row.it.arn.as_str() == name
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
    let mine =
        |row: &&TaskRow| row.it.cluster == service.it.cluster && row.it.group.as_deref() == Some(&group);
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
        service: None,
    }
}

fn instances(fleet: &Fleet, name: &str) -> Result<Option<Vec<Origin>>> {
    let mut named =
        fleet.instances.iter().filter(|row| row.it.id.as_str() == name || row.it.name() == Some(name));
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

fn tasks(fleet: &Fleet, name: &str) -> Option<Vec<Origin>> {
    let is_it = |row: &&TaskRow| {
        let arn = row.it.arn.as_str();
        let id = arn.rsplit('/').next().unwrap_or_default();
        arn == name || id == name || (name.len() >= 8 && id.starts_with(name))
    };
    let row = fleet.tasks.iter().find(is_it)?;
    let called = row.it.group.as_deref().map_or("task", |group| group.trim_start_matches("service:"));
    Some(vec![of_task(row, called)])
}
