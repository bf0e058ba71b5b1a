//! Clients: the calling side of a namespace.

use std::ffi::c_void;

use socketio_core::client::{EventHandler, Socket, SocketConfig};
use socketio_core::data::Kind;
use socketio_core::proto::engine::packet::Transport;
use socketio_core::{Error, ErrorKind};

use crate::ack::{answer, sio_ack_fn};
use crate::callback::Callback;
use crate::delivery::{Record, is_recording, sio_delivery_kind};
use crate::error::{lend_error, sio_error};
use crate::event::{sio_event, sio_listener, unlisten};
use crate::handle::{Handle, Object, Owned, give, lend, lend_mut, share};
use crate::manager::sio_manager;
use crate::manager_options::sio_client_options;
use crate::payload::sio_payload;
use crate::runtime::timeout;
use crate::socket::is_volatile;
use crate::status::sio_status;
use crate::text::{sio_destroy_fn, sio_str, sio_string};

/// The client's end of a namespace. What is emitted while it is not connected waits until it is. While it is active it
/// lives on without references of the program.
///
/// Methods: sio_manager_socket gives one; sio_client_get_manager, sio_client_namespace, sio_client_id,
/// sio_client_connected, sio_client_active, sio_client_connect, sio_client_disconnect, sio_client_set_auth_json,
/// sio_client_on_auth, sio_client_on, sio_client_once, sio_client_on_any, sio_client_on_connect,
/// sio_client_on_connect_error, sio_client_on_disconnect, sio_client_off, sio_client_emit, sio_client_emit_flags, sio_client_emit_with_ack,
/// sio_client_transport, sio_client_buffered_bytes, sio_client_retain,
/// sio_client_release.
pub struct sio_client {
    _opaque: [u8; 0],
}

/// Receives an event of a client.
///
/// Ownership: `client` and `event` are borrowed until it returns.
/// Thread: one that delivers callbacks; events of one client come one after the other, in order.
pub type sio_client_event_fn =
    Option<unsafe extern "C" fn(client: *mut sio_client, event: *mut sio_event, user_data: *mut c_void)>;

/// Learns that a client is connected.
///
/// Ownership: `client` is borrowed until it returns.
/// Thread: one that delivers callbacks.
pub type sio_client_connect_fn = Option<unsafe extern "C" fn(client: *mut sio_client, user_data: *mut c_void)>;

/// Learns that a client could not be connected: the server refused it (SIO_ERR_REJECTED, with its message and data), or
/// there was no connection.
///
/// Ownership: `client` and `error` are borrowed until it returns.
/// Thread: one that delivers callbacks.
pub type sio_client_error_fn =
    Option<unsafe extern "C" fn(client: *mut sio_client, error: *const sio_error, user_data: *mut c_void)>;

/// Learns that a client is not connected any more, and the official reason: "transport close" for instance.
///
/// Ownership: `client` and `reason` are borrowed until it returns, as is `error`, which is NULL when there is no more to
/// say.
/// Thread: one that delivers callbacks.
pub type sio_client_disconnect_fn = Option<
    unsafe extern "C" fn(client: *mut sio_client, reason: sio_str, error: *const sio_error, user_data: *mut c_void),
>;

/// The client of a namespace: always the same while it lives. The empty name is the namespace of the manager's URL; a
/// missing slash is added. It connects at once, unless the option `autoConnect` is off.
///
/// Ownership: borrows `manager`, `nsp` and `options`, which may be NULL; returns an owned reference.
/// Thread: any.
/// Errors: NULL when the name is too long or not UTF-8, or there are too many namespaces.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_socket(
    manager: *mut sio_manager,
    nsp: sio_str,
    options: *const sio_client_options,
) -> *mut sio_client {
    guard!(|caller| {
        let (manager, nsp) = (caller.share(manager)?, caller.text(nsp)?);
        let config = if options.is_null() { SocketConfig::default() } else { (**caller.borrow(options)?).clone() };
        Ok(share(manager.socket(nsp, config)?))
    })
}

/// Its manager.
///
/// Ownership: borrows `client`; the manager is borrowed from it.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_get_manager(client: *const sio_client) -> *mut sio_manager {
    guard!(|caller| Ok(lend(caller.borrow(client)?.manager())))
}

/// The name of its namespace, with the slash.
///
/// Ownership: borrows `client`; the text lives as long as it.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_namespace(client: *const sio_client) -> sio_str {
    guard!(|caller| Ok(sio_str::new(caller.borrow(client)?.namespace())))
}

