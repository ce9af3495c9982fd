//! Credentials by the SDK's own chain or by a profile.

use super::login::Failure;
use super::session::Finder;
use super::wire::Wire;
use crate::config::Login;
use crate::model::TroubleKind;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use futures::FutureExt;
use futures::future::BoxFuture;

/// Finds the credentials of one account as its configuration says.
#[derive(Debug)]
pub(super) struct Chain {
    login: Login,
    wire: Wire,
}

impl Chain {
    /// A finder for this login.
    pub(super) fn new(login: Login, wire: Wire) -> Self {
        Self { login, wire }
    }
}

impl Finder for Chain {
    fn find(&self) -> BoxFuture<'static, Result<Credentials, Failure>> {
        let (login, wire) = (self.login.clone(), self.wire.clone());
        async move {
            let providers = wire.providers(None);
            let found = match &login {
                Login::Profile(name) => {
                    let provider = ProfileFileCredentialsProvider::builder()
                        .configure(&providers)
                        .profile_name(name.as_str())
                        .build();
                    provider.provide_credentials().await
                }
                _ => {
                    let provider = DefaultCredentialsChain::builder()
                        .configure(providers)
                        .imds_client(wire.imds())
                        .region(aws_types::region::Region::from_static("us-east-1"))
                        .build()
                        .await;
                    provider.provide_credentials().await
                }
            };
            found.map_err(|error| {
                Failure::new(
                    TroubleKind::NoCredentials,
                    format!(
                        "no credentials: {}",
                        aws_smithy_types::error::display::DisplayErrorContext(&error)
                    ),
                    "aws configure",
                )
            })
        }
        .boxed()
    }

    fn renewal(&self) -> String {
        "aws sso login".to_owned()
    }
}
