//! Sockets of a server.

use std::any::Any;
use std::ffi::c_void;

use socketio_core::adapter::Room;
use socketio_core::data::{Kind, text};
use socketio_core::server::{DisconnectHandler, EventHandler, Socket};

use crate::ack::{answer, sio_ack_fn};
use crate::callback::{Callback, UserData};
use crate::delivery::{Record, is_recording, sio_delivery_kind};
use crate::error::sio_error;
use crate::event::{sio_event, sio_listener, unlisten};
use crate::guard::invalid;
use crate::handle::{Handle, Object, lend, lend_mut, lend_ref};
use crate::handshake::sio_handshake;
use crate::payload::sio_payload;
use crate::runtime::timeout;
use crate::status::sio_status;
use crate::text::{sio_destroy_fn, sio_str};

/// A client in a namespace of a server. The same socket is always the same pointer.
///
/// Methods: sio_socket_id, sio_socket_connected, sio_socket_get_handshake, sio_socket_transport,
/// sio_socket_get_namespace, sio_socket_on, sio_socket_once, sio_socket_on_any, sio_socket_on_disconnecting,
/// sio_socket_on_disconnect, sio_socket_off, sio_socket_emit, sio_socket_emit_flags, sio_socket_emit_with_ack,
/// sio_socket_broadcast, sio_socket_join, sio_socket_leave, sio_socket_in_room, sio_socket_rooms,
/// sio_socket_disconnect, sio_socket_buffered_bytes, sio_socket_set_data, sio_socket_data, sio_socket_retain,
/// sio_socket_release.
pub struct sio_socket {
    _opaque: [u8; 0],
}

/// How an event is sent. Values are added to a mask where several are meant.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sio_emit {
    /// The event is dropped when it cannot be sent at once.
    SIO_EMIT_VOLATILE = 1,
}

/// Receives an event of a socket.
///
/// Ownership: `socket` and `event` are borrowed until it returns.
/// Thread: one that delivers callbacks; events of one socket come one after the other, in order.
pub type sio_event_fn =
    Option<unsafe extern "C" fn(socket: *mut sio_socket, event: *mut sio_event, user_data: *mut c_void)>;

/// Learns that a socket is disconnected, and the official reason: "transport close" for instance.
///
/// Ownership: `socket` and `reason` are borrowed until it returns, as is `error`, which is NULL when there is no more to
/// say.
/// Thread: one that delivers callbacks; it comes after all events of the socket.
pub type sio_disconnect_fn = Option<
    unsafe extern "C" fn(socket: *mut sio_socket, reason: sio_str, error: *const sio_error, user_data: *mut c_void),
>;

/// Receives one room.
///
/// Ownership: `room` is borrowed until it returns.
/// Thread: that of the call which it was given to.
pub type sio_rooms_fn = Option<unsafe extern "C" fn(room: sio_str, user_data: *mut c_void)>;

/// Its id, 20 characters; also the name of a room that only it is in.
///
/// Ownership: borrows `socket`; the text lives as long as it.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_id(socket: *const sio_socket) -> sio_str {
    guard!(|caller| Ok(sio_str::new(caller.borrow(socket)?.id())))
}

/// Whether it is in its namespace: not before all middlewares have let it in, nor after it has left.
///
/// Ownership: borrows `socket`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_connected(socket: *const sio_socket) -> bool {
    guard!(|caller| Ok(caller.borrow(socket)?.connected()))
}

/// How it came to be.
///
/// Ownership: borrows `socket`; the handshake is borrowed from it.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_get_handshake(socket: *const sio_socket) -> *const sio_handshake {
    guard!(|caller| Ok(lend_ref(caller.borrow(socket)?.handshake())))
}

/// The transport in use: "polling" or "websocket".
///
/// Ownership: borrows `socket`; returns a constant.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_transport(socket: *const sio_socket) -> sio_str {
    guard!(|caller| Ok(sio_str::new(caller.borrow(socket)?.transport().as_str())))
}

/// Has `function` called with every event `event` of this socket, after the listeners of its namespace.
///
/// Ownership: borrows `socket` and `event`; takes `user_data` over with `destroy`; `listener`, which may be NULL,
/// receives its name.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_ARGUMENT for a reserved event, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_on(
    socket: *mut sio_socket,
    event: sio_str,
    function: sio_event_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let handler = on_event(caller.callback(function, user_data, destroy)?);
        let (socket, event) = (caller.borrow(socket)?, caller.text(event)?);
        caller.listen(listener, || socket.on(event, handler))
    })
}

/// Has `function` called with the next event `event` only.
///
/// Ownership: borrows `socket` and `event`; takes `user_data` over with `destroy`; `listener`, which may be NULL,
/// receives its name.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_ARGUMENT for a reserved event, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_once(
    socket: *mut sio_socket,
    event: sio_str,
    function: sio_event_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let handler = on_event(caller.callback(function, user_data, destroy)?);
        let (socket, event) = (caller.borrow(socket)?, caller.text(event)?);
        caller.listen(listener, || socket.once(event, handler))
    })
}

