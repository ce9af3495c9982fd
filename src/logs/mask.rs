//! Secrets in what cores write: passwords, keys and tokens, and where databases are and who enters them.
//!
//! Not everything that is secret can be told from what is not. What is known to be is taken out before a line goes
//! anywhere; a line that somebody wrote by hand may hold more.

use regex::Regex;
use std::borrow::Cow;
use std::fmt;

/// What stands for what is not shown.
const HIDDEN: &str = "***";

/// `(pattern, what is put there)`. Numbers of groups in the second.
const PATTERNS: [(&str, &str); 12] = [
    // Addresses of databases: host, user, password and all that follows.
    (
        r#"(?i)\b((?:jdbc:)?(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?)://)[^\s"'<>,;)\]}]+"#,
        "${1}***",
    ),
    // A password in any other address.
    (r#"(?i)\b([a-z][a-z0-9+.-]{1,20}://)[^\s/"'@]+@"#, "${1}***@"),
    // `password=…`, `"apiKey": "…"`, `api-key: …`, `token=…` in the query of an address.
    (
        r#"(?i)\b([a-z0-9_.-]*(?:passw(?:or)?d|passphrase|secrets?|api[_-]?keys?|access[_-]?key|private[_-]?key|(?:access|refresh|id|session|security|auth|reset|api)[_-]?token|credentials?|cookie|authorization))(["']?\s*[=:]\s*["']?)(?:(?:bearer|basic)\s+)?[^\s"',;&)}\]]+"#,
        "${1}${2}***",
    ),
    (r"(?i)([?&](?:token|key|code|sig|signature|rid_token)=)[^\s&#]+", "${1}***"),
    (r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}", "${1} ***"),
    // Tokens and keys by their look.
    (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?", HIDDEN),
    (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", HIDDEN),
    (r"\bGOCSPX-[A-Za-z0-9_-]{8,}", HIDDEN),
    // Who enters a database: `user "x"`, `user=x`, `role "x"`.
    (r#"(?i)\b(user(?:name)?|role|database|db|schema)(\s*=?\s*)["'][^"']+["']"#, "${1}${2}\"***\""),
    (r#"(?i)\b(user(?:name)?|role|db)=[^\s"'&,;*]+"#, "${1}=***"),
    // Where a database is.
    (r"(?i)\b[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?:(5432|6432|3306|27017|6379)\b", "***:${1}"),
    (r"(?i)\b[a-z0-9.-]+\.rds\.amazonaws\.com\b", HIDDEN),
];

/// What must stand in a line for a pattern to be tried: most lines hold none of it.
const MARKS: [&str; 12] = ["://", "://", "", "=", "", "eyJ", "A", "GOCSPX", "", "=", ":", ".amazonaws."];

/// Takes secrets out of lines.
pub struct Mask {
    patterns: Vec<(Regex, &'static str)>,
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({})", self.patterns.len())
    }
}

impl Default for Mask {
    fn default() -> Self {
        let patterns = PATTERNS.iter().filter_map(|(pattern, put)| Some((Regex::new(pattern).ok()?, *put)));
        Self { patterns: patterns.collect() }
    }
}

impl Mask {
    /// The line without what is known to be secret.
    pub fn masked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut masked = Cow::Borrowed(text);
        for (at, (pattern, put)) in self.patterns.iter().enumerate() {
            if MARKS.get(at).is_some_and(|mark| !masked.contains(mark)) {
                continue;
            }
            let replaced = pattern.replace_all(&masked, *put);
            if let Cow::Owned(replaced) = replaced {
                masked = Cow::Owned(replaced);
            }
        }
        masked
    }
}

#[cfg(test)]
mod tests {
    use super::{Mask, PATTERNS};

    #[test]
    fn every_pattern_is_one() {
        assert_eq!(Mask::default().patterns.len(), PATTERNS.len());
    }

    #[test]
    fn what_cores_write_of_their_databases_is_masked() {
        let mask = Mask::default();
        for (raw, shown) in [
            (
                "x jdbc:postgresql://db-1.internal:5432/acme?user=acme&password=******** - timed out",
                "x jdbc:postgresql://*** - timed out",
            ),
            (
                "FATAL: password authentication failed for user \"acme\"",
                "FATAL: password authentication failed for user \"***\"",
            ),
            ("database \"acme_db\" does not exist", "database \"***\" does not exist"),
            ("Connection to db-1.internal:5432 refused. Check", "Connection to ***:5432 refused. Check"),
            ("host x.abc.eu-west-1.rds.amazonaws.com gone", "host *** gone"),
            ("postgresql_password: hunter2hunter2", "postgresql_password: ***"),
            ("{\"api_keys\":\"abcdefghijklmnopqrstu\",\"a\":1}", "{\"api_keys\":\"***\",\"a\":1}"),
            ("api-key: abcdefghijklmnopqrstu x", "api-key: *** x"),
            ("Authorization: Bearer abc.def.ghi", "Authorization: ***"),
            ("sent Bearer abcdefgh12345", "sent Bearer ***"),
            ("GET /x?token=abcdef&a=1", "GET /x?token=***&a=1"),
            ("https://me:pw@example.com/x", "https://***@example.com/x"),
            ("t eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln end", "t *** end"),
            ("key AKIAIOSFODNN7EXAMPLE.", "key ***."),
            ("clientSecret=GOCSPX-abcdefghijk", "clientSecret=***"),
        ] {
            assert_eq!(mask.masked(raw), shown, "{raw}");
        }
    }

    #[test]
    fn ordinary_lines_stay_as_they_are() {
        let mask = Mask::default();
        for raw in [
            "API called: /recipe/session/refresh. Method: POST. Version: 5.1",
            "API ended: /users/count. Method: GET. Version: 5.1",
            "Refresh token expired for user signed in at 12:30",
            "Started SuperTokens on 0.0.0.0:3567 with PID: 1",
            "\tat com.zaxxer.hikari.pool.HikariPool.getConnection(HikariPool.java:197)",
        ] {
            assert!(matches!(mask.masked(raw), std::borrow::Cow::Borrowed(_)), "{raw}: {}", mask.masked(raw));
        }
    }
}
