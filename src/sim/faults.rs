//! Faults on demand: which calls they hit, how often, when, and what they do.

use super::dice::mix;
use super::fault::Fault;
use super::filter::glob;
use super::time::Moment;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a fault does to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mischief {
    /// Refused by the service's own throttling code.
    Throttle,
    /// The service's own internal error, status 500.
    Error,
    /// Status 503.
    Unavailable,
    /// A web page with status 500, as from something in between.
    Html,
    /// Credentials that have expired.
    Expired,
    /// No permission for the call; of `iam` and `PassRole`, and of what a launch does besides, for calls that need it.
    Denied,
    /// Another change is under way: Auto Scaling's ResourceContention, status 500.
    Contention,
    /// The account has as many as it may have.
    Limit,
    /// The caller's clock is wrong: refused, with a date that is off by the delay.
    Skew,
    /// Answered after the delay.
    Slow,
    /// Never answered.
    Hang,
    /// The connection is reset instead of an answer; nothing was done.
    Reset,
    /// It was done, and then the connection is reset.
    LostAnswer,
    /// The connection breaks in the middle of the answer.
    Cut,
    /// Half of the answer, as if it were the whole.
    Truncate,
    /// Status 200 and nonsense.
    Garbage,
    /// A page's token leads to the same page again.
    RepeatToken,
    /// A read is answered as it would have been the delay ago, in pretended time; writes are not touched.
    Stale,
}

impl Mischief {
    /// Every kind, with the word for it in scenarios.
    pub const ALL: [(&'static str, Self); 18] = [
        ("throttle", Self::Throttle),
        ("error", Self::Error),
        ("unavailable", Self::Unavailable),
        ("html", Self::Html),
        ("expired", Self::Expired),
        ("denied", Self::Denied),
        ("contention", Self::Contention),
        ("limit", Self::Limit),
        ("skew", Self::Skew),
        ("slow", Self::Slow),
        ("hang", Self::Hang),
        ("reset", Self::Reset),
        ("lost-answer", Self::LostAnswer),
        ("cut", Self::Cut),
        ("truncate", Self::Truncate),
        ("garbage", Self::Garbage),
        ("repeat-token", Self::RepeatToken),
        ("stale", Self::Stale),
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// A rule that makes trouble.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What it does.
    pub kind: Mischief,
    /// The service as signatures name it, with `*` and `?`.
    pub service: String,
    /// The operation, with `*` and `?`.
    pub call: String,
    /// The account's number, with `*` and `?`.
    pub account: String,
    /// The region, with `*` and `?`.
    pub region: String,
    /// What share of the calls it hits, 0 to 1.
    pub rate: f64,
    /// How many calls it hits at most.
    pub times: Option<u64>,
    /// From when on, after the start in pretended time.
    pub from: Duration,
    /// Until when.
    pub until: Option<Duration>,
    /// For what takes time: how long, in real time; for skew: how far off; for stale reads: how far behind,
    /// in pretended time.
    pub delay: Duration,
}

impl Rule {
    /// A rule that hits every call, always.
    pub fn always(kind: Mischief) -> Self {
        Self {
            kind,
            service: "*".to_owned(),
            call: "*".to_owned(),
            account: "*".to_owned(),
            region: "*".to_owned(),
            rate: 1.0,
            times: None,
            from: Duration::ZERO,
            until: None,
            delay: Duration::from_secs(5),
        }
    }
}

impl Rule {
    /// Tells whether it means a call, so long after the start.
    fn means(&self, target: Target, elapsed: Duration) -> bool {
        glob(&self.service, target.service)
            && glob(&self.call, target.call)
            && glob(&self.account, target.account)
            && glob(&self.region, target.region)
            && !(self.kind == Mischief::Stale && target.changes)
            && elapsed >= self.from
            && self.until.is_none_or(|until| elapsed < until)
    }
}

/// What nobody has a permission for, whether it is called or needed by another call.
#[derive(Debug, Default)]
pub(crate) struct Denials {
    start: Moment,
    rules: Vec<Rule>,
}

impl Denials {
    /// Those of some rules that always hold.
    pub(crate) fn of(rules: &[Rule], start: Moment) -> Self {
        let holds = |rule: &&Rule| rule.kind == Mischief::Denied && rule.rate >= 1.0 && rule.times.is_none();
        Self { start, rules: rules.iter().filter(holds).cloned().collect() }
    }

    /// Tells whether it is denied now.
    pub(crate) fn hold(&self, target: Target, now: Moment) -> bool {
        let elapsed = elapsed(self.start, now);
        self.rules.iter().any(|rule| rule.means(target, elapsed))
    }
}

fn elapsed(start: Moment, now: Moment) -> Duration {
    Duration::from_millis(u64::try_from(now.0 - start.0).unwrap_or(0))
}

/// The rules of a simulator, with what they have done.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    seed: u64,
    start: Moment,
    rules: Vec<(Rule, AtomicU64, AtomicU64)>,
}

/// What identifies a call to the rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) service: &'a str,
    pub(crate) call: &'a str,
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    /// It changes something.
    pub(crate) changes: bool,
}

