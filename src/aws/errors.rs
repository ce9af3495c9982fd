//! What the SDK says went wrong, in our own words: the sort of trouble, one sentence, and what to type next.

use super::api::Api;
use super::login::Failure;
use crate::gateway::change::LAUNCH_DENIED;
use crate::model::text::harmless;
use crate::model::{AccountName, Region, Text, Trouble, TroubleKind};
use aws_smithy_runtime_api::client::dns::ResolveDnsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use jiff::Timestamp;
use std::error::Error as StdError;
use std::time::Duration;

/// How much of an answer that nobody understands is shown.
const SHOWN_BYTES: usize = 80;

/// Where and when a request failed.
#[derive(Clone, Debug)]
pub(super) struct Circumstances {
    /// When.
    pub(super) at: Timestamp,
    /// In which account.
    pub(super) account: AccountName,
    /// In which region.
    pub(super) region: Region,
    /// At which address, when it is not AWS's own.
    pub(super) endpoint: Option<String>,
    /// At which address the request was sent, where that is known.
    pub(super) address: Option<String>,
    /// What renews the account's credentials.
    pub(super) renewal: String,
}

impl Circumstances {
    fn place(&self) -> String {
        match self.address.as_ref().or(self.endpoint.as_ref()) {
            Some(address) => address.clone(),
            None => format!("AWS in {}", self.region),
        }
    }

    fn blank(&self, api: Api, kind: TroubleKind, message: String) -> Trouble {
        Trouble {
            kind,
            call: Text::const_new(api.action()),
            code: None,
            message,
            hint: None,
            request_id: None,
            at: self.at,
        }
    }
}

/// Trouble for a request that had no answer in time.
pub(super) fn timeout(api: Api, waited: Duration, around: &Circumstances) -> Trouble {
    let message = format!("no answer from {} within {} s", around.place(), waited.as_secs().max(1));
    around.blank(api, TroubleKind::Timeout, message)
}

/// What a failure leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Nothing reached AWS.
    NotSent,
    /// AWS said no, and means that nothing happened.
    No,
    /// A request left, and no answer came that says what became of it.
    MayHaveActed,
}

/// Says what the failure of one attempt leaves open; in doubt, doubt.
pub(super) fn doubt<E>(error: &SdkError<E, HttpResponse>) -> Doubt
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    if failure_beneath(error).is_some() {
        return Doubt::NotSent;
    }
    match error {
        SdkError::ConstructionFailure(_) => Doubt::NotSent,
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            // The only time-out that a connection has is that of its making.
            Some(connector) if connector.is_timeout() || never_connected(connector) => Doubt::NotSent,
            _ => Doubt::MayHaveActed,
        },
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            match service.err().code() {
                Some(code) if status < 500 || is_plain_no(code, status) => Doubt::No,
                _ => Doubt::MayHaveActed,
            }
        }
        _ => Doubt::MayHaveActed,
    }
}

/// Codes that come with the status of a broken service, and all the same say that nothing was done.
fn is_plain_no(code: &str, status: u16) -> bool {
    kind_of(code, status) == TroubleKind::Throttled
        || matches!(code, "ResourceContention" | "InsufficientInstanceCapacity" | "DryRunOperation")
}

/// Tells whether the connection never came about: nothing listens, or there is no such host.
fn never_connected(error: &ConnectorError) -> bool {
    let mut at: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = at {
        if let Some(io) = current.downcast_ref::<std::io::Error>() {
            use std::io::ErrorKind::{
                AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable,
            };
            let never = [AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable];
            if never.contains(&io.kind()) {
                return true;
            }
        }
        if current.downcast_ref::<ResolveDnsError>().is_some() {
            return true;
        }
        at = current.source();
    }
    false
}

/// Trouble for a request that failed in any way the SDK knows.
pub(super) fn trouble<E>(api: Api, error: &SdkError<E, HttpResponse>, around: &Circumstances) -> Trouble
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    if let Some(failure) = failure_beneath(error) {
        return failure.trouble(api, around.at);
    }
    let mut trouble = match error {
        SdkError::TimeoutError(_) => {
            around.blank(api, TroubleKind::Timeout, format!("no answer from {} in time", around.place()))
        }
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(connector) => unreachable(api, connector, around),
            None => around.blank(api, TroubleKind::Other, deepest(error)),
        },
        SdkError::ResponseError(answer) if answer.raw().body().bytes().is_none() => {
            let status = answer.raw().status().as_u16();
            let said = format!("HTTP {status} with an answer that was cut off: {}", deepest(error));
            around.blank(api, TroubleKind::Garbled, said)
        }
        SdkError::ResponseError(answer) => garbled(api, answer.raw(), around),
        SdkError::ServiceError(service) => match (service.err().code(), service.raw()) {
            (Some(code), raw) => told(api, code, service.err().message(), raw.status().as_u16(), around),
            (None, raw) => garbled(api, raw, around),
        },
        _ => around.blank(api, TroubleKind::Other, deepest(error)),
    };
    trouble.request_id = error.request_id().map(Text::from);
    trouble
}