/// Has `function` called with every event of this socket, before the listeners of single events.
///
/// Ownership: borrows `socket`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_on_any(
    socket: *mut sio_socket,
    function: sio_event_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let handler = on_event(caller.callback(function, user_data, destroy)?);
        let socket = caller.borrow(socket)?;
        caller.listen(listener, || Ok(socket.on_any(handler)))
    })
}

/// Has `function` called when the socket is about to leave, and is still in its rooms.
///
/// Ownership: borrows `socket`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_on_disconnecting(
    socket: *mut sio_socket,
    function: sio_disconnect_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let kind = sio_delivery_kind::SIO_DELIVERY_KIND_DISCONNECTING;
        let handler = on_disconnect(kind, caller.callback(function, user_data, destroy)?);
        let socket = caller.borrow(socket)?;
        caller.listen(listener, || Ok(socket.on_disconnecting(handler)))
    })
}

/// Has `function` called when the socket has left.
///
/// Ownership: borrows `socket`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_on_disconnect(
    socket: *mut sio_socket,
    function: sio_disconnect_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let kind = sio_delivery_kind::SIO_DELIVERY_KIND_DISCONNECT;
        let handler = on_disconnect(kind, caller.callback(function, user_data, destroy)?);
        let socket = caller.borrow(socket)?;
        caller.listen(listener, || Ok(socket.on_disconnect(handler)))
    })
}

/// Takes a listener of this socket out. A call that has begun may still be running; the `user_data` is destroyed after it.
///
/// Ownership: borrows `socket`.
/// Thread: any.
/// Errors: SIO_ERR_NOT_FOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_off(socket: *mut sio_socket, listener: sio_listener) -> sio_status {
    guard!(|caller| {
        let socket = caller.borrow(socket)?;
        unlisten(listener, |listener| socket.off(listener))
    })
}

/// Sends an event to the client.
///
/// Ownership: borrows `socket`, `event` and `payload`, which may be NULL.
/// Thread: any.
/// Errors: SIO_ERR_CLOSED, SIO_ERR_BACKPRESSURE when too much waits to be sent, SIO_ERR_INVALID_ARGUMENT for a reserved
/// event, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_emit(
    socket: *mut sio_socket,
    event: sio_str,
    payload: *const sio_payload,
) -> sio_status {
    guard!(|caller| {
        let (socket, event) = (caller.borrow(socket)?, caller.text(event)?);
        caller.with_payload(payload, |payload| socket.emit(event, payload))
    })
}

/// Sends an event to the client in the way that `flags`, a mask of sio_emit, say.
///
/// Ownership: borrows `socket`, `event` and `payload`, which may be NULL.
/// Thread: any.
/// Errors: as of sio_socket_emit; SIO_ERR_INVALID_ARGUMENT when there is another bit in `flags`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_emit_flags(
    socket: *mut sio_socket,
    event: sio_str,
    payload: *const sio_payload,
    flags: u32,
) -> sio_status {
    guard!(|caller| {
        let (socket, event) = (caller.borrow(socket)?, caller.text(event)?);
        let volatile = is_volatile(flags)?;
        caller.with_payload(payload, |payload| {
            if volatile { socket.emit_volatile(event, payload) } else { socket.emit(event, payload) }
        })
    })
}

/// Sends an event that the client answers. `function` is called once: with the answer, or after `timeout_ms` with
/// SIO_ERR_TIMEOUT (0 and SIO_FOREVER wait as long as the socket lives), or with SIO_ERR_CLOSED.
///
/// Ownership: borrows `socket`, `event` and `payload`, which may be NULL; takes `user_data` over with `destroy`.
/// Thread: any.
/// Errors: as of sio_socket_emit; `function` is not called then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_emit_with_ack(
    socket: *mut sio_socket,
    event: sio_str,
    payload: *const sio_payload,
    timeout_ms: u32,
    function: sio_ack_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
) -> sio_status {
    guard!(|caller| {
        let handler = answer(caller.callback(function, user_data, destroy)?);
        let (socket, event) = (caller.borrow(socket)?, caller.text(event)?);
        caller.with_payload(payload, |payload| socket.emit_with_ack(event, payload, timeout(timeout_ms), handler))
    })
}

/// Puts the socket into a room.
///
/// Ownership: borrows `socket`, copies `room`.
/// Thread: any.
/// Errors: SIO_ERR_CLOSED, SIO_ERR_TOO_LARGE for a name of more than 1,024 bytes, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_join(socket: *mut sio_socket, room: sio_str) -> sio_status {
    guard!(|caller| caller.borrow(socket)?.join(caller.text(room)?))
}

/// Takes the socket out of a room, if it is in it.
///
/// Ownership: borrows `socket` and `room`.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_leave(socket: *mut sio_socket, room: sio_str) -> sio_status {
    guard!(|caller| {
        caller.borrow(socket)?.leave(caller.text(room)?);
        Ok(())
    })
}

/// Whether the socket is in a room.
///
/// Ownership: borrows `socket` and `room`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_in_room(socket: *const sio_socket, room: sio_str) -> bool {
    guard!(|caller| Ok(caller.borrow(socket)?.in_room(caller.text(room)?)))
}

