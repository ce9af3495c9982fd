//! Taking over a refresh that somebody else started: it is followed, held, stopped and taken back like one's own.

use super::super::super::aspect::{Aspect, Value};
use super::super::super::commit::planned;
use super::super::super::desk::{Desk, Draft};
use super::super::super::intent::{Intent, RefreshWish};
use super::super::super::plan::{Fact, Lane};
use super::super::super::refreshing::launches;
use super::course::{self, Aim, Back};
use super::target;
use super::{around, patience_s};
use crate::error::Result;
use crate::fleet::GroupRow;
use crate::gateway::change::{Desired, Preferences};
use crate::model::{Group, Handling, RefreshDetail};
use crate::store::journal::Grip;

/// The lane of a group whose refresh is taken over.
pub(super) async fn lane(desk: &Desk<'_>, row: &GroupRow, intent: &Intent, draft: &mut Draft) -> Result<()> {
    let group: &Group = &row.it;
    let around = around(desk, &row.scope, &group.name).await?;
    let Some(active) = around.refreshes.iter().find(|one| one.refresh.is_active()) else {
        let why = match around.refreshes.first() {
            Some(last) => format!("no refresh is under way; the last one was {}", last.refresh.status),
            None => "no refresh is under way, and there was none in six weeks".to_owned(),
        };
        draft.refuse(&group.name, why, format!("coredeck refresh {} starts one", group.name));
        return Ok(());
    };
    let id = &active.refresh.id;
    if group.suspended.iter().any(|process| process == "InstanceRefresh") {
        draft.warn(format!(
            "InstanceRefresh of {} is suspended, so that it stands still: `coredeck op pause` and `op resume` of this \
             operation let it go on",
            group.name
        ));
    }
    let back = back(desk, row, active).await?;
    let to = active.launches.as_ref().map(|template| format!(" to version {}", template.version));
    let title = format!(
        "take over refresh {id} of {}{} ({}, {} %)",
        group.name,
        to.unwrap_or_default(),
        active.refresh.status,
        active.refresh.percent.unwrap_or(0)
    );
    let of = u32::try_from(group.members.len()).unwrap_or(u32::MAX);
    let left_s = u64::from(active.refresh.remaining.unwrap_or(of)) * 300;
    let newest = around.refreshes.first().map(|one| &one.refresh.id);
    let is_back = active.refresh.status.starts_with("Rollback");
    let back = match is_back {
        true => Back::Impossible("it is on its way back already".to_owned()),
        false => back,
    };
    let within_s = intent.options.timeout_s.unwrap_or_else(|| patience_s(left_s));
    let desired = desired(active).filter(|_| !is_back);
    if let Some(desired) = &desired {
        planned(&group.name, &launches(group), desired).into_iter().for_each(|said| draft.warn(said));
    }
    let foreign =
        course::Foreign { group: &group.name, id, desired: desired.as_ref(), is_back, of, left_s, within_s };
    let step = course::adopted(foreign, newest, title, &back);
    draft.hold(&row.scope, "group", group.name.as_str(), Grip::Alone);
    draft.lanes.push(Lane {
        name: group.name.to_string(),
        target: group.name.to_string(),
        scope: (*row.scope).clone(),
        tier: None,
        // Its status changes by itself: that it is the newest one is what this rests on.
        facts: vec![Fact {
            fact: Aspect::GroupRefresh { group: group.name.clone() },
            was: newest.map_or(Value::Absent, Value::word),
        }],
        steps: vec![step],
    });
    Ok(())
}

/// What somebody else's refresh makes the group launch, as far as AWS tells.
fn desired(active: &RefreshDetail) -> Option<Desired> {
    let template = active.launches.clone()?;
    Some(match &active.mix {
        Some(mix) => Desired::Mixed { template, mix: mix.clone() },
        None => Desired::Template(template),
    })
}

/// The way back of somebody else's refresh: to what the group is saved with, which AWS changes only at its end.
async fn back(desk: &Desk<'_>, row: &GroupRow, active: &RefreshDetail) -> Result<Back> {
    let group: &Group = &row.it;
    let target = match target::resolve(desk, row, &RefreshWish::default()).await? {
        Ok(target) => target,
        Err(refusal) => return Ok(Back::Impossible(refusal.why)),
    };
    let Some(saved) = &target.to else {
        return Ok(Back::Impossible("the group launches from a launch configuration".to_owned()));
    };
    if active.launches.is_none() {
        let why = "it was started without a configuration: AWS launches what the group has";
        return Ok(Back::Impossible(why.to_owned()));
    }
    let Some(desired) = target.desired(saved, group.mix.as_ref()) else {
        return Ok(Back::Impossible(target.unsendable.unwrap_or_default()));
    };
    let by_aws =
        target.follows.is_none() && matches!(saved.image, target::Picture::There | target::Picture::Unknown);
    let aim = Aim { desired: Some(desired), preferences: preferences(group, active) };
    Ok(match (&target.follows, &saved.image) {
        (_, target::Picture::Gone(image)) => {
            Back::Impossible(format!("image {image} of version {} is gone", saved.it.version))
        }
        (Some(follows), _) => Back::BestEffort {
            aim,
            by_aws,
            why: format!("the group followed {follows}: it is set to version {}", saved.it.version),
        },
        (None, target::Picture::Parameter(_)) => Back::BestEffort {
            aim,
            by_aws,
            why: format!("version {} looks its image up at launch", saved.it.version),
        },
        (None, _) => Back::Exact { aim, by_aws },
    })
}

fn preferences(group: &Group, active: &RefreshDetail) -> Preferences {
    let told = &active.wants;
    let min_healthy = told.min_healthy.unwrap_or(90);
    Preferences {
        min_healthy,
        max_healthy: told.max_healthy.unwrap_or(100),
        warmup_s: told.warmup_s.or(group.warmup_s).or(group.grace_s).unwrap_or(300),
        checkpoints: Vec::new(),
        checkpoint_delay_s: 0,
        skips_matching: true,
        rolls_back: false,
        protected: handling(told.protected.as_deref(), "Refresh"),
        standby: handling(told.standby.as_deref(), "Terminate"),
        alarms: Vec::new(),
        bake_s: 0,
    }
}

fn handling(word: Option<&str>, replace: &str) -> Handling {
    match word {
        Some(word) if word == replace => Handling::Replace,
        Some("Wait") => Handling::Wait,
        _ => Handling::Ignore,
    }
}
