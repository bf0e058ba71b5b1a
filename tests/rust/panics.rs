//! Bugs in what sits on a connection, over real sockets: each costs its connection and nothing else, and is only logged.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use socketio_core::ErrorKind;
use socketio_core::data::Limits;
use socketio_core::proto::engine::packet::{Message, Packet, Transport};
use socketio_core::proto::engine::session::{CloseReason, SessionConfig};
use socketio_core::runtime::dispatch::delivery::Delivery;
use socketio_core::runtime::log::{self, Level};
use socketio_core::runtime::{Runtime, RuntimeConfig};
use socketio_core::server::EngineServer;
use socketio_core::server::connection::{Io, Layer};
use socketio_core::server::engine::EngineConfig;
use socketio_tests::raw::{self, Polling, WebSocket};

/// What sits on a connection: an echo with bugs.
struct Faulty {
    ends: Sender<String>,
    tick_at: Option<Instant>,
    fails_to_close: bool,
}

impl Layer for Faulty {
    fn message(&mut self, io: &mut Io<'_, Self>, message: Message<'_>) {
        match message {
            Message::Text("panic") => panic!("planted in message"),
            Message::Text("panic behind an answer") => {
                io.send(Packet::message("never sent"));
                panic!("planted in message");
            }
            Message::Text("panic with a delivery") => {
                let ends = self.ends.clone();
                io.deliver_call(1000, move || ends.send("delivered".to_owned()).unwrap());
                panic!("planted in message");
            }
            Message::Text("panic at tick") => self.tick_at = Some(io.now()),
            Message::Text("panic at close") => self.fails_to_close = true,
            Message::Text(text) => io.send(Packet::message(text)),
            Message::Binary(_) => unreachable!("nothing binary is sent"),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.tick_at
    }

    fn tick(&mut self, _: &mut Io<'_, Self>) {
        panic!("planted in tick");
    }

    fn closed(&mut self, _: &mut Io<'_, Self>, reason: CloseReason) {
        self.ends.send(reason.as_str().to_owned()).unwrap();
        assert!(!self.fails_to_close, "planted in closed");
    }
}

/// A server with such connections, and two of them that do nothing wrong.
struct Bench {
    server: EngineServer<Faulty>,
    address: String,
    /// How connections ended.
    ends: Receiver<String>,
    websocket: WebSocket,
    polling: Polling,
}

impl Bench {
    fn new() -> Self {
        let (sender, ends) = channel();
        let config = EngineConfig {
            path: "/socket.io/".into(),
            transports: vec![Transport::Polling, Transport::WebSocket],
            session: SessionConfig::default(),
            limits: Limits::default(),
            cors: None,
        };
        let runtime = Runtime::new(&RuntimeConfig::default()).unwrap();
        let server = EngineServer::new(
            &runtime,
            config,
            Box::new(move |head| {
                assert!(head.query("planted").is_none(), "planted in open");
                Faulty { ends: sender.clone(), tick_at: None, fails_to_close: false }
            }),
        );
        server.listen("127.0.0.1:0").unwrap();
        let address = server.address(0).unwrap();
        let (websocket, polling) = (WebSocket::open(&address), Polling::open(&address));
        Self { server, address, ends, websocket, polling }
    }

    fn assert_end(&self, reason: &str) {
        assert_eq!(self.ends.recv().unwrap(), reason);
    }

