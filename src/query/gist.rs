//! The gist of many instances, gathered once for each list of them, and the words that are looked for in it.

use super::pattern::Pattern;
use super::ranks::FEW;
use super::share::in_pieces;
use crate::fleet::gist::{END, Gathered, Gist, PIECE, Read};
use crate::fleet::{Fleet, InstanceRow};
use memchr::memmem::Finder;
use std::sync::Arc;

/// No more than one kin for so many rows: otherwise they have so little in common that the gist would say no less than the
/// rows do.
const ALIKE: usize = 2;

/// Sees to it that the gist of a large fleet's instances is known, from `before` where they are the same ones. That takes
/// tens of milliseconds, so it is nothing for a thread that draws, nor while somebody waits.
pub fn gather(fleet: &Fleet, before: Option<&Fleet>) {
    let rows = &fleet.instances;
    if !is_to_be_gathered(fleet) {
        return;
    }
    rows.gist_or(|| {
        let known = before.and_then(|before| Some((before.instances.as_slice(), before.instances.gist()?)));
        match gathered(rows, known) {
            // What nothing has any more is forgotten by beginning anew.
            None if known.is_some() => gathered(rows, None),
            gist => gist,
        }
    });
}

/// Tells whether it would be worth something to `gather`, and was not done yet. One that turned out to be of no use was.
pub fn is_to_be_gathered(fleet: &Fleet) -> bool {
    fleet.instances.len() > FEW && !fleet.instances.is_gist_known()
}

/// None where the rows have too little in common.
fn gathered(rows: &[InstanceRow], before: Option<(&[InstanceRow], &Arc<Gist>)>) -> Option<Gist> {
    let numbers: Vec<usize> = (0..rows.len()).collect();
    let steps = in_pieces(
        &numbers,
        PIECE,
        || (),
        |(), some| {
            let from = some.first().copied().unwrap_or_default();
            let own = rows.get(from..from + some.len()).unwrap_or_default();
            let is_known = before.is_some_and(|(before, _)| {
                // The last of them may have gone on.
                before.get(from..(from + PIECE).min(before.len())).is_some_and(|others| are_same(own, others))
            });
            if is_known { Step::Keep(from / PIECE) } else { Step::Add(Read::of(own)) }
        },
    );
    let mut gathered = before.map_or_else(Gathered::default, |(_, gist)| Gathered::after(gist));
    for step in steps {
        match step {
            Step::Keep(piece) => gathered.keep(before?.1, piece)?,
            Step::Add(read) => gathered.add(read?)?,
        }
        if gathered.kins() * ALIKE > rows.len() {
            return None;
        }
    }
    Some(gathered.done())
}

/// How a piece comes about.
enum Step {
    /// It is that piece of the gist before.
    Keep(usize),
    /// It was read; none where that cannot be.
    Add(Option<Read>),
}

/// Tells whether these rows say the same in the same order, as far as a gist goes.
fn are_same(own: &[InstanceRow], others: &[InstanceRow]) -> bool {
    let is_same = |(own, other): (&InstanceRow, &InstanceRow)| {
        Arc::ptr_eq(&own.it, &other.it)
            && own.health == other.health
            && own.tier == other.tier
            && own.group == other.group
    };
    own.len() == others.len() && own.iter().zip(others).all(is_same)
}

