//! How an account is entered: where the first credentials come from, and the roles assumed from there.
//! Pure: configuration and AWS profiles in, a ladder out.
//!
//! ```text
//!   profile prod ── role_arn, mfa_serial ──→ rung 2
//!        │ source_profile
//!   profile jump ── role_arn, external_id ─→ rung 1
//!        │ source_profile
//!   profile base ── keys, SSO, a process ──→ base
//! ```
//!
//! The SDK could climb by itself, but it cannot ask for an MFA code and does not look at our endpoint.

use super::login::Failure;
use crate::config::Login;
use crate::error::did_you_mean;
use crate::model::TroubleKind;
use aws_config::profile::{Profile, ProfileSet};

/// Where the first credentials come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// The SDK's default chain.
    Chain,
    /// Keys of the environment.
    Environment,
    /// Keys that stand in a profile. Read when they are needed, so that no copy goes stale.
    Keys(String),
    /// An SSO login of a profile.
    Sso(String),
    /// A login made with `aws login`.
    ConsoleLogin(String),
    /// A program that a profile names.
    Process {
        /// Which profile.
        profile: String,
        /// The program, without its arguments: they may hold secrets.
        program: String,
    },
    /// A web identity token and role of a profile.
    WebIdentity(String),
    /// The EC2 instance's role.
    Instance,
    /// The ECS or EKS container's role.
    Container,
}

/// One role to assume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rung {
    /// The role's ARN.
    pub(super) arn: String,
    /// What its trust policy may ask for.
    pub(super) external_id: Option<String>,
    /// The MFA device whose code it asks for.
    pub(super) mfa_serial: Option<String>,
    /// The session's name, where the user chose one.
    pub(super) session_name: Option<String>,
    /// How long the session shall last, in seconds.
    pub(super) duration_s: Option<i32>,
    /// The AWS profile that names this role, if one does.
    pub(super) profile: Option<String>,
}

/// The way into an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ladder {
    /// Where it stands.
    pub(super) base: Base,
    /// What is climbed, in order.
    pub(super) rungs: Vec<Rung>,
    /// The region that the profile names.
    pub(super) region: Option<String>,
}

impl Ladder {
    /// The way that a login describes. `has_env_keys`: the environment holds keys, which then come first,
    /// unless a profile is named.
    pub(super) fn of(login: &Login, profiles: &ProfileSet, has_env_keys: bool) -> Result<Self, Failure> {
        match login {
            Login::Chain => Self::of_chain(profiles, has_env_keys),
            Login::Profile(name) => Self::of_profile(name.as_str(), profiles),
            Login::Role { from, arn, external_id, mfa_serial, session_name } => {
                let mut ladder = match from {
                    Some(name) => Self::of_profile(name.as_str(), profiles)?,
                    None => Self::of_chain(profiles, has_env_keys)?,
                };
                ladder.rungs.push(Rung {
                    arn: arn.to_string(),
                    external_id: external_id.as_ref().map(ToString::to_string),
                    mfa_serial: mfa_serial.as_ref().map(ToString::to_string),
                    session_name: session_name.as_ref().map(ToString::to_string),
                    duration_s: None,
                    profile: None,
                });
                Ok(ladder)
            }
        }
    }

    fn of_chain(profiles: &ProfileSet, has_env_keys: bool) -> Result<Self, Failure> {
        let selected = profiles.selected_profile();
        let region = profiles.get("region").map(str::to_owned);
        if has_env_keys {
            return Ok(Self { base: Base::Environment, rungs: Vec::new(), region });
        }
        if selected != "default" && profiles.get_profile(selected).is_none() {
            return Err(unknown(selected, "AWS_PROFILE names", profiles));
        }
        match profiles.get_profile(selected) {
            Some(profile) if has_source(profile) => Self::of_profile(selected, profiles),
            _ => Ok(Self { base: Base::Chain, rungs: Vec::new(), region }),
        }
    }

