//! Puts the layers together: defaults, then the file, then the environment, then flags.

use super::fault::{Fault, Faults, Place};
use super::origin::{Origin, Origins};
use super::read::{self, Layer, Outcome};
use super::shape::{self, Verdict};
use super::surroundings::Surroundings;
use super::{Account, Config, Login, Regions, cadence};
use crate::error::{Error, Result};
use crate::model::text::harmless;
use crate::model::{AccountName, FleetName, ProfileName, Region};
use std::path::{Path, PathBuf};

/// No configuration of a person is longer; a bigger file is some other file.
const LONGEST_FILE: u64 = 1 << 20;

/// What the command line says of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--profile`, each of which becomes an account.
    pub profiles: Vec<String>,
    /// `--region`; `all` for every enabled region.
    pub regions: Vec<String>,
    /// `--endpoint-url`
    pub endpoint_url: Option<String>,
    /// `--read-only`
    pub read_only: bool,
}

/// A configuration, and where its values came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Where each value came from.
    pub origins: Origins,
    /// What is odd but not wrong.
    pub warnings: Vec<Fault>,
}

/// The file that a run would read, and who named it; the usual file need not exist.
pub fn file(flags: &Flags, around: &Surroundings) -> Option<(PathBuf, Origin)> {
    if let Some(path) = &flags.config {
        return Some((path.clone(), Origin::Flag("--config")));
    }
    if let Some(path) = around.var("COREDECK_CONFIG") {
        return Some((PathBuf::from(path), Origin::Env("COREDECK_CONFIG")));
    }
    around.usual_file().map(|path| (path, Origin::Default))
}

/// Resolves the configuration. Fails with every fault at once.
pub fn load(flags: &Flags, around: &Surroundings) -> Result<Loaded> {
    let profiles = around.profiles();
    let mut faults = Vec::new();
    let mut path = None;
    let mut outcome = Outcome::default();
    if let Some((named, origin)) = file(flags, around)
        && let Some(text) = text_of(&named, &origin)?
    {
        outcome = read_text(&named, &text, &profiles);
        path = Some(named);
    }
    faults.append(&mut outcome.faults);
    let (config, mut origins) = under_file(outcome.layer, outcome.origins, path);
    let mut over = Over { config, faults, warnings: outcome.warnings, profiles: &profiles };
    over.environment(around, &mut origins);
    over.flags(flags, &mut origins);
    over.chain(around);
    let Over { config, faults, warnings, .. } = over;
    if faults.is_empty() { Ok(Loaded { config, origins, warnings }) } else { Err(wrong(faults, &config)) }
}

/// Checks one file and nothing else; returns its warnings.
pub fn check(path: &Path, around: &Surroundings) -> Result<Vec<Fault>> {
    let text = text_of(path, &Origin::Flag("--config"))?.unwrap_or_default();
    check_text(path, &text, &around.profiles())
}

/// Checks the text of a file, where these AWS profiles exist; returns its warnings.
pub fn check_text(path: &Path, text: &str, profiles: &[String]) -> Result<Vec<Fault>> {
    let outcome = read_text(path, text, profiles);
    if outcome.faults.is_empty() {
        Ok(outcome.warnings)
    } else {
        Err(wrong(outcome.faults, &Config { file: Some(path.to_path_buf()), ..Config::default() }))
    }
}

/// Every fault, as one error.
fn wrong(faults: Vec<Fault>, config: &Config) -> Error {
    let what = match (&config.file, faults.len()) {
        (Some(file), 1) => format!("the configuration {} has a fault", harmless(&file.to_string_lossy())),
        (Some(file), n) => format!("the configuration {} has {n} faults", harmless(&file.to_string_lossy())),
        (None, 1) => "the configuration has a fault".to_owned(),
        (None, n) => format!("the configuration has {n} faults"),
    };
    let error = Error::usage(what).because(Faults(faults));
    if config.file.is_some() {
        error.hint("see `coredeck config check`, and docs/configuration.md")
    } else {
        error
    }
}

