//! From one row to the rows that belong to it: what Enter shows.

use crate::fleet::Fleet;
use crate::model::{
    ClusterArn, CoreId, GroupName, ImageId, InstanceId, Scope, TargetGroupArn, TaskArn, TemplateId, Text,
    TierName, short_arn,
};
use crate::model::{Home, Known};
use crate::query::Kind;
use std::sync::Arc;

/// Which rows of a list belong to the row that was opened.
#[derive(Clone, Debug, PartialEq)]
pub enum Drill {
    /// Instances of a tier; none is what falls into no tier.
    Tier(Option<TierName>),
    /// Members of a group.
    Group(Arc<Scope>, GroupName),
    /// What belongs to a cluster.
    Cluster(Arc<Scope>, ClusterArn),
    /// Tasks of a service.
    Service(Arc<Scope>, ClusterArn, Text),
    /// One instance.
    Instance(Arc<Scope>, InstanceId),
    /// One task.
    Task(Arc<Scope>, TaskArn),
    /// Groups that launch from a template.
    Template(Arc<Scope>, TemplateId, Text),
    /// Instances of an image.
    Image(Arc<Scope>, ImageId),
    /// Tenants of a core.
    Core(Arc<Scope>, CoreId),
    /// One core, by the registry's id.
    TheCore(CoreId),
    /// Targets of some target groups.
    Targets(Arc<Scope>, Vec<TargetGroupArn>),
}

impl Drill {
    /// What the path at the top calls it.
    pub fn label(&self) -> String {
        match self {
            Self::Tier(Some(tier)) => format!("tier {tier}"),
            Self::Tier(None) => "no tier".into(),
            Self::Group(_, name) => format!("group {name}"),
            Self::Cluster(_, arn) => format!("cluster {}", short_arn(arn.as_str())),
            Self::Service(_, _, name) => format!("service {name}"),
            Self::Instance(_, id) => format!("instance {id}"),
            Self::Task(_, arn) => format!("task {}", short_arn(arn.as_str())),
            Self::Template(_, id, name) => {
                format!("template {}", if name.is_empty() { id.as_str() } else { name })
            }
            Self::Image(_, id) => format!("image {id}"),
            Self::Core(_, id) | Self::TheCore(id) => format!("core {id}"),
            Self::Targets(..) => "rule".into(),
        }
    }

    /// Where Enter on row `at` of a kind leads; none shows the row's details instead.
    pub fn into(kind: Kind, fleet: &Fleet, at: usize) -> Option<(Kind, Self)> {
        match kind {
            Kind::Groups => {
                let row = fleet.groups.get(at)?;
                Some((Kind::Instances, Self::Group(Arc::clone(&row.scope), row.it.name.clone())))
            }
            Kind::Clusters => {
                let row = fleet.clusters.get(at)?;
                Some((Kind::Services, Self::Cluster(Arc::clone(&row.scope), row.it.arn.clone())))
            }
            Kind::Services => {
                let row = fleet.services.get(at)?;
                let (cluster, name) = (row.it.cluster.clone(), row.it.name.clone());
                Some((Kind::Tasks, Self::Service(Arc::clone(&row.scope), cluster, name)))
            }
            Kind::Tasks => {
                let row = fleet.tasks.get(at)?;
                let id = row.instance.as_ref().yes()?.as_ref()?;
                Some((Kind::Instances, Self::Instance(Arc::clone(&row.scope), InstanceId::new(id))))
            }
            Kind::Hosts => {
                let row = fleet.hosts.get(at)?;
                let id = row.it.instance_id.clone()?;
                Some((Kind::Instances, Self::Instance(Arc::clone(&row.scope), id)))
            }
            Kind::Templates => {
                let row = fleet.templates.get(at)?;
                let (id, name) = (row.it.id.clone(), row.it.name.clone());
                Some((Kind::Groups, Self::Template(Arc::clone(&row.scope), id, name)))
            }
            Kind::Images => {
                let row = fleet.images.get(at)?;
                Some((Kind::Instances, Self::Image(Arc::clone(&row.scope), row.it.id.clone())))
            }
            Kind::Cores => {
                let row = fleet.cores.get(at)?;
                Some((Kind::Tenants, Self::Core(Arc::clone(&row.scope), row.id.clone())))
            }
            Kind::Tenants => {
                let row = fleet.tenants.get(at)?;
                match &row.core {
                    Some(core) => Some((Kind::Cores, Self::TheCore(core.clone()))),
                    None if row.target_groups.is_empty() => None,
                    None => {
                        let groups = row.target_groups.clone();
                        Some((Kind::Targets, Self::Targets(Arc::clone(&row.scope), groups)))
                    }
                }
            }
            Kind::Rules => {
                let row = fleet.rules.get(at)?;
                let groups: Vec<_> = row.it.forwards.iter().map(|(group, _)| group.clone()).collect();
                (!groups.is_empty()).then(|| (Kind::Targets, Self::Targets(Arc::clone(&row.scope), groups)))
            }
            Kind::Targets => {
                let row = fleet.targets.get(at)?;
                let is_instance = row.it.id.starts_with("i-");
                is_instance.then(|| {
                    let id = InstanceId::new(&row.it.id);
                    (Kind::Instances, Self::Instance(Arc::clone(&row.scope), id))
                })
            }
            Kind::Instances | Kind::Alarms | Kind::Calls => None,
        }
    }