impl Faults {
    /// Rules that count from `start`.
    pub(crate) fn new(seed: u64, start: Moment, rules: Vec<Rule>) -> Self {
        let rules = rules.into_iter().map(|rule| (rule, AtomicU64::new(0), AtomicU64::new(0))).collect();
        Self { seed, start, rules }
    }

    /// How far back reads may lag; none when none does.
    pub(crate) fn lag(rules: &[Rule]) -> Option<Duration> {
        rules.iter().filter(|rule| rule.kind == Mischief::Stale).map(|rule| rule.delay).max()
    }

    /// The first rule that hits this call, if one does.
    pub(crate) fn hit(&self, target: Target, now: Moment) -> Option<&Rule> {
        let elapsed = elapsed(self.start, now);
        for (at, (rule, seen, hits)) in (0_u64..).zip(&self.rules) {
            if !rule.means(target, elapsed) {
                continue;
            }
            let count = seen.fetch_add(1, Ordering::Relaxed);
            let chance = (mix(self.seed ^ mix(at ^ mix(count))) >> 11) as f64 / (1u64 << 53) as f64;
            if chance >= rule.rate {
                continue;
            }
            let within = |times| {
                let step = |done: u64| (done < times).then_some(done + 1);
                hits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).is_ok()
            };
            if rule.times.is_none_or(within) {
                return Some(rule);
            }
        }
        None
    }
}

/// What the service says when a rule refuses a call; none for what is no refusal.
pub(crate) fn refusal(kind: Mischief, target: Target, who: &str) -> Option<Fault> {
    let (service, call) = (target.service, target.call);
    let code = |ec2, json, query| match service {
        "ec2" => ec2,
        "ecs" | "ssm" | "logs" | "pricing" => json,
        _ => query,
    };
    let fault = |code: &'static str, status: u16, message: String| {
        Some(Fault::new(code, message).with_status(status))
    };
    match kind {
        Mischief::Throttle => {
            let status = if service == "ec2" { 503 } else { 400 };
            let message = if service == "ec2" { "Request limit exceeded." } else { "Rate exceeded" };
            fault(
                code("RequestLimitExceeded", "ThrottlingException", "Throttling"),
                status,
                message.to_owned(),
            )
        }
        Mischief::Error => {
            let json = if service == "ecs" { "ServerException" } else { "InternalServerError" };
            let message = "An internal error has occurred. Please try again later.";
            fault(code("InternalError", json, "InternalFailure"), 500, message.to_owned())
        }
        Mischief::Unavailable => {
            let message = "The service is unavailable. Please try again shortly.".to_owned();
            fault(code("Unavailable", "ServiceUnavailableException", "ServiceUnavailable"), 503, message)
        }
        Mischief::Expired => {
            let status =
                if matches!(service, "ecs" | "ssm" | "ec2" | "logs" | "pricing") { 400 } else { 403 };
            let message = "The security token included in the request is expired".to_owned();
            fault(code("RequestExpired", "ExpiredTokenException", "ExpiredToken"), status, message)
        }
        Mischief::Denied => {
            let status = if matches!(service, "ecs" | "ssm" | "logs" | "pricing") { 400 } else { 403 };
            let message = match service {
                "ec2" => format!(
                    "You are not authorized to perform this operation. User: {who} is not authorized to perform: ec2:{call} because no identity-based policy allows the ec2:{call} action"
                ),
                _ => {
                    let prefix = if service == "monitoring" { "cloudwatch" } else { service };
                    format!(
                        "User: {who} is not authorized to perform: {prefix}:{call} because no identity-based policy allows the {prefix}:{call} action"
                    )
                }
            };
            fault(code("UnauthorizedOperation", "AccessDeniedException", "AccessDenied"), status, message)
        }
        Mischief::Contention => fault(
            "ResourceContention",
            500,
            "You already have a pending update to an Amazon EC2 Auto Scaling resource (for example, an Auto Scaling group, instance, or load balancer).".to_owned(),
        ),
        Mischief::Limit => fault(
            code("ResourceLimitExceeded", "LimitExceededException", "LimitExceeded"),
            400,
            format!("You have already reached a limit for your {service} resources."),
        ),
        Mischief::Skew => {
            let message =
                "Signature expired: the time of the request and the time of the service differ too much."
                    .to_owned();
            fault(code("RequestExpired", "InvalidSignatureException", "SignatureDoesNotMatch"), 403, message)
        }
        _ => None,
    }
}
