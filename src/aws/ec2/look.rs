//! Instances, templates and images by id, images by name, and the versions of one template.

use super::{PAGE, TEMPLATE_PAGE, images, instances, status, templates};
use crate::aws::api::Api;
use crate::aws::call::{Broken, Desk, Pages};
use crate::aws::look::all;
use crate::gateway::GatewayError;
use crate::model::{
    Image, ImageId, Instance, InstanceId, InstanceStatus, Template, TemplateId, TemplateVersion, Text,
    Trouble, TroubleKind,
};
use aws_sdk_ec2::types::Filter;
use futures::FutureExt as _;
use std::sync::Arc;

/// The most values that a filter takes.
const FILTERED: usize = 200;

/// The most instances whose checks one call names.
const CHECKED: usize = 100;

/// These instances. They are filtered for and not named: one id that AWS does not know, or not yet, would
/// fail all the others.
pub(in crate::aws) async fn look_at_instances(
    desk: &Desk,
    of: &[InstanceId],
) -> Result<Vec<Arc<Instance>>, Trouble> {
    let chunks: Vec<Vec<String>> =
        of.chunks(FILTERED).map(|ids| ids.iter().map(ToString::to_string).collect()).collect();
    let ask = |ids: Vec<String>| {
        async move {
            let filter = Filter::builder().name("instance-id").set_values(Some(ids)).build();
            let request = |token| {
                let ask = desk.ec2().describe_instances().filters(filter.clone());
                ask.max_results(PAGE).set_next_token(token).send()
            };
            let read = desk.pages(Api::DescribeInstances, request, |page| {
                let all = page.reservations.unwrap_or_default();
                (all.into_iter().flat_map(instances::of_reservation).collect(), page.next_token)
            });
            Ok(read.await?)
        }
        .boxed()
    };
    all(chunks, ask).await
}

/// Instances that carry a tag, those that are gone too as long as EC2 shows them.
pub(in crate::aws) async fn look_at_tagged(
    desk: &Desk,
    key: &Text,
    value: &Text,
) -> Result<Vec<Arc<Instance>>, Trouble> {
    let filter = Filter::builder().name(format!("tag:{key}")).values(value.as_str()).build();
    let request = |token| {
        let ask = desk.ec2().describe_instances().filters(filter.clone());
        ask.max_results(PAGE).set_next_token(token).send()
    };
    let read = desk.pages(Api::DescribeInstances, request, |page| {
        let all = page.reservations.unwrap_or_default();
        (all.into_iter().flat_map(instances::of_reservation).collect(), page.next_token)
    });
    Ok(read.await?)
}

/// Versions of a template from a number on, by rising number.
pub(in crate::aws) async fn look_at_versions(
    desk: &Desk,
    template: &TemplateId,
    from: u64,
) -> Result<Vec<TemplateVersion>, Trouble> {
    let request = |token| {
        let ask = desk.ec2().describe_launch_template_versions().launch_template_id(template.as_str());
        let ask = ask.min_version(from.to_string()).max_results(TEMPLATE_PAGE);
        ask.set_next_token(token).send()
    };
    let read = desk.pages(Api::DescribeLaunchTemplateVersions, request, |page| {
        let all = page.launch_template_versions.unwrap_or_default();
        (all.into_iter().map(|raw| templates::version(raw).1).collect(), page.next_token)
    });
    let mut read: Vec<TemplateVersion> = read.await?;
    read.sort_by_key(|version| version.number);
    Ok(read)
}

/// These templates, without their versions; those that are gone are left out.
pub(in crate::aws) async fn look_at_templates(
    desk: &Desk,
    of: &[TemplateId],
) -> Result<Vec<Template>, Trouble> {
    let chunks: Vec<Vec<String>> =
        of.chunks(FILTERED).map(|ids| ids.iter().map(ToString::to_string).collect()).collect();
    let ask = |ids: Vec<String>| {
        async move {
            let request = |token| {
                let ask = desk.ec2().describe_launch_templates().set_launch_template_ids(Some(ids.clone()));
                ask.set_next_token(token).send()
            };
            let read = desk.pages(Api::DescribeLaunchTemplates, request, |page| {
                let all = page.launch_templates.unwrap_or_default();
                (all.into_iter().map(templates::template).collect(), page.next_token)
            });
            match read.await {
                Err(Broken { trouble, .. }) if trouble.kind == TroubleKind::NotFound && ids.len() == 1 => {
                    Ok(Vec::new())
                }
                other => Ok(other?),
            }
        }
        .boxed()
    };
    all(chunks, ask).await
}

/// These images; one that AWS does not list any more has no state.
pub(in crate::aws) async fn look_at_images(desk: &Desk, of: &[ImageId]) -> Result<Vec<Image>, Trouble> {
    let read = super::images(desk, of, &Pages::default()).await;
    read.map_err(|GatewayError { trouble, .. }| trouble)
}

/// Images of an owner by name, as far as they can be launched and are not deprecated.
pub(in crate::aws) async fn look_at_images_named(
    desk: &Desk,
    owner: &Text,
    name: &Text,
) -> Result<Vec<Image>, Trouble> {
    let filter = |key: &str, value: &str| Filter::builder().name(key).values(value).build();
    let request = |token| {
        let ask = desk.ec2().describe_images().owners(owner.as_str()).filters(filter("name", name));
        ask.filters(filter("state", "available")).set_next_token(token).send()
    };
    let read = desk.pages(Api::DescribeImages, request, |page| {
        let all = page.images.unwrap_or_default();
        (all.into_iter().map(images::image).collect(), page.next_token)
    });
    Ok(read.await?)
}

/// Status checks of these instances; those that EC2 does not know yet are left out, with all of their call.
pub(in crate::aws) async fn look_at_checks(
    desk: &Desk,
    of: &[InstanceId],
) -> Result<Vec<InstanceStatus>, Trouble> {
    let chunks: Vec<Vec<String>> =
        of.chunks(CHECKED).map(|ids| ids.iter().map(ToString::to_string).collect()).collect();
    let ask = |ids: Vec<String>| {
        async move {
            let request = || {
                let ask = desk.ec2().describe_instance_status().set_instance_ids(Some(ids.clone()));
                ask.include_all_instances(true).send()
            };
            match desk.call(Api::DescribeInstanceStatus, request).await {
                Ok(page) => {
                    let all = page.instance_statuses.unwrap_or_default();
                    Ok(all.into_iter().map(status::status).collect())
                }
                Err(trouble) if trouble.kind == TroubleKind::NotFound => Ok(Vec::new()),
                Err(trouble) => Err(trouble),
            }
        }
        .boxed()
    };
    all(chunks, ask).await
}
