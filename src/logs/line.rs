//! A line of a core, taken apart: its text form and its JSON form, and what is neither.

use crate::model::Text;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// For developers.
    Debug,
    /// What goes on.
    Info,
    /// What may be wrong.
    Warn,
    /// What is wrong.
    Error,
}

impl Level {
    /// The level of that word, however it is written.
    pub fn of(word: &str) -> Option<Self> {
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        match () {
            () if is("debug") || is("trace") => Some(Self::Debug),
            () if is("info") => Some(Self::Info),
            () if is("warn") || is("warning") => Some(Self::Warn),
            () if is("error") || is("fatal") => Some(Self::Error),
            () => None,
        }
    }

    /// The word as cores write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Whom a line is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whom {
    /// The connection URI domain; empty for the core's own.
    pub domain: Text,
    /// The app.
    pub app: Text,
    /// The tenant.
    pub tenant: Text,
}

/// What a core says of a line before it says anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// When, by the core's own clock.
    pub at: Option<Timestamp>,
    /// How grave it is.
    pub level: Option<Level>,
    /// The core's version.
    pub version: Text,
    /// The thread that says it.
    pub thread: Text,
    /// The place in the core's source.
    pub caller: Text,
    /// Whom it is about; none where the line names nobody.
    pub whom: Option<Whom>,
}

/// A line with what belongs to it. Nothing of it is neutralised; what holds secrets is masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// What it came from: an index into the sources.
    pub from: u16,
    /// What the core says of it; none for what is no line of a core.
    pub head: Option<Arc<Head>>,
    /// What it says.
    pub message: String,
    /// The lines that follow and belong to it: a stack trace.
    pub more: Vec<String>,
}

impl Line {
    /// How grave it is, where it says.
    pub fn level(&self) -> Option<Level> {
        self.head.as_ref().and_then(|head| head.level)
    }

    /// Whom it is about, where it says.
    pub fn whom(&self) -> Option<&Whom> {
        self.head.as_ref().and_then(|head| head.whom.as_ref())
    }
}

/// Takes a core's line apart: head, message, and lines that JSON keeps inside. None for what no core wrote.
pub(super) fn parse(text: &str) -> Option<(Head, String, Vec<String>)> {
    if text.starts_with('{') { json(text) } else { plain(text) }
}

/// `21 Nov 2026 19:31:42:658 +0000 | INFO | pid: … | v9.2.2 | [thread] thread | caller | Tenant(c, a, t) | message`
fn plain(text: &str) -> Option<(Head, String, Vec<String>)> {
    let (date, rest) = text.split_once(" | ")?;
    let at = written(date)?;
    let (level, rest) = rest.split_once(" | ")?;
    let level = Level::of(level.trim())?;
    let mut head = Head { at: Some(at), level: Some(level), ..Head::default() };
    let mut rest = rest;
    while let Some((part, after)) = rest.split_once(" | ") {
        let part = part.trim();
        if part.starts_with("pid:") {
        } else if head.version.is_empty() && part.starts_with('v') && is_version(&part[1..]) {
            head.version = part[1..].into();
        } else if let Some(thread) = part.strip_prefix('[').and_then(|it| it.strip_suffix("] thread")) {
            head.thread = thread.into();
        } else if let Some(whom) = whom(part) {
            head.whom = Some(whom);
            rest = after;
            break;
        } else if head.caller.is_empty() && !head.thread.is_empty() && !part.contains(' ') {
            head.caller = part.into();
        } else {
            break;
        }
        rest = after;
    }
    Some((head, rest.to_owned(), Vec::new()))
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
}

/// `Tenant(c1.example.com, public, public)`
fn whom(part: &str) -> Option<Whom> {
    let inner = part.strip_prefix("Tenant(")?.strip_suffix(')')?;
    let mut names = inner.split(',').map(str::trim);
    let (domain, app, tenant) = (names.next()?, names.next()?, names.next()?);
    Some(Whom { domain: domain.into(), app: app.into(), tenant: tenant.into() })
}

/// `21 Nov 2026 19:31:42:658 +0000`
fn written(date: &str) -> Option<Timestamp> {
    let mut words = date.split_ascii_whitespace();
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let (time, zone) = (words.next()?, words.next()?);
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = i8::try_from(months.iter().position(|name| *name == month)? + 1).ok()?;
    let mut parts = time.splitn(4, [':', '.', ',']);
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let thousandths: i32 = parts.next().map_or(Ok(0), str::parse).ok()?;
    let at = DateTime::new(
        year.parse().ok()?,
        month,
        day.parse().ok()?,
        hour.parse().ok()?,
        minute.parse().ok()?,
        second.parse().ok()?,
        thousandths.checked_mul(1_000_000).filter(|nanoseconds| (0..1_000_000_000).contains(nanoseconds))?,
    );
    let digits: i32 = zone.get(1..)?.parse().ok().filter(|_| zone.len() == 5)?;
    let seconds = (digits / 100 * 60 + digits % 100) * 60;
    let offset = Offset::from_seconds(if zone.starts_with('-') { -seconds } else { seconds }).ok()?;
    offset.to_timestamp(at.ok()?).ok()
}

