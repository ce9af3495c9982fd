//! CloudWatch Logs as the tests of reading need it: groups with streams, one of which may be slow.

use super::{Gaze, Origin, Place, Reading, hostlog::Asker};
use crate::clock::Clock;
use crate::gateway::{FleetProbe, Look, Seen};
use crate::model::{Container, Definition, LogEvent, LogPage, LogTarget, Scope, Text, Trouble, TroubleKind};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

/// What cannot be looked up.
const HIDDEN: &str = "hidden";

/// Groups by their names, each with its streams and the texts in them.
pub(crate) struct Probe {
    pub(crate) groups: Mutex<BTreeMap<Text, BTreeMap<Text, Vec<String>>>>,
    /// A group of this name answers when the gate is open.
    slow: Option<Text>,
    pub(crate) gate: Semaphore,
}

pub(crate) fn scope() -> Scope {
    Scope { account: "a".into(), region: "us-east-1".into() }
}

impl Probe {
    /// Groups with a stream for a task each, with lines of their own.
    pub(crate) fn new(groups: &[(&str, usize)], slow: Option<&str>) -> Arc<Self> {
        let lines = |group: &str, count: usize| {
            let text = |n| {
                format!(
                    "21 Nov 2026 19:31:{n:02}:000 +0000 | INFO | pid: x | v9 | [m] thread | a.b | Tenant(, a, t) | {group} {n}"
                )
            };
            (0..count).map(text).collect::<Vec<_>>()
        };
        let groups = groups.iter().map(|(group, count)| {
            (Text::from(*group), BTreeMap::from([("p/core/t1".into(), lines(group, *count))]))
        });
        let groups = Mutex::new(groups.collect());
        Arc::new(Self { groups, slow: slow.map(Text::from), gate: Semaphore::new(0) })
    }

    /// Reads a task of each of these, and follows it.
    pub(crate) fn reading(self: &Arc<Self>, names: &[&str]) -> Reading {
        let origin = |name: &&str| Origin {
            name: Text::from(*name),
            scope: Arc::new(scope()),
            place: Place::Task {
                cluster: "c".into(),
                task: "arn/c/t1".into(),
                definition: Text::from(*name),
            },
            only: Vec::new(),
            service: None,
            doubt: None,
        };
        Reading {
            origins: names.iter().map(origin).collect(),
            since: Timestamp::UNIX_EPOCH,
            until: None,
            follows: true,
            tail: None,
            sieve: None,
            asker: Asker::new(Arc::clone(self) as Arc<dyn FleetProbe>, None, "test".to_owned(), false),
            configured: None,
            clock: Clock::Fixed("2026-11-21T19:32:00Z".parse().unwrap_or_default()),
            gaze: Gaze::steady(),
        }
    }

    fn trouble(kind: TroubleKind, message: &str) -> Trouble {
        Trouble {
            kind,
            call: "logs:FilterLogEvents".into(),
            code: None,
            message: message.to_owned(),
            hint: None,
            request_id: None,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn seen(&self, look: &Look) -> Result<Seen, Trouble> {
        let groups = self.groups.lock().map_err(|_| Self::trouble(TroubleKind::Other, "spoiled"))?;
        let of = |group: &Text| {
            groups.get(group).ok_or_else(|| Self::trouble(TroubleKind::NotFound, "no such group"))
        };
        Ok(match look {
            Look::Definitions { of } => {
                let definition = |name: &Text| Definition {
                    name: name.clone(),
                    containers: vec![Container {
                        name: "core".into(),
                        logs: Some(LogTarget { group: name.clone(), region: None, prefix: Some("p".into()) }),
                        ..Container::default()
                    }],
                    ..Definition::default()
                };
                Seen::Definitions(of.iter().map(definition).collect())
            }
            Look::LogStreams { prefix, .. } if prefix == HIDDEN => {
                return Err(Self::trouble(TroubleKind::Denied, "not for you"));
            }
            Look::LogStreams { group, .. } => Seen::LogStreams(of(group)?.keys().cloned().collect()),
            Look::LogEvents(ask) => {
                let mut events = Vec::new();
                for stream in &ask.streams {
                    let found = of(&ask.group)?.get(stream);
                    let found =
                        found.ok_or_else(|| Self::trouble(TroubleKind::NotFound, "no such stream"))?;
                    events.extend(found.iter().enumerate().map(|(nth, text)| LogEvent {
                        id: Text::from(format!("{stream}/{nth}")),
                        stream: stream.clone(),
                        at: Timestamp::UNIX_EPOCH,
                        text: text.clone(),
                    }));
                }
                Seen::LogEvents(LogPage { events, next: None })
            }
            _ => return Err(Self::trouble(TroubleKind::Other, "nobody asks this here")),
        })
    }
}

impl FleetProbe for Probe {
    fn look<'a>(&'a self, _: &'a Scope, look: &'a Look) -> BoxFuture<'a, Result<Seen, Trouble>> {
        async move {
            if let Look::LogEvents(ask) = look
                && Some(&ask.group) == self.slow.as_ref()
            {
                // A gate that is closed for good lets nobody through.
                let _ = self.gate.acquire().await;
            }
            self.seen(look)
        }
        .boxed()
    }
}
