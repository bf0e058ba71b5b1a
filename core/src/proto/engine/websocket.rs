//! WebSocket frames (RFC 6455), without I/O: both roles, no extensions.
//!
//! The [`Decoder`] works in the buffer the bytes were read into: it unmasks there, and a message of one frame is handed
//! out as a slice of it, without a copy or an allocation. Only a message that comes in several fragments is collected.
//! Every bound is checked on the header of a frame, before its bytes are kept.

use std::fmt;

/// The most bytes a header can take: two, eight of length, four of mask.
pub const MAX_HEADER: usize = 14;

/// The most bytes a control frame may carry.
const MAX_CONTROL: usize = 125;

/// In the place of a length: the length follows in 16 bits.
const LEN_16: u8 = 0x7e;

/// In the place of a length: the length follows in 64 bits.
const LEN_64: u8 = 0x7f;

/// Which end of the connection reads: it decides whether frames must be masked or must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The server reads: frames are masked.
    Server,
    /// The client reads: frames are not masked.
    Client,
}

/// The kinds of frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// The next fragment of a message.
    Continuation = 0,
    /// A text message, or its first fragment.
    Text = 1,
    /// A binary message, or its first fragment.
    Binary = 2,
    /// The last frame of a peer.
    Close = 8,
    /// Wants a pong with the same content.
    Ping = 9,
    /// Answers a ping.
    Pong = 10,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    fn is_control(self) -> bool {
        self as u8 & 8 != 0
    }
}

/// A whole message or control frame, unmasked and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// A ping, to be answered with a pong that carries the same bytes (at most 125).
    Ping(&'a [u8]),
    /// A pong; nothing is to be done about it.
    Pong,
    /// The peer closes, with its code if it gave one.
    Close(Option<u16>),
}

/// Why a connection must be closed; [`code`](Self::code) is what the close frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// A frame that the protocol does not allow here; says which rule.
    Protocol(&'static str),
    /// A text message or a close reason is not UTF-8.
    Utf8,
    /// A message comes in more fragments than allowed.
    Fragments,
    /// A message is larger than allowed.
    TooLarge,
}

impl FrameError {
    /// The code for the close frame (RFC 6455, section 7.4).
    pub fn code(self) -> u16 {
        match self {
            Self::Protocol(_) => 1002,
            Self::Utf8 => 1007,
            Self::Fragments => 1008,
            Self::TooLarge => 1009,
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Protocol(rule) => rule,
            Self::Utf8 => "text is not UTF-8",
            Self::Fragments => "too many fragments",
            Self::TooLarge => "message too large",
        })
    }
}

impl std::error::Error for FrameError {}

/// Reads the frames of one connection. Takes memory only while a message is fragmented.
///
/// After an error the connection is of no more use: the decoder must not be asked again.
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    max_fragments: u32,
    max_payload: usize,
    fragmented: Option<Box<Fragmented>>,
}

/// A message of which some fragments have come.
#[derive(Debug)]
struct Fragmented {
    opcode: Opcode,
    count: u32,
    /// The last fragment has come and the message was handed out: it is dropped at the next call.
    finished: bool,
    bytes: Vec<u8>,
}

/// The header of a frame, checked against everything but the state of fragmentation.
struct Header {
    finished: bool,
    opcode: Opcode,
    mask: Option<[u8; 4]>,
    /// The bytes of the header itself.
    size: usize,
    /// The bytes that follow it.
    len: usize,
}

impl Decoder {
    /// A decoder for the end `role`. A message may have at most `max_payload` bytes, exactly, in one frame or in the sum
    /// of its fragments, and at most `max_fragments` fragments, empty ones included.
    pub fn new(role: Role, max_payload: usize, max_fragments: u32) -> Self {
        Self { role, max_fragments, max_payload, fragmented: None }
    }

