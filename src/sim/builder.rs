//! What fleets are made with, the built-in one and those that scenarios describe.

pub(super) mod containers;
mod images;
mod published;

pub(super) use self::images::Images;

use crate::sim::dice::Dice;
use crate::sim::ssm::LATEST_AGENT;
use crate::sim::time::Moment;
use crate::sim::world::balancing::{Act, Health, Listener, Rule, Target, TargetGroup};
use crate::sim::world::hosted::{HostedZone, Record};
use crate::sim::world::keeping::Parameter;
use crate::sim::world::load::Load;
use crate::sim::world::machine::{Agent, Instance, KINDS, Kind, State, Tag, Template, TemplateVersion};
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Activity, Group, Member, Mix, Stage, TemplateChoice};
use compact_str::{CompactString, format_compact};
use std::sync::Arc;

/// A day in seconds.
pub(super) const DAY: i64 = 86_400;
/// An hour in seconds.
pub(super) const HOUR: i64 = 3_600;

/// The place that is being built.
pub(super) struct Builder {
    pub(super) place: Place,
    pub(super) now: Moment,
    pub(super) dice: Dice,
    /// The name under which coredeck's registry keeps the cores and tenants.
    pub(super) fleet: CompactString,
    seed: u64,
    next_ip: u32,
    images: Option<Images>,
    group_id: (Arc<str>, Arc<str>),
    profile: Arc<str>,
}

/// What a launch needs to know.
pub(super) struct Launch<'a> {
    pub(super) kind: &'static Kind,
    pub(super) zone: usize,
    pub(super) image: &'a str,
    /// Seconds ago.
    pub(super) age: i64,
    pub(super) reservation: &'a str,
    pub(super) index: u32,
    pub(super) is_spot: bool,
    /// Mean processor use in percent.
    pub(super) busy: f64,
    pub(super) has_agent: bool,
    pub(super) tags: Vec<Tag>,
}

/// What a group needs to know.
pub(super) struct NewGroup<'a> {
    pub(super) name: &'a str,
    pub(super) template: &'a str,
    pub(super) version: u32,
    pub(super) mix: Option<Mix>,
    pub(super) sizes: (u32, u32, u32),
    pub(super) age: i64,
    pub(super) tier: &'a str,
    pub(super) target_groups: Vec<CompactString>,
}

/// A tag.
pub(super) fn tag(key: &str, value: &str) -> Tag {
    (CompactString::from(key), CompactString::from(value))
}

/// The type of that name; the first one there is if it is not known, which a test rules out.
pub(super) fn kind(name: &str) -> &'static Kind {
    Kind::named(name).unwrap_or(&KINDS[0])
}

impl Builder {
    pub(super) fn new(place: Place, now: Moment, seed: u64) -> Self {
        let dice = Dice::new(seed, &format!("demo/{}/{}", place.account, place.region));
        let profile = format!("arn:aws:iam::{}:instance-profile/fleet-node", place.account).into();
        let group: Arc<str> = dice.clone().id("sg").into();
        Self {
            place,
            now,
            dice,
            fleet: "demo".into(),
            seed,
            next_ip: 0,
            images: None,
            group_id: (group, "fleet-node".into()),
            profile,
        }
    }

    /// A moment so many seconds ago.
    pub(super) fn ago(&self, seconds: i64) -> Moment {
        self.now.minus(seconds)
    }

    /// A new id.
    pub(super) fn id(&mut self, prefix: &str) -> CompactString {
        self.dice.id(prefix).into()
    }

    /// A new UUID.
    pub(super) fn uuid(&mut self) -> CompactString {
        self.dice.uuid().into()
    }

