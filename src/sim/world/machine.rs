//! EC2: instances, launch templates, images, and the types they come in.

use super::load::Load;
use crate::sim::time::Moment;
use compact_str::CompactString;
use std::sync::Arc;

/// A tag.
pub(crate) type Tag = (CompactString, CompactString);

/// An instance type and what is true of it everywhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) cpus: u32,
    pub(crate) threads: u32,
    /// MiB.
    pub(crate) memory: u32,
    pub(crate) architecture: &'static str,
    /// Credits earned an hour, the most it keeps, and the baseline in percent of all its processors.
    pub(crate) credits: Option<(f64, f64, f64)>,
    /// Surplus credits may be borrowed by default.
    pub(crate) is_unlimited: bool,
    pub(crate) hypervisor: &'static str,
}

const fn kind(name: &'static str, cpus: u32, threads: u32, memory: u32, architecture: &'static str) -> Kind {
    Kind {
        name,
        cpus,
        threads,
        memory,
        architecture,
        credits: None,
        is_unlimited: false,
        hypervisor: "nitro",
    }
}

const fn burst(kind: Kind, earned: f64, most: f64, baseline: f64) -> Kind {
    Kind { credits: Some((earned, most, baseline)), is_unlimited: true, ..kind }
}

/// Types that fleets here are made of; credits from AWS's table (facts/aws-operations.md §7.3).
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        is_unlimited: false,
        hypervisor: "xen",
        ..burst(kind("t2.micro", 1, 1, 1024, "x86_64"), 6.0, 144.0, 10.0)
    },
    burst(kind("t3.micro", 1, 2, 1024, "x86_64"), 12.0, 288.0, 10.0),
    burst(kind("t3.small", 1, 2, 2048, "x86_64"), 24.0, 576.0, 20.0),
    burst(kind("t3.medium", 1, 2, 4096, "x86_64"), 24.0, 576.0, 20.0),
    burst(kind("t3.large", 1, 2, 8192, "x86_64"), 36.0, 864.0, 30.0),
    burst(kind("t4g.small", 2, 1, 2048, "arm64"), 24.0, 576.0, 20.0),
    kind("m5.large", 1, 2, 8192, "x86_64"),
    kind("m5a.large", 1, 2, 8192, "x86_64"),
    kind("m5d.large", 1, 2, 8192, "x86_64"),
    kind("m6i.large", 1, 2, 8192, "x86_64"),
    kind("m7g.large", 2, 1, 8192, "arm64"),
    kind("m6g.large", 2, 1, 8192, "arm64"),
    kind("r7g.xlarge", 4, 1, 32768, "arm64"),
    kind("c5.xlarge", 2, 2, 8192, "x86_64"),
];

impl Kind {
    /// The type of that name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// Virtual processors.
    pub(crate) fn vcpus(&self) -> u32 {
        self.cpus * self.threads
    }
}

/// Where an instance is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    Running,
    ShuttingDown,
    Terminated,
    Stopping,
    Stopped,
}

impl State {
    /// AWS's number.
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopping => 64,
            Self::Stopped => 80,
        }
    }

    /// AWS's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }

    /// Tells whether it is gone or going for good.
    pub(crate) fn is_gone(self) -> bool {
        matches!(self, Self::ShuttingDown | Self::Terminated)
    }
}

/// The Systems Manager agent on an instance.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Agent {
    pub(crate) version: &'static str,
    /// When it fell silent; none while it answers.
    pub(crate) silent_since: Option<Moment>,
}

/// Something AWS plans to do to an instance.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scheduled {
    pub(crate) id: CompactString,
    pub(crate) code: &'static str,
    pub(crate) description: CompactString,
    pub(crate) not_before: Moment,
    pub(crate) not_after: Moment,
}

