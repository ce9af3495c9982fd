//! `refresh`: every instance of a group is replaced by one of a version, by Auto Scaling itself.
//!
//! Auto Scaling is both lock and runner here: one refresh a group at a time, which goes on when nobody looks. What
//! this adds is that every preference is said, that what makes it stall or hurt is found before, that a lost answer
//! starts nothing twice, and that there is a way back after it succeeded.

mod adopt;
mod course;
pub(super) mod figures;
mod target;
mod traps;
mod wants;

pub use course::{Aim, Back, Course};

pub(super) use self::target::{Picture, Target, Version, own_version, resolve};
use self::traps::{Found, Scene};
use super::super::aspect::{Aspect, Value};
use super::super::census::standings;
use super::super::commit::planned;
use super::super::desk::{Desk, Draft};
use super::super::guard::forbids;
use super::super::intent::{Intent, RefreshWish};
use super::super::launching::{Lacking, lacking};
use super::super::losses::Ending;
use super::super::plan::{Fact, Lane, Proof, Step};
use super::super::refreshing::launches;
use super::protect::count;
use crate::error::Result;
use crate::fleet::GroupRow;
use crate::gateway::change::{Desired, Preferences};
use crate::gateway::{Look, Seen};
use crate::model::{
    Alarm, CapacityProvider, Group, GroupName, Handling, Hook, InstanceId, InstanceType, Known, Member, Mix,
    Norm, RefreshDetail, RefreshPreset, Scope, TemplateRef, Text, Trouble, short_arn,
};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;

/// The longest that AWS lets a refresh take, in seconds: 14 days.
const LONGEST_S: u64 = 14 * 86_400;

/// Groups are refreshed, or refreshes of others taken over.
pub(super) fn draft<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move {
        let mut draft = Draft::default();
        let wish = intent.options.refresh.as_deref().cloned().unwrap_or_default();
        for row in desk.groups(&intent.targets, &mut draft) {
            if wish.adopt {
                adopt::lane(desk, row, intent, &mut draft).await?;
            } else {
                lane(desk, row, intent, &wish, &mut draft).await?;
            }
        }
        let word = if wish.adopt { "take over the refresh of" } else { "refresh" };
        draft.title = match draft.lanes.as_slice() {
            [lane] => lane.steps.first().map(|step| step.title.clone()).unwrap_or_default(),
            lanes => format!("{word} {}", count(lanes.len(), "group")),
        };
        draft.cost = Some("instances that are there twice for a while are paid twice".to_owned());
        Ok(draft)
    }
    .boxed()
}

/// What was looked up about a group besides its row.
struct Around {
    hooks: Vec<Hook>,
    refreshes: Vec<RefreshDetail>,
}

async fn around(desk: &Desk<'_>, scope: &Scope, group: &GroupName) -> Result<Around> {
    let hooks = desk.look(scope, Look::Hooks { group: group.clone() });
    let refreshes = desk.look(scope, Look::Refreshes { group: group.clone() });
    let (hooks, refreshes) = futures::try_join!(hooks, refreshes)?;
    Ok(Around {
        hooks: if let Seen::Hooks(all) = hooks { all } else { Vec::new() },
        refreshes: if let Seen::Refreshes(all) = refreshes { all } else { Vec::new() },
    })
}

async fn lane(
    desk: &Desk<'_>,
    row: &GroupRow,
    intent: &Intent,
    wish: &RefreshWish,
    draft: &mut Draft,
) -> Result<()> {
    let group: &Group = &row.it;
    if let Some(why) = forbids(&group.tags, &intent.options, desk.now) {
        draft.refuse(&group.name, why, "ask whoever set it, or say --ignore-do-not-disrupt");
    }
    match resolve(desk, row, wish).await? {
        Ok(target) => lane_to(desk, row, intent, wish, target, true, draft).await,
        Err(refusal) => {
            draft.refusals.push(refusal);
            Ok(())
        }
    }
}

