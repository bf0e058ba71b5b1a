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
