//! Everything the screen knows besides the world: pages, cursors, what is being typed. Plain data.

pub use super::about::{About, Acting};
use super::action::Layer;
use super::ask::{Answered, Asking, Job};
use super::card::Card;
use super::chord::Chord;
use super::decode::Mouse;
use super::dialog::Dialog;
use super::drill::Drill;
use super::hunt::{Hunt, Hunted, Hunting};
use super::keymap::Keymap;
use super::line::Typed;
use super::log::Log;
use super::marks::Marks;
use super::menu::Menu;
use super::oplist::OpList;
use super::page;
pub(super) use super::place::Place;
use super::probe::Probe;
pub(super) use super::prompt::{Candidate, Prompt, PromptError, Purpose, Target};
use super::saved::Views;
use super::seat::{Lean, Seat};
use super::setup::Setup;
use super::signs::Signs;
use super::view::View;
use crate::fleet::Deed;
use crate::logs::Sought;
use crate::model::Scope;
use crate::ops::counter::{Answer, Order, Register};
use crate::query::Kind;
use crate::world::{Interest, Wish, World};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How many pages `back` remembers.
const REMEMBERED: usize = 100;

/// What happened at the terminal, or came down to it.
#[derive(Clone, Debug)]
pub enum Input {
    /// A key was pressed.
    Key(Chord),
    /// Text was pasted.
    Paste(String),
    /// The terminal is so many columns and rows large.
    Resize(u16, u16),
    /// There is a new world.
    World(Arc<World>),
    /// It is this late.
    Tick(Timestamp),
    /// The rows that a job of `Effect::Sift` found.
    Sifted(Box<Answered>),
    /// The things that a hunt of `Effect::Hunt` found.
    Hunted(Box<Hunted>),
    /// The mouse did something.
    Mouse(Mouse),
    /// The window of the terminal has the focus now, or lost it.
    Focus(bool),
    /// The terminal takes this long to answer.
    Slow(Duration),
    /// There are other keys now.
    Keymap(Arc<Keymap>),
    /// There are other kept views now.
    Views(Views),
    /// The journal says something else.
    Register(Arc<Register>),
    /// What came of an order.
    Answer(Answer),
    /// Something that was asked for was done, or could not be; one sentence.
    Said(std::result::Result<String, String>),
    /// The shell has ended, with this code; or why there is none.
    Shell(std::result::Result<u8, String>),
}

/// What `update` asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// To be sent to the collector.
    Wish(Wish),
    /// To be carried out behind the counter of operations; what comes of it comes back as `Input::Answer`.
    Order(Order),
    /// Leave.
    Quit,
    /// Go to the background.
    Suspend,
    /// Draw everything again, whatever the terminal shows.
    Redraw,
    /// Filter and sort a large table, off the drawing task; the result comes back as `Input::Sifted`.
    Sift(Box<Job>),
    /// Look through the things of a large fleet, off the key's own task; `Input::Hunted` has what was found.
    Hunt(Box<Hunt>),
    /// Put this into the clipboard.
    Copy(String),
    /// Take the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Change to the theme of this name.
    Theme(String),
    /// Change to the keymap of this name.
    Keymap(String),
    /// Keep these views from now on.
    Views(Views),
    /// Keep these, without the one of this name that there was.
    ForgetView(String, Views),
    /// Open a shell in this while the screen lives, then give it the terminal; it ends with `Input::Shell`.
    Shell(Sought),
    /// That shell is not wanted any more.
    LeaveShell,
}

/// Everything the screen knows.
#[derive(Clone, Debug)]
pub struct Ui {
    pub(super) about: Arc<About>,
    pub(super) keymap: Arc<Keymap>,
    pub(super) signs: Signs,
    /// The world that every view was made for.
    pub(super) world: Arc<World>,
    /// The moment that is shown: ages are counted to it.
    pub(super) now: Timestamp,
    /// The moment that it is.
    pub(super) real: Timestamp,
    /// The moment of the past that was asked for.
    pub(super) travel: Option<Timestamp>,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) here: Place,
    pub(super) behind: Vec<Place>,
    pub(super) ahead: Vec<Place>,
    pub(super) pending: Vec<Chord>,
    pub(super) prompt: Option<Prompt>,
    pub(super) menu: Option<Menu>,
    /// What is about to be changed, while it is looked at.
    pub(super) dialog: Option<Box<Dialog>>,
    /// The journal's operations.
    pub(super) register: Arc<Register>,
    /// Which of them show, and in what order.
    pub(super) oplist: OpList,
    /// What operations that are not over hold, and which of them.
    pub(super) held: BTreeMap<String, String>,
    /// The operations that the collector was last told of.
    pub(super) deeds: Arc<[Deed]>,
    /// Counts what is asked for, so that each answer finds its question.
    pub(super) tickets: u64,
    pub(super) marks: Marks,
    /// The columns that were chosen, kind by kind.
    pub(super) chosen: BTreeMap<Kind, Vec<&'static str>>,
    /// The row under the cursor shows in full beside or below its list.
    pub(super) is_split: bool,
    pub(super) aside: Option<Box<Card>>,
    pub(super) filters: Typed,
    pub(super) commands: Typed,
    pub(super) note: Option<Note>,
    pub(super) seat: Seat,
    /// What the collector was last told is being looked at.
    pub(super) told: Option<Interest>,
    /// The large table that is being filtered and sorted.
    pub(super) asking: Asking,
    /// The things that are being looked for by what was typed.
    pub(super) hunting: Hunting,
    /// What a shell is being opened in. Until then keys mean nothing else: they would be typed into it.
    pub(super) entering: Option<String>,
    /// The log that is being read, while its page shows.
    pub(super) log: Option<Box<Log>>,
}

