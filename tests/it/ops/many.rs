//! Plans for many at once: one that has ended keeps nobody from the others, and what is asked is asked once.

use super::bench::{Bench, intent};
use super::groups::why;
use coredeck::model::InstanceState;

#[tokio::test(flavor = "multi_thread")]
async fn one_that_has_ended_among_many_is_left_out_by_name_and_alone_it_is_refused() {
    let bench = Bench::new().await;
    let world = bench.world("drain").await;
    let of = |state: InstanceState| {
        let mine = world.fleet.instances.iter().filter(move |row| row.it.state == state);
        mine.filter(|row| row.tier.as_ref().is_some_and(|tier| tier.as_str() == "production"))
            .map(|row| row.it.id.to_string())
            .collect::<Vec<_>>()
    };
    let (all, gone) = (of(InstanceState::Running), of(InstanceState::Terminated));
    let gone = gone.first().expect("one that has ended");
    for verb in ["drain", "terminate"] {
        let mut targets: Vec<&str> = all.iter().map(String::as_str).collect();
        targets.insert(3, gone);
        let mut wanted = intent(verb, &targets);
        wanted.options.ignore_do_not_disrupt = true;
        wanted.options.override_budget = true;
        let before = bench.running.calls().len();
        let plan = bench.plan(wanted.clone()).await.unwrap();
        assert_eq!(plan.lanes.len(), all.len(), "{verb}");
        assert!(plan.lanes.iter().all(|lane| lane.target != *gone), "{verb}");
        let said: Vec<&String> = plan.warnings.iter().filter(|it| it.contains("left out")).collect();
        assert!(
            matches!(said.as_slice(), [said] if said.starts_with(gone) && said.ends_with("is terminated and left out")),
            "{verb}: {said:?}"
        );
        // How long connections may last is asked of each target group once, whatever it is asked for.
        let asked = bench.running.calls().into_iter().skip(before);
        let attributes = asked.filter(|call| call["operation"] == "DescribeTargetGroupAttributes").count();
        assert!(attributes <= all.len(), "{verb}: {attributes}");
        wanted.targets = vec![gone.clone()];
        let refused = bench.plan(wanted).await.unwrap_err();
        assert!(why(&refused).contains("terminated"), "{verb}: {}", why(&refused));
    }
}
