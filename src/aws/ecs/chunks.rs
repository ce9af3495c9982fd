//! Listed ARNs cut into as many describing calls as they need.

use crate::model::ClusterArn;
use std::collections::HashSet;

/// What one describing call names: ARNs of one cluster.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chunk {
    /// Their cluster.
    pub(super) cluster: ClusterArn,
    /// What to describe.
    pub(super) arns: Vec<String>,
}

/// Returns listed ARNs beside the cluster that they were listed for.
pub(super) fn beside(cluster: &ClusterArn, arns: Option<Vec<String>>) -> Vec<(ClusterArn, String)> {
    arns.unwrap_or_default().into_iter().map(|arn| (cluster.clone(), arn)).collect()
}

/// Returns the items in chunks of at most `size`.
pub(super) fn of<T: Clone>(items: Vec<T>, size: usize) -> Vec<Vec<T>> {
    items.chunks(size).map(<[T]>::to_vec).collect()
}

/// Returns chunks of at most `size` ARNs, none of two clusters, each ARN once: a task that stops between
/// two lists stands in both.
pub(super) fn by_cluster(listed: Vec<(ClusterArn, String)>, size: usize) -> Vec<Chunk> {
    let mut seen = HashSet::new();
    let mut chunks: Vec<Chunk> = Vec::new();
    for (cluster, arn) in listed {
        if !seen.insert(arn.clone()) {
            continue;
        }
        match chunks.last_mut() {
            Some(chunk) if chunk.cluster == cluster && chunk.arns.len() < size => chunk.arns.push(arn),
            _ => chunks.push(Chunk { cluster, arns: vec![arn] }),
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(cluster: &str, arns: std::ops::Range<u32>) -> Vec<(ClusterArn, String)> {
        beside(&ClusterArn::new(cluster), Some(arns.map(|n| format!("{cluster}/{n}")).collect()))
    }

    #[test]
    fn chunks_are_full_and_never_of_two_clusters() {
        let all = [listed("a", 0..25), listed("b", 0..3)].concat();
        let chunks = by_cluster(all, 10);
        let shape: Vec<_> = chunks.iter().map(|chunk| (chunk.cluster.as_str(), chunk.arns.len())).collect();
        assert_eq!(shape, [("a", 10), ("a", 10), ("a", 5), ("b", 3)]);
        assert_eq!(chunks[3].arns[2], "b/2");
    }

    #[test]
    fn what_stands_in_two_lists_is_described_once() {
        let chunks = by_cluster([listed("a", 0..3), listed("a", 2..4)].concat(), 100);
        assert_eq!(chunks.len(), 1);
        assert_eq!(chunks[0].arns, ["a/0", "a/1", "a/2", "a/3"]);
    }

    #[test]
    fn nothing_listed_is_nothing_to_describe() {
        assert!(by_cluster(beside(&ClusterArn::new("a"), None), 10).is_empty());
        assert!(of(Vec::<u32>::new(), 10).is_empty());
        assert_eq!(of(vec![1, 2, 3], 2), [vec![1, 2], vec![3]]);
    }
}
