//! Whole sessions in virtual time: heartbeats, loss of either direction, slow and uneven networks, closing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use socketio_core::proto::engine::packet::Transport::{self, Polling, WebSocket};
use socketio_core::proto::engine::session::CloseReason::{
    self, ForcedClose, PingTimeout, TransportClose, TransportError,
};
use socketio_core::proto::engine::session::{ClientConfig, SessionConfig};
use socketio_tests::pair::{Pair, Side};

const LATENCY: Duration = Duration::from_millis(10);

fn pair(transports: &[Transport]) -> Pair {
    let client = ClientConfig { transports: Arc::from(transports), upgrade: true };
    Pair::new(SessionConfig::default(), client)
}

/// An open pair on those transports, and when it was opened.
fn open(transports: &[Transport]) -> (Pair, Instant) {
    let mut pair = pair(transports);
    let opened = pair.now;
    pair.advance(Duration::from_secs(1));
    for side in [Side::Server, Side::Client] {
        assert!(pair.is_open(side));
        assert_eq!(pair.transport(side), transports.last().copied());
    }
    (pair, opened)
}

fn check(pair: &mut Pair) {
    pair.check_at_rest();
    assert_eq!(pair.breach(), None);
}

const WAYS: [&[Transport]; 3] = [&[Polling], &[WebSocket], &[Polling, WebSocket]];

#[test]
fn a_quiet_session_lives_for_a_day() {
    for transports in WAYS {
        let (mut pair, _) = open(transports);
        pair.advance(Duration::from_hours(24));
        assert!(pair.is_open(Side::Server) && pair.is_open(Side::Client), "{transports:?}");
        check(&mut pair);
    }
}

#[test]
fn a_server_that_hears_nothing_ends_the_session() {
    for transports in WAYS {
        let (mut pair, opened) = open(transports);
        pair.deafen(Side::Server);
        pair.advance(Duration::from_mins(2));
        let (reason, at) = pair.seen(Side::Server).closed.unwrap();
        assert_eq!(reason, PingTimeout, "{transports:?}");
        let after = at - opened;
        assert!((45_000..45_100).contains(&after.as_millis()), "{transports:?}: {after:?}");
        assert!(!pair.is_open(Side::Client));
        assert_eq!(pair.breach(), None);
    }
}

#[test]
fn a_client_that_hears_nothing_ends_the_session() {
    for transports in WAYS {
        let (mut pair, opened) = open(transports);
        pair.deafen(Side::Client);
        pair.advance(Duration::from_mins(2));
        let (reason, at) = pair.seen(Side::Client).closed.unwrap();
        assert_eq!(reason, PingTimeout, "{transports:?}");
        let after = at - opened;
        assert!((45_000..45_100).contains(&after.as_millis()), "{transports:?}: {after:?}");
        assert!(!pair.is_open(Side::Server));
        assert_eq!(pair.breach(), None);
    }
}

#[test]
fn a_client_that_hears_nothing_still_takes_its_leave() {
    let (mut pair, _) = open(&[Polling]);
    pair.deafen(Side::Client);
    // Nothing waits for the client's pong before the client gives up: the server pauses its own deadline.
    pair.pause_server(true);
    pair.advance(Duration::from_mins(1));
    assert_eq!(pair.seen(Side::Server).closed.map(|it| it.0), Some(TransportClose));
}

#[test]
fn a_server_that_does_not_read_ends_no_session() {
    let (mut pair, _) = open(&[WebSocket]);
    pair.deafen(Side::Server);
    pair.pause_server(true);
    pair.advance(Duration::from_mins(10));
    // Its pings go on, so the client stays as well.
    assert!(pair.is_open(Side::Server) && pair.is_open(Side::Client));
    pair.pause_server(false);
    pair.advance(Duration::from_secs(21));
    assert_eq!(pair.seen(Side::Server).closed.map(|it| it.0), Some(PingTimeout));
}

