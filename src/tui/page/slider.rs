//! The line that says that this is the past: which moment, how long ago, and where that lies in what is kept.

use super::TextLine;
use crate::tui::action::Action;
use crate::tui::cell;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

/// The longest and the shortest that the slider itself is.
const LONGEST: usize = 48;
const SHORTEST: usize = 12;

impl Ui {
    /// Tells whether what is shown is the past.
    pub(in crate::tui) fn is_past(&self) -> bool {
        self.world.timeline.past.is_some()
    }

    /// The moment that is shown, or is going to be.
    pub(in crate::tui) fn moment_wanted(&self) -> Timestamp {
        self.travel.or(self.world.timeline.past).unwrap_or(self.real)
    }
}

/// Tells whether the line is there: in the past, and on the way there.
pub(crate) fn is_there(ui: &Ui) -> bool {
    ui.is_past() || ui.travel.is_some()
}

/// The line.
pub(crate) fn line(ui: &Ui) -> TextLine {
    let signs = ui.signs();
    let shown = ui.world.timeline.past;
    let mut line = TextLine::new();
    match shown {
        Some(at) => {
            let says = format!(" PAST {} {} {} ago ", ui.moment(at), signs.dot(), cell::age(at, ui.real));
            line.push((Role::Past, says));
        }
        None => line.push((Role::Past, " PAST ".into())),
    }
    if let Some(to) = ui.travel.filter(|to| Some(*to) != shown) {
        line.push((Role::Note, format!("  looking back to {}{}", ui.moment(to), signs.cut())));
    }
    let width = usize::from(ui.width);
    let wide = |line: &TextLine| line.iter().map(|(_, text)| text.width()).sum::<usize>();
    let keys = keys(ui);
    let room = width.saturating_sub(wide(&line) + 2);
    let (keys, room) = match room.checked_sub(wide(&keys) + 2) {
        Some(left) if left >= SHORTEST => (keys, left),
        _ => (TextLine::new(), room),
    };
    if let Some(since) = ui.world.timeline.since.filter(|_| room >= SHORTEST) {
        line.push((Role::Past, "  ".into()));
        line.push((Role::Note, track(ui, since, room.min(LONGEST))));
        line.last_mut().into_iter().for_each(|(_, text)| text.push_str("  "));
    } else {
        line.push((Role::Text, "  ".into()));
    }
    line.extend(keys);
    line
}

/// What the title says of lists that nobody had read by then.
pub(crate) fn not_kept(missing: usize, of: usize) -> Option<(Role, String)> {
    (missing > 0).then(|| (Role::Unknown, format!("  partial: {missing} of {of} lists were not kept")))
}

/// From the first moment that is kept to now, with a knob where one is.
fn track(ui: &Ui, since: Timestamp, length: usize) -> String {
    let signs = ui.signs();
    let at = ui.moment_wanted().as_second().saturating_sub(since.as_second()).max(0);
    let all = ui.real.as_second().saturating_sub(since.as_second()).max(1);
    let last = length.saturating_sub(1);
    let place = usize::try_from(i128::from(at) * last as i128 / i128::from(all)).unwrap_or(0).min(last);
    let rule = signs.rule();
    format!("{}{}{}", rule.repeat(place), signs.knob(), rule.repeat(last - place))
}

/// The keys that move it.
fn keys(ui: &Ui) -> TextLine {
    let layer = ui.layer_below();
    let key = |action| ui.keymap.keys_of(layer, action).into_iter().next();
    let mut line = TextLine::new();
    let pairs = [(Action::Earlier, Action::Later, "5m"), (Action::HourEarlier, Action::HourLater, "1h")];
    for (back, forth, step) in pairs {
        if let (Some(back), Some(forth)) = (key(back), key(forth)) {
            line.push((Role::HintKey, format!("{back} {forth}")));
            line.push((Role::Hint, format!(" {step}  ")));
        }
    }
    if let Some(key) = key(Action::Now) {
        line.push((Role::HintKey, key));
        line.push((Role::Hint, " now".into()));
    }
    line
}
