//! Files that people write and that build upon each other, themes and keymaps: those that come with the
//! program, those of one's own folder, `inherits` from one to the next, and every fault of all at once.

use super::fault::{Fault, Faults, meant};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// What is made of such a file and of those that it inherits from.
pub(super) trait Draft: Default {
    /// Takes in one file, over what it inherits. `name` and `inherits` are seen to already.
    fn take(&mut self, table: &DeTable<'_>, faults: &mut Faults<'_>);
}

/// Where the files of one sort are found: in one's own folder first, then among those of the program.
#[derive(Clone, Debug)]
pub struct Shelf {
    what: &'static str,
    shipped: &'static [(&'static str, &'static str)],
    folder: Option<PathBuf>,
}

/// Where a file was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It comes with the program.
    Shipped,
    /// It is one's own.
    Own(PathBuf),
}

impl Shelf {
    /// A shelf of what comes with the program alone. `what` is said in faults: `theme`, `keymap`.
    pub(super) const fn shipped(
        what: &'static str,
        shipped: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { what, shipped, folder: None }
    }

    /// The same shelf with one's own files over it.
    pub(super) fn and(self, folder: Option<PathBuf>) -> Self {
        Self { folder, ..self }
    }

    /// Every name, those of the program first in their order, and where it is found.
    pub fn names(&self) -> Vec<(String, Found)> {
        let mut names: Vec<(String, Found)> =
            self.shipped.iter().map(|(name, _)| ((*name).to_owned(), Found::Shipped)).collect();
        let mut own: Vec<(String, Found)> = Vec::new();
        // A folder that is not there, or may not be read, has nothing to offer; whoever names one of its
        // files is told why that cannot be read.
        for entry in
            self.folder.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten()
        {
            let path = entry.path();
            let is_toml = path.extension().is_some_and(|extension| extension == "toml");
            if let Some(name) = path.file_stem().and_then(|name| name.to_str()).filter(|_| is_toml) {
                own.push((name.to_owned(), Found::Own(path.clone())));
            }
        }
        own.sort_by(|one, other| one.0.cmp(&other.0));
        names.retain(|(name, _)| !own.iter().any(|(mine, _)| mine == name));
        names.extend(own);
        names
    }

    /// The text of the file of that name, and what it is called in faults.
    pub fn text(&self, name: &str) -> Result<(String, String), Fault> {
        self.find(name, &[])?.ok_or_else(|| self.no_such(name))
    }

    /// Reads the file of that name.
    pub(super) fn load<D: Draft>(&self, name: &str) -> Result<D, Vec<Fault>> {
        let (file, text) = self.text(name).map_err(|fault| vec![fault])?;
        self.read(&file, &text)
    }

    /// Reads a file's text; what it inherits is looked for here.
    pub(super) fn read<D: Draft>(&self, file: &str, text: &str) -> Result<D, Vec<Fault>> {
        self.read_within(file, text, &mut vec![file.to_owned()])
    }

    fn read_within<D: Draft>(
        &self,
        file: &str,
        text: &str,
        heirs: &mut Vec<String>,
    ) -> Result<D, Vec<Fault>> {
        let mut faults = Faults::new(file, text);
        let (table, errors) = DeTable::parse_recoverable(text);
        faults.toml(&errors);
        let mut draft = D::default();
        let mut inherited = Vec::new();
        for word in ["name", "inherits"] {
            let Some(value) = table.get_ref().get(word) else { continue };
            let at = value.span().start;
            let DeValue::String(name) = value.get_ref() else {
                faults.at(at, "a name is expected, in quotes", None);
                continue;
            };
            if word == "name" {
                continue;
            }
            match self.find(name, heirs) {
                Ok(Some((parent, text))) => {
                    heirs.push(parent.clone());
                    match self.read_within(&parent, &text, heirs) {
                        Ok(parent) => draft = parent,
                        Err(mut found) => inherited.append(&mut found),
                    }
                }
                Ok(None) if self.find(name, &[]).is_ok_and(|found| found.is_some()) => {
                    faults.at(at, format!("`{name}` inherits from itself"), None);
                }
                Ok(None) => {
                    let fault = self.no_such(name);
                    faults.at(at, fault.message, fault.hint);
                }
                Err(fault) => faults.at(at, fault.message, fault.hint),
            }
        }
        draft.take(table.get_ref(), &mut faults);
        let mut found = faults.into_found();
        found.append(&mut inherited);
        if found.is_empty() { Ok(draft) } else { Err(found) }
    }

    /// The file of that name that is none of those being read already: one's own `dark` may build upon the
    /// `dark` that comes with the program.
    fn find(&self, name: &str, heirs: &[String]) -> Result<Option<(String, String)>, Fault> {
        let is_new = |file: &String| !heirs.contains(file);
        let own = self
            .folder
            .as_deref()
            .filter(|_| is_plain(name))
            .map(|folder| folder.join(format!("{name}.toml")));
        if let Some(path) = own
            && is_new(&path.display().to_string())
        {
            match std::fs::read_to_string(&path) {
                Ok(text) => return Ok(Some((path.display().to_string(), text))),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(unreadable(&path, &error)),
            }
        }
        let shipped = self.shipped.iter().find(|(shipped, _)| *shipped == name);
        let shipped = shipped.map(|(name, text)| (format!("{name}.toml"), (*text).to_owned()));
        Ok(shipped.filter(|(file, _)| is_new(file)))
    }

    fn no_such(&self, name: &str) -> Fault {
        let (what, names) = (self.what, self.names());
        let names: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        let hint =
            meant(name, names.iter().copied()).unwrap_or_else(|| format!("{what}s are {}", names.join(", ")));
        Fault {
            file: String::new(),
            line: 0,
            column: 0,
            message: format!("no {what} named `{name}`"),
            hint: Some(hint),
        }
    }
}

/// A name is no path.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    let message = format!("the file cannot be read: {error}");
    Fault { file: path.display().to_string(), line: 1, column: 1, message, hint: None }
}

/// Reads a file by its path, whatever it is called.
pub fn open(path: &Path) -> Result<String, Fault> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{SHIPPED, Theme};

    #[test]
    fn ones_own_files_stand_over_the_shipped_and_build_upon_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("dark.toml", "inherits = 'dark'\n[styles]\ntitle = 'magenta'");
        write("mine.toml", "inherits = 'dark'\n[styles]\ngutter = 'blue'");
        write("one.toml", "inherits = 'other'");
        write("other.toml", "inherits = 'one'");
        let shelf = Shelf::shipped("theme", SHIPPED).and(Some(folder.path().to_owned()));
        let mine = Theme::load(&shelf, "mine").unwrap();
        let red = Theme::parse("r.toml", "[styles]\ntitle = 'magenta'").unwrap();
        use crate::tui::theme::Role;
        assert_eq!(mine.style(Role::Title), red.style(Role::Title));
        assert_eq!(mine.style(Role::HealthBad), Theme::shipped("dark").unwrap().style(Role::HealthBad));
        let faults = Theme::load(&shelf, "one").unwrap_err();
        assert!(faults[0].message.contains("inherits from itself"), "{faults:?}");
        let names = shelf.names();
        assert!(names.contains(&("light".into(), Found::Shipped)), "{names:?}");
        assert!(names.contains(&("dark".into(), Found::Own(folder.path().join("dark.toml")))), "{names:?}");
        assert_eq!(names.iter().filter(|(name, _)| name == "dark").count(), 1);
        let fault = shelf.text("../dark").unwrap_err();
        assert!(fault.to_string().starts_with("no theme named `../dark`"), "{fault}");
    }
}
