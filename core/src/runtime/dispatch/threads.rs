//! The threads that call handlers.

use std::sync::Arc;
use std::time::Duration;

use super::consume::{DELIVERIES_PER_TURN, Delivering, deliver_turn};
use super::dispatcher::deadline;
use super::queue::Queue;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::panics;
use crate::runtime::sync::thread;
use crate::runtime::thread::ThreadHooks;

/// Handlers are C functions with stacks of their own habits.
const STACK_BYTES: usize = 8 << 20;

pub(crate) struct DispatchThreads {
    queues: Box<[Arc<Queue>]>,
}

impl DispatchThreads {
    pub(crate) fn start(
        prefix: &str,
        count: usize,
        hooks: &Arc<ThreadHooks>,
        runtime: &tokio::runtime::Handle,
    ) -> Result<Self> {
        let queues: Box<[_]> = (0..count).map(|_| Queue::of_thread()).collect();
        let threads = Self { queues };
        for (i, queue) in threads.queues.iter().enumerate() {
            let (queue, hooks, runtime) = (queue.clone(), hooks.clone(), runtime.clone());
            let thread = thread::Builder::new().name(format!("{prefix}-dispatch-{i}")).stack_size(STACK_BYTES);
            let started = thread.spawn(move || {
                hooks.start();
                // Sockets and timers that a handler opens need the runtime that drives them.
                // Not so in a model, where threads take turns and nothing drives it.
                let inside = (!cfg!(shuttle)).then(|| runtime.enter());
                // A bug in here must not end all deliveries.
                while panics::caught(|| run(&queue)).is_err() {}
                drop(inside);
                hooks.stop();
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
        let deadline = deadline(timeout);
        if self.queues.iter().all(|queue| queue.wait_for_end(deadline)) {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::Timeout, "handlers were still running"))
        }
    }
}

/// Delivers until the queue is closed and empty: what such a thread does.
pub(super) fn run(queue: &Queue) {
    let _delivering = Delivering::begin();
    let mut batch = Vec::new();
    while queue.take(&mut batch) {
        let mut waiting = batch.drain(..);
        while waiting.len() > 0 {
            deliver_turn(waiting.len(), || true, || waiting.next());
            if queue.is_inherited() {
                // A handler has forked, and this is the only thread of the child: it ends, and the child with it.
                std::mem::forget(waiting);
                return;
            }
            queue.resume_stalled();
        }
        drop(waiting);
        // A burst must not be paid for ever after.
        batch.shrink_to(4 * DELIVERIES_PER_TURN);
    }
}

#[cfg(test)]
mod tests {
    use super::super::consume::is_delivering;
    use super::super::delivery::Delivery;
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn deliveries_run_in_order_on_a_dispatch_thread_and_survive_a_panic() {
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let threads = DispatchThreads::start("test", 1, &Arc::default(), tokio.handle()).unwrap();
        let (sender, receiver) = channel();
        for i in 0..1000 {
            let sender = sender.clone();
            threads.queues()[0].push(Delivery::call(move || {
                assert!(is_delivering());
                assert!(i != 500, "one handler of many");
                sender.send(i).unwrap();
            }));
        }
        drop(sender);
        let seen: Vec<_> = receiver.iter().collect();
        assert_eq!(seen, (0..1000).filter(|i| *i != 500).collect::<Vec<_>>());
        threads.stop(Duration::from_mins(1)).unwrap();
    }
}
