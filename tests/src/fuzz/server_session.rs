//! A server's Engine.IO session, driven by a shell that keeps the contract of `proto::engine::session` and does what it
//! likes within it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socketio_core::proto::engine::packet::{Packet, Received, Transport};
use socketio_core::proto::engine::payload;
use socketio_core::proto::engine::server::ServerSession;
use socketio_core::proto::engine::session::{Answer, Cause, ExchangeId, Flush, Input, Output, SessionConfig};

use super::Script;

const PACKETS: [&str; 14] =
    ["", "1", "2", "2probe", "3", "3probe", "4a", "5", "6", "bAQ==", "b*", "x", "0{}", "4a\u{1e}1\u{1e}4b"];

/// The first two bytes choose the session; each step after them is something that happens to it.
pub(super) fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let mut shell = Shell::new(&mut script);
    while let Some(step) = script.step() {
        shell.step(step, &mut script);
    }
    shell.end();
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exchange {
    Get,
    Post,
}

/// The books of one session.
struct Shell {
    session: ServerSession,
    now: Instant,
    /// Exchanges that wait for their answer.
    waiting: BTreeMap<ExchangeId, Exchange>,
    last_exchange: u32,
    /// Whether a WebSocket is attached, and whether its socket takes what is written.
    websocket: bool,
    writable: bool,
    probed: bool,
    upgraded: bool,
    closing: bool,
    closed: bool,
    /// Messages are numbers, so that each is seen to leave once and in order.
    sent: usize,
    left: usize,
    ended: bool,
    ticks: usize,
}

impl Shell {
    fn new(script: &mut Script<'_>) -> Self {
        let choice = script.byte();
        let millis = |of: [u64; 4], at: u8| Duration::from_millis(of[usize::from(at & 3)]);
        let config = SessionConfig {
            ping_interval: millis([25_000, 300, 1, u64::MAX], choice >> 1),
            ping_timeout: millis([20_000, 200, 1, u64::MAX], choice >> 3),
            upgrade_timeout: millis([10_000, 250, 1, u64::MAX], choice >> 5),
            upgrades: choice & 0x80 == 0,
            ..SessionConfig::default()
        };
        let now = Instant::now();
        let transport = if choice & 1 == 0 { Transport::Polling } else { Transport::WebSocket };
        Self {
            session: ServerSession::new(now, "sid", Arc::new(config), transport),
            now,
            waiting: BTreeMap::new(),
            last_exchange: 0,
            websocket: transport == Transport::WebSocket,
            writable: true,
            probed: false,
            upgraded: false,
            closing: false,
            closed: false,
            sent: 0,
            left: 0,
            ended: false,
            ticks: 0,
        }
    }

    fn step(&mut self, step: u8, script: &mut Script<'_>) {
        match step % 18 {
            0 => self.now += Duration::from_millis(u64::from(script.byte())),
            1 => self.now += Duration::from_millis(100 * u64::from(script.byte())),
            2 => self.tick(),
            3 => self.tick_in_time(),
            4 => self.begin(Exchange::Get, Input::Poll),
            5 => self.begin(Exchange::Post, Input::PostStarted),
            6 => self.post(script),
            7 => self.end_exchange(script, Some(Exchange::Post), Input::PostRefused),
            8 => self.end_exchange(script, None, Input::Aborted),
            9 => {
                let post = self.waiting.iter().find(|(_, what)| **what == Exchange::Post).map(|(id, _)| *id);
                if let Some(id) = post {
                    self.handle(Input::PostInvalid(id));
                }
            }
            10 if self.session.may_upgrade() => {
                (self.websocket, self.probed) = (true, false);
                self.handle(Input::WebSocketOpened);
            }
            11 if self.websocket => {
                let mut scratch = Vec::new();
                let packet = Received::from_text(script.text(&PACKETS), &mut scratch);
                self.handle(packet.map_or(Input::Malformed(Transport::WebSocket), |packet| {
                    Input::Packet(Transport::WebSocket, packet)
                }));
            }
            12 if self.websocket => {
                self.handle(Input::Packet(Transport::WebSocket, Received::from_binary(script.bytes(3))));
            }
            13 if self.websocket => {
                self.websocket = false;
                let cause = if script.byte() & 1 == 0 { Cause::Closed } else { Cause::Error };
                self.handle(Input::WebSocketClosed(cause));
            }
            14 => {
                self.closing = true;
                self.handle(Input::Close);
            }
            15 if !self.closing && !self.closed => {
                self.session.send(Packet::message(&self.sent.to_string()));
                self.sent += 1;
            }
            16 => self.session.pause(),
            17 => {
                self.session.resume(self.now);
                self.writable = script.byte() & 1 == 0;
            }
            _ => {}
        }
        self.flush();
    }

    fn begin(&mut self, what: Exchange, input: impl FnOnce(ExchangeId) -> Input<'static>) {
        self.last_exchange += 1;
        let id = ExchangeId(self.last_exchange);
        self.waiting.insert(id, what);
        self.handle(input(id));
    }

