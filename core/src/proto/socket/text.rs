//! Packets as messages of the Engine.IO layer: how they are written.
//!
//! ```text
//! <type>[<attachments>-][<namespace>,][<ack id>][<JSON>]
//! ```
//! (Socket.IO protocol, version 5, "Packet encoding"). Every message here begins with the `4` of Engine.IO's message packet,
//! and is allocated once, in its exact size.

use bytes::Bytes;

use super::error::ProtocolError;
use crate::data::{Payload, text};
use crate::proto::engine::packet::{Encoded, Packet};

/// The namespace that needs no name on the wire.
pub const ROOT: &str = "/";

/// What a packet is: the first digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PacketType {
    /// Joins a namespace; the server's answer tells the socket's id.
    Connect = b'0',
    /// Leaves a namespace.
    Disconnect = b'1',
    /// An event.
    Event = b'2',
    /// The answer to an event.
    Ack = b'3',
    /// The server refuses a `CONNECT`.
    ConnectError = b'4',
    /// An event with attachments.
    BinaryEvent = b'5',
    /// An answer with attachments.
    BinaryAck = b'6',
}

impl PacketType {
    pub(super) fn from_digit(digit: u8) -> Result<Self, ProtocolError> {
        Ok(match digit {
            b'0' => Self::Connect,
            b'1' => Self::Disconnect,
            b'2' => Self::Event,
            b'3' => Self::Ack,
            b'4' => Self::ConnectError,
            b'5' => Self::BinaryEvent,
            b'6' => Self::BinaryAck,
            _ => return Err(ProtocolError::UnknownType),
        })
    }
}

/// An encoded packet: a text message and the binary messages that must follow it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    text: Bytes,
    attachments: Vec<Bytes>,
}

impl Outgoing {
    /// The text message, with Engine.IO's type digit.
    pub fn text(&self) -> &Bytes {
        &self.text
    }

    /// Bytes of the text and the attachments together.
    pub fn len(&self) -> usize {
        self.text.len() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }

    /// Whether there is nothing to send; never so.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The messages in order. They are queued without anything between them.
    pub fn into_packets(self) -> impl Iterator<Item = Packet> {
        std::iter::once(Packet::Text(self.text)).chain(self.attachments.into_iter().map(Packet::Binary))
    }

    /// The same for many recipients.
    pub fn into_encoded(self) -> Encoded {
        Encoded::new(self.text, self.attachments)
    }
}

impl From<Bytes> for Outgoing {
    fn from(text: Bytes) -> Self {
        Self { text, attachments: Vec::new() }
    }
}

/// `EVENT`, or `BINARY_EVENT` when there are attachments; with the id to answer it by if an answer is wanted.
pub fn event(namespace: &str, name: &str, payload: &Payload, ack: Option<u64>) -> Outgoing {
    let arguments = payload.arguments();
    let comma = usize::from(!arguments.is_empty());
    let data = 2 + text::string_len(name) + comma + arguments.len();
    let kind = if payload.attachments().is_empty() { PacketType::Event } else { PacketType::BinaryEvent };
    let mut writer = Writer::new(kind, payload.attachments().len(), namespace, ack, data);
    writer.0.push(b'[');
    text::write_string(&mut writer.0, name);
    if !arguments.is_empty() {
        writer.0.push(b',');
        writer.0.extend_from_slice(arguments);
    }
    writer.0.push(b']');
    Outgoing { text: writer.finish(), attachments: payload.attachments().to_vec() }
}

/// `ACK`, or `BINARY_ACK` when there are attachments: the answer to event `id`.
pub fn ack(namespace: &str, id: u64, payload: &Payload) -> Outgoing {
    let json = payload.as_bytes();
    let kind = if payload.attachments().is_empty() { PacketType::Ack } else { PacketType::BinaryAck };
    let mut writer = Writer::new(kind, payload.attachments().len(), namespace, Some(id), json.len());
    writer.0.extend_from_slice(json);
    Outgoing { text: writer.finish(), attachments: payload.attachments().to_vec() }
}

/// The client's `CONNECT`; `auth` is a JSON object.
pub fn connect(namespace: &str, auth: Option<&str>) -> Bytes {
    let auth = auth.unwrap_or_default();
    let mut writer = Writer::new(PacketType::Connect, 0, namespace, None, auth.len());
    writer.0.extend_from_slice(auth.as_bytes());
    writer.finish()
}

/// The server's `CONNECT`: the client has joined, and its socket is `sid`.
pub fn connected(namespace: &str, sid: &str) -> Bytes {
    const KEY: &[u8] = b"{\"sid\":";
    let mut writer = Writer::new(PacketType::Connect, 0, namespace, None, KEY.len() + text::string_len(sid) + 1);
    writer.0.extend_from_slice(KEY);
    text::write_string(&mut writer.0, sid);
    writer.0.push(b'}');
    writer.finish()
}

