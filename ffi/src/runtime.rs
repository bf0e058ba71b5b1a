//! The library's threads.

use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use socketio_core::Result;
use socketio_core::data::Kind;
use socketio_core::runtime::dispatch::{DeliveryMode, turn};
use socketio_core::runtime::thread::{ThreadHook, ThreadHooks};
use socketio_core::runtime::{Runtime, RuntimeConfig, after_fork_child};

use crate::guard::{Caller, invalid};
use crate::handle::{Content, Handle, Object, Owned, give, lend, share};
use crate::status::sio_status;
use crate::text::{sio_destroy_fn, sio_str};

/// No limit, where a time or a number of bytes is wanted.
pub const SIO_FOREVER: u32 = u32::MAX;

/// The library's threads: those that read and write, and those that call back. Servers and managers keep theirs alive.
/// Programs need none of their own: where a function takes a runtime, NULL is the default one.
///
/// Methods: sio_runtime_new, sio_runtime_get_default, sio_runtime_shutdown_wait, sio_runtime_retain,
/// sio_runtime_release.
pub struct sio_runtime {
    _opaque: [u8; 0],
}

/// How a runtime is built.
///
/// Methods: sio_runtime_options_new, sio_runtime_options_set_worker_threads, .._dispatch_threads,
/// .._thread_name_prefix, .._thread_hooks, sio_runtime_options_free.
pub struct sio_runtime_options {
    _opaque: [u8; 0],
}

/// Called on a thread of the library, first or last. It must not call the library, and may not unwind.
///
/// Thread: the one that it is about; several may be at it at once.
pub type sio_thread_fn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// Options with their defaults.
///
/// Ownership: returns owned options.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_runtime_options_new() -> *mut sio_runtime_options {
    guard!(Ok(give(Owned::new(RuntimeConfig::default()))))
}

/// How many threads read and write; 0, the default, is one per processor.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_ARGUMENT for more than 1024.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_runtime_options_set_worker_threads(
    options: *mut sio_runtime_options,
    count: u32,
) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.worker_threads = threads(count)?;
        Ok(())
    })
}

/// How many threads call back; 0, the default, is one, so that no two callbacks run at once. With more of them,
/// callbacks of one socket still keep their order and never overlap.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_ARGUMENT for more than 1024.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_runtime_options_set_dispatch_threads(
    options: *mut sio_runtime_options,
    count: u32,
) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.dispatch_threads = threads(count)?;
        Ok(())
    })
}

/// What the names of the threads begin with: "sio" by default, which makes "sio-io" of those that read and write, and
/// "sio-dispatch-0" and so on of those that call back. Linux keeps 15 bytes of a name: what a longer prefix pushes out at
/// the end is cut off.
///
/// Ownership: borrows `options`, copies `prefix`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_UTF8; SIO_ERR_INVALID_ARGUMENT for a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_runtime_options_set_thread_name_prefix(
    options: *mut sio_runtime_options,
    prefix: sio_str,
) -> sio_status {
    guard!(|caller| {
        let prefix = caller.text(prefix)?;
        if prefix.contains('\0') {
            return Err(invalid("the name of a thread cannot contain NUL"));
        }
        caller.borrow_mut(options)?.thread_name_prefix = (!prefix.is_empty()).then(|| prefix.to_owned());
        Ok(())
    })
}

/// Has `on_start` and `on_stop` called on each thread of the runtime, before all else and after all else: to attach it to a
/// virtual machine, or to set its priority or its processor. Either may be NULL. It concerns threads that read and write,
/// those that call back, and helpers that come and go, for example to resolve a name. All signals are blocked on them, in
/// `on_start` already, but those that report a fault of the thread itself. `on_stop` may still come when
/// sio_runtime_shutdown_wait has returned; it does not come for threads that the end of the process ends.
///
/// Ownership: borrows `options`; takes `user_data` over with `destroy`, which is called when the options and all runtimes
/// that were made of them are gone and the last `on_stop` has returned.
/// Thread: any, one at a time; `destroy` runs on any.
/// Errors: SIO_ERR_INVALID_ARGUMENT when `options` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_runtime_options_set_thread_hooks(
    options: *mut sio_runtime_options,
    on_start: sio_thread_fn,
    on_stop: sio_thread_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
) -> sio_status {
    guard!(|caller| {
        let owner = Arc::new(caller.user_data(user_data, destroy));
        let hook = |function: sio_thread_fn| -> Option<ThreadHook> {
            let callback = caller.optional_callback(function, user_data, None)?;
            let owner = owner.clone();
            Some(Box::new(move || {
                let _ = &owner;
                callback.call();
            }))
        };
        let hooks = ThreadHooks { on_start: hook(on_start), on_stop: hook(on_stop) };
        caller.borrow_mut(options)?.thread_hooks = Arc::new(hooks);
        Ok(())
    })
}

/// Frees the options.
///
/// Ownership: consumes `options`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_runtime_options_free(options: *mut sio_runtime_options) {
    guard!(|caller| caller.free(options))
}

