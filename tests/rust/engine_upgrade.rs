//! The upgrade from polling to a WebSocket, in every order in which things can happen.

use std::time::Duration;

use socketio_core::proto::engine::packet::Transport;
use socketio_core::proto::engine::session::{ClientConfig, CloseReason, SessionConfig};
use socketio_tests::choices::Choices;
use socketio_tests::pair::{Event, Fault, Pair, Side};

/// How many choices are tried exhaustively; after them things happen in the order in which they were sent.
const STEPS: usize = 9;

/// The same where trouble adds choices.
const STEPS_IN_TROUBLE: usize = 8;

/// A run ends by itself long before that.
const MANY: usize = 300;

/// What else may happen in a run, each at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Cut(Transport),
    Close(Side),
    /// Time runs on to the next deadline, whatever is under way.
    Wait,
}

/// One interleaving: both sides send `messages` at any time while the client upgrades. What is in transit arrives in the
/// chosen order.
fn run(choices: &mut Choices, messages: usize, trouble: Option<Trouble>, fault: Option<Fault>) -> Result<Pair, String> {
    let mut pair = Pair::new(SessionConfig::default(), ClientConfig::default()).with_fault(fault);
    // The request that opens the session, and its answer: the client asks for a WebSocket.
    pair.take(Event::Arrival(0));
    pair.take(Event::Arrival(0));
    let steps = if trouble.is_some() { STEPS_IN_TROUBLE } else { STEPS };
    let mut trouble = trouble;
    for _ in 0..MANY {
        // A tick only where a noop is due: other deadlines are far away.
        let soon = pair.now + Duration::from_millis(100);
        let mut events = pair.pending();
        events.retain(|event| matches!(event, Event::Arrival(_)) || pair.time_of(*event) <= soon);
        let senders: Vec<_> = [Side::Client, Side::Server]
            .into_iter()
            .filter(|side| pair.may_send(*side) && pair.seen(*side).sent < messages)
            .collect();
        let exploring = choices.made() < steps;
        let options = events.len() + senders.len() + usize::from(exploring && trouble.is_some());
        if options == 0 {
            break;
        }
        let choice = if exploring { choices.choose(options) } else { 0 };
        if let Some(event) = events.get(choice) {
            pair.take(*event);
        } else if let Some(side) = senders.get(choice - events.len()) {
            pair.send(*side);
        } else {
            match trouble.take() {
                Some(Trouble::Cut(transport)) => pair.cut(transport),
                Some(Trouble::Close(side)) => pair.close(side),
                Some(Trouble::Wait) => {
                    let ticks = pair.pending().into_iter().filter(|event| matches!(event, Event::Tick(_)));
                    if let Some(tick) = ticks.min_by_key(|tick| pair.time_of(*tick)) {
                        pair.take(tick);
                    }
                }
                None => {}
            }
        }
        if let Some(breach) = pair.breach() {
            return Err(breach.to_owned());
        }
    }
    pair.check_at_rest();
    pair.breach().map(str::to_owned).map_or(Ok(pair), Err)
}

/// Every interleaving without trouble: both sides end on the WebSocket and nothing is lost.
fn explore(messages: usize, fault: Option<Fault>) -> Result<usize, String> {
    Choices::explore(|choices| {
        let pair = run(choices, messages, None, fault)?;
        for side in [Side::Client, Side::Server] {
            let seen = pair.seen(side);
            if !seen.upgraded || !pair.is_open(side) || seen.received != messages {
                return Err(format!("the {side:?} ended with {seen:?} after {choices:?}"));
            }
        }
        Ok(())
    })
}

#[test]
fn nothing_is_lost_doubled_or_reordered_in_any_interleaving() {
    let tried = explore(2, None).unwrap();
    println!("tried {tried} interleavings of an upgrade, exhaustively to {STEPS} steps");
    assert!(tried > 50_000, "only {tried} interleavings were tried");
}

#[test]
fn what_is_sent_before_the_upgrade_packet_is_missed() {
    let breach = explore(2, Some(Fault::FlushBeforeUpgrade)).unwrap_err();
    println!("planted: {breach}");
}

#[test]
fn a_second_noop_is_noticed() {
    let breach = explore(2, Some(Fault::SecondNoop)).unwrap_err();
    assert!(breach.contains("answered twice"), "{breach}");
}

#[test]
fn a_post_that_was_not_waited_for_is_missed() {
    let breach = explore(2, Some(Fault::LostPost)).unwrap_err();
    println!("planted: {breach}");
}

#[test]
fn in_trouble_both_sides_end_or_go_on_without_loss() {
    let mut tried = 0;
    for trouble in [
        Trouble::Cut(Transport::WebSocket),
        Trouble::Cut(Transport::Polling),
        Trouble::Close(Side::Client),
        Trouble::Close(Side::Server),
        Trouble::Wait,
    ] {
        tried += Choices::explore(|choices| {
            let mut pair = run(choices, 1, Some(trouble), None)?;
            // All deadlines come: a half that was left alone notices.
            pair.advance(Duration::from_secs(60));
            pair.check_at_rest();
            if let Some(breach) = pair.breach() {
                return Err(format!("{trouble:?}: {breach} after {choices:?}"));
            }
            if pair.is_open(Side::Client) != pair.is_open(Side::Server) {
                return Err(format!("{trouble:?}: only one side ended after {choices:?}"));
            }
            // A server's last words may miss a client whose own request was refused meanwhile, but not one that heard
            // the end.
            if let Trouble::Close(side) = trouble
                && pair.seen(side).sent != pair.seen(side.other()).received
                && pair.seen(Side::Client).closed.is_none_or(|(reason, _)| reason != CloseReason::TransportError)
            {
                return Err(format!("the end overtook messages of the {side:?} after {choices:?}"));
            }
            Ok(())
        })
        .unwrap();
    }
    println!("tried {tried} interleavings of an upgrade in trouble, exhaustively to {STEPS_IN_TROUBLE} steps");
}
