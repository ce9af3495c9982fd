//! The terminal while the screen has it, and how it is given back: after quitting, errors and panics.

use crate::error::{Error, Result};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode, size};
use std::io::Write;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Alternate screen, hidden cursor, bracketed paste.
const OPEN: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h";
/// Everything back: also the end of a synchronized frame that was cut short, and plain characters.
const CLOSE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?25h\x1b[?1049l";

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// The terminal in our hands. Dropping it gives it back.
pub(super) struct Terminal {
    state: Arc<State>,
    before: Option<Arc<Hook>>,
}

struct State {
    is_open: AtomicBool,
    /// Something panicked while the screen was open; the terminal is already given back.
    panicked: Notify,
}

impl Terminal {
    /// Takes the terminal. From here on a panic anywhere gives it back before its message is printed.
    pub(super) fn open() -> Result<Self> {
        let state = Arc::new(State { is_open: AtomicBool::new(false), panicked: Notify::new() });
        let before: Arc<Hook> = Arc::new(take_hook());
        let (hooked, then) = (Arc::clone(&state), Arc::clone(&before));
        set_hook(Box::new(move |info| {
            if hooked.is_open.load(Ordering::SeqCst) {
                hooked.give_back();
                hooked.panicked.notify_one();
            }
            then(info);
        }));
        let terminal = Self { state, before: Some(before) };
        terminal.resume()?;
        Ok(terminal)
    }

    /// Takes the terminal again after `suspend`.
    pub(super) fn resume(&self) -> Result<()> {
        // A shell may have changed the line's settings while we were stopped, of which crossterm does not know:
        // it must not believe them to be as it left them. The switch that follows tells what fails.
        let _ = disable_raw_mode();
        enable_raw_mode().map_err(|error| {
            Error::failed("the terminal cannot be switched to single keys")
                .because(error)
                .hint("run coredeck in a terminal, or use `coredeck get` in scripts")
        })?;
        self.state.is_open.store(true, Ordering::SeqCst);
        self.write(OPEN)
    }

    /// Gives the terminal back for a while.
    pub(super) fn suspend(&self) {
        self.state.give_back();
    }

    /// Writes bytes at once.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() || !self.state.is_open.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()?;
        Ok(())
    }

    /// Waits until something has panicked.
    pub(super) async fn panicked(&self) {
        self.state.panicked.notified().await;
    }

    /// Columns and rows.
    pub(super) fn size() -> Result<(u16, u16)> {
        size().map_err(|error| Error::failed("the size of the terminal is not known").because(error))
    }
}

impl State {
    fn give_back(&self) {
        if self.is_open.swap(false, Ordering::SeqCst) {
            let mut out = std::io::stdout().lock();
            // Nobody is left to tell when the terminal is gone: after SIGHUP it is.
            let _ = out.write_all(CLOSE).and_then(|()| out.flush());
            let _ = disable_raw_mode();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.state.give_back();
        if std::thread::panicking() {
            // A hook cannot be changed while panicking; with the terminal closed ours does nothing more.
            return;
        }
        if let Some(before) = self.before.take() {
            drop(take_hook());
            match Arc::try_unwrap(before) {
                Ok(hook) => set_hook(hook),
                Err(shared) => set_hook(Box::new(move |info| shared(info))),
            }
        }
    }
}
