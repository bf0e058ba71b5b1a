//! Handlers that run where the event was read: on the I/O thread, after the connection's lock is free.
//!
//! Each connection has a queue of its own then. Whoever fills an empty one empties it, so two threads never call handlers of
//! one connection at a time, and their order is kept. A thread of the program hands over to an I/O thread: no call into the
//! library calls a handler.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::consume::{Delivering, deliver_turn};
use super::delivery::Delivery;
use super::queue::{Consumer, Queue};
use super::wake::is_io_thread;
use crate::runtime::sync::atomic::{AtomicUsize, Ordering};
use crate::runtime::sync::{Mutex, thread_local};
use crate::runtime::{log, spawn_on};

/// A handler that takes longer is reported when the log is at debug level.
const QUICK: Duration = Duration::from_millis(1);

/// The inline queues of one server or manager.
pub(crate) struct Inline {
    handle: Handle,
    /// Queues that hold something or are being emptied.
    busy: AtomicUsize,
    /// What runs when there are none.
    at_rest: Mutex<Vec<Delivery>>,
}

thread_local! {
    /// The queues that this thread has to empty, while it does so.
    static EMPTYING: RefCell<Option<VecDeque<Arc<Queue>>>> = const { RefCell::new(None) };
}

impl Inline {
    /// None yet; `handle` runs what threads of the program hand over.
    pub(super) fn new(handle: &Handle) -> Arc<Self> {
        Arc::new(Self { handle: handle.clone(), busy: AtomicUsize::new(0), at_rest: Mutex::default() })
    }

    /// A queue got something.
    pub(super) fn begin(&self) {
        self.busy.fetch_add(1, Ordering::SeqCst);
    }

    /// Empties `queue`: here, or behind the one that this thread is at, or on an I/O thread.
    pub(super) fn run(&self, queue: &Arc<Queue>) {
        if !is_io_thread() {
            let queue = queue.clone();
            spawn_on(&self.handle, async move { queue.wake_consumer() });
            return;
        }
        let is_nested = EMPTYING
            .with_borrow_mut(|emptying| emptying.as_mut().map(|queues| queues.push_back(queue.clone())).is_some());
        if is_nested {
            return;
        }
        EMPTYING.set(Some(VecDeque::new()));
        let delivering = Delivering::begin();
        let mut next = Some(queue.clone());
        while let Some(queue) = next {
            empty(&queue);
            next = EMPTYING.with_borrow_mut(|emptying| {
                let next = emptying.as_mut().and_then(VecDeque::pop_front);
                if next.is_none() {
                    *emptying = None;
                }
                next
            });
        }
        drop(delivering);
    }

    /// Runs `delivery` when all queues have delivered what they hold: `queue` does it when they have.
    pub(super) fn when_at_rest(&self, queue: &Arc<Queue>, delivery: Delivery) {
        self.at_rest.lock().push(delivery);
        if self.busy.load(Ordering::SeqCst) == 0 {
            self.take_at_rest().into_iter().for_each(|delivery| queue.push(delivery));
        }
    }

    /// A queue is empty.
    fn end(&self) {
        if self.busy.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.take_at_rest().into_iter().for_each(Delivery::run);
        }
    }

    fn take_at_rest(&self) -> Vec<Delivery> {
        std::mem::take(&mut *self.at_rest.lock())
    }
}

fn empty(queue: &Arc<Queue>) {
    let Consumer::Inline(inline) = &queue.consumer else { return };
    let mut batch = Vec::new();
    while queue.try_take(&mut batch) {
        let mut waiting = batch.drain(..);
        while waiting.len() > 0 {
            deliver_turn(waiting.len(), || true, || waiting.next().map(timed));
            while queue.is_inherited() {
                // A handler has forked and the child came back. It must not go on as an I/O thread of its parent, with the
                // descriptors that they share.
                std::thread::park();
            }
            queue.resume_stalled();
        }
    }
    inline.end();
}

/// A delivery that reports a slow handler, when somebody wants to know.
fn timed(delivery: Delivery) -> Delivery {
    if !log::enabled(log::Target::Dispatch, log::Level::Debug) {
        return delivery;
    }
    Delivery::call(move || {
        let begun = Instant::now();
        delivery.run();
        let time = begun.elapsed();
        if time > QUICK {
            let micros = time.as_micros();
            log::warning!(Dispatch, "an inline handler held an I/O thread up for {micros} microseconds");
        }
    })
}
