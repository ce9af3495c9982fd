//! Whether a newer world changes anything on the screen: most of those that come while nothing happens tell that lists were
//! read again and say what they said. To draw a frame only to find that out is what an idle screen would do most.

use super::page::{self, Layout, TextLine, bars, slider};
use super::state::{Effect, Input, Note, Page, Ui};
use super::update::update;
use crate::world::World;
use std::sync::Arc;

/// What becomes of what is on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    /// It may look different: a frame is due.
    Anew,
    /// It looks the same, but for what ages.
    Same,
}

/// Takes a world in as `update` does, and tells whether there is anything to draw.
pub(super) fn arrive(ui: &mut Ui, world: Arc<World>) -> (Vec<Effect>, Looks) {
    let before = Still::of(ui, &world);
    let effects = update(ui, Input::World(world));
    let is_same = before.is_some_and(|before| before == Still::around(ui));
    (effects, if is_same { Looks::Same } else { Looks::Anew })
}

/// What stands around the rows of a list.
#[derive(Debug, PartialEq)]
struct Still {
    layout: Layout,
    lines: [TextLine; 4],
    /// What the last line says, where it does not tell keys; those are the same whatever the world is.
    note: Option<Note>,
}

impl Still {
    /// What shows around rows that a newer world leaves as they are; none where it may bring others, and where more shows
    /// than a list.
    fn of(ui: &Ui, next: &World) -> Option<Self> {
        let Page::List(list) = &ui.here.page else { return None };
        let is_bare = ui.prompt.is_none()
            && ui.menu.is_none()
            && ui.dialog.is_none()
            && ui.aside.is_none()
            && ui.entering.is_none()
            && ui.pending.is_empty();
        let shown = list.view.fleet.as_deref()?;
        let is_same = is_bare
            && !list.view.rows.is_empty()
            && list.view.question.as_ref()?.is_of_rows()
            && next.fleet.shares_rows_with(shown)
            && next.fleet.shares_rows_with(&ui.world.fleet);
        is_same.then(|| Self::around(ui))
    }

    fn around(ui: &Ui) -> Self {
        let lines = [bars::header(ui), slider::line(ui), bars::title(ui), bars::trouble(ui)];
        Self { layout: page::layout(ui), lines, note: ui.note.clone() }
    }
}
