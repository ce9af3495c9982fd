//! Configuration: invalid samples with all that is said of them, layers, template, and `config show`.

use crate::residue::Folder;
use coredeck::config::{
    Config, Flags, Login, Origin, Regions, Surroundings, TEMPLATE, check, load, settings, span,
};
use coredeck::error::{Error, ErrorKind};
use coredeck::gateway::Source;
use coredeck::model::AccountName;
use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A home with two AWS profiles, and nothing of the real one.
struct Home {
    folder: Folder,
    around: Surroundings,
}

impl Home {
    fn new() -> Self {
        let folder = Folder::new();
        let aws = folder.path().join(".aws");
        fs::create_dir(&aws).unwrap();
        let config = "[default]\nregion = eu-west-1\n[profile main]\n[profile \"main-operator\"]\n[sso-session corp]\n";
        fs::write(aws.join("config"), config).unwrap();
        fs::write(aws.join("credentials"), "[keys]\naws_secret_access_key = nobody\n").unwrap();
        let around = Surroundings {
            vars: Default::default(),
            home: Some(folder.path().to_path_buf()),
            config_folder: Some(folder.path().join(".config")),
            cache_folder: Some(folder.path().join(".cache")),
            data_folder: Some(folder.path().join(".local/share")),
            state_folder: Some(folder.path().join(".state")),
        };
        Self { folder, around }
    }

    fn var(mut self, name: &str, value: &str) -> Self {
        self.around.vars.insert(name.to_owned(), value.to_owned());
        self
    }

