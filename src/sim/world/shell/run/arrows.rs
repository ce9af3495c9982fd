//! Where the streams of a command go: on, to the other one, or nowhere.

use super::super::{Bad, Word};

/// Where a stream of a command goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sink {
    Out,
    Err,
    Nowhere,
}

/// Parts redirections from the other words: what is kept, the arrows, and the file that the output goes to, which is a
/// word with a variable in it.
pub(super) fn redirections(words: &[Word]) -> (Vec<Word>, Vec<String>, Option<Word>) {
    let (mut kept, mut sinks, mut file) = (Vec::new(), Vec::<String>::new(), None);
    let mut is_open = false;
    for word in words {
        let text = word.plain().unwrap_or_default();
        if is_open
            && word.plain().is_none()
            && sinks.pop_if(|last| matches!(last.as_str(), ">" | "1>")).is_some()
        {
            file = Some(word.clone());
            is_open = false;
        } else if is_open {
            if let Some(last) = sinks.last_mut() {
                last.push_str(text);
            }
            is_open = false;
        } else if text.trim_start_matches(['1', '2']).starts_with('>') {
            is_open = text.ends_with('>');
            sinks.push(text.to_owned());
        } else {
            kept.push(word.clone());
        }
    }
    (kept, sinks, file)
}

/// Where output and errors go. Arrows are followed from the left to the right, each to where the other stream leads by
/// then: `>/dev/null 2>&1` is silent, and `2>&1 >/dev/null` is not.
pub(super) fn sinks(arrows: &[String]) -> Result<(Sink, Sink), Bad> {
    let (mut first, mut second) = (Sink::Out, Sink::Err);
    for arrow in arrows {
        match arrow.as_str() {
            ">/dev/null" | "1>/dev/null" => first = Sink::Nowhere,
            "2>/dev/null" => second = Sink::Nowhere,
            "2>&1" => second = first,
            ">&2" | "1>&2" => first = second,
            other => return Err(format!("cannot redirect {other} here")),
        }
    }
    Ok((first, second))
}