    /// The next whole message or control frame at the front of `input`, which is unmasked in place, and the number of
    /// bytes that are done with. Without a frame more bytes are needed, behind those that are left; some may be done
    /// with all the same (fragments are kept here). Bytes that are left must be given again unchanged.
    ///
    /// A caller goes on until there is no frame: that last call also frees what a fragmented message had taken.
    pub fn next<'a>(&'a mut self, input: &'a mut [u8]) -> Result<(usize, Option<Frame<'a>>), FrameError> {
        if self.fragmented.as_ref().is_some_and(|message| message.finished) {
            self.fragmented = None;
        }
        let mut used = 0;
        loop {
            let Some(header) = self.header(&input[used..])? else { return Ok((used, None)) };
            let start = used + header.size;
            let end = start.saturating_add(header.len);
            if end > input.len() {
                return Ok((used, None));
            }
            if let Some(key) = header.mask {
                mask(&mut input[start..end], key);
            }
            used = end;
            if header.opcode.is_control() || header.finished && self.fragmented.is_none() {
                return Ok((used, Some(frame(header.opcode, &input[start..end])?)));
            }
            if self.collect(&header, &input[start..end]) {
                let Some(message) = &self.fragmented else { return Ok((used, None)) };
                return Ok((used, Some(frame(message.opcode, &message.bytes)?)));
            }
        }
    }

    /// How many bytes the frame at the front of `input` takes in all, once its header is there and is allowed: the
    /// reader sizes its buffer by it. At most `max_payload` + [`MAX_HEADER`].
    pub fn wanted(&self, input: &[u8]) -> Option<usize> {
        let header = self.header(input).ok()??;
        Some(header.size.saturating_add(header.len))
    }

    /// How many bytes it keeps: those of a fragmented message that is not complete, or was handed out last.
    pub fn held_bytes(&self) -> usize {
        self.fragmented.as_ref().map_or(0, |message| message.bytes.len())
    }

    /// Keeps a fragment; true when it was the last.
    fn collect(&mut self, header: &Header, bytes: &[u8]) -> bool {
        let message = self.fragmented.get_or_insert_with(|| {
            Box::new(Fragmented { opcode: header.opcode, count: 0, finished: false, bytes: Vec::new() })
        });
        message.count += 1;
        message.bytes.extend_from_slice(bytes);
        message.finished = header.finished;
        message.finished
    }

    /// The header at the front of `input`, if it is all there. Each rule is checked as soon as its bytes are.
    #[inline]
    fn header(&self, input: &[u8]) -> Result<Option<Header>, FrameError> {
        let [first, second, rest @ ..] = input else { return Ok(None) };
        let finished = first & 0x80 != 0;
        if first & 0x70 != 0 {
            return Err(FrameError::Protocol("reserved bits are set"));
        }
        let opcode = Opcode::from_bits(first & 0x0f).ok_or(FrameError::Protocol("unknown opcode"))?;
        let masked = second & 0x80 != 0;
        match self.role {
            Role::Server if !masked => return Err(FrameError::Protocol("frame is not masked")),
            Role::Client if masked => return Err(FrameError::Protocol("frame is masked")),
            _ => {}
        }
        let short = second & 0x7f;
        if opcode.is_control() {
            if !finished {
                return Err(FrameError::Protocol("control frame is fragmented"));
            }
            if usize::from(short) > MAX_CONTROL {
                return Err(FrameError::Protocol("control frame is too large"));
            }
        } else {
            self.check_fragment(opcode)?;
        }
        let (len, rest, size) = match short {
            LEN_16 => match rest {
                [a, b, rest @ ..] => (u64::from(u16::from_be_bytes([*a, *b])), rest, 4),
                _ => return Ok(None),
            },
            LEN_64 => match rest.split_first_chunk() {
                Some((len, rest)) => (u64::from_be_bytes(*len), rest, 10),
                None => return Ok(None),
            },
            short => (u64::from(short), rest, 2),
        };
        if !opcode.is_control() && len > self.room() {
            return Err(FrameError::TooLarge);
        }
        let len = usize::try_from(len).map_err(|_| FrameError::TooLarge)?;
        if !masked {
            return Ok(Some(Header { finished, opcode, mask: None, size, len }));
        }
        Ok(rest.first_chunk().map(|key| Header { finished, opcode, mask: Some(*key), size: size + 4, len }))
    }

    /// Whether a data frame may come now.
    fn check_fragment(&self, opcode: Opcode) -> Result<(), FrameError> {
        match (self.unfinished(), opcode) {
            (None, Opcode::Continuation) => Err(FrameError::Protocol("continuation of nothing")),
            (None, _) if self.max_fragments == 0 => Err(FrameError::Fragments),
            (Some(message), Opcode::Continuation) if message.count >= self.max_fragments => Err(FrameError::Fragments),
            (Some(_), Opcode::Text | Opcode::Binary) => Err(FrameError::Protocol("message inside a fragmented one")),
            _ => Ok(()),
        }
    }

    /// How many bytes the message may still take.
    fn room(&self) -> u64 {
        let taken = self.unfinished().map_or(0, |message| message.bytes.len());
        self.max_payload.saturating_sub(taken) as u64
    }

    fn unfinished(&self) -> Option<&Fragmented> {
        self.fragmented.as_deref().filter(|message| !message.finished)
    }
}

