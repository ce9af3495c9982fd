//! What a new container is made with besides: settings, secrets by their names, and what it does without.

use crate::error::{Error, Result};
use crate::ops::intent::Carry;
use clap::Args;
use std::collections::BTreeMap;

/// `--setting`, `--secret`, `--without`
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct CarryArgs {
    /// A variable that holds no secret, with its value; may be repeated
    #[arg(long = "setting", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// A variable that holds a secret, with the name of the SecureString that holds it; may be repeated
    #[arg(long = "secret", value_name = "NAME=PARAMETER")]
    secrets: Vec<String>,
    /// A variable of the old container that the new one does without, or mounts, network, ports, entrypoint, lines,
    /// log; may be repeated
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
}

impl CarryArgs {
    /// What was typed.
    pub(super) fn carry(&self) -> Result<Carry> {
        let pairs = |all: &[String], option: &str, like: &str| -> Result<BTreeMap<String, String>> {
            let pair = |text: &String| match text.split_once('=') {
                Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
                // What was typed may be a secret.
                _ => Err(Error::usage(format!("{option} takes a name and a value"))
                    .hint(format!("{option} {like}"))),
            };
            all.iter().map(pair).collect()
        };
        Ok(Carry {
            settings: pairs(&self.settings, "--setting", "BASE_PATH=/auth")?,
            secrets: pairs(&self.secrets, "--secret", "SUPERTOKENS_SAAS_SECRET=/coredeck/main/secrets/saas")?,
            without: self.without.iter().cloned().collect(),
        })
    }
}
