//! The data channel of a session: the web socket over which the agent of a host and `session-manager-plugin` talk.
//!
//! Who opened a session gets an address here and a token. The plugin shows the token, the agent says what sort of
//! session it is, and from then on every message has a number and is acknowledged by the other side:
//!
//! ```text
//! plugin                                       agent
//!   {TokenValue, …} as text ────────────────→
//!   ←──────────────── output_stream_data 0: what sort of session, and which agent
//!   input_stream_data 0: understood ────────→
//!   ←──────────────── output_stream_data 1: begin
//!   input_stream_data n, acknowledge ←──────→ output_stream_data m, acknowledge
//! ```

mod message;
mod mux;
mod port;
mod typed;

use self::message::{Flag, Message, Payload};
use super::cores::Cores;
use super::http::Site;
use super::time::Moment;
use super::world::held;
use axum::extract::ws::{Message as Frame, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Messages that may be on their way without an answer.
const WINDOW: usize = 64;
/// How long a message may be without an answer before it is sent again.
const AGAIN: Duration = Duration::from_millis(200);
/// Bytes of a message at most, as the agent has it.
const PIECE: usize = 1024;

/// An instance, where it is, and its agent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) account: Arc<str>,
    pub(crate) region: &'static str,
    /// Its id; empty for a task of ECS.
    pub(crate) instance: String,
    /// The version of the agent there.
    pub(crate) agent: &'static str,
}

/// What a session leads to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Leads {
    /// A port of the host, which the plugin offers at a port of its own machine.
    Port { remote: u16, local: u16 },
    /// A shell, of the host or in a container.
    Shell { inside: bool },
}

/// A session that was opened.
#[derive(Clone, Debug)]
struct Session {
    token: String,
    target: Target,
    leads: Leads,
    over: CancellationToken,
}

/// Sessions that are open, by their ids, and where their data channels are.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    at: Option<SocketAddr>,
    open: Mutex<BTreeMap<String, Session>>,
}

impl Channels {
    /// None is open; their channels will be at this address.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self { at: Some(address), open: Mutex::default() }
    }

    /// Opens a session with this id and token. The address of its channel.
    pub(crate) fn open(&self, id: &str, token: &str, target: Target, leads: Leads) -> String {
        let region = target.region;
        let session = Session { token: token.to_owned(), target, leads, over: CancellationToken::new() };
        held(&self.open).insert(id.to_owned(), session);
        let door = match self.at {
            Some(address) => format!("ws://{address}"),
            None => format!("wss://ssmmessages.{region}.amazonaws.com"),
        };
        format!("{door}/v1/data-channel/{id}?role=publish_subscribe")
    }

    /// Ends a session, if there is one of this id.
    pub(crate) fn end(&self, id: &str) {
        if let Some(session) = held(&self.open).remove(id) {
            session.over.cancel();
        }
    }

    /// The ids of those that are open.
    pub(crate) fn ids(&self) -> Vec<String> {
        held(&self.open).keys().cloned().collect()
    }

    /// The ids of those of one place that are open, in their order, and what each leads to.
    pub(crate) fn of(&self, account: &str, region: &str) -> Vec<(String, String)> {
        let open = held(&self.open);
        let here =
            open.iter().filter(|(_, one)| *one.target.account == *account && one.target.region == region);
        let mut all: Vec<(String, String)> =
            here.map(|(id, one)| (id.clone(), one.target.instance.clone())).collect();
        all.sort();
        all
    }

    fn find(&self, id: &str) -> Option<Session> {
        held(&self.open).get(id).cloned()
    }
}

/// What every channel sees.
#[derive(Clone, Debug)]
pub(crate) struct Hall {
    pub(crate) site: Arc<Site>,
    /// None where the cores have no doors.
    pub(crate) cores: Option<Arc<Cores>>,
}

/// The plugin knocks.
pub(crate) async fn enter(
    State(hall): State<Hall>,
    Path(id): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(session) = hall.site.world.channels.find(&id) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    upgrade.on_upgrade(move |socket| async move {
        let stop = hall.site.stop.clone();
        let over = session.over.clone();
        let mut agent = Agent::new(socket, id, &hall);
        tokio::select! {
            () = stop.cancelled() => {}
            () = over.cancelled() => agent.close("").await,
            () = agent.serve(&hall, session) => {}
        }
    })
}

