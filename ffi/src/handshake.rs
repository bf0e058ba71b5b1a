//! How a socket came to be.

use std::ffi::c_void;

use socketio_core::data::Kind;
use socketio_core::server::Handshake;
use socketio_core::{Error, ErrorKind};

use crate::handle::{Handle, Object, Owned, give};
use crate::status::sio_status;
use crate::text::{sio_str, sio_string};

/// How a socket came to be: the request that opened its connection, and what its client sent to be let in. It lives as
/// long as its socket.
///
/// Methods: sio_handshake_header, sio_handshake_headers, sio_handshake_query, sio_handshake_url, sio_handshake_address,
/// sio_handshake_auth_json, sio_handshake_secure, sio_handshake_issued.
pub struct sio_handshake {
    _opaque: [u8; 0],
}

/// Receives one header of a request.
///
/// Ownership: `name` and `value` are borrowed until it returns.
/// Thread: that of the call which it was given to.
pub type sio_header_fn = Option<unsafe extern "C" fn(name: sio_str, value: sio_str, user_data: *mut c_void)>;

/// The first value of a header of the request; `name` in any case.
///
/// Ownership: borrows `handshake` and `name`; the text lives as long as the socket.
/// Thread: any.
/// Errors: no text when there is no such header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_handshake_header(handshake: *const sio_handshake, name: sio_str) -> sio_str {
    guard!(|caller| Ok(caller.borrow(handshake)?.header(caller.text(name)?).map_or(sio_str::EMPTY, sio_str::new)))
}

/// Calls `function` with each header of the request, in their order: names in lower case, one that came several times as
/// often. Without a function they are only counted.
///
/// Ownership: borrows `handshake`; `user_data` is used during the call only.
/// Thread: any; `function` runs before this returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_handshake_headers(
    handshake: *const sio_handshake,
    function: sio_header_fn,
    user_data: *mut c_void,
) -> usize {
    guard!(|caller| {
        let callback = caller.optional_callback(function, user_data, None);
        let call = |(name, value)| {
            if let Some(callback) = &callback {
                callback.call(sio_str::new(name), sio_str::new(value));
            }
        };
        Ok(caller.borrow(handshake)?.headers().map(call).count())
    })
}

/// The last value of a key of the request's query, decoded.
///
/// Ownership: borrows `handshake` and `key`; `out` receives an owned text, to be freed with sio_string_free.
/// Thread: any.
/// Errors: SIO_ERR_NOT_FOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_handshake_query(
    handshake: *const sio_handshake,
    key: sio_str,
    out: *mut *mut sio_string,
) -> sio_status {
    guard!(|caller| {
        let (handshake, key, out) = (caller.borrow(handshake)?, caller.text(key)?, caller.out(out)?);
        let value = handshake.query(key).ok_or_else(|| Error::new(ErrorKind::NotFound, "no such key in the query"))?;
        out.write(give(Owned::new(value)));
        Ok(())
    })
}

/// The target of the request: path and query.
///
/// Ownership: borrows `handshake`; the text lives as long as the socket.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_handshake_url(handshake: *const sio_handshake) -> sio_str {
    guard!(|caller| Ok(sio_str::new(caller.borrow(handshake)?.url())))
}

/// The IP address of the client, or "unix".
///
/// Ownership: borrows `handshake`; the text lives as long as the socket.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_handshake_address(handshake: *const sio_handshake) -> sio_str {
    guard!(|caller| Ok(sio_str::new(caller.borrow(handshake)?.address())))
}

/// The object that the client sent to be let in, as JSON; "{}" when it sent none.
///
/// Ownership: borrows `handshake`; the text lives as long as the socket.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_handshake_auth_json(handshake: *const sio_handshake) -> sio_str {
    guard!(|caller| Ok(sio_str::new(caller.borrow(handshake)?.auth())))
}

/// Whether the request came over TLS.
///
/// Ownership: borrows `handshake`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_handshake_secure(handshake: *const sio_handshake) -> bool {
    guard!(|caller| Ok(caller.borrow(handshake)?.secure()))
}

/// When the request came, in milliseconds since 1970.
///
/// Ownership: borrows `handshake`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_handshake_issued(handshake: *const sio_handshake) -> i64 {
    guard!(|caller| Ok(caller.borrow(handshake)?.issued()))
}

impl Handle for sio_handshake {
    type Object = Handshake;
}

// SAFETY: `Handshake` is `#[repr(C)]` with its tag in front.
unsafe impl Object for Handshake {
    const KIND: Kind = Handshake::KIND;
}
