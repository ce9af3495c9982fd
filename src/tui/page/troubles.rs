//! Everything that could not be read, in full: where, what, since when, why, and what to do about it.

use super::TextLine;
use crate::gateway::{Bucket, Source};
use crate::model::{Scope, Trouble, TroubleKind};
use crate::snapshot::{Doubled, Snapshot, Standing};
use crate::tui::action::Action;
use crate::tui::cell;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use std::fmt::Write as _;

pub(crate) fn lines(ui: &Ui, width: usize) -> Vec<TextLine> {
    let mut lines = Vec::new();
    let snapshot = &ui.world.snapshot;
    let again = ui.keymap.keys_of(ui.layer_below(), Action::Refresh).into_iter().next();
    let again = again.map_or_else(String::new, |key| format!("; {key} lists its regions again"));
    for (what, trouble) in &snapshot.troubles {
        let old = format!("nothing of this account is shown{again}");
        block(ui, what, trouble, Some(old), width, &mut lines);
    }
    for cause in causes(snapshot) {
        match cause.as_slice() {
            [one] => {
                let old = match (one.standing.as_of, one.standing.is_whole) {
                    (Some(at), true) => format!("what is shown is from {}", ui.moment(at)),
                    (Some(at), false) => format!("only a part is shown, from {}", ui.moment(at)),
                    (None, _) => "nothing of it is shown".into(),
                };
                let old = std::iter::once(old)
                    .chain(bucket(ui, one.scope, one.trouble))
                    .chain(next(ui, &cause))
                    .collect::<Vec<String>>()
                    .join("\n");
                let what = format!("{} {}", one.scope, one.source.word());
                block(ui, &what, one.trouble, Some(old), width, &mut lines);
            }
            many => several(ui, many, width, &mut lines),
        }
    }
    for twice in snapshot.doubled() {
        let sign = ui.signs().health(crate::model::Health::Warn);
        put(&mut lines, Role::Trouble, &format!("{sign} {}: configured twice", twice.scope), 0, width);
        put(&mut lines, Role::Text, &format!("{} {twice}", twice.scope), 2, width);
        put(&mut lines, Role::TroubleHint, &format!("{} {}", ui.signs().next(), Doubled::HINT), 2, width);
        lines.push(Vec::new());
    }
    let sign = ui.signs().health(crate::model::Health::Warn);
    if let Some(why) = &ui.world.timeline.trouble {
        put(&mut lines, Role::Trouble, &format!("{sign} history: {why}"), 0, width);
        lines.push(Vec::new());
    }
    for (scope, fault) in super::registry_faults(snapshot) {
        put(&mut lines, Role::Trouble, &format!("{sign} {scope} registry: {fault}"), 0, width);
        lines.push(Vec::new());
    }
    if lines.is_empty() {
        lines.push(vec![(
            Role::Text,
            "Nothing is in trouble: everything that was asked for was read.".into(),
        )]);
    } else {
        lines.pop();
    }
    let spent = &ui.world.spending;
    let text = format!(
        "This session: {} calls, {} throttled, {} failed otherwise, {} for what AWS bills by the request.",
        spent.calls, spent.throttles, spent.failures, spent.dollars
    );
    lines.push(Vec::new());
    put(&mut lines, Role::Dim, &text, 0, width);
    for short in ui.world.buckets.iter().filter(|it| it.waiting > 0 || it.spending.throttles > 0) {
        put(&mut lines, Role::Dim, &format!("{}: {}", short.scope, level(short)), 0, width);
    }
    lines
}

/// The token bucket that a throttled call drinks from. It says where the bucket stood when the world was
/// made, and so changes only with the world.
fn bucket(ui: &Ui, scope: &Scope, trouble: &Trouble) -> Option<String> {
    if trouble.kind != TroubleKind::Throttled {
        return None;
    }
    let found = ui.world.buckets.iter().find(|it| *it.scope == *scope && it.calls.contains(&trouble.call))?;
    Some(level(found))
}

/// How full a bucket is, who waits for it, and what it has seen.
fn level(bucket: &Bucket) -> String {
    let mut said = format!(
        "bucket {}: {:.0} of {:.0} tokens, {:.0} a second flow back",
        bucket.family,
        bucket.tokens.floor(),
        bucket.capacity,
        bucket.per_second
    );
    match bucket.waiting {
        0 => {}
        1 => said.push_str(", 1 call waits"),
        n => said.push_str(&format!(", {n} calls wait")),
    }
    if bucket.spending.throttles > 0 {
        said.push_str(&format!(", {} throttled so far", bucket.spending.throttles));
    }
    said
}

/// When the first of these is tried again: the moment, so that the line stands still.
fn next(ui: &Ui, cause: &[Failed<'_>]) -> Option<String> {
    let of = |one: &Failed<'_>| ui.world.retries.get(&(one.scope.clone(), one.source)).copied();
    let at = cause.iter().filter_map(of).min()?;
    Some(format!("tried again at {}", ui.clock(at)))
}

/// A list that failed.
struct Failed<'a> {
    scope: &'a Scope,
    source: Source,
    standing: Standing<'a>,
    trouble: &'a Trouble,
}

