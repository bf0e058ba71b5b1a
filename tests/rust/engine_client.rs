//! The client's session, one behaviour at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use socketio_core::proto::engine::client::ClientSession;
use socketio_core::proto::engine::packet::{Packet, Received, Transport};
use socketio_core::proto::engine::session::CloseReason::{ForcedClose, PingTimeout, TransportClose, TransportError};
use socketio_core::proto::engine::session::{Cause, ClientConfig, CloseReason, ExchangeId, Flush, Input, Output};

const OPEN: &str = r#"0{"sid":"abc","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000}"#;

const FIRST: ExchangeId = ExchangeId(1);

struct Session {
    session: ClientSession,
    now: Instant,
}

impl Session {
    fn new(transports: &[Transport]) -> Self {
        let config = ClientConfig { transports: Arc::from(transports), upgrade: true };
        Self { session: ClientSession::new(config), now: Instant::now() }
    }

    /// Open on polling, without an upgrade; its second `GET` is number 2.
    fn polling() -> Self {
        let mut session = Self::new(&[Transport::Polling]);
        assert_eq!(names(session.session.start()), [get(1)]);
        assert_eq!(session.packet(Transport::Polling, OPEN).len(), 1);
        assert_eq!(session.step(Input::GetDone(FIRST)), [get(2)]);
        session
    }

    fn websocket() -> Self {
        let mut session = Self::new(&[Transport::WebSocket]);
        assert_eq!(names(session.session.start()), ["OpenWebSocket"]);
        session.step(Input::WebSocketOpened);
        assert_eq!(session.packet(Transport::WebSocket, OPEN).len(), 1);
        session
    }

