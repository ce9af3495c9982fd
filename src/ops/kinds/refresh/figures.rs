//! The figures of CloudWatch that a refresh is judged by: what the configuration says filled in for a group, and
//! looked at before anything is changed, because a figure that is ill or missing would end it for nothing.

use super::super::super::desk::{Desk, Draft};
use super::super::super::launching::{LaunchFact, Says};
use super::super::super::plan::{Aftermath, Ending, Leg};
use crate::error::Result;
use crate::fleet::GroupRow;
use crate::gateway::{Look, Seen};
use crate::model::{BalancerArn, Measured, NoData, Norm, TargetGroup, Text};
use crate::ops::aspect::Aspect;
use crate::ops::condition::Condition;

/// How far back is looked for anything at all, in seconds.
const LONG_S: u32 = 3 * 3_600;
/// What CloudWatch bills for a figure, in millionths of a dollar.
const FIGURE_MICROS: u64 = 10;
/// Looks in an hour.
const LOOKS: u64 = 120;

/// The norms of a group: those that were said, filled in and looked at. What cannot be judged by is refused, or left
/// out where somebody takes that risk.
pub(super) async fn norms(
    desk: &Desk<'_>,
    row: &GroupRow,
    said: &[Norm],
    takes_risks: bool,
    draft: &mut Draft,
) -> Result<Vec<Norm>> {
    let group = &*row.it;
    if said.is_empty() || group.desired == 0 {
        return Ok(Vec::new());
    }
    let mut filled = Vec::new();
    let mut against = Vec::new();
    for norm in said {
        match fill(desk, row, norm) {
            Ok(several) => filled.extend(several),
            Err((why, mend)) => against.push((why, mend)),
        }
    }
    let seen = look(desk, row, &filled, None).await?;
    let silent: Vec<Norm> = filled.iter().filter(|norm| figure(norm, &seen).is_none()).cloned().collect();
    let before = if silent.is_empty() { Vec::new() } else { look(desk, row, &silent, Some(LONG_S)).await? };
    let mut norms = Vec::new();
    for norm in filled {
        match doubt(&norm, &seen, &before) {
            None => norms.push(norm),
            Some(found) => against.push(found),
        }
    }
    for (why, mend) in against {
        if takes_risks {
            draft.warn(format!("{}: {why}; it is not judged by that", group.name));
        } else {
            draft.refuse(&group.name, why, format!("{mend}; or do without with --override-verdict"));
        }
    }
    for norm in &norms {
        let now = figure(norm, &seen).map_or_else(
            || format!("nothing was measured, which is taken as {}", norm.no_data.word()),
            |figure| format!("{} now", norm.series.told(figure)),
        );
        draft.note(format!("{} is judged by {norm}: {now}", group.name));
    }
    if !norms.is_empty() {
        let queries: u64 = norms.iter().map(|norm| 1 + u64::from(norm.series.per.is_some())).sum();
        let micros = queries * FIGURE_MICROS * LOOKS;
        draft.note(format!(
            "CloudWatch bills about ${:.4} an hour for the figures that {} is judged by",
            micros as f64 / 1e6,
            group.name
        ));
    }
    Ok(norms)
}

/// Lets a leg be ended by figures that are beyond their bounds.
pub(in crate::ops::kinds) fn judge(leg: &mut Leg, norms: &[Norm]) {
    if norms.is_empty() {
        return;
    }
    let fact = |says| Aspect::Launching { fact: LaunchFact::Measured { says, of: norms.to_vec() } };
    leg.judges.extend([Says::Within, Says::Beyond, Says::Silent].map(fact));
    leg.ends.push(Ending {
        when: Condition::AtLeast { fact: fact(Says::Beyond), count: 1 },
        why: format!("CloudWatch is against it: wanted is {}", list(norms)),
        then: Aftermath::Turn,
    });
}

/// What shows that every figure is known and within its bound; none where a leg is judged by none.
pub(in crate::ops::kinds) fn well(leg: &Leg) -> Option<Condition> {
    let of = norms_of(leg)?;
    let none = |says| {
        let fact = Aspect::Launching { fact: LaunchFact::Measured { says, of: of.to_vec() } };
        Condition::AtMost { fact, count: 0 }
    };
    Some(none(Says::Beyond).and(none(Says::Silent)))
}

/// What a leg is judged by, in words; none where that is nothing.
pub(in crate::ops::kinds) fn words(leg: &Leg) -> Option<String> {
    norms_of(leg).map(list)
}

fn norms_of(leg: &Leg) -> Option<&[Norm]> {
    leg.judges.iter().find_map(|fact| match fact {
        Aspect::Launching { fact: LaunchFact::Measured { of, .. } } => Some(of.as_slice()),
        _ => None,
    })
}

fn list(norms: &[Norm]) -> String {
    norms.iter().map(Norm::to_string).collect::<Vec<_>>().join(", ")
}

fn figure(norm: &Norm, seen: &[Measured]) -> Option<crate::model::Figure> {
    seen.iter().find(|one| one.series == norm.series).and_then(|one| one.figure)
}

async fn look(desk: &Desk<'_>, row: &GroupRow, norms: &[Norm], over_s: Option<u32>) -> Result<Vec<Measured>> {
    if norms.is_empty() {
        return Ok(Vec::new());
    }
    let mut of: Vec<_> = norms.iter().map(|norm| norm.series.clone()).collect();
    if let Some(over_s) = over_s {
        of.iter_mut().for_each(|series| series.over_s = over_s.max(series.over_s));
    }
    match desk.look(&row.scope, Look::Measures { of }).await? {
        Seen::Measures(all) => Ok(all),
        _ => Ok(Vec::new()),
    }
}

