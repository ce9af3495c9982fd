//! The domain, in plain data: what a fleet is made of, with no cloud, screen or file behind it.
//!
//! Everything that crosses a module border is made of these types. They know nothing of the AWS SDK
//! (`aws` translates into them) and nothing of drawing (`query` turns them into cells).

pub mod admin;
pub mod alarm;
pub mod balancer;
pub mod cluster;
pub mod core;
pub mod definition;
pub mod detail;
pub mod dns;
pub mod gauge;
pub mod group;
pub mod host;
pub mod ids;
pub mod instance;
pub mod log;
pub mod market;
pub mod member;
pub mod money;
pub mod norm;
mod packed;
pub mod particulars;
pub mod published;
pub mod scope;
pub mod sealed;
pub mod setting;
pub mod tags;
pub mod template;
pub mod text;
pub mod tier;
pub mod trouble;
pub mod upkeep;

pub use alarm::{Alarm, AlarmState};
pub use balancer::{Rule, Target, TargetGroup, TargetState};
pub use cluster::{CapacityProvider, Cluster, Deployment, Service, ServiceEvent, Task};
pub use core::{Core, CoreRecord, Drift, DriftSort, Home, Scarce, Tenant, TenantRecord};
pub use definition::{Constraint, Container, Definition, Port, Protocol};
pub use detail::{
    Command, DocumentDetail, Hook, HostDetail, Invocation, Leaving, Newcomer, ParameterDetail, Protection,
    Readiness, RefreshDetail, RefreshWants, ServiceDetail,
};
pub use dns::{DnsRecord, End, Ending, HostedZone, Route};
pub use gauge::{Gauge, Gauges, Metrics, Point};
pub use group::{Activity, Group, Handling, Mix, OwnLaunch, Refresh, RefreshPreset, TemplateRef};
pub use host::{Host, Registration, Registrations};
pub use ids::*;
pub use instance::{
    Agent, Check, Instance, InstanceState, InstanceStatus, Lifecycle, Make, Makes, ScheduledEvent,
};
pub use log::{LogEvent, LogPage, LogTarget};
pub use market::{Market, SpotPrice};
pub use member::{Member, Standing};
pub use money::Usd;
pub use norm::{Bound, Figure, Measured, NoData, Norm, Series, Statistic};
pub use particulars::{Kept, Particulars};
pub use published::{Behind, Published, Told};
pub use scope::{Identity, Scope};
pub use sealed::{Sealed, Setting};
pub use tags::{Keys, Tags};
pub use template::{Image, Template, TemplateVersion};
pub use text::Text;
pub use tier::{Limit, Selector, Tier, TierFacts, TierMatch};
pub use trouble::{Health, Known, Trouble, TroubleKind, WhyUnknown};
pub use upkeep::{Imports, Migration};
