//! The fields of the dialogs of groups and templates: keys in, screen out, and what was typed is in the wish that a
//! plan is made of. What is wrong is said and nothing is planned of it.

use super::{fleet, rich};
use coredeck::gateway::change::{Setting, Tuning};
use coredeck::model::{Bound, Figure, Handling};
use coredeck::ops::counter::Order;
use coredeck::ops::image::Meant;
use coredeck::ops::intent::{CleanWish, RefreshWish, RolloutWish, ShareWish};
use coredeck::ops::{Intent, OnTimeout};
use coredeck::tui::Effect;
use coredeck::tui::headless::Headless;

const SIZES: [(u16, u16); 2] = [(80, 24), (180, 50)];
const FIGURE: &str = "AWS/ApplicationELB HTTPCode_Target_5XX_Count/RequestCount <= 1%";

/// The dialog that these keys lead to.
fn dialog(size: (u16, u16), keys: &str) -> Headless {
    let mut screen = Headless::new(rich::rich(), size);
    screen.keys(keys);
    assert!(screen.text().contains("esc leave"), "{}", screen.text());
    screen
}

/// The last wish that a plan was asked for.
fn planned(screen: &Headless) -> Option<Intent> {
    screen.effects.iter().rev().find_map(|effect| match effect {
        Effect::Order(Order::Plan { intent, .. }) => Some(intent.clone()),
        _ => None,
    })
}

/// Leads to a field as a person does, with tab, until the mark stands before its name.
fn lead(screen: &mut Headless, label: &str) {
    let mark = format!("▌{label} ");
    for _ in 0..40 {
        if screen.text().contains(&mark) {
            return;
        }
        screen.keys("<tab>");
    }
    panic!("no field {label}:\n{}", screen.text());
}

/// Types into fields, and chooses where there is a choice; then enter. All of it shows.
fn filled(screen: &mut Headless, fields: &[(&str, &str)]) -> Intent {
    for (label, text) in fields {
        lead(screen, label);
        if screen.text().contains(&format!("▌{label} <")) {
            for _ in 0..8 {
                if screen.text().contains(&format!("▌{label} <{text}>")) {
                    break;
                }
                screen.keys("<right>");
            }
            assert!(screen.text().contains(&format!("▌{label} <{text}>")), "{}", screen.text());
        } else {
            screen.keys("<ctrl-u>").keys(&text.replace('<', "<lt>"));
            assert!(screen.text().contains(&format!("▌{label} {text}")), "{text}:\n{}", screen.text());
        }
    }
    screen.keys("<ret>");
    for (label, text) in fields {
        assert!(screen.text().contains(text), "{label} {text}:\n{}", screen.text());
    }
    assert!(screen.text().contains("reading the fleet and planning"), "{}", screen.text());
    planned(screen).unwrap_or_else(|| panic!("{}", screen.text()))
}

/// What is wrong in a field is said, and nothing is planned of it.
fn refused(screen: &mut Headless, label: &str, text: &str, why: &str) {
    let plans = |screen: &Headless| {
        screen.effects.iter().filter(|it| matches!(it, Effect::Order(Order::Plan { .. }))).count()
    };
    lead(screen, label);
    screen.keys("<ctrl-u>").keys(&text.replace('<', "<lt>"));
    let before = plans(screen);
    screen.keys("<ret>");
    assert!(screen.text().contains(why), "{why}:\n{}", screen.text());
    assert_eq!(before, plans(screen), "{}", screen.text());
    screen.keys("<ctrl-u>");
}

