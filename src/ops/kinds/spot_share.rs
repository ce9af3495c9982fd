//! `spot-share`: how much of a mixed group is spot, which types it launches, and how AWS chooses among them.
//!
//! AWS takes a mixed instances policy whole: what is not sent back is lost. A policy of which a part is not known
//! here is refused, never cut.

mod figures;
pub(super) mod lists;

use super::super::aspect::{Aspect, Value};
use super::super::commit::planned;
use super::super::condition::Condition;
use super::super::desk::{Desk, Draft};
use super::super::guard::forbids;
use super::super::intent::{Intent, RefreshWish, ShareWish};
use super::super::plan::{Fact, Lane, Leg, Proof, Step, Undo, leg};
use super::super::refreshing::launches;
use super::protect::count;
use super::refresh::{lane_to, resolve};
use crate::error::{Error, Result, did_you_mean};
use crate::fleet::GroupRow;
use crate::gateway::change::{Change, Desired};
use crate::gateway::{Look, Seen};
use crate::model::{Group, InstanceType, Mix, OwnLaunch, TemplateRef, Text};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;

/// How AWS can choose spot pools, the recommended way first.
const STRATEGIES: [&str; 4] =
    ["price-capacity-optimized", "capacity-optimized", "capacity-optimized-prioritized", "lowest-price"];

/// Mixed groups get another share.
pub(super) fn draft<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move {
        let wish = known(intent.options.share.as_deref().cloned().unwrap_or_default())?;
        let mut draft = Draft::default();
        for row in desk.groups(&intent.targets, &mut draft) {
            lane(desk, row, intent, &wish, &mut draft).await?;
        }
        draft.title = match draft.lanes.as_slice() {
            [lane] => lane.steps.first().map(|step| step.title.clone()).unwrap_or_default(),
            lanes => format!("change the spot share of {}", count(lanes.len(), "group")),
        };
        draft.cost = Some(
            "it changes as members are replaced, by what AWS then takes; what is known is noted below"
                .to_owned(),
        );
        Ok(draft)
    }
    .boxed()
}

async fn lane(
    desk: &Desk<'_>,
    row: &GroupRow,
    intent: &Intent,
    wish: &ShareWish,
    draft: &mut Draft,
) -> Result<()> {
    let group: &Group = &row.it;
    let name = &group.name;
    if let Some(why) = forbids(&group.tags, &intent.options, desk.now) {
        draft.refuse(name, why, "ask whoever set it, or say --ignore-do-not-disrupt");
    }
    let (Some(mix), Some(template)) = (&group.mix, &group.template) else {
        let mend = "give it a mixed instances policy where its template is kept, then change its share here";
        draft.refuse(name, "it has no mixed instances policy", mend);
        return Ok(());
    };
    if !mix.unheld.is_empty() {
        let parts: Vec<&str> = mix.unheld.iter().map(Text::as_str).collect();
        let why = format!("its policy has {}, which would be lost when it is sent back", parts.join(" and "));
        draft.refuse(name, why, "change it where it is kept, or with the aws command");
        return Ok(());
    }
    let seen = desk.look(&row.scope, Look::Refreshes { group: name.clone() }).await?;
    if let Seen::Refreshes(all) = seen
        && let Some(one) = all.iter().find(|one| one.refresh.is_active() && one.launches.is_some())
    {
        let why = format!(
            "refresh {} with a desired configuration is {}: AWS takes no other policy until it is over",
            one.refresh.id, one.refresh.status
        );
        draft.refuse(
            name,
            why,
            format!("wait for its end, or coredeck refresh {name} --adopt and cancel it"),
        );
        return Ok(());
    }
    let new = match merged(mix, wish) {
        Ok(new) => new,
        Err((why, mend)) => {
            draft.refuse(name, why, mend);
            return Ok(());
        }
    };
    warn(group, mix, &new, intent.options.refresh.is_some(), draft);
    figures::tell(desk, row, mix, &new, draft).await;
    let title = format!("set {name} from {} to {}", share(mix), share(&new));
    if intent.options.refresh.is_some() && new == *mix {
        let mend = format!("coredeck refresh {name} --skip-matching no replaces its members all the same");
        draft.refuse(name, "it is so already", mend);
        return Ok(());
    }
    if intent.options.refresh.is_some() {
        return refreshed(desk, row, intent, new, title, draft).await;
    }
    let desired = Desired::Mixed { template: template.clone(), mix: new.clone() };
    planned(name, &launches(group), &desired).into_iter().for_each(|said| draft.warn(said));
    draft.hold(&row.scope, "group", name.as_str(), Grip::Alone);
    let undo = if new == *mix {
        Undo::Nothing
    } else {
        Undo::Exact { leg: Box::new(set(group, template, mix.clone())) }
    };
    draft.lanes.push(Lane {
        name: name.to_string(),
        target: name.to_string(),
        scope: (*row.scope).clone(),
        tier: None,
        facts: vec![Fact {
            fact: Aspect::GroupLaunches { group: name.clone() },
            was: Value::Words(launches(group)),
        }],
        steps: vec![Step {
            title,
            go: set(group, template, new),
            undo,
            proof: Proof::Checked,
            expected_s: 2,
            may_be_forced: false,
        }],
    });
    Ok(())
}

