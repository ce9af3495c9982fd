//! The table of AWS calls: how each is spelled in IAM, whose token bucket it drinks from, how long one
//! answer may take, and what AWS bills for it.
//!
//! The rates are what AWS publishes for an account in a region; `limit.rs` spends half of them. Services
//! that publish none carry a figure that is known to be safe.

use crate::model::Usd;

/// A token bucket as AWS publishes it, shared by every call of its family in an account and region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Family {
    /// What the family is called; one bucket per name.
    pub(super) name: &'static str,
    /// Tokens that flow back in a second.
    pub(super) refill: u32,
    /// Tokens that the full bucket holds.
    pub(super) burst: u32,
}

/// How long one answer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// A small answer: the same few seconds for everybody.
    Light,
    /// A page of a thousand things, which an honest endpoint may need long to put together.
    Heavy,
}

macro_rules! apis {
    ($($name:ident: $iam:literal, $family:expr, $weight:ident, $micros:literal;)+) => {
        /// One AWS call, by its own name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(super) enum Api {
            $(#[doc = concat!("`", $iam, ":", stringify!($name), "`")] $name),+
        }

        impl Api {
            /// Every call that there is.
            pub(super) const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The call's own name: `DescribeInstances`.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// The action as it stands in a policy: `ec2:DescribeInstances`.
            pub(super) fn action(self) -> &'static str {
                match self { $(Self::$name => concat!($iam, ":", stringify!($name))),+ }
            }

            /// The bucket that it drinks from.
            pub(super) fn family(self) -> Family {
                match self { $(Self::$name => $family),+ }
            }

            /// How long one answer may take.
            pub(super) fn weight(self) -> Weight {
                match self { $(Self::$name => Weight::$weight),+ }
            }

            /// What AWS bills for one request, or for one metric where it bills by the metric.
            pub(super) fn price(self) -> Usd {
                match self { $(Self::$name => Usd::from_micros($micros)),+ }
            }
        }
    };
}

/// EC2 keeps one bucket per call and not per kind of call.
const fn ec2(name: &'static str) -> Family {
    Family { name, refill: 20, burst: 100 }
}

/// Calls of EC2 that change something have smaller buckets.
const fn ec2_change(name: &'static str, refill: u32, burst: u32) -> Family {
    Family { name, refill, burst }
}

const AUTO_SCALING: Family = Family { name: "autoscaling", refill: 10, burst: 20 };
const ECS_CLUSTER: Family = Family { name: "ecs cluster read", refill: 20, burst: 50 };
const ECS_RESOURCE: Family = Family { name: "ecs cluster resource read", refill: 20, burst: 100 };
const ECS_SERVICE: Family = Family { name: "ecs service read", refill: 20, burst: 100 };
const ECS_CAPACITY: Family = Family { name: "ecs capacity provider read", refill: 20, burst: 50 };
const ELB: Family = Family { name: "elasticloadbalancing", refill: 10, burst: 80 };
const ECS_CHANGE: Family = Family { name: "ecs cluster resource modify", refill: 40, burst: 100 };
const ECS_SERVICE_CHANGE: Family = Family { name: "ecs service modify", refill: 5, burst: 50 };
const ECS_PROTECTION: Family = Family { name: "ecs task protection", refill: 80, burst: 200 };
const ECS_DEFINITION: Family = Family { name: "ecs task definition read", refill: 20, burst: 50 };
const SSM_COMMANDS: Family = Family { name: "ssm commands", refill: 2, burst: 8 };
/// Ends of sessions. AWS publishes no figure; ends of as many as one run may have at once go through.
const SSM_ENDS: Family = Family { name: "ssm session ends", refill: 8, burst: 48 };
const SSM: Family = Family { name: "ssm", refill: 4, burst: 20 };
// AWS gives all reads of parameters together forty in a second, and writes three.
const SSM_PARAMETERS: Family = Family { name: "ssm parameters", refill: 40, burst: 80 };
const SSM_WRITES: Family = Family { name: "ssm parameter writes", refill: 3, burst: 10 };
const ALARMS: Family = Family { name: "cloudwatch alarms", refill: 9, burst: 18 };
const METRICS: Family = Family { name: "cloudwatch metrics", refill: 20, burst: 50 };
// Five requests a second for the whole account, whoever sends them.
const ROUTE53: Family = Family { name: "route53", refill: 5, burst: 5 };
// AWS publishes five for the smallest of its regions, ten and more for most.
const LOG_EVENTS: Family = Family { name: "logs events", refill: 5, burst: 10 };
const LOG_STREAMS: Family = Family { name: "logs streams", refill: 5, burst: 10 };
const STS: Family = Family { name: "sts", refill: 20, burst: 50 };

