//! Clusters, and the capacity providers that tie them to Auto Scaling groups.

use crate::aws::translate::{count, required, tags, texts, whole};
use crate::model::{CapacityProvider, Cluster, ClusterArn, Text};
use aws_sdk_ecs::types::{
    CapacityProvider as SdkProvider, Cluster as SdkCluster, ManagedDraining, ManagedScalingStatus,
    ManagedTerminationProtection,
};
use std::collections::{BTreeSet, HashMap};

/// Returns a cluster whose providers are only named so far.
pub(super) fn cluster(raw: SdkCluster) -> Cluster {
    Cluster {
        arn: raw.cluster_arn.map(ClusterArn::from).unwrap_or_default(),
        name: required(raw.cluster_name),
        status: required(raw.status),
        host_count: count(Some(raw.registered_container_instances_count)),
        running_tasks: count(Some(raw.running_tasks_count)),
        pending_tasks: count(Some(raw.pending_tasks_count)),
        service_count: count(Some(raw.active_services_count)),
        providers: texts(raw.capacity_providers).into_iter().map(named).collect(),
        managed_draining: false,
        tags: tags(raw.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value))),
    }
}

fn named(name: Text) -> CapacityProvider {
    CapacityProvider {
        name,
        group_arn: None,
        managed_scaling: false,
        target_percent: None,
        managed_termination_protection: false,
        managed_draining: false,
    }
}

/// Returns a provider with the group behind it.
pub(super) fn provider(raw: SdkProvider) -> CapacityProvider {
    let mut provider = named(required(raw.name));
    let Some(group) = raw.auto_scaling_group_provider else { return provider };
    provider.group_arn = Some(group.auto_scaling_group_arn.into());
    provider.managed_draining = group.managed_draining == Some(ManagedDraining::Enabled);
    provider.managed_termination_protection =
        group.managed_termination_protection == Some(ManagedTerminationProtection::Enabled);
    if let Some(scaling) = group.managed_scaling {
        provider.managed_scaling = scaling.status == Some(ManagedScalingStatus::Enabled);
        provider.target_percent = scaling.target_capacity.and_then(whole);
    }
    provider
}

/// Returns the names to describe, each once. Fargate's two are AWS's own and have no group behind them.
pub(super) fn provider_names(clusters: &[Cluster]) -> Vec<Text> {
    let names = clusters.iter().flat_map(|cluster| &cluster.providers).map(|provider| &provider.name);
    let names: BTreeSet<&Text> =
        names.filter(|name| !matches!(name.as_str(), "FARGATE" | "FARGATE_SPOT")).collect();
    names.into_iter().cloned().collect()
}

/// Puts what was described in the place of the names.
pub(super) fn resolve(clusters: &mut [Cluster], described: Vec<CapacityProvider>) {
    let described: HashMap<Text, CapacityProvider> =
        described.into_iter().map(|provider| (provider.name.clone(), provider)).collect();
    for cluster in clusters {
        for provider in &mut cluster.providers {
            if let Some(known) = described.get(&provider.name) {
                *provider = known.clone();
            }
        }
        cluster.managed_draining = cluster.providers.iter().any(|provider| provider.managed_draining);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecs::types as sdk;

    fn with_providers(names: &[&str]) -> Cluster {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        cluster(SdkCluster::builder().set_capacity_providers(Some(names)).build())
    }

    fn asg(name: &str) -> CapacityProvider {
        let group = sdk::AutoScalingGroupProvider::builder()
            .auto_scaling_group_arn("arn:asg")
            .managed_draining(ManagedDraining::Enabled)
            .managed_termination_protection(ManagedTerminationProtection::Enabled)
            .managed_scaling(
                sdk::ManagedScaling::builder()
                    .status(ManagedScalingStatus::Enabled)
                    .target_capacity(90)
                    .build(),
            )
            .build()
            .unwrap();
        provider(SdkProvider::builder().name(name).auto_scaling_group_provider(group).build())
    }

    #[test]
    fn a_cluster_is_carried_over_and_moto_s_negative_count_is_zero() {
        let raw = SdkCluster::builder()
            .cluster_arn("arn:c")
            .cluster_name("main")
            .status("ACTIVE")
            .registered_container_instances_count(3)
            .running_tasks_count(9)
            .pending_tasks_count(-2)
            .active_services_count(4)
            .tags(sdk::Tag::builder().key("tier").value("shared").build());
        let got = cluster(raw.build());
        assert_eq!((got.arn.as_str(), got.name.as_str(), got.status.as_str()), ("arn:c", "main", "ACTIVE"));
        assert_eq!((got.host_count, got.running_tasks, got.pending_tasks, got.service_count), (3, 9, 0, 4));
        assert_eq!(got.tags.get("tier"), Some("shared"));
        assert!(got.providers.is_empty() && !got.managed_draining);
    }

    #[test]
    fn a_provider_is_carried_over() {
        let got = asg("cp");
        assert_eq!(got.group_arn.as_deref(), Some("arn:asg"));
        assert!(got.managed_draining && got.managed_scaling && got.managed_termination_protection);
        assert_eq!(got.target_percent, Some(90));
        assert_eq!(provider(SdkProvider::builder().name("x").build()), named("x".into()));
    }

    #[test]
    fn names_are_asked_once_and_fargate_not_at_all() {
        let clusters = [with_providers(&["b", "FARGATE", "a"]), with_providers(&["a", "FARGATE_SPOT"])];
        assert_eq!(provider_names(&clusters), ["a", "b"]);
    }

    #[test]
    fn described_providers_take_the_place_of_names_and_the_rest_stays_named() {
        let mut clusters = [with_providers(&["cp", "lost"]), with_providers(&["FARGATE"])];
        resolve(&mut clusters, vec![asg("cp")]);
        assert_eq!(clusters[0].providers, [asg("cp"), named("lost".into())]);
        assert!(clusters[0].managed_draining);
        assert!(!clusters[1].managed_draining);
    }
}