/// The server refuses a `CONNECT`; `data` is JSON for the client's error.
pub fn connect_error(namespace: &str, message: &str, data: Option<&str>) -> Bytes {
    const MESSAGE: &[u8] = b"{\"message\":";
    const DATA: &[u8] = b",\"data\":";
    let length = MESSAGE.len() + text::string_len(message) + data.map_or(0, |data| DATA.len() + data.len()) + 1;
    let mut writer = Writer::new(PacketType::ConnectError, 0, namespace, None, length);
    writer.0.extend_from_slice(MESSAGE);
    text::write_string(&mut writer.0, message);
    if let Some(data) = data {
        writer.0.extend_from_slice(DATA);
        writer.0.extend_from_slice(data.as_bytes());
    }
    writer.0.push(b'}');
    writer.finish()
}

/// One end leaves a namespace.
pub fn disconnect(namespace: &str) -> Bytes {
    if namespace == ROOT {
        return Bytes::from_static(b"41");
    }
    Writer::new(PacketType::Disconnect, 0, namespace, None, 0).finish()
}

/// A message that is being written, in a buffer of the right size.
struct Writer(Vec<u8>);

impl Writer {
    /// Writes all that comes before `data` bytes of JSON.
    fn new(kind: PacketType, attachments: usize, namespace: &str, id: Option<u64>, data: usize) -> Self {
        let attachments = (attachments > 0).then(|| Decimal::new(attachments as u64));
        let namespace = if namespace == ROOT { "" } else { namespace };
        let id = id.map(Decimal::new);

        let length = 2
            + attachments.as_ref().map_or(0, |digits| digits.as_bytes().len() + 1)
            + if namespace.is_empty() { 0 } else { namespace.len() + 1 }
            + id.as_ref().map_or(0, |digits| digits.as_bytes().len())
            + data;
        let mut out = Vec::with_capacity(length);
        out.extend_from_slice(&[b'4', kind as u8]);
        if let Some(digits) = attachments {
            out.extend_from_slice(digits.as_bytes());
            out.push(b'-');
        }
        if !namespace.is_empty() {
            out.extend_from_slice(namespace.as_bytes());
            out.push(b',');
        }
        if let Some(digits) = id {
            out.extend_from_slice(digits.as_bytes());
        }
        Self(out)
    }

    fn finish(self) -> Bytes {
        debug_assert_eq!(self.0.len(), self.0.capacity(), "the length was computed wrong");
        Bytes::from(self.0)
    }
}

/// The decimal digits of a number, without allocation.
struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    fn new(mut number: u64) -> Self {
        let mut digits = [0; 20];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return Self { digits, start };
            }
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.digits[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(json: &str, attachments: &[&'static [u8]]) -> Payload {
        Payload::from_json(json, attachments.iter().map(|bytes| Bytes::from_static(bytes)).collect()).unwrap()
    }

    #[test]
    fn events_are_written_as_the_protocol_shows_them() {
        assert_eq!(event("/", "a", &Payload::new(), None).text, "42[\"a\"]");
        assert_eq!(event("/", "a", &payload("[1, {}]", &[]), None).text, "42[\"a\",1, {}]");
        assert_eq!(event("/adm", "a", &Payload::new(), Some(12)).text, "42/adm,12[\"a\"]");
        assert_eq!(event("/", "q\"é\n", &Payload::new(), Some(u64::MAX)).text, "4218446744073709551615[\"q\\\"é\\n\"]");
        assert_eq!(event("/", "a", &payload("[ ]", &[]), Some(0)).text, "420[\"a\"]");
    }

    #[test]
    fn attachments_are_announced_and_follow() {
        let payload = payload(r#"[{"_placeholder":true,"num":0}]"#, &[b"x"]);

        let sent = event("/adm", "a", &payload, Some(7));

        assert_eq!(sent.text, r#"451-/adm,7["a",{"_placeholder":true,"num":0}]"#);
        let mut packets = sent.into_packets();
        assert!(matches!(packets.next(), Some(Packet::Text(text)) if text.starts_with(b"451-")));
        assert!(matches!(packets.next(), Some(Packet::Binary(bytes)) if bytes == "x"));
        assert!(packets.next().is_none());
        assert_eq!(ack("/", 3, &payload).text, r#"461-3[{"_placeholder":true,"num":0}]"#);
    }

    #[test]
    fn answers_are_written_as_the_protocol_shows_them() {
        assert_eq!(ack("/", 0, &Payload::new()).text, "430[]");
        assert_eq!(ack("/adm", 12, &payload("[\"b\"]", &[])).text, "43/adm,12[\"b\"]");
    }

    #[test]
    fn joining_and_leaving_are_written_as_the_protocol_shows_them() {
        assert_eq!(connect("/", None), "40");
        assert_eq!(connect("/adm", Some("{\"token\":1}")), "40/adm,{\"token\":1}");
        assert_eq!(connected("/", "abc"), "40{\"sid\":\"abc\"}");
        assert_eq!(connected("/adm", "abc"), "40/adm,{\"sid\":\"abc\"}");
        assert_eq!(connect_error("/nope", "Invalid namespace", None), "44/nope,{\"message\":\"Invalid namespace\"}");
        assert_eq!(connect_error("/", "no", Some("{\"a\":1}")), "44{\"message\":\"no\",\"data\":{\"a\":1}}");
        assert_eq!(disconnect("/"), "41");
        assert_eq!(disconnect("/adm"), "41/adm,");
    }
}
