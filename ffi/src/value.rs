//! A tree of values, for programs without a JSON library.

use bytes::Bytes;
use socketio_core::data::value::Data;
use socketio_core::data::{Kind, Value};
use socketio_core::{Error, ErrorKind, Result};

use crate::guard::invalid;
use crate::handle::{Handle, Object, Owned, give};
use crate::status::sio_status;
use crate::text::{sio_bytes, sio_str, sio_string};

/// A JSON value, or bytes. A tree is for one thread at a time until it is no longer changed.
///
/// Methods: sio_value_new_null, .._bool, .._int, .._double, .._text, .._bytes, .._array, .._object, sio_value_parse,
/// sio_value_clone make one; sio_value_push, sio_value_set add to it; sio_value_kind, sio_value_as_bool, .._int,
/// .._double, .._text, .._bytes, sio_value_count, sio_value_at, sio_value_get, sio_value_key_at, sio_value_print read
/// it; sio_value_free.
pub struct sio_value {
    _opaque: [u8; 0],
}

/// What a value is.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sio_kind {
    /// `null`, and what is no value at all.
    SIO_NULL = 0,
    /// `true` or `false`.
    SIO_BOOL = 1,
    /// A number without fraction or exponent that fits in 64 bits.
    SIO_INT = 2,
    /// Any other number.
    SIO_DOUBLE = 3,
    /// A string.
    SIO_TEXT = 4,
    /// Binary data.
    SIO_BINARY = 5,
    /// An array.
    SIO_ARRAY = 6,
    /// An object.
    SIO_OBJECT = 7,
}

/// `null`.
///
/// Ownership: returns an owned value.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_new_null() -> *mut sio_value {
    guard!(Ok(give(Value::null())))
}

/// `true` or `false`.
///
/// Ownership: returns an owned value.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_new_bool(value: bool) -> *mut sio_value {
    guard!(Ok(give(Value::from(value))))
}

/// An integer. JavaScript peers round it past 2^53.
///
/// Ownership: returns an owned value.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_new_int(value: i64) -> *mut sio_value {
    guard!(Ok(give(Value::from(value))))
}

/// A number. An infinite one and NaN are sent as `null`, as JavaScript does.
///
/// Ownership: returns an owned value.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_new_double(value: f64) -> *mut sio_value {
    guard!(Ok(give(Value::from(value))))
}

/// A string.
///
/// Ownership: copies `text`; returns an owned value.
/// Thread: any.
/// Errors: NULL when `text` is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_new_text(text: sio_str) -> *mut sio_value {
    guard!(|caller| caller.text(text).map(|text| give(Value::from(text))))
}

/// Binary data.
///
/// Ownership: copies `bytes`; returns an owned value.
/// Thread: any.
/// Errors: NULL when `bytes` is NULL with a length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_new_bytes(bytes: sio_bytes) -> *mut sio_value {
    guard!(|caller| caller.bytes(bytes).map(|bytes| give(Value::from(Bytes::copy_from_slice(bytes)))))
}

/// An empty array.
///
/// Ownership: returns an owned value.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_new_array() -> *mut sio_value {
    guard!(Ok(give(Value::array())))
}

/// An empty object.
///
/// Ownership: returns an owned value.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_new_object() -> *mut sio_value {
    guard!(Ok(give(Value::object())))
}

/// Appends to an array.
///
/// Ownership: borrows `array`; consumes `value`, also when it fails.
/// Thread: any, one at a time for `array`.
/// Errors: SIO_ERR_INVALID_STATE when `array` is none, SIO_ERR_TOO_LARGE past 128 levels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_push(array: *mut sio_value, value: *mut sio_value) -> sio_status {
    guard!(|caller| {
        let same = array == value;
        let value = caller.take(value)?;
        if same {
            return Err(invalid("a value cannot hold itself"));
        }
        caller.borrow_mut(array)?.push(*value)
    })
}

/// Sets a member of an object; one of the same key is replaced.
///
/// Ownership: borrows `object`, copies `key`; consumes `value`, also when it fails.
/// Thread: any, one at a time for `object`.
/// Errors: SIO_ERR_INVALID_STATE when `object` is none, SIO_ERR_TOO_LARGE past 128 levels, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_set(object: *mut sio_value, key: sio_str, value: *mut sio_value) -> sio_status {
    guard!(|caller| {
        let same = object == value;
        let value = caller.take(value)?;
        if same {
            return Err(invalid("a value cannot hold itself"));
        }
        caller.borrow_mut(object)?.set(caller.text(key)?, *value)
    })
}

/// What the value is: a sio_kind.
///
/// Ownership: borrows `value`.
/// Thread: any.
/// Errors: SIO_NULL when `value` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_kind(value: *const sio_value) -> i32 {
    guard!(|caller| {
        let kind = match caller.borrow(value)?.data() {
            Data::Bool(_) => sio_kind::SIO_BOOL,
            Data::Int(_) => sio_kind::SIO_INT,
            Data::Double(_) => sio_kind::SIO_DOUBLE,
            Data::Text(_) => sio_kind::SIO_TEXT,
            Data::Bytes(_) => sio_kind::SIO_BINARY,
            Data::Array(_) => sio_kind::SIO_ARRAY,
            Data::Object(_) => sio_kind::SIO_OBJECT,
            _ => sio_kind::SIO_NULL,
        };
        Ok(kind as i32)
    })
}

