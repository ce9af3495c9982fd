//! What surrounds a run: environment variables, folders, and the names of AWS profiles.
//!
//! It is a value, so that a test never reads the real home. Of AWS's own files only the section
//! headings are kept; nothing else of them is looked at.

use etcetera::BaseStrategy;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Environment variables and folders.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Environment variables that are set and not empty.
    pub vars: BTreeMap<String, String>,
    /// The home folder.
    pub home: Option<PathBuf>,
    /// The folder for configurations, `~/.config`.
    pub config_folder: Option<PathBuf>,
    /// The folder for what can be lost, `~/.cache`.
    pub cache_folder: Option<PathBuf>,
    /// The folder for what should outlive a run, `~/.local/state`.
    pub state_folder: Option<PathBuf>,
}

impl Surroundings {
    /// Those of this process. Variables that are not UTF-8 are left out.
    pub fn of_process() -> Self {
        let vars = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let folders = etcetera::choose_base_strategy().ok();
        Self {
            vars,
            home: folders.as_ref().map(|folders| folders.home_dir().to_path_buf()),
            config_folder: folders.as_ref().map(BaseStrategy::config_dir),
            cache_folder: folders.as_ref().map(BaseStrategy::cache_dir),
            state_folder: folders.as_ref().and_then(BaseStrategy::state_dir),
        }
    }

    /// A variable that is set and not empty.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str)
    }

    /// Where the configuration is looked for when nobody names a file.
    pub fn usual_file(&self) -> Option<PathBuf> {
        Some(self.config_folder.as_ref()?.join("coredeck").join("coredeck.toml"))
    }

    /// AWS's own files, the configuration first.
    pub fn aws_files(&self) -> Vec<PathBuf> {
        let file = |variable: &str, name: &str| {
            let named = self.var(variable).map(|raw| self.without_tilde(raw));
            named.or_else(|| Some(self.home.as_ref()?.join(".aws").join(name)))
        };
        [file("AWS_CONFIG_FILE", "config"), file("AWS_SHARED_CREDENTIALS_FILE", "credentials")]
            .into_iter()
            .flatten()
            .collect()
    }

    fn without_tilde(&self, raw: &str) -> PathBuf {
        match (raw.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(raw),
        }
    }

    /// Names of the profiles that AWS's own files hold, sorted. A file that cannot be read counts
    /// as empty: the SDK reports it with a better message when it is needed.
    pub fn profiles(&self) -> Vec<String> {
        let files = self.aws_files();
        let mut names: Vec<String> = files.iter().flat_map(|path| headings(path)).collect();
        names.sort();
        names.dedup();
        names
    }
}

/// `[default]`, `[profile x]` and, in the credentials file, `[x]`. A heading that the credentials
/// file would take is taken in both: naming a profile that exists in neither is what must be caught.
fn headings(path: &Path) -> Vec<String> {
    let Ok(text) = std::fs::read(path) else { return Vec::new() };
    let is_config = path.file_name().is_none_or(|name| name != "credentials");
    String::from_utf8_lossy(&text)
        .lines()
        .filter_map(|line| {
            let inside = line.trim().strip_prefix('[')?.split(']').next()?.trim();
            match inside.strip_prefix("profile").filter(|rest| rest.starts_with(char::is_whitespace)) {
                Some(name) => Some(name.trim().trim_matches(['"', '\'']).to_owned()),
                None if is_config && inside.starts_with("sso-session") => None,
                None if is_config && inside.starts_with("services") => None,
                None => Some(inside.to_owned()),
            }
        })
        .filter(|name| !name.is_empty())
        .collect()
}
