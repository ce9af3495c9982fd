//! Why there are no credentials, in words, and what to type next.

use super::api::Api;
use super::errors::all_causes;
use super::ladder::{Base, Ladder, Rung};
use crate::model::text::harmless;
use crate::model::{Text, Trouble, TroubleKind};
use aws_credential_types::provider::error::CredentialsError;
use aws_types::os_shim_internal::Env;
use jiff::Timestamp;
use std::error::Error as _;
use std::fmt;

/// An account whose credentials could not be found or renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The sort of trouble.
    pub(super) kind: TroubleKind,
    /// The call that failed, when it was one: `sts:AssumeRole`.
    pub(super) call: Option<Text>,
    /// AWS's own code, when AWS refused.
    pub(super) code: Option<Text>,
    /// AWS's request id, when AWS refused.
    pub(super) request_id: Option<Text>,
    /// One sentence.
    pub(super) message: String,
    /// What to type next.
    pub(super) hint: Option<String>,
}

impl Failure {
    /// A failure with what to type next.
    pub(super) fn new(kind: TroubleKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            kind,
            call: None,
            code: None,
            request_id: None,
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// The trouble of a call that could not be made for lack of credentials.
    pub(super) fn trouble(&self, api: Api, at: Timestamp) -> Trouble {
        self.trouble_of(api.action(), at)
    }

    /// The trouble of something that is no call.
    pub(super) fn trouble_of(&self, what: &'static str, at: Timestamp) -> Trouble {
        Trouble {
            kind: self.kind,
            call: self.call.clone().unwrap_or(Text::const_new(what)),
            code: self.code.clone(),
            message: self.message.clone(),
            hint: self.hint.clone(),
            request_id: self.request_id.clone(),
            at,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// What a provider of the SDK means by its error.
pub(super) fn explain(error: &CredentialsError, ladder: &Ladder, env: &Env) -> Failure {
    // These messages only say that there was an error.
    let causes = all_causes(error.source().unwrap_or(error))
        .replace("an error occurred while loading credentials: ", "")
        .replace("Error retrieving credentials: ", "");
    let causes = causes.trim_end().trim_end_matches(" Stderr:").to_owned();
    let is_offline = ["dns error", "connect error", "tcp connect", "dispatch failure", "timed out"]
        .iter()
        .any(|sign| causes.to_lowercase().contains(sign));
    let renewal = ladder.renewal();
    match &ladder.base {
        Base::Chain if matches!(error, CredentialsError::CredentialsNotLoaded(_)) => {
            nothing_found(env, "no answer from instance metadata")
        }
        Base::Chain if causes.contains("IMDS") => nothing_found(env, &causes),
        Base::Instance if causes.contains("IMDS") => Failure::new(
            TroubleKind::NoCredentials,
            format!("this machine has no instance role to start from: {causes}"),
            "run it on EC2, or change credential_source in ~/.aws/config",
        ),
        Base::Sso(profile) if is_offline => Failure::new(
            TroubleKind::Unreachable,
            format!("cannot reach the SSO portal of profile {profile}: {causes}"),
            "check the network and the proxy settings",
        ),
        Base::Sso(profile) if causes.contains("ForbiddenException") || causes.contains("No access") => {
            Failure::new(
                TroubleKind::Denied,
                format!("SSO gives no access to the account and role of profile {profile}"),
                format!(
                    "check sso_account_id and sso_role_name of profile {profile}, or ask for the assignment"
                ),
            )
        }
        Base::Sso(profile) if causes.contains("cached SSO token") || causes.contains("sso/cache") => {
            Failure::new(
                TroubleKind::NoCredentials,
                format!("profile {profile} is not logged in to SSO"),
                renewal,
            )
        }
        Base::Sso(profile)
            if ["Unauthorized", "expired", "invalid"].iter().any(|sign| causes.contains(sign)) =>
        {
            Failure::new(
                TroubleKind::Expired,
                format!("the SSO login of profile {profile} has expired"),
                renewal,
            )
        }
        Base::ConsoleLogin(profile) => Failure::new(
            TroubleKind::NoCredentials,
            format!("profile {profile} uses `aws login`, which needs the aws command to be read"),
            format!(
                "give a profile the line: credential_process = aws configure export-credentials --profile {profile} --format process"
            ),
        ),
        Base::Process { profile, program } => Failure::new(
            TroubleKind::NoCredentials,
            format!(
                "the credential_process of profile {profile}, `{program}`, gave no credentials: {causes}"
            ),
            renewal,
        ),
        _ => Failure::new(TroubleKind::NoCredentials, format!("no credentials: {causes}"), renewal),
    }
}

/// Says all that the chain looked at, since nobody remembers it at night.
fn nothing_found(env: &Env, instance: &str) -> Failure {
    let is_set = |key: &str| env.get(key).is_ok_and(|value| !value.is_empty());
    let mut tried = vec!["no AWS_ACCESS_KEY_ID in the environment"];
    let profile = env.get("AWS_PROFILE").unwrap_or_else(|_| "default".to_owned());
    let no_profile = format!("no credentials in profile {}", harmless(&profile));
    tried.push(&no_profile);
    if !is_set("AWS_WEB_IDENTITY_TOKEN_FILE") {
        tried.push("no web identity token");
    }
    if !is_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") && !is_set("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
        tried.push("no container role");
    }
    let is_off = env.get("AWS_EC2_METADATA_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    let no_instance = if is_off {
        "instance metadata switched off (AWS_EC2_METADATA_DISABLED)".to_owned()
    } else {
        format!("no instance role ({instance})")
    };
    tried.push(&no_instance);
    Failure::new(
        TroubleKind::NoCredentials,
        format!("no AWS credentials: {}", tried.join(", ")),
        "aws configure sso, or coredeck --profile NAME",
    )
}

/// A role that could not be assumed, for the reason that STS gave.
pub(super) fn not_assumed(trouble: Trouble, rung: &Rung) -> Failure {
    let Trouble { kind, call, code, message, hint, request_id, .. } = trouble;
    let role = &rung.arn;
    let is_code = message.contains("MultiFactorAuthentication failed");
    let hint = match kind {
        TroubleKind::Denied if is_code => {
            Some("wait for the next code, then start coredeck again; a code works once".to_owned())
        }
        TroubleKind::Denied => Some(format!(
            "allow sts:AssumeRole on {role}, and let its trust policy name who asks{}",
            if rung.external_id.is_some() {
                " with this external id"
            } else {
                "; it may want an external id or MFA"
            }
        )),
        _ => hint,
    };
    let message = format!("cannot assume {role}: {message}");
    Failure { kind, call: Some(call), code, request_id, message, hint }
}

/// A role that needs a code and nobody who may be asked, or who gave one.
pub(super) fn needs_code(rung: &Rung, refused: Option<&std::io::Error>) -> Failure {
    let role = &rung.arn;
    let (kind, message) = match refused {
        None => {
            (TroubleKind::Expired, format!("the session of {role} is over, and a new one needs an MFA code"))
        }
        Some(error) => (TroubleKind::NoCredentials, format!("{role} needs an MFA code: {error}")),
    };
    let hint = match &rung.profile {
        Some(profile) => {
            format!(
                "in another window: aws sts get-caller-identity --profile {profile} (it asks for the code, and coredeck uses its session)"
            )
        }
        None => "start coredeck again from a terminal: it asks for the code".to_owned(),
    };
    Failure::new(kind, message, hint)
}
