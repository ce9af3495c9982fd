//! What belongs to a thing: rows of other kinds that name it, or that it names.

use crate::gateway::Source;
use crate::query::{Ctx, Kind, Value};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Rows of `to` belong to a row of `from` when a text of one column is a text of the other, and both
/// live in one account and region. Texts of lists and of nested values count each for itself.
struct Relation {
    from: Kind,
    column: &'static str,
    to: Kind,
    matches: &'static str,
    /// Columns, one of each kind, that must agree too, because a name is not unique.
    within: Option<(&'static str, &'static str)>,
}

const fn relation(from: Kind, column: &'static str, to: Kind, matches: &'static str) -> Relation {
    Relation { from, column, to, matches, within: None }
}

const RELATIONS: &[Relation] = &[
    relation(Kind::Instances, "group", Kind::Groups, "name"),
    relation(Kind::Instances, "template", Kind::Templates, "id"),
    relation(Kind::Instances, "image_id", Kind::Images, "id"),
    relation(Kind::Instances, "id", Kind::Hosts, "instance"),
    relation(Kind::Instances, "id", Kind::Tasks, "instance"),
    relation(Kind::Instances, "id", Kind::Cores, "instance"),
    relation(Kind::Instances, "id", Kind::Targets, "target"),
    relation(Kind::Instances, "id", Kind::Alarms, "dimensions"),
    relation(Kind::Groups, "name", Kind::Instances, "group"),
    relation(Kind::Groups, "template_id", Kind::Templates, "id"),
    relation(Kind::Groups, "image_id", Kind::Images, "id"),
    relation(Kind::Groups, "target_groups", Kind::Targets, "group_arn"),
    relation(Kind::Groups, "arn", Kind::Clusters, "providers"),
    relation(Kind::Groups, "name", Kind::Alarms, "dimensions"),
    relation(Kind::Templates, "groups", Kind::Groups, "name"),
    relation(Kind::Templates, "id", Kind::Instances, "template"),
    relation(Kind::Templates, "image", Kind::Images, "id"),
    relation(Kind::Images, "id", Kind::Instances, "image_id"),
    relation(Kind::Images, "id", Kind::Templates, "versions"),
    relation(Kind::Images, "id", Kind::Groups, "image_id"),
    relation(Kind::Clusters, "arn", Kind::Services, "cluster_arn"),
    relation(Kind::Clusters, "arn", Kind::Hosts, "cluster_arn"),
    relation(Kind::Clusters, "providers", Kind::Groups, "arn"),
    relation(Kind::Services, "cluster_arn", Kind::Clusters, "arn"),
    Relation {
        from: Kind::Services,
        column: "name",
        to: Kind::Tasks,
        matches: "service",
        within: Some(("cluster_arn", "cluster_arn")),
    },
    relation(Kind::Services, "target_groups", Kind::Targets, "group_arn"),
    relation(Kind::Tasks, "cluster_arn", Kind::Clusters, "arn"),
    Relation {
        from: Kind::Tasks,
        column: "service",
        to: Kind::Services,
        matches: "name",
        within: Some(("cluster_arn", "cluster_arn")),
    },
    relation(Kind::Tasks, "host_arn", Kind::Hosts, "arn"),
    relation(Kind::Tasks, "instance", Kind::Instances, "id"),
    relation(Kind::Tasks, "arn", Kind::Cores, "task_arn"),
    relation(Kind::Hosts, "instance", Kind::Instances, "id"),
    relation(Kind::Hosts, "cluster_arn", Kind::Clusters, "arn"),
    relation(Kind::Hosts, "arn", Kind::Tasks, "host_arn"),
    relation(Kind::Cores, "instance", Kind::Instances, "id"),
    relation(Kind::Cores, "task_arn", Kind::Tasks, "arn"),
    relation(Kind::Cores, "id", Kind::Tenants, "core"),
    relation(Kind::Tenants, "core", Kind::Cores, "id"),
    relation(Kind::Tenants, "rule_arn", Kind::Rules, "arn"),
    relation(Kind::Tenants, "target_groups", Kind::Targets, "group_arn"),
    relation(Kind::Targets, "target", Kind::Instances, "id"),
    relation(Kind::Targets, "group_arn", Kind::Groups, "target_groups"),
    relation(Kind::Targets, "group", Kind::Rules, "forwards"),
    relation(Kind::Rules, "forwards", Kind::Targets, "group"),
    relation(Kind::Rules, "arn", Kind::Tenants, "rule_arn"),
    relation(Kind::Alarms, "dimensions", Kind::Instances, "id"),
    relation(Kind::Alarms, "dimensions", Kind::Groups, "name"),
];

