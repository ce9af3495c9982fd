//! The loop: waits for keys, worlds, signals and the next moment that something ages; draws what changed.

use super::ask::Answered;
use super::chord::Chord;
use super::options::Options;
use super::painter::Painter;
use super::screen::{draw, wake_at};
use super::signs::Signs;
use super::state::{About, Effect, Input, Setup, Ui};
use super::terminal::Terminal;
use super::theme::Theme;
use super::update::update;
use crate::clock::{Clock, monotonic};
use crate::error::{Error, ErrorKind, Result};
use crate::world::{Wish, World};
use crossterm::event::{Event, EventStream};
use futures::StreamExt;
use rustix::process::{Signal, getpid, getsid, kill_current_process_group};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// The least time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// Events that are taken in before a frame is drawn, at most: a stuck key must not starve the screen.
const DRAINED: usize = 512;

/// Shows the fleet until the person leaves. Needs a terminal on stdin and stdout, which is given back
/// whatever happens. Fails when the terminal fails, when the process is told to end, and when the other
/// end of `world` is gone.
pub async fn run(
    mut world: watch::Receiver<Arc<World>>,
    wishes: mpsc::Sender<Wish>,
    about: About,
    options: Options,
) -> Result<()> {
    let mut signals = Signals::new()?;
    let terminal = Terminal::open()?;
    let first = Arc::clone(&world.borrow_and_update());
    let setup = Setup { about, keymap: options.keymap, signs: options.signs, size: Terminal::size()? };
    let mut screen = Screen {
        ui: Ui::new(first, options.clock.now(), setup),
        theme: options.theme,
        painter: Painter::new(options.signs == Signs::Ascii),
        clock: options.clock,
        drawn_at: None,
        is_dirty: true,
        outbox: VecDeque::new(),
    };
    let begun = screen.tick();
    let mut events = Events::new();
    let ended = live(&mut screen, begun, &terminal, &mut events, &mut signals, &mut world, &wishes).await;
    // What is typed from here on is for the shell.
    events.close().await;
    ended
}

