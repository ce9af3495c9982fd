//! One operation in full: how it stands, its targets, their steps with times, and everything that was recorded.

mod buttons;
mod rollout;

use self::buttons::Button;
use super::TextLine;
use super::operations::{bar, health, progress, time};
use super::overview::health_role;
use super::preview::COMMAND_LINES;
use crate::model::Health;
use crate::model::text::harmless;
use crate::ops::counter::Listed;
use crate::ops::event::{At, Event, Way};
use crate::ops::state::{LaneState, StepState};
use crate::ops::{Phase, progress::LaneProgress};
use crate::tui::action::{Action, Layer};
use crate::tui::cell;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

/// Every line of an operation.
pub(crate) fn lines(ui: &Ui, id: &str, width: usize) -> Vec<TextLine> {
    let Some(listed) = ui.register.find(id) else {
        let text = match (&ui.register.trouble, ui.register.is_read) {
            (Some(trouble), _) => format!("the journal cannot be read: {trouble}"),
            _ => format!("waiting for what the journal says of {id}{}", ui.signs().cut()),
        };
        return cell::wrap(&text, width).into_iter().map(|text| vec![(Role::Note, text)]).collect();
    };
    sheet(ui, listed, width).lines
}

/// What a click on a column of a line asks for.
pub(crate) fn button(ui: &Ui, id: &str, (line, column): (usize, usize)) -> Option<Action> {
    let sheet = sheet(ui, ui.register.find(id)?, usize::from(ui.width));
    let mut buttons = sheet.buttons.into_iter();
    buttons.find(|one| one.line == line && one.columns.contains(&column)).map(|one| one.action)
}

fn sheet<'a>(ui: &'a Ui, listed: &'a Listed, width: usize) -> Sheet<'a> {
    let mut sheet = Sheet { ui, listed, width, lines: Vec::new(), buttons: Vec::new() };
    let is_rollout = rollout::is_one(&listed.op);
    sheet.head(is_rollout);
    if is_rollout {
        sheet.board();
    } else {
        sheet.lanes();
    }
    sheet.log();
    sheet
}

/// What an operation is written on.
struct Sheet<'a> {
    ui: &'a Ui,
    listed: &'a Listed,
    width: usize,
    lines: Vec<TextLine>,
    buttons: Vec<Button>,
}

