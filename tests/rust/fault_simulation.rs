//! Whole sessions of both roles over a network that goes wrong: what [`socketio_tests::simulation`] checks, over many seeds.
//!
//! `SEEDS=100000` makes more runs than the ordinary 2,000 (`make test-long` does); `SEED=123 … replay --nocapture` shows
//! one.

#![allow(clippy::print_stdout)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use socketio_core::proto::engine::packet::Transport::{self, Polling, WebSocket};
use socketio_tests::simulation::{Failure, Happened, Injected, Planted, Tally, replay, run, run_cut};

/// The seeds of an ordinary run.
const SEEDS: u64 = 2_000;

/// Makes the run of each number below `count`, on all processors. The first failure found ends it.
fn all(count: u64, run: impl Fn(u64) -> Result<Tally, Box<Failure>> + Sync) -> Result<Tally, Box<Failure>> {
    let next = AtomicU64::new(0);
    let failed = AtomicBool::new(false);
    let work = || {
        let mut tally = Tally::default();
        while !failed.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                break;
            }
            match run(number) {
                Ok(more) => tally.add(&more),
                Err(failure) => {
                    failed.store(true, Ordering::Relaxed);
                    return Err(failure);
                }
            }
        }
        Ok(tally)
    };
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..thread::available_parallelism().map_or(1, usize::from)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_fold(Tally::default(), |mut sum, thread| {
            sum.add(&thread.join().expect("a run does not panic")?);
            Ok(sum)
        })
    })
}

#[test]
fn whatever_goes_wrong_sessions_keep_their_word() {
    let count = std::env::var("SEEDS").map_or(SEEDS, |count| count.parse().expect("a number"));
    let tally = all(count, |seed| run(seed, None)).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{count} seeds: {tally}");

    // Not an empty exercise.
    for (what, least) in [
        (Injected::Cut, 500),
        (Injected::Stall, 300),
        (Injected::Outage, 300),
        (Injected::HalfOpen, 300),
        (Injected::ClockJump, 300),
        (Injected::Suspension, 300),
        (Injected::Abort, 60),
        (Injected::Refusal, 200),
        (Injected::Split, 50_000),
        (Injected::Coalesced, 50_000),
        (Injected::Overtaken, 20_000),
        (Injected::Fragmented, 10_000),
        (Injected::PartialWrite, 100_000),
    ] {
        assert!(tally.injected(what) * SEEDS >= least * count, "{what:?}: {}", tally.injected(what));
    }
    for (what, least) in [
        (Happened::Opened, 4_000),
        (Happened::Reconnected, 2_000),
        (Happened::Upgraded, 2_000),
        (Happened::UpgradeFailed, 100),
        (Happened::PingTimeout, 2_000),
        (Happened::Paused, 5_000),
        (Happened::Refused, 2_000),
        (Happened::Event, 20_000),
        (Happened::BinaryEvent, 7_000),
        (Happened::Answered, 6_000),
        (Happened::Unanswered, 5_000),
        (Happened::Left, 2_000),
        (Happened::Oversized, 200),
    ] {
        assert!(tally.happened(what) * SEEDS >= least * count, "{what:?}: {}", tally.happened(what));
    }
}

#[test]
fn a_connection_may_be_cut_at_every_byte() {
    let ways: [&[Transport]; 3] = [&[Polling], &[WebSocket], &[Polling, WebSocket]];
    for transports in ways {
        // Without a cut: so many bytes there are.
        let whole = run_cut(transports, u64::MAX).unwrap_or_else(|failure| panic!("{failure}"));
        let tally = all(whole.bytes, |at| run_cut(transports, at)).unwrap_or_else(|failure| panic!("{failure}"));
        println!("{transports:?}, cut at each of {} bytes: {tally}", whole.bytes);
        assert_eq!(tally.injected(Injected::Cut), whole.bytes);
    }
}

/// The first breach that a planted bug leads to.
fn found(planted: Planted) -> String {
    let failure = all(SEEDS, |seed| run(seed, Some(planted))).expect_err("it is found");
    println!("planted {planted:?}: {}: {}", failure.run, failure.breach);
    failure.breach
}

#[test]
fn frames_that_a_cut_write_loses_are_missed() {
    found(Planted::ForgottenFrames);
}

#[test]
fn half_a_post_that_is_handled_is_noticed() {
    found(Planted::TruncatedPost);
}

#[test]
fn a_heartbeat_that_stands_still_for_ever_is_noticed() {
    let breach = found(Planted::SilentResume);
    assert!(breach.contains("outlived its heartbeat"), "{breach}");
}

#[test]
fn an_answer_that_comes_by_the_wrong_connection_is_noticed() {
    let breach = found(Planted::StaleAck);
    assert!(breach.contains("got the answer"), "{breach}");
}

#[test]
fn a_request_that_is_answered_twice_is_noticed() {
    let breach = found(Planted::AnsweredTwice);
    assert!(breach.contains("answered twice"), "{breach}");
}

/// Shows the run of `SEED`; without one, that a failure comes back with its trace.
#[test]
fn replay_shows_what_led_to_a_failure() {
    if let Ok(seed) = std::env::var("SEED") {
        let (result, trace) = replay(seed.parse().expect("a number"), None);
        for line in trace {
            println!("{line:.500}");
        }
        match result {
            Ok(tally) => println!("nothing was wrong: {tally}"),
            Err(failure) => panic!("{}", failure.breach),
        }
        return;
    }
    let planted = Some(Planted::ForgottenFrames);
    let found = |seed| run(seed, planted).err().map(|failure| (seed, failure));
    let (seed, failure) = (0..SEEDS).find_map(found).expect("it is found");
    let (again, trace) = replay(seed, planted);
    let again = again.expect_err("the same run fails again");
    assert_eq!((again.breach, trace), (failure.breach.clone(), failure.trace.clone()));
    let text = failure.to_string();
    assert!(text.contains(&format!("SEED={seed} cargo test")) && text.contains("BREACH"), "{text}");
}
