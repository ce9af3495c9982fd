//! Judged by strangers: boto3 and the aws command, which parse with AWS's own models, against the simulator.

use crate::python::{Python, judges};
use coredeck::sim::{Options, Running, serve, served};
use std::process::{Output, Stdio};

/// Runs one of the scripts of `tests/judges/` with the environment pointing to the simulator.
async fn judge(python: &'static Python, script: &'static str, running: &Running) -> Output {
    let exports = running.exports();
    // The names of services as botocore has them, for what must have been judged.
    let served: Vec<String> =
        served().iter().map(|one| format!("{}.{}", one.signed_as, one.operation)).collect();
    let mut command = python.command(script);
    command.envs(exports).env("SERVED", served.join(" ")).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_reads_the_demo_fleet_through_every_call() {
    let Some(python) = judges() else { return };
    let running = serve(Options::default()).await.unwrap();
    let output = judge(python, "simulator.py", &running).await;
    assert!(output.status.success(), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_command_reads_the_demo_fleet() {
    let Some(python) = judges() else { return };
    let running = serve(Options::default()).await.unwrap();
    let output = judge(python, "simulator_cli.py", &running).await;
    assert!(output.status.success(), "{}", said(&output));
}

/// Serves the demo fleet by hand: `cargo test --test it by_hand -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "for looking at the simulator by hand"]
async fn by_hand() {
    let instances = std::env::var("SIM_INSTANCES").ok().and_then(|text| text.parse().ok());
    let running = serve(Options { instances, ..Options::default() }).await.unwrap();
    for (name, value) in running.exports() {
        println!("export {name}={value}");
    }
    running.stopped().await.unwrap();
}
