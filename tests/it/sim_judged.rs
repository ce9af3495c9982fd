//! Judged by strangers: boto3 and the aws command, which parse with AWS's own models, against the simulator.

use coredeck::sim::{Options, serve};

/// Serves the demo fleet by hand: `SIM_SECONDS=600 cargo test --test it by_hand -- --ignored --nocapture`.
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
