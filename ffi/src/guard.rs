//! What every exported function passes through.
//!
//! `guard!(|caller| ...)` is the whole body of an exported function. It gives the body a [`Caller`], through
//! which alone raw arguments become Rust values, turns an error into the function's return value and the
//! thread's last error, and stops a panic.

use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::ptr;

use socketio_core::runtime::panics;
use socketio_core::{Error, ErrorKind, Result};

use crate::status::sio_status;
use crate::text::{sio_bytes, sio_str};

/// The body of an exported function: `guard!(|caller| { .. Ok(value) })`.
macro_rules! guard {
    (|$caller:ident| $body:expr) => {{
        let body = |$caller: &$crate::guard::Caller| $body;
        // SAFETY: the function is only exported to C, whose callers keep the conventions of socketio.h:
        // pointers are NULL or valid for the duration of the call.
        unsafe { $crate::guard::run(body) }
    }};
    ($body:expr) => {
        guard!(|_caller| $body)
    };
}

/// The host's promise, for the duration of one call, that its arguments are what the conventions say.
/// What is borrowed through it lives as long as the call.
pub(crate) struct Caller(());

impl Caller {
    /// The text behind `text`.
    pub(crate) fn text(&self, text: sio_str) -> Result<&str> {
        let bytes = self.memory(text.ptr.cast(), text.len)?;
        std::str::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::InvalidUtf8, "the text is not UTF-8"))
    }

    /// The bytes behind `bytes`.
    pub(crate) fn bytes(&self, bytes: sio_bytes) -> Result<&[u8]> {
        self.memory(bytes.ptr, bytes.len)
    }

    /// `n` values that start at `first`, which may be NULL when there are none.
    pub(crate) fn slice<T: Copy>(&self, first: *const T, n: usize) -> Result<&[T]> {
        self.memory(first, n)
    }

    /// The place for a result: NULL is an error.
    #[allow(clippy::mut_from_ref, reason = "the place is the host's, not borrowed from the token")]
    pub(crate) fn out<T>(&self, place: *mut T) -> Result<&mut MaybeUninit<T>> {
        if place.is_null() || !place.is_aligned() {
            return Err(invalid("the place for the result is NULL or misaligned"));
        }
        // SAFETY: not NULL, aligned, and by the conventions writable for the duration of the call.
        Ok(unsafe { &mut *place.cast::<MaybeUninit<T>>() })
    }

    /// The same where the host may not want the result.
    pub(crate) fn optional_out<T>(&self, place: *mut T) -> Result<Option<&mut MaybeUninit<T>>> {
        if place.is_null() { Ok(None) } else { self.out(place).map(Some) }
    }

    /// The places for `n` results that start at `first`, which may be NULL when there are none.
    #[allow(clippy::mut_from_ref, reason = "the places are the host's, not borrowed from the token")]
    pub(crate) fn slice_mut<T>(&self, first: *mut T, n: usize) -> Result<&mut [T]> {
        let len = self.memory(first, n)?.len();
        // SAFETY: `memory` has checked it; by the conventions it is writable too, and nobody else's during the call.
        Ok(if len == 0 { &mut [] } else { unsafe { std::slice::from_raw_parts_mut(first, len) } })
    }

    fn memory<T>(&self, first: *const T, n: usize) -> Result<&[T]> {
        if n == 0 {
            return Ok(&[]);
        }
        let fits = n.checked_mul(size_of::<T>()).is_some_and(|bytes| isize::try_from(bytes).is_ok());
        if first.is_null() || !first.is_aligned() || !fits {
            return Err(invalid("a pointer is NULL or misaligned, or its length is out of range"));
        }
        // SAFETY: not NULL, aligned, no larger than any object can be, and by the conventions readable and
        // unchanged for the duration of the call.
        Ok(unsafe { std::slice::from_raw_parts(first, n) })
    }
}

/// An [`ErrorKind::InvalidArgument`].
pub(crate) fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

/// A value that an exported function can return, and what it returns after a failure.
pub(crate) trait Answer {
    /// What the body gives when it succeeds.
    type Value;
    /// The return value of a call that succeeded.
    fn success(value: Self::Value) -> Self;
    /// The return value of a call that failed.
    fn failure(kind: ErrorKind) -> Self;
}

impl Answer for sio_status {
    type Value = ();

    fn success((): ()) -> Self {
        sio_status::SIO_OK
    }

    fn failure(kind: ErrorKind) -> Self {
        kind.into()
    }
}

/// Types that return themselves, and a neutral value after a failure.
macro_rules! neutral_answer {
    ($([$($generic:ident)?] $type:ty => $neutral:expr;)*) => {$(
        impl$(<$generic>)? Answer for $type {
            type Value = Self;

            fn success(value: Self) -> Self {
                value
            }

            fn failure(_: ErrorKind) -> Self {
                $neutral
            }
        }
    )*};
}

neutral_answer! {
    [] () => ();
    [] bool => false;
    [] i32 => 0;
    [] u32 => 0;
    [] i64 => 0;
    [] u64 => 0;
    [] usize => 0;
    [] f64 => 0.0;
    [T] *const T => ptr::null();
    [T] *mut T => ptr::null_mut();
    [] sio_str => sio_str::EMPTY;
    [] sio_bytes => sio_bytes::EMPTY;
}

/// Runs the body of an exported function.
///
/// # Safety
/// Only for bodies of exported functions: the host keeps the conventions of socketio.h during the call.
pub(crate) unsafe fn run<A: Answer>(body: impl FnOnce(&Caller) -> Result<A::Value>) -> A {
    let caller = Caller(());
    match panics::caught(|| body(&caller)).flatten() {
        Ok(value) => A::success(value),
        Err(error) => {
            set_last_error(error.message());
            A::failure(error.kind())
        }
    }
}

thread_local! {
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The message of the last failure on this thread; it lives until the next one.
pub(crate) fn last_error_message() -> sio_str {
    LAST_ERROR
        .try_with(|last| last.try_borrow().map_or(sio_str::EMPTY, |text| sio_str::new(&text)))
        .unwrap_or(sio_str::EMPTY)
}

fn set_last_error(message: &str) {
    // A thread that is going away has no last error any more.
    let _ = LAST_ERROR.try_with(|last| {
        if let Ok(mut text) = last.try_borrow_mut() {
            text.clear();
            text.push_str(message);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_status_with_its_message_and_the_thread_goes_on() {
        // SAFETY: the bodies use no arguments.
        let status: sio_status = unsafe { run(|_| panic!("planted {}", 1)) };
        assert_eq!(status, sio_status::SIO_ERR_PANIC);
        let message = last_error_message();
        // SAFETY: the message lives until the next failure on this thread.
        let message = unsafe { std::slice::from_raw_parts(message.ptr.cast::<u8>(), message.len) };
        let message = std::str::from_utf8(message).expect("UTF-8");
        assert!(message.contains("planted 1") && message.contains("guard.rs:"), "{message}");
        // SAFETY: as above.
        let number: u32 = unsafe { run(|_| Ok(7)) };
        assert_eq!(number, 7);
    }
}