apis! {
    DescribeInstances: "ec2", ec2("DescribeInstances"), Heavy, 0;
    DescribeInstanceStatus: "ec2", ec2("DescribeInstanceStatus"), Heavy, 0;
    DescribeLaunchTemplates: "ec2", ec2("DescribeLaunchTemplates"), Heavy, 0;
    DescribeLaunchTemplateVersions: "ec2", ec2("DescribeLaunchTemplateVersions"), Heavy, 0;
    DescribeImages: "ec2", ec2("DescribeImages"), Heavy, 0;
    DescribeAvailabilityZones: "ec2", ec2("DescribeAvailabilityZones"), Light, 0;
    DescribeSpotPriceHistory: "ec2", ec2("DescribeSpotPriceHistory"), Heavy, 0;
    DescribeRegions: "ec2", ec2("DescribeRegions"), Light, 0;
    DescribeAutoScalingGroups: "autoscaling", AUTO_SCALING, Heavy, 0;
    DescribeInstanceRefreshes: "autoscaling", AUTO_SCALING, Light, 0;
    DescribeScalingActivities: "autoscaling", AUTO_SCALING, Light, 0;
    ListClusters: "ecs", ECS_CLUSTER, Light, 0;
    DescribeClusters: "ecs", ECS_CLUSTER, Light, 0;
    DescribeCapacityProviders: "ecs", ECS_CAPACITY, Light, 0;
    ListServices: "ecs", ECS_SERVICE, Light, 0;
    DescribeServices: "ecs", ECS_SERVICE, Light, 0;
    ListTasks: "ecs", ECS_RESOURCE, Light, 0;
    DescribeTasks: "ecs", ECS_RESOURCE, Light, 0;
    ListContainerInstances: "ecs", ECS_RESOURCE, Light, 0;
    DescribeContainerInstances: "ecs", ECS_RESOURCE, Light, 0;
    DescribeLoadBalancers: "elasticloadbalancing", ELB, Light, 0;
    DescribeListeners: "elasticloadbalancing", ELB, Light, 0;
    DescribeRules: "elasticloadbalancing", ELB, Light, 0;
    DescribeTargetGroups: "elasticloadbalancing", ELB, Light, 0;
    DescribeTargetHealth: "elasticloadbalancing", ELB, Light, 0;
    DescribeInstanceInformation: "ssm", SSM, Light, 0;
    GetParametersByPath: "ssm", SSM_PARAMETERS, Light, 0;
    GetParameters: "ssm", SSM_PARAMETERS, Light, 0;
    GetParameterHistory: "ssm", SSM_PARAMETERS, Light, 0;
    DescribeAlarms: "cloudwatch", ALARMS, Light, 10;
    GetMetricData: "cloudwatch", METRICS, Light, 10;
    FilterLogEvents: "logs", LOG_EVENTS, Heavy, 0;
    DescribeLogStreams: "logs", LOG_STREAMS, Light, 0;
    GetCallerIdentity: "sts", STS, Light, 0;
    AssumeRole: "sts", STS, Light, 0;
    ListHostedZones: "route53", ROUTE53, Light, 0;
    ListResourceRecordSets: "route53", ROUTE53, Light, 0;
    DescribeLifecycleHooks: "autoscaling", AUTO_SCALING, Light, 0;
    DescribeTaskDefinition: "ecs", ECS_DEFINITION, Light, 0;
    GetTaskProtection: "ecs", ECS_PROTECTION, Light, 0;
    DescribeTargetGroupAttributes: "elasticloadbalancing", ELB, Light, 0;
    ListCommands: "ssm", SSM, Light, 0;
    ListCommandInvocations: "ssm", SSM, Light, 0;
    DescribeDocument: "ssm", SSM, Light, 0;
    DescribeSessions: "ssm", SSM, Light, 0;
    GetCommandInvocation: "ssm", SSM, Light, 0;
    UpdateContainerInstancesState: "ecs", ECS_CHANGE, Light, 0;
    StopTask: "ecs", ECS_CHANGE, Light, 0;
    UpdateTaskProtection: "ecs", ECS_PROTECTION, Light, 0;
    UpdateService: "ecs", ECS_SERVICE_CHANGE, Light, 0;
    EnterStandby: "autoscaling", AUTO_SCALING, Light, 0;
    ExitStandby: "autoscaling", AUTO_SCALING, Light, 0;
    SetInstanceProtection: "autoscaling", AUTO_SCALING, Light, 0;
    TerminateInstanceInAutoScalingGroup: "autoscaling", AUTO_SCALING, Light, 0;
    SetDesiredCapacity: "autoscaling", AUTO_SCALING, Light, 0;
    UpdateAutoScalingGroup: "autoscaling", AUTO_SCALING, Light, 0;
    SuspendProcesses: "autoscaling", AUTO_SCALING, Light, 0;
    ResumeProcesses: "autoscaling", AUTO_SCALING, Light, 0;
    CompleteLifecycleAction: "autoscaling", AUTO_SCALING, Light, 0;
    StartInstanceRefresh: "autoscaling", AUTO_SCALING, Light, 0;
    CancelInstanceRefresh: "autoscaling", AUTO_SCALING, Light, 0;
    RollbackInstanceRefresh: "autoscaling", AUTO_SCALING, Light, 0;
    DeregisterTargets: "elasticloadbalancing", ELB, Light, 0;
    RegisterTargets: "elasticloadbalancing", ELB, Light, 0;
    StopInstances: "ec2", ec2_change("StopInstances", 5, 50), Light, 0;
    StartInstances: "ec2", ec2_change("StartInstances", 2, 5), Light, 0;
    RebootInstances: "ec2", ec2_change("RebootInstances", 5, 50), Light, 0;
    TerminateInstances: "ec2", ec2_change("TerminateInstances", 5, 100), Light, 0;
    RunInstances: "ec2", ec2_change("RunInstances", 2, 5), Light, 0;
    CreateLaunchTemplateVersion: "ec2", ec2_change("CreateLaunchTemplateVersion", 5, 100), Light, 0;
    ModifyLaunchTemplate: "ec2", ec2_change("ModifyLaunchTemplate", 5, 100), Light, 0;
    DeleteLaunchTemplateVersions: "ec2", ec2_change("DeleteLaunchTemplateVersions", 5, 100), Light, 0;
    DeregisterImage: "ec2", ec2_change("DeregisterImage", 5, 100), Light, 0;
    CreateTags: "ec2", ec2_change("CreateTags", 10, 100), Light, 0;
    DeleteTags: "ec2", ec2_change("DeleteTags", 10, 100), Light, 0;
    SendCommand: "ssm", SSM_COMMANDS, Light, 0;
    StartSession: "ssm", SSM_COMMANDS, Light, 0;
    TerminateSession: "ssm", SSM_ENDS, Light, 0;
    ExecuteCommand: "ecs", ECS_CHANGE, Light, 0;
    CancelCommand: "ssm", SSM_COMMANDS, Light, 0;
    CreateDocument: "ssm", SSM, Light, 0;
    PutParameter: "ssm", SSM_WRITES, Light, 0;
    DeleteParameter: "ssm", SSM_WRITES, Light, 0;
}