#[test]
fn a_refresh_is_what_its_fields_say() {
    for size in SIZES {
        let mut screen = dialog(size, "3xf");
        refused(&mut screen, "healthy", "ninety", "healthy: `ninety` is not like 90-100");
        refused(&mut screen, "checkpoints", "50,10", "checkpoints: `50,10` is not like 10,50,100");
        refused(&mut screen, "figures", "errors", "figures: it says neither `<=` nor `>=`");
        let intent = filled(
            &mut screen,
            &[
                ("version", "7"),
                ("healthy", "100-110"),
                ("checkpoints", "20,100"),
                ("alarms", "web-5xx,web-cpu"),
                ("figures", FIGURE),
                ("protected", "replace"),
                ("risks", "take"),
                ("on time-out", "leave"),
            ],
        );
        let RefreshWish { version, preset, adopt, .. } = *intent.options.refresh.unwrap();
        assert_eq!((intent.verb.as_str(), version.as_deref(), adopt), ("refresh", Some("7"), false));
        assert_eq!((preset.min_healthy, preset.max_healthy), (Some(100), Some(110)));
        assert_eq!(preset.checkpoints.as_deref(), Some(&[20, 100][..]));
        assert_eq!(preset.alarms, Some(vec!["web-5xx".into(), "web-cpu".into()]));
        assert_eq!(preset.protected, Some(Handling::Replace));
        let metrics = preset.metrics.unwrap();
        assert_eq!((metrics.len(), metrics[0].bound), (1, Bound::AtMost(Figure::parse("1%").unwrap())));
        assert!(intent.options.override_verdict && intent.options.on_timeout == OnTimeout::Leave);

        let mut screen = dialog(size, "3xf");
        let intent = filled(&mut screen, &[("refresh under way", "adopt")]);
        assert!(intent.options.refresh.unwrap().adopt);
    }
}

#[test]
fn a_rollout_is_what_its_fields_say() {
    for size in SIZES {
        let mut screen = dialog(size, "3xi");
        refused(&mut screen, "canary", "0", "canary: `0` is not like 5");
        refused(&mut screen, "watch", "ten", "watch: `ten` is not like 10m");
        refused(&mut screen, "other owners", "anna", "other owners: `anna` is not like 123456789012");
        refused(&mut screen, "figures", "AWS/ELB Errors <= many", "figures: `many` is no number");
        let two = "a: X/Y Errors <= 5; b: X/Y Calls >= 1 over 10m";
        let intent = filled(
            &mut screen,
            &[
                ("image", "al2023"),
                ("canary", "10%"),
                ("watch", "15m"),
                ("alarms", "web-5xx"),
                ("figures", two),
                ("$Default", "move"),
                ("finished groups", "keep"),
                ("older image", "take"),
                ("deprecated image", "take"),
                ("other owners", "123456789012"),
            ],
        );
        let RolloutWish { image, canary, watch_s, preset, .. } =
            (**intent.options.rollout.as_ref().unwrap()).clone();
        assert_eq!((intent.verb.as_str(), image), ("rollout", Meant::parse("al2023").unwrap()));
        assert_eq!((canary, watch_s), (Some(10), Some(900)));
        let names: Vec<String> = preset.metrics.unwrap().iter().map(|norm| norm.name.to_string()).collect();
        assert_eq!(
            (preset.alarms, names),
            (Some(vec!["web-5xx".into()]), vec!["a".to_owned(), "b".to_owned()])
        );
        let wish = intent.options.rollout.unwrap();
        assert!(wish.move_default && wish.keep_finished && wish.allow_older && wish.allow_deprecated);
        assert_eq!(wish.allow_owners, ["123456789012"]);

        // `none` is not the same as nothing: it takes away what the tier has.
        let mut screen = dialog(size, "3xi");
        let intent = filled(&mut screen, &[("figures", "none")]);
        assert_eq!(intent.options.rollout.unwrap().preset.metrics, Some(Vec::new()));
    }
}

