//! What works on lines: grep, sed, tr and cut, as far as scripts use them.

use super::Ended;
use regex::Regex;

fn wrote(out: String) -> Ended {
    Ended { out, ..Ended::default() }
}

fn unknown(program: &str, what: &str) -> Ended {
    Ended { err: format!("{program}: {what} is not understood here\n"), code: 2, ..Ended::default() }
}

/// `grep` with `-v -x -F -E -o -q` and patterns, after `-e` or by themselves.
pub(super) fn grep(args: &[String], input: &str) -> Ended {
    let (mut flags, mut patterns) = (String::new(), Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.strip_prefix('-') {
            Some("e") => patterns.extend(args.next().map(String::as_str)),
            Some(more) if patterns.is_empty() => flags.push_str(more),
            _ => patterns.push(arg),
        }
    }
    if let Some(strange) = flags.chars().find(|flag| !"vxFEoq".contains(*flag)) {
        return unknown("grep", &format!("-{strange}"));
    }
    let has = |flag: char| flags.contains(flag);
    let mut expressions = Vec::new();
    for pattern in patterns.iter().flat_map(|pattern| pattern.split('\n')) {
        let text = if has('F') { regex::escape(pattern) } else { pattern.to_owned() };
        match Regex::new(&if has('x') { format!("^(?:{text})$") } else { text }) {
            Ok(expression) => expressions.push(expression),
            Err(_) => return unknown("grep", pattern),
        }
    }
    let hits = |line: &str| expressions.iter().any(|expression| expression.is_match(line));
    let mut out = String::new();
    for line in input.lines().filter(|line| hits(line) != has('v')) {
        if has('o') {
            let found = expressions.iter().flat_map(|expression| expression.find_iter(line));
            found.for_each(|found| out.extend([found.as_str(), "\n"]));
        } else {
            out.extend([line, "\n"]);
        }
    }
    let code = i64::from(out.is_empty());
    Ended { code, ..wrote(if has('q') { String::new() } else { out }) }
}

/// `sed -E` with `s` commands.
pub(super) fn sed(args: &[String], input: &str) -> Ended {
    let mut swaps = Vec::new();
    for arg in args.iter().filter(|arg| !matches!(arg.as_str(), "-E" | "-e")) {
        let mut parts = arg.strip_prefix('s').into_iter().flat_map(|rest| {
            let sign = rest.chars().next().unwrap_or('/');
            rest.split(sign).skip(1)
        });
        let (Some(pattern), Some(put), Some(flags)) = (parts.next(), parts.next(), parts.next()) else {
            return unknown("sed", arg);
        };
        let Ok(pattern) = Regex::new(pattern) else { return unknown("sed", arg) };
        let mut put = put.replace('$', "$$");
        for group in 1..10 {
            put = put.replace(&format!("\\{group}"), &format!("${{{group}}}"));
        }
        swaps.push((pattern, put, flags.contains('g')));
    }
    let mut out = String::new();
    for line in input.lines() {
        let swapped = swaps.iter().fold(line.to_owned(), |line, (pattern, put, all)| {
            pattern.replacen(&line, usize::from(!all), put.as_str()).into_owned()
        });
        out.extend([swapped.as_str(), "\n"]);
    }
    wrote(out)
}

/// `tr A B` and `tr -d A`, of one character each.
pub(super) fn tr(args: &[String], input: &str) -> Ended {
    match args {
        [flag, gone] if flag == "-d" => wrote(input.replace(|c| gone.contains(c), "")),
        [from, to] => {
            let from = if from == "\\n" { "\n" } else { from };
            wrote(input.replace(from, to))
        }
        _ => unknown("tr", &args.join(" ")),
    }
}

/// `cut -c 1-N`
pub(super) fn cut(args: &[String], input: &str) -> Ended {
    let most = match args {
        [flag, range] if flag == "-c" => range.strip_prefix("1-").and_then(|most| most.parse().ok()),
        _ => None,
    };
    let Some(most) = most else { return unknown("cut", &args.join(" ")) };
    wrote(input.lines().map(|line| line.chars().take(most).collect::<String>() + "\n").collect())
}
