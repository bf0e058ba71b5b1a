//! What waits to be delivered to the program, in order, for one consumer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::delivery::Delivery;
use super::host::HostWake;
use super::inline::Inline;
use super::wake::Wake;
use crate::runtime::Origin;
use crate::runtime::sync::atomic::{AtomicUsize, Ordering};
use crate::runtime::sync::{Condvar, Mutex};

/// Deliveries in order, for one consumer.
pub struct Queue {
    state: Mutex<State>,
    pub(super) consumer: Consumer,
    origin: Origin,
    filled: Condvar,
    ended: Condvar,
    /// Bytes of the events that were pushed and not handled yet.
    bytes: AtomicUsize,
    /// Who does not read because of `bytes`.
    stalled: Mutex<Vec<Arc<dyn Stalled>>>,
}

/// Who takes the deliveries.
pub(super) enum Consumer {
    /// A dispatch thread, which sleeps while there are none.
    Thread,
    /// The program, on a thread of its own, when it has been told that there are some.
    Host(HostWake),
    /// The I/O thread that has pushed them.
    Inline(Arc<Inline>),
}

/// A connection that reads no more until a queue has room again.
pub(crate) trait Stalled: Send + Sync {
    /// There is room.
    fn resume(self: Arc<Self>);
}

#[derive(Default)]
struct State {
    waiting: Vec<Delivery>,
    /// The consumer has taken everything and does not look again by itself: the next push has to wake it. Set only under the
    /// lock, by a consumer that finds nothing, so no wake-up is lost; cleared by the push that wakes, so a batch costs one.
    idle: bool,
    closed: bool,
    ended: bool,
}

impl Queue {
    /// The queue of a dispatch thread.
    pub(super) fn of_thread() -> Arc<Self> {
        Self::new(Consumer::Thread, false)
    }

    /// A queue that the program empties.
    pub(super) fn of_host(wake: HostWake) -> Arc<Self> {
        Self::new(Consumer::Host(wake), true)
    }

    /// A queue that is emptied where it is filled.
    pub(super) fn inline(inline: &Arc<Inline>) -> Arc<Self> {
        Self::new(Consumer::Inline(inline.clone()), true)
    }

    fn new(consumer: Consumer, idle: bool) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State { idle, ..State::default() }),
            consumer,
            origin: Origin::here(),
            filled: Condvar::default(),
            ended: Condvar::default(),
            bytes: AtomicUsize::new(0),
            stalled: Mutex::default(),
        })
    }

    /// Puts one delivery at the end.
    pub fn push(self: &Arc<Self>, delivery: Delivery) {
        let mut state = self.state.lock();
        let wake = if state.closed {
            Wake::forgoing(self, vec![delivery])
        } else {
            state.waiting.push(delivery);
            self.take_wake(&mut state)
        };
        drop(state);
        drop(wake);
    }

    /// Moves all of `deliveries` to the end, in their order. The consumer runs when what this returns is dropped: after the
    /// caller's locks are free, for it may run at once, on this very processor or thread, and want them.
    pub fn append(self: &Arc<Self>, deliveries: &mut Vec<Delivery>) -> Wake<'_> {
        if deliveries.is_empty() {
            return Wake::none().counting(1);
        }
        let pushed = deliveries.len();
        let mut state = self.state.lock();
        if state.closed {
            return Wake::forgoing(self, std::mem::take(deliveries));
        }
        state.waiting.append(deliveries);
        let wake = self.take_wake(&mut state);
        drop(state);
        wake.counting(pushed)
    }

    /// Puts one delivery at the end for somebody who may hold any lock.
    pub(in crate::runtime) fn push_locked(self: &Arc<Self>, delivery: Delivery) {
        self.append(&mut vec![delivery]).leave_to_io();
    }

    /// Whether it belongs to the process that this one was forked from.
    pub(super) fn is_inherited(&self) -> bool {
        self.origin.is_inherited()
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
        if !std::mem::take(&mut state.idle) {
            return Wake::none();
        }
        if let Consumer::Inline(inline) = &self.consumer {
            inline.begin();
        }
        Wake::of(self)
    }

    /// Tells the consumer that something waits. Without any lock: it may run at once.
    pub(super) fn wake_consumer(self: &Arc<Self>) {
        match &self.consumer {
            Consumer::Thread => self.filled.notify_one(),
            Consumer::Host(wake) => {
                wake.signal();
                self.filled.notify_all();
            }
            Consumer::Inline(inline) => inline.run(self),
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
            state.idle = true;
            state = self.filled.wait(state);
        }
        state.idle = false;
        std::mem::swap(batch, &mut state.waiting);
        true
    }

    /// The same for a consumer that does not sleep: `false` when nothing waits. It is woken by the next push then.
    pub(super) fn try_take(&self, batch: &mut Vec<Delivery>) -> bool {
        debug_assert!(batch.is_empty());
        let mut state = self.state.lock();
        std::mem::swap(batch, &mut state.waiting);
        if batch.is_empty() {
            self.rest(&mut state);
        }
        !batch.is_empty()
    }

    /// Whether nothing waits. If so, the consumer is woken by the next push.
    pub(super) fn is_drained(&self) -> bool {
        let mut state = self.state.lock();
        if state.waiting.is_empty() {
            self.rest(&mut state);
        }
        state.idle
    }

    /// Whether the next push wakes the consumer.
    pub(super) fn is_idle(&self) -> bool {
        self.state.lock().idle
    }

    fn rest(&self, state: &mut State) {
        if let Consumer::Host(wake) = &self.consumer {
            // Under the lock: the next push signals after this.
            wake.clear();
        }
        state.idle = true;
    }

    /// How many deliveries wait.
    pub(super) fn len(&self) -> usize {
        self.state.lock().waiting.len()
    }

    /// Sleeps until something waits; `false` when that took longer.
    pub(super) fn wait_until_filled(&self, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        while state.waiting.is_empty() && !state.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return false;
            }
            state = self.filled.wait_for(state, left);
        }
        true
    }

    /// Takes nothing more in; what waits is still delivered.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.idle = false;
        drop(state);
        // In any case: an I/O thread that has put the wake-up off may be gone before it comes to it.
        self.filled.notify_one();
    }

    /// Takes nothing more in, and nothing more out: what waits is forgone, here and now.
    pub(super) fn close_now(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.filled.notify_all();
        self.forgo(waiting);
    }

    /// Gives up deliveries that nobody will make. Without any lock: what belongs to the program is dropped.
    pub(super) fn forgo(&self, deliveries: impl IntoIterator<Item = Delivery>) {
        deliveries.into_iter().for_each(Delivery::forgo);
        // No consumer comes by any more that would.
        self.resume_stalled();
    }

    /// Whether it was closed.
    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed
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
