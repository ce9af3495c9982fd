//! `coredeck core`: what is done to cores.

mod carry;
mod config;
mod create;
mod keys;
mod place;
mod power;
mod relocate;
mod upgrade;

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
    /// Make cores on the hosts that fit best or on new ones, enter them into the registry, and lead traffic to them
    Create(Box<create::CreateArgs>),
    /// Restart cores: out of their load balancer, stopped, started, answering, and back
    Restart(power::RestartArgs),
    /// Stop cores, after their traffic has left
    Stop(power::PowerArgs),
    /// Start cores that were stopped, and give them their traffic back
    Start(power::PowerArgs),
    /// Give cores another version, one replica of a target group after the other
    Upgrade(upgrade::UpgradeArgs),
    /// Give cores another host: made there, serving there, and only then stopped here
    Move(relocate::MoveArgs),
    /// Show and set what a core is configured with, by its own call
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Replace a customer's API key while nobody is locked out
    #[command(subcommand)]
    Keys(keys::KeysCommand),
}

impl CoreCommand {
    /// How an operation is begun; none for what only looks.
    fn manner(&self) -> Option<&Manner> {
        match self {
            Self::Create(args) => Some(args.manner()),
            Self::Restart(args) => Some(args.manner()),
            Self::Stop(args) | Self::Start(args) => Some(args.manner()),
            Self::Upgrade(args) => Some(args.manner()),
            Self::Move(args) => Some(args.manner()),
            Self::Config(command) => command.manner(),
            Self::Keys(command) => Some(command.manner()),
        }
    }

    /// Whether a program reads what is written.
    pub(super) fn is_json(&self) -> bool {
        match (self, self.manner()) {
            (Self::Config(config::ConfigCommand::Show(args)), _) => args.is_json(),
            (_, manner) => manner.is_some_and(Manner::is_json),
        }
    }

    fn intent(&self) -> Result<Intent> {
        match self {
            Self::Create(args) => args.intent(),
            Self::Restart(args) => args.intent(),
            Self::Stop(args) => args.intent("core stop"),
            Self::Start(args) => args.intent("core start"),
            Self::Upgrade(args) => args.intent(),
            Self::Move(args) => args.intent(),
            Self::Config(command) => command.intent(),
            Self::Keys(command) => Ok(command.intent()),
        }
    }
}

/// Plans what was typed, and does with the plan what was asked.
pub(super) fn run(command: &CoreCommand, global: &Global, outside: &Outside, out: &mut Output) -> Result<()> {
    if let CoreCommand::Config(config::ConfigCommand::Show(args)) = command {
        return super::block_on(config::show(args, global, outside, out));
    }
    if let CoreCommand::Keys(keys) = command {
        keys.check(global, outside)?;
    }
    let intent = command.intent()?;
    let Some(manner) = command.manner() else { return Ok(()) };
    manner.check()?;
    super::block_on(begin::plan_and_run(intent, manner, global, outside, out))
}
