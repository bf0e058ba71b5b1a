//! The arguments of an event or an ack.

use bytes::Bytes;
use socketio_core::Result;
use socketio_core::data::{Kind, Payload, PayloadBuilder};

use crate::guard::Caller;
use crate::handle::{Handle, Object, give};
use crate::status::sio_status;
use crate::text::{sio_bytes, sio_str};
use crate::value::{found, sio_value};

/// The arguments of an event or an ack, as they are on the wire: the JSON text of an array, and binary attachments.
/// `{"_placeholder":true,"num":0}` in the JSON stands for attachment 0. Where a function takes a payload, NULL is one
/// without arguments.
///
/// While arguments are added it is for one thread at a time; after that any thread may read it.
///
/// Methods: sio_payload_new, sio_payload_from_json make one; sio_payload_push_json, .._text, .._int, .._double, .._bool,
/// .._null, .._bytes, .._value add an argument; sio_payload_count, sio_payload_json, sio_payload_arg_json,
/// sio_payload_get_value, sio_payload_attachment_count, sio_payload_attachment read it; sio_payload_retain,
/// sio_payload_release.
pub struct sio_payload {
    _opaque: [u8; 0],
}

/// A payload without arguments, to add some.
///
/// Ownership: returns an owned payload.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_new() -> *mut sio_payload {
    guard!(Ok(give(Payload::new())))
}

/// The payload of a JSON array and `n` attachments, which its placeholders name.
///
/// Ownership: copies `array` and the bytes of `attachments`; `out` receives an owned payload.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_JSON when `array` is not the text of an array or a placeholder names no attachment,
/// SIO_ERR_INVALID_UTF8, SIO_ERR_TOO_LARGE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_from_json(
    array: sio_str,
    attachments: *const sio_bytes,
    n: usize,
    out: *mut *mut sio_payload,
) -> sio_status {
    guard!(|caller| {
        let out = caller.out(out)?;
        let attachments = caller.slice(attachments, n)?.iter().map(|bytes| copy(caller, *bytes));
        let payload = Payload::from_json(caller.text(array)?, attachments.collect::<Result<_>>()?)?;
        out.write(give(payload));
        Ok(())
    })
}

/// Adds an argument that is JSON already. Placeholders in it may name attachments added before.
///
/// Ownership: borrows `payload`, copies `json`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_UTF8, SIO_ERR_TOO_LARGE; nothing is added then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_push_json(payload: *mut sio_payload, json: sio_str) -> sio_status {
    guard!(|caller| {
        let (payload, json) = (caller.borrow_mut(payload)?, caller.text(json)?);
        payload.edit(|arguments| arguments.push_json(json))
    })
}

/// Adds a text.
///
/// Ownership: borrows `payload`, copies `text`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_UTF8, SIO_ERR_TOO_LARGE; nothing is added then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_push_text(payload: *mut sio_payload, text: sio_str) -> sio_status {
    guard!(|caller| {
        let (payload, text) = (caller.borrow_mut(payload)?, caller.text(text)?);
        payload.edit(|arguments| arguments.push_text(text))
    })
}

/// Adds an integer. JavaScript peers round it past 2^53.
///
/// Ownership: borrows `payload`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_TOO_LARGE past 65,536 arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_push_int(payload: *mut sio_payload, value: i64) -> sio_status {
    guard!(|caller| caller.borrow_mut(payload)?.edit(|arguments| arguments.push_int(value)))
}

/// Adds a number; `null` for an infinite one or NaN, as JavaScript does.
///
/// Ownership: borrows `payload`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_TOO_LARGE past 65,536 arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_push_double(payload: *mut sio_payload, value: f64) -> sio_status {
    guard!(|caller| caller.borrow_mut(payload)?.edit(|arguments| arguments.push_double(value)))
}

/// Adds `true` or `false`.
///
/// Ownership: borrows `payload`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_TOO_LARGE past 65,536 arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_push_bool(payload: *mut sio_payload, value: bool) -> sio_status {
    guard!(|caller| caller.borrow_mut(payload)?.edit(|arguments| arguments.push_bool(value)))
}

/// Adds `null`.
///
/// Ownership: borrows `payload`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_TOO_LARGE past 65,536 arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_push_null(payload: *mut sio_payload) -> sio_status {
    guard!(|caller| caller.borrow_mut(payload)?.edit(PayloadBuilder::push_null))
}