#[test]
fn a_share_is_what_its_fields_say() {
    for size in SIZES {
        let mut screen = dialog(size, "3xm");
        assert!(screen.text().contains("which share?") && planned(&screen).is_none(), "{}", screen.text());
        refused(&mut screen, "% on demand", "half", "% on demand: `half` is no whole number");
        let intent = filled(
            &mut screen,
            &[
                ("% on demand", "20"),
                ("base", "1"),
                ("spot strategy", "capacity-optimized"),
                ("types", "m5.large m5.xlarge=2"),
                ("members", "by a refresh"),
                ("alarms", "web-5xx"),
            ],
        );
        let share = intent.options.share.unwrap();
        let wanted = ShareWish {
            percent: Some(20),
            base: Some(1),
            strategy: Some("capacity-optimized".to_owned()),
            types: vec!["m5.large".to_owned(), "m5.xlarge=2".to_owned()],
        };
        assert_eq!((intent.verb.as_str(), *share), ("spot-share", wanted));
        assert_eq!(intent.options.refresh.unwrap().preset.alarms, Some(vec!["web-5xx".into()]));
    }
}

#[test]
fn settings_of_a_group_are_what_the_fields_say() {
    for size in SIZES {
        let mut screen = dialog(size, "3xt");
        assert!(screen.text().contains("which setting?") && planned(&screen).is_none(), "{}", screen.text());
        refused(&mut screen, "maintenance", "much", "maintenance: `much` is not like 90-110");
        refused(&mut screen, "warm-up", "90", "warm-up: \"90\" has no unit");
        let intent = filled(
            &mut screen,
            &[
                ("ended first", "OldestLaunchTemplate Default"),
                ("warm-up", "120s"),
                ("rebalancing", "on"),
                ("maintenance", "90-110"),
            ],
        );
        let wanted = Tuning {
            terminations: Some(vec!["OldestLaunchTemplate".into(), "Default".into()]),
            warmup: Setting::To(120),
            rebalances: Some(true),
            maintenance: Setting::To((90, 110)),
        };
        assert_eq!((intent.verb.as_str(), *intent.options.tuning.unwrap()), ("tune", wanted));
    }
}

#[test]
fn what_is_cleaned_is_what_the_fields_say() {
    for size in SIZES {
        let mut screen = dialog(size, ":templates<ret>xC");
        refused(&mut screen, "newest", "some", "newest: `some` is no whole number");
        let intent = filled(&mut screen, &[("newest", "0"), ("images", "deregister")]);
        let wanted = CleanWish { newest: 0, images: true, ..CleanWish::default() };
        assert_eq!((intent.verb.as_str(), *intent.options.clean.unwrap()), ("clean", wanted));
    }
}

#[test]
fn a_line_longer_than_the_screen_shows_what_is_typed_and_that_there_is_more() {
    let mut screen = Headless::new(fleet::full(), (80, 24));
    screen.keys("3xf");
    lead(&mut screen, "figures");
    let long = "a: AWS/ApplicationELB HTTPCode_Target_5XX_Count/RequestCount <lt>= 1%; b: AWS/EC2 CPUUtilization \
                Average <lt>= 95 over 10m";
    screen.keys(long);
    let text = screen.text();
    assert!(text.contains("▌figures …") && text.contains("CPUUtilization Average <= 95 over 10m"), "{text}");
    assert!(!text.contains("a: AWS"), "{text}");
    screen.keys("<home>");
    let text = screen.text();
    assert!(
        text.contains("▌figures a: AWS/ApplicationELB HTTPCode_Target_5XX") && text.contains("…\n"),
        "{text}"
    );
}

#[test]
fn what_may_follow_a_key_is_cut_with_a_mark() {
    let mut screen = Headless::new(fleet::full(), (80, 24));
    screen.keys("3x");
    let text = screen.text();
    let cut: Vec<&str> = text.lines().filter(|line| line.starts_with("m  ")).collect();
    assert_eq!(cut.len(), 1, "{text}");
    // Whatever is longer than the screen ends with the mark.
    let mut narrow = Headless::new(fleet::full(), (40, 24));
    narrow.keys("3x");
    let text = narrow.text();
    let line = text.lines().find(|line| line.starts_with("m  ")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.trim_end().ends_with('…'), "{line}");
}
