//! A reader for tests: each source answers when a test lets it.

use crate::gateway::{Ask, FleetReader, GatewayError, Reading, Source, Spending, Urgency};
use crate::model::{AccountName, Identity, Region, Scope, Trouble, TroubleKind};
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::sync::Mutex;
use tokio::sync::{Semaphore, mpsc};

/// Answers every ask with nothing found, unless told otherwise.
#[derive(Default)]
pub(super) struct Fake {
    pub(super) denied: Vec<(&'static str, Source)>,
    /// Sources whose reads panic.
    pub(super) panicking: Vec<Source>,
    /// Regions that never answer.
    pub(super) hanging: Vec<&'static str>,
    /// Readings by region and source; otherwise an empty list.
    pub(super) readings: HashMap<(&'static str, Source), Reading>,
    /// Every ask, in order.
    pub(super) asked: Mutex<Vec<(String, Source, Urgency)>>,
    /// When set, each ask takes a permit before it answers.
    pub(super) gate: Option<Semaphore>,
}

pub(super) fn trouble(kind: TroubleKind) -> Trouble {
    Trouble {
        kind,
        call: "ec2:DescribeInstances".into(),
        code: None,
        message: "no".into(),
        hint: None,
        request_id: None,
        at: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn nothing(source: Source) -> Reading {
    match source {
        Source::Identity => Reading::Identity(Identity { account_id: "1".into(), arn: "arn".into() }),
        Source::Instances => Reading::Instances(vec![]),
        Source::Statuses => Reading::Statuses(vec![]),
        Source::Templates => Reading::Templates(vec![]),
        Source::Images => Reading::Images(vec![]),
        Source::Published => Reading::Published(vec![]),
        Source::Groups => Reading::Groups(vec![]),
        Source::Refreshes => Reading::Refreshes(vec![]),
        Source::Activities => Reading::Activities(vec![]),
        Source::Clusters => Reading::Clusters(vec![]),
        Source::Services => Reading::Services(vec![]),
        Source::Tasks => Reading::Tasks(vec![]),
        Source::Hosts => Reading::Hosts(vec![]),
        Source::TargetGroups => Reading::TargetGroups(vec![]),
        Source::Targets => Reading::Targets(vec![]),
        Source::Rules => Reading::Rules(vec![]),
        Source::Records => Reading::Records(vec![]),
        Source::Agents => Reading::Agents(vec![]),
        Source::Alarms => Reading::Alarms(vec![]),
        Source::Registry => Reading::Registry { cores: vec![], tenants: vec![], faults: vec![] },
        Source::Metrics => Reading::Metrics(vec![]),
        Source::Prices => Reading::Prices(vec![]),
        Source::Admin => Reading::Admin(vec![]),
    }
}

impl FleetReader for Fake {
    fn regions(&self, account: &AccountName) -> BoxFuture<'_, Result<Vec<Region>, GatewayError>> {
        let is_denied = account.as_str() == "denied";
        Box::pin(async move {
            if is_denied {
                return Err(GatewayError { trouble: trouble(TroubleKind::Denied), partial: None });
            }
            Ok(vec!["r1".into(), "r2".into()])
        })
    }

    fn home_region(&self, _: &AccountName) -> BoxFuture<'_, Result<Region, GatewayError>> {
        Box::pin(async { Ok("r1".into()) })
    }

    fn read(
        &self,
        scope: &Scope,
        ask: Ask,
        urgency: Urgency,
        _pages: Option<mpsc::Sender<Reading>>,
    ) -> BoxFuture<'_, Result<Reading, GatewayError>> {
        let scope = scope.clone();
        Box::pin(async move {
            let source = ask.source();
            if let Ok(mut asked) = self.asked.lock() {
                asked.push((scope.region.to_string(), source, urgency));
            }
            assert!(!self.panicking.contains(&source), "as the test wants");
            if self.hanging.contains(&scope.region.as_str()) {
                return std::future::pending().await;
            }
            if let Some(gate) = &self.gate {
                gate.acquire().await.expect("the gate stays open").forget();
            }
            if self.denied.contains(&(scope.region.as_str(), source)) {
                return Err(GatewayError { trouble: trouble(TroubleKind::Denied), partial: None });
            }
            let found = self
                .readings
                .iter()
                .find(|((region, of), _)| *region == scope.region.as_str() && *of == source);
            Ok(found.map_or_else(|| nothing(source), |(_, reading)| reading.clone()))
        })
    }

    fn remind(&self, _: &Scope, _: &Reading) {}

    fn spending(&self) -> Spending {
        Spending::default()
    }
}