/// The agent's end of a channel.
struct Agent {
    socket: WebSocket,
    id: String,
    now: Moment,
    /// The number of the next message, and of the next that is awaited.
    next: i64,
    awaited: i64,
    /// What was sent and has no answer.
    unanswered: VecDeque<(i64, Vec<u8>)>,
}

/// What came.
enum Came {
    /// A message of the stream that is next.
    Next(Payload, Vec<u8>),
    /// An acknowledgement, or one that is known.
    Nothing,
    /// The plugin has gone.
    Gone,
}

impl Agent {
    fn new(socket: WebSocket, id: String, hall: &Hall) -> Self {
        let now = hall.site.world.clock.now();
        Self { socket, id, now, next: 0, awaited: 0, unanswered: VecDeque::new() }
    }

    async fn serve(&mut self, hall: &Hall, session: Session) {
        if !self.is_let_in(&session.token).await {
            return;
        }
        let (kind, properties) = match &session.leads {
            Leads::Port { remote, local } => {
                let ports = json!({
                    "portNumber": remote.to_string(), "localPortNumber": local.to_string(),
                    "type": "LocalPortForwarding",
                });
                ("Port", ports)
            }
            Leads::Shell { inside: true } => ("InteractiveCommands", Value::Null),
            Leads::Shell { inside: false } => ("Standard_Stream", Value::Null),
        };
        let begin = json!({
            "AgentVersion": session.target.agent,
            "RequestedClientActions": [{
                "ActionType": "SessionType",
                "ActionParameters": { "SessionType": kind, "Properties": properties },
            }],
        });
        if !self.tell(Payload::HandshakeRequest, begin.to_string().as_bytes()).await {
            return;
        }
        loop {
            match self.come().await {
                Came::Next(Payload::HandshakeResponse, said) if is_understood(&said) => break,
                Came::Next(Payload::HandshakeResponse, _) => {
                    return self.close("the plugin does not know this sort of session").await;
                }
                Came::Next(..) | Came::Nothing => {}
                Came::Gone => return,
            }
        }
        let done = json!({ "HandshakeTimeToComplete": 1_000_000, "CustomerMessage": "" });
        if !self.tell(Payload::HandshakeComplete, done.to_string().as_bytes()).await {
            return;
        }
        match session.leads {
            Leads::Port { remote, .. } => self.forward(hall, &session.target, remote).await,
            Leads::Shell { inside } => self.listen(hall, &session.target, inside).await,
        }
    }

    /// Whether the plugin shows the session's token first.
    async fn is_let_in(&mut self, token: &str) -> bool {
        while let Some(Ok(frame)) = self.socket.recv().await {
            let Frame::Text(text) = frame else { continue };
            let asked: Value = serde_json::from_str(&text).unwrap_or_default();
            let is_good = asked.get("TokenValue").and_then(Value::as_str) == Some(token)
                && asked.get("MessageSchemaVersion").and_then(Value::as_str) == Some("1.0")
                && asked.get("ClientId").is_some();
            return is_good;
        }
        false
    }

    /// Carries connections to a port of the host, until the plugin ends the session or goes.
    async fn forward(&mut self, hall: &Hall, target: &Target, remote: u16) {
        let (send, mut said) = mpsc::channel(16);
        let mut port = port::Forwarded::new(hall, target, remote, send);
        loop {
            let has_room = self.unanswered.len() < WINDOW;
            tokio::select! {
                came = self.come() => match came {
                    Came::Next(Payload::Output, bytes) => {
                        if !port.take(&bytes).await {
                            return self.close("the stream is not one of connections").await;
                        }
                    }
                    Came::Next(Payload::Flag, bytes) => match Flag::read(&bytes) {
                        Some(Flag::DisconnectToPort) => port.hang_up(),
                        Some(Flag::TerminateSession) => {
                            hall.site.world.channels.end(&self.id);
                            return;
                        }
                        _ => {}
                    },
                    Came::Next(..) | Came::Nothing => {}
                    Came::Gone => return,
                },
                Some(from) = said.recv(), if has_room => {
                    for (kind, bytes) in port.wrap(from) {
                        for piece in bytes.chunks(PIECE) {
                            // Whoever has gone may have ended the session before, which is still to be read.
                            let _ = self.tell(kind, piece).await;
                        }
                    }
                }
            }
        }
    }

