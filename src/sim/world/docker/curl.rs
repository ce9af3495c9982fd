//! The curl command on pretended hosts: what asks a core of that host whether it answers.

use super::commands::{OnHost, options};
use crate::sim::dice::Dice;
use crate::sim::world::shell::Ended;

/// Seconds after which a core gives up on a database that does not answer.
const GIVES_UP_S: i64 = 5;

impl OnHost<'_> {
    /// Asks a core at a port of the host itself; nobody else is reached from here.
    pub(super) fn curl(&self, args: &[&str]) -> Ended {
        let (options, rest) = options(args, &["-o", "-m", "-w"]);
        let format = options.iter().find(|(name, _)| *name == "-w").map_or("", |(_, format)| *format);
        let is_kept = !options.iter().any(|(name, value)| *name == "-o" && *value == "/dev/null");
        let address = rest.first().and_then(|url| url.strip_prefix("http://127.0.0.1:")).unwrap_or_default();
        let (port, path) = address.split_once('/').unwrap_or((address, ""));
        let said = port.parse().ok().and_then(|port| self.says(port, path));
        let (status, body, seconds) = said.unwrap_or_default();
        let mut out = if is_kept { body } else { String::new() };
        out.push_str(&format.replace("%{http_code}", &format!("{status:03}")));
        Ended { out, code: if status == 0 { 7 } else { 0 }, seconds, ..Ended::default() }
    }

    /// Status, text, and the seconds that it takes; none where nothing listens.
    fn says(&self, port: u16, path: &str) -> Option<(u16, String, i64)> {
        let now = self.now();
        let core = self.place.core_at(&self.instance, port, now)?;
        if !self.place.is_up(&core, now) {
            return None;
        }
        // With a path of its own it answers there and nowhere else.
        let base = core.variable("BASE_PATH").unwrap_or_default().trim_matches('/');
        let path = match path.strip_prefix(base).map(|rest| rest.trim_start_matches('/')) {
            Some(path) => path,
            None => return Some((404, "Not found".to_owned(), 0)),
        };
        if core.core.as_ref().is_some_and(|id| self.place.cut_off.contains(id)) {
            let why = "Internal Error: the database does not answer".to_owned();
            return Some((500, why, GIVES_UP_S));
        }
        Some(match path {
            "" | "hello" => (200, "Hello\n".to_owned(), 0),
            ".well-known/jwks.json" => {
                let kid = Dice::new(7, &core.tables()).uuid();
                (200, format!("{{\"keys\":[{{\"kty\":\"RSA\",\"kid\":\"s-{kid}\"}}]}}"), 0)
            }
            _ => (404, "Not found".to_owned(), 0),
        })
    }
}
