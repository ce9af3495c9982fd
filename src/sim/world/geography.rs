//! AWS's regions and their zones, as of 2026-11.

use crate::sim::dice::{hash, mix};

/// A region.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region {
    pub(crate) name: &'static str,
    /// How zone ids of the region begin, `use1`.
    pub(crate) short: &'static str,
    /// Letters of its zones.
    pub(crate) zones: &'static str,
    /// It must be opted into; the accounts here have not done so.
    pub(crate) is_opt_in: bool,
}

const fn region(name: &'static str, short: &'static str, zones: &'static str, is_opt_in: bool) -> Region {
    Region { name, short, zones, is_opt_in }
}

/// Every region that this program knows.
pub(crate) const REGIONS: &[Region] = &[
    region("af-south-1", "afs1", "abc", true),
    region("ap-east-1", "ape1", "abc", true),
    region("ap-northeast-1", "apne1", "acd", false),
    region("ap-northeast-2", "apne2", "abcd", false),
    region("ap-northeast-3", "apne3", "abc", false),
    region("ap-south-1", "aps1", "abc", false),
    region("ap-south-2", "aps2", "abc", true),
    region("ap-southeast-1", "apse1", "abc", false),
    region("ap-southeast-2", "apse2", "abc", false),
    region("ap-southeast-3", "apse3", "abc", true),
    region("ap-southeast-4", "apse4", "abc", true),
    region("ca-central-1", "cac1", "abd", false),
    region("ca-west-1", "caw1", "abc", true),
    region("eu-central-1", "euc1", "abc", false),
    region("eu-central-2", "euc2", "abc", true),
    region("eu-north-1", "eun1", "abc", false),
    region("eu-south-1", "eus1", "abc", true),
    region("eu-south-2", "eus2", "abc", true),
    region("eu-west-1", "euw1", "abc", false),
    region("eu-west-2", "euw2", "abc", false),
    region("eu-west-3", "euw3", "abc", false),
    region("il-central-1", "ilc1", "abc", true),
    region("me-central-1", "mec1", "abc", true),
    region("me-south-1", "mes1", "abc", true),
    region("sa-east-1", "sae1", "abc", false),
    region("us-east-1", "use1", "abcdef", false),
    region("us-east-2", "use2", "abc", false),
    region("us-west-1", "usw1", "ac", false),
    region("us-west-2", "usw2", "abcd", false),
];

impl Region {
    /// The region of that name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        REGIONS.iter().find(|region| region.name == name)
    }

    /// Zones with their ids. Which name has which id differs from account to account, as it does in AWS.
    pub(crate) fn zones_for(&self, account: &str) -> Vec<Zone> {
        let letters: Vec<char> = self.zones.chars().collect();
        let turn = usize::try_from(mix(hash(account)) % letters.len().max(1) as u64).unwrap_or(0);
        letters
            .iter()
            .enumerate()
            .map(|(at, letter)| Zone {
                name: format!("{}{letter}", self.name),
                id: format!("{}-az{}", self.short, (at + turn) % letters.len().max(1) + 1),
            })
            .collect()
    }
}

/// An availability zone as one account sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) id: String,
}