/// What failed, by what it failed of: one cause, such as a login that has run out, fails many lists.
fn causes(snapshot: &Snapshot) -> Vec<Vec<Failed<'_>>> {
    let mut causes: Vec<Vec<Failed<'_>>> = Vec::new();
    for part in &snapshot.parts {
        for source in Source::ALL {
            let standing = part.standing(source);
            let Some(trouble) = standing.trouble else { continue };
            let failed = Failed { scope: &part.scope, source, standing, trouble };
            let is_same = |cause: &&mut Vec<Failed<'_>>| {
                cause.first().is_some_and(|first| {
                    let of = |it: &Trouble| (it.kind, it.message.clone(), it.hint.clone(), it.code.clone());
                    of(first.trouble) == of(trouble)
                })
            };
            match causes.iter_mut().find(is_same) {
                Some(cause) => cause.push(failed),
                None => causes.push(vec![failed]),
            }
        }
    }
    causes
}

/// A cause that fails several lists: it is told once, with all of them by their places.
fn several(ui: &Ui, cause: &[Failed<'_>], width: usize, lines: &mut Vec<TextLine>) {
    let Some(first) = cause.first() else { return };
    let sign = ui.signs().health(crate::model::Health::Warn);
    let title = format!("{sign} {} lists: {}", cause.len(), first.trouble.kind.word());
    put(lines, Role::Trouble, &title, 0, width);
    put(lines, Role::Text, &first.trouble.message, 2, width);
    let mut places: Vec<(&Scope, Vec<&str>)> = Vec::new();
    for one in cause {
        match places.iter_mut().find(|(scope, _)| *scope == one.scope) {
            Some((_, words)) => words.push(one.source.word()),
            None => places.push((one.scope, vec![one.source.word()])),
        }
    }
    for (scope, words) in places {
        put(lines, Role::Text, &format!("{scope}: {}", words.join(", ")), 2, width);
    }
    let since = cause.iter().map(|one| one.trouble.at).min().unwrap_or(first.trouble.at);
    let code = first.trouble.code.as_ref().map_or_else(String::new, |code| format!(", code {code}"));
    put(
        lines,
        Role::Dim,
        &format!("{} among others, since {}{code}", first.trouble.call, ui.moment(since)),
        2,
        width,
    );
    let shown: Vec<_> = cause.iter().filter_map(|one| one.standing.as_of).collect();
    let old = match (shown.iter().min(), cause.len() - shown.len()) {
        (None, _) => "nothing of them is shown".to_owned(),
        (Some(at), 0) => format!("what is shown of them is from {} or later", ui.moment(*at)),
        (Some(at), n) => {
            format!("nothing is shown of {n}, and of the others what was read at {} or later", ui.moment(*at))
        }
    };
    put(lines, Role::Dim, &old, 2, width);
    for more in bucket(ui, first.scope, first.trouble).into_iter().chain(next(ui, cause)) {
        put(lines, Role::Dim, &more, 2, width);
    }
    if let Some(hint) = &first.trouble.hint {
        put(lines, Role::TroubleHint, &format!("{} {hint}", ui.signs().next()), 2, width);
    }
    lines.push(Vec::new());
}

fn block(
    ui: &Ui,
    what: &str,
    trouble: &Trouble,
    old: Option<String>,
    width: usize,
    lines: &mut Vec<TextLine>,
) {
    let sign = ui.signs().health(crate::model::Health::Warn);
    put(lines, Role::Trouble, &format!("{sign} {what}: {}", trouble.kind.word()), 0, width);
    put(lines, Role::Text, &trouble.message, 2, width);
    let mut facts = format!("{} at {}", trouble.call, ui.moment(trouble.at));
    for (name, fact) in [("code", &trouble.code), ("request", &trouble.request_id)] {
        if let Some(fact) = fact {
            // Writing to a String cannot fail.
            let _ = write!(facts, ", {name} {fact}");
        }
    }
    put(lines, Role::Dim, &facts, 2, width);
    if let Some(old) = old {
        put(lines, Role::Dim, &old, 2, width);
    }
    if let Some(hint) = &trouble.hint {
        put(lines, Role::TroubleHint, &format!("{} {hint}", ui.signs().next()), 2, width);
    }
    lines.push(Vec::new());
}

fn put(lines: &mut Vec<TextLine>, role: Role, text: &str, indent: usize, width: usize) {
    let indent = indent.min(width.saturating_sub(1));
    for part in text.lines() {
        for line in cell::wrap(part, width.saturating_sub(indent)) {
            lines.push(vec![(Role::Text, " ".repeat(indent)), (role, line)]);
        }
    }
}
