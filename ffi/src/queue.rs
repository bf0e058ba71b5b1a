//! Queues: callbacks on a thread of the host, when it asks for them.

use std::collections::VecDeque;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Arc;

use socketio_core::data::{Kind, Tag};
use socketio_core::runtime::dispatch::host::{HostQueue, WakeHandler};
use socketio_core::runtime::sync::Mutex;
use socketio_core::{Error, ErrorKind, Result};

use crate::delivery::{Kept, record, recorded, sio_delivery};
use crate::handle::{Handle, Object, share};
use crate::runtime::sio_runtime;
use crate::status::sio_status;
use crate::text::sio_destroy_fn;

/// Callbacks that wait until the host asks for them: for programs with a loop of their own. Servers and managers use it that
/// were given it in their options; several may share one.
///
/// The host waits for its descriptor, or is told by its wake function, and then calls sio_queue_dispatch, which runs the
/// callbacks; a game may just call that once per frame. What a callback sends is written before sio_queue_dispatch returns.
/// While a host does not dispatch, connections stop reading when their share is full, and go on afterwards.
///
/// Methods: sio_queue_new, sio_queue_fd, sio_queue_dispatch, sio_queue_take, sio_queue_close, sio_queue_retain,
/// sio_queue_release.
pub struct sio_queue {
    _opaque: [u8; 0],
}

/// Tells that a queue which was empty has something, or that a dispatch has left something behind: dispatch soon. It
/// must not block, and must not call the library. Typical are uv_async_send, g_main_context_wakeup, PostMessage.
///
/// Thread: any; also two at once.
pub type sio_wake_fn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// An empty queue, which the threads of `runtime` fill.
///
/// Ownership: borrows `runtime`; NULL is the default one. Takes `user_data` over with `destroy`, which is called when the
/// queue is closed and no `wake` is running any more: what `wake` uses is not to be taken apart before that. `wake` may be NULL; `out` receives an owned reference.
/// Thread: any.
/// Errors: SIO_ERR_IO when the process has no descriptor left.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_queue_new(
    runtime: *mut sio_runtime,
    wake: sio_wake_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    out: *mut *mut sio_queue,
) -> sio_status {
    guard!(|caller| {
        let callback = caller.optional_callback(wake, user_data, destroy);
        let out = caller.out(out)?;
        let wake = callback.map(|callback| -> WakeHandler { Box::new(move || callback.call()) });
        let host = HostQueue::new(&caller.runtime(runtime)?, wake)?;
        out.write(share(Arc::new(Queue { tag: Tag::new(Queue::KIND), host, left: Mutex::default() })));
        Ok(())
    })
}

/// A descriptor for poll, epoll, kqueue, libuv, GLib, asyncio, ...: readable while something waits. The host only polls it:
/// it neither reads nor closes it.
///
/// Ownership: borrows `queue`, whose the descriptor is: it is closed with the last reference.
/// Thread: any.
/// Errors: -1 when `queue` is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_queue_fd(queue: *const sio_queue) -> i32 {
    guard!(|caller| Ok(caller.borrow(queue).map_or(-1, |queue| queue.host.fd())))
}

/// Runs callbacks on this thread: at most `max`, 0 for all that wait now. It does not wait for any. More may wait when it
/// returns: the descriptor is readable then, and the wake function has been called.
///
/// Ownership: borrows `queue`; `count`, which may be NULL, receives how many deliveries it made. One can be several callbacks,
/// or none.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_STATE when another thread is at it, or one of its callbacks calls this, or records that did not fit
/// into the last sio_queue_take wait for the next; SIO_ERR_CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_queue_dispatch(queue: *mut sio_queue, max: usize, count: *mut usize) -> sio_status {
    guard!(|caller| {
        let (queue, count) = (caller.share(queue)?, caller.optional_out(count)?);
        if !queue.left.lock().is_empty() {
            return Err(Error::new(ErrorKind::InvalidState, "records wait for sio_queue_take"));
        }
        let delivered = queue.host.dispatch(max)?;
        if let Some(count) = count {
            count.write(delivered);
        }
        Ok(())
    })
}

/// Closes the queue: callbacks that wait will not be called, and servers and managers that use it have nobody to tell. Close
/// them before. A thread that dispatches just now may still make the call that it has begun with. What waits is given up: acks are not sent, and `user_data` that nobody else needs is
/// destroyed, here or on the thread that dispatches just now.
///
/// Ownership: borrows `queue`.
/// Thread: any, also one of its callbacks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_queue_close(queue: *mut sio_queue) -> sio_status {
    guard!(|caller| {
        caller.share(queue)?.close();
        Ok(())
    })
}

/// One more reference.
///
/// Ownership: borrows `queue`; returns an owned reference to it.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_queue_retain(queue: *mut sio_queue) -> *mut sio_queue {
    guard!(|caller| caller.retain(queue))
}

/// Gives a reference back. The last one closes the queue: nobody could dispatch it any more.
///
/// Ownership: consumes `queue`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_queue_release(queue: *mut sio_queue) {
    guard!(|caller| caller.release(queue))
}

/// What a queue handle points to.
#[repr(C)]
pub(crate) struct Queue {
    tag: Tag,
    host: Arc<HostQueue>,
    /// Records that did not fit: an event may have several listeners.
    left: Mutex<VecDeque<Kept>>,
}

impl Queue {
    const KIND: Kind = Kind::of_process(*b"queu");

    /// The queue itself.
    pub(crate) fn host(&self) -> &Arc<HostQueue> {
        &self.host
    }

    /// Fills `out` from its front; how much of it.
    pub(crate) fn take(&self, out: &mut [MaybeUninit<sio_delivery>]) -> Result<usize> {
        let mut left = std::mem::take(&mut *self.left.lock());
        if left.len() < out.len() {
            let room = out.len() - left.len();
            let (taken, records) = record(|| self.host.dispatch_while(0, || recorded() < room));
            left.extend(records);
            if let Err(error) = taken {
                self.left.lock().extend(left);
                return Err(error);
            }
        }
        let count = left.len().min(out.len());
        for (place, record) in out.iter_mut().zip(left.drain(..count)) {
            place.write(record.into_delivery());
        }
        if !left.is_empty() {
            self.left.lock().extend(left);
            self.host.signal();
        }
        Ok(count)
    }

    fn close(&self) {
        self.host.close();
        let left = std::mem::take(&mut *self.left.lock());
        // Without the lock: this may destroy what is the host's.
        drop(left);
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.close();
    }
}

impl Handle for sio_queue {
    type Object = Queue;
}

// SAFETY: `#[repr(C)]` with its tag in front.
unsafe impl Object for Queue {
    const KIND: Kind = Self::KIND;
}
