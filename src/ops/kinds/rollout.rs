//! `rollout`: groups get another image, by a new version of their launch templates, in waves.
//!
//! ```text
//! wave 1   a lane for each template: make the version (only the image differs), ask EC2 whether it would launch it
//! wave 2   development groups ┐ a lane each: refresh up to a canary ─→ judge it ─→ watch it ─→ the rest
//! wave 3   one other group    │
//! wave 4   all others         ┘
//! wave 5   $Default is moved, where that is wanted
//! ```
//!
//! The number of the new version is part of the plan: versions are numbered by AWS one after the other and never
//! change, so that a version which somebody else makes meanwhile makes the plan stale instead of being mistaken for
//! ours. What fails is taken back, and everything that was done before it too.

mod check;
mod lanes;
mod own;
mod waves;

pub use self::check::{Checked, check};
pub(super) use self::lanes::cluster;
use super::super::aspect::Aspect;
use super::super::desk::{Desk, Draft};
use super::super::guard::forbids;
use super::super::image::{Allowed, Found, Lost, find, fits};
use super::super::intent::{Intent, OnTimeout, RolloutWish};
use super::protect::count;
use super::refresh::{Picture, Target, Version, lane_to, resolve};
use crate::error::Result;
use crate::fleet::GroupRow;
use crate::model::{
    Group, Image, ImageId, InstanceType, RefreshPreset, Scope, TargetGroupArn, TemplateId, TemplateRef,
    TemplateVersion, Text,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;

/// Percent of a group that are tried first, where nobody says: as few as make one.
const CANARY: u32 = 5;
/// How long a canary that serves is watched before the rest follows, in seconds.
const WATCH_S: u64 = 600;
/// What a canary is given to come up and be judged, in seconds, beside its warm-up.
const JUDGE_S: u64 = 1_500;
/// How long is waited after the watch for figures that are not known, in seconds.
const HEARD_S: u64 = 600;

/// A new version of a template that a rollout makes.
#[derive(Clone, Debug)]
struct Made {
    scope: Scope,
    template: TemplateId,
    name: Text,
    from: u64,
    number: u64,
    latest: u64,
    default: u64,
    image: Image,
    words: String,
    /// Groups that launch it, with where and as what EC2 is asked to try it.
    tries: Vec<(Option<Text>, Option<InstanceType>)>,
    groups: Vec<String>,
}

/// Which image is meant, or why there is none.
type Answer = std::result::Result<Found, Lost>;

/// A group on its way to a version.
struct Aimed<'a> {
    row: &'a GroupRow,
    target: Target,
}

/// Groups get another image.
pub(super) fn draft<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move {
        let wish = intent.options.rollout.as_deref().cloned().unwrap_or_default();
        let mut draft = Draft::default();
        let mut made: Vec<Made> = Vec::new();
        let mut aimed = Vec::new();
        let mut found: BTreeMap<(Scope, Option<ImageId>), Answer> = BTreeMap::new();
        let mut current = Vec::new();
        for row in desk.groups(&intent.targets, &mut draft) {
            if let Some(why) = forbids(&row.it.tags, &intent.options, desk.now) {
                draft.refuse(&row.it.name, why, "ask whoever set it, or say --ignore-do-not-disrupt");
                continue;
            }
            let Some((target, now)) = from(desk, row, &mut draft).await? else { continue };
            let key = ((*row.scope).clone(), now.as_ref().map(|now| now.id.clone()));
            let answer = match found.get(&key).cloned() {
                Some(answer) => answer,
                None => {
                    let answer = find(desk, &row.scope, &wish.image, now.as_ref()).await?;
                    found.insert(key, answer.clone());
                    answer
                }
            };
            let image = match answer {
                Ok(image) => image,
                Err(Lost { why, mend }) => {
                    draft.refuse(&row.it.name, why, mend);
                    continue;
                }
            };
            let own = own::images(desk, row, target, &wish, &mut made, &mut draft).await?;
            let Some((target, is_new)) = own else { continue };
            if !is_new && now.as_ref().is_some_and(|now| now.id == image.image.id) {
                current.push(row);
                continue;
            }
            if !may_launch(desk, row, &image, (now.as_ref(), &types(&row.it)), &wish, &mut draft) {
                continue;
            }
            let Some(target) = version(desk, row, target, &image, &mut made, &mut draft) else { continue };
            aimed.push(Aimed { row, target });
        }
        if aimed.is_empty() && draft.refusals.is_empty() {
            for row in &current {
                draft.refuse(
                    &row.it.name,
                    "it launches this image already: there is nothing to roll out",
                    format!("members that run another one follow by `coredeck refresh {}`", row.it.name),
                );
            }
        }
        for row in current.iter().filter(|_| !aimed.is_empty()) {
            draft.warn(format!("{} launches the image already and is left alone", row.it.name));
        }
        let groups = aimed.len();
        lanes(desk, intent, &wish, &made, aimed, &mut draft).await?;
        draft.title = title(&made, groups);
        for note in &wish.notes {
            draft.warn(format!("the image must have: {note} (noted by whoever planned this; nobody looked)"));
        }
        draft.cost = Some("instances that are there twice for a while are paid twice".to_owned());
        Ok(draft)
    }
    .boxed()
}

