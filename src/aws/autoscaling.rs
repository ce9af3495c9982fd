//! Auto Scaling: groups, instance refreshes, scaling activities.

mod change;
mod groups;
mod history;
mod look;
mod refresh;
mod tune;

pub(super) use change::change;
pub(super) use look::{look_at_groups, look_at_hooks, look_at_refreshes};

use super::api::Api;
use super::call::{Desk, Pages};
use super::fan::{self, Piece};
use super::lean::{Extent, Lean, Shape};
use crate::gateway::{GatewayError, Reading};
use crate::model::{Activity, Group, GroupName, Refresh};
use aws_sdk_autoscaling::operation::describe_auto_scaling_groups::{
    DescribeAutoScalingGroups, DescribeAutoScalingGroupsOutput,
};
use aws_smithy_runtime_api::client::interceptors::context::Output;
use futures::FutureExt as _;
use std::sync::Arc;

/// The longest page that Auto Scaling gives.
const PAGE: i32 = 100;

/// How many activities of each group are read: the latest. The history reaches back six weeks, and a
/// person who looks for older ones looks in one group.
const ACTIVITIES: i32 = 20;

/// Where groups stand in an answer.
const GROUPS: Shape<Group> =
    Shape { list: Extent::Element { name: "AutoScalingGroups", token: "NextToken" }, parse: None };

/// Every group with its members.
pub(super) async fn groups(desk: &Desk, pages: &Pages) -> Result<Vec<Group>, GatewayError> {
    let seen = &desk.site().seen().groups;
    let empty = || Output::erase(DescribeAutoScalingGroupsOutput::builder().build());
    let request = |token| {
        let ask = desk.autoscaling().describe_auto_scaling_groups();
        let ask = ask.max_records(PAGE).set_next_token(token).customize();
        let lean = Lean::new(&DescribeAutoScalingGroups::new(), "", empty, GROUPS, Arc::clone(seen));
        async move {
            let page = ask.interceptor(lean.clone()).send().await?;
            Ok(lean.page_or(|| {
                let groups = page.auto_scaling_groups.unwrap_or_default();
                ((groups.into_iter().map(groups::group).collect(), page.next_token), true)
            }))
        }
    };
    seen.begin();
    let read = desk.pages_shown(Api::DescribeAutoScalingGroups, request, |page| page, pages, Reading::Groups);
    let read = read.await;
    seen.end();
    read.map_err(|broken| broken.partial(Reading::Groups))
}

/// Refreshes of these groups, newest first within a group. AWS answers for one group at a time.
pub(super) async fn refreshes(
    desk: &Desk,
    groups: &[GroupName],
    pages: &Pages,
) -> Result<Vec<Refresh>, GatewayError> {
    let ask = |group| refreshes_of(desk, group).boxed();
    fan::each(groups.to_vec(), ask, fan::shown(pages, Reading::Refreshes))
        .await
        .map_err(|broken| broken.partial(Reading::Refreshes))
}

async fn refreshes_of(desk: &Desk, group: GroupName) -> Piece<Refresh> {
    let request = |token| {
        let ask = desk.autoscaling().describe_instance_refreshes().auto_scaling_group_name(group.as_str());
        ask.max_records(PAGE).set_next_token(token).send()
    };
    let listed = desk.pages(Api::DescribeInstanceRefreshes, request, |page| {
        let refreshes = page.instance_refreshes.unwrap_or_default();
        (refreshes.into_iter().map(|raw| history::refresh(raw, &group)).collect(), page.next_token)
    });
    match listed.await {
        Ok(refreshes) => Ok(history::newest_first(refreshes, |refresh| refresh.started_at)),
        Err(broken) if history::is_about_a_group_that_went(&broken.trouble) => Ok(broken.read),
        Err(broken) => Err(broken),
    }
}

/// The latest activities of these groups, newest first within a group.
pub(super) async fn activities(
    desk: &Desk,
    groups: &[GroupName],
    pages: &Pages,
) -> Result<Vec<Activity>, GatewayError> {
    let ask = |group| activities_of(desk, group).boxed();
    fan::each(groups.to_vec(), ask, fan::shown(pages, Reading::Activities))
        .await
        .map_err(|broken| broken.partial(Reading::Activities))
}