    /// Makes a launch template; versions are image, description and age in days, oldest first.
    pub(super) fn template(
        &mut self,
        name: &str,
        kind: Option<&'static str>,
        default: u32,
        versions: &[(&CompactString, &str, i64)],
    ) -> CompactString {
        let id = self.id("lt");
        let author = format_compact!("arn:aws:iam::{}:user/terraform", self.place.account);
        let versions: Vec<TemplateVersion> = (1..)
            .zip(versions)
            .map(|(number, (image, description, age))| TemplateVersion {
                number,
                description: (!description.is_empty()).then(|| CompactString::from(*description)),
                created: self.now.minus(age * DAY),
                created_by: author.clone(),
                image: (*image).clone(),
                kind,
                profile: Some(Arc::clone(&self.profile)),
                security_group: Arc::clone(&self.group_id.0),
                user_data: None,
                tags: vec![tag("launched-by", name)],
            })
            .collect();
        let created = versions.first().map_or(self.now, |version| version.created);
        let tags = vec![tag("fleet", &self.fleet)];
        let highest = versions.last().map_or(0, |version| version.number);
        let template =
            Template { id: id.clone(), name: name.into(), created, default, highest, versions, tags };
        self.place.templates.insert(id.clone(), template);
        id
    }

    /// Launches an instance that has been running since.
    pub(super) fn launch(&mut self, launch: Launch) -> CompactString {
        let id = self.id("i");
        self.next_ip += 1;
        // 10.16.0.0/12, each zone on its own stretch; the first four addresses of a subnet are AWS's.
        let zone = u32::try_from(launch.zone).unwrap_or(0);
        let private_ip = u32::from_be_bytes([10, 16, 0, 4]) + (zone << 17) + self.next_ip;
        let launched = self.ago(launch.age);
        let mut dice = Dice::new(self.seed, &id);
        let swing = launch.busy * (0.25 + 0.3 * dice.fraction());
        let load = Load {
            seed: dice.bits(),
            mean: launch.busy,
            swing,
            peak: 14.0 * 3600.0 + dice.fraction() * 4.0 * 3600.0,
            since: launched,
            credits: if launch.kind.name == "t2.micro" { 30.0 } else { 0.0 },
        };
        let request = launch.is_spot.then(|| CompactString::from(format!("sir-{}", dice.hex(8))));
        let agent = launch.has_agent.then_some(Agent { version: LATEST_AGENT, silent_since: None });
        self.place.instances.insert(
            id.clone(),
            Instance {
                id: id.clone(),
                reservation: launch.reservation.into(),
                launch_index: launch.index,
                state: State::Running,
                state_since: launched.plus(9),
                state_reason: None,
                kind: launch.kind,
                zone: launch.zone,
                image: launch.image.into(),
                spot_request: request,
                launched,
                private_ip,
                public_ip: None,
                is_monitored: true,
                is_protected: false,
                profile: Some(Arc::clone(&self.profile)),
                security_group: self.group_id.clone(),
                tags: launch.tags,
                impaired_since: None,
                events: Vec::new(),
                agent,
                load,
            },
        );
        id
    }

    /// Makes a group without members.
    pub(super) fn group(&mut self, new: NewGroup) {
        let template = self.place.templates.get(new.template);
        let template = TemplateChoice {
            id: new.template.into(),
            name: template.map(|template| template.name.clone()).unwrap_or_default(),
            version: new.version.to_string().into(),
        };
        let uuid = self.uuid();
        let tags = [tag("Name", new.name), tag("tier", new.tier), tag("fleet", &self.fleet)];
        let checks_balancer = !new.target_groups.is_empty();
        let group = Group {
            name: new.name.into(),
            uuid,
            template,
            mix: new.mix,
            min: new.sizes.0,
            desired: new.sizes.1,
            max: new.sizes.2,
            created: self.ago(new.age * DAY),
            zones: vec![0, 1, 2],
            target_groups: new.target_groups,
            checks_balancer,
            grace: 300,
            warmup: Some(120),
            protects_new: false,
            rebalances_capacity: false,
            policies: vec!["OldestLaunchTemplate", "Default"],
            suspended: Vec::new(),
            tags: tags.into_iter().filter(|(_, value)| !value.is_empty()).map(|tag| (tag, true)).collect(),
            members: Vec::new(),
            ..Group::default()
        };
        self.place.groups.insert(new.name, group);
    }

