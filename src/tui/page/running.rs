//! What is going on now: our own operations, refreshes, deployments, hosts that drain, members on their way in or out.

use super::operations;
use crate::model::Health;
use crate::model::text::harmless;
use crate::query::Kind;
use crate::tui::state::Ui;
use std::borrow::Cow;

/// What goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// An operation of ours, by its number in the register.
    Operation(usize),
    /// What AWS does in a row.
    Row(Kind, usize),
}

/// Something that goes on, and the row that it goes on in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Running {
    pub(crate) of: Of,
    /// What goes on, in a word.
    pub(crate) what: Cow<'static, str>,
    /// In what.
    pub(crate) name: String,
    /// How far it is.
    pub(crate) says: String,
    pub(crate) health: Health,
}

/// Everything that goes on: our own operations, then what AWS does, in the order of rows.
pub(crate) fn all(ui: &Ui) -> Vec<Running> {
    let fleet = &ui.world.fleet;
    let many = ui.world.snapshot.parts.len() > 1;
    let home = |scope: &crate::model::Scope| if many { format!("{scope} ") } else { String::new() };
    let mut all: Vec<Running> = Vec::new();
    // The journal is of now: what ran at a moment of the past is not told.
    let open = ui.register.ops.iter().enumerate().filter(|(_, it)| it.op.ended.is_none() && !ui.is_past());
    for (at, listed) in open {
        let progress = operations::progress(ui, listed);
        let time = operations::time(&progress);
        let left = if time.is_empty() { String::new() } else { format!(", {time}") };
        let says = format!(
            "{}, {}{left}, by {}",
            progress.standing.word(),
            progress.said(),
            harmless(&progress.who)
        );
        all.push(Running {
            of: Of::Operation(at),
            what: Cow::Owned(harmless(&progress.kind).into_owned()),
            name: harmless(&progress.title).into_owned(),
            says,
            health: operations::health(progress.standing),
        });
    }
    for (at, row) in fleet.groups.iter().enumerate() {
        let name = format!("{}{}", home(&row.scope), row.it.name);
        if let Some(Some(refresh)) = row.refresh.as_ref().yes()
            && refresh.is_active()
        {
            let percent = refresh.percent.map(|percent| format!("{percent} % done, ")).unwrap_or_default();
            let left = refresh.remaining.map(|left| format!("{left} to go, ")).unwrap_or_default();
            let says = format!("{percent}{left}{}", refresh.status);
            all.push(Running {
                of: Of::Row(Kind::Groups, at),
                what: "refresh".into(),
                name: name.clone(),
                says,
                health: row.health,
            });
        }
        let states = |prefix: &str| row.it.members.iter().filter(|it| it.state.starts_with(prefix)).count();
        let (coming, going) = (states("Pending"), states("Terminating"));
        if coming + going > 0 {
            let says = match (coming, going) {
                (coming, 0) => format!("{coming} on the way in"),
                (0, going) => format!("{going} on the way out"),
                (coming, going) => format!("{coming} on the way in, {going} on the way out"),
            };
            all.push(Running {
                of: Of::Row(Kind::Groups, at),
                what: "scaling".into(),
                name,
                says,
                health: row.health,
            });
        }
    }
    for (at, row) in fleet.services.iter().enumerate() {
        let deployments = &row.it.deployments;
        let is_running = |it: &&crate::model::Deployment| it.rollout.as_deref() == Some("IN_PROGRESS");
        let Some(deployment) = deployments.iter().find(is_running) else { continue };
        let failed = match deployment.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        let says = format!(
            "{}: {} of {} tasks run{failed}",
            crate::model::short_arn(&deployment.task_definition),
            deployment.running,
            deployment.desired
        );
        // A name is a service's own in its cluster only.
        let cluster = crate::model::short_arn(row.it.cluster.as_str());
        let name = format!("{}{cluster}/{}", home(&row.scope), row.it.name);
        let (of, what) = (Of::Row(Kind::Services, at), "deployment".into());
        all.push(Running { of, what, name, says, health: row.health });
    }
    for (at, row) in fleet.hosts.iter().enumerate().filter(|(_, row)| row.it.status == "DRAINING") {
        let id = row.it.instance_id.as_ref().map_or_else(|| row.it.arn.as_str(), |id| id.as_str());
        let says = match row.it.running_tasks {
            0 => "no task is left".to_owned(),
            1 => "1 task is left".to_owned(),
            left => format!("{left} tasks are left"),
        };
        let name = format!("{}{id}", home(&row.scope));
        let (of, what) = (Of::Row(Kind::Hosts, at), "draining".into());
        all.push(Running { of, what, name, says, health: row.health });
    }
    all
}
