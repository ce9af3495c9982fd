//! Tasks that begin while somebody follows their service: they are looked for again and again, and join.

use super::{Fresh, Mask, Reading, Stand, Tell, Way, rests, sort};
use crate::gateway::{Look, Seen};
use crate::logs::origin::{Origin, Place, task_name};
use crate::logs::said::Said;
use crate::model::{ClusterArn, Scope, Task, TaskArn, Text, Trouble, short_arn};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// From one look for new tasks to the next.
const AGAIN: Duration = Duration::from_secs(15);

/// A service whose tasks are followed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Watched {
    scope: Scope,
    cluster: ClusterArn,
    service: Text,
    only: Vec<Text>,
}

/// Watches the services of a reading that is followed; nothing, where none is.
pub(super) fn watch(reading: &Arc<Reading>, mask: &Arc<Mask>, tell: &Tell, stop: &CancellationToken) {
    let watched: BTreeSet<Watched> = reading.origins.iter().filter_map(of).collect();
    if watched.is_empty() {
        return;
    }
    let task = |origin: &Origin| match &origin.place {
        Place::Task { task, .. } => Some(task.clone()),
        Place::Container { .. } => None,
    };
    let watch = Watch {
        known: reading.origins.iter().filter_map(task).collect(),
        count: reading.origins.len(),
        reading: Arc::clone(reading),
        mask: Arc::clone(mask),
        tell: tell.clone(),
        stop: stop.clone(),
    };
    let stop = stop.clone();
    tokio::spawn(async move {
        tokio::select! { () = stop.cancelled() => {} () = watch.run(watched) => {} }
    });
}

fn of(origin: &Origin) -> Option<Watched> {
    let (Place::Task { cluster, .. }, Some(service)) = (&origin.place, &origin.service) else { return None };
    let (cluster, service) = (cluster.clone(), service.clone());
    Some(Watched { scope: Scope::clone(&origin.scope), cluster, service, only: origin.only.clone() })
}

struct Watch {
    reading: Arc<Reading>,
    mask: Arc<Mask>,
    tell: Tell,
    stop: CancellationToken,
    known: BTreeSet<TaskArn>,
    /// Sources so far.
    count: usize,
}

impl Watch {
    async fn run(mut self, watched: BTreeSet<Watched>) {
        let mut failed = BTreeSet::new();
        let mut gaze = self.reading.gaze.clone();
        loop {
            rests(&mut gaze, AGAIN).await;
            for of in &watched {
                match self.tasks(of).await {
                    Ok(tasks) => {
                        failed.remove(of);
                        if !self.join(of, tasks).await {
                            return;
                        }
                    }
                    // Said once; the tasks that are known are followed all the same.
                    Err(trouble) => {
                        if failed.insert(of.clone()) {
                            let service = &of.service;
                            let said = format!("whether {service} has new tasks is not known: {trouble}");
                            self.tell.say(Said::note(said)).await;
                        }
                    }
                }
            }
        }
    }

    async fn tasks(&self, of: &Watched) -> Result<Vec<Task>, Trouble> {
        let look = Look::TasksOf { cluster: of.cluster.clone(), service: of.service.clone() };
        match self.reading.asker.probe.look(&of.scope, &look).await? {
            Seen::Tasks(tasks) => Ok(tasks),
            _ => Ok(Vec::new()),
        }
    }