/// Texts of which at least one is to be found in a gist.
pub(super) struct Finders(Vec<Finder<'static>>);

impl Finders {
    /// None where there is one that a gist cannot answer for.
    pub(super) fn of(patterns: &[&Pattern]) -> Option<Self> {
        let finder = |pattern: &&Pattern| {
            let plain = pattern.plain().filter(|text| !text.contains(END))?;
            Some(Finder::new(plain).into_owned())
        };
        patterns.iter().map(finder).collect::<Option<_>>().map(Self)
    }

    /// Tells whether one of them is in a text of a gist.
    pub(super) fn are_in(&self, text: &str) -> bool {
        self.0.iter().any(|finder| finder.find(text.as_bytes()).is_some())
    }
}

#[cfg(test)]
pub(super) mod made {
    use super::super::made::{row, scope, with};
    use super::{FEW, PIECE};
    use crate::fleet::InstanceRow;
    use crate::model::{Health, Instance, InstanceState, Lifecycle, Makes, Text};
    use std::cell::RefCell;
    use std::sync::Arc;

    /// What those of one number were launched with.
    fn launched(it: &mut Instance, number: usize) {
        let some = |most: usize, name: &str| {
            (!number.is_multiple_of(most)).then(|| Text::from(format!("{name}-{}", number % most)))
        };
        it.instance_type = ["t3.small", "m7g.large", "c7i.xlarge"][number % 3].into();
        it.image_id = format!("ami-{}", number % 7).into();
        it.owner_id = ["111122223333", "444455556666"][number % 2].into();
        it.lifecycle = if number.is_multiple_of(4) { Lifecycle::Spot } else { Lifecycle::OnDemand };
        it.detailed_monitoring = number.is_multiple_of(5);
        it.security_groups = (0..number % 3).map(|at| Text::from(format!("sg-{at}"))).collect();
        it.architecture = some(3, "arch");
        it.vpc_id = some(4, "vpc");
        it.subnet_id = some(8, "subnet");
        it.key_name = some(6, "key");
        it.profile_arn = some(5, "profile");
        it.platform = some(2, "platform");
        it.root_device = some(9, "device");
    }

    /// Instances of many groups, some of them stopped, ill, without a group or without tags.
    pub(in crate::query) fn many() -> Vec<InstanceRow> {
        let makes = RefCell::new(Makes::default());
        let scopes = [scope("main", "eu-west-1"), scope("other", "us-east-1")];
        let one = |at: usize| {
            // A quarter are called like others of their group, the rest has names of its own.
            let name = match at % 4 {
                1 => format!("Pool-{}", at % 40),
                _ => format!("Core-{}", at * 7_919 % 3_000),
            };
            let owner = if at.is_multiple_of(5) { "" } else { "Größe\nübel" };
            let pairs: &[_] =
                if at.is_multiple_of(11) { &[] } else { &[("Name", name.as_str()), ("Owner", owner)] };
            let mut row = with(row(&format!("i-{:05x}", at * 6_007 % 8_191), pairs), |it| {
                it.private_ip = (at % 7 != 3).then(|| Text::new(format!("10.0.{}.{}", at % 200, at % 256)));
                it.state =
                    if at.is_multiple_of(13) { InstanceState::Stopped } else { InstanceState::Running };
                it.zone = ["eu-west-1a", "eu-west-1b"][at % 2].into();
                launched(it, at % 40);
                makes.borrow_mut().share(it);
            });
            row.group = (!at.is_multiple_of(3)).then(|| format!("Hosts-of-{}", at % 40).into());
            row.tier = (!at.is_multiple_of(4)).then(|| ["production", "shared"][at % 2].into());
            row.health = if at.is_multiple_of(17) { Health::Bad } else { Health::Ok };
            // Not what kin have in common.
            row.tier_by = (!at.is_multiple_of(9)).then(|| Arc::from(["tag", "group"][at % 7 % 2]));
            row.scope = Arc::clone(&scopes[at % 7 % 2]);
            row
        };
        (0..FEW + 2 * PIECE + 10).map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{ALIKE, gather};
    use crate::fleet::gist::PIECE;
    use crate::fleet::{Fleet, InstanceRow};
    use crate::model::Health;
    use crate::query::gist::made::many;
    use crate::query::made::{fleet, row};
    use crate::query::ranks::FEW;
    use crate::query::{Ctx, Kind, Query, weigh};
    use std::sync::Arc;

    const QUERIES: [&str; 32] = [
        "state:stopped",
        "health:bad,warn core",
        "!zone:1a type=t3.small",
        "group:hosts-of-3 or tier:absent",
        "lifecycle!=spot stopped",
        "group=absent",
        "pool-1",
        "OOL",
        "c",
        "CORE-7",
        "core-2999",
        "i-0",
        "stopped",
        "bad",
        "shared",
        "hosts-of-3",
        "10.0.17.",
        "owner",
        "name",
        "y",
        "t3",
        "eu-west-1a",
        "on-demand",
        "no such thing",
        "\"größe\"",
        "übel",
        "e\u{0}1",
        "/re-1.$/",
        "core-1*",
        "!core-1 running",
        "core-1 or state:stopped",
        "bad core",
    ];

    fn found(fleet: &Fleet, text: &str) -> Vec<u32> {
        let query = Query::parse(text, Kind::Instances).unwrap();
        weigh(&query, Ctx { fleet, now: fleet.at }, Kind::Instances).rows
    }

    fn assert_same(gathered: &Fleet, rows: Vec<InstanceRow>) {
        let plain = fleet(rows);
        assert!(plain.instances.gist().is_none() && gathered.instances.gist().is_some());
        for text in QUERIES {
            assert_eq!(found(gathered, text), found(&plain, text), "{text}");
        }
    }

    #[test]
    fn words_find_the_same_in_a_gist_as_in_the_rows() {
        let gathered = fleet(many());
        gather(&gathered, None);
        assert_same(&gathered, many());
        let kins = gathered.instances.gist().unwrap().kins();
        assert!(kins.len() * ALIKE < gathered.instances.len(), "{}", kins.len());
        assert!(kins.iter().any(|kin| kin.tags.is_some()) && kins.iter().any(|kin| kin.tags.is_none()));
    }

    #[test]
    fn what_has_changed_is_read_again_and_the_rest_is_kept() {
        let first = fleet(many());
        gather(&first, None);
        let mut second = first.clone();
        second.instances[3].it = Arc::new(row("i-other", &[("Name", "no such thing")]).it.as_ref().clone());
        second.instances[PIECE + 7].health = Health::Warn;
        second.instances[2 * PIECE].group = Some("10.0.17.group".into());
        second.instances[3 * PIECE + 1].tier = None;
        assert!(second.instances.gist().is_none(), "nothing is known of rows that were changed");
        gather(&second, Some(&first));
        assert_same(&second, second.instances.to_vec());
        assert_eq!(found(&second, "no such thing"), [3]);
        // Fewer and more of them, and a piece that ends elsewhere.
        for count in [FEW + 1, 6 * PIECE, first.instances.len() - 1] {
            let fewer = fleet(second.instances[..count].to_vec());
            gather(&fewer, Some(&second));
            assert_same(&fewer, fewer.instances.to_vec());
            let more = fleet(second.instances.to_vec());
            gather(&more, Some(&fewer));
            assert_same(&more, more.instances.to_vec());
        }
        let same = fleet(second.instances.to_vec());
        gather(&same, Some(&second));
        let text = |fleet: &Fleet| fleet.instances.gist().unwrap().row(9).unwrap().0.as_ptr();
        assert_eq!(text(&same), text(&second), "the very same piece");
    }

    #[test]
    fn kin_that_are_no_more_are_forgotten_in_the_end() {
        let mut last = fleet(many());
        gather(&last, None);
        for turn in 0..400 {
            let mut next = last.clone();
            next.instances.iter_mut().for_each(|row| row.group = Some(format!("group-{turn}").into()));
            gather(&next, Some(&last));
            last = next;
        }
        let kins = last.instances.gist().unwrap().kins().len();
        assert!(kins * ALIKE <= last.instances.len(), "{kins}");
        assert_same(&last, last.instances.to_vec());
    }

    #[test]
    fn rows_that_have_nothing_in_common_and_few_rows_have_no_gist() {
        // Each was launched in a way of its own.
        let strangers = fleet((0..FEW + 1).map(|at| row(&format!("i-{at}"), &[])).collect());
        gather(&strangers, None);
        assert!(strangers.instances.gist().is_none());
        let few = fleet(many().into_iter().take(FEW).collect());
        gather(&few, None);
        assert!(few.instances.gist().is_none());
    }
}
