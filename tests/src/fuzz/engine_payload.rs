//! The body of a `POST`, or of the answer to a `GET`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use socketio_core::proto::engine::outbox::Outbox;
use socketio_core::proto::engine::packet::{Message, Packet, Received};
use socketio_core::proto::engine::payload::{self, Decoder};

/// Reads a body; what was read is then written again, in bodies of every size, and read once more.
pub(super) fn run(data: &[u8]) {
    let Ok(body) = std::str::from_utf8(data) else {
        return assert!(Decoder::new(data).is_err(), "a body that is no text was taken");
    };
    let (read, malformed) = read(data);
    let pieces: Vec<_> = body.split('\u{1e}').collect();
    for (packet, piece) in read.iter().zip(&pieces) {
        check(packet, piece);
    }
    assert_eq!(malformed, read.len() < pieces.len(), "reading ends at the end or at the first malformed packet");
    if malformed {
        assert!(!is_sound(pieces[read.len()]), "{:?} was refused", pieces[read.len()]);
    }
    for max in [0, 1, data.len() / 2, data.len(), usize::MAX] {
        write(&read, max);
    }
}

/// The packets of a body up to the first that is malformed, and whether there was one.
fn read(body: &[u8]) -> (Vec<Packet>, bool) {
    let mut packets = Vec::new();
    let Ok(mut decoder) = Decoder::new(body) else { return (packets, true) };
    while let Some(packet) = decoder.next_packet() {
        let Ok(packet) = packet else {
            assert!(decoder.next_packet().is_none(), "a malformed packet is the last");
            return (packets, true);
        };
        packets.push(own(packet));
    }
    (packets, false)
}

/// The packet as one to send.
fn own(packet: Received<'_>) -> Packet {
    let (digit, data) = match packet {
        Received::Open(json) => ('0', json),
        Received::Close => return Packet::End,
        Received::Ping(data) => ('2', data),
        Received::Pong(data) => ('3', data),
        Received::Message(Message::Text(text)) => return Packet::message(text),
        Received::Message(Message::Binary(bytes)) => return Packet::Binary(Bytes::copy_from_slice(bytes)),
        Received::Upgrade => ('5', ""),
        Received::Noop => ('6', ""),
    };
    Packet::Text(format!("{digit}{data}").into())
}

/// `piece` of a body was rightly read as `packet`.
fn check(packet: &Packet, piece: &str) {
    match packet {
        Packet::Binary(bytes) => {
            let base64 = piece.strip_prefix('b').expect("only b announces base64");
            let digits = base64.trim_end_matches('=');
            assert_eq!(bytes.len(), digits.len() * 3 / 4);
            let again = STANDARD_NO_PAD.encode(bytes);
            // The last digit may have had bits that no byte takes.
            assert_eq!(again[..again.len().saturating_sub(1)], digits[..digits.len().saturating_sub(1)]);
        }
        // What is behind these digits does not count.
        Packet::End => assert!(piece.starts_with('1')),
        Packet::Text(text) if matches!(text[0], b'5' | b'6') => assert_eq!(text[0], piece.as_bytes()[0]),
        Packet::Text(text) => assert_eq!(text, piece),
        Packet::Shared(_) => unreachable!("nobody sends a broadcast to us"),
    }
}

/// Whether `piece` is surely a packet.
fn is_sound(piece: &str) -> bool {
    match piece.as_bytes() {
        [b'0'..=b'6', ..] => true,
        [b'b', base64 @ ..] => STANDARD_NO_PAD.decode(base64).is_ok(),
        _ => false,
    }
}

/// Packets written in bodies of at most `max` bytes come out again, in their order.
fn write(packets: &[Packet], max: usize) {
    let mut outbox = Outbox::new();
    packets.iter().for_each(|packet| outbox.push(packet.clone()));
    assert_eq!((outbox.len(), outbox.is_empty()), (packets.len(), packets.is_empty()));
    let mut again = Vec::new();
    while !outbox.is_empty() {
        let (before, bytes) = (outbox.len(), outbox.bytes());
        let body = payload::encode(&mut outbox, max);
        let taken = before - outbox.len();
        assert!(taken > 0 && (taken == 1 || body.len() <= max), "{taken} packets in {} of {max} bytes", body.len());
        assert!(outbox.bytes() <= bytes);
        let (packets, malformed) = read(&body);
        assert!(!malformed && packets.len() == taken, "{body:?}");
        again.extend(packets);
    }
    assert_eq!(outbox.bytes(), 0);
    assert_eq!(payload::encode(&mut outbox, max), "");
    assert_eq!(format!("{again:?}"), format!("{packets:?}"));
}
