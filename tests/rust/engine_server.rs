//! The server's session, one behaviour at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use socketio_core::proto::engine::handshake::Request;
use socketio_core::proto::engine::packet::{Message, Packet, Received, Transport};
use socketio_core::proto::engine::payload;
use socketio_core::proto::engine::server::ServerSession;
use socketio_core::proto::engine::session::Answer::{self, BadRequest, Close, Noop};
use socketio_core::proto::engine::session::CloseReason::{
    self, ForcedClose, ParseError, PingTimeout, TransportClose, TransportError,
};
use socketio_core::proto::engine::session::{Cause, ExchangeId, Flush, Input, Output, SessionConfig};

const GET: ExchangeId = ExchangeId(1);
const POST: ExchangeId = ExchangeId(2);
const OTHER: ExchangeId = ExchangeId(3);

/// A session and the time that has passed for it.
struct Session {
    session: ServerSession,
    now: Instant,
}

impl Session {
    /// Open, its handshake sent, on `transport`.
    fn on(transport: Transport) -> Self {
        let now = Instant::now();
        let mut session = ServerSession::new(now, "sid", Arc::default(), transport);
        session.outbox().clear();
        Self { session, now }
    }

    fn probed() -> Self {
        let mut session = Self::on(Transport::Polling);
        session.step(Input::WebSocketOpened);
        assert_eq!(session.websocket("2probe"), ["Probe(\"3probe\")"]);
        session
    }

    fn step(&mut self, input: Input<'_>) -> Vec<String> {
        self.session.handle(self.now, input).into_iter().map(|output| format!("{output:?}")).collect()
    }

    fn packet(&mut self, transport: Transport, text: &str) -> Vec<String> {
        let mut scratch = Vec::new();
        match Received::from_text(text, &mut scratch) {
            Ok(packet) => self.step(Input::Packet(transport, packet)),
            Err(_) => self.step(Input::Malformed(transport)),
        }
    }

    fn polling(&mut self, text: &str) -> Vec<String> {
        self.packet(Transport::Polling, text)
    }

    fn websocket(&mut self, text: &str) -> Vec<String> {
        self.packet(Transport::WebSocket, text)
    }

    /// Lets time pass to the next deadline and returns it in milliseconds.
    fn sleep(&mut self) -> (u128, Vec<String>) {
        let deadline = self.session.deadline().unwrap();
        let slept = deadline - self.now;
        self.now = deadline;
        (slept.as_millis(), self.step(Input::Tick))
    }

    fn take(&mut self) -> Vec<String> {
        let outbox = self.session.outbox();
        let text = |packet| match packet {
            Packet::Text(text) => String::from_utf8(text.into()).unwrap(),
            other => format!("{other:?}"),
        };
        std::iter::from_fn(|| outbox.pop()).map(text).collect()
    }
}

fn answer(id: ExchangeId, answer: Answer) -> String {
    format!("{:?}", Output::Answer(id, answer))
}

fn closed(reason: CloseReason) -> String {
    format!("{:?}", Output::Closed(reason))
}

