//! The AWS SDK behind `gateway`: sessions, clients, and one file of readers per service.
//!
//! Asks come in, readings go out; no SDK type leaves this module. `call` is the only road to the network.

mod api;
mod autoscaling;
mod cached;
mod call;
mod chain;
mod change;
mod cloudwatch;
mod command;
mod ec2;
mod ecs;
mod elb;
mod errors;
#[cfg(test)]
mod fake;
mod fan;
mod home;
mod ladder;
mod lean;
mod ledger;
mod limit;
mod login;
mod logs;
mod look;
mod mfa;
mod newcomers;
mod owners;
mod places;
mod rate;
mod record;
mod regions;
mod route53;
mod seen;
mod session;
mod shell;
mod site;
mod skim;
mod ssm;
mod sts;
mod trail;
mod translate;
mod wire;
mod xml;

use crate::clock::{Clock, Pace, Steady};
use crate::config::{Account, Config, Login, Regions};
use crate::error::Error;
use crate::gateway::{
    Ask, Bucket, CallRecord, FleetReader, GatewayError, NoteCall, Reading, Secrets, Spending, Urgency,
};
use crate::model::{AccountName, Instance, Region, Scope, Sealed, Text, TroubleKind};
use aws_types::os_shim_internal::{Env, Fs};
use call::{Desk, Pages};
use chain::{Chain, Gear};
use futures::FutureExt;
use futures::future::BoxFuture;
use ledger::Ledger;
use login::Failure;
use owners::Owners;
use session::Session;
use site::Site;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, mpsc};
use wire::{Retries, Wire};

pub use change::Writer;
pub use mfa::{AskCode, Nobody, Question, Terminal};

/// The region that is asked for what is the same in all of them.
const ANY_REGION: &str = "us-east-1";

/// What the command line adds to the configuration.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where all of AWS is, when it is not AWS: wins over the configuration and the environment.
    pub endpoint_url: Option<String>,
    /// Who is asked for MFA codes, and only while `connect` runs: nobody, unless said otherwise.
    pub asker: Arc<dyn AskCode>,
    /// The only environment that credentials and regions are looked for in, and then no file is; none
    /// means that of this process. The demo is kept away from real accounts by it.
    pub environment: Option<Vec<(&'static str, String)>>,
    /// Who keeps a record of each call, besides `FleetReader::calls`.
    pub witness: Option<Arc<dyn NoteCall>>,
    /// The time.
    pub clock: Clock,
    /// How long a request may stay without an answer before it is given up; none means twelve seconds, and longer
    /// for answers that are heavy.
    pub silent: Option<Duration>,
    /// The time in which buckets fill again that requests are taken from.
    pub pace: Arc<dyn Pace>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            endpoint_url: None,
            asker: Arc::new(Nobody),
            environment: None,
            witness: None,
            clock: Clock::Real,
            silent: None,
            pace: Arc::new(Steady),
        }
    }
}

/// The accounts of a fleet, ready to be read.
pub struct Aws {
    accounts: Vec<Entry>,
    sites: Mutex<BTreeMap<Scope, Arc<OnceCell<Arc<Site>>>>>,
    owners: Owners,
    gear: Gear,
    patience: site::Patience,
    read_only: bool,
    /// Who reads the host names of an account, one after the other: they are the same for all of its regions.
    named: Mutex<BTreeMap<AccountName, Arc<route53::Line>>>,
    /// Instances of an earlier run, until their place is read.
    kept: Mutex<BTreeMap<Scope, Vec<Arc<Instance>>>>,
}

/// One account with its credentials.
struct Entry {
    account: Account,
    regions: Regions,
    session: Arc<Session>,
}

impl Entry {
    fn new(account: &Account, regions: &Regions, gear: &Gear) -> Self {
        let regions = account.regions.clone().unwrap_or_else(|| regions.clone());
        let near = home::first_named(&regions);
        let finder = Chain::new(account.name.clone(), account.login.clone(), near, gear.clone());
        let session = Arc::new(Session::new(Arc::new(finder), gear.clock));
        Self { account: account.clone(), regions, session }
    }

