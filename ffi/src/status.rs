//! What calls return, and the detail behind it.

use std::ffi::{CStr, c_char};

use socketio_core::ErrorKind;

use crate::guard;
use crate::text::sio_str;

/// What a call came to. The numbers never change or move; new ones may be added.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sio_status {
    /// It worked.
    SIO_OK = 0,
    /// An argument is NULL, a handle of another type or one already released, or out of its range.
    SIO_ERR_INVALID_ARGUMENT = 1,
    /// A text is not UTF-8.
    SIO_ERR_INVALID_UTF8 = 2,
    /// A text is not JSON, or not of the shape that is wanted.
    SIO_ERR_INVALID_JSON = 3,
    /// The call does not fit the object's state.
    SIO_ERR_INVALID_STATE = 4,
    /// The object was closed.
    SIO_ERR_CLOSED = 5,
    /// There is no connection.
    SIO_ERR_NOT_CONNECTED = 6,
    /// It took too long.
    SIO_ERR_TIMEOUT = 7,
    /// It was called off.
    SIO_ERR_CANCELLED = 8,
    /// A call that waits, on a thread that delivers callbacks.
    SIO_ERR_WOULD_DEADLOCK = 9,
    /// Too much waits to be sent.
    SIO_ERR_BACKPRESSURE = 10,
    /// A bound of size or number was passed.
    SIO_ERR_TOO_LARGE = 11,
    /// There is no such thing.
    SIO_ERR_NOT_FOUND = 12,
    /// It can be used once only.
    SIO_ERR_ALREADY_USED = 13,
    /// Known, but not built yet; the message names it.
    SIO_ERR_UNSUPPORTED = 14,
    /// The operating system refused.
    SIO_ERR_IO = 100,
    /// A host name could not be resolved.
    SIO_ERR_RESOLVE = 101,
    /// TLS failed.
    SIO_ERR_TLS = 102,
    /// The address to listen on is taken.
    SIO_ERR_ADDRESS_IN_USE = 103,
    /// An unexpected HTTP answer.
    SIO_ERR_HTTP = 104,
    /// The WebSocket failed.
    SIO_ERR_WEBSOCKET = 105,
    /// The peer broke the protocol.
    SIO_ERR_PROTOCOL = 200,
    /// The handshake failed.
    SIO_ERR_HANDSHAKE = 201,
    /// The server refused the connection to a namespace.
    SIO_ERR_REJECTED = 202,
    /// The adapter failed.
    SIO_ERR_ADAPTER = 203,
    /// The object belongs to the parent of this forked process.
    SIO_ERR_FORKED = 900,
    /// Header and library do not fit.
    SIO_ERR_ABI = 901,
    /// A bug in the library was caught.
    SIO_ERR_PANIC = 902,
}

/// The name of a status, "SIO_ERR_TIMEOUT" for instance; "unknown status" for a number that is none.
///
/// Ownership: returns a constant.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_status_name(status: i32) -> *const c_char {
    guard!(Ok(name(status).as_ptr()))
}

/// What the last call that failed on this thread has to say. A call that works leaves it as it is.
///
/// Ownership: borrowed; it lives until the next call that fails on this thread.
/// Thread: any; each has its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_last_error_message() -> sio_str {
    guard!(Ok(guard::last_error_message()))
}

impl From<ErrorKind> for sio_status {
    fn from(kind: ErrorKind) -> Self {
        // The numbers are the same on both sides; a kind that this table does not know is a bug.
        from_number(kind as i32).unwrap_or(sio_status::SIO_ERR_PANIC)
    }
}

/// One line per status: its number, its value and its name cannot come apart.
macro_rules! table {
    ($($status:ident)*) => {
        fn from_number(number: i32) -> Option<sio_status> {
            $(if number == sio_status::$status as i32 { return Some(sio_status::$status); })*
            None
        }

        fn name(number: i32) -> &'static CStr {
            const UNKNOWN: &CStr = c"unknown status";
            $(if number == sio_status::$status as i32 {
                const NAME: &[u8] = concat!(stringify!($status), "\0").as_bytes();
                return CStr::from_bytes_with_nul(NAME).unwrap_or(UNKNOWN);
            })*
            UNKNOWN
        }

        #[cfg(test)]
        const ALL: &[sio_status] = &[$(sio_status::$status),*];
    };
}

table! {
    SIO_OK SIO_ERR_INVALID_ARGUMENT SIO_ERR_INVALID_UTF8 SIO_ERR_INVALID_JSON SIO_ERR_INVALID_STATE SIO_ERR_CLOSED
    SIO_ERR_NOT_CONNECTED SIO_ERR_TIMEOUT SIO_ERR_CANCELLED SIO_ERR_WOULD_DEADLOCK SIO_ERR_BACKPRESSURE
    SIO_ERR_TOO_LARGE SIO_ERR_NOT_FOUND SIO_ERR_ALREADY_USED SIO_ERR_UNSUPPORTED
    SIO_ERR_IO SIO_ERR_RESOLVE SIO_ERR_TLS SIO_ERR_ADDRESS_IN_USE SIO_ERR_HTTP SIO_ERR_WEBSOCKET
    SIO_ERR_PROTOCOL SIO_ERR_HANDSHAKE SIO_ERR_REJECTED SIO_ERR_ADAPTER
    SIO_ERR_FORKED SIO_ERR_ABI SIO_ERR_PANIC
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_the_core_keep_their_numbers() {
        use ErrorKind as Kind;
        let kinds = [
            Kind::InvalidArgument,
            Kind::InvalidUtf8,
            Kind::InvalidJson,
            Kind::InvalidState,
            Kind::Closed,
            Kind::NotConnected,
            Kind::Timeout,
            Kind::Cancelled,
            Kind::WouldDeadlock,
            Kind::Backpressure,
            Kind::TooLarge,
            Kind::NotFound,
            Kind::AlreadyUsed,
            Kind::Unsupported,
            Kind::Io,
            Kind::Resolve,
            Kind::Tls,
            Kind::AddressInUse,
            Kind::Http,
            Kind::WebSocket,
            Kind::Protocol,
            Kind::Handshake,
            Kind::Rejected,
            Kind::Adapter,
            Kind::Forked,
            Kind::Abi,
            Kind::Panic,
        ];
        let numbers: Vec<i32> = kinds.map(|kind| sio_status::from(kind) as i32).to_vec();
        assert_eq!(numbers, ALL[1..].iter().map(|status| *status as i32).collect::<Vec<_>>());
        assert_eq!(numbers, kinds.map(|kind| kind as i32));
    }

    #[test]
    fn names_are_those_of_the_constants() {
        assert_eq!(name(0), c"SIO_OK");
        assert_eq!(name(902), c"SIO_ERR_PANIC");
        assert_eq!(name(-1), c"unknown status");
    }
}
