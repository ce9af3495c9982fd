//! One immutable picture of the fleet. Every section knows its age and its last trouble.
//!
//! `collect` puts readings in and publishes; screens and scripts hold an `Arc<Snapshot>` and never change it.

mod doubled;
mod trend;
mod turns;

pub use doubled::Doubled;
pub use trend::{Held, Measure, Sample, Subject, Trend, Trends};
pub use turns::{Gone, Turns};

use crate::gateway::{Reading, Source};
use crate::model::admin::CoreWord;
use crate::model::{
    Activity, Agent, Alarm, Cluster, CoreRecord, Group, Host, HostedZone, Identity, Image, Instance,
    InstanceStatus, Known, Metrics, Published, Refresh, Rule, Scope, Service, SpotPrice, Target, TargetGroup,
    Task, Template, TenantRecord, Trouble, WhyUnknown,
};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A picture of the whole fleet at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Counts up with each change.
    pub seq: u64,
    /// When it was put together.
    pub taken_at: Timestamp,
    /// One part per account and region, in the configuration's order.
    pub parts: Vec<Arc<Part>>,
    /// Trouble that belongs to no scope: an account whose regions could not be listed.
    pub troubles: Vec<(String, Trouble)>,
}

/// One account in one region.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which.
    pub scope: Arc<Scope>,
    /// Who we are there.
    pub identity: Section<Identity>,
    /// Instances.
    pub instances: Section<Vec<Arc<Instance>>>,
    /// Status checks and scheduled events.
    pub statuses: Section<Vec<InstanceStatus>>,
    /// Launch templates.
    pub templates: Section<Vec<Template>>,
    /// Images in use.
    pub images: Section<Vec<Image>>,
    /// What public parameters name as the newest images.
    pub published: Section<Vec<Published>>,
    /// Groups.
    pub groups: Section<Vec<Group>>,
    /// Instance refreshes.
    pub refreshes: Section<Vec<Refresh>>,
    /// Scaling activities.
    pub activities: Section<Vec<Activity>>,
    /// Clusters.
    pub clusters: Section<Vec<Cluster>>,
    /// Services.
    pub services: Section<Vec<Service>>,
    /// Tasks.
    pub tasks: Section<Vec<Task>>,
    /// Container instances.
    pub hosts: Section<Vec<Host>>,
    /// Target groups.
    pub target_groups: Section<Vec<TargetGroup>>,
    /// Target health.
    pub targets: Section<Vec<Target>>,
    /// Listener rules.
    pub rules: Section<Vec<Rule>>,
    /// Route 53 records.
    pub records: Section<Vec<HostedZone>>,
    /// Managed instances.
    pub agents: Section<Vec<Agent>>,
    /// Alarms.
    pub alarms: Section<Vec<Alarm>>,
    /// The registry.
    pub registry: Section<Registry>,
    /// Metrics of the rows that were looked at.
    pub metrics: Section<Vec<Metrics>>,
    /// What the cores said of themselves.
    pub admin: Section<Vec<Arc<CoreWord>>>,
    /// Spot prices of the types in use.
    pub prices: Section<Vec<SpotPrice>>,
    /// What was seen to change from one reading to the next.
    pub turns: Arc<Turns>,
}

/// What the registry holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registry {
    /// Cores.
    pub cores: Vec<CoreRecord>,
    /// Tenants.
    pub tenants: Vec<TenantRecord>,
    /// Parameters that could not be understood, a sentence each.
    pub faults: Vec<String>,
}

/// One section: its last good value, how old that is, and what went wrong since.
#[derive(Clone, Debug)]
pub struct Section<T> {
    /// The last value that was read; kept when a later read fails.
    pub value: Option<Arc<T>>,
    /// When that value was read.
    pub as_of: Option<Timestamp>,
    /// Since when every whole reading found this same value, of lists that name what other lists hold (groups,
    /// target groups, rules, the registry); of all others when it was read. What it names was there then: that
    /// a list which is younger lacks it is proof, though this one was read again since.
    pub same_since: Option<Timestamp>,
    /// Whether the value is the whole list. False while pages arrive and after a read broke off.
    pub is_whole: bool,
    /// The last trouble, gone after the next good read.
    pub trouble: Option<Trouble>,
    /// A read is under way or waiting.
    pub is_asked: bool,
}

