//! The AWS SDK behind `gateway`: sessions, clients, and one file of readers per service.
//!
//! Asks come in, readings go out; no SDK type leaves this module. `call` is the only road to the network.

mod api;
mod autoscaling;
mod call;
mod chain;
mod cloudwatch;
mod ec2;
mod ecs;
mod elb;
mod errors;
mod home;
mod ledger;
mod limit;
mod login;
mod rate;
mod regions;
mod session;
mod site;
mod ssm;
mod sts;
mod wire;

use crate::clock::Clock;
use crate::config::{Account, Config, Login};
use crate::error::Error;
use crate::gateway::{Ask, FleetReader, GatewayError, Reading, Spending, Urgency};
use crate::model::{AccountName, Region, Scope, Text, Trouble, TroubleKind};
use call::{Desk, Pages};
use futures::FutureExt;
use futures::future::BoxFuture;
use ledger::Ledger;
use session::Session;
use site::Site;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OnceCell, mpsc};
use wire::Wire;

/// What the command line adds to the configuration.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where all of AWS is, when it is not AWS: wins over the configuration and the environment.
    pub endpoint_url: Option<String>,
    /// The time.
    pub clock: Clock,
}

/// The accounts of a fleet, ready to be read.
pub struct Aws {
    accounts: Vec<Entry>,
    sites: Mutex<BTreeMap<Scope, Arc<OnceCell<Arc<Site>>>>>,
    wire: Wire,
    ledger: Arc<Ledger>,
    clock: Clock,
}

struct Entry {
    account: Account,
    session: Arc<Session>,
}

/// Makes the accounts of a configuration ready. Nothing is asked of AWS yet, except for accounts that
/// need an MFA code: the code is asked for now, before any screen opens.
///
/// # Errors
///
/// Only what makes every read impossible. An account that cannot be entered says so in its own sections.
pub async fn connect(config: &Config, options: Options) -> Result<Aws, Error> {
    let wire = Wire::new(options.endpoint_url.or_else(|| config.endpoint_url.clone()));
    let accounts = config
        .accounts
        .iter()
        .map(|account| {
            let finder = Arc::new(chain::Chain::new(account.login.clone(), wire.clone()));
            Entry { account: account.clone(), session: Arc::new(Session::new(finder, options.clock)) }
        })
        .collect();
    Ok(Aws { accounts, sites: Mutex::default(), wire, ledger: Arc::default(), clock: options.clock })
}

impl Aws {
    async fn desk(&self, scope: &Scope, urgency: Urgency) -> Result<Desk, GatewayError> {
        let entry = self.entry(&scope.account)?;
        let cell = {
            let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(sites.entry(scope.clone()).or_default())
        };
        let site = cell
            .get_or_init(|| async {
                let profile = match &entry.account.login {
                    Login::Profile(name) | Login::Role { from: Some(name), .. } => Some(name.as_str()),
                    _ => None,
                };
                let session = Arc::clone(&entry.session);
                let config = self.wire.config(profile, &scope.region, Arc::clone(&session)).await;
                Arc::new(Site::new(scope.clone(), config, session, Arc::clone(&self.ledger), self.clock))
            })
            .await;
        Ok(Desk::new(Arc::clone(site), urgency))
    }

    fn entry(&self, name: &AccountName) -> Result<&Entry, GatewayError> {
        self.accounts.iter().find(|entry| entry.account.name == *name).ok_or_else(|| {
            Trouble {
                kind: TroubleKind::NotFound,
                call: Text::const_new("account"),
                code: None,
                message: format!("no account is called {name}"),
                hint: Some("`coredeck config show` lists the accounts".to_owned()),
                request_id: None,
                at: self.clock.now(),
            }
            .into()
        })
    }

    async fn answer(
        &self,
        scope: &Scope,
        ask: Ask,
        urgency: Urgency,
        pages: Pages,
    ) -> Result<Reading, GatewayError> {
        let desk = &self.desk(scope, urgency).await?;
        let pages = &pages;
        Ok(match ask {
            Ask::Identity => Reading::Identity(sts::identity(desk, pages).await?),
            Ask::Instances => Reading::Instances(ec2::instances(desk, pages).await?),
            Ask::Statuses => Reading::Statuses(ec2::statuses(desk, pages).await?),
            Ask::Templates(used) => Reading::Templates(ec2::templates(desk, &used, pages).await?),
            Ask::Images(ids) => Reading::Images(ec2::images(desk, &ids, pages).await?),
            Ask::Groups => Reading::Groups(autoscaling::groups(desk, pages).await?),
            Ask::Refreshes(groups) => Reading::Refreshes(autoscaling::refreshes(desk, &groups, pages).await?),
            Ask::Activities(groups) => {
                Reading::Activities(autoscaling::activities(desk, &groups, pages).await?)
            }
            Ask::Clusters => Reading::Clusters(ecs::clusters(desk, pages).await?),
            Ask::Services(clusters) => Reading::Services(ecs::services(desk, &clusters, pages).await?),
            Ask::Tasks(clusters) => Reading::Tasks(ecs::tasks(desk, &clusters, pages).await?),
            Ask::Hosts(clusters) => Reading::Hosts(ecs::hosts(desk, &clusters, pages).await?),
            Ask::TargetGroups => Reading::TargetGroups(elb::target_groups(desk, pages).await?),
            Ask::Targets(groups) => Reading::Targets(elb::targets(desk, &groups, pages).await?),
            Ask::Rules => Reading::Rules(elb::rules(desk, pages).await?),
            Ask::Agents => Reading::Agents(ssm::agents(desk, pages).await?),
            Ask::Alarms => Reading::Alarms(cloudwatch::alarms(desk, pages).await?),
            Ask::Registry(path) => ssm::registry(desk, &path, pages).await?,
            Ask::Metrics { of, since } => {
                Reading::Metrics(cloudwatch::metrics(desk, &of, since, pages).await?)
            }
        })
    }
}

impl FleetReader for Aws {
    fn regions(&self, account: &AccountName) -> BoxFuture<'_, Result<Vec<Region>, GatewayError>> {
        let scope = Scope { account: account.clone(), region: Region::new("us-east-1") };
        async move {
            let desk = self.desk(&scope, Urgency::User).await?;
            regions::enabled(&desk).await
        }
        .boxed()
    }

    fn home_region(&self, account: &AccountName) -> BoxFuture<'_, Result<Region, GatewayError>> {
        let account = account.clone();
        async move {
            let entry = self.entry(&account)?;
            Ok(home::region(&account, &entry.account.login, &self.wire, self.clock.now()).await?)
        }
        .boxed()
    }

    fn read(
        &self,
        scope: &Scope,
        ask: Ask,
        urgency: Urgency,
        pages: Option<mpsc::Sender<Reading>>,
    ) -> BoxFuture<'_, Result<Reading, GatewayError>> {
        let scope = scope.clone();
        async move { self.answer(&scope, ask, urgency, Pages::new(pages)).await }.boxed()
    }

    fn spending(&self) -> Spending {
        self.ledger.spending()
    }
}
