//! STS: who we are.

use super::api::Api;
use super::call::{Desk, Pages};
use crate::gateway::GatewayError;
use crate::model::{AccountId, Identity, TroubleKind};

/// The account number and ARN behind our credentials.
pub(super) async fn identity(desk: &Desk, _pages: &Pages) -> Result<Identity, GatewayError> {
    let api = Api::GetCallerIdentity;
    let answer = desk.call(api, || desk.sts().get_caller_identity().send()).await?;
    match (answer.account, answer.arn) {
        (Some(account), Some(arn)) => Ok(Identity { account_id: AccountId::from(account), arn }),
        _ => Err(desk.trouble(api, TroubleKind::Garbled, "the answer names no account").into()),
    }
}