fn failure_beneath<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Failure> {
    let mut at = Some(error);
    while let Some(current) = at {
        if let Some(failure) = current.downcast_ref::<Failure>() {
            return Some(failure);
        }
        at = current.source();
    }
    None
}

/// Every message from the outermost error to the innermost, each said once.
pub(super) fn all_causes(error: &(dyn StdError + 'static)) -> String {
    let mut said = vec![error.to_string()];
    let mut at = error.source();
    while let Some(current) = at {
        let text = current.to_string();
        if !said.iter().any(|before| before.contains(&text)) {
            said.push(text);
        }
        at = current.source();
    }
    harmless(&said.join(": ")).into_owned()
}

/// The innermost message, which says most and repeats nothing.
fn deepest(error: &(dyn StdError + 'static)) -> String {
    let mut said = error.to_string();
    let mut at = error.source();
    while let Some(current) = at {
        said = current.to_string();
        at = current.source();
    }
    said
}

fn unreachable(api: Api, error: &ConnectorError, around: &Circumstances) -> Trouble {
    let place = around.place();
    let why = deepest(error);
    let message = if error.is_timeout() {
        format!("no connection to {place} within 3 s")
    } else {
        format!("cannot reach {place}: {why}")
    };
    let mut trouble = around.blank(api, TroubleKind::Unreachable, message);
    trouble.hint = Some(match around.endpoint {
        Some(_) => format!("check that something listens at {place}"),
        None => format!("check the network, the proxy settings and that the region {} exists", around.region),
    });
    trouble
}

/// An answer that is not AWS's: HTML from something in between, a body that was cut, plain garbage.
fn garbled(api: Api, raw: &HttpResponse, around: &Circumstances) -> Trouble {
    let status = raw.status().as_u16();
    let body = raw.body().bytes().unwrap_or_default();
    if let Some((code, message)) = code_in_xml(body) {
        return told(api, &code, Some(&message), status, around);
    }
    if body.is_empty() && status >= 500 {
        return around.blank(
            api,
            TroubleKind::Server,
            format!("HTTP {status} without a word from {}", around.place()),
        );
    }
    let kind = if matches!(status, 401 | 403) { TroubleKind::Denied } else { TroubleKind::Garbled };
    let mut trouble = around.blank(
        api,
        kind,
        format!("HTTP {status} with an answer that is not AWS's: {}", beginning(body)),
    );
    trouble.hint = Some(format!("look at what answers at {}", around.place()));
    trouble
}

/// The first bytes of a body, on one line, with nothing in them that drives a terminal.
fn beginning(body: &[u8]) -> String {
    let cut = body.get(..SHOWN_BYTES).unwrap_or(body);
    let text = String::from_utf8_lossy(cut);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let more = if body.len() > SHOWN_BYTES { "…" } else { "" };
    if line.is_empty() { "nothing".to_owned() } else { format!("{}{more}", harmless(&line)) }
}

/// Some gateways answer every protocol with the XML of the oldest one.
fn code_in_xml(body: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(body).ok()?;
    let between = |open: &str, close: &str| {
        let (_, rest) = text.split_once(open)?;
        rest.split_once(close).map(|(inner, _)| inner.to_owned())
    };
    Some((between("<Code>", "</Code>")?, between("<Message>", "</Message>").unwrap_or_default()))
}

/// An error that AWS told in its own form.
fn told(api: Api, code: &str, message: Option<&str>, status: u16, around: &Circumstances) -> Trouble {
    let kind = kind_of(code, status);
    let said = message.map(str::trim).filter(|said| !said.is_empty()).unwrap_or(code);
    let mut trouble = around.blank(api, kind, said.to_owned());
    trouble.code = Some(Text::from(code));
    match kind {
        TroubleKind::Denied => deny(&mut trouble, api, said),
        TroubleKind::Expired => {
            trouble.message = format!("the credentials of account {} have expired", around.account);
            trouble.hint = Some(match code {
                // The one code that also means that the request was signed too long ago.
                "RequestExpired" => {
                    format!("{}; or set this machine's clock right: it says {}", around.renewal, around.at)
                }
                _ => around.renewal.clone(),
            });
        }
        TroubleKind::NoCredentials => {
            trouble.message =
                format!("AWS does not accept the credentials of account {}: {said}", around.account);
            trouble.hint = Some(around.renewal.clone());
        }
        TroubleKind::Throttled => {
            trouble.message = format!("AWS throttles {}: {said}", api.action());
            trouble.hint = Some("others use the same limit; coredeck asks again later by itself".to_owned());
        }
        _ if is_skew(code) && trouble.message.contains("valid region") => {
            trouble.kind = TroubleKind::NotFound;
            trouble.hint = Some(
                "AWS knows no such region: `coredeck config show` says where its name comes from, \
                 `aws ec2 describe-regions` lists those that exist"
                    .to_owned(),
            );
        }
        _ if api == Api::RunInstances && launch_hint(code).is_some() => {
            trouble.hint = launch_hint(code).map(str::to_owned);
        }
        _ if is_skew(code) => {
            trouble.hint = Some(format!(
                "this machine's clock says {}; set it right (`timedatectl status`) and check the secret key",
                around.at
            ));
        }
        _ => {}
    }
    trouble
}

/// What to do about a launch that EC2 refuses.
fn launch_hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "InsufficientInstanceCapacity" => {
            "AWS has none of this type in that zone now: name a subnet of another zone, or try again later"
        }
        "VcpuLimitExceeded" | "InstanceLimitExceeded" | "MaxSpotInstanceCountExceeded" => {
            "the account's quota is used up: end what nobody needs, or ask for more under `aws service-quotas \
             list-service-quotas --service-code ec2`"
        }
        "InvalidAMIID.NotFound" | "InvalidAMIID.Unavailable" | "InvalidAMIID.Malformed" => {
            "the template's image cannot be launched any more: give it a version with another image, and name that"
        }
        "InvalidParameterCombination" => {
            "where the template brings its own network interfaces or type, name no subnet and no type beside it"
        }
        "InsufficientFreeAddressesInSubnet" => "the subnet has no address left: name another one",
        _ => return None,
    })
}