/// One sentence at the bottom, until the next key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) is_error: bool,
}

/// The pages.
#[derive(Clone, Debug)]
pub(super) enum Page {
    Overview,
    List(Box<List>),
    Describe(Box<Card>),
    Troubles,
    Capacity,
    Help(Option<Kind>),
    Operations,
    /// An operation, by its id.
    Operation(String),
    /// What is logged by this.
    Log(Sought),
}

/// What a row is called across worlds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct RowKey {
    pub(super) scope: Arc<Scope>,
    pub(super) id: String,
}

/// A table of one kind.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) kind: Kind,
    pub(super) drill: Option<Drill>,
    /// The filter in force, as it was typed.
    pub(super) filter: String,
    pub(super) sort: Option<SortBy>,
    /// The column that rows are put together by, and the groups that are folded, by name.
    pub(super) group_by: Option<&'static str>,
    pub(super) folded: BTreeSet<String>,
    /// The columns that were chosen; none shows the usual ones.
    pub(super) chosen: Option<Vec<&'static str>>,
    pub(super) is_wide: bool,
    pub(super) has_metrics: bool,
    /// The first column after the key that shows.
    pub(super) left: usize,
    /// The column whose heading is being chosen, and for what.
    pub(super) picking: Option<usize>,
    pub(super) picks: Pick,
    /// The row the cursor is on, so that it stays there when rows move.
    pub(super) anchor: Option<RowKey>,
    /// The person chose that row. Until then the cursor stays at the top while rows arrive and are sorted.
    pub(super) is_chosen: bool,
    pub(super) view: View,
    /// The view is older than what it should show: a newer one is being made, or waits to be.
    pub(super) is_behind: bool,
    /// How far rows that the filter could not decide have been looked into.
    pub(super) probe: Probe,
}

/// What a column is chosen for in the headings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pick {
    #[default]
    Sort,
    Group,
}

/// A column to sort by, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SortBy {
    pub(super) column: &'static str,
    pub(super) is_descending: bool,
}

impl Ui {
    /// The screen before anything has happened, on the overview.
    pub fn new(world: Arc<World>, now: Timestamp, setup: Setup) -> Self {
        Self {
            about: Arc::new(setup.about),
            keymap: Arc::new(setup.keymap),
            signs: setup.signs,
            world,
            now,
            real: now,
            travel: None,
            width: setup.size.0,
            height: setup.size.1,
            here: Place::new(Page::Overview),
            behind: Vec::new(),
            ahead: Vec::new(),
            pending: Vec::new(),
            prompt: None,
            menu: None,
            dialog: None,
            register: Arc::default(),
            oplist: OpList::default(),
            held: BTreeMap::new(),
            deeds: Arc::default(),
            tickets: 0,
            marks: Marks::default(),
            chosen: BTreeMap::new(),
            is_split: false,
            aside: None,
            filters: Typed::default(),
            commands: Typed::default(),
            note: None,
            seat: Seat {
                lean: setup.lean,
                has_focus: true,
                has_mouse: setup.has_mouse,
                clicked: None,
                themes: setup.themes,
                keymaps: setup.keymaps,
                views: setup.views,
            },
            told: None,
            asking: Asking::default(),
            hunting: Hunting::default(),
            entering: None,
            log: None,
        }
    }

    pub(super) fn signs(&self) -> Signs {
        if self.seat.lean.is_on() { Signs::Ascii } else { self.signs }
    }

    /// How little is sent to the terminal.
    pub fn lean(&self) -> Lean {
        self.seat.lean
    }

    /// Whether the window of the terminal has the focus, as far as it tells.
    pub fn has_focus(&self) -> bool {
        self.seat.has_focus
    }

    /// A moment with its date.
    pub(super) fn moment(&self, at: Timestamp) -> String {
        self.written(at, "%Y-%m-%d %H:%M:%S")
    }

