//! Members of groups.

use super::group::TemplateRef;
use super::ids::{InstanceId, InstanceType, Zone};
use super::text::Text;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// An instance as its group sees it.
///
/// What many members have in common lies in a [`Standing`] that they share, and is read as if it were a field of each:
/// `member.zone`. As JSON, too, it is one object.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Flat<'static>")]
pub struct Member {
    /// Which instance.
    pub id: InstanceId,
    standing: Arc<Standing>,
}

/// What a group says of its members: of dozens of them mostly the same. A hundred thousand would take 20 MiB of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Standing {
    /// Its type.
    pub instance_type: Option<InstanceType>,
    /// Its zone.
    pub zone: Zone,
    /// `InService`, `Standby`, `Terminating:Wait`, …
    pub state: Text,
    /// The group's verdict: `Healthy` or `Unhealthy`.
    pub health: Text,
    /// Protected from scale-in.
    pub is_protected: bool,
    /// The template and version that the group says it was launched with.
    pub template: Option<TemplateRef>,
    /// Its weight in a weighted group.
    pub weight: Option<u32>,
}

impl Standing {
    /// Tells whether it is on its way out of the group already, or detached from it.
    pub fn is_leaving(&self) -> bool {
        self.state.starts_with("Terminat") || self.state.starts_with("Detach")
    }

    /// Tells whether the group's size counts it: not in standby, nor leaving.
    pub fn counts(&self) -> bool {
        !self.state.contains("Standby") && !self.is_leaving()
    }

    /// Units of the group's size that it stands for: one where the group has no weights.
    pub fn units(&self) -> u32 {
        self.weight.unwrap_or(1)
    }
}

impl Member {
    /// One that shares its standing with nobody yet.
    pub fn new(id: InstanceId, standing: Standing) -> Self {
        Self { id, standing: Arc::new(standing) }
    }

    /// The same members, of whom those that stand alike share that.
    pub fn alike(mut members: Vec<Self>) -> Vec<Self> {
        let mut known: HashSet<Arc<Standing>> = HashSet::new();
        for member in &mut members {
            match known.get(&member.standing) {
                Some(standing) => member.standing = Arc::clone(standing),
                None => drop(known.insert(Arc::clone(&member.standing))),
            }
        }
        members.shrink_to_fit();
        members
    }
}

/// Reads members, and lets those share what they say that stand alike.
pub(super) fn read_alike<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Member>, D::Error> {
    Vec::deserialize(from).map(Member::alike)
}

impl Deref for Member {
    type Target = Standing;
    fn deref(&self) -> &Standing {
        &self.standing
    }
}

impl DerefMut for Member {
    /// To change what is shared makes it this member's own first.
    fn deref_mut(&mut self) -> &mut Standing {
        Arc::make_mut(&mut self.standing)
    }
}

/// How a member is written and read.
#[derive(Serialize, Deserialize)]
struct Flat<'a> {
    id: Cow<'a, InstanceId>,
    instance_type: Cow<'a, Option<InstanceType>>,
    zone: Cow<'a, Zone>,
    state: Cow<'a, Text>,
    health: Cow<'a, Text>,
    is_protected: bool,
    template: Cow<'a, Option<TemplateRef>>,
    weight: Option<u32>,
}

impl From<Flat<'_>> for Member {
    fn from(flat: Flat<'_>) -> Self {
        let standing = Standing {
            instance_type: flat.instance_type.into_owned(),
            zone: flat.zone.into_owned(),
            state: flat.state.into_owned(),
            health: flat.health.into_owned(),
            is_protected: flat.is_protected,
            template: flat.template.into_owned(),
            weight: flat.weight,
        };
        Self::new(flat.id.into_owned(), standing)
    }
}

impl Serialize for Member {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Standing { instance_type, zone, state, health, is_protected, template, weight } = &**self;
        let flat = Flat {
            id: Cow::Borrowed(&self.id),
            instance_type: Cow::Borrowed(instance_type),
            zone: Cow::Borrowed(zone),
            state: Cow::Borrowed(state),
            health: Cow::Borrowed(health),
            is_protected: *is_protected,
            template: Cow::Borrowed(template),
            weight: *weight,
        };
        flat.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::{Member, Standing};
    use crate::model::{Group, TemplateRef};
    use std::sync::Arc;

    fn one(id: &str, zone: &str) -> Member {
        let template = TemplateRef { id: "lt-1".into(), name: "web".into(), version: "3".into() };
        let standing = Standing {
            instance_type: Some("t3.small".into()),
            zone: zone.into(),
            state: "InService".into(),
            health: "Healthy".into(),
            is_protected: true,
            template: Some(template),
            weight: Some(2),
        };
        Member::new(id.into(), standing)
    }

    #[test]
    fn who_stands_alike_shares_it_and_a_change_is_one_members_alone() {
        let members = vec![one("i-1", "a"), one("i-2", "b"), one("i-3", "a")];
        let mut alike = Member::alike(members.clone());
        assert_eq!(alike, members);
        assert!(Arc::ptr_eq(&alike[0].standing, &alike[2].standing));
        assert!(!Arc::ptr_eq(&alike[0].standing, &alike[1].standing));
        alike[2].state = "Standby".into();
        assert_eq!((alike[0].state.as_str(), alike[2].state.as_str()), ("InService", "Standby"));
        assert_eq!(size_of::<Member>(), 32);
    }

    #[test]
    fn a_member_is_one_object_and_those_of_a_group_come_back_equal_and_share() {
        let json = serde_json::to_value(one("i-1", "a")).unwrap();
        assert_eq!((json["id"].as_str(), json["zone"].as_str()), (Some("i-1"), Some("a")));
        assert_eq!(serde_json::from_value::<Member>(json).unwrap(), one("i-1", "a"));
        let mut group = crate::fleet::made::group("web", &[], "3");
        group.members = vec![one("i-1", "a"), one("i-2", "a")];
        let written = postcard::to_stdvec(&group).unwrap();
        let read = postcard::from_bytes::<Group>(&written).unwrap();
        assert_eq!(read, group);
        assert!(Arc::ptr_eq(&read.members[0].standing, &read.members[1].standing));
    }
}
