//! Events as they are received.

use socketio_core::data::Kind;
use socketio_core::runtime::dispatch::event::Event;
use socketio_core::runtime::dispatch::listeners::ListenerId;
use socketio_core::{Error, ErrorKind, Result};

use crate::ack::sio_ack;
use crate::guard::Caller;
use crate::handle::{Handle, Object, give};
use crate::payload::{lend_payload, sio_payload};
use crate::text::sio_str;

/// Names a listener, uniquely in the process. 0 is none.
pub type sio_listener = u64;

/// An event that a callback receives: borrowed until it returns; sio_event_retain keeps it.
///
/// Methods: sio_event_name, sio_event_get_payload, sio_event_take_ack, sio_event_retain, sio_event_release.
pub struct sio_event {
    _opaque: [u8; 0],
}

/// The name of the event.
///
/// Ownership: borrows `event`; the text lives as long as it.
/// Thread: any, until the callback returns.
/// Errors: no text when `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_event_name(event: *const sio_event) -> sio_str {
    guard!(|caller| Ok(sio_str::new(caller.borrow(event)?.name())))
}

/// The arguments of the event. To send it on unchanged costs nothing but the sending.
///
/// Ownership: borrows `event`; the payload is borrowed from it.
/// Thread: any, until the callback returns.
/// Errors: NULL when `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_event_get_payload(event: *const sio_event) -> *const sio_payload {
    guard!(|caller| Ok(lend_payload(Some(caller.borrow(event)?.payload()))))
}

/// The right to answer the event: at any time, from any thread, once.
///
/// Ownership: borrows `event`; returns an owned ack, to be used up by sio_ack_send or sio_ack_drop.
/// Thread: that of the callback.
/// Errors: NULL when the sender wants no ack, or it was taken before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_event_take_ack(event: *mut sio_event) -> *mut sio_ack {
    guard!(|caller| Ok(caller.borrow_mut(event)?.take_ack().map_or(std::ptr::null_mut(), give)))
}

/// Keeps an event beyond the callback. The right to answer does not come along: take it before.
///
/// Ownership: borrows `event`; returns an owned event, which is another pointer: keep that one.
/// Thread: any.
/// Errors: NULL when `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_event_retain(event: *const sio_event) -> *mut sio_event {
    guard!(|caller| Ok(give(caller.borrow(event)?.clone())))
}

/// Gives back an event that sio_event_retain returned.
///
/// Ownership: consumes `event`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_event_release(event: *mut sio_event) {
    guard!(|caller| caller.free(event))
}

impl Caller {
    /// Registers a listener: `add` does it, and its name goes to `out` unless that is NULL.
    pub(crate) fn listen(&self, out: *mut sio_listener, add: impl FnOnce() -> Result<ListenerId>) -> Result<()> {
        let out = self.optional_out(out)?;
        let listener = add()?;
        if let Some(out) = out {
            out.write(listener.get());
        }
        Ok(())
    }
}

/// What `off` answers: whether there was such a listener.
pub(crate) fn unlisten(listener: sio_listener, remove: impl FnOnce(ListenerId) -> bool) -> Result<()> {
    if ListenerId::from_number(listener).is_some_and(remove) {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::NotFound, "no such listener"))
    }
}

impl Handle for sio_event {
    type Object = Event;
}

// SAFETY: `Event` is `#[repr(C)]` with its tag in front.
unsafe impl Object for Event {
    const KIND: Kind = Event::KIND;
}
