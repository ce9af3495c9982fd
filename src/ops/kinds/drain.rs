//! `drain`: an instance is emptied, in the order that loses nobody: no new tasks, then the tasks of services
//! move, then traffic leaves, then what ECS does not know is stopped, and last it stays, stands by or ends.

mod containers;
mod hosts;
mod traffic;
mod verdict;

use super::super::aspect::{Aspect, Value};
use super::super::desk::{Desk, Draft, tier};
use super::super::intent::{Intent, Then};
use super::super::plan::{Fact, Lane, Step};
use super::protect::count;
use super::standby::{enter, may_shrink, name, state_fact};
use super::terminate::ending;
use crate::error::Result;
use crate::fleet::InstanceRow;
use crate::model::{Group, GroupName, InstanceState, Known, Member};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;

/// Instances are emptied.
pub(super) fn draft<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move {
        let mut draft = Draft::default();
        let rows = desk.instances(&intent.targets, &mut draft);
        let mut leaving = Vec::new();
        let going: Vec<&InstanceRow> = rows;
        let expected = hosts::judge(desk, &going, intent, &mut draft).await;
        let document = containers::document(desk, &going, intent).await?;
        let delays = traffic::delays(desk, &going).await?;
        for row in &going {
            desk.mind_tags(row, intent, &mut draft);
            if row.it.state != InstanceState::Running {
                let why = format!("it is {}", row.it.state.word());
                draft.refuse(&row.it.id, why, "only instances that run can be drained");
                continue;
            }
            if let Some(lane) =
                lane(desk, row, intent, &mut leaving, &document, &expected, &delays, &mut draft).await?
            {
                draft.lanes.push(lane);
            }
        }
        let then = match intent.options.then {
            Then::Keep => "",
            Then::Standby => ", then take them out of service",
            Then::Terminate => ", then end them",
        };
        draft.title = format!("drain {}{then}", count(draft.lanes.len(), "instance"));
        draft.stays_down = intent.options.then != Then::Terminate;
        draft.cost = match (intent.options.then, intent.options.replace) {
            (Then::Terminate, _) | (Then::Standby, Some(true)) => {
                Some("the prices of the instances that end or are launched are not read".to_owned())
            }
            _ => None,
        };
        Ok(draft)
    }
    .boxed()
}

#[expect(clippy::too_many_arguments, reason = "a lane is made of all of these, and of nothing else")]
async fn lane(
    desk: &Desk<'_>,
    row: &InstanceRow,
    intent: &Intent,
    leaving: &mut Vec<(GroupName, u32)>,
    document: &containers::Ours,
    expected: &verdict::Expected,
    delays: &traffic::Delays,
    draft: &mut Draft,
) -> Result<Option<Lane>> {
    let id = &row.it.id;
    let group = match &row.member {
        Known::Yes(Some(member)) => Some((member.group(), &**member)),
        _ => None,
    };
    let mut facts = vec![
        Fact { fact: Aspect::InstanceState { instance: id.clone() }, was: Value::word("running") },
        // Somebody may put a hand on it while it waits for its turn.
        tag_fact(row),
    ];
    let mut steps: Vec<Step> = Vec::new();
    hosts::steps(desk, row, intent, expected, &mut facts, &mut steps, draft);
    traffic::steps(desk, row, group.map(|(group, _)| group), intent, delays, &mut facts, &mut steps, draft);
    containers::steps(row, intent, document, draft.lanes.len(), &mut steps, draft);
    if !then(desk, row, group, intent, leaving, &mut facts, &mut steps, draft).await? {
        return Ok(None);
    }
    if steps.is_empty() {
        let why = "nothing runs on it that ECS or a load balancer knows";
        let mend = "say --stop-containers for other containers, or --then standby or terminate";
        draft.refuse(id, why, mend);
        return Ok(None);
    }
    draft.hold(&row.scope, "instance", id.as_str(), Grip::Alone);
    Ok(Some(Lane {
        name: name(row),
        target: id.to_string(),
        scope: (*row.scope).clone(),
        tier: tier(row.tier.as_ref()),
        facts,
        steps,
    }))
}

/// What becomes of an instance that is empty. Returns whether that can be.
#[expect(clippy::too_many_arguments, reason = "a lane is made of all of these, and of nothing else")]
async fn then(
    desk: &Desk<'_>,
    row: &InstanceRow,
    group: Option<(&Group, &Member)>,
    intent: &Intent,
    leaving: &mut Vec<(GroupName, u32)>,
    facts: &mut Vec<Fact>,
    steps: &mut Vec<Step>,
    draft: &mut Draft,
) -> Result<bool> {
    let replaces = intent.options.replace;
    match (intent.options.then, group) {
        (Then::Keep, _) => {}
        (Then::Standby, None) => {
            draft.refuse(&row.it.id, "it belongs to no Auto Scaling group", "say --then keep, or terminate");
            return Ok(false);
        }
        (Then::Standby, Some((group, member))) => {
            let is_decremented = !replaces.unwrap_or(false);
            if member.state != "InService" {
                let why = format!("it is {} in {}", member.state, group.name);
                draft.refuse(&row.it.id, why, "only members in service can go into standby");
                return Ok(false);
            }
            if !may_shrink(group, is_decremented, leaving, row, draft) {
                return Ok(false);
            }
            facts.push(state_fact(group, member));
            draft.hold(&row.scope, "group", group.name.as_str(), Grip::Shared);
            steps.push(enter(desk, row, group, is_decremented).await?);
        }
        (Then::Terminate, group) => {
            let is_decremented = !replaces.unwrap_or(true);
            if let Some((group, member)) = group {
                if !may_shrink(group, is_decremented, leaving, row, draft) {
                    return Ok(false);
                }
                facts.push(state_fact(group, member));
                draft.hold(&row.scope, "group", group.name.as_str(), Grip::Shared);
            }
            steps.push(ending(row, group.map(|(group, _)| group), is_decremented));
        }
    }
    Ok(true)
}

fn tag_fact(row: &InstanceRow) -> Fact {
    let key = super::super::guard::DO_NOT_DISRUPT;
    let was = row.it.tags.get(key).map_or(Value::Absent, Value::word);
    Fact { fact: Aspect::InstanceTag { instance: row.it.id.clone(), key: key.into() }, was }
}
