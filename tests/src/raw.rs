//! Clients made of nothing but a socket: they say exactly what a test wants, and read only when told to.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long a read may take before a test counts as hung.
const HUNG: Duration = Duration::from_mins(1);

/// A WebSocket over which a test sends frames as it likes.
pub struct WebSocket {
    stream: TcpStream,
}

/// A frame as it came from the server.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// Text is 1, binary 2, close 8, pong 10.
    pub opcode: u8,
    /// What it carries.
    pub content: Vec<u8>,
}

/// An answer to an HTTP request.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl WebSocket {
    /// Opens a WebSocket and reads the handshake of Engine.IO; `target` is path and query without the transport.
    pub fn open(address: &str) -> Self {
        let mut opened = Self::upgrade(address, "EIO=4&transport=websocket");
        assert!(opened.text().starts_with("0{"));
        opened
    }

    /// The same, and joins the main namespace.
    pub fn join(address: &str) -> Self {
        let mut opened = Self::open(address);
        opened.send("40");
        assert!(opened.text().starts_with("40{"));
        opened
    }

    /// Opens a WebSocket with a query of the test's own.
    pub fn upgrade(address: &str, query: &str) -> Self {
        let mut stream = connect(address);
        let request = format!(
            "GET /socket.io/?{query} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let head = read_head(&mut stream);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Self { stream }
    }

    /// Sends a text frame.
    pub fn send(&mut self, text: &str) {
        self.write(&frame(1, text.as_bytes()));
    }

    /// Sends a binary frame.
    pub fn send_binary(&mut self, bytes: &[u8]) {
        self.write(&frame(2, bytes));
    }

    /// Sends bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Sends bytes as they are; `false` when the server has closed.
    pub fn try_write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Another handle of the same socket.
    pub fn again(&self) -> Self {
        Self { stream: self.stream.try_clone().unwrap() }
    }

    /// The next frame; `None` at the end of the stream.
    pub fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 2];
        match self.stream.read_exact(&mut head) {
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => return None,
            read => read.unwrap(),
        }
        let size = match head[1] {
            126 => {
                let mut size = [0; 2];
                self.stream.read_exact(&mut size).unwrap();
                usize::from(u16::from_be_bytes(size))
            }
            127 => {
                let mut size = [0; 8];
                self.stream.read_exact(&mut size).unwrap();
                usize::try_from(u64::from_be_bytes(size)).unwrap()
            }
            size => usize::from(size),
        };
        let mut content = vec![0; size];
        self.stream.read_exact(&mut content).unwrap();
        Some(Frame { opcode: head[0] & 0x0f, content })
    }

    /// The next frame, which has to be text.
    pub fn text(&mut self) -> String {
        let frame = self.read().expect("the server has closed");
        assert_eq!(frame.opcode, 1, "{frame:?}");
        String::from_utf8(frame.content).unwrap()
    }

    /// The code of the close frame, which has to come next, if it has one.
    pub fn close_code(&mut self) -> Option<u16> {
        let frame = self.read().expect("the server closed without a close frame");
        assert_eq!(frame.opcode, 8, "{frame:?}");
        frame.content.first_chunk().map(|code| u16::from_be_bytes(*code))
    }
}

/// A finished frame, masked with zeros.
pub fn frame(opcode: u8, content: &[u8]) -> Vec<u8> {
    fragment(0x80 | opcode, content)
}

/// A frame with a first byte of the test's own, masked with zeros.
pub fn fragment(first: u8, content: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match content.len() {
        size @ 0..126 => frame.push(0x80 | size as u8),
        size @ 126..0x1_0000 => {
            frame.push(0x80 | 126);
            frame.extend((size as u16).to_be_bytes());
        }
        size => {
            frame.push(0x80 | 127);
            frame.extend((size as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(content);
    frame
}

/// A client on the polling transport that has joined the main namespace.
pub struct Polling {
    address: String,
    /// The id of its session.
    pub sid: String,
}

impl Polling {
    /// Opens a session.
    pub fn open(address: &str) -> Self {
        let answer = get(address, "EIO=4&transport=polling");
        assert_eq!(answer.status, 200, "{answer:?}");
        let (_, sid) = answer.body.split_once(r#""sid":""#).unwrap();
        Self { address: address.to_owned(), sid: sid[..20].to_owned() }
    }

    /// Opens a session and joins the main namespace.
    pub fn join(address: &str) -> Self {
        let opened = Self::open(address);
        assert_eq!(opened.post("40").status, 200);
        assert!(opened.get().body.starts_with("40{"));
        opened
    }

    /// Asks for packets.
    pub fn get(&self) -> Answer {
        get(&self.address, &self.query())
    }

    /// Sends packets.
    pub fn post(&self, body: &str) -> Answer {
        post(&self.address, &self.query(), body)
    }

    /// The query of its requests.
    pub fn query(&self) -> String {
        format!("EIO=4&transport=polling&sid={}", self.sid)
    }
}

/// A `GET` to the path of Socket.IO.
pub fn get(address: &str, query: &str) -> Answer {
    request(address, &format!("GET /socket.io/?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
}

/// A `POST` to the path of Socket.IO.
pub fn post(address: &str, query: &str, body: &str) -> Answer {
    let size = body.len();
    request(
        address,
        &format!(
            "POST /socket.io/?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n{body}"
        ),
    )
}

/// Sends a request, which must ask to close, and reads the answer.
pub fn request(address: &str, request: &str) -> Answer {
    let mut stream = connect(address);
    // The server may answer and close before it has read all.
    let _ = stream.write_all(request.as_bytes());
    let head = read_head(&mut stream);
    let mut body = String::new();
    match stream.read_to_string(&mut body) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => {}
    }
    Answer { status: head[9..12].parse().unwrap(), body }
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(HUNG)).unwrap();
    stream.set_write_timeout(Some(HUNG)).unwrap();
    stream
}

fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}