impl Sheet<'_> {
    fn put(&mut self, role: Role, lead: (Role, String), text: &str) {
        let inner = lead.1.width();
        let parts = cell::wrap(&harmless(text), self.width.saturating_sub(inner));
        for (nth, part) in parts.into_iter().enumerate() {
            let lead = if nth == 0 { lead.clone() } else { (Role::Text, " ".repeat(inner)) };
            self.lines.push(vec![lead, (role, part)]);
        }
    }

    fn row(&mut self, role: Role, name: &str, text: &str) {
        self.put(role, (Role::Dim, format!("{name:<8}")), text);
    }

    fn head(&mut self, has_buttons: bool) {
        let (ui, op) = (self.ui, &self.listed.op);
        let progress = progress(ui, self.listed);
        let health = health(progress.standing);
        self.put(Role::Title, (Role::Text, String::new()), &progress.title);
        let sign = ui.signs().health(health);
        let (done, of) = progress.tally();
        let bar = bar(ui.signs(), done, of, 20);
        let state =
            format!("{sign} {}  {bar} {}  {}", progress.standing.word(), progress.said(), time(&progress));
        self.row(health_role(health), "state", state.trim_end());
        if let Some(note) = &progress.note {
            let (role, name) =
                if progress.standing.is_over() { (Role::Note, "note") } else { (Role::Trouble, "waits") };
            self.row(role, name, note);
        }
        if let Some(hint) = &progress.hint {
            let keys = self.steer(hint);
            self.row(Role::TroubleHint, "next", &keys);
        }
        for commit in &progress.commit {
            self.row(Role::Note, "commit", &commit.said());
        }
        if has_buttons {
            self.buttons();
        }
        let who = &op.record.who;
        let terminal = who.terminal.as_ref().map(|at| format!(", at {at}")).unwrap_or_default();
        let principal = who.principal.as_ref().map(|arn| format!(", as {arn}")).unwrap_or_default();
        self.row(Role::Text, "who", &format!("{who}{terminal}{principal}"));
        if let Some(reason) = &op.record.reason {
            self.row(Role::Text, "why", reason);
        }
        let begun = format!("{}, {} ago", ui.clock(op.record.at), cell::age(op.record.at, ui.real));
        self.row(Role::Text, "begun", &begun);
        if let Some(at) = progress.ended_at {
            self.row(Role::Text, "ended", &ui.clock(at));
        }
        if let Some(home) = op.home.as_ref().filter(|_| op.ended.is_none()) {
            let home = match (home.as_str(), self.listed.lives) {
                ("session", true) => "a process of its own, which a closed terminal does not end",
                ("systemd", true) => "a unit of systemd, which outlives the logins",
                ("here", true) => "this process",
                (_, true) => home,
                (_, false) => "none now",
            };
            self.row(Role::Text, "runner", home);
        }
        for fault in &op.faults {
            self.row(Role::Trouble, "fault", fault);
        }
    }

    /// A next command, and the key that does the same here.
    fn steer(&self, hint: &str) -> String {
        let action = if hint.contains(" op resume ") {
            Action::ResumeOperation
        } else if hint.ends_with(&format!(" op rollback {}", self.listed.op.record.id)) {
            Action::RollBack
        } else {
            return hint.to_owned();
        };
        let key = self.ui.keymap.keys_of(Layer::Text, action).into_iter().next();
        key.map_or_else(|| hint.to_owned(), |key| format!("{key}, or {hint}"))
    }

    fn lanes(&mut self) {
        let progress = progress(self.ui, self.listed);
        for (number, lane) in progress.lanes.iter().enumerate() {
            self.lines.push(TextLine::new());
            self.lane(lane);
            let Some(state) = self.listed.op.lanes.get(number) else { continue };
            for step in 0..state.there.len() {
                self.step(At { lane: number, step }, state);
            }
        }
    }

    fn lane(&mut self, lane: &LaneProgress) {
        let signs = self.ui.signs();
        let health = match lane.state {
            "done" => Health::Ok,
            "running" | "waiting" => Health::Busy,
            "undoing" | "undone" | "skipped" | "untouched" | "not begun" => Health::Warn,
            _ => Health::Bad,
        };
        let bar = bar(signs, lane.done, lane.total, 10);
        let lead = format!("{} {bar} ", signs.health(health));
        let now = if lane.now.is_empty() { String::new() } else { format!(": {}", lane.now) };
        let text = format!("{}  {}{now}", lane.name, lane.state);
        self.put(Role::RowKey, (health_role(health), lead), &text);
    }

    fn step(&mut self, at: At, lane: &LaneState) {
        let ui = self.ui;
        let Some(step) = self.listed.op.step(at) else { return };
        let title = step.title.clone();
        // Nobody waits any more where the operation is over, or its target is.
        let is_given_up = self.listed.op.ended.is_some() || matches!(lane.phase, Phase::Over(_));
        let (health, text) = match lane.there.get(at.step) {
            Some(
                StepState::Open { since, .. }
                | StepState::Waiting { since, .. }
                | StepState::Doubtful { since, .. }
                | StepState::Again { first: since, .. },
            ) if is_given_up => (Health::Unknown, format!("not finished: begun {}", ui.clock(*since))),
            Some(StepState::Done(_)) => (Health::Ok, self.settled(at, Way::There)),
            Some(StepState::Open { since, .. }) => (Health::Busy, format!("called {}", ui.clock(*since))),
            Some(StepState::Waiting { since, .. }) => (Health::Busy, format!("since {}", ui.clock(*since))),
            Some(StepState::Doubtful { since, call }) => {
                let again = self.listed.op.calls.get(call).and_then(|call| call.again_at);
                let again = again.map(|at| format!("; made again not before {}", ui.clock(at)));
                let lost = format!("answer lost {}, looking whether it happened", ui.clock(*since));
                (Health::Warn, lost + &again.unwrap_or_default())
            }
            Some(StepState::Again { first, .. }) => {
                (Health::Warn, format!("tried since {}, again soon", ui.clock(*first)))
            }
            Some(StepState::Refused { why, .. }) => (Health::Bad, format!("refused: {why}")),
            Some(StepState::GivenUp(_)) => (Health::Bad, "given up".to_owned()),
            Some(StepState::Fresh) | None => (Health::Unknown, String::new()),
        };
        let is_back =
            matches!(lane.phase, Phase::Back) || matches!(lane.back.get(at.step), Some(StepState::Done(_)));
        let undone = if is_back && matches!(lane.back.get(at.step), Some(StepState::Done(true))) {
            format!("; undone {}", self.settled(at, Way::Back))
        } else {
            String::new()
        };
        let is_fresh = text.is_empty() && health == Health::Unknown;
        let sign = if is_fresh { ui.signs().dot() } else { ui.signs().health(health) };
        let lead = format!("    {sign} {}. ", at.step + 1);
        let role = if is_fresh { Role::Dim } else { health_role(health) };
        let between = if text.is_empty() { "" } else { "  " };
        self.put(Role::Text, (role, lead), &format!("{title}{between}{text}{undone}"));
    }

    /// When a step was done.
    fn settled(&self, at: At, way: Way) -> String {
        let is_it = |event: &Event| matches!(event, Event::Settled { at: it, way: by, .. } if *it == at && *by == way);
        let mut log = self.listed.log.iter().rev();
        let when: Option<Timestamp> =
            log.find(|logged| logged.event.as_ref().is_some_and(is_it)).map(|logged| logged.at);
        when.map(|at| self.ui.clock(at)).unwrap_or_default()
    }

    fn log(&mut self) {
        self.lines.push(TextLine::new());
        self.lines.push(vec![(Role::Title, "Log".to_owned())]);
        for logged in &self.listed.log {
            let lead = format!("{}  ", self.ui.clock(logged.at));
            let inner = lead.width();
            self.put(Role::Text, (Role::Dim, lead), &logged.text);
            if let Some(Event::Answered { command, .. }) = &logged.event
                && !command.is_empty()
            {
                let (before, lead) = (self.lines.len(), (Role::Dim, " ".repeat(inner)));
                self.put(Role::Note, lead.clone(), command);
                // One that carries a whole document would push everything else out of sight.
                let many = (self.lines.len() - before).saturating_sub(COMMAND_LINES);
                if many > 1 {
                    self.lines.truncate(before + COMMAND_LINES);
                    let id = &self.listed.op.record.id;
                    let more = format!("and {many} lines more of it: coredeck op log {id} -o json has all");
                    self.put(Role::Dim, lead, &more);
                }
            }
        }
    }
}
