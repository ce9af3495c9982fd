//! Small charts of a series of points: blocks of an eighth of a line each, or ASCII where nothing else may be
//! written.

use crate::tui::signs::Signs;

/// The levels of one line, from nothing to all of it.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 5] = [' ', '.', ':', '|', '#'];

/// Draws values as columns, the oldest at the left, from nothing up to `most`: so many lines, the highest first.
/// Where there are more values than columns, each column shows the highest of its values; a value that is no
/// number leaves a gap.
pub(crate) fn chart(values: &[f64], most: f64, columns: usize, lines: usize, signs: Signs) -> Vec<String> {
    let steps: &[char] = if signs == Signs::Unicode { &BLOCKS } else { &ASCII };
    let each = steps.len() - 1;
    let heights: Vec<Option<usize>> =
        squeeze(values, columns).into_iter().map(|value| height(value?, most, each * lines)).collect();
    let line = |nth: usize| {
        let below = (lines - nth - 1) * each;
        let draw = |height: &Option<usize>| {
            let level = height.map_or(0, |height| height.saturating_sub(below).min(each));
            steps.get(level).copied().unwrap_or(' ')
        };
        heights.iter().map(draw).collect::<String>()
    };
    (0..lines).map(line).collect()
}

/// How many steps a value is high: one at least, so that it is seen to be there.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn height(value: f64, most: f64, steps: usize) -> Option<usize> {
    if !value.is_finite() {
        return None;
    }
    if most <= 0.0 {
        return Some(1);
    }
    let share = (value / most).clamp(0.0, 1.0);
    // Rounded, and within the steps: a chart has no finer truth.
    Some(((share * steps as f64).round() as usize).clamp(1, steps.max(1)))
}

/// At most so many values, each the highest of those that it stands for.
fn squeeze(values: &[f64], columns: usize) -> Vec<Option<f64>> {
    if values.len() <= columns {
        return values.iter().copied().map(Some).collect();
    }
    let highest = |nth: usize| {
        let (from, to) = (nth * values.len() / columns, (nth + 1) * values.len() / columns);
        values.get(from..to)?.iter().copied().filter(|value| value.is_finite()).reduce(f64::max)
    };
    (0..columns).map(highest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_high_as_their_values() {
        let values = [0.0, 25.0, 50.0, 100.0];
        assert_eq!(chart(&values, 100.0, 10, 1, Signs::Unicode), ["▁▂▄█"]);
        assert_eq!(chart(&values, 100.0, 10, 1, Signs::Ascii), ["..:#"]);
        assert_eq!(chart(&values, 100.0, 10, 2, Signs::Unicode), ["   █", "▁▄██"]);
    }

    #[test]
    fn peaks_survive_squeezing_and_gaps_stay_gaps() {
        let values = [1.0, 9.0, 1.0, 1.0, 1.0, 1.0];
        assert_eq!(chart(&values, 9.0, 3, 1, Signs::Unicode), ["█▁▁"]);
        assert_eq!(chart(&[f64::NAN, 4.0], 8.0, 4, 1, Signs::Unicode), [" ▄"]);
        assert_eq!(chart(&[0.0, 0.0], 0.0, 4, 1, Signs::Unicode), ["▁▁"], "nothing, but known");
        assert_eq!(chart(&[], 1.0, 4, 2, Signs::Unicode), ["", ""]);
    }
}
