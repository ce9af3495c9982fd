//! A loopback server for tests: it says exactly what a test tells it, right or wrong.

use super::call::Desk;
use super::login::Failure;
use super::session::{Finder, Session};
use super::site::{Patience, Site};
use super::wire::{Retries, Wire};
use crate::clock::Clock;
use crate::gateway::Urgency;
use crate::model::{AccountName, Region, Scope};
use aws_credential_types::Credentials;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the server does with a request.
pub(super) enum Say {
    /// Answers: status, content type, body.
    Whole(u16, &'static str, String),
    /// Answers with a body that is no text: status, content type, body.
    Bytes(u16, &'static str, Vec<u8>),
    /// Promises more body than it sends, then hangs up.
    Cut(u16, &'static str, String),
    /// Never answers.
    Nothing,
}

/// A server that lives as long as this value.
pub(super) struct Fake {
    /// `http://127.0.0.1:PORT`
    pub(super) url: String,
    /// Heads and bodies of the requests so far.
    pub(super) heard: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fake {
    /// A server that answers each request as `answer` says; its arguments are the request's text and
    /// how many came before.
    pub(super) async fn new(answer: impl Fn(&str, usize) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (answer, notes) = (Arc::new(answer), Arc::clone(&heard));
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, notes) = (Arc::clone(&answer), Arc::clone(&notes));
                open.spawn(async move { serve(stream, answer.as_ref(), &notes).await });
            }
        });
        Self { url, heard, task }
    }

    /// Stops listening, and waits until the port is free.
    pub(super) async fn close(mut self) {
        self.task.abort();
        // Aborted is what it shall be.
        let _ = (&mut self.task).await;
    }

    /// A desk whose every request comes here, with keys and one attempt.
    pub(super) async fn desk(&self) -> Desk {
        self.desk_with(ONCE).await
    }

    /// The same with hardly any patience: only for a server that never answers, since a busy machine may
    /// keep an honest answer for longer.
    pub(super) async fn hasty_desk(&self) -> Desk {
        let patience = Patience {
            silent: Duration::from_millis(100),
            silent_heavy: Duration::from_millis(100),
            slow: Duration::from_millis(400),
            ..Patience::default()
        };
        Desk::new(Arc::new(self.site(ONCE, fixed()).await.with_patience(patience)), Urgency::User)
    }

    /// The same with hardly any patience for heavy answers alone.
    pub(super) async fn desk_hasty_with_lists(&self) -> Desk {
        let silent_heavy = Duration::from_millis(100);
        let patience = Patience { silent_heavy, slow: silent_heavy, ..Patience::default() };
        Desk::new(Arc::new(self.site(ONCE, fixed()).await.with_patience(patience)), Urgency::User)
    }

    /// The desk from which changes are sent.
    pub(super) async fn desk_of_changes(&self) -> Desk {
        Desk::of_changes(Arc::new(self.site(ONCE, fixed()).await))
    }

    /// The same with retries.
    pub(super) async fn desk_with(&self, retries: Retries) -> Desk {
        self.desk_of(retries, fixed()).await
    }

    /// The same with a session of the test's own.
    pub(super) async fn desk_of(&self, retries: Retries, session: Arc<Session>) -> Desk {
        Desk::new(Arc::new(self.site(retries, session).await), Urgency::User)
    }

    async fn site(&self, retries: Retries, session: Arc<Session>) -> Site {
        let wire = Wire::new(Some(self.url.clone())).retrying(retries);
        let scope = Scope { account: AccountName::new("main"), region: Region::new("eu-west-1") };
        let config = wire.config(None, &scope.region, Arc::clone(&session)).await;
        Site::new(scope, config, session, Arc::default(), Clock::Real)
    }
}

/// One attempt.
const ONCE: Retries = Retries { attempts: 1, first_pause: Duration::from_millis(1), is_adaptive: false };

/// A session with keys that are always there.
pub(super) fn fixed() -> Arc<Session> {
    Arc::new(Session::new(Arc::new(Fixed), Clock::Real))
}

/// Keys that are always there.
#[derive(Debug)]
pub(super) struct Fixed;

impl Finder for Fixed {
    fn find(&self) -> BoxFuture<'static, Result<Credentials, Failure>> {
        async { Ok(Credentials::new("AKIDTEST", "secret", None, None, "test")) }.boxed()
    }

    fn renewal(&self) -> String {
        "aws sso login --profile test".to_owned()
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: &(dyn Fn(&str, usize) -> Say + Send + Sync),
    heard: &Mutex<Vec<String>>,
) {
    let Some(request) = request(&mut stream).await else { return };
    let before = {
        let mut heard = heard.lock().unwrap();
        heard.push(request.clone());
        heard.len() - 1
    };
    let (status, kind, body, missing) = match answer(&request, before) {
        Say::Whole(status, kind, body) => (status, kind, body.into_bytes(), 0),
        Say::Bytes(status, kind, body) => (status, kind, body, 0),
        Say::Cut(status, kind, body) => (status, kind, body.into_bytes(), 1_000),
        Say::Nothing => {
            // Until the client gives up: it never sends more, so this ends with its hanging up.
            let mut rest = [0; 1];
            let _ = stream.read(&mut rest).await;
            return;
        }
    };
    let length = body.len() + missing;
    let head = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nx-amzn-requestid: req-{before}\r\nconnection: close\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&body).await;
    let _ = stream.shutdown().await;
}

async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
