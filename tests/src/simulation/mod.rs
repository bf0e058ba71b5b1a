//! Both roles, Socket.IO on Engine.IO, over a network that goes wrong: in virtual time, everything drawn from one seed.
//!
//! A run is a client's program and a server's, each with the sessions, peers and codecs of `proto` and a shell around them
//! that mirrors `core/src/client` and `core/src/server`. What they say to each other are bytes on connections
//! (`wire`): requests and answers, and the frames of WebSockets. Connections are cut at any byte, stall, carry pieces,
//! overtake each other, die in one direction without a word; clocks jump; handlers are slow; the client reconnects.
//!
//! What must hold is checked all along (`ledger`, and wherever the shells call `breach`), and at the end:
//! see `settle` and `finish` in `world`. [`run`] says what was not as it must be, with a trace, and how to see
//! that again.

mod client;
mod http;
mod inbox;
mod ledger;
mod link;
mod scenario;
mod server;
mod shared;
mod tally;
mod wire;
mod world;

use std::fmt;

use socketio_core::proto::engine::packet::Transport;

pub use self::tally::{Happened, Injected, Tally};
use self::world::Simulation;

/// A bug planted into a shell: what the checks are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// When the network takes only part of a write, the frame that was cut is finished later; those behind it, which were
    /// taken from the outbox as well, are forgotten.
    ForgottenFrames,
    /// What has arrived of a `POST` whose connection broke is handled.
    TruncatedPost,
    /// The server reads on when its handlers have caught up with a `POST`, and does not tell the session: its heartbeat
    /// stands still for ever.
    SilentResume,
    /// A handler that is slow answers by the present connection of its socket, not by the one that the event came by.
    StaleAck,
    /// The end of a session answers all of its requests, those that were answered already among them.
    AnsweredTwice,
}

/// What was not as it must be.
#[derive(Debug)]
pub struct Failure {
    /// The run: its seed, or where it was cut.
    pub run: String,
    /// How to make it again.
    pub again: String,
    /// The rule that was broken.
    pub breach: String,
    /// The last steps, the oldest first.
    pub trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 60;
        let Self { run, again, breach, trace } = self;
        writeln!(f, "{run}: {breach}\n\nThe last steps:")?;
        trace.iter().skip(trace.len().saturating_sub(SHOWN)).try_for_each(|line| writeln!(f, "{line:.300}"))?;
        write!(f, "\nThe same run again:\n{again}")
    }
}

/// One run. When something is not as it must be it is made again, to see how that came about.
pub fn run(seed: u64, planted: Option<Planted>) -> Result<Tally, Box<Failure>> {
    let result = Simulation::drawn(seed, planted, false).run();
    if result.is_ok() { result } else { replay(seed, planted).0 }
}

/// The same run again, and its last steps.
pub fn replay(seed: u64, planted: Option<Planted>) -> (Result<Tally, Box<Failure>>, Vec<String>) {
    let mut simulation = Simulation::drawn(seed, planted, true);
    let result = simulation.run();
    let trace = simulation.take_trace();
    let result = result.map_err(|mut failure| {
        failure.trace.clone_from(&trace);
        failure
    });
    (result, trace)
}

/// A short run without surprises over `transports`, but that the connection is cut which carries byte `cut_at`, counted
/// over all.
pub fn run_cut(transports: &[Transport], cut_at: u64) -> Result<Tally, Box<Failure>> {
    let result = Simulation::cut(transports, cut_at, false).run();
    result.or_else(|_| {
        let mut simulation = Simulation::cut(transports, cut_at, true);
        simulation.run().map_err(|mut failure| {
            failure.trace = simulation.take_trace();
            failure
        })
    })
}
