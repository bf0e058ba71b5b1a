//! From messages of the Engine.IO layer to packets.

use std::borrow::Cow;

use bytes::Bytes;

use super::error::ProtocolError;
use super::event::ReceivedEvent;
use super::text::{PacketType, ROOT};
use crate::data::payload::check_placeholders;
use crate::data::{Limits, Payload, json};
use crate::proto::engine::packet::Message;

/// A packet that arrived.
#[derive(Clone, Debug)]
pub struct Decoded<'a> {
    /// The namespace that it is for.
    pub namespace: Cow<'a, str>,
    /// What it says.
    pub packet: Packet<'a>,
}

/// What a packet says. Binary packets are whole: their attachments have arrived.
#[derive(Clone, Debug)]
pub enum Packet<'a> {
    /// Joins the namespace; with the client's auth data, or the server's answer: a JSON object.
    Connect(Option<&'a str>),
    /// Leaves the namespace.
    Disconnect,
    /// An event.
    Event(ReceivedEvent),
    /// The answer to an event; one without an id answers nothing.
    Ack(Option<u64>, Payload),
    /// The server refuses a `CONNECT`; a JSON object or string.
    ConnectError(&'a str),
}

/// Puts binary packets together, and checks every packet (Socket.IO protocol, version 5; bounds: [`Limits`]).
///
/// It accepts what the official decoder accepts, but for oddities of JavaScript's numbers, which no client sends: white space
/// or an exponent in an id or a number of attachments, an empty message as a `CONNECT`, and an event or answer without data.
///
/// One per connection: no other packet may come between a binary packet and its attachments, not even one of another
/// namespace.
#[derive(Debug, Default)]
pub struct Decoder {
    incomplete: Option<Box<Incomplete>>,
}

/// A binary packet whose attachments have not all arrived.
#[derive(Debug)]
struct Incomplete {
    namespace: Cow<'static, str>,
    content: Content,
    announced: usize,
    attachments: Vec<Bytes>,
    /// Of the text and the attachments so far.
    bytes: usize,
}

#[derive(Debug)]
enum Content {
    Event(ReceivedEvent),
    Ack(Option<u64>, Payload),
}

impl Decoder {
    /// A decoder at the start of a connection.
    pub const fn new() -> Self {
        Self { incomplete: None }
    }

    /// Takes the next message; returns the packet that it completes.
    ///
    /// `joined` tells whether packets for a namespace are welcome. It is asked before anything of a packet is kept, except
    /// for a `CONNECT` or `CONNECT_ERROR`.
    pub fn add<'a>(
        &mut self,
        message: Message<'a>,
        limits: &Limits,
        joined: impl FnOnce(&str) -> bool,
    ) -> Result<Option<Decoded<'a>>, ProtocolError> {
        match message {
            Message::Text(_) if self.incomplete.is_some() => Err(ProtocolError::UnexpectedText),
            Message::Text(text) => self.text(text, limits, joined),
            Message::Binary(bytes) => self.binary(bytes, limits),
        }
    }

    /// Forgets a packet that is not complete: the connection is gone.
    pub fn reset(&mut self) {
        self.incomplete = None;
    }

    /// How many bytes it keeps: those of a binary packet that waits for attachments.
    pub fn held_bytes(&self) -> usize {
        self.incomplete.as_ref().map_or(0, |incomplete| incomplete.bytes)
    }

    fn text<'a>(
        &mut self,
        text: &'a str,
        limits: &Limits,
        joined: impl FnOnce(&str) -> bool,
    ) -> Result<Option<Decoded<'a>>, ProtocolError> {
        let Head { kind, attachments, namespace, id, data } = Head::parse(text, limits)?;
        let connecting = matches!(kind, PacketType::Connect | PacketType::ConnectError);
        if !connecting && !joined(namespace) {
            return Err(ProtocolError::State);
        }
        let content = match kind {
            PacketType::Event | PacketType::BinaryEvent => {
                Content::Event(ReceivedEvent::parse(data, id, attachments, limits)?)
            }
            PacketType::Ack | PacketType::BinaryAck => Content::Ack(id, ack_payload(data, attachments, limits)?),
            PacketType::Connect => return decoded(namespace, Packet::Connect(connect_data(data)?)),
            PacketType::ConnectError => return decoded(namespace, Packet::ConnectError(error_data(data)?)),
            PacketType::Disconnect if data.is_empty() => return decoded(namespace, Packet::Disconnect),
            PacketType::Disconnect => return Err(ProtocolError::Payload),
        };
        if attachments == 0 {
            return decoded(namespace, content.into());
        }
        if text.len() > limits.max_payload {
            return Err(ProtocolError::TooLarge);
        }
        let namespace = if namespace == ROOT { ROOT.into() } else { String::from(namespace).into() };
        // The number announced does not size anything: only what has arrived takes memory.
        self.incomplete = Some(Box::new(Incomplete {
            namespace,
            content,
            announced: attachments,
            attachments: Vec::new(),
            bytes: text.len(),
        }));
        Ok(None)
    }

    fn binary<'a>(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<Decoded<'a>>, ProtocolError> {
        let incomplete = self.incomplete.as_mut().ok_or(ProtocolError::UnexpectedBinary)?;
        incomplete.bytes += bytes.len();
        if incomplete.bytes > limits.max_payload {
            // The connection is closed, but that may take until the client's next request.
            self.incomplete = None;
            return Err(ProtocolError::TooLarge);
        }
        incomplete.attachments.push(Bytes::copy_from_slice(bytes));
        if incomplete.attachments.len() < incomplete.announced {
            return Ok(None);
        }
        Ok(self.incomplete.take().map(|complete| {
            let Incomplete { namespace, mut content, attachments, .. } = *complete;
            match &mut content {
                Content::Event(event) => event.set_attachments(attachments),
                Content::Ack(_, payload) => payload.set_attachments(attachments),
            }
            Decoded { namespace, packet: content.into() }
        }))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the value of a match arm that returns")]
fn decoded<'a>(namespace: &'a str, packet: Packet<'a>) -> Result<Option<Decoded<'a>>, ProtocolError> {
    Ok(Some(Decoded { namespace: namespace.into(), packet }))
}

impl From<Content> for Packet<'_> {
    fn from(content: Content) -> Self {
        match content {
            Content::Event(event) => Self::Event(event),
            Content::Ack(id, payload) => Self::Ack(id, payload),
        }
    }
}