/// An EC2 instance.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) id: CompactString,
    pub(crate) reservation: CompactString,
    pub(crate) launch_index: u32,
    pub(crate) state: State,
    /// When it reached its state.
    pub(crate) state_since: Moment,
    /// Code and sentence.
    pub(crate) state_reason: Option<(&'static str, CompactString)>,
    pub(crate) kind: &'static Kind,
    /// The index of its zone among the place's.
    pub(crate) zone: usize,
    pub(crate) image: CompactString,
    pub(crate) spot_request: Option<CompactString>,
    pub(crate) launched: Moment,
    pub(crate) private_ip: u32,
    pub(crate) public_ip: Option<u32>,
    pub(crate) is_monitored: bool,
    pub(crate) is_protected: bool,
    pub(crate) profile: Option<Arc<str>>,
    pub(crate) security_group: (Arc<str>, Arc<str>),
    pub(crate) tags: Vec<Tag>,
    /// When its checks began to fail: the instance's own, and the hardware's.
    pub(crate) impaired_since: Option<Moment>,
    pub(crate) events: Vec<Scheduled>,
    pub(crate) agent: Option<Agent>,
    pub(crate) load: Load,
}

impl Instance {
    /// The value of a tag.
    pub(crate) fn tag(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The Auto Scaling group that launched it.
    pub(crate) fn group(&self) -> Option<&str> {
        self.tag("aws:autoscaling:groupName")
    }
}

/// Dotted text of an address.
pub(crate) fn dotted(ip: u32, between: char) -> CompactString {
    let [a, b, c, d] = ip.to_be_bytes();
    compact_str::format_compact!("{a}{between}{b}{between}{c}{between}{d}")
}

/// A launch template.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) id: CompactString,
    pub(crate) name: CompactString,
    pub(crate) created: Moment,
    pub(crate) default: u32,
    /// The highest number that a version ever had: none is given twice.
    pub(crate) highest: u32,
    /// Versions in the order of their numbers.
    pub(crate) versions: Vec<TemplateVersion>,
    pub(crate) tags: Vec<Tag>,
}

impl Template {
    /// The latest version's number.
    pub(crate) fn latest(&self) -> u32 {
        self.versions.last().map_or(0, |version| version.number)
    }

    /// The version that `text` means: a number, `$Latest` or `$Default`.
    pub(crate) fn version(&self, text: &str) -> Option<&TemplateVersion> {
        let number = match text {
            "$Latest" => self.latest(),
            "$Default" | "" => self.default,
            other => other.parse().ok()?,
        };
        self.versions.iter().find(|version| version.number == number)
    }
}

/// One immutable version of a launch template.
#[derive(Clone, Debug)]
pub(crate) struct TemplateVersion {
    pub(crate) number: u32,
    pub(crate) description: Option<CompactString>,
    pub(crate) created: Moment,
    pub(crate) created_by: CompactString,
    pub(crate) image: CompactString,
    pub(crate) kind: Option<&'static str>,
    pub(crate) profile: Option<Arc<str>>,
    pub(crate) security_group: Arc<str>,
    /// Base64.
    pub(crate) user_data: Option<CompactString>,
    pub(crate) tags: Vec<Tag>,
}

/// An AMI.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) id: CompactString,
    pub(crate) name: CompactString,
    pub(crate) description: CompactString,
    pub(crate) owner: CompactString,
    pub(crate) owner_alias: Option<&'static str>,
    pub(crate) architecture: &'static str,
    pub(crate) created: Moment,
    pub(crate) deprecated: Option<Moment>,
    pub(crate) is_public: bool,
    /// `available`, `pending`, `failed`, `disabled`
    pub(crate) state: &'static str,
    pub(crate) boot: &'static str,
    /// The name of its root device.
    pub(crate) root: &'static str,
    /// It is kept with a machine, and not on a volume.
    pub(crate) is_instance_store: bool,
    pub(crate) has_ena: bool,
    pub(crate) snapshot: CompactString,
    pub(crate) tags: Vec<Tag>,
    /// What is wrong with whatever is launched from it.
    pub(crate) flaw: Option<Flaw>,
}

/// What can be wrong with an AMI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// What should serve does not.
    Unhealthy,
    /// The ECS agent does not come up.
    NoAgent,
    /// The status checks fail.
    Impaired,
    /// It passes every check, and answers a third of what it is asked with an error.
    Errors,
}
