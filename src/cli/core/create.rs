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
Each core goes to the fullest host of its tier that still has room, by density and memory. Where none has, one instance is
launched from the tier's template, watched until it is ready, and ended again if anything fails. Its secrets are named, never
given: the host reads them from SecureStrings by its own role. What fails is taken back.
  coredeck core create acme-dev --tier development
  coredeck core create acme --tier production --host new --target-group core-acme
  coredeck core create shared-prod-3 --like shared-prod-1 --database /coredeck/main/secrets/shared-prod/database-uri")]
pub(in crate::cli) struct CreateArgs {
    /// Ids of the new cores
    #[arg(required = true, value_name = "CORE")]
    targets: Vec<String>,
    /// Their tier; needed unless --like names a core
    #[arg(long, value_name = "TIER")]
    tier: Option<String>,
    /// A core that they are replicas of: its tier, image, secrets and target groups. Where it is a task of an ECS
    /// service, the service gets as many tasks more
    #[arg(long, value_name = "CORE")]
    like: Option<String>,
    /// Their image with its tag; without it the one that most cores of the tier have
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// The host, by id or name, or `new`; without it the one that fits best, or a new one where none has room
    #[arg(long, value_name = "INSTANCE")]
    host: Option<String>,
    /// The launch template of a new host, by id or name, perhaps `NAME:VERSION`; without it the tier's
    #[arg(long, value_name = "TEMPLATE")]
    template: Option<String>,
    /// The subnet of a new host; without it the one with fewest hosts of the tier
    #[arg(long, value_name = "SUBNET")]
    subnet: Option<String>,
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
    /// Make replicas of a service although its hosts have no room, or its database too few connections
    #[arg(long)]
    override_verdict: bool,
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
        options.override_verdict = self.override_verdict;
        options.core = Some(Box::new(CoreWish {
            tier: self.tier.clone(),
            like: self.like.clone(),
            image: self.image.clone(),
            host: self.host.clone(),
            template: self.template.clone(),
            subnet: self.subnet.clone(),
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