fn title(made: &[Made], groups: usize) -> String {
    match made {
        [one] => format!("roll out {} to {}", one.image.id, count(groups, "group")),
        _ => format!("roll out {} to {}", count(made.len(), "new template version"), count(groups, "group")),
    }
}

/// What a group launches now, and the image in it; none where it cannot be rolled out, which is then refused.
async fn from(desk: &Desk<'_>, row: &GroupRow, draft: &mut Draft) -> Result<Option<(Target, Option<Image>)>> {
    let group = &*row.it;
    let target = match resolve(desk, row, &Default::default()).await? {
        Ok(target) => target,
        Err(refusal) => {
            draft.refusals.push(refusal);
            return Ok(None);
        }
    };
    let Some(to) = &target.to else {
        draft.refuse(
            &group.name,
            "it launches from a launch configuration, which has no versions",
            "move the group to a launch template first",
        );
        return Ok(None);
    };
    if let Some(why) = &target.unsendable {
        draft.refuse(
            &group.name,
            why.clone(),
            "make the version by hand, and `coredeck refresh` it without one",
        );
        return Ok(None);
    }
    let id = to.says.image.clone().unwrap_or_default();
    let now = image_of(desk, row, &id);
    if id.starts_with("resolve:ssm:") {
        draft.warn(format!(
            "{} looks its image up at launch ({id}); afterwards it has a fixed one",
            group.name
        ));
    }
    Ok(Some((target, now)))
}

/// The image of an id as it is known.
fn image_of(desk: &Desk<'_>, row: &GroupRow, id: &str) -> Option<Image> {
    let part = desk.snapshot.parts.iter().find(|part| *part.scope == *row.scope);
    let images = part.and_then(|part| part.images.value.as_ref());
    images.iter().flat_map(|all| all.iter()).find(|image| image.id.as_str() == id).cloned()
}

/// Whether types of the group can and should launch the image; what is against it is refused.
fn may_launch(
    desk: &Desk<'_>,
    row: &GroupRow,
    found: &Found,
    (now, types): (Option<&Image>, &[InstanceType]),
    wish: &RolloutWish,
    draft: &mut Draft,
) -> bool {
    let group = &*row.it;
    let part = desk.snapshot.parts.iter().find(|part| *part.scope == *row.scope);
    let account = part.and_then(|part| part.identity.value.as_ref()).map(|it| it.account_id.to_string());
    let allowed = Allowed {
        deprecated: wish.allow_deprecated,
        older: wish.allow_older,
        owners: wish.allow_owners.iter().map(Text::new).collect(),
    };
    let (wrongs, warnings) =
        fits(&found.image, now, types, account.as_deref().unwrap_or_default(), &allowed, desk.now);
    warnings.into_iter().for_each(|warning| draft.warn(warning));
    let is_fine = wrongs.is_empty();
    for wrong in wrongs {
        draft.refuse(&group.name, wrong.why, wrong.mend);
    }
    is_fine
}

/// The types that a group launches from its template's image: of its policy, or of its members.
fn types(group: &Group) -> Vec<InstanceType> {
    let all = group.mix.iter().flat_map(|mix| mix.types.iter().enumerate().map(move |it| (mix, it)));
    let common = all.filter(|(mix, (at, _))| {
        !mix.own.iter().any(|own| own.at == *at && (own.image.is_some() || own.template.is_some()))
    });
    let mut types: Vec<InstanceType> = common.map(|(_, (_, (kind, _)))| kind.clone()).collect();
    if types.is_empty() && group.mix.is_none() {
        types = group.members.iter().filter_map(|member| member.instance_type.clone()).collect();
    }
    types.sort();
    types.dedup();
    types
}

