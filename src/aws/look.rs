//! Looks: single things by their ids, at the urgency of a running operation, and all or nothing.

use super::call::{Broken, Desk, Pages};
use super::change;
use super::{Aws, autoscaling, cloudwatch, ec2, ecs, elb, logs, newcomers, ssm};
use crate::gateway::{FleetProbe, Look, Seen, Urgency};
use crate::model::{Scope, Trouble};
use futures::FutureExt as _;
use futures::StreamExt as _;
use futures::TryStreamExt as _;
use futures::future::BoxFuture;

/// How many questions of one look are under way at once.
const AT_ONCE: usize = 4;

/// Asks once for each item and puts the answers together in the order of the items. Unlike a list, a look
/// that fails in part has failed: what is missing would be taken for gone.
pub(super) async fn all<'a, I, T>(
    items: Vec<I>,
    ask: impl Fn(I) -> BoxFuture<'a, Result<Vec<T>, Trouble>> + Send + 'a,
) -> Result<Vec<T>, Trouble>
where
    I: Send + 'a,
    T: Send + 'a,
{
    let answers = futures::stream::iter(items).map(ask).buffered(AT_ONCE);
    answers
        .try_fold(Vec::new(), |mut all, more| async move {
            all.extend(more);
            Ok(all)
        })
        .await
}

impl<T> From<Broken<T>> for Trouble {
    /// Half an answer is none.
    fn from(broken: Broken<T>) -> Self {
        broken.trouble
    }
}

async fn look_from(desk: &Desk, look: &Look) -> Result<Seen, Trouble> {
    Ok(match look {
        Look::Instances { of } => Seen::Instances(ec2::look_at_instances(desk, of).await?),
        Look::Tagged { key, value } => Seen::Instances(ec2::look_at_tagged(desk, key, value).await?),
        Look::Readiness { of } => Seen::Readiness(newcomers::readiness(desk, of).await?),
        Look::Versions { template, from } => {
            Seen::Versions(ec2::look_at_versions(desk, template, *from).await?)
        }
        Look::Templates { of } => Seen::Templates(ec2::look_at_templates(desk, of).await?),
        Look::Images { of } => Seen::Images(ec2::look_at_images(desk, of).await?),
        Look::ImagesNamed { owner, name } => {
            Seen::Images(ec2::look_at_images_named(desk, owner, name).await?)
        }
        Look::Published { of } => Seen::Published(ssm::look_at_published(desk, of).await?),
        Look::Alarms { of } => Seen::Alarms(cloudwatch::look_at_alarms(desk, of).await?),
        Look::Measures { of } => Seen::Measures(cloudwatch::look_at_measures(desk, of).await?),
        Look::Newcomers { group, template, others, cluster, target_groups } => {
            let from = newcomers::Of { group, template, others, cluster: cluster.as_ref(), target_groups };
            Seen::Newcomers(newcomers::look(desk, &from).await?)
        }
        Look::Launch { template, subnet, instance_type } => {
            let kind = instance_type.as_ref().map(crate::model::InstanceType::as_str);
            Seen::Launch(change::would_launch(desk, template, subnet.as_deref(), kind).await?)
        }
        Look::Groups { of } => Seen::Groups(autoscaling::look_at_groups(desk, of).await?),
        Look::Hooks { group } => Seen::Hooks(autoscaling::look_at_hooks(desk, group).await?),
        Look::Refreshes { group } => Seen::Refreshes(autoscaling::look_at_refreshes(desk, group).await?),
        Look::Hosts { cluster, of } => Seen::Hosts(ecs::look_at_hosts(desk, cluster, of).await?),
        Look::HostsOf { cluster } => Seen::Hosts(ecs::look_at_all_hosts(desk, cluster).await?),
        Look::Tasks { cluster, of } => Seen::Tasks(ecs::look_at_tasks(desk, cluster, of).await?),
        Look::TasksOn { cluster, host } => Seen::Tasks(ecs::look_at_tasks_on(desk, cluster, host).await?),
        Look::TasksOf { cluster, service } => {
            Seen::Tasks(ecs::look_at_tasks_of(desk, cluster, service).await?)
        }
        Look::Services { cluster, of } => Seen::Services(ecs::look_at_services(desk, cluster, of).await?),
        Look::Definitions { of } => Seen::Definitions(ecs::look_at_definitions(desk, of).await?),
        Look::Protections { cluster, of } => {
            Seen::Protections(ecs::look_at_protections(desk, cluster, of).await?)
        }
        Look::Prices { of, products } => {
            let read = ec2::spot_prices(desk, of, products, desk.now(), &Pages::default()).await;
            Seen::Prices(read.map_err(|error| error.trouble)?)
        }
        Look::Targets { group } => Seen::Targets(elb::look_at_targets(desk, group).await?),
        Look::Leavings { of } => Seen::Leavings(elb::look_at_leavings(desk, of).await?),
        Look::Commands { document, since } => {
            Seen::Commands(ssm::look_at_commands(desk, document, *since).await?)
        }
        Look::Invocations { command } => Seen::Invocations(ssm::look_at_invocations(desk, command).await?),
        Look::Invocation { command, instance } => {
            Seen::Invocations(ssm::look_at_invocation(desk, command, instance).await?)
        }
        Look::Outcomes { document, since, of } => {
            Seen::Outcomes(ssm::look_at_outcomes(desk, document, *since, of).await?)
        }
        Look::Parameters { of } => Seen::Parameters(ssm::look_at_parameters(desk, of).await?),
        Look::ParametersUnder { path } => Seen::Parameters(ssm::look_at_parameters_under(desk, path).await?),
        Look::LogEvents(ask) => Seen::LogEvents(logs::look_at_events(desk, ask).await?),
        Look::LogStreams { group, prefix } => {
            Seen::LogStreams(logs::look_at_streams(desk, group, prefix).await?)
        }
        Look::Document { name } => Seen::Document(ssm::look_at_document(desk, name).await?),
        // Whoever asks cores stands before this one, where anybody may.
        Look::Core { .. } => return Err(ssm::not_asked(desk)),
    })
}

impl FleetProbe for Aws {
    fn look<'a>(&'a self, scope: &'a Scope, look: &'a Look) -> BoxFuture<'a, Result<Seen, Trouble>> {
        async move {
            let desk = match look {
                // A dry run goes the way of changes, and in read-only mode nothing does.
                Look::Launch { .. } if !self.read_only => {
                    Desk::of_changes(self.site(scope).await.map_err(|error| error.trouble)?)
                }
                // No operation rests on a log, and a person waits for it.
                Look::LogEvents(_) | Look::LogStreams { .. } => {
                    self.desk(scope, Urgency::User).await.map_err(|error| error.trouble)?
                }
                // What a host printed is for somebody to read: operations look at outcomes.
                Look::Invocation { .. } => {
                    self.desk(scope, Urgency::Screen).await.map_err(|error| error.trouble)?
                }
                _ => self.desk(scope, Urgency::Operation).await.map_err(|error| error.trouble)?,
            };
            look_from(&desk, look).await
        }
        .boxed()
    }
}
