//! Instances by id, and the versions of one template.

use super::{PAGE, TEMPLATE_PAGE, instances, templates};
use crate::aws::api::Api;
use crate::aws::call::Desk;
use crate::aws::look::all;
use crate::model::{Instance, InstanceId, TemplateId, TemplateVersion, Trouble};
use aws_sdk_ec2::types::Filter;
use futures::FutureExt as _;
use std::sync::Arc;

/// The most values that a filter takes.
const FILTERED: usize = 200;

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