/// The version that the group will launch: one that another group of the same template gets, or a new one.
fn version(
    desk: &Desk<'_>,
    row: &GroupRow,
    target: Target,
    found: &Found,
    made: &mut Vec<Made>,
    draft: &mut Draft,
) -> Option<Target> {
    let before = target.to.clone()?;
    let tried = || types(&row.it).into_iter().next().or_else(|| own::type_with(&target, found));
    let kind = before.says.instance_type.is_none().then(tried).flatten();
    let number = number(desk, row, &before, (found, kind), made, draft)?;
    let it = TemplateRef { version: number.to_string().into(), ..before.it.clone() };
    let says =
        TemplateVersion { number, image: Some(Text::new(found.image.id.as_str())), ..before.says.clone() };
    let to = Version { it, says, image: Picture::There };
    Some(Target { to: Some(to), before: Some(before), ..target })
}

/// The number of the version that is made from another one with an image: of one that is made already for another
/// group, or of a new one. EC2 is asked to try it as a type.
fn number(
    desk: &Desk<'_>,
    row: &GroupRow,
    before: &Version,
    (found, kind): (&Found, Option<InstanceType>),
    made: &mut Vec<Made>,
    draft: &mut Draft,
) -> Option<u64> {
    let group = &*row.it;
    let part = desk.snapshot.parts.iter().find(|part| *part.scope == *row.scope)?;
    let templates = part.templates.value.as_ref()?;
    let template = templates.iter().find(|template| template.id == before.it.id)?;
    // Whoever follows the latest version would launch the new one before anybody has judged it.
    let mut groups = part.groups.value.iter().flat_map(|all| all.iter());
    let follower =
        groups.find_map(|group| Some((group, follows_latest(group, &template.id, &template.name)?)));
    if let Some((follower, follows)) = follower {
        let mend = match follows {
            Follows::Itself => format!(
                "coredeck refresh {} --to-version {} first, which sets it to a number",
                follower.name, template.latest_version
            ),
            Follows::Type(kind) => format!(
                "give {kind} version {} of {} by its number first, in the policy of {}",
                template.latest_version, template.name, follower.name
            ),
        };
        draft.refuse(
            &group.name,
            format!(
                "{} follows $Latest of {}: it would launch the new version before it is judged",
                follower.name, template.name
            ),
            mend,
        );
        return None;
    }
    let tried = (group.subnets.first().cloned(), kind);
    let known = made.iter_mut().find(|one| {
        one.scope == *row.scope
            && one.template == template.id
            && one.from == before.says.number
            && one.image.id == found.image.id
    });
    if let Some(one) = known {
        if !one.groups.iter().any(|name| *name == group.name.as_str()) {
            one.groups.push(group.name.to_string());
        }
        if !one.tries.contains(&tried) && one.tries.len() < 3 {
            one.tries.push(tried);
        }
        return Some(one.number);
    }
    let more = made.iter().filter(|one| one.scope == *row.scope && one.template == template.id).count();
    let number = template.latest_version + 1 + more as u64;
    made.push(Made {
        scope: (*row.scope).clone(),
        template: template.id.clone(),
        name: template.name.clone(),
        from: before.says.number,
        number,
        latest: template.latest_version,
        default: template.default_version,
        image: found.image.clone(),
        words: found.words(),
        tries: vec![tried],
        groups: vec![group.name.to_string()],
    });
    Some(number)
}

/// What of a group follows the latest version of a template.
enum Follows {
    /// All that it launches.
    Itself,
    /// This type.
    Type(InstanceType),
}

fn follows_latest(group: &Group, id: &TemplateId, name: &Text) -> Option<Follows> {
    let follows = |used: &TemplateRef| {
        used.version == "$Latest" && (used.id == *id || used.id.is_empty() && used.name == *name)
    };
    if group.template.as_ref().is_some_and(follows) {
        return Some(Follows::Itself);
    }
    let mix = group.mix.as_ref()?;
    let own = mix.own.iter().find(|own| own.template.as_ref().is_some_and(follows))?;
    mix.types.get(own.at).map(|(kind, _)| Follows::Type(kind.clone()))
}

