//! Behind the screen's counter: plans what it wants by the code of the scripts, begins operations with runners
//! of their own, and hands down what the journal says after every change.

mod feed;
mod register;

use super::Outside;
use super::args::Global;
use super::begin::{ask_hosts, desk_of, identities};
use super::going::Since;
use super::op::{self, Place};
use super::reach::{Shown, Tools};
use crate::error::{Error, ErrorKind, Result};
use crate::gateway::Source;
use crate::gateway::change::Token;
use crate::logs::{Gaze, Sought};
use crate::ops::begin::{Beginning, check, enter};
use crate::ops::counter::{Answer, Counter, Declined, Offer, Order, Register};
use crate::ops::kinds::kind;
use crate::ops::plan::ROOM_FOR_ID;
use crate::ops::{self, Intent, Plan, Verb};
use crate::store::journal::{Bell, Journal};
use register::Book;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// How often is looked while something runs, where no bell rings: a runner that dies rings none.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often is looked where no bell could be hung up.
const LOOK_DEAF: Duration = Duration::from_secs(30);
/// How often is told how far a plan is.
const TELLS: Duration = Duration::from_millis(500);
/// Orders and answers that may wait.
const QUEUED: usize = 8;
/// Lanes whose commands are written out for a preview.
const WRITTEN_OUT: usize = 100;

/// Opens a counter. The task behind it ends with the token, and with it what runs in a demo.
pub(super) fn open(
    tools: Tools,
    shown: Shown,
    global: &Global,
    outside: &Outside,
    cancel: CancellationToken,
) -> (Counter, JoinHandle<()>) {
    let (register, seen) = watch::channel(Arc::new(Register::default()));
    let (orders, ordered) = mpsc::channel(QUEUED);
    let (answer, answers) = mpsc::channel(QUEUED);
    let clerk = Clerk { tools, shown, global: global.clone(), outside: outside.clone(), answer, cancel };
    let task = tokio::spawn(clerk.serve(register, ordered));
    (Counter { register: seen, orders, answers }, task)
}

/// Who stands behind the counter.
#[derive(Clone)]
struct Clerk {
    tools: Tools,
    /// What the screen shows.
    shown: Shown,
    global: Global,
    outside: Outside,
    answer: mpsc::Sender<Answer>,
    cancel: CancellationToken,
}

impl Clerk {
    async fn serve(self, register: watch::Sender<Arc<Register>>, mut ordered: mpsc::Receiver<Order>) {
        let place = Place::find(&self.global, &self.outside);
        let opened = place.and_then(|place| Ok((place.open()?, place)));
        let (journal, place) = match opened {
            Ok((journal, place)) => (Arc::new(journal), place),
            Err(error) => return self.refuse_all(error, &register, &mut ordered).await,
        };
        let bell = journal.watch();
        let mut book = Book::default();
        let mut planning: Option<AbortHandle> = None;
        let mut reading = Readings::default();
        let mut doing = JoinSet::new();
        loop {
            book = look(book, &journal, &register).await;
            tokio::select! {
                () = self.cancel.cancelled() => break,
                () = heard(&bell, book.lives()) => {}
                order = ordered.recv() => match order {
                    None => break,
                    Some(Order::ReadLog { ticket, of }) => reading.begin(&self, ticket, of),
                    Some(Order::LeaveLog) => reading.leave(),
                    Some(Order::Gaze(gaze)) => reading.look(gaze),
                    Some(order) => {
                        let is_plan = matches!(order, Order::Plan { .. } | Order::TakeBack { .. });
                        if is_plan || order == Order::Forget {
                            planning.take().inspect(AbortHandle::abort);
                        }
                        let work = self.clone().carry_out(order, Arc::clone(&journal), place.clone());
                        if is_plan {
                            planning = Some(tokio::spawn(work).abort_handle());
                        } else {
                            doing.spawn(work);
                        }
                    }
                },
                Some(_) = doing.join_next() => {}
            }
        }
        // What was entered gets its runner, also where somebody leaves in the same moment.
        while doing.join_next().await.is_some() {}
        if self.global.demo {
            // A demo leaves nothing behind; what cannot be removed lies among the temporary files.
            let _ = std::fs::remove_dir_all(place.folder());
        }
    }

