//! Values that are cut, matched and put together: `${x%…}`, the patterns of `case`, `printf`.

use crate::sim::filter::glob;

/// A value without the beginning, or the end, that fits a pattern.
pub(super) fn cut_off(value: &str, pattern: &str, is_front: bool, longest: bool) -> String {
    let mut ends: Vec<usize> = value.char_indices().map(|(at, _)| at).chain([value.len()]).collect();
    if longest == is_front {
        ends.reverse();
    }
    let left = |at: &usize| {
        let (front, back) = value.split_at(*at);
        if is_front { (front, back) } else { (back, front) }
    };
    let fits = ends.iter().map(left).find(|(cut, _)| glob_class(pattern, cut));
    fits.map_or(value, |(_, kept)| kept).to_owned()
}

/// `printf` with `%s` and `%d`.
pub(super) fn printf(format: &str, args: &[String]) -> String {
    let format = format.replace("\\n", "\n").replace("\\t", "\t");
    if let [whole, part] = args
        && format == "%d.%09d"
    {
        return format!("{whole}.{part:0>9}");
    }
    if !format.contains("%s") && !format.contains("%d") {
        return format.replace("%%", "%");
    }
    let holes = format.matches("%s").count() + format.matches("%d").count();
    let mut out = String::new();
    let empty = [String::new()];
    let rounds: Vec<&[String]> = if args.is_empty() { vec![&empty] } else { args.chunks(holes).collect() };
    for round in rounds {
        let mut filled = format.clone();
        for at in 0..holes {
            let value = round.get(at).map(String::as_str).unwrap_or_default();
            let place = filled.find("%s").into_iter().chain(filled.find("%d")).min().unwrap_or(0);
            filled.replace_range(place..(place + 2).min(filled.len()), value);
        }
        out.push_str(&filled);
    }
    out
}

/// A pattern of `case`: `*`, `?` and classes such as `[!0-9a-f]`.
pub(super) fn glob_class(pattern: &str, text: &str) -> bool {
    if !pattern.contains('[') {
        return glob(pattern, text);
    }
    let mut expression = String::from("(?s)^");
    let mut is_class = false;
    for c in pattern.chars() {
        match c {
            '[' => is_class = true,
            ']' => is_class = false,
            _ => {}
        }
        match c {
            '*' if !is_class => expression.push_str(".*"),
            '?' if !is_class => expression.push('.'),
            '!' if expression.ends_with('[') => expression.push('^'),
            '[' | ']' => expression.push(c),
            '-' | '^' if is_class => expression.push(c),
            _ => expression.push_str(&regex::escape(&c.to_string())),
        }
    }
    expression.push('$');
    regex::Regex::new(&expression).is_ok_and(|expression| expression.is_match(text))
}
