//! What is logged and where to: nothing unless asked, and never into a screen.

use super::args::Global;
use super::output::log_stream;
use crate::error::{Error, Result};
use crate::model::text::harmless;
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Starts logging as the flags say.
pub(super) fn start(global: &Global) -> Result<()> {
    let level = match (global.verbose, &global.log_file) {
        (0, None) => return Ok(()),
        (0 | 1, _) => "coredeck=info,warn",
        (2, _) => "coredeck=debug,info",
        // The SDK's own trace level would log whole requests with their signatures.
        (_, _) => "coredeck=trace,debug",
    };
    let filter = EnvFilter::new(level);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    let started = match &global.log_file {
        Some(path) => builder.with_writer(ToFile(Arc::new(Mutex::new(open(path)?)))).try_init(),
        None => builder.with_writer(log_stream).try_init(),
    };
    started.map_err(|why| Error::failed("cannot start the log").because(why))
}

/// Opens a log for appending; only its owner may read it, since it names resources.
fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let shown = harmless(&path.to_string_lossy()).into_owned();
    options.open(path).map_err(|why| Error::usage(format!("cannot write the log to {shown}")).because(why))
}

/// A file that the log goes to, line by line.
struct ToFile(Arc<Mutex<File>>);

impl<'a> MakeWriter<'a> for ToFile {
    type Writer = Line;
    fn make_writer(&'a self) -> Line {
        Line(Arc::clone(&self.0))
    }
}

/// One line on its way.
struct Line(Arc<Mutex<File>>);

impl std::io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).flush()
    }
}
