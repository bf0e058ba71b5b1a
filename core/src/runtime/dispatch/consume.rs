//! What all consumers do: they deliver in turns, at whose end what the handlers sent is written.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::delivery::Delivery;
use super::turn;
use crate::runtime::Origin;
use crate::runtime::sync::thread_local;

/// Deliveries between two flushes: a reply does not wait for the whole of a long batch.
pub(super) const DELIVERIES_PER_TURN: usize = 256;

/// Time between two flushes, looked at after every few deliveries: handlers may be slow.
const TURN_TIME: Duration = Duration::from_millis(10);
const DELIVERIES_PER_LOOK: usize = 4;

thread_local! {
    static DELIVERING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is calling handlers: a call that waits would wait for itself.
pub fn is_delivering() -> bool {
    DELIVERING.get()
}

/// Marks the thread as one that calls handlers.
pub(super) struct Delivering {
    before: bool,
}

impl Delivering {
    pub(super) fn begin() -> Self {
        Self { before: DELIVERING.replace(true) }
    }
}

impl Drop for Delivering {
    fn drop(&mut self) {
        DELIVERING.set(self.before);
    }
}

/// Runs what `next` gives as one turn: at most `max`, for a bounded time, and while `go_on` says so. Returns how many.
pub(super) fn deliver_turn(
    max: usize,
    mut go_on: impl FnMut() -> bool,
    mut next: impl FnMut() -> Option<Delivery>,
) -> usize {
    turn::run(|| {
        let (begun, origin) = (Instant::now(), Origin::here());
        for n in 0..max.min(DELIVERIES_PER_TURN) {
            // The clock is dearer than a quick handler.
            if n > 0 && (!go_on() || (n % DELIVERIES_PER_LOOK == 0 && begun.elapsed() >= TURN_TIME)) {
                return n;
            }
            let Some(delivery) = next() else { return n };
            delivery.run();
            if origin.is_inherited() {
                return n + 1;
            }
        }
        max.min(DELIVERIES_PER_TURN)
    })
}
