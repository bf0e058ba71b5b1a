//! Floor 2: threads.
//!
//! A [`Runtime`] owns every thread of the library: tokio's workers for I/O, and the dispatch threads that
//! call handlers. Programs that name no runtime share one per process, built on first use.

pub mod dispatch;
pub(crate) mod fork;
pub mod log;
pub mod panics;
mod process;
mod signals;
pub mod sync;
pub mod thread;
pub mod timers;

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use crate::runtime::sync::Mutex;

use crate::data::id::Sid;
use crate::data::tag::{Kind, Tag};
use crate::error::{Error, ErrorKind, Result};
use dispatch::queue::Queue;
use dispatch::threads::DispatchThreads;
use dispatch::{turn, wake};
use process::Process;
use thread::ThreadHooks;
use timers::Timers;

pub use dispatch::is_delivering;
pub use fork::{OfProcess, Origin, after_fork_child};

/// The end report of an asynchronous call: called exactly once, on a dispatch thread.
pub type Done = Box<dyn FnOnce(Result<()>) + Send>;

/// How a runtime is built. The default suits most programs.
#[derive(Clone, Debug, Default)]
pub struct RuntimeConfig {
    /// Threads for I/O; the number of processors that this process may use when `None`.
    pub worker_threads: Option<NonZeroUsize>,
    /// Threads that call handlers; one when `None`, so that no two handlers run at the same time.
    pub dispatch_threads: Option<NonZeroUsize>,
    /// The first part of the threads' names: `sio` when `None`.
    pub thread_name_prefix: Option<String>,
    /// What the program does on each thread first and last.
    pub thread_hooks: Arc<ThreadHooks>,
}

impl RuntimeConfig {
    /// The most threads of either kind.
    pub const MAX_THREADS: usize = 1024;

    fn validate(&self) -> Result<()> {
        let invalid = |message| Err(Error::new(ErrorKind::InvalidArgument, message));
        if [self.worker_threads, self.dispatch_threads].into_iter().flatten().any(|n| n.get() > Self::MAX_THREADS) {
            return invalid("a runtime has at most 1024 threads of a kind");
        }
        if self.thread_name_prefix.as_deref().is_some_and(|prefix| prefix.contains('\0')) {
            return invalid("the name of a thread cannot contain NUL");
        }
        Ok(())
    }
}

/// The library's threads.
#[repr(C)]
pub struct Runtime {
    tag: Tag,
    tokio: Mutex<Option<tokio::runtime::Runtime>>,
    handle: tokio::runtime::Handle,
    timers: Arc<Timers>,
    threads: DispatchThreads,
    next_queue: AtomicUsize,
}

impl Runtime {
    /// The tag of runtimes.
    pub const KIND: Kind = Kind::of_process(*b"runt");

    /// The process's shared runtime; its threads start with the first call.
    pub fn get_default() -> Result<Arc<Self>> {
        Process::current().runtime.get_or_try_init(|| Self::new(&RuntimeConfig::default())).cloned()
    }

    /// A runtime with threads of its own.
    ///
    /// # Errors
    /// `InvalidArgument` for more threads than [`RuntimeConfig::MAX_THREADS`] or a NUL in their names, `Io` when they cannot
    /// be started.
    pub fn new(config: &RuntimeConfig) -> Result<Arc<Self>> {
        config.validate()?;
        fork::watch();
        let prefix = config.thread_name_prefix.as_deref().unwrap_or("sio");
        let workers = match config.worker_threads {
            Some(n) => n.get(),
            None => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        };
        let tokio = start_workers(prefix, workers, &config.thread_hooks)?;
        let handle = tokio.handle().clone();
        let timers = Timers::start(&handle);
        let dispatch_threads = config.dispatch_threads.map_or(1, NonZeroUsize::get);
        let threads = match DispatchThreads::start(prefix, dispatch_threads, &config.thread_hooks, &handle) {
            Ok(threads) => threads,
            Err(error) => {
                // Not just dropped: this may be a thread that must not wait.
                tokio.shutdown_background();
                return Err(error);
            }
        };
        Ok(Arc::new(Self {
            tag: Tag::new(Self::KIND),
            tokio: Mutex::new(Some(tokio)),
            handle,
            timers,
            threads,
            next_queue: AtomicUsize::new(0),
        }))
    }

