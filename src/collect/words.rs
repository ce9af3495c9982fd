//! Which cores are asked for their word, where each takes a way of its own: those that somebody looks at, a few at a time.

use super::ask::visits;
use crate::gateway::{Ask, Reading};
use crate::model::CoreId;
use crate::model::admin::{CoreWord, Sign};
use crate::snapshot::Part;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Cores that one read asks while somebody looks: then it is seen anew at which he looks.
const AT_ONCE: usize = 8;
/// A core among others that are looked at is asked again after so long: each costs a session.
const AGAIN: Duration = Duration::from_secs(300);
/// Words of cores at which nobody looks any more are kept this long.
const KEPT: Duration = Duration::from_secs(600);

/// The cores of one scope.
#[derive(Debug)]
pub(super) struct Words {
    /// Those to ask; none for all.
    wanted: Option<Vec<CoreId>>,
    /// When each was asked last, by both clocks.
    read: HashMap<CoreId, (Instant, Timestamp)>,
    /// Those to ask again however lately they were asked. What they said stays until they say more.
    again: HashSet<CoreId>,
    /// All are asked by one read: a script waits for them.
    is_script: bool,
    /// Each core takes a way of its own; else all are always asked.
    takes_ways: bool,
    /// The last look left some for the next one.
    leaves: bool,
}

impl Words {
    /// Nobody was asked yet, and nobody is looked at.
    pub(super) fn new(is_script: bool, takes_ways: bool) -> Self {
        let (read, again) = (HashMap::new(), HashSet::new());
        Self { wanted: Some(Vec::new()), read, again, is_script, takes_ways, leaves: false }
    }

    /// Takes in at which cores somebody looks; whether one that was never asked is among them.
    pub(super) fn look(&mut self, wanted: Option<Vec<CoreId>>) -> bool {
        let differs = wanted != self.wanted;
        self.wanted = wanted;
        let is_new = match &self.wanted {
            Some(wanted) => {
                wanted.iter().any(|core| !self.read.contains_key(core) || self.again.contains(core))
            }
            None => true,
        };
        differs && is_new && self.takes_ways && !self.is_script
    }

    /// All that are looked at are to be asked again.
    pub(super) fn renew(&mut self) {
        self.again = self.read.keys().cloned().collect();
    }

    /// The cores to ask now; none for all.
    pub(super) fn due(&mut self, part: &Part, every: Duration, now: Instant) -> Option<Vec<CoreId>> {
        if !self.takes_ways {
            return None;
        }
        if self.is_script {
            return self.wanted.clone();
        }
        let wanted = match &self.wanted {
            Some(wanted) => wanted.clone(),
            None => visits(part).into_iter().map(|visit| visit.core).collect(),
        };
        let every = if wanted.len() > 1 { every.max(AGAIN) } else { every };
        let is_old = |core: &CoreId| {
            self.again.contains(core)
                || self.read.get(core).is_none_or(|(at, _)| now.saturating_duration_since(*at) >= every)
        };
        let mut due: Vec<CoreId> = wanted.into_iter().filter(is_old).collect();
        if self.wanted.is_some() && !due.is_empty() {
            // Those that cannot be asked, on hosts that are stopped or gone, keep no other from being asked.
            let there: HashSet<CoreId> = visits(part).into_iter().map(|visit| visit.core).collect();
            due.retain(|core| there.contains(core));
        }
        self.leaves = due.len() > AT_ONCE;
        due.truncate(AT_ONCE);
        Some(due)
    }

    /// Whether some that are looked at were left for another read.
    pub(super) fn has_more(&self) -> bool {
        self.leaves
    }

    /// As of when what stands there is: as old as the oldest word that is kept, of which some were heard long before
    /// others. None where none is kept, or all are always asked together.
    pub(super) fn as_of(&self, now: Instant) -> Option<Timestamp> {
        let kept = self.read.values().filter(|(heard, _)| self.takes_ways && is_fresh(*heard, now));
        kept.map(|(_, heard)| *heard).min()
    }

    /// Puts what was heard beside what was heard before, and says of each other core that it was not asked. Those of
    /// `asked` are on their way.
    pub(super) fn put(
        &mut self,
        reading: Reading,
        part: &Part,
        asked: Option<&Ask>,
        (now, at): (Instant, Timestamp),
    ) -> Reading {
        if !self.takes_ways {
            return reading;
        }
        let Reading::Admin(mut words) = reading else { return reading };
        let visits = visits(part);
        let there: HashSet<&CoreId> = visits.iter().map(|visit| &visit.core).collect();
        // Whoever is gone, or said it too long ago, makes nothing look old.
        self.read.retain(|core, (heard, _)| there.contains(core) && is_fresh(*heard, now));
        let heard: HashSet<CoreId> = words.iter().map(|word| word.core.clone()).collect();
        let before: HashMap<&CoreId, &Arc<CoreWord>> =
            part.admin.value.iter().flat_map(|list| list.iter()).map(|word| (&word.core, word)).collect();
        for word in &words {
            self.again.remove(&word.core);
            // A read tells at its end what its pages told before: that was heard then.
            let is_known = before.get(&word.core).is_some_and(|before| Arc::ptr_eq(before, word));
            if !(is_known && self.read.contains_key(&word.core)) {
                self.read.insert(word.core.clone(), (now, at));
            }
        }
        let is_asked = |core: &CoreId| match asked {
            Some(Ask::Admin(visits)) => visits.iter().any(|visit| visit.core == *core),
            _ => false,
        };
        for visit in visits.iter().filter(|visit| !heard.contains(&visit.core)) {
            let is_kept = self.read.get(&visit.core).is_some_and(|(at, _)| is_fresh(*at, now));
            match before.get(&visit.core) {
                Some(word) if is_kept && word.sign != Sign::Unasked => words.push(Arc::clone(word)),
                _ if is_asked(&visit.core) && !part.admin.is_whole => {}
                _ => {
                    let sign = Sign::Unasked;
                    words.push(Arc::new(CoreWord { core: visit.core.clone(), sign, ..CoreWord::default() }));
                }
            }
        }
        words.sort_by(|a, b| a.core.cmp(&b.core));
        Reading::Admin(words)
    }
}

