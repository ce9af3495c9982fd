//! `DescribeInstanceStatus`: status checks and scheduled events.
//!
//! All instances are asked for, not only running ones: it costs no more calls (the page is a thousand
//! either way), and a pending or stopped instance then reads `not-applicable` instead of unknown, with
//! the retirement that may be waiting for it.

use crate::aws::lean::{Extent, Read, Shape};
use crate::aws::trail::End;
use crate::aws::translate::{each, moment, required, word, written_moment};
use crate::aws::xml::{Unreadable, Walk};
use crate::model::{Check, InstanceId, InstanceStatus, ScheduledEvent, Text};
use aws_sdk_ec2::types::{InstanceStatus as SdkStatus, InstanceStatusEvent, SummaryStatus};

/// Returns the checks and events of one instance.
pub(super) fn status(raw: SdkStatus) -> InstanceStatus {
    InstanceStatus {
        id: raw.instance_id.map(InstanceId::from).unwrap_or_default(),
        system: check(raw.system_status.and_then(|it| it.status)),
        instance: check(raw.instance_status.and_then(|it| it.status)),
        ebs: raw.attached_ebs_status.map(|it| check(it.status)),
        events: each(raw.events, event),
    }
}

/// A missing word, or one that this version does not know, is not enough data to call it well or ill.
fn check(status: Option<SummaryStatus>) -> Check {
    match status {
        Some(SummaryStatus::Ok) => Check::Ok,
        Some(SummaryStatus::Impaired) => Check::Impaired,
        Some(SummaryStatus::Initializing) => Check::Initializing,
        Some(SummaryStatus::NotApplicable) => Check::NotApplicable,
        _ => Check::InsufficientData,
    }
}

fn event(raw: InstanceStatusEvent) -> ScheduledEvent {
    ScheduledEvent {
        code: word(raw.code).unwrap_or_default(),
        description: required(raw.description),
        not_before: moment(raw.not_before),
    }
}

/// How the list is read out of the answer itself.
pub(super) const SHAPE: Shape<InstanceStatus> =
    Shape { list: Extent::Element { name: "instanceStatusSet", token: "nextToken" }, parse: Some(answer) };

fn answer(body: &str) -> Result<Read<InstanceStatus>, Unreadable> {
    let (mut all, mut next, mut ends) = (Vec::new(), None, Vec::new());
    let mut walk = Walk::new(body);
    walk.enter("DescribeInstanceStatusResponse")?;
    walk.each(|walk, name| {
        match name {
            "instanceStatusSet" => walk.items(|walk| {
                all.push(written_status(walk)?);
                ends.push(End { at: walk.position(), rows: all.len() });
                Ok(())
            })?,
            "nextToken" => next = Some(walk.text()?.into_owned()),
            _ => walk.skip()?,
        }
        Ok(())
    })?;
    Ok(Read { page: (all, next), ends })
}

fn written_status(walk: &mut Walk<'_>) -> Result<InstanceStatus, Unreadable> {
    let mut one = status(SdkStatus::builder().build());
    walk.each(|walk, name| {
        match name {
            "instanceId" => one.id = InstanceId::new(walk.text()?),
            "systemStatus" => one.system = written_check(walk)?,
            "instanceStatus" => one.instance = written_check(walk)?,
            "attachedEbsStatus" => one.ebs = Some(written_check(walk)?),
            "eventsSet" => walk.items(|walk| {
                one.events.push(written_event(walk)?);
                Ok(())
            })?,
            _ => walk.skip()?,
        }
        Ok(())
    })?;
    Ok(one)
}

fn written_check(walk: &mut Walk<'_>) -> Result<Check, Unreadable> {
    Ok(check(Some(SummaryStatus::from(&*walk.text_of("status")?))))
}

fn written_event(walk: &mut Walk<'_>) -> Result<ScheduledEvent, Unreadable> {
    let mut one = event(InstanceStatusEvent::builder().build());
    walk.each(|walk, name| {
        match name {
            "code" => one.code = Text::from(walk.text()?),
            "description" => one.description = Text::from(walk.text()?),
            "notBefore" => one.not_before = written_moment(Some(&walk.text()?)),
            _ => walk.skip()?,
        }
        Ok(())
    })?;
    Ok(one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types as sdk;
    use aws_smithy_types::DateTime;

    #[test]
    fn checks_and_all_events_are_carried_over() {
        let ok = || sdk::InstanceStatusSummary::builder().status(SummaryStatus::Ok).build();
        let retire = InstanceStatusEvent::builder()
            .code(sdk::EventCode::InstanceRetirement)
            .description("[Completed] hardware")
            .not_before(DateTime::from_secs(1_800_000_000))
            .build();
        let novel = InstanceStatusEvent::builder().code(sdk::EventCode::from("instance-teleport")).build();
        let raw = SdkStatus::builder()
            .instance_id("i-1")
            .system_status(ok())
            .instance_status(sdk::InstanceStatusSummary::builder().status(SummaryStatus::Impaired).build())
            .attached_ebs_status(sdk::EbsStatusSummary::builder().status(SummaryStatus::Ok).build())
            .events(retire)
            .events(novel)
            .build();
        let got = status(raw);
        assert_eq!((got.system, got.instance, got.ebs), (Check::Ok, Check::Impaired, Some(Check::Ok)));
        assert_eq!(got.events.len(), 2);
        assert_eq!(got.events[0].code, "instance-retirement");
        assert!(!got.events[0].is_open());
        assert_eq!(got.events[0].not_before.map(|at| at.as_second()), Some(1_800_000_000));
        assert_eq!(got.events[1].code, "instance-teleport");
    }

    #[test]
    fn an_empty_status_is_neither_well_nor_ill() {
        let got = status(SdkStatus::builder().build());
        assert_eq!(
            (got.system, got.instance, got.ebs),
            (Check::InsufficientData, Check::InsufficientData, None)
        );
        assert!(got.events.is_empty());
        assert_eq!(check(Some(SummaryStatus::from("dreaming"))), Check::InsufficientData);
    }
}
