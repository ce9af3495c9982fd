//! `coredeck core move`.

use super::carry::CarryArgs;
use super::power::PowerArgs;
use crate::cli::begin::Manner;
use crate::error::Result;
use crate::ops::Intent;
use crate::ops::intent::CoreWish;
use clap::Args;

/// `coredeck core move`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Each core is made on the other host, answers with the same keys, takes its traffic there, and only then leaves and stops here.
Where no host of its tier has room, or with `--host new`, one is launched from the tier's template, watched until it is ready,
and ended again if anything fails.
  coredeck core move dev-005
  coredeck core move acme --host new
  coredeck core move dev-001 dev-002 --host new --template dev-host:latest")]
pub(in crate::cli) struct MoveArgs {
    #[command(flatten)]
    power: PowerArgs,
    /// The host, by id or name, or `new`; without it the one that fits best, or a new one where none has room
    #[arg(long, value_name = "INSTANCE")]
    host: Option<String>,
    /// The launch template of a new host, by id or name, perhaps `NAME:VERSION`; without it the tier's
    #[arg(long, value_name = "TEMPLATE")]
    template: Option<String>,
    /// The subnet of a new host; without it the one with fewest hosts of the tier
    #[arg(long, value_name = "SUBNET")]
    subnet: Option<String>,
    /// The name of the SecureString with the API keys, {core} for the core's id; without it that of its entry
    #[arg(long, value_name = "PARAMETER")]
    api_key: Option<String>,
    /// The name of the SecureString with the database's address, {core} for the core's id; without it that of its entry
    #[arg(long, value_name = "PARAMETER")]
    database: Option<String>,
    #[command(flatten)]
    carry: CarryArgs,
}

impl MoveArgs {
    /// How it is begun and followed.
    pub(in crate::cli) fn manner(&self) -> &Manner {
        self.power.manner()
    }

    /// What was typed.
    pub(in crate::cli) fn intent(&self) -> Result<Intent> {
        let mut intent = self.power.intent("core move")?;
        intent.options.core = Some(Box::new(CoreWish {
            host: self.host.clone(),
            template: self.template.clone(),
            subnet: self.subnet.clone(),
            api_key: self.api_key.clone(),
            database: self.database.clone(),
            carry: self.carry.carry()?,
            ..CoreWish::default()
        }));
        Ok(intent)
    }
}
