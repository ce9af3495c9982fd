//! The last line: what was said, the keys pressed so far, or what can be done here.

use super::super::TextLine;
use crate::tui::action::{Action, Layer};
use crate::tui::chord::show_sequence;
use crate::tui::menu::Menu;
use crate::tui::oplist;

use crate::tui::state::{Page, Ui};
use crate::tui::theme::Role;
use unicode_width::UnicodeWidthStr;

/// What may be asked of an operation as it stands.
fn steer(ui: &Ui) -> Vec<Action> {
    let listed = match &ui.here.page {
        Page::Operation(id) => ui.register.find(id).cloned(),
        _ => oplist::shown(ui).into_iter().nth(ui.here.cursor),
    };
    let Some(listed) = listed else { return Vec::new() };
    ui.register.offers(&listed).into_iter().map(Action::asking).collect()
}

/// The last line: what was said, the keys pressed so far, or what can be done here.
pub(crate) fn hints(ui: &Ui) -> TextLine {
    if let Some(name) = &ui.entering {
        let says = format!("opening a shell in {name} {} ", ui.signs().cut());
        return vec![
            (Role::Note, says),
            (Role::HintKey, "esc".to_owned()),
            (Role::Hint, " gives up".to_owned()),
        ];
    }
    if let Some(note) = &ui.note {
        return vec![(if note.is_error { Role::PromptError } else { Role::Note }, note.text.clone())];
    }
    if !ui.pending.is_empty() {
        return vec![(Role::HintKey, format!("{} {}", show_sequence(&ui.pending), ui.signs().cut()))];
    }
    use Action::{
        Accept, Back, Cancel, Command, Describe, Down, Filter, Help, Left, Metrics, Open, Overview, Quit,
        Refresh, Reverse, Right, Sort, Troubles, Up, Wide,
    };
    if ui.layer() == Layer::Dialog {
        return in_dialog(ui);
    }
    let go = [
        Action::Go(crate::query::Kind::Instances),
        Action::Go(crate::query::Kind::Groups),
        Action::Go(crate::query::Kind::Services),
    ];
    let actions: Vec<Action> = match ui.layer() {
        Layer::Sort => vec![Left, Right, Accept, Cancel],
        Layer::Menu => match &ui.menu {
            Some(Menu::Columns(_)) => {
                vec![Accept, Cancel, Action::Mark, Action::MoveDown, Action::MoveUp, Down, Up]
            }
            _ => vec![Accept, Cancel, Down, Up],
        },
        Layer::List if ui.list().is_some() => {
            vec![
                Open,
                Describe,
                Filter,
                Sort,
                Back,
                Help,
                Action::Jump,
                Command,
                Action::Split,
                Action::Logs,
                Action::Shell,
                Wide,
                Action::Mark,
                Action::GroupBy,
                Refresh,
                Action::Columns,
                Reverse,
                Metrics,
                Troubles,
                Quit,
            ]
        }
        Layer::List if matches!(ui.here.page, Page::Operations) => {
            [vec![Open, Back], steer(ui), vec![Filter, Sort, Help, Command, Quit]].concat()
        }
        Layer::List => {
            let mut actions = vec![Open, Help, Action::Jump];
            actions.extend(go);
            actions.extend([Command, Refresh, Troubles, Quit]);
            actions
        }
        _ if matches!(ui.here.page, Page::Describe(_)) => {
            vec![Back, Action::NextLink, Open, Action::Jump, Action::Logs, Help, Command, Refresh, Quit]
        }
        _ if matches!(ui.here.page, Page::Operation(_)) => {
            [vec![Back], steer(ui), vec![Help, Command, Quit]].concat()
        }
        _ if matches!(ui.here.page, Page::Log(_)) => {
            vec![
                Back,
                Action::Follow,
                Filter,
                Action::Wrap,
                Action::CopyId,
                Help,
                Up,
                Action::Bottom,
                Command,
                Quit,
            ]
        }
        _ => vec![Back, Help, Command, Overview, Troubles, Refresh, Quit],
    };
    let briefs = actions.into_iter().filter_map(|action| Some((action, action.about()?.brief)));
    with_keys(ui, briefs)
}

/// What can be done in a dialog.
fn in_dialog(ui: &Ui) -> TextLine {
    let hints = [
        (Action::Cancel, "leave"),
        (Action::NextField, "next field"),
        (Action::CursorRight, "next choice"),
        (Action::Down, "scroll"),
        (Action::PageDown, "page down"),
    ];
    with_keys(ui, hints)
}

/// Hints with the first key of each, as many as there is room for.
fn with_keys(ui: &Ui, hints: impl IntoIterator<Item = (Action, &'static str)>) -> TextLine {
    let mut line = TextLine::new();
    let mut used = 0;
    for (action, brief) in hints {
        let Some(key) = ui.keymap.keys_of(ui.layer(), action).into_iter().next() else { continue };
        let wide = key.width() + 1 + brief.width() + 2;
        if used + wide > usize::from(ui.width) + 2 {
            break;
        }
        used += wide;
        line.push((Role::HintKey, key));
        line.push((Role::Hint, format!(" {brief}  ")));
    }
    line
}
