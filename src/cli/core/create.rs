//! `coredeck core create`.

use super::carry::CarryArgs;
use crate::cli::begin::Manner;
use crate::cli::verbs::GuardArgs;
use crate::error::Result;
use crate::ops::Intent;
use crate::ops::intent::CoreWish;
use clap::Args;

/// `coredeck core create`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Each core goes to the fullest host of its tier that still has room, by density and memory. Its secrets are named, never
given: the host reads them from SecureStrings by its own role. What fails is taken back.
  coredeck core create acme-dev --tier development
  coredeck core create shared-prod-3 --like shared-prod-1 --database /coredeck/main/secrets/shared-prod/database-uri")]
pub(in crate::cli) struct CreateArgs {
    /// Ids of the new cores
    #[arg(required = true, value_name = "CORE")]
    targets: Vec<String>,
    /// Their tier
    #[arg(long, value_name = "TIER", required_unless_present = "like")]
    tier: Option<String>,
    /// A core that they are replicas of: its tier, image, secrets and target groups
    #[arg(long, value_name = "CORE")]
    like: Option<String>,
    /// Their image with its tag; without it the one that most cores of the tier have
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// The host, by id or name; without it the one that fits best
    #[arg(long, value_name = "INSTANCE")]
    host: Option<String>,
    /// MiB that each may use; without it its share of the host
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(128..=262_144))]
    memory: Option<u32>,
    /// The name of the SecureString with the API keys, {core} for the core's id
    #[arg(long, value_name = "PARAMETER")]
    api_key: Option<String>,
    /// The name of the SecureString with the database's address, {core} for the core's id
    #[arg(long, value_name = "PARAMETER")]
    database: Option<String>,
    /// A target group that they are put into, by name; may be repeated
    #[arg(long = "target-group", value_name = "NAME")]
    target_groups: Vec<String>,
    #[command(flatten)]
    carry: CarryArgs,
    #[command(flatten)]
    guards: GuardArgs,
    #[command(flatten)]
    manner: Manner,
}

impl CreateArgs {
    /// How it is begun and followed.
    pub(in crate::cli) fn manner(&self) -> &Manner {
        &self.manner
    }

    /// What was typed.
    pub(in crate::cli) fn intent(&self) -> Result<Intent> {
        let mut options = self.guards.options()?;
        options.core = Some(Box::new(CoreWish {
            tier: self.tier.clone(),
            like: self.like.clone(),
            image: self.image.clone(),
            host: self.host.clone(),
            memory_mib: self.memory,
            api_key: self.api_key.clone(),
            database: self.database.clone(),
            target_groups: self.target_groups.clone(),
            carry: self.carry.carry()?,
            ..CoreWish::default()
        }));
        Ok(Intent { verb: "core create".to_owned(), targets: self.targets.clone(), options })
    }
}
