//! Where the callbacks of a server or a manager run.

use std::fmt;
use std::iter;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::delivery::Delivery;
use super::host::{HostQueue, inherited};
use super::inline::Inline;
use super::queue::Queue;
use super::turn;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use crate::runtime::{OfProcess, Runtime, is_delivering};

/// Where callbacks run, as an option.
#[derive(Clone, Default)]
pub enum DeliveryMode {
    /// On the runtime's dispatch threads.
    #[default]
    Threads,
    /// Where the program dispatches the queue.
    Queue(OfProcess<Arc<HostQueue>>),
    /// Where the event was read.
    Inline,
}

/// Gives the connections of a server, or a manager, the queues that their deliveries go to.
pub(crate) enum Dispatcher {
    Threads(Arc<Runtime>),
    Host(Arc<HostQueue>),
    Inline(Arc<Inline>),
}

impl PartialEq for DeliveryMode {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Queue(one), Self::Queue(other)) => Arc::ptr_eq(one.get(), other.get()),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl fmt::Debug for DeliveryMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Threads => "Threads",
            Self::Queue(_) => "Queue",
            Self::Inline => "Inline",
        })
    }
}

impl Dispatcher {
    /// # Errors
    /// `Forked` for a queue that this process has inherited.
    pub(crate) fn new(runtime: &Arc<Runtime>, mode: &DeliveryMode) -> Result<Self> {
        Ok(match mode {
            DeliveryMode::Threads => Self::Threads(runtime.clone()),
            DeliveryMode::Queue(queue) if queue.is_inherited() => return Err(inherited()),
            DeliveryMode::Queue(queue) => Self::Host(queue.get().clone()),
            DeliveryMode::Inline => Self::Inline(Inline::new(runtime.handle())),
        })
    }

    /// The queue for an object that is new. It keeps it: that is what keeps its deliveries in order.
    pub(crate) fn queue(&self) -> Arc<Queue> {
        match self {
            Self::Threads(runtime) => runtime.next_queue().clone(),
            Self::Host(host) => host.queue().clone(),
            Self::Inline(inline) => Queue::inline(inline),
        }
    }

    /// Drops `what` where handlers are called, when everything is delivered that waits now in any of the queues; `queue` is one
    /// of them.
    pub(crate) fn discard_behind_all<T: Send + Sync + 'static>(&self, queue: &Arc<Queue>, what: T) {
        match self {
            Self::Threads(runtime) => {
                let queues = runtime.queues();
                // The last reference moves too: one that stayed here might be dropped here, behind all the others.
                for (queue, what) in queues.iter().zip(iter::repeat_n(Arc::new(what), queues.len())) {
                    queue.push(Delivery::discard(what));
                }
            }
            Self::Host(host) => host.queue().push(Delivery::discard(what)),
            Self::Inline(inline) => inline.when_at_rest(queue, Delivery::discard(what)),
        }
    }

    /// Begins something, and waits for its end, which a delivery reports. Deliveries that only the program can make are made meanwhile, on this thread,
    /// unless another one is at it.
    ///
    /// # Errors
    /// `WouldDeadlock` in a handler, `Timeout`, `Closed` when nothing is delivered any more: runtime or queue are closed.
    pub(crate) fn wait(&self, begin: impl FnOnce(), ended: &Receiver<Result<()>>, timeout: Duration) -> Result<()> {
        if is_delivering() {
            return Err(Error::new(ErrorKind::WouldDeadlock, "a callback cannot wait for the end of all callbacks"));
        }
        turn::uncorked(|| self.wait_uncorked(begin, ended, timeout))
    }

    fn wait_uncorked(&self, begin: impl FnOnce(), ended: &Receiver<Result<()>>, timeout: Duration) -> Result<()> {
        let closed = || Error::new(ErrorKind::Closed, "the runtime or the queue was closed before");
        begin();
        let timed_out = || Error::new(ErrorKind::Timeout, "it is still closing");
        let Self::Host(host) = self else {
            return ended.recv_timeout(timeout).unwrap_or_else(|error| match error {
                RecvTimeoutError::Timeout => Err(timed_out()),
                RecvTimeoutError::Disconnected => Err(closed()),
            });
        };
        let deadline = deadline(timeout);
        let end = host.dispatch_until(deadline, || match ended.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Disconnected) => Some(Err(closed())),
            Err(TryRecvError::Empty) => None,
        });
        end.unwrap_or_else(|| Err(timed_out()))
    }
}

/// When a time from now has passed, also one that the clock cannot express.
pub(crate) fn deadline(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or_else(|| now + Duration::from_secs(1 << 30))
}
