//! Acks: the answer to an event.

use std::ffi::c_void;

use socketio_core::data::Kind;
use socketio_core::runtime::dispatch::event::{Ack, AckHandler};

use crate::callback::Callback;
use crate::delivery::{Record, is_recording, sio_delivery_kind};
use crate::handle::{Handle, Object};
use crate::payload::{lend_payload, sio_payload};
use crate::status::sio_status;

/// The right to answer an event, once.
///
/// Methods: sio_event_take_ack gives one; sio_ack_send, sio_ack_drop use it up.
pub struct sio_ack {
    _opaque: [u8; 0],
}

/// Receives what the other side answered: SIO_OK and the answer, or NULL with SIO_ERR_TIMEOUT, or with SIO_ERR_CLOSED
/// when the socket was closed before.
///
/// Ownership: `response` is borrowed until it returns.
/// Thread: one that delivers callbacks.
pub type sio_ack_fn = Option<unsafe extern "C" fn(status: i32, response: *const sio_payload, user_data: *mut c_void)>;

/// Answers.
///
/// Ownership: consumes `ack`, also when it fails; borrows `payload`.
/// Thread: any.
/// Errors: SIO_ERR_CLOSED when the socket is gone, SIO_ERR_BACKPRESSURE when too much waits to be sent to it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_ack_send(ack: *mut sio_ack, payload: *const sio_payload) -> sio_status {
    guard!(|caller| {
        let ack = caller.take(ack)?;
        caller.with_payload(payload, |payload| ack.send(payload))
    })
}

/// Does not answer. The other side waits until its timeout, if it has one.
///
/// Ownership: consumes `ack`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_ack_drop(ack: *mut sio_ack) {
    guard!(|caller| caller.free(ack))
}

impl Handle for sio_ack {
    type Object = Ack;
}

// SAFETY: `Ack` is `#[repr(C)]` with its tag in front.
unsafe impl Object for Ack {
    const KIND: Kind = Ack::KIND;
}

/// What hands an answer to `callback`.
pub(crate) fn answer(callback: Callback<unsafe extern "C" fn(i32, *const sio_payload, *mut c_void)>) -> AckHandler {
    Box::new(move |result| {
        let status = result.as_ref().map_or_else(|error| error.kind().into(), |_| sio_status::SIO_OK);
        let response = result.as_ref().ok();
        if is_recording() {
            let record = Record::new(sio_delivery_kind::SIO_DELIVERY_KIND_ACK);
            return callback.record(Record { status: status as i32, payload: response.cloned(), ..record });
        }
        callback.call(status as i32, lend_payload(response));
    })
}
