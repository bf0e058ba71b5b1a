//! Back-pressure: a connection stops reading while its handlers are behind.

use std::sync::Arc;

use super::queue::{Queue, Stalled};
use crate::data::limits::Limits;
use crate::runtime::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The events of one connection that were read and whose handlers have not returned.
pub(crate) struct Undelivered {
    queue: Arc<Queue>,
    events: AtomicUsize,
    bytes: AtomicUsize,
    /// The connection does not read because of them.
    paused: AtomicBool,
}

impl Undelivered {
    /// None yet; they will be pushed to `queue`.
    pub(crate) fn new(queue: Arc<Queue>) -> Self {
        Self { queue, events: AtomicUsize::new(0), bytes: AtomicUsize::new(0), paused: AtomicBool::new(false) }
    }

    /// Counts an event of so many bytes that is about to be pushed.
    pub(crate) fn hold(&self, bytes: usize) {
        self.events.fetch_add(1, Ordering::SeqCst);
        self.bytes.fetch_add(bytes, Ordering::SeqCst);
        self.queue.hold(bytes);
    }

    /// The handlers of an event of so many bytes have returned. Whether the connection is to be resumed.
    pub(crate) fn release(&self, bytes: usize, limits: &Limits) -> bool {
        self.queue.release(bytes);
        let events = self.events.fetch_sub(1, Ordering::SeqCst) - 1;
        let bytes = self.bytes.fetch_sub(bytes, Ordering::SeqCst) - bytes;
        // Reading goes on when half of the budget is free, so that it does not stop again at once.
        // A child that was forked in a handler does not go on with its parent's connections.
        self.paused.load(Ordering::SeqCst)
            && !self.queue.is_inherited()
            && events <= limits.undelivered_events / 2
            && bytes <= limits.undelivered_bytes / 2
    }

    /// Whether handlers have to catch up before more is read. If so, `who` is resumed, or [`release`](Self::release) says
    /// that it is to be.
    pub(crate) fn must_pause(&self, limits: &Limits, who: impl FnOnce() -> Arc<dyn Stalled>) -> bool {
        if self.is_over(limits) {
            self.paused.store(true, Ordering::SeqCst);
            // Looked at again: the last event may have been handled just before the flag was seen.
            if self.is_over(limits) {
                return true;
            }
            self.paused.store(false, Ordering::SeqCst);
        }
        self.queue.stall(limits.delivery_queue_bytes.max(1), who)
    }

    /// The connection reads again.
    pub(crate) fn resumed(&self) {
        self.paused.store(false, Ordering::SeqCst);
    }

    fn is_over(&self, limits: &Limits) -> bool {
        // With nothing undelivered it reads whatever the limits are: nobody would have it go on.
        self.events.load(Ordering::SeqCst) >= limits.undelivered_events.max(1)
            || self.bytes.load(Ordering::SeqCst) >= limits.undelivered_bytes.max(1)
    }
}
