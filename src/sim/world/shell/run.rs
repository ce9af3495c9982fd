//! Scripts are run: variables, conditions, loops, and the few programs that every host has.

mod arrows;
mod lines;
mod packing;
mod sums;
mod values;

use self::arrows::{Sink, redirections, sinks};
use self::values::{cut_off, glob_class, printf};
use super::{Bad, Node, Piece, Word, parse};
use std::collections::{HashMap, HashSet};

/// What a program writes, how it exits, and the seconds that it takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ended {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: i64,
    pub(crate) seconds: i64,
}

/// Programs of a host: what becomes of a command line; none for a program that is not there.
pub(crate) trait Programs {
    /// Runs one.
    fn run(&mut self, words: &[String], input: &str) -> Option<Ended>;

    /// The script waits so many seconds.
    fn waits(&mut self, _seconds: i64) {}

    /// A variable goes to all programs from now on.
    fn exports(&mut self, _name: &str, _value: &str) {}

    /// A file of `mktemp` holds this from now on.
    fn writes(&mut self, _path: &str, _text: &str) {}
}

/// Commands that a script may run at most: one that loops over much is cut off.
const MOST: u32 = 10_000;

struct Shell<'p> {
    programs: &'p mut dyn Programs,
    variables: HashMap<String, String>,
    ended: Ended,
    last: i64,
    exit: bool,
    /// A loop is to go on with its next value, or to end.
    turn: Option<Turn>,
    stops_on_error: bool,
    needs_values: bool,
    commands: u32,
    /// Files that it made by `mktemp`.
    files: HashSet<String>,
}

/// How a script leaves the middle of a loop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Continue,
    Break,
}

/// Runs a script with these variables.
pub(crate) fn run(script: &str, variables: HashMap<String, String>, programs: &mut dyn Programs) -> Ended {
    let nodes = match parse(script) {
        Ok(nodes) => nodes,
        Err(bad) => return broken(&bad),
    };
    let mut shell = Shell {
        programs,
        variables,
        ended: Ended::default(),
        last: 0,
        exit: false,
        turn: None,
        stops_on_error: false,
        needs_values: false,
        commands: 0,
        files: HashSet::new(),
    };
    if let Err(bad) = shell.all(&nodes, "", true) {
        shell.ended.err.push_str(&format!("_script.sh: {bad}\n"));
        shell.last = 2;
    }
    Ended { code: shell.last, ..shell.ended }
}

fn broken(bad: &str) -> Ended {
    Ended { err: format!("_script.sh: Syntax error: {bad}\n"), code: 2, ..Ended::default() }
}