async fn activities_of(desk: &Desk, group: GroupName) -> Piece<Activity> {
    let request = || {
        let ask = desk.autoscaling().describe_scaling_activities().auto_scaling_group_name(group.as_str());
        ask.max_records(ACTIVITIES).send()
    };
    match desk.call(Api::DescribeScalingActivities, request).await {
        Ok(page) => {
            let activities = page.activities.unwrap_or_default();
            let activities = activities.into_iter().map(|raw| history::activity(raw, &group)).collect();
            Ok(history::newest_first(activities, |activity| activity.started_at))
        }
        Err(trouble) if history::is_about_a_group_that_went(&trouble) => Ok(Vec::new()),
        Err(trouble) => Err(fan::nothing(trouble)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{Fake, Say};
    use crate::model::TroubleKind;

    fn names(of: std::ops::Range<u32>) -> Vec<GroupName> {
        of.map(|n| GroupName::from(format!("g-{n}"))).collect()
    }

    #[tokio::test]
    async fn a_group_that_went_since_is_passed_over_and_tokens_are_followed() {
        let page = |id: &str, token: &str| {
            Say::Whole(
                200,
                "text/xml",
                format!(
                    "<DescribeInstanceRefreshesResponse><DescribeInstanceRefreshesResult><InstanceRefreshes><member>\
                     <InstanceRefreshId>{id}</InstanceRefreshId><StartTime>2026-01-0{id}T00:00:00Z</StartTime></member>\
                     </InstanceRefreshes>{token}</DescribeInstanceRefreshesResult></DescribeInstanceRefreshesResponse>"
                ),
            )
        };
        let fake = Fake::new(move |request, _| match request {
            text if text.contains("AutoScalingGroupName=g-0") => Say::Whole(
                400,
                "text/xml",
                "<ErrorResponse><Error><Code>ValidationError</Code><Message>AutoScalingGroup name not found - \
                 no such group: g-0</Message></Error></ErrorResponse>"
                    .to_owned(),
            ),
            text if text.contains("NextToken=more") => page("2", ""),
            _ => page("1", "<NextToken>more</NextToken>"),
        })
        .await;
        let read = refreshes(&fake.desk().await, &names(0..2), &Pages::default()).await.unwrap();
        let ids: Vec<_> = read.iter().map(|refresh| (refresh.group.as_str(), refresh.id.as_str())).collect();
        assert_eq!(ids, [("g-1", "2"), ("g-1", "1")]);
    }

    #[tokio::test]
    async fn an_endpoint_without_the_call_is_not_asked_for_every_group() {
        let fake = Fake::new(|_, _| Say::Whole(500, "text/html", "<!doctype html>".to_owned())).await;
        let error = activities(&fake.desk().await, &names(0..50), &Pages::default()).await.unwrap_err();
        assert_eq!((error.trouble.kind, error.partial), (TroubleKind::Garbled, None));
        assert!(fake.heard.lock().unwrap().len() < 10);
    }

    #[tokio::test]
    async fn groups_that_are_known_come_before_those_that_the_sdk_reads() {
        let fake = Fake::new(|_, before| {
            let one = |id: usize| {
                let (zones, size) = ("<member>eu-west-1a</member>".repeat(40), if id == 70 { before } else { id });
                format!(
                    "<member><AutoScalingGroupName>g-{id}</AutoScalingGroupName><AvailabilityZones>{zones}\
                     </AvailabilityZones><DesiredCapacity>{size}</DesiredCapacity></member>\n"
                )
            };
            let groups: String = (0..100 - before).map(one).collect();
            Say::Whole(
                200,
                "text/xml",
                format!(
                    "<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult><AutoScalingGroups>{groups}\
                     </AutoScalingGroups></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>"
                ),
            )
        })
        .await;
        let desk = fake.desk().await;
        for before in 0..3 {
            let read = groups(&desk, &Pages::default()).await.unwrap();
            let read: Vec<_> =
                read.iter().map(|group| (group.name.as_str().to_owned(), group.desired)).collect();
            let expected = (0..100 - before).map(|id| {
                let size = if id == 70 { before } else { id };
                (format!("g-{id}"), u32::try_from(size).unwrap())
            });
            assert_eq!(read, expected.collect::<Vec<_>>(), "{before}");
        }
    }
}
