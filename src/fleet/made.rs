//! Instances, groups and the like made by hand, for the tests of the join and of queries.

use crate::model::{
    AccountId, CoreRecord, Group, Instance, InstanceState, Lifecycle, Make, Member, Particulars, Selector,
    Standing, Tags, Template, TemplateRef, TemplateVersion, TenantRecord, Tier,
};
use std::sync::Arc;

/// A running instance of which nothing is special.
pub(crate) fn instance(id: &str, tags: &[(&str, &str)]) -> Instance {
    Instance {
        particulars: Particulars { reservation_id: "r-1".into(), ..Particulars::default() }.into(),
        id: id.into(),
        state: InstanceState::Running,
        launched_at: None,
        private_ip: None,
        tags: tags.iter().copied().collect(),
        make: Arc::new(Make {
            owner_id: AccountId::new("1"),
            instance_type: "t3.small".into(),
            zone: "us-east-1a".into(),
            image_id: "ami-1".into(),
            architecture: None,
            lifecycle: Lifecycle::OnDemand,
            vpc_id: None,
            subnet_id: None,
            key_name: None,
            profile_arn: None,
            platform: None,
            security_groups: Box::new([]),
            root_device: None,
            detailed_monitoring: false,
        }),
    }
}

pub(crate) fn member(id: &str) -> Member {
    let standing = Standing {
        instance_type: None,
        zone: "us-east-1a".into(),
        state: "InService".into(),
        health: "Healthy".into(),
        is_protected: false,
        template: None,
        weight: None,
    };
    Member::new(id.into(), standing)
}

pub(crate) fn group(name: &str, members: &[&str], version: &str) -> Group {
    Group {
        name: name.into(),
        arn: "arn".into(),
        min: 0,
        max: 9,
        desired: members.len() as u32,
        members: members.iter().map(|id| member(id)).collect(),
        template: Some(TemplateRef { id: "lt-1".into(), name: "lt".into(), version: version.into() }),
        launch_configuration: None,
        mix: None,
        zones: vec![],
        subnets: vec![],
        health_check: "EC2".into(),
        grace_s: None,
        target_groups: vec![],
        suspended: vec![],
        protects_new: false,
        rebalances: None,
        termination_policies: vec![],
        warmup_s: None,
        maintenance: None,
        created_at: None,
        status: None,
        tags: Tags::default(),
    }
}

pub(crate) fn template() -> Template {
    let version = |number, image: &str| TemplateVersion {
        number,
        description: None,
        created_at: None,
        image: Some(image.into()),
        instance_type: None,
        is_spot: false,
        key_name: None,
        by_attributes: false,
    };
    Template {
        id: "lt-1".into(),
        name: "lt".into(),
        default_version: 1,
        latest_version: 3,
        created_at: None,
        created_by: None,
        tags: Tags::default(),
        versions: vec![version(1, "ami-1"), version(3, "ami-3")],
    }
}

pub(crate) fn tiers() -> Vec<Tier> {
    vec![
        Tier {
            name: "development".into(),
            selectors: vec![Selector::Tag { key: "tier".into(), value: "dev*".into() }],
            cores_per_host: Some(1),
            ..Tier::default()
        },
        Tier {
            name: "shared".into(),
            selectors: vec![Selector::Group("shared-*".into())],
            tenants_per_core: Some(2),
            development_tenants_per_core: Some(4),
            ..Tier::default()
        },
    ]
}

pub(crate) fn core(id: &str, host: &str) -> CoreRecord {
    CoreRecord { id: id.into(), instance_id: Some(host.into()), ..CoreRecord::default() }
}

pub(crate) fn tenant(id: &str, core: &str, mode: &str) -> TenantRecord {
    TenantRecord {
        id: id.into(),
        core: Some(core.into()),
        domain: Some(format!("{id}.example.com").into()),
        mode: Some(mode.into()),
        ..TenantRecord::default()
    }
}