/// Whether a word that was heard then is still kept.
fn is_fresh(heard: Instant, now: Instant) -> bool {
    now.saturating_duration_since(heard) < KEPT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::made::instance;
    use crate::model::{CoreRecord, Scope};

    fn part(cores: usize) -> Part {
        let mut part = Part::new(Arc::new(Scope { account: "a".into(), region: "r".into() }));
        let mut host = instance("i-1", &[]);
        host.private_ip = Some("10.0.0.1".into());
        part.settle(Reading::Instances(vec![Arc::new(host)]), Timestamp::UNIX_EPOCH, true);
        let core = |at: usize| CoreRecord {
            id: format!("c{at:02}").as_str().into(),
            instance_id: Some("i-1".into()),
            ..CoreRecord::default()
        };
        let cores = (0..cores).map(core).collect();
        part.settle(
            Reading::Registry { cores, tenants: vec![], faults: vec![] },
            Timestamp::UNIX_EPOCH,
            true,
        );
        part
    }

    #[test]
    fn those_that_are_looked_at_are_asked_few_by_few_and_the_rest_says_that_nobody_asked() {
        let (mut part, start) = (part(30), crate::clock::monotonic());
        let minute = Duration::from_secs(60);
        let mut words = Words::new(false, true);
        assert_eq!(words.due(&part, minute, start), Some(vec![]), "before anybody looks nobody is asked");
        let all: Vec<CoreId> = visits(&part).into_iter().map(|visit| visit.core).collect();
        assert_eq!(all.len(), 30);
        assert!(words.look(Some(all[..10].to_vec())));
        let mut heard = 0;
        while let Some(due) = words.due(&part, minute, start).filter(|due| !due.is_empty()) {
            assert!(due.len() <= AT_ONCE && due.iter().all(|core| all[..10].contains(core)));
            heard += due.len();
            assert_eq!(words.has_more(), heard < 10);
            let said = due.into_iter().map(|core| Arc::new(CoreWord { core, ..CoreWord::default() }));
            let whole =
                words.put(Reading::Admin(said.collect()), &part, None, (start, Timestamp::UNIX_EPOCH));
            part.settle(whole, Timestamp::UNIX_EPOCH, true);
        }
        assert_eq!(heard, 10);
        let signs: Vec<bool> = part
            .admin
            .value
            .iter()
            .flat_map(|all| all.iter())
            .map(|word| word.sign == Sign::Unasked)
            .collect();
        assert_eq!(signs, (0..30).map(|at| at >= 10).collect::<Vec<_>>());
        // One by itself is asked as often as anything that is looked at; among others each costs a session.
        assert_eq!(words.due(&part, minute, start + minute), Some(vec![]));
        assert!(!words.look(Some(all[..1].to_vec())), "it was asked");
        assert_eq!(words.due(&part, minute, start + minute), Some(all[..1].to_vec()));
        assert!(words.look(Some(all[20..21].to_vec())));
        assert_eq!(words.due(&part, minute, start), Some(all[20..21].to_vec()));
    }

    #[test]
    fn who_is_asked_again_keeps_what_all_said_and_cores_without_a_host_keep_no_other_waiting() {
        let (mut part, start) = (part(12), crate::clock::monotonic());
        let minute = Duration::from_secs(60);
        let mut words = Words::new(false, true);
        let all: Vec<CoreId> = visits(&part).into_iter().map(|visit| visit.core).collect();
        // More than are asked at once are registered on hosts that are not there, and stand first.
        let gone = (0..AT_ONCE + 2).map(|at| format!("gone{at}").as_str().into());
        words.look(Some(gone.chain(all[..2].iter().cloned()).collect()));
        assert_eq!(words.due(&part, minute, start), Some(all[..2].to_vec()));
        let said = |cores: &[CoreId]| {
            let word = |core: &CoreId| Arc::new(CoreWord { core: core.clone(), ..CoreWord::default() });
            Reading::Admin(cores.iter().map(word).collect())
        };
        let whole = words.put(said(&all[..2]), &part, None, (start, Timestamp::UNIX_EPOCH));
        part.settle(whole, Timestamp::UNIX_EPOCH, true);
        words.renew();
        assert_eq!(words.due(&part, minute, start), Some(all[..2].to_vec()), "both are asked again");
        let later = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(60);
        let then = (start + minute, later);
        let Reading::Admin(now) = words.put(said(&all[..1]), &part, None, then) else { unreachable!() };
        assert_eq!(
            words.as_of(start + minute),
            Some(Timestamp::UNIX_EPOCH),
            "as old as what the second said"
        );
        assert_eq!(words.as_of(start + KEPT), Some(later), "which nobody keeps any more by then");
        let unasked = now.iter().filter(|word| word.sign == Sign::Unasked).count();
        assert_eq!(unasked, 10, "what the second said stays until it says more");
        // The end of a read tells once more what a page of it told.
        let page = said(&all[3..4]);
        let whole = words.put(page.clone(), &part, None, (start + minute, later));
        part.settle(whole, later, true);
        let end = later + jiff::SignedDuration::from_secs(60);
        words.put(page, &part, None, (start + minute * 2, end));
        assert_eq!(words.read.get(&all[3]), Some(&(start + minute, later)));
        assert_eq!(words.due(&part, minute, start), Some(all[1..2].to_vec()));
    }
}
