//! `coredeck completions` and `coredeck man`, both made from the tree of commands.

use super::args::tree;
use super::output::Output;
use crate::error::{Error, Result};
use crate::model::text::harmless;
use std::path::Path;

/// Writes a shell's completions to stdout.
pub(super) fn completions(shell: clap_complete::Shell, out: &mut Output) -> Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut tree(), "coredeck", &mut text);
    out.data(&String::from_utf8_lossy(&text))
}

/// Writes the manual page to stdout, or one page for each command into a folder.
pub(super) fn man(folder: Option<&Path>, out: &mut Output) -> Result<()> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(tree()).render(&mut page)?;
        return out.data(&String::from_utf8_lossy(&page));
    };
    let shown = harmless(&folder.to_string_lossy()).into_owned();
    let failed =
        |why: std::io::Error| Error::failed(format!("cannot write manual pages to {shown}")).because(why);
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(tree(), folder).map_err(failed)?;
    out.say(&format!("wrote the pages to {shown}; try `man -l {shown}/coredeck.1`"));
    Ok(())
}
