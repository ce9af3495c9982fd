//! EC2: instances, their status, launch templates, images and spot prices.

mod change;
mod images;
mod instances;
mod look;
#[cfg(test)]
mod past_the_sdk;
mod prices;
mod shards;
mod status;
mod templates;

pub(super) use change::{change, launch};
pub(super) use look::{
    look_at_checks, look_at_images, look_at_images_named, look_at_instances, look_at_tagged,
    look_at_templates, look_at_versions,
};
pub(super) use prices::spot_prices;

use super::api::Api;
use super::call::{Broken, Desk, Pages};
use super::fan::{self, Piece};
use super::lean::Lean;
use crate::gateway::{GatewayError, Reading};
use crate::model::{
    Image, ImageId, Instance, InstanceStatus, Template, TemplateId, TemplateRef, TemplateVersion, TroubleKind,
};
use aws_sdk_ec2::operation::describe_instance_status::{
    DescribeInstanceStatus, DescribeInstanceStatusOutput,
};
use aws_smithy_runtime_api::client::interceptors::context::Output;
use futures::FutureExt as _;
use std::sync::Arc;

/// The longest page that `DescribeInstances` and `DescribeInstanceStatus` give.
const PAGE: i32 = 1_000;

/// The longest page of templates and of their versions.
/// Without a length moto cuts both lists at fifteen and says nothing.
const TEMPLATE_PAGE: i32 = 200;

/// The most versions of one template that one call names.
const TEMPLATE_VERSIONS: usize = 200;

/// Every instance of every reservation; a large fleet is read zone by zone, all zones at once.
pub(super) async fn instances(
    desk: &Desk,
    kept: Option<Vec<Arc<Instance>>>,
    pages: &Pages,
) -> Result<Vec<Arc<Instance>>, GatewayError> {
    shards::read(desk, kept, pages).await.map_err(|broken| broken.partial(Reading::Instances))
}