/// The sources that a kind's relations rest on.
pub(super) fn sources(kind: Kind) -> BTreeSet<Source> {
    let mut sources = BTreeSet::new();
    for relation in RELATIONS.iter().filter(|relation| relation.from == kind) {
        sources.extend(relation.to.sources());
        for (kind, name) in [(relation.from, relation.column), (relation.to, relation.matches)] {
            sources.extend(column(kind, name).into_iter().flat_map(|column| column.needs));
        }
    }
    sources
}

/// The rows that belong to a row, by kind.
pub(super) fn related(ctx: Ctx<'_>, kind: Kind, at: usize) -> Vec<(Kind, Vec<usize>)> {
    let mut found: Vec<(Kind, Vec<usize>)> = Vec::new();
    for relation in RELATIONS.iter().filter(|relation| relation.from == kind) {
        let named = texts(ctx, kind, relation.column, at);
        if named.is_empty() {
            continue;
        }
        let scope = kind.scope(ctx, at);
        let within = relation.within.map(|(here, there)| (texts(ctx, kind, here, at), there));
        let rows: Vec<usize> = (0..relation.to.len(ctx.fleet))
            .filter(|row| relation.to.scope(ctx, *row) == scope)
            .filter(|row| !texts(ctx, relation.to, relation.matches, *row).is_disjoint(&named))
            .filter(|row| {
                let agrees = |(texts_here, there): &(BTreeSet<String>, &str)| {
                    !texts(ctx, relation.to, there, *row).is_disjoint(texts_here)
                };
                within.as_ref().is_none_or(agrees)
            })
            .collect();
        if rows.is_empty() {
            continue;
        }
        match found.iter_mut().find(|(of, _)| *of == relation.to) {
            Some((_, known)) => {
                known.extend(rows);
                known.sort_unstable();
                known.dedup();
            }
            None => found.push((relation.to, rows)),
        }
    }
    found
}

fn column(kind: Kind, name: &str) -> Option<&'static crate::query::Column> {
    kind.columns().iter().find(|column| column.name == name)
}

/// The texts of a cell; numbers, moments and what is not known are none.
fn texts(ctx: Ctx<'_>, kind: Kind, name: &str, at: usize) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    let Some(column) = column(kind, name) else { return texts };
    match (column.get)(ctx, at) {
        Value::Text(text) => {
            texts.insert(text.into_owned());
        }
        Value::List(items) => texts.extend(items.into_iter().map(std::borrow::Cow::into_owned)),
        Value::Nested(json) => leaves(&json, &mut texts),
        _ => {}
    }
    texts.remove("");
    texts
}

fn leaves(json: &Json, texts: &mut BTreeSet<String>) {
    match json {
        Json::String(text) => {
            texts.insert(text.clone());
        }
        Json::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Json::Object(fields) => fields.values().for_each(|field| leaves(field, texts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{RELATIONS, column, sources};
    use crate::gateway::Source;
    use crate::query::Kind;

    #[test]
    fn every_relation_names_columns_that_exist() {
        for relation in RELATIONS {
            let mut names = vec![(relation.from, relation.column), (relation.to, relation.matches)];
            if let Some((here, there)) = relation.within {
                names.extend([(relation.from, here), (relation.to, there)]);
            }
            for (kind, name) in names {
                assert!(column(kind, name).is_some(), "{kind} have no column {name}");
            }
        }
    }

    #[test]
    fn every_kind_is_related_to_something_and_never_by_money() {
        for kind in Kind::ALL {
            // A call belongs to nothing but itself.
            assert_eq!(sources(kind).is_empty(), kind == Kind::Calls, "{kind}");
            assert!(!sources(kind).contains(&Source::Metrics), "{kind}");
        }
    }
}
