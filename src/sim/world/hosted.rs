//! Route 53: hosted zones and their records. An account has them once, whatever the region.

use compact_str::CompactString;

/// A hosted zone.
#[derive(Clone, Debug)]
pub(crate) struct HostedZone {
    /// Without `/hostedzone/`.
    pub(crate) id: CompactString,
    /// With the last dot.
    pub(crate) name: CompactString,
    pub(crate) is_private: bool,
    /// In Route 53's order.
    pub(crate) records: Vec<Record>,
}

/// A record, or one of several of a name and type.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// With the last dot.
    pub(crate) name: CompactString,
    pub(crate) kind: &'static str,
    /// None for an alias.
    pub(crate) ttl: Option<u32>,
    pub(crate) values: Vec<CompactString>,
    /// A load balancer's name.
    pub(crate) alias: Option<CompactString>,
    pub(crate) set: Option<CompactString>,
    pub(crate) weight: Option<u32>,
}

impl Record {
    /// What Route 53 sorts by: labels from the last to the first, then the type, then the identifier.
    pub(crate) fn order(&self) -> (Vec<String>, &str, &str) {
        (labels(&self.name), self.kind, self.set.as_deref().unwrap_or_default())
    }
}

/// The labels of a name from the last to the first, in lower case.
pub(crate) fn labels(name: &str) -> Vec<String> {
    let name = name.strip_suffix('.').unwrap_or(name).to_lowercase();
    name.rsplit('.').map(str::to_owned).collect()
}

impl HostedZone {
    /// A zone with what every zone has: who serves it.
    pub(crate) fn new(id: CompactString, name: &str, is_private: bool) -> Self {
        let name = CompactString::from(format!("{}.", name.trim_end_matches('.')));
        let own = |kind, values: &[&str], ttl| Record {
            name: name.clone(),
            kind,
            ttl: Some(ttl),
            values: values.iter().map(|value| CompactString::from(*value)).collect(),
            alias: None,
            set: None,
            weight: None,
        };
        let servers = ["ns-1.awsdns-01.org.", "ns-2.awsdns-02.com.", "ns-3.awsdns-03.net."];
        let start = "ns-1.awsdns-01.org. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400";
        let records = vec![own("NS", &servers, 172_800), own("SOA", &[start], 900)];
        Self { id, name, is_private, records }
    }

    /// Adds a record at its place.
    pub(crate) fn add(&mut self, record: Record) {
        let at = self.records.partition_point(|known| known.order() <= record.order());
        self.records.insert(at, record);
    }
}