    /// Open on polling, its WebSocket probed; its second `GET` is number 2.
    fn probed() -> Self {
        let mut session = Self::new(&[Transport::Polling, Transport::WebSocket]);
        let _ = session.session.start();
        let opened = session.packet(Transport::Polling, OPEN);
        assert_eq!(opened[1..], ["OpenWebSocket"]);
        assert_eq!(session.step(Input::GetDone(FIRST)), [get(2)]);
        assert_eq!(session.step(Input::WebSocketOpened), [r#"Probe("2probe")"#]);
        session
    }

    fn step(&mut self, input: Input<'_>) -> Vec<String> {
        names(self.session.handle(self.now, input))
    }

    fn packet(&mut self, transport: Transport, text: &str) -> Vec<String> {
        let mut scratch = Vec::new();
        let packet = Received::from_text(text, &mut scratch);
        self.step(packet.map_or(Input::Malformed(transport), |packet| Input::Packet(transport, packet)))
    }

    fn send(&mut self, text: &str) {
        self.session.send(Packet::message(text));
    }

    fn take(&mut self) -> Vec<String> {
        let outbox = self.session.outbox();
        let text = |packet| match packet {
            Packet::Text(text) => String::from_utf8(text.into()).unwrap(),
            other => format!("{other:?}"),
        };
        std::iter::from_fn(|| outbox.pop()).map(text).collect()
    }

    /// The number of the `POST` that takes what waits.
    fn post(&mut self) -> ExchangeId {
        match self.session.flush() {
            Some(Flush::Post(id)) => id,
            other => panic!("{other:?}"),
        }
    }
}

fn names<'a>(outputs: impl IntoIterator<Item = Output<'a>>) -> Vec<String> {
    outputs.into_iter().map(|output| format!("{output:?}")).collect()
}

fn get(id: u32) -> String {
    format!("{:?}", Output::Get(ExchangeId(id)))
}

fn closed(reason: CloseReason) -> String {
    format!("{:?}", Output::Closed(reason))
}

#[test]
fn it_opens_on_its_first_transport() {
    let starts = |transports| names(Session::new(transports).session.start());
    assert_eq!(starts(&[Transport::Polling, Transport::WebSocket]), [get(1)]);
    assert_eq!(starts(&[Transport::WebSocket, Transport::Polling]), ["OpenWebSocket"]);
    assert_eq!(starts(&[]), [closed(TransportError)]);
}

#[test]
fn it_takes_on_what_the_handshake_says() {
    let session = Session::polling();
    assert_eq!(session.session.sid(), "abc");
    assert_eq!(session.session.max_payload(), 1000);
    assert_eq!(session.session.deadline(), Some(session.now + Duration::from_millis(500)));
}

#[test]
fn what_does_not_open_the_session_is_a_transport_error() {
    for text in ["4a", "2", "0", "0{", "0[]", r#"0{"sid":1}"#, "x", "1"] {
        let mut session = Session::new(&[Transport::Polling]);
        let _ = session.session.start();
        let reason = if text == "1" { TransportClose } else { TransportError };
        assert_eq!(session.packet(Transport::Polling, text), [closed(reason)], "{text}");
    }
    let mut session = Session::new(&[Transport::Polling]);
    let _ = session.session.start();
    assert!(session.packet(Transport::Polling, "6").is_empty());
    assert_eq!(session.step(Input::GetDone(FIRST)), [closed(TransportError)]);
}

#[test]
fn packets_are_kept_until_the_session_opens() {
    let mut session = Session::new(&[Transport::WebSocket]);
    let _ = session.session.start();
    session.send("a");
    session.step(Input::WebSocketOpened);
    assert_eq!(session.session.flush(), None);
    session.packet(Transport::WebSocket, OPEN);
    assert_eq!(session.session.flush(), Some(Flush::WebSocket));
    assert_eq!(session.take(), ["4a"]);
}

#[test]
fn one_post_is_under_way_at_a_time() {
    let mut session = Session::polling();
    session.send("a");
    let post = session.post();
    session.take();
    session.send("b");
    assert_eq!(session.session.flush(), None);
    assert!(session.step(Input::PostDone(post)).is_empty());
    assert_ne!(session.post(), post);
}

#[test]
fn heartbeats_are_answered_and_put_the_deadline_off() {
    for mut session in [Session::polling(), Session::websocket()] {
        let transport = session.session.transport();
        session.now += Duration::from_millis(499);
        assert!(session.step(Input::Tick).is_empty());
        assert_eq!(session.packet(transport, "2"), ["Ping"]);
        assert_eq!(session.take(), ["3"]);
        assert_eq!(session.session.deadline(), Some(session.now + Duration::from_millis(500)));
        // Nothing else counts as one.
        session.packet(transport, "4a");
        session.now += Duration::from_millis(500);
        assert_eq!(session.step(Input::Tick).last(), Some(&closed(PingTimeout)));
        assert_eq!(session.session.deadline(), None);
    }
}

#[test]
fn heartbeats_of_absurd_length_are_as_good_as_endless() {
    let mut session = Session::new(&[Transport::WebSocket]);
    let _ = session.session.start();
    let max = u64::MAX;
    let open = format!(r#"0{{"sid":"a","upgrades":[],"pingInterval":{max},"pingTimeout":{max},"maxPayload":{max}}}"#);
    assert_eq!(session.packet(Transport::WebSocket, &open).len(), 1);
    assert!(session.session.deadline() > Some(session.now + Duration::from_hours(24)));
}

#[test]
fn it_leaves_polling_only_when_its_requests_are_answered() {
    let mut session = Session::probed();
    session.send("a");
    let post = session.post();
    session.take();
    assert!(session.packet(Transport::WebSocket, "3probe").is_empty());
    session.send("b");
    assert_eq!(session.session.flush(), None);
    assert!(session.step(Input::GetDone(ExchangeId(2))).is_empty());
    assert_eq!(session.step(Input::PostDone(post)), [r#"Probe("5")"#, "Upgraded"]);
    assert_eq!(session.session.flush(), Some(Flush::WebSocket));
    assert_eq!(session.take(), ["4b"]);
}

#[test]
fn a_websocket_that_answers_the_probe_wrongly_is_closed() {
    for text in ["3", "4a", "2probe", "6", "x"] {
        let mut session = Session::probed();
        assert_eq!(session.packet(Transport::WebSocket, text), ["CloseWebSocket"], "{text}");
        assert_eq!(session.session.transport(), Transport::Polling);
    }
}

#[test]
fn an_upgrade_that_fails_half_way_takes_polling_up_again() {
    for cause in [Cause::Closed, Cause::Error] {
        let mut session = Session::probed();
        session.packet(Transport::WebSocket, "3probe");
        session.send("a");
        let post = session.session.flush();
        assert_eq!(post, None);
        assert!(session.step(Input::WebSocketClosed(cause)).is_empty());
        assert!(matches!(session.session.flush(), Some(Flush::Post(_))));
        assert_eq!(session.step(Input::GetDone(ExchangeId(2))).len(), 1);
    }
    // Nothing was under way but the POST: the GET is sent anew.
    let mut session = Session::probed();
    session.send("a");
    let post = session.post();
    session.take();
    session.packet(Transport::WebSocket, "3probe");
    session.step(Input::GetDone(ExchangeId(2)));
    assert_eq!(session.step(Input::WebSocketClosed(Cause::Closed)), [get(4)]);
    assert!(session.step(Input::PostDone(post)).is_empty());
}

#[test]
fn closing_waits_for_what_is_under_way_and_then_says_goodbye() {
    let mut session = Session::polling();
    session.send("a");
    let post = session.post();
    session.take();
    session.send("b");
    assert!(session.step(Input::Close).is_empty());
    session.send("too late");
    assert!(session.step(Input::PostDone(post)).is_empty());
    let post = session.post();
    assert_eq!(session.take(), ["4b"]);
    assert_eq!(session.step(Input::PostDone(post)), [closed(ForcedClose)]);
    session.post();
    assert_eq!(session.take(), ["End"]);
}

#[test]
fn closing_with_nothing_under_way_is_immediate() {
    let mut session = Session::polling();
    assert_eq!(session.step(Input::Close), [closed(ForcedClose)]);
    session.post();
    assert_eq!(session.take(), ["End"]);

    let mut session = Session::websocket();
    session.send("a");
    assert_eq!(session.step(Input::Close), [closed(ForcedClose)]);
    assert_eq!(session.session.flush(), Some(Flush::WebSocket));
    assert_eq!(session.take(), ["4a", "End"]);

    // A probe that is not answered yet is given up.
    let mut session = Session::probed();
    assert_eq!(session.step(Input::Close), ["CloseWebSocket", &closed(ForcedClose)]);
}

#[test]
fn closing_during_an_upgrade_waits_for_its_end() {
    let mut session = Session::probed();
    session.packet(Transport::WebSocket, "3probe");
    assert!(session.step(Input::Close).is_empty());
    let out = session.step(Input::GetDone(ExchangeId(2)));
    assert_eq!(out, [r#"Probe("5")"#, "Upgraded", &closed(ForcedClose)]);
    assert_eq!(session.take(), ["End"]);

    let mut session = Session::probed();
    session.packet(Transport::WebSocket, "3probe");
    session.step(Input::Close);
    assert_eq!(session.step(Input::WebSocketClosed(Cause::Closed)), [closed(ForcedClose)]);
    session.post();
}

#[test]
fn a_request_that_fails_is_a_transport_error() {
    let mut session = Session::polling();
    session.send("a");
    let post = session.post();
    assert_eq!(session.step(Input::Aborted(post)), [closed(TransportError)]);
    let mut session = Session::polling();
    assert!(session.step(Input::Aborted(FIRST)).is_empty());
    assert_eq!(session.step(Input::Aborted(ExchangeId(2))), [closed(TransportError)]);
    // What follows is nobody's business any more.
    assert!(session.packet(Transport::Polling, "4a").is_empty());
    assert!(session.step(Input::Close).is_empty());
}

#[test]
fn the_end_of_a_transport_is_the_end_of_the_session() {
    for (cause, reason) in [(Cause::Closed, TransportClose), (Cause::Error, TransportError)] {
        assert_eq!(Session::websocket().step(Input::WebSocketClosed(cause)), [closed(reason)]);
    }
    assert_eq!(Session::polling().packet(Transport::Polling, "1"), [closed(TransportClose)]);
    // On a WebSocket only its closing counts.
    assert!(Session::websocket().packet(Transport::WebSocket, "1").is_empty());
}
