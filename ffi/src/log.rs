//! The library's log. Nothing is written anywhere but to the callback.

use std::ffi::c_void;

use socketio_core::runtime::log::{self, Level};

use crate::delivery::{Record, is_recording, sio_delivery_kind};
use crate::guard::invalid;
use crate::queue::sio_queue;
use crate::status::sio_status;
use crate::text::{sio_destroy_fn, sio_str};

/// How important a line of the log is.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sio_log_level {
    /// Something failed that should not.
    SIO_LOG_ERROR = 1,
    /// Something is odd, and may explain a failure.
    SIO_LOG_WARN = 2,
    /// What an operator wants to know.
    SIO_LOG_INFO = 3,
    /// What a developer of a program wants to know.
    SIO_LOG_DEBUG = 4,
    /// Everything.
    SIO_LOG_TRACE = 5,
}

/// Receives one line: a sio_log_level, the part of the library that wrote it (a target of sio_log_set_filter), and the line,
/// which has at most 2 KiB and no control characters. No line holds the id of an Engine.IO session, which is a secret, nor
/// anything of a handshake's auth, cookies or query. Of more than 4096 lines that wait the rest is dropped; another line says
/// how many.
///
/// Ownership: all are borrowed until it returns.
/// Thread: one that delivers callbacks.
pub type sio_log_fn =
    Option<unsafe extern "C" fn(level: i32, target: sio_str, message: sio_str, user_data: *mut c_void)>;

/// Has `function` called with every line up to `max_level`; it replaces the one set before. NULL turns the log off.
///
/// Ownership: takes `user_data` over with `destroy`.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_ARGUMENT when `max_level` is no sio_log_level.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_log_set(
    max_level: i32,
    function: sio_log_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
) -> sio_status {
    guard!(|caller| {
        let callback = caller.optional_callback(function, user_data, destroy);
        let max_level = match max_level {
            1 => Level::Error,
            2 => Level::Warn,
            3 => Level::Info,
            4 => Level::Debug,
            5 => Level::Trace,
            _ if callback.is_none() => Level::Error,
            _ => return Err(invalid("no such log level")),
        };
        let handler = callback.map(|callback| -> log::LogHandler {
            Box::new(move |level, target, message| {
                if is_recording() {
                    let record = Record::new(sio_delivery_kind::SIO_DELIVERY_KIND_LOG);
                    let (text, message) = (target.into(), message.into());
                    return callback.record(Record { status: level as i32, text, message, ..record });
                }
                callback.call(level as i32, sio_str::new(target), sio_str::new(message));
            })
        });
        log::set(max_level, handler)
    })
}

/// Lets through what `directives` say, of what sio_log_set lets through: directives of the form "target=level", and a level
/// alone for all other targets, separated by commas: "warn,engine=debug,socket=info". A target that no directive is for is
/// off; no directive at all takes the filter away. It may be set before sio_log_set and stays when another function is set.
///
/// Levels are off, error, warn, info, debug and trace. Targets are runtime (threads, and bugs of the library), dispatch
/// (callbacks and queues), http (HTTP connections of a server), engine (Engine.IO connections of a server), socket (sockets
/// of a server), server (servers as a whole) and manager (clients).
///
/// Ownership: borrows `directives`.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_ARGUMENT, whose message names what is no target or no level; the filter stays as it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_log_set_filter(directives: sio_str) -> sio_status {
    guard!(|caller| log::set_filter(caller.text(directives)?))
}

/// Has lines wait in `queue` from now on, where the host dispatches them; NULL: on a thread of the library again, which is
/// how it begins. It may be said before sio_log_set or after.
///
/// Ownership: borrows `queue`. Lines for a queue that was closed are lost.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_log_set_queue(queue: *mut sio_queue) -> sio_status {
    guard!(|caller| {
        let queue = if queue.is_null() { None } else { Some(caller.borrow(queue)?.host()) };
        log::set_queue(queue.map(|queue| &**queue))
    })
}