/// The id that the server has given it for as long as it is connected.
///
/// Ownership: borrows `client`; `out` receives an owned text, to be freed with sio_string_free.
/// Thread: any.
/// Errors: SIO_ERR_NOT_CONNECTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_id(client: *const sio_client, out: *mut *mut sio_string) -> sio_status {
    guard!(|caller| {
        let (client, out) = (caller.borrow(client)?, caller.out(out)?);
        let id = client.id().ok_or_else(|| Error::new(ErrorKind::NotConnected, "it is not connected"))?;
        out.write(give(Owned::new(id)));
        Ok(())
    })
}

/// Whether the server has let it in and the connection stands, as far as known.
///
/// Ownership: borrows `client`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_connected(client: *const sio_client) -> bool {
    guard!(|caller| Ok(caller.borrow(client)?.connected()))
}

/// Whether it is connected, or will be as soon as that is possible. It is not after a refusal, nor after either side has
/// disconnected it.
///
/// Ownership: borrows `client`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_active(client: *const sio_client) -> bool {
    guard!(|caller| Ok(caller.borrow(client)?.active()))
}

/// Has it connected, now and after each loss of the connection. Nothing happens when it is active already.
///
/// Ownership: borrows `client`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_connect(client: *mut sio_client) -> sio_status {
    guard!(|caller| {
        caller.share(client)?.connect();
        Ok(())
    })
}

/// Disconnects it. What was sent before still goes out; the connection is closed with the manager's last active client.
///
/// Ownership: borrows `client`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_disconnect(client: *mut sio_client) -> sio_status {
    guard!(|caller| {
        caller.borrow(client)?.disconnect();
        Ok(())
    })
}

/// Has `function` called with every event `event`.
///
/// Ownership: borrows `client` and `event`; takes `user_data` over with `destroy`; `listener`, which may be NULL,
/// receives its name.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_ARGUMENT for a reserved event, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_on(
    client: *mut sio_client,
    event: sio_str,
    function: sio_client_event_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let handler = on_event(caller.callback(function, user_data, destroy)?);
        let (client, event) = (caller.borrow(client)?, caller.text(event)?);
        caller.listen(listener, || client.on(event, handler))
    })
}

/// Has `function` called with the next event `event` only.
///
/// Ownership: borrows `client` and `event`; takes `user_data` over with `destroy`; `listener`, which may be NULL,
/// receives its name.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_ARGUMENT for a reserved event, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_once(
    client: *mut sio_client,
    event: sio_str,
    function: sio_client_event_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let handler = on_event(caller.callback(function, user_data, destroy)?);
        let (client, event) = (caller.borrow(client)?, caller.text(event)?);
        caller.listen(listener, || client.once(event, handler))
    })
}

/// Has `function` called with every event, before the listeners of single events.
///
/// Ownership: borrows `client`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_on_any(
    client: *mut sio_client,
    function: sio_client_event_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let handler = on_event(caller.callback(function, user_data, destroy)?);
        let client = caller.borrow(client)?;
        caller.listen(listener, || Ok(client.on_any(handler)))
    })
}

/// Has `function` called when the client is connected, also after each loss of the connection.
///
/// Ownership: borrows `client`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_on_connect(
    client: *mut sio_client,
    function: sio_client_connect_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let callback = caller.callback(function, user_data, destroy)?;
        let client = caller.borrow(client)?;
        caller.listen(listener, || {
            Ok(client.on_connect(Box::new(move |client| {
                if is_recording() {
                    let record = Record::new(sio_delivery_kind::SIO_DELIVERY_KIND_CLIENT_CONNECT);
                    return callback.record(Record { client: Some(client.clone()), ..record });
                }
                callback.call(lend(client));
            })))
        })
    })
}

/// Has `function` called when the client could not be connected.
///
/// Ownership: borrows `client`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_on_connect_error(
    client: *mut sio_client,
    function: sio_client_error_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let callback = caller.callback(function, user_data, destroy)?;
        let client = caller.borrow(client)?;
        caller.listen(listener, || {
            Ok(client.on_connect_error(Box::new(move |client, error| {
                if is_recording() {
                    let record = Record::new(sio_delivery_kind::SIO_DELIVERY_KIND_CLIENT_CONNECT_ERROR);
                    return callback.record(Record { client: Some(client.clone()), ..record.with_error(error) });
                }
                lend_error(error, |error| callback.call(lend(client), error));
            })))
        })
    })
}

/// Has `function` called when the client is not connected any more.
///
/// Ownership: borrows `client`; takes `user_data` over with `destroy`; `listener`, which may be NULL, receives its name.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_on_disconnect(
    client: *mut sio_client,
    function: sio_client_disconnect_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
    listener: *mut sio_listener,
) -> sio_status {
    guard!(|caller| {
        let callback = caller.callback(function, user_data, destroy)?;
        let client = caller.borrow(client)?;
        caller.listen(listener, || {
            Ok(client.on_disconnect(Box::new(move |client, reason| {
                if is_recording() {
                    let record = Record::new(sio_delivery_kind::SIO_DELIVERY_KIND_CLIENT_DISCONNECT);
                    return callback.record(Record { client: Some(client.clone()), text: reason.into(), ..record });
                }
                callback.call(lend(client), sio_str::new(reason), std::ptr::null());
            })))
        })
    })
}

