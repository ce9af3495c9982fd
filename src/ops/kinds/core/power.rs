//! `core restart`, `core stop` and `core start`: traffic leaves first, the container stops with the time that a core
//! takes, starts, answers well with its database, and gets its traffic back.

use super::super::super::desk::{Desk, Draft, tier};
use super::super::super::intent::{CoreWish, Intent, Traffic};
use super::super::super::plan::{Fact, Lane, Leg, Proof, Step, Undo};
use super::super::protect::count;
use super::doors::{self, Door, doors, short};
use super::found::{Found, found};
use super::memory;
use super::papers::{Command, Papers, START, STOP};
use crate::error::Result;
use crate::model::TargetGroupArn;
use futures::FutureExt;
use futures::future::BoxFuture;

/// Seconds that docker gives a core between SIGTERM and SIGKILL: one with requests under way takes twelve.
const STOP_TIMEOUT: &str = "30";

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Restart,
    Stop,
    Start,
}

/// Cores stop and start again.
pub(in super::super) fn restart<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    draft(desk, intent, Deed::Restart).boxed()
}

/// Cores stop.
pub(in super::super) fn stop<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    draft(desk, intent, Deed::Stop).boxed()
}

/// Cores start.
pub(in super::super) fn start<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    draft(desk, intent, Deed::Start).boxed()
}

async fn draft(desk: &Desk<'_>, intent: &Intent, deed: Deed) -> Result<Draft> {
    let mut draft = Draft::default();
    let mut cores = found(desk, intent, &mut draft).await?;
    if deed != Deed::Start {
        memory::mind(desk, &mut cores, &mut draft).await;
    }
    let scopes: Vec<_> = cores.iter().map(|one| &*one.host.scope).collect();
    let papers = Papers::look(desk, &scopes, &[STOP, START]).await?;
    let traffic = intent.options.core.as_deref().unwrap_or(&CoreWish::default()).traffic;
    let mut at_doors = Vec::new();
    let mut all = Vec::new();
    for one in &cores {
        all.push(doors(desk, one, &mut draft).await?);
        if deed == Deed::Start {
            doors::note_left_out(desk, one, &mut draft);
        }
    }
    if deed == Deed::Stop {
        doors::leave_together(&mut all);
        draft.stays_down = true;
    }
    for (one, doors) in cores.iter().zip(all) {
        let runs = match deed {
            Deed::Start => memory::running(desk, one.core).await?,
            Deed::Restart | Deed::Stop => None,
        };
        if runs.is_some() && doors.iter().all(Door::is_in) {
            let mend =
                format!("there is nothing to start; coredeck core restart {} starts it anew", one.core.id);
            draft.refuse(&one.core.id, "it runs and answers already", mend);
            continue;
        }
        if runs.is_some() {
            draft.warn(format!("{} runs and answers already: only its traffic is given back", one.core.id));
        }
        if deed != Deed::Start {
            doors::mind(one, &doors, intent, &mut draft);
            doors::mind_group(one, &doors, intent, &mut draft);
        }
        let lane = lane(one, &doors, deed, (traffic, runs), &papers, &mut draft);
        draft.lanes.push(lane);
        at_doors.push(doors.into_iter().map(|door| door.group).collect());
        one.hold(&mut draft);
    }
    if deed != Deed::Start {
        draft.waves = waves(&at_doors);
    }
    let word = match deed {
        Deed::Restart => "restart",
        Deed::Stop => "stop",
        Deed::Start => "start",
    };
    draft.title = format!("{word} {}", count(draft.lanes.len(), "core"));
    Ok(draft)
}

/// Cores that serve the same target group go one after the other; others side by side. None where nobody shares one.
pub(super) fn waves(doors: &[Vec<TargetGroupArn>]) -> Vec<Vec<usize>> {
    let mut waves: Vec<Vec<usize>> = Vec::new();
    for (lane, mine) in doors.iter().enumerate() {
        let shares =
            |other: &usize| doors.get(*other).is_some_and(|one| one.iter().any(|g| mine.contains(g)));
        // The first wave in which nobody serves what it serves.
        match waves.iter().position(|wave| !wave.iter().any(shares)) {
            Some(wave) => waves[wave].push(lane),
            None => waves.push(vec![lane]),
        }
    }
    if waves.len() > 1 { waves } else { Vec::new() }
}