/// The lane of a group that is refreshed to a version, which may be one that `is_made` only later.
pub(super) async fn lane_to(
    desk: &Desk<'_>,
    row: &GroupRow,
    intent: &Intent,
    wish: &RefreshWish,
    target: Target,
    is_made: bool,
    draft: &mut Draft,
) -> Result<()> {
    let group: &Group = &row.it;
    let around = around(desk, &row.scope, &group.name).await?;
    let providers = providers(desk, group);
    let back_words = way_back(&target);
    let said = wish.preset.or(&preset(desk, row));
    let allowed = wants::Allowed {
        rolls_back: matches!(back_words, Ok(Way { by_aws: true, .. })),
        skips_matching: !target.by_attributes,
        drains: traps::drains(&providers, &around.hooks),
    };
    let wants = wants::preferences(&said, group, allowed);
    let alarms = alarms(desk, &row.scope, &wants.alarms).await?;
    let budget = budget(desk, row, intent);
    let stuck = stuck(desk, row).await?;
    let scene = Scene {
        group,
        target: &target,
        wants: &wants,
        said: &said,
        providers,
        hooks: &around.hooks,
        refreshes: &around.refreshes,
        alarms: &alarms,
        waiting: waiting(desk, row),
        with_tasks: with_tasks(desk, row),
        stuck: &stuck,
        budget: budget.as_ref().map(|(tier, limit)| (tier.as_str(), *limit)),
    };
    for found in traps::traps(&scene) {
        match found {
            Found::Refused(why, mend) => draft.refuse(&group.name, why, mend),
            Found::Risky(why, _) if intent.options.override_verdict => {
                draft.warn(format!("{}: {why}", group.name));
            }
            Found::Risky(why, mend) => {
                draft.refuse(&group.name, why, format!("{mend}; or take the risk with --override-verdict"));
            }
            Found::Worth(what) => draft.warn(what),
        }
    }
    let norms = said.metrics.as_deref().unwrap_or_default();
    let norms = figures::norms(desk, row, norms, intent.options.override_verdict, draft).await?;
    let mix = target.pinned.as_ref().or(group.mix.as_ref());
    let desired = target.to.as_ref().and_then(|to| target.desired(to, target.mix.as_ref().or(mix)));
    if let Some(desired) = &desired {
        planned(&group.name, &launches(group), desired).into_iter().for_each(|said| draft.warn(said));
    }
    let going = group.members.iter().filter(|one| is_replaced(one, &target, group.mix.as_ref(), &wants));
    let going: Vec<InstanceId> = going.map(|member| member.id.clone()).collect();
    let of = u32::try_from(going.len()).unwrap_or(u32::MAX);
    if of == 0 && group.desired > 0 && target.is_same() && draft.refusals.is_empty() {
        let why = "every member matches already";
        draft.refuse(
            &group.name,
            why,
            "say --skip-matching no to replace them all the same, or name a version",
        );
        return Ok(());
    }
    let proof = if is_made { prove(desk, row, &target, draft).await } else { Proof::Checked };
    let within_s = intent.options.timeout_s;
    let aim = Aim { desired, preferences: wants.clone() };
    let back = back(back_words, mix, &target, &wants);
    let newest = around.refreshes.first().map(|one| one.refresh.id.clone());
    let title = title(group, &target, of, &wants);
    let held_s = around.hooks.iter().filter(|hook| hook.name != traps::DRAIN_HOOK).map(|_| 60).sum();
    let expected_s = wants::expected_s(wants::part(of, &wants), group.desired, &wants, held_s);
    let course = Course {
        group: &group.name,
        newest: newest.as_ref(),
        title,
        to: aim,
        back,
        of,
        expected_s,
        within_s: within_s.unwrap_or_else(|| {
            let rounds = u64::from(of.div_ceil(wants::at_a_time(group.desired, &wants)));
            (patience_s(expected_s) + held_at_most_s(&around.hooks, rounds)).min(LONGEST_S)
        }),
        proof,
    };
    let tier = (wants::unavailable(group.desired, &wants) > 0)
        .then(|| super::super::desk::tier(row.tier.as_ref()))
        .flatten();
    draft.endings.push(Ending::replaced(row, going, wants::unavailable(group.desired, &wants)));
    draft.hold(&row.scope, "group", group.name.as_str(), Grip::Alone);
    draft.lanes.push(Lane {
        name: group.name.to_string(),
        target: group.name.to_string(),
        scope: (*row.scope).clone(),
        tier,
        facts: facts(group, newest.as_ref()),
        steps: vec![judged(course.step(), &norms)],
    });
    Ok(())
}

fn judged(mut step: Step, norms: &[Norm]) -> Step {
    figures::judge(&mut step.go, norms);
    step
}