    /// Tells whether row `at` of a kind belongs to it.
    pub fn holds(&self, kind: Kind, fleet: &Fleet, at: usize) -> bool {
        self.belongs(kind, fleet, at).unwrap_or(false)
    }

    fn belongs(&self, kind: Kind, fleet: &Fleet, at: usize) -> Option<bool> {
        Some(match kind {
            Kind::Instances => {
                let row = fleet.instances.get(at)?;
                match self {
                    Self::Tier(tier) => row.tier == *tier,
                    Self::Group(scope, name) => row.scope == *scope && row.group.as_ref() == Some(name),
                    Self::Instance(scope, id) => row.scope == *scope && row.it.id == *id,
                    Self::Image(scope, id) => row.scope == *scope && row.it.image_id == *id,
                    Self::Cluster(scope, arn) => {
                        let host = row.host.as_ref().yes().and_then(Option::as_ref);
                        row.scope == *scope && host.is_some_and(|host| host.cluster == *arn)
                    }
                    _ => false,
                }
            }
            Kind::Groups => {
                let row = fleet.groups.get(at)?;
                match self {
                    Self::Tier(tier) => row.tier == *tier,
                    Self::Group(scope, name) => row.scope == *scope && row.it.name == *name,
                    Self::Template(scope, id, name) => {
                        let template = row.it.template.as_ref();
                        row.scope == *scope
                            && template
                                .is_some_and(|it| it.id == *id || (it.id.is_empty() && it.name == *name))
                    }
                    _ => false,
                }
            }
            Kind::Services => {
                let row = fleet.services.get(at)?;
                match self {
                    Self::Tier(tier) => row.tier == *tier,
                    Self::Cluster(scope, arn) => row.scope == *scope && row.it.cluster == *arn,
                    _ => false,
                }
            }
            Kind::Tasks => {
                let row = fleet.tasks.get(at)?;
                match self {
                    Self::Cluster(scope, arn) => row.scope == *scope && row.it.cluster == *arn,
                    Self::Service(scope, cluster, name) => {
                        row.scope == *scope
                            && row.it.cluster == *cluster
                            && row.it.service() == Some(name.as_str())
                    }
                    Self::Instance(scope, id) => {
                        row.scope == *scope
                            && matches!(&row.instance, Known::Yes(Some(it)) if it.as_str() == id.as_str())
                    }
                    Self::Task(scope, arn) => row.scope == *scope && row.it.arn == *arn,
                    _ => false,
                }
            }
            Kind::Hosts => {
                let row = fleet.hosts.get(at)?;
                match self {
                    Self::Cluster(scope, arn) => row.scope == *scope && row.it.cluster == *arn,
                    Self::Instance(scope, id) => {
                        row.scope == *scope && row.it.instance_id.as_ref() == Some(id)
                    }
                    _ => false,
                }
            }
            Kind::Cores => {
                let row = fleet.cores.get(at)?;
                let instance = match &row.home {
                    Home::Container { instance_id, .. } | Home::Task { instance_id, .. } => {
                        instance_id.as_ref()
                    }
                };
                match self {
                    Self::Tier(tier) => row.tier == *tier,
                    Self::TheCore(id) => row.id == *id,
                    Self::Instance(scope, id) => row.scope == *scope && instance == Some(id),
                    _ => false,
                }
            }
            Kind::Tenants => {
                let row = fleet.tenants.get(at)?;
                // A tenant's record may lie in another scope than its core: the registry's id decides.
                matches!(self, Self::Core(_, id) | Self::TheCore(id) if row.core.as_ref() == Some(id))
            }
            Kind::Targets => {
                let row = fleet.targets.get(at)?;
                match self {
                    Self::Targets(scope, groups) => row.scope == *scope && groups.contains(&row.it.group),
                    Self::Instance(scope, id) => row.scope == *scope && row.it.id == id.as_str(),
                    _ => false,
                }
            }
            Kind::Clusters | Kind::Templates | Kind::Images | Kind::Rules | Kind::Alarms | Kind::Calls => {
                false
            }
        })
    }
}
