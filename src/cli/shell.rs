//! `coredeck shell`: hands the terminal to `session-manager-plugin`, and takes it back.

mod plugin;

use super::Outside;
use super::args::Global;
use super::output::Output;
use super::reach::{self, Tools};
use crate::error::{Error, ErrorKind, Result};
use crate::fleet::Fleet;
use crate::gateway::Session;
use crate::logs::{Origin, Place, SOURCES, resolve};
use crate::model::text::harmless;
use crate::model::{Scope, Text};
use crate::ops::counter::{Aside, Declined};
use clap::Args;
use futures::FutureExt as _;
use futures::future::BoxFuture;
pub(super) use plugin::Plugin;
use std::sync::Arc;

/// What is run in a task where nothing is said.
const USUAL: &str = "/bin/sh";

/// `coredeck shell`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
A core on a docker host is entered by `docker exec`, a task by ECS exec, an instance by its own shell; all through
Systems Manager, with no port open. `core/acme` says which is meant. The exit code is the session's own.")]
pub(super) struct ShellArgs {
    /// A core, instance or task
    #[arg(value_name = "CORE|INSTANCE|TASK")]
    name: String,
    /// Which container of a task, where it has several
    #[arg(long, value_name = "NAME")]
    container: Option<String>,
    /// What is run in a task
    #[arg(long, value_name = "COMMAND", default_value = USUAL)]
    command: String,
    /// Put the document that leads into containers into an account that lacks it
    #[arg(short, long)]
    yes: bool,
}

/// What is entered, and how.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) container: Option<Text>,
    pub(super) command: Text,
    pub(super) may_put: bool,
}

impl Wanted {
    /// What the screen's row is.
    pub(super) fn named(name: String) -> Self {
        Self { name, container: None, command: USUAL.into(), may_put: false }
    }
}

/// Who opens shells while the screen stands aside.
struct Doorman(Tools);

impl Aside for Doorman {
    fn shell<'a>(&'a self, name: &'a str) -> BoxFuture<'a, std::result::Result<u8, Declined>> {
        async move { enter(&self.0, &Wanted::named(name.to_owned())).await.map_err(Declined::from) }.boxed()
    }
}

/// Who opens shells for a screen of this fleet.
pub(super) fn aside(tools: Tools) -> Arc<dyn Aside> {
    Arc::new(Doorman(tools))
}

/// Runs the command.
pub(super) async fn run(
    args: &ShellArgs,
    global: &Global,
    outside: &Outside,
    out: &mut Output,
) -> Result<()> {
    if global.demo {
        return Err(Error::usage("the pretended fleet of the demo has no shells"));
    }
    let reach = reach::open(global, outside, out).await?;
    let wanted = Wanted {
        name: args.name.clone(),
        container: args.container.as_ref().map(Text::from),
        command: args.command.as_str().into(),
        may_put: args.yes,
    };
    match enter(&reach.tools()?, &wanted).await? {
        0 => Ok(()),
        code => Err(Error::new(ErrorKind::Passed(code), format!("the session ended with {code}"))),
    }
}

/// Opens the session, and hands the terminal over until it ends. The exit code.
pub(super) async fn enter(tools: &Tools, wanted: &Wanted) -> Result<u8> {
    if tools.config.read_only {
        let error = Error::new(
            ErrorKind::Refused,
            "coredeck is in read-only mode, and whoever is inside can change things",
        );
        return Err(error.hint("run it without --read-only and read_only = true"));
    }
    let sessions = tools.hands.sessions.as_ref();
    let sessions = sessions.ok_or_else(|| Error::failed("this fleet has no way to open sessions"))?;
    // First, so that no session is opened that nobody could carry on.
    let plugin = Plugin::find().await?;
    let world = tools.once(&SOURCES).await;
    let (scope, session) = find(&world.fleet, wanted)?;
    let opened = sessions.open(&scope, &session, wanted.may_put).await.map_err(|trouble| {
        let error = Error::failed(format!("no session with '{}'", harmless(&wanted.name)));
        let error = error.because(harmless(&trouble.to_string()).into_owned());
        trouble.hint.iter().fold(error, |error, hint| error.hint(hint.clone()))
    })?;
    match plugin.carry_on(&opened).await {
        Ok(code) => Ok(code),
        Err(error) => {
            // It would end by itself; what keeps it from ending now is not what is to be told.
            let _ = sessions.end(&scope, &opened.id).await;
            Err(error)
        }
    }
}

/// What a name leads into.
fn find(fleet: &Fleet, wanted: &Wanted) -> Result<(Scope, Session)> {
    let typed = wanted.name.as_str();
    let (kind, name) = typed.split_once('/').map_or((None, typed), |(kind, name)| match kind {
        "core" | "instance" | "task" => (Some(kind), name),
        _ => (None, typed),
    });
    let is_core = fleet.cores.iter().any(|core| core.id.as_str() == name);
    let may_be_core = kind == Some("core") || (kind.is_none() && is_core);
    if !may_be_core && kind != Some("task") {
        let mut all =
            fleet.instances.iter().filter(|row| row.it.id.as_str() == name || row.it.name() == Some(name));
        match (all.next(), all.next()) {
            (Some(row), None) => {
                return Ok((Scope::clone(&row.scope), Session::Host { instance: row.it.id.clone() }));
            }
            (Some(_), Some(_)) => {
                let error = Error::usage(format!("several instances are called '{}'", harmless(name)));
                return Err(error.hint("name it by its id"));
            }
            (None, _) => {}
        }
    }
    let asked = if may_be_core { format!("core/{name}") } else { format!("task/{name}") };
    let found = resolve(fleet, &[asked]).map_err(|_| {
        Error::failed(format!("no core, instance or task is called '{}'", harmless(typed)))
            .hint("`coredeck get cores -o name` lists the cores")
    })?;
    match found.as_slice() {
        [Origin { scope, place, .. }] => Ok((Scope::clone(scope), session(place, wanted))),
        [] => Err(Error::failed(format!("it is not known where '{}' runs", harmless(name)))
            .hint("`coredeck inventory show` asks the hosts")),
        _ => Err(Error::usage(format!("several cores are called '{}'", harmless(name)))
            .hint("--profile or --region picks one")),
    }
}

fn session(place: &Place, wanted: &Wanted) -> Session {
    match place {
        Place::Container { instance, container } => {
            Session::Container { instance: instance.clone(), container: container.clone() }
        }
        Place::Task { cluster, task, .. } => Session::Task {
            cluster: cluster.clone(),
            task: task.clone(),
            container: wanted.container.clone(),
            command: wanted.command.clone(),
        },
    }
}