impl<T> Default for Section<T> {
    fn default() -> Self {
        Self { value: None, as_of: None, same_since: None, is_whole: false, trouble: None, is_asked: false }
    }
}

impl<T: PartialEq> Section<T> {
    /// Takes a value in. One that equals what is there leaves that where it is: whoever holds it sees that
    /// nothing is new but its age.
    fn settle(&mut self, value: T, at: Timestamp, is_whole: bool) {
        if self.value.as_deref() != Some(&value) {
            self.value = Some(Arc::new(value));
        }
        self.same_since = Some(at);
        self.as_of = Some(at);
        self.is_whole = is_whole;
        if is_whole {
            self.trouble = None;
            self.is_asked = false;
        }
    }
}

impl<T: PartialEq> Section<T> {
    /// Like `settle`, and notes where it is the same again.
    fn settle_named(&mut self, value: T, at: Timestamp, is_whole: bool) {
        let before = self.value.clone().filter(|_| self.is_whole && is_whole);
        let since = self.same_since;
        self.settle(value, at, is_whole);
        if before.is_some_and(|before| self.value.as_ref().is_some_and(|now| Arc::ptr_eq(now, &before))) {
            self.same_since = since.or(Some(at));
        }
    }
}

impl<T> Section<T> {
    /// Tells whether rows that were joined from the other say the same of this one: the very same value, and
    /// the same trouble. Only its age may differ, and that it is being read again.
    fn says_the_same(&self, other: &Self) -> bool {
        let is_same_value = match (&self.value, &other.value) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (None, None) => self.is_asked == other.is_asked,
            _ => false,
        };
        is_same_value && self.is_whole == other.is_whole && self.trouble == other.trouble
    }

    /// Tells whether it is a list that was coming in then and still is, and has grown.
    fn has_grown_from(&self, other: &Self) -> bool {
        let is_coming = |it: &Self| it.value.is_some() && !it.is_whole;
        is_coming(self) && is_coming(other) && self.trouble == other.trouble
    }

    /// The value and when it was read, where it is a whole list.
    fn whole(&self) -> Option<(Timestamp, Arc<T>)> {
        self.as_of.zip(self.value.clone()).filter(|_| self.is_whole)
    }

    /// The value, or why there is none.
    pub fn known(&self) -> Known<&T> {
        match (&self.value, &self.trouble) {
            (Some(value), _) => Known::Yes(value),
            (None, Some(_)) => Known::No(WhyUnknown::Trouble),
            (None, None) if self.is_asked => Known::No(WhyUnknown::Pending),
            (None, None) => Known::No(WhyUnknown::NotAsked),
        }
    }

    /// A summary without the value's type.
    pub fn standing(&self) -> Standing<'_> {
        Standing {
            as_of: self.as_of,
            is_whole: self.is_whole,
            trouble: self.trouble.as_ref(),
            is_asked: self.is_asked,
        }
    }
}

/// How much there is to read in a value.
trait Many {
    fn rows(&self) -> usize;
}

impl<T: Many> Many for Vec<T> {
    fn rows(&self) -> usize {
        self.iter().map(Many::rows).sum()
    }
}

impl Many for Group {
    /// It brings its members with it.
    fn rows(&self) -> usize {
        1 + self.members.len()
    }
}

impl Many for Registry {
    fn rows(&self) -> usize {
        self.cores.len() + self.tenants.len()
    }
}

macro_rules! one {
    ($($row:ty),+ $(,)?) => {$(
        impl Many for $row {
            fn rows(&self) -> usize {
                1
            }
        }
    )+};
}

one!(
    Identity,
    Arc<Instance>,
    InstanceStatus,
    Template,
    Image,
    Published,
    Refresh,
    Activity,
    Cluster,
    Service,
    Task,
    Host,
    TargetGroup,
    Target,
    Rule,
    HostedZone,
    Agent,
    Alarm,
    Metrics,
    Arc<CoreWord>,
    SpotPrice,
);