    /// The AWS profile whose settings (FIPS, dual stack, endpoints) the clients follow.
    fn profile(&self) -> Option<&str> {
        match &self.account.login {
            Login::Profile(name) | Login::Role { from: Some(name), .. } => Some(name.as_str()),
            Login::Chain | Login::Role { from: None, .. } => None,
        }
    }
}

/// Makes the accounts of a configuration ready. Nothing is asked of AWS yet, except for accounts that
/// need an MFA code: the code is asked for now, before any screen opens, and never later.
///
/// # Errors
///
/// Only what makes every read impossible: an endpoint that is none, or a value of the SDK's variables for
/// retries that means nothing. An account that cannot be entered says so in its own sections.
pub async fn connect(config: &Config, options: Options) -> Result<Aws, Error> {
    let endpoint = options.endpoint_url.or_else(|| config.endpoint_url.clone());
    if let Some(url) = &endpoint {
        wire::check(url)?;
    }
    let (env, fs) = match &options.environment {
        None => (Env::real(), Fs::real()),
        Some(only) => {
            let pairs: Vec<(&str, &str)> = only.iter().map(|(name, value)| (*name, value.as_str())).collect();
            (Env::from_slice(&pairs), Fs::from_slice(&[]))
        }
    };
    let wire = Wire::new(endpoint).retrying(Retries::of(&env)?);
    let gear = Gear {
        wire: if options.environment.is_some() { wire.alone() } else { wire },
        ledger: Arc::new(Ledger::with(options.witness)),
        clock: options.clock,
        asker: Arc::new(tokio::sync::Mutex::new(options.asker)),
        may_ask: Arc::new(AtomicBool::new(true)),
        env,
        fs,
    };
    let accounts: Vec<Entry> =
        config.accounts.iter().map(|account| Entry::new(account, &config.regions, &gear)).collect();
    futures::future::join_all(accounts.iter().map(|entry| enter_with_code(entry, &gear))).await;
    gear.may_ask.store(false, Ordering::Relaxed);
    Ok(Aws {
        accounts,
        sites: Mutex::default(),
        owners: Owners::new(options.pace),
        gear,
        patience: options.silent.map(site::Patience::of).unwrap_or_default(),
        read_only: config.read_only,
        named: Mutex::default(),
        kept: Mutex::default(),
    })
}

/// Enters an account that needs an MFA code, and leaves all others for later.
async fn enter_with_code(entry: &Entry, gear: &Gear) {
    if gear.ladder(&entry.account.login).await.is_ok_and(|ladder| ladder.asks_for_mfa()) {
        // What goes wrong here goes wrong again with the first read, which has a place to say it.
        let _ = entry.session.credentials().await;
    }
}

impl Aws {
    async fn desk(&self, scope: &Scope, urgency: Urgency) -> Result<Desk, GatewayError> {
        Ok(Desk::new(self.site(scope).await?, urgency))
    }

    async fn site(&self, scope: &Scope) -> Result<Arc<Site>, GatewayError> {
        let entry = self.entry(&scope.account).ok_or_else(|| self.unknown(&scope.account))?;
        let cell = {
            let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(sites.entry(scope.clone()).or_default())
        };
        let site = cell
            .get_or_init(|| async {
                let session = Arc::clone(&entry.session);
                let config =
                    self.gear.wire.config(entry.profile(), &scope.region, Arc::clone(&session)).await;
                let ledger = Arc::clone(&self.gear.ledger);
                let profile = match &entry.account.login {
                    Login::Profile(name) => Some(Text::new(name.as_str())),
                    Login::Chain | Login::Role { .. } => None,
                };
                let site = Site::new(scope.clone(), config, session, ledger, self.gear.clock)
                    .limited_by(self.owners.limiter(scope))
                    .with_patience(self.patience);
                Arc::new(site.entered(record::login_of(&entry.account.login), profile))
            })
            .await;
        Ok(Arc::clone(site))
    }

    fn entry(&self, name: &AccountName) -> Option<&Entry> {
        self.accounts.iter().find(|entry| entry.account.name == *name)
    }