#[test]
fn uneven_networks_lose_nothing() {
    for seed in 1..200 {
        for transports in WAYS {
            let mut pair = pair(transports).with_latency(Duration::from_millis(1), Duration::from_millis(400), seed);
            for step in 0..100_u64 {
                pair.advance(Duration::from_millis((seed * 31 + step * 17) % 60));
                if step % 3 != 0 {
                    pair.send(Side::Client);
                }
                for _ in 0..step % 4 {
                    pair.send(Side::Server);
                }
            }
            pair.advance(Duration::from_secs(20));
            check(&mut pair);
            assert!(pair.is_open(Side::Server) && pair.is_open(Side::Client));
            assert!(pair.seen(Side::Server).received > 30 && pair.seen(Side::Client).received > 50);
            assert_eq!(pair.transport(Side::Client), transports.last().copied(), "seed {seed}");
        }
    }
}

#[test]
fn a_client_does_not_exceed_the_servers_payload() {
    for max_payload in [1, 3, 7, 20, 100] {
        let config = SessionConfig { max_payload, ..SessionConfig::default() };
        let mut pair = Pair::new(config, ClientConfig { transports: Arc::new([Polling]), upgrade: false });
        pair.advance(Duration::from_secs(1));
        for _ in 0..100 {
            pair.send(Side::Client);
        }
        // A packet that is too large by itself goes alone: the largest is `b` and four digits of base64.
        assert!(pair.largest_post() <= max_payload.max(5), "{max_payload}");
        pair.advance(Duration::from_mins(1));
        assert!(pair.largest_post() <= max_payload.max(5), "{max_payload}");
        check(&mut pair);
        assert_eq!(pair.seen(Side::Server).received, 100);
    }
}

#[test]
fn closing_is_heard_by_the_other_side() {
    for transports in WAYS {
        for side in [Side::Server, Side::Client] {
            let (mut pair, _) = open(transports);
            pair.send(side);
            pair.close(side);
            pair.advance(Duration::from_secs(1));
            let reasons = [side, side.other()].map(|side| pair.seen(side).closed.map(|it| it.0));
            assert_eq!(reasons, [Some(ForcedClose), Some(TransportClose)], "{transports:?} {side:?}");
            assert_eq!(pair.seen(side.other()).received, 1, "{transports:?} {side:?}");
            check(&mut pair);
        }
    }
}

#[test]
fn a_client_that_closes_before_the_session_opens_leaves_nothing_behind() {
    for transports in WAYS {
        let mut pair = pair(transports);
        pair.close(Side::Client);
        pair.advance(Duration::from_secs(1));
        assert_eq!(pair.seen(Side::Client).closed.map(|it| it.0), Some(ForcedClose));
        assert!(!pair.is_open(Side::Server));
        check(&mut pair);
    }
}

#[test]
fn a_cut_ends_the_session_or_the_upgrade() {
    let reason = |pair: &Pair, side| pair.seen(side).closed.map(|it| it.0);
    let both = |pair: &Pair, expected: Option<CloseReason>| {
        assert_eq!([reason(pair, Side::Server), reason(pair, Side::Client)], [expected; 2]);
    };
    let (mut pair, _) = open(&[WebSocket]);
    pair.cut(WebSocket);
    both(&pair, Some(TransportClose));

    let (mut pair, _) = open(&[Polling]);
    pair.cut(Polling);
    both(&pair, Some(TransportError));

    // In the middle of the probe: the client goes on polling.
    let mut pair = self::pair(&[Polling, WebSocket]);
    pair.advance(4 * LATENCY);
    pair.cut(WebSocket);
    pair.send(Side::Client);
    pair.send(Side::Server);
    pair.advance(Duration::from_secs(5));
    both(&pair, None);
    assert_eq!(pair.transport(Side::Client), Some(Polling));
    check(&mut pair);
}

#[test]
fn a_client_that_is_told_not_to_upgrade_stays() {
    for (config, client) in [
        (SessionConfig::default(), ClientConfig { upgrade: false, ..ClientConfig::default() }),
        (SessionConfig { upgrades: false, ..SessionConfig::default() }, ClientConfig::default()),
        (SessionConfig::default(), ClientConfig { transports: Arc::new([Polling]), upgrade: true }),
    ] {
        let mut pair = Pair::new(config, client);
        pair.advance(Duration::from_secs(5));
        assert_eq!(pair.transport(Side::Client), Some(Polling));
        check(&mut pair);
    }
}