    /// Without a journal nothing is done, and everything that is asked for is told so; logs need none.
    async fn refuse_all(
        self,
        error: Error,
        register: &watch::Sender<Arc<Register>>,
        ordered: &mut mpsc::Receiver<Order>,
    ) {
        let declined = Declined::from(error);
        register.send_replace(Arc::new(Register {
            trouble: Some(declined.line()),
            is_read: true,
            ..Register::default()
        }));
        let mut reading = Readings::default();
        loop {
            let order = tokio::select! {
                () = self.cancel.cancelled() => return,
                order = ordered.recv() => order,
            };
            let declined = declined.clone();
            let answer = match order {
                None => return,
                Some(Order::Forget) => continue,
                Some(Order::LeaveLog) => {
                    reading.leave();
                    continue;
                }
                Some(Order::Gaze(gaze)) => {
                    reading.look(gaze);
                    continue;
                }
                Some(Order::ReadLog { ticket, of }) => {
                    reading.begin(&self, ticket, of);
                    continue;
                }
                Some(Order::Plan { ticket, .. } | Order::TakeBack { ticket, .. }) => {
                    Answer::Planned { ticket, offer: Err(declined) }
                }
                Some(Order::Begin { ticket, .. }) => Answer::Begun { ticket, op: Err(declined) },
                Some(Order::Ask { .. }) => Answer::Asked(Err(declined)),
            };
            self.tell(answer).await;
        }
    }

    /// Nobody is left to tell when the screen is closed.
    async fn tell(&self, answer: Answer) {
        let _ = self.answer.send(answer).await;
    }

    async fn carry_out(self, order: Order, journal: Arc<Journal>, place: Place) {
        let answer = match order {
            // The clerk does those itself.
            Order::Forget | Order::ReadLog { .. } | Order::Gaze(_) | Order::LeaveLog => return,
            Order::Plan { ticket, intent } => {
                let asked = ops::kept::asked(intent, journal.as_ref(), self.tools.clock.now());
                let offer = match asked {
                    Ok(intent) => self.telling(ticket, self.plan(intent)).await.map_err(Declined::from),
                    Err(error) => Err(Declined::from(error)),
                };
                Answer::Planned { ticket, offer }
            }
            Order::TakeBack { ticket, op } => {
                let back = self.telling(ticket, self.take_back(&op, &journal));
                let offer = back.await.map_err(Declined::from);
                Answer::Planned { ticket, offer }
            }
            Order::Begin { ticket, plan, reason } => {
                let op = self.begin(&plan, reason, &journal, &place).await.map_err(Declined::from);
                Answer::Begun { ticket, op }
            }
            Order::Ask { op, verb, reason } => {
                let asked = self.ask(&op, verb, reason.as_deref(), &journal, &place).await;
                Answer::Asked(asked.map_err(Declined::from))
            }
        };
        self.tell(answer).await;
    }

    /// Plans while it tells how far that is. Where the screen has no time to hear it the next word does as well.
    async fn telling<T>(&self, ticket: u64, planning: impl Future<Output = T>) -> T {
        let reader = self.tools.reader.as_ref();
        let (since, mut before) = (Since::now(reader), String::new());
        tokio::pin!(planning);
        loop {
            tokio::select! {
                planned = &mut planning => return planned,
                () = tokio::time::sleep(TELLS) => {
                    let said = since.said(reader);
                    if said != before {
                        before.clone_from(&said);
                        let _ = self.answer.try_send(Answer::Planning { ticket, said });
                    }
                }
            }
        }
    }

    async fn plan(&self, intent: Intent) -> Result<Arc<Offer>> {
        let tools = &self.tools;
        let (first, then_targets) = kind(&intent.verb)?.first();
        let mut world = tools.once(&first).await;
        if then_targets {
            world = tools.read_targets(&world, ops::kinds::targets_of(&world.fleet, &intent)).await;
        }
        let mut intent = intent;
        ask_hosts(&tools.hands, tools.clock, &world, true, &mut intent).await;
        let plan = desk_of(&tools.config, &tools.hands, &world, tools.clock.now()).plan(intent).await?;
        Ok(self.offer(plan).await)
    }

    async fn take_back(&self, id: &str, journal: &Journal) -> Result<Arc<Offer>> {
        let op = ops::read(journal, id)?;
        let unread = ops::rollback::allowed(journal, &op)?;
        let world = self.tools.once(&[Source::Identity]).await;
        let tools = &self.tools;
        let desk = desk_of(&tools.config, &tools.hands, &world, tools.clock.now());
        let mut plan = ops::rollback::plan(&desk, &op).await?;
        plan.warnings.splice(0..0, unread);
        Ok(self.offer(plan.sealed()).await)
    }

    /// The plan with the command of each step. The token of a call is not known before there is an operation.
    async fn offer(&self, plan: Plan) -> Arc<Offer> {
        let mut commands = Vec::new();
        for lane in plan.lanes.iter().take(WRITTEN_OUT) {
            let mut of_lane = Vec::new();
            for step in &lane.steps {
                let written = match (step.go.act.change(), &self.tools.hands.writer) {
                    (Some(change), Some(writer)) => {
                        let token = Token::of(&["preview"]);
                        // A step without its command is shown by its title; the plan itself is whole.
                        writer.command(&lane.scope, change, &token).await.ok()
                    }
                    _ => None,
                };
                // The operation has no id yet.
                let written = written.map(|command| command.replace(ROOM_FOR_ID, "OPERATION"));
                of_lane.push(written.filter(|command| !command.is_empty()));
            }
            commands.push(of_lane);
        }
        Arc::new(Offer { plan: Arc::new(plan), commands })
    }

