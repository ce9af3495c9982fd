//! Views kept under a name: a page with its filter, order and columns, in a file that a person can read.

use super::fault::{Fault, Faults, meant};
use crate::query::{Kind, Query};
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// A page as it was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedView {
    /// What it lists.
    pub kind: Kind,
    /// Its filter; empty for every row.
    pub query: String,
    /// The column it is sorted by, and whether from the greatest down.
    pub sort: Option<(&'static str, bool)>,
    /// Its columns, where they were chosen.
    pub columns: Vec<&'static str>,
    /// More columns show.
    pub is_wide: bool,
}

/// Every view by its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Views(BTreeMap<String, SavedView>);

const KEYS: [&str; 5] = ["page", "query", "sort", "columns", "wide"];

impl Views {
    /// The view of that name.
    pub fn get(&self, name: &str) -> Option<&SavedView> {
        self.0.get(name)
    }

    /// Every view in the order of its name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SavedView)> {
        self.0.iter().map(|(name, view)| (name.as_str(), view))
    }

    /// Keeps a view; one of the same name gives way.
    pub fn keep(&mut self, name: &str, view: SavedView) {
        self.0.insert(name.to_owned(), view);
    }

    /// Forgets a view. Tells whether there was one.
    pub fn forget(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }

    /// Reads a file of views. Tells every fault at once.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults::new(file, text);
        let (table, errors) = DeTable::parse_recoverable(text);
        faults.toml(&errors);
        let mut views = Self::default();
        for (name, value) in table.get_ref() {
            if let Err(why) = name_of(name.get_ref()) {
                faults.at(name.span().start, why, None);
            }
            match value.get_ref() {
                DeValue::Table(table) => {
                    if let Some(view) = view(&mut faults, name.span().start, table) {
                        views.keep(name.get_ref(), view);
                    }
                }
                _ => {
                    faults.at(
                        value.span().start,
                        "a view is a table: page, query, sort, columns, wide",
                        None,
                    );
                }
            }
        }
        let found = faults.into_found();
        if found.is_empty() { Ok(views) } else { Err(found) }
    }

    /// The file that reads back as these views.
    pub fn to_toml(&self) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let mut text = String::from("# Views that `:save-view NAME` kept. `:NAME` opens one.\n");
        for (name, view) in &self.0 {
            text.push_str(&format!("\n[{}]\npage = {}\n", quoted(name), quoted(view.kind.word())));
            if !view.query.is_empty() {
                text.push_str(&format!("query = {}\n", quoted(&view.query)));
            }
            if let Some((column, is_descending)) = view.sort {
                let order = if is_descending { " desc" } else { "" };
                text.push_str(&format!("sort = {}\n", quoted(&format!("{column}{order}"))));
            }
            if !view.columns.is_empty() {
                let columns: Vec<String> = view.columns.iter().map(|column| quoted(column)).collect();
                text.push_str(&format!("columns = [{}]\n", columns.join(", ")));
            }
            if view.is_wide {
                text.push_str("wide = true\n");
            }
        }
        text
    }
}

/// What a view may be called: one word that is no other command's.
pub(super) fn name_of(name: &str) -> Result<&str, String> {
    let is_word = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if name.is_empty() {
        Err("what shall it be called? `save-view mine` writes letters, digits, - and _ after it".to_owned())
    } else if !is_word {
        Err(format!(
            "`{}` is no name for a view: write letters, digits, - and _",
            crate::model::text::harmless(name)
        ))
    } else if super::update::is_command(name) {
        Err(format!("`{name}` is a command already"))
    } else {
        Ok(name)
    }
}