/// The share is changed by a refresh: what it launches is the new policy, and the group keeps that when it succeeds.
/// So AWS itself goes back to the old one while the refresh is under way.
async fn refreshed(
    desk: &Desk<'_>,
    row: &GroupRow,
    intent: &Intent,
    new: Mix,
    title: String,
    draft: &mut Draft,
) -> Result<()> {
    let mut wish = intent.options.refresh.as_deref().cloned().unwrap_or_default();
    // A member matches by its version and type, whatever is paid for it.
    wish.preset.skips_matching = Some(false);
    let mut target = match resolve(desk, row, &RefreshWish::default()).await? {
        Ok(target) => target,
        Err(refusal) => {
            draft.refusals.push(refusal);
            return Ok(());
        }
    };
    target.before = target.before.take().or_else(|| target.to.clone());
    target.mix = Some(new);
    let lanes = draft.lanes.len();
    lane_to(desk, row, intent, &wish, target, true, draft).await?;
    for step in draft.lanes.iter_mut().skip(lanes).flat_map(|lane| &mut lane.steps) {
        step.title = format!("{title}, and {}", step.title);
    }
    Ok(())
}

/// A share in a few words.
fn share(mix: &Mix) -> String {
    let types: Vec<&str> = mix.types.iter().map(|(kind, _)| kind.as_str()).collect();
    let strategy = mix.spot_strategy.as_deref().unwrap_or("no spot strategy");
    let (base, percent) = (mix.on_demand_base, mix.on_demand_percent);
    let spot = 100_u32.saturating_sub(percent);
    format!("{percent}/{spot} on demand/spot above {base}, {strategy}, {}", types.join(" "))
}

fn set(group: &Group, template: &TemplateRef, mix: Mix) -> Leg {
    let mut then = group.clone();
    then.mix = Some(mix.clone());
    let fact = Aspect::GroupLaunches { group: group.name.clone() };
    let until = Condition::is(fact, Value::Words(launches(&then)));
    let change = Change::SetMix { group: group.name.clone(), template: template.clone(), mix: Box::new(mix) };
    leg(change, until, 60, 5)
}

/// Pools that the lowest price is spread over where nobody says how many: AWS's default.
const POOLS: u32 = 2;

