//! EC2: instances, their status, launch templates and images.

mod images;
mod instances;
mod status;
mod templates;

use super::api::Api;
use super::call::{Broken, Desk, Pages};
use super::fan::{self, Piece};
use crate::gateway::{GatewayError, Reading};
use crate::model::{
    Image, ImageId, Instance, InstanceStatus, Template, TemplateId, TemplateRef, TemplateVersion, TroubleKind,
};
use futures::FutureExt as _;
use std::sync::Arc;

/// The longest page that `DescribeInstances` and `DescribeInstanceStatus` give.
const PAGE: i32 = 1_000;

/// The longest page of templates and of their versions.
/// Without a length moto cuts both lists at fifteen and says nothing.
const TEMPLATE_PAGE: i32 = 200;

/// The most versions of one template that one call names.
const TEMPLATE_VERSIONS: usize = 200;

/// Every instance of every reservation.
pub(super) async fn instances(desk: &Desk, pages: &Pages) -> Result<Vec<Arc<Instance>>, GatewayError> {
    let request = |token| desk.ec2().describe_instances().max_results(PAGE).set_next_token(token).send();
    desk.pages_shown(
        Api::DescribeInstances,
        request,
        |page| {
            let reservations = page.reservations.unwrap_or_default();
            (reservations.into_iter().flat_map(instances::of_reservation).collect(), page.next_token)
        },
        pages,
        Reading::Instances,
    )
    .await
    .map_err(|broken| broken.partial(Reading::Instances))
}

/// Status checks and scheduled events of all instances, whatever their state.
pub(super) async fn statuses(desk: &Desk, pages: &Pages) -> Result<Vec<InstanceStatus>, GatewayError> {
    let request = |token| {
        let ask = desk.ec2().describe_instance_status().include_all_instances(true);
        ask.max_results(PAGE).set_next_token(token).send()
    };
    desk.pages_shown(
        Api::DescribeInstanceStatus,
        request,
        |page| {
            let statuses = page.instance_statuses.unwrap_or_default();
            (statuses.into_iter().map(status::status).collect(), page.next_token)
        },
        pages,
        Reading::Statuses,
    )
    .await
    .map_err(|broken| broken.partial(Reading::Statuses))
}

/// All launch templates, with their default and latest versions and those that are named.
///
/// One account-wide list brings default and latest of all templates; only what it left out, and the
/// numbered versions in use, are asked template by template.
pub(super) async fn templates(
    desk: &Desk,
    used: &[TemplateRef],
    pages: &Pages,
) -> Result<Vec<Template>, GatewayError> {
    let request = |token| {
        desk.ec2().describe_launch_templates().max_results(TEMPLATE_PAGE).set_next_token(token).send()
    };
    let listed = desk.pages(Api::DescribeLaunchTemplates, request, |page| {
        let templates = page.launch_templates.unwrap_or_default();
        (templates.into_iter().map(templates::template).collect(), page.next_token)
    });
    let (mut all, mut trouble) = fan::apart(listed.await);
    if !all.is_empty() {
        pages.show(|| Reading::Templates(all.clone()));
        let (versions, account_wide) = fan::apart(current_versions(desk).await);
        templates::attach(&mut all, versions);
        if account_wide.as_ref().is_none_or(|trouble| trouble.kind == TroubleKind::Refused) {
            let missing = templates::missing(&all, used);
            let ask = |(id, numbers)| numbered_versions(desk, id, numbers).boxed();
            let (versions, numbered) = fan::apart(fan::each(missing, ask, |_| ()).await);
            templates::attach(&mut all, versions);
            trouble = trouble.or(numbered);
        } else {
            trouble = trouble.or(account_wide);
        }
    }
    fan::settle(all, trouble).map_err(|broken| broken.partial(Reading::Templates))
}

/// Default and latest versions of all templates of the account.
async fn current_versions(desk: &Desk) -> Piece<(TemplateId, TemplateVersion)> {
    let request = |token| {
        let ask = desk.ec2().describe_launch_template_versions().versions("$Default").versions("$Latest");
        ask.max_results(TEMPLATE_PAGE).set_next_token(token).send()
    };
    desk.pages(Api::DescribeLaunchTemplateVersions, request, |page| {
        let versions = page.launch_template_versions.unwrap_or_default();
        (versions.into_iter().map(templates::version).collect(), page.next_token)
    })
    .await
}

