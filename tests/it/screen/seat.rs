//! The place one sits at: the palette, the mouse, the clipboard, the focus, a slow line, and looks that change.

use super::fleet;
use coredeck::gateway::Reading;
use coredeck::model::AlarmState;
use coredeck::query::Kind;
use coredeck::tui::decode::{Button, Mouse};
use coredeck::tui::headless::Headless;
use coredeck::tui::keymap::{self, Keymap};
use coredeck::tui::painter::Painter;
use coredeck::tui::saved::{SavedView, Views};
use coredeck::tui::theme::{self, Depth, Theme};
use coredeck::tui::{Effect, Input};
use coredeck::world::Wish;
use std::sync::Arc;
use std::time::Duration;

fn screen() -> Headless {
    Headless::new(fleet::full(), (100, 30))
}

/// The line that the cursor is on.
fn chosen(screen: &Headless) -> String {
    let text = screen.text();
    // The palette lies over the page, so its line comes last.
    let line = text.lines().rev().find(|line| line.starts_with('▌') || line.starts_with('>'));
    line.unwrap_or_default().to_owned()
}

#[test]
fn the_palette_goes_to_pages_actions_things_and_views() {
    let mut at = screen();
    // A page by some of its letters, an action by a word of its explanation, a thing by the end of its id.
    at.keys(":grps");
    assert!(chosen(&at).contains("groups"), "{}", at.text());
    at.keys("<ret>");
    assert!(at.text().contains("overview › groups") || at.text().contains("groups  "), "{}", at.text());
    at.keys(":0005");
    let line = chosen(&at);
    assert!(line.contains("i-00000000000000005") && line.contains("instance"), "{}", at.text());
    at.keys("<ret>");
    assert!(at.text().contains("instance i-00000000000000005"), "{}", at.text());
    at.keys("<esc>");
    // What needs something after it goes on being typed, and offers what there is.
    at.keys(":thm<ret>");
    assert!(at.text().contains("high-contrast"), "{}", at.text());
    at.keys("nord<ret>");
    assert_eq!(at.effects.last(), Some(&Effect::Theme("nord".into())));
    // Nothing like it: it says so where it is typed.
    at.keys(":zzqx<ret>");
    assert!(at.text().contains("no page and no command named `zzqx`"), "{}", at.text());
    // Tab takes the next one; its key stands beside it.
    at.keys("<esc>:re");
    let text = at.text();
    assert!(
        text.lines().any(|line| line.contains("refresh") && line.contains("action") && line.contains(" r ")),
        "{text}"
    );
}

#[test]
fn the_palette_has_what_is_called_exactly_so_first_and_what_runs_before_what_rings() {
    let mut parts = fleet::parts();
    let names = ["shared-hosts-1 status", "shared-hosts-1", "prod-api-10-cpu", "i-00000000000000005 is down"];
    let alarms = names.map(|name| fleet::alarm(name, AlarmState::Alarm)).to_vec();
    fleet::settle(&mut parts[0], Reading::Alarms(alarms));
    let world = fleet::world(parts);
    for (typed, what, opens) in [
        ("shared-hosts-1", "instance ", "instance i-00000000000000001"),
        ("i-00000000000000005", "instance ", "instance i-00000000000000005"),
        ("I-00000000000000005", "instance ", "instance i-00000000000000005"),
        ("prod-api-10", "instance ", "instance i-0000000000000000a"),
        ("prod-api-10-", "alarm ", "alarm prod-api-10-cpu"),
        ("shared-hosts-1 s", "alarm ", "alarm shared-hosts-1 status"),
        ("core-7", "core ", "core core-7"),
        ("acme", "tenant ", "tenant acme"),
    ] {
        let mut at = Headless::new(Arc::clone(&world), (120, 30));
        at.keys(&format!(":{typed}"));
        assert!(chosen(&at).contains(what), "{typed}: {}\n{}", chosen(&at), at.text());
        at.keys("<ret>");
        assert!(at.text().contains(opens), "{typed}:\n{}", at.text());
    }
}

#[test]
fn the_palette_finds_operations_by_their_ids_and_by_what_they_are_about() {
    for typed in ["op-1121-bb", "op-1121-bbbb", "ain 2 inst"] {
        let mut at = screen();
        at.input(super::changes::operations()).keys(&format!(":{typed}"));
        let text = at.text();
        assert!(text.contains("operation  drain 2 instances: open"), "{typed}:\n{text}");
        assert!(chosen(&at).contains("op-1121-bbbb"), "{typed}:\n{text}");
        at.keys("<ret>");
        assert!(at.text().contains("overview › op-1121-bbbb"), "{typed}:\n{}", at.text());
    }
    // Tab goes through them, and the one that is picked is opened.
    let mut at = screen();
    at.input(super::changes::operations()).keys(":ain 2 inst<tab><tab><ret>");
    assert!(at.text().contains("overview › op-1121-aaaa"), "{}", at.text());
}