    /// Launches a member of a group: type, version, age in seconds, spot, load.
    pub(super) fn member(
        &mut self,
        group: &str,
        kind: &'static Kind,
        version: u32,
        age: i64,
        is_spot: bool,
        busy: f64,
    ) -> CompactString {
        let Some(known) = self.place.groups.get(group) else { return CompactString::default() };
        let own = known.mix.as_ref().and_then(|mix| mix.of(kind.name));
        // A type with a template of its own was launched from that.
        let (template, version) = match own.and_then(|own| own.template.clone()) {
            None => (known.template.clone(), version),
            Some(template) => {
                let number = self.place.version_of(&template).map_or(version, |found| found.number);
                (template, number)
            }
        };
        let at = known.members.len();
        let zone = known.zones.get(at % known.zones.len().max(1)).copied().unwrap_or(0);
        let mut tags: Vec<Tag> =
            known.tags.iter().filter(|(_, propagates)| *propagates).map(|(tag, _)| tag.clone()).collect();
        tags.push(tag("aws:autoscaling:groupName", group));
        tags.push(tag("aws:ec2launchtemplate:id", &template.id));
        tags.push(tag("aws:ec2launchtemplate:version", &version.to_string()));
        let image =
            self.place.templates.get(&template.id).and_then(|found| found.version(&version.to_string()));
        let image = own.and_then(|own| own.image.clone()).or(image.map(|version| version.image.clone()));
        let image = image.unwrap_or_default();
        let image = self.place.image_id(&image).unwrap_or_default();
        // Members of one age came by one call; so they are in one reservation.
        let reservation = Dice::new(self.seed, &format!("{group}/{age}/{is_spot}")).id("r");
        let weight = own.and_then(|own| own.weight);
        let launch = Launch {
            kind,
            zone,
            image: &image,
            age,
            reservation: &reservation,
            index: u32::try_from(at).unwrap_or(0),
            is_spot,
            busy,
            has_agent: true,
            tags,
        };
        let id = self.launch(launch);
        let since = self.ago(age);
        if let Some(known) = self.place.groups.get_mut(group) {
            let is_protected = known.protects_new;
            known.members.push(Member {
                instance: id.clone(),
                stage: Stage::InService,
                is_healthy: true,
                is_protected,
                template: template.id,
                version,
                kind: kind.name,
                image,
                weight: weight.unwrap_or(1),
                since,
                ..Member::default()
            });
        }
        id
    }

    /// Notes an activity of a group, `age` seconds ago.
    pub(super) fn activity(
        &mut self,
        group: &str,
        age: i64,
        status: &'static str,
        words: (&str, &str, Option<&str>),
    ) {
        let (description, cause, message) = words;
        let started = self.ago(age);
        let is_over = status != "InProgress";
        let zone = self.place.zone(0).to_owned();
        let subnet = self.place.subnet(0).to_owned();
        let activity = Activity {
            id: self.uuid(),
            description: description.into(),
            cause: format!("At {} {cause}", started.rfc3339()),
            started,
            ended: is_over.then(|| started.plus(34)),
            status,
            message: message.map(CompactString::from),
            progress: if is_over { 100 } else { 50 },
            details: serde_json::json!({ "Subnet ID": subnet, "Availability Zone": zone }).to_string(),
        };
        if let Some(known) = self.place.groups.get_mut(group) {
            known.activities.push(activity);
            known.activities.sort_by_key(|activity| activity.started);
        }
    }

    /// Changes an instance that was launched.
    pub(super) fn alter(&mut self, id: &str, change: impl FnOnce(&mut Instance)) {
        if let Some(instance) = self.place.instances.get_mut(id) {
            change(instance);
        }
    }

    /// Makes a target group and returns its ARN.
    pub(super) fn target_group(&mut self, name: &str, port: u16, path: &str) -> CompactString {
        let suffix = self.dice.hex(16);
        let arn = self.place.arn("elasticloadbalancing", &format!("targetgroup/{name}/{suffix}"));
        let group = TargetGroup {
            arn: arn.clone(),
            name: name.into(),
            port,
            path: path.into(),
            interval: 15,
            drain: 300,
            tags: vec![tag("fleet", &self.fleet)],
            ..TargetGroup::default()
        };
        self.place.target_groups.insert(arn.clone(), group);
        arn
    }