/// These versions of one template. AWS refuses the whole call for one version that has been deleted, so
/// then each is asked alone, and those that are gone are left out.
async fn numbered_versions(
    desk: &Desk,
    template: TemplateId,
    numbers: Vec<u64>,
) -> Piece<(TemplateId, TemplateVersion)> {
    let mut read = Vec::new();
    for chunk in numbers.chunks(TEMPLATE_VERSIONS) {
        let together = some_versions(desk, &template, chunk).await;
        match together {
            Ok(versions) => read.extend(versions),
            Err(broken) if broken.trouble.kind == TroubleKind::NotFound && chunk.len() > 1 => {
                for number in chunk.chunks(1) {
                    match some_versions(desk, &template, number).await {
                        Ok(versions) => read.extend(versions),
                        Err(broken) if broken.trouble.kind == TroubleKind::NotFound => {}
                        Err(broken) => return Err(Broken { read, trouble: broken.trouble }),
                    }
                }
            }
            Err(broken) => {
                read.extend(broken.read);
                return Err(Broken { read, trouble: broken.trouble });
            }
        }
    }
    Ok(read)
}

async fn some_versions(
    desk: &Desk,
    template: &TemplateId,
    numbers: &[u64],
) -> Piece<(TemplateId, TemplateVersion)> {
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    let request = |token| {
        let ask = desk.ec2().describe_launch_template_versions().launch_template_id(template.as_str());
        ask.set_versions(Some(numbers.clone())).max_results(TEMPLATE_PAGE).set_next_token(token).send()
    };
    desk.pages(Api::DescribeLaunchTemplateVersions, request, |page| {
        let versions = page.launch_template_versions.unwrap_or_default();
        (versions.into_iter().map(templates::version).collect(), page.next_token)
    })
    .await
}

/// These images; one that AWS does not list any more has no state.
pub(super) async fn images(desk: &Desk, ids: &[ImageId], pages: &Pages) -> Result<Vec<Image>, GatewayError> {
    let mut all: Vec<Image> = Vec::new();
    let mut trouble = None;
    let mut waiting = images::chunks(ids);
    // Every round settles at least one id of each chunk or halves it, so this ends.
    while !waiting.is_empty() && trouble.is_none() {
        let ask = |chunk| some_images(desk, chunk).boxed();
        let (answers, broke) = fan::apart(fan::each(std::mem::take(&mut waiting), ask, |_| ()).await);
        trouble = broke;
        for answer in answers {
            match answer {
                Answer::Image(image) => all.push(*image),
                Answer::Again(ids) => waiting.push(ids),
            }
        }
        if !waiting.is_empty() {
            pages.show(|| Reading::Images(all.clone()));
        }
    }
    all.sort_by(|a, b| a.id.cmp(&b.id));
    fan::settle(all, trouble).map_err(|broken| broken.partial(Reading::Images))
}

/// What asking for some images brings.
enum Answer {
    /// An image, there or gone.
    Image(Box<Image>),
    /// Ids to ask for again without the ones that are gone.
    Again(Vec<ImageId>),
}

async fn some_images(desk: &Desk, ids: Vec<ImageId>) -> Piece<Answer> {
    let names: Vec<String> = ids.iter().map(ImageId::to_string).collect();
    let request = |token| {
        let ask = desk.ec2().describe_images().set_image_ids(Some(names.clone()));
        ask.include_deprecated(true).include_disabled(true).set_next_token(token).send()
    };
    let listed = desk.pages(Api::DescribeImages, request, |page| {
        let images = page.images.unwrap_or_default();
        (images.into_iter().map(images::image).collect(), page.next_token)
    });
    let found: Vec<Image> = match listed.await {
        Ok(found) => found,
        Err(broken) if images::is_about_an_id(&broken.trouble) => {
            let retry = images::retry(ids, &broken.trouble.message);
            let gone = retry.gone.into_iter().map(|id| Answer::Image(Box::new(images::gone(id))));
            return Ok(gone.chain(retry.again.into_iter().map(Answer::Again)).collect());
        }
        Err(Broken { read, trouble }) => {
            let read = read.into_iter().map(|image| Answer::Image(Box::new(image))).collect();
            return Err(Broken { read, trouble });
        }
    };
    let gone: Vec<ImageId> =
        ids.into_iter().filter(|id| !found.iter().any(|image| image.id == *id)).collect();
    let images = found.into_iter().chain(gone.into_iter().map(images::gone));
    Ok(images.map(|image| Answer::Image(Box::new(image))).collect())
}
