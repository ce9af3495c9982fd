//! A place: what one account has in one region.

use super::balancing::{Balancer, Listener, Rule, TargetGroup};
use super::commands::{Document, Sent};
use super::containers::{Cluster, Definition, Provider};
use super::corelog::Line;
use super::crowd::Crowd;
use super::docker::Container;
use super::docker::Serving;
use super::gauges::Gauges;
use super::geography::{Region, Zone};
use super::hosted::HostedZone;
use super::keeping::{Alarm, LogGroup, Parameter};
use super::life::Agenda;
use super::machine::{Image, Instance, Template};
use super::scaling::Group;
use super::table::Table;
use super::tokens::Tokens;
use super::veils::Veils;
use crate::sim::dice::Dice;
use crate::sim::script::What;
use crate::sim::time::Moment;
use compact_str::{CompactString, format_compact};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What one account has in one region.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) account: Arc<str>,
    pub(crate) region: &'static str,
    pub(crate) zones: Vec<Zone>,
    pub(crate) vpc: CompactString,
    /// One subnet for each zone.
    pub(crate) subnets: Vec<CompactString>,
    pub(crate) dice: Dice,
    /// The moment up to which everything has happened.
    pub(crate) now: Moment,
    pub(crate) agenda: Agenda,
    pub(crate) tokens: Tokens,
    pub(crate) veils: Veils,
    /// What a scenario lets happen, by number.
    pub(crate) told: Vec<What>,
    pub(crate) instances: Table<Instance>,
    pub(crate) templates: Table<Template>,
    pub(crate) images: Table<Image>,
    pub(crate) groups: Table<Group>,
    pub(crate) clusters: Table<Cluster>,
    pub(crate) providers: Table<Provider>,
    /// By `family:revision`.
    pub(crate) definitions: Table<Definition>,
    pub(crate) balancers: Table<Balancer>,
    pub(crate) listeners: Table<Listener>,
    pub(crate) rules: Table<Rule>,
    pub(crate) target_groups: Table<TargetGroup>,
    /// Until the place is settled: then the account has them.
    pub(crate) hosted: Vec<HostedZone>,
    pub(crate) alarms: Table<Alarm>,
    pub(crate) gauges: Gauges,
    pub(crate) logs: Table<LogGroup>,
    pub(crate) parameters: BTreeMap<CompactString, Parameter>,
    /// Those of AWS, below `/aws/service/`.
    pub(crate) published: BTreeMap<CompactString, Parameter>,
    /// Containers that somebody started, by host.
    pub(crate) docker: BTreeMap<CompactString, Vec<Container>>,
    /// Until when processes that are really asked have something to do.
    pub(crate) serving: Serving,
    /// Tenants that ask their cores for more than usual.
    pub(crate) crowds: Vec<Crowd>,
    /// Lines that somebody lets cores write.
    pub(crate) remarks: Vec<(CompactString, Line)>,
    /// Cores that their database does not answer, by their ids in the registry.
    pub(crate) cut_off: BTreeSet<CompactString>,
    /// Zones, by number, that have no room for more instances.
    pub(crate) full_zones: BTreeSet<usize>,
    /// Instances on which docker's daemon does not answer.
    pub(crate) without_docker: BTreeSet<CompactString>,
    pub(crate) documents: Table<Document>,
    /// Commands that were sent.
    pub(crate) sent: Table<Sent>,
}

impl Place {
    /// A place with a network and nothing in it.
    pub(crate) fn empty(seed: u64, account: &Arc<str>, region: &'static str) -> Self {
        let mut dice = Dice::new(seed, &format!("{account}/{region}"));
        let zones = Region::named(region).map(|region| region.zones_for(account)).unwrap_or_default();
        let vpc = CompactString::from(dice.id("vpc"));
        let subnets = zones.iter().map(|_| CompactString::from(dice.id("subnet"))).collect();
        let mut place = Self {
            account: Arc::clone(account),
            region,
            zones,
            vpc,
            subnets,
            dice,
            now: Moment::default(),
            agenda: Agenda::default(),
            tokens: Tokens::default(),
            veils: Veils::default(),
            told: Vec::new(),
            instances: Table::default(),
            templates: Table::default(),
            images: Table::default(),
            groups: Table::default(),
            clusters: Table::default(),
            providers: Table::default(),
            definitions: Table::default(),
            balancers: Table::default(),
            listeners: Table::default(),
            rules: Table::default(),
            target_groups: Table::default(),
            hosted: Vec::new(),
            alarms: Table::default(),
            gauges: Gauges::default(),
            logs: Table::default(),
            parameters: BTreeMap::new(),
            published: BTreeMap::new(),
            docker: BTreeMap::new(),
            serving: Serving::default(),
            crowds: Vec::new(),
            remarks: Vec::new(),
            cut_off: BTreeSet::new(),
            full_zones: BTreeSet::new(),
            without_docker: BTreeSet::new(),
            documents: Table::default(),
            sent: Table::default(),
        };
        crate::sim::ssm::furnish(&mut place);
        place
    }

    /// An ARN of this place.
    pub(crate) fn arn(&self, service: &str, rest: &str) -> CompactString {
        format_compact!("arn:aws:{service}:{}:{}:{rest}", self.region, self.account)
    }

    /// The name of a zone.
    pub(crate) fn zone(&self, at: usize) -> &str {
        self.zones.get(at).map(|zone| zone.name.as_str()).unwrap_or_default()
    }

    /// The id of a zone.
    pub(crate) fn zone_id(&self, at: usize) -> &str {
        self.zones.get(at).map(|zone| zone.id.as_str()).unwrap_or_default()
    }

    /// The subnet of a zone.
    pub(crate) fn subnet(&self, at: usize) -> &str {
        self.subnets.get(at).map(CompactString::as_str).unwrap_or_default()
    }
}
