//! What belongs to a thing: rows of other kinds that name it, or that it names, and rows behind those.
//!
//! One table for the screen and for scripts. Where Enter leads, what the jump menu offers and what `describe`
//! lists all come from it.

use super::columns::{Column, Ctx};
use super::kind::Kind;
use super::value::Value;
use crate::gateway::Source;
use crate::model::Scope;
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// In which accounts and regions a name finds its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    /// In its own: names repeat elsewhere.
    Own,
    /// Anywhere: an ARN or the id of an instance exists once.
    Any,
    /// In its own, or else anywhere: what the registry names may live elsewhere.
    Near,
    /// The way back from `Near`.
    Back,
}

/// How rows of one kind are found from rows of another.
#[derive(Clone, Copy, Debug)]
enum How {
    /// A text of one column is a text of the other. Texts of lists and of nested values count each for
    /// itself. `and` are columns, one of each kind, that must agree too, because a name is not unique.
    Match {
        column: &'static str,
        matches: &'static str,
        within: Within,
        and: Option<(&'static str, &'static str)>,
    },
    /// By way of other kinds, each in turn.
    Through(&'static [Kind]),
    /// By way of other kinds, where nothing was found otherwise.
    Else(&'static [Kind]),
}

/// Rows of `to` belong to a row of `from`.
#[derive(Clone, Copy, Debug)]
struct Relation {
    from: Kind,
    to: Kind,
    how: How,
}

const fn by(
    from: Kind,
    column: &'static str,
    within: Within,
    to: Kind,
    matches: &'static str,
    and: Option<(&'static str, &'static str)>,
) -> Relation {
    Relation { from, to, how: How::Match { column, matches, within, and } }
}

const fn own(from: Kind, column: &'static str, to: Kind, matches: &'static str) -> Relation {
    by(from, column, Own, to, matches, None)
}

const fn any(from: Kind, column: &'static str, to: Kind, matches: &'static str) -> Relation {
    by(from, column, Any, to, matches, None)
}

const fn through(from: Kind, way: &'static [Kind], to: Kind) -> Relation {
    Relation { from, to, how: How::Through(way) }
}

const fn or_else(from: Kind, way: &'static [Kind], to: Kind) -> Relation {
    Relation { from, to, how: How::Else(way) }
}

use Kind::{
    Alarms, Clusters, Cores, Drift, Events, Groups, Hosts, Images, Instances, Rules, Services, TargetGroups,
    Targets, Tasks, Templates, Tenants,
};
use Within::{Any, Back, Near, Own};

/// The table. Within a kind the order is that in which they are shown.
const RELATIONS: &[Relation] = &[
    any(Instances, "id", Cores, "instance"),
    through(Instances, &[Cores], Tenants),
    any(Instances, "id", Tenants, "straight_to"),
    own(Instances, "group", Groups, "name"),
    own(Instances, "template", Templates, "id"),
    own(Instances, "template", Templates, "name"),
    own(Instances, "image_id", Images, "id"),
    any(Instances, "id", Hosts, "instance"),
    any(Instances, "id", Tasks, "instance"),
    through(Instances, &[Tasks], Services),
    through(Instances, &[Hosts], Clusters),
    any(Instances, "id", Targets, "target"),
    through(Instances, &[Targets], TargetGroups),
    any(Instances, "id", Alarms, "dimensions"),
    any(Instances, "id", Events, "instances"),
    own(Groups, "name", Instances, "group"),
    through(Groups, &[Instances], Cores),
    through(Groups, &[Instances, Cores], Tenants),
    through(Groups, &[Instances], Hosts),
    own(Groups, "template_id", Templates, "id"),
    own(Groups, "template", Templates, "name"),
    own(Groups, "image_id", Images, "id"),
    any(Groups, "target_groups", TargetGroups, "arn"),
    any(Groups, "arn", Clusters, "providers"),
    own(Groups, "name", Alarms, "dimensions"),
    own(Groups, "name", Events, "subject_id"),
    own(Templates, "groups", Groups, "name"),
    own(Templates, "id", Instances, "template"),
    own(Templates, "versions", Images, "id"),
    own(Templates, "id", Events, "subject_id"),
    own(Drift, "name", Groups, "name"),
    own(Drift, "name", Instances, "group"),
    own(Drift, "image_id", Images, "id"),
    own(Images, "id", Instances, "image_id"),
    own(Images, "id", Groups, "image_id"),
    own(Images, "id", Templates, "versions"),
    any(Clusters, "arn", Services, "cluster_arn"),
    any(Clusters, "arn", Hosts, "cluster_arn"),
    any(Clusters, "arn", Tasks, "cluster_arn"),
    through(Clusters, &[Hosts], Instances),
    any(Clusters, "providers", Groups, "arn"),
    own(Clusters, "name", Alarms, "dimensions"),
    by(Services, "name", Own, Tasks, "service", Some(("cluster_arn", "cluster_arn"))),
    through(Services, &[Tasks], Cores),
    through(Services, &[Tasks], Instances),
    through(Services, &[Tasks], Hosts),
    any(Services, "cluster_arn", Clusters, "arn"),
    any(Services, "target_groups", TargetGroups, "arn"),
    through(Services, &[TargetGroups], Rules),
    through(Services, &[TargetGroups], Tenants),
    own(Services, "name", Alarms, "dimensions"),
    any(Services, "arn", Events, "subject_id"),
    own(Tasks, "instance", Instances, "id"),
    any(Tasks, "arn", Cores, "task_arn"),
    by(Tasks, "service", Own, Services, "name", Some(("cluster_arn", "cluster_arn"))),
    any(Tasks, "host_arn", Hosts, "arn"),
    any(Tasks, "cluster_arn", Clusters, "arn"),
    any(Hosts, "instance", Instances, "id"),
    any(Hosts, "arn", Tasks, "host_arn"),
    through(Hosts, &[Tasks], Services),
    any(Hosts, "cluster_arn", Clusters, "arn"),
    through(Hosts, &[Instances], Groups),
    by(Cores, "id", Back, Tenants, "core", None),
    or_else(Cores, &[Targets, TargetGroups, Rules], Tenants),
    any(Cores, "instance", Instances, "id"),
    through(Cores, &[Instances], Groups),
    any(Cores, "task_arn", Tasks, "arn"),
    through(Cores, &[Tasks], Services),
    by(Cores, "instance", Any, Targets, "target", Some(("port", "port"))),
    through(Cores, &[Targets], TargetGroups),
    through(Cores, &[Targets, TargetGroups], Rules),
    through(Cores, &[Instances], Events),
    by(Tenants, "core", Near, Cores, "id", None),
    or_else(Tenants, &[TargetGroups, Targets], Cores),
    through(Tenants, &[Cores], Instances),
    through(Tenants, &[Cores, Instances], Groups),
    any(Tenants, "straight_to", Instances, "id"),
    any(Tenants, "rule_arn", Rules, "arn"),
    any(Tenants, "target_groups", TargetGroups, "arn"),
    through(Tenants, &[TargetGroups], Targets),
    through(Tenants, &[TargetGroups], Services),
    any(TargetGroups, "arn", Targets, "group_arn"),
    any(TargetGroups, "arn", Rules, "weights"),
    any(TargetGroups, "arn", Tenants, "target_groups"),
    through(TargetGroups, &[Targets], Cores),
    through(TargetGroups, &[Targets], Instances),
    any(TargetGroups, "arn", Services, "target_groups"),
    any(TargetGroups, "arn", Groups, "target_groups"),
    any(Targets, "target", Instances, "id"),
    by(Targets, "target", Any, Cores, "instance", Some(("port", "port"))),
    any(Targets, "group_arn", TargetGroups, "arn"),
    through(Targets, &[TargetGroups], Rules),
    any(Rules, "weights", TargetGroups, "arn"),
    through(Rules, &[TargetGroups], Targets),
    through(Rules, &[TargetGroups], Services),
    any(Rules, "arn", Tenants, "rule_arn"),
    through(Rules, &[TargetGroups, Targets], Cores),
    own(Alarms, "dimensions", Instances, "id"),
    own(Alarms, "dimensions", Groups, "name"),
    own(Alarms, "dimensions", Services, "name"),
    own(Alarms, "dimensions", Clusters, "name"),
    any(Alarms, "arn", Events, "subject_id"),
    own(Events, "subject_id", Groups, "name"),
    any(Events, "subject_id", Services, "arn"),
    any(Events, "instances", Instances, "id"),
    any(Events, "subject_id", Alarms, "arn"),
    own(Events, "subject_id", Templates, "id"),
];

/// Where Enter leads from a row of a kind: the first that has rows. From what is not here Enter shows the
/// row's details.
const ENTER: &[(Kind, &[Kind])] = &[
    (Groups, &[Instances]),
    (Clusters, &[Services, Hosts]),
    (Services, &[Tasks]),
    (Tasks, &[Instances]),
    (Hosts, &[Instances]),
    (Templates, &[Groups, Instances]),
    (Images, &[Instances]),
    (Drift, &[Groups, Instances]),
    (Cores, &[Tenants, Instances]),
    (Tenants, &[Cores, TargetGroups, Rules]),
    (TargetGroups, &[Targets]),
    (Rules, &[TargetGroups]),
    (Targets, &[Instances]),
    (Events, &[Groups, Services, Alarms, Templates, Instances]),
];

/// Every kind that rows of a kind may lead to, in the order in which they are shown.
pub fn kinds(from: Kind) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for relation in relations(from) {
        if !kinds.contains(&relation.to) {
            kinds.push(relation.to);
        }
    }
    kinds
}

/// The kinds to which Enter may lead, the first that has rows before the others.
pub fn enters(from: Kind) -> &'static [Kind] {
    ENTER.iter().find(|(of, _)| *of == from).map_or(&[], |(_, to)| to)
}