    fn write(&self, text: &str) -> PathBuf {
        let path = self.around.usual_file().unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/config/invalid")
}

/// All that is said of an invalid sample.
fn said(sample: &str) -> String {
    let home = Home::new();
    let error = check(&samples().join(sample), &home.around).unwrap_err();
    assert_eq!(error.kind.exit_code(), 2);
    told(&error).replace(&format!("{}/", samples().display()), "")
}

fn told(error: &Error) -> String {
    let source = error.source().map(ToString::to_string).unwrap_or_default();
    format!("{error}\n{source}")
}

#[test]
fn every_sample_is_tested() {
    let here = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/config.rs")).unwrap();
    for sample in fs::read_dir(samples()).unwrap() {
        let name = sample.unwrap().file_name().into_string().unwrap();
        assert!(here.contains(&format!("said(\"{name}\")")), "no test names the sample {name}");
    }
}

#[test]
fn syntax() {
    insta::assert_snapshot!(said("syntax.toml"), @r#"
    the configuration syntax.toml has 6 faults
    syntax.toml:1:11: invalid basic string, expected `"`
      1 | fleet = "a
        |           ^
    syntax.toml:2:24: extra comma in array, expected value
      2 | regions = ["eu-west-1",, "us-east-1"]
        |                        ^
    syntax.toml:3:15: string values must be quoted, expected literal string
      3 | endpoint_url =
        |               ^
    syntax.toml:4:9: unclosed table, expected `]`
      4 | [refresh
        |         ^
    syntax.toml:6:8: unexpected key or value, expected newline, `#`
      6 | [tiers]]
        |        ^
    syntax.toml:8:1: duplicate key
      8 | theme = "light"
        | ^^^^^
    "#);
}

#[test]
fn unknown_keys() {
    insta::assert_snapshot!(said("keys.toml"), @r#"
    the configuration keys.toml has 8 faults
    keys.toml:1:1: unknown key `flet`
      1 | flet = "a"
        | ^^^^ did you mean `fleet`?
    keys.toml:2:1: unknown key `profile`
      2 | profile = "main"
        | ^^^^^^^ it belongs in [[accounts]]
    keys.toml:3:1: unknown key `instances`
      3 | instances = "15s"
        | ^^^^^^^^^ it belongs in [refresh]
    keys.toml:4:1: unknown key `shiny`
      4 | shiny = true
        | ^^^^^ known here: fleet, accounts, regions, tiers, refresh, history, cores, dns, capacity, logs, endpoint_url, read_only, theme, keymap
    keys.toml:7:1: unknown key `instance` in [refresh]
      7 | instance = "15s"
        | ^^^^^^^^ did you mean `instances`?
    keys.toml:9:3: unknown key `account`
      9 | [[account]]
        |   ^^^^^^^ did you mean `accounts`?
    keys.toml:14:1: unknown key `profil` in [[accounts]]
      14 | profil = "main"
         | ^^^^^^ did you mean `profile`?
    keys.toml:18:1: unknown key `group` in [[tiers]]
      18 | group = ["a*"]
         | ^^^^^ did you mean `groups`?
    "#);
}

#[test]
fn how_tiers_are_refreshed() {
    insta::assert_snapshot!(said("refreshes.toml"), @r#"
    the configuration refreshes.toml has 25 faults
    refreshes.toml:8:15: `min_healthy` must be between 0 and 100
      8 | min_healthy = 101
        |               ^^^
    refreshes.toml:9:15: `max_healthy` must be a whole number, not text
      9 | max_healthy = "150"
        |               ^^^^^
    refreshes.toml:10:10: `warmup`: a duration is a number and a unit, such as "15s", "5m" or "1h30m"
      10 | warmup = "soon"
         |          ^^^^^^
    refreshes.toml:11:20: `checkpoints` must ascend, and 10 does not
      11 | checkpoints = [50, 10, 0, "100"]
         |                    ^^ write them in rising order, none twice
    refreshes.toml:11:24: `checkpoints` must be between 1 and 100
      11 | checkpoints = [50, 10, 0, "100"]
         |                        ^
    refreshes.toml:11:27: `checkpoints` must be a whole number, not text
      11 | checkpoints = [50, 10, 0, "100"]
         |                           ^^^^^
    refreshes.toml:12:20: `checkpoint_delay` may be 2d at most
      12 | checkpoint_delay = "3d"
         |                    ^^^^
    refreshes.toml:13:8: `bake` must be text in quotes, not a whole number
      13 | bake = 900
         |        ^^^
    refreshes.toml:14:17: `skip_matching` must be true or false, not text
      14 | skip_matching = "yes"
         |                 ^^^^^
    refreshes.toml:15:17: `auto_rollback` must be true or false, not a whole number
      15 | auto_rollback = 1
         |                 ^
    refreshes.toml:16:13: `protected` cannot be `ignor`
      16 | protected = "ignor"
         |             ^^^^^^^ did you mean `ignore`?
    refreshes.toml:17:11: `standby` cannot be `kill`
      17 | standby = "kill"
         |           ^^^^^^ write one of replace, ignore, wait
    refreshes.toml:18:22: an alarm's name has 1 to 255 characters
      18 | alarms = ["web-5xx", ""]
         |                      ^^
    refreshes.toml:19:1: unknown key `min_health` in [tiers.refresh]
      19 | min_health = 90
         | ^^^^^^^^^^ did you mean `min_healthy`?
    refreshes.toml:24:45: `max_healthy` may be at most 100 above `min_healthy`, which is 20
      24 | refresh = { min_healthy = 20, max_healthy = 150, checkpoints = [10, 50], alarms = "web-5xx" }
         |                                             ^^^ write at most 120
    refreshes.toml:29:11: `refresh` must be a table such as { min_healthy = 100, bake = "15m" }, not text
      29 | refresh = "quick"
         |           ^^^^^^^
    refreshes.toml:37:3: `Mean` is none of Sum, Average, Minimum, Maximum, SampleCount, p99: write it like `AWS/ApplicationELB HTTPCode_Target_5XX_Count/RequestCount <= 1%`
      37 |   "AWS/EC2 CPUUtilization Mean <= 80",
         |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    refreshes.toml:39:3: a figure of `metrics` has both of `at_most` and `at_least`
      39 |   { namespace = "Acme", metric = "Depth", at_most = 5, at_least = "few", over = "90s" },
         |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ write one of them
    refreshes.toml:39:81: `over`: `90s` must be whole minutes, from 1m to 24h
      39 |   { namespace = "Acme", metric = "Depth", at_most = 5, at_least = "few", over = "90s" },
         |                                                                                 ^^^^^
    refreshes.toml:40:3: a figure of `metrics` lacks `metric`
      40 |   { namespace = "Acme", at_least = "few", dimensions = { Group = "{grp}" }, no_data = "ok" },
         |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ write `metric = "…"`
    refreshes.toml:40:36: `at_least` must be a number, or a share such as "1%", and not `few`
      40 |   { namespace = "Acme", at_least = "few", dimensions = { Group = "{grp}" }, no_data = "ok" },
         |                                    ^^^^^
    refreshes.toml:40:66: `{grp}` cannot be filled in
      40 |   { namespace = "Acme", at_least = "few", dimensions = { Group = "{grp}" }, no_data = "ok" },
         |                                                                  ^^^^^^^ what may stand in braces: {group}, {target_group}, {load_balancer}, {cluster}, {tier}
    refreshes.toml:40:87: `no_data` cannot be `ok`
      40 |   { namespace = "Acme", at_least = "few", dimensions = { Group = "{grp}" }, no_data = "ok" },
         |                                                                                       ^^^^ write one of wait, well, ill
    refreshes.toml:41:3: two of `metrics` are called `HTTPCode_Target_5XX_Count`
      41 |   { namespace = "Acme", metric = "HTTPCode_Target_5XX_Count", per = "All", at_most = "1%" },
         |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ give each a `name` of its own
    refreshes.toml:42:3: `metrics` must be a line or a table, not a whole number
      42 |   7,
         |   ^
    "#);
}

#[test]
fn wrong_types() {
    insta::assert_snapshot!(said("types.toml"), @r#"
    the configuration types.toml has 12 faults
    types.toml:1:9: `fleet` must be text in quotes, not a whole number
      1 | fleet = 7
        |         ^
    types.toml:2:11: `regions` must be a list of regions or "all", not true or false
      2 | regions = true
        |           ^^^^
    types.toml:3:16: `endpoint_url` must be text in quotes, not a list
      3 | endpoint_url = ["http://127.0.0.1:5000"]
        |                ^^^^^^^^^^^^^^^^^^^^^^^^^
    types.toml:4:9: `theme` must be text in quotes, not a date
      4 | theme = 1979-05-27
        |         ^^^^^^^^^^
    types.toml:5:11: `refresh` must be a table, not text
      5 | refresh = "15s"
        |           ^^^^^
    types.toml:7:1: `accounts` must be a list of tables
      7 | [accounts]
        | ^^^^^^^^^^ write `[[accounts]]`
    types.toml:11:8: `name` must be text in quotes, not a list
      11 | name = ["t"]
         |        ^^^^^
    types.toml:12:8: `tags` must be a table such as { env = "prod*" }, not text
      12 | tags = "env=prod"
         |        ^^^^^^^^^^
    types.toml:13:18: `cores_per_host` must be a whole number, not text
      13 | cores_per_host = "seven"
         |                  ^^^^^^^
    types.toml:14:20: `tenants_per_core` must be a whole number or { production = …, development = … }, not a number with a fraction
      14 | tenants_per_core = 50.0
         |                    ^^^^
    types.toml:15:19: `instance_types` must be text in quotes, not a whole number
      15 | instance_types = [1, "t3"]
         |                   ^
    types.toml:15:22: `t3` is not an instance type
      15 | instance_types = [1, "t3"]
         |                      ^^^^ one looks like `t3.small`
    "#);
}

#[test]
fn bad_regions() {
    insta::assert_snapshot!(said("regions.toml"), @r#"
    the configuration regions.toml has 8 faults
    regions.toml:1:12: `eu-west1` is not a region
      1 | regions = ["eu-west1", "eu-west-1a", "all", "EU-WEST-1", "us-east-1", "us-east-1", ""]
        |            ^^^^^^^^^^ did you mean `eu-west-1`?
    regions.toml:1:24: `eu-west-1a` is an availability zone, not a region
      1 | regions = ["eu-west1", "eu-west-1a", "all", "EU-WEST-1", "us-east-1", "us-east-1", ""]
        |                        ^^^^^^^^^^^^ write `eu-west-1`
    regions.toml:1:38: `all` stands for itself, not in a list
      1 | regions = ["eu-west1", "eu-west-1a", "all", "EU-WEST-1", "us-east-1", "us-east-1", ""]
        |                                      ^^^^^ write `regions = "all"`
    regions.toml:1:45: `EU-WEST-1` is not a region
      1 | regions = ["eu-west1", "eu-west-1a", "all", "EU-WEST-1", "us-east-1", "us-east-1", ""]
        |                                             ^^^^^^^^^^^ did you mean `eu-west-1`?
    regions.toml:1:71: `us-east-1` stands here twice
      1 | regions = ["eu-west1", "eu-west-1a", "all", "EU-WEST-1", "us-east-1", "us-east-1", ""]
        |                                                                       ^^^^^^^^^^^
    regions.toml:1:84: `` is not a region
      1 | regions = ["eu-west1", "eu-west-1a", "all", "EU-WEST-1", "us-east-1", "us-east-1", ""]
        |                                                                                    ^^ a region looks like `eu-west-1`
    regions.toml:5:11: `regions` is an empty list
      5 | regions = []
        |           ^^ name regions, write "all", or leave the key away
    regions.toml:10:11: `al` is not a region
      10 | regions = "al"
         |           ^^^^ a region looks like `eu-west-1`
    "#);
}

#[test]
fn bad_accounts() {
    insta::assert_snapshot!(said("accounts.toml"), @r#"
    the configuration accounts.toml has 15 faults
    accounts.toml:3:11: there is no AWS profile `mian`
      3 | profile = "mian"
        |           ^^^^^^ did you mean `main`?
    accounts.toml:6:8: two accounts are named `a`
      6 | name = "a"
        |        ^^^
    accounts.toml:8:8: an account has either a `profile` or a `role`, not both
      8 | role = { arn = "arn:aws:iam::123456789012:role/Operator" }
        |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ to assume the role from that profile, write `role = { arn = …, from = … }`
    accounts.toml:11:8: `b/c` cannot be the name of an account
      11 | name = "b/c"
         |        ^^^^^ use up to 64 letters, digits, `-`, `_` and `.`
    accounts.toml:12:16: `arn:aws:iam::12345:role/Operator` is not the ARN of a role
      12 | role = { arn = "arn:aws:iam::12345:role/Operator", from = "nobody-knows-it", external_id = "x", mfa_serial = "123456", session_name = "a b" }
         |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `12345` is not an account number of 12 digits
    accounts.toml:12:59: there is no AWS profile `nobody-knows-it`
      12 | role = { arn = "arn:aws:iam::12345:role/Operator", from = "nobody-knows-it", external_id = "x", mfa_serial = "123456", session_name = "a b" }
         |                                                           ^^^^^^^^^^^^^^^^^ there are default, keys, main, main-operator
    accounts.toml:12:92: this cannot be an external id
      12 | role = { arn = "arn:aws:iam::12345:role/Operator", from = "nobody-knows-it", external_id = "x", mfa_serial = "123456", session_name = "a b" }
         |                                                                                            ^^^ AWS takes 2 to 1224 letters, digits and `_+=,.@:/-`
    accounts.toml:12:110: `123456` is not an MFA device
      12 | role = { arn = "arn:aws:iam::12345:role/Operator", from = "nobody-knows-it", external_id = "x", mfa_serial = "123456", session_name = "a b" }
         |                                                                                                              ^^^^^^^^ it looks like `arn:aws:iam::123456789012:mfa/you`; the code itself is asked for on the terminal
    accounts.toml:12:135: `a b` cannot be a session's name
      12 | role = { arn = "arn:aws:iam::12345:role/Operator", from = "nobody-knows-it", external_id = "x", mfa_serial = "123456", session_name = "a b" }
         |                                                                                                                                       ^^^^^ AWS takes 2 to 64 letters, digits and `_+=,.@-`
    accounts.toml:16:8: a role without `arn`
      16 | role = { from = "main" }
         |        ^^^^^^^^^^^^^^^^^ add `arn = "arn:aws:iam::123456789012:role/…"`
    accounts.toml:20:16: `arn:aws:sts::123456789012:assumed-role/Operator/me` is not the ARN of a role
      20 | role = { arn = "arn:aws:sts::123456789012:assumed-role/Operator/me", nam = "x" }
         |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this is a session; name the role, `arn:aws:iam::ACCOUNT:role/NAME`
    accounts.toml:20:70: unknown key `nam` in `role`
      20 | role = { arn = "arn:aws:sts::123456789012:assumed-role/Operator/me", nam = "x" }
         |                                                                      ^^^ known here: arn, from, external_id, mfa_serial, session_name
    accounts.toml:25:1: a second account without `profile` or `role`, after line 22
      25 | [[accounts]]
         | ^^^^^^^^^^^^ both would be the same account: give this one a `profile` or a `role`
    accounts.toml:28:1: one of [[accounts]] has no `name`
      28 | [[accounts]]
         | ^^^^^^^^^^^^ add `name = "…"`
    accounts.toml:29:8: `role` must be a table such as { arn = "arn:aws:iam::…:role/…" }, not text
      29 | role = "arn:aws:iam::123456789012:role/Operator"
         |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn bad_tiers() {
    insta::assert_snapshot!(said("tiers.toml"), @r#"
    the configuration tiers.toml has 15 faults
    tiers.toml:3:16: `prod[12]` is a bad glob: it knows `*` and `?`, not `[`
      3 | tags = { env = "prod[12]", tier = [], "" = "x", mode = ["a", "a"] }
        |                ^^^^^^^^^^ give several globs in a list, or `?` for any one character
    tiers.toml:3:35: `tier` is an empty list
      3 | tags = { env = "prod[12]", tier = [], "" = "x", mode = ["a", "a"] }
        |                                   ^^ leave the key away
    tiers.toml:3:39: a tag's key cannot be empty
      3 | tags = { env = "prod[12]", tier = [], "" = "x", mode = ["a", "a"] }
        |                                       ^^
    tiers.toml:3:62: `a` stands here twice
      3 | tags = { env = "prod[12]", tier = [], "" = "x", mode = ["a", "a"] }
        |                                                              ^^^
    tiers.toml:4:11: an empty glob matches nothing
      4 | groups = ["", "a**b"]
        |           ^^ write `*` for anything
    tiers.toml:4:15: `a**b` is a bad glob: one `*` already matches any run
      4 | groups = ["", "a**b"]
        |               ^^^^^^ write `a*b`
    tiers.toml:5:18: `cores_per_host` must be between 1 and 10000
      5 | cores_per_host = 0
        |                  ^ leave the key away for no limit
    tiers.toml:6:20: `tenants_per_core` lacks `production`
      6 | tenants_per_core = { development = 100, produktion = 50 }
        |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ or write one number for both
    tiers.toml:6:41: unknown key `produktion` in `tenants_per_core`
      6 | tenants_per_core = { development = 100, produktion = 50 }
        |                                         ^^^^^^^^^^ did you mean `production`?
    tiers.toml:7:31: `T3` is not an instance type
      7 | instance_types = ["t3.small", "T3", "t3.small"]
        |                               ^^^^ one looks like `t3.small`
    tiers.toml:7:37: `t3.small` stands here twice
      7 | instance_types = ["t3.small", "T3", "t3.small"]
        |                                     ^^^^^^^^^^
    tiers.toml:10:8: two tiers are named `production`
      10 | name = "production"
         |        ^^^^^^^^^^^^
    tiers.toml:12:18: `cores_per_host` must be between 1 and 10000
      12 | cores_per_host = -1
         |                  ^^
    tiers.toml:14:1: nothing would ever fall into this tier
      14 | [[tiers]]
         | ^^^^^^^^^ add `tags`, `groups` or `services`
    tiers.toml:16:18: `cores_per_host` must be between 1 and 10000
      16 | cores_per_host = 99999999999999999999
         |                  ^^^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn bad_durations() {
    insta::assert_snapshot!(said("durations.toml"), @r#"
    the configuration durations.toml has 7 faults
    durations.toml:2:13: `instances` cannot be read more often than every 5s
      2 | instances = "1s"
        |             ^^^^ every call is one less for the account's other programs
    durations.toml:3:10: "15" has no unit: write "15s" for seconds
      3 | groups = "15"
        |          ^^^^
    durations.toml:4:12: a duration is a number and a unit, such as "15s", "5m" or "1h30m"
      4 | services = "soon"
        |            ^^^^^^
    durations.toml:5:11: `metrics` cannot be read more often than every 1m
      5 | metrics = "10s"
        |           ^^^^^ CloudWatch has no newer points and bills every metric that is asked for
    durations.toml:6:10: `images` must be read at least once in 1d
      6 | images = "40d"
        |          ^^^^^
    durations.toml:7:10: `alarms` must be text in quotes, not a whole number
      7 | alarms = 30
        |          ^^
    durations.toml:8:9: "99999999999999999999d" is longer than can be counted
      8 | tasks = "99999999999999999999d"
        |         ^^^^^^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn secrets_are_refused_and_never_repeated() {
    let text = said("secrets.toml");
    for secret in ["hunter2", "wJalr"] {
        assert!(!text.contains(secret), "{text}");
    }
    insta::assert_snapshot!(text, @r#"
    the configuration secrets.toml has 5 faults
    secrets.toml:1:1: `aws_secret_access_key` looks like a secret, and secrets have no place in this file
      1 | aws_secret_access_key = …
        | ^^^^^^^^^^^^^^^^^^^^^ credentials come from the AWS SDK: name a `profile` or a `role`
    secrets.toml:2:16: an endpoint's URL cannot hold a user or a password
      2 | endpoint_url = "https://…@aws.example"
        |                ^^^^^^^^^^^^^^^^^^^^^^^ credentials come from a profile
    secrets.toml:6:1: `api-key` looks like a secret, and secrets have no place in this file
      6 | api-key = …
        | ^^^^^^^ credentials come from the AWS SDK: name a `profile` or a `role`
    secrets.toml:7:59: `session_token` looks like a secret, and secrets have no place in this file
      7 | role = { arn = "arn:aws:iam::123456789012:role/Operator", session_token = …
        |                                                           ^^^^^^^^^^^^^ credentials come from the AWS SDK: name a `profile` or a `role`
    secrets.toml:8:12: string values must be quoted, expected literal string
      8 | password = …
        |            ^
    "#);
}

#[test]
fn hostile_text_is_shown_harmless() {
    let text = said("hostile.toml");
    assert!(text.chars().all(|c| c == '\n' || !coredeck::model::text::is_unsafe(c)), "{text:?}");
    insta::assert_snapshot!(text, @r#"
    the configuration hostile.toml has 4 faults
    hostile.toml:1:9: `a\u{202e}b` cannot be the name of a fleet
      1 | fleet = "a\u{202e}b"
        |         ^^^^^^^^^^^^ use up to 64 letters, digits, `-`, `_` and `.`
    hostile.toml:2:9: `␛[2J` cannot be the name of a theme
      2 | theme = "\u001b[2J"
        |         ^^^^^^^^^^^ use up to 64 letters, digits, `-`, `_` and `.`
    hostile.toml:3:1: invalid unquoted key, expected letters, numbers, `-`, `_`
      3 | 東京 = 1 # ␛[31m
        | ^^^^
    hostile.toml:3:10: invalid comment character, expected printable characters
      3 | 東京 = 1 # ␛[31m
        |            ^
    "#);
}

#[test]
fn without_a_file_the_defaults_hold_and_the_tiers_are_a_guess() {
    let home = Home::new();
    let loaded = load(&Flags::default(), &home.around).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert!(loaded.config.tiers_are_guessed);
    assert_eq!(loaded.warnings, []);
}

#[test]
fn the_template_equals_the_defaults() {
    let home = Home::new();
    let path = home.write(TEMPLATE);
    let loaded = load(&Flags::default(), &home.around).unwrap();
    assert_eq!(loaded.warnings, []);
    let expected = Config { file: Some(path), tiers_are_guessed: false, ..Config::default() };
    assert_eq!(loaded.config, expected);
}

#[test]
fn the_examples_of_the_template_are_valid() {
    let home = Home::new();
    let is_example = |line: &str| line.starts_with('#') && !line.starts_with("# ");
    let awake: String = TEMPLATE
        .lines()
        .map(|line| if is_example(line) { format!("{}\n", &line[1..]) } else { format!("{line}\n") })
        .collect();
    home.write(&awake);
    let config = load(&Flags::default(), &home.around).unwrap().config;
    assert_eq!(config.accounts.len(), 2);
    assert_eq!(config.endpoint_url.as_deref(), Some("http://127.0.0.1:5000"));
    assert!(matches!(
        &config.accounts[1].login,
        Login::Role { mfa_serial: Some(_), external_id: Some(_), .. }
    ));
}

#[test]
fn later_layers_win_and_every_value_knows_its_source() {
    let home =
        Home::new().var("COREDECK_FLEET", "blue").var("COREDECK_THEME", "dim").var("AWS_REGION", "us-east-1");
    let path = home.write(
        "fleet = \"green\"\ntheme = \"dark\"\nkeymap = \"vim\"\n[refresh]\ninstances = \"30s\"\n\
         [[accounts]]\nname = \"a\"\nprofile = \"main\"\nregions = \"all\"\n",
    );
    let flags = Flags { profiles: vec!["keys".into(), "main".into()], ..Flags::default() };
    let loaded = load(&flags, &home.around).unwrap();
    let config = &loaded.config;
    assert_eq!(
        (config.fleet.as_str(), config.theme.as_str(), config.keymap.as_str()),
        ("blue", "dim", "vim")
    );
    assert_eq!(config.every(Source::Instances), Duration::from_secs(30));
    assert_eq!(config.accounts.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["keys", "main"]);
    assert_eq!(loaded.origins.of("keymap"), Origin::File(path.as_path().into(), 3));
    let shown: Vec<String> = settings(&loaded, &home.around)
        .iter()
        .filter(|setting| !setting.key.starts_with("tiers.") && !setting.key.starts_with("refresh."))
        .chain(settings(&loaded, &home.around).iter().filter(|setting| setting.key == "refresh.instances"))
        .map(|setting| format!("{} = {} ({})", setting.key, setting.value, setting.source))
        .map(|line| line.replace(&format!("{}", home.folder.path().display()), "HOME"))
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    fleet = "blue" (env COREDECK_FLEET)
    accounts.keys.name = "keys" (flag --profile)
    accounts.keys.profile = "keys" (flag --profile)
    accounts.main.name = "main" (flag --profile)
    accounts.main.profile = "main" (flag --profile)
    regions = "us-east-1" (env AWS_REGION)
    endpoint_url = null (default)
    read_only = false (default)
    history.keep = "7d" (default)
    history.size = "64MiB" (default)
    history.gets = false (default)
    cores.reach = "off" (default)
    dns.route53 = false (default)
    capacity.monthly_users_per_host = 100000 (default)
    capacity.requests_per_host = 25 (default)
    capacity.database_mib_per_million_users = 1536 (default)
    capacity.connections_per_domain = 10 (default)
    theme = "dim" (env COREDECK_THEME)
    keymap = "vim" (HOME/.config/coredeck/coredeck.toml:3)
    refresh.instances = "30s" (HOME/.config/coredeck/coredeck.toml:5)
    "#);
}

#[test]
fn read_only_is_switched_on_anywhere_and_off_only_where_it_was_switched_on() {
    let home = |file: &str, said: &str| {
        let home = if said.is_empty() { Home::new() } else { Home::new().var("COREDECK_READ_ONLY", said) };
        home.write(file);
        home
    };
    let is_read_only = |file: &str, said: &str, flag: bool| {
        let flags = Flags { read_only: flag, ..Flags::default() };
        load(&flags, &home(file, said).around).unwrap().config.read_only
    };
    assert!(!is_read_only("", "", false) && !is_read_only("read_only = false\n", "no", false));
    assert!(is_read_only("read_only = true\n", "", false));
    assert!(is_read_only("read_only = true\n", "false", false), "a variable left over opens nothing");
    assert!(is_read_only("read_only = false\n", "TRUE", false) && is_read_only("", "", true));
    let error = load(&Flags::default(), &home("read_only = \"yes\"\n", "maybe").around).unwrap_err();
    let text = told(&error);
    assert!(text.contains("`read_only` must be true or false, not text"), "{text}");
    assert!(text.contains("COREDECK_READ_ONLY: `maybe` is neither true nor false"), "{text}");
}

#[test]
fn regions_from_a_flag_hold_for_every_account() {
    let home = Home::new();
    home.write("[[accounts]]\nname = \"a\"\nregions = [\"eu-west-1\"]\n");
    let flags = Flags { regions: vec!["us-east-1".into(), "xx-moon-1".into()], ..Flags::default() };
    let loaded = load(&flags, &home.around).unwrap();
    assert_eq!(loaded.config.accounts[0].regions, None);
    assert_eq!(loaded.config.regions, Regions::Named(vec!["us-east-1".into(), "xx-moon-1".into()]));
    insta::assert_snapshot!(loaded.warnings[0], @r"flag --region: `xx-moon-1` is not a region that this version knows");
}

#[test]
fn faults_of_file_environment_and_flags_come_together() {
    let home =
        Home::new().var("COREDECK_REGION", "eu-wst-1, us-east-1").var("COREDECK_ENDPOINT_URL", "moto:5000");
    let path = home.write("teirs = 1\n");
    let flags =
        Flags { profiles: vec!["man".into()], regions: vec!["all".into(), "x".into()], ..Flags::default() };
    let error = load(&flags, &home.around).unwrap_err();
    let text = told(&error).replace(&path.display().to_string(), "coredeck.toml");
    insta::assert_snapshot!(text, @r"
    the configuration coredeck.toml has 4 faults
    coredeck.toml:1:1: unknown key `teirs`
      1 | teirs = 1
        | ^^^^^ did you mean `tiers`?
    environment variable COREDECK_ENDPOINT_URL: this is not an endpoint's URL
      one looks like `http://127.0.0.1:5000`
    flag --profile: there is no AWS profile `man`
      did you mean `main`?
    flag --region: `all` stands for itself, not beside regions
      give either `all` or regions
    ");
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let home = Home::new().var("COREDECK_CONFIG", "/nowhere/coredeck.toml");
    let error = load(&Flags::default(), &home.around).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    assert!(error.message.contains("env COREDECK_CONFIG"), "{error}");
    let folder = Flags { config: Some(home.folder.path().to_path_buf()), ..Flags::default() };
    assert_eq!(load(&folder, &home.around).unwrap_err().kind, ErrorKind::Usage);
    let latin = home.folder.path().join("latin.toml");
    fs::write(&latin, b"# ok\nfleet = \"\xe9\"\n").unwrap();
    let error = check(&latin, &home.around).unwrap_err();
    assert!(error.message.ends_with("latin.toml:2: the file is not UTF-8"), "{error}");
}

#[test]
fn an_unknown_aws_profile_is_a_warning_only_where_the_chain_is_used() {
    let home = Home::new().var("AWS_PROFILE", "mainn");
    let loaded = load(&Flags::default(), &home.around).unwrap();
    insta::assert_snapshot!(loaded.warnings[0], @r"
    environment variable AWS_PROFILE: there is no AWS profile `mainn`
      did you mean `main`?
    ");
    let flags = Flags { profiles: vec!["main".into()], ..Flags::default() };
    assert_eq!(load(&flags, &home.around).unwrap().warnings, []);
}

#[test]
fn tags_keep_the_order_of_the_file() {
    let home = Home::new();
    home.write("[[tiers]]\nname = \"t\"\ntags = { z = \"1\", a = [\"2\", \"3\"] }\ngroups = \"g*\"\n");
    let config = load(&Flags::default(), &home.around).unwrap().config;
    let selectors: Vec<String> = config.tiers[0].selectors.iter().map(ToString::to_string).collect();
    assert_eq!(selectors, ["tag z=1", "tag a=2", "tag a=3", "group g*"]);
    assert!(!config.tiers_are_guessed);
    assert_eq!(config.accounts[0].name, AccountName::new("default"));
    assert_eq!(span(config.every(Source::Images)), "15m");
}

#[test]
fn the_page_about_configuration_names_every_key_and_the_template_every_default() {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md")).unwrap();
    let loaded = load(&Flags::default(), &Home::new().around).unwrap();
    for setting in settings(&loaded, &Surroundings::default()) {
        let key = setting.key.rsplit('.').next().unwrap();
        assert!(page.contains(&format!("`{key}`")), "the page does not tell of `{key}`");
        let is_listed = setting.value.is_null() || setting.key.starts_with("accounts.");
        assert!(
            is_listed || TEMPLATE.contains(&format!("{key} = ")) || key == "tags",
            "the template lacks {key}"
        );
    }
}
