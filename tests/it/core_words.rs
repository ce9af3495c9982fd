//! What cores say of themselves, on rows: read by the real binary from pretended cores, and no secret with it.

use crate::binary::Home;
use crate::loopback;
use crate::sim::json as call;
use coredeck::clock::Clock;
use coredeck::sim::{Options, Running, serve};
use serde_json::{Value, json};
use std::path::Path;

async fn started() -> (Running, Home) {
    let clock = Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
    let running = serve(Options { clock, speed: 0.0, cores: true, ..Options::default() }).await.unwrap();
    let home = Home::new();
    let door = running.cores_door().unwrap();
    home.write(
        "coredeck.toml",
        &format!("fleet = \"demo\"\n[cores]\nreach = \"direct\"\nproxy = \"http://{door}\"\n"),
    );
    (running, home)
}

/// Runs the binary against the pretended fleet.
async fn run(running: &Running, home: &std::sync::Arc<Home>, args: &str) -> crate::binary::Ran {
    let env = running.exports();
    let (home, args) = (std::sync::Arc::clone(home), args.to_owned());
    tokio::task::spawn_blocking(move || {
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let config = home.path().join("coredeck.toml");
        let mut args: Vec<&str> = args.split(' ').collect();
        if !args.contains(&"--config") {
            args.extend(["--config", config.to_str().unwrap()]);
        }
        home.run_with(&args, &env)
    })
    .await
    .unwrap()
}

async fn parameter(running: &Running, name: &str) -> String {
    let body = json!({ "Name": name, "WithDecryption": true });
    let answer = call(running, "ssm", "AmazonSSM.GetParameter", body).await;
    answer["Parameter"]["Value"].as_str().unwrap().to_owned()
}

async fn ask(running: &Running, id: &str, method: &'static str, path: &'static str, body: Value) -> Value {
    let key = parameter(running, &format!("/coredeck/demo/secrets/{id}/api-key")).await;
    let core = running.cores().into_iter().find(|core| core.id == id).unwrap();
    let host = core.listens.unwrap().to_string();
    let heard = tokio::task::spawn_blocking(move || {
        let body = body.to_string();
        loopback::ask(&host, method, path, &[("api-key", &key)], body.as_bytes())
    });
    let heard = String::from_utf8_lossy(&heard.await.unwrap()).into_owned();
    let (_, body) = heard.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{heard}"))
}

/// Whether some file below a folder holds a text.
fn holds(folder: &Path, text: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holds(&path, text, found);
        } else if std::fs::read(&path).unwrap().windows(text.len()).any(|part| part == text.as_bytes()) {
            found.push(format!("{text} in {}", path.display()));
        }
    }
}

