//! The only unsafe file: a descriptor on the loop of a JavaScript environment, and the call that it makes.
//!
//! All of it happens on the environment's own thread. Threads of the library write to the descriptor and know nothing of Node.

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::{Env, Function, JsValue, Unknown};
use napi::{Error, Result, Status, sys};

/// A `uv_poll_t`, whose size libuv tells.
type Handle = *mut c_void;

const UV_POLL: c_int = 8;
const UV_READABLE: c_int = 1;
/// What libuv's handles are aligned to: they hold pointers and 64-bit numbers.
const HANDLE_ALIGN: usize = 16;

unsafe extern "C" {
    fn uv_handle_size(kind: c_int) -> usize;
    fn uv_handle_get_data(handle: Handle) -> *mut c_void;
    fn uv_handle_set_data(handle: Handle, data: *mut c_void);
    fn uv_poll_init(event_loop: *mut sys::uv_loop_s, handle: Handle, fd: c_int) -> c_int;
    fn uv_poll_start(handle: Handle, events: c_int, callback: unsafe extern "C" fn(Handle, c_int, c_int)) -> c_int;
    fn uv_poll_stop(handle: Handle) -> c_int;
    fn uv_ref(handle: Handle);
    fn uv_unref(handle: Handle);
    fn uv_close(handle: Handle, callback: unsafe extern "C" fn(Handle));
}

/// A descriptor that is watched until the environment ends. It does not keep the process up unless it is [held](Self::hold).
pub(crate) struct Watch(Rc<Watched>);

struct Watched {
    poll: Handle,
    layout: Layout,
    env: sys::napi_env,
    function: sys::napi_ref,
    readable: Box<dyn Fn(&Callback<'_>)>,
    end: Box<dyn Fn()>,
    ended: Cell<bool>,
    /// Removed when the handle is closed: until then the environment waits.
    hook: Cell<sys::napi_async_cleanup_hook_handle>,
}

impl Watch {
    /// Calls `readable` whenever `fd` is, with a way to call `function`; and `end` when the environment ends, after which
    /// nothing is called any more.
    pub(crate) fn new(
        env: &Env,
        fd: i32,
        function: &Function<'_, Unknown<'_>, Unknown<'_>>,
        readable: impl Fn(&Callback<'_>) + 'static,
        end: impl Fn() + 'static,
    ) -> Result<Self> {
        let env = env.raw();
        let mut event_loop = ptr::null_mut();
        let mut reference = ptr::null_mut();
        // SAFETY: `env` and `function` are alive: this runs in a call from JavaScript.
        unsafe {
            checked(sys::napi_get_uv_event_loop(env, &raw mut event_loop), "no event loop")?;
            checked(sys::napi_create_reference(env, function.raw(), 1, &raw mut reference), "no reference")?;
        }
        // SAFETY: a constant of libuv, whose size it knows; never 0.
        let size = unsafe { uv_handle_size(UV_POLL) };
        let layout = Layout::from_size_align(size, HANDLE_ALIGN).map_err(|error| failed(&error.to_string()))?;
        // SAFETY: the layout has a size.
        let poll: Handle = unsafe { alloc::alloc_zeroed(layout) }.cast();
        if poll.is_null() {
            alloc::handle_alloc_error(layout);
        }
        // SAFETY: the handle is memory of the right size, and on the loop's own thread.
        if unsafe { uv_poll_init(event_loop, poll, fd) } != 0 {
            // SAFETY: allocated above; libuv has refused it.
            unsafe { alloc::dealloc(poll.cast(), layout) };
            return Err(failed("the queue's descriptor cannot be polled"));
        }
        let (readable, end) = (Box::new(readable), Box::new(end));
        let (ended, hook) = (Cell::new(false), Cell::new(ptr::null_mut()));
        let watched = Rc::new(Watched { poll, layout, env, function: reference, readable, end, ended, hook });
        let kept = Rc::into_raw(Rc::clone(&watched)).cast_mut().cast();
        // SAFETY: the handle is initialised; what its data points to is kept until `closed`, also for the hook, which runs once.
        unsafe {
            uv_handle_set_data(poll, kept);
            uv_poll_start(poll, UV_READABLE, on_readable);
            uv_unref(poll);
            checked(sys::napi_add_async_cleanup_hook(env, Some(on_end), kept, ptr::null_mut()), "no cleanup hook")?;
        }
        Ok(Self(watched))
    }

    /// Whether the loop is kept running for this descriptor.
    pub(crate) fn hold(&self, held: bool) {
        if self.0.ended.get() {
            return;
        }
        // SAFETY: the handle is alive until the environment ends, and on the loop's own thread.
        unsafe { if held { uv_ref(self.0.poll) } else { uv_unref(self.0.poll) } }
    }
}

/// The function to call, while the descriptor's turn lasts.
pub(crate) struct Callback<'a>(&'a Watched);

impl Callback<'_> {
    /// Begins a call.
    pub(crate) fn begin(&self) -> Call<'_> {
        Call { watched: self.0, buffers: ptr::null_mut(), count: 0 }
    }
}

/// A call in the making: its buffers are there already, its text comes last.
pub(crate) struct Call<'a> {
    watched: &'a Watched,
    /// An array; NULL while there are none.
    buffers: sys::napi_value,
    count: u32,
}

