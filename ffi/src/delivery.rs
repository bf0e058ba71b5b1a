//! Deliveries as records: for bindings, which hand them on in their own way instead of being called.

use std::cell::RefCell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Arc;

use socketio_core::client::{Auth, Socket as Client};
use socketio_core::data::{Kind, Payload};
use socketio_core::runtime::dispatch::event::Event;
use socketio_core::server::{Next, Reply, Request, Socket};
use socketio_core::{Error, ErrorKind};

use crate::auth::sio_auth;
use crate::callback::UserData;
use crate::client::sio_client;
use crate::error::{Failure, sio_error};
use crate::event::sio_event;
use crate::handle::{Content, Handle, Owned, give, give_viewed, lend, lend_mut, lend_ref};
use crate::middleware::sio_next;
use crate::payload::{lend_payload, sio_payload};
use crate::queue::sio_queue;
use crate::request::{sio_reply, sio_request};
use crate::socket::sio_socket;
use crate::status::sio_status;
use crate::text::sio_str;

/// Which callback a sio_delivery stands for. New ones may come: ignore those that you do not know.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum sio_delivery_kind {
    /// An empty record.
    SIO_DELIVERY_KIND_NONE = 0,
    /// A sio_event_fn: `socket`, `event`.
    SIO_DELIVERY_KIND_EVENT = 1,
    /// A sio_connection_fn: `socket`.
    SIO_DELIVERY_KIND_CONNECTION = 2,
    /// A sio_disconnect_fn of sio_socket_on_disconnecting: `socket`, `text` is the reason, `message` the rooms that it was in
    /// when the record was taken, as a JSON array of text. By now it may have left them.
    SIO_DELIVERY_KIND_DISCONNECTING = 3,
    /// A sio_disconnect_fn: `socket`, `text` is the reason.
    SIO_DELIVERY_KIND_DISCONNECT = 4,
    /// A sio_ack_fn: `status`, `payload`.
    SIO_DELIVERY_KIND_ACK = 5,
    /// A sio_done_fn: `status`, `error`.
    SIO_DELIVERY_KIND_DONE = 6,
    /// A sio_request_fn: `request`, `reply`, which is yours to use up.
    SIO_DELIVERY_KIND_REQUEST = 7,
    /// A sio_client_event_fn: `client`, `event`.
    SIO_DELIVERY_KIND_CLIENT_EVENT = 8,
    /// A sio_client_connect_fn: `client`.
    SIO_DELIVERY_KIND_CLIENT_CONNECT = 9,
    /// A sio_client_error_fn: `client`, `error`.
    SIO_DELIVERY_KIND_CLIENT_CONNECT_ERROR = 10,
    /// A sio_client_disconnect_fn: `client`, `text` is the reason.
    SIO_DELIVERY_KIND_CLIENT_DISCONNECT = 11,
    /// A sio_manager_fn: `status` is the sio_manager_event, `attempt`, `text` is the reason, `error`.
    SIO_DELIVERY_KIND_MANAGER = 12,
    /// A sio_log_fn: `status` is the sio_log_level, `text` the target, `message`.
    SIO_DELIVERY_KIND_LOG = 13,
    /// A sio_middleware_fn: `socket`, `next`, which is yours to use up.
    SIO_DELIVERY_KIND_MIDDLEWARE = 14,
    /// A sio_auth_fn: `client`, `auth`, which is yours to use up.
    SIO_DELIVERY_KIND_CLIENT_AUTH = 15,
}

/// One call that was not made: what the callback would have received. Fields that its kind does not name are NULL, 0 or
/// empty. All pointers but `reply`, `next` and `auth` are borrowed from the record: they live until sio_delivery_clear, and `_retain` keeps
/// what they point to for longer.
#[repr(C)]
pub struct sio_delivery {
    /// A sio_delivery_kind.
    pub kind: i32,
    /// What `kind` says.
    pub status: i32,
    /// The `user_data` of the registration, which is not destroyed before sio_delivery_clear.
    pub user_data: *mut c_void,
    /// What `kind` says.
    pub socket: *mut sio_socket,
    /// What `kind` says.
    pub client: *mut sio_client,
    /// What `kind` says.
    pub event: *mut sio_event,
    /// What `kind` says.
    pub payload: *const sio_payload,
    /// What `kind` says.
    pub error: *const sio_error,
    /// What `kind` says.
    pub request: *const sio_request,
    /// What `kind` says. Owned, as in the callback.
    pub reply: *mut sio_reply,
    /// What `kind` says. Owned, as in the callback.
    pub next: *mut sio_next,
    /// What `kind` says. Owned, as in the callback.
    pub auth: *mut sio_auth,
    /// What `kind` says.
    pub text: sio_str,
    /// What `kind` says.
    pub message: sio_str,
    /// The number of the attempt to reconnect.
    pub attempt: u32,
    /// Nothing yet.
    pub reserved: u32,
    /// The library's own.
    pub owner: *mut c_void,
}

/// Takes what sio_queue_dispatch would call callbacks for, as records: for bindings. What was taken counts as handled, and
/// more is read from its connection. Everything else is as with sio_queue_dispatch.
///
/// Ownership: borrows `queue`; writes at most `capacity` records to `out`, which are the host's until it gives them to
/// sio_delivery_clear; `count` receives how many.
/// Thread: any, one at a time.
/// Errors: SIO_ERR_INVALID_STATE, SIO_ERR_CLOSED as sio_queue_dispatch; SIO_ERR_INVALID_ARGUMENT when `capacity` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_queue_take(
    queue: *mut sio_queue,
    out: *mut sio_delivery,
    capacity: usize,
    count: *mut usize,
) -> sio_status {
    guard!(|caller| {
        let (queue, count) = (caller.share(queue)?, caller.out(count)?);
        let out = caller.slice_mut(out.cast::<MaybeUninit<sio_delivery>>(), capacity)?;
        if out.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "there is no room for a record"));
        }
        count.write(queue.take(out)?);
        Ok(())
    })
}