/// The sources that a kind's relations rest on.
pub fn sources(kind: Kind) -> BTreeSet<Source> {
    let mut sources = BTreeSet::new();
    for relation in relations(kind) {
        rests_on(relation, &mut sources);
    }
    sources
}

/// The rows that belong to a row, by kind; kinds without any are left out.
pub fn related(ctx: Ctx<'_>, kind: Kind, at: usize) -> Vec<(Kind, Vec<u32>)> {
    let Ok(row) = u32::try_from(at) else { return Vec::new() };
    let found = kinds(kind).into_iter().map(|to| (to, reach(ctx, kind, &[row], to)));
    found.filter(|(_, rows)| !rows.is_empty()).collect()
}

/// The rows of `to` that belong to some rows, in their own order.
pub fn reach(ctx: Ctx<'_>, from: Kind, rows: &[u32], to: Kind) -> Vec<u32> {
    let mut found = Vec::new();
    for relation in relations(from).filter(|relation| relation.to == to) {
        if matches!(relation.how, How::Else(_)) && !found.is_empty() {
            continue;
        }
        found.extend(follow(ctx, relation, rows));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// How many of some rows are instances that are terminated, or going to be: what counts the instances of a template
/// or an image leaves those out, and what lists all that belongs to one does not.
pub fn gone(ctx: Ctx<'_>, kind: Kind, rows: &[u32]) -> usize {
    let instances = rows.iter().filter_map(|at| ctx.fleet.instances.get(*at as usize));
    if kind == Kind::Instances { instances.filter(|row| row.it.state.is_gone()).count() } else { 0 }
}

fn relations(from: Kind) -> impl Iterator<Item = &'static Relation> {
    RELATIONS.iter().filter(move |relation| relation.from == from)
}

fn rests_on(relation: &Relation, sources: &mut BTreeSet<Source>) {
    sources.extend(relation.to.sources());
    match relation.how {
        How::Match { column: here, matches, and, .. } => {
            let mut names = vec![(relation.from, here), (relation.to, matches)];
            names.extend(
                and.into_iter().flat_map(|(here, there)| [(relation.from, here), (relation.to, there)]),
            );
            for (kind, name) in names {
                sources.extend(column(kind, name).into_iter().flat_map(|column| column.needs));
            }
        }
        How::Through(way) | How::Else(way) => {
            let mut from = relation.from;
            for to in way.iter().copied().chain([relation.to]) {
                // A way is made of matches alone, so this ends.
                matches(from, to).for_each(|step| rests_on(step, sources));
                from = to;
            }
        }
    }
}

fn matches(from: Kind, to: Kind) -> impl Iterator<Item = &'static Relation> {
    relations(from).filter(move |step| step.to == to && matches!(step.how, How::Match { .. }))
}