/// What must still be so when the turn of a group comes: what it launches, its sizes, that nothing of it is
/// suspended, and that nobody else has refreshed it.
pub(super) fn facts(group: &Group, newest: Option<&Text>) -> Vec<Fact> {
    let name = || group.name.clone();
    let mut facts = vec![
        Fact { fact: Aspect::GroupLaunches { group: name() }, was: Value::Words(launches(group)) },
        Fact { fact: Aspect::GroupDesired { group: name() }, was: Value::Count(group.desired.into()) },
        Fact { fact: Aspect::GroupMax { group: name() }, was: Value::Count(group.max.into()) },
        Fact { fact: Aspect::GroupRefresh { group: name() }, was: newest.map_or(Value::Absent, Value::word) },
    ];
    for process in ["Launch", "Terminate", "InstanceRefresh"] {
        let is_suspended = group.suspended.iter().any(|suspended| suspended == process);
        let fact = Aspect::GroupSuspended { group: name(), process: process.into() };
        facts.push(Fact { fact, was: Value::Flag(is_suspended) });
    }
    facts
}

/// How long a refresh may take: AWS ends one that stalls after an hour by itself, and long before that it is not
/// worth taking back what only waits for a hook.
pub(super) fn patience_s(expected_s: u64) -> u64 {
    (expected_s * 3 + 4 * 3_600).min(LONGEST_S)
}

/// How long hooks may hold what is replaced in so many rounds, where nobody completes them: going back would be held by the
/// same ones. ECS drains for two days at most; that it does so with each host is not waited for.
fn held_at_most_s(hooks: &[Hook], rounds: u64) -> u64 {
    const DRAIN_S: u64 = 48 * 3_600;
    let each = |hook: &Hook| match hook.name == traps::DRAIN_HOOK {
        true => DRAIN_S,
        false => rounds * u64::from(hook.heartbeat_s),
    };
    hooks.iter().map(each).sum()
}

fn title(group: &Group, target: &Target, of: u32, wants: &Preferences) -> String {
    let to = match &target.to {
        Some(to) => format!(" to version {} of {}", to.it.version, to.it.name),
        None => " to what it launches already".to_owned(),
    };
    let from = match &target.before {
        Some(before) => format!(" from version {}", before.it.version),
        None => String::new(),
    };
    let all = group.members.len();
    let many = wants::how_many(of, all, wants);
    format!("refresh {}{from}{to}: {many}; {}", group.name, wants::words(wants))
}

/// How the tier of a group is refreshed.
pub(super) fn preset(desk: &Desk<'_>, row: &GroupRow) -> RefreshPreset {
    let tier = desk.config.tiers.iter().find(|tier| Some(&tier.name) == row.tier.as_ref());
    tier.map(|tier| tier.refresh.clone()).unwrap_or_default()
}

fn budget(desk: &Desk<'_>, row: &GroupRow, intent: &Intent) -> Option<(String, usize)> {
    let tier = row.tier.as_ref()?.to_string();
    let most = desk.budget(&tier, &intent.options);
    let standing = standings(desk.fleet).remove(&tier).unwrap_or_default();
    Some((tier, most.of(standing.total)))
}

fn providers<'a>(desk: &'a Desk<'_>, group: &Group) -> Vec<&'a CapacityProvider> {
    let all = desk.fleet.clusters.iter().flat_map(|cluster| &cluster.it.providers);
    all.filter(|provider| provider.group_arn.as_ref() == Some(&group.arn)).collect()
}

async fn alarms(desk: &Desk<'_>, scope: &Scope, names: &[Text]) -> Result<Vec<Alarm>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    match desk.look(scope, Look::Alarms { of: names.to_vec() }).await? {
        Seen::Alarms(all) => Ok(all),
        _ => Ok(Vec::new()),
    }
}

/// Members that stand at a hook, whether they end, and for how long their machines have been there.
fn waiting<'a>(desk: &'a Desk<'_>, row: &GroupRow) -> Vec<(&'a InstanceId, bool, i64)> {
    let members = desk.fleet.instances.iter().filter(|one| one.scope == row.scope);
    let stands = members.filter_map(|one| {
        let Known::Yes(Some(member)) = &one.member else { return None };
        let is_ending = match member.state.as_str() {
            "Pending:Wait" => false,
            "Terminating:Wait" => true,
            _ => return None,
        };
        let since = desk.now.duration_since(one.it.launched_at?).as_secs();
        (member.group().name == row.it.name).then_some((&one.it.id, is_ending, since))
    });
    stands.collect()
}

