//! Our client against the official server, over real sockets: `node` with the packages that `make test` installs under
//! `tests/interop`.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use socketio_core::client::{Manager, ManagerConfig, ManagerEvent, ManagerEventKind, Socket, SocketConfig};
use socketio_core::data::Payload;
use socketio_core::error::ErrorKind;
use socketio_core::runtime::Runtime;

const LONG: Duration = Duration::from_secs(10);

/// Polling only, WebSocket only, polling then upgrade.
const WAYS: [&str; 3] = [r#"["polling"]"#, r#"["websocket"]"#, r#"["polling","websocket"]"#];

/// The official server with the behaviour of `echo-c`.
struct Official {
    child: Child,
    port: u16,
}

impl Official {
    fn start(options: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::start_at(port, options)
    }

    fn start_at(port: u16, options: &[&str]) -> Self {
        let interop = concat!(env!("CARGO_MANIFEST_DIR"), "/interop");
        assert!(std::fs::exists(format!("{interop}/node_modules")).unwrap(), "run `npm ci` in tests/interop first");
        let child = Command::new("node")
            .arg(format!("{interop}/official-server.mjs"))
            .arg(port.to_string())
            .args(options)
            .spawn()
            .unwrap();
        let deadline = Instant::now() + LONG;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the official server does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, port }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Official {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A manager with one socket, whose life is told line by line.
struct Client {
    manager: Arc<Manager>,
    socket: Arc<Socket>,
    lines: Receiver<String>,
    line: Sender<String>,
}

impl Client {
    fn new(port: u16, options: &str) -> Self {
        Self::in_namespace(port, options, "/", None)
    }

    fn in_namespace(port: u16, options: &str, namespace: &str, auth: Option<&str>) -> Self {
        let mut config = ManagerConfig::from_json(options).unwrap();
        config.auto_connect = false;
        let runtime = Runtime::get_default().unwrap();
        let manager = Manager::new(&runtime, &format!("http://localhost:{port}"), config).unwrap();
        let socket = manager.socket(namespace, SocketConfig { auth_json: auth.map(str::to_owned) }).unwrap();
        let (line, lines) = channel();
        tell(&socket, "", &line);
        let client = Self { manager, socket, lines, line };
        client.socket.connect();
        client
    }

    #[track_caller]
    fn next(&self) -> String {
        self.lines.recv_timeout(LONG).expect("nothing happened")
    }

    #[track_caller]
    fn expect(&self, expected: &str) {
        assert_eq!(self.next(), expected);
    }

    #[track_caller]
    fn expect_nothing(&self, time: Duration) {
        assert_eq!(self.lines.recv_timeout(time), Err(RecvTimeoutError::Timeout));
    }

    fn emit_with_ack(&self, name: &str, payload: &Payload, timeout: Option<Duration>) {
        let line = self.line.clone();
        let answered = move |answer: Result<Payload, socketio_core::Error>| {
            let _ = line.send(match answer {
                Ok(payload) => format!("ack {}", describe(&payload)),
                Err(error) => format!("ack {:?}", error.kind()),
            });
        };
        self.socket.emit_with_ack(name, payload, timeout, Box::new(answered)).unwrap();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.manager.close_wait(LONG).unwrap();
    }
}

/// Has `line` told what happens to a socket.
fn tell(socket: &Socket, prefix: &'static str, line: &Sender<String>) {
    let tell = |line: &Sender<String>| {
        let line = line.clone();
        move |text: String| drop(line.send(format!("{prefix}{text}")))
    };
    let say = tell(line);
    socket.on_connect(Box::new(move |socket| {
        assert_eq!(socket.id().unwrap().len(), 20);
        assert!(socket.connected() && socket.active());
        say("connect".to_owned());
    }));
    let say = tell(line);
    socket.on_disconnect(Box::new(move |socket, reason| {
        assert!(!socket.connected() && socket.id().is_none());
        say(format!("disconnect: {reason}"));
    }));
    let say = tell(line);
    socket.on_connect_error(Box::new(move |_, error| say(format!("connect_error {:?}: {error}", error.kind()))));
    let say = tell(line);
    socket.on_any(Box::new(move |_, event| {
        say(format!("{} {}", event.name(), describe(event.payload())));
        if event.name() == "question" {
            event.take_ack().unwrap().send(event.payload()).unwrap();
        }
    }));
}

fn describe(payload: &Payload) -> String {
    let attachments: String = payload.attachments().iter().map(|bytes| format!(" {bytes:?}")).collect();
    payload.json().to_owned() + &attachments
}

fn json(text: &str) -> Payload {
    Payload::from_json(text, Vec::new()).unwrap()
}

fn options(transports: &str) -> String {
    format!(r#"{{"transports":{transports},"reconnectionDelay":50,"reconnectionDelayMax":100}}"#)
}

fn each_way(test: impl Fn(&Official, &str)) {
    let official = Official::start(&[]);
    for transports in WAYS {
        println!("{transports}");
        test(&official, &options(transports));
    }
}

#[test]
fn events_and_acks_go_both_ways_with_binary_anywhere() {
    each_way(|official, options| {
        let client = Client::in_namespace(official.port, options, "/", Some(r#"{"token":"é"}"#));
        client.socket.emit("message", &json(r#"[1,"two",{"three":[null]}]"#)).unwrap();
        client.expect("connect");
        client.expect(r#"auth [{"token":"é"}]"#);
        client.expect(r#"message-back [1,"two",{"three":[null]}]"#);

        let placeholders = r#"[{"_placeholder":true,"num":0},{"in":[{"_placeholder":true,"num":1}]}]"#;
        let binary = Payload::from_json(placeholders, vec![Bytes::from_static(b"one"), Bytes::new()]).unwrap();
        client.socket.emit("message", &binary).unwrap();
        client.expect(&format!(r#"message-back {placeholders} b"one" b"""#));

        client.emit_with_ack("message-with-ack", &json(r#"["a",{}]"#), None);
        client.expect(r#"ack ["a",{}]"#);
        client.emit_with_ack("echo", &binary, Some(LONG));
        client.expect(&format!(r#"ack {placeholders} b"one" b"""#));

        client.socket.emit("ask", &binary).unwrap();
        client.expect(&format!(r#"question {placeholders} b"one" b"""#));
        client.expect(&format!(r#"answer {placeholders} b"one" b"""#));
    });
}

#[test]
fn a_burst_of_5000_stays_in_order() {
    each_way(|official, options| {
        let client = Client::new(official.port, options);
        client.expect("connect");
        client.expect("auth [{}]");
        let large = "x".repeat(100);
        for n in 0..5000 {
            client.socket.emit("message", &json(&format!(r#"[{n},"{large}"]"#))).unwrap();
        }
        for n in 0..5000 {
            client.expect(&format!(r#"message-back [{n},"{large}"]"#));
        }
    });
}

#[test]
fn large_messages_go_both_ways() {
    each_way(|official, options| {
        let client = Client::new(official.port, options);
        client.expect("connect");
        client.expect("auth [{}]");
        let bytes = Bytes::from((0..600_000_u32).map(|n| n as u8).collect::<Vec<_>>());
        let payload = Payload::from_json(r#"[{"_placeholder":true,"num":0}]"#, vec![bytes.clone()]).unwrap();
        for _ in 0..3 {
            client.socket.emit("message", &payload).unwrap();
        }
        for _ in 0..3 {
            client.expect(&format!("message-back {}", describe(&payload)));
        }
    });
}

#[test]
fn namespaces_share_a_connection_and_an_unknown_one_is_refused() {
    each_way(|official, options| {
        let client = Client::new(official.port, options);
        client.expect("connect");
        client.expect("auth [{}]");
        for (name, auth) in [("/custom", r#"{"n":1}"#), ("/nope", "{}")] {
            let socket = client.manager.socket(name, SocketConfig { auth_json: Some(auth.to_owned()) }).unwrap();
            assert!(Arc::ptr_eq(&socket, &client.manager.socket(name, SocketConfig::default()).unwrap()));
            tell(&socket, "other: ", &client.line);
            socket.connect();
            if name == "/nope" {
                client.expect("other: connect_error Rejected: Invalid namespace");
                assert!(!socket.active());
            } else {
                client.expect("other: connect");
                client.expect(r#"other: auth [{"n":1}]"#);
                socket.emit("message", &json("[1]")).unwrap();
                client.expect("other: message-back [1]");
            }
        }
        client.socket.emit("message", &json("[2]")).unwrap();
        client.expect("message-back [2]");
    });
}

#[test]
fn rooms_reach_others_only() {
    each_way(|official, options| {
        let (one, two) = (Client::new(official.port, options), Client::new(official.port, options));
        for client in [&one, &two] {
            client.expect("connect");
            client.expect("auth [{}]");
            client.emit_with_ack("join", &json(r#"["room"]"#), None);
            client.expect("ack []");
        }
        one.socket.emit("to", &json(r#"["room","hello",1]"#)).unwrap();
        two.expect("hello [1]");
        one.socket.emit("broadcast", &json("[2]")).unwrap();
        one.expect("broadcast [2]");
        two.expect("broadcast [2]");
    });
}

#[test]
fn both_ends_see_the_official_reasons() {
    each_way(|official, options| {
        let watcher = Client::new(official.port, options);
        watcher.expect("connect");
        watcher.expect("auth [{}]");
        let last_reason = |expected: &str| {
            let deadline = Instant::now() + LONG;
            loop {
                watcher.emit_with_ack("last-reason", &json("[]"), None);
                let reason = watcher.next();
                if reason == format!(r#"ack ["{expected}"]"#) {
                    return;
                }
                assert!(Instant::now() < deadline, "{reason}, not {expected}");
                std::thread::sleep(Duration::from_millis(10));
            }
        };

        let client = Client::new(official.port, options);
        client.expect("connect");
        client.expect("auth [{}]");
        client.socket.disconnect();
        client.expect("disconnect: io client disconnect");
        last_reason("client namespace disconnect");

        for close in ["false", "true"] {
            let client = Client::new(official.port, options);
            client.expect("connect");
            client.expect("auth [{}]");
            client.socket.emit("kick", &json(&format!("[{close}]"))).unwrap();
            client.expect("disconnect: io server disconnect");
            assert!(!client.socket.active());
            last_reason("server namespace disconnect");
            // Neither side connects again by itself, but may.
            client.expect_nothing(Duration::from_millis(200));
            client.socket.connect();
            client.expect("connect");
        }
    });
}

#[test]
fn a_killed_server_is_found_again_and_what_was_emitted_meanwhile_arrives() {
    for transports in WAYS {
        println!("{transports}");
        let mut official = Official::start(&[]);
        let client = Client::new(official.port, &options(transports));
        for kind in [ManagerEventKind::Reconnect, ManagerEventKind::ReconnectAttempt, ManagerEventKind::ReconnectError]
        {
            let line = client.line.clone();
            client.manager.on(
                kind,
                Box::new(move |event| {
                    let _ = line.send(match event {
                        ManagerEvent::ReconnectError(_) => "reconnect_error".to_owned(),
                        event => format!("{event:?}"),
                    });
                }),
            );
        }
        client.expect("connect");
        client.expect("auth [{}]");
        client.emit_with_ack("never", &json("[]"), None);
        client.emit_with_ack("message-with-ack", &json("[]"), None);
        client.expect("ack []");

        official.kill();
        let gone = client.next();
        assert!(matches!(gone.as_str(), "disconnect: transport close" | "disconnect: transport error"), "{gone}");
        client.expect("ack Closed");
        assert!(client.socket.active());
        client.socket.emit("message", &json("[1]")).unwrap();
        client.emit_with_ack("message-with-ack", &json("[2]"), None);
        client.expect("ReconnectAttempt(1)");
        assert!(client.next().starts_with("connect_error Io: "));
        client.expect("reconnect_error");

        let _official = Official::start_at(official.port, &[]);
        let mut seen: Vec<String> =
            std::iter::repeat_with(|| client.next()).take_while(|line| line != "connect").collect();
        let reconnect = seen.pop().unwrap();
        assert!(reconnect.starts_with("Reconnect("), "{reconnect}");
        client.expect("auth [{}]");
        client.expect("message-back [1]");
        client.expect("ack [2]");
    }
}

#[test]
fn a_server_that_falls_silent_is_a_ping_timeout() {
    each_way_with(&["--ping-interval", "100", "--ping-timeout", "200"], |official, options| {
        let client = Client::new(official.port, options);
        client.expect("connect");
        client.expect("auth [{}]");
        // Heartbeats keep it open.
        client.expect_nothing(Duration::from_millis(700));
        signal(&official.child, "STOP");
        client.expect("disconnect: ping timeout");
        signal(&official.child, "CONT");
        while client.next() != "connect" {}
    });
}

#[test]
fn acks_time_out_and_waiting_events_with_them() {
    each_way(|official, options| {
        let client = Client::new(official.port, options);
        client.expect("connect");
        client.expect("auth [{}]");
        client.emit_with_ack("never", &json("[]"), Some(Duration::from_millis(50)));
        client.expect("ack Timeout");
        client.socket.disconnect();
        client.expect("disconnect: io client disconnect");
        client.emit_with_ack("message-with-ack", &json("[]"), Some(Duration::from_millis(50)));
        client.expect("ack Timeout");
    });
}

#[test]
fn attempts_end_when_there_were_as_many_as_allowed() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for transports in WAYS {
        let options = format!(
            r#"{{"transports":{transports},"reconnectionDelay":10,"reconnectionDelayMax":20,"reconnectionAttempts":2}}"#
        );
        let client = Client::new(port, &options);
        let line = client.line.clone();
        client.manager.on(ManagerEventKind::ReconnectFailed, Box::new(move |_| drop(line.send("failed".to_owned()))));
        let lines: Vec<String> = std::iter::repeat_with(|| client.next()).take_while(|line| line != "failed").collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines.iter().all(|line| line.starts_with("connect_error Io: ")), "{lines:?}");
    }
}

#[test]
fn a_peer_that_is_no_socket_io_server_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            use std::io::{Read, Write};
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
        }
    });
    for transports in WAYS {
        let client = Client::new(port, &format!(r#"{{"transports":{transports},"reconnection":false}}"#));
        let error = client.next();
        assert!(error.starts_with("connect_error "), "{error}");
        println!("{error}");
        client.expect_nothing(Duration::from_millis(100));
        assert_eq!(client.socket.emit("connect", &json("[]")).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}

fn each_way_with(options: &[&str], test: impl Fn(&Official, &str)) {
    let official = Official::start(options);
    for transports in WAYS {
        println!("{transports}");
        test(&official, &self::options(transports));
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status().unwrap();
    assert!(status.success());
}