    /// The others go on, and when they go too nothing is left.
    fn assert_sound(mut self) {
        self.websocket.send("4still there");
        assert_eq!(self.websocket.text(), "4still there");
        assert_eq!(self.polling.post("4still there").status, 200);
        assert_eq!(self.polling.get().body, "4still there");
        drop(WebSocket::open(&self.address));
        self.assert_end("transport close");
        assert_eq!(self.server.engine().count(), 2);
        let Self { server, ends, websocket, polling, .. } = self;
        drop(websocket);
        assert_eq!(ends.recv().unwrap(), "transport close");
        assert_eq!(polling.post("1").status, 200);
        assert_eq!(ends.recv().unwrap(), "transport close");
        assert_eq!(server.engine().count(), 0);
        assert!(ends.try_recv().is_err());
    }
}

#[test]
fn a_panic_at_a_message_cuts_the_websocket() {
    for message in ["4panic", "4panic behind an answer"] {
        let bench = Bench::new();
        let mut client = WebSocket::open(&bench.address);
        client.send(message);
        client.try_write(&raw::frame(1, b"4never seen"));
        assert_eq!(client.read(), None);
        bench.assert_end("transport error");
        bench.assert_sound();
    }
}

#[test]
fn a_panic_at_a_message_answers_the_waiting_requests_with_500() {
    let bench = Bench::new();
    let client = Polling::open(&bench.address);
    let (address, query) = (bench.address.clone(), client.query());
    // Answered by the ping of a connection that lives, were it not for the bug.
    let waiting = std::thread::spawn(move || raw::get(&address, &query));
    assert_eq!(client.post("4one").status, 200);
    assert_eq!(waiting.join().unwrap().body, "4one");
    assert_eq!(client.post("4panic\x1e4never seen").status, 500);
    bench.assert_end("transport error");
    assert_eq!(client.get().status, 400);
    assert_eq!(client.post("4x").status, 400);
    bench.assert_sound();
}

#[test]
fn a_panic_at_a_tick_is_no_different() {
    let bench = Bench::new();
    let mut client = WebSocket::open(&bench.address);
    client.send("4panic at tick");
    assert_eq!(client.read(), None);
    bench.assert_end("transport error");

    let client = Polling::open(&bench.address);
    assert_eq!(client.post("4panic at tick").status, 200);
    bench.assert_end("transport error");
    assert_eq!(client.get().status, 400);
    bench.assert_sound();
}

#[test]
fn a_panic_at_the_end_does_not_keep_the_connection() {
    let bench = Bench::new();
    let mut client = WebSocket::open(&bench.address);
    client.send("4panic at close");
    client.write(&raw::frame(8, b""));
    assert_eq!(client.close_code(), None);
    assert_eq!(client.read(), None);
    bench.assert_end("transport close");

    let client = Polling::open(&bench.address);
    assert_eq!(client.post("4panic at close\x1e1").status, 200);
    bench.assert_end("transport close");

    // The one that fails when it is told to go is not told again.
    let mut client = WebSocket::open(&bench.address);
    client.send("4panic at close");
    client.send("4panic");
    assert_eq!(client.read(), None);
    bench.assert_end("transport error");
    bench.assert_sound();
}

#[test]
fn a_panic_at_the_handshake_is_answered_with_500_or_cuts_the_websocket() {
    let bench = Bench::new();
    assert_eq!(raw::get(&bench.address, "EIO=4&transport=polling&planted=1").status, 500);
    let mut client = WebSocket::upgrade(&bench.address, "EIO=4&transport=websocket&planted=1");
    assert_eq!(client.read(), None);
    bench.assert_sound();
}

#[test]
fn what_was_delivered_before_the_panic_still_is() {
    let bench = Bench::new();
    let mut client = WebSocket::open(&bench.address);
    client.send("4panic with a delivery");
    assert_eq!(client.read(), None);
    let mut ends = [bench.ends.recv().unwrap(), bench.ends.recv().unwrap()];
    ends.sort();
    assert_eq!(ends, ["delivered", "transport error"]);
    bench.assert_sound();
}

#[test]
fn whoever_works_on_the_connection_is_told_of_the_bug() {
    let bench = Bench::new();
    let mut client = WebSocket::open(&bench.address);
    client.send("4x");
    assert_eq!(client.text(), "4x");
    let connections = bench.server.engine().connections();
    let failing = connections.iter().max_by_key(|connection| connection.buffered_bytes()).unwrap().clone();
    let error = failing.act(|_, _| -> Result<(), _> { panic!("planted in a call") }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panic);
    assert!(error.message().contains("planted in a call"), "{error}");
    let error = failing.act(|_, _| Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    failing.close();
    bench.assert_end("transport error");
    assert_eq!(bench.server.engine().count(), 2);
}

/// A handler that panics keeps neither its own connection nor others from being served.
#[test]
fn a_panic_is_one_line_of_the_log_with_its_message_and_place() {
    let (sender, lines) = channel();
    let sender = Mutex::new(sender);
    let handler = move |level: Level, target: &str, line: &str| {
        if line.contains("planted for the log") {
            sender.lock().unwrap().send((level, target.to_owned(), line.to_owned())).unwrap();
        }
    };
    log::set(Level::Error, Some(Box::new(handler))).unwrap();
    let bench = Bench::new();
    let queue = Arc::clone(bench.server.engine().connections()[0].queue());
    queue.push(Delivery::call(|| panic!("planted for the log\r\n\x1b[31min two lines")));
    let (level, target, line) = lines.recv().unwrap();
    assert_eq!((level, target.as_str()), (Level::Error, "runtime"));
    assert!(line.contains("tests/rust/panics.rs:"), "{line}");
    assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
    log::set(Level::Error, None).unwrap();
    assert_eq!(lines.recv().ok(), None);
}

/// The tests of this file once more, in a process whose standard error can be looked at.
#[test]
fn nothing_is_printed() {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).args(["--nocapture", "--skip", "nothing_is_printed"]).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{printed}");
    assert_eq!(printed, "");
}