fn row<'a>(rows: &'a [Value], id: &str) -> &'a Value {
    rows.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("no {id}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn cores_and_tenants_stand_with_their_own_word_and_without_a_secret() {
    let (running, home) = started().await;
    let home = std::sync::Arc::new(home);
    let list = "/recipe/multitenancy/connectionuridomain/list/v2";
    let known = ask(&running, "shared-prod-1", "GET", list, Value::Null).await;
    // A core that fails, one whose key was changed behind its back, a tenant that its core has forgotten.
    ask(&running, "prod-slatepay", "GET", "/users/count", Value::Null).await;
    running.cut_off("prod-lumenary", true);
    let key = parameter(&running, "/coredeck/demo/secrets/prod-slatepay/api-key").await;
    let name = "/coredeck/demo/secrets/prod-slatepay/api-key";
    let changed = json!({ "Name": name, "Type": "SecureString", "Value": "another-key-that-nobody-told-it", "Overwrite": true });
    call(&running, "ssm", "AmazonSSM.PutParameter", changed).await;
    let forgotten = known["connectionUriDomains"][1]["connectionUriDomain"].as_str().unwrap().to_owned();
    let remove = "/recipe/multitenancy/connectionuridomain/remove";
    let gone = json!({ "connectionUriDomain": forgotten });
    assert_eq!(ask(&running, "shared-prod-1", "POST", remove, gone).await["didExist"], true);

    let made = json!({ "connectionUriDomain": "hand.example.com", "coreConfig": { "postgresql_connection_uri": "postgresql://u:planted-in-an-address@hand.db.internal/x", "api_keys": "planted-by-hand-of-twenty-letters" } });
    let put = "/recipe/multitenancy/connectionuridomain/v2";
    assert_eq!(ask(&running, "shared-dev-1", "PUT", put, made).await["status"], "OK");

    let cores = run(&running, &home, "get cores -o json --log-file log -vvv").await;
    assert!(matches!(cores.code, Some(0)), "{}", cores.err);
    let rows = cores.data();
    let shared = row(&rows, "shared-prod-1");
    assert_eq!(shared["domains"], 46, "{shared}");
    assert_eq!(shared["connections"], 46 * 3 + 10, "{shared}");
    assert!(shared["rate"].as_f64().unwrap() > 0.0 && shared["users"].as_u64().unwrap() > 0, "{shared}");
    assert!(shared["monthly"].as_u64().unwrap() < shared["users"].as_u64().unwrap(), "{shared}");
    assert_eq!(shared["day"].as_str().unwrap().chars().count(), 24, "{shared}");
    assert_eq!(shared["features"], json!(["multi_tenancy"]));
    let strange = row(&rows, "shared-dev-1");
    assert!(
        strange["troubles"].to_string().contains("serves hand.example.com, which no registry names"),
        "{strange}"
    );
    let lone = row(&rows, "prod-orbitly");
    assert_eq!((&lone["domains"], &lone["connections"]), (&json!(0), &json!(10)), "{lone}");
    let cut = row(&rows, "prod-lumenary");
    assert_eq!((&cut["answer"], &cut["health"]), (&json!("failed"), &json!("bad")), "{cut}");
    assert!(cut["troubles"].to_string().contains("cannot reach the database"), "{cut}");
    let locked = row(&rows, "prod-slatepay");
    assert!(locked["troubles"].to_string().contains("does not take this API key"), "{locked}");
    assert!(locked["users"].is_null(), "what was not told is not made up: {locked}");

    let tenants = run(&running, &home, "get tenants -o json").await;
    let rows = tenants.data();
    let of_shared = |row: &&Value| row["core"] == "shared-prod-1" && row["domain"] != json!(forgotten);
    let well = rows.iter().find(of_shared).unwrap();
    assert!(well["users"].as_u64().unwrap() > 0 && well["rate"].as_f64().is_some(), "{well}");
    assert!(well["requested_at"].as_str().unwrap().starts_with("2026-11-21T1"), "{well}");
    assert_eq!(well["connections"], 3, "{well}");
    let differs = well["differs"].to_string();
    assert!(differs.contains("postgresql_password=(hidden)"), "{differs}");
    assert!(differs.contains("postgresql_connection_pool_size=3"), "{differs}");
    let lost = rows.iter().find(|row| row["domain"] == json!(forgotten)).unwrap();
    assert_eq!(lost["health"], "bad", "{lost}");
    assert!(lost["troubles"].to_string().contains("would serve it from its own users"), "{lost}");

    // In full: a day of each app, and who fills the database that it shares with whoever else has pools to it.
    let id = well["id"].as_str().unwrap();
    let told = run(&running, &home, &format!("describe tenant {id} -o json")).await.data()[0].clone();
    let day = told["requests"][0].clone();
    assert_eq!((&day["app"], &day["minutes_a_point"]), (&well["domain"], &json!(30)), "{told}");
    let points = day["requests_a_minute"].as_array().unwrap();
    assert_eq!(points.len(), 48, "{day}");
    let last = points.iter().rev().find_map(Value::as_f64).unwrap();
    assert!(last > 0.0 && last < 600.0, "requests a minute, not a second: {last}");
    let database = told["databases"][0].clone();
    assert_eq!((&database["connections"], &database["allowed"]), (&json!(3), &Value::Null), "{database}");
    assert_eq!(database["by_core"], json!({ "shared-prod-1": 3 }));
    let text = run(&running, &home, "describe core shared-prod-1").await.out;
    let domain = well["domain"].as_str().unwrap();
    for part in [
        "requests a minute, a day",
        domain,
        "at most",
        "database connections",
        "and what its server takes is not configured",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }

    // What must be nowhere: keys, passwords, and where databases are.
    let id = well["id"].as_str().unwrap();
    let mut said = vec![cores, tenants];
    for args in [
        "get cores -o wide",
        "get tenants -o wide",
        "describe core shared-prod-1",
        "describe core prod-lumenary -o json",
        &format!("describe tenant {id}"),
        "--headless 5<ret> --size 200x50",
        "calls -o json",
    ] {
        said.push(run(&running, &home, args).await);
    }
    let mut secrets: Vec<String> = vec![key];
    for planted in [
        "another-key-that-nobody-told-it",
        "planted-in-an-address",
        "planted-by-hand-of-twenty-letters",
        "hand.db.internal",
    ] {
        secrets.push(planted.to_owned());
    }
    secrets.push(parameter(&running, "/coredeck/demo/secrets/shared-prod-1/api-key").await);
    for domain in known["connectionUriDomains"].as_array().unwrap() {
        let config = &domain["apps"][0]["tenants"][0]["coreConfig"];
        for name in ["api_keys", "postgresql_password", "postgresql_host"] {
            secrets.extend(config[name].as_str().map(str::to_owned));
        }
    }
    secrets.sort();
    secrets.dedup();
    assert!(secrets.len() > 90, "{}", secrets.len());
    let mut found = Vec::new();
    for secret in &secrets {
        holds(home.path(), secret, &mut found);
        for ran in &said {
            if ran.out.contains(secret.as_str()) || ran.err.contains(secret.as_str()) {
                found.push(format!("{secret} was printed"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(home.path().join("log").exists(), "the log was looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_leave_no_core_is_asked() {
    let (running, home) = started().await;
    home.write("coredeck.toml", "fleet = \"demo\"\n");
    let home = std::sync::Arc::new(home);
    let rows = run(&running, &home, "get cores -o json").await.data();
    assert!(rows.iter().any(|row| row["id"] == "shared-prod-1"), "the registry was read");
    assert!(rows.iter().all(|row| row["rate"].is_null() && row["answer"].is_null()));
    assert!(running.calls().iter().all(|call| call["operation"] != "GetParameters"));
    let wrong = home.write("wrong.toml", "[cores]\nreach = \"sideways\"\nproxi = 1\nproxy = \"nowhere\"\n");
    let ran = run(&running, &home, &format!("config check --config {}", wrong.display())).await;
    for part in ["sideways", "proxi", "did you mean `proxy`", "nowhere"] {
        assert!(ran.err.contains(part) || ran.out.contains(part), "{part}: {} {}", ran.out, ran.err);
    }
}