impl Call<'_> {
    /// Adds a Buffer with a copy of `bytes`; its number.
    pub(crate) fn attach(&mut self, bytes: &[u8]) -> u32 {
        let (env, number) = (self.watched.env, self.count);
        let mut buffer = ptr::null_mut();
        // SAFETY: a handle scope is open while the descriptor's turn lasts. Where there is no memory or no JavaScript any
        // more, the element stays undefined.
        unsafe {
            if self.buffers.is_null() {
                sys::napi_create_array(env, &raw mut self.buffers);
            }
            let data = bytes.as_ptr().cast();
            sys::napi_create_buffer_copy(env, bytes.len(), data, ptr::null_mut(), &raw mut buffer);
            sys::napi_set_element(env, self.buffers, number, buffer);
        }
        self.count += 1;
        number
    }

    /// Calls the function with the text and the array of buffers. Microtasks and ticks run before this returns.
    pub(crate) fn make(self, text: &str) {
        let env = self.watched.env;
        let (length, data) = (text.len().cast_signed(), text.as_ptr().cast());
        let (mut function, mut receiver, mut json) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: a handle scope is open while the descriptor's turn lasts. The text is ASCII, which is Latin-1, or UTF-8.
        unsafe {
            sys::napi_get_reference_value(env, self.watched.function, &raw mut function);
            sys::napi_get_undefined(env, &raw mut receiver);
            let made = if text.is_ascii() {
                sys::napi_create_string_latin1(env, data, length, &raw mut json)
            } else {
                sys::napi_create_string_utf8(env, data, length, &raw mut json)
            };
            if made != sys::Status::napi_ok || function.is_null() {
                return;
            }
            let buffers = if self.buffers.is_null() { receiver } else { self.buffers };
            let mut global = ptr::null_mut();
            sys::napi_get_global(env, &raw mut global);
            let arguments = [json, buffers];
            let called = sys::napi_make_callback(
                env,
                ptr::null_mut(),
                global,
                function,
                arguments.len(),
                arguments.as_ptr(),
                ptr::null_mut(),
            );
            if called == sys::Status::napi_pending_exception {
                raise(env);
            }
        }
    }
}

/// Makes what a tick behind the function has thrown an uncaught exception of the process. A worker that is terminated has none.
///
/// # Safety
/// A handle scope is open.
unsafe fn raise(env: sys::napi_env) {
    let mut exception = ptr::null_mut();
    let mut kind = sys::ValueType::napi_undefined;
    // SAFETY: as the caller says; what is not written stays as it is.
    unsafe {
        sys::napi_get_and_clear_last_exception(env, &raw mut exception);
        sys::napi_typeof(env, exception, &raw mut kind);
        if kind != sys::ValueType::napi_undefined && kind != sys::ValueType::napi_null {
            sys::napi_fatal_exception(env, exception);
        }
    }
}

/// The text of a string of `units` UTF-16 code units; lone surrogates become U+FFFD. `into` is where it is put.
pub(crate) fn text<'a>(env: &Env, string: &Unknown<'_>, units: u32, into: &'a mut Vec<u8>) -> Result<&'a str> {
    // A unit takes at most three bytes.
    let capacity = units as usize * 3 + 1;
    into.clear();
    into.reserve(capacity);
    let mut length = 0;
    // SAFETY: there is room for `capacity` bytes, of which `length` are written, the NUL not counted; they are UTF-8.
    unsafe {
        let (env, into) = (env.raw(), into.as_mut_ptr().cast());
        checked(
            sys::napi_get_value_string_utf8(env, string.raw(), into, capacity, &raw mut length),
            "a text is wanted",
        )?;
    }
    // SAFETY: so many bytes were written.
    unsafe { into.set_len(length) };
    // SAFETY: V8 writes UTF-8.
    Ok(unsafe { std::str::from_utf8_unchecked(into) })
}

unsafe extern "C" fn on_readable(poll: Handle, _: c_int, _: c_int) {
    // SAFETY: the data is set before the handle is started, and kept until it is closed.
    let watched = unsafe { &*uv_handle_get_data(poll).cast::<Watched>() };
    let mut scope = ptr::null_mut();
    // SAFETY: libuv calls this on the environment's thread, outside of any scope; the environment has not ended.
    unsafe { sys::napi_open_handle_scope(watched.env, &raw mut scope) };
    (watched.readable)(&Callback(watched));
    // SAFETY: opened above.
    unsafe { sys::napi_close_handle_scope(watched.env, scope) };
}

unsafe extern "C" fn on_end(hook: sys::napi_async_cleanup_hook_handle, data: *mut c_void) {
    // SAFETY: kept until the handle is closed, which begins here.
    let watched = unsafe { &*data.cast::<Watched>() };
    watched.ended.set(true);
    watched.hook.set(hook);
    // SAFETY: the handle is alive, and on the loop's own thread. The descriptor is let go before `end` may close it.
    unsafe { uv_poll_stop(watched.poll) };
    (watched.end)();
    // SAFETY: the handle is closed once, here.
    unsafe { uv_close(watched.poll, on_closed) };
}

unsafe extern "C" fn on_closed(poll: Handle) {
    // SAFETY: it was kept for this handle, which libuv is done with.
    unsafe {
        let watched = Rc::from_raw(uv_handle_get_data(poll).cast::<Watched>().cast_const());
        alloc::dealloc(poll.cast(), watched.layout);
        sys::napi_remove_async_cleanup_hook(watched.hook.get());
    }
}

fn checked(status: sys::napi_status, what: &str) -> Result<()> {
    if status == sys::Status::napi_ok { Ok(()) } else { Err(failed(what)) }
}

fn failed(what: &str) -> Error {
    Error::new(Status::GenericFailure, what)
}