/// `User: ARN is not authorized to perform: ACTION on resource: … because REASON`
fn deny(trouble: &mut Trouble, api: Api, said: &str) {
    // Auto Scaling's words for three permissions of the caller, none of which is the call's own.
    if said.to_ascii_lowercase().contains("not authorized to use launch template") {
        trouble.message = format!("{LAUNCH_DENIED} to who called {}", api.action());
        trouble.hint = Some(
            "allow ec2:RunInstances on what the template names, ec2:CreateTags where it tags what it launches, and \
             iam:PassRole for its instance profile's role: one of them is missing"
                .to_owned(),
        );
        return;
    }
    let word_after = |mark: &str| {
        let (_, rest) = said.split_once(mark)?;
        rest.split_whitespace().next().map(|word| word.trim_end_matches([',', '.', ';']))
    };
    let action = word_after("to perform: ").filter(|action| action.contains(':')).unwrap_or(api.action());
    let who = word_after("User: ").filter(|who| who.starts_with("arn:"));
    let why = said.split_once(" because ").map(|(_, why)| why.trim());
    let mut message = format!("{action} is denied");
    if let Some(who) = who {
        message.push_str(" to ");
        message.push_str(who);
    }
    if let Some(why) = why {
        message.push_str(": ");
        message.push_str(why);
    }
    trouble.message = message;
    trouble.hint = Some(match who {
        Some(who) => format!("allow {action} in a policy of {who}"),
        None => format!("allow {action} in the policy of the role or user that coredeck works as"),
    });
}

/// The one table of AWS error codes.
fn kind_of(code: &str, status: u16) -> TroubleKind {
    let code = code.strip_prefix("Client.").or_else(|| code.strip_prefix("Server.")).unwrap_or(code);
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
            TroubleKind::Expired
        }
        "UnauthorizedOperation"
        | "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedException"
        | "NotAuthorized"
        | "AuthorizationError"
        | "OptInRequired" => TroubleKind::Denied,
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "AuthFailure"
        | "InvalidAccessKeyId"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => TroubleKind::NoCredentials,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "ProvisionedThroughputExceededException"
        | "TransactionInProgressException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "LimitExceededException"
        | "RequestThrottled"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "EC2ThrottledException" => TroubleKind::Throttled,
        "RequestTimeout" | "RequestTimeoutException" => TroubleKind::Timeout,
        // By its status it would be a fault of AWS's that soon passes.
        "InsufficientInstanceCapacity" => TroubleKind::Refused,
        _ if is_missing(code) => TroubleKind::NotFound,
        _ if status >= 500 => TroubleKind::Server,
        "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "Unavailable" => TroubleKind::Server,
        _ => TroubleKind::Refused,
    }
}

