//! What is read past the SDK against what the SDK reads.

use super::{instances, status};
use crate::aws::fake::{Fake, Say};
use crate::aws::lean::Page;
use crate::model::{Instance, InstanceStatus, TroubleKind};
use std::sync::Arc;

/// Everything that is kept of an instance, with what has to be passed over around it.
const INSTANCE: &str = "<item><instanceId>i-1</instanceId><imageId>ami-1</imageId>\
    <instanceState><code>80</code><name>stopped</name></instanceState>\
    <privateDnsName>ip-10-0-0-7.eu-west-1.compute.internal</privateDnsName><dnsName/>\
    <stateReason><code>Client.UserInitiatedShutdown</code><message>said &quot;so&quot;</message></stateReason>\
    <keyName>ops</keyName><instanceType>z9.future</instanceType><launchTime>2026-11-21T19:31:42.017Z</launchTime>\
    <placement><groupName/><tenancy>default</tenancy><availabilityZone>eu-west-1b</availabilityZone></placement>\
    <monitoring><state>enabled</state></monitoring><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId>\
    <privateIpAddress>10.0.0.7</privateIpAddress><ipAddress>52.1.1.1</ipAddress>\
    <groupSet><item><groupId>sg-2</groupId><groupName>b</groupName></item>\
    <item><groupId>sg-1</groupId><groupName>a</groupName></item></groupSet>\
    <architecture>arm64</architecture><rootDeviceName>/dev/xvda</rootDeviceName>\
    <blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-1</volumeId>\
    <status>attached</status></ebs></item></blockDeviceMapping>\
    <instanceLifecycle>spot</instanceLifecycle><spotInstanceRequestId>sir-1</spotInstanceRequestId>\
    <tagSet><item><key>Name</key><value>a &lt;b&gt; &amp; &#233;</value></item>\
    <item><key>team</key><value>  kept as it is  </value></item><item><key>empty</key><value/></item></tagSet>\
    <networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><groupSet><item>\
    <groupId>sg-9</groupId></item></groupSet><privateIpAddress>10.9.9.9</privateIpAddress>\
    <tagSet><item><key>Name</key><value>not the instance's</value></item></tagSet></item></networkInterfaceSet>\
    <iamInstanceProfile><arn>arn:aws:iam::1:instance-profile/x</arn><id>A</id></iamInstanceProfile>\
    <platformDetails>Linux/UNIX</platformDetails><fromTheFuture><instanceId>i-no</instanceId></fromTheFuture></item>";

fn reservations(rows: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n\
         <requestId>r</requestId><reservationSet><item><groupSet/><instancesSet>{rows}<item/></instancesSet>\
         <ownerId>111122223333</ownerId><reservationId>r-1</reservationId></item><item>\
         <reservationId>r-2</reservationId><ownerId>1</ownerId><instancesSet><item><instanceId>i-2</instanceId>\
         <instanceState><name>running</name></instanceState></item></instancesSet></item></reservationSet>\
         <nextToken>two</nextToken></DescribeInstancesResponse>"
    )
}

fn statuses() -> String {
    "<DescribeInstanceStatusResponse><instanceStatusSet><item><instanceId>i-1</instanceId>\
     <availabilityZone>z</availabilityZone><instanceState><name>running</name></instanceState>\
     <systemStatus><status>ok</status><details><item><name>reachability</name><status>impaired</status></item>\
     </details></systemStatus><instanceStatus><status>impaired</status></instanceStatus>\
     <attachedEbsStatus><status>not-applicable</status></attachedEbsStatus>\
     <eventsSet><item><code>instance-retirement</code><description>[Completed] a &amp; b</description>\
     <notBefore>2026-11-21T19:31:42.000Z</notBefore></item><item><code>instance-teleport</code></item></eventsSet>\
     </item><item><instanceId>i-2</instanceId></item></instanceStatusSet><nextToken/></DescribeInstanceStatusResponse>"
        .to_owned()
}

async fn by_the_sdk(body: &str) -> (Page<Arc<Instance>>, Vec<InstanceStatus>) {
    let body = body.to_owned();
    let fake = Fake::new(move |request, _| {
        let is_status = request.contains("DescribeInstanceStatus");
        Say::Whole(200, "text/xml", if is_status { statuses() } else { body.clone() })
    })
    .await;
    let desk = fake.desk().await;
    let page = desk.ec2().describe_instances().send().await.unwrap();
    let rows = page.reservations.unwrap_or_default().into_iter().flat_map(instances::of_reservation);
    let answer = desk.ec2().describe_instance_status().send().await.unwrap();
    let checks = answer.instance_statuses.unwrap_or_default().into_iter().map(status::status);
    ((rows.collect(), page.next_token), checks.collect())
}

#[tokio::test]
async fn what_is_read_past_the_sdk_is_what_the_sdk_reads() {
    let body = reservations(INSTANCE);
    let ((rows, next), checks) = by_the_sdk(&body).await;
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].tags.get("Name"), Some("a <b> & é"));
    let lean = instances::SHAPE.parse.unwrap()(&body).unwrap();
    assert_eq!(lean.page, (rows, next));
    let lean = status::SHAPE.parse.unwrap()(&statuses()).unwrap();
    assert_eq!(lean.page.0, checks);
}

