//! The verbs that change something: what was typed becomes an intent.

use super::Outside;
use super::args::Global;
use super::begin::{self, Manner};
use super::care::{CleanArgs, ShareArgs, TuneArgs};
use super::op::Place;
use super::output::Output;
use super::refresh::RefreshArgs;
use super::rollout::RolloutArgs;
use crate::error::{Error, Result};
use crate::ops::intent::RefreshWish;
use crate::ops::kept::asked;
use crate::ops::{Intent, OnTimeout, Options, Then};
use clap::{Args, Subcommand, ValueEnum};

/// The verbs.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Empty instances: of service tasks, traffic and, if asked, other containers
    Drain(DrainArgs),
    /// Let drained container instances take tasks again
    Undrain(PlainArgs),
    /// Protect members of groups from scale-in
    Protect(PlainArgs),
    /// Let groups scale their members in again
    Unprotect(PlainArgs),
    /// Take members out of service and of the load balancer, and keep them
    Standby(ReplaceArgs),
    /// Put members back into service from standby
    Return(PlainArgs),
    /// Suspend processes of groups: Launch, Terminate, InstanceRefresh, …
    Suspend(ProcessArgs),
    /// Resume processes of groups; `coredeck op resume` resumes an operation
    Resume(ProcessArgs),
    /// Set how many instances a group, or tasks a service, has
    Scale(ScaleArgs),
    /// Replace the instances of groups by ones of a template version, by Auto Scaling's own refresh
    Refresh(Box<RefreshArgs>),
    /// Give groups another image: a new template version, tried by a few, judged, and then by all, in waves
    Rollout(Box<RolloutArgs>),
    /// Set how much of mixed groups is spot, which types they launch, and how spot is chosen
    SpotShare(Box<ShareArgs>),
    /// Delete old versions of launch templates, and images that only they launch
    Clean(Box<CleanArgs>),
    /// Set termination policies, warm-up, capacity rebalancing and maintenance policy of groups
    Tune(Box<TuneArgs>),
    /// Replace all tasks of services by new ones of the same definition
    Redeploy(PlainArgs),
    /// Stop instances or tasks
    Stop(PlainArgs),
    /// Start instances that are stopped
    Start(PlainArgs),
    /// Reboot instances
    Reboot(PlainArgs),
    /// End instances, through their group where they have one, or tasks
    Terminate(ReplaceArgs),
}

/// What every verb takes.
#[derive(Args, Clone, Debug)]
pub(super) struct PlainArgs {
    /// Ids or names; a service may be written `cluster/service`
    #[arg(required = true, value_name = "TARGET")]
    pub(super) targets: Vec<String>,
    #[command(flatten)]
    pub(super) guards: GuardArgs,
    #[command(flatten)]
    pub(super) manner: Manner,
}

/// How far guards reach.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct GuardArgs {
    /// What happens to a target that takes too long
    #[arg(long, value_enum, default_value_t = Late::Undo, value_name = "WHAT")]
    on_timeout: Late,
    /// How long a target may take to become empty, or a deployment to end: 30m, 2h
    #[arg(long, value_name = "DURATION")]
    patience: Option<String>,
    /// At most so many of a tier unavailable at once, instead of what the configuration says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_unavailable: Option<u32>,
    /// Let the tier's budget be
    #[arg(long)]
    override_budget: bool,
    /// Take no notice of the tag coredeck:do-not-disrupt
    #[arg(long)]
    ignore_do_not_disrupt: bool,
}

/// `coredeck drain`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
All targets that the tier's budget has room for are cordoned first; then each is emptied by itself. What fails is
undone, and the others go on: coredeck drain i-0abc i-0def --then terminate --reason 'kernel CVE'")]
pub(super) struct DrainArgs {
    #[command(flatten)]
    plain: PlainArgs,
    /// What becomes of an instance that is empty
    #[arg(long, value_enum, default_value_t = Afterwards::Keep, value_name = "WHAT")]
    then: Afterwards,
    /// Stop tasks that no service keeps: they are gone for good
    #[arg(long)]
    include_standalone: bool,
    /// Stop containers that ECS does not know, through Systems Manager and a fixed document
    #[arg(long)]
    stop_containers: bool,
    /// Drain although tasks of services may not move, or nobody knows: what stands in the way is only warned of
    #[arg(long)]
    override_verdict: bool,
    #[command(flatten)]
    replace: Replacing,
}

/// Whether a group launches another instance.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Replacing {
    /// Let the group launch another instance for one that leaves
    #[arg(long, conflicts_with = "no_replace")]
    replace: bool,
    /// Let the group get smaller
    #[arg(long)]
    no_replace: bool,
}

/// `coredeck standby`, `coredeck terminate`
#[derive(Args, Clone, Debug)]
pub(super) struct ReplaceArgs {
    #[command(flatten)]
    plain: PlainArgs,
    #[command(flatten)]
    replace: Replacing,
}

/// `coredeck suspend`, `coredeck resume`
#[derive(Args, Clone, Debug)]
pub(super) struct ProcessArgs {
    #[command(flatten)]
    plain: PlainArgs,
    /// Which process; may be repeated
    #[arg(long = "process", value_name = "PROCESS", value_delimiter = ',')]
    processes: Vec<String>,
}

