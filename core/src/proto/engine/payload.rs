//! Payloads: many packets in one HTTP body, joined by the character U+001E; binary messages as `b` and base64.

use base64::Engine as _;
use bytes::Bytes;

use super::outbox::Outbox;
use super::packet::{BASE64, Malformed, Packet, Received};

/// Between two packets of a payload (the ASCII record separator).
const SEPARATOR: u8 = 0x1e;

/// Reads a payload, one packet at a time.
#[derive(Debug)]
pub struct Decoder<'a> {
    rest: Option<&'a str>,
    scratch: Vec<u8>,
}

impl<'a> Decoder<'a> {
    /// Reads `body`. It is refused as a whole if it is not UTF-8.
    pub fn new(body: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(body).map_err(|_| Malformed)?;
        Ok(Self { rest: Some(text), scratch: Vec::new() })
    }

    /// The next packet, borrowed until the one after it is asked for; `None` at the end and after a malformed one.
    ///
    /// An empty body, and a separator with nothing behind it, hold an empty packet, which is malformed.
    pub fn next_packet(&mut self) -> Option<Result<Received<'_>, Malformed>> {
        let text = self.rest.take()?;
        let packet = match memchr::memchr(SEPARATOR, text.as_bytes()) {
            Some(end) => {
                self.rest = Some(&text[end + 1..]);
                &text[..end]
            }
            None => text,
        };
        let read = Received::from_text(packet, &mut self.scratch);
        if read.is_err() {
            self.rest = None;
        }
        Some(read)
    }
}

/// Takes packets from `outbox` for one body of at most `max` bytes, but always one if any waits; a shared packet stays in
/// one body with its attachments, and the end is in a body of its own: the official client acts on it at once, and on
/// messages of the same body a moment later.
///
/// A client is bound by the server's `maxPayload`. A server is not bound, like the official one: `usize::MAX`.
/// A single text packet is handed on without being copied.
pub fn encode(outbox: &mut Outbox, max: usize) -> Bytes {
    let Some(first) = outbox.pop() else { return Bytes::new() };
    if let (Packet::Text(text), None | Some(Packet::End)) = (&first, outbox.front()) {
        return text.clone();
    }
    let mut body = Vec::with_capacity((encoded_len(&first) + outbox.bytes() + outbox.len()).min(max));
    put(&mut body, &first);
    while let Some(packet) = outbox.front()
        && !matches!(packet, Packet::End)
        && body.len() + 1 + encoded_len(packet) <= max
        && let Some(packet) = outbox.pop()
    {
        body.push(SEPARATOR);
        put(&mut body, &packet);
    }
    body.into()
}

/// How many bytes `packet` takes in a payload.
fn encoded_len(packet: &Packet) -> usize {
    match packet {
        Packet::Text(text) => text.len(),
        Packet::Binary(bytes) => base64_len(bytes),
        Packet::Shared(encoded) => {
            encoded.text().len() + encoded.attachments().iter().map(|bytes| 1 + base64_len(bytes)).sum::<usize>()
        }
        Packet::End => 1,
    }
}

fn base64_len(bytes: &[u8]) -> usize {
    1 + 4 * bytes.len().div_ceil(3)
}

fn put(body: &mut Vec<u8>, packet: &Packet) {
    match packet {
        Packet::Text(text) => body.extend_from_slice(text),
        Packet::Binary(bytes) => put_base64(body, bytes),
        Packet::Shared(encoded) => {
            body.extend_from_slice(encoded.text());
            for bytes in encoded.attachments() {
                body.push(SEPARATOR);
                put_base64(body, bytes);
            }
        }
        Packet::End => body.push(b'1'),
    }
}

