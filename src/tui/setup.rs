//! What a screen begins with, as whoever opens it chose.

use super::keymap::Keymap;
use super::saved::Views;
use super::seat::Lean;
use super::signs::Signs;
use super::state::About;

/// What a screen begins with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The session.
    pub about: About,
    /// The keys.
    pub keymap: Keymap,
    /// The signs that the locale allows.
    pub signs: Signs,
    /// Columns and rows.
    pub size: (u16, u16),
    /// How little is sent to the terminal.
    pub lean: Lean,
    /// Whether the mouse is ours.
    pub has_mouse: bool,
    /// The names of the themes that can be chosen.
    pub themes: Vec<String>,
    /// The names of the keymaps that can be chosen.
    pub keymaps: Vec<String>,
    /// The views that were kept under a name.
    pub views: Views,
}

impl Setup {
    /// What a screen of this size begins with when nobody chose anything.
    pub fn new(keymap: Keymap, signs: Signs, size: (u16, u16)) -> Self {
        let names = |shipped: &[(&str, &str)]| shipped.iter().map(|(name, _)| (*name).to_owned()).collect();
        Self {
            about: About::default(),
            keymap,
            signs,
            size,
            lean: Lean::Off,
            has_mouse: false,
            themes: names(super::theme::SHIPPED),
            keymaps: names(super::keymap::SHIPPED),
            views: Views::default(),
        }
    }
}