    fn of_profile(name: &str, profiles: &ProfileSet) -> Result<Self, Failure> {
        let mut seen: Vec<&str> = Vec::new();
        let mut rungs = Vec::new();
        let mut current = name;
        let region = profiles.get_profile(name).and_then(|profile| profile.get("region")).map(str::to_owned);
        let base = loop {
            let profile = profiles.get_profile(current).ok_or_else(|| match seen.last() {
                Some(by) => unknown(current, &format!("source_profile of profile {by} names"), profiles),
                None => unknown(current, "the configuration names", profiles),
            })?;
            if seen.contains(&current) {
                let path = [seen.as_slice(), &[current]].concat().join(" → ");
                return Err(wrong(format!("source_profile goes round in a circle: {path}")));
            }
            seen.push(current);
            // As in the SDK: from the second profile on, keys that stand in it win over its role.
            if seen.len() > 1 && has_keys(profile) {
                break Base::Keys(current.to_owned());
            }
            let Some(rung) = rung(profile)? else { break base(profile)? };
            rungs.push(rung);
            match (profile.get("source_profile"), profile.get("credential_source")) {
                (Some(_), Some(_)) => {
                    let said =
                        format!("profile {current} has both source_profile and credential_source: keep one");
                    return Err(wrong(said));
                }
                (Some(source), None) if source == current => break base(profile)?,
                (Some(source), None) => current = source,
                (None, Some(source)) => break named_source(source, current)?,
                (None, None) => {
                    let said = format!(
                        "profile {current} has a role_arn but no source_profile and no credential_source"
                    );
                    return Err(wrong(said));
                }
            }
        };
        rungs.reverse();
        Ok(Self { base, rungs, region })
    }

    /// Tells whether a code must be asked for on the way.
    pub(super) fn asks_for_mfa(&self) -> bool {
        self.rungs.iter().any(|rung| rung.mfa_serial.is_some())
    }

    /// What a person types when the credentials at its foot are over.
    pub(super) fn renewal(&self) -> String {
        match &self.base {
            Base::Sso(profile) => format!("aws sso login --profile {profile}"),
            Base::ConsoleLogin(profile) => format!("aws login --profile {profile}"),
            Base::Keys(profile) => format!(
                "put new keys into profile {profile} (`aws configure --profile {profile}`, or whatever wrote the old ones)"
            ),
            Base::Process { profile, program } => {
                format!("run `{program}`, the credential_process of profile {profile}, by hand to see what it wants")
            }
            Base::WebIdentity(profile) => {
                format!("check the web_identity_token_file of profile {profile}: its owner must renew it")
            }
            Base::Environment => {
                "export new AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN and start coredeck again"
                    .to_owned()
            }
            Base::Chain | Base::Instance | Base::Container => {
                "aws sts get-caller-identity (shows whether this machine's role still gives credentials)".to_owned()
            }
        }
    }
}

/// Tells whether a profile says anything about credentials.
fn has_source(profile: &Profile) -> bool {
    const SAYS: [&str; 9] = [
        "aws_access_key_id",
        "role_arn",
        "sso_session",
        "sso_start_url",
        "sso_account_id",
        "credential_process",
        "web_identity_token_file",
        "login_session",
        "credential_source",
    ];
    SAYS.iter().any(|key| profile.get(key).is_some())
}

fn has_keys(profile: &Profile) -> bool {
    profile.get("aws_access_key_id").is_some() && profile.get("aws_secret_access_key").is_some()
}

/// The role of a profile. One with a web identity token is no rung: the SDK enters it in one step.
fn rung(profile: &Profile) -> Result<Option<Rung>, Failure> {
    if profile.get("web_identity_token_file").is_some() {
        return Ok(None);
    }
    let Some(arn) = profile.get("role_arn") else { return Ok(None) };
    let own = |key: &str| profile.get(key).filter(|value| !value.is_empty()).map(str::to_owned);
    let duration_s = own("duration_seconds")
        .map(|text| {
            text.parse::<i32>().map_err(|_| {
                wrong(format!("duration_seconds of profile {} is not a number: {text}", profile.name()))
            })
        })
        .transpose()?;
    Ok(Some(Rung {
        arn: arn.to_owned(),
        external_id: own("external_id"),
        mfa_serial: own("mfa_serial"),
        session_name: own("role_session_name"),
        duration_s,
        profile: Some(profile.name().to_owned()),
    }))
}

/// The same order as the SDK's and the aws command's.
fn base(profile: &Profile) -> Result<Base, Failure> {
    let name = profile.name().to_owned();
    if let Some(source) = profile.get("credential_source") {
        return named_source(source, &name);
    }
    if profile.get("web_identity_token_file").is_some() {
        return Ok(Base::WebIdentity(name));
    }
    if ["sso_session", "sso_start_url", "sso_account_id", "sso_role_name"]
        .iter()
        .any(|key| profile.get(key).is_some())
    {
        return Ok(Base::Sso(name));
    }
    if profile.get("login_session").is_some() {
        return Ok(Base::ConsoleLogin(name));
    }
    if let Some(command) = profile.get("credential_process") {
        let program = command.split_whitespace().next().unwrap_or("it").trim_matches('"').to_owned();
        return Ok(Base::Process { profile: name, program });
    }
    if profile.get("aws_access_key_id").is_some() {
        if profile.get("aws_secret_access_key").is_none() {
            return Err(wrong(format!(
                "profile {name} has an aws_access_key_id but no aws_secret_access_key"
            )));
        }
        return Ok(Base::Keys(name));
    }
    Err(Failure::new(
        TroubleKind::NoCredentials,
        format!("profile {name} says nothing about credentials"),
        format!("aws configure sso --profile {name}, or aws configure --profile {name}"),
    ))
}

