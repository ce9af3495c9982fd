//! Host names as Route 53 leads them: zones, their records, and where a name ends up.

use super::ids::{BalancerArn, InstanceId};
use super::text::Text;
use serde::{Deserialize, Serialize};

/// A hosted zone with those of its records that lead somewhere: A, AAAA and CNAME.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostedZone {
    /// Its id without `/hostedzone/`.
    pub id: Text,
    /// Its name in lower case, without the last dot.
    pub name: Text,
    /// Only networks that it is joined to see it.
    pub is_private: bool,
    /// Its records.
    pub records: Vec<DnsRecord>,
}

/// A record that leads somewhere. Names are in lower case, without the last dot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DnsRecord {
    /// Its name; begins with `*.` where it stands for every name that has no record.
    pub name: Text,
    /// `A`, `AAAA` or `CNAME`.
    pub kind: Text,
    /// Seconds for which resolvers remember it; none for an alias, which AWS answers for a minute.
    pub ttl: Option<u32>,
    /// It is an alias: AWS itself looks up what its target leads to.
    pub is_alias: bool,
    /// Addresses, or the one name that it leads to.
    pub targets: Vec<Text>,
    /// What tells it from others of the same name and type.
    pub set: Option<Text>,
    /// Its weight among those; none where traffic is not shared by weight.
    pub weight: Option<u32>,
    /// How AWS chooses among those otherwise: `latency eu-west-1`, `failover PRIMARY`.
    pub policy: Option<Text>,
}

/// Where a host name leads, by all records on the way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    /// The zone that holds the name's own record.
    pub zone: Text,
    /// That zone is private.
    pub is_private: bool,
    /// The names on the way, the first of them the host name itself.
    pub way: Vec<Text>,
    /// Where it ends; more than one where records share traffic.
    pub ends: Vec<Ending>,
    /// Seconds until everybody has heard of a change: the longest that a record on the way is remembered.
    pub ttl: u32,
}

/// One end of a host name's way.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// What is there.
    pub at: End,
    /// Its share by weight, of the sum of weights; none where traffic is not shared.
    pub share: Option<(u32, u32)>,
}

/// What a host name ends at.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// A load balancer of the fleet.
    Balancer {
        /// Its ARN.
        arn: BalancerArn,
        /// Its name.
        name: Text,
    },
    /// An instance, by one of its addresses.
    Instance(InstanceId),
    /// Something of AWS or of others that answers in the fleet's stead: a name that nothing here has.
    Name(Text),
    /// An address that nothing here has.
    Address(Text),
    /// A name that its own zone does not hold.
    Nothing(Text),
    /// The records lead in a circle; this name came twice.
    Circle(Text),
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Balancer { name, .. } => write!(f, "balancer {name}"),
            Self::Instance(id) => write!(f, "{id}"),
            Self::Name(name) | Self::Address(name) => write!(f, "{name}"),
            Self::Nothing(name) => write!(f, "nothing ({name} has no record)"),
            Self::Circle(name) => write!(f, "a circle ({name})"),
        }
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.share {
            Some((part, of)) => write!(f, "{} {part}/{of}", self.at),
            None => write!(f, "{}", self.at),
        }
    }
}
