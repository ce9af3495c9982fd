//! Spot markets and what they cost.

use super::{InstanceType, Text, Usd, Zone};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a spot price is the price of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Market {
    /// The type of instance.
    pub instance_type: InstanceType,
    /// The zone, as the account calls it.
    pub zone: Zone,
    /// The product: `Linux/UNIX`, `Windows`, as instances name their platform.
    pub product: Text,
}

/// What a market has cost since a moment, until its next price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpotPrice {
    /// Of what.
    pub market: Market,
    /// Since when; none where AWS does not say.
    pub since: Option<Timestamp>,
    /// Dollars for an hour.
    pub price: Usd,
}
