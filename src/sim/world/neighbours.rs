//! Containers that share the work of a host, at any moment: whoever asks twice about the past hears the same, whatever
//! has begun or ended since.

use super::docker::Container;
use super::place::Place;
use crate::sim::time::Moment;

/// From when to when something ran; no end where it goes on.
pub(crate) type Run = (Moment, Option<Moment>);

/// When each container of a host ran.
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbours {
    runs: Vec<Vec<Run>>,
    /// What runs besides as long as the host does.
    always: usize,
}

impl Neighbours {
    /// How many ran at the beginning of a minute since 1970; one at least.
    pub(crate) fn at(&self, minute: i64) -> usize {
        let at = Moment(minute.saturating_mul(60_000));
        let ran = |runs: &&Vec<Run>| runs.iter().any(|(from, to)| *from <= at && to.is_none_or(|to| to > at));
        (self.runs.iter().filter(ran).count() + self.always).max(1)
    }
}

impl Container {
    /// When it ran, earlier runs first.
    pub(crate) fn runs_of(&self) -> Vec<Run> {
        let before = self.before.iter().map(|(from, to)| (*from, Some(*to)));
        before.chain([(self.started, self.stopped.map(|(at, _)| at))]).collect()
    }
}

impl Place {
    /// The containers of a host that share its work: docker's own where it has some, those of ECS and its agent elsewhere.
    pub(crate) fn neighbours(&self, instance: &str) -> Neighbours {
        let own: Vec<Vec<Run>> =
            self.docker.get(instance).into_iter().flatten().map(Container::runs_of).collect();
        if !own.is_empty() {
            return Neighbours { runs: own, always: 0 };
        }
        let tasks = self.tasks_on(instance).map(|task| {
            let ended = task.stopped.or_else(|| (!task.is_active()).then_some(task.created));
            task.started.map(|started| (started, ended)).into_iter().collect()
        });
        Neighbours { runs: tasks.collect(), always: 1 }
    }
}
