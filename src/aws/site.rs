//! One account in one region: its clients, made when first used, its limiter, and whether AWS answers there.

use super::api::{Api, Weight};
use super::errors::Circumstances;
use super::ledger::{Counting, Ledger};
use super::limit::{Level, Limiter};
use super::places::Places;
use super::record::Origin;
use super::seen::Seen;
use super::session::Session;
use crate::clock::{Clock, monotonic};
use crate::gateway::Bucket;
use crate::model::{Group, Host, Instance, InstanceStatus, Scope, Service, Task, Text};
use aws_types::SdkConfig;
use jiff::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How long requests may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    /// While the endpoint says nothing to anybody: it is taken for dead.
    pub(super) silent: Duration,
    /// The same for a heavy answer, which an endpoint may put together in silence: moto takes ten seconds
    /// for five thousand instances, which it gives in one page.
    pub(super) silent_heavy: Duration,
    /// For a heavy answer, while the endpoint answers others: it is slow, not dead.
    pub(super) slow: Duration,
    /// How long after an answer, to anybody, the endpoint still counts as alive. Far longer than a request
    /// may take: the pages of a list come one by one, and nobody else need be asking meanwhile.
    pub(super) alive: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            silent: Duration::from_secs(12),
            silent_heavy: Duration::from_secs(25),
            slow: Duration::from_secs(40),
            alive: Duration::from_secs(60),
        }
    }
}

impl Patience {
    /// The usual one, but for a silence that may last so long.
    pub(super) fn of(silent: Duration) -> Self {
        Self { silent, ..Self::default() }
    }

    /// How long a request may be silent before it is asked whether the endpoint lives.
    pub(super) fn first(self, weight: Weight) -> Duration {
        if weight == Weight::Heavy { self.silent_heavy } else { self.silent }
    }

    /// How much longer a request may take that has been silent for so long. `is_alive`: the endpoint
    /// has answered somebody lately.
    pub(super) fn left(self, weight: Weight, is_alive: bool) -> Option<Duration> {
        let left = self.slow.saturating_sub(self.silent_heavy);
        (weight == Weight::Heavy && is_alive && !left.is_zero()).then_some(left)
    }
}

/// Of lists whose rows are copied when they are handed out again, so many are remembered at most: some 10 MB in all.
const COPIED: usize = 5_000;

/// The pages of the lists that are read all the time.
#[derive(Debug)]
pub(super) struct Lists {
    /// Instances.
    pub(super) instances: Arc<Seen<Arc<Instance>>>,
    /// Status checks.
    pub(super) statuses: Arc<Seen<InstanceStatus>>,
    /// Groups.
    pub(super) groups: Arc<Seen<Group>>,
    /// Services.
    pub(super) services: Arc<Seen<Service>>,
    /// Tasks.
    pub(super) tasks: Arc<Seen<Task>>,
    /// Container instances.
    pub(super) hosts: Arc<Seen<Host>>,
}

impl Default for Lists {
    fn default() -> Self {
        Self {
            instances: Arc::default(),
            statuses: Arc::default(),
            groups: Arc::new(Seen::of_at_most(COPIED / 10)),
            services: Arc::new(Seen::of_at_most(COPIED)),
            tasks: Arc::new(Seen::of_at_most(COPIED)),
            hosts: Arc::new(Seen::of_at_most(COPIED)),
        }
    }
}

/// A scope with everything that a call into it needs.
pub(super) struct Site {
    origin: Origin,
    config: SdkConfig,
    session: Arc<Session>,
    limiter: Arc<Limiter>,
    ledger: Arc<Ledger>,
    places: Arc<Places>,
    clock: Clock,
    born_at: Instant,
    heard_ms: AtomicU64,
    patience: Patience,
    seen: Lists,
    ec2: OnceLock<aws_sdk_ec2::Client>,
    autoscaling: OnceLock<aws_sdk_autoscaling::Client>,
    ecs: OnceLock<aws_sdk_ecs::Client>,
    elb: OnceLock<aws_sdk_elasticloadbalancingv2::Client>,
    ssm: OnceLock<aws_sdk_ssm::Client>,
    cloudwatch: OnceLock<aws_sdk_cloudwatch::Client>,
    logs: OnceLock<aws_sdk_cloudwatchlogs::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
    route53: OnceLock<aws_sdk_route53::Client>,
}

