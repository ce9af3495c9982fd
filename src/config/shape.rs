//! The shapes that values must have. Each check says in one sentence what is wrong.

use super::regions;
use crate::error::did_you_mean;

/// What is wrong with a value, and what was probably meant.
pub(super) type Wrong = (String, Option<String>);

/// A verdict on a value that may be right, right but odd, or wrong.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    Right,
    Odd(Wrong),
    Wrong(Wrong),
}

/// A region: wrong by shape, odd when it is none that we know, since new regions appear.
pub(super) fn region(raw: &str) -> Verdict {
    if regions::KNOWN.contains(&raw) {
        return Verdict::Right;
    }
    let meant =
        did_you_mean(raw, regions::KNOWN.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
    if let Some(region) = raw.strip_suffix(|c: char| c.is_ascii_lowercase())
        && is_region(region)
    {
        let hint = format!("write `{region}`");
        return Verdict::Wrong((format!("`{raw}` is an availability zone, not a region"), Some(hint)));
    }
    if !is_region(raw) {
        let hint = meant.or_else(|| Some("a region looks like `eu-west-1`".to_owned()));
        return Verdict::Wrong((format!("`{raw}` is not a region"), hint));
    }
    Verdict::Odd((format!("`{raw}` is not a region that this version knows"), meant))
}

/// Words of lower-case letters joined by `-`, then a number: `eu-west-1`, `us-gov-west-1`.
fn is_region(raw: &str) -> bool {
    let mut parts: Vec<&str> = raw.split('-').collect();
    let number = parts.pop().unwrap_or_default();
    let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    let are_words = (2..=4).contains(&parts.len())
        && parts.iter().all(|part| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_lowercase()));
    is_number && are_words
}

/// A name of ours: it stands in paths, tables and messages.
pub(super) fn name(raw: &str, what: &str) -> Option<Wrong> {
    let is_name = !raw.is_empty()
        && raw.len() <= 64
        && raw.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    (!is_name).then(|| {
        let hint = "use up to 64 letters, digits, `-`, `_` and `.`".to_owned();
        (format!("`{raw}` cannot be the name of {what}"), Some(hint))
    })
}

/// A role's ARN.
pub(super) fn role_arn(raw: &str) -> Option<Wrong> {
    let parts: Vec<&str> = raw.splitn(6, ':').collect();
    let is_arn = match parts.as_slice() {
        ["arn", partition, "iam", "", account, resource] => {
            is_partition(partition)
                && is_account(account)
                && resource.strip_prefix("role/").is_some_and(|role| !role.is_empty() && is_iam_name(role))
        }
        _ => false,
    };
    (!is_arn).then(|| {
        let hint = match parts.as_slice() {
            ["arn", _, "iam", "", account, _] if !is_account(account) => {
                format!("`{account}` is not an account number of 12 digits")
            }
            ["arn", _, "sts", ..] => {
                "this is a session; name the role, `arn:aws:iam::ACCOUNT:role/NAME`".to_owned()
            }
            ["arn", _, "iam", "", _, resource] if !resource.starts_with("role/") => {
                format!("`{resource}` is not a role")
            }
            _ => "a role looks like `arn:aws:iam::123456789012:role/Operator`".to_owned(),
        };
        (format!("`{raw}` is not the ARN of a role"), Some(hint))
    })
}

fn is_partition(raw: &str) -> bool {
    raw.starts_with("aws") && raw.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

fn is_account(raw: &str) -> bool {
    raw.len() == 12 && raw.bytes().all(|b| b.is_ascii_digit())
}

fn is_iam_name(raw: &str) -> bool {
    raw.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@-_/".contains(c))
}

/// An MFA device: the ARN of a virtual one, or the serial number of a piece of hardware.
pub(super) fn mfa_serial(raw: &str) -> Option<Wrong> {
    let is_arn = match raw.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        ["arn", partition, "iam", "", account, device] => {
            is_partition(partition)
                && is_account(account)
                && device.split_once('/').is_some_and(|(kind, name)| {
                    matches!(kind, "mfa" | "sms-mfa" | "u2f") && !name.is_empty() && is_iam_name(name)
                })
        }
        _ => false,
    };
    let is_serial = (9..=256).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_alphanumeric());
    (!is_arn && !is_serial).then(|| {
        let hint =
            "it looks like `arn:aws:iam::123456789012:mfa/you`; the code itself is asked for on the terminal";
        (format!("`{raw}` is not an MFA device"), Some(hint.to_owned()))
    })
}

/// What a role's trust policy may ask for.
pub(super) fn external_id(raw: &str) -> Option<Wrong> {
    let is_right = (2..=1224).contains(&raw.len())
        && raw.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c));
    (!is_right).then(|| {
        let hint = "AWS takes 2 to 1224 letters, digits and `_+=,.@:/-`".to_owned();
        ("this cannot be an external id".to_owned(), Some(hint))
    })
}