    fn unknown(&self, name: &AccountName) -> GatewayError {
        let said = format!("no account is called {name}");
        Failure::new(TroubleKind::NotFound, said, "`coredeck config show` lists the accounts")
            .trouble_of("account", self.gear.clock.now())
            .into()
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
            Ask::Identity => {
                let identity = sts::identity(desk, pages).await?;
                self.owners.know(&scope.account, &identity.account_id);
                Reading::Identity(identity)
            }
            Ask::Instances => {
                let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(scope);
                Reading::Instances(ec2::instances(desk, kept, pages).await?)
            }
            Ask::Statuses => Reading::Statuses(ec2::statuses(desk, pages).await?),
            Ask::Templates(used) => Reading::Templates(ec2::templates(desk, &used, pages).await?),
            Ask::Images(ids) => Reading::Images(ec2::images(desk, &ids, pages).await?),
            Ask::Published(names) => Reading::Published(ssm::published(desk, &names, pages).await?),
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
            Ask::Records(domains) => {
                // It is one for all regions of the account, and so is its bucket.
                let region = route53::home(&scope.region);
                let desk = self.desk(&Scope { account: scope.account.clone(), region }, urgency).await?;
                let line = {
                    let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
                    Arc::clone(named.entry(scope.account.clone()).or_default())
                };
                Reading::Records(line.zones(&desk, scope, &domains, pages).await?)
            }
            Ask::Agents => Reading::Agents(ssm::agents(desk, pages).await?),
            Ask::Alarms => Reading::Alarms(cloudwatch::alarms(desk, pages).await?),
            Ask::Registry(path) => ssm::registry(desk, &path, pages).await?,
            // Cores are asked by their own client, which stands before this one where there is any.
            Ask::Admin(_) => Reading::Admin(Vec::new()),
            Ask::Prices { of, products, since } => {
                Reading::Prices(ec2::spot_prices(desk, &of, &products, since, pages).await?)
            }
            Ask::Metrics { of, gauges, since } => {
                Reading::Metrics(cloudwatch::metrics(desk, &of, gauges, since, pages).await?)
            }
        })
    }
}

impl Secrets for Aws {
    fn secrets(
        &self,
        scope: &Scope,
        names: Vec<Text>,
    ) -> BoxFuture<'_, Result<BTreeMap<Text, Sealed>, GatewayError>> {
        let scope = scope.clone();
        async move { ssm::secrets(&self.desk(&scope, Urgency::Screen).await?, &names).await }.boxed()
    }
}

impl FleetReader for Aws {
    fn regions(&self, account: &AccountName) -> BoxFuture<'_, Result<Vec<Region>, GatewayError>> {
        let account = account.clone();
        async move {
            let entry = self.entry(&account).ok_or_else(|| self.unknown(&account))?;
            let region = match home::first_named(&entry.regions) {
                Some(region) => region,
                // Any region knows all the others.
                None => home::region(&account, &entry.account.login, &self.gear)
                    .await
                    .unwrap_or_else(|_| Region::new(ANY_REGION)),
            };
            let desk = self.desk(&Scope { account, region }, Urgency::User).await?;
            regions::enabled(&desk).await
        }
        .boxed()
    }

    fn home_region(&self, account: &AccountName) -> BoxFuture<'_, Result<Region, GatewayError>> {
        let account = account.clone();
        async move {
            let entry = self.entry(&account).ok_or_else(|| self.unknown(&account))?;
            let found = home::region(&account, &entry.account.login, &self.gear).await;
            found.map_err(|failure| failure.trouble_of("region", self.gear.clock.now()).into())
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

    fn remind(&self, scope: &Scope, reading: &Reading) {
        if let Reading::Instances(rows) = reading {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.insert(scope.clone(), rows.clone());
        }
    }

    fn spending(&self) -> Spending {
        self.gear.ledger.spending()
    }

    fn calls(&self) -> Vec<Arc<CallRecord>> {
        self.gear.ledger.latest()
    }

    fn buckets(&self) -> Vec<Bucket> {
        let sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        sites.values().filter_map(|site| site.get()).flat_map(|site| site.buckets()).collect()
    }
}