/// `coredeck scale`
#[derive(Args, Clone, Debug)]
pub(super) struct ScaleArgs {
    #[command(flatten)]
    plain: PlainArgs,
    /// How many
    #[arg(long, value_name = "N")]
    desired: Option<u32>,
    /// The group's minimum
    #[arg(long, value_name = "N")]
    min: Option<u32>,
    /// The group's maximum
    #[arg(long, value_name = "N")]
    max: Option<u32>,
}

/// `--on-timeout`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Late {
    /// What was done to it is undone
    #[default]
    Undo,
    /// It is left as it is
    Leave,
    /// It goes on without waiting, where that is possible
    Force,
}

/// `--then`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Afterwards {
    /// It stays, empty
    Keep,
    /// It leaves service and stays in its group
    Standby,
    /// It is ended
    Terminate,
}

impl Verb {
    fn parts(&self) -> (&'static str, &PlainArgs) {
        match self {
            Self::Drain(args) => ("drain", &args.plain),
            Self::Undrain(args) => ("undrain", args),
            Self::Protect(args) => ("protect", args),
            Self::Unprotect(args) => ("unprotect", args),
            Self::Standby(args) => ("standby", &args.plain),
            Self::Return(args) => ("return", args),
            Self::Suspend(args) => ("suspend", &args.plain),
            Self::Resume(args) => ("resume", &args.plain),
            Self::Scale(args) => ("scale", &args.plain),
            Self::Refresh(args) => ("refresh", &args.plain),
            // What was begun elsewhere is a refresh of each group: nobody knows of a rollout behind it.
            Self::Rollout(args) if args.adopt => ("refresh", &args.plain),
            Self::Rollout(args) => ("rollout", &args.plain),
            Self::SpotShare(args) => ("spot-share", &args.plain),
            Self::Tune(args) => ("tune", &args.plain),
            Self::Clean(args) => ("clean", &args.plain),
            Self::Redeploy(args) => ("redeploy", args),
            Self::Stop(args) => ("stop", args),
            Self::Start(args) => ("start", args),
            Self::Reboot(args) => ("reboot", args),
            Self::Terminate(args) => ("terminate", &args.plain),
        }
    }

    /// Whether a program reads what is written.
    pub(super) fn is_json(&self) -> bool {
        self.parts().1.manner.is_json()
    }

    fn intent(&self) -> Result<Intent> {
        let (verb, plain) = self.parts();
        let mut options = plain.guards.options()?;
        match self {
            Self::Drain(args) => {
                options.then = match args.then {
                    Afterwards::Keep => Then::Keep,
                    Afterwards::Standby => Then::Standby,
                    Afterwards::Terminate => Then::Terminate,
                };
                options.include_standalone = args.include_standalone;
                options.stop_containers = args.stop_containers;
                options.override_verdict = args.override_verdict;
                options.replace = args.replace.choice();
            }
            Self::Standby(args) | Self::Terminate(args) => options.replace = args.replace.choice(),
            Self::Suspend(args) | Self::Resume(args) => options.processes.clone_from(&args.processes),
            Self::Scale(args) => {
                (options.desired, options.min, options.max) = (args.desired, args.min, args.max);
            }
            Self::SpotShare(args) => {
                options.share = args.wish().map(Box::new);
                options.refresh = args.refresh().map(Box::new);
                options.override_verdict = args.override_verdict;
            }
            Self::Clean(args) => options.clean = Some(Box::new(args.wish()?)),
            Self::Tune(args) => options.tuning = args.tuning()?.map(Box::new),
            Self::Refresh(args) => {
                options.override_verdict = args.override_verdict;
                options.refresh = args.wish()?.map(Box::new);
            }
            Self::Rollout(args) if args.adopt => {
                options.refresh = Some(Box::new(RefreshWish { adopt: true, ..RefreshWish::default() }));
            }
            Self::Rollout(args) => {
                options.override_verdict = args.override_verdict;
                options.rollout = Some(Box::new(args.wish()?));
            }
            _ => {}
        }
        Ok(Intent { verb: verb.to_owned(), targets: plain.targets.clone(), options })
    }
}

impl GuardArgs {
    /// What they come to.
    pub(super) fn options(&self) -> Result<Options> {
        let patience = self.patience.as_deref().map(|typed| {
            crate::config::parse_span(typed).map_err(|why| Error::usage(format!("--patience {typed}: {why}")))
        });
        Ok(Options {
            on_timeout: match self.on_timeout {
                Late::Undo => OnTimeout::Undo,
                Late::Leave => OnTimeout::Leave,
                Late::Force => OnTimeout::Force,
            },
            timeout_s: patience.transpose()?.map(|span| span.as_secs()),
            max_unavailable: self.max_unavailable,
            override_budget: self.override_budget,
            ignore_do_not_disrupt: self.ignore_do_not_disrupt,
            ..Options::default()
        })
    }
}

impl Replacing {
    fn choice(&self) -> Option<bool> {
        (self.replace || self.no_replace).then_some(self.replace)
    }
}

/// Plans what was typed, and does with the plan what was asked.
pub(super) fn run(verb: &Verb, global: &Global, outside: &Outside, out: &mut Output) -> Result<()> {
    if let Verb::Rollout(args) = verb
        && args.check
    {
        return args.tell(global, outside, out);
    }
    let mut intent = verb.intent()?;
    if matches!(verb, Verb::Clean(_)) {
        intent = asked(intent, &Place::find(global, outside)?.open()?, outside.clock.now())?;
    }
    let manner = &verb.parts().1.manner;
    manner.check()?;
    super::block_on(begin::plan_and_run(intent, manner, global, outside, out))
}