/// Status checks and scheduled events of all instances, whatever their state.
pub(super) async fn statuses(desk: &Desk, pages: &Pages) -> Result<Vec<InstanceStatus>, GatewayError> {
    let seen = &desk.site().seen().statuses;
    let empty = || Output::erase(DescribeInstanceStatusOutput::builder().build());
    let request = |token| {
        let ask = desk.ec2().describe_instance_status().include_all_instances(true);
        let ask = ask.max_results(PAGE).set_next_token(token).customize();
        let lean = Lean::new(&DescribeInstanceStatus::new(), "", empty, status::SHAPE, Arc::clone(seen));
        async move {
            let page = ask.interceptor(lean.clone()).send().await?;
            Ok(lean.page_or(|| {
                let statuses = page.instance_statuses.unwrap_or_default();
                ((statuses.into_iter().map(status::status).collect(), page.next_token), true)
            }))
        }
    };
    seen.begin();
    let read = desk.pages_shown(Api::DescribeInstanceStatus, request, |page| page, pages, Reading::Statuses);
    let read = read.await;
    seen.end();
    read.map_err(|broken| broken.partial(Reading::Statuses))
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
            let (versions, numbered) = fan::apart(fan::each(missing, ask, fan::unshown).await);
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
        let (answers, broke) = fan::apart(fan::each(std::mem::take(&mut waiting), ask, fan::unshown).await);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{Fake, Say};

    fn xml(body: &str) -> Say {
        Say::Whole(200, "text/xml", body.to_owned())
    }

    fn refusal(status: u16, code: &str, message: &str) -> Say {
        let body = format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>"
        );
        Say::Whole(status, "text/xml", body)
    }

    fn heard(fake: &Fake, what: &str) -> usize {
        fake.heard.lock().unwrap().iter().filter(|request| request.contains(what)).count()
    }

    const TEMPLATE: &str = "<DescribeLaunchTemplatesResponse><launchTemplates><item>\
        <launchTemplateId>lt-1</launchTemplateId><launchTemplateName>prod</launchTemplateName>\
        <defaultVersionNumber>1</defaultVersionNumber><latestVersionNumber>3</latestVersionNumber>\
        </item></launchTemplates></DescribeLaunchTemplatesResponse>";

    fn version(number: u32) -> Say {
        xml(&format!(
            "<DescribeLaunchTemplateVersionsResponse><launchTemplateVersionSet><item>\
             <launchTemplateId>lt-1</launchTemplateId><versionNumber>{number}</versionNumber>\
             </item></launchTemplateVersionSet></DescribeLaunchTemplateVersionsResponse>"
        ))
    }

    fn in_use(version: &str) -> TemplateRef {
        TemplateRef { id: "lt-1".into(), name: "prod".into(), version: version.into() }
    }

    #[tokio::test]
    async fn every_reservation_of_every_page_is_read_and_a_broken_page_keeps_those_before() {
        let page = "<DescribeInstancesResponse><reservationSet>\
            <item><reservationId>r-1</reservationId><instancesSet><item><instanceId>i-1</instanceId></item>\
            <item><instanceId>i-2</instanceId></item></instancesSet></item>\
            <item><reservationId>r-2</reservationId><instancesSet><item><instanceId>i-3</instanceId></item>\
            </instancesSet></item></reservationSet><nextToken>two</nextToken></DescribeInstancesResponse>";
        let fake = Fake::new(move |request, _| {
            if request.contains("NextToken=two") {
                Say::Whole(500, "text/html", "<html>".into())
            } else {
                xml(page)
            }
        })
        .await;
        let error = instances(&fake.desk().await, None, &Pages::default()).await.unwrap_err();
        assert_eq!(error.trouble.kind, TroubleKind::Garbled);
        let Some(Reading::Instances(read)) = error.partial.map(|partial| *partial) else { panic!() };
        let ids: Vec<_> = read.iter().map(|one| (one.id.as_str(), one.reservation_id())).collect();
        assert_eq!(ids, [("i-1", "r-1"), ("i-2", "r-1"), ("i-3", "r-2")]);
        assert_eq!(heard(&fake, "MaxResults=1000"), 2);
    }

    #[tokio::test]
    async fn versions_that_the_account_wide_list_left_out_are_asked_and_deleted_ones_do_no_harm() {
        let fake = Fake::new(|request, _| match request {
            text if text.contains("Action=DescribeLaunchTemplates&") => xml(TEMPLATE),
            text if !text.contains("LaunchTemplateId=lt-1") => version(1),
            text if text.contains("LaunchTemplateVersion.1=2") => {
                refusal(400, "InvalidLaunchTemplateId.VersionNotFound", "no such version")
            }
            _ => version(3),
        })
        .await;
        let read = templates(&fake.desk().await, &[in_use("2")], &Pages::default()).await.unwrap();
        let numbers: Vec<_> = read[0].versions.iter().map(|version| version.number).collect();
        assert_eq!(numbers, [1, 3]);
        assert_eq!(heard(&fake, "LaunchTemplateId=lt-1"), 3, "two together, then each alone");
    }

    #[tokio::test]
    async fn templates_whose_versions_are_denied_are_partial_and_not_asked_one_by_one() {
        let fake = Fake::new(|request, _| match request {
            text if text.contains("Action=DescribeLaunchTemplates&") => xml(TEMPLATE),
            _ => refusal(403, "UnauthorizedOperation", "You are not authorized"),
        })
        .await;
        let error = templates(&fake.desk().await, &[in_use("2")], &Pages::default()).await.unwrap_err();
        assert_eq!(error.trouble.kind, TroubleKind::Denied);
        assert!(matches!(error.partial.as_deref(), Some(Reading::Templates(read)) if read.len() == 1));
        assert_eq!(heard(&fake, "LaunchTemplateId=lt-1"), 0);
    }

    #[tokio::test]
    async fn one_image_that_is_gone_does_not_lose_the_others() {
        for message in ["The image id '[ami-2]' does not exist", "no names here"] {
            let fake = Fake::new(move |request, _| {
                if request.contains("ami-2") {
                    return refusal(400, "InvalidAMIID.NotFound", message);
                }
                let of = |id: &str| {
                    let item =
                        format!("<item><imageId>{id}</imageId><imageState>available</imageState></item>");
                    if request.contains(id) { item } else { String::new() }
                };
                let all: String = ["ami-1", "ami-3"].map(of).concat();
                xml(&format!("<DescribeImagesResponse><imagesSet>{all}</imagesSet></DescribeImagesResponse>"))
            })
            .await;
            let ids = ["ami-3", "ami-4", "ami-2", "ami-1", "resolve:ssm:/x"].map(ImageId::new);
            let read = images(&fake.desk().await, &ids, &Pages::default()).await.unwrap();
            let got: Vec<_> = read.iter().map(|image| (image.id.as_str(), image.is_gone())).collect();
            assert_eq!(
                got,
                [("ami-1", false), ("ami-2", true), ("ami-3", false), ("ami-4", true)],
                "{message}"
            );
        }
    }

    #[tokio::test]
    async fn no_image_in_use_is_no_call_for_all_images() {
        let fake = Fake::new(|_, _| Say::Nothing).await;
        assert_eq!(images(&fake.desk().await, &[], &Pages::default()).await, Ok(Vec::new()));
        assert_eq!(fake.heard.lock().unwrap().len(), 0);
    }
}