/// Makes the frame out of its unmasked content.
#[inline]
fn frame(opcode: Opcode, bytes: &[u8]) -> Result<Frame<'_>, FrameError> {
    Ok(match opcode {
        Opcode::Text => Frame::Text(std::str::from_utf8(bytes).map_err(|_| FrameError::Utf8)?),
        Opcode::Binary | Opcode::Continuation => Frame::Binary(bytes),
        Opcode::Ping => Frame::Ping(bytes),
        Opcode::Pong => Frame::Pong,
        Opcode::Close => Frame::Close(close_code(bytes)?),
    })
}

/// The code of a close frame, which may be empty, else has a code of those that may be sent, then a text.
fn close_code(bytes: &[u8]) -> Result<Option<u16>, FrameError> {
    let Some((code, reason)) = bytes.split_first_chunk() else {
        return if bytes.is_empty() { Ok(None) } else { Err(FrameError::Protocol("close code is cut")) };
    };
    let code = u16::from_be_bytes(*code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(FrameError::Protocol("close code is not allowed"));
    }
    std::str::from_utf8(reason).map_err(|_| FrameError::Utf8)?;
    Ok(Some(code))
}

/// Appends the header of an unfragmented frame with `len` bytes of content, masked with `key` if there is one (a client
/// must, a server must not). The content follows it, masked by the caller with [`mask`].
#[inline]
pub fn put_header(out: &mut Vec<u8>, opcode: Opcode, len: usize, key: Option<[u8; 4]>) {
    let masked = if key.is_some() { 0x80 } else { 0 };
    let mut header = [0; MAX_HEADER];
    header[0] = 0x80 | opcode as u8;
    let mut size = match len {
        0..126 => {
            header[1] = masked | len as u8;
            2
        }
        126..0x1_0000 => {
            header[1] = masked | LEN_16;
            header[2..4].copy_from_slice(&(len as u16).to_be_bytes());
            4
        }
        _ => {
            header[1] = masked | LEN_64;
            header[2..10].copy_from_slice(&(len as u64).to_be_bytes());
            10
        }
    };
    if let Some(key) = key {
        header[size..size + 4].copy_from_slice(&key);
        size += 4;
    }
    out.extend_from_slice(&header[..size]);
}

/// Appends a whole unfragmented frame, its content masked with `key` if there is one.
#[inline]
pub fn put_frame(out: &mut Vec<u8>, opcode: Opcode, content: &[u8], key: Option<[u8; 4]>) {
    out.reserve(MAX_HEADER + content.len());
    put_header(out, opcode, content.len(), key);
    let start = out.len();
    out.extend_from_slice(content);
    if let Some(key) = key {
        mask(&mut out[start..], key);
    }
}

/// Appends a close frame, with a code or empty.
pub fn put_close(out: &mut Vec<u8>, code: Option<u16>, key: Option<[u8; 4]>) {
    match code {
        Some(code) => put_frame(out, Opcode::Close, &code.to_be_bytes(), key),
        None => put_frame(out, Opcode::Close, &[], key),
    }
}

