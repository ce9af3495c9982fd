//! Whether the tasks of services would leave: their whole cluster is looked at anew and judged before anything
//! is touched. What could not be seen is refused like what would not move; nothing is guessed.

use super::super::super::desk::{Desk, Draft};
use super::super::super::intent::Intent;
use super::super::protect::count;
use crate::fleet::drain::{Blocker, Moving, Outcome, Scene, Verdict, concerned, will_it_move};
use crate::gateway::{Look, Seen};
use crate::model::{
    ClusterArn, Definition, Host, HostArn, HostDetail, Leaving, Protection, Scope, ServiceArn, ServiceDetail,
    Task, TaskArn, Text, Trouble, short_arn,
};
use crate::store::journal::Grip;
use std::collections::{BTreeMap, BTreeSet};

/// Seconds that the tasks of a cluster's services take to move, where that could be judged.
pub(super) type Expected = BTreeMap<ClusterArn, u64>;

/// Why a cluster could not be judged.
enum Unseen {
    /// AWS could not be asked, or did not answer whole.
    Trouble(Box<Trouble>),
    /// What it answered does not fit together.
    Odd(String),
}

impl From<Trouble> for Unseen {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(Box::new(trouble))
    }
}

/// A cluster as it was just seen.
#[derive(Default)]
struct Sight {
    hosts: Vec<HostDetail>,
    services: Vec<ServiceDetail>,
    tasks: Vec<Task>,
    definitions: Vec<Definition>,
    protections: Vec<Protection>,
    leavings: Vec<Leaving>,
}

impl Sight {
    fn scene(&self) -> Scene<'_> {
        Scene {
            hosts: &self.hosts,
            services: &self.services,
            tasks: &self.tasks,
            definitions: &self.definitions,
            protections: &self.protections,
            leavings: &self.leavings,
        }
    }
}

/// Judges what a drain of these hosts would come to. All of them are taken to leave at once: budgets may spread
/// them over time, and in the end all have left.
pub(super) async fn judge(
    desk: &Desk<'_>,
    hosts: &[(&Scope, &Host)],
    intent: &Intent,
    draft: &mut Draft,
) -> Expected {
    let mut clusters: BTreeMap<(&Scope, &ClusterArn), Vec<HostArn>> = BTreeMap::new();
    for (scope, host) in hosts {
        clusters.entry((scope, &host.cluster)).or_default().push(host.arn.clone());
    }
    let mut expected = Expected::new();
    for ((scope, cluster), leaving) in clusters {
        match look(desk, scope, cluster, &leaving).await {
            Ok(sight) => {
                let verdict = will_it_move(&sight.scene(), &leaving);
                expected.insert(cluster.clone(), u64::from(verdict.expected_s()));
                tell(desk, scope, cluster, &sight, &verdict, intent, draft);
            }
            Err(unseen) => {
                let (why, hint) = match unseen {
                    Unseen::Trouble(trouble) => (trouble.to_string(), trouble.hint.clone()),
                    Unseen::Odd(why) => (why, None),
                };
                let why = format!("whether the tasks of its services would move is not known: {why}");
                let mend = hint.unwrap_or_else(|| "try again".to_owned());
                object(intent, draft, short_arn(cluster.as_str()), why, &mend);
            }
        }
    }
    expected
}

/// Refuses, or warns where somebody said to go on all the same.
fn object(intent: &Intent, draft: &mut Draft, target: &str, why: String, mend: &str) {
    if intent.options.override_verdict {
        draft.warn(format!("{target}: {why}"));
    } else {
        draft.refuse(target, why, format!("{mend}, or say --override-verdict"));
    }
}

