//! Host names: where Route 53 leads them, beside the registry and the rules; and what is said where it may not be read.

use crate::binary::Home;
use coredeck::sim::{Mischief, Rule, parse, serve};
use serde_json::Value;

const FLEET: &str = r#"
seed = 5
speed = 0
regions = ["us-east-1", "eu-west-1"]
start = "2026-11-21T12:00:00Z"

[[fleet]]
name = "default"
region = "us-east-1"

[[fleet.hosts]]
name = "h-{n}"
count = 2
type = "t3.large"
tier = "shared"

[[fleet.target-group]]
name = "cores"
targets = ["h-0"]

[[fleet.balancer]]
name = "front"

[[fleet.balancer]]
name = "other"

[[fleet.rule]]
balancer = "front"
hosts = ["a.example.com", "b.example.com", "c.example.com", "d.example.com", "e.example.com"]
target-group = "cores"

[[fleet.core]]
id = "core-1"
host = "h-0"

[[fleet.tenant]]
id = "{n}"
count = 5
core = "core-1"
domain = "x{n}.elsewhere.org"
"#;

/// A tenant with its domain, and the records that lead there.
fn tenants() -> String {
    let mut text = FLEET.to_owned();
    for id in ["a", "b", "c", "d", "e", "g"] {
        text +=
            &format!("\n[[fleet.tenant]]\nid = \"{id}\"\ncore = \"core-1\"\ndomain = \"{id}.example.com\"\n");
    }
    text += "\n[[fleet.tenant]]\nid = \"p\"\ncore = \"core-1\"\ndomain = \"p.corp.internal\"\n";
    for record in [
        r#"name = "a.example.com", leads-to = "cores.example.com", ttl = 30"#,
        r#"name = "cores.example.com", balancer = "front""#,
        r#"name = "b.example.com", balancer = "other""#,
        r#"name = "c.example.com", balancer = "front", set = "new", weight = 90"#,
        r#"name = "c.example.com", addresses = ["203.0.113.9"], set = "old", weight = 10"#,
        r#"name = "d.example.com", host = "h-1", ttl = 3600"#,
        r#"name = "g.example.com", leads-to = "round.example.com""#,
        r#"name = "round.example.com", leads-to = "g.example.com""#,
    ] {
        text += &format!("\n[[fleet.record]]\nzone = \"example.com\"\n{}\n", record.replace(", ", "\n"));
    }
    text + "\n[[fleet.record]]\nzone = \"corp.internal\"\nprivate = true\nname = \"p.corp.internal\"\nhost = \"h-0\"\n"
}

const CONFIG: &str = "regions = [\"us-east-1\", \"eu-west-1\"]\n[dns]\nroute53 = true\n";