/// A file's text; none where nobody named the file and it is not there.
fn text_of(path: &Path, origin: &Origin) -> Result<Option<String>> {
    let shown = harmless(&path.to_string_lossy()).into_owned();
    let named = if *origin == Origin::Default { String::new() } else { format!(" ({origin})") };
    let failed = |why: std::io::Error| {
        Error::usage(format!("cannot read the configuration {shown}{named}"))
            .because(why)
            .hint("`coredeck config path` tells where it is looked for, `coredeck config init` writes one")
    };
    match std::fs::metadata(path) {
        Err(why) if why.kind() == std::io::ErrorKind::NotFound && *origin == Origin::Default => {
            return Ok(None);
        }
        Err(why) => return Err(failed(why)),
        Ok(facts) if facts.len() > LONGEST_FILE => {
            return Err(Error::usage(format!(
                "{shown}{named} has {} bytes: it is no configuration",
                facts.len()
            )));
        }
        Ok(_) => {}
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    String::from_utf8(bytes).map(Some).map_err(|why| {
        let line =
            1 + why.as_bytes().iter().take(why.utf8_error().valid_up_to()).filter(|b| **b == b'\n').count();
        Error::usage(format!("{shown}:{line}: the file is not UTF-8")).hint("save it as UTF-8")
    })
}

/// Reads a file's text; a byte order mark, which some editors write, is taken for what it is.
fn read_text(path: &Path, text: &str, profiles: &[String]) -> Outcome {
    read::read(path, text.strip_prefix('\u{feff}').unwrap_or(text), profiles)
}

/// Defaults, with the file's values over them.
fn under_file(layer: Layer, origins: Origins, file: Option<PathBuf>) -> (Config, Origins) {
    let mut config = Config { file, ..Config::default() };
    if let Some(tiers) = layer.tiers {
        config.tiers = tiers;
        config.tiers_are_guessed = false;
    }
    for (source, every) in layer.refresh {
        for (_, usual) in config.cadence.iter_mut().filter(|(named, _)| *named == source) {
            *usual = every;
        }
        // The file that `config init` writes names what holds anyway.
        if every != cadence::usual_for(source) {
            config.insisted.insert(source);
        }
    }
    config.history.span = layer.keep.unwrap_or(config.history.span);
    config.history.bytes = layer.size.unwrap_or(config.history.bytes);
    config.cores.reach = layer.reach.unwrap_or(config.cores.reach);
    config.cores.proxy = layer.proxy.or(config.cores.proxy);
    config.dns.route53 = layer.route53.unwrap_or(config.dns.route53);
    config.logs = layer.logs.unwrap_or(config.logs);
    config.capacity = layer.capacity.unwrap_or(config.capacity);
    config.history.has_gets = layer.gets.unwrap_or(config.history.has_gets);
    config.fleet = layer.fleet.unwrap_or(config.fleet);
    config.accounts = layer.accounts.unwrap_or(config.accounts);
    config.regions = layer.regions.unwrap_or(config.regions);
    config.endpoint_url = layer.endpoint_url;
    config.read_only = layer.read_only.unwrap_or(config.read_only);
    config.theme = layer.theme.unwrap_or(config.theme);
    config.keymap = layer.keymap.unwrap_or(config.keymap);
    (config, origins)
}

/// The layers over the file.
struct Over<'a> {
    config: Config,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
    profiles: &'a [String],
}

