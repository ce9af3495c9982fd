//! Going back in time and forward again. Where one is then is the past: nothing is read or done from there.

use crate::tui::action::{Action, Danger};
use crate::tui::state::{Effect, Ui};
use crate::world::Wish;
use jiff::{SignedDuration, Timestamp};

/// One step.
const STEP: SignedDuration = SignedDuration::from_mins(5);
/// A long one.
const FAR: SignedDuration = SignedDuration::from_hours(1);

/// Carries out a step.
pub(super) fn act(ui: &mut Ui, action: Action) -> Vec<Effect> {
    let by = match action {
        Action::Earlier => -STEP,
        Action::Later => STEP,
        Action::HourEarlier => -FAR,
        Action::HourLater => FAR,
        _ => return go(ui, None),
    };
    let to = ui.moment_wanted().checked_add(by).unwrap_or(Timestamp::MIN);
    go(ui, Some(to))
}

/// Shows the fleet as it was at a moment, or as it is.
pub(super) fn go(ui: &mut Ui, at: Option<Timestamp>) -> Vec<Effect> {
    let Some(at) = at.filter(|at| *at < ui.real) else {
        if ui.travel.take().is_none() && !ui.is_past() {
            ui.say("this is how it is now");
            return Vec::new();
        }
        ui.say("back to how it is now");
        return vec![Effect::Wish(Wish::At(None))];
    };
    let Some(since) = ui.world.timeline.since else {
        let why = ui.world.timeline.trouble.clone();
        ui.complain(why.map_or_else(|| "nothing is kept of the past yet".to_owned(), |why| why.to_string()));
        return Vec::new();
    };
    if at < since {
        ui.say(format!("nothing was kept before {}", ui.moment(since)));
    }
    let at = at.max(since);
    if ui.travel == Some(at) {
        return Vec::new();
    }
    ui.travel = Some(at);
    vec![Effect::Wish(Wish::At(Some(at)))]
}

/// Tells whether an action means what is now, and is therefore refused in the past. Whatever changes the fleet
/// belongs here.
pub(super) fn is_refused(action: Action) -> bool {
    let is_change = action.about().is_some_and(|about| about.danger != Danger::None);
    is_change || matches!(action, Action::Refresh | Action::Logs | Action::Shell)
}

/// Takes in which moment a new world shows.
pub(super) fn arrived(ui: &mut Ui) {
    let timeline = &ui.world.timeline;
    let (past, trouble) = (timeline.past, timeline.trouble.clone());
    if ui.travel.is_some()
        && ui.travel != past
        && let Some(trouble) = trouble
    {
        ui.travel = past;
        ui.complain(trouble.to_string());
    }
    ui.now = past.unwrap_or_else(|| ui.real.max(ui.world.snapshot.taken_at));
}
