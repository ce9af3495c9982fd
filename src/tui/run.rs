//! The loop: waits for keys, worlds, signals and the next moment that something ages; draws what changed.

use super::ask::Answered;
use super::beside::{Beside, Coming, Opening, at_once};
use super::copy::{Between, clipboard};
use super::decode::Heard;
use super::hunt::Hunted;
use super::keyboard::Keyboard;
use super::options::Options;
use super::pace::Pace;
use super::painter::Painter;
use super::props::Props;
use super::screen::{draw, wake_at};
use super::signals::{Signals, Told};
use super::signs::Signs;
use super::state::{About, Effect, Input, Ui};
use super::still::{Looks, arrive};
use super::terminal::Terminal;
use super::update::{nobody, update};
use crate::clock::{Clock, monotonic};
use crate::error::{Error, ErrorKind, Result};
use crate::ops::counter::{Answer, Aside, Counter, Inside, Order, Register};
use crate::world::{Wish, World};
use jiff::Timestamp;
use rustix::process::{Signal, getpid, getsid, kill_current_process_group};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// From this time on that the terminal takes to answer, as little as can be is sent to it.
const SLOW: Duration = Duration::from_millis(150);
/// How long an answer is waited for on leaving.
const ANSWER: Duration = Duration::from_millis(400);
/// What are you, and, in the other, what is your background? Every terminal answers the first, and in order.
const WHAT: &[u8] = b"\x1b[c";
const WHAT_BACKGROUND: &[u8] = b"\x1b]11;?\x1b\\\x1b[c";
/// Events that are taken in before a frame is drawn, at most: a stuck key must not starve the screen.
const DRAINED: usize = 512;

/// Shows the fleet until the person leaves. Needs a terminal on stdin and stdout, which is given back
/// whatever happens. `behind` is the runtime that reads; keys are heard soonest where this runs in another. Fails when the terminal fails, when the process is told to end, and when the other
/// end of `world` is gone.
pub async fn run(
    mut world: watch::Receiver<Arc<World>>,
    wishes: mpsc::Sender<Wish>,
    counter: Option<Counter>,
    about: About,
    options: Options,
    aside: Option<Arc<dyn Aside>>,
    behind: Handle,
) -> Result<()> {
    let mut counter = counter.map(Desk::new);
    let mut signals = Signals::new()?;
    let terminal = Terminal::open()?;
    let first = Arc::clone(&world.borrow_and_update());
    let (has_mouse, asks, clock) = (options.has_mouse, options.asks, options.clock);
    let painter = Painter::new(options.signs == Signs::Ascii);
    let (is_auto, between) = (options.lean.is_none(), options.between);
    let (setup, props) = options.into_parts(about, Terminal::size()?);
    let mut screen = Screen {
        ui: Ui::new(first, clock.now(), setup),
        props,
        painter,
        clock,
        pace: Pace::default(),
        ages_at: None,
        outbox: VecDeque::new(),
        orders: VecDeque::new(),
        asked: None,
        is_auto,
        between,
    };
    let begun = screen.tick();
    if has_mouse {
        terminal.mouse(true)?;
    }
    let mut keyboard = Keyboard::new()?;
    screen.pace.change();
    screen.draw_when_due(&terminal)?;
    if asks {
        screen.ask(&terminal)?;
    }
    let ends = Ends {
        world: &mut world,
        wishes: &wishes,
        counter: counter.as_mut(),
        aside,
        beside: Beside::new(behind),
    };
    live(&mut screen, begun, &terminal, &mut keyboard, &mut signals, ends).await
}

