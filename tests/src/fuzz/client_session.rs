//! A client's Engine.IO session, driven by a shell that keeps the contract of `proto::engine::session`, and by a server
//! that may say anything.

use std::sync::Arc;
use std::time::{Duration, Instant};

use socketio_core::proto::engine::client::ClientSession;
use socketio_core::proto::engine::packet::{Packet, Received, Transport};
use socketio_core::proto::engine::payload;
use socketio_core::proto::engine::session::{Cause, ClientConfig, ExchangeId, Flush, Input, Output};

use super::Script;

const PACKETS: [&str; 14] = [
    "",
    OPEN,
    "0{\"sid\":\"\"}",
    ENDLESS,
    "1",
    "2",
    "2probe",
    "3probe",
    "4a",
    "5",
    "6",
    "bAQ==",
    "x",
    "4a\u{1e}2\u{1e}4b",
];

const OPEN: &str = r#"0{"sid":"a","upgrades":["websocket"],"pingInterval":50,"pingTimeout":20,"maxPayload":9}"#;

const ENDLESS: &str =
    r#"0{"sid":"b","upgrades":[],"pingInterval":18446744073709551615,"pingTimeout":18446744073709551615}"#;

/// The first byte chooses the session; each step after it is something that happens to it.
pub(super) fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let mut shell = Shell::new(&mut script);
    while let Some(step) = script.step() {
        shell.step(step, &mut script);
    }
    shell.end();
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WebSocket {
    None,
    Asked,
    Open,
}

/// The books of one session.
struct Shell {
    session: ClientSession,
    now: Instant,
    get: Option<ExchangeId>,
    post: Option<ExchangeId>,
    last_exchange: ExchangeId,
    websocket: WebSocket,
    writable: bool,
    opened: bool,
    upgraded: bool,
    closing: bool,
    closed: bool,
    /// Messages are numbers, so that each is seen to leave once and in order.
    sent: usize,
    left: usize,
    pings: usize,
    ended: bool,
}

impl Shell {
    fn new(script: &mut Script<'_>) -> Self {
        use Transport::{Polling, WebSocket as Ws};
        let transports: Arc<[Transport]> = match script.byte() % 6 {
            0 => Arc::new([Ws]),
            1 => Arc::new([Polling]),
            2 => Arc::new([Ws, Polling]),
            3 => Arc::new([]),
            _ => Arc::new([Polling, Ws]),
        };
        let mut shell = Self {
            session: ClientSession::new(ClientConfig { transports, upgrade: true }),
            now: Instant::now(),
            get: None,
            post: None,
            last_exchange: ExchangeId(0),
            websocket: WebSocket::None,
            writable: true,
            opened: false,
            upgraded: false,
            closing: false,
            closed: false,
            sent: 0,
            left: 0,
            pings: 0,
            ended: false,
        };
        for output in shell.session.start() {
            shell.carry_out(output);
        }
        shell.flush();
        shell
    }

    fn step(&mut self, step: u8, script: &mut Script<'_>) {
        match step % 14 {
            0 => self.now += Duration::from_millis(u64::from(script.byte())),
            1 => self.tick(),
            2 => self.tick_in_time(),
            3 if self.get.is_some() => self.answer_get(script.text(&PACKETS)),
            4 => {
                if let Some(id) = self.post.take() {
                    self.handle(Input::PostDone(id));
                }
            }
            5 => {
                if let Some(id) = self.get.take() {
                    self.handle(Input::Aborted(id));
                }
            }
            6 => {
                if let Some(id) = self.post.take() {
                    self.handle(Input::Aborted(id));
                }
            }
            7 if self.websocket == WebSocket::Asked => {
                self.websocket = WebSocket::Open;
                self.handle(Input::WebSocketOpened);
            }
            8 if self.websocket == WebSocket::Open => {
                let mut scratch = Vec::new();
                let packet = Received::from_text(script.text(&PACKETS), &mut scratch);
                self.handle(packet.map_or(Input::Malformed(Transport::WebSocket), |packet| {
                    Input::Packet(Transport::WebSocket, packet)
                }));
            }
            9 if self.websocket != WebSocket::None => {
                self.websocket = WebSocket::None;
                let cause = if script.byte() & 1 == 0 { Cause::Closed } else { Cause::Error };
                self.handle(Input::WebSocketClosed(cause));
            }
            10 => {
                self.closing = true;
                self.handle(Input::Close);
            }
            11 if !self.closing && !self.closed => {
                self.session.send(Packet::message(&self.sent.to_string()));
                self.sent += 1;
            }
            12 => self.session.pause(),
            13 => {
                self.session.resume(self.now);
                self.writable = script.byte() & 1 == 0;
            }
            _ => {}
        }
        self.flush();
    }

    fn answer_get(&mut self, body: &str) {
        let Some(id) = self.get else { return };
        let mut packets = payload::Decoder::new(body.as_bytes()).expect("a text");
        while let Some(packet) = packets.next_packet() {
            self.handle(
                packet.map_or(Input::Malformed(Transport::Polling), |packet| Input::Packet(Transport::Polling, packet)),
            );
        }
        self.get = None;
        self.handle(Input::GetDone(id));
    }

