//! Where new cores go: on the host that is fullest and still has room, by its tier's density and by memory. Pure.

/// A host as far as room on it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Cores on it.
    pub cores: u32,
    /// Cores that it may hold.
    pub most: u32,
    /// MiB that its other cores leave; none where nobody knows how many it has.
    pub free_mib: Option<u32>,
}

impl Room {
    /// Whether one more core fits that takes so many MiB.
    pub fn takes(&self, mib: u32) -> bool {
        self.cores < self.most && self.free_mib.is_none_or(|free| mib <= free)
    }
}

/// The host of each core, by its number; none where no host has room for it. Each core takes so many MiB.
///
/// Best fit: the fullest host that takes it, then the one with least memory to spare, then the first. So hosts without
/// cores are only begun when no other one has room, and as few of them as the bound of bin packing says.
pub fn place(rooms: &[Room], demands: &[u32]) -> Vec<Option<usize>> {
    let mut rooms = rooms.to_vec();
    // Those that take most memory find a place while there is one; the order of equal ones stays.
    let mut order: Vec<usize> = (0..demands.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(demands[*at]));
    let mut placed = vec![None; demands.len()];
    for at in order {
        let mib = demands[at];
        let fits = rooms.iter().enumerate().filter(|(_, room)| room.takes(mib));
        let best = fits.min_by_key(|(host, room)| {
            (room.most - room.cores, room.free_mib.map_or(u32::MAX, |free| free - mib), *host)
        });
        let Some(host) = best.map(|(host, _)| host) else { continue };
        placed[at] = Some(host);
        if let Some(room) = rooms.get_mut(host) {
            room.cores += 1;
            room.free_mib = room.free_mib.map(|free| free.saturating_sub(mib));
        }
    }
    placed
}

/// MiB of an instance type, where its name tells: families of which AWS sells each size with the same share.
pub fn memory_mib(instance_type: &str) -> Option<u32> {
    let (family, size) = instance_type.split_once('.')?;
    let mut letters = family.chars();
    let per_large = match (letters.next()?, letters.next()?) {
        ('t' | 'm', '2'..='9') => 8_192,
        ('c', '3'..='9') => 4_096,
        ('r', '3'..='9') => 16_384,
        _ => return None,
    };
    Some(match size {
        "nano" => per_large / 16,
        "micro" => per_large / 8,
        "small" => per_large / 4,
        "medium" => per_large / 2,
        "large" => per_large,
        "xlarge" => per_large * 2,
        many => many.strip_suffix("xlarge")?.parse::<u32>().ok()?.checked_mul(per_large * 2)?,
    })
}

/// MiB that cores of a host may use together: a tenth is the system's.
pub fn usable_mib(memory: u32) -> u32 {
    memory - memory / 10
}

/// MiB of one core of a host that holds so many: its share, in steps of 64. None where it has the host alone, or no
/// share is worth the name.
pub fn share_mib(memory: u32, most: u32) -> Option<u32> {
    let share = usable_mib(memory).checked_div(most)? / 64 * 64;
    (most > 1 && share > 0).then_some(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_founding_hosts_hold_what_they_held() {
        assert_eq!(memory_mib("t3.small"), Some(2048));
        assert_eq!(memory_mib("t2.micro"), Some(1024));
        assert_eq!(memory_mib("t3.large"), Some(8192));
        assert_eq!((memory_mib("c5.2xlarge"), memory_mib("r7g.xlarge")), (Some(16_384), Some(32_768)));
        assert_eq!((memory_mib("x1e.large"), memory_mib("t3"), memory_mib("m5.metal")), (None, None, None));
        // Seven development cores on a t3.small.
        assert_eq!(share_mib(2048, 7), Some(256));
        assert!(7 * 256 <= usable_mib(2048));
        assert_eq!((share_mib(1024, 1), share_mib(64, 7)), (None, None));
    }

    #[test]
    fn two_hundred_cores_fill_hosts_as_the_bound_says() {
        let rooms = vec![Room { cores: 0, most: 7, free_mib: Some(1844) }; 60];
        let placed = place(&rooms, &[256; 200]);
        let mut on = vec![0; 60];
        placed.iter().for_each(|host| on[host.unwrap()] += 1);
        assert!(on.iter().all(|count| *count <= 7));
        assert_eq!(on.iter().filter(|count| **count > 0).count(), 200_usize.div_ceil(7));
    }

    fn rooms() -> impl Strategy<Value = Vec<Room>> {
        let room = (0_u32..9, 1_u32..8, proptest::option::of(0_u32..2048));
        let room = room.prop_map(|(cores, most, free_mib)| Room { cores, most, free_mib });
        proptest::collection::vec(room, 0..20)
    }

    proptest! {
        #[test]
        fn no_host_takes_more_than_it_may(rooms in rooms(), demands in proptest::collection::vec(0_u32..600, 0..60)) {
            let placed = place(&rooms, &demands);
            prop_assert_eq!(placed.len(), demands.len());
            let mut after = rooms.clone();
            for (host, mib) in placed.iter().zip(&demands) {
                if let Some(host) = host {
                    after[*host].cores += 1;
                    let free = after[*host].free_mib;
                    prop_assert!(free.is_none_or(|free| *mib <= free));
                    after[*host].free_mib = free.map(|free| free - mib);
                }
            }
            for (before, after) in rooms.iter().zip(&after) {
                prop_assert!(after.cores <= after.most.max(before.cores));
            }
            // What found no place fits nowhere.
            for (_, mib) in placed.iter().zip(&demands).filter(|(host, _)| host.is_none()) {
                prop_assert!(after.iter().all(|room| !room.takes(*mib)));
            }
        }

        #[test]
        fn empty_hosts_are_begun_only_as_the_bound_says(
            held in proptest::collection::vec(0_u32..8, 0..30), count in 0_usize..120,
        ) {
            let rooms: Vec<Room> = held.iter().map(|cores| Room { cores: *cores, most: 7, free_mib: None }).collect();
            let placed = place(&rooms, &vec![256; count]);
            let begun: std::collections::BTreeSet<usize> =
                placed.iter().flatten().copied().filter(|host| rooms[*host].cores == 0).collect();
            let used = |room: &&Room| room.cores > 0;
            let room: usize = rooms.iter().filter(used).map(|room| (7_u32.saturating_sub(room.cores)) as usize).sum();
            let empty = rooms.iter().filter(|room| room.cores == 0).count();
            prop_assert_eq!(begun.len(), count.saturating_sub(room).div_ceil(7).min(empty));
            // The same again gives the same.
            prop_assert_eq!(place(&rooms, &vec![256; count]), placed);
        }
    }
}
