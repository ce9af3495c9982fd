//! What the screen is dressed with, theme, keymap and kept views, and the files that they come from: carries
//! out what `update` asks of them, and answers with what then happens.

use super::fault::Fault;
use super::options::Looks;
use super::saved::Views;
use super::state::{Effect, Input};
use super::theme::Theme;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The theme in force, and where everything else comes from.
#[derive(Clone, Debug)]
pub(super) struct Props {
    pub(super) theme: Theme,
    pub(super) looks: Looks,
    /// The file that views are kept in.
    pub(super) saved: Option<PathBuf>,
}

impl Props {
    /// Carries out an effect that is about looks or views; any other is left alone.
    pub(super) fn carry_out(&mut self, effect: &Effect) -> Vec<Input> {
        match effect {
            Effect::Theme(name) => match self.looks.theme(name) {
                Ok(theme) => {
                    self.theme = theme;
                    self.looks.chose(name);
                    vec![said(format!("theme {name}"))]
                }
                Err(faults) => vec![wrong(&faults)],
            },
            Effect::Keymap(name) => match self.looks.keymap(name) {
                Ok(keymap) => vec![Input::Keymap(Arc::new(keymap)), said(format!("keymap {name}"))],
                Err(faults) => vec![wrong(&faults)],
            },
            Effect::Views(views) => self.write(views, |path| format!("kept in {path}")),
            Effect::ForgetView(name, views) => {
                self.write(views, |path| format!("view {name} is forgotten, and gone from {path}"))
            }
            _ => Vec::new(),
        }
    }

    /// Writes views to their file.
    fn write(&self, views: &Views, done: impl FnOnce(std::path::Display<'_>) -> String) -> Vec<Input> {
        let Some(path) = &self.saved else {
            return vec![Input::Said(Err("there is no home folder to keep views in".into()))];
        };
        match keep(path, views) {
            Ok(()) => vec![Input::Views(views.clone()), said(done(path.display()))],
            Err(error) => {
                let text = format!("{} cannot be written: {error}", path.display());
                vec![Input::Said(Err(text))]
            }
        }
    }
}

fn said(text: String) -> Input {
    Input::Said(Ok(text))
}

fn wrong(faults: &[Fault]) -> Input {
    let first = faults.first().map_or_else(String::new, ToString::to_string);
    let more = match faults.len() {
        0 | 1 => String::new(),
        n => format!(" (and {} more)", n - 1),
    };
    Input::Said(Err(format!("{first}{more}")))
}

/// Writes views beside their file first, so that a crash leaves the old ones.
fn keep(path: &Path, views: &Views) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension("toml.new");
    std::fs::write(&beside, views.to_toml())?;
    std::fs::rename(&beside, path)
}

/// Reads the views that are kept in a file; none where there is no file. Every fault is told.
pub fn views(path: &Path) -> Result<Views, Vec<Fault>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Views::parse(&path.display().to_string(), &text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Views::default()),
        Err(error) => {
            let message = format!("the file cannot be read: {error}");
            Err(vec![Fault { file: path.display().to_string(), line: 1, column: 1, message, hint: None }])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Kind;
    use crate::tui::saved::SavedView;

    #[test]
    fn looks_and_views_change_or_say_why_not() {
        let folder = tempfile::tempdir().unwrap();
        let saved = folder.path().join("state").join("views.toml");
        let looks = Looks::new(None, |_| None);
        let mut props = Props { theme: Theme::plain(), looks, saved: Some(saved.clone()) };
        let inputs = props.carry_out(&Effect::Theme("nord".into()));
        assert!(matches!(&inputs[..], [Input::Said(Ok(_))]) && props.theme != Theme::plain(), "{inputs:?}");
        let inputs = props.carry_out(&Effect::Keymap("vimm".into()));
        assert!(
            matches!(&inputs[..], [Input::Said(Err(why))] if why.contains("did you mean `vim`?")),
            "{inputs:?}"
        );
        let mut views = Views::default();
        let view = SavedView {
            kind: Kind::Cores,
            query: "x".into(),
            sort: None,
            columns: Vec::new(),
            is_wide: false,
        };
        views.keep("mine", view);
        props.carry_out(&Effect::Views(views.clone()));
        assert_eq!(super::views(&saved), Ok(views.clone()));
        views.forget("mine");
        let inputs = props.carry_out(&Effect::ForgetView("mine".into(), views));
        assert!(
            matches!(&inputs[..], [Input::Views(_), Input::Said(Ok(said))] if said.starts_with("view mine is forgotten")),
            "{inputs:?}"
        );
        assert_eq!(super::views(&saved), Ok(Views::default()));
        assert_eq!(super::views(&folder.path().join("none")), Ok(Views::default()));
    }
}
