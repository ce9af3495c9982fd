//! Everything that could not be read, in full: where, what, since when, why, and what to do about it.

use super::TextLine;
use crate::gateway::{Bucket, Source};
use crate::model::{Scope, Trouble, TroubleKind};
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
    for part in &snapshot.parts {
        for source in Source::ALL {
            let standing = part.standing(source);
            if let Some(trouble) = standing.trouble {
                let old = match (standing.as_of, standing.is_whole) {
                    (Some(at), true) => format!("what is shown is from {}", ui.moment(at)),
                    (Some(at), false) => format!("only a part is shown, from {}", ui.moment(at)),
                    (None, _) => "nothing of it is shown".into(),
                };
                let old = std::iter::once(old)
                    .chain(bucket(ui, &part.scope, trouble))
                    .chain(next(ui, &part.scope, source))
                    .collect::<Vec<String>>()
                    .join("\n");
                block(
                    ui,
                    &format!("{} {}", part.scope, source.word()),
                    trouble,
                    Some(old),
                    width,
                    &mut lines,
                );
            }
        }
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

/// When it is tried again: the moment, so that the line stands still.
fn next(ui: &Ui, scope: &Scope, source: Source) -> Option<String> {
    let at = ui.world.retries.get(&(scope.clone(), source))?;
    Some(format!("tried again at {}", ui.clock(*at)))
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