fn lane(
    one: &Found<'_>,
    doors: &[Door],
    deed: Deed,
    (traffic, runs): (Traffic, Option<Fact>),
    papers: &Papers,
    draft: &mut Draft,
) -> Lane {
    let number = draft.lanes.len();
    let mut steps = papers.put(&one.host.scope, &[STOP, START]);
    let mut facts = one.facts();
    // A core that is the only one is gone for a few seconds; its targets would be for minutes.
    let leaves = |door: &&Door| {
        door.is_in()
            && match (deed, traffic) {
                (Deed::Stop, _) | (Deed::Restart, Traffic::Drain) => true,
                (Deed::Restart, Traffic::WhereServed) => door.healthy > 0,
                (Deed::Restart, Traffic::Keep) | (Deed::Start, _) => false,
            }
    };
    let leaving: Vec<&Door> = doors.iter().filter(leaves).collect();
    for door in doors.iter().filter(|door| door.is_in() && deed == Deed::Restart && !leaves(door)) {
        draft.warn(format!(
            "{} stays in {} while it restarts: without another one there, taking it out would only add {} s",
            one.core.id,
            short(&door.group),
            door.delay_s
        ));
    }
    for door in &leaving {
        facts.push(door.rests_on());
        steps.push(door.out());
    }
    if deed != Deed::Start {
        steps.push(stopped(one, papers, number, 0));
    }
    match deed {
        Deed::Stop => {}
        Deed::Restart => {
            steps.push(started(one, papers, number, Undo::Nothing));
            steps.extend(leaving.iter().map(|door| door.back(Undo::Nothing)));
        }
        Deed::Start => {
            // What ran before must run after it was taken back; and that it ran is what the plan rests on.
            let undo = match &runs {
                Some(_) => Undo::Nothing,
                None => one.keeps.undone(stopping(one, papers, number, "stop again")),
            };
            facts.extend(runs);
            steps.push(started(one, papers, number, undo));
            for door in doors.iter().filter(|door| !door.is_in()) {
                facts.push(door.rests_on());
                steps.push(door.back(door.leave()));
            }
        }
    }
    Lane {
        name: format!("{} on {}", one.core.id, one.host.it.id),
        target: one.core.id.to_string(),
        scope: (*one.host.scope).clone(),
        tier: tier(one.core.tier.as_ref()).filter(|_| deed != Deed::Start),
        facts,
        steps,
    }
}

/// How a core is stopped.
pub(super) fn stopping(one: &Found<'_>, papers: &Papers, lane: usize, word: &str) -> Leg {
    let parameters = vec![
        ("Container", one.container.to_string()),
        ("Core", one.core.id.to_string()),
        ("StopTimeout", STOP_TIMEOUT.to_owned()),
    ];
    papers.run(&Command { paper: STOP, host: &one.host.it.id, word, lane, parameters })
}

/// How a core is started.
pub(super) fn starting(one: &Found<'_>, papers: &Papers, lane: usize, word: &str) -> Leg {
    let parameters = vec![
        ("Container", one.container.to_string()),
        ("Core", one.core.id.to_string()),
        ("Port", one.port.to_string()),
    ];
    papers.run(&Command { paper: START, host: &one.host.it.id, word, lane, parameters })
}

/// The step that stops a core, where so many others are stopped before it in the same lane.
pub(super) fn stopped(one: &Found<'_>, papers: &Papers, lane: usize, nth: usize) -> Step {
    let word = |word: &str| if nth == 0 { word.to_owned() } else { format!("{word} {nth}") };
    Step {
        title: format!("stop {} by docker stop -t {STOP_TIMEOUT}", one.container),
        go: stopping(one, papers, lane, &word("stop")),
        undo: one.keeps.undone(starting(one, papers, lane, &word("start again"))),
        proof: Proof::Checked,
        expected_s: 12,
        may_be_forced: false,
    }
}

/// The step that starts a core.
fn started(one: &Found<'_>, papers: &Papers, lane: usize, undo: Undo) -> Step {
    Step {
        title: format!("start {} and wait until it answers, its database too", one.container),
        go: starting(one, papers, lane, "start"),
        undo,
        proof: Proof::Checked,
        expected_s: 20,
        may_be_forced: false,
    }
}

#[cfg(test)]
mod tests {
    use super::waves;

    #[test]
    fn replicas_of_one_group_go_one_after_the_other_and_nobody_else_waits() {
        let groups = |names: &[&str]| names.iter().map(|name| (*name).into()).collect::<Vec<_>>();
        let alone = [groups(&["a"]), groups(&["b"]), groups(&[])];
        assert!(waves(&alone).is_empty());
        let shared = [groups(&["a"]), groups(&["a", "b"]), groups(&["c"]), groups(&["b"]), groups(&["a"])];
        assert_eq!(waves(&shared), [vec![0, 2, 3], vec![1], vec![4]]);
    }
}
