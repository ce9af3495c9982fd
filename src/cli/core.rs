//! `coredeck core`: what is done to cores.

mod power;

use super::Outside;
use super::args::Global;
use super::begin::{self, Manner};
use super::output::Output;
use crate::error::Result;
use crate::ops::Intent;
use clap::Subcommand;

/// `coredeck core …`
#[derive(Debug, Subcommand)]
pub(super) enum CoreCommand {
    /// Restart cores: out of their load balancer, stopped, started, answering, and back
    Restart(power::RestartArgs),
    /// Stop cores, after their traffic has left
    Stop(power::PowerArgs),
    /// Start cores that were stopped, and give them their traffic back
    Start(power::PowerArgs),
}

impl CoreCommand {
    fn manner(&self) -> &Manner {
        match self {
            Self::Restart(args) => args.manner(),
            Self::Stop(args) | Self::Start(args) => args.manner(),
        }
    }

    /// Whether a program reads what is written.
    pub(super) fn is_json(&self) -> bool {
        self.manner().is_json()
    }

    fn intent(&self) -> Result<Intent> {
        match self {
            Self::Restart(args) => args.intent(),
            Self::Stop(args) => args.intent("core stop"),
            Self::Start(args) => args.intent("core start"),
        }
    }
}

/// Plans what was typed, and does with the plan what was asked.
pub(super) fn run(command: &CoreCommand, global: &Global, outside: &Outside, out: &mut Output) -> Result<()> {
    let intent = command.intent()?;
    let manner = command.manner();
    manner.check()?;
    super::block_on(begin::plan_and_run(intent, manner, global, outside, out))
}
