//! The screen without a terminal: keys in, picture out, by the same `update` and `draw`.

use super::chord::{Keys, parse_keys};
use super::keymap::Keymap;
use super::options::Options;
use super::page;
use super::screen::{Frame, draw};
use super::setup::Setup;
use super::signs::Signs;
use super::state::{About, Effect, Input, Ui};
use super::still::{Looks, arrive};
use super::theme::Theme;
use super::update::{nobody, update};
use crate::clock::monotonic;
use crate::error::{Error, Result};
use crate::ops::counter::Counter;
use crate::world::{Wish, World};
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout_at;

/// A screen that is driven by keys as text.
#[derive(Debug)]
pub struct Headless {
    /// Its state.
    pub ui: Ui,
    /// How it is painted.
    pub theme: Theme,
    /// Every effect so far, in order.
    pub effects: Vec<Effect>,
    /// For how many worlds a terminal would have had no frame drawn, since they change nothing on the screen.
    pub spared: usize,
}

impl Headless {
    /// A screen on a world. The moment is the world's own, so that ages hold still.
    pub fn new(world: Arc<World>, size: (u16, u16)) -> Self {
        let setup = Setup::new(Keymap::default(), Signs::Unicode, size);
        let now = world.snapshot.taken_at;
        let mut screen =
            Self { ui: Ui::new(world, now, setup), theme: Theme::plain(), effects: Vec::new(), spared: 0 };
        if let Ok(keymap) = Keymap::shipped("default") {
            screen.ui.keymap = Arc::new(keymap);
        }
        if let Ok(theme) = Theme::shipped("dark") {
            screen.theme = theme;
        }
        screen.input(Input::Tick(now));
        screen
    }

    /// A screen with everything chosen by the caller.
    pub fn with(world: Arc<World>, now: Timestamp, setup: Setup, theme: Theme) -> Self {
        let mut screen = Self { ui: Ui::new(world, now, setup), theme, effects: Vec::new(), spared: 0 };
        screen.input(Input::Tick(now));
        screen
    }

    /// Something happens.
    pub fn input(&mut self, input: Input) -> &mut Self {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let effects = match input {
                Input::World(world) => self.arrived(world),
                input => update(&mut self.ui, input),
            };
            for effect in effects {
                match effect {
                    // What would be done beside the drawing is done here and now.
                    Effect::Sift(job) => inputs.push(Input::Sifted(Box::new(job.run()))),
                    Effect::Hunt(hunt) => inputs.push(Input::Hunted(Box::new(hunt.run()))),
                    effect => self.effects.push(effect),
                }
            }
        }
        self
    }

    fn arrived(&mut self, world: Arc<World>) -> Vec<Effect> {
        // Every test that drives the screen tells whether a frame that is not drawn would have been the same.
        let shown = cfg!(debug_assertions).then(|| self.frame());
        let (effects, looks) = arrive(&mut self.ui, world);
        if looks == Looks::Same {
            self.spared += 1;
            debug_assert!(
                shown.is_none_or(|shown| shown == self.frame()),
                "a frame was spared that is another"
            );
        }
        effects
    }

    /// Presses keys: `/cpu>80<ret>jj<esc>`.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        for chord in parse_keys(keys) {
            self.input(Input::Key(chord));
        }
        self
    }

    /// Draws.
    pub fn frame(&self) -> Frame {
        draw(&self.ui, &self.theme)
    }

    /// The screen as text, a line a row, without blanks at their ends.
    pub fn text(&self) -> String {
        text(&self.frame().cells)
    }
}

/// Presses keys on a world and returns the screen as text.
pub fn headless(world: Arc<World>, keys: &str, size: (u16, u16)) -> String {
    Headless::new(world, size).keys(keys).text()
}

/// How long the whole of a script may wait for the fleet.
const WITHIN: Duration = Duration::from_secs(120);

