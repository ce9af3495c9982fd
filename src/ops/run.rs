//! The runner: asks the machine what is next, and does it. All that is decided is decided by `machine`; all
//! that is known is in the journal, so that a runner may die at any instant.

mod failing;

use self::failing::{failed, lacks};
use super::aspect::{Aspect, merged};
use super::census::Census;
use super::condition::{Eye, Sight};
use super::event::{Event, Failure, Verb};
use super::machine::{Deed, Move, next};
use super::state::{OpState, Phase};
use crate::error::{Error, ErrorKind, Result};
use crate::gateway::change::{Again, FleetWriter, Token, WriteError};
use crate::gateway::{FleetProbe, Look};
use crate::model::{Scope, Trouble, TroubleKind};
use crate::store::journal::{Bell, Claim, Ledger, Who};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// How often a runner says that it lives.
const BEAT: SignedDuration = SignedDuration::from_secs(20);
/// How long after a look that failed is looked again: longer each time, up to the last.
const BLIND_FOR_S: [i64; 5] = [3, 5, 10, 20, 60];
/// How long a runner that took over from one that may still live waits before its first call: a call of the
/// other may be under way.
const AFTER_TAKEOVER: SignedDuration = SignedDuration::from_secs(60);

/// The time, and waiting for it. Steps along with the world that the operation acts on.
pub trait Timer: Send + Sync {
    /// The moment it is.
    fn now(&self) -> Timestamp;

    /// Waits until a moment.
    fn until(&self, at: Timestamp) -> BoxFuture<'_, ()>;
}

/// Everything that a runner touches.
pub struct Edge {
    /// Sees.
    pub probe: Arc<dyn FleetProbe>,
    /// Acts.
    pub writer: Arc<dyn FleetWriter>,
    /// Remembers.
    pub ledger: Arc<dyn Ledger>,
    /// Counts tiers.
    pub census: Arc<dyn Census>,
    /// Tells the time.
    pub timer: Arc<dyn Timer>,
    /// Rings when something is asked.
    pub bell: Bell,
    /// Ends the runner, not the operation.
    pub stop: CancellationToken,
}

/// Who runs, and how.
#[derive(Clone, Debug)]
pub struct Start {
    /// Who started the runner.
    pub who: Who,
    /// What it lives in: `systemd`, `session`, `here`.
    pub home: String,
    /// Take it from a runner that lives.
    pub force: bool,
}

/// Reads an operation from its records.
///
/// # Errors
///
/// There is none, or its plan cannot be read.
pub fn read(ledger: &dyn Ledger, id: &str) -> Result<OpState> {
    let record = ledger.op(id)?;
    let mut op = OpState::new(record)?;
    for entry in ledger.entries(&op.record.id, 0)? {
        op.take(&entry);
    }
    Ok(op)
}

/// An operation as it stood at a moment, with what was recorded of it until then, and whether more was recorded later.
///
/// # Errors
///
/// As for [`read`].
pub fn read_at(ledger: &dyn Ledger, id: &str, at: Timestamp) -> Result<(OpState, bool)> {
    let mut op = OpState::new(ledger.op(id)?)?;
    let mut goes_on = false;
    for entry in ledger.entries(&op.record.id, 0)? {
        goes_on |= entry.at > at;
        if entry.at <= at {
            op.take(&entry);
        }
    }
    Ok((op, goes_on))
}

/// Runs an operation to its end, or until it is told to stop.
///
/// # Errors
///
/// Another runner has it; the journal cannot be written any more. The operation can be resumed then.
pub async fn run(edge: &Edge, id: &str, start: &Start) -> Result<OpState> {
    let op = read(edge.ledger.as_ref(), id)?;
    if op.ended.is_some() {
        return Ok(op);
    }
    let id = op.record.id.clone();
    let now = edge.timer.now().max(op.last_at);
    edge.ledger.hold(&id, &op.plan.holds, now)?;
    let lived = edge.ledger.runner(&id)?.is_some_and(|(_, lives)| lives);
    let epoch = edge.ledger.claim(&id, &start.who, now, start.force)?;
    // What the runner before wrote between the first reading and the claim belongs to it too.
    let op = read(edge.ledger.as_ref(), &id)?;
    let asked = edge.ledger.requests(&id, op.heard)?;
    let mut runner = Runner {
        ahead: op.last_at.duration_since(edge.timer.now()).max(SignedDuration::ZERO),
        claimed_after: asked.last().map_or(op.heard, |request| request.seq),
        edge,
        op,
        epoch,
        eye: Eye::default(),
        blind: 0,
        blind_for: None,
        beat_at: now,
    };
    runner.note(Event::Claimed {
        who: start.who.clone(),
        pid: std::process::id(),
        home: start.home.clone(),
    })?;
    if lived {
        let until = runner.later(AFTER_TAKEOVER);
        // A bell or a beat wakes it sooner; it is the whole time all the same.
        while runner.now() < until && !edge.stop.is_cancelled() {
            runner.sleep(Some(until)).await?;
        }
    }
    runner.go().await
}