/// Takes a listener out. A call that has begun may still be running; the `user_data` is destroyed after it.
///
/// Ownership: borrows `client`.
/// Thread: any.
/// Errors: SIO_ERR_NOT_FOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_off(client: *mut sio_client, listener: sio_listener) -> sio_status {
    guard!(|caller| {
        let client = caller.borrow(client)?;
        unlisten(listener, |listener| client.off(listener))
    })
}

/// Sends an event, or keeps it until the client is connected.
///
/// Ownership: borrows `client`, `event` and `payload`, which may be NULL.
/// Thread: any.
/// Errors: SIO_ERR_BACKPRESSURE when too much waits to be sent, SIO_ERR_INVALID_ARGUMENT for a reserved event,
/// SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_emit(
    client: *mut sio_client,
    event: sio_str,
    payload: *const sio_payload,
) -> sio_status {
    guard!(|caller| {
        let (client, event) = (caller.borrow(client)?, caller.text(event)?);
        caller.with_payload(payload, |payload| client.emit(event, payload))
    })
}

/// Sends an event in the way that `flags`, a mask of sio_emit, say.
///
/// Ownership: borrows `client`, `event` and `payload`, which may be NULL.
/// Thread: any.
/// Errors: as of sio_client_emit; SIO_ERR_INVALID_ARGUMENT when there is another bit in `flags`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_emit_flags(
    client: *mut sio_client,
    event: sio_str,
    payload: *const sio_payload,
    flags: u32,
) -> sio_status {
    guard!(|caller| {
        let (client, event) = (caller.borrow(client)?, caller.text(event)?);
        let volatile = is_volatile(flags)?;
        caller.with_payload(payload, |payload| {
            if volatile { client.emit_volatile(event, payload) } else { client.emit(event, payload) }
        })
    })
}

/// Sends an event that the server answers, or keeps it until the client is connected. `function` is called once: with the
/// answer, or after `timeout_ms` with SIO_ERR_TIMEOUT (0 and SIO_FOREVER wait as long as it takes), or with SIO_ERR_CLOSED.
///
/// Ownership: borrows `client`, `event` and `payload`, which may be NULL; takes `user_data` over with `destroy`.
/// Thread: any.
/// Errors: as of sio_client_emit; `function` is not called then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_emit_with_ack(
    client: *mut sio_client,
    event: sio_str,
    payload: *const sio_payload,
    timeout_ms: u32,
    function: sio_ack_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
) -> sio_status {
    guard!(|caller| {
        let handler = answer(caller.callback(function, user_data, destroy)?);
        let (client, event) = (caller.borrow(client)?, caller.text(event)?);
        caller.with_payload(payload, |payload| client.emit_with_ack(event, payload, timeout(timeout_ms), handler))
    })
}

/// The transport that its manager's connection uses: "polling" or "websocket".
///
/// Ownership: borrows `client`; returns a constant.
/// Thread: any.
/// Errors: no text when there is no connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_transport(client: *const sio_client) -> sio_str {
    guard!(|caller| Ok(sio_str::new(caller.borrow(client)?.transport().map_or("", Transport::as_str))))
}

/// Bytes that wait to be sent on its manager's connection.
///
/// Ownership: borrows `client`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_buffered_bytes(client: *const sio_client) -> u64 {
    guard!(|caller| Ok(caller.borrow(client)?.buffered_bytes() as u64))
}

/// One more reference.
///
/// Ownership: borrows `client`; returns an owned reference to it.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_retain(client: *mut sio_client) -> *mut sio_client {
    guard!(|caller| caller.retain(client))
}

/// Gives a reference back. A client that is active goes on: disconnect it first.
///
/// Ownership: consumes `client`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_release(client: *mut sio_client) {
    guard!(|caller| caller.release(client))
}

impl Handle for sio_client {
    type Object = Socket;
}

// SAFETY: `Socket` is `#[repr(C)]` with its tag in front.
unsafe impl Object for Socket {
    const KIND: Kind = Socket::KIND;
}

fn on_event(
    callback: Callback<unsafe extern "C" fn(*mut sio_client, *mut sio_event, *mut c_void)>,
) -> Box<EventHandler> {
    Box::new(move |client, event| {
        if is_recording() {
            let record = Record::new(sio_delivery_kind::SIO_DELIVERY_KIND_CLIENT_EVENT);
            return callback.record(Record { client: Some(client.clone()), event: Some(event.split_off()), ..record });
        }
        callback.call(lend(client), lend_mut(event));
    })
}
