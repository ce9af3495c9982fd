//! The two longest lists, read past the SDK: its reader makes a value of everything that an answer holds, and
//! of the machine's time takes ten times what the rows that are kept are worth (docs/builds.md).
//!
//! A request asks for it by an interceptor, which puts another reader of the answer in the place of the SDK's
//! own. A page whose list is the same, byte for byte, as a page of the time before is not read at all: its
//! rows are handed out again, and the memory they lie in is shared. What this reader cannot read the SDK
//! reads, errors among it, so that nothing is lost by it but time.

use crate::aws::xml::Unreadable;
use crate::model::InstanceStatus;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextMut, Output, OutputOrError,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin;
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
use aws_smithy_types::config_bag::{ConfigBag, FrozenLayer};
use memchr::memmem;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a page brings: its rows, and the token of the next one.
pub(super) type Page<T> = (Vec<T>, Option<String>);

/// A list that is read so.
#[derive(Debug)]
pub(super) struct Shape<T> {
    /// The element that holds the rows, `reservationSet`.
    pub(super) list: &'static str,
    /// Reads a whole answer.
    pub(super) parse: fn(&str) -> Result<Page<T>, Unreadable>,
}

impl<T> Clone for Shape<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shape<T> {}

/// The pages of the list as it is read now and as it was read before, by what their bytes come to.
#[derive(Debug)]
pub(in crate::aws) struct Seen<T: Lasting>(Mutex<Generations<T>>);

#[derive(Debug)]
struct Generations<T: Lasting> {
    now: HashMap<[u8; 32], Arc<[T]>>,
    before: HashMap<[u8; 32], Arc<[T]>>,
    kin: T::Kin,
}

/// A row that may share its memory with rows that were read before it.
pub(in crate::aws) trait Lasting: Clone + fmt::Debug + Send + Sync + 'static {
    /// What is known of those.
    type Kin: Default + fmt::Debug + Send;

    /// Takes what it can from them.
    fn join(&mut self, kin: &mut Self::Kin);

    /// The list has been read: forgets what no row needs any more.
    fn leave(kin: &mut Self::Kin);
}

impl Lasting for InstanceStatus {
    type Kin = ();
    fn join(&mut self, (): &mut ()) {}
    fn leave((): &mut ()) {}
}

impl<T: Lasting> Default for Seen<T> {
    fn default() -> Self {
        Self(Mutex::new(Generations { now: HashMap::new(), before: HashMap::new(), kin: T::Kin::default() }))
    }
}

impl<T: Lasting> Seen<T> {
    /// The list is about to be read from its beginning: what the reading before this one did not meet is
    /// forgotten.
    pub(super) fn begin(&self) {
        let mut all = self.all();
        all.before = std::mem::take(&mut all.now);
    }

    /// The list has been read: what it did not bring again is gone.
    pub(super) fn end(&self) {
        let mut all = self.all();
        all.before.clear();
        T::leave(&mut all.kin);
    }

    /// Does something with what is known of rows that were read before.
    pub(super) fn with_kin<R>(&self, work: impl FnOnce(&mut T::Kin) -> R) -> R {
        work(&mut self.all().kin)
    }

    fn find(&self, key: &[u8; 32]) -> Option<Arc<[T]>> {
        let mut all = self.all();
        if let Some(rows) = all.now.get(key) {
            return Some(Arc::clone(rows));
        }
        let rows = all.before.remove(key)?;
        all.now.insert(*key, Arc::clone(&rows));
        Some(rows)
    }

    fn keep(&self, key: [u8; 32], rows: &mut [T]) {
        let mut all = self.all();
        rows.iter_mut().for_each(|row| row.join(&mut all.kin));
        all.now.insert(key, (&*rows).into());
    }

    fn all(&self) -> MutexGuard<'_, Generations<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request that is answered so: its interceptor, and where its page is found afterwards.
pub(super) struct Lean<T: Lasting> {
    reader: Arc<Reader<T>>,
}

impl<T: Lasting> Clone for Lean<T> {
    fn clone(&self) -> Self {
        Self { reader: Arc::clone(&self.reader) }
    }
}

impl<T: Lasting> fmt::Debug for Lean<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.reader)
    }
}

impl<T: Lasting> Lean<T> {
    /// For one request of `operation`, whose answer is then said to be `empty`.
    pub(super) fn new(
        operation: &impl RuntimePlugin,
        empty: fn() -> Output,
        shape: Shape<T>,
        seen: Arc<Seen<T>>,
    ) -> Self {
        let own = operation.config();
        Self { reader: Arc::new(Reader { own, empty, shape, seen, page: Mutex::new(None) }) }
    }

    /// The page that the answer held; none where the SDK has read it.
    pub(super) fn take(&self) -> Option<Page<T>> {
        self.reader.page.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T: Lasting> Intercept for Lean<T> {
    fn name(&self) -> &'static str {
        "coredeck lean"
    }

    fn modify_before_serialization(
        &self,
        _context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let reader = SharedReader(Arc::clone(&self.reader));
        cfg.interceptor_state().store_put(SharedResponseDeserializer::new(reader));
        Ok(())
    }
}

struct Reader<T: Lasting> {
    /// How the SDK itself would read the answer.
    own: Option<FrozenLayer>,
    empty: fn() -> Output,
    shape: Shape<T>,
    seen: Arc<Seen<T>>,
    page: Mutex<Option<Page<T>>>,
}

impl<T: Lasting> fmt::Debug for Reader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("list", &self.shape.list).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct SharedReader<T: Lasting>(Arc<Reader<T>>);

impl<T: Lasting> DeserializeResponse for SharedReader<T> {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        cfg: &ConfigBag,
    ) -> OutputOrError {
        let reader = &self.0;
        let body = response.body().bytes().filter(|_| response.status().as_u16() == 200);
        if let Some(page) = body.and_then(|body| reader.read(body)) {
            *reader.page.lock().unwrap_or_else(PoisonError::into_inner) = Some(page);
            return Ok((reader.empty)());
        }
        let own = reader.own.as_deref().and_then(|layer| layer.load::<SharedResponseDeserializer>());
        let Some(own) = own else {
            return Err(OrchestratorError::other("the SDK names no reader for this answer"));
        };
        let read = own.deserialize_nonstreaming_with_config(response, cfg)?;
        // The SDK takes an answer that was cut off for one that was short, half a row at its end included.
        if body.is_some_and(|body| !is_whole(body)) {
            return Err(OrchestratorError::response("the answer was cut off".into()));
        }
        Ok(read)
    }
}