fn is_missing(code: &str) -> bool {
    let code = code.strip_suffix("Exception").unwrap_or(code);
    code.ends_with("NotFound") || code.ends_with("DoesNotExist") || code == "ResourceNotFoundFault"
}

fn is_skew(code: &str) -> bool {
    matches!(
        code,
        "SignatureDoesNotMatch" | "RequestTimeTooSkewed" | "InvalidSignatureException" | "RequestInTheFuture"
    )
}

#[cfg(test)]
mod tests {
    use super::super::api::Api;
    use super::super::call::Desk;
    use super::super::fake::{Fake, Say};
    use crate::model::{Trouble, TroubleKind};

    const HTML: &str =
        "<!doctype html>\n<title>500 Internal Server Error</title>\u{1b}[2J and more than eighty bytes of it";

    async fn query(desk: &Desk) -> Trouble {
        let asked = desk.call(Api::DescribeRegions, || desk.ec2().describe_regions().send()).await;
        asked.map(|answer| panic!("{answer:?}")).unwrap_err()
    }

    async fn json(desk: &Desk) -> Trouble {
        let asked = desk.call(Api::ListClusters, || desk.ecs().list_clusters().send()).await;
        asked.map(|answer| panic!("{answer:?}")).unwrap_err()
    }

    async fn cbor(desk: &Desk) -> Trouble {
        let asked = desk.call(Api::DescribeAlarms, || desk.cloudwatch().describe_alarms().send()).await;
        asked.map(|answer| panic!("{answer:?}")).unwrap_err()
    }

    /// The trouble that all three protocols make of one answer.
    async fn all(answer: impl Fn() -> Say + Send + Sync + 'static) -> [Trouble; 3] {
        let fake = Fake::new(move |_, _| answer()).await;
        let desk = fake.desk().await;
        [query(&desk).await, json(&desk).await, cbor(&desk).await]
    }

