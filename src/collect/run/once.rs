//! Reads what a script needs, once, and gives up what does not answer.

use super::{Run, until_then};
use crate::clock::{Clock, monotonic};
use crate::collect::board::{Board, silence};
use crate::config::Config;
use crate::gateway::{FleetReader, Source, Urgency};
use crate::model::Scope;
use crate::world::{Interest, World};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long a script waits when nothing at all arrives any more.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a script waits for a place that has not said a word, when all others have answered.
/// Longer than the deadline of a call, so that a dead place mostly ends by its own, better message.
const LINGER: Duration = Duration::from_secs(15);

/// How long `once` waits, and who hears whom it waits for.
#[derive(Debug, Default)]
pub struct Patience {
    /// So long in all. Without a limit only places that say nothing are given up: a quarter of a minute after
    /// all others have answered, or after a minute in which nobody did.
    pub limit: Option<Duration>,
    /// Is told of the places that have not said a word yet.
    pub silent: Option<watch::Sender<Vec<Scope>>>,
}

/// Reads these sources once, everywhere, and returns when all have answered or failed.
/// What an unreachable place does not answer is said in its sections, not waited for endlessly.
pub async fn once(
    reader: Arc<dyn FleetReader>,
    config: Arc<Config>,
    sources: &[Source],
    interest: Interest,
    clock: Clock,
    patience: Patience,
) -> Arc<World> {
    let mut run = Run::new(reader, config, Board::new, sources, Some(Urgency::User), clock);
    run.board.look(interest);
    run.settle(&patience).await;
    run.world()
}

/// Reads these sources once in the scopes of a world that was read before, which names what they are read by, and gives
/// back that world with what they said.
pub async fn further(
    reader: Arc<dyn FleetReader>,
    config: Arc<Config>,
    world: &World,
    sources: &[Source],
    interest: Interest,
    clock: Clock,
    patience: Patience,
) -> Arc<World> {
    let board = |config: &Config, _: &[Source], floor| Board::new(config, sources, floor);
    let mut run = Run::closed(reader, config, board, sources, Some(Urgency::User), clock);
    for (order, part) in world.snapshot.parts.iter().enumerate() {
        run.board.adopt(order, part);
    }
    for (who, trouble) in &world.snapshot.troubles {
        run.board.note(who.clone(), trouble.clone());
    }
    run.board.look(interest);
    run.settle(&patience).await;
    run.world()
}

impl Run {
    /// Reads until everything was tried once, or patience ends.
    async fn settle(&mut self, patience: &Patience) {
        let began = monotonic();
        let mut heard = began;
        let mut spent = self.reader.spending().calls;
        loop {
            self.begin();
            if self.jobs.is_empty() && self.board.is_tried() {
                return;
            }
            if let Some(silent) = &patience.silent {
                let now = self.board.silent();
                silent.send_if_modified(|before| {
                    let differs = *before != now;
                    *before = now;
                    differs
                });
            }
            let waits_for_silence = self.listing.is_empty()
                && self.board.is_answered_but_for_the_silent()
                && self.board.has_answers();
            let (from, wait) = match patience.limit {
                Some(limit) => (began, limit),
                None if waits_for_silence => (heard, LINGER),
                None => (heard, PATIENCE),
            };
            tokio::select! {
                () = until_then(Some(from + wait)) => {
                    // Long work by many small calls shows no page for a while, but it goes on.
                    let calls = self.reader.spending().calls;
                    if calls > spent && !waits_for_silence && patience.limit.is_none() {
                        spent = calls;
                        heard = monotonic();
                        continue;
                    }
                    self.give_up(wait);
                    return;
                }
                more = self.event() => {
                    heard = monotonic();
                    if more.is_none() { return }
                }
            }
        }
    }

    fn give_up(&mut self, patience: Duration) {
        self.jobs.abort_all();
        let at = self.clock.now();
        self.board.give_up(patience, at, monotonic());
        for place in std::mem::take(&mut self.listing) {
            if let Some(account) = self.config.accounts.get(place) {
                self.board.note(account.name.to_string(), silence("ec2:DescribeRegions", patience, at));
            }
        }
    }
}
