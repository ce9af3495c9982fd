//! In which order groups follow each other: development, then one other group alone, then all others.

use crate::fleet::GroupRow;

/// What decides about a group's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// Its tier's name.
    pub(super) tier: Option<String>,
    /// How many instances it wants.
    pub(super) desired: u32,
}

impl Facts {
    pub(super) fn of(row: &GroupRow) -> Self {
        Self { tier: row.tier.as_ref().map(ToString::to_string), desired: row.it.desired }
    }

    /// What nobody outside is served by.
    fn is_for_trying(&self) -> bool {
        let words = ["dev", "test", "stag", "sandbox", "preview", "qa"];
        self.tier.as_ref().is_some_and(|tier| {
            let tier = tier.to_lowercase();
            words.iter().any(|word| tier.contains(word))
        })
    }
}

/// Groups by their numbers, wave after wave; a wave that would be empty is left out.
pub(super) fn ordered(groups: Vec<Facts>) -> Vec<Vec<usize>> {
    let (trying, mut others): (Vec<usize>, Vec<usize>) =
        (0..groups.len()).partition(|at| groups.get(*at).is_some_and(Facts::is_for_trying));
    // The smallest that has anything: what goes wrong there hurts least.
    let size = |at: &usize| groups.get(*at).map_or((true, 0), |group| (group.desired == 0, group.desired));
    let first = others.iter().copied().min_by_key(|at| (size(at), *at));
    others.retain(|at| Some(*at) != first);
    [trying, first.into_iter().collect(), others].into_iter().filter(|wave| !wave.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn development_comes_first_then_the_smallest_other_alone_and_then_the_rest() {
        let group = |tier: Option<&str>, desired| Facts { tier: tier.map(str::to_owned), desired };
        let all = vec![
            group(Some("production"), 9),
            group(Some("development"), 7),
            group(Some("shared"), 2),
            group(None, 4),
            group(Some("Staging"), 1),
            group(Some("production"), 0),
        ];
        assert_eq!(ordered(all), [vec![1, 4], vec![2], vec![0, 3, 5]]);
        assert_eq!(ordered(vec![group(Some("production"), 3)]), [[0]]);
        assert_eq!(ordered(vec![group(Some("dev"), 3), group(Some("dev"), 1)]), [[0, 1]]);
        assert!(ordered(vec![]).is_empty());
    }
}
