//! A turn is a stretch of work on one thread at whose end every connection that got something to send is written
//! to once. Outside a turn a connection is written to at once.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::runtime::sync::thread_local;
use crate::runtime::{Origin, panics};

/// Something with output that waits for the end of the turn.
pub trait Flush: Send + Sync {
    /// Writes what waits.
    fn flush(self: Arc<Self>);
}

/// The longest list of noted connections, in entries, that a thread keeps memory for.
const MAX_KEPT: usize = 4096;

thread_local! {
    static ACTIVE: Cell<bool> = const { Cell::new(false) };
    static NOTED: RefCell<Vec<Arc<dyn Flush>>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` as a turn, or as a part of the turn that it is called in.
pub fn run<R>(work: impl FnOnce() -> R) -> R {
    if ACTIVE.replace(true) {
        return work();
    }
    // Ends the turn also when `work` panics.
    let end = End(Origin::here());
    let result = work();
    drop(end);
    result
}

/// Whether this thread is in a turn.
pub fn is_active() -> bool {
    ACTIVE.get()
}

/// Tells the turns that run at the same time apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(usize);

/// The turn that this thread is in.
pub fn current() -> Option<Id> {
    // A thread is in one turn at a time, and no two threads keep theirs in the same place.
    ACTIVE.with(|active| active.get().then(|| Id(std::ptr::from_ref(active).addr())))
}

/// Has `what` flushed at the end of this thread's turn. Said once per turn: the connection remembers that it is noted.
pub fn note(what: Arc<dyn Flush>) {
    debug_assert!(is_active());
    NOTED.with_borrow_mut(|noted| noted.push(what));
}

struct End(Origin);

impl Drop for End {
    fn drop(&mut self) {
        loop {
            let mut batch = NOTED.take();
            if self.0.is_inherited() {
                // The parent will flush them.
                std::mem::forget(batch);
                break;
            }
            // What one of them does wrong must not keep the others from being written.
            batch.drain(..).for_each(|what| drop(panics::caught(|| what.flush())));
            // The list is kept for the next turn, unless it was an unusually long one.
            batch.shrink_to(MAX_KEPT);
            let more = NOTED.with_borrow_mut(|noted| {
                // Flushing may close connections, whose end notes others.
                let more = !noted.is_empty();
                if !more {
                    *noted = batch;
                }
                more
            });
            if !more {
                break;
            }
        }
        ACTIVE.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl Flush for Counted {
        fn flush(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn what_is_noted_in_nested_turns_is_flushed_once_at_the_outer_end() {
        let counted = Arc::new(Counted::default());
        run(|| {
            run(|| note(counted.clone()));
            assert_eq!(counted.0.load(Ordering::Relaxed), 0);
        });
        assert_eq!(counted.0.load(Ordering::Relaxed), 1);
        assert!(!is_active());
    }
}
