//! Drift: how far what groups launch, and what they have launched, is from the newest image of its family.

use super::lack;
use super::rows::{GroupRow, InstanceRow, Item};
use crate::model::{Behind, GroupName, Health, Image, Known, Published, Scope, Template, Text, TierName};
use crate::snapshot::Part;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// A group with how far it has drifted.
#[derive(Clone, Debug)]
pub struct DriftRow {
    /// Where.
    pub scope: Arc<Scope>,
    /// Which group.
    pub name: GroupName,
    /// Its tier.
    pub tier: Option<TierName>,
    /// Its launch template, by name or id.
    pub template: Text,
    /// The version that it launches, as it says: a number, `$Latest`, `$Default`.
    pub version: Text,
    /// The same as a number; none where the template could not be read.
    pub number: Option<u64>,
    /// The version that `$Latest` means, and the one that `$Default` means.
    pub latest: Option<u64>,
    /// The version that `$Default` means.
    pub default: Option<u64>,
    /// The image that it launches now.
    pub image: Known<Option<Item<Image>>>,
    /// The parameter that publishes images of its family; none for images of one's own.
    pub parameter: Option<Text>,
    /// What that parameter names now.
    pub newest: Known<Option<Item<Published>>>,
    /// How far the image is behind that; none where nobody publishes its family.
    pub behind: Known<Option<Behind>>,
    /// Younger images of its family that are in use here, for images that nobody publishes.
    pub younger: u32,
    /// Members that are not gone.
    pub hosts: u32,
    /// Those of them that run another image than the group launches.
    pub stale: Known<u32>,
    /// Members by the version that they were launched from, most first: `7`, 12.
    pub versions: Vec<(Text, u32)>,
    /// Members by the version of their ECS agent, most first; not known until container instances were read.
    pub agents: Known<Vec<(Text, u32)>>,
    /// How it stands.
    pub drift: Drift,
    /// How well it is.
    pub health: Health,
    /// Why, in short sentences.
    pub troubles: Vec<String>,
}

/// How a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drift {
    /// It launches the newest that is known, and all of its members run that.
    Current,
    /// Something that decides could not be read.
    Unknown,
    /// It launches the newest that is known, and some members run something else.
    Mixed,
    /// It launches an image that is not the newest.
    Behind,
    /// The image that it launches does not exist any more: it can launch nothing.
    Gone,
}

impl Drift {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Unknown => "unknown",
            Self::Mixed => "mixed",
            Self::Behind => "behind",
            Self::Gone => "gone",
        }
    }
}

/// What the members of one group run.
#[derive(Default)]
struct Members<'a> {
    hosts: u32,
    versions: Vec<(&'a str, u32)>,
    images: Vec<(&'a str, u32)>,
    agents: Vec<(&'a str, u32)>,
    is_known: bool,
}

fn count<'a>(of: &mut Vec<(&'a str, u32)>, what: &'a str) {
    match of.iter_mut().find(|(known, _)| *known == what) {
        Some((_, count)) => *count += 1,
        None => of.push((what, 1)),
    }
}

/// The drift of the groups of a part. `instances` and `groups` are its rows.
pub(super) fn rows(
    part: &Part,
    instances: &[InstanceRow],
    groups: &[GroupRow],
    at: Timestamp,
) -> Vec<DriftRow> {
    let mut members: HashMap<&str, Members<'_>> = HashMap::new();
    for row in instances.iter().filter(|row| !row.it.state.is_gone()) {
        let Some(group) = &row.group else { continue };
        let found =
            members.entry(group.as_str()).or_insert_with(|| Members { is_known: true, ..Members::default() });
        found.hosts += 1;
        count(&mut found.images, row.it.image_id.as_str());
        // The tag tells what it was launched from; the group may say something newer of it.
        let told = row.member.as_ref().yes().and_then(|member| member.as_ref()?.template.as_ref());
        let told = told.map(|used| used.version.as_str());
        if let Some(version) = row.it.template_tag().map(|(_, version)| version).or(told) {
            count(&mut found.versions, version);
        }
        match &row.host {
            Known::Yes(Some(host)) => {
                count(&mut found.agents, host.agent_version.as_deref().unwrap_or("unknown"));
            }
            Known::Yes(None) => {}
            Known::No(_) => found.is_known = false,
        }
    }
    let templates = part.templates.value.as_ref();
    groups
        .iter()
        .map(|group| {
            let used = group.it.template.as_ref();
            let template = used.and_then(|used| {
                let mut all = templates.iter().flat_map(|list| list.iter());
                all.find(|it| it.id == used.id || (used.id.is_empty() && it.name == used.name))
            });
            let mine = members.remove(group.it.name.as_str()).unwrap_or_default();
            row(part, group, template, mine, at)
        })
        .collect()
}