fn follow(ctx: Ctx<'_>, relation: &Relation, rows: &[u32]) -> Vec<u32> {
    match relation.how {
        How::Match { column, matches, within, and } => {
            matching(ctx, relation, (column, matches), and, within, rows)
        }
        How::Through(way) | How::Else(way) => {
            let mut from = relation.from;
            let mut rows = rows.to_vec();
            for to in way.iter().copied().chain([relation.to]) {
                if rows.is_empty() {
                    break;
                }
                rows = matches(from, to).flat_map(|step| follow(ctx, step, &rows)).collect();
                rows.sort_unstable();
                rows.dedup();
                from = to;
            }
            rows
        }
    }
}

/// Accounts and regions by number: there are few of them, and rows compare them all the time.
struct Scopes<'a>(Vec<&'a Arc<Scope>>);

impl<'a> Scopes<'a> {
    fn number(&mut self, scope: &'a Arc<Scope>) -> usize {
        let known = self.0.iter().position(|known| Arc::ptr_eq(known, scope) || known == &scope);
        known.unwrap_or_else(|| {
            self.0.push(scope);
            self.0.len() - 1
        })
    }
}

/// A text, what must agree beside it, and where.
type Named<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

fn matching(
    ctx: Ctx<'_>,
    relation: &Relation,
    (here, there): (&str, &str),
    and: Option<(&str, &str)>,
    within: Within,
    rows: &[u32],
) -> Vec<u32> {
    let (from, to) = (relation.from, relation.to);
    let (Some(here), Some(there)) = (column(from, here), column(to, there)) else { return Vec::new() };
    let also = and.and_then(|(here, there)| Some((column(from, here)?, column(to, there)?)));
    let mut scopes = Scopes(Vec::new());
    let mut named: HashSet<(Named<'_>, usize)> = HashSet::new();
    let mut texts: HashSet<Named<'_>> = HashSet::new();
    for at in rows.iter().map(|at| *at as usize) {
        let Some(scope) = from.scope(ctx, at) else { continue };
        let scope = scopes.number(scope);
        each(ctx, here, also.map(|(here, _)| here), at, |text| {
            texts.insert(text.clone());
            named.insert((text, scope));
        });
    }
    if texts.is_empty() {
        return Vec::new();
    }
    // One name is all that most rows have: comparing with it beats a look into a set, for every row there is.
    let only = if texts.len() == 1 { texts.iter().next() } else { None };
    let is_named = |text: &Named<'_>| match only {
        Some(only) => only == text,
        None => texts.contains(text),
    };
    // Where rows of the kind that one comes from are called so: whoever has one at home means that one.
    let mut homes: HashSet<(Named<'_>, usize)> = HashSet::new();
    if within == Within::Back {
        for at in 0..from.len(ctx.fleet) {
            let Some(scope) = from.scope(ctx, at) else { continue };
            let scope = scopes.number(scope);
            each(ctx, here, also.map(|(here, _)| here), at, |text| {
                if is_named(&text) {
                    homes.insert((text, scope));
                }
            });
        }
    }
    let mut found: Vec<(u32, Named<'_>, usize)> = Vec::new();
    for (at, row) in (0..to.len(ctx.fleet)).zip(0_u32..) {
        each(ctx, there, also.map(|(_, there)| there), at, |text| {
            if !is_named(&text) {
                return;
            }
            let Some(scope) = to.scope(ctx, at).map(|scope| scopes.number(scope)) else { return };
            let key = (text, scope);
            let belongs = match within {
                Within::Own => named.contains(&key),
                Within::Any | Within::Near => true,
                Within::Back => named.contains(&key) || !homes.contains(&key),
            };
            if belongs {
                found.push((row, key.0, key.1));
            }
        });
    }
    if within == Within::Near {
        // A text that finds rows at home does not look elsewhere.
        let at_home: HashSet<&Named<'_>> = found
            .iter()
            .filter(|(_, text, scope)| named.contains(&(text.clone(), *scope)))
            .map(|(_, text, _)| text)
            .collect();
        let keep = |(_, text, scope): &&(u32, Named<'_>, usize)| {
            !at_home.contains(text)
                || named.contains(&(text.clone(), *scope))
                || named.iter().any(|(name, home)| {
                    name == text && !found.iter().any(|(_, other, at)| other == name && at == home)
                })
        };
        return found.iter().filter(keep).map(|(row, ..)| *row).collect();
    }
    found.into_iter().map(|(row, ..)| row).collect()
}

/// Says every text of a cell, each with what must agree beside it.
fn each<'a>(ctx: Ctx<'a>, column: &Column, also: Option<&Column>, at: usize, mut say: impl FnMut(Named<'a>)) {
    let Some(also) = also else {
        texts((column.get)(ctx, at), &mut |text| say((text, None)));
        return;
    };
    let mut beside = Vec::new();
    texts((also.get)(ctx, at), &mut |text| beside.push(text));
    texts((column.get)(ctx, at), &mut |text| {
        beside.iter().for_each(|beside| say((text.clone(), Some(beside.clone()))));
    });
}

fn column(kind: Kind, name: &str) -> Option<&'static Column> {
    kind.columns().iter().find(|column| column.name == name)
}

/// The texts of a cell. Counts are texts too, so that ports can agree; moments and what is not known are none.
fn texts<'a>(value: Value<'a>, say: &mut impl FnMut(Cow<'a, str>)) {
    match value {
        Value::Text(text) if !text.is_empty() => say(text),
        Value::Count(count) => say(Cow::Owned(count.to_string())),
        Value::List(items) => items.into_iter().filter(|item| !item.is_empty()).for_each(say),
        Value::Nested(json) => leaves(&json, say),
        _ => {}
    }
}

fn leaves<'a>(json: &Json, say: &mut impl FnMut(Cow<'a, str>)) {
    match json {
        Json::String(text) if !text.is_empty() => say(Cow::Owned(text.clone())),
        Json::Array(items) => items.iter().for_each(|item| leaves(item, say)),
        Json::Object(fields) => fields.values().for_each(|field| leaves(field, say)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{ENTER, How, RELATIONS, column, enters, kinds, matches, reach, related, sources};
    use crate::gateway::Source;
    use crate::model::{Core, CoreId, Health, Home, InstanceState, Known, Scope, Tenant};
    use crate::query::made::{NOW, fleet, row, scope};
    use crate::query::{Ctx, Kind};
    use std::sync::Arc;

    #[test]
    fn every_relation_names_columns_that_exist_and_ways_that_lead_on() {
        for relation in RELATIONS {
            match relation.how {
                How::Match { column: here, matches, and, .. } => {
                    let mut names = vec![(relation.from, here), (relation.to, matches)];
                    if let Some((here, there)) = and {
                        names.extend([(relation.from, here), (relation.to, there)]);
                    }
                    for (kind, name) in names {
                        assert!(column(kind, name).is_some(), "{kind} have no column {name}");
                    }
                }
                How::Through(way) | How::Else(way) => {
                    let mut from = relation.from;
                    for to in way.iter().copied().chain([relation.to]) {
                        assert!(matches(from, to).next().is_some(), "no step from {from} to {to}");
                        from = to;
                    }
                }
            }
        }
    }

    #[test]
    fn every_way_leads_back_and_enter_only_where_something_is_related() {
        for from in Kind::ALL {
            for to in kinds(from) {
                // An event is about a host, not about each of its cores; a target is reached by its tenants' rules.
                // Drift is a group seen from another side.
                let is_one_way = matches!(
                    (from, to),
                    (Kind::Cores, Kind::Events) | (Kind::Tenants, Kind::Targets) | (Kind::Drift, _)
                );
                assert!(is_one_way || kinds(to).contains(&from), "{from} lead to {to}, and nothing back");
            }
            assert!(enters(from).iter().all(|to| kinds(from).contains(to)), "{from}");
        }
        assert!(ENTER.iter().all(|(_, to)| !to.is_empty()));
    }

    #[test]
    fn every_kind_is_related_to_something_and_never_by_money() {
        for kind in Kind::ALL {
            // A call belongs to nothing but itself.
            assert_eq!(sources(kind).is_empty(), kind == Kind::Calls, "{kind}");
            assert!(!sources(kind).contains(&Source::Metrics), "{kind}");
        }
    }

    fn core(id: &str, scope: &Arc<Scope>, instance: &str) -> Core {
        Core {
            id: CoreId::new(id),
            scope: Arc::clone(scope),
            tier: None,
            home: Home::Container { instance_id: Some(instance.into()), container: None },
            port: Some(3567),
            version: None,
            tenants: Known::Yes(0),
            room: Known::Yes(None),
            left: Known::Yes(None),
            cpu: Known::Yes(None),
            credits: Known::Yes(None),
            names: Known::Yes(Vec::new()),
            drift: None,
            word: crate::model::Known::Yes(None),
            health: Health::Ok,
            troubles: Vec::new(),
        }
    }

    fn tenant(id: &str, scope: &Arc<Scope>, core: &str) -> Tenant {
        Tenant {
            id: id.into(),
            scope: Arc::clone(scope),
            name: None,
            domain: None,
            mode: None,
            core: Some(core.into()),
            tier: None,
            rule: None,
            target_groups: Vec::new(),
            route: Known::Yes(None),
            drift: None,
            word: crate::model::Known::Yes(None),
            health: Health::Ok,
            troubles: Vec::new(),
        }
    }

    #[test]
    fn instances_that_are_gone_are_counted_apart() {
        let gone = |id: &str, state| {
            let mut row = row(id, &[]);
            Arc::make_mut(&mut row.it).state = state;
            row
        };
        let rows = vec![
            row("i-a", &[]),
            gone("i-b", InstanceState::Terminated),
            gone("i-c", InstanceState::ShuttingDown),
            gone("i-d", InstanceState::Stopped),
        ];
        let fleet = fleet(rows);
        let ctx = Ctx { fleet: &fleet, now: NOW };
        assert_eq!(super::gone(ctx, Kind::Instances, &[0, 1, 2, 3]), 2);
        assert_eq!(super::gone(ctx, Kind::Groups, &[0, 1, 2, 3]), 0);
    }

    #[test]
    fn a_core_at_home_comes_before_one_of_the_same_name_elsewhere_both_ways() {
        let (here, there) = (scope("main", "eu-west-1"), scope("main", "us-east-1"));
        let mut fleet = fleet(vec![row("i-0000000a", &[]), row("i-0000000b", &[])]);
        fleet.cores = vec![core("c", &here, "i-0000000a"), core("c", &there, "i-0000000b")].into();
        let third = scope("other", "eu-west-1");
        fleet.tenants =
            vec![tenant("a", &here, "c"), tenant("b", &there, "c"), tenant("x", &third, "c")].into();
        let ctx = Ctx { fleet: &fleet, now: NOW };
        assert_eq!(reach(ctx, Kind::Tenants, &[0], Kind::Cores), [0]);
        assert_eq!(reach(ctx, Kind::Tenants, &[1], Kind::Cores), [1]);
        assert_eq!(reach(ctx, Kind::Tenants, &[2], Kind::Cores), [0, 1], "nobody can say which");
        assert_eq!(reach(ctx, Kind::Cores, &[0], Kind::Tenants), [0, 2]);
        assert_eq!(reach(ctx, Kind::Tenants, &[1], Kind::Instances), [1], "in whatever region it is");
        assert_eq!(reach(ctx, Kind::Tenants, &[0, 1], Kind::Cores), [0, 1]);
        let all: Vec<Kind> = related(ctx, Kind::Instances, 1).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(all, [Kind::Cores, Kind::Tenants]);
    }
}
