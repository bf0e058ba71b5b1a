//! When a consumer is woken: after the producer's locks are free, and by an I/O thread only when it has nothing else to do.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::delivery::Delivery;
use super::queue::{Consumer, Queue};
use crate::runtime::sync::thread_local;

/// Wakes the consumer of a queue, if it sleeps, when dropped, and others that wait for this thread to have done enough. Of a
/// closed queue it drops the deliveries that were not taken, and with them what belongs to the program.
#[must_use = "the consumer is woken when this is dropped: drop the caller's locks first"]
pub struct Wake<'a> {
    queue: Option<&'a Arc<Queue>>,
    forgone: Vec<Delivery>,
    work: usize,
}

impl<'a> Wake<'a> {
    pub(super) const fn none() -> Self {
        Self { queue: None, forgone: Vec::new(), work: 0 }
    }

    pub(super) const fn of(queue: &'a Arc<Queue>) -> Self {
        Self { queue: Some(queue), forgone: Vec::new(), work: 0 }
    }

    pub(super) const fn forgoing(queue: &'a Arc<Queue>, forgone: Vec<Delivery>) -> Self {
        Self { queue: Some(queue), forgone, work: 0 }
    }

    /// The same, which also counts what this thread has done: see [`count_work`].
    pub(super) const fn counting(mut self, work: usize) -> Self {
        self.work = work;
        self
    }

    /// For those who cannot wait until their locks are free: no function of the program is called here. An I/O thread does
    /// it, later.
    pub(super) fn leave_to_io(mut self) {
        self.work = 0;
        if let Some(queue) = self.queue
            && let Consumer::Host(wake) = &queue.consumer
            && self.forgone.is_empty()
        {
            self.queue = None;
            wake.signal_later(queue);
        }
    }
}

impl Drop for Wake<'_> {
    fn drop(&mut self) {
        count_work(self.work);
        let Some(queue) = self.queue else { return };
        if !self.forgone.is_empty() {
            queue.forgo(self.forgone.drain(..));
        } else if is_io_thread() && !matches!(queue.consumer, Consumer::Inline(_)) {
            DEFERRED.with_borrow_mut(|deferred| {
                deferred.queues.push(queue.clone());
                deferred.work = 0;
            });
        } else {
            queue.wake_consumer();
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

/// Whether this thread reads and writes for the library.
pub(super) fn is_io_thread() -> bool {
    DEFERS.get() > 0
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
    let mut queues = DEFERRED.with_borrow_mut(|deferred| {
        deferred.work = 0;
        std::mem::take(&mut deferred.queues)
    });
    // Without the list: to wake a host is to call a function of the program.
    for queue in queues.drain(..) {
        queue.wake_consumer();
    }
    DEFERRED.with_borrow_mut(|deferred| {
        if deferred.queues.is_empty() {
            deferred.queues = queues;
        }
    });
}
