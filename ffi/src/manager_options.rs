//! How a manager connects.

use socketio_core::Result;
use socketio_core::client::{ManagerConfig, SocketConfig};
use socketio_core::data::value::Data;
use socketio_core::data::{Kind, Value};
use socketio_core::runtime::OfProcess;
use socketio_core::runtime::dispatch::DeliveryMode;

use crate::guard::{Caller, invalid};
use crate::handle::{Content, Handle, Owned, give};
use crate::queue::sio_queue;
use crate::runtime::SIO_FOREVER;
use crate::server_options::{ChooseDelivery, option, size, transports};
use crate::status::sio_status;
use crate::text::sio_str;

/// How a manager connects, and connects again: every option has the official default until it is set.
///
/// Methods: sio_manager_options_new, sio_manager_options_set_json, .._path, .._transports, .._upgrade, .._reconnection,
/// .._reconnection_attempts, .._reconnection_delay, .._timeout, .._query, .._extra_header, .._auth_json,
/// .._auto_connect, .._max_buffered_bytes, .._delivery, .._queue, sio_manager_options_free.
pub struct sio_manager_options {
    _opaque: [u8; 0],
}

/// What one client of a manager has for itself.
///
/// Methods: sio_client_options_new, sio_client_options_set_auth_json, sio_client_options_free.
pub struct sio_client_options {
    _opaque: [u8; 0],
}

/// Options with their defaults.
///
/// Ownership: returns owned options.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_new() -> *mut sio_manager_options {
    guard!(Ok(give(Owned::new(ManagerConfig::default()))))
}

/// Sets the options that a JSON object names, by their official names: `{"reconnection":false,"path":"/chat"}`. Unknown
/// ones are ignored and logged.
///
/// Ownership: borrows `options` and `json`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_ARGUMENT when a value does not fit; SIO_ERR_UNSUPPORTED, whose message
/// names it, for an option that is not built yet. Nothing is set then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_set_json(options: *mut sio_manager_options, json: sio_str) -> sio_status {
    guard!(|caller| {
        let (options, json) = (caller.borrow_mut(options)?, caller.text(json)?);
        options.merge_json(json)
    })
}

/// The path under which the server answers: "/socket.io" by default, which is the empty text too.
///
/// Ownership: borrows `options`, copies `path`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_ARGUMENT when it does not begin with a slash, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_set_path(options: *mut sio_manager_options, path: sio_str) -> sio_status {
    guard!(|caller| {
        let (options, path) = (caller.borrow_mut(options)?, caller.text(path)?);
        options.path = match path {
            "" => ManagerConfig::default().path,
            path if path.starts_with('/') => path.into(),
            _ => return Err(invalid("a path begins with a slash")),
        };
        Ok(())
    })
}

/// Which transports may be used: a mask of sio_transport. With both, which is the default, a connection begins with
/// polling and is upgraded.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_ARGUMENT when there is another bit in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_set_transports(
    options: *mut sio_manager_options,
    mask: u32,
) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.transports = transports(mask)?;
        Ok(())
    })
}

/// Whether a connection goes from polling to WebSocket when the server offers it: it does by default.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_set_upgrade(
    options: *mut sio_manager_options,
    upgrade: bool,
) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.upgrade = upgrade;
        Ok(())
    })
}

/// Whether a lost or failed connection is opened again: it is by default.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_set_reconnection(
    options: *mut sio_manager_options,
    reconnection: bool,
) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.reconnection = reconnection;
        Ok(())
    })
}

/// How often that is tried before it is given up: for ever by default, which 0 and SIO_FOREVER stand for.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_set_reconnection_attempts(
    options: *mut sio_manager_options,
    attempts: u32,
) -> sio_status {
    guard!(|caller| {
        let limited = attempts != 0 && attempts != SIO_FOREVER;
        caller.borrow_mut(options)?.reconnection_attempts = limited.then_some(attempts.into());
        Ok(())
    })
}

/// How long to wait before an attempt: `min_ms` (1,000 by default) before the first, twice as long before each that
/// follows, at most `max_ms` (5,000 by default). Each wait is changed at random by at most `randomization_factor` of
/// itself (the official default is 0.5; 0 is no randomness).
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_ARGUMENT when `randomization_factor` is not from 0 to 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_set_reconnection_delay(
    options: *mut sio_manager_options,
    min_ms: u32,
    max_ms: u32,
    randomization_factor: f64,
) -> sio_status {
    guard!(|caller| {
        let options = caller.borrow_mut(options)?;
        if !(0.0..=1.0).contains(&randomization_factor) {
            return Err(invalid("the randomization factor is from 0 to 1"));
        }
        let default = ManagerConfig::default();
        options.reconnection_delay = option(min_ms, default.reconnection_delay);
        options.reconnection_delay_max = option(max_ms, default.reconnection_delay_max);
        options.randomization_factor = randomization_factor;
        Ok(())
    })
}

/// Milliseconds that opening a connection may take: 20,000 by default, SIO_FOREVER is no limit.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_set_timeout(options: *mut sio_manager_options, ms: u32) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.timeout = option(ms, ManagerConfig::default().timeout);
        Ok(())
    })
}

