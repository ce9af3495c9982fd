//! The demo fleet through the real reader, with a stranger at the keys.

use coredeck::aws;
use coredeck::clock::Clock;
use coredeck::collect;
use coredeck::config::{Account, Flags, Login, Regions, Surroundings, load};
use coredeck::gateway::Source;
use coredeck::sim::{Options, serve};
use coredeck::tui::headless::Headless;
use coredeck::world::{Interest, World};
use std::sync::Arc;

async fn demo() -> Arc<World> {
    let clock = Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
    let regions = vec!["us-east-1".to_owned()];
    let running = serve(Options { regions, clock, speed: 0.0, ..Options::default() }).await.unwrap();
    let mut config = load(&Flags::default(), &Surroundings::default()).unwrap().config;
    config.fleet = "demo".into();
    config.accounts = vec![Account { name: "demo".into(), login: Login::Chain, regions: None }];
    config.regions = Regions::Named(vec!["us-east-1".into()]);
    config.endpoint_url = Some(running.url());
    let options = aws::Options { environment: Some(running.exports()), clock, ..aws::Options::default() };
    let reader = Arc::new(aws::connect(&config, options).await.unwrap());
    let free: Vec<Source> = Source::ALL.into_iter().filter(|source| *source != Source::Metrics).collect();
    collect::once(reader, Arc::new(config), &free, Interest::default(), clock, collect::Patience::default())
        .await
}

/// The row that the cursor is on.
fn row(screen: &Headless) -> String {
    screen.text().lines().find(|line| line.starts_with('▌')).unwrap_or_default().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_finds_the_sick_host_its_core_its_tenants_their_traffic_and_what_changed() {
    let world = demo().await;
    for size in [(80, 24), (180, 50)] {
        let mut screen = Headless::new(Arc::clone(&world), size);
        // The first page names it, and what is going on, and what rings.
        let text = screen.text();
        for told in
            ["instance status check failed", "Running now", "workers-r7g", "draining", "prod-redwharf-status"]
        {
            assert!(text.contains(told), "no {told} at {size:?}:\n{text}");
        }
        // Every customer who is out is named, and that before machines.
        let at = |says: &str| text.find(says).unwrap_or_else(|| panic!("no {says} at {size:?}:\n{text}"));
        let (gone, sick) =
            (at("core prod-meadowlark: its host"), at("core prod-redwharf: its load balancer"));
        assert!(gone.max(sick) < at("instance status check failed"), "{text}");
        // The list of instances begins with what is worst.
        screen.keys("2/check<ret>");
        let text = screen.keys("<esc>2jj").text();
        assert!(row(&screen).contains("✖ bad") && row(&screen).contains("prod-redwharf"), "{text}");
        // Its core, that core's tenants, and where their traffic goes: two keys each.
        assert!(screen.keys("oe").text().contains("▌ prod-redwharf"), "{}", screen.text());
        assert!(screen.keys("on").text().contains("▌ redwharf"), "{}", screen.text());
        assert!(screen.keys("ob").text().contains("▌ core-redwharf"), "{}", screen.text());
        assert!(row(&screen).contains("✖ bad"), "{}", row(&screen));
        // What changed in the last hour.
        let text = screen.keys("0/age<lt>1h<ret>").text();
        let rings =
            text.lines().find(|line| line.contains("prod-redwharf")).unwrap_or_else(|| panic!("{text}"));
        assert!(rings.contains("✖ bad") && rings.contains("rings"), "{rings}");
        assert!(text.contains("api-mixed"), "a launch that failed for want of capacity:\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_tenant_to_its_group_and_back_are_three_keys() {
    let mut screen = Headless::new(demo().await, (80, 24));
    let tenants = screen.keys("6/maple-cart<ret>").text();
    let groups = screen.keys("oa").text();
    assert!(
        groups.contains("tenant maple-cart-dev › groups  1") && row(&screen).contains("dev-hosts"),
        "{groups}"
    );
    assert_eq!(screen.keys("<esc>").text(), tenants);
}