/// What speaks against judging by a figure, and what mends it.
fn doubt(norm: &Norm, seen: &[Measured], before: &[Measured]) -> Option<(String, String)> {
    let name = &norm.name;
    match figure(norm, seen) {
        Some(figure) if norm.bound.holds(figure) => None,
        Some(figure) => Some((
            format!(
                "{name} is {} already, and must be {}: it would be taken back at once",
                norm.series.told(figure),
                norm.wanted()
            ),
            "mend that first, or give it another bound".to_owned(),
        )),
        None if norm.no_data == NoData::Well => None,
        None => {
            let like = |one: &&Measured| {
                let over_s = norm.series.over_s;
                crate::model::Series { over_s, ..one.series.clone() } == norm.series
            };
            let latest = before.iter().find(like).and_then(|one| one.latest);
            let what = match (&norm.series.per, latest) {
                (Some(per), Some(_)) => format!("{name} has had no {per} in {}", norm.span()),
                (None, Some(at)) => format!("{name} was measured last at {at:.0}"),
                (_, None) => format!(
                    "CloudWatch knows nothing of {name} ({} {} of {}) in three hours",
                    norm.series.namespace,
                    norm.series.metric,
                    dimensions(norm)
                ),
            };
            let then = match norm.no_data {
                NoData::Ill => "which is taken as ill: it would be taken back at once",
                NoData::Wait | NoData::Well => {
                    "so that nobody could tell whether new members are well: they would be waited for, and taken back"
                }
            };
            let mend = "see whether its name and dimensions are right, or say `no_data = \"well\"` of a metric that is \
                        sent only when something is wrong";
            Some((format!("{what}, {then}"), mend.to_owned()))
        }
    }
}

fn dimensions(norm: &Norm) -> String {
    if norm.series.dimensions.is_empty() {
        return "no dimension".to_owned();
    }
    let each = norm.series.dimensions.iter().map(|(name, value)| format!("{name}={value}"));
    each.collect::<Vec<_>>().join(" ")
}

/// A norm for this group: one, or one for each of its target groups and their load balancers.
fn fill(desk: &Desk<'_>, row: &GroupRow, norm: &Norm) -> std::result::Result<Vec<Norm>, (String, String)> {
    let group = &*row.it;
    let wants = |word: &str| norm.series.dimensions.iter().any(|(_, value)| value.contains(word));
    let put = |pairs: &[(&str, &str)], name: Text| {
        let mut norm = Norm { name, ..norm.clone() };
        for (_, value) in &mut norm.series.dimensions {
            for (word, with) in pairs {
                *value = value.replace(word, with).into();
            }
        }
        norm
    };
    let tier = row.tier.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut usual = vec![("{group}", group.name.as_str()), ("{tier}", tier.as_str())];
    let cluster = super::super::rollout::cluster(desk, row);
    let cluster = cluster.as_ref().map(|arn| arn.as_str().rsplit('/').next().unwrap_or_default());
    if wants("{cluster}") {
        let Some(cluster) = cluster else {
            let why = format!("{} is measured by cluster, and no member of it is in one", norm.name);
            return Err((why, "give the group a tier of its own without that metric".to_owned()));
        };
        usual.push(("{cluster}", cluster));
    }
    if !wants("{target_group}") && !wants("{load_balancer}") {
        return Ok(vec![put(&usual, norm.name.clone())]);
    }
    let part = desk.snapshot.parts.iter().find(|part| *part.scope == *row.scope);
    let known = part.and_then(|part| part.target_groups.value.as_ref());
    let all: Vec<&TargetGroup> = known
        .iter()
        .flat_map(|all| all.iter())
        .filter(|one| group.target_groups.contains(&one.arn))
        .collect();
    let behind = |one: &&TargetGroup| -> Vec<(Text, String, String)> {
        let tail = |arn: &BalancerArn| match arn.as_str().split_once(":loadbalancer/") {
            Some((_, tail)) => tail.to_owned(),
            None => arn.to_string(),
        };
        let own = one.arn.as_str().rsplit(':').next().unwrap_or_default().to_owned();
        let mut pairs: Vec<_> =
            one.balancers.iter().map(|arn| (one.name.clone(), own.clone(), tail(arn))).collect();
        if pairs.is_empty() && !wants("{load_balancer}") {
            pairs.push((one.name.clone(), own, String::new()));
        }
        pairs
    };
    let pairs: Vec<(Text, String, String)> = all.iter().flat_map(behind).collect();
    if pairs.is_empty() {
        let why = match all.first() {
            Some(idle) => format!(
                "{} is measured at the load balancer, and none sends anything to {} of it",
                norm.name, idle.name
            ),
            None => format!("{} is measured at the load balancer, and it has no target group", norm.name),
        };
        return Err((why, "give the group a tier of its own without that metric".to_owned()));
    }
    let is_one = pairs.len() == 1;
    let each = pairs.iter().map(|(of, target_group, balancer)| {
        let name = if is_one { norm.name.clone() } else { format!("{} in {of}", norm.name).into() };
        let more = [("{target_group}", target_group.as_str()), ("{load_balancer}", balancer.as_str())];
        put(&[usual.as_slice(), &more].concat(), name)
    });
    let mut filled: Vec<Norm> = each.collect();
    filled.dedup_by(|one, other| one.series == other.series);
    Ok(filled)
}