/// Lives until the person leaves, or something else ends it. Nothing is read ahead: what is typed from then on
/// is for the shell.
async fn live(
    screen: &mut Screen,
    begun: Vec<Effect>,
    terminal: &Terminal,
    keyboard: &mut Keyboard,
    signals: &mut Signals,
    ends: Ends<'_>,
) -> Result<()> {
    let Ends { world, wishes, mut counter, aside, beside } = ends;
    let mut effects = VecDeque::from(begun);
    // What came last was a key, or another thing that a person did.
    let mut is_heard = false;
    // Rows that are being filtered and sorted on a thread of their own; a new job takes the place of an old one.
    let mut sifting: Option<Coming<Answered>> = None;
    // Things that are being looked for, likewise.
    let mut hunting: Option<Coming<Hunted>> = None;
    // A shell that is being opened.
    let mut opening: Option<JoinHandle<Opening>> = None;
    loop {
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Quit => {
                    if screen.asked.is_some_and(|at| monotonic().duration_since(at) < 4 * ANSWER) {
                        keyboard.hear_out(ANSWER).await;
                    }
                    return Ok(());
                }
                Effect::Copy(text) => terminal.write(&clipboard(&text, screen.between))?,
                Effect::Mouse(is_ours) => terminal.mouse(is_ours)?,
                Effect::Theme(_) | Effect::Keymap(_) | Effect::Views(_) | Effect::ForgetView(..) => {
                    for input in screen.props.carry_out(&effect) {
                        effects.extend(screen.take(input));
                    }
                }
                Effect::Wish(wish) => screen.post(wish),
                Effect::Order(order) if counter.is_some() => screen.orders.push_back(order),
                Effect::Order(order) => {
                    let answer = nobody(order).map(Input::Answer);
                    effects.extend(answer.map(|answer| screen.take(answer)).unwrap_or_default());
                }
                Effect::Redraw => effects.extend(screen.start_over()?),
                Effect::Sift(job) => {
                    job.ahead().into_iter().for_each(|work| drop(beside.patiently(work)));
                    if is_heard {
                        sifting = Some(at_once(move || job.run())?);
                        screen.pace.hold(monotonic());
                    } else {
                        // Rows of a newer fleet, which nobody asked for.
                        sifting = Some(beside.patiently(move || job.run()));
                    }
                }
                Effect::Hunt(hunt) => hunting = Some(at_once(move || hunt.run())?),
                Effect::Shell(of) => match &aside {
                    Some(aside) => opening = Some(beside.open(aside, of)),
                    None => {
                        let why = "this screen has nobody who could open a shell".to_owned();
                        effects.extend(screen.take(Input::Shell(Err(why))));
                    }
                },
                Effect::LeaveShell => opening.take().into_iter().for_each(|opening| beside.leave(opening)),
                Effect::Suspend if is_alone() => {
                    screen.ui.complain("no shell waits for coredeck here, so nothing could bring it back");
                }
                Effect::Suspend => {
                    terminal.suspend();
                    // Ctrl-Z reached us as a key, so nobody else stops us, nor whoever started us and waits
                    // with us in the same job. SIGSTOP, because SIGTSTP is caught.
                    kill_current_process_group(Signal::STOP)
                        .map_err(|error| Error::failed("going to the background failed").because(error))?;
                    terminal.resume()?;
                    effects.extend(screen.start_over()?);
                }
            }
        }
        screen.draw_when_due(terminal)?;
        let wake = screen.wake_in();
        let next = tokio::select! {
            biased;
            () = terminal.panicked() => {
                return Err(Error::failed("a part of coredeck failed; what it said stands above")
                    .hint("please report it with those lines"));
            }
            what = signals.next() => Happened::Signal(what),
            heard = keyboard.next() => Happened::Heard(heard?),
            changed = world.changed() => {
                changed.map_err(|_| Error::failed("nothing reads the fleet any more"))?;
                Happened::World
            }
            found = async { sifting.as_mut()?.await.ok() }, if sifting.is_some() => {
                sifting = None;
                screen.pace.release();
                let found =
                    found.ok_or_else(|| Error::failed("sorting rows failed; what it said stands above"))?;
                Happened::Sifted(found)
            }
            found = async { hunting.as_mut()?.await.ok() }, if hunting.is_some() => {
                hunting = None;
                let found =
                    found.ok_or_else(|| Error::failed("looking for things failed; what it said stands above"))?;
                Happened::Hunted(found)
            }
            opened = async { opening.as_mut()?.await.ok() }, if opening.is_some() => {
                opening = None;
                match opened {
                    Some(Ok(inside)) => Happened::Opened(inside),
                    Some(Err(declined)) => Happened::Input(Input::Shell(Err(declined.line()))),
                    None => {
                        return Err(Error::failed("opening a shell failed; what it said stands above"));
                    }
                }
            }
            permit = wishes.reserve(), if !screen.outbox.is_empty() => {
                let permit = permit.map_err(|_| Error::failed("nothing reads the fleet any more"))?;
                if let Some(wish) = screen.outbox.pop_front() {
                    permit.send(wish);
                }
                continue;
            }
            told = heard(&mut counter, !screen.orders.is_empty()), if counter.is_some() => match told {
                Behind::Ready(permit) => {
                    if let Some(order) = screen.orders.pop_front() {
                        permit.send(order);
                    }
                    continue;
                }
                Behind::Register(register) => Happened::Input(Input::Register(register)),
                Behind::Answer(answer) => Happened::Input(Input::Answer(answer)),
                Behind::Gone => return Err(Error::failed("nobody stands behind the counter any more")),
            },
            () = tokio::time::sleep(wake.unwrap_or_default()), if wake.is_some() => Happened::Time,
        };
        effects.extend(screen.tick());
        is_heard = matches!(next, Happened::Heard(_));
        let leftover = screen.ui.large_fleets();
        effects.extend(match next {
            Happened::Time => Vec::new(),
            Happened::Input(input) => screen.take(input),
            Happened::Sifted(found) => screen.take(Input::Sifted(found)),
            Happened::Hunted(found) => screen.take(Input::Hunted(found)),
            Happened::World => {
                let world = Arc::clone(&world.borrow_and_update());
                screen.arrived(world)
            }
            Happened::Opened(inside) => {
                terminal.suspend();
                let ended = beside.with(inside.carry_on()).await.map_err(|declined| declined.line());
                terminal.resume()?;
                signals.forget();
                let mut effects = screen.start_over()?;
                effects.extend(screen.take(Input::Shell(ended)));
                effects
            }
            Happened::Signal(Told::End(name)) => {
                return Err(Error::new(ErrorKind::Interrupted, format!("ended by {name}")));
            }
            Happened::Signal(Told::Suspend) => vec![Effect::Suspend],
            Happened::Signal(Told::Continue) => {
                // Somebody else may have changed the terminal while we were stopped.
                terminal.resume()?;
                screen.start_over()?
            }
            Happened::Signal(Told::Resized) => {
                // Also where the size is what it was: it may have been smaller for a moment, and then the
                // terminal has forgotten what did not fit.
                screen.start_over()?
            }
            Happened::Heard(heard) => {
                screen.pace.hurry();
                let mut effects = screen.hear(heard);
                for _ in 0..DRAINED {
                    let Some(heard) = keyboard.at_hand() else { break };
                    effects.append(&mut screen.hear(heard));
                }
                effects
            }
        });
        if leftover.iter().any(|fleet| Arc::strong_count(fleet) <= 2) {
            // Whoever holds 100,000 rows last has milliseconds of work to let go of them: the list and its order may.
            drop(beside.patiently(move || drop(leftover)));
        }
    }
}

