//! Whatever a peer sends, and in whatever order things happen: no panic, one end, and deadlines that move on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use socketio_core::proto::engine::client::ClientSession;
use socketio_core::proto::engine::handshake::{Handshake, Request};
use socketio_core::proto::engine::packet::{Packet, Received, Transport};
use socketio_core::proto::engine::payload;
use socketio_core::proto::engine::server::ServerSession;
use socketio_core::proto::engine::session::{
    Cause, ClientConfig, ExchangeId, Flush, Input, Output, Outputs, SessionConfig,
};
use socketio_tests::random::Random;

fn text(random: &mut Random) -> String {
    let pieces = ["0", "1", "2", "3", "4", "5", "6", "b", "probe", "€", "\u{1e}", "=", "%", "&", "{", "\"sid\":", "A"];
    (0..random.below(6)).map(|_| *random.pick(&pieces)).collect()
}

const PACKETS: &[&str] =
    &["", "1", "2", "2probe", "3", "3probe", "4a", "5", "6", "bAQ==", "b*", "x", "0{}", OPEN, OPEN, "4€"];

const OPEN: &str = r#"0{"sid":"a","upgrades":["websocket"],"pingInterval":50,"pingTimeout":20,"maxPayload":9}"#;

enum Session {
    Server(ServerSession),
    Client(ClientSession),
}

impl Session {
    fn handle<'a>(&mut self, now: Instant, input: Input<'a>) -> Outputs<'a> {
        match self {
            Self::Server(session) => session.handle(now, input),
            Self::Client(session) => session.handle(now, input),
        }
    }

    fn send(&mut self) {
        match self {
            Self::Server(session) => session.send(Packet::message("x")),
            Self::Client(session) => session.send(Packet::message("x")),
        }
    }

    fn flush(&mut self) {
        loop {
            let (flush, outbox) = match self {
                Self::Server(session) => (session.flush(), session.outbox()),
                Self::Client(session) => (session.flush(), session.outbox()),
            };
            match flush {
                Some(Flush::WebSocket) => assert!(outbox.pop().is_some()),
                Some(Flush::Poll(_) | Flush::Post(_)) => assert!(!payload::encode(outbox, 9).is_empty()),
                None => break,
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Server(session) => session.deadline(),
            Self::Client(session) => session.deadline(),
        }
    }
}

fn run(seed: u64) {
    let mut random = Random::new(seed);
    let mut now = Instant::now();
    let transports = [Transport::Polling, Transport::WebSocket];
    let config = SessionConfig { upgrade_timeout: Duration::from_millis(300), ..SessionConfig::default() };
    let mut session = if seed.is_multiple_of(2) {
        Session::Server(ServerSession::new(now, "sid", Arc::new(config), transports[random.below(2)]))
    } else {
        let mut session = ClientSession::new(ClientConfig::default());
        let _ = session.start();
        Session::Client(session)
    };
    let mut ends = 0;
    for _ in 0..60 {
        now += Duration::from_millis(random.below(200) as u64);
        let id = ExchangeId(random.below(6) as u32);
        let transport = transports[random.below(2)];
        let text = *random.pick(PACKETS);
        let mut scratch = Vec::new();
        let input = match random.below(16) {
            0..=4 => Received::from_text(text, &mut scratch)
                .map_or(Input::Malformed(transport), |packet| Input::Packet(transport, packet)),
            5 => Input::WebSocketOpened,
            6 if random.below(8) == 0 => Input::WebSocketClosed(Cause::Closed),
            7 => Input::Poll(id),
            8 => Input::PostStarted(id),
            9 => Input::PostDone(id),
            10 if random.below(8) == 0 => Input::PostInvalid(id),
            11 => Input::GetDone(id),
            12 if random.below(8) == 0 => Input::Aborted(id),
            13 if random.below(8) == 0 => Input::Close,
            14 => Input::PostRefused(id),
            _ => Input::Tick,
        };
        let tick = matches!(input, Input::Tick);
        for output in session.handle(now, input) {
            ends += usize::from(matches!(output, Output::Closed(_)));
        }
        assert!(!tick || session.deadline().is_none_or(|deadline| deadline > now), "seed {seed}: a deadline stays");
        if random.below(3) == 0 {
            session.send();
        }
        session.flush();
    }
    assert!(ends <= 1, "seed {seed}: ended {ends} times");
}

#[test]
fn no_order_of_events_harms_a_session() {
    for seed in 0..40_000 {
        run(seed);
    }
}

#[test]
fn no_bytes_harm_a_decoder() {
    let mut random = Random::new(7);
    for _ in 0..100_000 {
        let text = text(&mut random);
        let mut packets = 0;
        let mut payload = payload::Decoder::new(text.as_bytes()).unwrap();
        while payload.next_packet().is_some() {
            packets += 1;
        }
        assert!(packets <= text.len() + 1);
        let _ = Request::parse(&text, &[Transport::Polling]);
        let _ = Handshake::parse(&text);
        let bytes: Vec<u8> = (0..random.below(8)).map(|_| random.below(256) as u8).collect();
        if let Ok(mut payload) = payload::Decoder::new(&bytes) {
            while payload.next_packet().is_some() {}
        }
    }
}
