//! Bugs: a panic of the library is caught where it costs least, goes to the log, and is never printed.
//!
//! [`caught`] and [`Caught`] are put around what can be given up by itself: an exported call, a connection, a request, a
//! task, a handler. The panic hook of the process belongs to the program. Ours stands before it, notes what happens inside of
//! those and on the library's threads, and leaves all other panics to it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::pin::Pin;
use std::sync::Once;
use std::task::{Context, Poll};
use std::thread;

use pin_project_lite::pin_project;

use super::log;
use crate::error::{Error, ErrorKind, Result};

/// Longest message of a panic in bytes: it may quote what the bug was about.
const MAX_MESSAGE: usize = 512;

thread_local! {
    /// How many [`caught`] this thread is in.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// The thread is the library's.
    static OWN: Cell<bool> = const { Cell::new(false) };
    /// The panic that is on its way to the innermost [`caught`].
    static NOTED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work` and stops a panic of it, which is logged.
///
/// # Errors
/// `Panic`, with the message and where in the source it comes from.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T> {
    if cfg!(shuttle) {
        // In a model it is what was looked for.
        return Ok(work());
    }
    install();
    // A thread that is going away may have lost these already; then a panic is printed, and still caught.
    let _ = DEPTH.try_with(|depth| depth.set(depth.get() + 1));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    let _ = DEPTH.try_with(|depth| depth.set(depth.get() - 1));
    result.map_err(|payload| {
        let noted = NOTED.try_with(RefCell::take).unwrap_or_default();
        // Nothing was noted when the program has set a hook of its own after ours.
        let message = noted.unwrap_or_else(|| bounded(message(&*payload)).to_owned());
        log::error!(Runtime, "a panic was caught: {message}");
        Error::new(ErrorKind::Panic, format!("a bug in the library was caught: {message}"))
    })
}

pin_project! {
    /// A future that ends with an error where the one in it panics.
    pub(crate) struct Caught<F> {
        #[pin]
        inner: F,
    }
}

impl<F: Future> Caught<F> {
    pub(crate) fn new(inner: F) -> Self {
        Self { inner }
    }
}

impl<F: Future> Future for Caught<F> {
    type Output = Result<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match caught(|| self.project().inner.poll(cx)) {
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

/// Says that this thread is the library's: whatever panics on it is not printed.
pub(super) fn own_thread() {
    if !cfg!(shuttle) {
        install();
        OWN.set(true);
    }
}

/// Puts our hook before the program's, once.
fn install() {
    static ONCE: Once = Once::new();
    // The hook cannot be changed by a thread that is panicking, as a program may be when it calls us to clean up.
    if !ONCE.is_completed() && !thread::panicking() {
        ONCE.call_once(|| {
            let previous = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                if !note(info) {
                    previous(info);
                }
            }));
        });
    }
}

/// Notes a panic of ours; `false` when it is none.
fn note(info: &PanicHookInfo<'_>) -> bool {
    let is_caught = DEPTH.try_with(Cell::get).unwrap_or(0) > 0;
    if !is_caught && !OWN.try_with(Cell::get).unwrap_or(false) {
        return false;
    }
    let text = bounded(message(info.payload()));
    let text = info.location().map_or_else(|| text.to_owned(), |location| format!("{text} ({location})"));
    if is_caught {
        // Logged when it is caught: here any lock may be held, those of the log among them.
        let _ = NOTED.try_with(|noted| noted.replace(Some(text)));
    } else {
        log::error!(Runtime, "a thread panicked: {text}");
    }
    true
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_MESSAGE)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_panics_is_an_error_with_its_message_and_its_place() {
        let error = caught(|| -> u32 { panic!("planted {}", 1) }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Panic);
        assert!(error.message().contains("planted 1"), "{error}");
        assert!(error.message().contains("panics.rs:"), "{error}");
        assert_eq!(caught(|| 7), Ok(7));
    }

    #[test]
    fn a_panic_that_was_stopped_further_in_is_not_seen_outside() {
        assert_eq!(caught(|| caught(|| panic!("planted")).is_err()), Ok(true));
        let error = caught(|| panic!("another")).unwrap_err();
        assert!(error.message().contains("another"), "{error}");
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let error = caught(|| panic!("{}", "ü".repeat(MAX_MESSAGE))).unwrap_err();
        assert!(error.message().len() < 2 * MAX_MESSAGE);
    }

    #[tokio::test]
    async fn a_future_ends_where_it_panics() {
        let error = Caught::new(async {
            tokio::task::yield_now().await;
            panic!("planted");
        });
        assert_eq!(error.await.unwrap_err().kind(), ErrorKind::Panic);
        assert_eq!(Caught::new(async { 7 }).await, Ok(7));
    }
}