fn with_tasks(desk: &Desk<'_>, row: &GroupRow) -> usize {
    let mine = desk
        .fleet
        .instances
        .iter()
        .filter(|one| one.scope == row.scope && one.group.as_ref() == Some(&row.it.name));
    mine.filter(|one| matches!(&one.host, Known::Yes(Some(host)) if host.running_tasks > 0)).count()
}

/// Services with tasks on members of which ECS can move none: asked for anew, since tasks come and go.
async fn stuck(desk: &Desk<'_>, row: &GroupRow) -> Result<Vec<(String, u32, u32, u32)>> {
    let mine =
        |one: &&crate::fleet::InstanceRow| one.scope == row.scope && one.group.as_ref() == Some(&row.it.name);
    let hosts = desk.fleet.instances.iter().filter(mine).filter_map(|one| match &one.host {
        Known::Yes(Some(host)) => Some((host.cluster.clone(), host.arn.clone())),
        _ => None,
    });
    let hosts: std::collections::BTreeSet<_> = hosts.collect();
    let mut found = Vec::new();
    for service in desk.fleet.services.iter().filter(|one| one.scope == row.scope && one.it.is_stuck()) {
        let cluster = &service.it.cluster;
        if !hosts.iter().any(|(known, _)| known == cluster) {
            continue;
        }
        let look = Look::TasksOf { cluster: cluster.clone(), service: service.it.name.clone() };
        let Seen::Tasks(tasks) = desk.look(&row.scope, look).await? else { continue };
        let is_here = |host: &crate::model::HostArn| hosts.contains(&(cluster.clone(), host.clone()));
        if tasks.iter().any(|task| task.host.as_ref().is_some_and(is_here)) {
            let name = format!("{}/{}", short_arn(cluster.as_str()), service.it.name);
            let percents = (service.it.min_percent.unwrap_or(100), service.it.max_percent.unwrap_or(200));
            found.push((name, service.it.desired, percents.0, percents.1));
        }
    }
    Ok(found)
}

/// Whether a member is to be replaced.
fn is_replaced(member: &Member, target: &Target, mix: Option<&Mix>, wants: &Preferences) -> bool {
    let is_out = matches!(member.state.as_str(), "Standby" | "EnteringStandby");
    if is_out && wants.standby == Handling::Ignore
        || member.is_protected && wants.protected == Handling::Ignore
    {
        return false;
    }
    // A type with a template of its own is launched from that.
    let mix = target.mix.as_ref().or(target.pinned.as_ref()).or(mix);
    let own = mix.and_then(|mix| {
        let at = mix.types.iter().position(|(kind, _)| Some(kind) == member.instance_type.as_ref())?;
        mix.own.iter().find(|own| own.at == at)?.template.as_ref()
    });
    let wanted = own.or(target.to.as_ref().map(|to| &to.it));
    let matches = member.template.as_ref().zip(wanted).is_some_and(|(has, to)| {
        has.version == to.version && (has.id == to.id || has.id.is_empty() && has.name == to.name)
    });
    !(matches && wants.skips_matching)
}

/// A way back, before preferences are known.
#[derive(Clone, Debug, PartialEq)]
struct Way {
    by_aws: bool,
    why: Option<String>,
}

/// Whether there is a way back, and what of it AWS itself can go.
fn way_back(target: &Target) -> std::result::Result<Way, String> {
    if let Some(why) = &target.unsendable {
        return Err(why.clone());
    }
    let Some(before) = &target.before else {
        return Err(match &target.follows {
            Some(follows) => format!(
                "most of its members run version {} already, which {follows} means now: there is no other to go back to",
                target.to.as_ref().map(|to| to.it.version.to_string()).unwrap_or_default()
            ),
            None => "it launches the same version again: instances that were replaced are gone".to_owned(),
        });
    };
    let number = &before.it.version;
    match &before.image {
        Picture::Gone(id) => {
            Err(format!("image {id} of version {number} is gone: nothing could be launched from it"))
        }
        Picture::Parameter(_) => Ok(Way {
            by_aws: false,
            why: Some(format!("version {number} looks its image up at launch: it may be another one by now")),
        }),
        Picture::There | Picture::Unknown => Ok(Way {
            by_aws: target.follows.is_none() && target.pinned.is_none(),
            why: target
                .follows
                .as_ref()
                .map(|follows| {
                    format!("the group followed {follows}: it is set to version {number}, by its number")
                })
                .or_else(|| {
                    let why =
                        "types of its own templates followed $Latest or $Default: they are set to numbers";
                    target.pinned.as_ref().map(|_| why.to_owned())
                }),
        }),
    }
}

