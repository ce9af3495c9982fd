//! `coredeck core`: what is done to a core itself.

mod config;
mod keys;

use super::Outside;
use super::args::Global;
use super::output::Output;
use crate::error::Result;
use crate::ops::intent::CoreWish;
use clap::{Args, Subcommand};

/// `coredeck core`
#[derive(Debug, Subcommand)]
pub(super) enum CoreCommand {
    /// Show and set what a core is configured with, by its own call
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Replace a customer's API key while nobody is locked out
    #[command(subcommand)]
    Keys(keys::KeysCommand),
}

/// Which place of a core is meant.
#[derive(Args, Clone, Debug)]
pub(super) struct PlaceArgs {
    /// A core, or a tenant of the registry, which means its core and its domain
    #[arg(value_name = "CORE|TENANT")]
    pub(super) target: String,
    /// The connection URI domain, where the core is named
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// The app, where it is not `public`
    #[arg(long, value_name = "APP")]
    app: Option<String>,
    /// The tenant, where it is not `public`
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// The SecureString with the secret of the shared core (supertokens_saas_secret), which protected settings take
    #[arg(long, value_name = "PARAMETER")]
    key_parameter: Option<String>,
}

impl PlaceArgs {
    /// A wish for it that says nothing yet.
    pub(super) fn wish(&self) -> CoreWish {
        CoreWish {
            domain: self.domain.clone(),
            app: self.app.clone(),
            tenant: self.tenant.clone(),
            key_parameter: self.key_parameter.clone(),
            ..CoreWish::default()
        }
    }
}

impl CoreCommand {
    /// Whether a program reads what is written.
    pub(super) fn is_json(&self) -> bool {
        match self {
            Self::Config(command) => command.is_json(),
            Self::Keys(command) => command.is_json(),
        }
    }
}

/// Runs the command.
pub(super) fn run(command: &CoreCommand, global: &Global, outside: &Outside, out: &mut Output) -> Result<()> {
    match command {
        CoreCommand::Config(command) => config::run(command, global, outside, out),
        CoreCommand::Keys(command) => keys::run(command, global, outside, out),
    }
}
