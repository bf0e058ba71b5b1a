//! What a broken or hostile server can do to a client: the connection ends with the official reason, and nothing else.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use socketio_core::client::{Manager, ManagerConfig, SocketConfig};
use socketio_core::proto::engine::websocket::{Decoder, Frame, Opcode, Role, put_frame, put_header};
use socketio_core::runtime::Runtime;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

const LONG: Duration = Duration::from_secs(10);
const OPEN: &str = r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
const CONNECT: &str = r#"40{"sid":"socket"}"#;
const MAX_PAYLOAD: usize = 5000;

/// A client of a server that does whatever `serve` does with each of its connections.
struct Client {
    manager: Arc<Manager>,
    lines: Receiver<String>,
}

impl Client {
    fn new(transport: &str, serve: impl Fn(TcpStream, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let serve = serve.clone();
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    if let Some(head) = read_head(&mut stream) {
                        serve(stream, head);
                    }
                });
            }
        });
        let options = format!(
            r#"{{"transports":["{transport}"],"reconnection":false,"autoConnect":false,"maxPayload":{MAX_PAYLOAD}}}"#
        );
        let config = ManagerConfig::from_json(&options).unwrap();
        let manager = Manager::new(&Runtime::get_default().unwrap(), &url, config).unwrap();
        let socket = manager.socket("/", SocketConfig::default()).unwrap();
        let (line, lines) = channel();
        let say = line.clone();
        socket.on_connect(Box::new(move |_| _ = say.send("connect".to_owned())));
        let say = line.clone();
        socket.on_disconnect(Box::new(move |_, reason| _ = say.send(reason.to_owned())));
        let say = line.clone();
        socket.on_connect_error(Box::new(move |_, error| _ = say.send(format!("{:?}", error.kind()))));
        socket.on_any(Box::new(move |_, event| _ = line.send(event.name().to_owned())));
        socket.connect();
        Self { manager, lines }
    }

    #[track_caller]
    fn next(&self) -> String {
        self.lines.recv_timeout(LONG).expect("nothing happened")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.manager.close_wait(2 * LONG).unwrap();
    }
}

/// The head of a request; `None` when the client leaves.
fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// Accepts the WebSocket, says `frames` and then waits for the client to leave: the code of its close frame.
fn websocket(mut stream: TcpStream, head: &str, frames: &[u8]) -> Option<u16> {
    let key = head.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap();
    let accept = derive_accept_key(key.as_bytes());
    write!(
        stream,
        "HTTP/1.1 101 \r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: {accept}\r\n\r\n"
    )
    .unwrap();
    let _ = stream.write_all(frames);
    let mut input = Vec::new();
    let mut decoder = Decoder::new(Role::Server, MAX_PAYLOAD, 10);
    loop {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(n) => input.extend_from_slice(&buffer[..n]),
        }
        while let Ok((used, Some(frame))) = decoder.next(&mut input) {
            if let Frame::Close(code) = frame {
                return code;
            }
            input.drain(..used);
        }
    }
}

fn frames(texts: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    texts.iter().for_each(|text| put_frame(&mut out, Opcode::Text, text.as_bytes(), None));
    out
}

fn raw(opcode: Opcode, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_frame(&mut out, opcode, content, None);
    out
}

/// A connected client that receives `bytes`: the reason of its end, and the code it closes with.
fn after(bytes: Vec<u8>) -> (String, Option<u16>) {
    let (code, codes) = channel();
    let client = Client::new("websocket", move |stream, head| {
        let _ = code.send(websocket(stream, &head, &[frames(&[OPEN, CONNECT]), bytes.clone()].concat()));
    });
    assert_eq!(client.next(), "connect");
    (client.next(), codes.recv_timeout(LONG).unwrap())
}

#[test]
fn broken_frames_are_a_transport_error_with_the_code_of_their_kind() {
    let mut masked = Vec::new();
    put_frame(&mut masked, Opcode::Text, b"6", Some([1, 2, 3, 4]));
    let mut large = Vec::new();
    put_header(&mut large, Opcode::Binary, MAX_PAYLOAD + 1, None);
    let mut fragment = raw(Opcode::Text, b"4");
    fragment[0] &= 0x7f;
    let mut continuation = raw(Opcode::Continuation, &[b'x'; MAX_PAYLOAD]);
    continuation[0] &= 0x7f;
    for (what, bytes, code) in [
        ("masked", masked, 1002),
        ("reserved opcode", vec![0x83, 0], 1002),
        ("compressed", vec![0xc1, 0], 1002),
        ("not UTF-8", raw(Opcode::Text, b"4\xff"), 1007),
        ("too large", large, 1009),
        ("too large in sum", [fragment, continuation].concat(), 1009),
    ] {
        assert_eq!(after(bytes), ("transport error".to_owned(), Some(code)), "{what}");
    }
}

