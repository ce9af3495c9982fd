//! AMIs.

use super::{PAGING, bad_filter, by_tag, dry_run, tag_set};
use crate::sim::fault::Fault;
use crate::sim::filter::{Filter, filters};
use crate::sim::page::Paging;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::machine::Image;
use crate::sim::world::place::Place;

const IMAGE_PAGING: Paging = Paging { min: 1, ..PAGING };

const FILTERS: &[&str] = &[
    "architecture",
    "creation-date",
    "description",
    "image-id",
    "is-public",
    "name",
    "owner-alias",
    "owner-id",
    "root-device-type",
    "state",
    "tag-key",
    "tag-value",
    "virtualization-type",
];

/// DescribeImages.
pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    dry_run(call)?;
    let filters = filters(call.input, "Filter", "Value");
    if let Some(filter) = filters.iter().find(|f| !f.name.starts_with("tag:") && !FILTERS.contains(&f.name)) {
        return Err(bad_filter(filter));
    }
    let ids = call.input.texts("ImageId");
    if let Some(id) = ids.iter().find(|id| !id.starts_with("ami-")) {
        return Err(Fault::new(
            "InvalidAMIID.Malformed",
            format!("Invalid id: \"{id}\" (expecting \"ami-...\")"),
        ));
    }
    let missing: Vec<&str> = ids.iter().copied().filter(|id| !place.images.has(id)).collect();
    if !missing.is_empty() {
        let noun = if missing.len() == 1 { "The image id" } else { "The image ids" };
        let verb = if missing.len() == 1 { "does" } else { "do" };
        let sentence = format!("{noun} '[{}]' {verb} not exist", missing.join(", "));
        return Err(Fault::new("InvalidAMIID.NotFound", sentence));
    }
    let owners = call.input.texts("Owner");
    let executors = call.input.texts("ExecutableBy");
    let is_owned = |image: &Image| {
        owners.is_empty()
            || owners.iter().any(|owner| match *owner {
                "self" => image.owner == *place.account,
                other => image.owner == other || image.owner_alias == Some(other),
            })
    };
    let may_run = |image: &Image| {
        executors.is_empty()
            || executors.iter().any(|who| match *who {
                "all" => image.is_public,
                _ => !image.is_public && image.owner == *place.account,
            })
    };
    // Deprecated images of others are hidden unless they are named or asked for; one's own never are.
    let is_shown = |image: &Image| {
        !ids.is_empty()
            || call.input.flag("IncludeDeprecated")
            || image.owner == *place.account
            || image.deprecated.is_none_or(|at| at > call.now)
    };
    let page = IMAGE_PAGING.of(call)?;
    let rows = place.images.after(page.after).filter(|(_, image)| {
        (ids.is_empty() || ids.contains(&image.id.as_str()))
            && is_owned(image)
            && may_run(image)
            && is_shown(image)
            && filters.iter().all(|filter| admits(filter, image))
    });
    let (rows, token) = page.take(call, rows);
    let shapes = list(rows, shape);
    Ok(Fields::new().with("imagesSet", shapes).maybe("nextToken", token).into())
}

/// DeregisterImage. What runs from it runs on; nothing is launched from it any more.
pub(super) fn deregister(call: &Call, place: &mut Place) -> Answer {
    let id = call
        .input
        .text("ImageId")
        .ok_or_else(|| Fault::new("MissingParameter", "The request must contain the parameter ImageId"))?;
    let Some(image) = place.images.get(id) else {
        return Err(Fault::new("InvalidAMIID.NotFound", format!("The image id '[{id}]' does not exist")));
    };
    if image.owner != *place.account {
        return Err(Fault::new("AuthFailure", format!("Not authorized for image:{id}")).with_status(403));
    }
    dry_run(call)?;
    let snapshot = image.snapshot.clone();
    place.images.remove(id);
    // Snapshots are no things of their own here. One that other images stand on stays.
    let is_shared = place.images.rows().any(|other| other.snapshot == snapshot);
    let with_snapshots = call.input.flag("DeleteAssociatedSnapshots");
    let results = with_snapshots.then(|| {
        let code = if is_shared { "skipped" } else { "success" };
        let row = Fields::new().with("snapshotId", &snapshot).with("returnCode", code);
        Shape::List(vec![row.into()])
    });
    Ok(Fields::new().with("return", true).maybe("deleteSnapshotResultSet", results).into())
}

fn admits(filter: &Filter, image: &Image) -> bool {
    by_tag(filter, &image.tags).unwrap_or_else(|| match filter.name {
        "architecture" => filter.admits(image.architecture),
        "creation-date" => filter.admits(&image.created.rfc3339()),
        "description" => filter.admits(&image.description),
        "image-id" => filter.admits(&image.id),
        "is-public" => filter.admits(if image.is_public { "true" } else { "false" }),
        "name" => filter.admits(&image.name),
        "owner-alias" => image.owner_alias.is_some_and(|alias| filter.admits(alias)),
        "owner-id" => filter.admits(&image.owner),
        "root-device-type" => filter.admits(root_type(image)),
        "state" => filter.admits(image.state),
        "virtualization-type" => filter.admits("hvm"),
        _ => false,
    })
}

fn root_type(image: &Image) -> &'static str {
    if image.is_instance_store { "instance-store" } else { "ebs" }
}

fn shape(image: &Image) -> Shape {
    let ebs = Fields::new()
        .with("snapshotId", &image.snapshot)
        .with("volumeSize", 30i64)
        .with("deleteOnTermination", true)
        .with("volumeType", "gp3")
        .with("encrypted", false);
    let device = Fields::new().with("deviceName", image.root).with("ebs", ebs);
    Fields::new()
        .with("imageId", &image.id)
        .with("imageLocation", format!("{}/{}", image.owner_alias.unwrap_or(&image.owner), image.name))
        .with("imageState", image.state)
        .with("imageOwnerId", &image.owner)
        .maybe("imageOwnerAlias", image.owner_alias)
        .with("creationDate", image.created.rfc3339())
        .maybe("deprecationTime", image.deprecated.map(|at| at.rfc3339()))
        .with("isPublic", image.is_public)
        .with("architecture", image.architecture)
        .with("imageType", "machine")
        .with("name", &image.name)
        .with("description", &image.description)
        .with("platformDetails", "Linux/UNIX")
        .with("usageOperation", "RunInstances")
        .with("rootDeviceType", root_type(image))
        .with("rootDeviceName", image.root)
        .with(
            "blockDeviceMapping",
            Shape::List(if image.is_instance_store { Vec::new() } else { vec![device.into()] }),
        )
        .with("virtualizationType", "hvm")
        .with("hypervisor", "xen")
        .with("enaSupport", image.has_ena)
        .with("sriovNetSupport", "simple")
        .with("bootMode", image.boot)
        .with("imdsSupport", "v2.0")
        .when(!image.tags.is_empty(), |fields| fields.with("tagSet", tag_set(&image.tags)))
        .into()
}
