//! Judged by moto: events that boto3 wrote into CloudWatch Logs are shown, each once, over all pages.

use super::FLEET;
use crate::binary::Home;
use crate::python::{Boto, Moto, judges};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

#[test]
fn events_of_two_cores_are_put_together_by_time() {
    let Some(python) = judges() else { return };
    let moto = Moto::start(python, &[]);
    let boto = Boto::start(python, &moto.url);
    boto.ask("logs", "create_log_group", json!({ "logGroupName": "/cores" }));
    let start = coredeck::clock::Clock::Real.now() - SignedDuration::from_mins(30);
    let mut written: Vec<(i64, String)> = Vec::new();
    for (nth, core) in ["core-a", "core-b"].into_iter().enumerate() {
        let value = json!({ "tier": "production", "instance_id": "i-0123456789abcdef0", "container": core, "port": 3567 });
        let name = format!("/coredeck/{FLEET}/cores/{core}");
        boto.ask(
            "ssm",
            "put_parameter",
            json!({ "Name": name, "Value": value.to_string(), "Type": "String" }),
        );
        boto.ask("logs", "create_log_stream", json!({ "logGroupName": "/cores", "logStreamName": core }));
        // More than moto's page of ten thousand holds in both together.
        for part in 0..3 {
            let events: Vec<Value> = (0..2_000)
                .map(|n| {
                    let ms = start.as_millisecond() + (part * 2_000 + n) * 100 + nth as i64 * 37;
                    let at = Timestamp::from_millisecond(ms).unwrap();
                    let date = at.strftime("%d %b %Y %H:%M:%S");
                    let message = format!(
                        "{date}:{:03} +0000 | INFO | pid: x | v11.0.4 | [main] thread | a.b | Tenant(, public, public) | {core} says {part}/{n}",
                        ms.rem_euclid(1000)
                    );
                    written.push((ms, format!("{core} says {part}/{n}")));
                    json!({ "timestamp": ms, "message": message })
                })
                .collect();
            boto.ask(
                "logs",
                "put_log_events",
                json!({ "logGroupName": "/cores", "logStreamName": core, "logEvents": events }),
            );
        }
    }
    written.sort();
    let home = Home::new();
    let config = home.write("coredeck.toml", &format!("fleet = \"{FLEET}\"\n[logs]\ngroup = \"/cores\"\n"));
    let config = config.to_str().unwrap();
    let run = |more: &[&str]| {
        let mut args = vec![
            "logs",
            "core-a",
            "core-b",
            "--since",
            "31m",
            "--json",
            "--endpoint-url",
            &moto.url,
            "--config",
            config,
        ];
        args.extend(more);
        home.run(&args)
    };
    let ran = run(&[]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let shown: Vec<(i64, String)> = ran
        .out
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let at: Timestamp = line["at"].as_str().unwrap().parse().unwrap();
            (at.as_millisecond(), line["message"].as_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!(shown.len(), written.len());
    assert!(shown == written, "every event once, by time");
    // Moto understands no regular expression and gives every event for one: what is meant is found here all the same.
    let ran = run(&["--grep", "core-b says 2"]);
    let meant = written.iter().filter(|(_, text)| text.starts_with("core-b says 2"));
    let found: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found: Vec<&str> = found.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert!(found.len() == 2_000 && meant.map(|(_, text)| text.as_str()).eq(found), "{}", ran.err);
    let ran = run(&["--level", "error"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{}", ran.err);
    // Moto says nothing of a stream that is not there; AWS and the simulator do.
    boto.ask("logs", "delete_log_stream", json!({ "logGroupName": "/cores", "logStreamName": "core-b" }));
    let ran = run(&["--tail", "3"]);
    let last: Vec<&str> = ran.out.lines().collect();
    assert!(
        last.len() == 3 && last.iter().all(|line| line.contains("core-a says")),
        "{}{}",
        ran.out,
        ran.err
    );
}
