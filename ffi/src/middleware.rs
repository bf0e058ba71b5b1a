//! Middlewares: who decides whether a client may join a namespace.

use std::ffi::c_void;

use socketio_core::Result;
use socketio_core::data::{Kind, Payload};
use socketio_core::server::Next;

use crate::delivery::{Record, is_recording, sio_delivery_kind};
use crate::guard::invalid;
use crate::handle::{Handle, Object, give, lend};
use crate::namespace::sio_namespace;
use crate::payload::sio_payload;
use crate::socket::sio_socket;
use crate::status::sio_status;
use crate::text::{sio_destroy_fn, sio_str};

/// The right to decide about a client that wants to join, once, from any thread and at any time. Nobody but the program ends
/// the wait, apart from the client, which may go away, and the option `connectTimeout`, which closes a connection that has
/// not joined any namespace in time.
///
/// Methods: sio_next_accept, sio_next_reject, sio_next_drop use it up.
pub struct sio_next {
    _opaque: [u8; 0],
}

/// Is asked whether a client may join, before that is answered. Until then `socket` is not connected: its handshake, its data
/// and its listeners are there. It can join rooms, and events can be sent to it: they follow when it is let in, and are
/// dropped when it is turned away. Broadcasts do not reach it. A client that says anything else to the namespace meanwhile
/// breaks the protocol, and is disconnected; one that asks again has given up the attempt before.
///
/// Ownership: `socket` is borrowed until it returns; `next` is owned, to be used up by sio_next_accept, sio_next_reject or
/// sio_next_drop, then or later.
/// Thread: one that delivers callbacks.
pub type sio_middleware_fn =
    Option<unsafe extern "C" fn(socket: *mut sio_socket, next: *mut sio_next, user_data: *mut c_void)>;

/// Has `function` asked about each client that wants to join the namespace from now on, behind the functions that were added
/// before (`namespace.use` of the official server). It cannot be taken out.
///
/// Ownership: borrows `nsp`; takes `user_data` over with `destroy`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_namespace_use(
    nsp: *mut sio_namespace,
    function: sio_middleware_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
) -> sio_status {
    guard!(|caller| {
        let callback = caller.callback(function, user_data, destroy)?;
        caller.borrow(nsp)?.add_middleware(Box::new(move |socket, next| {
            if is_recording() {
                let record = Record::new(sio_delivery_kind::SIO_DELIVERY_KIND_MIDDLEWARE);
                return callback.record(Record { socket: Some(socket.clone()), next: Some(next), ..record });
            }
            callback.call(lend(socket), give(next));
        }));
        Ok(())
    })
}

/// The client may join as far as this function is concerned: the next one is asked. Behind the last one the socket is
/// connected, its client is told, and the listeners of sio_namespace_on_connection are called.
///
/// Ownership: consumes `next`, also when it fails.
/// Thread: any.
/// Errors: SIO_ERR_CLOSED when the client does not wait for it any more: it is gone, or has asked again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_next_accept(next: *mut sio_next) -> sio_status {
    guard!(|caller| caller.take(next)?.accept())
}

/// The client may not join. It gets an error with this message and this data; its connection stays, and it may ask again.
///
/// Ownership: consumes `next`, also when it fails; borrows `message` and `data`, which is a payload of one argument without
/// attachments, or NULL when there is no more to say.
/// Thread: any.
/// Errors: SIO_ERR_CLOSED as sio_next_accept; SIO_ERR_INVALID_ARGUMENT when `data` is something else, and
/// SIO_ERR_INVALID_UTF8: the client is turned away all the same, as by sio_next_drop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_next_reject(
    next: *mut sio_next,
    message: sio_str,
    data: *const sio_payload,
) -> sio_status {
    guard!(|caller| {
        let (next, message) = (caller.take(next)?, caller.text(message)?);
        let data = if data.is_null() { None } else { Some(data_of_error(caller.borrow(data)?)?) };
        next.reject(message, data)
    })
}

/// Decides nothing: the client is turned away with the message "internal error".
///
/// Ownership: consumes `next`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_next_drop(next: *mut sio_next) {
    guard!(|caller| caller.free(next))
}

impl Handle for sio_next {
    type Object = Next;
}

// SAFETY: `Next` is `#[repr(C)]` with its tag in front.
unsafe impl Object for Next {
    const KIND: Kind = Next::KIND;
}

/// What a payload says as the data of an error.
fn data_of_error(payload: &Payload) -> Result<&str> {
    match payload.arg(0) {
        Some(json) if payload.count() == 1 && payload.attachments().is_empty() => Ok(json),
        _ => Err(invalid("the data of an error is one argument without attachments")),
    }
}