impl Shell<'_> {
    /// Runs commands one after another; with `matters` a failure may end the script.
    fn all(&mut self, nodes: &[Node], input: &str, matters: bool) -> Result<(), Bad> {
        for node in nodes {
            self.one(node, input, matters)?;
            if self.exit || self.turn.is_some() {
                break;
            }
        }
        Ok(())
    }

    fn one(&mut self, node: &Node, input: &str, matters: bool) -> Result<(), Bad> {
        match node {
            Node::Simple(words) => self.simple(words, input, matters)?,
            Node::Not(inner) => {
                self.one(inner, input, false)?;
                self.last = i64::from(self.last == 0);
            }
            Node::And(first, second) => {
                self.one(first, input, false)?;
                if self.last == 0 && !self.exit {
                    self.one(second, input, matters)?;
                }
            }
            Node::Or(first, second) => {
                self.one(first, input, false)?;
                if self.last != 0 && !self.exit {
                    self.one(second, input, matters)?;
                }
            }
            Node::Pipe(parts) => {
                let before = std::mem::take(&mut self.ended.out);
                let mut carried = input.to_owned();
                for (at, part) in parts.iter().enumerate() {
                    self.one(part, &carried, matters && at + 1 == parts.len())?;
                    carried = std::mem::take(&mut self.ended.out);
                }
                self.ended.out = before + &carried;
            }
            Node::If(branches, otherwise) => {
                for (condition, body) in branches {
                    self.all(condition, input, false)?;
                    if self.exit {
                        return Ok(());
                    }
                    if self.last == 0 {
                        return self.all(body, input, matters);
                    }
                }
                self.last = 0;
                self.all(otherwise, input, matters)?;
            }
            Node::For(name, words, body) => {
                self.last = 0;
                for value in self.expand(words)? {
                    self.variables.insert(name.clone(), value);
                    self.all(body, input, matters)?;
                    if self.exit || self.turn.take() == Some(Turn::Break) {
                        break;
                    }
                }
            }
            Node::While { condition, body, is_until } => loop {
                self.all(condition, input, false)?;
                if self.exit || (self.last == 0) == *is_until {
                    if !self.exit {
                        self.last = 0;
                    }
                    break;
                }
                self.all(body, input, matters)?;
                if self.exit || self.turn.take() == Some(Turn::Break) {
                    break;
                }
            },
            Node::Group(body) => self.all(body, input, matters)?,
            Node::Case(subject, arms) => {
                let subject = self.text(subject)?;
                self.last = 0;
                for (patterns, body) in arms {
                    let mut hits = false;
                    for pattern in patterns {
                        hits |= glob_class(&self.text(pattern)?, &subject);
                    }
                    if hits {
                        return self.all(body, input, matters);
                    }
                }
            }
        }
        Ok(())
    }

    fn simple(&mut self, words: &[Word], input: &str, matters: bool) -> Result<(), Bad> {
        self.commands += 1;
        if self.commands > MOST {
            return Err("too many commands".to_owned());
        }
        let mut words = words;
        if words.first().and_then(assignment).is_some() {
            // An assignment ends as the commands in its value did, and well without any.
            self.last = 0;
        }
        // Assignments before a command hold for the rest of the script, which is enough here.
        while let Some((name, value)) = words.first().and_then(assignment) {
            let value = self.text(&value)?;
            self.variables.insert(name, value);
            words = words.get(1..).unwrap_or_default();
        }
        if words.is_empty() {
            return Ok(());
        }
        let (words, arrows, file) = redirections(words);
        let mut line = self.expand(&words)?;
        // `timeout 60 docker …`: time is pretended, and what takes too long is cut off with the whole script.
        if line.first().is_some_and(|name| name == "timeout") {
            line.drain(..2.min(line.len()));
        }
        let Some((name, args)) = line.split_first() else { return Ok(()) };
        let mut ended = match self.builtin(name, args, input) {
            Some(ended) => ended,
            None => self.programs.run(&line, input).unwrap_or_else(|| Ended {
                err: format!("_script.sh: {name}: not found\n"),
                code: 127,
                ..Ended::default()
            }),
        };
        if let Some(file) = file {
            let path = self.text(&file)?;
            if !self.files.contains(&path) {
                return Err(format!("cannot redirect >{path} here"));
            }
            self.programs.writes(&path, &std::mem::take(&mut ended.out));
        }
        let (first, second) = sinks(&arrows)?;
        for (sink, text) in [(first, &ended.out), (second, &ended.err)] {
            match sink {
                Sink::Out => self.ended.out.push_str(text),
                Sink::Err => self.ended.err.push_str(text),
                Sink::Nowhere => {}
            }
        }
        self.ended.seconds += ended.seconds;
        self.last = ended.code;
        if self.last != 0 && matters && self.stops_on_error {
            self.exit = true;
        }
        Ok(())
    }

    fn builtin(&mut self, name: &str, args: &[String], input: &str) -> Option<Ended> {
        let first = args.first().map(String::as_str).unwrap_or_default();
        let wrote = |out: String| Ended { out, ..Ended::default() };
        let code = |is_good: bool| Ended { code: i64::from(!is_good), ..Ended::default() };
        Some(match name {
            ":" | "true" | "umask" | "trap" => Ended::default(),
            "export" => {
                for arg in args {
                    let (name, value) = match arg.split_once('=') {
                        Some((name, value)) => (name, value.to_owned()),
                        None => (arg.as_str(), self.variables.get(arg).cloned().unwrap_or_default()),
                    };
                    self.programs.exports(name, &value);
                    self.variables.insert(name.to_owned(), value);
                }
                Ended::default()
            }
            "false" => code(false),
            "echo" if first == "-n" => wrote(args.get(1..).unwrap_or_default().join(" ")),
            "echo" => wrote(args.join(" ") + "\n"),
            "printf" => wrote(printf(first, args.get(1..).unwrap_or_default())),
            "cat" if args.is_empty() => wrote(input.to_owned()),
            "head" => wrote(head(args, input)),
            "tail" => wrote(packing::tail(args, input)),
            "gzip" => wrote(packing::gzip(input)),
            "base64" => wrote(packing::base64(input)),
            "wc" if first == "-c" => wrote(format!("{}\n", input.len())),
            "wc" if first == "-l" => wrote(format!("{}\n", input.lines().count())),
            "grep" => lines::grep(args, input),
            "sed" => lines::sed(args, input),
            "tr" => lines::tr(args, input),
            "cut" => lines::cut(args, input),
            "mktemp" => {
                let path = format!("/tmp/tmp.{}", self.files.len());
                self.files.insert(path.clone());
                wrote(path + "\n")
            }
            "rm" if args.last().is_some_and(|path| self.files.contains(path)) => {
                for path in args {
                    self.files.remove(path);
                }
                Ended::default()
            }
            "sleep" => {
                let seconds = first.parse().unwrap_or(0);
                self.programs.waits(seconds);
                Ended { seconds, ..Ended::default() }
            }
            "exit" => {
                self.exit = true;
                Ended { code: first.parse().unwrap_or(self.last), ..Ended::default() }
            }
            "continue" | "break" => {
                self.turn = Some(if name == "break" { Turn::Break } else { Turn::Continue });
                Ended::default()
            }
            "set" => {
                for arg in args {
                    let is_on = arg.starts_with('-');
                    self.stops_on_error =
                        if arg.contains('e') && arg != "pipefail" { is_on } else { self.stops_on_error };
                    self.needs_values = if arg.contains('u') { is_on } else { self.needs_values };
                }
                Ended::default()
            }
            "command" if first == "-v" => match args.get(1).map(String::as_str) {
                Some(program @ ("docker" | "sh" | "echo" | "printf" | "head" | "cat" | "curl" | "aws")) => {
                    wrote(format!("/usr/bin/{program}\n"))
                }
                _ => code(false),
            },
            "test" => code(test(args)),
            "[" => match args.split_last() {
                Some((end, args)) if end == "]" => code(test(args)),
                _ => Ended { err: "[: missing ]\n".to_owned(), code: 2, ..Ended::default() },
            },
            _ => return None,
        })
    }

    /// Words as a command gets them: what is not quoted is split at blanks.
    fn expand(&mut self, words: &[Word]) -> Result<Vec<String>, Bad> {
        let mut all = Vec::new();
        for word in words {
            let mut text = String::new();
            let mut is_there = word.is_quoted;
            for piece in &word.pieces {
                let (value, is_whole) = self.value(piece)?;
                if is_whole {
                    is_there = true;
                    text.push_str(&value);
                    continue;
                }
                let mut parts = value.split_whitespace();
                if let Some(first) = parts.next() {
                    text.push_str(first);
                    is_there = true;
                }
                for part in parts {
                    all.push(std::mem::take(&mut text));
                    text.push_str(part);
                }
            }
            if is_there {
                all.push(text);
            }
        }
        Ok(all)
    }

    /// A word as one text.
    fn text(&mut self, word: &Word) -> Result<String, Bad> {
        let mut text = String::new();
        for piece in &word.pieces {
            text.push_str(&self.value(piece)?.0);
        }
        Ok(text)
    }

    /// A piece's value, and whether it stays whole.
    fn value(&mut self, piece: &Piece) -> Result<(String, bool), Bad> {
        match piece {
            Piece::Text(text) => Ok((text.clone(), true)),
            Piece::Variable(name, is_quoted) => Ok((self.variable(name)?, *is_quoted)),
            Piece::Sum(text) => {
                let value = |name: &str| self.variables.get(name).and_then(|text| text.trim().parse().ok());
                Ok((sums::sum(text, value)?.to_string(), true))
            }
            Piece::Output(script, is_quoted) => {
                let nodes = parse(script)?;
                let before = std::mem::take(&mut self.ended.out);
                let outcome = self.all(&nodes, "", false);
                let out = std::mem::replace(&mut self.ended.out, before);
                outcome?;
                Ok((out.trim_end_matches('\n').to_owned(), *is_quoted))
            }
        }
    }

    fn variable(&mut self, text: &str) -> Result<String, Bad> {
        if text == "?" {
            return Ok(self.last.to_string());
        }
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let found = self.variables.get(name).cloned();
        let (is_strict, operator) = match rest.strip_prefix(':') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let found = found.filter(|value| !is_strict || !value.is_empty());
        let other = operator.get(1..).unwrap_or_default().trim_matches(['"', '\'']).to_owned();
        match (operator.chars().next(), found) {
            (None, Some(value)) => Ok(value),
            (None, None) if self.needs_values => Err(format!("{name}: parameter not set")),
            (None, None) => Ok(String::new()),
            (Some('-'), found) => Ok(found.unwrap_or(other)),
            (Some('+'), found) => Ok(found.map(|_| other).unwrap_or_default()),
            // The shortest beginning or end that fits a pattern is cut off, twice the sign the longest.
            (Some(sign @ ('%' | '#')), found) => {
                let longest = operator.get(1..).is_some_and(|rest| rest.starts_with(sign));
                let pattern = other.strip_prefix(sign).filter(|_| longest).unwrap_or(&other);
                Ok(cut_off(&found.unwrap_or_default(), pattern, sign == '#', longest))
            }
            (Some('?'), Some(value)) => Ok(value),
            (Some('?'), None) => Err(format!("{name}: {other}")),
            (Some(_), _) => Err(format!("${{{text}}}: bad substitution")),
        }
    }
}

