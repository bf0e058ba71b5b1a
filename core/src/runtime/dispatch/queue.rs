//! What waits to be delivered to the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::event::AckHandler;
use crate::data::payload::Payload;
use crate::error::Result;
use crate::proto::socket::event::ReceivedEvent;

/// Something that a handler has to be called for.
pub enum Delivery {
    /// An event for the listeners of `target`; they are looked up when it is delivered.
    Event {
        /// Who received it.
        target: Arc<dyn EventTarget>,
        /// What was received.
        event: ReceivedEvent,
    },
    /// The end of a request that wanted an ack.
    Answer {
        /// Who waits for it.
        handler: AckHandler,
        /// What came back.
        result: Result<Payload>,
    },
    /// Everything that is not worth a form of its own.
    Call(Box<dyn FnOnce() + Send>),
}

/// Who receives events.
pub trait EventTarget: Send + Sync {
    /// Calls the listeners, on the thread that delivers.
    fn deliver(self: Arc<Self>, event: ReceivedEvent);
}

impl Delivery {
    /// A delivery that runs `call`.
    pub fn call(call: impl FnOnce() + Send + 'static) -> Self {
        Self::Call(Box::new(call))
    }

    /// A delivery that only drops `what`: registrations are taken apart on the thread that used to call them.
    pub fn discard(what: impl Send + 'static) -> Self {
        Self::call(move || drop(what))
    }

    pub(super) fn run(self) {
        match self {
            Self::Event { target, event } => target.deliver(event),
            Self::Answer { handler, result } => handler(result),
            Self::Call(call) => call(),
        }
    }
}

/// Deliveries in order, for one consumer.
#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    ended: Condvar,
    /// Bytes of the events that were pushed and not handled yet.
    bytes: AtomicUsize,
    /// Who does not read because of `bytes`.
    stalled: Mutex<Vec<Arc<dyn Stalled>>>,
}

/// A connection that reads no more until a queue has room again.
pub(crate) trait Stalled: Send + Sync {
    /// There is room.
    fn resume(self: Arc<Self>);
}

#[derive(Default)]
struct State {
    waiting: Vec<Delivery>,
    /// The consumer sleeps: the next push has to wake it. Set only under the lock, so no wake-up is lost, and
    /// cleared by the push that wakes, so a batch costs one wake-up.
    asleep: bool,
    closed: bool,
    ended: bool,
}

impl Queue {
    /// Puts one delivery at the end.
    pub fn push(&self, delivery: Delivery) {
        let mut state = self.state.lock();
        if state.closed {
            drop(state);
            drop(delivery);
            return;
        }
        state.waiting.push(delivery);
        self.wake(&mut state);
    }

    /// Moves all of `deliveries` to the end, in their order.
    pub fn append(&self, deliveries: &mut Vec<Delivery>) {
        if deliveries.is_empty() {
            return;
        }
        let mut state = self.state.lock();
        if state.closed {
            drop(state);
            deliveries.clear();
            return;
        }
        state.waiting.append(deliveries);
        self.wake(&mut state);
    }

    /// Counts an event of so many bytes that is about to be pushed.
    pub(crate) fn hold(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::SeqCst);
    }

    /// An event of so many bytes has been handled.
    pub(crate) fn release(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::SeqCst);
    }

    /// Whether the events that wait are more than `limit` bytes. If so, `who` is resumed when there is room.
    pub(crate) fn stall(&self, limit: usize, who: impl FnOnce() -> Arc<dyn Stalled>) -> bool {
        if self.bytes.load(Ordering::SeqCst) < limit {
            return false;
        }
        let mut stalled = self.stalled.lock();
        // Looked at again under the lock: the consumer takes the list under it after it has made room.
        if self.bytes.load(Ordering::SeqCst) < limit {
            return false;
        }
        stalled.push(who());
        true
    }

    /// Called by the consumer between turns.
    pub(super) fn resume_stalled(&self) {
        let resumed = std::mem::take(&mut *self.stalled.lock());
        resumed.into_iter().for_each(Stalled::resume);
    }

    fn wake(&self, state: &mut State) {
        if std::mem::take(&mut state.asleep) {
            self.filled.notify_one();
        }
    }

    /// Exchanges what waits for the empty `batch`; sleeps while nothing waits. `false` once the queue is closed and
    /// empty.
    pub(super) fn take(&self, batch: &mut Vec<Delivery>) -> bool {
        debug_assert!(batch.is_empty());
        let mut state = self.state.lock();
        while state.waiting.is_empty() {
            if state.closed {
                state.ended = true;
                self.ended.notify_all();
                return false;
            }
            state.asleep = true;
            self.filled.wait(&mut state);
        }
        state.asleep = false;
        std::mem::swap(batch, &mut state.waiting);
        true
    }

    /// Takes nothing more in; what waits is still delivered.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        self.wake(&mut state);
    }

    /// Waits until the consumer has seen the end; `false` when it took longer.
    pub(super) fn wait_for_end(&self, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        while !state.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return false;
            }
            self.ended.wait_for(&mut state, left);
        }
        true
    }
}