/// Looks at everything that decides about the hosts of a cluster.
async fn look(
    desk: &Desk<'_>,
    scope: &Scope,
    cluster: &ClusterArn,
    leaving: &[HostArn],
) -> Result<Sight, Unseen> {
    let probe = |look: Look| async move { desk.probe.look(scope, &look).await };
    let odd = || Unseen::Odd("AWS answered something else than it was asked".to_owned());
    let Seen::Hosts(hosts) = probe(Look::HostsOf { cluster: cluster.clone() }).await? else {
        return Err(odd());
    };
    if let Some(lost) = leaving.iter().find(|arn| hosts.iter().all(|host| host.host.arn != **arn)) {
        let why = format!("{} is no container instance of it any more", short_arn(lost.as_str()));
        return Err(Unseen::Odd(why));
    }
    let known = desk.fleet.services.iter().filter(|row| *row.scope == *scope && row.it.cluster == *cluster);
    let of: Vec<ServiceArn> = known.map(|row| row.it.arn.clone()).collect();
    let Seen::Services(mut services) = probe(Look::Services { cluster: cluster.clone(), of }).await? else {
        return Err(odd());
    };
    services.retain(needs_hosts);
    let on = leaving.iter().map(|host| Look::TasksOn { cluster: cluster.clone(), host: host.clone() });
    let mut tasks: BTreeMap<TaskArn, Task> = BTreeMap::new();
    for seen in futures::future::try_join_all(on.map(probe)).await? {
        let Seen::Tasks(all) = seen else { return Err(odd()) };
        tasks.extend(all.into_iter().map(|task| (task.arn.clone(), task)));
    }
    let moving: BTreeSet<Text> = tasks.values().filter_map(|task| task.service().map(Text::new)).collect();
    if let Some(lost) = moving.iter().find(|name| services.iter().all(|one| one.service.name != ***name)) {
        return Err(Unseen::Odd(format!("its service {lost} was not among those that were read")));
    }
    let of = moving.iter().map(|name| Look::TasksOf { cluster: cluster.clone(), service: name.clone() });
    for seen in futures::future::try_join_all(of.map(probe)).await? {
        let Seen::Tasks(all) = seen else { return Err(odd()) };
        tasks.extend(all.into_iter().map(|task| (task.arn.clone(), task)));
    }
    // Services that keep nothing on these hosts only count by the room that they may want.
    let others = desk.fleet.tasks.iter().filter(|row| *row.scope == *scope && row.it.cluster == *cluster);
    for row in others.filter(|row| row.it.service().is_some_and(|name| !moving.contains(name))) {
        tasks.entry(row.it.arn.clone()).or_insert_with(|| Task::clone(&row.it));
    }
    let mut sight = Sight { hosts, services, tasks: tasks.into_values().collect(), ..Sight::default() };
    let (concerned, groups) = {
        let scene = sight.scene();
        let concerned = concerned(&scene, leaving);
        let groups = concerned.iter().flat_map(|one| &one.service.target_groups);
        let groups: BTreeSet<_> = groups.map(|(arn, ..)| arn.clone()).collect();
        let names = concerned.iter().map(|one| one.service.task_definition.clone());
        (names.collect::<Vec<Text>>(), groups)
    };
    if let Seen::Definitions(all) = probe(Look::Definitions { of: concerned }).await? {
        sight.definitions = all;
    }
    let gone = |host: &HostArn| {
        leaving.contains(host)
            || sight.hosts.iter().any(|one| one.host.arn == *host && one.host.status != "ACTIVE")
    };
    let of =
        sight.tasks.iter().filter(|task| task.service().is_some() && task.host.as_ref().is_some_and(gone));
    let of: Vec<TaskArn> = of.map(|task| task.arn.clone()).collect();
    if !of.is_empty() {
        let look = Look::Protections { cluster: cluster.clone(), of };
        let Seen::Protections(all) = probe(look).await? else { return Err(odd()) };
        sight.protections = all;
    }
    if !groups.is_empty()
        && let Seen::Leavings(all) = probe(Look::Leavings { of: groups.into_iter().collect() }).await?
    {
        sight.leavings = all;
    }
    Ok(sight)
}

/// Whether a service's tasks run on hosts at all: those on Fargate take no room from anybody.
fn needs_hosts(detail: &ServiceDetail) -> bool {
    let service = &detail.service;
    let is_fargate = |name: &Text| name.starts_with("FARGATE");
    let by_provider = !service.providers.is_empty() && service.providers.iter().all(is_fargate);
    service.launch_type.as_deref() != Some("FARGATE") && !by_provider
}