    /// A shell, line by line.
    async fn listen(&mut self, hall: &Hall, target: &Target, inside: bool) {
        let mut shell = typed::Shell::new(target.clone(), inside);
        let mut says = shell.prompt();
        loop {
            for piece in says.as_bytes().chunks(PIECE) {
                if !self.tell(Payload::Output, piece).await {
                    return;
                }
            }
            says.clear();
            match self.come().await {
                Came::Next(Payload::Output, typed) => {
                    let (said, is_over) = shell.hear(hall, &typed);
                    says = said;
                    if is_over {
                        // What it says last comes before its end.
                        let _ = self.tell(Payload::Output, says.as_bytes()).await;
                        hall.site.world.channels.end(&self.id);
                        return self.close("").await;
                    }
                }
                Came::Next(Payload::Flag, bytes) if Flag::read(&bytes) == Some(Flag::TerminateSession) => {
                    hall.site.world.channels.end(&self.id);
                    return self.close("").await;
                }
                Came::Next(..) | Came::Nothing => {}
                Came::Gone => return,
            }
        }
    }

    /// Waits for what comes, and sends again what had no answer.
    async fn come(&mut self) -> Came {
        let first = loop {
            let waits = async {
                match self.unanswered.is_empty() {
                    true => std::future::pending().await,
                    false => tokio::time::sleep(AGAIN).await,
                }
            };
            tokio::select! {
                frame = self.socket.recv() => break frame,
                () = waits => {
                    let again = self.unanswered.front().map(|(_, bytes)| bytes.clone()).unwrap_or_default();
                    // Whoever has gone may have said something before, which is read all the same.
                    let _ = self.socket.send(Frame::Binary(again.into())).await;
                }
            }
        };
        let bytes = match first {
            Some(Ok(Frame::Binary(bytes))) => bytes,
            Some(Ok(Frame::Close(_)) | Err(_)) | None => return Came::Gone,
            Some(Ok(_)) => return Came::Nothing,
        };
        let Some(message) = Message::read(&bytes) else { return Came::Gone };
        match message.kind.as_str() {
            "acknowledge" => {
                let said: Value = serde_json::from_slice(&message.payload).unwrap_or_default();
                let number = said.get("AcknowledgedMessageSequenceNumber").and_then(Value::as_i64);
                self.unanswered.retain(|(known, _)| Some(*known) != number);
                Came::Nothing
            }
            "input_stream_data" => {
                // A plugin that ends its session does not wait for the answer to its last word.
                let _ = self.send(&message.acknowledged(), self.now).await;
                // What comes again was answered already.
                if message.number != self.awaited {
                    return Came::Nothing;
                }
                self.awaited += 1;
                Came::Next(message.payload_kind, message.payload)
            }
            _ => Came::Nothing,
        }
    }

    /// Sends a message of the stream. Whether the plugin is still there.
    async fn tell(&mut self, kind: Payload, payload: &[u8]) -> bool {
        let message = Message::output(self.next, kind, payload.to_vec());
        let bytes = message.write(self.now);
        self.unanswered.push_back((self.next, bytes.clone()));
        self.next += 1;
        self.socket.send(Frame::Binary(bytes.into())).await.is_ok()
    }

    async fn send(&mut self, message: &Message, now: Moment) -> Result<(), axum::Error> {
        self.socket.send(Frame::Binary(message.write(now).into())).await
    }

    /// Says that the session is over.
    async fn close(&mut self, why: &str) {
        let message = Message::closed(&self.id, why);
        // Whoever has gone need not be told.
        let _ = self.send(&message, self.now).await;
        let _ = self.socket.send(Frame::Close(None)).await;
    }
}

/// Whether the plugin took everything that it was asked.
fn is_understood(said: &[u8]) -> bool {
    let said: Value = serde_json::from_slice(said).unwrap_or_default();
    let done = said.get("ProcessedClientActions").and_then(Value::as_array);
    done.is_some_and(|all| {
        !all.is_empty() && all.iter().all(|one| one.get("ActionStatus").and_then(Value::as_i64) == Some(1))
    })
}