/// Adds binary data: an attachment, and a placeholder for it.
///
/// Ownership: borrows `payload`, copies `bytes`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_TOO_LARGE past 65,536 arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_push_bytes(payload: *mut sio_payload, bytes: sio_bytes) -> sio_status {
    guard!(|caller| {
        let (payload, bytes) = (caller.borrow_mut(payload)?, copy(caller, bytes)?);
        payload.edit(|arguments| arguments.push_bytes(bytes))
    })
}

/// Adds a tree; bytes in it become attachments.
///
/// Ownership: borrows `payload`; consumes `value`, also when it fails.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_TOO_LARGE when the tree has 128 levels, or past 65,536 arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_push_value(payload: *mut sio_payload, value: *mut sio_value) -> sio_status {
    guard!(|caller| {
        let value = caller.take(value)?;
        caller.borrow_mut(payload)?.edit(|arguments| arguments.push_value(&value))
    })
}

/// Number of arguments.
///
/// Ownership: borrows `payload`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_count(payload: *const sio_payload) -> usize {
    guard!(|caller| Ok(caller.borrow(payload)?.count()))
}

/// The arguments as the text of a JSON array.
///
/// Ownership: borrows `payload`; the text lives as long as it, unchanged.
/// Thread: any.
/// Errors: no text when `payload` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_json(payload: *const sio_payload) -> sio_str {
    guard!(|caller| Ok(sio_str::new(caller.borrow(payload)?.json())))
}

/// Argument `i` as JSON.
///
/// Ownership: borrows `payload`; the text lives as long as it, unchanged.
/// Thread: any.
/// Errors: no text when there is no such argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_arg_json(payload: *const sio_payload, i: usize) -> sio_str {
    guard!(|caller| Ok(caller.borrow(payload)?.arg(i).map_or(sio_str::EMPTY, sio_str::new)))
}

/// Argument `i` as a tree, in which attachments are in their places. The first call builds the trees of all arguments.
///
/// Ownership: borrows `payload`; the value is borrowed from it, as long as it lives unchanged.
/// Thread: any.
/// Errors: NULL when there is no such argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_get_value(payload: *const sio_payload, i: usize) -> *const sio_value {
    guard!(|caller| found(caller.borrow(payload)?.value(i)))
}

/// Number of attachments.
///
/// Ownership: borrows `payload`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_attachment_count(payload: *const sio_payload) -> usize {
    guard!(|caller| Ok(caller.borrow(payload)?.attachments().len()))
}

/// Attachment `i`.
///
/// Ownership: borrows `payload`; the bytes live as long as it, unchanged.
/// Thread: any.
/// Errors: no bytes when there is no such attachment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_attachment(payload: *const sio_payload, i: usize) -> sio_bytes {
    guard!(|caller| {
        Ok(caller.borrow(payload)?.attachments().get(i).map_or(sio_bytes::EMPTY, |bytes| sio_bytes::new(bytes)))
    })
}

/// Keeps a payload, a borrowed one too. The bytes are shared, not copied.
///
/// Ownership: borrows `payload`; returns an owned payload, which may be another pointer: keep that one.
/// Thread: any.
/// Errors: NULL when `payload` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_retain(payload: *const sio_payload) -> *mut sio_payload {
    guard!(|caller| Ok(give(caller.borrow(payload)?.clone())))
}

/// Gives a payload back.
///
/// Ownership: consumes `payload`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_payload_release(payload: *mut sio_payload) {
    guard!(|caller| caller.free(payload))
}

impl Handle for sio_payload {
    type Object = Payload;
}

// SAFETY: `Payload` is `#[repr(C)]` with its tag in front.
unsafe impl Object for Payload {
    const KIND: Kind = Payload::KIND;
}

impl Caller {
    /// Calls `send` with the payload of an argument, which is without arguments when it is NULL.
    pub(crate) fn with_payload<R>(
        &self,
        payload: *const sio_payload,
        send: impl FnOnce(&Payload) -> Result<R>,
    ) -> Result<R> {
        if payload.is_null() { send(&Payload::new()) } else { send(self.borrow(payload)?) }
    }
}

/// Lends a payload to a callback; NULL when there is none.
pub(crate) fn lend_payload(payload: Option<&Payload>) -> *const sio_payload {
    payload.map_or(std::ptr::null(), |payload| std::ptr::from_ref(payload).cast())
}

fn copy(caller: &Caller, bytes: sio_bytes) -> Result<Bytes> {
    caller.bytes(bytes).map(Bytes::copy_from_slice)
}