impl<T: Lasting> Reader<T> {
    fn read(&self, body: &[u8]) -> Option<Page<T>> {
        let parse = || (self.shape.parse)(std::str::from_utf8(body).ok()?).ok();
        let Some((list, rest)) = apart(body, self.shape.list) else { return parse() };
        let key: [u8; 32] = Sha256::digest(list).into();
        if let Some(rows) = self.seen.find(&key)
            && let Some(next) = token(rest)
        {
            return Some((rows.to_vec(), next));
        }
        let mut page = parse()?;
        self.seen.keep(key, &mut page.0);
        Some(page)
    }
}

/// The bytes of the list, and what follows it. Around it stand the request's id and the token of the next
/// page, which differ each time.
fn apart<'a>(body: &'a [u8], list: &str) -> Option<(&'a [u8], &'a [u8])> {
    let from = memmem::find(body, format!("<{list}>").as_bytes())?;
    let end = format!("</{list}>");
    let to = memmem::rfind(body, end.as_bytes())? + end.len();
    Some((body.get(from..to)?, body.get(to..)?))
}

/// The token in what follows a list; none where it cannot be told, or where the answer ends too early.
fn token(rest: &[u8]) -> Option<Option<String>> {
    const NAME: &[u8] = b"<nextToken>";
    if !is_whole(rest) {
        return None;
    }
    let Some(at) = memmem::find(rest, NAME) else { return Some(None) };
    let rest = rest.get(at + NAME.len()..)?;
    let text = std::str::from_utf8(rest.get(..memchr::memchr(b'<', rest)?)?).ok()?;
    (!text.contains('&')).then(|| Some(text.to_owned()))
}

/// Tells whether an answer ends as it should.
fn is_whole(body: &[u8]) -> bool {
    body.trim_ascii_end().ends_with(b"Response>")
}

#[cfg(test)]
mod tests {
    use super::super::{instances, status};
    use super::*;
    use crate::aws::fake::{Fake, Say};
    use crate::model::{Instance, InstanceStatus, TroubleKind};

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
        let (lean, token) = (instances::SHAPE.parse)(&body).unwrap();
        assert_eq!((lean, token), (rows, next));
        let (lean, _) = (status::SHAPE.parse)(&statuses()).unwrap();
        assert_eq!(lean, checks);
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
        let read = async || super::super::instances(&desk, None, &Default::default()).await.unwrap();
        let (first, second, third, fourth) = (read().await, read().await, read().await, read().await);
        assert!(Arc::ptr_eq(&first[0], &second[0]), "nothing has changed");
        assert_eq!((first.len(), third.len(), fourth.len()), (3, 2, 3));
        assert!(!Arc::ptr_eq(&first[0], &fourth[0]), "only the time before is remembered");
        assert_eq!(first[0], fourth[0]);
    }

    #[tokio::test]
    async fn what_an_earlier_run_kept_is_handed_out_again_where_it_is_still_the_same() {
        let fake = Fake::new(|_, _| {
            let body = reservations(INSTANCE).replace("<nextToken>two</nextToken>", "");
            Say::Whole(200, "text/xml", body)
        })
        .await;
        let read = async |kept| {
            super::super::instances(&fake.desk().await, kept, &Default::default()).await.unwrap()
        };
        let mut kept: Vec<_> =
            read(None).await.iter().map(|row| Arc::new(crate::model::Instance::clone(row))).collect();
        Arc::make_mut(&mut kept[1]).private_ip = Some("10.9.9.9".into());
        let now = read(Some(kept.clone())).await;
        let is_handed_out: Vec<bool> =
            now.iter().zip(&kept).map(|(now, kept)| Arc::ptr_eq(now, kept)).collect();
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
            let error =
                super::super::instances(&fake.desk().await, None, &Default::default()).await.unwrap_err();
            assert_eq!(error.trouble.kind, TroubleKind::Garbled, "{status} {said}");
        }
        let denied = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error>\
                      </Errors></Response>";
        let fake = Fake::new(move |_, _| Say::Whole(403, "text/xml", denied.to_owned())).await;
        let error = super::super::instances(&fake.desk().await, None, &Default::default()).await.unwrap_err();
        assert_eq!(error.trouble.kind, TroubleKind::Denied);
    }

    #[test]
    fn a_list_that_ends_without_its_answer_has_no_known_token() {
        assert_eq!(
            token(b"<nextToken>a</nextToken></DescribeInstancesResponse>\n"),
            Some(Some("a".to_owned()))
        );
        assert_eq!(token(b"</DescribeInstancesResponse>"), Some(None));
        for unclear in ["", "<nextToken>a</next", "<nextToken>a&amp;</nextToken></DescribeInstancesResponse>"]
        {
            assert_eq!(token(unclear.as_bytes()), None, "{unclear}");
        }
    }
}
