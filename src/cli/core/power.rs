//! `coredeck core restart`, `core stop` and `core start`.

use crate::cli::begin::Manner;
use crate::cli::verbs::GuardArgs;
use crate::error::Result;
use crate::ops::Intent;
use crate::ops::intent::{CoreWish, Traffic};
use clap::{Args, ValueEnum};

/// `coredeck core stop`, `coredeck core start`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Hosts are told through Systems Manager, by documents of our own. Replicas behind one target group go one after the
other: coredeck core restart shared-prod-1 shared-prod-2 --reason 'stuck threads'")]
pub(in crate::cli) struct PowerArgs {
    /// Ids of cores, as `coredeck get cores` lists them
    #[arg(required = true, value_name = "CORE")]
    targets: Vec<String>,
    /// Go on although no other replica of a core is healthy, or its group may replace its host
    #[arg(long)]
    override_verdict: bool,
    #[command(flatten)]
    guards: GuardArgs,
    #[command(flatten)]
    manner: Manner,
}

/// `coredeck core restart`
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct RestartArgs {
    #[command(flatten)]
    power: PowerArgs,
    /// Whether traffic is led away first: where another target is healthy, in any case, or not at all
    #[arg(long, value_enum, default_value_t = Led::WhereServed, value_name = "HOW")]
    traffic: Led,
}

/// `--traffic`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Led {
    /// Where another target of the group is healthy
    WhereServed,
    /// In any case
    Drain,
    /// Not at all
    Keep,
}

impl PowerArgs {
    /// How it is begun and followed.
    pub(in crate::cli) fn manner(&self) -> &Manner {
        &self.manner
    }

    /// What was typed.
    pub(in crate::cli) fn intent(&self, verb: &str) -> Result<Intent> {
        let mut options = self.guards.options()?;
        options.override_verdict = self.override_verdict;
        Ok(Intent { verb: verb.to_owned(), targets: self.targets.clone(), options })
    }
}

impl RestartArgs {
    /// How it is begun and followed.
    pub(in crate::cli) fn manner(&self) -> &Manner {
        self.power.manner()
    }

    /// What was typed.
    pub(in crate::cli) fn intent(&self) -> Result<Intent> {
        let mut intent = self.power.intent("core restart")?;
        let traffic = match self.traffic {
            Led::WhereServed => Traffic::WhereServed,
            Led::Drain => Traffic::Drain,
            Led::Keep => Traffic::Keep,
        };
        let wish = CoreWish { traffic };
        intent.options.core = (wish != CoreWish::default()).then(|| Box::new(wish));
        Ok(intent)
    }
}
