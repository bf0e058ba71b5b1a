//! Packets: what one Engine.IO peer says to the other, as it arrives and as it waits to be sent.
//!
//! A packet in text form is one digit for its type and then its data; a binary message is its bytes alone on a
//! WebSocket, and `b` with base64 wherever only text fits (Engine.IO protocol, version 4).

use std::fmt;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use super::websocket::{Opcode, put_frame};

/// How packets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// HTTP long-polling: the server speaks in answers to `GET`, the client in bodies of `POST`.
    Polling,
    /// A WebSocket.
    WebSocket,
}

impl Transport {
    /// The name on the wire: the `transport` of a query, an entry of `upgrades`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::WebSocket => "websocket",
        }
    }

    /// The transport of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "polling" => Some(Self::Polling),
            "websocket" => Some(Self::WebSocket),
            _ => None,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the layer above exchanges: a message without its type digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
}

/// A packet that arrived, borrowed from the bytes it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// `0`: the server's handshake, JSON.
    Open(&'a str),
    /// `1`: the peer goes. Only polling says it so; a WebSocket is just closed.
    Close,
    /// `2`: heartbeat of the server, or `probe` of the client on a new transport.
    Ping(&'a str),
    /// `3`: the answer to a ping, with its data.
    Pong(&'a str),
    /// `4`, or a binary message.
    Message(Message<'a>),
    /// `5`: the client moves to the transport this came on.
    Upgrade,
    /// `6`: ends a waiting `GET`, says nothing.
    Noop,
}

/// The bytes are no packet: an unknown type, an empty packet, bad base64 or text that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl<'a> Received<'a> {
    /// Reads a packet in text form: a text frame, or one packet of a polling payload.
    ///
    /// A binary message in base64 (`b…`) is decoded into `scratch`, whose former content is dropped; every other
    /// packet leaves it alone. Padding may be missing, as the official decoder allows.
    pub fn from_text(text: &'a str, scratch: &'a mut Vec<u8>) -> Result<Self, Malformed> {
        let data = text.get(1..).ok_or(Malformed)?;
        Ok(match text.as_bytes()[0] {
            b'0' => Self::Open(data),
            b'1' => Self::Close,
            b'2' => Self::Ping(data),
            b'3' => Self::Pong(data),
            b'4' => Self::Message(Message::Text(data)),
            b'5' => Self::Upgrade,
            b'6' => Self::Noop,
            b'b' => {
                scratch.clear();
                BASE64.decode_vec(data, scratch).map_err(|_| Malformed)?;
                Self::Message(Message::Binary(scratch))
            }
            _ => return Err(Malformed),
        })
    }

    /// A binary frame: always a message.
    pub const fn from_binary(bytes: &'a [u8]) -> Self {
        Self::Message(Message::Binary(bytes))
    }
}

/// Standard base64; writes padding, reads with and without it.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What waits to be sent.
#[derive(Clone, Debug)]
pub enum Packet {
    /// A packet in text form, type digit first: `4hello`, `2`. UTF-8: whoever makes one vouches for that.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A message with its attachments, encoded once for many recipients.
    Shared(Arc<Encoded>),
    /// The last one: `1` in a payload, a close frame on a WebSocket.
    End,
}

impl Packet {
    /// `2`, the server's heartbeat.
    pub const fn ping() -> Self {
        Self::Text(Bytes::from_static(b"2"))
    }

    /// `3`, the client's answer to a heartbeat.
    pub const fn pong() -> Self {
        Self::Text(Bytes::from_static(b"3"))
    }

    /// A text message: `4` and `text`, copied once.
    pub fn message(text: &str) -> Self {
        let mut packet = Vec::with_capacity(1 + text.len());
        packet.push(b'4');
        packet.extend_from_slice(text.as_bytes());
        Self::Text(packet.into())
    }

    /// How many bytes wait here, without framing.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes.len(),
            Self::Shared(encoded) => encoded.len(),
            Self::End => 1,
        }
    }

    /// Whether there is nothing in it (an empty binary message).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A message and its attachments for many recipients. Each form on the wire is computed by the first recipient that
/// needs it, and kept for the others.
#[derive(Debug)]
pub struct Encoded {
    text: Bytes,
    attachments: Vec<Bytes>,
    websocket: OnceLock<Bytes>,
}

impl Encoded {
    /// `text` is a whole packet in text form (`42["a"]`), UTF-8; the attachments follow it as binary messages.
    pub const fn new(text: Bytes, attachments: Vec<Bytes>) -> Self {
        Self { text, attachments, websocket: OnceLock::new() }
    }

    /// The packet in text form, type digit first.
    pub const fn text(&self) -> &Bytes {
        &self.text
    }

    /// The binary messages that follow it.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// How many bytes it is, attachments included, without framing.
    pub fn len(&self) -> usize {
        self.text.len() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }

    /// Whether there is nothing in it; no packet is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of it as finished, unmasked WebSocket frames: the text, then each attachment.
    pub fn websocket(&self) -> &Bytes {
        self.websocket.get_or_init(|| {
            let mut frames = Vec::with_capacity(self.len() + 10 * (1 + self.attachments.len()));
            put_frame(&mut frames, Opcode::Text, &self.text, None);
            for attachment in &self.attachments {
                put_frame(&mut frames, Opcode::Binary, attachment, None);
            }
            frames.into()
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(text: &str) -> Result<String, Malformed> {
        Received::from_text(text, &mut Vec::new()).map(|packet| format!("{packet:?}"))
    }

    #[test]
    fn every_type_is_read() {
        let mut scratch = Vec::new();
        for (text, packet) in [
            ("0{}", Received::Open("{}")),
            ("1", Received::Close),
            ("2probe", Received::Ping("probe")),
            ("3", Received::Pong("")),
            ("4hello €", Received::Message(Message::Text("hello €"))),
            ("5", Received::Upgrade),
            ("6", Received::Noop),
            ("bAQIDBA==", Received::from_binary(&[1, 2, 3, 4])),
        ] {
            assert_eq!(Received::from_text(text, &mut scratch), Ok(packet), "{text}");
        }
    }

    #[test]
    fn base64_is_read_without_padding_too() {
        assert_eq!(read("bAQIDBA"), read("bAQIDBA=="));
        assert_eq!(read("b"), Ok("Message(Binary([]))".to_owned()));
    }

    #[test]
    fn what_is_no_packet_is_malformed() {
        for text in ["", "7", "x", "€", "-1", "\u{1e}", "b*", "bA", "b\u{1e}"] {
            assert_eq!(read(text), Err(Malformed), "{text:?}");
        }
    }

    #[test]
    fn frames_of_a_shared_packet_carry_the_shortest_length() {
        for (len, header) in [
            (0, &[0x82, 0][..]),
            (125, &[0x82, 125]),
            (126, &[0x82, 126, 0, 126]),
            (0xffff, &[0x82, 126, 0xff, 0xff]),
            (0x1_0000, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let attachment = Bytes::from(vec![7; len]);
            let encoded = Encoded::new(Bytes::from_static(b"4x"), vec![attachment.clone()]);
            let frames = encoded.websocket();
            assert_eq!(&frames[..4], [0x81, 2, b'4', b'x']);
            assert_eq!(&frames[4..4 + header.len()], header);
            assert_eq!(&frames[4 + header.len()..], attachment);
            assert_eq!(encoded.websocket().as_ptr(), frames.as_ptr(), "computed once");
        }
    }

    #[test]
    fn names_of_transports_go_both_ways() {
        for transport in [Transport::Polling, Transport::WebSocket] {
            assert_eq!(Transport::from_name(transport.as_str()), Some(transport));
        }
        assert_eq!(Transport::from_name("webtransport"), None);
        assert_eq!(Transport::from_name("Polling"), None);
    }
}
