//! The messages of a connection: Socket.IO's packets and their attachments.

use socketio_core::data::{Limits, Payload, Value};
use socketio_core::proto::engine::packet::{Message, Packet};
use socketio_core::proto::socket::decoder::{self, Decoded, Decoder};
use socketio_core::proto::socket::{Outgoing, ProtocolError, event, text};

use super::json;

/// The first byte chooses bounds and which namespaces are joined. Then come messages with the character U+001E between
/// them; one that begins with `b` is binary, its bytes as they are.
pub(super) fn run(data: &[u8]) {
    let Some((choice, messages)) = data.split_first() else { return };
    let limits = if choice & 1 == 0 { Limits::DEFAULT } else { tight() };
    let joined = |name: &str| choice & 2 == 0 || matches!(name, "/" | "/adm");
    let mut decoder = Decoder::new();
    // The text of a packet that is not complete, and what came of its attachments.
    let mut head: Option<&str> = None;
    let mut attachments: Vec<&[u8]> = Vec::new();
    for piece in messages.split(|byte| *byte == 0x1e) {
        let message = match piece {
            [b'b', bytes @ ..] => Message::Binary(bytes),
            bytes => match std::str::from_utf8(bytes) {
                Ok(text) => Message::Text(text),
                Err(_) => continue,
            },
        };
        if let Message::Text(text) = message {
            let json = text.trim_start_matches(|it: char| it.is_ascii_digit() || it == '-');
            json::check(json);
        }
        let added = decoder.add(message, &limits, joined);
        match message {
            Message::Text(_) if head.is_some() => {
                assert_eq!(added.as_ref().err(), Some(&ProtocolError::UnexpectedText))
            }
            Message::Binary(_) if head.is_none() => {
                assert_eq!(added.as_ref().err(), Some(&ProtocolError::UnexpectedBinary));
            }
            Message::Text(text) => head = Some(text),
            Message::Binary(bytes) => attachments.push(bytes),
        }
        match added {
            Err(_) => {
                decoder.reset();
                (head, attachments) = (None, Vec::new());
            }
            Ok(None) => {
                let bytes = head.map_or(0, str::len) + attachments.iter().map(|bytes| bytes.len()).sum::<usize>();
                assert!(bytes <= limits.max_payload && attachments.len() < limits.attachments);
            }
            Ok(Some(decoded)) => {
                check(&decoded, &limits, &attachments);
                assert!(is_connect(&decoded) || joined(&decoded.namespace));
                again(&decoded, head.unwrap_or_default());
                (head, attachments) = (None, Vec::new());
            }
        }
    }
}

fn tight() -> Limits {
    let mut limits = Limits::DEFAULT;
    (limits.attachments, limits.arguments, limits.max_payload) = (2, 3, 64);
    (limits.namespace_name, limits.event_name) = (4, 5);
    limits
}

fn is_connect(decoded: &Decoded<'_>) -> bool {
    matches!(decoded.packet, decoder::Packet::Connect(_) | decoder::Packet::ConnectError(_))
}

/// A packet that was taken keeps to the bounds.
fn check(decoded: &Decoded<'_>, limits: &Limits, attachments: &[&[u8]]) {
    assert!(decoded.namespace.starts_with('/') && !decoded.namespace.contains(','));
    if !matches!(decoded.packet, decoder::Packet::Connect(_)) {
        assert!(decoded.namespace == "/" || decoded.namespace.len() <= limits.namespace_name);
    }
    let payload = match &decoded.packet {
        decoder::Packet::Event(event) => {
            assert!(event.name().len() <= limits.event_name && !event::is_reserved(event.name()));
            assert!(!event.is_empty());
            event.payload()
        }
        decoder::Packet::Ack(_, payload) => payload,
        decoder::Packet::Connect(data) => {
            return assert!(data.is_none_or(|data| data.starts_with('{')));
        }
        decoder::Packet::ConnectError(data) => return assert!(data.starts_with(['{', '"'])),
        decoder::Packet::Disconnect => return,
    };
    assert!(payload.count() <= limits.arguments && payload.attachments().len() <= limits.attachments);
    assert!(payload.attachments().iter().eq(attachments.iter()), "{payload:?}");
    arguments(payload);
}

/// All ways to look at the arguments agree.
fn arguments(payload: &Payload) {
    json::check(payload.json());
    let all: Vec<_> = (0..payload.count()).filter_map(|i| payload.arg(i)).collect();
    assert_eq!(all.len(), payload.count());
    assert_eq!((payload.arg(all.len()), payload.value(all.len())), (None, None));
    let mut builder = Payload::new().into_builder();
    for (i, json) in all.iter().enumerate() {
        let value = payload.value(i).expect("an argument that is there has a value");
        // Compared as text: a number may be no number to JavaScript, and is then not equal to itself.
        let again = Value::parse(json, payload.attachments()).map(|value| format!("{value:?}"));
        assert_eq!(again, Ok(format!("{value:?}")), "{json:?}");
        builder.push_value(value).expect("what was received can be sent");
    }
    assert_eq!(builder.build().count(), payload.count());
    assert_eq!(Payload::from_json(payload.json(), payload.attachments().to_vec()).as_ref(), Ok(payload));
}

/// A packet that was read says the same when it is written and read again.
fn again(decoded: &Decoded<'_>, head: &str) {
    let name = &*decoded.namespace;
    let written: Outgoing = match &decoded.packet {
        decoder::Packet::Event(event) => text::event(name, event.name(), event.payload(), event.ack()),
        decoder::Packet::Ack(Some(id), payload) => text::ack(name, *id, payload),
        decoder::Packet::Connect(auth) => text::connect(name, *auth).into(),
        decoder::Packet::Disconnect => text::disconnect(name).into(),
        decoder::Packet::Ack(None, _) | decoder::Packet::ConnectError(_) => return,
    };
    let mut decoder = Decoder::new();
    let mut read = None;
    for packet in written.into_packets() {
        let message = match &packet {
            Packet::Text(text) => std::str::from_utf8(&text[1..]).map(Message::Text).expect("a packet is UTF-8"),
            Packet::Binary(bytes) => Message::Binary(bytes),
            _ => unreachable!("a message is text or binary"),
        };
        assert!(read.is_none(), "a packet was complete before its end");
        let added = decoder.add(message, &generous(), |_| true);
        let added = added.unwrap_or_else(|error| panic!("{head:?} was written as {message:?}: {error}"));
        read = added.map(|it| show(&it));
    }
    assert_eq!(read.as_ref(), Some(&show(decoded)), "{head:?}");
}

/// Escapes may take more room when they are written again.
fn generous() -> Limits {
    let mut limits = Limits::DEFAULT;
    limits.max_payload *= 8;
    limits
}

/// All that a packet says.
fn show(decoded: &Decoded<'_>) -> String {
    let name = &decoded.namespace;
    let bytes = |payload: &Payload| format!("{:?} {:?}", payload.json().trim_ascii(), payload.attachments());
    match &decoded.packet {
        // Without arguments there may be white space in the brackets, which is not kept.
        decoder::Packet::Event(event) if event.payload().is_empty() => {
            format!("{name} {:?} {:?} {:?}", event.name(), event.ack(), event.payload().attachments())
        }
        decoder::Packet::Event(event) => {
            format!("{name} {:?} {:?} {}", event.name(), event.ack(), bytes(event.payload()))
        }
        decoder::Packet::Ack(id, payload) => format!("{name} {id:?} {}", bytes(payload)),
        other => format!("{name} {other:?}"),
    }
}