/// `USE_STRUCTURED_LOGGING=true`
fn json(text: &str) -> Option<(Head, String, Vec<String>)> {
    let value: serde_json::Value = serde_json::from_str(text.trim_end()).ok()?;
    let word = |of: &serde_json::Value, name: &str| -> Option<Text> {
        of.get(name).and_then(serde_json::Value::as_str).map(Text::from)
    };
    let message = value.get("message").and_then(serde_json::Value::as_str)?;
    let level = Level::of(&word(&value, "level")?)?;
    let at = match value.get("timestamp") {
        Some(serde_json::Value::String(text)) => text.parse().ok().or_else(|| written(text)),
        Some(number) => number.as_i64().and_then(|at| Timestamp::from_millisecond(at).ok()),
        None => None,
    };
    let whom = value.get("tenant").filter(|tenant| tenant.is_object()).map(|tenant| Whom {
        domain: word(tenant, "connectionUriDomain").unwrap_or_default(),
        app: word(tenant, "appId").unwrap_or_default(),
        tenant: word(tenant, "tenantId").unwrap_or_default(),
    });
    let mut lines = message.lines().map(str::to_owned);
    let first = lines.next().unwrap_or_default();
    let head = Head {
        at,
        level: Some(level),
        version: word(&value, "coreVersion").unwrap_or_default(),
        thread: word(&value, "threadName").unwrap_or_default(),
        caller: word(&value, "callerData").unwrap_or_default(),
        whom,
    };
    Some((head, first, lines.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "21 Nov 2026 19:31:42:658 +0000 | INFO | pid: 7c1d1c29-1e86-4b1e-9b0e-0f3f2f3c0f11 | v9.2.2 | \
                        [http-nio-0.0.0.0-3567-exec-3] thread | io.supertokens.webserver.WebserverAPI.service(WebserverAPI.java:489) | \
                        Tenant(c1.example.com, public, t1) | API called: /recipe/signin. Method: POST. Version: 5.1 | more";

    #[test]
    fn a_core_s_text_line_is_taken_apart() {
        let (head, message, more) = parse(TEXT).unwrap();
        assert_eq!(head.at, Some("2026-11-21T19:31:42.658Z".parse().unwrap()));
        assert_eq!((head.level, head.version.as_str()), (Some(Level::Info), "9.2.2"));
        assert_eq!(head.thread, "http-nio-0.0.0.0-3567-exec-3");
        assert_eq!(head.caller, "io.supertokens.webserver.WebserverAPI.service(WebserverAPI.java:489)");
        let whom = head.whom.unwrap();
        assert_eq!(
            (whom.domain.as_str(), whom.app.as_str(), whom.tenant.as_str()),
            ("c1.example.com", "public", "t1")
        );
        assert_eq!(message, "API called: /recipe/signin. Method: POST. Version: 5.1 | more");
        assert!(more.is_empty());
    }

    #[test]
    fn a_core_s_json_line_says_the_same() {
        let text = r#"{"message":"boom\n\tat a.B","tenant":{"connectionUriDomain":"c1","appId":"public","tenantId":"t1"},"timestamp":"2026-11-21T19:31:42.658Z","level":"ERROR","pid":"x","coreVersion":"11.0.4","threadName":"main","callerData":"a.B"}"#;
        let (head, message, more) = parse(text).unwrap();
        assert_eq!(
            (head.level, head.version.as_str(), message.as_str()),
            (Some(Level::Error), "11.0.4", "boom")
        );
        assert_eq!((more, head.whom.unwrap().domain.as_str()), (vec!["\tat a.B".to_owned()], "c1"));
    }

    #[test]
    fn lines_with_less_in_them_and_other_zones_are_lines_all_the_same() {
        let (head, message, _) =
            parse("01 Jan 2026 00:00:00:001 -0130 | WARN | pid: x | v1.0 | [main] thread | just this")
                .unwrap();
        assert_eq!(head.at, Some("2026-01-01T01:30:00.001Z".parse().unwrap()));
        assert_eq!((head.whom, message.as_str()), (None, "just this"));
        let (head, message, _) = parse(
            "01 Jan 2026 00:00:00:001 +0000 | DEBUG | pid: x | v1.0 | [main] thread | a.B.c(D.java:1) | Tenant(, public, public) | ",
        )
        .unwrap();
        assert_eq!((head.whom.unwrap().domain.as_str(), message.as_str()), ("", ""));
    }

    #[test]
    fn what_no_core_wrote_is_none() {
        for text in
            ["", "\tat a.B", "{", "{}", "a | b", "99 Nov 2026 99:31:42:658 +0000 | INFO | x", "1 | INFO"]
        {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
