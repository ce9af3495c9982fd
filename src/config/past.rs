//! How much of what is read is kept, for how long; and moments of the past as people write them.

use super::cadence::parse_span;
use super::shape::Wrong;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::time::Duration;

const DAY: u64 = 24 * 3600;
const MIB: u64 = 1 << 20;

/// How much of what is read is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// What is older is forgotten; nothing is kept at all when it is zero.
    pub span: Duration,
    /// The most bytes of the disk that it may take.
    pub bytes: u64,
    /// A `get` that reads once keeps what it read, too.
    pub has_gets: bool,
}

impl Default for Keep {
    fn default() -> Self {
        Self { span: Duration::from_secs(7 * DAY), bytes: 64 * MIB, has_gets: false }
    }
}

/// Reads `history.keep`: a span, or `off`.
pub(super) fn span_kept(raw: &str) -> Result<Duration, Wrong> {
    if raw == "off" {
        return Ok(Duration::ZERO);
    }
    let span = parse_span(raw).map_err(|why| (why, Some("or write \"off\" to keep nothing".to_owned())))?;
    if (3600..=90 * DAY).contains(&span.as_secs()) {
        Ok(span)
    } else {
        Err(("`keep` must be between 1h and 90d".to_owned(), Some("\"off\" keeps nothing".to_owned())))
    }
}

/// Reads `history.size`: a number of KiB, MiB or GiB.
pub(super) fn bytes_kept(raw: &str) -> Result<u64, Wrong> {
    let shape = || ("a size is a number and a unit, such as \"64MiB\" or \"1GiB\"".to_owned(), None);
    let digits = raw.len() - raw.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = raw.split_at(digits);
    let each = match unit.trim() {
        "KiB" => 1 << 10,
        "MiB" => MIB,
        "GiB" => 1 << 30,
        _ => return Err(shape()),
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(each)).ok_or_else(shape)?;
    if (MIB..=16 << 30).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(("`size` must be between 1MiB and 16GiB".to_owned(), None))
    }
}

/// Writes a size the way `bytes_kept` reads it.
pub fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1 << 30 && bytes.is_multiple_of(1 << 30) => format!("{}GiB", bytes >> 30),
        bytes if bytes.is_multiple_of(MIB) => format!("{}MiB", bytes >> 20),
        bytes => format!("{}KiB", bytes >> 10),
    }
}

/// Reads a moment of the past: `-1h` or `1h`, so long ago; `22:54`, today or else yesterday;
/// `2026-11-21`, `2026-11-21 22:54`, in `zone`; or with a zone of its own, `2026-11-21T22:54:00Z`.
/// Says what is wrong otherwise.
pub fn parse_moment(raw: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let raw = raw.trim();
    let ago = raw.strip_prefix('-').unwrap_or(raw);
    let of = |when: DateTime| when.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp());
    let moment = if raw == "now" {
        Some(now)
    } else if let Ok(span) = parse_span(ago) {
        now.checked_sub(span).ok()
    } else if let Ok(moment) = raw.parse::<Timestamp>() {
        Some(moment)
    } else if let Ok(date) = raw.parse::<Date>()
        && raw.len() == 10
    {
        of(date.at(0, 0, 0, 0))
    } else if let Ok(when) = raw.parse::<DateTime>() {
        of(when)
    } else if let Ok(time) = raw.parse::<Time>() {
        let today = now.to_zoned(zone.clone()).date();
        let then = of(today.to_datetime(time));
        match then {
            Some(then) if then <= now => Some(then),
            _ => today.checked_sub(1.day()).ok().and_then(|day| of(day.to_datetime(time))),
        }
    } else {
        None
    };
    match moment {
        None => Err(format!(
            "`{raw}` is no moment; write -1h, 22:54, \"2026-11-21 22:54\" or 2026-11-21T22:54:00Z"
        )),
        Some(moment) if moment > now => Err(format!("`{raw}` is still to come")),
        Some(moment) => Ok(moment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let now: Timestamp = "2026-11-21T21:30:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let read = |raw: &str| parse_moment(raw, now, &zone).map(|moment| moment.to_string());
        for (raw, moment) in [
            ("now", "2026-11-21T21:30:00Z"),
            ("-1h30m", "2026-11-21T20:00:00Z"),
            ("2d", "2026-11-19T21:30:00Z"),
            ("22:15", "2026-11-21T21:15:00Z"),
            ("22:45", "2026-11-20T21:45:00Z"),
            ("2026-11-20", "2026-11-19T23:00:00Z"),
            ("2026-11-20 10:00", "2026-11-20T09:00:00Z"),
            ("2026-11-20T10:00:05", "2026-11-20T09:00:05Z"),
            ("2026-11-20T10:00:05Z", "2026-11-20T10:00:05Z"),
            ("2026-11-20T10:00:05+02:00", "2026-11-20T08:00:05Z"),
        ] {
            assert_eq!(read(raw).as_deref(), Ok(moment), "{raw}");
        }
        assert!(read("2026-11-22").unwrap_err().contains("still to come"));
        for wrong in ["", "-", "yesterday", "25:00", "2026-13-01", "1"] {
            assert!(read(wrong).unwrap_err().contains("is no moment"), "{wrong}");
        }
    }

    #[test]
    fn sizes_and_spans_have_bounds() {
        assert_eq!(bytes_kept("64MiB").map(size).as_deref(), Ok("64MiB"));
        assert_eq!(bytes_kept("2 GiB").map(size).as_deref(), Ok("2GiB"));
        assert_eq!(bytes_kept("1536KiB").map(size).as_deref(), Ok("1536KiB"));
        for wrong in ["64", "MiB", "64MB", "1KiB", "99GiB", "99999999999999999999GiB"] {
            assert!(bytes_kept(wrong).is_err(), "{wrong}");
        }
        assert_eq!(span_kept("off"), Ok(Duration::ZERO));
        assert_eq!(span_kept("3d"), Ok(Duration::from_secs(3 * DAY)));
        assert!(span_kept("5m").is_err() && span_kept("91d").is_err() && span_kept("long").is_err());
    }
}
