//! A queue that the program empties, on a thread of its own choice: for programs that have a loop already.

use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Handle;

use super::consume::{DELIVERIES_PER_TURN, Delivering, deliver_turn};
use super::delivery::Delivery;
use super::queue::{Consumer, Queue};
use super::wake_fd::WakeFd;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::Runtime;
use crate::runtime::sync::{Mutex, MutexGuard, thread};

/// Called when a queue that was empty has something, and when a dispatch has left something behind; on any thread and with
/// no lock held. It must not block, and calls nothing of the library.
pub type WakeHandler = Box<dyn Fn() + Send + Sync>;

/// A queue that the program empties. Objects that use it keep it, so it is there until it is closed.
pub struct HostQueue {
    runtime: Arc<Runtime>,
    queue: Arc<Queue>,
    /// What was taken off the queue and not delivered yet, the next one last. Who delivers has the lock, and nobody ever waits
    /// for it.
    taken: Mutex<Vec<Delivery>>,
}

/// How a host is told that something waits.
pub(super) struct HostWake {
    fd: WakeFd,
    handler: Mutex<Option<Arc<WakeHandler>>>,
    /// Runs what must not be run where it comes up.
    later: Handle,
}

impl HostQueue {
    /// An empty queue.
    ///
    /// # Errors
    /// `Io` when the process has no descriptor left.
    pub fn new(runtime: &Arc<Runtime>, wake: Option<WakeHandler>) -> Result<Arc<Self>> {
        let wake =
            HostWake { fd: WakeFd::new()?, handler: Mutex::new(wake.map(Arc::new)), later: runtime.handle().clone() };
        Ok(Arc::new(Self { runtime: runtime.clone(), queue: Queue::of_host(wake), taken: Mutex::default() }))
    }

    /// The runtime whose threads fill it.
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// A descriptor that is readable while something waits. It is the queue's: to be polled and nothing else.
    pub fn fd(&self) -> i32 {
        let Consumer::Host(wake) = &self.queue.consumer else { return -1 };
        wake.fd.number()
    }

    /// Calls the handlers of at most `max` deliveries on this thread; 0 stands for all that wait now. Returns how many they
    /// were.
    ///
    /// # Errors
    /// `InvalidState` when another thread is at it, or this one in a handler that this calls; `Closed`; `Forked` in a child
    /// that a handler has forked.
    pub fn dispatch(&self, max: usize) -> Result<usize> {
        self.dispatch_while(max, || true)
    }

    /// The same, for as long as `go_on` says so before each delivery.
    ///
    /// # Errors
    /// As of [`HostQueue::dispatch`].
    pub fn dispatch_while(&self, max: usize, mut go_on: impl FnMut() -> bool) -> Result<usize> {
        let Some(mut taken) = self.taken.try_lock() else {
            return Err(Error::new(ErrorKind::InvalidState, "the queue is being dispatched already"));
        };
        if self.queue.is_closed() {
            // Whoever closed it may have found this thread here, and left to it what an earlier dispatch had taken.
            self.leave(taken);
            return Err(Error::new(ErrorKind::Closed, "the queue is closed"));
        }
        let max = if max == 0 { taken.len() + self.queue.len() } else { max };
        let mut go_on = || go_on() && !self.queue.is_closed();
        let delivering = Delivering::begin();
        let mut delivered = 0;
        while delivered < max && go_on() && self.refill(&mut taken) {
            delivered += deliver_turn(max - delivered, &mut go_on, || taken.pop());
            if self.queue.is_inherited() {
                // A handler has forked. The parent delivers the rest.
                std::mem::forget(std::mem::take(&mut *taken));
                return Err(inherited());
            }
            self.queue.resume_stalled();
        }
        // A burst must not be paid for ever after.
        taken.shrink_to(4 * DELIVERIES_PER_TURN);
        let is_drained = taken.is_empty() && self.queue.is_drained();
        drop(delivering);
        self.leave(taken);
        // There will be no edge for what is left; and whoever had one since then may have found this thread still here.
        if !is_drained || !self.queue.is_idle() {
            self.queue.wake_consumer();
        }
        Ok(delivered)
    }

    /// Has the program told as if something had been put into the empty queue.
    pub fn signal(&self) {
        self.queue.wake_consumer();
    }

    /// Closes the queue: nothing is taken in any more, and no handler called that has not begun. What belongs to the program
    /// is given up on this thread, or on the one that dispatches just now.
    pub fn close(&self) {
        if let Consumer::Host(wake) = &self.queue.consumer {
            wake.silence();
        }
        self.queue.close_now();
        if let Some(taken) = self.taken.try_lock() {
            self.leave(taken);
        }
    }

    /// Dispatches until `ended` has something to say. `None` when that took longer.
    pub(super) fn dispatch_until<T>(&self, deadline: Instant, mut ended: impl FnMut() -> Option<T>) -> Option<T> {
        /// Another thread dispatches: how soon this one looks whether that has ended.
        const LOOK: std::time::Duration = std::time::Duration::from_millis(2);
        loop {
            if let Some(end) = ended() {
                return Some(end);
            }
            if self.dispatch(0).is_ok_and(|delivered| delivered > 0) {
                continue;
            }
            if Instant::now() >= deadline {
                return None;
            }
            let another_dispatches = self.taken.try_lock().is_none();
            if another_dispatches || self.queue.is_closed() {
                thread::sleep(LOOK);
            } else {
                self.queue.wait_until_filled(deadline);
            }
        }
    }

    pub(in crate::runtime) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Something to deliver at the end of `taken`, the next one last; `false` when nothing waits.
    fn refill(&self, taken: &mut Vec<Delivery>) -> bool {
        if taken.is_empty() && self.queue.try_take(taken) {
            taken.reverse();
        }
        !taken.is_empty()
    }

    /// Ends this thread's part. Whoever closes the queue meanwhile leaves to it what it had taken.
    fn leave<'a>(&'a self, taken: MutexGuard<'a, Vec<Delivery>>) {
        let mut taken = Some(taken);
        while let Some(mut left) = taken.take() {
            let forgone = if self.queue.is_closed() { std::mem::take(&mut *left) } else { Vec::new() };
            drop(left);
            self.queue.forgo(forgone.into_iter().rev());
            if self.queue.is_closed() {
                taken = self.taken.try_lock().filter(|taken| !taken.is_empty());
            }
        }
    }
}

/// What a child is told that uses what its parent made.
pub(super) fn inherited() -> Error {
    Error::new(ErrorKind::Forked, "the queue belongs to the process that this one was forked from")
}

impl HostWake {
    pub(super) fn signal(&self) {
        self.fd.signal();
        // Called without the lock: it may be closed meanwhile, from another thread or from inside.
        let handler = self.handler.lock().clone();
        if let Some(handler) = handler {
            handler();
        }
    }

    /// The same without a call into the program here; `queue` is the one whose this is.
    pub(super) fn signal_later(&self, queue: &Arc<Queue>) {
        self.fd.signal();
        let queue = queue.clone();
        drop(self.later.spawn(async move { queue.wake_consumer() }));
    }

    pub(super) fn clear(&self) {
        self.fd.clear();
    }

    /// Whether the descriptor is readable.
    #[cfg(all(test, shuttle))]
    pub(super) fn is_signalled(&self) -> bool {
        self.fd.is_signalled()
    }

    fn silence(&self) {
        let handler = self.handler.lock().take();
        drop(handler);
    }
}
