//! What both sides of a run share: time, the network, the checks and the trace.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Planted;
use super::ledger::Ledger;
use super::scenario::Scenario;
use super::tally::{Happened, Injected};
use super::wire::Wire;
use crate::network::Side;
use crate::random::Random;

/// The steps that are kept of a trace.
const STEPS: usize = 400;

/// The world that the two sides live in.
#[derive(Debug)]
pub(super) struct Shared {
    /// The time since the run began.
    pub(super) now: Duration,
    epoch: Instant,
    /// How far the clock of each side is ahead.
    pub(super) ahead: [Duration; 2],
    pub(super) random: Random,
    pub(super) scenario: Scenario,
    pub(super) wire: Wire,
    pub(super) ledger: Ledger,
    pub(super) planted: Option<Planted>,
    /// Nothing is done to the sessions any more, and handlers are quick.
    pub(super) calm: bool,
    breach: Option<String>,
    trace: Option<VecDeque<String>>,
}

impl Shared {
    pub(super) fn new(
        random: Random,
        scenario: Scenario,
        wire: Wire,
        ledger: Ledger,
        planted: Option<Planted>,
        traced: bool,
    ) -> Self {
        Self {
            now: Duration::ZERO,
            epoch: Instant::now(),
            ahead: [Duration::ZERO; 2],
            random,
            scenario,
            wire,
            ledger,
            planted,
            calm: false,
            breach: None,
            trace: traced.then(VecDeque::new),
        }
    }

    /// The time by the clock of `side`.
    pub(super) fn clock(&self, side: Side) -> Instant {
        self.epoch + self.now + self.ahead[side as usize]
    }

    /// When the clock of `side` will show that.
    pub(super) fn when(&self, side: Side, at: Instant) -> Duration {
        at.saturating_duration_since(self.epoch).saturating_sub(self.ahead[side as usize])
    }

    /// Adds a line to the trace, if there is one.
    pub(super) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            if trace.len() == STEPS {
                trace.pop_front();
            }
            trace.push_back(format!("{:>12.6}  {}", self.now.as_secs_f64(), line()));
        }
    }

    /// Adds the conditions of the run to the trace.
    pub(super) fn note_scenario(&mut self) {
        if self.trace.is_some() {
            let scenario = format!("{:?}", self.scenario);
            self.note(|| scenario);
        }
    }

    /// The trace, if there is one.
    pub(super) fn take_trace(&mut self) -> Vec<String> {
        self.trace.take().unwrap_or_default().into()
    }

    /// Something was done to a session that may end it.
    pub(super) fn blame(&mut self, session: u32) {
        self.wire.blamed.insert(session);
    }

    /// Whether something was done to that session.
    pub(super) fn is_blamed(&self, session: u32) -> bool {
        self.wire.blamed.contains(&session)
    }

    /// Something is not as it must be. The first such thing is kept.
    pub(super) fn breach(&mut self, breach: String) {
        if self.breach.is_none() {
            self.note(|| format!("BREACH {breach}"));
            self.breach = Some(breach);
        }
    }

    /// The same for a check that failed.
    pub(super) fn check(&mut self, result: Result<(), String>) {
        if let Err(breach) = result {
            self.breach(breach);
        }
    }

    /// Whether something is not as it must be.
    pub(super) const fn is_broken(&self) -> bool {
        self.breach.is_some()
    }

    /// What was not as it must be.
    pub(super) fn take_breach(&mut self) -> Option<String> {
        self.breach.take()
    }

    pub(super) const fn happen(&mut self, what: Happened) {
        self.wire.tally.happen(what);
    }

    pub(super) const fn inject(&mut self, what: Injected) {
        self.wire.tally.inject(what);
    }
}