/// Where what is shown comes from, and where wishes go to.
struct Ends<'a> {
    world: &'a mut watch::Receiver<Arc<World>>,
    wishes: &'a mpsc::Sender<Wish>,
    counter: Option<&'a mut Desk>,
    aside: Option<Arc<dyn Aside>>,
    beside: Beside,
}

/// A counter with its register marked as not seen yet.
struct Desk(Counter);

impl Desk {
    fn new(mut counter: Counter) -> Self {
        counter.register.mark_changed();
        Self(counter)
    }
}

/// What comes from behind the counter.
enum Behind<'a> {
    Ready(mpsc::Permit<'a, Order>),
    Register(Arc<Register>),
    Answer(Answer),
    Gone,
}

/// Waits for something from behind the counter: forever where nobody stands there.
async fn heard<'a>(counter: &'a mut Option<&mut Desk>, has_order: bool) -> Behind<'a> {
    let Some(Desk(Counter { register, orders, answers })) = counter.as_deref_mut() else {
        return std::future::pending().await;
    };
    tokio::select! {
        changed = register.changed() => match changed {
            Ok(()) => Behind::Register(Arc::clone(&register.borrow_and_update())),
            Err(_) => Behind::Gone,
        },
        answer = answers.recv() => answer.map_or(Behind::Gone, Behind::Answer),
        permit = orders.reserve(), if has_order => permit.map_or(Behind::Gone, Behind::Ready),
    }
}

/// Tells whether no shell could continue us once we are stopped: what a terminal or sshd starts as its only
/// program leads a session of its own.
fn is_alone() -> bool {
    getsid(None).is_ok_and(|session| session == getpid())
}

/// What the loop woke up for.
enum Happened {
    Heard(Heard),
    Input(Input),
    World,
    Time,
    Sifted(Box<Answered>),
    Hunted(Box<Hunted>),
    Opened(Box<dyn Inside>),
    Signal(Told),
}

