//! Every way in which ECS may fill the room that is left, tried out: where all of them end alike nobody need guess.
//!
//! Nothing leaves the hosts that stay, so that an end is a set of placements to which none can be added. Which host a
//! task gets and which service comes first is ECS's affair; all choices are followed. Where there are too many, or
//! something was not read, there is no answer, and the caller is left with bounds.

use super::room::{admits, may_start};
use super::{Count, Scene, Walk, counted, limits, tasks_of, walk};
use crate::model::{HostArn, HostDetail, Protocol, ServiceArn, ServiceDetail};
use std::collections::HashSet;

/// Placements that are followed at most: a plan waits for them.
const MOST_STATES: usize = 20_000;
/// Comparisons that are made at most, which bounds the states of clusters with many hosts and services.
const MOST_WORK: usize = 20_000_000;

/// What every way of filling the room comes to.
#[derive(Debug, Default)]
pub(super) struct Packing {
    /// Tasks that each service starts, at the fewest and at the most.
    starts: Vec<(ServiceArn, (u32, u32))>,
    /// Tasks that are missing or stay on a host that drains whatever comes first.
    pub(super) lost: u32,
}

/// What a service wants of the hosts that stay.
struct Wish<'a> {
    detail: &'a ServiceDetail,
    count: Count,
    limits: (u32, u32),
    /// Tasks that it starts where there is room.
    starts: u32,
    /// It has tasks on a host that leaves.
    is_moving: bool,
    needs: [u32; 3],
    ports: Vec<(u16, Protocol)>,
    /// Tasks that each host may take by constraints and ports, whatever its room.
    most: Vec<u32>,
}

impl Wish<'_> {
    fn walk(&self, room: u32) -> Walk {
        walk(self.count, self.detail.service.desired, self.limits, room)
    }

    /// Tasks that are missing or stay after so many starts.
    fn lost(&self, starts: u32) -> u32 {
        let end = self.walk(starts);
        if self.is_moving { end.left + end.missing } else { 0 }
    }
}

impl Packing {
    /// Follows every way. None where something was not read, or there are too many.
    pub(super) fn of(scene: &Scene<'_>, gone: &HashSet<&HostArn>) -> Option<Self> {
        let hosts: Vec<&HostDetail> =
            scene.hosts.iter().filter(|one| !gone.contains(&one.host.arn)).collect();
        let wishes = wishes(scene, gone, &hosts)?;
        let mut ends = Ends { starts: vec![None; wishes.len()], lost: None };
        Board::new(&wishes, &hosts).follow(&mut ends)?;
        let pairs = wishes.iter().zip(&ends.starts);
        Some(Self {
            starts: pairs
                .map(|(wish, range)| (wish.detail.service.arn.clone(), range.unwrap_or_default()))
                .collect(),
            lost: ends.lost.unwrap_or(0),
        })
    }

    /// Tasks that a service starts, at the fewest and at the most.
    pub(super) fn starts(&self, service: &ServiceArn) -> Option<(u32, u32)> {
        self.starts.iter().find(|(arn, _)| arn == service).map(|(_, range)| *range)
    }
}

/// What services want; none where that is not known of one of them.
fn wishes<'a>(scene: &Scene<'a>, gone: &HashSet<&HostArn>, hosts: &[&HostDetail]) -> Option<Vec<Wish<'a>>> {
    let mut wishes = Vec::new();
    for detail in scene.services {
        let service = &detail.service;
        if service.strategy.as_deref() == Some("DAEMON") {
            if may_start(scene, detail, gone) > 0 {
                return None;
            }
            continue;
        }
        // A deployment starts and stops where it likes.
        if service.deployments.len() > 1 {
            return None;
        }
        let (count, _) = counted(scene, detail, gone);
        let limits = limits(service.desired, service.min_percent?, service.max_percent?);
        let starts = walk(count, service.desired, limits, u32::MAX).starts;
        let definition = scene.definitions.iter().find(|one| one.name == service.task_definition);
        let mut wish = Wish {
            detail,
            count,
            limits,
            starts,
            is_moving: count.old + count.idle + count.kept > 0,
            needs: [0; 3],
            ports: Vec::new(),
            most: vec![0; hosts.len()],
        };
        if starts > 0 {
            let definition = definition?;
            if definition.network.as_deref() == Some("awsvpc") {
                return None;
            }
            let (mine, mut unknown) = (tasks_of(scene, detail), Vec::new());
            let most = hosts.iter().map(|host| admits(host, detail, definition, &mine, &mut unknown));
            wish.most = most.map(|most| most.unwrap_or(0)).collect();
            if !unknown.is_empty() {
                return None;
            }
            wish.needs = [definition.reserved_cpu(), definition.reserved_memory(), definition.gpus()];
            wish.ports = definition.fixed_ports();
        }
        wishes.push(wish);
    }
    Some(wishes)
}

