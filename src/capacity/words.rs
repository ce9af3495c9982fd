//! Capacity as people and programs read it: the same words on the screen and in a script.

use super::{Capacity, Density, Growth, Measured, Room};
use crate::config::Figures;
use crate::fleet::INVENTORY;
use crate::model::{Known, WhyUnknown};
use serde_json::{Value, json};
use std::fmt;

/// What stands where something is not known.
const UNKNOWN: &str = "?";

impl Room {
    /// What there is: `80`, `80 of 84`, `?`.
    pub fn said(&self) -> String {
        let used = self.used.yes().map_or_else(|| UNKNOWN.to_owned(), short);
        match self.most {
            Known::Yes(Some(most)) => format!("{used} of {}", short(most)),
            _ => used,
        }
    }

    /// How many more: `4`, `5 too many`, `no limit`, `?`.
    pub fn said_left(&self) -> String {
        match (self.left(), self.most) {
            (Some(left), _) if left < 0 => format!("{} too many", short(left.unsigned_abs())),
            (Some(left), _) => short(left.unsigned_abs()),
            (None, Known::Yes(None)) => "no limit".to_owned(),
            (None, _) => UNKNOWN.to_owned(),
        }
    }
}

/// A number that fits into a column: `970`, `100k`, `1.2M`.
fn short(number: u64) -> String {
    match number {
        0..=9_999 => number.to_string(),
        10_000..=999_999 => format!("{}k", number / 1000),
        _ => format!("{}.{}M", number / 1_000_000, number % 1_000_000 / 100_000),
    }
}

impl Capacity {
    /// How many more tenants: `30`, `30 production or 60 development`.
    pub fn said_tenants_left(&self) -> String {
        match (self.development, self.tenants.left()) {
            (Some(development), Some(left)) => format!("{left} production or {development} development"),
            _ => self.tenants.said_left(),
        }
    }

    /// `30.0 of 150`
    pub fn said_rate(&self) -> String {
        let used = self.rate.map_or_else(|| UNKNOWN.to_owned(), |rate| format!("{rate:.1}"));
        format!("{used} of {:.0}", self.rate_most)
    }

    /// `3.0 GiB`
    pub fn said_database(&self, figures: &Figures) -> String {
        self.database_mib(figures).map_or_else(
            || UNKNOWN.to_owned(),
            |mib| if mib < 1024 { format!("{mib} MiB") } else { format!("{:.1} GiB", mib as f64 / 1024.0) },
        )
    }

    /// `12 % of 40 hosts, at most 61 %, 31 credits at least`
    pub fn said_measured(&self) -> String {
        let Some(it) = self.measured else { return UNKNOWN.to_owned() };
        let hosts = if it.hosts == 1 { "1 host".to_owned() } else { format!("{} hosts", it.hosts) };
        let credits =
            it.credits.map(|credits| format!(", {credits:.0} credits at least")).unwrap_or_default();
        format!("{:.0} % of {hosts}, at most {:.0} %{credits}", it.cpu, it.cpu_most)
    }

    /// `12 of 16 GiB`, what tasks reserved.
    pub fn said_memory(&self) -> String {
        let gib = |mib: u64| mib as f64 / 1024.0;
        self.memory.map_or_else(
            || UNKNOWN.to_owned(),
            |it| format!("{:.1} of {:.1} GiB", gib(it.used), gib(it.most)),
        )
    }

    /// What is not known of it, a sentence each.
    pub fn lacks(&self) -> Vec<String> {
        let mut lacks = Vec::new();
        let why = |why: WhyUnknown| match why {
            WhyUnknown::NotAsked => "not every core was asked ([cores] reach)",
            WhyUnknown::Pending => "it is being read",
            WhyUnknown::Trouble => "not every core told",
        };
        if self.cores.used == Known::No(WhyUnknown::NotAsked) {
            lacks.push(format!("cores, tenants and users: nobody has told of any; {INVENTORY}"));
        } else if let Known::No(no) = self.monthly.used {
            lacks.push(format!("monthly users and database: {}", why(no)));
        }
        if matches!(self.connections.most, Known::No(_)) {
            lacks
                .push("connections that its database takes: say max_connections under [capacity]".to_owned());
        }
        if let Growth::Unknown(why) = &self.growth {
            lacks.push(format!("growth: {why}"));
        }
        if let Growth::Unknown(why) = &self.monthly_growth {
            lacks.push(format!("growth of monthly users: {why}"));
        }
        lacks
    }
}

impl Density {
    /// `12 × t3.small: 6.7 cores a host, 7 on the fullest; 80 tenants`
    pub fn said(&self) -> String {
        let each = f64::from(self.cores) / f64::from(self.hosts.max(1));
        let tenants = self.tenants.map_or_else(|| UNKNOWN.to_owned(), |tenants| tenants.to_string());
        let busy = self.measured.map(|it| format!("; {:.0} % of processors", it.cpu)).unwrap_or_default();
        format!(
            "{} × {}: {each:.1} cores a host, {} on the fullest; {tenants} tenants{busy}",
            self.hosts, self.kind, self.cores_most
        )
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "instance_type": self.kind, "hosts": self.hosts, "cores": self.cores, "cores_most": self.cores_most,
            "tenants": self.tenants, "measured": self.measured.as_ref().map(Measured::json),
        })
    }
}

impl Measured {
    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "hosts": self.hosts, "cpu_percent": self.cpu, "cpu_percent_most": self.cpu_most,
            "credits_least": self.credits,
        })
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(why) => write!(f, "not known: {why}"),
            Self::Steady { over } => write!(f, "none in {} h", over.as_hours()),
            Self::Moves { per_day, full_at: Some(at), range, .. } => {
                let day = |at: &jiff::Timestamp| at.strftime("%Y-%m-%d").to_string();
                write!(f, "{per_day:+.1} a day, full on {}", day(at))?;
                match range {
                    None => Ok(()),
                    Some((early, Some(late))) => write!(f, " ({} to {})", day(early), day(late)),
                    Some((early, None)) => write!(f, " ({} or never)", day(early)),
                }
            }
            Self::Moves { per_day, full_at: None, .. } => write!(f, "{per_day:+.1} a day"),
        }
    }
}

impl Growth {
    /// For programs.
    pub fn json(&self, what: &str) -> Value {
        let pace = format!("{what}_per_day");
        match self {
            Self::Unknown(why) => json!({ pace: null, "full_at": null, "why_unknown": why }),
            Self::Steady { over } => {
                json!({ pace: 0.0, "full_at": null, "watched_hours": over.as_hours() })
            }
            Self::Moves { per_day, over, full_at, range } => json!({
                pace: per_day, "full_at": full_at.map(|at| at.to_string()),
                "full_at_earliest": range.map(|(early, _)| early.to_string()),
                "full_at_latest": range.and_then(|(_, late)| late).map(|at| at.to_string()),
                "watched_hours": over.as_hours(),
            }),
        }
    }
}
