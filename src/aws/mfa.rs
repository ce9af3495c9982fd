//! Asking a person for an MFA code: a thin edge over the terminal itself, never over stdin or stdout.

use crate::model::text::harmless;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Write};
use tokio::sync::oneshot;

/// How often a code that cannot be one is asked for again.
const TRIES: usize = 3;

/// What a code is needed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The configuration's name for the account.
    pub account: String,
    /// The role that asks for the code.
    pub role: String,
    /// The MFA device's ARN or serial number.
    pub device: String,
}

/// Somebody who can be asked for an MFA code.
pub trait AskCode: fmt::Debug + Send + Sync {
    /// Asks and waits for the answer: six digits. Dropping the future gives the question up.
    ///
    /// # Errors
    ///
    /// There is nobody to ask, or they did not answer with a code.
    fn ask(&self, question: &Question) -> BoxFuture<'static, io::Result<String>>;
}

/// Nobody: for scripts without a terminal, and for tests that need no code.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl AskCode for Nobody {
    fn ask(&self, _question: &Question) -> BoxFuture<'static, io::Result<String>> {
        async { Err(io::Error::new(io::ErrorKind::NotConnected, "there is no terminal to ask on")) }.boxed()
    }
}

/// The person at the controlling terminal, `/dev/tty`, whatever stdin and stdout are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal;

impl AskCode for Terminal {
    fn ask(&self, question: &Question) -> BoxFuture<'static, io::Result<String>> {
        let prompt = prompt(question);
        async move {
            let (answer, answered) = oneshot::channel();
            // A thread of its own and not the runtime's: a read from a terminal cannot be taken back, and
            // must not keep the program from ending when the question is given up.
            std::thread::Builder::new().name("mfa".to_owned()).spawn(move || {
                // Nobody waits any more when this fails.
                let _ = answer.send(converse(&prompt));
            })?;
            answered.await.unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into()))
        }
        .boxed()
    }
}

fn prompt(question: &Question) -> String {
    let Question { account, role, device } = question;
    harmless(&format!("MFA code of {device} for {role} (account {account}): ")).into_owned()
}

fn converse(prompt: &str) -> io::Result<String> {
    let tty = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|error| {
        io::Error::new(io::ErrorKind::NotConnected, format!("there is no terminal to ask on: {error}"))
    })?;
    let mut writer = tty.try_clone()?;
    dialogue(prompt, &mut BufReader::new(tty), &mut writer)
}

fn dialogue(prompt: &str, reader: &mut impl BufRead, writer: &mut impl Write) -> io::Result<String> {
    for _ in 0..TRIES {
        write!(writer, "{prompt}")?;
        writer.flush()?;
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "no code was typed"));
        }
        let code: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        if code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()) {
            return Ok(code);
        }
        writeln!(writer, "A code has six digits.")?;
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("no six-digit code in {TRIES} tries")))
}

#[cfg(test)]
mod tests {
    use super::{Question, dialogue, prompt};

    #[test]
    fn takes_six_digits_however_they_are_spaced_and_asks_again_for_anything_else() {
        let mut said = Vec::new();
        let code = dialogue("? ", &mut "hello\n123 456\n".as_bytes(), &mut said).unwrap();
        assert_eq!(code, "123456");
        assert_eq!(String::from_utf8(said).unwrap(), "? A code has six digits.\n? ");
    }

    #[test]
    fn gives_up_when_nothing_or_nonsense_is_typed() {
        let nothing = dialogue("", &mut "".as_bytes(), &mut Vec::new()).unwrap_err();
        assert_eq!(nothing.to_string(), "no code was typed");
        let nonsense = dialogue("", &mut "1\n2\n3\n123456\n".as_bytes(), &mut Vec::new()).unwrap_err();
        assert_eq!(nonsense.to_string(), "no six-digit code in 3 tries");
    }

    #[test]
    fn a_prompt_cannot_drive_the_terminal() {
        let question = Question { account: "a\u{1b}[2J".into(), role: "r".into(), device: "d".into() };
        assert_eq!(prompt(&question), "MFA code of d for r (account a␛[2J): ");
    }
}
