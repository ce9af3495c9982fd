//! An instance of which hardly anything is known: what a test is about, it says itself.

use coredeck::model::{Instance, InstanceState, Lifecycle, Tags};

/// A running on-demand instance of that id, without tags.
pub(crate) fn instance(id: &str) -> Instance {
    Instance {
        id: id.into(),
        reservation_id: "r-1".into(),
        owner_id: "111122223333".into(),
        state: InstanceState::Running,
        state_reason: None,
        instance_type: "t3.small".into(),
        zone: "eu-west-1a".into(),
        image_id: "ami-1".into(),
        architecture: Some("x86_64".into()),
        lifecycle: Lifecycle::OnDemand,
        spot_request_id: None,
        launched_at: None,
        private_ip: None,
        public_ip: None,
        private_dns: None,
        public_dns: None,
        vpc_id: None,
        subnet_id: None,
        key_name: None,
        profile_arn: None,
        platform: None,
        security_groups: Box::new(["sg-1".into(), "sg-2".into()]),
        root_device: None,
        detailed_monitoring: false,
        tags: Tags::default(),
    }
}