    /// The body of a `POST` is there. One that was answered before is not read.
    fn post(&mut self, script: &mut Script<'_>) {
        let post = self.waiting.iter().find(|(_, what)| **what == Exchange::Post).map(|(id, _)| *id);
        let body = script.text(&PACKETS);
        let Some(id) = post else { return };
        let mut packets = payload::Decoder::new(body.as_bytes()).expect("a text");
        while let Some(packet) = packets.next_packet() {
            self.handle(
                packet.map_or(Input::Malformed(Transport::Polling), |packet| Input::Packet(Transport::Polling, packet)),
            );
        }
        self.handle(Input::PostDone(id));
        self.flush();
        assert!(!self.waiting.contains_key(&id), "a POST whose body was read is not answered");
    }

    /// An exchange is over without the session's doing.
    fn end_exchange(
        &mut self,
        script: &mut Script<'_>,
        what: Option<Exchange>,
        input: fn(ExchangeId) -> Input<'static>,
    ) {
        let ids: Vec<_> =
            self.waiting.iter().filter(|(_, it)| what.is_none_or(|what| what == **it)).map(|(id, _)| *id).collect();
        if !ids.is_empty() {
            let id = script.pick(&ids);
            self.waiting.remove(&id);
            self.handle(input(id));
        }
    }

    fn tick(&mut self) {
        self.ticks += 1;
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
        let was_closed = self.closed;
        for output in self.session.handle(self.now, input) {
            assert!(
                !self.closed || was_closed && matches!(output, Output::Answer(_, Answer::BadRequest)),
                "{output:?} after the end"
            );
            match output {
                Output::Message(_) => assert!(!self.closing, "a message after the program has closed"),
                Output::Probe(text) => {
                    assert!(self.websocket && !self.upgraded && text == "3probe");
                    self.probed = true;
                }
                Output::CloseWebSocket => {
                    assert!(std::mem::take(&mut self.websocket), "there is no WebSocket to close")
                }
                Output::Upgraded => {
                    assert!(self.websocket && self.probed, "upgraded without a probe");
                    assert!(!std::mem::replace(&mut self.upgraded, true), "upgraded twice");
                }
                Output::Closed(_) => self.closed = true,
                Output::Answer(id, answer) => {
                    let what = self.waiting.remove(&id).unwrap_or_else(|| panic!("{id:?} is answered twice"));
                    match answer {
                        Answer::Ok => assert_eq!(what, Exchange::Post),
                        Answer::Noop | Answer::Close => assert_eq!(what, Exchange::Get),
                        Answer::BadRequest => {}
                    }
                }
                other => panic!("a server did {other:?}"),
            }
        }
        assert_eq!(self.session.is_closed(), self.closed);
    }

    fn flush(&mut self) {
        if self.closed && !self.websocket && self.session.transport() == Transport::WebSocket {
            // Nobody takes what a session left behind by a WebSocket that was cut.
            self.session.outbox().clear();
        }
        while let Some(flush) = self.session.flush() {
            match flush {
                Flush::WebSocket => {
                    assert!(self.websocket, "packets leave by a WebSocket that is not there");
                    if !self.writable {
                        break;
                    }
                    let packet = self.session.outbox().pop().expect("a flush without packets");
                    self.leave(&packet);
                }
                Flush::Poll(id) => {
                    assert_eq!(self.waiting.remove(&id), Some(Exchange::Get), "{id:?} is answered twice");
                    let body = payload::encode(self.session.outbox(), usize::MAX);
                    for packet in body.split(|byte| *byte == 0x1e) {
                        let end = packet == b"1";
                        self.leave(&if end { Packet::End } else { Packet::Text(packet.to_vec().into()) });
                    }
                }
                Flush::Post(_) => panic!("a server posts"),
            }
        }
        let waiting = self.session.outbox().len();
        assert!(waiting <= 2 + self.sent - self.left + self.ticks, "{waiting} packets wait");
        if self.closed {
            assert!(self.waiting.is_empty(), "{:?} have no answer", self.waiting);
            assert!(!self.session.may_upgrade() && self.session.deadline().is_none());
            assert!(waiting == 0 || self.websocket, "packets wait for nobody");
        }
    }

    /// A packet goes to the client.
    fn leave(&mut self, packet: &Packet) {
        assert!(!self.ended, "{packet:?} behind the end");
        match packet {
            Packet::Text(text) if text[0] == b'4' => {
                assert_eq!(text[1..], *self.left.to_string().as_bytes());
                self.left += 1;
            }
            Packet::Text(text) => assert!(matches!(text[0], b'0' | b'2'), "{text:?}"),
            Packet::End => {
                self.ended = true;
                if self.session.transport() == Transport::WebSocket {
                    self.websocket = false;
                }
            }
            other => panic!("{other:?} was never sent"),
        }
    }

    /// A client that is silent from now on: time alone ends the session, and answers all that waits.
    fn end(mut self) {
        self.writable = true;
        self.session.resume(self.now);
        self.flush();
        // Pings of a long session come every millisecond, and so may noops while a probe is under way.
        for _ in 0..3_000 {
            if self.session.deadline().is_none() {
                break;
            }
            self.tick_in_time();
            self.flush();
        }
        let endless = self.session.deadline().is_some_and(|deadline| deadline > self.now + Duration::from_hours(1));
        assert!(self.closed || endless, "the session of a silent client does not end: {:?}", self.session);
        assert!(!self.closed || !self.websocket, "the WebSocket of a session that is over stays open");
    }
}