fn put_base64(body: &mut Vec<u8>, bytes: &[u8]) {
    let start = body.len();
    body.resize(start + base64_len(bytes), 0);
    body[start] = b'b';
    let written = BASE64.encode_slice(bytes, &mut body[start + 1..]);
    debug_assert_eq!(written.ok(), Some(body.len() - start - 1));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::packet::{Encoded, Message};
    use super::*;

    fn decode(body: &[u8]) -> Vec<String> {
        let Ok(mut payload) = Decoder::new(body) else { return vec!["malformed".to_owned()] };
        let mut packets = Vec::new();
        while let Some(packet) = payload.next_packet() {
            packets.push(match packet {
                Ok(Received::Message(Message::Text(text))) => text.to_owned(),
                Ok(Received::Message(Message::Binary(bytes))) => format!("{bytes:?}"),
                Ok(other) => format!("{other:?}"),
                Err(Malformed) => "malformed".to_owned(),
            });
        }
        packets
    }

    fn outbox(packets: impl IntoIterator<Item = Packet>) -> Outbox {
        let mut outbox = Outbox::new();
        packets.into_iter().for_each(|packet| outbox.push(packet));
        outbox
    }

    #[test]
    fn packets_are_read_in_order() {
        assert_eq!(decode("4hello\x1ebAQIDBA==\x1e4€\x1e2".as_bytes()), ["hello", "[1, 2, 3, 4]", "€", "Ping(\"\")"]);
    }

    #[test]
    fn reading_stops_at_the_first_malformed_packet() {
        assert_eq!(decode(b"4a\x1ex\x1e4b"), ["a", "malformed"]);
        assert_eq!(decode(b"4a\x1e"), ["a", "malformed"]);
        assert_eq!(decode(b""), ["malformed"]);
        assert_eq!(decode(b"4a\xff"), ["malformed"]);
    }

    #[test]
    fn a_body_holds_what_was_put_in() {
        let shared = Encoded::new(Bytes::from_static(b"451-[]"), vec![vec![1].into(), vec![1, 2].into()]);
        let mut waiting = outbox([
            Packet::message("a"),
            Packet::Binary(vec![1, 2, 3].into()),
            Packet::Shared(Arc::new(shared)),
            Packet::End,
        ]);
        assert_eq!(encode(&mut waiting, usize::MAX), "4a\x1ebAQID\x1e451-[]\x1ebAQ==\x1ebAQI=");
        assert_eq!(encode(&mut waiting, usize::MAX), "1");
        assert!(waiting.is_empty());
        assert_eq!(encode(&mut waiting, usize::MAX), "");
    }

    #[test]
    fn a_single_text_packet_is_not_copied() {
        let Packet::Text(text) = Packet::message("hello") else { unreachable!() };
        let body = encode(&mut outbox([Packet::Text(text.clone())]), usize::MAX);
        assert_eq!(body.as_ptr(), text.as_ptr());
    }

    #[test]
    fn max_payload_splits_at_the_exact_byte() {
        // 3 + 1 + 3 + 1 + 5 bytes.
        for (max, bodies) in [
            (6, &["4aa", "4bb", "bAQID"][..]),
            (7, &["4aa\x1e4bb", "bAQID"]),
            (8, &["4aa\x1e4bb", "bAQID"]),
            (12, &["4aa\x1e4bb", "bAQID"]),
            (13, &["4aa\x1e4bb\x1ebAQID"]),
            (14, &["4aa\x1e4bb\x1ebAQID"]),
            (0, &["4aa", "4bb", "bAQID"]),
        ] {
            let mut waiting =
                outbox([Packet::message("aa"), Packet::message("bb"), Packet::Binary(vec![1, 2, 3].into())]);
            for body in bodies {
                assert_eq!(encode(&mut waiting, max), body, "{max}");
            }
            assert!(waiting.is_empty());
        }
    }

    #[test]
    fn a_shared_packet_stays_in_one_body() {
        let shared = || {
            let encoded = Encoded::new(Bytes::from_static(b"451-[]"), vec![vec![1, 2, 3].into()]);
            Packet::Shared(Arc::new(encoded))
        };
        let mut waiting = outbox([shared(), shared()]);
        assert_eq!(encode(&mut waiting, 24), "451-[]\x1ebAQID");
        let mut waiting = outbox([shared(), shared()]);
        assert_eq!(encode(&mut waiting, 25), "451-[]\x1ebAQID\x1e451-[]\x1ebAQID");
    }
}
