//! The threads that call handlers.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::vec::Drain;

use super::queue::{Delivery, Queue};
use super::turn;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::{block_signals, log};

/// Handlers are C functions with stacks of their own habits.
const STACK_BYTES: usize = 8 << 20;

/// Deliveries between two flushes: a reply does not wait for the whole of a long batch.
const DELIVERIES_PER_TURN: usize = 256;

/// Time between two flushes, looked at after every few deliveries: handlers may be slow.
const TURN_TIME: Duration = Duration::from_millis(10);
const DELIVERIES_PER_LOOK: usize = 4;

thread_local! {
    static DISPATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread belongs to the library and calls handlers: a call that waits would wait for itself.
pub fn on_dispatch_thread() -> bool {
    DISPATCHING.get()
}

pub(crate) struct DispatchThreads {
    queues: Box<[Arc<Queue>]>,
}

impl DispatchThreads {
    pub(crate) fn start(prefix: &str, count: usize, runtime: &tokio::runtime::Handle) -> Result<Self> {
        let queues: Box<[_]> = (0..count).map(|_| Arc::new(Queue::default())).collect();
        let threads = Self { queues };
        for (i, queue) in threads.queues.iter().enumerate() {
            let (queue, runtime) = (queue.clone(), runtime.clone());
            let thread = std::thread::Builder::new().name(format!("{prefix}-dispatch-{i}")).stack_size(STACK_BYTES);
            let started = thread.spawn(move || {
                block_signals();
                // Sockets and timers that a handler opens need the runtime that drives them.
                let _inside = runtime.enter();
                run(&queue);
            });
            if let Err(error) = started {
                threads.stop_soon();
                return Err(error.into());
            }
        }
        Ok(threads)
    }

    pub(crate) fn queues(&self) -> &[Arc<Queue>] {
        &self.queues
    }

    /// Ends the threads when they have delivered what waits.
    pub(crate) fn stop_soon(&self) {
        for queue in &self.queues {
            queue.close();
        }
    }

    /// The same, and waits for it.
    pub(crate) fn stop(&self, timeout: Duration) -> Result<()> {
        self.stop_soon();
        let deadline =
            Instant::now().checked_add(timeout).unwrap_or_else(|| Instant::now() + Duration::from_secs(1 << 30));
        if self.queues.iter().all(|queue| queue.wait_for_end(deadline)) {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::Timeout, "handlers were still running"))
        }
    }
}

fn run(queue: &Queue) {
    DISPATCHING.set(true);
    let mut batch = Vec::new();
    while queue.take(&mut batch) {
        let mut waiting = batch.drain(..);
        while waiting.len() > 0 {
            turn::run(|| deliver_some(&mut waiting));
            queue.resume_stalled();
        }
        drop(waiting);
        // A burst must not be paid for ever after.
        batch.shrink_to(4 * DELIVERIES_PER_TURN);
    }
}

/// The deliveries of one turn.
fn deliver_some(waiting: &mut Drain<'_, Delivery>) {
    let begun = Instant::now();
    for n in 1..=DELIVERIES_PER_TURN {
        let Some(delivery) = waiting.next() else { return };
        deliver(delivery);
        // The clock is dearer than a quick handler.
        if n % DELIVERIES_PER_LOOK == 0 && begun.elapsed() >= TURN_TIME {
            return;
        }
    }
}

fn deliver(delivery: Delivery) {
    // A handler in Rust may panic; the others still get their deliveries.
    if catch_unwind(AssertUnwindSafe(|| delivery.run())).is_err() {
        log::error!("dispatch", "a handler panicked");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn deliveries_run_in_order_on_a_dispatch_thread_and_survive_a_panic() {
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let threads = DispatchThreads::start("test", 1, tokio.handle()).unwrap();
        let (sender, receiver) = channel();
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        for i in 0..1000 {
            let sender = sender.clone();
            threads.queues()[0].push(Delivery::call(move || {
                assert!(on_dispatch_thread());
                assert!(i != 500, "one handler of many");
                sender.send(i).unwrap();
            }));
        }
        drop(sender);
        let seen: Vec<_> = receiver.iter().collect();
        std::panic::set_hook(hook);
        assert_eq!(seen, (0..1000).filter(|i| *i != 500).collect::<Vec<_>>());
        threads.stop(Duration::from_mins(1)).unwrap();
    }
}
