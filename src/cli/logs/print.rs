//! Lines as text for people and as JSON for programs. Nothing that a core wrote reaches a terminal as it is.

use crate::cli::json;
use crate::cli::output::{Colour, paint};
use crate::logs::{Latency, Level, Line, Origin, Whom, called};
use crate::model::Scope;
use crate::model::text::harmless;
use serde_json::json;
use unicode_width::UnicodeWidthStr;

/// Columns that a source's name takes at most.
const WIDEST: usize = 28;
/// Colours of sources, one after the other; none of them is a level's.
const COLOURS: [&str; 6] = ["36", "32", "35", "34", "96", "92"];

/// Writes lines.
pub(super) struct Printer {
    names: Vec<(String, String, String)>,
    wide: usize,
    is_json: bool,
    colour: Colour,
}

impl Printer {
    /// For these sources.
    pub(super) fn new(origins: &[Origin], is_json: bool, colour: Colour) -> Self {
        let mut printer = Self { names: Vec::new(), wide: 0, is_json, colour };
        for (origin, name) in origins.iter().zip(called(origins)) {
            printer.named(origin, &name);
        }
        printer
    }

    /// A source that was not there yet.
    pub(super) fn joins(&mut self, origin: &Origin) {
        self.named(origin, &origin.name);
    }

    fn named(&mut self, origin: &Origin, name: &str) {
        let Scope { account, region } = origin.scope.as_ref();
        let name = harmless(name).into_owned();
        self.wide = self.wide.max(name.width().min(WIDEST));
        self.names.push((name, account.as_str().to_owned(), region.as_str().to_owned()));
    }

    /// Appends a line and what belongs to it.
    pub(super) fn write(&self, line: &Line, text: &mut String) {
        if self.is_json {
            text.push_str(&self.json(line));
            text.push('\n');
            return;
        }
        let at = usize::from(line.from);
        let name = self.names.get(at).map_or("", |(name, ..)| name.as_str());
        let pad = " ".repeat(self.wide.saturating_sub(name.width()));
        let colour = COLOURS.get(at % COLOURS.len()).copied().unwrap_or("36");
        let level = line.level().map_or("     ".to_owned(), |level| format!("{level:<5}"));
        let level = match line.level() {
            Some(Level::Error) => paint(&level, "31;1", self.colour),
            Some(Level::Warn) => paint(&level, "33;1", self.colour),
            _ => level,
        };
        text.push_str(&paint(&format!("{:.3}", line.at), "2", self.colour));
        text.push(' ');
        text.push_str(&paint(name, colour, self.colour));
        text.push_str(&pad);
        text.push(' ');
        text.push_str(&level);
        text.push(' ');
        if let Some(whom) = line.whom() {
            text.push_str(&paint(&harmless(&about(whom)), "2", self.colour));
            text.push(' ');
        }
        text.push_str(&shown(&line.message));
        text.push('\n');
        for more in &line.more {
            text.push_str("    ");
            text.push_str(&shown(more));
            text.push('\n');
        }
    }

    fn json(&self, line: &Line) -> String {
        let (name, account, region) = self.names.get(usize::from(line.from)).cloned().unwrap_or_default();
        let head = line.head.as_deref();
        let whom = line.whom();
        json::line(&json!({
            "at": line.at.to_string(), "source": name, "account": account, "region": region,
            "level": line.level(),
            "domain": whom.map(|whom| whom.domain.as_str()), "app": whom.map(|whom| whom.app.as_str()),
            "tenant": whom.map(|whom| whom.tenant.as_str()),
            "version": head.map(|head| head.version.as_str()), "thread": head.map(|head| head.thread.as_str()),
            "caller": head.map(|head| head.caller.as_str()),
            "message": line.message, "more": line.more,
        }))
    }

