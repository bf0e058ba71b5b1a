//! Managers: one connection to a server, for many clients.

use std::ffi::c_void;

use socketio_core::client::{Manager, ManagerConfig, ManagerEvent, ManagerEventKind};
use socketio_core::data::Kind;

use crate::delivery::{Record, is_recording, sio_delivery_kind};
use crate::error::{done, lend_error, sio_done_fn, sio_error};
use crate::event::{sio_listener, unlisten};
use crate::guard::invalid;
use crate::handle::{Handle, Object, share};
use crate::manager_options::sio_manager_options;
use crate::runtime::{sio_runtime, time};
use crate::status::sio_status;
use crate::text::{sio_destroy_fn, sio_str};

/// A connection to a server, which is opened again when it is lost. While it has one, or tries to get one, it lives on
/// without references of the program: close it.
///
/// Methods: sio_manager_new, sio_manager_socket, sio_manager_open, sio_manager_on, sio_manager_off, sio_manager_close,
/// sio_manager_close_wait, sio_manager_retain, sio_manager_release.
pub struct sio_manager {
    _opaque: [u8; 0],
}

/// What can happen to a manager.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sio_manager_event {
    /// A connection was opened.
    SIO_MANAGER_OPEN = 1,
    /// A connection could not be opened; there is an error.
    SIO_MANAGER_ERROR = 2,
    /// The connection is gone; there is the official reason.
    SIO_MANAGER_CLOSE = 3,
    /// A heartbeat of the server arrived.
    SIO_MANAGER_PING = 4,
    /// It tries to connect again; there is the number of the attempt, from 1.
    SIO_MANAGER_RECONNECT_ATTEMPT = 5,
    /// It is connected again; there is the number of attempts.
    SIO_MANAGER_RECONNECT = 6,
    /// An attempt to connect again failed; there is an error.
    SIO_MANAGER_RECONNECT_ERROR = 7,
    /// All attempts failed; it gives up.
    SIO_MANAGER_RECONNECT_FAILED = 8,
}

/// Learns what happens to a manager: a sio_manager_event, and what belongs to it. `attempt` is 0, `reason` without text
/// and `error` NULL where they do not.
///
/// Ownership: `reason` and `error` are borrowed until it returns.
/// Thread: one that delivers callbacks.
pub type sio_manager_fn = Option<
    unsafe extern "C" fn(event: i32, attempt: u32, reason: sio_str, error: *const sio_error, user_data: *mut c_void),
>;

/// A manager for the server at `url`: "http://host:port", with the namespace that clients join by default as its path. It
/// connects with its first client, or by sio_manager_open.
///
/// Ownership: borrows `runtime` and `options`, both of which may be NULL, and `url`; `out` receives an owned reference.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_ARGUMENT for a URL or an option that cannot work, SIO_ERR_UNSUPPORTED for https and wss,
/// SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_new(
    runtime: *mut sio_runtime,
    url: sio_str,
    options: *const sio_manager_options,
    out: *mut *mut sio_manager,
) -> sio_status {
    guard!(|caller| {
        let (url, out) = (caller.text(url)?, caller.out(out)?);
        let config = if options.is_null() { ManagerConfig::default() } else { (**caller.borrow(options)?).clone() };
        out.write(share(Manager::new(&caller.runtime_for(runtime, &config.delivery)?, url, config)?));
        Ok(())
    })
}

/// Opens a connection, if there is none and none is tried for.
///
/// Ownership: borrows `manager`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_open(manager: *mut sio_manager) -> sio_status {
    guard!(|caller| {
        caller.share(manager)?.open();
        Ok(())
    })
}

