//! The columns of a kind by their names, also by those that others have for them, and which of them show.

use super::{Kind, Width};
use crate::error::{Error, did_you_mean};
use crate::fleet::Fleet;
use crate::query::columns::{Column, Shown};

impl Kind {
    /// The column of that name, or the nearest one as a suggestion. Case does not matter, and `-` is `_`.
    pub fn column(self, name: &str) -> Result<&'static Column, Error> {
        let typed = name.trim().to_lowercase().replace('-', "_");
        if let Some(column) = self.columns().iter().find(|column| column.name == typed) {
            return Ok(column);
        }
        if let Some(column) = self.alias(&typed) {
            return Ok(column);
        }
        let error =
            Error::usage(format!("{} have no column '{}'", self.word(), crate::model::text::harmless(name)));
        Err(match self.nearest_column(&typed) {
            Some(near) => error.hint(format!("did you mean '{near}'?")),
            None => error,
        }
        .hint(format!(
            "columns are {}",
            self.columns().iter().map(|c| c.name).collect::<Vec<_>>().join(", ")
        )))
    }

    /// The name of the column that `typed` most likely means, for a suggestion.
    pub fn nearest_column(self, typed: &str) -> Option<&'static str> {
        let elsewhere = ALIASES.iter().find(|(alias, _)| *alias == typed).map(|(_, name)| *name);
        did_you_mean(elsewhere.unwrap_or(typed), self.columns().iter().map(|column| column.name))
    }

    /// The column that AWS's tools, or another kind here, would call by that name.
    fn alias(self, typed: &str) -> Option<&'static Column> {
        let own = self.singular();
        let meant = match typed {
            "instance_id" if self == Self::Instances => "id",
            "image" | "ami" if self == Self::Images => "id",
            _ if typed == own || typed.strip_suffix("_name") == Some(own) => "name",
            _ => ALIASES.iter().find(|(alias, _)| *alias == typed)?.1,
        };
        self.columns().iter().find(|column| column.name == meant)
    }

    /// The columns of a table: those that always show, with account and region in front as soon as
    /// there is more than one of them; and in wide tables everything that costs nothing.
    pub fn visible(self, fleet: &Fleet, width: Width) -> Vec<&'static Column> {
        let spread = fleet.spread();
        let in_front = |column: &Column| match column.name {
            "account" => spread.accounts,
            "region" => spread.regions,
            _ => false,
        };
        let most = match width {
            Width::Narrow => Shown::Always,
            Width::Wide => Shown::Wide,
        };
        let columns = self.columns();
        let (front, rest): (Vec<_>, Vec<_>) = columns.iter().partition(|column| in_front(column));
        front.into_iter().chain(rest.into_iter().filter(|column| column.shown <= most)).collect()
    }
}

/// What AWS and its tools call a column, and what we call it, where a kind has such a column.
const ALIASES: [(&str, &str); 23] = [
    ("az", "zone"),
    ("availability_zone", "zone"),
    ("asg", "group"),
    ("ip", "private_ip"),
    ("private_ip_address", "private_ip"),
    ("public_ip_address", "public_ip"),
    ("instance_type", "type"),
    ("instance_id", "instance"),
    ("ami", "image_id"),
    ("image", "image_id"),
    ("launch_time", "launched_at"),
    ("launch_template", "template"),
    ("status", "state"),
    ("state", "status"),
    ("desired_capacity", "desired"),
    ("min_size", "min"),
    ("max_size", "max"),
    ("host", "instance"),
    ("tag", "tags"),
    ("memory_mib", "memory"),
    ("time", "called_at"),
    ("error", "code"),
    ("action", "call"),
];
