//! Why tasks do not leave a host, and what would mend it.

use crate::model::{TaskArn, Text, short_arn};

/// One reason.
#[derive(Clone, Debug, PartialEq)]
pub enum Blocker {
    /// ECS may neither stop a task first nor start one first.
    Limits {
        /// Tasks wanted.
        desired: u32,
        /// Tasks that serve now.
        serving: u32,
        /// Lowest healthy percent.
        min: u32,
        /// Highest percent.
        max: u32,
        /// The fewest that must serve.
        lower: u32,
        /// The most that there may be.
        upper: u32,
    },
    /// Not enough hosts can take its tasks.
    NoRoom {
        /// Tasks that must start elsewhere.
        wants: u32,
        /// Tasks that find a place.
        room: u32,
        /// What the hosts lack, most of them first: `cpu`, `memory`, `ports`, `constraint`.
        why: Vec<(Lack, u32)>,
    },
    /// There is room, but not for all services that may want it.
    Contested {
        /// Tasks of other services that may take it first.
        others: u32,
    },
    /// Tasks are protected from being stopped.
    Protected {
        /// Which.
        tasks: Vec<TaskArn>,
    },
    /// A daemon leaves a host last: these services may keep it there.
    After {
        /// Which.
        services: Vec<Text>,
    },
    /// A deployment is under way.
    Deploying,
    /// Something that was not read, or not understood.
    Unknown(String),
}

/// What a host lacks for a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lack {
    /// CPU units.
    Cpu,
    /// Memory.
    Memory,
    /// A port that is taken.
    Ports,
    /// Graphics processors.
    Gpus,
    /// A placement constraint, an attribute or an architecture.
    Constraint,
    /// The host takes no tasks: its agent is not connected, or it came by another capacity provider.
    Closed,
}

impl Lack {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Memory => "memory",
            Self::Ports => "the port",
            Self::Gpus => "graphics processors",
            Self::Constraint => "what its placement constraints ask for",
            Self::Closed => "a connected agent of its capacity provider",
        }
    }
}

impl Blocker {
    /// One sentence on what stands in the way.
    pub fn reason(&self) -> String {
        match self {
            Self::Limits { desired, serving, min, max, lower, upper } => {
                let serving =
                    if serving < desired { format!(", of which {serving} serve now") } else { String::new() };
                format!(
                    "of {desired} tasks{serving} at least {lower} must serve ({min} %) and at most {upper} may \
                     be there ({max} %), so ECS may neither stop one first nor start one first"
                )
            }
            Self::NoRoom { wants, room, why } => {
                let lacks: Vec<String> =
                    why.iter().map(|(lack, hosts)| format!("{hosts} lack {}", lack.word())).collect();
                let lacks =
                    if lacks.is_empty() { "there is no other host".to_owned() } else { lacks.join(", ") };
                format!("{wants} must start elsewhere and {room} find a place: {lacks}")
            }
            Self::Contested { others } => {
                format!("there is room, unless {others} tasks of other services take it first")
            }
            Self::Protected { tasks } => {
                let names: Vec<&str> = tasks.iter().take(3).map(|arn| short_arn(arn.as_str())).collect();
                let more = if tasks.len() > 3 { ", …" } else { "" };
                format!("{} protected from being stopped: {}{more}", count(tasks.len()), names.join(", "))
            }
            Self::After { services } => {
                format!("a daemon leaves a host last, and tasks of {} may stay there", services.join(", "))
            }
            Self::Deploying => "a deployment is under way, which moves tasks by itself".to_owned(),
            Self::Unknown(why) => why.clone(),
        }
    }

    /// What would mend it.
    pub fn mend(&self, service: &Text) -> String {
        match self {
            Self::Limits { desired, max, .. } => {
                let enough = ((desired + 1) * 100).div_ceil((*desired).max(1)).max(*max + 1);
                format!(
                    "set the maximum percent of {service} to {enough} or more, or its minimum percent to 0 and \
                     accept that it serves less meanwhile"
                )
            }
            Self::NoRoom { .. } | Self::Contested { .. } => {
                format!("add hosts that can take {service} first, or drain fewer at a time")
            }
            Self::Protected { .. } => {
                "wait until the protection ends, or take it away with `aws ecs update-task-protection`"
                    .to_owned()
            }
            Self::After { services } => format!("mend {} first: {service} follows", services.join(", ")),
            Self::Deploying => format!("wait until the deployment of {service} is over"),
            Self::Unknown(_) => "look at it yourself".to_owned(),
        }
    }
}

fn count(tasks: usize) -> String {
    if tasks == 1 { "1 task is".to_owned() } else { format!("{tasks} tasks are") }
}