/// Adds a key to the query of every request, or changes it.
///
/// Ownership: borrows `options`, copies `key` and `value`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_set_query(
    options: *mut sio_manager_options,
    key: sio_str,
    value: sio_str,
) -> sio_status {
    guard!(|caller| set_pair(caller, &mut caller.borrow_mut(options)?.query, key, value))
}

/// Adds a header to every request and to the WebSocket handshake, or changes it.
///
/// Ownership: borrows `options`, copies `name` and `value`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_UTF8; what cannot be a header makes sio_manager_new fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_set_extra_header(
    options: *mut sio_manager_options,
    name: sio_str,
    value: sio_str,
) -> sio_status {
    guard!(|caller| set_pair(caller, &mut caller.borrow_mut(options)?.extra_headers, name, value))
}

/// What clients without a credential of their own send to be let in: the text of a JSON object; nothing when it is empty.
///
/// Ownership: borrows `options`, copies `json`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_ARGUMENT when it is no object, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_set_auth_json(
    options: *mut sio_manager_options,
    json: sio_str,
) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.auth_json = auth(caller.text(json)?)?;
        Ok(())
    })
}

/// Whether a client connects when it is made: it does by default. A program that must not miss the first connection turns
/// it off, adds its listeners, and calls sio_client_connect.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_set_auto_connect(
    options: *mut sio_manager_options,
    auto_connect: bool,
) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.auto_connect = auto_connect;
        Ok(())
    })
}

/// Bytes that may wait to be sent: 16 MiB by default, SIO_FOREVER is no limit. Past it, emitting answers
/// SIO_ERR_BACKPRESSURE.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_set_max_buffered_bytes(
    options: *mut sio_manager_options,
    bytes: u64,
) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.max_buffered_bytes = size(bytes, ManagerConfig::default().max_buffered_bytes);
        Ok(())
    })
}

/// Where callbacks run: a sio_delivery_mode, SIO_DELIVERY_THREADS by default.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_ARGUMENT when there is no such mode; SIO_ERR_INVALID_STATE for SIO_DELIVERY_QUEUE before a queue was
/// given by sio_manager_options_set_queue, which chooses that mode itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_set_delivery(options: *mut sio_manager_options, mode: i32) -> sio_status {
    guard!(|caller| caller.borrow_mut(options)?.delivery.choose(mode))
}

/// Has callbacks run where the host dispatches `queue` (SIO_DELIVERY_QUEUE). Without a runtime of its own, the manager uses
/// that of the queue.
///
/// Ownership: borrows `options` and `queue`; the options, and the managers made with them, keep the queue's insides, yet the host's last
/// sio_queue_release closes it.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_set_queue(
    options: *mut sio_manager_options,
    queue: *mut sio_queue,
) -> sio_status {
    guard!(|caller| {
        let queue = OfProcess::new(caller.borrow(queue)?.host().clone());
        caller.borrow_mut(options)?.delivery = DeliveryMode::Queue(queue);
        Ok(())
    })
}

/// Frees the options.
///
/// Ownership: consumes `options`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_manager_options_free(options: *mut sio_manager_options) {
    guard!(|caller| caller.free(options))
}

/// Options with their defaults.
///
/// Ownership: returns owned options.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_options_new() -> *mut sio_client_options {
    guard!(Ok(give(Owned::new(SocketConfig::default()))))
}

/// What the client sends to be let in: the text of a JSON object; what its manager has for it when it is empty.
///
/// Ownership: borrows `options`, copies `json`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_ARGUMENT when it is no object, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_options_set_auth_json(
    options: *mut sio_client_options,
    json: sio_str,
) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.auth_json = auth(caller.text(json)?)?;
        Ok(())
    })
}

/// Frees the options.
///
/// Ownership: consumes `options`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_client_options_free(options: *mut sio_client_options) {
    guard!(|caller| caller.free(options))
}

impl Handle for sio_manager_options {
    type Object = Owned<ManagerConfig>;
}

impl Content for ManagerConfig {
    const KIND: Kind = Kind::new(*b"mopt");
}

impl Handle for sio_client_options {
    type Object = Owned<SocketConfig>;
}

impl Content for SocketConfig {
    const KIND: Kind = Kind::new(*b"copt");
}

fn set_pair(caller: &Caller, pairs: &mut Vec<(String, String)>, name: sio_str, value: sio_str) -> Result<()> {
    let (name, value) = (caller.text(name)?, caller.text(value)?);
    pairs.retain(|(known, _)| known != name);
    pairs.push((name.to_owned(), value.to_owned()));
    Ok(())
}

/// What a client says to be let in: an object, or nothing.
pub(crate) fn auth(json: &str) -> Result<Option<String>> {
    if json.is_empty() {
        return Ok(None);
    }
    match Value::parse(json, &[])?.data() {
        Data::Object(_) => Ok(Some(json.to_owned())),
        _ => Err(invalid("the auth must be a JSON object")),
    }
}