/// Has `function` called with every event of a kind, a sio_manager_event.
///
/// Ownership: borrows `manager`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_ARGUMENT when there is no such event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_on(
    manager: *mut sio_manager,
    event: i32,
    function: sio_manager_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let callback = caller.callback(function, user_data, destroy)?;
        let manager = caller.borrow(manager)?;
        let kind = kind(event).ok_or_else(|| invalid("there is no such event of a manager"))?;
        let handler = Box::new(move |happened: &ManagerEvent| {
            let (mut attempt, mut reason, mut error) = (0, "", None);
            match happened {
                ManagerEvent::Close(why) => reason = why,
                ManagerEvent::ReconnectAttempt(n) | ManagerEvent::Reconnect(n) => attempt = *n,
                ManagerEvent::Error(why) | ManagerEvent::ReconnectError(why) => error = Some(why),
                _ => {}
            }
            if is_recording() {
                let record = Record::new(sio_delivery_kind::SIO_DELIVERY_KIND_MANAGER);
                let record = if let Some(error) = error { record.with_error(error) } else { record };
                return callback.record(Record { status: event, attempt, text: reason.into(), ..record });
            }
            let text = sio_str::new(reason);
            match error {
                Some(error) => lend_error(error, |error| callback.call(event, attempt, text, error)),
                None => callback.call(event, attempt, text, std::ptr::null()),
            }
        });
        caller.listen(listener, || Ok(manager.on(kind, handler)))
    })
}

/// Takes a listener out. A call that has begun may still be running; the `user_data` is destroyed after it.
///
/// Ownership: borrows `manager`.
/// Thread: any.
/// Errors: SIO_ERR_NOT_FOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_off(manager: *mut sio_manager, listener: sio_listener) -> sio_status {
    guard!(|caller| {
        let manager = caller.borrow(manager)?;
        unlisten(listener, |listener| manager.off(listener))
    })
}

/// Disconnects all clients, closes the connection behind what was sent before, and tries no more to get one. The manager
/// can be opened again.
///
/// Ownership: borrows `manager`; takes `user_data` over with `destroy`. `function`, which may be NULL, is called when
/// nothing is left of the connection.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_close(
    manager: *mut sio_manager,
    function: sio_done_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
) -> sio_status {
    guard!(|caller| {
        let callback = caller.optional_callback(function, user_data, destroy);
        caller.share(manager)?.close(done(callback));
        Ok(())
    })
}

/// Closes the manager and waits until nothing is left of the connection.
/// With a queue, its callbacks run on this thread meanwhile, unless another thread dispatches it.
///
/// Ownership: borrows `manager`.
/// Thread: any that delivers no callbacks.
/// Errors: SIO_ERR_TIMEOUT when that takes longer than `timeout_ms`, SIO_ERR_WOULD_DEADLOCK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_close_wait(manager: *mut sio_manager, timeout_ms: u32) -> sio_status {
    guard!(|caller| caller.share(manager)?.close_wait(time(timeout_ms)))
}

/// One more reference.
///
/// Ownership: borrows `manager`; returns an owned reference to it.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_retain(manager: *mut sio_manager) -> *mut sio_manager {
    guard!(|caller| caller.retain(manager))
}

/// Gives a reference back. The connection goes on: close it first.
///
/// Ownership: consumes `manager`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_release(manager: *mut sio_manager) {
    guard!(|caller| caller.release(manager))
}

impl Handle for sio_manager {
    type Object = Manager;
}

// SAFETY: `Manager` is `#[repr(C)]` with its tag in front.
unsafe impl Object for Manager {
    const KIND: Kind = Manager::KIND;
}

fn kind(event: i32) -> Option<ManagerEventKind> {
    use sio_manager_event as Event;
    [
        (Event::SIO_MANAGER_OPEN, ManagerEventKind::Open),
        (Event::SIO_MANAGER_ERROR, ManagerEventKind::Error),
        (Event::SIO_MANAGER_CLOSE, ManagerEventKind::Close),
        (Event::SIO_MANAGER_PING, ManagerEventKind::Ping),
        (Event::SIO_MANAGER_RECONNECT_ATTEMPT, ManagerEventKind::ReconnectAttempt),
        (Event::SIO_MANAGER_RECONNECT, ManagerEventKind::Reconnect),
        (Event::SIO_MANAGER_RECONNECT_ERROR, ManagerEventKind::ReconnectError),
        (Event::SIO_MANAGER_RECONNECT_FAILED, ManagerEventKind::ReconnectFailed),
    ]
    .into_iter()
    .find_map(|(number, kind)| (number as i32 == event).then_some(kind))
}