    /// Enters the plan that was confirmed, if it still holds, and starts its runner.
    async fn begin(
        &self,
        plan: &Plan,
        reason: Option<String>,
        journal: &Arc<Journal>,
        place: &Place,
    ) -> Result<(String, String)> {
        let tools = &self.tools;
        if tools.hands.writer.is_none() {
            return Err(Error::new(ErrorKind::Refused, "coredeck is in read-only mode; nothing was changed"));
        }
        let world = tools.once(&[Source::Identity]).await;
        let (fleet, probe) = (tools.config.fleet.as_str(), tools.hands.probe.as_ref());
        check(plan, fleet, &identities(&world), probe, tools.clock.now()).await?;
        let mut who = op::who(&self.outside);
        who.principal = plan.accounts.first().map(|account| account.principal.clone());
        let at = tools.clock.now();
        let beginning = Beginning { who, reason, reach: self.global.again(), at };
        let record = enter(journal.as_ref(), plan, beginning)?;
        if self.global.demo {
            self.run_here(&record.id, place, false);
            return Ok((record.id, "it runs in this process, as the demo does".to_owned()));
        }
        let started = op::start(&record, place, journal, &self.outside).await?;
        let says = std::iter::once(started.says).chain(started.warning).collect::<Vec<_>>().join("; ");
        Ok((record.id, says))
    }

    async fn ask(
        &self,
        id: &str,
        verb: Verb,
        reason: Option<&str>,
        journal: &Journal,
        place: &Place,
    ) -> Result<String> {
        let op = ops::read(journal, id)?;
        if self.global.demo {
            let heard = op::request(verb, &op, reason, journal, &self.outside)?;
            if !heard.lives || verb == Verb::Takeover {
                self.run_here(id, place, verb == Verb::Takeover);
            }
            return Ok(format!("operation {id} is asked to {}", verb.said()));
        }
        let asked = op::ask(verb, &op, reason, place, journal, &self.outside).await?;
        Ok(asked.says.into_iter().chain(asked.warning).collect::<Vec<_>>().join("; "))
    }

    /// A demo's fleet ends with this process, and so do its runners.
    fn run_here(&self, id: &str, place: &Place, is_forced: bool) {
        let (tools, file, stop) = (self.tools.clone(), place.file.clone(), self.cancel.clone());
        let id = id.to_owned();
        tokio::spawn(async move {
            if let Err(error) = op::run_quietly(&id, &tools, &file, is_forced, stop).await {
                tracing::error!(%error, id, "the runner of a demo ended");
            }
        });
    }
}

/// The log that is being read, if any: it ends with this.
#[derive(Default)]
struct Readings {
    task: Option<AbortHandle>,
    gaze: watch::Sender<Gaze>,
}

impl Readings {
    /// Begins another; the one before ends.
    fn begin(&mut self, clerk: &Clerk, ticket: u64, of: Sought) {
        self.leave();
        let (tools, shown, tell) = (clerk.tools.clone(), clerk.shown.clone(), clerk.answer.clone());
        let feed = feed::read(tools, shown, of, ticket, clerk.global.demo, self.gaze.subscribe(), tell);
        self.task = Some(tokio::spawn(feed).abort_handle());
    }

    fn leave(&mut self) {
        self.task.take().inspect(AbortHandle::abort);
    }

    /// How closely is looked from now on, at this one and at those that come.
    fn look(&self, gaze: Gaze) {
        self.gaze.send_replace(gaze);
    }
}

impl Drop for Readings {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Waits until a look is worth it.
async fn heard(bell: &Bell, lives: bool) {
    let most = match (lives, bell.is_hung()) {
        (true, _) => LOOK_EVERY,
        (false, false) => LOOK_DEAF,
        (false, true) => return bell.rings().await,
    };
    tokio::select! {
        () = bell.rings() => {}
        () = tokio::time::sleep(most) => {}
    }
}

/// Reads what is new, off the tasks that others wait for, and tells of it where something is.
async fn look(mut book: Book, journal: &Arc<Journal>, register: &watch::Sender<Arc<Register>>) -> Book {
    let journal = Arc::clone(journal);
    let read = tokio::task::spawn_blocking(move || {
        let news = book.read(&journal);
        (book, news)
    });
    match read.await {
        Ok((book, news)) => {
            if let Some(news) = news {
                register.send_replace(Arc::new(news));
            }
            book
        }
        Err(error) => {
            tracing::error!(%error, "reading the journal failed");
            Book::default()
        }
    }
}