/// Lives until the person leaves, or something else ends it.
async fn live(
    screen: &mut Screen,
    begun: Vec<Effect>,
    terminal: &Terminal,
    events: &mut Events,
    signals: &mut Signals,
    world: &mut watch::Receiver<Arc<World>>,
    wishes: &mpsc::Sender<Wish>,
) -> Result<()> {
    let mut effects = begun;
    // Rows that are being filtered and sorted on a thread of their own; `update` never asks for two at once.
    let mut sifting: Option<JoinHandle<Box<Answered>>> = None;
    loop {
        for effect in effects.drain(..) {
            match effect {
                Effect::Quit => return Ok(()),
                Effect::Wish(wish) => screen.post(wish),
                Effect::Redraw => screen.start_over()?,
                Effect::Sift(job) => {
                    sifting = Some(tokio::task::spawn_blocking(move || Box::new(job.run())));
                }
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
                    screen.start_over()?;
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
            event = events.coming.recv() => Happened::Event(event),
            changed = world.changed() => {
                changed.map_err(|_| Error::failed("nothing reads the fleet any more"))?;
                Happened::World
            }
            found = async { sifting.as_mut()?.await.ok() }, if sifting.is_some() => {
                sifting = None;
                let found = found.ok_or_else(|| Error::failed("sorting rows failed; what it said stands above"))?;
                Happened::Sifted(found)
            }
            permit = wishes.reserve(), if !screen.outbox.is_empty() => {
                let permit = permit.map_err(|_| Error::failed("nothing reads the fleet any more"))?;
                if let Some(wish) = screen.outbox.pop_front() {
                    permit.send(wish);
                }
                continue;
            }
            () = tokio::time::sleep(wake.unwrap_or(FRAME)), if wake.is_some() => Happened::Time,
        };
        effects = screen.tick();
        effects.append(&mut match next {
            Happened::Time => Vec::new(),
            Happened::Sifted(found) => screen.take(Input::Sifted(found)),
            Happened::World => {
                let world = Arc::clone(&world.borrow_and_update());
                screen.take(Input::World(world))
            }
            Happened::Signal(Told::End(name)) => {
                return Err(Error::new(ErrorKind::Interrupted, format!("ended by {name}")));
            }
            Happened::Signal(Told::Suspend) => vec![Effect::Suspend],
            Happened::Signal(Told::Continue) => {
                // Somebody else may have changed the terminal while we were stopped.
                terminal.resume()?;
                screen.start_over()?;
                Vec::new()
            }
            Happened::Event(event) => {
                let mut effects = screen.take_event(event)?;
                for _ in 0..DRAINED {
                    let Ok(event) = events.coming.try_recv() else { break };
                    effects.append(&mut screen.take_event(Some(event))?);
                }
                effects
            }
        });
    }
}

/// Tells whether no shell could continue us once we are stopped: what a terminal or sshd starts as its only
/// program leads a session of its own.
fn is_alone() -> bool {
    getsid(None).is_ok_and(|session| session == getpid())
}

/// What the terminal reports, in a queue of its own: `EventStream` wakes only whoever polled it first, so
/// it cannot be asked in passing whether more is there. It stays open while we are stopped, and stands on
/// crossterm's `use-dev-tty`, which asks the terminal each time whether there is more: the other source is
/// told of a key once, and forgets it when a resize or the end of a stream comes in the same instant.
struct Events {
    coming: mpsc::Receiver<std::io::Result<Event>>,
    reader: tokio::task::JoinHandle<()>,
}

impl Events {
    fn new() -> Self {
        let (sender, coming) = mpsc::channel(DRAINED);
        let reader = tokio::spawn(async move {
            let mut events = EventStream::new();
            while let Some(event) = events.next().await {
                if sender.send(event).await.is_err() {
                    break;
                }
            }
        });
        Self { coming, reader }
    }

    /// Reads no more: comes back when nobody takes what is typed away from whoever is next.
    async fn close(self) {
        self.reader.abort();
        // It ends by being aborted, which is no news.
        let _ = self.reader.await;
    }
}

/// What the loop woke up for.
enum Happened {
    Event(Option<std::io::Result<Event>>),
    World,
    Time,
    Sifted(Box<Answered>),
    Signal(Told),
}

/// What a signal means.
enum Told {
    End(&'static str),
    Suspend,
    Continue,
}

/// The signals that end, stop and continue a program.
struct Signals {
    term: tokio::signal::unix::Signal,
    hup: tokio::signal::unix::Signal,
    int: tokio::signal::unix::Signal,
    stop: tokio::signal::unix::Signal,
    cont: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let of = |wanted: Signal| {
            signal(SignalKind::from_raw(wanted.as_raw()))
                .map_err(|error| Error::failed("signals cannot be listened for").because(error))
        };
        Ok(Self {
            term: of(Signal::TERM)?,
            hup: of(Signal::HUP)?,
            int: of(Signal::INT)?,
            stop: of(Signal::TSTP)?,
            cont: of(Signal::CONT)?,
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.term.recv() => Told::End("SIGTERM"),
            _ = self.hup.recv() => Told::End("SIGHUP"),
            _ = self.int.recv() => Told::End("SIGINT"),
            _ = self.stop.recv() => Told::Suspend,
            _ = self.cont.recv() => Told::Continue,
        }
    }
}

/// The state, and what the terminal shows of it.
struct Screen {
    ui: Ui,
    theme: Theme,
    painter: Painter,
    clock: Clock,
    drawn_at: Option<Instant>,
    is_dirty: bool,
    /// Wishes that the collector has no room for yet.
    outbox: VecDeque<Wish>,
}

impl Screen {
    fn tick(&mut self) -> Vec<Effect> {
        let now = self.clock.now();
        self.take(Input::Tick(now))
    }

    fn take(&mut self, input: Input) -> Vec<Effect> {
        self.is_dirty = true;
        update(&mut self.ui, input)
    }

    fn take_event(&mut self, event: Option<std::io::Result<Event>>) -> Result<Vec<Effect>> {
        let event = match event {
            Some(Ok(event)) => event,
            Some(Err(error)) => return Err(Error::failed("the terminal cannot be read").because(error)),
            None => return Err(Error::new(ErrorKind::Interrupted, "the terminal is gone")),
        };
        Ok(match event {
            Event::Key(key) => {
                Chord::from_event(key).map_or_else(Vec::new, |chord| self.take(Input::Key(chord)))
            }
            Event::Paste(text) => self.take(Input::Paste(text)),
            Event::Resize(width, height) => {
                // Also where the size is what it was: it may have been smaller for a moment, and then the
                // terminal has forgotten what did not fit.
                self.painter.forget();
                self.take(Input::Resize(width, height))
            }
            Event::FocusGained | Event::FocusLost | Event::Mouse(_) => Vec::new(),
        })
    }

    /// Only the last of several wishes to look matters.
    fn post(&mut self, wish: Wish) {
        if matches!((&wish, self.outbox.back()), (Wish::Look(_), Some(Wish::Look(_)))) {
            self.outbox.pop_back();
        }
        self.outbox.push_back(wish);
    }

    /// Draws everything again, whatever the terminal shows.
    fn start_over(&mut self) -> Result<()> {
        let (width, height) = Terminal::size()?;
        self.painter.forget();
        self.take(Input::Resize(width, height));
        Ok(())
    }

    /// Draws when something happened and the last frame is long enough ago.
    fn draw_when_due(&mut self, terminal: &Terminal) -> Result<()> {
        let is_due = self.drawn_at.is_none_or(|at| monotonic().duration_since(at) >= FRAME);
        if self.is_dirty && is_due {
            let frame = draw(&self.ui, &self.theme);
            terminal.write(&self.painter.paint(&frame.cells, frame.cursor))?;
            self.drawn_at = Some(monotonic());
            self.is_dirty = false;
        }
        Ok(())
    }

    /// How long nothing must be done: until the next frame is due, or until something on it ages.
    fn wake_in(&self) -> Option<Duration> {
        if self.is_dirty {
            let since = self.drawn_at.map(|at| monotonic().duration_since(at))?;
            return Some(FRAME.saturating_sub(since));
        }
        let at = wake_at(&self.ui)?;
        let until = at.duration_since(self.clock.now());
        // Never sooner than a second: a moment just past is reached by then, and nothing spins.
        Some(Duration::try_from(until).unwrap_or_default().max(Duration::from_secs(1)))
    }
}
