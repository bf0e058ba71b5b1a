//! Our WebSocket frames against tungstenite: streams of random frames, sound and damaged, must be read alike by both,
//! however they are cut.

use std::io::{self, Cursor, Read, Write};

use socketio_core::proto::engine::websocket::{Decoder, Frame, Opcode, Role, put_frame};
use tokio_tungstenite::tungstenite::protocol::{self, WebSocket, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

const MAX_PAYLOAD: usize = 400;

/// A message or control frame, in a form that both decoders can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>),
}

/// What a decoder made of a stream: the messages, and whether an error ended it.
type Outcome = (Vec<Seen>, bool);

/// xorshift64*: the same frames in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 16) % bound
    }
}

/// A stream of frames: messages, some in fragments with control frames between them.
fn frames(random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..=random.below(5) {
        let text = random.below(2) == 0;
        let len = [0, 3, 124, 125, 126, 127, 399, 400][random.below(8) as usize] as usize;
        let mut content: Vec<u8> = if text {
            "aé€😀".chars().cycle().skip(random.below(4) as usize).take(len).collect::<String>().into_bytes()
        } else {
            (0..len).map(|_| random.next() as u8).collect()
        };
        if text {
            let cut = (0..=len).rev().find(|at| std::str::from_utf8(&content[..*at]).is_ok()).unwrap_or(0);
            content.truncate(cut);
        }
        let opcode = if text { Opcode::Text } else { Opcode::Binary };
        let mut rest = &content[..];
        let mut first = true;
        for left in (0..=random.below(4)).rev() {
            let size = if left == 0 { rest.len() } else { random.below(rest.len() as u64 + 1) as usize };
            let (piece, after) = rest.split_at(size);
            rest = after;
            let start = out.len();
            put_frame(&mut out, if first { opcode } else { Opcode::Continuation }, piece, Some(key(random)));
            if left > 0 {
                out[start] &= 0x7f;
                control(random, &mut out);
            }
            first = false;
        }
    }
    if random.below(4) == 0 {
        let code = [1000, 1002, 1005, 1011, 2999, 3000][random.below(6) as usize];
        put_frame(&mut out, Opcode::Close, &u16::to_be_bytes(code), Some(key(random)));
    }
    out
}

fn control(random: &mut Random, out: &mut Vec<u8>) {
    let content = vec![b'c'; random.below(126) as usize];
    match random.below(3) {
        0 => put_frame(out, Opcode::Ping, &content, Some(key(random))),
        1 => put_frame(out, Opcode::Pong, &content, Some(key(random))),
        _ => {}
    }
}

fn key(random: &mut Random) -> [u8; 4] {
    (random.next() as u32).to_be_bytes()
}

/// Reads `stream` with ours, the bytes coming in the pieces that `cuts` makes; what is not done with is kept as a link does.
fn ours(stream: &[u8], cuts: impl Iterator<Item = usize>) -> Outcome {
    let mut decoder = Decoder::new(Role::Server, MAX_PAYLOAD, 16_384);
    let mut seen = Vec::new();
    let mut residue = Vec::new();
    let mut fed = 0;
    for cut in cuts.chain([stream.len()]) {
        residue.extend_from_slice(&stream[fed..cut]);
        fed = cut;
        let mut used = 0;
        loop {
            match decoder.next(&mut residue[used..]) {
                Err(_) => return (seen, true),
                Ok((more, None)) => {
                    used += more;
                    break;
                }
                Ok((more, Some(frame))) => {
                    used += more;
                    seen.push(match frame {
                        Frame::Text(text) => Seen::Text(text.to_owned()),
                        Frame::Binary(bytes) => Seen::Binary(bytes.to_vec()),
                        Frame::Ping(bytes) => Seen::Ping(bytes.to_vec()),
                        Frame::Pong => Seen::Pong,
                        Frame::Close(code) => return closed(seen, code),
                    });
                }
            }
        }
        residue.drain(..used);
    }
    (seen, false)
}

/// The outcome of a close frame. Tungstenite reports one whose code may not be sent as a close with 1002.
fn closed(mut seen: Vec<Seen>, code: Option<u16>) -> Outcome {
    let error = code == Some(1002);
    if !error {
        seen.push(Seen::Close(code));
    }
    (seen, error)
}

/// A stream that ends, and swallows the answers.
struct Tape(Cursor<Vec<u8>>);

impl Read for Tape {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn theirs(stream: &[u8]) -> Outcome {
    let config = WebSocketConfig::default().max_message_size(Some(MAX_PAYLOAD)).max_frame_size(Some(MAX_PAYLOAD));
    let mut socket =
        WebSocket::from_raw_socket(Tape(Cursor::new(stream.to_vec())), protocol::Role::Server, Some(config));
    let mut seen = Vec::new();
    loop {
        seen.push(match socket.read() {
            Ok(Message::Text(text)) => Seen::Text(text.to_string()),
            Ok(Message::Binary(bytes)) => Seen::Binary(bytes.to_vec()),
            Ok(Message::Ping(bytes)) => Seen::Ping(bytes.to_vec()),
            Ok(Message::Pong(_)) => Seen::Pong,
            Ok(Message::Close(frame)) => return closed(seen, frame.map(|frame| frame.code.into())),
            Ok(Message::Frame(_)) => unreachable!("only writers use raw frames"),
            // The tape is at its end, perhaps inside a frame.
            Err(Error::Io(_) | Error::ConnectionClosed) => return (seen, false),
            Err(Error::Protocol(
                tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )) => {
                return (seen, false);
            }
            Err(_) => return (seen, true),
        });
    }
}

#[test]
fn sound_streams_are_read_as_tungstenite_reads_them_at_every_cut() {
    let mut random = Random(0x5eed);
    for round in 0..60 {
        let stream = frames(&mut random);
        let expected = theirs(&stream);
        for cut in 0..=stream.len() {
            assert_eq!(ours(&stream, [cut].into_iter()), expected, "round {round}, cut at {cut}");
        }
        assert_eq!(ours(&stream, 0..stream.len()), expected, "round {round}, byte by byte");
    }
}

#[test]
fn damaged_streams_are_refused_where_tungstenite_refuses_them() {
    let mut random = Random(0xbad_5eed);
    let (mut refused, mut unlike) = (0, 0);
    for round in 0..20_000 {
        let mut stream = frames(&mut random);
        for _ in 0..=random.below(2) {
            let at = random.below(stream.len().min(40) as u64) as usize;
            stream[at] ^= 1 << random.below(8);
        }
        let (expected, expected_error) = theirs(&stream);
        let (mut seen, error) = ours(&stream, [].into_iter());
        assert_eq!(ours(&stream, 0..stream.len()), (seen.clone(), error), "round {round}, byte by byte");
        refused += u32::from(error);
        // A stream may end first: tungstenite refuses a text that is not UTF-8 at the fragment, we when it is whole, and
        // a frame that may not come when it is whole, we by its header.
        if expected_error && seen.len() > expected.len() {
            seen.truncate(expected.len());
        }
        unlike += u32::from(expected_error != error);
        assert_eq!(seen, expected, "round {round}: {stream:02x?}");
    }
    assert!(unlike < refused / 20, "{unlike} streams were refused by one only");
    assert!(refused > 5_000, "only {refused} streams were damaged in earnest");
}