#[test]
fn its_first_packet_is_the_handshake() {
    let now = Instant::now();
    for (transport, upgrades) in [(Transport::Polling, r#"["websocket"]"#), (Transport::WebSocket, "[]")] {
        let session = ServerSession::new(now, "abc", Arc::default(), transport);
        let mut session = Session { session, now };
        let json = r#""pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000"#;
        assert_eq!(session.take(), [format!(r#"0{{"sid":"abc","upgrades":{upgrades},{json}}}"#)]);
    }
}

#[test]
fn messages_come_out_as_they_came_in() {
    let mut session = Session::on(Transport::WebSocket);
    let message = Message::Binary(&[1, 2]);
    assert_eq!(session.websocket("4a"), [r#"Message(Text("a"))"#]);
    let binary = session.step(Input::Packet(Transport::WebSocket, Received::from_binary(&[1, 2])));
    assert_eq!(binary, [format!("{:?}", Output::Message(message))]);
}

#[test]
fn packets_wait_for_a_get_and_use_it_up() {
    let mut session = Session::on(Transport::Polling);
    session.session.send(Packet::message("a"));
    assert_eq!(session.session.flush(), None);
    assert!(session.step(Input::Poll(GET)).is_empty());
    assert_eq!(session.session.flush(), Some(Flush::Poll(GET)));
    assert_eq!(session.session.flush(), None);
    session.take();
    assert!(session.step(Input::Poll(OTHER)).is_empty());
    assert_eq!(session.session.flush(), None);
}

#[test]
fn a_second_get_ends_both_and_the_session() {
    let mut session = Session::on(Transport::Polling);
    session.step(Input::Poll(GET));
    let out = session.step(Input::Poll(OTHER));
    assert_eq!(out, [answer(OTHER, BadRequest), answer(GET, Close), closed(TransportError)]);
}

#[test]
fn a_second_post_ends_both_and_the_session_when_it_starts() {
    let mut session = Session::on(Transport::Polling);
    session.step(Input::PostStarted(POST));
    let out = session.step(Input::PostStarted(OTHER));
    assert_eq!(out, [answer(OTHER, BadRequest), answer(POST, BadRequest), closed(TransportError)]);
    assert!(session.step(Input::PostDone(POST)).is_empty());
}

#[test]
fn a_post_is_answered_when_it_is_done() {
    let mut session = Session::on(Transport::Polling);
    session.step(Input::PostStarted(POST));
    assert_eq!(session.polling("4a"), [r#"Message(Text("a"))"#]);
    assert_eq!(session.step(Input::PostDone(POST)), [answer(POST, Answer::Ok)]);
    assert!(session.step(Input::PostDone(POST)).is_empty());
}

#[test]
fn a_post_too_large_leaves_the_session_open() {
    let mut session = Session::on(Transport::Polling);
    session.step(Input::PostStarted(POST));
    assert!(session.step(Input::PostRefused(POST)).is_empty());
    assert!(session.step(Input::PostStarted(OTHER)).is_empty());
}

#[test]
fn an_exchange_that_is_cut_is_a_transport_error() {
    for id in [GET, POST] {
        let mut session = Session::on(Transport::Polling);
        session.step(Input::Poll(GET));
        session.step(Input::PostStarted(POST));
        let out = session.step(Input::Aborted(id));
        let other = if id == GET { answer(POST, BadRequest) } else { answer(GET, Close) };
        assert_eq!(out, [other, closed(TransportError)]);
    }
}

#[test]
fn a_post_of_bytes_is_a_transport_error() {
    let mut session = Session::on(Transport::Polling);
    session.step(Input::Poll(GET));
    let out = session.step(Input::PostInvalid(POST));
    assert_eq!(out, [answer(POST, BadRequest), answer(GET, Close), closed(TransportError)]);
}

#[test]
fn what_is_no_packet_is_a_parse_error() {
    let mut session = Session::on(Transport::Polling);
    session.step(Input::PostStarted(POST));
    assert_eq!(session.polling("x"), [answer(POST, Answer::Ok), closed(ParseError)]);
    assert_eq!(Session::on(Transport::WebSocket).websocket("x"), ["CloseWebSocket", &closed(ParseError)]);
}

#[test]
fn a_ping_of_the_client_is_a_transport_error_and_a_pong_unasked_is_not() {
    let mut session = Session::on(Transport::WebSocket);
    assert!(session.websocket("3").is_empty());
    assert_eq!(session.websocket("2"), ["CloseWebSocket", &closed(TransportError)]);
}

#[test]
fn a_client_that_leaves_by_post_gets_a_noop_and_its_answer() {
    let mut session = Session::on(Transport::Polling);
    session.step(Input::Poll(GET));
    session.step(Input::PostStarted(POST));
    assert_eq!(session.polling("1"), [answer(GET, Noop), answer(POST, Answer::Ok), closed(TransportClose)]);
}

#[test]
fn a_websocket_that_ends_tells_how() {
    let out = Session::on(Transport::WebSocket).step(Input::WebSocketClosed(Cause::Closed));
    assert_eq!(out, [closed(TransportClose)]);
    let out = Session::on(Transport::WebSocket).step(Input::WebSocketClosed(Cause::Error));
    assert_eq!(out, [closed(TransportError)]);
}

#[test]
fn pings_follow_the_last_pong_and_a_missing_one_ends_the_session() {
    let mut session = Session::on(Transport::WebSocket);
    for _ in 0..3 {
        assert_eq!(session.sleep(), (25_000, vec![]));
        assert_eq!(session.take(), ["2"]);
        session.now += Duration::from_secs(19);
        assert!(session.step(Input::Tick).is_empty());
        session.websocket("3");
    }
    session.sleep();
    session.now += Duration::from_secs(10);
    assert_eq!(session.websocket("4traffic").len(), 1);
    assert_eq!(session.sleep(), (10_000, vec!["CloseWebSocket".to_owned(), closed(PingTimeout)]));
    assert_eq!(session.session.deadline(), None);
}

#[test]
fn while_we_do_not_read_no_pong_is_missed_but_pings_go_on() {
    let mut session = Session::on(Transport::WebSocket);
    session.sleep();
    session.now += Duration::from_secs(15);
    session.session.pause();
    assert_eq!(session.sleep(), (10_000, vec![]));
    assert_eq!(session.sleep(), (25_000, vec![]));
    assert_eq!(session.take(), ["2", "2", "2"]);
    let now = session.now;
    session.session.resume(now);
    // Its pong may be behind much that has to be read first.
    assert_eq!(session.sleep(), (20_000, vec!["CloseWebSocket".to_owned(), closed(PingTimeout)]));
}

#[test]
fn a_ping_sent_while_we_do_not_read_leaves_the_whole_time_for_its_pong() {
    let mut session = Session::on(Transport::WebSocket);
    session.session.pause();
    assert_eq!(session.sleep(), (25_000, vec![]));
    session.now += Duration::from_secs(24);
    let now = session.now;
    session.session.resume(now);
    assert_eq!(session.sleep().0, 20_000);
}

#[test]
fn an_upgrade_moves_what_waits_to_the_websocket() {
    let mut session = Session::probed();
    session.session.send(Packet::message("a"));
    assert_eq!(session.session.flush(), None);
    assert_eq!(session.websocket("5"), ["Upgraded"]);
    assert_eq!(session.session.flush(), Some(Flush::WebSocket));
    assert_eq!(session.take(), ["4a"]);
    assert_eq!(session.step(Input::Poll(GET)), [answer(GET, BadRequest)]);
    assert_eq!(session.step(Input::PostStarted(POST)), [answer(POST, BadRequest)]);
    assert_eq!(session.websocket("4b"), [r#"Message(Text("b"))"#]);
    assert!(session.polling("4c").is_empty());
}

#[test]
fn a_waiting_get_is_released_at_the_probe_and_then_every_100_ms() {
    let mut session = Session::on(Transport::Polling);
    session.step(Input::Poll(GET));
    session.step(Input::WebSocketOpened);
    assert_eq!(session.websocket("2probe"), ["Probe(\"3probe\")", &answer(GET, Noop)]);
    session.step(Input::Poll(OTHER));
    assert_eq!(session.sleep(), (100, vec![answer(OTHER, Noop)]));
    session.now += Duration::from_millis(250);
    assert_eq!(session.step(Input::Poll(GET)), [answer(GET, Noop)]);
}

#[test]
fn the_end_goes_by_an_answer_of_its_own() {
    let mut session = Session::on(Transport::Polling);
    session.take();
    session.step(Input::Poll(GET));
    session.session.send(Packet::message("a"));
    assert!(session.step(Input::Close).is_empty());
    assert_eq!(session.session.flush(), Some(Flush::Poll(GET)));
    assert_eq!(payload::encode(session.session.outbox(), usize::MAX), "4a");
    assert_eq!(session.step(Input::Poll(OTHER)), [closed(ForcedClose)]);
    assert_eq!(session.session.flush(), Some(Flush::Poll(OTHER)));
    assert_eq!(payload::encode(session.session.outbox(), usize::MAX), "1");
}

#[test]
fn a_get_just_behind_the_probe_is_released_at_once() {
    let mut session = Session::on(Transport::Polling);
    session.step(Input::WebSocketOpened);
    assert_eq!(session.websocket("2probe"), ["Probe(\"3probe\")"]);
    assert_eq!(session.step(Input::Poll(GET)), [answer(GET, Noop)]);
    session.step(Input::Poll(OTHER));
    assert_eq!(session.sleep(), (100, vec![answer(OTHER, Noop)]));
}

#[test]
fn a_get_that_what_waits_will_end_is_not_released() {
    let mut session = Session::on(Transport::Polling);
    session.step(Input::Poll(GET));
    session.step(Input::WebSocketOpened);
    session.session.send(Packet::message("a"));
    assert_eq!(session.websocket("2probe"), ["Probe(\"3probe\")"]);
    assert_eq!(session.session.flush(), Some(Flush::Poll(GET)));
}

#[test]
fn a_failed_upgrade_leaves_the_session_on_polling() {
    let mut unprobed = Session::on(Transport::Polling);
    unprobed.step(Input::WebSocketOpened);
    assert_eq!(unprobed.websocket("5"), ["CloseWebSocket"]);
    for text in ["4a", "2", "3probe", "1", "x", ""] {
        let mut session = Session::probed();
        assert_eq!(session.websocket(text), ["CloseWebSocket"], "{text}");
        assert_eq!(session.polling("4b").len(), 1);
        assert!(session.session.may_upgrade());
    }
    let mut session = Session::probed();
    assert!(session.step(Input::WebSocketClosed(Cause::Error)).is_empty());
    assert_eq!(session.session.transport(), Transport::Polling);
    let mut session = Session::probed();
    assert_eq!(session.sleep(), (10_000, vec!["CloseWebSocket".to_owned()]));
}

#[test]
fn one_websocket_may_upgrade_only_from_polling_and_only_once() {
    let mut session = Session::on(Transport::Polling);
    assert!(session.session.may_upgrade());
    session.step(Input::WebSocketOpened);
    assert!(!session.session.may_upgrade());
    session.websocket("2probe");
    session.websocket("5");
    assert!(!session.session.may_upgrade());
    assert!(!Session::on(Transport::WebSocket).session.may_upgrade());
    let config = Arc::new(SessionConfig { upgrades: false, ..SessionConfig::default() });
    assert!(!ServerSession::new(Instant::now(), "sid", config, Transport::Polling).may_upgrade());
}

#[test]
fn a_request_must_fit_the_session() {
    let all = [Transport::Polling, Transport::WebSocket];
    let check = |on, query, upgrade| Session::on(on).session.check(&Request::parse(query, &all).unwrap(), upgrade);
    for (on, query, upgrade, fits) in [
        (Transport::Polling, "EIO=4&transport=polling", false, true),
        (Transport::Polling, "EIO=4&transport=websocket", true, true),
        (Transport::Polling, "EIO=4&transport=websocket", false, false),
        (Transport::Polling, "EIO=4&transport=polling", true, false),
        (Transport::Polling, "EIO=3&transport=polling", false, false),
        (Transport::WebSocket, "EIO=4&transport=polling", false, false),
        (Transport::WebSocket, "EIO=4&transport=websocket", false, false),
    ] {
        assert_eq!(check(on, query, upgrade).is_ok(), fits, "{on} {query} {upgrade}");
    }
}

#[test]
fn closing_tells_the_end_at_once_where_it_can() {
    let mut session = Session::on(Transport::WebSocket);
    session.session.send(Packet::message("a"));
    assert_eq!(session.step(Input::Close), [closed(ForcedClose)]);
    assert_eq!(session.session.flush(), Some(Flush::WebSocket));
    assert_eq!(session.take(), ["4a", "End"]);

    let mut session = Session::on(Transport::Polling);
    session.step(Input::Poll(GET));
    session.step(Input::PostStarted(POST));
    assert_eq!(session.step(Input::Close), [answer(POST, Answer::Ok), closed(ForcedClose)]);
    assert_eq!(session.session.flush(), Some(Flush::Poll(GET)));
    assert_eq!(session.take(), ["End"]);
}

#[test]
fn closing_waits_for_a_get_and_no_longer_than_30_s() {
    let mut session = Session::on(Transport::Polling);
    assert!(session.step(Input::Close).is_empty());
    session.session.send(Packet::message("too late"));
    assert_eq!(session.step(Input::Poll(GET)), [closed(ForcedClose)]);
    assert_eq!(session.session.flush(), Some(Flush::Poll(GET)));
    assert_eq!(session.take(), ["End"]);

    let mut session = Session::on(Transport::Polling);
    session.step(Input::Close);
    session.sleep();
    assert_eq!(session.sleep(), (5_000, vec![closed(ForcedClose)]));
    assert_eq!(session.session.flush(), None);
}

#[test]
fn closing_during_an_upgrade_ends_the_websocket_too() {
    let mut session = Session::probed();
    assert!(session.step(Input::Close).is_empty());
    assert_eq!(session.websocket("5"), ["Upgraded", &closed(ForcedClose)]);
    assert_eq!(session.session.flush(), Some(Flush::WebSocket));

    let mut session = Session::probed();
    session.step(Input::Close);
    assert_eq!(session.step(Input::Poll(GET)), ["CloseWebSocket", &closed(ForcedClose)]);
}

#[test]
fn a_closed_session_answers_every_exchange_and_nothing_else() {
    let mut session = Session::on(Transport::Polling);
    session.polling("1");
    assert_eq!(session.step(Input::Poll(GET)), [answer(GET, BadRequest)]);
    assert_eq!(session.step(Input::PostStarted(POST)), [answer(POST, BadRequest)]);
    assert!(session.step(Input::Close).is_empty());
    assert!(session.polling("4a").is_empty());
    assert!(session.step(Input::Tick).is_empty());
}

#[test]
fn delays_without_end_are_no_overflow() {
    let now = Instant::now();
    let config = SessionConfig {
        ping_interval: Duration::MAX,
        ping_timeout: Duration::MAX,
        upgrade_timeout: Duration::MAX,
        close_timeout: Duration::MAX,
        ..SessionConfig::default()
    };
    let mut session = Session { session: ServerSession::new(now, "sid", Arc::new(config), Transport::Polling), now };
    session.step(Input::WebSocketOpened);
    session.step(Input::Close);
    assert!(session.session.deadline() > Some(now + Duration::from_hours(24)));
    session.sleep();
}

#[test]
fn a_pong_that_is_read_late_does_not_put_off_the_next_ping() {
    let mut session = Session::on(Transport::WebSocket);
    session.now += Duration::from_secs(25);
    session.step(Input::Tick);
    let pinged = session.now;

    session.session.pause();
    session.now += Duration::from_secs(22);
    session.session.resume(session.now);
    session.websocket("3");
    // The client hears of us again in time: within 45 seconds of the last ping.
    assert_eq!(session.session.deadline(), Some(pinged + Duration::from_secs(25)));

    session.now += Duration::from_secs(1);
    session.websocket("3");
    assert_eq!(session.session.deadline(), Some(pinged + Duration::from_secs(25)));
}