/// Gives records back, and what they hold. The records are empty afterwards.
///
/// Ownership: borrows the `count` records at `deliveries`, which may be NULL when there are none.
/// Thread: any; `destroy` of a registration that is gone may run here.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_delivery_clear(deliveries: *mut sio_delivery, count: usize) {
    guard!(|caller| {
        let mut cleared = Ok(());
        for delivery in caller.slice_mut(deliveries, count)? {
            let owner = std::mem::replace(delivery, sio_delivery::EMPTY).owner;
            // One that cannot be given back, as in a forked child, leaves the others to be.
            cleared = cleared.and(caller.free(owner.cast::<Owner>()));
        }
        cleared
    })
}

/// What a record holds for as long as the host has it.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) kind: Option<sio_delivery_kind>,
    pub(crate) status: i32,
    pub(crate) attempt: u32,
    pub(crate) socket: Option<Arc<Socket>>,
    pub(crate) client: Option<Arc<Client>>,
    pub(crate) event: Option<Event>,
    pub(crate) payload: Option<Payload>,
    pub(crate) error: Option<Owned<Failure>>,
    pub(crate) request: Option<Request>,
    pub(crate) reply: Option<Reply>,
    pub(crate) next: Option<Next>,
    pub(crate) auth: Option<Auth>,
    pub(crate) text: String,
    pub(crate) message: String,
}

/// A record with what the registration of its callback keeps alive.
pub(crate) struct Kept {
    record: Record,
    user_data: Arc<UserData>,
}

/// What the `owner` of a record is.
struct Owner;

impl Handle for Owner {
    type Object = Owned<Kept>;
}

impl Content for Kept {
    const KIND: Kind = Kind::of_process(*b"dlvr");
}

thread_local! {
    /// The records of the calls that this thread would have made, while it takes them.
    static RECORDS: RefCell<Option<Vec<Kept>>> = const { RefCell::new(None) };
}

/// Whether this thread makes records instead of calls.
pub(crate) fn is_recording() -> bool {
    RECORDS.with_borrow(Option::is_some)
}

/// How many records this thread has made.
pub(crate) fn recorded() -> usize {
    RECORDS.with_borrow(|records| records.as_ref().map_or(0, Vec::len))
}

/// Has the calls that `work` leads to recorded.
pub(crate) fn record<R>(work: impl FnOnce() -> R) -> (R, Vec<Kept>) {
    RECORDS.set(Some(Vec::new()));
    let result = work();
    (result, RECORDS.take().unwrap_or_default())
}

/// Keeps the record of a call with that `user_data`.
pub(crate) fn keep(record: Record, user_data: &Arc<UserData>) {
    let kept = Kept { record, user_data: user_data.clone() };
    RECORDS.with_borrow_mut(|records| records.get_or_insert_default().push(kept));
}

impl Record {
    /// A record of this kind that holds nothing.
    pub(crate) fn new(kind: sio_delivery_kind) -> Self {
        Self { kind: Some(kind), ..Self::default() }
    }

    /// The same with an error, and its status.
    pub(crate) fn with_error(mut self, error: &Error) -> Self {
        self.status = sio_status::from(error.kind()) as i32;
        self.error = Some(Owned::new(Failure::new(error)));
        self
    }
}

impl Kept {
    /// The record as the host gets it.
    pub(crate) fn into_delivery(self) -> sio_delivery {
        give_viewed::<Owner, _>(Owned::new(self), |kept, owner| {
            let Self { record, user_data } = &mut **kept;
            sio_delivery {
                kind: record.kind.map_or(0, |kind| kind as i32),
                status: record.status,
                user_data: user_data.pointer(),
                socket: record.socket.as_ref().map_or(std::ptr::null_mut(), lend),
                client: record.client.as_ref().map_or(std::ptr::null_mut(), lend),
                event: record.event.as_mut().map_or(std::ptr::null_mut(), lend_mut),
                payload: lend_payload(record.payload.as_ref()),
                error: record.error.as_ref().map_or(std::ptr::null(), lend_ref),
                request: record.request.as_ref().map_or(std::ptr::null(), lend_ref),
                reply: record.reply.take().map_or(std::ptr::null_mut(), give),
                next: record.next.take().map_or(std::ptr::null_mut(), give),
                auth: record.auth.take().map_or(std::ptr::null_mut(), give),
                text: sio_str::new(&record.text),
                message: sio_str::new(&record.message),
                attempt: record.attempt,
                reserved: 0,
                owner: owner.cast(),
            }
        })
    }
}

impl sio_delivery {
    const EMPTY: Self = Self {
        kind: 0,
        status: 0,
        user_data: std::ptr::null_mut(),
        socket: std::ptr::null_mut(),
        client: std::ptr::null_mut(),
        event: std::ptr::null_mut(),
        payload: std::ptr::null(),
        error: std::ptr::null(),
        request: std::ptr::null(),
        reply: std::ptr::null_mut(),
        next: std::ptr::null_mut(),
        auth: std::ptr::null_mut(),
        text: sio_str::EMPTY,
        message: sio_str::EMPTY,
        attempt: 0,
        reserved: 0,
        owner: std::ptr::null_mut(),
    };
}
