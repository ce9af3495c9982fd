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
pub(in crate::cli) struct MoveArgs {
    #[command(flatten)]
    power: PowerArgs,
    /// The host, by id or name; without it the one that fits best
    #[arg(long, value_name = "INSTANCE")]
    host: Option<String>,
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
            api_key: self.api_key.clone(),
            database: self.database.clone(),
            carry: self.carry.carry()?,
            ..CoreWish::default()
        }));
        Ok(intent)
    }
}
