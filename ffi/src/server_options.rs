//! How a server behaves.

use std::time::Duration;

use socketio_core::data::{Kind, Limits, Value};
use socketio_core::proto::engine::packet::Transport;
use socketio_core::runtime::OfProcess;
use socketio_core::runtime::dispatch::DeliveryMode;
use socketio_core::server::ServerConfig;
use socketio_core::{Error, ErrorKind, Result};

use crate::guard::invalid;
use crate::handle::{Content, Handle, Owned, give};
use crate::queue::sio_queue;
use crate::runtime::{SIO_FOREVER, time};
use crate::status::sio_status;
use crate::text::sio_str;

/// How a server behaves: every option has the official default until it is set. In all of them 0 is that default.
///
/// Methods: sio_server_options_new, sio_server_options_set_json, .._path, .._ping_interval, .._ping_timeout,
/// .._upgrade_timeout, .._connect_timeout, .._max_http_buffer_size, .._transports, .._allow_upgrades, .._cors,
/// .._max_buffered_bytes, .._delivery, .._queue, sio_server_options_free.
pub struct sio_server_options {
    _opaque: [u8; 0],
}

/// How Engine.IO travels. Values are added to a mask where several are meant.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sio_transport {
    /// HTTP long-polling.
    SIO_TRANSPORT_POLLING = 1,
    /// WebSocket.
    SIO_TRANSPORT_WEBSOCKET = 2,
}

/// Where callbacks run.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sio_delivery_mode {
    /// On threads of the library that do nothing else.
    SIO_DELIVERY_THREADS = 0,
    /// On a thread of the host, when it dispatches a sio_queue.
    SIO_DELIVERY_QUEUE = 1,
    /// Where the event was read, on an I/O thread: the quickest way, for callbacks that never block. While one runs, all
    /// connections of its thread wait; callbacks of different connections run at once, on as many threads as the runtime
    /// has workers. With the log at SIO_LOG_DEBUG, one that takes over a millisecond is reported.
    SIO_DELIVERY_INLINE = 2,
}

/// Options with their defaults.
///
/// Ownership: returns owned options.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_options_new() -> *mut sio_server_options {
    guard!(Ok(give(Owned::new(ServerConfig::default()))))
}

/// Sets the options that a JSON object names, by their official names: `{"pingInterval":25000,"cors":{"origin":"*"}}`.
/// Unknown ones are ignored and logged.
///
/// Ownership: borrows `options` and `json`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_ARGUMENT when a value does not fit; SIO_ERR_UNSUPPORTED, whose message
/// names it, for an option that is not built yet. Nothing is set then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_options_set_json(options: *mut sio_server_options, json: sio_str) -> sio_status {
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
pub unsafe extern "C" fn sio_server_options_set_path(options: *mut sio_server_options, path: sio_str) -> sio_status {
    guard!(|caller| {
        let (options, path) = (caller.borrow_mut(options)?, caller.text(path)?);
        options.path = match path {
            "" => ServerConfig::default().path,
            path if path.starts_with('/') => path.into(),
            _ => return Err(invalid("a path begins with a slash")),
        };
        Ok(())
    })
}

/// Milliseconds between two pings of a connection: 25,000 by default, at most 12 days, which SIO_FOREVER stands for:
/// JavaScript clients have no longer timers.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_options_set_ping_interval(options: *mut sio_server_options, ms: u32) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.ping_interval = heartbeat(ms, ServerConfig::default().ping_interval);
        Ok(())
    })
}

/// Milliseconds after a ping within which the pong has to come: 20,000 by default, at most 12 days as well.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_options_set_ping_timeout(options: *mut sio_server_options, ms: u32) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.ping_timeout = heartbeat(ms, ServerConfig::default().ping_timeout);
        Ok(())
    })
}

/// Milliseconds that an upgrade from polling to WebSocket may take: 10,000 by default.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_options_set_upgrade_timeout(
    options: *mut sio_server_options,
    ms: u32,
) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.upgrade_timeout = option(ms, ServerConfig::default().upgrade_timeout);
        Ok(())
    })
}

/// Milliseconds within which a connection has to join a namespace: 45,000 by default.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_options_set_connect_timeout(
    options: *mut sio_server_options,
    ms: u32,
) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.connect_timeout = option(ms, ServerConfig::default().connect_timeout);
        Ok(())
    })
}

/// Bytes that one message may have: 1,000,000 by default.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_options_set_max_http_buffer_size(
    options: *mut sio_server_options,
    bytes: u64,
) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.limits.max_payload = size(bytes, Limits::DEFAULT.max_payload);
        Ok(())
    })
}

/// Which transports clients may use: a mask of sio_transport, both by default.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_ARGUMENT when there is another bit in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_options_set_transports(options: *mut sio_server_options, mask: u32) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.transports = transports(mask)?;
        Ok(())
    })
}