fn of<'r>(rows: &'r [Value], id: &str) -> &'r Value {
    rows.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("{id}: {rows:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_host_name_leads_is_told_beside_what_the_registry_says() {
    let running = serve(parse(&tenants(), "names.toml").unwrap()).await.unwrap();
    let url = running.url();
    tokio::task::spawn_blocking(move || {
        let home = Home::new();
        home.write("config/coredeck/coredeck.toml", CONFIG);
        let rows = home.rows(&["get", "tenants", "-o", "json", "--endpoint-url", &url]);
        let told = |id: &str| of(&rows, id)["troubles"].to_string();
        let leads = |id: &str| of(&rows, id)["leads_to"].clone();

        assert_eq!(leads("a"), serde_json::json!(["balancer front"]));
        let a = of(&rows, "a");
        assert_eq!(a["way"], serde_json::json!(["a.example.com", "cores.example.com"]));
        assert_eq!(
            (&a["ttl"], &a["dns_zone"]),
            (&60.into(), &"example.com".into()),
            "the alias is remembered longest"
        );
        assert_eq!(told("a"), "[]", "it leads where its rule is");
        assert!(
            told("b").contains("its name leads to balancer other, which has no rule for it"),
            "{}",
            told("b")
        );
        assert!(
            told("c")
                .contains("10 of 100 parts of its traffic lead to 203.0.113.9, which no instance here has"),
            "{}",
            told("c")
        );
        assert_eq!(leads("c"), serde_json::json!(["balancer front 90/100", "203.0.113.9 10/100"]));
        assert!(told("d").contains("and its core core-1 is on i-"), "{}", told("d"));
        assert!(told("d").contains("its record is remembered for 3600 s"), "{}", told("d"));
        assert!(told("e").contains("e.example.com has no record in its zone example.com"), "{}", told("e"));
        assert!(told("g").contains("lead in a circle by way of g.example.com"), "{}", told("g"));
        assert_eq!(told("p"), "[]", "a private name that leads straight to its core");
        assert_eq!(of(&rows, "p")["dns_private"], true);
        let far = of(&rows, "3");
        assert!(far["leads_to"].is_null() && !far["troubles"].to_string().contains("record"), "{far}");

        let cores = home.rows(&["get", "cores", "-o", "json", "--endpoint-url", &url]);
        let names = of(&cores, "core-1")["names"].as_array().unwrap().clone();
        assert_eq!(names.len(), 6, "five by a rule, one straight: {names:?}");

        // The inventory shows them beside the rest.
        let shown = home.run(&[
            "inventory",
            "show",
            "-o",
            "json",
            "--read-only",
            "--allow-partial",
            "--endpoint-url",
            &url,
        ]);
        let names = shown.json()["names"].as_array().unwrap().clone();
        let c =
            names.iter().find(|one| one["name"] == "c.example.com").unwrap_or_else(|| panic!("{names:#?}"));
        assert_eq!(c["leads_to"], serde_json::json!(["balancer front 90/100", "203.0.113.9 10/100"]));
        assert_eq!((&c["tenant"], &c["zone"]), (&"c".into(), &"example.com".into()));
        let shown =
            home.run(&["inventory", "show", "--read-only", "--allow-partial", "--endpoint-url", &url]);
        assert!(
            shown.out.contains("LEADS TO") && shown.out.contains("balancer front 90/100"),
            "{}",
            shown.out
        );

        // Nobody who does not ask for it pays for it: a plain list reads no zones.
        let lean =
            home.rows(&["get", "tenants", "-o", "json", "--columns", "id,core", "--endpoint-url", &url]);
        assert_eq!(lean.len(), rows.len());
    })
    .await
    .unwrap();
    let calls = running.calls();
    let of = |operation: &str| calls.iter().filter(|call| call["operation"] == operation).count();
    // Two regions of one account, four times; the zones of the one that has host names.
    assert_eq!((of("ListHostedZones"), of("ListResourceRecordSets")), (4, 8));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_is_said_once_and_nothing_else_is_missing() {
    let rule = Rule { service: "route53".to_owned(), ..Rule::always(Mischief::Denied) };
    let mut options = parse(&tenants(), "names.toml").unwrap();
    options.faults.push(rule);
    let running = serve(options).await.unwrap();
    let url = running.url();
    tokio::task::spawn_blocking(move || {
        let home = Home::new();
        home.write("config/coredeck/coredeck.toml", CONFIG);
        let ran = home.run(&["get", "tenants", "-o", "json", "--endpoint-url", &url]);
        let warnings = ran.json()["warnings"].clone();
        let of_names: Vec<&Value> =
            warnings.as_array().unwrap().iter().filter(|one| one["source"] == "records").collect();
        assert_eq!(of_names.len(), 1, "{warnings}");
        assert_eq!(of_names[0]["call"], "route53:ListHostedZones", "{warnings}");
        assert_eq!(ran.code, Some(1), "what was asked for is missing");
        let rows = ran.data();
        assert_eq!(rows.len(), 12);
        assert!(rows.iter().all(|row| !row["troubles"].to_string().contains("record")), "nothing is made up");
        assert!(of(&rows, "a")["rule"].is_string(), "the rest is there");
        // What does not need it does not miss it.
        let plain = home.run(&["get", "tenants", "--endpoint-url", &url]);
        assert_eq!(plain.code, Some(0), "{}", plain.err);
        // Switched off, nothing is asked and nothing is missing.
        home.write("config/coredeck/coredeck.toml", "regions = [\"us-east-1\"]\n");
        let off = home.run(&["get", "tenants", "-o", "json", "--endpoint-url", &url]);
        assert_eq!(off.code, Some(0), "{}", off.err);
    })
    .await
    .unwrap();
}
