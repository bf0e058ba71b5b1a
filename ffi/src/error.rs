//! Errors that callbacks receive.

use std::ffi::c_void;

use socketio_core::data::{Kind, Payload, PayloadBuilder};
use socketio_core::runtime::Done;
use socketio_core::{Error, Result};

use crate::callback::Callback;
use crate::delivery::{Record, is_recording, sio_delivery_kind};
use crate::handle::{Content, Handle, Owned, lend_ref};
use crate::payload::{lend_payload, sio_payload};
use crate::status::sio_status;
use crate::text::sio_str;

/// An error that a callback receives: borrowed until it returns.
///
/// Methods: sio_error_status, sio_error_message, sio_error_get_data.
pub struct sio_error {
    _opaque: [u8; 0],
}

/// Reports the end of an asynchronous call: SIO_OK and NULL, or a status and its error.
///
/// Ownership: `error` is borrowed until it returns.
/// Thread: one that delivers callbacks.
pub type sio_done_fn = Option<unsafe extern "C" fn(status: i32, error: *const sio_error, user_data: *mut c_void)>;

/// The status that stands for the error.
///
/// Ownership: borrows `error`.
/// Thread: any, until the callback returns.
/// Errors: SIO_OK when `error` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_error_status(error: *const sio_error) -> i32 {
    guard!(|caller| Ok(sio_status::from(caller.borrow(error)?.error.kind()) as i32))
}

/// What happened, for people. When a server refused a connection, it is the message that the server gave.
///
/// Ownership: borrows `error`; the text lives as long as it.
/// Thread: any, until the callback returns.
/// Errors: no text when `error` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_error_message(error: *const sio_error) -> sio_str {
    guard!(|caller| Ok(sio_str::new(caller.borrow(error)?.error.message())))
}

/// What the peer sent along with the error: a payload of one argument.
///
/// Ownership: borrows `error`; the payload is borrowed from it.
/// Thread: any, until the callback returns.
/// Errors: NULL when there is nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_error_get_data(error: *const sio_error) -> *const sio_payload {
    guard!(|caller| Ok(lend_payload(caller.borrow(error)?.data.as_ref())))
}

/// What an error handle points to.
pub(crate) struct Failure {
    error: Error,
    data: Option<Payload>,
}

impl Failure {
    pub(crate) fn new(error: &Error) -> Self {
        Self { error: error.clone(), data: error.data().and_then(one_argument) }
    }
}

impl Handle for sio_error {
    type Object = Owned<Failure>;
}

impl Content for Failure {
    const KIND: Kind = Kind::new(*b"erro");
}

/// Lends an error to a callback.
pub(crate) fn lend_error(error: &Error, call: impl FnOnce(*const sio_error)) {
    call(lend_ref(&Owned::new(Failure::new(error))));
}

/// The end report that calls `callback`.
pub(crate) fn done(callback: Option<Callback<unsafe extern "C" fn(i32, *const sio_error, *mut c_void)>>) -> Done {
    Box::new(move |result: Result<()>| match (callback, result) {
        (None, _) => {}
        (Some(callback), result) if is_recording() => {
            let record = Record::new(sio_delivery_kind::SIO_DELIVERY_KIND_DONE);
            callback.record(match result {
                Ok(()) => record,
                Err(error) => record.with_error(&error),
            });
        }
        (Some(callback), Ok(())) => callback.call(sio_status::SIO_OK as i32, std::ptr::null()),
        (Some(callback), Err(error)) => {
            lend_error(&error, |lent| callback.call(sio_status::from(error.kind()) as i32, lent));
        }
    })
}

/// A payload whose only argument is `json`.
fn one_argument(json: &str) -> Option<Payload> {
    let mut arguments = PayloadBuilder::new();
    arguments.push_json(json).ok()?;
    Some(arguments.build())
}
