//! Where plans are made: the fleet as it was just read, what can be looked up besides, and who we are.

use super::census::standings;
use super::guard::{DO_NOT_DISRUPT, Refusal, forbids, refused};
use super::intent::{Intent, Options};
use super::kinds::{self, Kind};
use super::losses::{self, Ending};
use super::plan::{Account, Cost, GOOD_FOR, Lane, More, Most, Plan, Pool, SCHEMA};
use super::proving;
use crate::config::Config;
use crate::error::{Error, Result, did_you_mean};
use crate::fleet::{Fleet, GroupRow, InstanceRow, ServiceRow, TaskRow, TemplateRow};
use crate::gateway::change::FleetWriter;
use crate::gateway::{FleetProbe, Look, Seen};
use crate::model::text::harmless;
use crate::model::{Core, Limit, Scope, TierName, Trouble};
use crate::snapshot::Snapshot;
use crate::store::journal::Grip;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// A tenth of a tier may be unavailable at once where the configuration says nothing.
const USUAL: Most = Most::Percent(10);

/// Where plans are made.
pub struct Desk<'a> {
    /// The sections of the fleet.
    pub snapshot: &'a Snapshot,
    /// The rows joined from them.
    pub fleet: &'a Fleet,
    /// The configuration.
    pub config: &'a Config,
    /// Sees single things.
    pub probe: &'a dyn FleetProbe,
    /// Tries out what EC2 would do; nobody does in read-only mode.
    pub writer: Option<&'a dyn FleetWriter>,
    /// When the plan is made.
    pub now: Timestamp,
}

/// What a kind makes of an intent.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// What it does, in a line.
    pub title: String,
    /// Its targets with their steps.
    pub lanes: Vec<Lane>,
    /// What it takes hold of.
    pub holds: Vec<(String, Grip)>,
    /// Why it will not do.
    pub refusals: Vec<Refusal>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// Figures and remarks that a person may want besides.
    pub notes: Vec<String>,
    /// Why the change in cost is not known; none when there is none.
    pub cost: Option<String>,
    /// What it launches, with its prices.
    pub more: Vec<More>,
    /// Its lanes by their numbers, wave after wave; none where all may go side by side.
    pub waves: Vec<Vec<usize>>,
    /// When one lane fails everything is taken back.
    pub is_one_piece: bool,
    /// Members that groups end by themselves.
    pub endings: Vec<Ending>,
    /// Its targets stay unavailable when it is over, so that their shares of the budget never come back.
    pub stays_down: bool,
}

impl Draft {
    /// Takes hold of something while the operation runs.
    pub fn hold(&mut self, scope: &Scope, kind: &str, name: &str, grip: Grip) {
        let hold = (format!("{scope}/{kind}/{name}"), grip);
        if !self.holds.contains(&hold) {
            self.holds.push(hold);
        }
    }

    /// Refuses a target.
    pub fn refuse(
        &mut self,
        target: impl std::fmt::Display,
        why: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.refusals.push(Refusal::new(target, why, mend));
    }