/// The state, and what the terminal shows of it.
struct Screen {
    ui: Ui,
    props: Props,
    painter: Painter,
    clock: Clock,
    pace: Pace,
    /// When something that the last frame shows will have aged.
    ages_at: Option<Timestamp>,
    /// Wishes that the collector has no room for yet.
    outbox: VecDeque<Wish>,
    /// Orders that nobody has taken yet.
    orders: VecDeque<Order>,
    /// When the terminal was asked what it is, until it answers.
    asked: Option<Instant>,
    /// The time that it takes to answer decides how much is sent.
    is_auto: bool,
    /// What stands between us and the terminal that has the clipboard.
    between: Between,
}

impl Screen {
    fn tick(&mut self) -> Vec<Effect> {
        let now = self.clock.now();
        if self.ages_at.is_some_and(|at| at <= now) {
            self.pace.change();
        }
        update(&mut self.ui, Input::Tick(now))
    }

    /// Takes a world in. One that changes nothing on the screen has no frame drawn.
    fn arrived(&mut self, world: Arc<World>) -> Vec<Effect> {
        let (effects, looks) = arrive(&mut self.ui, world);
        match looks {
            Looks::Anew => self.pace.change(),
            Looks::Same => self.ages_at = wake_at(&self.ui),
        }
        effects
    }

    fn take(&mut self, input: Input) -> Vec<Effect> {
        self.pace.change();
        update(&mut self.ui, input)
    }

    fn hear(&mut self, heard: Heard) -> Vec<Effect> {
        match heard {
            Heard::Key(chord) => self.take(Input::Key(chord)),
            Heard::Paste(text) => self.take(Input::Paste(text)),
            Heard::Mouse(mouse) => self.take(Input::Mouse(mouse)),
            Heard::Focus(has_focus) => self.take(Input::Focus(has_focus)),
            Heard::Background(colour) => {
                if let Some(theme) = self.props.looks.see(colour) {
                    self.props.theme = theme;
                    self.pace.change();
                }
                Vec::new()
            }
            Heard::Attributes => match self.asked.take().map(|at| monotonic().duration_since(at)) {
                Some(by) => {
                    tracing::info!(milliseconds = by.as_millis(), "the terminal answered");
                    if self.is_auto && by >= SLOW { self.take(Input::Slow(by)) } else { Vec::new() }
                }
                None => Vec::new(),
            },
        }
    }

    /// Asks the terminal what it is, after the first frame, so that nobody waits for the answer.
    fn ask(&mut self, terminal: &Terminal) -> Result<()> {
        self.asked = Some(monotonic());
        terminal.write(if self.props.looks.wants_background() { WHAT_BACKGROUND } else { WHAT })
    }

    /// Only the last of several wishes to look matters.
    fn post(&mut self, wish: Wish) {
        if matches!((&wish, self.outbox.back()), (Wish::Look(_), Some(Wish::Look(_)))) {
            self.outbox.pop_back();
        }
        self.outbox.push_back(wish);
    }

    /// Draws everything again, whatever the terminal shows.
    fn start_over(&mut self) -> Result<Vec<Effect>> {
        self.pace.hurry();
        let (width, height) = Terminal::size()?;
        self.painter.forget();
        Ok(self.take(Input::Resize(width, height)))
    }

    /// Draws when something happened and the last frame is long enough ago.
    fn draw_when_due(&mut self, terminal: &Terminal) -> Result<()> {
        let now = monotonic();
        if self.pace.due_at(now, self.ui.has_focus()).is_some_and(|at| at <= now) {
            let frame = draw(&self.ui, &self.props.theme);
            let bytes = self.painter.paint(&frame.cells, frame.cursor);
            terminal.write(&bytes)?;
            self.pace.drawn(monotonic());
            self.ages_at = wake_at(&self.ui);
        }
        Ok(())
    }

    /// How long nothing must be done: until the next frame is due, or until something on it ages.
    fn wake_in(&self) -> Option<Duration> {
        let now = monotonic();
        if let Some(at) = self.pace.due_at(now, self.ui.has_focus()) {
            return Some(at.saturating_duration_since(now));
        }
        let at = self.ages_at?;
        let until = at.duration_since(self.clock.now());
        // Never sooner than a second: a moment just past is reached by then, and nothing spins.
        Some(Duration::try_from(until).unwrap_or_default().max(Duration::from_secs(1)))
    }
}