/// The policy with what is wished in it; or why that cannot be, and what to do.
fn merged(mix: &Mix, wish: &ShareWish) -> Result<Mix, (String, String)> {
    let mut new = mix.clone();
    new.on_demand_base = wish.base.unwrap_or(mix.on_demand_base);
    new.on_demand_percent = wish.percent.unwrap_or(mix.on_demand_percent);
    if let Some(strategy) = &wish.strategy {
        new.spot_strategy = Some(Text::new(strategy));
        // Only the lowest price is spread over a number of pools; AWS answers with its own where none is said.
        new.spot_pools = (strategy == "lowest-price").then(|| mix.spot_pools.unwrap_or(POOLS));
    }
    if wish.types.is_empty() {
        return Ok(new);
    }
    let types: Vec<(InstanceType, Option<Text>)> = wish
        .types
        .iter()
        .map(|word| match word.split_once('=') {
            Some((kind, weight)) => (InstanceType::new(kind), Some(Text::new(weight))),
            None => {
                let had = mix.types.iter().find(|(kind, _)| kind.as_str() == word);
                (InstanceType::new(word), had.and_then(|(_, weight)| weight.clone()))
            }
        })
        .collect();
    let weighted = types.iter().filter(|(_, weight)| weight.is_some()).count();
    if weighted != 0 && weighted != types.len() {
        let bare = types.iter().find(|(_, weight)| weight.is_none()).map_or("", |(kind, _)| kind.as_str());
        return Err((
            format!("{bare} has no weight and others have one: AWS wants all or none"),
            format!("say it: --types {bare}=2,…"),
        ));
    }
    new.own = own(mix, &types);
    let has_own = |at: usize| new.own.iter().any(|own| own.at == at);
    let known = mix.types.first().map(|(kind, _)| is_arm(kind.as_str()));
    let strange = types
        .iter()
        .enumerate()
        .find(|(at, (kind, _))| !has_own(*at) && known.is_some_and(|is| is != is_arm(kind.as_str())));
    if let Some((_, (kind, _))) = strange {
        let arch = if known == Some(true) { "arm64" } else { "x86_64" };
        return Err((
            format!("{kind} is of another architecture than the group's image, which is for {arch}"),
            "name types of one architecture, or give the type a template of its own first".to_owned(),
        ));
    }
    new.types = types;
    Ok(new)
}

/// What single types are launched with, at their new places.
fn own(mix: &Mix, types: &[(InstanceType, Option<Text>)]) -> Vec<OwnLaunch> {
    let moved = mix.own.iter().filter_map(|own| {
        let (kind, _) = mix.types.get(own.at)?;
        let at = types.iter().position(|(new, _)| new == kind)?;
        Some(OwnLaunch { at, ..own.clone() })
    });
    moved.collect()
}

/// Whether a type is one of AWS's own processors, by AWS's way of naming them: the `g` behind the generation.
fn is_arm(kind: &str) -> bool {
    let family = kind.split('.').next().unwrap_or(kind);
    let rest = family.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let marks = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    family == "a1" || (rest.len() > marks.len() && marks.starts_with('g'))
}

fn warn(group: &Group, mix: &Mix, new: &Mix, is_refreshed: bool, draft: &mut Draft) {
    let name = &group.name;
    if new == mix {
        draft.warn(format!("{name} is so already"));
        return;
    }
    if new.on_demand_percent == 0 && new.on_demand_base == 0 {
        draft.warn(format!(
            "all of {name} would be spot: a wave of interruptions could take every member at once"
        ));
    }
    if new.on_demand_percent < 100 && new.types.len() < 3 {
        let few = count(new.types.len(), "type");
        draft.warn(format!("{name} launches {few} only: more types mean fewer interruptions"));
    }
    if new.on_demand_percent < 100 && new.spot_strategy.as_deref() == Some("lowest-price") {
        draft.warn(format!(
            "{name} takes the cheapest pool, which is interrupted most: AWS recommends price-capacity-optimized"
        ));
    }
    if new.on_demand_percent < 100 && group.rebalances != Some(true) {
        draft.notes.push(format!(
            "{name} replaces spot instances only when they are taken: coredeck tune {name} --rebalance on does before"
        ));
    }
    let bursts =
        |kind: &InstanceType| ["t3.", "t3a.", "t4g."].iter().any(|family| kind.as_str().starts_with(family));
    if let Some((kind, _)) = new.types.iter().find(|(kind, _)| new.on_demand_percent < 100 && bursts(kind)) {
        draft.warn(format!(
            "{kind} bursts without limit unless its template says otherwise: on spot the surplus may cost more than the \
             instance"
        ));
    }
    if !is_refreshed {
        draft.warn(format!(
            "members of {name} stay what they are: new ones follow the new share; --refresh replaces all by them"
        ));
    }
}