#[test]
fn what_is_no_engine_io_packet_is_a_transport_error() {
    for text in ["", "7", "x", "b*"] {
        assert_eq!(after(raw(Opcode::Text, text.as_bytes())).0, "transport error", "{text:?}");
    }
}

#[test]
fn what_is_no_socket_io_packet_is_a_parse_error() {
    for text in [
        "4",
        "49",
        "42",
        "42{}",
        "42[]",
        r#"42["connect"]"#,
        r#"42["a""#,
        r#"450-["a"]"#,
        r#"4511-["a"]"#,
        r#"451-["a",{"_placeholder":true,"num":1}]"#,
        r#"42123456789012345678901["a"]"#,
        "430{}",
        "44",
    ] {
        assert_eq!(after(frames(&[text])).0, "parse error", "{text}");
    }
    assert_eq!(after(frames(&[r#"451-["a"]"#, r#"42["a"]"#])).0, "parse error", "text in place of an attachment");
    assert_eq!(after(raw(Opcode::Binary, b"a")).0, "parse error", "an attachment that was not announced");
    let deep = format!(r#"42["a",{}{}]"#, "[".repeat(200), "]".repeat(200));
    assert_eq!(after(frames(&[&deep])).0, "parse error", "nested too deep");
}

#[test]
fn an_end_without_a_word_is_a_transport_close() {
    let client = Client::new("websocket", |stream, head| {
        let closing = stream.try_clone().unwrap();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            closing.shutdown(std::net::Shutdown::Both).unwrap();
        });
        websocket(stream, &head, &frames(&[OPEN, CONNECT]));
    });
    assert_eq!([client.next(), client.next()], ["connect", "transport close"]);
    assert_eq!(after(raw(Opcode::Close, b"")).0, "transport close");
    assert_eq!(after(raw(Opcode::Close, &1001_u16.to_be_bytes())).0, "transport close");
}

#[test]
fn what_means_nothing_is_ignored() {
    let ignored = ["6", "3", "5", "0{}", "2probe", "4399[]", r#"42/other,["a"]"#, "40/other,{}", r#"42["seen"]"#];
    let bytes =
        [frames(&ignored), raw(Opcode::Ping, b"x"), raw(Opcode::Pong, b"y"), frames(&[r#"42["then"]"#])].concat();
    let client = Client::new("websocket", move |stream, head| {
        websocket(stream, &head, &[frames(&[OPEN, CONNECT]), bytes.clone()].concat());
    });
    assert_eq!([client.next(), client.next(), client.next()], ["connect", "seen", "then"]);
}

#[test]
fn a_handshake_that_cannot_be_is_a_connect_error() {
    for first in ["0", "0{}", "0[]", r#"0{"sid":1}"#, "4hello", "x"] {
        let client = Client::new("websocket", move |stream, head| {
            websocket(stream, &head, &frames(&[first]));
        });
        let seen = client.next();
        assert!(["Io", "Protocol", "WebSocket", "Handshake"].contains(&seen.as_str()), "{first}: {seen}");
    }
    let client = Client::new("websocket", |stream, head| {
        websocket(stream, &head, &frames(&[OPEN, "40{}"]));
    });
    assert_eq!(client.next(), "Handshake", "a server of version 2");
}

#[test]
fn bad_answers_to_polling_are_connect_errors() {
    let huge = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", MAX_PAYLOAD + 1);
    let chunks = format!("{:x}\r\n{}\r\n", MAX_PAYLOAD / 2 + 1, "x".repeat(MAX_PAYLOAD / 2 + 1)).repeat(2);
    let chunked = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
    for (answer, kind) in [
        ("nonsense\r\n\r\n", "Io"),
        ("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", "Http"),
        ("HTTP/1.1 400 No\r\ncontent-length: 29\r\n\r\n{\"code\":1,\"message\":\"Unknown\"}", "Http"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "Protocol"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n9{}", "Protocol"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0{}", "Io"),
        (&huge, "TooLarge"),
        (&chunked, "TooLarge"),
    ] {
        let text = answer.to_owned();
        let client = Client::new("polling", move |mut stream, _| {
            let _ = stream.write_all(text.as_bytes());
        });
        assert_eq!(client.next(), kind, "{answer:.60}");
    }
}
