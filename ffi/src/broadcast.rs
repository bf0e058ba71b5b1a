//! Broadcasts: to whom an event goes that is not for one socket.

use socketio_core::data::Kind;
use socketio_core::server::Broadcast;
use socketio_core::{Error, Result};

use crate::handle::{Content, Handle, Owned, give};
use crate::namespace::sio_namespace;
use crate::payload::sio_payload;
use crate::socket::sio_socket;
use crate::status::sio_status;
use crate::text::sio_str;

/// A broadcast in the making. Without any room it goes to the whole namespace; with several, to whoever is in one of them,
/// once. It may be used again.
///
/// Functions that add to it return it, so that calls can be chained. What they find wrong is what the last call of the
/// chain answers.
///
/// Methods: sio_namespace_broadcast, sio_socket_broadcast give one; sio_broadcast_to, sio_broadcast_except,
/// sio_broadcast_volatile, sio_broadcast_local add to it; sio_broadcast_emit, sio_broadcast_sockets_join,
/// sio_broadcast_sockets_leave, sio_broadcast_disconnect_sockets use it; sio_broadcast_free.
pub struct sio_broadcast {
    _opaque: [u8; 0],
}

/// A broadcast to every socket of a namespace.
///
/// Ownership: borrows `nsp`; returns an owned broadcast.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_namespace_broadcast(nsp: *mut sio_namespace) -> *mut sio_broadcast {
    guard!(|caller| Ok(Chain::start(caller.share(nsp)?.broadcast())))
}

/// A broadcast to every other socket of the socket's namespace.
///
/// Ownership: borrows `socket`; returns an owned broadcast.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_socket_broadcast(socket: *mut sio_socket) -> *mut sio_broadcast {
    guard!(|caller| Ok(Chain::start(caller.borrow(socket)?.broadcast())))
}

/// To the sockets in `room`, besides those in rooms named before.
///
/// Ownership: borrows `broadcast`, copies `room`; returns `broadcast`.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_broadcast_to(broadcast: *mut sio_broadcast, room: sio_str) -> *mut sio_broadcast {
    guard!(|caller| {
        let room = caller.text(room);
        caller.borrow_mut(broadcast)?.add(|broadcast| broadcast.to(room?).map(drop));
        Ok(broadcast)
    })
}

/// Not to the sockets in `room`.
///
/// Ownership: borrows `broadcast`, copies `room`; returns `broadcast`.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_broadcast_except(broadcast: *mut sio_broadcast, room: sio_str) -> *mut sio_broadcast {
    guard!(|caller| {
        let room = caller.text(room);
        caller.borrow_mut(broadcast)?.add(|broadcast| broadcast.except(room?).map(drop));
        Ok(broadcast)
    })
}

/// Drops the event for clients that it cannot be sent to at once.
///
/// Ownership: borrows `broadcast`; returns it.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_broadcast_volatile(broadcast: *mut sio_broadcast) -> *mut sio_broadcast {
    guard!(|caller| {
        caller.borrow_mut(broadcast)?.broadcast.volatile();
        Ok(broadcast)
    })
}

/// Only to sockets of this process, not to those of others in a cluster.
///
/// Ownership: borrows `broadcast`; returns it.
/// Thread: any, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_broadcast_local(broadcast: *mut sio_broadcast) -> *mut sio_broadcast {
    guard!(|caller| {
        caller.borrow_mut(broadcast)?.broadcast.local();
        Ok(broadcast)
    })
}

/// Sends an event. It is encoded once for all; a client with too much waiting to be sent to it is disconnected.
///
/// Ownership: borrows `broadcast`, `event` and `payload`, which may be NULL.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_ARGUMENT for a reserved event, SIO_ERR_TOO_LARGE when a room's name is, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_broadcast_emit(
    broadcast: *const sio_broadcast,
    event: sio_str,
    payload: *const sio_payload,
) -> sio_status {
    guard!(|caller| {
        let (broadcast, event) = (caller.borrow(broadcast)?.finish()?, caller.text(event)?);
        caller.with_payload(payload, |payload| broadcast.emit(event, payload))
    })
}

/// Puts the sockets into a room.
///
/// Ownership: borrows `broadcast`, copies `room`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_TOO_LARGE when a room's name is, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_broadcast_sockets_join(broadcast: *const sio_broadcast, room: sio_str) -> sio_status {
    guard!(|caller| caller.borrow(broadcast)?.finish()?.sockets_join(caller.text(room)?))
}

/// Takes the sockets out of a room.
///
/// Ownership: borrows `broadcast` and `room`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_TOO_LARGE when a room's name is, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_broadcast_sockets_leave(broadcast: *const sio_broadcast, room: sio_str) -> sio_status {
    guard!(|caller| {
        caller.borrow(broadcast)?.finish()?.sockets_leave(caller.text(room)?);
        Ok(())
    })
}

/// Disconnects the sockets from the namespace; with `close` from all of them, and closes their connections.
///
/// Ownership: borrows `broadcast`.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_TOO_LARGE when a room's name is, SIO_ERR_INVALID_UTF8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_broadcast_disconnect_sockets(broadcast: *const sio_broadcast, close: bool) -> sio_status {
    guard!(|caller| {
        caller.borrow(broadcast)?.finish()?.disconnect_sockets(close);
        Ok(())
    })
}

/// Frees the broadcast.
///
/// Ownership: consumes `broadcast`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_broadcast_free(broadcast: *mut sio_broadcast) {
    guard!(|caller| caller.free(broadcast))
}

/// A broadcast, and the first thing that was wrong with it.
pub(crate) struct Chain {
    broadcast: Broadcast,
    error: Option<Error>,
}

impl Chain {
    fn start(broadcast: Broadcast) -> *mut sio_broadcast {
        give(Owned::new(Self { broadcast, error: None }))
    }

    fn add(&mut self, change: impl FnOnce(&mut Broadcast) -> Result<()>) {
        if let Err(error) = change(&mut self.broadcast) {
            self.error.get_or_insert(error);
        }
    }

    fn finish(&self) -> Result<&Broadcast> {
        self.error.clone().map_or(Ok(&self.broadcast), Err)
    }
}

impl Handle for sio_broadcast {
    type Object = Owned<Chain>;
}

impl Content for Chain {
    const KIND: Kind = Kind::of_process(*b"bcst");
}
