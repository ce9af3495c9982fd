//! What planning an operation on a core costs: calls, counted by the pretended AWS.

use super::closed::{coredeck, ended};
use coredeck::clock::Clock;
use coredeck::sim::{Options, serve};

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_stops_a_core_looks_for_it_in_all_target_groups_and_one_that_starts_it_in_few() {
    let running = serve(Options { clock: Clock::Real, ..Options::default() }).await.unwrap();
    let folder = crate::residue::Folder::new();
    let at = folder.path().to_path_buf();
    let config = at.join(".config").join("coredeck");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("coredeck.toml"), "fleet = \"demo\"\n").unwrap();
    tokio::task::spawn_blocking(move || {
        let asked = |command: &[&str]| {
            let before = running.calls().len();
            let (code, out, err) = ended(coredeck(&running, &at).args(command));
            let calls: Vec<_> = running.calls().into_iter().skip(before).collect();
            let health = calls.iter().filter(|call| call["operation"] == "DescribeTargetHealth").count();
            (code, health, format!("{out}{err}"))
        };
        let (code, all, said) = asked(&["get", "targets"]);
        assert!(code == 0 && all >= 40, "{all} {said}");
        // Whoever may have registered a core by hand in another's group: no core stops that was not looked for in all.
        let stands = [("prod-slatepay", "core-slatepay"), ("shared-prod-1", "shared-production")];
        for (core, stands) in stands {
            let (code, looked, said) = asked(&["core", "restart", core, "--dry-run", "--override-budget"]);
            assert_eq!(code, 0, "{said}");
            assert!(looked >= 40, "{core}: {looked} of {all}: {said}");
            assert!(said.contains(&format!("nothing but {core} serves {stands}")), "{said}");
        }
        // A core that starts comes where it belongs, and to no other group.
        let (_, few, said) = asked(&["core", "start", "dev-005", "--dry-run"]);
        assert!(few <= 8, "{few} of {all}: {said}");
        // Wrong words are answered with what is right, each trouble once.
        for (words, says, never) in [
            (&["core", "create", "x"][..], "|production|development, or --like CORE", "Usage"),
            (
                &["core", "create", "x", "--tier", "nope"],
                "the tiers are shared, production, development",
                "config show",
            ),
        ] {
            let (code, _, said) = asked(&[words, &["--dry-run"]].concat());
            assert!(code != 0 && said.contains(says) && !said.contains(never), "{code}: {said}");
        }
    })
    .await
    .unwrap();
}