#[test]
fn views_are_kept_found_again_and_forgotten() {
    let mut at = screen();
    at.keys("2/tier:production<ret>:sort name desc<ret>:save-view busy<ret>");
    let Some(Effect::Views(views)) = at.effects.last().cloned() else { panic!("{:?}", at.effects) };
    let view = SavedView {
        kind: Kind::Instances,
        query: "tier:production".into(),
        sort: Some(("name", true)),
        columns: Vec::new(),
        is_wide: false,
    };
    let mut wanted = Views::default();
    wanted.keep("busy", view);
    assert_eq!(views, wanted);
    at.input(Input::Views(views));
    at.keys("1:bus");
    assert!(chosen(&at).contains("view"), "{}", at.text());
    at.keys("<ret>");
    assert!(at.text().contains("/tier:production") && at.text().contains("by name"), "{}", at.text());
    at.keys(":save-view quit<ret>");
    assert!(at.text().contains("`quit` is a command already"), "{}", at.text());
    at.keys("<esc>:forget-view bsy<ret>");
    assert!(at.text().contains("did you mean `busy`?"), "{}", at.text());
    at.keys("<esc>:forget-view busy<ret>");
    assert_eq!(at.effects.last(), Some(&Effect::ForgetView("busy".into(), Views::default())));
}

#[test]
fn clicks_choose_open_and_sort_and_the_wheel_scrolls() {
    let mut at = screen();
    at.keys("2");
    let mouse = |what, x, y| Input::Mouse(Mouse { what, x, y });
    let rows: Vec<String> = at.text().lines().map(str::to_owned).collect();
    let y = rows.iter().position(|line| line.contains("i-0000")).unwrap() as u16;
    let wanted = rows[usize::from(y) + 2].split_whitespace().next().unwrap().to_owned();
    at.input(mouse(Button::Left, 5, y + 2));
    assert!(chosen(&at).contains(&wanted), "{}", at.text());
    at.input(mouse(Button::WheelUp, 5, y));
    assert!(!chosen(&at).contains(&wanted), "{}", at.text());
    // The heading of the second column sorts, and turns round.
    let x = rows[usize::from(y) - 1].find("STATE").unwrap() as u16;
    at.input(mouse(Button::Left, x, y - 1));
    assert!(at.text().contains("by state ↑"), "{}", at.text());
    at.input(mouse(Button::Left, x, y - 1));
    assert!(at.text().contains("by state ↓"), "{}", at.text());
    at.input(mouse(Button::Left, 5, y + 1)).input(mouse(Button::Left, 5, y + 1));
    assert!(at.text().contains("instance i-"), "two clicks open\n{}", at.text());
    // Anywhere, on any page, nothing worse than nothing happens.
    for keys in ["1", "?", "!", ":re", "<esc>2s"] {
        at.keys(keys);
        for (x, y) in [(0, 0), (99, 29), (50, 3), (u16::MAX, u16::MAX)] {
            at.input(mouse(Button::Left, x, y)).input(mouse(Button::WheelDown, x, y));
            at.frame();
        }
    }
}

#[test]
fn the_row_reaches_the_clipboard_as_id_cells_command_and_json() {
    let mut at = screen();
    at.keys("2/0005<ret>y");
    assert_eq!(at.effects.last(), Some(&Effect::Copy("i-00000000000000005".into())));
    at.keys("Yc");
    let Some(Effect::Copy(command)) = at.effects.last() else { panic!("{:?}", at.effects) };
    assert!(
        command.starts_with("aws ec2 describe-instances --instance-ids i-00000000000000005 --region "),
        "{command}"
    );
    at.keys("Yr");
    let Some(Effect::Copy(row)) = at.effects.last() else { panic!("{:?}", at.effects) };
    assert!(row.starts_with("i-00000000000000005\t"), "{row}");
    at.keys("Yj");
    let Some(Effect::Copy(json)) = at.effects.last() else { panic!("{:?}", at.effects) };
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(json["id"], "i-00000000000000005");
    at.keys("dy");
    assert_eq!(
        at.effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Copy(id) if id == "i-00000000000000005"))
            .count(),
        2
    );
    at.keys("!y");
    assert!(at.text().contains("there is no row to copy from"), "{}", at.text());
}

