//! The screen: state comes down as worlds, wishes go up as values, and in between everything is pure.
//!
//! ```text
//! terminal ─→ Input ─→ update(&mut Ui) ─→ Effect ─→ Wish (collector) | Order (counter) | leave | suspend
//! World    ─┤               │
//! Register ─┘               │
//!                           └─→ draw(&Ui, &Theme) ─→ Frame ─→ Painter ─→ bytes
//! ```
//!
//! `run` is the thin edge around that: it owns the terminal, waits, and carries effects out. `headless` is
//! the same without a terminal: keys in, screen out.

mod about;
pub mod action;
mod ask;
mod beside;
mod card;
mod cell;
pub mod chord;
mod copy;
pub mod decode;
mod dialog;
mod drill;
pub mod fault;
pub mod headless;
mod held;
mod hunt;
mod keyboard;
pub mod keymap;
pub mod layered;
mod line;
mod log;
mod marks;
mod menu;
mod oplist;
mod options;
mod ordered;
mod pace;
mod page;
pub mod painter;
mod place;
mod probe;
mod prompt;
mod props;
mod rowname;
mod run;
pub mod saved;
pub mod screen;
mod seat;
mod setup;
mod sift;
mod signals;
pub mod signs;
pub mod state;
mod still;
mod terminal;
pub mod theme;
pub mod update;
mod view;

pub use ask::{Answered, Job};
pub use copy::Between;
pub use headless::{drive, headless};
pub use hunt::{Hunt, Hunted};
pub use options::{Looks, Options};
pub use props::views;
pub use run::run;
pub use seat::Lean;
pub use setup::Setup;
pub use state::{About, Acting, Effect, Input, Ui};
