//! The bytes of a WebSocket, in any pieces.

use socketio_core::proto::engine::websocket::{Decoder, Frame, FrameError, MAX_HEADER, Opcode, Role, put_frame};

use super::Script;

/// A message or control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>),
}

/// What came of a stream: its frames, and the code that it was closed with for a breach.
type Outcome = (Vec<Seen>, Option<u16>);

/// What a decoder is made for.
#[derive(Clone, Copy)]
struct End {
    role: Role,
    max_payload: usize,
    max_fragments: u32,
}

/// The first two bytes choose the end that reads, its bounds and where the stream is cut; then comes the stream.
pub(super) fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let (choice, cut) = (script.byte(), script.byte());
    let stream = data.get(2..).unwrap_or_default();
    let end = End {
        role: if choice & 1 == 0 { Role::Server } else { Role::Client },
        max_payload: [0, 3, 125, 126, 300, 1 << 16, 1_000_000, usize::MAX][usize::from(choice >> 1 & 7)],
        max_fragments: [0, 1, 3, 16_384][usize::from(choice >> 4 & 3)],
    };
    let expected = model(stream, end);
    assert_eq!(read(stream, end, [].into_iter()), expected, "in one piece");
    let cut = usize::from(cut) % (stream.len() + 1);
    assert_eq!(read(stream, end, [cut].into_iter()), expected, "cut at {cut}");
    assert_eq!(read(stream, end, 0..stream.len()), expected, "byte by byte");
    write(&expected.0, end.role);
}

/// Reads `stream`, the bytes coming in the pieces that `cuts` makes; what is not done with is kept as a link does.
fn read(stream: &[u8], end: End, cuts: impl Iterator<Item = usize>) -> Outcome {
    let mut decoder = Decoder::new(end.role, end.max_payload, end.max_fragments);
    let mut seen = Vec::new();
    let mut residue = Vec::new();
    let mut fed = 0;
    for cut in cuts.chain([stream.len()]) {
        residue.extend_from_slice(&stream[fed..cut]);
        fed = cut;
        let mut used = 0;
        loop {
            let given = residue.len() - used;
            match decoder.next(&mut residue[used..]) {
                Err(error) => return (seen, Some(error.code())),
                Ok((more, frame)) => {
                    assert!(more <= given);
                    used += more;
                    let Some(frame) = frame else { break };
                    seen.push(own(frame));
                }
            }
        }
        residue.drain(..used);
        if let Some(wanted) = decoder.wanted(&residue) {
            assert!(wanted > residue.len(), "a frame that is there was not read");
            assert!(wanted <= end.max_payload.max(125).saturating_add(MAX_HEADER));
        } else {
            assert!(residue.len() < MAX_HEADER, "{} bytes without a header are kept", residue.len());
        }
    }
    (seen, None)
}

fn own(frame: Frame<'_>) -> Seen {
    match frame {
        Frame::Text(text) => Seen::Text(text.to_owned()),
        Frame::Binary(bytes) => Seen::Binary(bytes.to_vec()),
        Frame::Ping(bytes) => Seen::Ping(bytes.to_vec()),
        Frame::Pong => Seen::Pong,
        Frame::Close(code) => Seen::Close(code),
    }
}

/// The same by RFC 6455, section 5.2, in the simplest words: frame after frame, all of it there at once.
fn model(stream: &[u8], end: End) -> Outcome {
    let mut seen = Vec::new();
    let mut rest = stream;
    let mut message: Option<(u8, Vec<u8>, u32)> = None;
    while rest.len() >= 2 {
        let (finished, reserved, opcode) = (rest[0] & 0x80 != 0, rest[0] & 0x70, rest[0] & 0x0f);
        let (masked, short) = (rest[1] & 0x80 != 0, rest[1] & 0x7f);
        let control = opcode >= 8;
        if reserved != 0 || !matches!(opcode, 0..=2 | 8..=10) || masked != (end.role == Role::Server) {
            return (seen, Some(1002));
        }
        if control && (!finished || short > 125) || !control && (opcode == 0) != message.is_some() {
            return (seen, Some(1002));
        }
        if !control && message.as_ref().map_or(0, |(_, _, count)| *count) >= end.max_fragments {
            return (seen, Some(1008));
        }
        let wide = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some(digits) = rest.get(2..2 + wide) else { return (seen, None) };
        let len = match wide {
            0 => u64::from(short),
            _ => digits.iter().fold(0, |len, digit| len << 8 | u64::from(*digit)),
        };
        let taken = message.as_ref().map_or(0, |(_, bytes, _)| bytes.len());
        if !control && u128::from(len) + taken as u128 > end.max_payload as u128 {
            return (seen, Some(1009));
        }
        let start = 2 + wide + if masked { 4 } else { 0 };
        let Some(content) = usize::try_from(len).ok().and_then(|len| rest.get(start..start.checked_add(len)?)) else {
            return (seen, None);
        };
        let key = if masked { &rest[start - 4..start] } else { &[0; 4] };
        let content: Vec<u8> = content.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
        rest = &rest[start + content.len()..];
        let (kind, content) = if control {
            (opcode, content)
        } else {
            let (kind, mut all, count) = message.take().unwrap_or((opcode, Vec::new(), 0));
            all.extend(content);
            if !finished {
                message = Some((kind, all, count + 1));
                continue;
            }
            (kind, all)
        };
        match whole(kind, content) {
            Ok(frame) => seen.push(frame),
            Err(error) => return (seen, Some(error.code())),
        }
    }
    (seen, None)
}

fn whole(kind: u8, content: Vec<u8>) -> Result<Seen, FrameError> {
    Ok(match kind {
        1 => Seen::Text(String::from_utf8(content).map_err(|_| FrameError::Utf8)?),
        2 => Seen::Binary(content),
        9 => Seen::Ping(content),
        10 => Seen::Pong,
        _ if content.is_empty() => Seen::Close(None),
        _ => {
            let code = content.first_chunk().map(|code| u16::from_be_bytes(*code));
            let allowed =
                code.filter(|code| *code >= 1000 && *code < 5000 && !matches!(*code, 1004..=1006 | 1015..=2999));
            let code = allowed.ok_or(FrameError::Protocol("no such code"))?;
            String::from_utf8(content[2..].to_vec()).map_err(|_| FrameError::Utf8)?;
            Seen::Close(Some(code))
        }
    })
}

/// What was read is written as the other end writes it, and read again.
fn write(seen: &[Seen], role: Role) {
    let key = (role == Role::Server).then_some([0x37, 0xfa, 0x21, 0x3d]);
    let mut stream = Vec::new();
    for frame in seen {
        match frame {
            Seen::Text(text) => put_frame(&mut stream, Opcode::Text, text.as_bytes(), key),
            Seen::Binary(bytes) => put_frame(&mut stream, Opcode::Binary, bytes, key),
            Seen::Ping(bytes) => put_frame(&mut stream, Opcode::Ping, bytes, key),
            Seen::Pong => put_frame(&mut stream, Opcode::Pong, b"", key),
            Seen::Close(Some(code)) => put_frame(&mut stream, Opcode::Close, &code.to_be_bytes(), key),
            Seen::Close(None) => put_frame(&mut stream, Opcode::Close, b"", key),
        }
    }
    let any = End { role, max_payload: usize::MAX, max_fragments: 1 };
    assert_eq!(read(&stream, any, [].into_iter()), (seen.to_vec(), None), "written and read again");
}
