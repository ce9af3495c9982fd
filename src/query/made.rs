//! Fleets made by hand, for the tests of queries.

use crate::fleet::{Fleet, InstanceRow, Item, made};
use crate::model::{AccountName, Health, Instance, Known, Metrics, Point, Region, Scope, WhyUnknown};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// The moment at which every made fleet stands: 2026-06-01, noon.
pub(super) const NOW: Timestamp = Timestamp::constant(1_780_315_200, 0);

/// A fleet of these instances.
pub(super) fn fleet(instances: Vec<InstanceRow>) -> Fleet {
    Fleet { instances: instances.into(), ..Fleet::empty(NOW) }
}

/// An instance of which nothing beyond EC2's own fields is known.
pub(super) fn row(id: &str, tags: &[(&str, &str)]) -> InstanceRow {
    InstanceRow {
        scope: scope("main", "eu-west-1"),
        it: Arc::new(instance(id, tags)),
        belongs: Arc::default(),
        member: Known::default(),
        host: Known::default(),
        agent: Known::default(),
        status: Known::default(),
        metrics: Known::default(),
        image: Known::default(),
        cores: Known::default(),
        health: Health::Ok,
        troubles: Vec::new(),
    }
}

/// An account in a region.
pub(super) fn scope(account: &str, region: &str) -> Arc<Scope> {
    Arc::new(Scope { account: AccountName::new(account), region: Region::new(region) })
}

/// A running t3.small that was started two hours ago.
pub(super) fn instance(id: &str, tags: &[(&str, &str)]) -> Instance {
    let mut it = made::instance(id, tags);
    it.owner_id = "123456789012".into();
    it.zone = "eu-west-1a".into();
    it.launched_at = Some(NOW - Duration::from_secs(7_200));
    it.security_groups = Box::new(["sg-1".into(), "sg-22".into()]);
    it.root_device = Some("/dev/xvda".into());
    it
}

/// Changes EC2's own fields of a row.
pub(super) fn with(mut row: InstanceRow, change: impl FnOnce(&mut Instance)) -> InstanceRow {
    let mut it = (*row.it).clone();
    change(&mut it);
    row.it = Arc::new(it);
    row
}

/// CPU as CloudWatch tells it: not known, known to be nothing, or percent.
pub(super) fn cpu(percent: Option<Option<f64>>) -> Known<Option<Item<Metrics>>> {
    let Some(percent) = percent else { return Known::No(WhyUnknown::Pending) };
    Known::Yes(percent.and_then(|value| {
        let metrics = Metrics { cpu: vec![Point { at: NOW, value }], ..Metrics::default() };
        Item::all(&Arc::new(vec![metrics])).next()
    }))
}
