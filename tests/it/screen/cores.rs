//! What is done to cores from the screen: keys in, orders out, picture out. What is typed goes where it must be given,
//! and what might be a secret goes nowhere.

use super::fleet;
use coredeck::ops::Intent;
use coredeck::ops::counter::Order;
use coredeck::ops::intent::SettingWish;
use coredeck::tui::Effect;
use coredeck::tui::headless::Headless;

const SIZES: [(u16, u16); 2] = [(80, 24), (180, 50)];

/// The intents that were to be planned.
fn planned(screen: &Headless) -> Vec<Intent> {
    let orders = screen.effects.iter().filter_map(|effect| match effect {
        Effect::Order(Order::Plan { intent, .. }) => Some(intent.clone()),
        _ => None,
    });
    orders.collect()
}

#[test]
fn a_version_is_typed_where_it_belongs_without_leading_there_first() {
    for size in SIZES {
        let mut screen = Headless::new(fleet::full(), size);
        screen.keys("5xi");
        assert!(screen.text().contains("to which version?"), "{}", screen.text());
        assert!(planned(&screen).is_empty(), "nothing is planned of an empty field");
        screen.keys("11.0.5<ret>");
        let intents = planned(&screen);
        assert_eq!(intents.len(), 1);
        assert_eq!(intents[0].options.core.as_ref().and_then(|wish| wish.image.as_deref()), Some("11.0.5"));
        assert!(screen.text().contains("reading the fleet and planning"), "{}", screen.text());
    }
}

#[test]
fn new_cores_are_named_first_and_are_of_the_tier_of_the_row() {
    for size in SIZES {
        let mut screen = Headless::new(fleet::full(), size);
        screen.keys("5xc");
        let text = screen.text();
        for told in ["core create", "what is it called?", "ids ", "tier ", "template ", "target groups "] {
            assert!(text.contains(told), "no {told}:\n{text}");
        }
        screen.keys("acme globex<tab>");
        // The tier is there where the row has one; it can be another.
        screen.keys("<ctrl-u>production<tab><tab><tab>new<ret>");
        let intents = planned(&screen);
        let last = intents.last().expect("a plan is asked for");
        assert_eq!((last.verb.as_str(), last.targets.join(" ")), ("core create", "acme globex".to_owned()));
        let wish = last.options.core.as_deref().unwrap();
        assert_eq!((wish.tier.as_deref(), wish.host.as_deref()), (Some("production"), Some("new")));
        screen.keys("<esc>");
        assert!(screen.text().contains("nothing was changed"), "{}", screen.text());
    }
}

#[test]
fn what_a_new_container_is_made_with_is_said_on_the_screen_and_no_secret_of_it() {
    for size in SIZES {
        for (keys, verb) in [("5xcacme", "core create"), ("5xv", "core move")] {
            let mut screen = Headless::new(fleet::full(), size);
            screen.keys(keys);
            // The field of its variables, wherever it stands.
            let mut tabs = 0;
            while !screen.text().contains("variables of the new container") {
                screen.keys("<tab>");
                tabs += 1;
                assert!(tabs < 30, "{verb}: no field of settings\n{}", screen.text());
            }
            screen.keys("BASE_PATH=/auth POSTGRESQL_PASSWORD=hunter2");
            let text = screen.text();
            assert!(text.contains("POSTGRESQL_PASSWORD=") && !text.contains("hunter"), "{text}");
            assert!(text.contains("name the SecureString"), "{text}");
            screen.keys("<ctrl-u>BASE_PATH=/auth<tab>API_SECRET=/keys/api<tab>mounts<ret>");
            let last = planned(&screen).pop().expect("a plan is asked for");
            assert_eq!(last.verb, verb);
            let carry = last.options.core.unwrap().carry;
            assert_eq!(
                (carry.settings["BASE_PATH"].as_str(), carry.secrets["API_SECRET"].as_str()),
                ("/auth", "/keys/api")
            );
            assert!(carry.without.contains("mounts"));
            assert!(!format!("{:?}", screen.effects).contains("hunter"));
        }
    }
}

#[test]
fn a_core_moves_to_a_new_host_and_to_an_older_version_from_the_screen() {
    for size in SIZES {
        let mut screen = Headless::new(fleet::full(), size);
        screen.keys("5xv<tab>new<tab>web:2<tab>subnet-1<ret>");
        let wish = planned(&screen).pop().unwrap().options.core.unwrap();
        assert_eq!((wish.host.as_deref(), wish.template.as_deref()), (Some("new"), Some("web:2")));
        assert_eq!(wish.subnet.as_deref(), Some("subnet-1"));
        screen.keys("<esc>xi11.0.1<tab><right><ret>");
        let wish = planned(&screen).pop().unwrap().options.core.unwrap();
        assert!(wish.allow_downgrade && wish.image.as_deref() == Some("11.0.1"));
    }
}

#[test]
fn settings_are_typed_and_secrets_are_not() {
    for size in SIZES {
        let mut screen = Headless::new(fleet::full(), size);
        screen.keys("5xg");
        assert!(screen.text().contains("which setting?"), "{}", screen.text());
        screen.keys("totp_max_attempts=7 api_keys=hunter2");
        let text = screen.text();
        assert!(text.contains("totp_max_attempts=7 api_keys=") && !text.contains("hunter"), "{text}");
        assert!(text.contains("name the SecureString"), "{text}");
        screen.keys("<ret>");
        assert!(planned(&screen).is_empty(), "it still names what may hold a secret");
        screen.keys("<ctrl-u>totp_max_attempts=7<tab>api_keys=/keys/new<ret>");
        let intents = planned(&screen);
        let set = &intents.last().expect("a plan is asked for").options.core_config.as_ref().unwrap().set;
        assert_eq!(set["totp_max_attempts"], SettingWish::Open { json: "7".to_owned() });
        assert_eq!(set["api_keys"], SettingWish::Secret { parameter: "/keys/new".to_owned() });
        assert!(!format!("{:?}", screen.effects).contains("hunter"));
    }
}

#[test]
fn keys_are_named_by_where_they_lie() {
    let mut screen = Headless::new(fleet::full(), (80, 24));
    screen.keys("5xk");
    assert!(screen.text().contains("which key?"), "{}", screen.text());
    screen.keys("<tab>/coredeck/main/secrets/a/key-2<ret>");
    let wish = planned(&screen).pop().unwrap().options.core_config.unwrap();
    assert_eq!(wish.generate.as_deref(), Some("/coredeck/main/secrets/a/key-2"));
    screen.keys("<esc>xK");
    assert!(screen.text().contains("which key stays?"), "{}", screen.text());
    screen.keys("/keys/new<ret>");
    let last = planned(&screen).pop().unwrap();
    assert_eq!(last.verb, "core keys retire");
    assert_eq!(last.options.core_config.unwrap().keep_key.as_deref(), Some("/keys/new"));
}

#[test]
fn what_may_follow_x_is_what_fits_the_row() {
    let mut screen = Headless::new(fleet::full(), (180, 50));
    screen.keys("5x");
    let cores = screen.text();
    assert!(cores.contains("Set settings of a core's domain") && cores.contains("Make a core"), "{cores}");
    assert!(!cores.contains("Suspend processes of groups") && !cores.contains("Empty instances"), "{cores}");
    screen.keys("<esc>3x");
    let groups = screen.text();
    assert!(groups.contains("Suspend processes of groups"), "{groups}");
    assert!(
        !groups.contains("Set settings of a core's") && !groups.contains("launch templates, and"),
        "{groups}"
    );
}
