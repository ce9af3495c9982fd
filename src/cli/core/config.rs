//! `coredeck core config`: settings of a domain, an app or a tenant.

use super::place::PlaceArgs;
use crate::cli::Outside;
use crate::cli::args::Global;
use crate::cli::begin::{self, Form, Manner};
use crate::cli::output::Output;
use crate::cli::reach;
use crate::error::{Error, Result};
use crate::model::setting::{is_open, reach as reach_of};
use crate::ops::intent::{ConfigWish, SettingWish};
use crate::ops::kinds::{Held, held};
use crate::ops::{Intent, Options, kind};
use crate::world::Interest;
use clap::{Args, Subcommand};
use std::collections::BTreeMap;

/// `coredeck core config`
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ConfigCommand {
    /// Show what holds, and where each of it is set; what is or may be a secret reads `(hidden)`
    Show(ShowArgs),
    /// Set, merge and take away settings; shown with who is affected before it is done
    Set(SetArgs),
}

/// `coredeck core config show`
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ShowArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Only what is not as it is where nobody sets anything
    #[arg(long)]
    changed: bool,
    /// How to write it
    #[arg(short, long, value_enum, default_value_t = Form::Text)]
    output: Form,
}

/// `coredeck core config set`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
A core merges what it is given: what is not named stays. Values are numbers, true, false, or texts; \"…\" is always a
text. What is or may be a secret is never typed: it is named by the SecureString that it lies in, and what was there is
kept in one, from which a rollback sets it back.
  coredeck core config set acme access_token_validity=7200 refresh_token_validity=100000 --dry-run
  coredeck core config set shared-1 --domain c1.example.com --secret postgresql_password=/coredeck/main/secrets/c1/pw
  coredeck core config set acme --tenant t1 --unset totp_max_attempts")]
pub(in crate::cli) struct SetArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// What to set
    #[arg(value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Set it to what lies in a SecureString; may be repeated
    #[arg(long = "secret", value_name = "KEY=PARAMETER")]
    secrets: Vec<String>,
    /// Take it away, so that what stands above holds; may be repeated
    #[arg(long = "unset", value_name = "KEY")]
    unset: Vec<String>,
    #[command(flatten)]
    manner: Manner,
}

impl ConfigCommand {
    /// How it is begun; none for what only looks.
    pub(super) fn manner(&self) -> Option<&Manner> {
        match self {
            Self::Show(_) => None,
            Self::Set(args) => Some(&args.manner),
        }
    }

    /// What was typed.
    pub(super) fn intent(&self) -> Result<Intent> {
        let (place, set) = match self {
            Self::Show(args) => (&args.place, BTreeMap::new()),
            Self::Set(args) => (&args.place, args.wishes()?),
        };
        let wish = ConfigWish { set, ..place.wish() };
        let options = Options { core_config: Some(Box::new(wish)), ..Options::default() };
        Ok(Intent { verb: "core config set".to_owned(), targets: vec![place.target.clone()], options })
    }
}

impl ShowArgs {
    /// Whether a program reads what is written.
    pub(super) fn is_json(&self) -> bool {
        self.output == Form::Json
    }
}

impl SetArgs {
    /// What was typed, by name. A value that may be a secret is not repeated by any error.
    fn wishes(&self) -> Result<BTreeMap<String, SettingWish>> {
        let mut all = Vec::new();
        for typed in &self.set {
            let Some((key, value)) = typed.split_once('=') else {
                return Err(Error::usage("what to set is written KEY=VALUE")
                    .hint("--unset KEY takes a setting away; coredeck core config set --help"));
            };
            if reach_of(key).is_some() && !is_open(key) {
                return Err(Error::usage(format!(
                    "{key} is or may hold a secret, and arguments are seen by everybody on this machine"
                ))
                .hint(format!("put it into a SecureString and say --secret {key}=PARAMETER"))
                .hint("what was typed may stand in your shell's history: change that secret"));
            }
            all.push((key, SettingWish::typed(value)));
        }
        for typed in &self.secrets {
            let Some((key, parameter)) = typed.split_once('=').filter(|(_, name)| name.starts_with('/'))
            else {
                return Err(Error::usage(
                    "--secret is written KEY=PARAMETER, and a parameter begins with a slash",
                )
                .hint("the secret itself is never typed"));
            };
            all.push((key, SettingWish::Secret { parameter: parameter.to_owned() }));
        }
        all.extend(self.unset.iter().map(|key| (key.as_str(), SettingWish::Unset)));
        let mut wishes = BTreeMap::new();
        for (key, wish) in all {
            if wishes.insert(key.to_owned(), wish).is_some() {
                return Err(Error::usage(format!("{key} is named twice")));
            }
        }
        if wishes.is_empty() {
            return Err(Error::usage("nothing is to be set").hint("coredeck core config set --help"));
        }
        Ok(wishes)
    }
}

/// Shows what holds.
pub(super) async fn show(
    args: &ShowArgs,
    global: &Global,
    outside: &Outside,
    out: &mut Output,
) -> Result<()> {
    let reach = reach::open(global, outside, out).await?;
    let world = reach.once(kind("core config set")?.sources, Interest::default(), None, out).await;
    let desk = begin::desk(&reach, &world)?;
    let (place, mut all) = held(&desk, &args.place.target, &args.place.wish()).await?;
    if args.changed {
        all.retain(|one| one.set_at.is_some());
    }
    if args.output == Form::Json {
        let rows = all.iter().map(|Held { key, value, default, set_at }| {
            serde_json::json!({ "key": key, "value": value, "default": default, "set_at": set_at })
        });
        return out.data(&crate::cli::json::document(&serde_json::Value::Array(rows.collect())));
    }
    out.say(&format!("{place}"));
    let wide = |pick: fn(&Held) -> &str| all.iter().map(|one| pick(one).chars().count()).max().unwrap_or(0);
    let (keys, values) = (wide(|one| &one.key), wide(|one| &one.value).min(60));
    let lines: String = all
        .iter()
        .map(|one| {
            let at = one.set_at.as_deref().unwrap_or("default");
            let line = format!("{:keys$}  {:values$}  {at}", one.key, one.value);
            format!("{}\n", crate::model::text::harmless(line.trim_end()))
        })
        .collect();
    out.data(&lines)
}
