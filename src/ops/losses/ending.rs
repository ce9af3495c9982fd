//! Members that a group ends by itself: replaced one after the other, or fewer than before and nobody knows which.

use crate::fleet::{Fleet, GroupRow};
use crate::model::{GroupName, InstanceId, Member, Scope, TargetGroupArn, TargetState};
use std::collections::HashSet;

/// What a plan lets a group do with its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Where.
    pub scope: Scope,
    /// Which group.
    pub group: GroupName,
    /// The members that go, or may.
    pub members: Vec<InstanceId>,
    /// How.
    pub turn: Turn,
}

/// How members go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Others come in their place. So many may be away at once.
    Replaced {
        /// How many.
        at_once: u32,
    },
    /// So many of them go, and AWS chooses which.
    Fewer {
        /// How many.
        count: u32,
    },
}

impl Ending {
    /// Members of a group are replaced.
    pub fn replaced(row: &GroupRow, members: Vec<InstanceId>, at_once: u32) -> Self {
        let turn = Turn::Replaced { at_once };
        Self { scope: (*row.scope).clone(), group: row.it.name.clone(), members, turn }
    }

    /// A group gets this size. Members that are protected from scale-in stay, and so do those that do not count. In a
    /// weighted group a size is units, and the lightest are taken to go.
    pub fn fewer(row: &GroupRow, desired: u32) -> Self {
        let may_go = row.it.members.iter().filter(|one| one.counts() && !one.is_protected).collect();
        Self::of_excess(row, may_go, row.it.excess_over(desired))
    }

    /// Some of these members go, as long as a group has so many units too many: one with more units than that stays.
    pub fn of_excess(row: &GroupRow, mut may_go: Vec<&Member>, excess: u32) -> Self {
        may_go.retain(|one| one.units() <= excess);
        let lightest = may_go.iter().map(|one| one.units()).min().unwrap_or(1).max(1);
        let all = u32::try_from(may_go.len()).unwrap_or(u32::MAX);
        let members = may_go.iter().map(|one| one.id.clone()).collect();
        let turn = Turn::Fewer { count: (excess / lightest).min(all) };
        Self { scope: (*row.scope).clone(), group: row.it.name.clone(), members, turn }
    }

    /// How many go where only some of them do; none where all do.
    pub fn some_of_them(&self) -> Option<u32> {
        match self.turn {
            Turn::Fewer { count } if (count as usize) < self.members.len() => Some(count),
            _ => None,
        }
    }

    fn row<'a>(&self, fleet: &'a Fleet) -> Option<&'a GroupRow> {
        fleet.groups.iter().find(|row| *row.scope == self.scope && row.it.name == self.group)
    }

    /// Target groups in which whoever comes in place of a member answers in its place.
    pub fn renewed<'a>(&self, fleet: &'a Fleet) -> Vec<&'a TargetGroupArn> {
        match self.turn {
            Turn::Fewer { .. } => Vec::new(),
            Turn::Replaced { .. } => {
                self.row(fleet).map(|row| row.it.target_groups.iter().collect()).unwrap_or_default()
            }
        }
    }

    /// Whether somebody answers in a target group of the group at every moment, as far as the sizes tell.
    pub fn carries(&self, fleet: &Fleet, group: &TargetGroupArn) -> bool {
        let Turn::Replaced { at_once } = self.turn else { return false };
        let mine: HashSet<&str> = self.members.iter().map(|id| id.as_str()).collect();
        let healthy: HashSet<&str> = fleet
            .targets
            .iter()
            .filter(|row| *row.scope == self.scope && row.it.group == *group)
            .filter(|row| row.it.state == TargetState::Healthy)
            .map(|row| row.it.id.as_str())
            .collect();
        let leave = healthy.iter().filter(|id| mine.contains(*id)).count();
        healthy.len() > leave.min(at_once as usize)
    }
}
