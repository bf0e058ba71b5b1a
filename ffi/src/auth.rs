//! What a client says to be let in.

use std::ffi::c_void;

use socketio_core::client::Auth;
use socketio_core::data::Kind;

use crate::client::sio_client;
use crate::delivery::{Record, is_recording, sio_delivery_kind};
use crate::handle::{Handle, Object, give, lend};
use crate::manager_options::auth;
use crate::status::sio_status;
use crate::text::{sio_destroy_fn, sio_str};

/// The right to say what a CONNECT carries, once, from any thread and at any time. It is sent when that is said.
///
/// Methods: sio_auth_send, sio_auth_drop use it up.
pub struct sio_auth {
    _opaque: [u8; 0],
}

/// Is asked what a client says to be let in, before each CONNECT: with the first connection, and again with each one after a
/// loss. What the client emits meanwhile waits until it is connected.
///
/// Ownership: `client` is borrowed until it returns; `auth` is owned, to be used up by sio_auth_send or sio_auth_drop, then or
/// later.
/// Thread: one that delivers callbacks.
pub type sio_auth_fn =
    Option<unsafe extern "C" fn(client: *mut sio_client, auth: *mut sio_auth, user_data: *mut c_void)>;

/// Sets what the client says to be let in from the next CONNECT on: the text of a JSON object; nothing when it is empty. It
/// takes the place of what its options said and of a function of sio_client_on_auth.
///
/// Ownership: borrows `client`, copies `json`.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_ARGUMENT when it is no object, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_set_auth_json(client: *mut sio_client, json: sio_str) -> sio_status {
    guard!(|caller| caller.borrow(client)?.set_auth(auth(caller.text(json)?)?))
}

/// Has `function` asked before each CONNECT what that is to carry, instead of the function or the text that was set before.
///
/// Ownership: borrows `client`; takes `user_data` over with `destroy`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_on_auth(
    client: *mut sio_client,
    function: sio_auth_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
) -> sio_status {
    guard!(|caller| {
        let callback = caller.callback(function, user_data, destroy)?;
        caller.borrow(client)?.on_auth(Box::new(move |client, auth| {
            if is_recording() {
                let record = Record::new(sio_delivery_kind::SIO_DELIVERY_KIND_CLIENT_AUTH);
                return callback.record(Record { client: Some(client.clone()), auth: Some(auth), ..record });
            }
            callback.call(lend(client), give(auth));
        }));
        Ok(())
    })
}

/// Sends the CONNECT with the text of a JSON object, or with nothing when it is empty.
///
/// Ownership: consumes `auth`, also when it fails; copies `json`.
/// Thread: any.
/// Errors: SIO_ERR_CLOSED when the client was disconnected meanwhile or has lost its connection: nothing is sent, and it is
/// asked again when it connects; SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_ARGUMENT when it is no object, SIO_ERR_INVALID_UTF8:
/// the CONNECT goes without it, as by sio_auth_drop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_auth_send(auth: *mut sio_auth, json: sio_str) -> sio_status {
    guard!(|caller| {
        let taken = caller.take(auth)?;
        taken.send(self::auth(caller.text(json)?)?)
    })
}

/// Has nothing to say: the CONNECT is sent without data.
///
/// Ownership: consumes `auth`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_auth_drop(auth: *mut sio_auth) {
    guard!(|caller| caller.free(auth))
}

impl Handle for sio_auth {
    type Object = Auth;
}

// SAFETY: `Auth` is `#[repr(C)]` with its tag in front.
unsafe impl Object for Auth {
    const KIND: Kind = Auth::KIND;
}
