//! The signals that mean something to a screen.

use crate::error::{Error, Result};
use futures::FutureExt as _;
use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// What a signal means.
pub(super) enum Told {
    End(&'static str),
    Suspend,
    Continue,
    Resized,
}

/// The signals that end, stop and continue a program, and the one for a terminal of another size.
pub(super) struct Signals {
    term: tokio::signal::unix::Signal,
    hup: tokio::signal::unix::Signal,
    int: tokio::signal::unix::Signal,
    stop: tokio::signal::unix::Signal,
    cont: tokio::signal::unix::Signal,
    winch: tokio::signal::unix::Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self> {
        let of = |wanted: Signal| {
            signal(SignalKind::from_raw(wanted.as_raw()))
                .map_err(|error| Error::failed("signals cannot be listened for").because(error))
        };
        Ok(Self {
            term: of(Signal::TERM)?,
            hup: of(Signal::HUP)?,
            int: of(Signal::INT)?,
            stop: of(Signal::TSTP)?,
            cont: of(Signal::CONT)?,
            winch: of(Signal::WINCH)?,
        })
    }

    /// Forgets what the keyboard sent to somebody else who had the terminal.
    pub(super) fn forget(&mut self) {
        for one in [&mut self.int, &mut self.stop] {
            while one.recv().now_or_never().flatten().is_some() {}
        }
    }

    pub(super) async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.term.recv() => Told::End("SIGTERM"),
            _ = self.hup.recv() => Told::End("SIGHUP"),
            _ = self.int.recv() => Told::End("SIGINT"),
            _ = self.stop.recv() => Told::Suspend,
            _ = self.cont.recv() => Told::Continue,
            _ = self.winch.recv() => Told::Resized,
        }
    }
}