fn row(
    part: &Part,
    group: &GroupRow,
    template: Option<&Template>,
    mut mine: Members<'_>,
    at: Timestamp,
) -> DriftRow {
    let used = group.it.template.as_ref();
    let version = used.map(|used| used.version.clone()).unwrap_or_default();
    let image = group.image.clone();
    let known = image.as_ref().yes().and_then(Option::as_ref);
    let (parameter, newest, behind) = behind(part, &image);
    let younger = match (known, &parameter) {
        (Some(image), None) => {
            let all = part.images.value.iter().flat_map(|list| list.iter());
            all.filter(|other| is_newer(other, image)).count() as u32
        }
        _ => 0,
    };
    let by_number = |list: &mut Vec<(&str, u32)>| -> Vec<(Text, u32)> {
        list.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        list.iter().map(|(what, count)| (Text::new(what), *count)).collect()
    };
    let stale = match (&image, known) {
        (Known::No(why), _) => Known::No(*why),
        (_, None) => Known::Yes(0),
        (_, Some(image)) => {
            let others = mine.images.iter().filter(|(id, _)| *id != image.id.as_str());
            Known::Yes(others.map(|(_, count)| count).sum())
        }
    };
    let agents = if mine.hosts == 0 || mine.is_known {
        Known::Yes(by_number(&mut mine.agents))
    } else {
        Known::No(lack::why(part.hosts.standing()))
    };
    let mut row = DriftRow {
        scope: Arc::clone(&group.scope),
        name: group.it.name.clone(),
        tier: group.tier.clone(),
        template: used
            .map(|used| if used.name.is_empty() { Text::new(used.id.as_str()) } else { used.name.clone() })
            .unwrap_or_default(),
        number: match version.as_str() {
            "$Latest" => template.map(|it| it.latest_version),
            "$Default" | "" => template.map(|it| it.default_version),
            number => number.parse().ok(),
        },
        latest: template.map(|it| it.latest_version),
        default: template.map(|it| it.default_version),
        version,
        image,
        parameter,
        newest,
        behind,
        younger,
        hosts: mine.hosts,
        stale,
        versions: by_number(&mut mine.versions),
        agents,
        drift: Drift::Current,
        health: Health::Ok,
        troubles: Vec::new(),
    };
    row.drift = standing(&row);
    (row.health, row.troubles) = health(&row, at);
    row
}

/// A parameter, what it names, and how far something is behind that.
type Lag = (Option<Text>, Known<Option<Item<Published>>>, Known<Option<Behind>>);

/// How far an image is behind what the parameter of its family names now.
pub(super) fn behind(part: &Part, image: &Known<Option<Item<Image>>>) -> Lag {
    let known = image.as_ref().yes().and_then(Option::as_ref);
    let parameter = known.and_then(|image| image.published_by());
    let newest = match (image, &parameter) {
        (Known::No(why), _) => Known::No(*why),
        (_, None) => Known::Yes(None),
        (_, Some(parameter)) => {
            let list = part.published.value.as_ref();
            match list.and_then(|list| Item::all(list).find(|one| one.parameter == *parameter)) {
                Some(found) => Known::Yes(Some(found)),
                None => lack::absent(&part.published, None),
            }
        }
    };
    let behind = match (known, &newest) {
        (Some(image), Known::Yes(newest)) => {
            Known::Yes(newest.as_ref().map(|newest| newest.behind(&image.id)))
        }
        (None, Known::Yes(_)) => Known::Yes(None),
        (_, Known::No(why)) => Known::No(*why),
    };
    (parameter, newest, behind)
}

fn standing(row: &DriftRow) -> Drift {
    let is_gone = matches!(&row.image, Known::Yes(Some(image)) if image.is_gone());
    let is_behind = row.younger > 0 || matches!(row.behind, Known::Yes(Some(behind)) if behind.count() > 0);
    let is_unknown = matches!(row.image, Known::No(_)) || matches!(row.behind, Known::No(_));
    match row.stale {
        _ if is_gone => Drift::Gone,
        _ if is_behind => Drift::Behind,
        Known::Yes(1..) => Drift::Mixed,
        // Of one image in two versions something else differs; that is no matter of images.
        Known::No(_) => Drift::Unknown,
        Known::Yes(0) if is_unknown => Drift::Unknown,
        Known::Yes(0) => Drift::Current,
    }
}

fn health(row: &DriftRow, at: Timestamp) -> (Health, Vec<String>) {
    let mut troubles = Vec::new();
    let mut health = match row.drift {
        Drift::Current => Health::Ok,
        Drift::Unknown => Health::Unknown,
        Drift::Mixed | Drift::Behind => Health::Warn,
        Drift::Gone => Health::Bad,
    };
    if let Known::Yes(Some(image)) = &row.image {
        if image.is_gone() {
            troubles.push(format!("its image {} is gone: it can launch nothing", image.id));
        }
        if let Some(day) = image.end_of_support() {
            let is_over = at.to_string().as_str() > day;
            let word = if is_over { "ended" } else { "ends" };
            troubles.push(format!("support of its image's system {word} on {day}"));
            health = health.max(if is_over { Health::Warn } else { Health::Ok });
        }
        if image.deprecated_at.is_some_and(|then| then <= at) {
            troubles.push(format!("its image {} is deprecated", image.id));
            health = health.max(Health::Warn);
        }
    }
    match row.behind {
        Known::Yes(Some(Behind::By(count @ 1..))) => {
            let versions = if count == 1 { "version" } else { "versions" };
            troubles.push(format!("{count} {versions} behind what its parameter names"));
        }
        Known::Yes(Some(Behind::AtLeast(count))) => {
            let versions = if count == 1 { "version" } else { "versions" };
            troubles.push(format!("{count} {versions} or more behind what its parameter names"));
        }
        _ => {}
    }
    if let Known::Yes(stale @ 1..) = row.stale {
        troubles.push(format!("{stale} of {} members run another image than it launches", row.hosts));
    }
    (health, troubles)
}

/// Tells whether an image is a younger one of the same family: for the same architecture, and called the
/// same but for the digits of its name.
pub(super) fn is_newer(image: &Image, than: &Image) -> bool {
    let family = |name: &Text| -> String { name.chars().filter(|c| !c.is_ascii_digit()).collect() };
    let (Some(name), Some(other)) = (&image.name, &than.name) else { return false };
    image.created_at.is_some()
        && than.created_at.is_some()
        && image.created_at > than.created_at
        && image.architecture == than.architecture
        && !image.is_gone()
        && family(name) == family(other)
}
