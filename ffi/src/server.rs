//! Servers.

use std::ffi::c_void;

use socketio_core::data::Kind;
use socketio_core::server::{Server, ServerConfig};
use socketio_core::{Error, ErrorKind};

use crate::error::{done, sio_done_fn};
use crate::handle::{Handle, Object, Owned, give, share};
use crate::runtime::{sio_runtime, time};
use crate::server_options::sio_server_options;
use crate::status::sio_status;
use crate::text::{sio_destroy_fn, sio_str, sio_string};

/// A server: its listeners, its namespaces and their sockets. It closes when its last reference is released, if it was
/// not closed before.
///
/// Methods: sio_server_new, sio_server_listen, sio_server_get_address, sio_server_of, sio_server_on_request,
/// sio_server_clients_count, sio_server_close, sio_server_close_wait, sio_server_retain, sio_server_release.
pub struct sio_server {
    _opaque: [u8; 0],
}

/// A server that does not listen yet.
///
/// Ownership: borrows `runtime` and `options`, both of which may be NULL; `out` receives an owned reference.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_ARGUMENT when options do not fit together.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_new(
    runtime: *mut sio_runtime,
    options: *const sio_server_options,
    out: *mut *mut sio_server,
) -> sio_status {
    guard!(|caller| {
        let out = caller.out(out)?;
        let config = if options.is_null() { ServerConfig::default() } else { (**caller.borrow(options)?).clone() };
        out.write(share(Server::new(&caller.runtime_for(runtime, &config.delivery)?, &config)?));
        Ok(())
    })
}

/// Listens on one more address: "127.0.0.1:3000", "[::1]:3000", "localhost:3000", "unix:/path". Port 0 is any that is
/// free; sio_server_get_address tells which.
///
/// Ownership: borrows `server` and `address`; takes `user_data` over with `destroy`. `function`, which may be NULL, is
/// called when the server listens; not when this call fails.
/// Thread: any.
/// Errors: SIO_ERR_INVALID_ARGUMENT when it is no address, SIO_ERR_ADDRESS_IN_USE, SIO_ERR_RESOLVE, SIO_ERR_IO,
/// SIO_ERR_CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_listen(
    server: *mut sio_server,
    address: sio_str,
    function: sio_done_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
) -> sio_status {
    guard!(|caller| {
        let callback = caller.optional_callback(function, user_data, destroy);
        caller.borrow(server)?.listen(caller.text(address)?, done(callback))
    })
}

/// Address number `i` of those that the server listens on, its port filled in.
///
/// Ownership: borrows `server`; `out` receives an owned text, to be freed with sio_string_free.
/// Thread: any.
/// Errors: SIO_ERR_NOT_FOUND when there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_get_address(
    server: *mut sio_server,
    i: usize,
    out: *mut *mut sio_string,
) -> sio_status {
    guard!(|caller| {
        let (server, out) = (caller.borrow(server)?, caller.out(out)?);
        let address = server.address(i).ok_or_else(|| Error::new(ErrorKind::NotFound, "no such address"))?;
        out.write(give(Owned::new(address)));
        Ok(())
    })
}

/// Number of connections.
///
/// Ownership: borrows `server`.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_clients_count(server: *mut sio_server) -> u64 {
    guard!(|caller| Ok(caller.borrow(server)?.clients_count() as u64))
}

/// Closes the server: it listens no more, and its sockets are disconnected for "server shutting down". It may be called
/// again.
///
/// Ownership: borrows `server`; takes `user_data` over with `destroy`. `function`, which may be NULL, is called when the
/// last socket is gone and its callbacks have run.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_close(
    server: *mut sio_server,
    function: sio_done_fn,
    user_data: *mut c_void,
    destroy: sio_destroy_fn,
) -> sio_status {
    guard!(|caller| {
        let callback = caller.optional_callback(function, user_data, destroy);
        caller.borrow(server)?.close(done(callback));
        Ok(())
    })
}

/// Closes the server and waits until it is closed.
/// With a queue, its callbacks run on this thread meanwhile, unless another thread dispatches it.
///
/// Ownership: borrows `server`.
/// Thread: any that delivers no callbacks.
/// Errors: SIO_ERR_TIMEOUT when that takes longer than `timeout_ms`, SIO_ERR_WOULD_DEADLOCK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_close_wait(server: *mut sio_server, timeout_ms: u32) -> sio_status {
    guard!(|caller| caller.borrow(server)?.close_wait(time(timeout_ms)))
}

/// One more reference.
///
/// Ownership: borrows `server`; returns an owned reference to it.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_retain(server: *mut sio_server) -> *mut sio_server {
    guard!(|caller| caller.retain(server))
}

/// Gives a reference back. With the last one the server closes, and tells nobody when it is closed.
///
/// Ownership: consumes `server`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_server_release(server: *mut sio_server) {
    guard!(|caller| caller.release(server))
}

impl Handle for sio_server {
    type Object = Server;
}

// SAFETY: `Server` is `#[repr(C)]` with its tag in front.
unsafe impl Object for Server {
    const KIND: Kind = Server::KIND;
}