/// The value of a `SIO_BOOL`; else false.
///
/// Ownership: borrows `value`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_as_bool(value: *const sio_value) -> bool {
    guard!(|caller| Ok(matches!(caller.borrow(value)?.data(), Data::Bool(true))))
}

/// The value of a `SIO_INT`, or of a `SIO_DOUBLE` without its fraction, as near as 64 bits allow; else 0.
///
/// Ownership: borrows `value`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_as_int(value: *const sio_value) -> i64 {
    guard!(|caller| {
        Ok(match caller.borrow(value)?.data() {
            Data::Int(int) => *int,
            Data::Double(double) => *double as i64,
            _ => 0,
        })
    })
}

/// The value of a `SIO_DOUBLE` or a `SIO_INT`; else 0.
///
/// Ownership: borrows `value`.
/// Thread: any.
#[unsafe(no_mangle)]
#[allow(clippy::cast_precision_loss, reason = "what C does too")]
pub unsafe extern "C" fn sio_value_as_double(value: *const sio_value) -> f64 {
    guard!(|caller| {
        Ok(match caller.borrow(value)?.data() {
            Data::Int(int) => *int as f64,
            Data::Double(double) => *double,
            _ => 0.0,
        })
    })
}

/// The text of a `SIO_TEXT`; else no text.
///
/// Ownership: borrows `value`; the text lives as long as it, unchanged.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_as_text(value: *const sio_value) -> sio_str {
    guard!(|caller| {
        Ok(match caller.borrow(value)?.data() {
            Data::Text(text) => sio_str::new(text),
            _ => sio_str::EMPTY,
        })
    })
}

/// The bytes of a `SIO_BINARY`; else no bytes.
///
/// Ownership: borrows `value`; the bytes live as long as it, unchanged.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_as_bytes(value: *const sio_value) -> sio_bytes {
    guard!(|caller| {
        Ok(match caller.borrow(value)?.data() {
            Data::Bytes(bytes) => sio_bytes::new(bytes),
            _ => sio_bytes::EMPTY,
        })
    })
}

/// Number of elements of an array or members of an object; else 0.
///
/// Ownership: borrows `value`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_count(value: *const sio_value) -> usize {
    guard!(|caller| Ok(caller.borrow(value)?.len()))
}

/// Element `i` of an array, or the value of member `i` of an object.
///
/// Ownership: borrows `value`; the result is borrowed from it until it is changed or freed.
/// Thread: any.
/// Errors: NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_at(value: *const sio_value, i: usize) -> *const sio_value {
    guard!(|caller| found(caller.borrow(value)?.at(i)))
}

/// Member `key` of an object.
///
/// Ownership: borrows `value` and `key`; the result is borrowed from `value` until it is changed or freed.
/// Thread: any.
/// Errors: NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_get(value: *const sio_value, key: sio_str) -> *const sio_value {
    guard!(|caller| found(caller.borrow(value)?.get(caller.text(key)?)))
}

/// The key of member `i` of an object.
///
/// Ownership: borrows `value`; the text is borrowed from it until it is changed or freed.
/// Thread: any.
/// Errors: no text when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_key_at(value: *const sio_value, i: usize) -> sio_str {
    guard!(|caller| Ok(caller.borrow(value)?.key_at(i).map_or(sio_str::EMPTY, sio_str::new)))
}

/// The value that a JSON text stands for.
///
/// Ownership: borrows `json`; `out` receives an owned value.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_JSON, also past 128 levels; SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_parse(json: sio_str, out: *mut *mut sio_value) -> sio_status {
    guard!(|caller| {
        let out = caller.out(out)?;
        out.write(give(Value::parse(caller.text(json)?, &[])?));
        Ok(())
    })
}

/// The value as JSON. Bytes, which have no form in JSON, are refused: send them as arguments.
///
/// Ownership: borrows `value`; `out` receives an owned text, to be freed with sio_string_free.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_STATE when there are bytes in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_print(value: *const sio_value, out: *mut *mut sio_string) -> sio_status {
    guard!(|caller| {
        let (value, out) = (caller.borrow(value)?, caller.out(out)?);
        let (mut json, mut attachments) = (Vec::new(), Vec::new());
        value.print(&mut json, &mut attachments);
        if !attachments.is_empty() {
            return Err(Error::new(ErrorKind::InvalidState, "bytes have no form in JSON"));
        }
        let json = String::from_utf8(json).map_err(|_| Error::new(ErrorKind::InvalidUtf8, "the value is not UTF-8"))?;
        out.write(give(Owned::new(json)));
        Ok(())
    })
}

/// A copy of the whole tree.
///
/// Ownership: borrows `value`; returns an owned value.
/// Thread: any.
/// Errors: NULL when `value` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_clone(value: *const sio_value) -> *mut sio_value {
    guard!(|caller| Ok(give(caller.borrow(value)?.clone())))
}

/// Frees a value and all that it holds.
///
/// Ownership: consumes `value`, which may be NULL and must not be borrowed from another.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_value_free(value: *mut sio_value) {
    guard!(|caller| caller.free(value))
}

impl Handle for sio_value {
    type Object = Value;
}

// SAFETY: `Value` is `#[repr(C)]` with its tag in front.
unsafe impl Object for Value {
    const KIND: Kind = Value::KIND;
}

/// A part of a tree, for the host to look at.
pub(crate) fn found(value: Option<&Value>) -> Result<*const sio_value> {
    value
        .map(|value| std::ptr::from_ref(value).cast())
        .ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such value"))
}