struct Runner<'a> {
    edge: &'a Edge,
    op: OpState,
    epoch: i64,
    /// How far the records are ahead of this machine's clock: somebody wrote them by one that was wrong.
    ahead: SignedDuration,
    /// What was asked up to here was asked before this runner took the operation on.
    claimed_after: i64,
    eye: Eye,
    /// Looks that failed one after the other.
    blind: usize,
    /// The trouble that was last said.
    blind_for: Option<TroubleKind>,
    beat_at: Timestamp,
}

impl Runner<'_> {
    /// The time, which never goes back behind what was recorded, and never stands still.
    fn now(&self) -> Timestamp {
        self.edge.timer.now().saturating_add(self.ahead).unwrap_or(Timestamp::MAX).max(self.op.last_at)
    }

    fn later(&self, by: SignedDuration) -> Timestamp {
        self.now().saturating_add(by).unwrap_or(Timestamp::MAX)
    }

    fn note(&mut self, event: Event) -> Result<()> {
        let body = serde_json::to_string(&event)
            .map_err(|why| Error::failed("an event cannot be written").because(why))?;
        let entry =
            self.edge.ledger.append(&self.op.record.id, self.epoch, self.now(), event.word(), &body)?;
        self.op.take(&entry);
        Ok(())
    }

    async fn go(mut self) -> Result<OpState> {
        loop {
            if self.hear()? {
                return Ok(self.op);
            }
            if self.edge.stop.is_cancelled() {
                self.leave("it was told to stop")?;
                return Ok(self.op);
            }
            match next(&self.op, &self.eye, self.now()) {
                Move::Note(event) => self.record(event)?,
                Move::Look(facts) => self.look(&facts).await?,
                Move::Act(deed) => self.act(deed).await?,
                Move::Open(lanes) => self.open(&lanes).await?,
                Move::Sleep(until) => self.sleep(until).await?,
                Move::Over => {
                    self.edge.ledger.release(&self.op.record.id, self.epoch, self.now(), true)?;
                    return Ok(self.op);
                }
            }
        }
    }

    /// Takes in what was asked. Returns whether somebody else goes on with it.
    fn hear(&mut self) -> Result<bool> {
        for request in self.edge.ledger.requests(&self.op.record.id, self.op.heard)? {
            let Some(verb) = Verb::named(&request.verb) else { continue };
            let who = request.who.clone();
            let said = format!("{who} took it over");
            self.note(Event::Asked { seq: request.seq, verb, who, reason: request.reason })?;
            // Whoever asked before this runner began got this runner. By number: clocks jump.
            if verb == Verb::Takeover && request.seq > self.claimed_after {
                self.leave(&said)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn leave(&mut self, why: &str) -> Result<()> {
        self.note(Event::Left { why: why.to_owned() })?;
        self.edge.ledger.release(&self.op.record.id, self.epoch, self.now(), false)?;
        Ok(())
    }

    fn record(&mut self, event: Event) -> Result<()> {
        let closed = match &event {
            Event::Closed { lane, .. } => Some(*lane),
            _ => None,
        };
        self.note(event)?;
        // Whoever waits for the next wave need not wait for the next time that room is asked for.
        if closed.is_some_and(|lane| self.op.ends_wave(lane)) {
            self.eye.asked_room_at = None;
        }
        if let Some(lane) = closed.and_then(|lane| self.op.plan.lanes.get(lane))
            && let Some(tier) = &lane.tier
        {
            let pool = pool_key(&self.op, tier);
            self.edge.ledger.give_back(&self.op.record.id, &pool, &lane.target, self.now())?;
        }
        Ok(())
    }

    /// Waits, and says meanwhile that it lives.
    async fn sleep(&mut self, until: Option<Timestamp>) -> Result<()> {
        let beat = self.beat_at.saturating_add(BEAT).unwrap_or(Timestamp::MAX);
        if beat <= self.now() {
            self.edge.ledger.beat(&self.op.record.id, self.epoch, self.now())?;
            self.beat_at = self.now();
        }
        let beat = self.beat_at.saturating_add(BEAT).unwrap_or(Timestamp::MAX);
        let until = until.map_or(beat, |until| until.min(beat));
        let until = until.saturating_sub(self.ahead).unwrap_or(Timestamp::MIN);
        tokio::select! {
            () = self.edge.timer.until(until) => {}
            () = self.edge.bell.rings() => {}
            () = self.edge.stop.cancelled() => {}
        }
        Ok(())
    }

    async fn look(&mut self, facts: &[(Scope, Aspect)]) -> Result<()> {
        let after = self.op.length;
        match see(self.edge.probe.as_ref(), facts).await {
            Ok(seen) => {
                self.blind = 0;
                let at = self.now();
                for ((scope, fact), value) in seen {
                    self.eye.keep(scope, fact, Sight { value, at, after });
                }
                Ok(())
            }
            Err(trouble) => self.blinded(&trouble).await,
        }
    }

    /// Looking failed: says so once, and waits.
    async fn blinded(&mut self, trouble: &Trouble) -> Result<()> {
        let pause = BLIND_FOR_S.get(self.blind).or(BLIND_FOR_S.last()).copied().unwrap_or(60);
        self.blind += 1;
        let again_at = self.later(SignedDuration::from_secs(pause));
        let why = trouble.to_string();
        // The same trouble meets now this call and now that one.
        if self.op.blind.is_none() || self.blind_for != Some(trouble.kind) {
            self.blind_for = Some(trouble.kind);
            let is_ours = matches!(trouble.kind, TroubleKind::NoCredentials | TroubleKind::Expired);
            // What this process was given at its start it keeps: another one has the new ones.
            let hint = match &trouble.hint {
                Some(hint) if is_ours => {
                    Some(format!("{hint}; then coredeck op takeover {}", self.op.record.id))
                }
                other => other.clone(),
            };
            self.note(Event::Blind { why, hint, again_at })?;
        }
        self.sleep(Some(again_at)).await
    }

    async fn act(&mut self, deed: Deed) -> Result<()> {
        let Deed { steps, way, scope, change, same_as } = deed;
        let call = self.op.calls.len() as u64 + 1;
        let token = match same_as.and_then(|call| self.op.calls.get(&call)) {
            Some(earlier) => earlier.token.clone(),
            None => Token::of(&[&self.op.record.id, &call.to_string()]),
        };
        let intended = Event::Intended {
            call,
            steps: steps.clone(),
            way,
            change: Box::new(change.clone()),
            token: token.clone(),
        };
        self.note(intended)?;
        let result = self.edge.writer.write(&scope, &change, &token).await;
        self.note(match result {
            Ok(receipt) => {
                let targets_of = |step: &super::event::At| {
                    self.op.leg(*step, way).map(|leg| match &leg.act {
                        super::plan::Act::Once { change } => {
                            change.targets().into_iter().map(str::to_owned).collect::<Vec<_>>()
                        }
                        _ => change.targets().into_iter().map(str::to_owned).collect(),
                    })
                };
                let missed = steps.iter().filter_map(|step| {
                    let targets = targets_of(step)?;
                    let miss =
                        receipt.missed.iter().find(|miss| targets.iter().any(|t| *t == miss.target))?;
                    let detail = miss.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
                    Some((*step, format!("AWS left it out, {}{detail}", miss.reason)))
                });
                Event::Answered {
                    call,
                    missed: missed.collect(),
                    request_id: receipt.request_id.map(|id| id.to_string()),
                    command: receipt.command,
                }
            }
            Err(error) => {
                let mut event = self.failed(call, &change, &error);
                if let (Event::Failed { why, .. }, Some(lacks)) =
                    (&mut event, lacks(self.edge.probe.as_ref(), &scope, &change, &error).await)
                {
                    // Where EC2 names the one, nobody need read what it might have been.
                    *why = format!("{error}; {lacks}");
                }
                event
            }
        })
    }

    /// That a call failed, and when the same may be made again where nobody knows whether it happened.
    fn failed(&self, call: u64, change: &crate::gateway::Change, error: &WriteError) -> Event {
        let mut event = failed(call, change, error);
        let may_repeat = matches!(change.again(), Again::Harmless | Again::Token);
        if let Event::Failed { how: Failure::Unknown, again_at, .. } = &mut event
            && may_repeat
        {
            let seconds = self.op.pause(call).and_then(|seconds| i64::try_from(seconds).ok());
            *again_at = seconds.map(|seconds| self.later(SignedDuration::from_secs(seconds)));
        }
        event
    }

    /// Gives lanes their turn: those for which all is as planned, as far as budgets have room.
    async fn open(&mut self, lanes: &[usize]) -> Result<()> {
        let plan = Arc::clone(&self.op.plan);
        let wanted = lanes.iter().filter_map(|lane| Some((*lane, plan.lanes.get(*lane)?)));
        let wanted: Vec<(usize, &super::plan::Lane)> = wanted.collect();
        let mut facts: Vec<(Scope, Aspect)> = wanted
            .iter()
            .flat_map(|(_, lane)| lane.facts.iter().map(|fact| (lane.scope.clone(), fact.fact.clone())))
            .collect();
        facts.sort();
        facts.dedup();
        let before = self.blind;
        self.look(&facts).await?;
        if self.blind > before {
            return Ok(());
        }
        let mut free = Vec::new();
        for (number, lane) in wanted {
            match lane.differences(&self.eye) {
                Some(why) if !why.is_empty() => self.note(Event::Barred { lane: number, why })?,
                Some(_) => free.push((number, lane)),
                None => {}
            }
        }
        let mut opened: Vec<usize> =
            free.iter().filter(|(_, lane)| lane.tier.is_none()).map(|(number, _)| *number).collect();
        free.retain(|(_, lane)| lane.tier.is_some());
        if !free.is_empty() {
            let seen_at = self.now();
            let standings = match self.edge.census.count(seen_at).await {
                Ok(standings) => standings,
                Err(trouble) => return self.blinded(&trouble).await,
            };
            for pool in &plan.pools {
                let mine: Vec<&(usize, &super::plan::Lane)> =
                    free.iter().filter(|(_, lane)| lane.tier.as_deref() == Some(&pool.tier)).collect();
                let standing = standings.get(&pool.tier).cloned().unwrap_or_default();
                let wanted: Vec<String> = mine.iter().map(|(_, lane)| lane.target.clone()).collect();
                let claim = Claim {
                    pool: &pool_key(&self.op, &pool.tier),
                    wanted: &wanted,
                    down: &standing.down,
                    most: pool.most.of(standing.total),
                    seen_at,
                };
                let given = self.edge.ledger.reserve(&self.op.record.id, self.epoch, &claim)?;
                let turns = mine.iter().filter(|(_, lane)| given.contains(&lane.target));
                opened.extend(turns.map(|(number, _)| *number));
            }
        }
        self.eye.asked_room_at = Some(self.now());
        opened.sort_unstable();
        if !opened.is_empty() {
            self.note(Event::Opened { lanes: opened })?;
        }
        Ok(())
    }
}

/// Whose budget a tier's is.
fn pool_key(op: &OpState, tier: &str) -> String {
    format!("{}/{tier}", op.record.fleet)
}

/// Looks at facts, with as few calls as they take.
///
/// # Errors
///
/// What kept it from seeing all of them.
pub async fn see(
    probe: &dyn FleetProbe,
    facts: &[(Scope, Aspect)],
) -> std::result::Result<Vec<((Scope, Aspect), super::aspect::Value)>, Trouble> {
    let mut by_scope: BTreeMap<&Scope, Vec<&Aspect>> = BTreeMap::new();
    for (scope, fact) in facts {
        by_scope.entry(scope).or_default().push(fact);
    }
    let mut seen = Vec::new();
    for (scope, facts) in by_scope {
        let looks: Vec<Look> = merged(facts.iter().map(|fact| fact.look()));
        let answers = futures::future::try_join_all(looks.iter().map(|look| probe.look(scope, look))).await?;
        for fact in facts {
            let own = fact.look();
            let answer = looks.iter().zip(&answers).find(|(look, _)| answers_for(look, &own));
            if let Some(value) = answer.and_then(|(_, answer)| fact.value(answer)) {
                seen.push(((scope.clone(), fact.clone()), value));
            }
        }
    }
    Ok(seen)
}

/// Tells whether a look shows what another one asks for.
fn answers_for(look: &Look, own: &Look) -> bool {
    merged([look.clone(), own.clone()]).len() == 1 && {
        // A merged look of commands may begin earlier: that is the only one that grows beside its ids.
        std::mem::discriminant(look) == std::mem::discriminant(own)
    }
}

impl OpState {
    /// Whether a lane is on its way.
    pub fn is_busy(&self) -> bool {
        self.lanes.iter().any(|lane| matches!(lane.phase, Phase::There | Phase::Back))
    }
}

/// What a runner's end means for the exit code.
pub fn verdict(op: &OpState) -> Option<ErrorKind> {
    use super::event::Outcome;
    match op.ended.as_ref()?.0 {
        Outcome::Done => None,
        Outcome::Failed => Some(ErrorKind::Failed),
        Outcome::PartWay => Some(ErrorKind::PartWay),
        Outcome::RolledBack => Some(ErrorKind::RolledBack),
    }
}
