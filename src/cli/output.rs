//! The only place that prints: data to stdout, everything else to stderr.

use crate::error::{Error, ErrorKind, Result};
use crate::model::text::is_unsafe;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io::{IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};

/// Whether escape sequences may be written to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// They may.
    Yes,
    /// They may not.
    No,
}

/// How one table follows another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// It takes the place of the one before: a terminal that knows escape sequences.
    InPlace,
    /// It stands below the one before.
    Below,
}

/// Where output goes, and what is known of the place.
pub struct Output {
    data: Box<dyn Write + Send>,
    side: Box<dyn Write + Send>,
    /// How wide the terminal is; none when stdout is not one.
    pub width: Option<usize>,
    /// Whether data may be coloured.
    pub colour: Colour,
    /// Whether what is said on stderr may be coloured.
    pub side_colour: Colour,
    /// Whether a person sees what is said on stderr: a terminal.
    pub is_attended: bool,
    /// How one table follows another.
    pub paging: Paging,
    /// Stdout, where data goes there.
    stdout: Option<OwnedFd>,
    /// Whether errors are written for programs.
    pub errors_as_json: bool,
}

impl Output {
    /// Stdout and stderr of this process. `NO_COLOR`, `--no-color` and `TERM=dumb` turn colours off.
    pub fn of_process(wants_colour: Colour) -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = is_dumb();
        let may = wants_colour == Colour::Yes && !is_set("NO_COLOR") && !is_dumb;
        let colour = |is_terminal: bool| if may && is_terminal { Colour::Yes } else { Colour::No };
        let (out, err) = (std::io::stdout(), std::io::stderr());
        let width = if out.is_terminal() {
            let told = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
            Some(told.filter(|width| *width > 0).unwrap_or(80))
        } else {
            None
        };
        let paging = if out.is_terminal() && !is_dumb { Paging::InPlace } else { Paging::Below };
        Self {
            width,
            is_attended: err.is_terminal(),
            paging,
            stdout: out.as_fd().try_clone_to_owned().ok(),
            colour: colour(out.is_terminal()),
            side_colour: colour(err.is_terminal()),
            data: Box::new(std::io::BufWriter::new(out)),
            side: Box::new(err),
            errors_as_json: false,
        }
    }

    /// Two other streams, without colours and width.
    pub fn to(data: impl Write + Send + 'static, side: impl Write + Send + 'static) -> Self {
        Self {
            data: Box::new(data),
            side: Box::new(side),
            width: None,
            is_attended: false,
            paging: Paging::Below,
            stdout: None,
            colour: Colour::No,
            side_colour: Colour::No,
            errors_as_json: false,
        }
    }

    /// Writes data and sends it on its way. Fails when nobody reads it any more.
    pub fn data(&mut self, text: &str) -> Result<()> {
        self.data.write_all(text.as_bytes())?;
        self.data.flush()?;
        Ok(())
    }

    /// Lets data be written piece by piece and sends it on its way. Fails when nobody reads it any more.
    pub(super) fn stream(&mut self, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
        write(&mut self.data)?;
        self.data.flush()?;
        Ok(())
    }

    /// Ends when nobody reads stdout any more; never for other streams. A write would tell too, but none may
    /// come for hours.
    pub(super) fn gone(&self) -> impl Future<Output = ()> + Send + use<> {
        let stdout = self.stdout.as_ref().and_then(|stdout| stdout.try_clone().ok());
        async move {
            match stdout {
                Some(stdout) => hung_up(stdout).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Says something beside the data, on lines of its own.
    pub fn say(&mut self, text: &str) {
        // Nobody is left to tell when stderr itself fails.
        let _ = writeln!(self.side, "{}", text.trim_end_matches('\n')).and_then(|()| self.side.flush());
    }

    /// Asks something beside the data, and stays on its line.
    pub fn ask(&mut self, text: &str) {
        // Nobody is left to tell when stderr itself fails.
        let _ = write!(self.side, "{text}").and_then(|()| self.side.flush());
    }

    /// Says a warning.
    pub fn warn(&mut self, text: &str) {
        let mark = paint("warning:", "33;1", self.side_colour);
        self.say(&format!("{mark} {text}"));
    }

    /// Says an error, for a person or for a program.
    pub fn fail(&mut self, error: &Error) {
        match error.kind {
            ErrorKind::BrokenPipe | ErrorKind::Passed(_) => {}
            _ if self.errors_as_json => self.say(&super::failure::json(error)),
            _ => self.say(&super::failure::text(error, self.side_colour)),
        }
    }
}

/// Ends when the other end of a stream is closed. The thread sleeps in the kernel until then, and is left
/// behind when the process ends earlier.
async fn hung_up(stream: OwnedFd) {
    let (tell, told) = tokio::sync::oneshot::channel();
    let watch = move || {
        loop {
            let mut asked = [PollFd::new(&stream, PollFlags::empty())];
            match poll(&mut asked, None) {
                Err(Errno::INTR) => {}
                Ok(_)
                    if asked.iter().any(|one| one.revents().intersects(PollFlags::HUP | PollFlags::ERR)) =>
                {
                    // Nobody waits for it when the command has just ended.
                    let _ = tell.send(());
                    return;
                }
                // What cannot be watched tells by a failing write.
                Ok(_) | Err(_) => return,
            }
        }
    };
    let thread = std::thread::Builder::new().name("stdout".to_owned()).spawn(watch);
    if thread.is_err() || told.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Tells whether escape sequences mean nothing here.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty())
}

/// Puts a style around text that holds no escape sequences of its own.
pub(super) fn paint(text: &str, style: &str, colour: Colour) -> String {
    debug_assert!(!text.chars().any(is_unsafe), "paint harmless text only");
    match colour {
        Colour::Yes => format!("\u{1b}[{style}m{text}\u{1b}[0m"),
        Colour::No => text.to_owned(),
    }
}

/// Where bars are drawn.
pub(super) fn place_for_bars() -> indicatif::ProgressDrawTarget {
    indicatif::ProgressDrawTarget::stderr()
}

/// A stream for the log.
pub(super) fn log_stream() -> impl Write {
    std::io::stderr()
}

/// Tells whether a screen can be opened here: both ends are terminals that know escape sequences.
pub(super) fn can_open_screen() -> std::result::Result<(), &'static str> {
    if !std::io::stdout().is_terminal() {
        Err("stdout is not a terminal")
    } else if !std::io::stdin().is_terminal() {
        Err("stdin is not a terminal")
    } else if is_dumb() {
        Err("TERM says that this terminal cannot draw")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn it_is_noticed_when_the_reader_goes_away_without_a_write() {
        let (reader, writer) = std::io::pipe().unwrap();
        let gone = hung_up(writer.into());
        tokio::pin!(gone);
        assert_eq!((&mut gone).now_or_never(), None);
        drop(reader);
        gone.await;
    }
}