fn column(faults: &mut Faults<'_>, kind: Kind, at: usize, name: &str) -> Option<&'static str> {
    match kind.column(name) {
        Ok(column) => Some(column.name),
        Err(error) => {
            faults.at(at, error.message, error.hints.into_iter().next());
            None
        }
    }
}

fn view(faults: &mut Faults<'_>, at: usize, table: &DeTable<'_>) -> Option<SavedView> {
    for key in table.keys().filter(|key| !KEYS.contains(&key.get_ref().as_ref())) {
        let word = key.get_ref();
        faults.at(key.span().start, format!("a view has no `{word}`"), meant(word, KEYS));
    }
    let mut word = |key: &str| {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some((value.span().start, text.to_string())),
            _ => {
                faults.at(value.span().start, format!("`{key}` is a text, in quotes"), None);
                None
            }
        }
    };
    let (page, query, sort) = (word("page"), word("query"), word("sort"));
    let Some((page_at, page)) = page else {
        if !table.contains_key("page") {
            faults.at(at, "a view needs a `page`", Some("write page = \"instances\"".into()));
        }
        return None;
    };
    let kind = match Kind::parse(&page) {
        Ok(kind) => kind,
        Err(error) => {
            faults.at(page_at, error.message, error.hints.into_iter().next());
            return None;
        }
    };
    let query = query.map_or_else(String::new, |(at, query)| {
        for fault in Query::parse(&query, kind).err().unwrap_or_default() {
            faults.at(at, format!("in the query: {}", fault.message), fault.hint);
        }
        query
    });
    let sort = sort.and_then(|(at, sort)| {
        let (name, order) = sort.split_once(' ').unwrap_or((&sort, "asc"));
        Some((column(faults, kind, at, name)?, order.trim() == "desc"))
    });
    let mut columns = Vec::new();
    match table.get("columns").map(|value| (value.span().start, value.get_ref())) {
        Some((_, DeValue::Array(items))) => {
            for item in items.iter() {
                match item.get_ref() {
                    DeValue::String(name) => columns.extend(column(faults, kind, item.span().start, name)),
                    _ => faults.at(item.span().start, "the name of a column is expected, in quotes", None),
                }
            }
        }
        Some((at, _)) => faults.at(at, "`columns` is a list of names", None),
        None => {}
    }
    let is_wide = match table.get("wide").map(|value| (value.span().start, value.get_ref().as_bool())) {
        Some((_, Some(is_wide))) => is_wide,
        Some((at, None)) => {
            faults.at(at, "true or false is expected", None);
            false
        }
        None => false,
    };
    Some(SavedView { kind, query, sort, columns, is_wide })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_read_back_as_they_were_written() {
        let mut views = Views::default();
        let view = SavedView {
            kind: Kind::Instances,
            query: "tier:production name:\"a b\"".into(),
            sort: Some(("cpu", true)),
            columns: vec!["id", "cpu"],
            is_wide: true,
        };
        views.keep("busy", view.clone());
        views.keep(
            "plain",
            SavedView { query: String::new(), sort: None, columns: Vec::new(), is_wide: false, ..view },
        );
        assert_eq!(Views::parse("views.toml", &views.to_toml()), Ok(views));
    }

    #[test]
    fn every_fault_is_told_at_once_with_its_place() {
        let text = "[busy]\npage = 'instnces'\n[quit]\npage = 'groups'\nquery = 'nme:x'\nsort = 'nme'\nwide = 1\n\
                    colums = ['id']\n[c]\nquery = 3\n";
        let faults: Vec<String> =
            Views::parse("v.toml", text).unwrap_err().iter().map(ToString::to_string).collect();
        for (nth, start) in [
            "v.toml:2:8: ",
            "v.toml:3:2: `quit` is a command already",
            "v.toml:5:9: in the query: ",
            "v.toml:6:8: ",
            "v.toml:7:8: true or false",
            "v.toml:8:1: a view has no `colums`; did you mean `columns`?",
            "v.toml:9:2: a view needs a `page`",
            "v.toml:10:9: `query` is a text",
        ]
        .iter()
        .enumerate()
        {
            assert!(faults[nth].starts_with(start), "{nth}: {faults:#?}");
        }
        assert_eq!(faults.len(), 8);
    }
}