    /// Tasks that run and were not known join. Whether there is still somebody who takes their lines.
    async fn join(&mut self, of: &Watched, tasks: Vec<Task>) -> bool {
        let mut joined = Vec::new();
        for task in tasks {
            // What is still on its way has no stream.
            if task.last_status != "RUNNING" || !self.known.insert(task.arn.clone()) {
                continue;
            }
            let Ok(from) = u16::try_from(self.count) else { return true };
            self.count += 1;
            let origin = Origin {
                name: task_name(&of.service, task.arn.as_str()),
                scope: Arc::new(of.scope.clone()),
                place: Place::Task {
                    cluster: of.cluster.clone(),
                    definition: short_arn(&task.task_definition).into(),
                    task: task.arn,
                },
                only: of.only.clone(),
                service: Some(of.service.clone()),
                doubt: None,
            };
            if self.tell.lines.send(Fresh::Source(origin.clone())).await.is_err() {
                return false;
            }
            joined.push((from, origin));
        }
        let sorted = sort(&self.reading, joined.iter().map(|(from, origin)| (*from, origin))).await;
        for part in sorted.parts() {
            let stand = Stand::new(&self.reading, &self.mask, part, self.tell.clone());
            let (stop, way) = (self.stop.clone(), Way::Fresh(self.tell.clone()));
            tokio::spawn(async move {
                tokio::select! { () = stop.cancelled() => {} () = stand.read(way) => {} }
            });
        }
        for trouble in sorted.troubles {
            self.tell.say(trouble).await;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::Gaze;
    use super::*;
    use crate::clock::Clock;
    use crate::gateway::FleetProbe;
    use crate::logs::hostlog::Asker;
    use crate::model::TroubleKind;
    use futures::FutureExt as _;
    use futures::future::BoxFuture;
    use jiff::Timestamp;
    use tokio::sync::mpsc;

    /// A service with one task that was known, one that is still on its way, and one that runs.
    struct Fake;

    impl FleetProbe for Fake {
        fn look<'a>(&'a self, scope: &'a Scope, look: &'a Look) -> BoxFuture<'a, Result<Seen, Trouble>> {
            let task = |id: &str, status: &str| {
                serde_json::from_value::<Task>(serde_json::json!({
                    "arn": format!("arn:task/{id}"), "cluster": "arn:cluster/c", "task_definition": "core:3",
                    "last_status": status, "desired_status": "RUNNING", "ports": [], "images": [], "tags": {},
                }))
            };
            let all = [("aaaaaaaa1", "RUNNING"), ("bbbbbbbb2", "PENDING"), ("cccccccc3", "RUNNING")];
            let answer = match look {
                Look::TasksOf { service, .. }
                    if scope.region.as_str() == "eu-west-1" && service == "core" =>
                {
                    Ok(Seen::Tasks(all.into_iter().map(|(id, status)| task(id, status).unwrap()).collect()))
                }
                Look::Definitions { .. } => Ok(Seen::Definitions(Vec::new())),
                other => Err(Trouble {
                    kind: TroubleKind::Other,
                    call: "test".into(),
                    code: None,
                    message: format!("{other:?}"),
                    hint: None,
                    request_id: None,
                    at: Timestamp::UNIX_EPOCH,
                }),
            };
            async move { answer }.boxed()
        }
    }

    #[tokio::test]
    async fn a_task_that_runs_and_was_not_known_joins_once() {
        let scope = Scope { account: "a".into(), region: "eu-west-1".into() };
        let place = |id: &str| Place::Task {
            cluster: "arn:cluster/c".into(),
            task: format!("arn:task/{id}").as_str().into(),
            definition: "core:3".into(),
        };
        let origin = Origin {
            name: "core/aaaaaaaa".into(),
            scope: Arc::new(scope.clone()),
            place: place("aaaaaaaa1"),
            only: vec!["c1.example.com".into()],
            doubt: None,
            service: Some("core".into()),
        };
        let asker = Asker::new(Arc::new(Fake), None, String::new(), false);
        let reading = Arc::new(Reading {
            origins: vec![origin.clone()],
            since: Timestamp::UNIX_EPOCH,
            until: None,
            follows: true,
            tail: None,
            sieve: None,
            asker,
            configured: None,
            clock: Clock::Fixed(Timestamp::UNIX_EPOCH),
            gaze: Gaze::steady(),
        });
        let (lines, mut fresh) = mpsc::channel(4);
        let (say, mut said) = mpsc::channel(4);
        let mut watch = Watch {
            known: [TaskArn::new("arn:task/aaaaaaaa1")].into(),
            count: 1,
            reading,
            mask: Arc::default(),
            tell: Tell { lines, say, searched: Arc::default() },
            stop: CancellationToken::new(),
        };
        let watched = of(&origin).unwrap();
        for _ in 0..2 {
            let tasks = watch.tasks(&watched).await.unwrap();
            assert!(watch.join(&watched, tasks).await);
        }
        let joined = Origin { name: "core/cccccccc".into(), place: place("cccccccc3"), ..origin.clone() };
        assert_eq!(fresh.try_recv(), Ok(Fresh::Source(joined)));
        assert!(fresh.try_recv().is_err(), "once");
        assert!(
            said.try_recv().unwrap().text.contains("does not know core:3"),
            "and what is wrong with it is said"
        );
        assert_eq!(of(&Origin { service: None, ..origin }), None, "a task that was asked for by itself");
    }
}