async fn lanes(
    desk: &Desk<'_>,
    intent: &Intent,
    wish: &RolloutWish,
    made: &[Made],
    aimed: Vec<Aimed<'_>>,
    draft: &mut Draft,
) -> Result<()> {
    let mut groups = Vec::new();
    for Aimed { row, target } in aimed {
        let group = &*row.it;
        let is_measured =
            !wish.preset.or(&super::refresh::preset(desk, row)).metrics.unwrap_or_default().is_empty();
        let preset = preset(wish, group, is_measured);
        let refresh = crate::ops::intent::RefreshWish { preset, ..Default::default() };
        let before = draft.lanes.len();
        lane_to(desk, row, intent, &refresh, target.clone(), false, draft).await?;
        // What is refused has no lane.
        let Some(lane) = draft.lanes.get(before).cloned() else { continue };
        draft.lanes.truncate(before);
        let Some(to) = &target.to else { continue };
        let target_groups = asked(desk, row, draft);
        let judged = (&to.it, own::templates(row, &target));
        let lane = lanes::group(desk, row, judged, lane, target_groups, wish);
        groups.push((row, lane));
    }
    for one in made {
        draft.hold(&one.scope, "template", one.template.as_str(), crate::store::journal::Grip::Alone);
    }
    let ordered = waves::ordered(groups.iter().map(|(row, _)| waves::Facts::of(row)).collect());
    let mut by_number: Vec<Option<crate::ops::plan::Lane>> =
        groups.into_iter().map(|(_, lane)| Some(lane)).collect();
    let first = lanes::templates(made, draft);
    draft.waves.push(first);
    for (nth, wave) in ordered.into_iter().enumerate() {
        let mut numbers = Vec::new();
        for at in wave {
            if let Some(mut lane) = by_number.get_mut(at).and_then(Option::take) {
                // Hours may pass until then, in which scaling policies do what they are for. A refresh goes by shares of
                // whatever size a group has.
                if nth > 0 {
                    lane.facts.retain(|fact| {
                        !matches!(fact.fact, Aspect::GroupDesired { .. } | Aspect::GroupMax { .. })
                    });
                }
                numbers.push(draft.lanes.len());
                draft.lanes.push(lane);
            }
        }
        draft.waves.push(numbers);
    }
    if wish.move_default {
        let defaults = lanes::defaults(made, draft);
        draft.waves.push(defaults);
    }
    draft.is_one_piece = !wish.keep_finished && intent.options.on_timeout == OnTimeout::Undo;
    Ok(())
}

/// The target groups that are asked whether new members are healthy: those that no load balancer sends anything to
/// check nobody.
fn asked(desk: &Desk<'_>, row: &GroupRow, draft: &mut Draft) -> Vec<TargetGroupArn> {
    let part = desk.snapshot.parts.iter().find(|part| *part.scope == *row.scope);
    let known = part.and_then(|part| part.target_groups.value.as_ref());
    let idle = |arn: &TargetGroupArn| {
        let mut all = known.iter().flat_map(|all| all.iter());
        all.find(|one| one.arn == *arn).filter(|one| one.balancers.is_empty()).cloned()
    };
    let mut asked = Vec::new();
    for arn in &row.it.target_groups {
        match idle(arn) {
            Some(idle) => draft.warn(format!(
                "no load balancer uses target group {} of {}: what it says of new members is not asked",
                idle.name, row.it.name
            )),
            None => asked.push(arn.clone()),
        }
    }
    asked
}

/// How the group is refreshed: up to the canary first, with time to judge and to watch it, and then the rest.
fn preset(wish: &RolloutWish, group: &Group, is_measured: bool) -> RefreshPreset {
    let canary = canary(wish, group.desired);
    let checkpoints = if canary >= 100 { vec![100] } else { vec![canary, 100] };
    let heard = if is_measured { HEARD_S } else { 0 };
    let delay = (watch_s(wish) + JUDGE_S + heard).min(172_800);
    RefreshPreset {
        checkpoints: Some(wish.preset.checkpoints.clone().unwrap_or(checkpoints)),
        checkpoint_delay_s: Some(
            wish.preset.checkpoint_delay_s.unwrap_or(u32::try_from(delay).unwrap_or(172_800)),
        ),
        ..wish.preset.clone()
    }
}

/// Percent of the group that are tried first: at least one instance.
fn canary(wish: &RolloutWish, desired: u32) -> u32 {
    let one = 100u32.div_ceil(desired.max(1));
    wish.canary.unwrap_or(CANARY).max(one).min(100)
}

fn watch_s(wish: &RolloutWish) -> u64 {
    wish.watch_s.unwrap_or(WATCH_S)
}
