//! Namespaces of a server.

use std::ffi::c_void;

use socketio_core::data::Kind;
use socketio_core::server::Namespace;

use crate::delivery::{Record, is_recording, sio_delivery_kind};
use crate::event::{sio_listener, unlisten};
use crate::handle::{Handle, Object, lend, share};
use crate::payload::sio_payload;
use crate::server::sio_server;
use crate::socket::{on_disconnect, on_event, sio_disconnect_fn, sio_event_fn, sio_socket};
use crate::status::sio_status;
use crate::text::{sio_destroy_fn, sio_str};

/// A namespace of a server: its sockets, its rooms, and the listeners that serve all of its sockets.
///
/// Methods: sio_server_of, sio_socket_get_namespace give one; sio_namespace_name, sio_namespace_socket_count,
/// sio_namespace_find, sio_namespace_use, sio_namespace_on_connection, sio_namespace_on, sio_namespace_on_any,
/// sio_namespace_on_disconnecting, sio_namespace_on_disconnect, sio_namespace_off, sio_namespace_emit,
/// sio_namespace_broadcast, sio_namespace_retain, sio_namespace_release.
pub struct sio_namespace {
    _opaque: [u8; 0],
}

/// Receives a socket that has joined, before any of its events.
///
/// Ownership: `socket` is borrowed until it returns.
/// Thread: one that delivers callbacks.
pub type sio_connection_fn = Option<unsafe extern "C" fn(socket: *mut sio_socket, user_data: *mut c_void)>;

/// The namespace of this name, which clients can join from then on. "/" always exists; a missing slash is added.
///
/// Ownership: borrows `server` and `name`; returns an owned reference.
/// Thread: any.
/// Errors: NULL when the name is longer than 256 bytes, has a comma, or is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_of(server: *mut sio_server, name: sio_str) -> *mut sio_namespace {
    guard!(|caller| Ok(share(caller.borrow(server)?.of(caller.text(name)?)?)))
}

/// The namespace that the socket is in.
///
/// Ownership: borrows `socket`; the namespace is borrowed from it.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_get_namespace(socket: *const sio_socket) -> *mut sio_namespace {
    guard!(|caller| Ok(lend(caller.borrow(socket)?.namespace())))
}

/// Its name, with the slash.
///
/// Ownership: borrows `nsp`; the text lives as long as it.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_namespace_name(nsp: *const sio_namespace) -> sio_str {
    guard!(|caller| Ok(sio_str::new(caller.borrow(nsp)?.name())))
}

/// How many sockets it has.
///
/// Ownership: borrows `nsp`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_namespace_socket_count(nsp: *const sio_namespace) -> usize {
    guard!(|caller| Ok(caller.borrow(nsp)?.socket_count()))
}

/// The socket with this id.
///
/// Ownership: borrows `nsp` and `sid`; returns an owned reference.
/// Thread: any.
/// Errors: NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_namespace_find(nsp: *const sio_namespace, sid: sio_str) -> *mut sio_socket {
    guard!(|caller| Ok(caller.borrow(nsp)?.find(caller.text(sid)?).map_or(std::ptr::null_mut(), share)))
}

/// Has `function` called with each new socket.
///
/// Ownership: borrows `nsp`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_namespace_on_connection(
    nsp: *mut sio_namespace,
    function: sio_connection_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let callback = caller.callback(function, user_data, destroy)?;
        let nsp = caller.borrow(nsp)?;
        caller.listen(listener, || {
            Ok(nsp.on_connection(Box::new(move |socket| {
                if is_recording() {
                    let record = Record::new(sio_delivery_kind::SIO_DELIVERY_KIND_CONNECTION);
                    return callback.record(Record { socket: Some(socket.clone()), ..record });
                }
                callback.call(lend(socket));
            })))
        })
    })
}

/// Has `function` called with every event `event` of every socket.
///
/// Ownership: borrows `nsp` and `event`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives
/// its name.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_ARGUMENT for a reserved event, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_namespace_on(
    nsp: *mut sio_namespace,
    event: sio_str,
    function: sio_event_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let handler = on_event(caller.callback(function, user_data, destroy)?);
        let (nsp, event) = (caller.borrow(nsp)?, caller.text(event)?);
        caller.listen(listener, || nsp.on(event, handler))
    })
}

/// Has `function` called with every event of every socket, before the listeners of single events.
///
/// Ownership: borrows `nsp`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_namespace_on_any(
    nsp: *mut sio_namespace,
    function: sio_event_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let handler = on_event(caller.callback(function, user_data, destroy)?);
        let nsp = caller.borrow(nsp)?;
        caller.listen(listener, || Ok(nsp.on_any(handler)))
    })
}

/// Has `function` called when a socket is about to leave, and is still in its rooms.
///
/// Ownership: borrows `nsp`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_namespace_on_disconnecting(
    nsp: *mut sio_namespace,
    function: sio_disconnect_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let kind = sio_delivery_kind::SIO_DELIVERY_KIND_DISCONNECTING;
        let handler = on_disconnect(kind, caller.callback(function, user_data, destroy)?);
        let nsp = caller.borrow(nsp)?;
        caller.listen(listener, || Ok(nsp.on_disconnecting(handler)))
    })
}

/// Has `function` called when a socket has left.
///
/// Ownership: borrows `nsp`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_namespace_on_disconnect(
    nsp: *mut sio_namespace,
    function: sio_disconnect_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let kind = sio_delivery_kind::SIO_DELIVERY_KIND_DISCONNECT;
        let handler = on_disconnect(kind, caller.callback(function, user_data, destroy)?);
        let nsp = caller.borrow(nsp)?;
        caller.listen(listener, || Ok(nsp.on_disconnect(handler)))
    })
}

/// Takes a listener of this namespace out. A call that has begun may still be running; the `user_data` is destroyed after
/// it.
///
/// Ownership: borrows `nsp`.
/// Thread: any.
/// Errors: SIO_ERR_NOT_FOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_namespace_off(nsp: *mut sio_namespace, listener: sio_listener) -> sio_status {
    guard!(|caller| {
        let nsp = caller.borrow(nsp)?;
        unlisten(listener, |listener| nsp.off(listener))
    })
}

/// Sends an event to every socket. It is encoded once.
///
/// Ownership: borrows `nsp`, `event` and `payload`, which may be NULL.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_ARGUMENT for a reserved event, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_namespace_emit(
    nsp: *mut sio_namespace,
    event: sio_str,
    payload: *const sio_payload,
) -> sio_status {
    guard!(|caller| {
        let (nsp, event) = (caller.share(nsp)?, caller.text(event)?);
        caller.with_payload(payload, |payload| nsp.emit(event, payload))
    })
}

/// One more reference.
///
/// Ownership: borrows `nsp`; returns an owned reference to it.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_namespace_retain(nsp: *mut sio_namespace) -> *mut sio_namespace {
    guard!(|caller| caller.retain(nsp))
}

/// Gives a reference back. The namespace goes on as long as its server.
///
/// Ownership: consumes `nsp`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_namespace_release(nsp: *mut sio_namespace) {
    guard!(|caller| caller.release(nsp))
}

impl Handle for sio_namespace {
    type Object = Namespace;
}

// SAFETY: `Namespace` is `#[repr(C)]` with its tag in front.
unsafe impl Object for Namespace {
    const KIND: Kind = Namespace::KIND;
}
