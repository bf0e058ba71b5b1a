//! The events of one connection that its handlers have not taken: a handler at a time, some of them slow.

use std::collections::VecDeque;
use std::time::Duration;

use super::ledger::{Number, SocketNumber};
use super::shared::Shared;

/// Something for a handler.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) namespace: &'static str,
    /// The server's socket that it came to or from.
    pub(super) socket: SocketNumber,
    pub(super) number: Number,
    /// The id that an answer is asked by.
    pub(super) ack: Option<u64>,
    pub(super) bytes: usize,
}

/// What waits for handlers.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: VecDeque<Delivery>,
    bytes: usize,
    /// When the handler of the first one returns.
    until: Option<Duration>,
}

impl Inbox {
    /// Adds an event.
    pub(super) fn push(&mut self, shared: &mut Shared, delivery: Delivery) {
        self.bytes += delivery.bytes;
        self.waiting.push_back(delivery);
        self.until.get_or_insert_with(|| returns(shared));
    }

    /// When the next handler returns.
    pub(super) fn due(&self) -> Option<Duration> {
        self.until
    }

    /// The handler of the first event has returned.
    pub(super) fn returned(&mut self, shared: &mut Shared) -> Option<Delivery> {
        let delivery = self.waiting.pop_front()?;
        self.bytes -= delivery.bytes;
        self.until = (!self.waiting.is_empty()).then(|| returns(shared));
        Some(delivery)
    }

    /// Whether reading has to stop.
    pub(super) fn is_over(&self, shared: &Shared) -> bool {
        let limits = &shared.scenario.limits;
        self.waiting.len() >= limits.undelivered_events.max(1) || self.bytes >= limits.undelivered_bytes.max(1)
    }

    /// Whether reading may go on: half of the budget is free.
    pub(super) fn is_low(&self, shared: &Shared) -> bool {
        let limits = &shared.scenario.limits;
        self.waiting.len() <= limits.undelivered_events / 2 && self.bytes <= limits.undelivered_bytes / 2
    }

    /// Checks that no more is held than the budget and what came at once with the event that passed it: `excess` bytes.
    pub(super) fn check(&self, shared: &mut Shared, excess: usize) {
        let most = shared.scenario.limits.undelivered_bytes.saturating_add(excess);
        if self.bytes > most {
            let line = format!("{} undelivered events of {} bytes wait", self.waiting.len(), self.bytes);
            shared.breach(line);
        }
    }
}

fn returns(shared: &mut Shared) -> Duration {
    let slow = !shared.calm && shared.random.percent(shared.scenario.slow);
    let takes = if slow { shared.random.up_to(shared.scenario.handler_time) } else { Duration::ZERO };
    shared.now + takes
}