    /// Appends how long requests took.
    pub(super) fn latency(&self, latency: &Latency, text: &mut String) {
        let name = |from: u16| self.names.get(usize::from(from)).map_or("", |(name, ..)| name.as_str());
        if self.is_json {
            for (domain, requests, [median, p95, slowest]) in latency.domains() {
                text.push_str(&json::line(&json!({
                    "domain": domain.as_str(), "requests": requests,
                    "median_ms": median, "p95_ms": p95, "slowest_ms": slowest,
                })));
                text.push('\n');
            }
            for (domain, slow) in latency.slowest() {
                text.push_str(&json::line(&json!({
                    "domain": domain.as_str(), "at": slow.at.to_string(), "ms": slow.ms,
                    "source": name(slow.from), "request": slow.what,
                })));
                text.push('\n');
            }
            return;
        }
        let own =
            |domain: &str| if domain.is_empty() { "-".to_owned() } else { harmless(domain).into_owned() };
        let domains = latency.domains();
        let wide = domains.iter().map(|(domain, ..)| own(domain).width()).max().unwrap_or(6).max(6);
        text.push_str(&format!("{:<wide$}  REQUESTS  MEDIAN ms  95% ms  SLOWEST ms\n", "DOMAIN"));
        for (domain, requests, [median, p95, slowest]) in domains {
            let domain = own(&domain);
            text.push_str(&format!("{domain:<wide$}  {requests:>8}  {median:>9}  {p95:>6}  {slowest:>10}\n"));
        }
        let slowest = latency.slowest();
        if !slowest.is_empty() {
            text.push_str("\nThe slowest:\n");
        }
        for (domain, slow) in slowest {
            let (at, ms, what) = (format!("{:.3}", slow.at), slow.ms, shown(&slow.what));
            text.push_str(&format!("{at} {:>6} ms  {} {} {what}\n", ms, name(slow.from), own(&domain)));
        }
    }
}

/// `c1.example.com`, `-` for the core's own, and what is not `public` of app and tenant.
fn about(whom: &Whom) -> String {
    let mut about = if whom.domain.is_empty() { "-".to_owned() } else { whom.domain.to_string() };
    let is_public = |name: &str| name.is_empty() || name == "public";
    if !is_public(&whom.app) || !is_public(&whom.tenant) {
        about.push_str(&format!("/{}", whom.app));
    }
    if !is_public(&whom.tenant) {
        about.push_str(&format!("/{}", whom.tenant));
    }
    about
}

fn shown(text: &str) -> String {
    harmless(&text.replace('\t', "    ")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::Fold;
    use std::sync::Arc;

    fn printed(is_json: bool, colour: Colour) -> String {
        let scope = Scope { account: "a".into(), region: "eu-west-1".into() };
        let place = crate::logs::Place::Container { instance: "i-1".into(), container: "c".into() };
        let origin = Origin {
            name: "prod-acme".into(),
            scope: Arc::new(scope),
            place,
            only: Vec::new(),
            service: None,
            doubt: None,
        };
        let printer = Printer::new(&[origin], is_json, colour);
        let mut fold = Fold::new(0, Arc::default());
        fold.push(
            jiff::Timestamp::UNIX_EPOCH,
            "21 Nov 2026 19:31:42:658 +0000 | ERROR | pid: x | v9 | [main] thread | a.b | Tenant(c1, app1, public) | boom \u{1b}[2J user \"acme\"",
        );
        let at = "2026-11-21T19:31:42.658Z".parse().unwrap();
        fold.push(at, "\tat \u{9b}a.B");
        let mut text = String::new();
        printer.write(&fold.flush().unwrap(), &mut text);
        text
    }

    #[test]
    fn a_line_is_readable_and_harmless() {
        assert_eq!(
            printed(false, Colour::No),
            "2026-11-21T19:31:42.658Z prod-acme ERROR c1/app1 boom ␛[2J user \"***\"\n        at \\u{9b}a.B\n"
        );
        assert!(printed(false, Colour::Yes).contains("\u{1b}[31;1mERROR\u{1b}[0m"));
    }

    #[test]
    fn a_program_gets_every_part() {
        let text = printed(true, Colour::No);
        assert!(!text.contains('\u{1b}') && text.ends_with("}\n"));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((value["level"].as_str(), value["app"].as_str()), (Some("ERROR"), Some("app1")));
        assert_eq!(value["more"][0], "\tat \u{9b}a.B");
        assert_eq!(value["source"], "prod-acme");
    }
}
