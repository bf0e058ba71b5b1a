//! Requests that are not for Socket.IO: answered by the program.

use std::ffi::c_void;

use bytes::Bytes;
use socketio_core::Result;
use socketio_core::data::Kind;
use socketio_core::server::{Reply, Request};

use crate::delivery::{Record, is_recording, sio_delivery_kind};
use crate::guard::invalid;
use crate::handle::{Handle, Object, give, lend_ref};
use crate::server::sio_server;
use crate::status::sio_status;
use crate::text::{sio_bytes, sio_destroy_fn, sio_str};

/// An HTTP request that a callback receives: borrowed until it returns.
///
/// Methods: sio_request_method, sio_request_target, sio_request_path, sio_request_header, sio_request_body,
/// sio_request_address.
pub struct sio_request {
    _opaque: [u8; 0],
}

/// The right to answer a request, once, from any thread and at any time.
///
/// Methods: sio_reply_send, sio_reply_drop use it up.
pub struct sio_reply {
    _opaque: [u8; 0],
}

/// A header of an answer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sio_header {
    /// Its name.
    pub name: sio_str,
    /// Its value.
    pub value: sio_str,
}

/// Receives a request outside the server's path.
///
/// Ownership: `request` is borrowed until it returns; `reply` is owned, to be used up by sio_reply_send or
/// sio_reply_drop, then or later.
/// Thread: one that delivers callbacks.
pub type sio_request_fn =
    Option<unsafe extern "C" fn(request: *const sio_request, reply: *mut sio_reply, user_data: *mut c_void)>;

/// Has `function` called with requests outside the server's path, instead of the one set before; without any they get
/// 404.
///
/// Ownership: borrows `server`; takes `user_data` over with `destroy`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_on_request(
    server: *mut sio_server,
    function: sio_request_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
) -> sio_status {
    guard!(|caller| {
        let callback = caller.callback(function, user_data, destroy)?;
        caller.borrow(server)?.on_request(Box::new(move |request, reply| {
            if is_recording() {
                let record = Record::new(sio_delivery_kind::SIO_DELIVERY_KIND_REQUEST);
                return callback.record(Record { request: Some(request.clone()), reply: Some(reply), ..record });
            }
            callback.call(lend_ref(request), give(reply));
        }));
        Ok(())
    })
}

/// The method: "GET" for instance.
///
/// Ownership: borrows `request`; the text lives as long as it.
/// Thread: any, until the callback returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_request_method(request: *const sio_request) -> sio_str {
    guard!(|caller| Ok(sio_str::new(caller.borrow(request)?.method())))
}

/// The target: path and query.
///
/// Ownership: borrows `request`; the text lives as long as it.
/// Thread: any, until the callback returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_request_target(request: *const sio_request) -> sio_str {
    guard!(|caller| Ok(sio_str::new(caller.borrow(request)?.target())))
}

/// The path: the target without its query.
///
/// Ownership: borrows `request`; the text lives as long as it.
/// Thread: any, until the callback returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_request_path(request: *const sio_request) -> sio_str {
    guard!(|caller| Ok(sio_str::new(caller.borrow(request)?.path())))
}

/// The first value of a header; `name` in any case.
///
/// Ownership: borrows `request` and `name`; the text lives as long as `request`.
/// Thread: any, until the callback returns.
/// Errors: no text when there is no such header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_request_header(request: *const sio_request, name: sio_str) -> sio_str {
    guard!(|caller| Ok(caller.borrow(request)?.header(caller.text(name)?).map_or(sio_str::EMPTY, sio_str::new)))
}

/// The body.
///
/// Ownership: borrows `request`; the bytes live as long as it.
/// Thread: any, until the callback returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_request_body(request: *const sio_request) -> sio_bytes {
    guard!(|caller| Ok(sio_bytes::new(caller.borrow(request)?.body())))
}

/// The IP address of the client, or "unix".
///
/// Ownership: borrows `request`; the text lives as long as it.
/// Thread: any, until the callback returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_request_address(request: *const sio_request) -> sio_str {
    guard!(|caller| Ok(sio_str::new(caller.borrow(request)?.address())))
}

/// Answers. The length of the body is added by itself.
///
/// Ownership: consumes `reply`, also when it fails; copies `headers` and `body`.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_ARGUMENT when `status` or a header cannot be sent, and the client gets 500 then;
/// SIO_ERR_CLOSED when it is gone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_reply_send(
    reply: *mut sio_reply,
    status: u32,
    headers: *const sio_header,
    n: usize,
    body: sio_bytes,
) -> sio_status {
    guard!(|caller| {
        let reply = caller.take(reply)?;
        let status = u16::try_from(status).map_err(|_| invalid("no such HTTP status"))?;
        let text = |header: &sio_header| Ok((caller.text(header.name)?, caller.text(header.value)?));
        let headers: Vec<(&str, &str)> = caller.slice(headers, n)?.iter().map(text).collect::<Result<_>>()?;
        reply.send(status, &headers, Bytes::copy_from_slice(caller.bytes(body)?))
    })
}

/// Does not answer: the client gets 500.
///
/// Ownership: consumes `reply`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_reply_drop(reply: *mut sio_reply) {
    guard!(|caller| caller.free(reply))
}

impl Handle for sio_request {
    type Object = Request;
}

// SAFETY: `Request` is `#[repr(C)]` with its tag in front.
unsafe impl Object for Request {
    const KIND: Kind = Request::KIND;
}

impl Handle for sio_reply {
    type Object = Reply;
}

// SAFETY: `Reply` is `#[repr(C)]` with its tag in front.
unsafe impl Object for Reply {
    const KIND: Kind = Reply::KIND;
}
