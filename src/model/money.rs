//! Money in whole micro-dollars, because prices have six decimals and sums must not drift.

use serde::{Serialize, Serializer};
use std::fmt;
use std::ops::{Add, AddAssign, Mul};

/// An amount of US dollars, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(i64);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount given in millionths of a dollar.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The amount to the nearest cent.
    pub const fn in_cents(self) -> Self {
        Self(self.0.saturating_add(5_000 * self.0.signum()) / 10_000 * 10_000)
    }

    /// The amount in millionths of a dollar.
    pub const fn micros(self) -> i64 {
        self.0
    }
}

impl Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul<i64> for Usd {
    type Output = Self;
    fn mul(self, times: i64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl fmt::Display for Usd {
    /// Two decimals from a cent up, otherwise as many as the amount has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
        let text = if rest.is_multiple_of(10_000) {
            format!("{sign}${whole}.{:02}", rest / 10_000)
        } else {
            let digits = format!("{rest:06}");
            format!("{sign}${whole}.{}", digits.trim_end_matches('0'))
        };
        f.pad(&text)
    }
}

impl Serialize for Usd {
    /// A decimal string, as AWS itself writes prices, so that no reader rounds it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.to_string().trim_start_matches('$'))
    }
}

#[cfg(test)]
mod tests {
    use super::Usd;

    #[test]
    fn shows_cents_and_smaller_amounts() {
        assert_eq!(Usd::from_micros(12_500_000).to_string(), "$12.50");
        assert_eq!(Usd::from_micros(11_600).to_string(), "$0.0116");
        assert_eq!(Usd::from_micros(-11_600).to_string(), "-$0.0116");
        let cents = |micros| Usd::from_micros(micros).in_cents().to_string();
        assert_eq!([cents(8_468_000), cents(4_999), cents(-5_000)], ["$8.47", "$0.00", "-$0.01"]);
    }
}