/// A section's age and trouble, whatever it holds.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// When its value was read.
    pub as_of: Option<Timestamp>,
    /// Whether the value is the whole list.
    pub is_whole: bool,
    /// Its last trouble.
    pub trouble: Option<&'a Trouble>,
    /// A read is under way or waiting.
    pub is_asked: bool,
}

macro_rules! sections {
    ($($source:ident => $field:ident),+ $(,)?) => {
        impl Part {
            /// A part of which nothing has been read.
            pub fn new(scope: Arc<Scope>) -> Self {
                Self { scope, turns: Arc::default(), $($field: Section::default()),+ }
            }

            /// The age and trouble of one section.
            pub fn standing(&self, source: Source) -> Standing<'_> {
                match source { $(Source::$source => self.$field.standing()),+ }
            }

            /// Tells whether rows joined from the other part say the same of this one.
            pub fn says_the_same(&self, other: &Self) -> bool {
                self.scope == other.scope && self.news(other).is_empty()
            }

            /// The sections of which rows joined from the other part may say something else.
            pub fn news(&self, other: &Self) -> Vec<Source> {
                let mut news = Vec::new();
                $(if !self.$field.says_the_same(&other.$field) { news.push(Source::$source) })+
                news
            }

            /// Tells whether rows joined from the other part's section would say the same.
            pub fn says_the_same_of(&self, source: Source, other: &Self) -> bool {
                match source { $(Source::$source => self.$field.says_the_same(&other.$field)),+ }
            }

            /// Tells whether each section says the same as then, or is a list that was coming in then and still is.
            pub fn has_grown_from(&self, other: &Self) -> bool {
                self.scope == other.scope
                    $(&& (self.$field.says_the_same(&other.$field) || self.$field.has_grown_from(&other.$field)))+
            }

            /// How many rows a section has: how much it is to read.
            pub fn rows(&self, source: Source) -> usize {
                match source { $(Source::$source => self.$field.value.as_ref().map_or(0, |it| it.rows())),+ }
            }

            /// Marks a section as being read.
            pub fn asked(&mut self, source: Source) {
                match source { $(Source::$source => self.$field.is_asked = true),+ }
            }

            /// Marks a section as failed. Its old value stays, with its age.
            pub fn failed(&mut self, source: Source, trouble: Trouble) {
                match source { $(Source::$source => {
                    self.$field.trouble = Some(trouble);
                    self.$field.is_asked = false;
                }),+ }
            }
        }
    };
}

sections! {
    Identity => identity, Instances => instances, Statuses => statuses, Templates => templates,
    Images => images, Published => published, Groups => groups, Refreshes => refreshes, Activities => activities,
    Clusters => clusters, Services => services, Tasks => tasks, Hosts => hosts,
    TargetGroups => target_groups, Targets => targets, Rules => rules, Records => records, Agents => agents,
    Alarms => alarms, Registry => registry, Metrics => metrics,
    Admin => admin, Prices => prices,
}