    /// Registers an instance with a target group.
    pub(super) fn target(&mut self, group: &str, instance: &str, port: u16, health: Health) {
        if let Some(group) = self.place.target_groups.get_mut(group) {
            group.targets.push(Target { id: instance.into(), port, health });
        }
    }

    /// Makes a listener with its default rule and returns its ARN.
    pub(super) fn listener(&mut self, balancer: &str, port: u16, act: Act) -> CompactString {
        let suffix = self.dice.hex(16);
        let arn =
            CompactString::from(format!("{}/{suffix}", balancer.replace(":loadbalancer/", ":listener/")));
        let certificate = (port == 443).then(|| {
            let id = self.dice.uuid();
            self.place.arn("acm", &format!("certificate/{id}"))
        });
        let protocol = if port == 443 { "HTTPS" } else { "HTTP" };
        let listener = Listener { arn: arn.clone(), balancer: balancer.into(), port, protocol, certificate };
        self.place.listeners.insert(arn.clone(), listener);
        self.rule(&arn, None, &[], act);
        arn
    }

    /// Adds a rule to a listener.
    pub(super) fn rule(&mut self, listener: &str, priority: Option<u32>, hosts: &[String], act: Act) {
        let suffix = self.dice.hex(16);
        let arn =
            CompactString::from(format!("{}/{suffix}", listener.replace(":listener/", ":listener-rule/")));
        let hosts = hosts.iter().map(CompactString::from).collect();
        let rule =
            Rule { arn: arn.clone(), listener: listener.into(), priority, hosts, paths: Vec::new(), act };
        self.place.rules.insert(arn, rule);
    }

    /// Adds a record to a zone, which is made where it is not there yet.
    pub(super) fn record(&mut self, zone: &str, is_private: bool, record: Record) {
        let name = format!("{zone}.");
        let at = self.place.hosted.iter().position(|one| one.name == name && one.is_private == is_private);
        let at = at.unwrap_or_else(|| {
            let kind = if is_private { "private" } else { "public" };
            let mut dice = Dice::new(self.seed, &format!("{}/{kind}/{zone}", self.place.account));
            let id = CompactString::from(format!("Z{}", dice.hex(20).to_uppercase()));
            self.place.hosted.push(HostedZone::new(id, zone, is_private));
            self.place.hosted.len() - 1
        });
        if let Some(zone) = self.place.hosted.get_mut(at) {
            zone.add(record);
        }
    }

    /// Puts a parameter into the store.
    pub(super) fn parameter(&mut self, name: String, kind: &'static str, value: String, age: i64) {
        let name = CompactString::from(name);
        let modified = self.ago(age);
        let parameter =
            Parameter { name: name.clone(), kind, value, version: 1, modified, ..Parameter::default() };
        self.place.parameters.insert(name, parameter);
    }

    /// Writes a core into the registry.
    pub(super) fn core(&mut self, id: &str, tier: &str, instance: &str, port: u16, version: &str, age: i64) {
        let secret = format!("/coredeck/{}/secrets/{id}/api-key", self.fleet);
        let value = serde_json::json!({
            "tier": tier, "instance_id": instance, "container": format!("supertokens-{id}"), "port": port,
            "version": version, "image": format!("supertokens/supertokens-postgresql:{version}"),
            "api_key_parameter": secret,
        });
        self.parameter(format!("/coredeck/{}/cores/{id}", self.fleet), "String", value.to_string(), age);
        let key = Dice::new(self.seed, &secret).secret(40);
        self.parameter(secret, "SecureString", key, age);
    }

    /// Writes a tenant into the registry.
    pub(super) fn tenant(
        &mut self,
        id: &str,
        name: &str,
        core: &str,
        domain: Option<&str>,
        mode: &str,
        age: i64,
    ) {
        let value = serde_json::json!({ "name": name, "core": core, "domain": domain, "mode": mode });
        self.parameter(format!("/coredeck/{}/tenants/{id}", self.fleet), "String", value.to_string(), age);
    }
}
