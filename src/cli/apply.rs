//! `coredeck apply`: a plan that was written to a file is run, if nothing that it rests on has changed.

use super::Outside;
use super::args::Global;
use super::begin::{self, Manner};
use super::output::Output;
use crate::error::{Error, Result};
use crate::model::text::harmless;
use crate::ops::Plan;
use clap::Args;
use std::path::PathBuf;

/// No plan is longer.
const LONGEST: u64 = 64 << 20;

/// `coredeck apply`
#[derive(Args, Clone, Debug)]
pub(super) struct ApplyArgs {
    /// The plan
    #[arg(value_name = "PLAN", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    #[command(flatten)]
    manner: Manner,
}

impl ApplyArgs {
    /// Whether a program reads what is written.
    pub(super) fn is_json(&self) -> bool {
        self.manner.is_json()
    }
}

/// Runs a plan.
pub(super) fn run(args: &ApplyArgs, global: &Global, outside: &Outside, out: &mut Output) -> Result<()> {
    args.manner.check()?;
    let shown = harmless(&args.file.to_string_lossy()).into_owned();
    let failed = |why: std::io::Error| Error::usage(format!("cannot read the plan {shown}")).because(why);
    if std::fs::metadata(&args.file).map_err(failed)?.len() > LONGEST {
        return Err(Error::usage(format!("{shown} is too long to be a plan")));
    }
    let text = std::fs::read_to_string(&args.file).map_err(failed)?;
    let plan = Plan::parse(&text)?;
    super::block_on(begin::apply(plan, &args.manner, global, outside, out))
}
