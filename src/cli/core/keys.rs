//! `coredeck core keys`: two keys valid, then one.

use super::place::PlaceArgs;
use crate::cli::Outside;
use crate::cli::args::Global;
use crate::cli::begin::Manner;
use crate::config::{Surroundings, load};
use crate::error::{Error, Result};
use crate::ops::kinds::ways_to_a_key;
use crate::ops::{Intent, Options};
use clap::{Args, Subcommand};

/// `coredeck core keys`
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum KeysCommand {
    /// Let a new API key be valid beside the present one, on every replica
    Rotate(RotateArgs),
    /// Let only one API key stay valid, when the customer's backends have it
    Retire(RetireArgs),
}

/// `coredeck core keys rotate`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
The key itself is never typed, shown or kept by coredeck: it lies in a SecureString. What is valid now is kept in one
too (/coredeck/FLEET/kept/…), from which a rollback sets it back.
  coredeck core keys rotate acme --generate /coredeck/main/secrets/acme/key-2
  coredeck core keys retire acme --keep /coredeck/main/secrets/acme/key-2     when its backends have it")]
pub(in crate::cli) struct RotateArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The SecureString with the new key
    #[arg(long, value_name = "PARAMETER")]
    new: Option<String>,
    /// Make a random key and put it into this SecureString, which must not be there yet
    #[arg(long, value_name = "PARAMETER", conflicts_with = "new")]
    generate: Option<String>,
    #[command(flatten)]
    manner: Manner,
}

/// `coredeck core keys retire`
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct RetireArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The SecureString with the key that stays
    #[arg(long, value_name = "PARAMETER")]
    keep: String,
    #[command(flatten)]
    manner: Manner,
}

impl KeysCommand {
    /// How it is begun.
    pub(super) fn manner(&self) -> &Manner {
        match self {
            Self::Rotate(args) => &args.manner,
            Self::Retire(args) => &args.manner,
        }
    }

    /// Finds what was left out before anything is read.
    pub(super) fn check(&self, global: &Global, outside: &Outside) -> Result<()> {
        let Self::Rotate(args) = self else { return Ok(()) };
        if args.new.is_some() || args.generate.is_some() {
            return Ok(());
        }
        let around = if global.demo { &Surroundings::default() } else { &outside.around };
        let config = load(&global.flags(), around)?.config;
        let ways = ways_to_a_key(config.fleet.as_str(), &args.place.target, &args.place.typed(), None);
        Err(ways.into_iter().fold(Error::usage("no new key was named"), Error::hint))
    }

    /// What was typed.
    pub(super) fn intent(&self) -> Intent {
        let (verb, place) = match self {
            Self::Rotate(args) => ("core keys rotate", &args.place),
            Self::Retire(args) => ("core keys retire", &args.place),
        };
        let mut wish = place.wish();
        match self {
            Self::Rotate(args) => (wish.new_key, wish.generate) = (args.new.clone(), args.generate.clone()),
            Self::Retire(args) => wish.keep_key = Some(args.keep.clone()),
        }
        let options = Options { core_config: Some(Box::new(wish)), ..Options::default() };
        Intent { verb: verb.to_owned(), targets: vec![place.target.clone()], options }
    }
}