/// Calls that change something. A desk that only reads sends none of them.
const CHANGES: &[Api] = &[
    Api::UpdateContainerInstancesState,
    Api::StopTask,
    Api::UpdateTaskProtection,
    Api::UpdateService,
    Api::EnterStandby,
    Api::ExitStandby,
    Api::SetInstanceProtection,
    Api::TerminateInstanceInAutoScalingGroup,
    Api::SetDesiredCapacity,
    Api::UpdateAutoScalingGroup,
    Api::SuspendProcesses,
    Api::ResumeProcesses,
    Api::CompleteLifecycleAction,
    Api::StartInstanceRefresh,
    Api::CancelInstanceRefresh,
    Api::RollbackInstanceRefresh,
    Api::DeregisterTargets,
    Api::RegisterTargets,
    Api::StopInstances,
    Api::StartInstances,
    Api::RebootInstances,
    Api::TerminateInstances,
    Api::RunInstances,
    Api::CreateLaunchTemplateVersion,
    Api::ModifyLaunchTemplate,
    Api::DeleteLaunchTemplateVersions,
    Api::DeregisterImage,
    Api::CreateTags,
    Api::DeleteTags,
    Api::SendCommand,
    Api::StartSession,
    Api::TerminateSession,
    Api::ExecuteCommand,
    Api::CancelCommand,
    Api::CreateDocument,
    Api::PutParameter,
    Api::DeleteParameter,
];

