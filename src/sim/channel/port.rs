//! A forwarded port: connections to it, one after the other or many at once, as the agent's version has it.

use super::message::{Flag, Payload};
use super::mux::Frame;
use super::{Hall, Target};
use std::collections::HashMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

/// The last agent that takes one connection at a time.
const LAST_WITH_ONE: [u64; 4] = [3, 0, 196, 0];
/// Pieces that wait for a connection to take them.
const WAITING: usize = 64;
/// Bytes that are read at once: what one frame carries.
const PIECE: usize = 16 << 10;

/// What a connection says: which it is, and bytes; none for its end, and an error where there never was one.
#[derive(Debug)]
pub(super) enum From {
    Bytes(u32, Vec<u8>),
    End(u32),
    Refused(u32),
}

/// The port of a host.
pub(super) struct Forwarded<'h> {
    hall: &'h Hall,
    target: &'h Target,
    port: u16,
    /// Many connections at once; what came of a frame that is not whole.
    many: Option<Vec<u8>>,
    open: HashMap<u32, mpsc::Sender<Vec<u8>>>,
    send: mpsc::Sender<From>,
    /// The connection, where there is one at a time.
    turn: u32,
}

impl<'h> Forwarded<'h> {
    pub(super) fn new(hall: &'h Hall, target: &'h Target, port: u16, send: mpsc::Sender<From>) -> Self {
        let many = takes_many(target.agent).then(Vec::new);
        Self { hall, target, port, many, open: HashMap::new(), send, turn: 0 }
    }

    /// Takes what came from the plugin. False for what is no stream of connections.
    pub(super) async fn take(&mut self, bytes: &[u8]) -> bool {
        let Some(come) = &mut self.many else {
            if !self.open.contains_key(&self.turn) {
                self.connect(self.turn);
            }
            self.pass(self.turn, bytes.to_vec()).await;
            return true;
        };
        come.extend(bytes);
        let mut frames = Vec::new();
        loop {
            match Frame::take(come) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(()) => return false,
            }
        }
        for frame in frames {
            match frame {
                Frame::Open(of) => self.connect(of),
                Frame::Close(of) => drop(self.open.remove(&of)),
                Frame::Data(of, data) => self.pass(of, data).await,
                Frame::Nothing => {}
            }
        }
        true
    }

    /// The connection is over, where there is one at a time.
    pub(super) fn hang_up(&mut self) {
        self.open.remove(&self.turn);
        self.turn = self.turn.wrapping_add(1);
    }

    /// What a connection said, as it is sent.
    pub(super) fn wrap(&mut self, from: From) -> Vec<(Payload, Vec<u8>)> {
        let is_many = self.many.is_some();
        match from {
            // What a connection that is over says is nobody's.
            From::Bytes(of, _) if !is_many && of != self.turn => Vec::new(),
            From::Bytes(_, bytes) if !is_many => vec![(Payload::Output, bytes)],
            From::Bytes(of, bytes) => vec![(Payload::Output, Frame::Data(of, bytes).write())],
            From::End(of) => {
                self.open.remove(&of);
                if is_many { vec![(Payload::Output, Frame::Close(of).write())] } else { Vec::new() }
            }
            From::Refused(of) => {
                self.open.remove(&of);
                let mut all = vec![(Payload::Flag, Flag::ConnectToPortError.bytes())];
                if is_many {
                    all.push((Payload::Output, Frame::Close(of).write()));
                }
                all
            }
        }
    }

    async fn pass(&mut self, of: u32, bytes: Vec<u8>) {
        if let Some(connection) = self.open.get(&of) {
            // What is sent to a connection that has just ended is lost, as on a wire.
            let _ = connection.send(bytes).await;
        }
    }

    fn connect(&mut self, of: u32) {
        let (send, mut take) = mpsc::channel::<Vec<u8>>(WAITING);
        self.open.insert(of, send);
        let (hall, target, port, say) =
            (self.hall.clone(), self.target.clone(), self.port, self.send.clone());
        tokio::spawn(async move {
            let stream = match &hall.cores {
                Some(cores) => cores.connect(&target.account, target.region, &target.instance, port).await,
                None => None,
            };
            // The session may be over meanwhile; then nobody is left to be told, here and below.
            let Some(mut stream) = stream else {
                let _ = say.send(From::Refused(of)).await;
                return;
            };
            let mut bytes = vec![0; PIECE];
            loop {
                tokio::select! {
                    came = take.recv() => match came {
                        Some(came) => if stream.write_all(&came).await.is_err() { break },
                        None => break,
                    },
                    read = stream.read(&mut bytes) => match read {
                        Ok(count) if count > 0 => {
                            let said = bytes.get(..count).unwrap_or_default().to_vec();
                            if say.send(From::Bytes(of, said)).await.is_err() {
                                break;
                            }
                        }
                        _ => break,
                    },
                    () = hall.site.stop.cancelled() => break,
                }
            }
            let _ = say.send(From::End(of)).await;
        });
    }
}

/// Whether an agent of this version takes many connections at once.
fn takes_many(version: &str) -> bool {
    let numbers: Vec<u64> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    numbers.as_slice() > LAST_WITH_ONE.as_slice()
}

#[cfg(test)]
mod tests {
    use super::takes_many;

    #[test]
    fn old_agents_take_one_connection_at_a_time() {
        assert!(takes_many("3.3.2958.0") && takes_many("3.0.222.0"));
        assert!(!takes_many("3.0.196.0") && !takes_many("2.3.722.0") && !takes_many(""));
    }
}