    /// Stops the runtime's threads: what is queued for delivery is delivered first, for at most `timeout`.
    /// Everything that uses the runtime is dead afterwards.
    ///
    /// # Errors
    /// `WouldDeadlock` on a dispatch thread; `Timeout` when deliveries were still running.
    pub fn shutdown_wait(&self, timeout: Duration) -> Result<()> {
        if is_delivering() {
            return Err(Error::new(
                ErrorKind::WouldDeadlock,
                "a runtime cannot be shut down from one of its callbacks",
            ));
        }
        turn::uncorked(|| {
            if let Some(tokio) = self.tokio.lock().take() {
                tokio.shutdown_background();
            }
            self.threads.stop(timeout)
        })
    }

    /// Whether it was shut down.
    pub(crate) fn has_ended(&self) -> bool {
        self.tokio.lock().is_none()
    }

    /// Starts a task on the I/O threads.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        spawn_on(&self.handle, task);
    }

    /// What runs tasks, for parts that must not keep the runtime alive.
    pub(crate) fn handle(&self) -> &tokio::runtime::Handle {
        &self.handle
    }

    pub(crate) fn timers(&self) -> &Arc<Timers> {
        &self.timers
    }

    /// The queues of all dispatch threads.
    pub(crate) fn queues(&self) -> &[Arc<Queue>] {
        self.threads.queues()
    }

    /// The queue of a dispatch thread, each in its turn. An object keeps the queue it was given: that is what keeps its
    /// deliveries in order.
    pub(crate) fn next_queue(&self) -> &Arc<Queue> {
        let queues = self.threads.queues();
        &queues[self.next_queue.fetch_add(1, Ordering::Relaxed) % queues.len()]
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // The last reference may go away on any thread, one of our own included, so nothing here may wait.
        if let Some(tokio) = self.tokio.get_mut().take() {
            tokio.shutdown_background();
        }
        self.threads.stop_soon();
    }
}

#[cfg(not(shuttle))]
fn start_workers(prefix: &str, count: usize, hooks: &Arc<ThreadHooks>) -> Result<tokio::runtime::Runtime> {
    thread::try_out(count)?;
    let (starting, stopping) = (hooks.clone(), hooks.clone());
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(count)
        .thread_name(format!("{prefix}-io"))
        .on_thread_start(move || {
            starting.start();
            wake::defer_wakes();
        })
        .on_thread_park(|| drop(panics::caught(wake::wake_deferred)))
        .on_thread_stop(move || {
            let _ = panics::caught(wake::wake_deferred);
            stopping.stop();
        })
        .enable_all()
        .build()?;
    Ok(tokio)
}

/// Starts a task on the I/O threads of `handle`, for parts that must not keep the runtime alive.
#[cfg(not(shuttle))]
pub(crate) fn spawn_on(handle: &tokio::runtime::Handle, task: impl Future<Output = ()> + Send + 'static) {
    drop(handle.spawn(panics::Caught::new(task)));
}

/// In a model nobody drives tokio: it only keeps what is spawned on it, and has a clock for the timers.
#[cfg(shuttle)]
fn start_workers(_prefix: &str, _count: usize, _hooks: &Arc<ThreadHooks>) -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_time().build()?)
}

/// In a model each task has an I/O thread of its own, which is about to sleep whenever the task has been polled.
#[cfg(shuttle)]
pub(crate) fn spawn_on(_handle: &tokio::runtime::Handle, task: impl Future<Output = ()> + Send + 'static) {
    sync::thread::spawn(move || {
        wake::defer_wakes();
        let mut task = std::pin::pin!(task);
        shuttle::future::block_on(std::future::poll_fn(|cx| {
            let polled = task.as_mut().poll(cx);
            wake::wake_deferred();
            polled
        }));
    });
}

/// A new session id from the operating system's generator, which is asked for several at a time.
pub(crate) fn new_sid() -> Sid {
    const DRAWN_AT_ONCE: usize = 16;
    static SEQUENCE: AtomicU32 = AtomicU32::new(0);
    thread_local! {
        static DRAWN: RefCell<(Option<Origin>, Vec<[u8; 12]>)> = const { RefCell::new((None, Vec::new())) };
    }
    let random = DRAWN.with_borrow_mut(|(origin, drawn)| {
        // A forked child has those of its parent: they are no secret any more.
        if drawn.is_empty() || origin.is_none_or(Origin::is_inherited) {
            *origin = Some(Origin::here());
            drawn.clear();
            drawn.resize(DRAWN_AT_ONCE, [0; 12]);
            fill_random(drawn.as_flattened_mut());
        }
        drawn.pop().unwrap_or_default()
    });
    Sid::new(random, SEQUENCE.fetch_add(1, Ordering::Relaxed))
}

/// Fills `bytes` from the operating system's generator.
pub(crate) fn fill_random(bytes: &mut [u8]) {
    // The generator fails only where the system has none at all; the process cannot have secrets then.
    getrandom::fill(bytes).expect("the operating system has no random generator");
}
