//! `coredeck shell`: hands the terminal to `session-manager-plugin`, and takes it back.

mod plugin;

use super::Outside;
use super::args::Global;
use super::output::Output;
use super::reach::{self, Shown, Tools};
use crate::error::{Error, ErrorKind, Result};
use crate::fleet::Fleet;
use crate::gateway::{Opened, Session, Sessions};
use crate::logs::{Origin, PLACES, Place, Sought, resolve};
use crate::model::text::harmless;
use crate::model::{Scope, Text};
use crate::ops::counter::{Aside, Declined, Inside};
use clap::Args;
use futures::FutureExt as _;
use futures::future::BoxFuture;
pub(super) use plugin::Plugin;
use std::sync::Arc;
use std::time::Duration;

/// How long the end of a session may keep whoever left it.
const ENDS: Duration = Duration::from_secs(3);
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
struct Wanted {
    sought: Sought,
    container: Option<Text>,
    command: Text,
    may_put: bool,
}

impl Wanted {
    /// What the screen's row is.
    fn of(sought: Sought) -> Self {
        Self { sought, container: None, command: USUAL.into(), may_put: false }
    }
}

/// Who opens shells beside a screen.
struct Doorman {
    tools: Tools,
    shown: Shown,
}

impl Aside for Doorman {
    fn open(&self, of: Sought) -> BoxFuture<'static, std::result::Result<Box<dyn Inside>, Declined>> {
        let (tools, shown) = (self.tools.clone(), self.shown.clone());
        async move {
            let name = of.name.clone();
            let open = open(&tools, Some(&shown), &Wanted::of(of)).await;
            let open = open.map_err(|error| at_the_screen(&name, Declined::from(error)))?;
            Ok(Box::new(open) as Box<dyn Inside>)
        }
        .boxed()
    }
}

/// What a screen says in one line, which may be short: first what is to be typed.
fn at_the_screen(name: &str, declined: Declined) -> Declined {
    match declined.hints.iter().any(|hint| hint.contains("--yes")) {
        true => Declined {
            what: format!("say once `coredeck shell {name} --yes`: it puts there what leads inside"),
            why: declined.why,
            hints: Vec::new(),
        },
        false => declined,
    }
}

/// Who opens shells for a screen of this fleet that shows this.
pub(super) fn aside(tools: Tools, shown: Shown) -> Arc<dyn Aside> {
    Arc::new(Doorman { tools, shown })
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
    let reach = reach::open_unguarded(global, outside, out).await?;
    let wanted = Wanted {
        sought: Sought::anywhere(args.name.as_str()),
        container: args.container.as_ref().map(Text::from),
        command: args.command.as_str().into(),
        may_put: args.yes,
    };
    match open(&reach.tools()?, None, &wanted).await?.enter().await? {
        0 => Ok(()),
        code => Err(Error::new(ErrorKind::Passed(code), format!("the session ended with {code}"))),
    }
}

/// A session that is open, and who carries it on.
struct Open {
    sessions: Arc<dyn Sessions>,
    plugin: Plugin,
    scope: Scope,
    opened: Opened,
}

impl Open {
    /// Hands the terminal over until it ends. The exit code.
    async fn enter(self) -> Result<u8> {
        let ended = self.plugin.carry_on(&self.opened).await;
        // A plugin that ends well may have left the session open all the same.
        self.end().await;
        ended
    }

    async fn end(&self) {
        // It would end by itself; what keeps it from ending now is not what is to be told.
        let _ = tokio::time::timeout(ENDS, self.sessions.end(&self.scope, &self.opened.id)).await;
    }
}

impl Inside for Open {
    fn carry_on(self: Box<Self>) -> BoxFuture<'static, std::result::Result<u8, Declined>> {
        async move { self.enter().await.map_err(Declined::from) }.boxed()
    }

    fn give_up(self: Box<Self>) -> BoxFuture<'static, ()> {
        async move { self.end().await }.boxed()
    }
}

/// Opens a session. Nothing of it touches the terminal.
async fn open(tools: &Tools, shown: Option<&Shown>, wanted: &Wanted) -> Result<Open> {
    if tools.config.read_only {
        let error = Error::new(
            ErrorKind::Refused,
            "coredeck is in read-only mode, and whoever is inside can change things",
        );
        return Err(error.hint("run it without --read-only and read_only = true"));
    }
    let sessions = tools.hands.sessions.clone();
    let sessions = sessions.ok_or_else(|| Error::failed("this fleet has no way to open sessions"))?;
    // First, so that no session is opened that nobody could carry on.
    let plugin = Plugin::find().await?;
    let (scope, session) = {
        // A large fleet is not held for as long as somebody is inside.
        let world = tools.at_hand(shown, &PLACES, wanted.sought.scope.as_deref()).await;
        find(&world.fleet, wanted)?
    };
    let opened = sessions.open(&scope, &session, wanted.may_put).await.map_err(|trouble| {
        let error = Error::failed(format!("no session with '{}'", harmless(&wanted.sought.name)));
        let error = error.because(harmless(&trouble.to_string()).into_owned());
        trouble.hint.iter().fold(error, |error, hint| error.hint(hint.clone()))
    })?;
    Ok(Open { sessions, plugin, scope, opened })
}

/// What a name leads into.
fn find(fleet: &Fleet, wanted: &Wanted) -> Result<(Scope, Session)> {
    let sought = &wanted.sought;
    let typed = sought.name.as_str();
    let is_in = |scope: &Scope| sought.scope.as_deref().is_none_or(|wanted| wanted == scope);
    let (kind, name) = typed.split_once('/').map_or((None, typed), |(kind, name)| match kind {
        "core" | "instance" | "task" => (Some(kind), name),
        _ => (None, typed),
    });
    let is_core = fleet.cores.iter().any(|core| core.id.as_str() == name);
    let may_be_core = kind == Some("core") || (kind.is_none() && is_core);
    if !may_be_core && kind != Some("task") {
        let mut all = fleet
            .instances
            .iter()
            .filter(|row| is_in(&row.scope) && (row.it.id.as_str() == name || row.it.name() == Some(name)));
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
    let asked = Sought { name: asked, scope: sought.scope.clone() };
    let found = resolve(fleet, &[asked]).map_err(|_| {
        let error = Error::failed(format!("no core, instance or task is called '{}'", harmless(typed)));
        match typed.strip_prefix("tenant/") {
            Some(tenant) => {
                error.hint(format!("`coredeck describe tenant {}` names its core", harmless(tenant)))
            }
            None => error.hint("`coredeck get cores -o name` lists the cores"),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_says_first_what_is_to_be_typed() {
        let error = Error::failed("no session")
            .because("the document is not there".to_owned())
            .hint("say --yes once");
        let said = at_the_screen("core/dev-001", Declined::from(error)).line();
        assert!(
            said.starts_with("say once `coredeck shell core/dev-001 --yes`: ")
                && said.contains("is not there")
        );
        let other = Declined::from(Error::failed("no session").hint("describe it"));
        assert_eq!(at_the_screen("x", other.clone()), other);
    }
}
