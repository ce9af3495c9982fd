//! A shell that somebody types into: what a terminal's line discipline does, and what a host answers.

use super::{Hall, Target};
use crate::sim::world::docker::commands::OnHost;
use crate::sim::world::shell::{Ended, Programs, run};
use std::collections::{BTreeMap, HashMap};
use std::sync::PoisonError;

/// A shell.
pub(super) struct Shell {
    target: Target,
    /// In a container, which has no programs here but what the shell is itself.
    inside: bool,
    line: String,
}

/// Where there is no program.
struct Bare;

impl Programs for Bare {
    fn run(&mut self, _: &[String], _: &str) -> Option<Ended> {
        None
    }
}

impl Shell {
    pub(super) fn new(target: Target, inside: bool) -> Self {
        Self { target, inside, line: String::new() }
    }

    /// What it says before a line.
    pub(super) fn prompt(&self) -> String {
        if self.inside { "# " } else { "sh-5.2$ " }.to_owned()
    }

    /// What it says to what is typed, and whether it ends.
    pub(super) fn hear(&mut self, hall: &Hall, typed: &[u8]) -> (String, bool) {
        let mut says = String::new();
        for c in String::from_utf8_lossy(typed).chars() {
            match c {
                '\r' | '\n' => {
                    says.push_str("\r\n");
                    let line = std::mem::take(&mut self.line);
                    if line.trim() == "exit" || line.trim().starts_with("exit ") {
                        says.push_str("exit\r\n");
                        return (says, true);
                    }
                    says.push_str(&self.answer(hall, &line).replace('\n', "\r\n"));
                    says.push_str(&self.prompt());
                }
                '\u{4}' if self.line.is_empty() => {
                    says.push_str("exit\r\n");
                    return (says, true);
                }
                '\u{3}' => {
                    self.line.clear();
                    says.push_str("^C\r\n");
                    says.push_str(&self.prompt());
                }
                '\u{7f}' | '\u{8}' => {
                    if self.line.pop().is_some() {
                        says.push_str("\u{8} \u{8}");
                    }
                }
                c if c.is_control() => {}
                c => {
                    self.line.push(c);
                    says.push(c);
                }
            }
        }
        (says, false)
    }

    fn answer(&self, hall: &Hall, line: &str) -> String {
        let ended = if self.inside {
            run(line, HashMap::new(), &mut Bare)
        } else {
            let place = hall.site.world.place(&self.target.account, self.target.region);
            let mut place = place.write().unwrap_or_else(PoisonError::into_inner);
            place.advance(hall.site.world.clock.now());
            let instance = self.target.instance.as_str().into();
            let mut host = OnHost {
                place: &mut place,
                instance,
                elapsed: 0,
                exported: BTreeMap::new(),
                files: BTreeMap::new(),
            };
            run(line, HashMap::new(), &mut host)
        };
        format!("{}{}", ended.out, ended.err)
    }
}
