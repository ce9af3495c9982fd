//! Which place of a core is meant: a domain, an app, a tenant.

use crate::ops::intent::ConfigWish;
use clap::Args;

/// Which place of a core is meant.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct PlaceArgs {
    /// A core, or a tenant of the registry, which means its core and its domain
    #[arg(value_name = "CORE|TENANT")]
    pub(super) target: String,
    /// The connection URI domain, where the core is named
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// The app, where it is not `public`
    #[arg(long, value_name = "APP")]
    app: Option<String>,
    /// The tenant, where it is not `public`
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// The SecureString with the secret of the shared core (supertokens_saas_secret), which protected settings take
    #[arg(long, value_name = "PARAMETER")]
    key_parameter: Option<String>,
}

impl PlaceArgs {
    /// The flags that name it, as they are typed.
    pub(super) fn typed(&self) -> String {
        let flags = [
            ("domain", &self.domain),
            ("app", &self.app),
            ("tenant", &self.tenant),
            ("key-parameter", &self.key_parameter),
        ];
        let given = flags.into_iter().filter_map(|(flag, value)| Some((flag, value.as_ref()?)));
        given.map(|(flag, value)| format!(" --{flag} {value}")).collect()
    }

    /// A wish for it that says nothing yet.
    pub(super) fn wish(&self) -> ConfigWish {
        ConfigWish {
            domain: self.domain.clone(),
            app: self.app.clone(),
            tenant: self.tenant.clone(),
            key_parameter: self.key_parameter.clone(),
            ..ConfigWish::default()
        }
    }
}
