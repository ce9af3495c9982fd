//! `coredeck core upgrade`.

use super::power::PowerArgs;
use crate::cli::begin::Manner;
use crate::error::Result;
use crate::ops::Intent;
use crate::ops::intent::CoreWish;
use clap::Args;

/// `coredeck core upgrade`
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct UpgradeArgs {
    #[command(flatten)]
    power: PowerArgs,
    /// The version, a tag of the image that each has; or a whole image, name/name:tag
    #[arg(long, value_name = "VERSION|IMAGE")]
    to: String,
    /// Take an older version although the database may have a newer schema
    #[arg(long)]
    allow_downgrade: bool,
}

impl UpgradeArgs {
    /// How it is begun and followed.
    pub(in crate::cli) fn manner(&self) -> &Manner {
        self.power.manner()
    }

    /// What was typed.
    pub(in crate::cli) fn intent(&self) -> Result<Intent> {
        let mut intent = self.power.intent("core upgrade")?;
        intent.options.core = Some(Box::new(CoreWish {
            image: Some(self.to.clone()),
            allow_downgrade: self.allow_downgrade,
            ..CoreWish::default()
        }));
        Ok(intent)
    }
}
