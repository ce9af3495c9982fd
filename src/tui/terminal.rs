//! The terminal while the screen has it, and how it is given back: after quitting, errors and panics.

use crate::error::{Error, Result};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::Write;
use std::io::{stdin, stdout};
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Alternate screen, hidden cursor, bracketed paste, focus told.
const OPEN: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1004h";
/// Presses and the wheel are told, by numbers of any size; moves are not, because each would be bytes.
const MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";
/// The mouse is the terminal's own again.
const NO_MOUSE: &[u8] = b"\x1b[?1006l\x1b[?1000l";
/// Everything back: also the end of a synchronized frame that was cut short, whole margins and plain characters.
const CLOSE: &[u8] =
    b"\x1b[?2026l\x1b[r\x1b[0m\x1b[?1006l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[?25h\x1b[?1049l";

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// The terminal in our hands. Dropping it gives it back.
pub(super) struct Terminal {
    state: Arc<State>,
    before: Option<Arc<Hook>>,
}

struct State {
    is_open: AtomicBool,
    has_mouse: AtomicBool,
    /// How the line discipline stood before.
    before: Mutex<Option<Termios>>,
    /// Something panicked while the screen was open; the terminal is already given back.
    panicked: Notify,
}

impl Terminal {
    /// Takes the terminal. From here on a panic anywhere gives it back before its message is printed.
    pub(super) fn open() -> Result<Self> {
        let state = Arc::new(State {
            is_open: AtomicBool::new(false),
            has_mouse: AtomicBool::new(false),
            before: Mutex::new(None),
            panicked: Notify::new(),
        });
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
        self.state.take_keys().map_err(|error| {
            Error::failed("the terminal cannot be switched to single keys")
                .because(error)
                .hint("run coredeck in a terminal, or use `coredeck get` in scripts")
        })?;
        self.state.is_open.store(true, Ordering::SeqCst);
        self.write(OPEN)?;
        self.write(if self.state.has_mouse.load(Ordering::SeqCst) { MOUSE } else { b"" })
    }

    /// Takes the mouse, or leaves it to the terminal.
    pub(super) fn mouse(&self, is_ours: bool) -> Result<()> {
        self.state.has_mouse.store(is_ours, Ordering::SeqCst);
        self.write(if is_ours { MOUSE } else { NO_MOUSE })
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
        let size = tcgetwinsize(stdout())
            .map_err(|error| Error::failed("the size of the terminal is not known").because(error))?;
        // A terminal that does not know, as over a serial line, says 0.
        let or = |told: u16, usual| if told == 0 { usual } else { told };
        Ok((or(size.ws_col, 80), or(size.ws_row, 24)))
    }
}

impl State {
    /// Keys come one by one, unechoed. How it was before is remembered once: whoever continued us may have
    /// put our own mode back already.
    fn take_keys(&self) -> rustix::io::Result<()> {
        let mut kept = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match kept.take() {
            Some(before) => before,
            None => tcgetattr(stdin())?,
        };
        let mut raw = before.clone();
        raw.make_raw();
        let done = tcsetattr(stdin(), OptionalActions::Now, &raw);
        *kept = Some(before);
        done
    }

    fn give_back(&self) {
        if self.is_open.swap(false, Ordering::SeqCst) {
            let mut out = std::io::stdout().lock();
            // Nobody is left to tell when the terminal is gone: after SIGHUP it is.
            let _ = out.write_all(CLOSE).and_then(|()| out.flush());
            let before = self.before.lock().unwrap_or_else(PoisonError::into_inner).take();
            let _ = before.map(|before| tcsetattr(stdin(), OptionalActions::Now, &before));
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