/// Drives the screen by keys, without a terminal: each key is pressed once every list of the page was read, or
/// could not be. Returns the last screen as text. Fails when the fleet is not read in time.
pub async fn drive(
    mut world: watch::Receiver<Arc<World>>,
    wishes: mpsc::Sender<Wish>,
    mut counter: Option<Counter>,
    about: About,
    options: Options,
    keys: Keys,
    size: (u16, u16),
) -> Result<String> {
    let clock = options.clock;
    let first = Arc::clone(&world.borrow_and_update());
    let (setup, mut props) = options.into_parts(about, size);
    let mut screen = Headless::with(first, clock.now(), setup, props.theme.clone());
    let until = (monotonic() + WITHIN).into();
    let gone = || Error::failed("nothing reads the fleet any more");
    for chord in keys.0.into_iter().map(Some).chain([None]) {
        loop {
            for effect in std::mem::take(&mut screen.effects) {
                match effect {
                    Effect::Quit => return Ok(screen.text()),
                    Effect::Wish(wish) => wishes.send(wish).await.map_err(|_| gone())?,
                    Effect::Order(order) => match &counter {
                        Some(counter) => counter.orders.send(order).await.map_err(|_| gone())?,
                        None => {
                            nobody(order).map(|answer| screen.input(Input::Answer(answer)));
                        }
                    },
                    Effect::Shell(_) => {
                        let why = "a screen without a terminal has none for a shell".to_owned();
                        screen.input(Input::Shell(Err(why)));
                    }
                    effect => {
                        for input in props.carry_out(&effect) {
                            screen.input(input);
                        }
                        screen.theme = props.theme.clone();
                    }
                }
            }
            if !page::awaits(&screen.ui) {
                break;
            }
            let next = timeout_at(until, next(&mut world, &mut counter))
                .await
                .map_err(|_| Error::failed("the fleet was not read in two minutes"))?
                .ok_or_else(gone)?;
            screen.input(Input::Tick(clock.now())).input(next);
        }
        if let Some(chord) = chord {
            screen.input(Input::Tick(clock.now())).input(Input::Key(chord));
        }
    }
    Ok(screen.text())
}

/// What comes next, from the collector or from behind the counter; none when one of them is gone.
async fn next(world: &mut watch::Receiver<Arc<World>>, counter: &mut Option<Counter>) -> Option<Input> {
    let Some(Counter { register, answers, .. }) = counter else {
        world.changed().await.ok()?;
        return Some(Input::World(Arc::clone(&world.borrow_and_update())));
    };
    tokio::select! {
        changed = world.changed() => {
            changed.ok()?;
            Some(Input::World(Arc::clone(&world.borrow_and_update())))
        }
        changed = register.changed() => {
            changed.ok()?;
            Some(Input::Register(Arc::clone(&register.borrow_and_update())))
        }
        answer = answers.recv() => answer.map(Input::Answer),
    }
}

/// Cells as text, a line a row, without blanks at their ends.
pub fn text(cells: &Buffer) -> String {
    let mut text = String::new();
    for y in cells.area.top()..cells.area.bottom() {
        let mut line = String::new();
        let mut skip = 0;
        for x in cells.area.left()..cells.area.right() {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let Some(cell) = cells.cell((x, y)) else { continue };
            line.push_str(cell.symbol());
            skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The style runs of a row in words, `0..4 fg=Red bold`, so that a test can say what changed.
pub fn styles(cells: &Buffer, y: u16) -> Vec<String> {
    let mut runs: Vec<(u16, u16, String)> = Vec::new();
    for x in cells.area.left()..cells.area.right() {
        let Some(cell) = cells.cell((x, y)) else { continue };
        let mut words = Vec::new();
        if cell.fg != ratatui::style::Color::Reset {
            words.push(format!("fg={}", cell.fg));
        }
        if cell.bg != ratatui::style::Color::Reset {
            words.push(format!("bg={}", cell.bg));
        }
        if !cell.modifier.is_empty() {
            words.push(format!("{:?}", cell.modifier).to_lowercase());
        }
        let words = words.join(" ");
        match runs.last_mut() {
            Some((_, end, last)) if *last == words => *end = x + 1,
            _ => runs.push((x, x + 1, words)),
        }
    }
    runs.into_iter()
        .filter(|(.., words)| !words.is_empty())
        .map(|(from, to, words)| format!("{from}..{to} {words}"))
        .collect()
}