    fn ec2_error(code: &str, message: &str) -> String {
        format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
             <RequestID>r-1</RequestID></Response>"
        )
    }

    async fn told_by_ec2(status: u16, code: &'static str, message: &'static str) -> Trouble {
        let fake = Fake::new(move |_, _| Say::Whole(status, "text/xml", ec2_error(code, message))).await;
        query(&fake.desk().await).await
    }

    #[tokio::test]
    async fn a_page_of_html_is_garbled_and_shown_by_its_harmless_beginning() {
        for trouble in all(|| Say::Whole(500, "text/html", HTML.to_owned())).await {
            assert_eq!(trouble.kind, TroubleKind::Garbled, "{trouble:?}");
            assert!(
                trouble.message.starts_with("HTTP 500 with an answer that is not AWS's: <!doctype html>"),
                "{trouble:?}"
            );
            assert!(!trouble.message.contains('\u{1b}') && trouble.message.len() < 200, "{trouble:?}");
            assert!(trouble.hint.unwrap().contains("http://127.0.0.1:"));
        }
    }

    #[tokio::test]
    async fn garbage_in_a_good_answer_is_garbled() {
        for trouble in all(|| Say::Whole(200, "text/plain", "\u{0}\u{1}}{ garbage".to_owned())).await {
            assert_eq!(trouble.kind, TroubleKind::Garbled, "{trouble:?}");
            assert!(trouble.message.starts_with("HTTP 200 with an answer that is not AWS's"), "{trouble:?}");
        }
    }

    #[tokio::test]
    async fn a_body_that_is_cut_is_garbled() {
        for trouble in
            all(|| Say::Cut(200, "text/xml", "<DescribeRegionsResponse><regionInfo>".to_owned())).await
        {
            assert_eq!(trouble.kind, TroubleKind::Garbled, "{trouble:?}");
            assert!(trouble.message.starts_with("HTTP 200 with an answer that was cut off: "), "{trouble:?}");
        }
    }

    #[test]
    fn a_launch_template_that_may_not_be_used_lacks_one_of_three_permissions() {
        let mut trouble = Trouble {
            kind: TroubleKind::Denied,
            call: "autoscaling:StartInstanceRefresh".into(),
            code: Some("AccessDenied".into()),
            message: String::new(),
            hint: None,
            request_id: None,
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        let said = "You are not authorized to use launch template: lt-1";
        super::deny(&mut trouble, Api::StartInstanceRefresh, said);
        assert!(trouble.message.starts_with("launching from the template is denied"), "{}", trouble.message);
        let hint = trouble.hint.unwrap();
        assert!(["ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"].iter().all(|one| hint.contains(one)));
    }

    #[tokio::test]
    async fn denied_names_the_permission_and_who_lacks_it() {
        let said = "You are not authorized to perform this operation. User: arn:aws:iam::1:user/ada is not authorized \
                    to perform: ec2:DescribeRegions because no identity-based policy allows the ec2:DescribeRegions action";
        let trouble = told_by_ec2(403, "UnauthorizedOperation", said).await;
        assert_eq!(trouble.kind, TroubleKind::Denied);
        assert_eq!(
            trouble.message,
            "ec2:DescribeRegions is denied to arn:aws:iam::1:user/ada: \
             no identity-based policy allows the ec2:DescribeRegions action"
        );
        assert_eq!(trouble.hint.unwrap(), "allow ec2:DescribeRegions in a policy of arn:aws:iam::1:user/ada");
        assert_eq!(trouble.code.unwrap(), "UnauthorizedOperation");
        assert_eq!(trouble.request_id.unwrap(), "req-0");
    }

    #[tokio::test]
    async fn denied_in_plain_xml_is_understood_in_every_protocol() {
        let said = || {
            let xml = "<ErrorResponse><Errors><Error><Code>AccessDenied</Code><Message>User: arn:aws:sts::1:assumed-role/r/s \
                       is not authorized to perform: x:Y</Message></Error></Errors></ErrorResponse>";
            Say::Whole(403, "text/xml", xml.to_owned())
        };
        for trouble in all(said).await {
            assert_eq!(trouble.kind, TroubleKind::Denied, "{trouble:?}");
            assert_eq!(trouble.message, "x:Y is denied to arn:aws:sts::1:assumed-role/r/s");
        }
    }

    #[tokio::test]
    async fn codes_become_sorts_of_trouble() {
        for (status, code, kind) in [
            (503, "RequestLimitExceeded", TroubleKind::Throttled),
            (400, "Throttling", TroubleKind::Throttled),
            (400, "InvalidInstanceID.NotFound", TroubleKind::NotFound),
            (400, "InvalidParameterValue", TroubleKind::Refused),
            (500, "InternalError", TroubleKind::Server),
            (401, "AuthFailure", TroubleKind::NoCredentials),
            (400, "LimitExceeded", TroubleKind::Refused),
        ] {
            let trouble = told_by_ec2(status, code, "said").await;
            assert_eq!(trouble.kind, kind, "{code}");
            assert_eq!(trouble.code.unwrap(), code);
        }
    }

    #[tokio::test]
    async fn expired_says_what_to_type() {
        for code in ["ExpiredToken", "ExpiredTokenException", "RequestExpired"] {
            let trouble = told_by_ec2(400, code, "over").await;
            assert_eq!(trouble.kind, TroubleKind::Expired);
            let hint = trouble.hint.unwrap();
            assert!(hint.starts_with("aws sso login --profile test"), "{hint}");
            assert_eq!(hint.contains("clock"), code == "RequestExpired");
        }
    }

    #[tokio::test]
    async fn a_wrong_signature_points_at_the_clock() {
        let scope = "Credential should be scoped to a valid region, not 'us-est-1'.";
        let trouble = told_by_ec2(403, "SignatureDoesNotMatch", scope).await;
        assert_eq!(trouble.kind, TroubleKind::NotFound);
        assert!(trouble.hint.is_some_and(|hint| hint.contains("no such region")));
        let trouble = told_by_ec2(403, "SignatureDoesNotMatch", "Signature expired: …").await;
        assert!(trouble.hint.unwrap().starts_with("this machine's clock says "));
    }

    #[tokio::test]
    async fn an_endpoint_where_nothing_listens_is_named() {
        let fake = Fake::new(|_, _| Say::Nothing).await;
        let desk = fake.desk().await;
        let url = fake.url.clone();
        fake.close().await;
        let trouble = query(&desk).await;
        assert_eq!(trouble.kind, TroubleKind::Unreachable, "{trouble:?}");
        assert!(trouble.message.starts_with(&format!("cannot reach {url}: ")), "{trouble:?}");
    }

    #[tokio::test]
    async fn an_endpoint_that_hangs_is_a_timeout() {
        let fake = Fake::new(|_, _| Say::Nothing).await;
        let desk = fake.hasty_desk().await;
        for trouble in [query(&desk).await, json(&desk).await, cbor(&desk).await] {
            assert_eq!(trouble.kind, TroubleKind::Timeout, "{trouble:?}");
            assert!(trouble.message.starts_with("no answer from http://127.0.0.1:"), "{trouble:?}");
        }
    }
}