/// What the ends that were found have in common.
struct Ends {
    starts: Vec<Option<(u32, u32)>>,
    lost: Option<u32>,
}

impl Ends {
    fn take(&mut self, wishes: &[Wish<'_>], starts: &[u32]) {
        for (range, &starts) in self.starts.iter_mut().zip(starts) {
            let (low, high) = range.unwrap_or((starts, starts));
            *range = Some((low.min(starts), high.max(starts)));
        }
        let lost = wishes.iter().zip(starts).map(|(wish, &starts)| wish.lost(starts)).sum();
        self.lost = Some(self.lost.map_or(lost, |least| least.min(lost)));
    }
}

/// The hosts that stay, and who wants what of them.
struct Board<'w, 'a> {
    wishes: &'w [Wish<'a>],
    /// CPU, memory and graphics processors that are free.
    free: Vec<[u32; 3]>,
    /// Hosts of one number are alike to everybody.
    class: Vec<usize>,
}

/// How many tasks of each service each host got: host by host.
type State = Vec<Vec<u16>>;

impl<'w, 'a> Board<'w, 'a> {
    fn new(wishes: &'w [Wish<'a>], hosts: &[&HostDetail]) -> Self {
        let free: Vec<[u32; 3]> =
            hosts.iter().map(|one| [one.host.cpu_free, one.host.memory_free, one.gpus_free]).collect();
        let alike = |a: usize, b: usize| {
            free.get(a) == free.get(b) && wishes.iter().all(|wish| wish.most.get(a) == wish.most.get(b))
        };
        let class = (0..hosts.len()).map(|at| (0..at).find(|before| alike(*before, at)).unwrap_or(at));
        Self { wishes, class: class.collect(), free }
    }

    /// Follows all placements to their ends. None when there are too many.
    fn follow(&self, ends: &mut Ends) -> Option<()> {
        let services = self.wishes.len().max(1);
        let most = (MOST_WORK / (services * services * self.free.len().max(1))).min(MOST_STATES);
        let first: State = vec![vec![0; self.wishes.len()]; self.free.len()];
        let mut seen = HashSet::from([first.clone()]);
        let mut open = vec![first];
        while let Some(state) = open.pop() {
            let starts: Vec<u32> = (0..self.wishes.len()).map(|at| placed(&state, at)).collect();
            let mut is_end = true;
            for (at, wish) in self.wishes.iter().enumerate() {
                if starts.get(at).is_none_or(|starts| *starts >= wish.starts) {
                    continue;
                }
                for host in (0..self.free.len()).filter(|host| self.fits(&state, at, *host)) {
                    is_end = false;
                    let next = self.with(&state, at, host);
                    if seen.insert(next.clone()) {
                        open.push(next);
                    }
                }
            }
            if seen.len() > most {
                return None;
            }
            if is_end {
                ends.take(self.wishes, &starts);
            }
        }
        Some(())
    }

    /// Whether one more task of a service finds a place on a host.
    fn fits(&self, state: &State, at: usize, host: usize) -> bool {
        let (Some(wish), Some(here), Some(free)) =
            (self.wishes.get(at), state.get(host), self.free.get(host))
        else {
            return false;
        };
        let has = here.get(at).map_or(0, |count| u32::from(*count));
        if wish.most.get(host).is_none_or(|most| has >= *most) {
            return false;
        }
        let others = || self.wishes.iter().zip(here);
        let has_room = (0..3).all(|sort| {
            let of = |needs: &[u32; 3]| needs.get(sort).copied().unwrap_or(0);
            let taken: u32 = others().map(|(other, count)| of(&other.needs) * u32::from(*count)).sum();
            taken + of(&wish.needs) <= of(free)
        });
        let is_taken = |other: &Wish<'_>| other.ports.iter().any(|port| wish.ports.contains(port));
        has_room && !others().any(|(other, count)| *count > 0 && is_taken(other))
    }

    /// One more task of a service on a host. Hosts that are alike are kept in order: which of them got it says nothing.
    fn with(&self, state: &State, at: usize, host: usize) -> State {
        let mut next = state.clone();
        if let Some(count) = next.get_mut(host).and_then(|here| here.get_mut(at)) {
            *count += 1;
        }
        for class in 0..self.class.len() {
            let members: Vec<usize> =
                (0..self.class.len()).filter(|at| self.class.get(*at) == Some(&class)).collect();
            let mut columns: Vec<Vec<u16>> = members.iter().filter_map(|at| next.get(*at).cloned()).collect();
            columns.sort_unstable();
            for (at, column) in members.into_iter().zip(columns) {
                if let Some(here) = next.get_mut(at) {
                    *here = column;
                }
            }
        }
        next
    }
}

/// Tasks of a service that were placed.
fn placed(state: &State, at: usize) -> u32 {
    state.iter().filter_map(|here| here.get(at)).map(|count| u32::from(*count)).sum()
}