macro_rules! clients {
    ($($(#[$doc:meta])* $name:ident: $sdk:ident),+ $(,)?) => {$(
        $(#[$doc])*
        pub(super) fn $name(&self) -> &$sdk::Client {
            self.$name.get_or_init(|| {
                let (ledger, limiter) = (Arc::clone(&self.ledger), Arc::clone(&self.limiter));
                let counting = Counting::new(ledger, limiter, Arc::clone(&self.places), self.clock);
                let config = $sdk::config::Builder::from(&self.config).interceptor(counting).build();
                $sdk::Client::from_conf(config)
            })
        }
    )+};
}

impl Site {
    /// A site. `config` carries region, credentials, HTTP client, retries and endpoint.
    pub(super) fn new(
        scope: Scope,
        config: SdkConfig,
        session: Arc<Session>,
        ledger: Arc<Ledger>,
        clock: Clock,
    ) -> Self {
        let endpoint = config.endpoint_url().map(str::to_owned);
        Self {
            origin: Origin { scope: Arc::new(scope), login: Text::default(), profile: None, endpoint },
            config,
            session,
            limiter: Arc::new(Limiter::default()),
            ledger,
            places: Arc::default(),
            clock,
            born_at: monotonic(),
            heard_ms: AtomicU64::new(0),
            patience: Patience::default(),
            seen: Lists::default(),
            ec2: OnceLock::new(),
            autoscaling: OnceLock::new(),
            ecs: OnceLock::new(),
            elb: OnceLock::new(),
            ssm: OnceLock::new(),
            cloudwatch: OnceLock::new(),
            logs: OnceLock::new(),
            sts: OnceLock::new(),
            route53: OnceLock::new(),
        }
    }

    /// The pages of lists that were read here.
    pub(super) fn seen(&self) -> &Lists {
        &self.seen
    }

    clients! {
        /// EC2.
        ec2: aws_sdk_ec2,
        /// Auto Scaling.
        autoscaling: aws_sdk_autoscaling,
        /// ECS.
        ecs: aws_sdk_ecs,
        /// Elastic Load Balancing, version 2.
        elb: aws_sdk_elasticloadbalancingv2,
        /// Systems Manager.
        ssm: aws_sdk_ssm,
        /// CloudWatch.
        cloudwatch: aws_sdk_cloudwatch,
        /// CloudWatch Logs.
        logs: aws_sdk_cloudwatchlogs,
        /// STS.
        sts: aws_sdk_sts,
        /// Route 53.
        route53: aws_sdk_route53,
    }

    /// The same with a name for whose credentials it uses, and the profile that has them.
    pub(super) fn entered(mut self, login: Text, profile: Option<Text>) -> Self {
        (self.origin.login, self.origin.profile) = (login, profile);
        self
    }

    /// The same with a limiter that others may share.
    pub(super) fn limited_by(self, limiter: Arc<Limiter>) -> Self {
        Self { limiter, ..self }
    }

    /// Where calls from here go.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The same with another patience.
    pub(super) fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// How long requests may take.
    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    /// The account's credentials.
    pub(super) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Who goes first.
    pub(super) fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    /// What has been spent.
    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The buckets that were used here, by name.
    pub(super) fn buckets(&self) -> Vec<Bucket> {
        let scope = &self.origin.scope;
        let bucket = |level: Level| {
            let family = level.family;
            let sum = self.ledger.sum(scope, family);
            let calls = Api::ALL.iter().filter(|api| api.family() == family);
            Bucket {
                scope: Arc::clone(scope),
                family: Text::const_new(family.name),
                calls: calls.map(|api| Text::const_new(api.action())).collect(),
                spending: sum.spending,
                took: sum.took,
                tokens: level.tokens,
                capacity: level.capacity,
                per_second: level.per_second,
                waiting: level.waiting,
            }
        };
        self.limiter.levels().into_iter().map(bucket).collect()
    }

    /// The clock.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Notes that AWS answered here just now.
    pub(super) fn hear(&self) {
        let ms = u64::try_from(self.since_birth(monotonic()).as_millis()).unwrap_or(u64::MAX);
        self.heard_ms.fetch_max(ms.saturating_add(1), Ordering::Relaxed);
    }

    /// Tells whether AWS, at that moment, had answered anything here lately.
    pub(super) fn is_alive(&self, moment: Instant) -> bool {
        let heard = self.heard_ms.load(Ordering::Relaxed);
        // Zero is never; a moment of hearing is kept one too high for that.
        let Some(heard) = heard.checked_sub(1).map(Duration::from_millis) else { return false };
        self.since_birth(moment).saturating_sub(heard) <= self.patience.alive
    }

    fn since_birth(&self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.born_at)
    }

    /// What an error message wants to know about this place.
    pub(super) fn circumstances(&self, api: Api, at: Timestamp) -> Circumstances {
        Circumstances {
            at,
            account: self.origin.scope.account.clone(),
            region: self.origin.scope.region.clone(),
            endpoint: self.config.endpoint_url().map(str::to_owned),
            address: self.places.of(api),
            renewal: self.session.renewal(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::api::Weight;
    use super::super::fake::{Fake, Say};
    use super::Patience;
    use crate::clock::monotonic;
    use std::time::Duration;

    #[test]
    fn only_a_heavy_answer_of_a_living_endpoint_may_take_longer() {
        let patience = Patience::default();
        assert_eq!(patience.left(Weight::Heavy, true), Some(Duration::from_secs(15)));
        assert_eq!(patience.left(Weight::Heavy, false), None);
        assert_eq!(patience.left(Weight::Light, true), None);
    }

    #[tokio::test]
    async fn an_endpoint_is_alive_for_a_minute_after_it_answered() {
        let fake = Fake::new(|_, _| Say::Nothing).await;
        let desk = fake.desk().await;
        assert!(!desk.site().is_alive(monotonic()));
        let before = monotonic();
        desk.site().hear();
        let after = monotonic();
        assert!(desk.site().is_alive(before + Duration::from_secs(59)));
        assert!(!desk.site().is_alive(after + Duration::from_secs(61)));
    }
}