fn back(
    way: std::result::Result<Way, String>,
    mix: Option<&Mix>,
    target: &Target,
    wants: &Preferences,
) -> Back {
    let Way { by_aws, why } = match way {
        Ok(way) => way,
        Err(why) => return Back::Impossible(why),
    };
    let desired: Option<Desired> = target.before.as_ref().and_then(|before| target.desired(before, mix));
    let preferences = wants::back(wants);
    // There and back by the same version every member matches: AWS would leave all of them alone.
    let is_same = target.before.as_ref().map(|it| &it.it) == target.to.as_ref().map(|it| &it.it);
    let skips_matching = preferences.skips_matching && !is_same;
    let aim = Aim { desired, preferences: Preferences { skips_matching, ..preferences } };
    match why {
        None => Back::Exact { aim, by_aws },
        Some(why) => Back::BestEffort { aim, by_aws, why },
    }
}

/// Types of a mixed group that are tried out; the others are like them.
const TRIED: usize = 4;

/// Asks EC2 whether it would launch the very version: image, types and permissions.
async fn prove(desk: &Desk<'_>, row: &GroupRow, target: &Target, draft: &mut Draft) -> Proof {
    let Some(to) = &target.to else { return Proof::Checked };
    let tries = tries(to, target.mix.as_ref().or(row.it.mix.as_ref()));
    if tries.is_empty() {
        return Proof::Checked;
    }
    if desk.writer.is_none() {
        return Proof::Unproved("in read-only mode AWS is not asked".to_owned());
    }
    for (template, instance_type) in tries {
        let kind = instance_type.as_ref().map(|kind| format!(" as {kind}")).unwrap_or_default();
        let subnet = row.it.subnets.first().cloned();
        let version = template.version.clone();
        match desk.probe.look(&row.scope, &Look::Launch { template, subnet, instance_type }).await {
            Ok(Seen::Launch(Some(trouble))) => {
                let (why, mend) = explained(&trouble);
                let why = format!("EC2 would not launch version {version}{kind}: {why}");
                draft.refuse(&row.it.name, why, mend);
                return Proof::Unproved(trouble.message);
            }
            Ok(_) => {}
            Err(trouble) => {
                draft.warn(format!("{}: EC2 could not be asked if it would launch: {trouble}", row.it.name));
                return Proof::Unproved(trouble.to_string());
            }
        }
    }
    Proof::Proved
}

/// What is tried out: the version as it is, or as the types of a mixed group. A type with an image of its own is
/// launched with what no template says, and cannot be tried.
fn tries(to: &Version, mix: Option<&Mix>) -> Vec<(TemplateRef, Option<InstanceType>)> {
    let Some(mix) = mix else {
        // A template without a type launches nothing by itself.
        return to.says.instance_type.iter().map(|_| (to.it.clone(), None)).collect();
    };
    let own = |at| mix.own.iter().find(|own| own.at == at);
    let types = mix.types.iter().enumerate().filter(|(at, _)| own(*at).is_none_or(|own| own.image.is_none()));
    let template = |at| own(at).and_then(|own| own.template.clone()).unwrap_or_else(|| to.it.clone());
    types.take(TRIED).map(|(at, (kind, _))| (template(at), Some(kind.clone()))).collect()
}

/// What a refused launch means. Auto Scaling calls all of these `not authorized to use launch template`.
pub(super) fn explained(trouble: &Trouble) -> (String, String) {
    match lacking(trouble) {
        None => {
            let mend =
                trouble.hint.clone().unwrap_or_else(|| "mend the version, or name another one".to_owned());
            (trouble.message.clone(), mend)
        }
        Some(Lacking::One(action, what)) => {
            (format!("{action} is missing"), format!("allow {action} {what}: see docs/iam.md"))
        }
        Some(Lacking::OneOf(words)) => {
            (trouble.message.clone(), format!("missing is {words}: see docs/iam.md"))
        }
    }
}