/// Whether a connection may go from polling to WebSocket: it may by default.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_options_set_allow_upgrades(
    options: *mut sio_server_options,
    allow: bool,
) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.allow_upgrades = allow;
        Ok(())
    })
}

/// Which pages of other origins may connect: the official `cors` object, `{"origin":"*"}` for instance. By default none
/// may; the empty text is that default.
///
/// Ownership: borrows `options` and `json`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_JSON, SIO_ERR_INVALID_ARGUMENT, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_options_set_cors(options: *mut sio_server_options, json: sio_str) -> sio_status {
    guard!(|caller| {
        let (options, json) = (caller.borrow_mut(options)?, caller.text(json)?);
        if json.is_empty() {
            options.cors = None;
            return Ok(());
        }
        // Checked by itself, so that it cannot reach beyond its place in the object.
        Value::parse(json, &[])?;
        options.merge_json(&format!("{{\"cors\":{json}}}"))
    })
}

/// Bytes that may wait to be sent to one connection: 16 MiB by default, SIO_FOREVER is no limit. Past it, emitting
/// answers SIO_ERR_BACKPRESSURE, and volatile events are dropped.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_options_set_max_buffered_bytes(
    options: *mut sio_server_options,
    bytes: u64,
) -> sio_status {
    guard!(|caller| {
        caller.borrow_mut(options)?.limits.queued_bytes = size(bytes, Limits::DEFAULT.queued_bytes);
        Ok(())
    })
}

/// Where callbacks run: a sio_delivery_mode, SIO_DELIVERY_THREADS by default.
///
/// Ownership: borrows `options`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_ARGUMENT when there is no such mode; SIO_ERR_INVALID_STATE for SIO_DELIVERY_QUEUE before a queue was
/// given by sio_server_options_set_queue, which chooses that mode itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_options_set_delivery(options: *mut sio_server_options, mode: i32) -> sio_status {
    guard!(|caller| caller.borrow_mut(options)?.delivery.choose(mode))
}

/// Has callbacks run where the host dispatches `queue` (SIO_DELIVERY_QUEUE). Without a runtime of its own, the server uses
/// that of the queue.
///
/// Ownership: borrows `options` and `queue`; the options, and the servers made with them, keep the queue's insides, yet the host's last
/// sio_queue_release closes it.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_options_set_queue(
    options: *mut sio_server_options,
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
pub unsafe extern "C" fn sio_server_options_free(options: *mut sio_server_options) {
    guard!(|caller| caller.free(options))
}

impl Handle for sio_server_options {
    type Object = Owned<ServerConfig>;
}

impl Content for ServerConfig {
    const KIND: Kind = Kind::new(*b"sopt");
}

/// A time of an option.
pub(crate) fn option(ms: u32, default: Duration) -> Duration {
    if ms == 0 { default } else { time(ms) }
}

/// A time of the heartbeat. Clients add the two, and JavaScript's timers end at 2^31 ms.
fn heartbeat(ms: u32, default: Duration) -> Duration {
    option(ms, default).min(Duration::from_millis((1 << 30) - 1))
}

/// A number of bytes of an option.
pub(crate) fn size(bytes: u64, default: usize) -> usize {
    match bytes {
        0 => default,
        bytes if bytes >= u64::from(SIO_FOREVER) => usize::MAX,
        bytes => bytes as usize,
    }
}

/// The transports of a mask.
pub(crate) fn transports(mask: u32) -> Result<Vec<Transport>> {
    const POLLING: u32 = sio_transport::SIO_TRANSPORT_POLLING as u32;
    const WEBSOCKET: u32 = sio_transport::SIO_TRANSPORT_WEBSOCKET as u32;
    match mask {
        POLLING => Ok(vec![Transport::Polling]),
        WEBSOCKET => Ok(vec![Transport::WebSocket]),
        0 | 3 => Ok(vec![Transport::Polling, Transport::WebSocket]),
        _ => Err(invalid("no such transport")),
    }
}

/// How C chooses where callbacks run.
pub(crate) trait ChooseDelivery {
    /// Takes a sio_delivery_mode.
    fn choose(&mut self, mode: i32) -> Result<()>;
}

impl ChooseDelivery for DeliveryMode {
    fn choose(&mut self, mode: i32) -> Result<()> {
        *self = match (mode, &*self) {
            (0, _) => Self::Threads,
            (1, Self::Queue(_)) => return Ok(()),
            (1, _) => return Err(Error::new(ErrorKind::InvalidState, "there is no queue yet: set_queue gives one")),
            (2, _) => Self::Inline,
            _ => return Err(invalid("no such mode of delivery")),
        };
        Ok(())
    }
}