impl Part {
    /// Puts a reading into its section. A part-way reading never replaces a whole older list:
    /// it shows only where there was nothing before.
    pub fn settle(&mut self, reading: Reading, at: Timestamp, is_whole: bool) {
        macro_rules! put {
            ($field:ident, $value:expr) => {
                put!($field, $value, settle)
            };
            ($field:ident, $value:expr, $settle:ident) => {
                if is_whole || !self.$field.is_whole {
                    self.$field.$settle($value, at, is_whole);
                }
            };
        }
        // Lists that came in pages have room for up to twice as much, and stay for a long time.
        macro_rules! put_list {
            ($field:ident, $list:expr $(, $settle:ident)?) => {
                put!($field, { let mut list = $list; list.shrink_to_fit(); list } $(, $settle)?)
            };
        }
        match reading {
            Reading::Identity(value) => put!(identity, value),
            Reading::Instances(value) => {
                let old = self.instances.whole().filter(|_| is_whole);
                put_list!(instances, value);
                if let (Some((after, old)), Some(new)) = (old, &self.instances.value)
                    && !Arc::ptr_eq(&old, new)
                {
                    Arc::make_mut(&mut self.turns).see_instances((after, &old), (at, new));
                }
            }
            Reading::Statuses(value) => put_list!(statuses, value),
            Reading::Templates(value) => put_list!(templates, value),
            Reading::Images(value) => put_list!(images, value),
            Reading::Published(value) => put_list!(published, value),
            Reading::Groups(value) => put_list!(groups, value, settle_named),
            Reading::Refreshes(value) => put_list!(refreshes, value),
            Reading::Activities(value) => put_list!(activities, value),
            Reading::Clusters(value) => put_list!(clusters, value),
            Reading::Services(value) => put_list!(services, value),
            Reading::Tasks(value) => put_list!(tasks, value),
            Reading::Hosts(value) => put_list!(hosts, value),
            Reading::TargetGroups(value) => put_list!(target_groups, value, settle_named),
            Reading::Targets(value) => put_list!(targets, value),
            Reading::Rules(value) => put_list!(rules, value, settle_named),
            Reading::Records(value) => put_list!(records, value),
            Reading::Agents(value) => put_list!(agents, value),
            Reading::Alarms(value) => {
                let old = self.alarms.whole().filter(|_| is_whole);
                put_list!(alarms, value);
                if let (Some((_, old)), Some(new)) = (old, &self.alarms.value)
                    && !Arc::ptr_eq(&old, new)
                {
                    Arc::make_mut(&mut self.turns).see_alarms(&old, new);
                }
            }
            Reading::Registry { cores, tenants, faults } => {
                put!(registry, Registry { cores, tenants, faults }, settle_named);
            }
            Reading::Metrics(value) => put!(metrics, value),
            Reading::Admin(value) => put!(admin, value),
            Reading::Prices(value) => put!(prices, value),
        }
    }
}

impl Snapshot {
    /// Tells whether rows joined from the other would say the same of this one: the same values and troubles,
    /// and wherever the age of one list decides what it proves about another, the same proofs.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.parts.len() == other.parts.len()
            && self.parts.iter().zip(&other.parts).all(|(own, other)| own.says_the_same(other))
            && self.troubles == other.troubles
            && self.proofs().eq(other.proofs())
    }

    /// The lists of which rows joined from the other may say something else, in any place.
    pub fn news(&self, other: &Self) -> BTreeSet<Source> {
        self.parts.iter().zip(&other.parts).flat_map(|(own, other)| own.news(other)).collect()
    }

    /// Which lists were read since the lists that name what they hold have been what they are.
    fn proofs(&self) -> impl Iterator<Item = bool> {
        let named = |part: &'_ Arc<Part>| {
            let part = part.as_ref();
            [
                part.groups.same_since,
                part.target_groups.same_since,
                part.rules.same_since,
                part.registry.same_since,
            ]
        };
        self.parts.iter().flat_map(named).flat_map(|since| {
            let read =
                self.parts.iter().flat_map(|part| Source::ALL.map(|source| part.standing(source).as_of));
            read.map(move |read| read < since)
        })
    }

    /// Tells whether the registry was read whole, and names no core anywhere: then nobody has said what runs on
    /// docker hosts.
    pub fn names_no_core(&self) -> bool {
        let is_bare = |part: &Arc<Part>| {
            let registry = part.registry.value.as_ref().filter(|_| part.registry.is_whole);
            registry.is_some_and(|registry| registry.cores.is_empty())
        };
        !self.parts.is_empty() && self.parts.iter().all(is_bare)
    }

    /// A picture in which nothing has been read.
    pub fn empty(at: Timestamp) -> Self {
        Self { seq: 0, taken_at: at, parts: Vec::new(), troubles: Vec::new() }
    }

    /// How many rows a list has, in all places.
    pub fn rows(&self, source: Source) -> usize {
        self.parts.iter().map(|part| part.rows(source)).sum()
    }

    /// The oldest age among the sections of a source that have a value.
    pub fn oldest(&self, source: Source) -> Option<Timestamp> {
        self.parts.iter().filter_map(|part| part.standing(source).as_of).min()
    }

    /// Every section in trouble, with its scope and source.
    pub fn troubled(&self) -> impl Iterator<Item = (&Scope, Source, &Trouble)> {
        self.parts.iter().flat_map(|part| {
            Source::ALL.into_iter().filter_map(|source| {
                part.standing(source).trouble.map(|trouble| (part.scope.as_ref(), source, trouble))
            })
        })
    }
}
