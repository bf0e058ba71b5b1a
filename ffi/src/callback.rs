//! Functions of the host: the only place that calls into C.

use std::ffi::c_void;
use std::sync::Arc;

use socketio_core::Result;
use socketio_core::runtime::Origin;

use crate::delivery::{Record, keep};
use crate::guard::{Caller, invalid};
use crate::text::sio_destroy_fn;

/// A function of the host with its `user_data`. Dropping it destroys the `user_data`: whoever keeps the
/// callback where its last call is over when it is dropped keeps the promise of `sio_destroy_fn`.
pub(crate) struct Callback<F> {
    function: F,
    /// Shared with the records of calls that sio_queue_take has handed out instead of making them.
    user_data: Arc<UserData>,
}

/// What a function of the host gets back with each call, and how to free it.
pub(crate) struct UserData {
    pointer: *mut c_void,
    destroy: sio_destroy_fn,
    origin: Origin,
}

// SAFETY: the conventions of socketio.h say that callbacks run on the library's threads, one after the other
// or, where they say so, at once: the host's data is ready for that.
unsafe impl Send for UserData {}
// SAFETY: as above; the library itself reads nothing behind the pointer.
unsafe impl Sync for UserData {}

impl Caller {
    /// Takes over a registration. It comes first in a function, so that the `user_data` is destroyed on
    /// every way out.
    pub(crate) fn callback<F>(
        &self,
        function: Option<F>,
        pointer: *mut c_void,
        destroy: sio_destroy_fn,
    ) -> Result<Callback<F>> {
        self.optional_callback(function, pointer, destroy).ok_or_else(|| invalid("the callback is NULL"))
    }

    /// The same where no function means that nobody wants to be called.
    pub(crate) fn optional_callback<F>(
        &self,
        function: Option<F>,
        pointer: *mut c_void,
        destroy: sio_destroy_fn,
    ) -> Option<Callback<F>> {
        let user_data = Arc::new(self.user_data(pointer, destroy));
        function.map(|function| Callback { function, user_data })
    }

    /// Takes over `user_data` that no function goes with.
    pub(crate) fn user_data(&self, pointer: *mut c_void, destroy: sio_destroy_fn) -> UserData {
        UserData { pointer, destroy, origin: Origin::here() }
    }
}

impl<F> Callback<F> {
    /// Keeps the record of a call, instead of making it.
    pub(crate) fn record(&self, record: Record) {
        keep(record, &self.user_data);
    }
}

impl UserData {
    /// The host's pointer.
    pub(crate) fn pointer(&self) -> *mut c_void {
        self.pointer
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        // A child does not destroy what its parent was given, and destroys there.
        if let Some(destroy) = self.destroy
            && !self.origin.is_inherited()
        {
            // SAFETY: the host gave the function for this pointer, and this is the only call.
            unsafe { destroy(self.pointer) }
        }
    }
}

/// `call` for functions of each number of parameters before `user_data`.
macro_rules! callable {
    ($($name:ident: $type:ident),*) => {
        impl<$($type,)* R> Callback<unsafe extern "C" fn($($type,)* *mut c_void) -> R> {
            /// Calls the function. The arguments are valid until it returns.
            pub(crate) fn call(&self, $($name: $type),*) -> R {
                // SAFETY: the host gave the function with this signature for this `user_data`, which is not
                // destroyed before `self` is dropped; functions of the host do not unwind.
                unsafe { (self.function)($($name,)* self.user_data.pointer) }
            }
        }
    };
}

callable!();
callable!(a: A);
callable!(a: A, b: B);
callable!(a: A, b: B, c: C);
callable!(a: A, b: B, c: C, d: D);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard;
    use std::ptr::{from_ref, null_mut};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// What the host's `user_data` points to.
    #[derive(Default)]
    struct Counts {
        called: AtomicUsize,
        destroyed: AtomicUsize,
    }

    type Function = unsafe extern "C" fn(i32, *mut c_void) -> i32;

    unsafe extern "C" fn function(number: i32, user_data: *mut c_void) -> i32 {
        // SAFETY: every test gives its `Counts`, which outlive the callback.
        let counts = unsafe { &*user_data.cast::<Counts>() };
        assert_eq!(counts.destroyed.load(Ordering::SeqCst), 0);
        counts.called.fetch_add(1, Ordering::SeqCst);
        number + 1
    }

    unsafe extern "C" fn destroy(user_data: *mut c_void) {
        // SAFETY: as above.
        unsafe { &*user_data.cast::<Counts>() }.destroyed.fetch_add(1, Ordering::SeqCst);
    }

    fn register(function: Option<Function>, counts: &Counts) -> Result<Callback<Function>> {
        let mut registered = None;
        let pointer = from_ref(counts).cast_mut().cast();
        // SAFETY: the callback is dropped before `counts`.
        let () = unsafe {
            guard::run(|caller| {
                registered = Some(caller.callback(function, pointer, Some(destroy)));
                Ok(())
            })
        };
        registered.expect("the body ran")
    }

    #[test]
    fn user_data_is_destroyed_once_after_the_last_call() {
        let counts = Counts::default();
        let callback = register(Some(function), &counts).expect("a function");

        assert_eq!(callback.call(1), 2);
        assert_eq!(callback.call(2), 3);
        assert_eq!(counts.destroyed.load(Ordering::SeqCst), 0);
        drop(callback);

        assert_eq!(counts.called.load(Ordering::SeqCst), 2);
        assert_eq!(counts.destroyed.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn user_data_of_a_registration_without_a_function_is_destroyed_at_once() {
        let counts = Counts::default();

        assert!(register(None, &counts).is_err());
        assert_eq!(counts.destroyed.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_callback_is_called_and_dropped_on_other_threads() {
        let counts = Counts::default();
        let callback = Arc::new(register(Some(function), &counts).expect("a function"));

        std::thread::scope(|scope| {
            for _ in 0..3 {
                let callback = callback.clone();
                scope.spawn(move || callback.call(1));
            }
            drop(callback);
        });

        assert_eq!(counts.called.load(Ordering::SeqCst), 3);
        assert_eq!(counts.destroyed.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn user_data_without_destroy_is_left_alone() {
        // SAFETY: no argument is looked at.
        let () = unsafe {
            guard::run(|caller| {
                drop(caller.user_data(null_mut(), None));
                Ok(())
            })
        };
    }
}