    fn tick(&mut self) {
        self.handle(Input::Tick);
        let deadline = self.session.deadline();
        assert!(deadline.is_none_or(|deadline| deadline > self.now), "a deadline stays in the past");
    }

    fn tick_in_time(&mut self) {
        if let Some(deadline) = self.session.deadline() {
            self.now = self.now.max(deadline);
            self.tick();
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        for output in self.session.handle(self.now, input) {
            self.carry_out(output);
        }
        assert_eq!(self.session.is_closed(), self.closed);
    }

    fn carry_out(&mut self, output: Output<'_>) {
        assert!(!self.closed, "{output:?} after the end");
        match output {
            Output::Message(_) => assert!(self.opened),
            Output::Ping => {
                assert!(self.opened);
                self.pings += 1;
            }
            Output::Opened(handshake) => {
                assert!(!std::mem::replace(&mut self.opened, true), "opened twice");
                assert_eq!(handshake.sid, self.session.sid());
            }
            Output::Probe(text) => {
                assert!(self.websocket == WebSocket::Open && !self.upgraded && matches!(text, "2probe" | "5"));
            }
            Output::OpenWebSocket => {
                assert_eq!(std::mem::replace(&mut self.websocket, WebSocket::Asked), WebSocket::None);
            }
            Output::CloseWebSocket => {
                assert_ne!(std::mem::replace(&mut self.websocket, WebSocket::None), WebSocket::None);
            }
            Output::Upgraded => {
                assert!(self.websocket == WebSocket::Open && self.get.is_none() && self.post.is_none());
                assert!(!std::mem::replace(&mut self.upgraded, true), "upgraded twice");
            }
            Output::Get(id) => {
                self.new_exchange(id);
                assert_eq!(self.get.replace(id), None, "a second GET");
            }
            Output::Closed(_) => self.closed = true,
            other @ Output::Answer(..) => panic!("a client did {other:?}"),
            other => panic!("what is {other:?}?"),
        }
    }

    fn new_exchange(&mut self, id: ExchangeId) {
        assert!(id > self.last_exchange, "{id:?} was used before");
        assert!(!self.upgraded, "a request behind the upgrade");
        self.last_exchange = id;
    }

    fn flush(&mut self) {
        if self.closed && self.websocket == WebSocket::None && self.session.transport() == Transport::WebSocket {
            // Nobody takes what a session left behind by a WebSocket that was cut.
            self.session.outbox().clear();
        }
        while let Some(flush) = self.session.flush() {
            match flush {
                Flush::WebSocket => {
                    assert_eq!(self.websocket, WebSocket::Open, "packets leave by a WebSocket that is not there");
                    if !self.writable {
                        break;
                    }
                    let packet = self.session.outbox().pop().expect("a flush without packets");
                    self.leave(&packet);
                }
                Flush::Post(id) => {
                    self.new_exchange(id);
                    assert_eq!(self.post.replace(id), None, "a second POST");
                    let max = self.session.max_payload();
                    let body = payload::encode(self.session.outbox(), max);
                    assert!(!body.is_empty() && (body.len() <= max || !body.contains(&0x1e)), "{body:?}");
                    for packet in body.split(|byte| *byte == 0x1e) {
                        let end = packet == b"1";
                        self.leave(&if end { Packet::End } else { Packet::Text(packet.to_vec().into()) });
                    }
                }
                Flush::Poll(_) => panic!("a client answers"),
            }
        }
        let waiting = self.session.outbox().len();
        assert!(waiting <= 1 + self.sent - self.left + self.pings, "{waiting} packets wait");
        assert!(!self.closed || self.session.deadline().is_none());
    }

    /// A packet goes to the server.
    fn leave(&mut self, packet: &Packet) {
        assert!(!self.ended, "{packet:?} behind the end");
        match packet {
            Packet::Text(text) if text[0] == b'4' => {
                assert!(self.opened, "a message before the session is open");
                assert_eq!(text[1..], *self.left.to_string().as_bytes());
                self.left += 1;
            }
            Packet::Text(text) => {
                assert_eq!(text, "3");
                self.pings -= 1;
            }
            Packet::End => {
                self.ended = true;
                if self.session.transport() == Transport::WebSocket {
                    self.websocket = WebSocket::None;
                }
            }
            other => panic!("{other:?} was never sent"),
        }
    }

    /// A server that is silent from now on: an open session ends by its heartbeat, whatever was under way.
    fn end(mut self) {
        self.writable = true;
        self.session.resume(self.now);
        self.flush();
        self.tick_in_time();
        self.flush();
        // What is said last waits for the answer to the POST before it.
        if self.closed && self.post.take().is_some() {
            self.flush();
        }
        assert!(self.closed || !self.opened || self.session.deadline().is_some_and(|at| at > self.now));
        assert!(!(self.closed && self.opened) || self.websocket == WebSocket::None, "a WebSocket stays open");
    }
}