/// Masks or unmasks the content of a frame in place.
#[inline]
pub fn mask(bytes: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.into_iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    fn server(max_payload: usize) -> Decoder {
        Decoder::new(Role::Server, max_payload, 16_384)
    }

    /// A masked frame, `first` being its first byte.
    fn raw(first: u8, content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_frame(&mut out, Opcode::Text, content, Some(KEY));
        out[0] = first;
        out
    }

    fn error(decoder: &mut Decoder, mut input: Vec<u8>) -> u16 {
        loop {
            match decoder.next(&mut input) {
                Err(error) => return error.code(),
                Ok((used, Some(_))) => input = input.split_off(used),
                Ok((_, None)) => return 0,
            }
        }
    }

    #[test]
    fn a_message_of_one_frame_is_a_slice_of_the_input() {
        let mut input = raw(0x81, "héllo".as_bytes());
        let content = input[6..].as_ptr();
        let mut decoder = server(100);
        let Ok((12, Some(Frame::Text(text)))) = decoder.next(&mut input) else { panic!("no text") };
        assert_eq!((text, text.as_ptr()), ("héllo", content));
        assert!(size_of::<Decoder>() <= 24);
    }

    #[test]
    fn memory_is_held_only_while_a_message_is_fragmented() {
        let mut decoder = server(100);
        assert_eq!(decoder.next(&mut raw(0x01, b"one ")).unwrap(), (10, None));
        assert!(decoder.fragmented.is_some());
        assert_eq!(decoder.next(&mut raw(0x89, b"?")).unwrap(), (7, Some(Frame::Ping(b"?"))));
        assert_eq!(decoder.next(&mut raw(0x80, b"two")).unwrap(), (9, Some(Frame::Text("one two"))));
        assert_eq!(decoder.next(&mut []).unwrap(), (0, None));
        assert!(decoder.fragmented.is_none());
    }

    #[test]
    fn max_payload_is_exact_for_a_frame_and_for_the_sum_of_fragments() {
        for (size, code) in [(99, 0), (100, 0), (101, 1009)] {
            assert_eq!(error(&mut server(100), raw(0x82, &vec![7; size])), code);
            let mut fragments = raw(0x02, &[7; 60]);
            fragments.extend(raw(0x80, &vec![7; size - 60]));
            assert_eq!(error(&mut server(100), fragments), code);
        }
    }

    #[test]
    fn a_frame_too_large_is_refused_by_its_header_alone() {
        let mut huge = vec![0x82, 0xff];
        huge.extend(u64::MAX.to_be_bytes());
        assert_eq!(server(100).next(&mut huge[..9]).unwrap(), (0, None));
        assert_eq!(server(100).next(&mut huge), Err(FrameError::TooLarge));
        assert_eq!(server(100).wanted(&huge), None);
    }

    #[test]
    fn the_number_of_fragments_is_bounded_empty_ones_included() {
        for (count, code) in [(2, 0), (3, 0), (4, 1008)] {
            let mut input = raw(0x01, b"");
            for _ in 2..count {
                input.extend(raw(0x00, b""));
            }
            input.extend(raw(0x80, b""));
            assert_eq!(error(&mut Decoder::new(Role::Server, 100, 3), input), code);
        }
    }

    #[test]
    fn frames_against_the_protocol_close_with_1002() {
        let bad: [(&str, Vec<u8>); 11] = [
            ("reserved bit 1", raw(0xc1, b"")),
            ("reserved bit 3", raw(0x91, b"")),
            ("opcode 3", raw(0x83, b"")),
            ("opcode 11", raw(0x8b, b"")),
            ("unmasked", vec![0x81, 0]),
            ("continuation of nothing", raw(0x80, b"")),
            ("text inside a text", [raw(0x01, b"a"), raw(0x81, b"b")].concat()),
            ("fragmented ping", raw(0x09, b"")),
            ("large ping", raw(0x89, &[0; 126])),
            ("close with one byte", raw(0x88, b"\x03")),
            ("close with a reserved code", raw(0x88, &1005_u16.to_be_bytes())),
        ];
        for (name, input) in bad {
            assert_eq!(error(&mut server(1000), input), 1002, "{name}");
        }
        assert_eq!(error(&mut Decoder::new(Role::Client, 100, 10), raw(0x81, b"")), 1002, "masked for a client");
    }

    #[test]
    fn text_must_be_utf8_also_across_fragments() {
        assert_eq!(error(&mut server(100), raw(0x81, b"\xc3\x28")), 1007);
        assert_eq!(error(&mut server(100), raw(0x88, b"\x03\xe8\xff")), 1007);
        let split = [raw(0x01, b"\xe2\x82"), raw(0x80, b"\xac")].concat();
        assert_eq!(error(&mut server(100), split), 0);
        let cut = [raw(0x01, b"\xe2"), raw(0x80, b"\x82")].concat();
        assert_eq!(error(&mut server(100), cut), 1007);
    }

    #[test]
    fn wanted_is_known_with_the_header() {
        let mut frame = Vec::new();
        put_frame(&mut frame, Opcode::Binary, &[1; 300], None);
        let decoder = Decoder::new(Role::Client, 300, 10);
        assert_eq!(decoder.wanted(&frame[..3]), None);
        assert_eq!(decoder.wanted(&frame[..4]), Some(304));
    }

    #[test]
    fn a_mask_undoes_itself_at_every_length() {
        for len in 0..40_u8 {
            let plain: Vec<u8> = (0..len).collect();
            let mut bytes = plain.clone();
            mask(&mut bytes, KEY);
            for (at, byte) in bytes.iter().enumerate() {
                assert_eq!(*byte, plain[at] ^ KEY[at % 4]);
            }
            mask(&mut bytes, KEY);
            assert_eq!(bytes, plain);
        }
    }

    #[test]
    fn headers_take_the_shortest_form() {
        for (len, size) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let mut out = Vec::new();
            put_header(&mut out, Opcode::Binary, len, None);
            assert_eq!(out.len(), size);
            put_header(&mut out, Opcode::Binary, len, Some(KEY));
            assert_eq!(out.len(), 2 * size + 4);
        }
    }
}
