//! Looks at a pretended fleet: the same as the lists say, by id, and nothing for what is not there.

use super::{reach, scope};
use coredeck::aws::Aws;
use coredeck::gateway::{Ask, FleetProbe as _, FleetReader as _, Look, Reading, Seen, Urgency};
use coredeck::sim::{Options, serve};

async fn read(aws: &Aws, ask: Ask) -> Reading {
    aws.read(&scope(), ask, Urgency::User, None).await.unwrap()
}

async fn look(aws: &Aws, look: Look) -> Seen {
    aws.look(&scope(), &look).await.unwrap_or_else(|trouble| panic!("{look:?}: {trouble}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_sees_what_the_lists_say() {
    // Time stands still, so that lists and looks see the same.
    let running = serve(Options { speed: 0.0, ..Options::default() }).await.unwrap();
    let aws = &*reach(&running.url(), Some(running.exports())).await;

    let Reading::Instances(instances) = read(aws, Ask::Instances).await else { panic!() };
    let some: Vec<_> = instances.iter().step_by(7).map(|one| one.id.clone()).collect();
    let mut of = some.clone();
    of.push("i-00000000000000000".into());
    let Seen::Instances(seen) = look(aws, Look::Instances { of }).await else { panic!() };
    assert_eq!(seen.len(), some.len(), "one that nobody knows does not fail the others");
    assert!(seen.iter().all(|one| instances.contains(one)));

    let Reading::Groups(groups) = read(aws, Ask::Groups).await else { panic!() };
    let first = groups[0].clone();
    let of = vec![first.name.clone(), "nobody".into()];
    assert_eq!(look(aws, Look::Groups { of }).await, Seen::Groups(vec![first.clone()]));
    let Reading::Refreshes(refreshes) = read(aws, Ask::Refreshes(vec![first.name.clone()])).await else {
        panic!()
    };
    let Seen::Refreshes(seen) = look(aws, Look::Refreshes { group: first.name.clone() }).await else {
        panic!()
    };
    assert_eq!(seen.into_iter().map(|one| one.refresh).collect::<Vec<_>>(), refreshes);

    let Reading::Clusters(clusters) = read(aws, Ask::Clusters).await else { panic!() };
    let cluster = clusters.iter().max_by_key(|cluster| cluster.running_tasks).unwrap().arn.clone();
    let Reading::Hosts(hosts) = read(aws, Ask::Hosts(vec![cluster.clone()])).await else { panic!() };
    let Seen::Hosts(seen) = look(aws, Look::HostsOf { cluster: cluster.clone() }).await else { panic!() };
    assert_eq!(seen.iter().map(|one| &one.host).collect::<Vec<_>>(), hosts.iter().collect::<Vec<_>>());
    assert!(seen.iter().all(|one| one.attributes.iter().any(|(name, _)| name == "ecs.instance-type")));
    let of = vec![hosts[0].arn.clone()];
    let Seen::Hosts(one) = look(aws, Look::Hosts { cluster: cluster.clone(), of }).await else { panic!() };
    assert_eq!(one, seen[..1]);

    let Reading::Tasks(tasks) = read(aws, Ask::Tasks(vec![cluster.clone()])).await else { panic!() };
    let host = tasks.iter().find_map(|task| task.host.clone()).unwrap();
    let Seen::Tasks(seen) = look(aws, Look::TasksOn { cluster: cluster.clone(), host: host.clone() }).await
    else {
        panic!()
    };
    let sorted = |mut arns: Vec<String>| {
        arns.sort();
        arns
    };
    let expected = tasks.iter().filter(|task| task.host.as_ref() == Some(&host));
    let expected = sorted(expected.map(|task| task.arn.to_string()).collect());
    assert!(!expected.is_empty());
    assert_eq!(sorted(seen.iter().map(|task| task.arn.to_string()).collect()), expected);

    let Reading::Services(services) = read(aws, Ask::Services(vec![cluster.clone()])).await else { panic!() };
    let service = services.iter().find(|service| service.running > 0).unwrap();
    let of = vec![service.arn.clone()];
    let Seen::Services(seen) = look(aws, Look::Services { cluster: cluster.clone(), of }).await else {
        panic!()
    };
    assert_eq!(seen.iter().map(|one| &one.service).collect::<Vec<_>>(), [service]);
    let of_service = Look::TasksOf { cluster: cluster.clone(), service: service.name.clone() };
    let Seen::Tasks(seen) = look(aws, of_service).await else { panic!() };
    assert_eq!(seen.len(), tasks.iter().filter(|task| task.service() == Some(&service.name)).count());
    let of = vec![service.task_definition.clone()];
    let Seen::Definitions(seen) = look(aws, Look::Definitions { of }).await else { panic!() };
    assert_eq!(seen[0].name, service.task_definition);
    assert!(seen[0].reserved_cpu() > 0 && seen[0].reserved_memory() > 0);

    let Reading::TargetGroups(target_groups) = read(aws, Ask::TargetGroups).await else { panic!() };
    let of: Vec<_> = target_groups.iter().map(|group| group.arn.clone()).collect();
    let Seen::Leavings(seen) = look(aws, Look::Leavings { of: of.clone() }).await else { panic!() };
    assert_eq!(seen.iter().map(|one| one.group.clone()).collect::<Vec<_>>(), of);
    let Reading::Targets(targets) = read(aws, Ask::Targets(of.clone())).await else { panic!() };
    let group = targets[0].group.clone();
    let Seen::Targets(seen) = look(aws, Look::Targets { group: group.clone() }).await else { panic!() };
    assert_eq!(seen, targets.into_iter().filter(|one| one.group == group).collect::<Vec<_>>());

    let Reading::Templates(templates) = read(aws, Ask::Templates(Vec::new())).await else { panic!() };
    let template = templates.iter().max_by_key(|template| template.latest_version).unwrap();
    let from = template.latest_version;
    let versions = Look::Versions { template: template.id.clone(), from };
    let Seen::Versions(seen) = look(aws, versions).await else { panic!() };
    assert_eq!(seen.iter().map(|version| version.number).collect::<Vec<_>>(), [from]);
}