/// The wish with the names that AWS knows.
fn known(wish: ShareWish) -> Result<ShareWish> {
    if wish == ShareWish::default() {
        return Err(Error::usage("no share is given").hint(
            "coredeck spot-share GROUP --preset 20/80, or --on-demand-base 2 --on-demand-percent 20, --strategy, --types",
        ));
    }
    if let Some(strategy) = &wish.strategy
        && !STRATEGIES.contains(&strategy.as_str())
    {
        let error = Error::usage(format!("there is no spot allocation strategy `{strategy}`"));
        return Err(match did_you_mean(strategy, STRATEGIES) {
            Some(meant) => error.hint(format!("did you mean {meant}?")),
            None => error.hint(STRATEGIES.join(", ")),
        });
    }
    if let Some(percent) = wish.percent.filter(|percent| *percent > 100) {
        return Err(Error::usage(format!("{percent} % on demand is more than all")));
    }
    for word in &wish.types {
        let (kind, weight) = word.split_once('=').unwrap_or((word, "1"));
        let is_type =
            kind.split_once('.').is_some_and(|(family, size)| !family.is_empty() && !size.is_empty());
        if !is_type || !weight.parse::<u32>().is_ok_and(|weight| (1..=999).contains(&weight)) {
            return Err(Error::usage(format!("`{word}` is no type such as m5.large or m5.xlarge=2")));
        }
    }
    let twice = wish.types.iter().enumerate().find(|(at, word)| {
        let kind = |word: &str| word.split('=').next().unwrap_or_default().to_owned();
        wish.types.iter().take(*at).any(|other| kind(other) == kind(word))
    });
    match twice {
        Some((_, word)) => Err(Error::usage(format!("{word} is named twice"))),
        None => Ok(wish),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_arm, merged};
    use crate::model::{Mix, OwnLaunch};
    use crate::ops::intent::ShareWish;

    #[test]
    fn processors_are_told_by_the_names_of_types() {
        for kind in
            ["t4g.small", "m7g.large", "c7gn.xlarge", "r8gd.large", "a1.medium", "g5g.xlarge", "im4gn.large"]
        {
            assert!(is_arm(kind), "{kind}");
        }
        for kind in
            ["t3.small", "m5.large", "g4dn.xlarge", "g5.xlarge", "m7a.large", "c6i.large", "u-6tb1.56xlarge"]
        {
            assert!(!is_arm(kind), "{kind}");
        }
    }

    #[test]
    fn what_is_not_wished_stays_and_own_launches_move_with_their_types() {
        let own = OwnLaunch { at: 1, template: None, image: Some("ami-1".into()) };
        let mix = Mix {
            on_demand_base: 2,
            on_demand_percent: 50,
            spot_max_price: Some("0.05".into()),
            on_demand_strategy: Some("prioritized".into()),
            types: vec![("m5.large".into(), None), ("m7g.large".into(), None)],
            own: vec![own],
            ..Mix::default()
        };
        let wish = |types: &[&str]| ShareWish {
            percent: Some(20),
            types: types.iter().map(|kind| (*kind).to_owned()).collect(),
            ..ShareWish::default()
        };
        let new = merged(&mix, &wish(&[])).unwrap();
        assert_eq!(new, Mix { on_demand_percent: 20, ..mix.clone() });
        let new = merged(&mix, &wish(&["m7g.large", "m5.large", "m5a.large"])).unwrap();
        assert_eq!((new.own[0].at, new.on_demand_base, new.spot_max_price.as_deref()), (0, 2, Some("0.05")));
        let (why, _) = merged(&mix, &wish(&["m5.large", "t4g.small"])).unwrap_err();
        assert!(why.contains("t4g.small is of another architecture"), "{why}");
        let (why, _) = merged(&mix, &wish(&["m5.large=2", "m5a.large"])).unwrap_err();
        assert!(why.contains("m5a.large has no weight"), "{why}");
    }
}
