//! Judged by strangers: boto3 and the aws command, which parse with AWS's own models, against the simulator.

use crate::python::{Python, judges};
use coredeck::sim::{Options, Running, serve, served};
use std::process::{Output, Stdio};

/// Runs one of the scripts of `tests/judges/` with the environment pointing to the simulator. It must call
/// every operation of its sort, those that look or those that change something.
async fn judge(python: &'static Python, script: &'static str, running: &Running, changes: bool) -> Output {
    let names = |wanted: &dyn Fn(bool) -> bool| -> String {
        let mine = served().into_iter().filter(|one| wanted(one.changes));
        mine.map(|one| format!("{}.{}", one.model, one.operation)).collect::<Vec<_>>().join(" ")
    };
    let mut command = python.command(script);
    command.envs(running.exports()).env("SPEED", SPEED.to_string());
    command.env("SERVED", names(&|is_change| is_change == changes)).env("SERVED_ALL", names(&|_| true));
    command.stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// Pretended seconds a second while changes are judged.
const SPEED: f64 = 400.0;

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_reads_the_demo_fleet_through_every_call() {
    let Some(python) = judges() else { return };
    let running = serve(Options { speed: 0.0, ..Options::default() }).await.unwrap();
    let output = judge(python, "simulator.py", &running, false).await;
    assert!(output.status.success(), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_command_reads_the_demo_fleet_through_every_call() {
    let Some(python) = judges() else { return };
    let running = serve(Options { speed: 0.0, ..Options::default() }).await.unwrap();
    let output = judge(python, "simulator_cli.py", &running, false).await;
    assert!(output.status.success(), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_command_changes_the_demo_fleet_through_every_call() {
    let Some(python) = judges() else { return };
    let running = serve(Options { speed: SPEED, ..Options::default() }).await.unwrap();
    let output = judge(python, "simulator_cli_changes.py", &running, true).await;
    assert!(output.status.success(), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_changes_the_demo_fleet_through_every_call_and_sees_what_comes_of_it() {
    let Some(python) = judges() else { return };
    let running = serve(Options { speed: SPEED, ..Options::default() }).await.unwrap();
    let output = judge(python, "simulator_changes.py", &running, true).await;
    assert!(output.status.success(), "{}", said(&output));
}