/// A runtime with threads of its own.
///
/// Ownership: borrows `options`, which may be NULL; `out` receives an owned reference.
/// Thread: any.
/// Errors: SIO_ERR_IO when the threads cannot be started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_runtime_new(
    options: *const sio_runtime_options,
    out: *mut *mut sio_runtime,
) -> sio_status {
    guard!(|caller| {
        let out = caller.out(out)?;
        let default = RuntimeConfig::default();
        let config = if options.is_null() { &default } else { &**caller.borrow(options)? };
        out.write(share(Runtime::new(config)?));
        Ok(())
    })
}

/// The process's shared runtime; its threads start with the first call.
///
/// Ownership: returns a borrowed reference, which lives as long as the process.
/// Thread: any.
/// Errors: NULL when the threads cannot be started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_runtime_get_default() -> *mut sio_runtime {
    guard!(Ok(lend(&Runtime::get_default()?)))
}

/// Stops the runtime's threads; what waits to be delivered is delivered first. Close its servers and managers before:
/// what still uses the runtime is dead afterwards.
///
/// Ownership: borrows `runtime`.
/// Thread: any that delivers no callbacks.
/// Errors: SIO_ERR_TIMEOUT when callbacks still run after `timeout_ms`, SIO_ERR_WOULD_DEADLOCK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_runtime_shutdown_wait(runtime: *mut sio_runtime, timeout_ms: u32) -> sio_status {
    guard!(|caller| caller.borrow(runtime)?.shutdown_wait(time(timeout_ms)))
}

/// Tells the library that this process is a child which was forked without fork(), by the system call itself: from now on
/// the handles of its parent answer SIO_ERR_FORKED, and new objects get a new runtime. After fork() the library knows it,
/// and this does nothing.
///
/// Thread: the child's only one, before anything else of the library is called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_after_fork_child() {
    guard!({
        after_fork_child();
        Ok(())
    })
}

/// Corks this thread: what it sends from now on, on any object of the library, is written when it is uncorked, once for each
/// connection. It costs a system call less for each message behind the first. The order stays as it is. Corks nest, also
/// with callbacks, whose messages are written together anyhow: what is sent under several is written with the last sio_uncork.
///
/// What another thread sends on the same connection, and what is written for other reasons, takes along what waits. A function
/// that waits (`_wait`) writes before. A thread that ends corked leaves what it has sent to whoever writes next. A child that
/// was forked from a corked thread is corked too; what the parent has sent is written by the parent alone.
///
/// Thread: any; it concerns the calling thread alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_cork() {
    guard!({
        turn::cork();
        Ok(())
    })
}

/// Takes back one sio_cork of this thread; the last one writes. Without a sio_cork before it does nothing.
///
/// Thread: any; it concerns the calling thread alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_uncork() {
    guard!({
        turn::uncork();
        Ok(())
    })
}

/// One more reference.
///
/// Ownership: borrows `runtime`; returns an owned reference to it.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_runtime_retain(runtime: *mut sio_runtime) -> *mut sio_runtime {
    guard!(|caller| caller.retain(runtime))
}

/// Gives a reference back. The threads end when nothing uses the runtime any more.
///
/// Ownership: consumes `runtime`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_runtime_release(runtime: *mut sio_runtime) {
    guard!(|caller| caller.release(runtime))
}

impl Handle for sio_runtime {
    type Object = Runtime;
}

// SAFETY: `Runtime` is `#[repr(C)]` with its tag in front.
unsafe impl Object for Runtime {
    const KIND: Kind = Runtime::KIND;
}

impl Handle for sio_runtime_options {
    type Object = Owned<RuntimeConfig>;
}

impl Content for RuntimeConfig {
    const KIND: Kind = Kind::new(*b"ropt");
}

impl Caller {
    /// The runtime of an argument: the default one when it is NULL.
    pub(crate) fn runtime(&self, runtime: *const sio_runtime) -> Result<Arc<Runtime>> {
        if runtime.is_null() { Runtime::get_default() } else { self.share(runtime) }
    }

    /// The same for an object whose callbacks run as `mode` says: a queue has a runtime too.
    pub(crate) fn runtime_for(&self, runtime: *const sio_runtime, mode: &DeliveryMode) -> Result<Arc<Runtime>> {
        match mode {
            // That of the parent would be no better than its queue, which will be refused.
            DeliveryMode::Queue(queue) if runtime.is_null() && !queue.is_inherited() => {
                Ok(queue.get().runtime().clone())
            }
            _ => self.runtime(runtime),
        }
    }
}

/// A number of threads; none stands for the default.
fn threads(count: u32) -> Result<Option<NonZeroUsize>> {
    match count as usize {
        0..=RuntimeConfig::MAX_THREADS => Ok(NonZeroUsize::new(count as usize)),
        _ => Err(invalid("a runtime has at most 1024 threads of a kind")),
    }
}

/// A time to wait at most.
pub(crate) fn time(milliseconds: u32) -> Duration {
    if milliseconds == SIO_FOREVER { Duration::MAX } else { Duration::from_millis(milliseconds.into()) }
}

/// A time within which something has to happen; none when it may take for ever.
pub(crate) fn timeout(milliseconds: u32) -> Option<Duration> {
    (milliseconds != 0 && milliseconds != SIO_FOREVER).then(|| time(milliseconds))
}
