//! Newtypes for ids and names, so that a group can never be passed where a cluster is meant.

use super::text::Text;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Text);

        impl $name {
            /// Wraps the text as it came.
            pub fn new(raw: impl AsRef<str>) -> Self {
                Self(Text::new(raw))
            }

            /// The raw text, which may hold anything: pass it through `text::harmless` before a terminal.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Tells whether the text is empty.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(raw: &str) -> Self {
                Self::new(raw)
            }
        }

        impl From<String> for $name {
            fn from(raw: String) -> Self {
                Self(Text::from(raw))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )+};
}

ids! {
    /// What the configuration calls an account; not its number.
    AccountName,
    /// A twelve-digit AWS account number.
    AccountId,
    /// An AWS region, such as `eu-west-1`.
    Region,
    /// An availability zone by name, such as `eu-west-1a`; names differ between accounts.
    Zone,
    /// The name of a fleet: what one configuration describes.
    FleetName,
    /// A tier by name: `development`, `production`, `shared` or the user's own.
    TierName,
    /// An EC2 instance id, `i-…`.
    InstanceId,
    /// An EC2 instance type, `t3.small`.
    InstanceType,
    /// An AMI id, `ami-…`.
    ImageId,
    /// A launch template id, `lt-…`.
    TemplateId,
    /// An Auto Scaling group's name, unique in an account and region.
    GroupName,
    /// The full ARN of an ECS cluster.
    ClusterArn,
    /// The full ARN of an ECS service.
    ServiceArn,
    /// The full ARN of an ECS task.
    TaskArn,
    /// The full ARN of an ECS container instance.
    HostArn,
    /// The full ARN of an ELBv2 target group.
    TargetGroupArn,
    /// The full ARN of an ELBv2 listener rule.
    RuleArn,
    /// The full ARN of an ELBv2 load balancer.
    BalancerArn,
    /// A core's id: the registry's key, or the ECS task's short id.
    CoreId,
    /// A tenant's id in the registry, or its host name where only a listener rule names it.
    TenantId,
    /// An IAM profile name of the AWS configuration files.
    ProfileName,
}

/// Returns what follows the last `/` of an ARN: the part a person would say.
pub fn short_arn(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
