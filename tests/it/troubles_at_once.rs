//! Everything that may be wrong with cores, at once: each is said on its own row, and the rest lives.

use crate::binary::Home;
use crate::sim::json as call;
use coredeck::sim::{Running, parse, serve};
use serde_json::{Value, json};
use std::sync::Arc;

const FLEET: &str = r#"
seed = 11
speed = 20
regions = ["us-east-1"]

[[fleet]]
name = "default"

[[fleet.hosts]]
name = "dev-{n}"
count = 9
type = "t3.small"
tier = "development"

[[fleet.hosts]]
name = "shared-{n}"
count = 4
type = "t3.large"
tier = "shared"

[[fleet.target-group]]
name = "shared"
targets = ["shared-0", "shared-1", "shared-2", "shared-3"]

[[fleet.balancer]]
name = "front"

[[fleet.rule]]
balancer = "front"
hosts = ["acme.example.com"]
target-group = "shared"

[[fleet.core]]
id = "dev-{n}"
host = "dev-{n}"
count = 9

[[fleet.core]]
id = "next"
host = "dev-0"
port = 3601
version = "12.1.1"

[[fleet.core]]
id = "shared-{n}"
host = "shared-{n}"
count = 4
tier = "shared"

[[fleet.tenant]]
id = "acme"
core = "shared-0"
domain = "acme.example.com"
mode = "production"

[[fleet.trouble]]
what = "silent"
instance = "dev-5"
"#;

async fn entry(running: &Running, id: &str) -> Value {
    let name = format!("/coredeck/default/cores/{id}");
    let answer = call(running, "ssm", "AmazonSSM.GetParameter", json!({ "Name": name })).await;
    serde_json::from_str(answer["Parameter"]["Value"].as_str().unwrap()).unwrap()
}

async fn write(running: &Running, id: &str, edit: impl FnOnce(&mut Value)) {
    let mut value = entry(running, id).await;
    edit(&mut value);
    let name = format!("/coredeck/default/cores/{id}");
    let body = json!({ "Name": name, "Type": "String", "Value": value.to_string(), "Overwrite": true });
    call(running, "ssm", "AmazonSSM.PutParameter", body).await;
}

async fn run(running: &Running, home: &Arc<Home>, args: &[&str]) -> crate::binary::Ran {
    let env = running.exports();
    let home = Arc::clone(home);
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    tokio::task::spawn_blocking(move || {
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        home.run_with(&args, &env)
    })
    .await
    .unwrap()
}