#[test]
fn what_costs_money_is_not_read_for_a_window_without_the_focus() {
    let mut at = screen();
    at.keys("2m");
    let paid = |at: &Headless| match at.effects.iter().rev().find_map(|effect| match effect {
        Effect::Wish(Wish::Look(interest)) => Some(interest),
        _ => None,
    }) {
        Some(interest) => !interest.metrics_of.is_empty(),
        None => panic!("nothing was looked at"),
    };
    assert!(paid(&at));
    at.input(Input::Focus(false));
    assert!(!paid(&at));
    at.input(Input::Focus(true));
    assert!(paid(&at));
}

#[test]
fn a_lean_line_gets_little_and_is_told_so() {
    for size in [(80, 24), (180, 50)] {
        let mut at = Headless::new(fleet::full(), size);
        at.theme = Theme::shipped("dark").unwrap().at(Depth::Many);
        at.input(Input::Slow(Duration::from_millis(340)));
        at.keys("2");
        assert!(at.text().contains("lean: 340 ms away"), "{}", at.text());
        let mut painter = Painter::new(false);
        let frame = at.frame();
        let first = painter.paint(&frame.cells, frame.cursor);
        assert!(first.is_ascii(), "no decorations");
        let costs: Vec<usize> = "jjjjjkkk"
            .chars()
            .map(|key| {
                at.keys(&key.to_string());
                let frame = at.frame();
                painter.paint(&frame.cells, frame.cursor).len()
            })
            .collect();
        assert!(costs.iter().all(|cost| *cost > 0 && *cost <= 60), "{size:?}: {costs:?}");
        at.keys(",l");
        assert!(!at.text().contains("ms away"), "{}", at.text());
    }
}

#[test]
fn every_theme_says_the_same_in_any_number_of_colours() {
    let mut at = Headless::new(fleet::full(), (120, 40));
    for keys in ["", "2", "d", "<esc>/stat:x", "<esc>:re", "<esc>!", "<esc>?", "<esc>g"] {
        at.keys(keys);
        let wanted = at.text();
        for (name, _) in theme::SHIPPED {
            for depth in [Depth::True, Depth::Many, Depth::Sixteen, Depth::None] {
                at.theme = Theme::shipped(name).unwrap().at(depth);
                assert_eq!(at.text(), wanted, "{name} at {depth:?} after {keys}");
                let frame = at.frame();
                let bytes = String::from_utf8(Painter::new(false).paint(&frame.cells, frame.cursor)).unwrap();
                // The numbers of every sequence that sets a style.
                let styles =
                    bytes.split("\x1b[").filter_map(|part| part.split_once('m')).map(|(style, _)| style);
                let styles: Vec<&str> =
                    styles.filter(|style| style.bytes().all(|b| b.is_ascii_digit() || b == b';')).collect();
                let has = |wanted: &dyn Fn(u16) -> bool| {
                    styles
                        .iter()
                        .flat_map(|style| style.split(';'))
                        .filter_map(|n| n.parse().ok())
                        .any(wanted)
                };
                let of = |piece: &str| styles.iter().any(|style| style.contains(piece));
                match depth {
                    Depth::True => {}
                    Depth::Many => assert!(!of("8;2;"), "{name}"),
                    Depth::Sixteen => assert!(!of("8;2;") && !of("8;5;"), "{name}"),
                    Depth::None => {
                        assert!(!has(&|n| (30..=48).contains(&n) || n >= 90), "{name}: {styles:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn keys_change_while_one_looks() {
    for (name, _) in keymap::SHIPPED {
        let mut at = screen();
        at.keys(&format!(":keymap {name}<ret>"));
        assert_eq!(at.effects.last(), Some(&Effect::Keymap((*name).into())));
        at.input(Input::Keymap(Arc::new(Keymap::shipped(name).unwrap())));
        at.keys("2");
        assert!(at.text().contains("STATE"), "{name}");
    }
    let mut at = screen();
    at.input(Input::Keymap(Arc::new(Keymap::shipped("emacs").unwrap())));
    at.keys("2<ctrl-n><alt-x>reverse<ret>");
    assert!(at.text().contains("no column is sorted by yet"), "{}", at.text());
    at.keys("<alt-g>");
    assert!(at.text().contains("EC2 instances"), "what may follow shows at once\n{}", at.text());
}
