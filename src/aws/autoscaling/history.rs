//! What groups do and did: instance refreshes and scaling activities.

use crate::aws::translate::{moment, required, text, whole, word};
use crate::model::{Activity, GroupName, Refresh, Trouble};
use aws_sdk_autoscaling::types::{Activity as SdkActivity, InstanceRefresh};
use jiff::Timestamp;
use std::cmp::Reverse;

/// Returns a refresh of `group`.
pub(super) fn refresh(raw: InstanceRefresh, group: &GroupName) -> Refresh {
    Refresh {
        group: raw.auto_scaling_group_name.map_or_else(|| group.clone(), GroupName::from),
        id: required(raw.instance_refresh_id),
        status: word(raw.status).unwrap_or_default(),
        reason: text(raw.status_reason),
        percent: raw.percentage_complete.and_then(whole),
        remaining: raw.instances_to_update.and_then(whole),
        started_at: moment(raw.start_time),
        ended_at: moment(raw.end_time),
    }
}

/// Returns an activity of `group`.
pub(super) fn activity(raw: SdkActivity, group: &GroupName) -> Activity {
    Activity {
        group: raw.auto_scaling_group_name.map_or_else(|| group.clone(), GroupName::from),
        id: required(raw.activity_id),
        status: word(raw.status_code).unwrap_or_default(),
        description: required(raw.description),
        cause: required(raw.cause),
        message: text(raw.status_message),
        started_at: moment(raw.start_time),
        ended_at: moment(raw.end_time),
    }
}

/// Sorts by rising age. What has not begun yet is the newest of all.
pub(super) fn newest_first<T>(mut all: Vec<T>, began_at: fn(&T) -> Option<Timestamp>) -> Vec<T> {
    all.sort_by_key(|one| Reverse(began_at(one).unwrap_or(Timestamp::MAX)));
    all
}

/// Tells whether AWS refused because the group is gone since it was listed. Auto Scaling has no code of
/// its own for that: it says `ValidationError` and the rest in words.
pub(super) fn is_about_a_group_that_went(trouble: &Trouble) -> bool {
    trouble.code.as_deref() == Some("ValidationError") && trouble.message.contains("not found")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TroubleKind;
    use aws_sdk_autoscaling::types as sdk;
    use aws_smithy_types::DateTime;

    #[test]
    fn a_refresh_is_carried_over() {
        let raw = InstanceRefresh::builder()
            .instance_refresh_id("ir-1")
            .auto_scaling_group_name("prod")
            .status(sdk::InstanceRefreshStatus::from("Levitating"))
            .status_reason("because")
            .percentage_complete(40)
            .instances_to_update(6)
            .start_time(DateTime::from_secs(1))
            .end_time(DateTime::from_secs(2));
        let got = refresh(raw.build(), &GroupName::new("asked"));
        assert_eq!((got.group.as_str(), got.id.as_str()), ("prod", "ir-1"));
        assert_eq!(got.status, "Levitating");
        assert!(got.is_active());
        assert_eq!((got.percent, got.remaining), (Some(40), Some(6)));
        assert_eq!(got.reason.as_deref(), Some("because"));
        assert_eq!(got.started_at.map(|at| at.as_second()), Some(1));
        assert_eq!(got.ended_at.map(|at| at.as_second()), Some(2));
    }

    #[test]
    fn an_activity_is_carried_over() {
        let raw = SdkActivity::builder()
            .activity_id("a-1")
            .auto_scaling_group_name("prod")
            .status_code(sdk::ScalingActivityStatusCode::Failed)
            .description("Launching a new EC2 instance")
            .cause("At 2026 …")
            .status_message("no capacity")
            .start_time(DateTime::from_secs(1));
        let got = activity(raw.build(), &GroupName::new("asked"));
        assert_eq!((got.group.as_str(), got.status.as_str()), ("prod", "Failed"));
        assert_eq!(got.message.as_deref(), Some("no capacity"));
        assert_eq!(
            (got.description.as_str(), got.cause.as_str()),
            ("Launching a new EC2 instance", "At 2026 …")
        );
        assert_eq!(got.ended_at, None);
    }

    #[test]
    fn the_newest_stands_first_and_what_has_not_begun_before_it() {
        let began = |id: &str, at: Option<i64>| {
            let raw = InstanceRefresh::builder().instance_refresh_id(id);
            refresh(raw.set_start_time(at.map(DateTime::from_secs)).build(), &GroupName::new("g"))
        };
        let all = vec![began("old", Some(1)), began("new", Some(9)), began("pending", None)];
        let ids: Vec<_> = newest_first(all, |it| it.started_at).into_iter().map(|it| it.id).collect();
        assert_eq!(ids, ["pending", "new", "old"]);
    }

    #[test]
    fn a_group_that_went_is_told_from_other_refusals() {
        let mut trouble = Trouble {
            kind: TroubleKind::Refused,
            call: "autoscaling:DescribeInstanceRefreshes".into(),
            code: Some("ValidationError".into()),
            message: "AutoScalingGroup name not found - no such group: prod".to_owned(),
            hint: None,
            request_id: None,
            at: Timestamp::UNIX_EPOCH,
        };
        assert!(is_about_a_group_that_went(&trouble));
        trouble.message = "MaxRecords is too big".to_owned();
        assert!(!is_about_a_group_that_went(&trouble));
    }

    #[test]
    fn empty_answers_belong_to_the_group_that_was_asked_for() {
        let asked = GroupName::new("asked");
        assert_eq!(refresh(InstanceRefresh::builder().build(), &asked).group, asked);
        assert_eq!(activity(SdkActivity::builder().build(), &asked).group, asked);
    }
}