impl Over<'_> {
    fn environment(&mut self, around: &Surroundings, origins: &mut Origins) {
        let list = |raw: &str| -> Vec<String> {
            raw.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
        };
        if let Some(raw) = around.var("COREDECK_FLEET") {
            let name = "COREDECK_FLEET";
            self.fault(Place::Env(name), shape::name(raw, "a fleet"));
            self.config.fleet = FleetName::new(raw);
            origins.note("fleet", Origin::Env(name));
        }
        if let Some(raw) = around.var("COREDECK_PROFILE") {
            let name = "COREDECK_PROFILE";
            self.profiles(&list(raw), Place::Env(name), Origin::Env(name), origins);
        }
        if let Some(raw) = around.var("COREDECK_REGION") {
            let name = "COREDECK_REGION";
            self.regions(&list(raw), Place::Env(name), Origin::Env(name), origins);
        }
        if let Some(raw) = around.var("COREDECK_ENDPOINT_URL") {
            let name = "COREDECK_ENDPOINT_URL";
            self.endpoint(raw, Place::Env(name), Origin::Env(name), origins);
        }
        if let Some(raw) = around.var("COREDECK_READ_ONLY") {
            self.read_only(raw, "COREDECK_READ_ONLY", origins);
        }
        if let Some(raw) = around.var("COREDECK_THEME") {
            let name = "COREDECK_THEME";
            self.fault(Place::Env(name), shape::name(raw, "a theme"));
            raw.clone_into(&mut self.config.theme);
            origins.note("theme", Origin::Env(name));
        }
        if let Some(raw) = around.var("COREDECK_KEYMAP") {
            let name = "COREDECK_KEYMAP";
            self.fault(Place::Env(name), shape::name(raw, "a keymap"));
            raw.clone_into(&mut self.config.keymap);
            origins.note("keymap", Origin::Env(name));
        }
    }

    fn flags(&mut self, flags: &Flags, origins: &mut Origins) {
        if !flags.profiles.is_empty() {
            let flag = "--profile";
            self.profiles(&flags.profiles, Place::Flag(flag), Origin::Flag(flag), origins);
        }
        if !flags.regions.is_empty() {
            let flag = "--region";
            self.regions(&flags.regions, Place::Flag(flag), Origin::Flag(flag), origins);
        }
        if let Some(raw) = &flags.endpoint_url {
            let flag = "--endpoint-url";
            self.endpoint(raw, Place::Flag(flag), Origin::Flag(flag), origins);
        }
        if flags.read_only {
            self.config.read_only = true;
            origins.note("read_only", Origin::Flag("--read-only"));
        }
    }

    /// What the file made read-only stays so: a variable left over in a shell must not open it.
    fn read_only(&mut self, raw: &str, name: &'static str, origins: &mut Origins) {
        match raw.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" => {
                self.config.read_only = true;
                origins.note("read_only", Origin::Env(name));
            }
            "0" | "false" | "no" => {}
            _ => {
                let wrong =
                    (format!("`{raw}` is neither true nor false"), Some(format!("export {name}=true")));
                self.fault(Place::Env(name), Some(wrong));
            }
        }
    }

    /// What is left to the SDK's chain is not ours to resolve, but an unknown profile there is worth a word.
    fn chain(&mut self, around: &Surroundings) {
        let is_used = self.config.accounts.iter().any(|account| account.login == Login::Chain);
        let Some(raw) = around.var("AWS_PROFILE").filter(|_| is_used) else { return };
        if !self.profiles.iter().any(|profile| profile == raw) {
            let (message, hint) = read::unknown_profile(raw, self.profiles);
            self.warnings.push(Fault { place: Place::Env("AWS_PROFILE"), message, hint });
        }
    }

    fn fault(&mut self, place: Place, wrong: Option<shape::Wrong>) {
        if let Some((message, hint)) = wrong {
            self.faults.push(Fault { place, message, hint });
        }
    }

    fn profiles(&mut self, raw: &[String], place: Place, origin: Origin, origins: &mut Origins) {
        let mut accounts: Vec<Account> = Vec::new();
        for profile in raw {
            if !self.profiles.contains(profile) {
                self.fault(place.clone(), Some(read::unknown_profile(profile, self.profiles)));
            }
            let account = Account {
                name: AccountName::new(profile),
                login: Login::Profile(ProfileName::new(profile)),
                regions: None,
            };
            if !accounts.contains(&account) {
                accounts.push(account);
            }
        }
        if !accounts.is_empty() {
            self.config.accounts = accounts;
            origins.forget("accounts");
            origins.note("accounts", origin);
        }
    }

    /// Regions from outside the file hold for every account, whatever its own are.
    fn regions(&mut self, raw: &[String], place: Place, origin: Origin, origins: &mut Origins) {
        let is_all = raw.iter().any(|region| region == "all");
        if is_all && raw.len() > 1 {
            let hint = Some("give either `all` or regions".to_owned());
            self.fault(place, Some(("`all` stands for itself, not beside regions".to_owned(), hint)));
            return;
        }
        let mut regions: Vec<Region> = Vec::new();
        for region in raw.iter().filter(|_| !is_all) {
            match shape::region(region) {
                Verdict::Right => {}
                Verdict::Odd((message, hint)) => {
                    self.warnings.push(Fault { place: place.clone(), message, hint });
                }
                Verdict::Wrong(wrong) => self.fault(place.clone(), Some(wrong)),
            }
            let region = Region::new(region);
            if !regions.contains(&region) {
                regions.push(region);
            }
        }
        if !is_all && regions.is_empty() {
            return;
        }
        self.config.regions = if is_all { Regions::All } else { Regions::Named(regions) };
        for account in &mut self.config.accounts {
            account.regions = None;
        }
        origins.note("regions", origin);
    }

    fn endpoint(&mut self, raw: &str, place: Place, origin: Origin, origins: &mut Origins) {
        self.fault(place, shape::endpoint(raw));
        self.config.endpoint_url = Some(raw.to_owned());
        origins.note("endpoint_url", origin);
    }
}

/// Writes the template to a new file, with its folders. Refuses to touch a file that is there.
pub fn init(path: &Path) -> Result<()> {
    use std::io::Write;
    let shown = harmless(&path.to_string_lossy()).into_owned();
    let failed = |why: std::io::Error| match why.kind() {
        std::io::ErrorKind::AlreadyExists => Error::new(
            crate::error::ErrorKind::Refused,
            format!("{shown} is there already and was left as it is"),
        )
        .hint("edit it, or name another with `--config FILE`"),
        _ => Error::failed(format!("cannot write {shown}")).because(why),
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(super::TEMPLATE.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}
