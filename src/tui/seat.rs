//! What is known of the place one sits at: how fast its line is, whether anybody looks, what its mouse does,
//! and the names that can be chosen there.

use super::saved::Views;
use jiff::Timestamp;
use std::time::Duration;

/// How little is sent to the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lean {
    /// As much as looks good.
    #[default]
    Off,
    /// As little as says the same, because somebody asked for it.
    Asked,
    /// As little as says the same, because the terminal took so long to answer.
    Slow(Duration),
}

impl Lean {
    /// Tells whether little is sent.
    pub fn is_on(self) -> bool {
        self != Self::Off
    }
}

/// What is known of the place one sits at.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    pub(super) lean: Lean,
    /// Whether the window of the terminal has the focus. Terminals that do not tell count as looked at.
    pub(super) has_focus: bool,
    /// Whether the mouse is ours or the terminal's own.
    pub(super) has_mouse: bool,
    /// When and where the left button went down last.
    pub(super) clicked: Option<(Timestamp, u16, u16)>,
    /// The names of themes and keymaps.
    pub(super) themes: Vec<String>,
    pub(super) keymaps: Vec<String>,
    /// The views that were kept under a name.
    pub(super) views: Views,
}