/// A session's name.
pub(super) fn session_name(raw: &str) -> Option<Wrong> {
    let is_right = (2..=64).contains(&raw.len())
        && raw.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
    (!is_right).then(|| {
        let hint = "AWS takes 2 to 64 letters, digits and `_+=,.@-`".to_owned();
        (format!("`{raw}` cannot be a session's name"), Some(hint))
    })
}

/// A glob of `*` and `?`.
pub(super) fn glob(raw: &str) -> Option<Wrong> {
    if raw.is_empty() {
        return Some(("an empty glob matches nothing".to_owned(), Some("write `*` for anything".to_owned())));
    }
    if raw.contains("**") {
        let hint = format!("write `{}`", raw.replace("**", "*"));
        return Some((format!("`{raw}` is a bad glob: one `*` already matches any run"), Some(hint)));
    }
    if let Some(odd) = raw.chars().find(|c| "[]{}\\".contains(*c)) {
        let hint = "give several globs in a list, or `?` for any one character".to_owned();
        return Some((format!("`{raw}` is a bad glob: it knows `*` and `?`, not `{odd}`"), Some(hint)));
    }
    if raw.chars().any(char::is_control) {
        return Some(("a glob cannot hold control characters".to_owned(), None));
    }
    None
}

/// An instance type.
pub(super) fn instance_type(raw: &str) -> Option<Wrong> {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let is_right = raw.split_once('.').is_some_and(|(family, size)| {
        is_part(family) && is_part(size) && family.starts_with(|c: char| c.is_ascii_lowercase())
    });
    (!is_right)
        .then(|| (format!("`{raw}` is not an instance type"), Some("one looks like `t3.small`".to_owned())))
}

/// A subnet.
pub(super) fn subnet(raw: &str) -> Option<Wrong> {
    let is_right = raw
        .strip_prefix("subnet-")
        .is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    (!is_right)
        .then(|| (format!("`{raw}` is not a subnet"), Some("one looks like `subnet-0a1b2c3d`".to_owned())))
}

/// An endpoint: scheme, host, perhaps a port and a path; never a user or a password.
pub(super) fn endpoint(raw: &str) -> Option<Wrong> {
    let wrong = |message: &str, hint: &str| Some((message.to_owned(), Some(hint.to_owned())));
    let Some(rest) = raw.strip_prefix("http://").or_else(|| raw.strip_prefix("https://")) else {
        return wrong("this is not an endpoint's URL", "one looks like `http://127.0.0.1:5000`");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return wrong(
            "an endpoint's URL cannot hold a user or a password",
            "credentials come from a profile",
        );
    }
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_name = !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '"');
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if !is_name || !is_port || rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return wrong("this is not an endpoint's URL", "one looks like `http://127.0.0.1:5000`");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Verdict, endpoint, glob, instance_type, is_region, mfa_serial, region, role_arn};

    #[test]
    fn regions_by_shape() {
        for right in ["eu-west-1", "us-gov-west-1", "eusc-de-east-1", "us-isob-east-1", "xx-moon-42"] {
            assert!(is_region(right), "{right}");
        }
        for wrong in
            ["eu-west", "EU-west-1", "eu_west_1", "all", "1", "", "eu-west-1a", "eu--1", "a-b-c-d-e-1"]
        {
            assert!(!is_region(wrong), "{wrong}");
        }
        assert!(matches!(region("xx-moon-1"), Verdict::Odd(_)));
        assert!(
            matches!(region("eu-west-1b"), Verdict::Wrong((why, _)) if why.contains("availability zone"))
        );
        assert_eq!(region("sa-east-1"), Verdict::Right);
    }

    #[test]
    fn arns_globs_types_and_endpoints() {
        assert_eq!(role_arn("arn:aws-cn:iam::123456789012:role/ops/On-Call"), None);
        assert!(role_arn("arn:aws:iam::12345:role/x").is_some());
        assert!(role_arn("arn:aws:iam::123456789012:user/x").is_some());
        assert_eq!(mfa_serial("GAHT12345678"), None);
        assert!(mfa_serial("123456").is_some(), "a code is not a device");
        assert!(glob("a[bc]").is_some() && glob("").is_some() && glob("a*b?").is_none());
        assert!(instance_type("t3").is_some() && instance_type("u-6tb1.metal").is_none());
        assert_eq!(endpoint("http://[::1]:5000"), None);
        assert_eq!(endpoint("https://vpce-1.ec2.eu-west-1.vpce.amazonaws.com/x"), None);
        assert!(
            endpoint("http://u:p@h").is_some()
                && endpoint("ftp://h").is_some()
                && endpoint("http://:1").is_some()
        );
        assert!(endpoint("http://h:99999").is_some());
    }
}