/// Says what was found: what would not move is refused, with its reason and its mend.
fn tell(
    desk: &Desk<'_>,
    scope: &Scope,
    cluster: &ClusterArn,
    sight: &Sight,
    verdict: &Verdict,
    intent: &Intent,
    draft: &mut Draft,
) {
    let is_certain = |moving: &Moving| !matches!(moving.outcome, Outcome::Moves | Outcome::Unclear);
    if verdict.lost > 0 && !verdict.services.iter().any(is_certain) {
        let what = format!(
            "there is not room for all that must move: {} would be missing, of whichever service comes last",
            count(verdict.lost as usize, "task")
        );
        object(intent, draft, short_arn(cluster.as_str()), what, "add hosts first, or drain fewer at a time");
    }
    for moving in &verdict.services {
        let detail = sight.services.iter().find(|one| one.service.arn == moving.service);
        let is_daemon = detail.is_some_and(|one| one.service.strategy.as_deref() == Some("DAEMON"));
        // Daemons stay until their host is gone: nobody waits for them.
        if is_daemon {
            continue;
        }
        let label = format!("{}/{}", short_arn(cluster.as_str()), moving.name);
        draft.hold(scope, "service", moving.service.as_str(), Grip::Shared);
        let leaving = count(moving.leaving as usize, "task");
        let what = match moving.outcome {
            Outcome::Moves => {
                let desired = detail.map_or(0, |one| one.service.desired);
                if moving.fewest < desired {
                    let mut rows = desk.fleet.services.iter();
                    let row = rows.find(|row| *row.scope == *scope && row.it.arn == moving.service);
                    let tier = row.and_then(|row| row.tier.as_ref());
                    let tier = tier.map(|tier| format!(" of tier {tier}")).unwrap_or_default();
                    draft.warn(format!(
                        "while its tasks move {label}{tier} serves with {} of {desired}",
                        moving.fewest
                    ));
                }
                continue;
            }
            Outcome::Stays(stays) if stays == moving.leaving => format!("{leaving} would never move"),
            Outcome::Stays(stays) => format!("{stays} of {leaving} would never move"),
            Outcome::Short(short) => format!("{} would be missing afterwards", count(short as usize, "task")),
            Outcome::Unclear => format!("whether {leaving} would move is not clear"),
        };
        if moving.blockers.is_empty() {
            object(intent, draft, &label, what, "drain fewer hosts at a time");
            continue;
        }
        for blocker in &moving.blockers {
            let mend = blocker.mend(&moving.name) + &ends(blocker, &sight.protections);
            object(intent, draft, &label, format!("{what}: {}", blocker.reason()), &mend);
        }
        scale_mend(moving, &label, draft);
    }
}

/// The one mend that is a command of ours: a service that is one larger may move one.
fn scale_mend(moving: &Moving, label: &str, draft: &mut Draft) {
    let stuck = moving.blockers.iter().find_map(|one| match one {
        Blocker::Limits { desired, min, max, .. } => Some((*desired, *min, *max)),
        _ => None,
    });
    let Some((desired, min, max)) = stuck else { return };
    // Only a size at which the limits let something move helps.
    let helps = (desired + 1..=desired + 4).find(|size| {
        let (lower, upper) = crate::fleet::drain::limits(*size, min, max);
        lower < *size || upper > *size
    });
    if let (Some(size), Some(refusal)) =
        (helps, draft.refusals.iter_mut().rev().find(|one| one.target == label))
    {
        refusal.mend = format!("coredeck scale {label} --desired {size} first; or {}", refusal.mend);
    }
}

/// When the last protection of these tasks ends.
fn ends(blocker: &Blocker, protections: &[Protection]) -> String {
    let Blocker::Protected { tasks } = blocker else { return String::new() };
    let mine = protections.iter().filter(|one| one.is_protected && tasks.contains(&one.task));
    mine.filter_map(|one| one.until)
        .max()
        .map_or(String::new(), |until| format!(" (the last protection ends at {until:.0})"))
}
