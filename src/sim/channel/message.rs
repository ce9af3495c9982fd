//! Messages of a data channel: a header of fixed places, big endian, and what it carries.
//!
//! ```text
//!   0 header length   4 type, 32 characters   36 version   40 made, in milliseconds   48 number   56 flags
//!  64 id, its halves exchanged   80 SHA-256 of what it carries   112 what that is   116 its length   120 …
//! ```

use crate::sim::time::Moment;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// Where what a message carries has its length; everything before is the header.
const HEADER: usize = 116;

/// What a message carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payload {
    None,
    Output,
    HandshakeRequest,
    HandshakeResponse,
    HandshakeComplete,
    Flag,
    /// Sizes of terminals, and what else is of no use here.
    Other(u32),
}

impl Payload {
    fn number(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Output => 1,
            Self::HandshakeRequest => 5,
            Self::HandshakeResponse => 6,
            Self::HandshakeComplete => 7,
            Self::Flag => 10,
            Self::Other(number) => number,
        }
    }

    fn of(number: u32) -> Self {
        match number {
            0 => Self::None,
            1 => Self::Output,
            5 => Self::HandshakeRequest,
            6 => Self::HandshakeResponse,
            7 => Self::HandshakeComplete,
            10 => Self::Flag,
            other => Self::Other(other),
        }
    }
}

/// What either side asks of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    /// The connection is over, and the next data is of another.
    DisconnectToPort,
    /// The session is over.
    TerminateSession,
    /// Nothing listens at the port.
    ConnectToPortError,
}

impl Flag {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        match u32::from_be_bytes(bytes.try_into().ok()?) {
            1 => Some(Self::DisconnectToPort),
            2 => Some(Self::TerminateSession),
            3 => Some(Self::ConnectToPortError),
            _ => None,
        }
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        let number: u32 = match self {
            Self::DisconnectToPort => 1,
            Self::TerminateSession => 2,
            Self::ConnectToPortError => 3,
        };
        number.to_be_bytes().to_vec()
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    pub(super) kind: String,
    pub(super) number: i64,
    flags: u64,
    id: [u8; 16],
    pub(super) payload_kind: Payload,
    pub(super) payload: Vec<u8>,
}

impl Message {
    /// What the agent sends.
    pub(super) fn output(number: i64, payload_kind: Payload, payload: Vec<u8>) -> Self {
        let flags = u64::from(number == 0);
        Self::new("output_stream_data", number, flags, payload_kind, payload)
    }

    /// The session is over, and why.
    pub(super) fn closed(session: &str, why: &str) -> Self {
        let said = json!({
            "MessageId": "", "CreatedDate": "", "DestinationId": "", "SessionId": session,
            "MessageType": "channel_closed", "SchemaVersion": 1, "Output": why,
        });
        Self::new("channel_closed", 0, 3, Payload::None, said.to_string().into_bytes())
    }

    /// The answer to this one.
    pub(super) fn acknowledged(&self) -> Self {
        let said = json!({
            "AcknowledgedMessageType": self.kind, "AcknowledgedMessageId": spelled(self.id),
            "AcknowledgedMessageSequenceNumber": self.number, "IsSequentialMessage": true,
        });
        Self::new("acknowledge", 0, 3, Payload::None, said.to_string().into_bytes())
    }

    fn new(kind: &str, number: i64, flags: u64, payload_kind: Payload, payload: Vec<u8>) -> Self {
        let mut digest = Sha256::new();
        digest.update(number.to_be_bytes());
        digest.update(kind.as_bytes());
        digest.update(&payload);
        let mut id = [0; 16];
        id.iter_mut().zip(digest.finalize()).for_each(|(to, from)| *to = from);
        Self { kind: kind.to_owned(), number, flags, id, payload_kind, payload }
    }

    /// Reads one; none for what is none, and where what it carries is not what was sent.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let part = |from: usize, length: usize| bytes.get(from..from.checked_add(length)?);
        let small = |from: usize| Some(u32::from_be_bytes(part(from, 4)?.try_into().ok()?));
        let large = |from: usize| Some(u64::from_be_bytes(part(from, 8)?.try_into().ok()?));
        let header = usize::try_from(small(0)?).ok()?;
        let payload = bytes.get(header.checked_add(4)?..)?.to_vec();
        let is_whole = usize::try_from(small(HEADER)?).ok()? == payload.len();
        if !is_whole || part(80, 32)? != Sha256::digest(&payload).as_slice() {
            return None;
        }
        let mut id = [0; 16];
        let halves = part(72, 8)?.iter().chain(part(64, 8)?);
        id.iter_mut().zip(halves).for_each(|(to, from)| *to = *from);
        let kind = String::from_utf8_lossy(part(4, 32)?);
        Some(Self {
            kind: kind.trim_matches([' ', '\0']).to_owned(),
            number: large(48)?.cast_signed(),
            flags: large(56)?,
            id,
            payload_kind: Payload::of(small(112)?),
            payload,
        })
    }

    /// As it goes over the wire.
    pub(super) fn write(&self, now: Moment) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + 4 + self.payload.len());
        bytes.extend(116_u32.to_be_bytes());
        bytes.extend(format!("{:<32}", self.kind).bytes().take(32));
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend(now.0.to_be_bytes());
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.flags.to_be_bytes());
        let (most, least) = self.id.split_at(8);
        bytes.extend(least.iter().chain(most));
        bytes.extend(Sha256::digest(&self.payload));
        bytes.extend(self.payload_kind.number().to_be_bytes());
        bytes.extend(u32::try_from(self.payload.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }
}

/// As ids of this sort are written.
fn spelled(id: [u8; 16]) -> String {
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_was_and_a_broken_one_not_at_all() {
        let message = Message::output(7, Payload::Output, b"GET / HTTP/1.1".to_vec());
        let mut bytes = message.write(Moment(1_790_000_000_000));
        assert_eq!((bytes.len(), &bytes[4..22]), (120 + 14, b"output_stream_data".as_slice()));
        assert_eq!(Message::read(&bytes), Some(message.clone()));
        assert!((0..bytes.len()).all(|cut| Message::read(&bytes[..cut]).is_none()));
        bytes[125] ^= 1;
        assert_eq!(Message::read(&bytes), None, "what it carries is not what was sent");
        let answer = message.acknowledged();
        let said: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!(said["AcknowledgedMessageSequenceNumber"], 7);
        assert_eq!(said["AcknowledgedMessageId"].as_str().unwrap().len(), 36);
        let flags = [Flag::DisconnectToPort, Flag::TerminateSession, Flag::ConnectToPortError];
        assert!(flags.iter().all(|flag| Flag::read(&flag.bytes()) == Some(*flag)));
        assert_eq!(Flag::read(&[0, 0, 9]), None);
    }
}
