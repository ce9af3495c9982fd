//! What is asked of an operation: written into the journal for its runner; where there is none, one is started.

use super::{AskArgs, Follow, Place, RollbackArgs, Toward, follow, still_running, who};
use crate::cli::Outside;
use crate::cli::args::Global;
use crate::cli::begin::{self, Form};
use crate::cli::output::Output;
use crate::cli::reach;
use crate::cli::tunnel::Signals;
use crate::error::{Error, ErrorKind, Result};
use crate::gateway::Source;
use crate::ops::{self, Verb};
use crate::store::journal::{Journal, Ledger};
use crate::world::Interest;

/// Asks something.
pub(super) async fn run(
    verb: Verb,
    args: &AskArgs,
    place: &Place,
    outside: &Outside,
    out: &mut Output,
) -> Result<()> {
    let journal = place.open()?;
    let op = ops::read(&journal, &args.one.id)?;
    let id = op.record.id.clone();
    let asked = ask(verb, &op, args.reason.as_deref(), place, &journal, outside).await?;
    asked.warning.iter().for_each(|warning| out.warn(warning));
    asked.says.iter().for_each(|says| out.say(says));
    if verb == Verb::Pause {
        return Ok(());
    }
    if args.detach {
        return Err(still_running(&id, Toward::after(verb)));
    }
    let how = Follow { is_json: args.one.output == Form::Json, within: None };
    follow(&journal, &id, &how, Signals::new()?, outside.clock, out).await
}

/// What came of asking.
#[derive(Default)]
pub(in crate::cli) struct Asked {
    /// What happens now, a sentence each.
    pub(in crate::cli) says: Vec<String>,
    /// What did not go as it should.
    pub(in crate::cli) warning: Option<String>,
}

/// Writes into the journal what is asked of an operation; where no runner is there to hear it, one is started.
pub(in crate::cli) async fn ask(
    verb: Verb,
    op: &ops::OpState,
    reason: Option<&str>,
    place: &Place,
    journal: &Journal,
    outside: &Outside,
) -> Result<Asked> {
    let Listening { runner, lives } = request(verb, op, reason, journal, outside)?;
    let id = &op.record.id;
    let mut asked = Asked::default();
    match (verb, lives) {
        (Verb::Takeover, true) => {
            let runner = runner.unwrap_or_default();
            asked.says.push(format!(
                "{runner} is asked to let go of {id}; whether it answers or not, it is taken over"
            ));
            let started = super::spawn::take_over(&op.record, place, journal, outside).await?;
            asked.warning = started.warning;
            asked.says.push(started.says);
        }
        (Verb::Pause, false) => {
            asked.says.push(format!("operation {id} has no runner: it stands still already"));
        }
        (_, true) => asked.says.push(format!("operation {id} is asked to {}", verb.said())),
        (_, false) => {
            let started = super::start(&op.record, place, journal, outside).await?;
            asked.warning = started.warning;
            asked.says.push(started.says);
        }
    }
    Ok(asked)
}

/// Who hears what is asked.
pub(in crate::cli) struct Listening {
    /// The runner that has the operation, or had it last.
    pub(in crate::cli) runner: Option<String>,
    /// It lives.
    pub(in crate::cli) lives: bool,
}

/// Writes into the journal what is asked of an operation.
pub(in crate::cli) fn request(
    verb: Verb,
    op: &ops::OpState,
    reason: Option<&str>,
    journal: &Journal,
    outside: &Outside,
) -> Result<Listening> {
    let id = &op.record.id;
    if let Some((outcome, at)) = op.ended {
        let error = Error::new(
            ErrorKind::Refused,
            format!(
                "operation {id} is over since {at:.0} ({}); there is nothing to {}",
                outcome.word(),
                verb.said()
            ),
        );
        return Err(error.hint(format!("coredeck op rollback {id} takes back what it did")));
    }
    if let Some(why) = op.deaf_to(verb) {
        let why = format!("operation {id} cannot {} now: {why}", verb.said());
        return Err(
            Error::new(ErrorKind::Refused, why).hint(format!("coredeck op watch {id} follows it to its end"))
        );
    }
    let runner = journal.runner(id)?;
    let lives = runner.as_ref().is_some_and(|(_, lives)| *lives);
    journal.ask(id, verb.word(), &who(outside), reason, outside.clock.now())?;
    Ok(Listening { runner: runner.map(|(runner, _)| runner.who.to_string()), lives })
}

/// `coredeck op rollback`
pub(super) async fn rollback(
    args: &RollbackArgs,
    place: &Place,
    global: &Global,
    outside: &Outside,
    out: &mut Output,
) -> Result<()> {
    args.manner.check()?;
    let journal = place.open()?;
    let op = ops::read(&journal, &args.id)?;
    if op.ended.is_none() {
        let verb = Verb::Rollback;
        let one = super::OneArgs {
            id: op.record.id.clone(),
            output: if args.manner.is_json() { Form::Json } else { Form::Text },
        };
        let ask = AskArgs { one, reason: args.manner.reason.clone(), detach: args.manner.detaches() };
        drop(journal);
        return run(verb, &ask, place, outside, out).await;
    }
    ops::rollback::allowed(&journal, &op)?.iter().for_each(|unread| out.warn(unread));
    let reach = reach::open(global, outside, out).await?;
    let world = reach.once(&[Source::Identity], Interest::default(), None, out).await;
    let plan = ops::rollback::plan(&begin::desk(&reach, &world)?, &op).await?;
    begin::run(plan, &args.manner, &reach, global, outside, out).await
}