fn row<'r>(rows: &'r [Value], id: &str) -> &'r Value {
    rows.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("no {id}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_said_on_its_row_and_the_rest_lives() {
    let mut options = parse(FLEET, "at-once.toml").unwrap();
    options.cores = true;
    let running = serve(options).await.unwrap();
    let home = Arc::new(Home::new());
    let door = running.cores_door().unwrap();
    let config = format!("[cores]\nreach = \"direct\"\nproxy = \"http://{door}\"\n");
    home.write("config/coredeck/coredeck.toml", &config);

    // A key that was changed behind the core's back, and one that is nowhere.
    let key = |id: &str| format!("/coredeck/default/secrets/{id}/api-key");
    let ask = ["get", "cores", "-o", "json"];
    assert_eq!(run(&running, &home, &ask).await.code, Some(0), "every core has started with its own key");
    let other = json!({ "Name": key("dev-1"), "Type": "SecureString", "Value": "a-key-of-somebody-else-altogether", "Overwrite": true });
    call(&running, "ssm", "AmazonSSM.PutParameter", other).await;
    call(&running, "ssm", "AmazonSSM.DeleteParameter", json!({ "Name": key("dev-2") })).await;
    // Its database is down.
    assert!(running.cut_off("dev-3", true));
    // It was edited by hand, and says a port where nobody listens.
    write(&running, "dev-4", |it| it["port"] = json!(4000)).await;
    // Half of the replicas are cut off from their network, and one was upgraded by itself.
    for id in ["shared-2", "shared-3"] {
        write(&running, id, |it| it["port"] = json!(3999)).await;
    }
    write(&running, "shared-1", |it| it["version"] = json!("10.1.4")).await;
    // It has no database at all.
    write(&running, "dev-6", |it| it["base"] = json!({ "memory": true })).await;
    restart(&running, "dev-6").await;
    // It lets nobody in from here.
    write(&running, "dev-8", |it| it["base"] = json!({ "settings": { "ip_deny_regex": "127\\..*" } })).await;
    restart(&running, "dev-8").await;
    // The licence of the shared core is gone.
    licence_gone(&running, "shared-0").await;

    // Docker is down on a host, whose core goes on.
    let host = entry(&running, "dev-2").await["instance_id"].as_str().unwrap().to_owned();
    running.halt_docker(&host, true);

    // What hosts say beside the registry.
    let found = run(&running, &home, &["inventory", "diff", "--yes", "--allow-partial", "-o", "json"]).await;
    assert_eq!(found.code, Some(0), "what a person wrote is not due by itself: {} {}", found.out, found.err);

    let cores = run(&running, &home, &ask).await;
    assert_eq!(cores.code, Some(0), "{}", cores.err);
    let rows = cores.data();
    assert_eq!(rows.len(), 14);
    let says = |id: &str, text: &str| {
        let row = row(&rows, id);
        assert!(row["troubles"].to_string().contains(text), "{id}: {text}: {row:#}");
    };
    says("dev-1", "does not take this API key");
    says("dev-2", "its key could not be read");
    says("dev-3", "cannot reach the database");
    says("dev-4", "nothing listens at its port");
    says("dev-4", "no inventory wrote it");
    assert_eq!(row(&rows, "dev-4")["drift"], "conflict");
    for id in ["dev-2", "dev-5"] {
        assert_eq!(row(&rows, id)["drift"], "unjudged");
    }
    let why = row(&rows, "dev-2")["drift_why"].to_string();
    assert!(why.contains("docker does not answer") && why.contains("systemctl status docker"), "{why}");
    assert!(row(&rows, "dev-5")["drift_why"].as_str().unwrap().contains("agent is offline"));
    says("dev-5", "agent");
    says("dev-6", "it has no database");
    says(
        "shared-0",
        "it has no licence key, so that it lacks multi_tenancy: it serves the domains that it has",
    );
    says("shared-1", "it has no licence key");
    says(
        "dev-8",
        "it answers that its rules about addresses (ip_allow_regex, ip_deny_regex) do not let this one in",
    );
    says("shared-1", "run 10.1.4 and 11.0.4");
    for id in ["shared-2", "shared-3"] {
        says(id, "nothing listens at its port");
    }
    // What is told, what there is not, and what nobody could tell.
    let told =
        |id: &str| ["licence", "migration", "imports", "linking"].map(|name| row(&rows, id)[name].clone());
    assert_eq!(told("next"), [json!("none"), json!("LEGACY"), json!(0), Value::Null]);
    assert_eq!(told("dev-0"), [json!("none"), Value::Null, json!(0), Value::Null]);
    assert_eq!(told("shared-1")[0], "none");
    assert_eq!(told("dev-1"), [const { Value::Null }; 4], "it does not take our key");
    assert_eq!(told("dev-6")[2], Value::Null, "nothing is imported into memory");
    for id in ["dev-0", "dev-7", "next"] {
        let well = row(&rows, id);
        assert!(well["threads"].as_u64().is_some() && well["drift"] == "same", "{id}: {well:#}");
        assert_eq!(well["health"], "ok", "{id}: {well:#}");
    }
    let screen = run(&running, &home, &["--headless", ":cores<ret>", "--size", "220x40"]).await;
    for text in ["dev-0", "dev-6", "shared-3", "conflict", "unjudged"] {
        assert!(screen.out.contains(text), "{text}: {}", screen.out);
    }
    let card = run(&running, &home, &["describe", "core", "dev-6"]).await;
    assert!(card.out.contains("it has no database"), "{}", card.out);
    let line = |out: &str, name: &str| {
        let mut lines = out.lines().map(str::trim).filter(|line| line.split(' ').next() == Some(name));
        lines.next().unwrap_or_else(|| panic!("{name}: {out}")).split_whitespace().nth(1).map(str::to_owned)
    };
    let says = |out: &str, name: &str, wanted: &str| {
        assert_eq!(line(out, name).as_deref(), Some(wanted), "{name}: {out}");
    };
    let card = run(&running, &home, &["describe", "core", "next"]).await;
    for (name, wanted) in [("licence", "none"), ("migration", "LEGACY"), ("imports", "0"), ("linking", "-")] {
        says(&card.out, name, wanted);
    }
    let card = run(&running, &home, &["describe", "core", "dev-1"]).await;
    for name in ["licence", "migration", "imports", "linking"] {
        says(&card.out, name, "?");
    }
    let card = run(&running, &home, &["describe", "core", "dev-0"]).await;
    says(&card.out, "migration", "-");
    let card = run(&running, &home, &["describe", "tenant", "acme"]).await;
    for (name, wanted) in [("migration", "-"), ("uncopied", "-"), ("imports", "0"), ("linking", "-")] {
        says(&card.out, name, wanted);
    }
    // What is wrong with a core is said by the plan of an operation on it, too; and the others are planned as ever.
    says_it_in_the_plan(&running, &home).await;
    let groups = run(&running, &home, &["get", "cores", "--group-by", "drift", "-o", "json"]).await;
    assert!(groups.out.contains("conflict") && groups.out.contains("same"), "{}", groups.out);
    let asked =
        run(&running, &home, &["get", "cores", "drift:conflict", "-o", "json", "--sort", "drift"]).await;
    assert!(asked.data().iter().all(|row| row["drift"] == "conflict") && !asked.data().is_empty());
}

