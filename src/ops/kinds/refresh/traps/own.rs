//! Traps that lie in what runs on a group's members, and in what single types of it have of their own.

use super::{Found, Scene, drains, risky, worth};
use crate::fleet::drain::limits;

/// Tasks that ECS cannot move by their service's own limits: a host that is drained waits for them for two days.
pub(super) fn immovable(scene: &Scene<'_>, found: &mut Vec<Found>) {
    if !drains(&scene.providers, scene.hooks) {
        return;
    }
    for (service, desired, min, max) in scene.stuck {
        let why = format!(
            "ECS can move no task of {service}: {desired} wanted, at least {min} % and at most {max} % of them; a host \
             that runs one drains for 48 hours and then ends with it"
        );
        let fits = |size: &u32| {
            let (lower, upper) = limits(*size, *min, *max);
            lower < *size || upper > *size
        };
        let mend = match (desired + 1..=desired + 4).find(fits) {
            Some(size) => format!("coredeck scale {service} --desired {size} first"),
            None => "let it have fewer or more tasks while it deploys".to_owned(),
        };
        found.push(risky(why, mend));
    }
}

/// Types that a mixed group launches with an image of their own: what a version says of its image is not for them.
pub(super) fn own_images(scene: &Scene<'_>, found: &mut Vec<Found>) {
    let (Some(mix), Some(to), Some(before)) = (&scene.group.mix, &scene.target.to, &scene.target.before)
    else {
        return;
    };
    // A rollout gives them other ones.
    if scene.target.mix.is_some() || to.says.image == before.says.image {
        return;
    }
    let own: Vec<&str> = mix
        .own
        .iter()
        .filter(|own| own.image.is_some() || own.template.is_some())
        .filter_map(|own| mix.types.get(own.at))
        .map(|(kind, _)| kind.as_str())
        .collect();
    let name = &scene.group.name;
    let other = "has another image than the one before";
    match own.len() {
        0 => {}
        all if all == mix.types.len() => found.push(risky(
            format!(
                "version {} {other}, and each type of {name} ({}) is launched with one of its own: new members would \
                 have the old image",
                to.it.version,
                own.join(", ")
            ),
            format!("coredeck rollout {name} --image … changes those"),
        )),
        _ => found.push(worth(format!(
            "version {} {other}; {} of {name} are launched with one of their own and keep it: `coredeck rollout` \
             changes those too",
            to.it.version,
            own.join(", ")
        ))),
    }
}
