//! A turn is a stretch of work on one thread at whose end every connection that got something to send is written
//! to once. Outside a turn a connection is written to at once.
//!
//! Deliveries are made in turns ([`run`]). A program that sends much at a time makes one of its own ([`cork`]): then the turns
//! inside of it end with it.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::runtime::sync::thread_local;
use crate::runtime::{Origin, panics};

/// Something with output that waits for the end of the turn.
pub trait Flush: Send + Sync {
    /// Writes what waits.
    fn flush(self: Arc<Self>);
}

/// The longest list of noted connections, in entries, that a thread keeps memory for.
const MAX_KEPT: usize = 4096;

/// What keeps the turn of a thread from ending.
#[derive(Clone, Copy)]
struct Held {
    /// `run` is at work.
    running: bool,
    /// Calls of `cork` that none of `uncork` has answered.
    corks: usize,
}

/// Who waits for the end of the turn.
struct Noted {
    /// The process that noted them; `None` before the first.
    origin: Option<Origin>,
    list: Vec<Arc<dyn Flush>>,
}

thread_local! {
    static HELD: Cell<Held> = const { Cell::new(Held { running: false, corks: 0 }) };
    static NOTED: RefCell<Noted> = const { RefCell::new(Noted { origin: None, list: Vec::new() }) };
    static NUMBER: Cell<usize> = const { Cell::new(0) };
}

/// Runs `work` as a turn, or as a part of the turn that it is called in.
pub fn run<R>(work: impl FnOnce() -> R) -> R {
    /// Ends the turn also when `work` panics.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            if HELD.get().corks == 0 {
                flush();
            }
            HELD.set(Held { running: false, ..HELD.get() });
        }
    }
    let held = HELD.get();
    if held.running {
        return work();
    }
    HELD.set(Held { running: true, ..held });
    let end = End;
    let result = work();
    drop(end);
    result
}

/// Begins a turn that lasts until [`uncork`] was called on this thread as often as this.
pub fn cork() {
    let held = HELD.get();
    HELD.set(Held { corks: held.corks.saturating_add(1), ..held });
}

/// Takes back one [`cork`]; the last one ends the turn. Without one nothing happens.
pub fn uncork() {
    let held = HELD.get();
    if held.corks == 1 && !held.running {
        flush();
    }
    HELD.set(Held { corks: held.corks.saturating_sub(1), ..held });
}

/// Runs `work`, which waits for others, as if this thread were not corked: they may wait for what it has to send.
pub fn uncorked<R>(work: impl FnOnce() -> R) -> R {
    /// Corks again also when `work` panics.
    struct Again(usize);
    impl Drop for Again {
        fn drop(&mut self) {
            let held = HELD.get();
            HELD.set(Held { corks: held.corks.saturating_add(self.0), ..held });
        }
    }
    let held = HELD.get();
    if held.corks > 0 && !held.running {
        flush();
    }
    HELD.set(Held { corks: 0, ..held });
    let _again = Again(held.corks);
    work()
}

/// Whether this thread is in a turn.
pub fn is_active() -> bool {
    let held = HELD.get();
    held.running || held.corks > 0
}

/// Tells the turns that run at the same time apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(usize);

/// The turn that this thread is in.
pub fn current() -> Option<Id> {
    // A thread is in one turn at a time.
    is_active().then(|| Id(number()))
}

/// Has `what` flushed at the end of this thread's turn. Said once per turn: the connection remembers that it is noted.
pub fn note(what: Arc<dyn Flush>) {
    debug_assert!(is_active());
    NOTED.with_borrow_mut(|noted| {
        if noted.origin.is_none_or(Origin::is_inherited) {
            // The parent will flush those that it has noted.
            std::mem::forget(std::mem::take(&mut noted.list));
            noted.origin = Some(Origin::here());
        }
        noted.list.push(what);
    });
}

/// Flushes what is noted. The turn is still active: what is noted meanwhile is flushed too.
fn flush() {
    loop {
        let (mut batch, is_inherited) = NOTED
            .with_borrow_mut(|noted| (std::mem::take(&mut noted.list), noted.origin.is_some_and(Origin::is_inherited)));
        if is_inherited {
            // The parent will flush them.
            std::mem::forget(batch);
            return;
        }
        // What one of them does wrong must not keep the others from being written.
        batch.drain(..).for_each(|what| drop(panics::caught(|| what.flush())));
        // The list is kept for the next turn, unless it was an unusually long one.
        batch.shrink_to(MAX_KEPT);
        let more = NOTED.with_borrow_mut(|noted| {
            // Flushing may close connections, whose end notes others.
            let more = !noted.list.is_empty();
            if !more {
                noted.list = batch;
            }
            more
        });
        if !more {
            return;
        }
    }
}

/// A number that no other thread has, nor had before: one may end without ending its turn.
fn number() -> usize {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    if NUMBER.get() == 0 {
        NUMBER.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
    }
    NUMBER.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl Flush for Counted {
        fn flush(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Counted {
        #[track_caller]
        fn was_flushed(&self, times: usize) {
            assert_eq!(self.0.load(Ordering::Relaxed), times);
        }
    }

    #[test]
    fn what_is_noted_in_nested_turns_is_flushed_once_at_the_outer_end() {
        let counted = Arc::new(Counted::default());
        run(|| {
            run(|| note(counted.clone()));
            counted.was_flushed(0);
        });
        counted.was_flushed(1);
        assert!(!is_active());
    }

    #[test]
    fn a_cork_holds_the_turns_inside_of_it() {
        let counted = Arc::new(Counted::default());
        cork();
        run(|| note(counted.clone()));
        cork();
        uncork();
        counted.was_flushed(0);
        assert!(is_active());
        uncork();
        counted.was_flushed(1);
        assert!(!is_active());
    }

    #[test]
    fn a_cork_may_begin_in_a_turn_and_outlast_it() {
        let counted = Arc::new(Counted::default());
        run(|| {
            note(counted.clone());
            cork();
        });
        counted.was_flushed(0);
        uncork();
        counted.was_flushed(1);
    }

    #[test]
    fn a_turn_goes_on_when_its_thread_is_uncorked() {
        let counted = Arc::new(Counted::default());
        cork();
        run(|| {
            note(counted.clone());
            uncork();
            counted.was_flushed(0);
        });
        counted.was_flushed(1);
    }

    #[test]
    fn a_thread_that_waits_is_not_corked() {
        let counted = Arc::new(Counted::default());
        cork();
        note(counted.clone());
        uncorked(|| {
            counted.was_flushed(1);
            run(|| note(counted.clone()));
            counted.was_flushed(2);
        });
        assert!(is_active());
        uncork();
        assert!(!is_active());
    }

    #[test]
    fn to_uncork_what_is_not_corked_does_nothing() {
        uncork();
        assert!(!is_active());
        cork();
        assert!(is_active());
        uncork();
    }

    #[test]
    fn no_two_threads_have_the_same_turn_ever() {
        let turn = || std::thread::spawn(|| run(current)).join().unwrap();
        assert_ne!(turn(), turn());
    }
}