impl Api {
    /// The call of that name, as the SDK names its operations.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|api| api.name() == name)
    }

    /// The call of that action, as a policy spells it.
    pub(super) fn of_action(action: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|api| api.action() == action)
    }

    /// Tells whether it changes something.
    pub(super) fn is_change(self) -> bool {
        CHANGES.contains(&self)
    }

    /// Tells whether AWS knows no permission for this call on single resources: a policy allows it for all
    /// of them or for none, so one denial speaks for every other.
    pub(super) fn is_all_or_nothing(self) -> bool {
        match self {
            Self::DescribeInstances
            | Self::DescribeInstanceStatus
            | Self::DescribeLaunchTemplates
            | Self::DescribeLaunchTemplateVersions
            | Self::DescribeImages
            | Self::DescribeRegions
            | Self::DescribeSpotPriceHistory
            | Self::DescribeAvailabilityZones
            | Self::DescribeAutoScalingGroups
            | Self::DescribeInstanceRefreshes
            | Self::DescribeScalingActivities
            | Self::ListClusters
            | Self::DescribeLoadBalancers
            | Self::DescribeListeners
            | Self::DescribeRules
            | Self::DescribeTargetGroups
            | Self::DescribeTargetHealth
            | Self::DescribeInstanceInformation
            | Self::DescribeLifecycleHooks
            | Self::DescribeTaskDefinition
            | Self::DescribeTargetGroupAttributes
            | Self::ListCommands
            | Self::ListCommandInvocations
            | Self::GetCommandInvocation
            | Self::GetMetricData
            | Self::ListHostedZones
            | Self::GetCallerIdentity => true,
            Self::DescribeClusters
            | Self::DescribeCapacityProviders
            | Self::ListServices
            | Self::DescribeServices
            | Self::ListTasks
            | Self::DescribeTasks
            | Self::ListContainerInstances
            | Self::DescribeContainerInstances
            | Self::GetParametersByPath
            | Self::DescribeAlarms
            | Self::GetTaskProtection
            | Self::FilterLogEvents
            | Self::DescribeLogStreams
            | Self::DescribeDocument
            | Self::ListResourceRecordSets
            | Self::AssumeRole => false,
            // Changes are asked one by one, and nobody goes on to the next after a denial.
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Api;

    #[test]
    fn every_call_is_found_by_its_name_and_spelled_for_a_policy() {
        for api in Api::ALL {
            assert_eq!(Api::named(api.name()), Some(*api), "two calls share a name");
            assert_eq!(Api::of_action(api.action()), Some(*api));
            let (service, name) = api.action().split_once(':').unwrap();
            assert_eq!(name, api.name());
            assert!(service.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
        }
    }

    #[test]
    fn what_only_reads_is_told_by_its_name() {
        for api in Api::ALL {
            let reads = ["Describe", "List", "Get", "Filter", "AssumeRole"]
                .iter()
                .any(|verb| api.name().starts_with(verb));
            assert_eq!(api.is_change(), !reads, "{}", api.name());
        }
    }

    #[test]
    fn calls_of_one_family_agree_on_its_bucket() {
        for a in Api::ALL {
            for b in Api::ALL {
                let (a, b) = (a.family(), b.family());
                assert!(a.name != b.name || a == b, "{} has two sizes", a.name);
            }
        }
    }

    #[test]
    fn ecs_reads_share_buckets_as_aws_says() {
        assert_eq!(Api::ListTasks.family(), Api::DescribeContainerInstances.family());
        assert_eq!(Api::ListServices.family(), Api::DescribeServices.family());
        assert_ne!(Api::ListTasks.family(), Api::ListServices.family());
        assert_ne!(Api::DescribeInstances.family(), Api::DescribeInstanceStatus.family());
    }
}
