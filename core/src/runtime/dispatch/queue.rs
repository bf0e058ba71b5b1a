//! What waits to be delivered to the program.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::runtime::sync::{Condvar, Mutex};

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

/// Wakes the consumer of a queue, if it sleeps, when dropped. Of a closed queue it drops the deliveries that were not
/// taken, and with them what belongs to the program.
#[must_use = "the consumer is woken when this is dropped: drop the caller's locks first"]
pub struct Wake<'a>(Option<&'a Arc<Queue>>, #[expect(dead_code, reason = "kept only to be dropped")] Vec<Delivery>);

impl Drop for Wake<'_> {
    fn drop(&mut self) {
        let Some(queue) = self.0 else { return };
        if DEFERS.get() > 0 {
            DEFERRED.with_borrow_mut(|deferred| {
                deferred.queues.push(queue.clone());
                deferred.work = 0;
            });
        } else {
            queue.filled.notify_one();
        }
    }
}

thread_local! {
    /// How much this thread does before it wakes a consumer; 0 when it wakes it at once.
    static DEFERS: Cell<usize> = const { Cell::new(0) };
    static DEFERRED: RefCell<Deferred> = const { RefCell::new(Deferred { queues: Vec::new(), work: 0 }) };
}

/// Consumers that an I/O thread has to wake.
struct Deferred {
    queues: Vec<Arc<Queue>>,
    work: usize,
}

/// What an I/O thread does before it wakes a consumer that waits for it: deliveries that it pushes, and steps without any.
/// Where there is but one processor the consumer could not run meanwhile anyway.
const MAX_DEFERRED: usize = 16;
const MAX_DEFERRED_ALONE: usize = 256;

/// Said by an I/O thread when it starts: it wakes consumers when it has nothing else to do, or has done so much that a peer
/// may be keeping it busy. A consumer that runs at once would take the processor from it for each single delivery.
pub(crate) fn defer_wakes() {
    let alone = std::thread::available_parallelism().is_ok_and(|processors| processors.get() == 1);
    DEFERS.set(if alone { MAX_DEFERRED_ALONE } else { MAX_DEFERRED });
}

/// Counts what an I/O thread does while a consumer may wait for it to be woken.
pub(crate) fn count_work(amount: usize) {
    let most = DEFERS.get();
    if most > 0 {
        let enough = DEFERRED.with_borrow_mut(|deferred| {
            deferred.work += amount;
            !deferred.queues.is_empty() && deferred.work >= most
        });
        if enough {
            wake_deferred();
        }
    }
}

/// Said by an I/O thread when it is about to sleep.
pub(crate) fn wake_deferred() {
    DEFERRED.with_borrow_mut(|deferred| {
        deferred.work = 0;
        for queue in deferred.queues.drain(..) {
            queue.filled.notify_one();
        }
    });
}

#[derive(Default)]
struct State {
    waiting: Vec<Delivery>,
    /// The consumer sleeps: the next push has to wake it. Set only under the lock, which the consumer gives up by going to
    /// sleep, so no wake-up is lost; cleared by the push that wakes, so a batch costs one wake-up.
    asleep: bool,
    closed: bool,
    ended: bool,
}

impl Queue {
    /// Puts one delivery at the end.
    pub fn push(self: &Arc<Self>, delivery: Delivery) {
        let mut state = self.state.lock();
        if state.closed {
            drop(state);
            drop(delivery);
            return;
        }
        state.waiting.push(delivery);
        let wake = self.take_wake(&mut state);
        drop(state);
        drop(wake);
    }

    /// Moves all of `deliveries` to the end, in their order. The consumer runs when what this returns is dropped: after the
    /// caller's locks are free, for it may run at once, on this very processor, and want them.
    pub fn append(self: &Arc<Self>, deliveries: &mut Vec<Delivery>) -> Wake<'_> {
        if deliveries.is_empty() {
            count_work(1);
            return Wake(None, Vec::new());
        }
        let pushed = deliveries.len();
        let mut state = self.state.lock();
        if state.closed {
            return Wake(None, std::mem::take(deliveries));
        }
        state.waiting.append(deliveries);
        let wake = self.take_wake(&mut state);
        drop(state);
        count_work(pushed);
        wake
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

    fn take_wake(self: &Arc<Self>, state: &mut State) -> Wake<'_> {
        Wake(std::mem::take(&mut state.asleep).then_some(self), Vec::new())
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
            state = self.filled.wait(state);
        }
        state.asleep = false;
        std::mem::swap(batch, &mut state.waiting);
        true
    }

    /// Takes nothing more in; what waits is still delivered.
    pub(super) fn close(self: &Arc<Self>) {
        let mut state = self.state.lock();
        state.closed = true;
        state.asleep = false;
        drop(state);
        // In any case: an I/O thread that has put the wake-up off may be gone before it comes to it.
        self.filled.notify_one();
    }

    /// Waits until the consumer has seen the end; `false` when it took longer.
    pub(super) fn wait_for_end(&self, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        while !state.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return false;
            }
            state = self.ended.wait_for(state, left);
        }
        true
    }
}