/// A word that assigns: its name and what is assigned.
fn assignment(word: &Word) -> Option<(String, Word)> {
    let Some(Piece::Text(first)) = word.pieces.first() else { return None };
    let (name, rest) = first.split_once('=')?;
    let is_name = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    let mut pieces = vec![Piece::Text(rest.to_owned())];
    pieces.extend(word.pieces.iter().skip(1).cloned());
    is_name.then(|| (name.to_owned(), Word { pieces, is_quoted: true }))
}

fn head(args: &[String], input: &str) -> String {
    let count =
        args.last().and_then(|last| last.trim_start_matches(['-', 'n', 'c']).parse().ok()).unwrap_or(10);
    if args.iter().any(|arg| arg.starts_with("-c")) {
        return input.chars().take(count).collect();
    }
    input.lines().take(count).map(|line| format!("{line}\n")).collect()
}

fn test(args: &[String]) -> bool {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["!", rest @ ..] => {
            let rest: Vec<String> = rest.iter().map(|word| (*word).to_owned()).collect();
            !test(&rest)
        }
        [word] => !word.is_empty(),
        ["-n", word] => !word.is_empty(),
        ["-z", word] => word.is_empty(),
        [left, "=" | "==", right] => left == right,
        [left, "!=", right] => left != right,
        [left, operator, right] => {
            let (Ok(left), Ok(right)) = (left.parse::<i64>(), right.parse::<i64>()) else { return false };
            match *operator {
                "-eq" => left == right,
                "-ne" => left != right,
                "-gt" => left > right,
                "-ge" => left >= right,
                "-lt" => left < right,
                "-le" => left <= right,
                _ => false,
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Docker(Vec<String>);

    impl Programs for Docker {
        fn run(&mut self, words: &[String], _: &str) -> Option<Ended> {
            if words.first().map(String::as_str) != Some("docker") {
                return None;
            }
            self.0.push(words[1..].join(" "));
            let out = if words[1] == "ps" { "aa\nbb\n" } else { "" };
            let code = i64::from(words.last().is_some_and(|last| last == "bad"));
            Some(Ended { out: out.to_owned(), code, seconds: 2, ..Ended::default() })
        }
    }

    fn ran(script: &str, variables: &[(&str, &str)]) -> (Ended, Vec<String>) {
        let mut docker = Docker(Vec::new());
        let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let ended = run(script, variables, &mut docker);
        (ended, docker.0)
    }

    #[test]
    fn loops_conditions_and_outputs() {
        let script = r#"
            set -eu
            # one after another
            if [ -z "${SSM_ids+x}" ]; then echo "too old" >&2; exit 9; fi
            for id in $SSM_ids; do
              case "$id" in
                *[!0-9a-f]*) echo "bad id $id" >&2; exit 8 ;;
              esac
              docker stop --time "${SSM_seconds:-30}" "$id" >/dev/null && echo "stopped $id"
            done
            count=$(docker ps -q | wc -l)
            printf '%s left: %s\n' "$count" "$(docker ps -q)"
        "#;
        let (ended, calls) = ran(script, &[("SSM_ids", "0a1b ffff")]);
        assert_eq!(calls, ["stop --time 30 0a1b", "stop --time 30 ffff", "ps -q", "ps -q"]);
        assert_eq!(ended.out, "stopped 0a1b\nstopped ffff\n2 left: aa\nbb\n");
        assert_eq!((ended.code, ended.seconds), (0, 8));
        let (ended, calls) = ran(script, &[("SSM_ids", "0a1b; rm")]);
        assert_eq!((ended.code, calls.len()), (8, 0), "{ended:?}");
        assert_eq!(ran(script, &[]).0.code, 9);
    }

    #[test]
    fn groups_are_one_command_and_loops_go_on_or_end_where_that_is_said() {
        let script = r#"
            set -eu
            command -v docker >/dev/null || { echo 'no docker'; exit 0; }
            command -v podman >/dev/null || { echo 'no podman'; echo 'never mind'; }
            keep=$(docker ps --quiet | head -n 1; echo cc)
            for id in $(docker ps --quiet) cc dd ee; do
              case "$keep" in *"$id"*) continue;; esac
              echo "$id"
              if [ "$id" = dd ]; then break; fi
            done
            echo end
        "#;
        let (ended, _) = ran(script, &[]);
        assert_eq!(
            (ended.out.as_str(), ended.code),
            ("no podman\nnever mind\nbb\ndd\nend\n", 0),
            "{ended:?}"
        );
        assert_eq!(ran("{ echo a", &[]).0.code, 2);
    }

    #[test]
    fn a_failure_ends_what_is_told_to_stop() {
        let (ended, calls) = ran("set -e\ndocker stop bad\ndocker stop good", &[]);
        assert_eq!((ended.code, calls.len()), (1, 1));
        let (ended, calls) = ran("docker stop bad || echo no\ndocker stop good", &[]);
        assert_eq!((ended.code, calls.len(), ended.out.as_str()), (0, 2, "no\n"));
    }

    #[test]
    fn loops_end_by_their_condition_and_values_are_cut_added_and_filtered() {
        let script = r#"
            set -u
            n=0
            while [ "$n" -lt 5 ]; do n=$((n + 2)); [ "$n" != 4 ] || break; done
            until [ "$n" = 7 ]; do n=$((n + 1)); done
            pair='A_B=/x/y=z'
            echo "$n ${pair%%=*} ${pair#*=} ${pair##*=} ${pair%=*} $(( 7 - 2 * 3 )) $((1500000000 / 1000000000))"
            printf '%s\n' 'a=1' 'PATH=x' 'b=2' | grep -vxF -e "PATH=x" | tr '=' ' ' | cut -c 1-2
            f=$(mktemp)
            echo kept > "$f"
            rm -f "$f"
            echo '{"kid":"s-1"},{"kid": "d-2"}' | grep -oE '"kid" *: *"[a-z0-9-]+"' | tr -d ' '
            echo 'at postgresql://me:p/w@db:5432/x key=abc' | sed -E -e 's#://[^ ]*@#://***@#g' -e 's#(key)=[a-z]+#\1=***#g'
            printf '%s\n' abc | grep -q b && timeout 9 docker pull x
        "#;
        let (ended, calls) = ran(script, &[]);
        let lines: Vec<&str> = ended.out.lines().collect();
        assert_eq!(
            lines,
            [
                "7 A_B /x/y=z z A_B=/x/y 1 1",
                "a ",
                "b ",
                "\"kid\":\"s-1\"",
                "\"kid\":\"d-2\"",
                "at postgresql://***@db:5432/x key=***"
            ],
            "{ended:?}"
        );
        assert_eq!(calls, ["pull x"]);
    }

    #[test]
    fn streams_go_where_they_are_led_from_the_left_to_the_right() {
        for (script, out, err) in [
            ("nginx >/dev/null 2>&1", "", ""),
            ("nginx 2>&1 >/dev/null", "_script.sh: nginx: not found\n", ""),
            ("nginx 2>&1", "_script.sh: nginx: not found\n", ""),
            ("nginx 2>/dev/null", "", ""),
            ("echo a >&2", "", "a\n"),
            ("echo a 2>/dev/null >&2", "", ""),
            ("echo a >/dev/null >&2", "", "a\n"),
        ] {
            let (ended, _) = ran(script, &[]);
            assert_eq!((ended.out.as_str(), ended.err.as_str()), (out, err), "{script}");
        }
    }

    #[test]
    fn what_a_host_does_not_have_is_said() {
        let (ended, _) = ran("nginx -t", &[]);
        assert_eq!((ended.code, ended.err.as_str()), (127, "_script.sh: nginx: not found\n"));
        let (ended, _) = ran("if true; then echo x", &[]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains("Syntax error"), "{ended:?}");
        let (ended, _) = ran("echo a > /etc/passwd", &[]);
        assert_eq!(ended.code, 2, "{ended:?}");
    }
}