    /// A moment as the time of day; with its date when that is another than today's.
    pub(super) fn clock(&self, at: Timestamp) -> String {
        let zone = &self.about.zone;
        let is_today = at.to_zoned(zone.clone()).date() == self.now.to_zoned(zone.clone()).date();
        self.written(at, if is_today { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" })
    }

    fn written(&self, at: Timestamp, format: &str) -> String {
        let zoned = at.to_zoned(self.about.zone.clone());
        let mark = if zoned.offset().is_zero() { "Z" } else { "" };
        format!("{}{mark}", zoned.strftime(format))
    }

    /// The columns and rows that it is drawn on.
    pub fn size(&self) -> (u16, u16) {
        (self.width, self.height)
    }

    /// Where keys are looked up now.
    pub(super) fn layer(&self) -> Layer {
        match (&self.prompt, &self.here.page) {
            (Some(_), _) => Layer::Prompt,
            (None, _) if self.dialog.is_some() => Layer::Dialog,
            (None, _) if self.menu.is_some() => Layer::Menu,
            (None, Page::List(list)) if list.picking.is_some() => Layer::Sort,
            (None, Page::List(_) | Page::Overview | Page::Operations) => Layer::List,
            (None, _) => Layer::Text,
        }
    }

    /// Opens a page; `back` returns to where one was.
    pub(super) fn open(&mut self, place: Place) {
        let left = std::mem::replace(&mut self.here, place);
        self.behind.push(left);
        if self.behind.len() > REMEMBERED {
            self.behind.remove(0);
        }
        self.ahead.clear();
        self.refresh_view();
    }

    /// Makes a view again that was made for another question: a small one at once, a large one by the loop.
    pub(super) fn refresh_view(&mut self) {
        let world = Arc::clone(&self.world);
        if let Page::Describe(card) = &mut self.here.page {
            card.find(&world);
        }
        if let Page::List(list) = &mut self.here.page {
            list.chosen = self.chosen.get(&list.kind).cloned();
            let question = list.question();
            let is_large = question.size(&world.fleet) > super::ask::AT_ONCE;
            let is_outdated = !list.view.takes_over(&question, &world.fleet);
            list.is_behind = is_large && is_outdated;
            if !is_large && is_outdated {
                list.view = question.answer_at_once(&world.fleet, self.now);
                self.follow_anchor(None);
            }
        }
        self.settle();
    }

    /// Keeps the cursor on a row that exists, and that row on the screen.
    pub(super) fn settle(&mut self) {
        let (width, cut) = (usize::from(self.width), self.signs().cut());
        self.log.iter_mut().for_each(|log| log.fit(width, cut));
        let height = page::height(self);
        let count = page::count(self);
        let is_text = self.layer_below() == Layer::Text;
        let sticks = self.log.as_ref().is_some_and(|log| log.sticks);
        let here = &mut self.here;
        if is_text {
            let last = count.saturating_sub(height);
            here.top = if sticks && matches!(here.page, Page::Log(_)) { last } else { here.top.min(last) };
            here.cursor = here.top;
            return;
        }
        here.cursor = here.cursor.min(count.saturating_sub(1));
        if height > 0 {
            here.top = here.top.min(here.cursor).max((here.cursor + 1).saturating_sub(height));
            here.top = here.top.min(count.saturating_sub(height));
        }
        if let Page::List(list) = &mut here.page {
            list.anchor = list.key_of(here.cursor).or_else(|| list.anchor.take().filter(|_| count == 0));
            list.clamp_left();
        }
        self.follow();
    }

    /// Lets what shows beside the list follow the cursor.
    fn follow(&mut self) {
        let key = self
            .list()
            .filter(|_| self.is_split)
            .and_then(|list| Some((list.kind, list.key_of(self.here.cursor)?)));
        let Some((kind, key)) = key else {
            self.aside = None;
            return;
        };
        match &mut self.aside {
            Some(card) if card.kind == kind && card.key == key => card.find(&self.world),
            _ => self.aside = Some(Box::new(Card::new(kind, key, &self.world))),
        }
    }

    /// The layer of the page, whatever lies over it.
    pub(super) fn layer_below(&self) -> Layer {
        match &self.here.page {
            Page::List(_) | Page::Overview | Page::Operations => Layer::List,
            _ => Layer::Text,
        }
    }

    /// The list that is open.
    pub(super) fn list(&self) -> Option<&List> {
        match &self.here.page {
            Page::List(list) => Some(list),
            _ => None,
        }
    }

    pub(super) fn list_mut(&mut self) -> Option<&mut List> {
        match &mut self.here.page {
            Page::List(list) => Some(list),
            _ => None,
        }
    }

    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.note = Some(Note { text: text.into(), is_error: false });
    }

    pub(super) fn complain(&mut self, text: impl Into<String>) {
        self.note = Some(Note { text: text.into(), is_error: true });
    }
}
