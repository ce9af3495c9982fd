//! How many of a tier are unavailable now, by whatever cause: read from AWS, not from what we intended.

use crate::fleet::{Fleet, InstanceRow, join};
use crate::gateway::{Ask, FleetReader, Reading, Source, Urgency};
use crate::model::{GroupName, InstanceState, Known, Scope, Tier, Trouble};
use crate::snapshot::{Part, Snapshot};
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A tier as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Instances that run, start or end; those that are stopped are not counted.
    pub total: usize,
    /// Those of them that serve nobody now: starting, ending, draining, out of service or unhealthy.
    pub down: Vec<String>,
}

/// Counts tiers.
pub trait Census: Send + Sync {
    /// The tiers as they stand now, by name.
    ///
    /// # Errors
    ///
    /// Something could not be read: half a count is none.
    fn count(&self, at: Timestamp) -> BoxFuture<'_, Result<BTreeMap<String, Standing>, Trouble>>;
}

/// Counts by reading the fleet's lists.
pub struct Lists {
    /// Who reads them.
    pub reader: Arc<dyn FleetReader>,
    /// Where.
    pub scopes: Vec<Scope>,
    /// What makes a tier.
    pub tiers: Vec<Tier>,
}

impl Census for Lists {
    fn count(&self, at: Timestamp) -> BoxFuture<'_, Result<BTreeMap<String, Standing>, Trouble>> {
        async move {
            let mut parts = Vec::new();
            for scope in &self.scopes {
                parts.push(Arc::new(self.part(scope, at).await?));
            }
            let snapshot = Snapshot { seq: 1, taken_at: at, parts, troubles: Vec::new() };
            Ok(standings(&join(&snapshot, &self.tiers)))
        }
        .boxed()
    }
}

impl Lists {
    async fn part(&self, scope: &Scope, at: Timestamp) -> Result<Part, Trouble> {
        let mut part = Part::new(Arc::new(scope.clone()));
        let read = |ask: Ask| async move {
            self.reader.read(scope, ask, Urgency::Operation, None).await.map_err(|error| error.trouble)
        };
        let (instances, groups, statuses, clusters) = tokio::try_join!(
            read(Ask::Instances),
            read(Ask::Groups),
            read(Ask::Statuses),
            read(Ask::Clusters)
        )?;
        let arns = match &clusters {
            Reading::Clusters(all) => all.iter().map(|cluster| cluster.arn.clone()).collect(),
            _ => Vec::new(),
        };
        let hosts = if arns.is_empty() { Reading::Hosts(Vec::new()) } else { read(Ask::Hosts(arns)).await? };
        for reading in [instances, groups, statuses, clusters, hosts] {
            part.settle(reading, at, true);
        }
        Ok(part)
    }
}

/// The lists that a count rests on.
pub const SOURCES: [Source; 5] =
    [Source::Instances, Source::Groups, Source::Statuses, Source::Clusters, Source::Hosts];

/// The tiers of a fleet as they stand. Members that a group lacks are down like those that start: between the end
/// of one and the launch of the next nobody serves in its place.
pub fn standings(fleet: &Fleet) -> BTreeMap<String, Standing> {
    let mut all: BTreeMap<String, Standing> = BTreeMap::new();
    let mut members: BTreeMap<(&Scope, &GroupName), u32> = BTreeMap::new();
    for row in &fleet.instances {
        if matches!(
            row.it.state,
            InstanceState::Stopped
                | InstanceState::Stopping
                | InstanceState::Terminated
                | InstanceState::Unknown
        ) {
            continue;
        }
        if let Known::Yes(Some(member)) = &row.member
            && !matches!(member.state.as_str(), "Standby" | "EnteringStandby")
        {
            *members.entry((&row.scope, &member.group().name)).or_default() += 1;
        }
        let Some(tier) = &row.tier else { continue };
        let standing = all.entry(tier.to_string()).or_default();
        standing.total += 1;
        if is_down(row) {
            standing.down.push(row.it.id.to_string());
        }
    }
    for group in &fleet.groups {
        let Some(tier) = &group.tier else { continue };
        // What counts by weight is not wanted by heads.
        if group.it.members.iter().any(|member| member.weight.is_some()) {
            continue;
        }
        let there = members.get(&(&*group.scope, &group.it.name)).copied().unwrap_or(0);
        let lacking = group.it.desired.saturating_sub(there);
        let standing = all.entry(tier.to_string()).or_default();
        standing.total += lacking as usize;
        standing.down.extend((1..=lacking).map(|n| format!("{}/{} lacks {n}", group.scope, group.it.name)));
    }
    all
}

/// Tells whether an instance serves nobody now.
pub fn is_down(row: &InstanceRow) -> bool {
    let is_out = match &row.member {
        Known::Yes(Some(member)) => {
            member.state != "InService" || member.health.eq_ignore_ascii_case("unhealthy")
        }
        _ => false,
    };
    let is_draining = matches!(&row.host, Known::Yes(Some(host)) if host.status != "ACTIVE");
    let is_impaired = match &row.status {
        Known::Yes(Some(status)) => [status.system, status.instance].contains(&crate::model::Check::Impaired),
        _ => false,
    };
    row.it.state != InstanceState::Running || is_out || is_draining || is_impaired
}
