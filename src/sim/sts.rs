//! Security Token Service: who a key is, and roles that make accounts separate.

use super::fault::Fault;
use super::service::{Answer, Call, Operation, Protocol, Service};
use super::shape::Fields;
use super::world::Caller;
use super::world::place::Place;
use crate::sim::dice::Dice;

pub(crate) const SERVICE: Service = Service {
    name: "sts",
    model: "sts",
    title: "STS",
    protocol: Protocol::Query,
    version: "2011-06-15",
    target: "",
    namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
    bad_parameter: "ValidationError",
    operations: &[
        Operation::read("GetCallerIdentity", &[], get_caller_identity),
        Operation::read(
            "AssumeRole",
            &[
                "RoleArn",
                "RoleSessionName",
                "DurationSeconds",
                "ExternalId",
                "SerialNumber",
                "TokenCode",
                "SourceIdentity",
            ],
            assume_role,
        ),
    ],
};

fn get_caller_identity(call: &Call, _: &Place) -> Answer {
    Ok(Fields::new()
        .with("UserId", &call.caller.user_id)
        .with("Account", &call.caller.account)
        .with("Arn", &call.caller.arn)
        .into())
}

fn assume_role(call: &Call, _: &Place) -> Answer {
    let missing = |name: &str| {
        Fault::new(
            "ValidationError",
            format!(
                "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
            ),
        )
    };
    let arn = call.input.text("RoleArn").ok_or_else(|| missing("roleArn"))?;
    let session = call.input.text("RoleSessionName").ok_or_else(|| missing("roleSessionName"))?;
    let bad_arn = || Fault::new("ValidationError", format!("{arn} is invalid"));
    let (account, role) =
        arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/")).ok_or_else(bad_arn)?;
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) || role.is_empty() {
        return Err(bad_arn());
    }
    let known = call.world.accounts.iter().find(|known| known.id.as_ref() == account);
    let Some(known) = known else {
        return Err(Fault::new(
            "AccessDenied",
            format!(
                "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
                call.caller.arn
            ),
        )
        .with_status(403));
    };
    let seconds = call.input.number("DurationSeconds").ok().flatten().unwrap_or(3600);
    if !(900..=43_200).contains(&seconds) {
        return Err(Fault::new(
            "ValidationError",
            format!("Value '{seconds}' at 'durationSeconds' must be from 900 to 43200"),
        ));
    }
    let mut dice = Dice::new(call.seed, call.request_id);
    let key = format!("ASIA{}", dice.hex(16).to_uppercase());
    let name = role.rsplit('/').next().unwrap_or(role);
    let user_id = format!("AROA{}:{session}", Dice::new(call.seed, arn).hex(17).to_uppercase());
    let assumed = format!("arn:aws:sts::{account}:assumed-role/{name}/{session}");
    let caller =
        Caller { account: known.id.clone(), arn: assumed.as_str().into(), user_id: user_id.as_str().into() };
    call.world.remember(key.clone(), caller);
    Ok(Fields::new()
        .with("AssumedRoleUser", Fields::new().with("AssumedRoleId", user_id).with("Arn", assumed))
        .with(
            "Credentials",
            Fields::new()
                .with("AccessKeyId", key)
                .with("SecretAccessKey", dice.secret(40))
                .with("SessionToken", dice.secret(120))
                .with("Expiration", call.now.plus(seconds)),
        )
        .with("PackedPolicySize", 6i64)
        .into())
}
