//! What every thread of a runtime does first and last, for the library and for the program.

use std::fmt;
#[cfg(not(shuttle))]
use std::{io, thread};

#[cfg(not(shuttle))]
use super::sync::Mutex;
use super::{panics, signals};

/// Called without arguments on the thread that it is about.
pub type ThreadHook = Box<dyn Fn() + Send + Sync>;

/// What a program wants to do on each thread of a runtime: name it for a profiler, attach it to a virtual machine, give it a
/// priority. Dropped when the last thread has ended and nothing can start another.
#[derive(Default)]
pub struct ThreadHooks {
    /// Called before anything else runs on the thread, its signals blocked already.
    pub on_start: Option<ThreadHook>,
    /// Called when nothing else will run on the thread.
    pub on_stop: Option<ThreadHook>,
}

impl ThreadHooks {
    /// The thread begins.
    pub(super) fn start(&self) {
        signals::block();
        panics::own_thread();
        call(self.on_start.as_ref());
    }

    /// The thread ends.
    pub(super) fn stop(&self) {
        call(self.on_stop.as_ref());
    }
}

/// Whether the operating system starts so many threads. Asked before tokio is, which waits for ever when it is given some of
/// its threads and not all.
#[cfg(not(shuttle))]
pub(super) fn try_out(count: usize) -> io::Result<()> {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        let closed = gate.lock();
        let wait = || {
            signals::block();
            drop(gate.lock());
        };
        let started = (0..count).try_for_each(|_| thread::Builder::new().spawn_scoped(scope, wait).map(drop));
        drop(closed);
        started
    })
}

fn call(hook: Option<&ThreadHook>) {
    if let Some(hook) = hook {
        // A hook in Rust may panic; the thread is needed all the same.
        let _ = panics::caught(hook);
    }
}

impl fmt::Debug for ThreadHooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ThreadHooks { on_start, on_stop } = self;
        f.debug_struct("ThreadHooks")
            .field("on_start", &on_start.is_some())
            .field("on_stop", &on_stop.is_some())
            .finish()
    }
}