    /// Notes something once.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Warns once of something.
    pub fn warn(&mut self, warning: impl Into<String>) {
        let warning = warning.into();
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

impl Desk<'_> {
    /// Makes a plan of an intent.
    ///
    /// # Errors
    ///
    /// A target is unknown or refused, each with its reason and its mend; or something that the plan must
    /// rest on could not be read.
    pub async fn plan(&self, intent: Intent) -> Result<Plan> {
        let kind = kinds::kind(&intent.verb)?;
        self.whole(kind)?;
        if intent.targets.is_empty() {
            return Err(Error::usage(format!("{} needs at least one target", kind.word))
                .hint(format!("coredeck {} --help", kind.word)));
        }
        let mut draft = (kind.draft)(self, &intent).await?;
        if !draft.refusals.is_empty() {
            return Err(refused(kind.word, draft.refusals));
        }
        draft.holds.sort();
        draft.holds.dedup();
        let losses = losses::tell(self, kind, &mut draft);
        let pools = self.pools(&mut draft, &intent)?;
        let accounts = self.accounts(&draft.lanes)?;
        let mut lanes = draft.lanes;
        draft.warnings.extend(proving::prove(self, &mut lanes).await?);
        let plan = Plan {
            schema: SCHEMA.to_owned(),
            id: String::new(),
            fleet: self.config.fleet.to_string(),
            on_timeout: intent.options.on_timeout,
            intent,
            title: draft.title,
            made_at: self.now,
            expires_at: self.now.saturating_add(GOOD_FOR).unwrap_or(Timestamp::MAX),
            accounts,
            lanes,
            pools,
            holds: draft.holds,
            warnings: draft.warnings,
            notes: draft.notes,
            cost: Cost::of(draft.more, draft.cost),
            waves: draft.waves,
            is_one_piece: draft.is_one_piece,
            losses,
        };
        Ok(plan.sealed())
    }

    /// Everything that a kind rests on was read whole.
    fn whole(&self, kind: &Kind) -> Result<()> {
        let parts = self.snapshot.parts.iter();
        let lacking = parts.flat_map(|part| {
            kind.sources.iter().filter_map(move |source| {
                let standing = part.standing(*source);
                (!standing.is_whole).then(|| (part.scope.clone(), *source, standing.trouble.cloned()))
            })
        });
        let lacking: Vec<_> = lacking.collect();
        if self.snapshot.parts.is_empty() {
            let why = self.snapshot.troubles.first().map(|(_, trouble)| trouble.to_string());
            let error = Error::failed("the fleet could not be read, and nothing is planned blindly");
            return Err(why.into_iter().fold(error, Error::because));
        }
        let Some((scope, source, trouble)) = lacking.first() else { return Ok(()) };
        let error = Error::failed(format!(
            "{} of {scope} could not be read, and nothing is planned blindly",
            source.word()
        ));
        Err(match trouble {
            Some(Trouble { message, hint, .. }) => {
                hint.iter().fold(error.because(message.clone()), |error, hint| error.hint(hint.clone()))
            }
            None => error,
        })
    }

    fn pools(&self, draft: &mut Draft, intent: &Intent) -> Result<Vec<Pool>> {
        let tiers: BTreeSet<String> = draft.lanes.iter().filter_map(|lane| lane.tier.clone()).collect();
        let mut pools = Vec::new();
        for tier in tiers {
            let most = self.budget(&tier, &intent.options);
            if matches!(most, Most::Count(0) | Most::Percent(0)) {
                let why = format!("nothing of tier {tier} may be unavailable (max_unavailable is 0)");
                let mend = "raise max_unavailable of the tier, or say --override-budget".to_owned();
                return Err(refused(&intent.verb, vec![Refusal::new(&tier, why, mend)]));
            }
            if draft.stays_down {
                self.ends(draft, intent, &tier, most)?;
            }
            pools.push(Pool { tier, most });
        }
        Ok(pools)
    }

    /// How many of a tier may be unavailable at once.
    pub fn budget(&self, tier: &str, options: &Options) -> Most {
        let configured = self.config.tiers.iter().find(|known| known.name.as_str() == tier);
        options.most(configured.and_then(|tier| tier.max_unavailable).map_or(USUAL, |limit| match limit {
            Limit::Count(count) => Most::Count(count),
            Limit::Percent(percent) => Most::Percent(percent),
        }))
    }

    /// Whether the budget has room for all targets that stay down: where it never will, the last of them would
    /// wait for ever.
    fn ends(&self, draft: &mut Draft, intent: &Intent, tier: &str, most: Most) -> Result<()> {
        let mut standing = standings(self.fleet).remove(tier).unwrap_or_default();
        let mut word = "instances";
        let all: Vec<&Core> = self
            .fleet
            .cores
            .iter()
            .filter(|core| core.tier.as_ref().is_some_and(|it| it.as_str() == tier))
            .collect();
        let is_core = |lane: &Lane| all.iter().any(|core| core.id.as_str() == lane.target);
        // Cores are counted by cores: several of them share an instance, which is there when they are not.
        if draft.lanes.iter().filter(|lane| lane.tier.as_deref() == Some(tier)).all(is_core) {
            let is_down = |core: &&&Core| {
                core.home.instance_id().is_some_and(|id| standing.down.iter().any(|down| down == id.as_str()))
            };
            let down = all.iter().filter(is_down).map(|core| core.id.to_string()).collect();
            (standing.total, standing.down, word) = (all.len(), down, "cores");
        }
        let limit = most.of(standing.total);
        let mine = draft.lanes.iter().filter(|lane| lane.tier.as_deref() == Some(tier));
        let mine: BTreeSet<&String> = mine.map(|lane| &lane.target).collect();
        // What is down already costs nothing more.
        if mine.iter().all(|id| standing.down.contains(id)) {
            return Ok(());
        }
        let others = standing.down.iter().filter(|id| !mine.contains(id)).count();
        let (mine, total) = (mine.len(), standing.total);
        if mine > limit {
            let why = format!(
                "{mine} of its {total} {word} would stay unavailable and {limit} may be: the last would wait \
                 for ever"
            );
            let mend = format!("name {limit} at most, or say --max-unavailable {mine} or --override-budget");
            return Err(refused(&intent.verb, vec![Refusal::new(format!("tier {tier}"), why, mend)]));
        }
        if others > 0 && mine + others > limit && word == "cores" {
            let why = format!(
                "{others} of its {total} cores are unavailable already, {mine} more would be stopped, and {limit} may be"
            );
            let mend =
                format!("mend those first, or say --max-unavailable {} or --override-budget", mine + others);
            return Err(refused(&intent.verb, vec![Refusal::new(format!("tier {tier}"), why, mend)]));
        }
        if others > 0 && mine + others > limit {
            draft.warn(format!(
                "of tier {tier} {others} of {total} are unavailable already and {limit} may be: it waits until \
                 others serve again"
            ));
        }
        Ok(())
    }

    fn accounts(&self, lanes: &[Lane]) -> Result<Vec<Account>> {
        let scopes: BTreeSet<&Scope> = lanes.iter().map(|lane| &lane.scope).collect();
        let found = scopes.into_iter().map(|scope| {
            let part = self.snapshot.parts.iter().find(|part| *part.scope == *scope);
            let identity = part.and_then(|part| part.identity.value.as_ref());
            let identity = identity.ok_or_else(|| {
                Error::failed(format!("who we are in {scope} could not be read, and nothing is planned so"))
                    .hint("`coredeck get instances -v` shows what AWS says")
            })?;
            Ok(Account {
                scope: scope.clone(),
                id: identity.account_id.clone(),
                principal: identity.arn.clone(),
            })
        });
        found.collect()
    }

    /// Looks at single things.
    ///
    /// # Errors
    ///
    /// They could not be seen.
    pub async fn look(&self, scope: &Scope, look: Look) -> Result<Seen> {
        self.probe.look(scope, &look).await.map_err(|trouble| blind(&trouble))
    }

    /// The instances that were named by id or by `Name` tag; what cannot be found is refused. Of several,
    /// those that have ended are left out, and said: nothing can be done to them, and nobody need choose the others anew.
    pub fn instances(&self, names: &[String], draft: &mut Draft) -> Vec<&InstanceRow> {
        let found = names.iter().filter_map(|name| {
            let named = |row: &&InstanceRow| {
                row.it.id.as_str() == name || row.it.name() == Some(name) && !row.it.state.is_gone()
            };
            let all = self.fleet.instances.iter();
            let candidates = all.clone().flat_map(|row| [Some(row.it.id.as_str()), row.it.name()]).flatten();
            one("instance", name, all.filter(named), candidates, draft)
        });
        let found = unique(found.collect());
        let (gone, there): (Vec<&InstanceRow>, Vec<&InstanceRow>) =
            found.into_iter().partition(|row| row.it.state.is_gone());
        if there.is_empty() {
            return gone;
        }
        for row in gone {
            let name = row.it.name().map(|name| format!(" ({})", harmless(name))).unwrap_or_default();
            draft.warn(format!("{}{name} is {} and left out", row.it.id, row.it.state.word()));
        }
        there
    }

    /// The groups that were named.
    pub fn groups(&self, names: &[String], draft: &mut Draft) -> Vec<&GroupRow> {
        let found = names.iter().filter_map(|name| {
            let named = |row: &&GroupRow| row.it.name.as_str() == name;
            let all = self.fleet.groups.iter();
            let candidates = all.clone().map(|row| row.it.name.as_str());
            one("group", name, all.filter(named), candidates, draft)
        });
        unique(found.collect())
    }

    /// The launch templates that were named, by id or name.
    pub fn templates(&self, names: &[String], draft: &mut Draft) -> Vec<&TemplateRow> {
        let found = names.iter().filter_map(|name| {
            let named = |row: &&TemplateRow| row.it.id.as_str() == name || row.it.name.as_str() == name;
            let all = self.fleet.templates.iter();
            let candidates = all.clone().map(|row| row.it.name.as_str());
            one("template", name, all.filter(named), candidates, draft)
        });
        unique(found.collect())
    }

    /// The services that were named, as `service`, `cluster/service` or by ARN.
    pub fn services(&self, names: &[String], draft: &mut Draft) -> Vec<&ServiceRow> {
        let found = names.iter().filter_map(|name| {
            let named = |row: &&ServiceRow| {
                row.it.name == *name
                    || row.it.arn.as_str() == name
                    || name.split_once('/').is_some_and(|(c, s)| row.cluster == c && row.it.name == s)
            };
            let all = self.fleet.services.iter();
            let candidates = all.clone().map(|row| row.it.name.as_str());
            one("service", name, all.filter(named), candidates, draft)
        });
        unique(found.collect())
    }

    /// The tasks that were named, by id or ARN.
    pub fn tasks(&self, names: &[String], draft: &mut Draft) -> Vec<&TaskRow> {
        let found = names.iter().filter_map(|name| {
            let named = |row: &&TaskRow| row.it.short_id() == name || row.it.arn.as_str() == name;
            let all = self.fleet.tasks.iter();
            let candidates = all.clone().map(|row| row.it.short_id());
            one("task", name, all.filter(named), candidates, draft)
        });
        unique(found.collect())
    }

    /// The cores that were named by their ids; what cannot be found is refused.
    pub fn cores(&self, names: &[String], draft: &mut Draft) -> Vec<&Core> {
        let found = names.iter().filter_map(|name| {
            let all = self.fleet.cores.iter();
            let candidates = all.clone().map(|core| core.id.as_str());
            one("core", name, all.filter(|core| core.id.as_str() == name), candidates, draft)
        });
        unique(found.collect())
    }

    /// Refuses what a tag keeps hands off: the instance's own, or its group's.
    pub fn mind_tags(&self, row: &InstanceRow, intent: &Intent, draft: &mut Draft) {
        let group = self.group_of(row);
        let words = forbids(&row.it.tags, &intent.options, self.now).or_else(|| {
            forbids(&group?.it.tags, &intent.options, self.now).map(|why| format!("in its group, {why}"))
        });
        if let Some(why) = words {
            let mend = format!("ask whoever set it, or say --ignore-do-not-disrupt (tag {DO_NOT_DISRUPT})");
            draft.refuse(&row.it.id, why, mend);
        }
    }

    /// The group of an instance.
    pub fn group_of(&self, row: &InstanceRow) -> Option<&GroupRow> {
        let name = row.group.as_ref()?;
        self.fleet.groups.iter().find(|group| group.it.name == *name && group.scope == row.scope)
    }
}

/// A look that failed, as a person meets it.
pub fn blind(trouble: &Trouble) -> Error {
    let error = Error::failed(trouble.to_string());
    trouble.hint.iter().fold(error, |error, hint| error.hint(hint.clone()))
}

/// The tier of a row as lanes name it.
pub fn tier(name: Option<&TierName>) -> Option<String> {
    name.map(ToString::to_string)
}

/// The only row of that name.
fn one<'a, R>(
    what: &str,
    name: &str,
    mut found: impl Iterator<Item = &'a R>,
    candidates: impl Iterator<Item = &'a str>,
    draft: &mut Draft,
) -> Option<&'a R> {
    match (found.next(), found.count()) {
        (Some(row), 0) => Some(row),
        (None, _) => {
            let meant = did_you_mean(name, candidates);
            let mend = match meant {
                Some(meant) => format!("did you mean {}?", harmless(meant)),
                None => format!("`coredeck get {what}s` lists them"),
            };
            draft.refuse(name, format!("there is no such {what}"), mend);
            None
        }
        (Some(_), more) => {
            let why = format!("{} {what}s are called so", more + 1);
            draft.refuse(name, why, "give the id, or `--region` or `--profile` to look into fewer places");
            None
        }
    }
}

fn unique<R>(rows: Vec<&R>) -> Vec<&R> {
    let mut unique: Vec<&R> = Vec::new();
    for row in rows {
        if !unique.iter().any(|had| std::ptr::eq(*had, row)) {
            unique.push(row);
        }
    }
    unique
}