/// All of a packet before its JSON, and the JSON unchecked.
struct Head<'a> {
    kind: PacketType,
    /// 0 unless the packet is a binary one.
    attachments: usize,
    namespace: &'a str,
    id: Option<u64>,
    data: &'a str,
}

impl<'a> Head<'a> {
    fn parse(text: &'a str, limits: &Limits) -> Result<Self, ProtocolError> {
        let kind = PacketType::from_digit(text.as_bytes().first().copied().unwrap_or(0))?;
        let mut rest = &text[1..];

        let attachments = match kind {
            PacketType::BinaryEvent | PacketType::BinaryAck => {
                let (number, after) = digits(rest);
                rest = after.strip_prefix('-').ok_or(ProtocolError::Attachments)?;
                match number {
                    None | Some(Ok(0)) => return Err(ProtocolError::Attachments),
                    Some(Ok(number)) if number <= limits.attachments as u64 => number as usize,
                    Some(_) => return Err(ProtocolError::TooManyAttachments),
                }
            }
            _ => 0,
        };

        let mut namespace = ROOT;
        if rest.starts_with('/') {
            let end = memchr::memchr(b',', rest.as_bytes());
            namespace = &rest[..end.unwrap_or(rest.len())];
            rest = end.map_or("", |end| &rest[end + 1..]);
            // A CONNECT is refused by name.
            if namespace.len() > limits.namespace_name && kind != PacketType::Connect {
                return Err(ProtocolError::NamespaceName);
            }
        }

        let (id, data) = digits(rest);
        let id = id.transpose()?;
        Ok(Self { kind, attachments, namespace, id, data })
    }
}

/// The number that `text` begins with, if it begins with a digit, and the rest.
fn digits(text: &str) -> (Option<Result<u64, ProtocolError>>, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(end);
    (if end == 0 { None } else { Some(digits.parse().map_err(|_| ProtocolError::AckId)) }, rest)
}

fn ack_payload(data: &str, attachments: usize, limits: &Limits) -> Result<Payload, ProtocolError> {
    if !data.starts_with('[') {
        return Err(ProtocolError::Payload);
    }
    let (place, count) = json::array(data, limits.arguments)?;
    if attachments > 0 {
        check_placeholders(data, attachments)?;
    }
    let text = Bytes::copy_from_slice(&data.as_bytes()[place]);
    Ok(Payload::from_parts(text, 0, count as u32, Vec::new()))
}

fn connect_data(data: &str) -> Result<Option<&str>, ProtocolError> {
    match data.as_bytes().first() {
        None => Ok(None),
        // Like an argument, so that it may be handed on as one.
        Some(b'{') => Ok(Some(&data[json::argument(data)?])),
        Some(_) => Err(ProtocolError::Payload),
    }
}

fn error_data(data: &str) -> Result<&str, ProtocolError> {
    match data.as_bytes().first() {
        Some(b'{' | b'"') => Ok(&data[json::argument(data)?]),
        _ => Err(ProtocolError::Payload),
    }
}