#[tokio::test]
async fn a_page_that_is_the_same_is_not_read_again_and_its_rows_are_shared() {
    let fake = Fake::new(|_, before| {
        let body = reservations(if before == 2 { "" } else { INSTANCE });
        let body = body.replace("<requestId>r<", &format!("<requestId>r{before}<"));
        let token = if before % 2 == 0 { "<nextToken/>" } else { "" };
        Say::Whole(200, "text/xml", body.replace("<nextToken>two</nextToken>", token))
    })
    .await;
    let desk = fake.desk().await;
    let read = async || super::instances(&desk, None, &Default::default()).await.unwrap();
    let (first, second, third, fourth) = (read().await, read().await, read().await, read().await);
    assert!(Arc::ptr_eq(&first[0], &second[0]), "nothing has changed");
    assert_eq!((first.len(), third.len(), fourth.len()), (3, 2, 3));
    assert!(!Arc::ptr_eq(&first[0], &fourth[0]), "only the time before is remembered");
    assert_eq!(first[0], fourth[0]);
}

#[tokio::test]
async fn of_a_long_page_that_has_changed_what_comes_before_the_change_is_shared() {
    let one = |id: usize| {
        let rows = INSTANCE.replace("<instanceId>i-1<", &format!("<instanceId>i-{id}<"));
        format!("<item><reservationId>r-{id}</reservationId><instancesSet>{rows}</instancesSet></item>")
    };
    let all: String = (0..100).map(one).collect();
    let fake = Fake::new(move |_, before| {
        let all =
            if before == 2 { all.replace("<instanceId>i-70<", "<instanceId>i-071<") } else { all.clone() };
        let body = format!(
            "<DescribeInstancesResponse><requestId>{before}</requestId><reservationSet>{all}</reservationSet>\
             </DescribeInstancesResponse>"
        );
        Say::Whole(200, "text/xml", body)
    })
    .await;
    let desk = fake.desk().await;
    let read = async || super::instances(&desk, None, &Default::default()).await.unwrap();
    let (first, second, third) = (read().await, read().await, read().await);
    let shared = |a: &[Arc<Instance>], b: &[Arc<Instance>]| {
        a.iter().zip(b).map(|(a, b)| Arc::ptr_eq(a, b)).filter(|is| *is).count()
    };
    assert_eq!((first.len(), shared(&first, &second)), (100, 100));
    assert_eq!((third.len(), third[70].id.as_str(), third[71].id.as_str()), (100, "i-071", "i-71"));
    assert!((20..70).contains(&shared(&first, &third)), "{}", shared(&first, &third));
    let others =
        |rows: &[Arc<Instance>]| rows.iter().filter(|row| row.id.as_str() != third[70].id.as_str()).count();
    assert_eq!(others(&third), 99, "no row comes twice");
}

#[tokio::test]
async fn what_an_earlier_run_kept_is_handed_out_again_where_it_is_still_the_same() {
    let fake = Fake::new(|_, _| {
        let body = reservations(INSTANCE).replace("<nextToken>two</nextToken>", "");
        Say::Whole(200, "text/xml", body)
    })
    .await;
    let read = async |kept| super::instances(&fake.desk().await, kept, &Default::default()).await.unwrap();
    let mut kept: Vec<_> =
        read(None).await.iter().map(|row| Arc::new(crate::model::Instance::clone(row))).collect();
    Arc::make_mut(&mut kept[1]).private_ip = Some("10.9.9.9".into());
    let now = read(Some(kept.clone())).await;
    let is_handed_out: Vec<bool> = now.iter().zip(&kept).map(|(now, kept)| Arc::ptr_eq(now, kept)).collect();
    assert_eq!(is_handed_out, [true, false, true]);
    assert!(Arc::ptr_eq(&now[1].make, &kept[1].make), "what has changed still shares its make");
}

#[tokio::test]
async fn what_cannot_be_read_is_read_by_the_sdk_which_says_what_is_wrong() {
    let whole = reservations(INSTANCE);
    let cut = whole.find("<keyName>").unwrap();
    for (status, body) in [
        (200, "<html>".to_owned()),
        (200, whole[..cut].to_owned()),
        (200, whole.replace("</DescribeInstancesResponse>", "")),
        (200, "<Other/>".to_owned()),
        (503, whole.clone()),
    ] {
        let said = body.clone();
        let fake = Fake::new(move |_, _| Say::Whole(status, "text/xml", body.clone())).await;
        let error = super::instances(&fake.desk().await, None, &Default::default()).await.unwrap_err();
        assert_eq!(error.trouble.kind, TroubleKind::Garbled, "{status} {said}");
    }
    let denied = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error>\
                  </Errors></Response>";
    let fake = Fake::new(move |_, _| Say::Whole(403, "text/xml", denied.to_owned())).await;
    let error = super::instances(&fake.desk().await, None, &Default::default()).await.unwrap_err();
    assert_eq!(error.trouble.kind, TroubleKind::Denied);
}