/// Calls `function`, which may be NULL, with each room that the socket is in; the one of its own id is one of them.
/// Returns how many there are.
///
/// Ownership: borrows `socket`; `user_data` stays with the caller.
/// Thread: any; `function` is called on it before this returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_rooms(
    socket: *const sio_socket,
    function: sio_rooms_fn,
    user_data: *mut c_void,
) -> usize {
    guard!(|caller| {
        let rooms = caller.borrow(socket)?.rooms();
        if let Some(callback) = caller.optional_callback(function, user_data, None) {
            for room in &rooms {
                callback.call(sio_str::new(room));
            }
        }
        Ok(rooms.len())
    })
}

/// Disconnects the client from this namespace; with `close` from all of them, and closes the connection. What was sent
/// before still goes out. A socket that is not connected, or not yet, is left as it is.
///
/// Ownership: borrows `socket`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_disconnect(socket: *mut sio_socket, close: bool) -> sio_status {
    guard!(|caller| {
        caller.borrow(socket)?.disconnect(close);
        Ok(())
    })
}

/// Bytes that wait to be sent on its connection.
///
/// Ownership: borrows `socket`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_buffered_bytes(socket: *const sio_socket) -> u64 {
    guard!(|caller| Ok(caller.borrow(socket)?.buffered_bytes() as u64))
}

/// Keeps a pointer with the socket, instead of the one before, which is destroyed. NULL without `destroy` keeps none.
///
/// Ownership: borrows `socket`; takes `data` over with `destroy`, which is called when the last reference to the socket is
/// gone, on whatever thread that happens.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_set_data(
    socket: *mut sio_socket,
    data: *mut c_void,
    destroy: sio_destroy_fn,
) -> sio_status {
    guard!(|caller| {
        let data = caller.user_data(data, destroy);
        // The one before is destroyed here, with no lock held.
        drop(caller.borrow(socket)?.set_data(Some(Box::new(data))));
        Ok(())
    })
}

/// The pointer that is kept with the socket; NULL when there is none.
///
/// Ownership: borrows `socket`; the pointer stays with it.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_data(socket: *const sio_socket) -> *mut c_void {
    guard!(|caller| {
        let pointer = |data: Option<&mut (dyn Any + Send)>| Some(data?.downcast_ref::<UserData>()?.pointer());
        Ok(caller.borrow(socket)?.with_data(pointer).unwrap_or(std::ptr::null_mut()))
    })
}

/// One more reference.
///
/// Ownership: borrows `socket`; returns an owned reference to it.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_retain(socket: *mut sio_socket) -> *mut sio_socket {
    guard!(|caller| caller.retain(socket))
}

/// Gives a reference back.
///
/// Ownership: consumes `socket`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_release(socket: *mut sio_socket) {
    guard!(|caller| caller.release(socket))
}

impl Handle for sio_socket {
    type Object = Socket;
}

// SAFETY: `Socket` is `#[repr(C)]` with its tag in front.
unsafe impl Object for Socket {
    const KIND: Kind = Socket::KIND;
}

/// A listener for events that calls into C.
pub(crate) fn on_event(
    callback: Callback<unsafe extern "C" fn(*mut sio_socket, *mut sio_event, *mut c_void)>,
) -> Box<EventHandler> {
    Box::new(move |socket, event| {
        if is_recording() {
            let record = Record::new(sio_delivery_kind::SIO_DELIVERY_KIND_EVENT);
            return callback.record(Record { socket: Some(socket.clone()), event: Some(event.split_off()), ..record });
        }
        callback.call(lend(socket), lend_mut(event));
    })
}

/// A listener for the end of a socket that calls into C.
pub(crate) fn on_disconnect(
    kind: sio_delivery_kind,
    callback: Callback<unsafe extern "C" fn(*mut sio_socket, sio_str, *const sio_error, *mut c_void)>,
) -> Box<DisconnectHandler> {
    Box::new(move |socket, reason| {
        if is_recording() {
            let rooms = match kind {
                sio_delivery_kind::SIO_DELIVERY_KIND_DISCONNECTING => json_of(&socket.rooms()),
                _ => String::new(),
            };
            let record = Record { message: rooms, ..Record::new(kind) };
            return callback.record(Record { socket: Some(socket.clone()), text: reason.into(), ..record });
        }
        callback.call(lend(socket), sio_str::new(reason), std::ptr::null());
    })
}

/// Names of rooms as a JSON array.
fn json_of(rooms: &[Room]) -> String {
    let mut json = Vec::from(b"[");
    for room in rooms {
        if json.len() > 1 {
            json.push(b',');
        }
        text::write_string(&mut json, room);
    }
    json.push(b']');
    String::from_utf8(json).unwrap_or_default()
}

/// Whether a mask of sio_emit says volatile, the only bit there is.
pub(crate) fn is_volatile(flags: u32) -> socketio_core::Result<bool> {
    match flags {
        0 => Ok(false),
        flags if flags == sio_emit::SIO_EMIT_VOLATILE as u32 => Ok(true),
        _ => Err(invalid("no such flag")),
    }
}