fn named_source(source: &str, profile: &str) -> Result<Base, Failure> {
    match source {
        "Environment" => Ok(Base::Environment),
        "Ec2InstanceMetadata" => Ok(Base::Instance),
        "EcsContainer" => Ok(Base::Container),
        other => Err(wrong(format!(
            "credential_source {other} of profile {profile} is none of Environment, Ec2InstanceMetadata, EcsContainer"
        ))),
    }
}

fn unknown(name: &str, how: &str, profiles: &ProfileSet) -> Failure {
    let mut all: Vec<&str> = profiles.profiles().collect();
    all.sort_unstable();
    let hint = match did_you_mean(name, all.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None if all.is_empty() => format!("there are no profiles yet: aws configure sso --profile {name}"),
        None => format!("profiles that exist: {}", all.join(", ")),
    };
    Failure::new(
        TroubleKind::NoCredentials,
        format!("{how} profile {name}: it is not in the AWS configuration files"),
        hint,
    )
}

fn wrong(message: String) -> Failure {
    Failure::new(TroubleKind::NoCredentials, message, "mend it in ~/.aws/config")
}

#[cfg(test)]
mod tests {
    use super::{Base, Ladder};
    use crate::config::Login;
    use crate::model::ProfileName;
    use aws_config::profile::ProfileSet;
    use aws_types::os_shim_internal::{Env, Fs};

    const CONFIG: &str = "
[profile base]
region = eu-west-1
aws_access_key_id = AKID
aws_secret_access_key = secret
[profile jump]
role_arn = arn:aws:iam::1:role/Jump
source_profile = base
external_id = door
[profile prod]
role_arn = arn:aws:iam::2:role/Ops
source_profile = jump
mfa_serial = arn:aws:iam::1:mfa/ada
role_session_name = ada
duration_seconds = 7200
region = eu-central-1
[profile both]
role_arn = arn:aws:iam::3:role/Own
source_profile = both
aws_access_key_id = AKID
aws_secret_access_key = secret
[profile sso]
sso_session = work
sso_account_id = 1
sso_role_name = Ops
[sso-session work]
sso_region = eu-west-1
sso_start_url = https://example.awsapps.com/start
[profile legacy]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 1
sso_role_name = Ops
[profile over-sso]
role_arn = arn:aws:iam::4:role/Ops
source_profile = sso
[profile machine]
role_arn = arn:aws:iam::5:role/Ops
credential_source = Ec2InstanceMetadata
[profile process]
credential_process = \"/opt/get keys\" --secret hunter2
[profile web]
role_arn = arn:aws:iam::6:role/Web
web_identity_token_file = /token
[profile console]
login_session = arn:aws:iam::1:user/ada
[profile loop-a]
role_arn = arn:aws:iam::7:role/A
source_profile = loop-b
[profile loop-b]
role_arn = arn:aws:iam::7:role/B
source_profile = loop-a
[profile lone]
role_arn = arn:aws:iam::8:role/Lone
[profile half]
aws_access_key_id = AKID
[profile bare]
region = eu-north-1
";

    async fn profiles(selected: &'static str) -> ProfileSet {
        let fs = Fs::from_slice(&[("/config", CONFIG), ("/credentials", "")]);
        let mut vars = vec![("AWS_CONFIG_FILE", "/config"), ("AWS_SHARED_CREDENTIALS_FILE", "/credentials")];
        if !selected.is_empty() {
            vars.push(("AWS_PROFILE", selected));
        }
        aws_config::profile::load(&fs, &Env::from_slice(&vars), &Default::default(), None).await.unwrap()
    }

    async fn of(name: &str) -> Ladder {
        Ladder::of(&Login::Profile(ProfileName::new(name)), &profiles("").await, true).unwrap()
    }

    async fn wrong(name: &str) -> (String, String) {
        let failure =
            Ladder::of(&Login::Profile(ProfileName::new(name)), &profiles("").await, false).unwrap_err();
        (failure.message, failure.hint.unwrap())
    }