/// What the plans of restarts say of cores that are not well.
async fn says_it_in_the_plan(running: &Running, home: &Arc<Home>) {
    let mut faults = Vec::new();
    for (core, words) in [
        ("dev-1", &["dev-1 (", "does not take this API key"][..]),
        ("dev-2", &["dev-2 ("]),
        ("dev-3", &["dev-3 (", "cannot reach the database"]),
        ("dev-4", &["its entry in the registry stands as conflict to the last inventory", "dev-4 ("]),
        ("dev-5", &["its Systems Manager agent is offline"]),
        ("dev-6", &["dev-6 has no database and keeps everything in its memory"]),
        ("dev-8", &["dev-8 (", "rules about addresses"]),
        ("shared-2", &["shared-2 ("]),
        ("dev-7", &["restart 1 core"]),
    ] {
        let plan = ["core", "restart", core, "--dry-run", "--override-budget"];
        let ran = run(running, home, &plan).await;
        let said = format!("{}{}", ran.out, ran.err);
        let lacks: Vec<&&str> = words.iter().filter(|word| !said.contains(**word)).collect();
        let is_refused = core == "dev-5";
        if !lacks.is_empty() || ran.code != Some(i32::from(is_refused)) {
            faults.push(format!("{core} lacks {lacks:?}, {:?}: {said}", ran.code));
        }
        if core == "dev-7" && said.contains("could not be asked") {
            faults.push(format!("a core that is well is doubted: {said}"));
        }
    }
    // What runs is not started, and an undo of it could never stop it.
    let ran = run(running, home, &["core", "start", "dev-7", "--dry-run"]).await;
    if ran.code != Some(1) || !ran.err.contains("it runs and answers already") {
        faults.push(format!("dev-7 is started: {:?} {}{}", ran.code, ran.out, ran.err));
    }
    // Of two versions behind one target group an upgrade says so.
    let upgrade = ["core", "upgrade", "shared-0", "shared-1", "shared-2", "shared-3", "--to", "11.0.9"];
    let ran = run(running, home, &[&upgrade[..], &["--dry-run", "--override-budget"]].concat()).await;
    if !format!("{}{}", ran.out, ran.err).contains("is served by 11.0.4 and 10.1.4 already") {
        faults.push(format!("mixed versions: {}{}", ran.out, ran.err));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Docker starts a core's container again: what it was told takes effect.
async fn restart(running: &Running, id: &str) {
    let host = entry(running, id).await["instance_id"].as_str().unwrap().to_owned();
    let container = entry(running, id).await["container"].as_str().unwrap().to_owned();
    let body = json!({ "DocumentName": "AWS-RunShellScript", "InstanceIds": [host],
        "Parameters": { "commands": [format!("docker restart {container}")] } });
    call(running, "ssm", "AmazonSSM.SendCommand", body).await;
    running.step(std::time::Duration::from_secs(90));
}

async fn licence_gone(running: &Running, id: &str) {
    let body = json!({ "Name": format!("/coredeck/default/secrets/{id}/api-key"), "WithDecryption": true });
    let answer = call(running, "ssm", "AmazonSSM.GetParameter", body).await;
    let key = answer["Parameter"]["Value"].as_str().unwrap().to_owned();
    let core = running.cores().into_iter().find(|core| core.id == id).unwrap();
    let host = core.listens.unwrap().to_string();
    let heard = tokio::task::spawn_blocking(move || {
        crate::loopback::ask(&host, "DELETE", "/ee/license", &[("api-key", &key)], b"")
    });
    let heard = String::from_utf8_lossy(&heard.await.unwrap()).into_owned();
    assert!(heard.contains(" 200 "), "{heard}");
}