    #[tokio::test]
    async fn roles_are_climbed_from_the_keys_up() {
        let ladder = of("prod").await;
        assert_eq!(ladder.base, Base::Keys("base".into()));
        let roles: Vec<_> = ladder.rungs.iter().map(|rung| rung.arn.as_str()).collect();
        assert_eq!(roles, ["arn:aws:iam::1:role/Jump", "arn:aws:iam::2:role/Ops"]);
        assert_eq!(ladder.rungs[0].external_id.as_deref(), Some("door"));
        assert_eq!(ladder.rungs[1].session_name.as_deref(), Some("ada"));
        assert_eq!(ladder.rungs[1].duration_s, Some(7200));
        assert_eq!(ladder.region.as_deref(), Some("eu-central-1"));
        assert!(ladder.asks_for_mfa());
        assert!(!of("jump").await.asks_for_mfa());
    }

    #[tokio::test]
    async fn a_profile_may_be_its_own_source() {
        let ladder = of("both").await;
        assert_eq!(ladder.base, Base::Keys("both".into()));
        assert_eq!(ladder.rungs.len(), 1);
    }

    #[tokio::test]
    async fn renewal_names_the_profile_at_the_foot() {
        for (profile, command) in [
            ("sso", "aws sso login --profile sso"),
            ("legacy", "aws sso login --profile legacy"),
            ("over-sso", "aws sso login --profile sso"),
            ("console", "aws login --profile console"),
        ] {
            assert_eq!(of(profile).await.renewal(), command);
        }
        assert!(of("prod").await.renewal().contains("aws configure --profile base"));
    }

    #[tokio::test]
    async fn every_kind_of_source_is_known_and_no_argument_of_a_process_is_told() {
        assert_eq!(of("machine").await.base, Base::Instance);
        assert_eq!(of("web").await.base, Base::WebIdentity("web".into()));
        assert!(of("web").await.rungs.is_empty(), "the SDK enters it in one step");
        assert!(!of("process").await.renewal().contains("hunter2"));
    }

    #[tokio::test]
    async fn a_role_of_the_configuration_stands_on_its_profile_or_on_the_chain() {
        let role = |from: Option<&str>| Login::Role {
            from: from.map(ProfileName::new),
            arn: "arn:aws:iam::9:role/Top".into(),
            external_id: Some("x".into()),
            mfa_serial: None,
            session_name: None,
        };
        let ladder = Ladder::of(&role(Some("jump")), &profiles("").await, false).unwrap();
        assert_eq!(ladder.rungs.len(), 2);
        assert_eq!(ladder.rungs[1].arn, "arn:aws:iam::9:role/Top");
        let ladder = Ladder::of(&role(None), &profiles("").await, true).unwrap();
        assert_eq!((ladder.base, ladder.rungs.len()), (Base::Environment, 1));
    }

    #[tokio::test]
    async fn the_chain_takes_the_environments_keys_then_its_profile() {
        let ladder = Ladder::of(&Login::Chain, &profiles("prod").await, true).unwrap();
        assert_eq!((ladder.base, ladder.rungs.len()), (Base::Environment, 0));
        let ladder = Ladder::of(&Login::Chain, &profiles("prod").await, false).unwrap();
        assert_eq!((ladder.base, ladder.rungs.len()), (Base::Keys("base".into()), 2));
        let ladder = Ladder::of(&Login::Chain, &profiles("bare").await, false).unwrap();
        assert_eq!((ladder.base, ladder.region.as_deref()), (Base::Chain, Some("eu-north-1")));
        let failure = Ladder::of(&Login::Chain, &profiles("prid").await, false).unwrap_err();
        assert_eq!(
            failure.message,
            "AWS_PROFILE names profile prid: it is not in the AWS configuration files"
        );
        assert_eq!(failure.hint.unwrap(), "did you mean prod?");
    }

    #[tokio::test]
    async fn what_is_wrong_in_a_profile_is_said() {
        assert_eq!(wrong("proud").await.1, "did you mean prod?");
        assert!(wrong("zzz").await.1.starts_with("profiles that exist: bare, base, both"));
        assert_eq!(
            wrong("loop-a").await.0,
            "source_profile goes round in a circle: loop-a → loop-b → loop-a"
        );
        assert!(wrong("lone").await.0.contains("no source_profile and no credential_source"));
        assert!(wrong("half").await.0.contains("no aws_secret_access_key"));
        assert_eq!(wrong("bare").await.0, "profile bare says nothing about credentials");
    }
}
