//! The program's side of callbacks: what was registered, how often it was called, and that it was destroyed.
//!
//! A `user_data` is a number that is never used again, so that a call or destruction too many is seen whenever it comes.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use socketio::{
    sio_ack_drop, sio_ack_send, sio_auth, sio_auth_drop, sio_auth_send, sio_client, sio_client_connected,
    sio_client_emit, sio_delivery, sio_delivery_kind, sio_error, sio_error_get_data, sio_error_message,
    sio_error_status, sio_event, sio_event_get_payload, sio_event_name, sio_event_release, sio_event_retain,
    sio_event_take_ack, sio_manager_close_wait, sio_next, sio_next_accept, sio_next_drop, sio_next_reject, sio_payload,
    sio_payload_count, sio_payload_get_value, sio_payload_json, sio_payload_release, sio_payload_retain, sio_reply,
    sio_reply_drop, sio_reply_send, sio_request, sio_request_path, sio_socket, sio_socket_emit, sio_socket_retain,
    sio_status, sio_str,
};
use socketio::{sio_bytes, sio_client_get_manager, sio_value_clone, sio_value_free, sio_value_kind};

/// How long anything may take before it counts as hung.
pub(super) const HUNG: Duration = Duration::from_mins(1);

/// How often a callback is to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    Any,
    /// Once, if the registration succeeds.
    Once,
}

/// One `user_data` with its function.
#[derive(Debug)]
struct Entry {
    times: Times,
    calls: usize,
    registered: bool,
    destroyed: bool,
}

#[derive(Debug, Default)]
struct Registry {
    last: usize,
    entries: BTreeMap<usize, Entry>,
    /// References to sockets that have connected.
    sockets: Vec<usize>,
    /// What middlewares have not decided at once.
    undecided: Vec<usize>,
    /// What was asked for by clients and not answered at once.
    unanswered: Vec<usize>,
    /// The program ends: nothing is left for later.
    ending: bool,
}

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

static CHANGED: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until something is so; false when it hangs.
fn wait_until(time: Duration, is_so: impl Fn(&Registry) -> bool) -> bool {
    let waited = CHANGED.wait_timeout_while(lock(), time, |registry| !is_so(registry));
    let (_registry, result) = waited.unwrap_or_else(PoisonError::into_inner);
    !result.timed_out()
}

/// A new `user_data`.
pub(super) fn register(times: Times) -> *mut c_void {
    let mut registry = lock();
    registry.last += 1;
    let id = registry.last;
    registry.entries.insert(id, Entry { times, calls: 0, registered: false, destroyed: false });
    std::ptr::without_provenance_mut(id)
}

/// Whether the call that took the `user_data` has worked.
pub(super) fn registered(user_data: *mut c_void, worked: bool) {
    let mut registry = lock();
    let entry = registry.entries.get_mut(&user_data.addr()).expect("registered before");
    entry.registered = worked;
    assert!(worked || entry.destroyed && entry.calls == 0, "a call that fails destroys what it was given: {entry:?}");
}

/// The program forgets a `user_data` that it gave no `destroy` for: it may be called now or later.
pub(super) fn unwatched(user_data: *mut c_void) {
    lock().entries.remove(&user_data.addr());
}

/// Calls `pump` until all of these are destroyed; false when that hangs.
pub(super) fn until_destroyed(all: &[*mut c_void], pump: impl Fn()) -> bool {
    let begun = Instant::now();
    loop {
        pump();
        let destroyed = |registry: &Registry| {
            all.iter().all(|it| registry.entries.get(&it.addr()).is_none_or(|entry| entry.destroyed))
        };
        if wait_until(Duration::from_millis(5), destroyed) {
            return true;
        }
        if begun.elapsed() > HUNG {
            return false;
        }
    }
}

/// At the end of a program, when nothing is left that could call: everything is destroyed, and what is called once was,
/// unless it may have been given up.
pub(super) fn end(none_given_up: bool) {
    let all = wait_until(HUNG, |registry| registry.entries.values().all(|entry| entry.destroyed));
    let mut registry = lock();
    registry.ending = false;
    assert!(all, "not destroyed: {:?}", registry.entries.values().filter(|it| !it.destroyed).collect::<Vec<_>>());
    for entry in std::mem::take(&mut registry.entries).into_values() {
        let due = entry.times == Times::Once && entry.registered && none_given_up;
        assert!(!due || entry.calls == 1, "{entry:?}");
    }
}

/// Waits a moment for a socket to connect, if none has.
pub(super) fn await_socket() {
    let _ = wait_until(Duration::from_millis(100), |registry| !registry.sockets.is_empty());
}

/// A reference to a socket that has connected.
pub(super) fn take_socket() -> Option<*mut sio_socket> {
    lock().sockets.pop().map(std::ptr::with_exposed_provenance_mut)
}

/// Decides and answers one of what callbacks have left; all of it, and all that comes, when the program ends.
pub(super) fn catch_up(way: usize, ending: bool) {
    let most = if ending { usize::MAX } else { 1 };
    let take = |list: &mut Vec<usize>| list.split_off(list.len().saturating_sub(most));
    let mut registry = lock();
    registry.ending |= ending;
    let (undecided, unanswered) = (take(&mut registry.undecided), take(&mut registry.unanswered));
    drop(registry);
    for next in undecided {
        decide(std::ptr::with_exposed_provenance_mut(next), way);
    }
    for auth in unanswered {
        answer(std::ptr::with_exposed_provenance_mut(auth), way);
    }
}

fn decide(next: *mut sio_next, way: usize) {
    // SAFETY: the token is ours, and used up.
    unsafe {
        let status = match way % 4 {
            0 | 1 => sio_next_accept(next),
            2 => sio_next_reject(next, sio_str::new("no"), std::ptr::null()),
            _ => {
                sio_next_drop(next);
                sio_status::SIO_OK
            }
        };
        assert!(matches!(status, sio_status::SIO_OK | sio_status::SIO_ERR_CLOSED), "{status:?}");
    }
}

fn answer(auth: *mut sio_auth, way: usize) {
    use sio_status::{SIO_ERR_CLOSED, SIO_ERR_INVALID_JSON, SIO_OK};
    // SAFETY: the token is ours, and used up.
    unsafe {
        match way % 4 {
            0 => assert!(matches!(sio_auth_send(auth, sio_str::new("{\"a\":1}")), SIO_OK | SIO_ERR_CLOSED)),
            1 => assert!(matches!(sio_auth_send(auth, sio_str::EMPTY), SIO_OK | SIO_ERR_CLOSED)),
            2 => assert_eq!(sio_auth_send(auth, sio_str::new("{")), SIO_ERR_INVALID_JSON),
            _ => sio_auth_drop(auth),
        }
    }
}

/// Destroys a `user_data`.
pub(super) unsafe extern "C" fn destroy(user_data: *mut c_void) {
    let mut registry = lock();
    let entry = registry.entries.get_mut(&user_data.addr()).expect("destroyed in another program's life");
    assert!(!std::mem::replace(&mut entry.destroyed, true), "destroyed twice: {entry:?}");
    drop(registry);
    CHANGED.notify_all();
}

/// Counts a call; one of several ways for the callback to go on. A `user_data` without `destroy` is not watched.
fn called(user_data: *mut c_void) -> usize {
    if let Some(entry) = lock().entries.get_mut(&user_data.addr()) {
        entry.calls += 1;
        assert!(!entry.destroyed, "called when it was destroyed: {entry:?}");
        assert!(entry.times == Times::Any || entry.calls == 1, "called twice: {entry:?}");
    }
    user_data.addr()
}

/// The text, which the library lends.
///
/// # Safety
/// It does so as long as `text` is borrowed.
pub(super) unsafe fn text(text: &sio_str) -> &str {
    if text.len == 0 {
        return "";
    }
    // SAFETY: as the caller says.
    let bytes = unsafe { std::slice::from_raw_parts(text.ptr.cast::<u8>(), text.len) };
    std::str::from_utf8(bytes).expect("the library has no text that is not UTF-8")
}

/// Touches every byte of a text that is lent.
pub(super) fn read_text(lent: sio_str) {
    // SAFETY: the library lends it for now.
    let _ = unsafe { text(&lent) };
}

fn read_payload(payload: *const sio_payload) {
    // SAFETY: the payload is lent, or NULL; what it lends is used before it is given back.
    unsafe {
        read_text(sio_payload_json(payload));
        for i in 0..sio_payload_count(payload).min(4) {
            let value = sio_payload_get_value(payload, i);
            assert!((0..=7).contains(&sio_value_kind(value)));
            sio_value_free(sio_value_clone(value));
        }
        sio_payload_release(sio_payload_retain(payload));
    }
}

fn read_error(error: *const sio_error) {
    // SAFETY: the error is lent, or NULL.
    unsafe {
        assert!(error.is_null() || sio_error_status(error) != sio_status::SIO_OK as i32);
        read_text(sio_error_message(error));
        let data = sio_error_get_data(error);
        if !data.is_null() {
            read_payload(data);
        }
    }
}

fn read_event(event: *mut sio_event, way: usize) {
    // SAFETY: the event is lent; what is taken of it is used up.
    unsafe {
        read_text(sio_event_name(event));
        read_payload(sio_event_get_payload(event));
        let ack = sio_event_take_ack(event);
        assert!(sio_event_take_ack(event).is_null(), "an ack was taken twice");
        let kept = sio_event_retain(event);
        match way % 3 {
            0 => drop(sio_ack_send(ack, sio_event_get_payload(kept))),
            1 => sio_ack_drop(ack),
            _ => drop(sio_ack_send(ack, std::ptr::null())),
        }
        sio_event_release(kept);
    }
}

pub(super) unsafe extern "C" fn on_event(socket: *mut sio_socket, event: *mut sio_event, user_data: *mut c_void) {
    let way = called(user_data);
    read_event(event, way);
    if way.is_multiple_of(4) {
        // SAFETY: socket and event are lent.
        unsafe { sio_socket_emit(socket, sio_str::new("again"), sio_event_get_payload(event)) };
    }
}

pub(super) unsafe extern "C" fn on_client_event(
    client: *mut sio_client,
    event: *mut sio_event,
    user_data: *mut c_void,
) {
    let way = called(user_data);
    read_event(event, way);
    if way.is_multiple_of(8) {
        // SAFETY: client and event are lent.
        unsafe { sio_client_emit(client, sio_str::new("again"), sio_event_get_payload(event)) };
    }
}

pub(super) unsafe extern "C" fn on_middleware(socket: *mut sio_socket, next: *mut sio_next, user_data: *mut c_void) {
    let way = called(user_data);
    // SAFETY: the socket is lent. It waits, or is gone already.
    unsafe { sio_socket_emit(socket, sio_str::new("early"), std::ptr::null()) };
    let mut registry = lock();
    if way.is_multiple_of(5) && !registry.ending {
        registry.undecided.push(next.expose_provenance());
    } else {
        drop(registry);
        decide(next, way);
    }
}

pub(super) unsafe extern "C" fn on_auth(client: *mut sio_client, auth: *mut sio_auth, user_data: *mut c_void) {
    let way = called(user_data);
    // SAFETY: the client is lent.
    let _ = unsafe { sio_client_connected(client) };
    let mut registry = lock();
    if way.is_multiple_of(5) && !registry.ending {
        registry.unanswered.push(auth.expose_provenance());
    } else {
        drop(registry);
        answer(auth, way);
    }
}

pub(super) unsafe extern "C" fn on_connection(socket: *mut sio_socket, user_data: *mut c_void) {
    called(user_data);
    // SAFETY: the socket is lent.
    let kept = unsafe { sio_socket_retain(socket) };
    assert_eq!(kept, socket);
    lock().sockets.push(kept.expose_provenance());
    CHANGED.notify_all();
}

pub(super) unsafe extern "C" fn on_disconnect(
    _: *mut sio_socket,
    reason: sio_str,
    error: *const sio_error,
    user_data: *mut c_void,
) {
    called(user_data);
    read_text(reason);
    read_error(error);
}

pub(super) unsafe extern "C" fn on_client_disconnect(
    _: *mut sio_client,
    reason: sio_str,
    error: *const sio_error,
    user_data: *mut c_void,
) {
    called(user_data);
    read_text(reason);
    read_error(error);
}

pub(super) unsafe extern "C" fn on_connect(client: *mut sio_client, user_data: *mut c_void) {
    called(user_data);
    // SAFETY: the client is lent. To wait here would be to wait for oneself.
    unsafe {
        let _ = sio_client_connected(client);
        let status = sio_manager_close_wait(sio_client_get_manager(client), 1_000);
        assert_eq!(status, sio_status::SIO_ERR_WOULD_DEADLOCK);
    }
}

pub(super) unsafe extern "C" fn on_connect_error(_: *mut sio_client, error: *const sio_error, user_data: *mut c_void) {
    called(user_data);
    assert!(!error.is_null());
    read_error(error);
}

pub(super) unsafe extern "C" fn on_manager(
    event: i32,
    _: u32,
    reason: sio_str,
    error: *const sio_error,
    user_data: *mut c_void,
) {
    called(user_data);
    assert!((1..=8).contains(&event));
    read_text(reason);
    read_error(error);
}

pub(super) unsafe extern "C" fn on_ack(status: i32, response: *const sio_payload, user_data: *mut c_void) {
    called(user_data);
    assert_eq!(status == sio_status::SIO_OK as i32, !response.is_null());
    if !response.is_null() {
        read_payload(response);
    }
}

pub(super) unsafe extern "C" fn on_done(status: i32, error: *const sio_error, user_data: *mut c_void) {
    called(user_data);
    assert_eq!(status == sio_status::SIO_OK as i32, error.is_null());
    read_error(error);
}

pub(super) unsafe extern "C" fn on_request(request: *const sio_request, reply: *mut sio_reply, user_data: *mut c_void) {
    let way = called(user_data);
    // SAFETY: the request is lent, the reply is ours and used up.
    unsafe {
        read_text(sio_request_path(request));
        if way.is_multiple_of(2) {
            sio_reply_drop(reply);
        } else {
            sio_reply_send(reply, (way % 700) as u32, std::ptr::null(), 0, sio_bytes::EMPTY);
        }
    }
}

pub(super) unsafe extern "C" fn on_log(level: i32, target: sio_str, message: sio_str, user_data: *mut c_void) {
    called(user_data);
    assert!((1..=5).contains(&level));
    // SAFETY: both are lent.
    let (target, message) = unsafe { (text(&target), text(&message)) };
    assert!(!message.contains("a panic was caught"), "{target}: {message}");
}

/// Does for a record what its callback would have done.
///
/// # Safety
/// The record was taken, and is not given back yet.
pub(super) unsafe fn handle(record: &sio_delivery) {
    use sio_delivery_kind as K;
    let data = record.user_data;
    // SAFETY: the fields that the kind names are what the callback would have received.
    unsafe {
        match record.kind {
            kind if kind == K::SIO_DELIVERY_KIND_EVENT as i32 => on_event(record.socket, record.event, data),
            kind if kind == K::SIO_DELIVERY_KIND_CONNECTION as i32 => on_connection(record.socket, data),
            kind if kind == K::SIO_DELIVERY_KIND_MIDDLEWARE as i32 => on_middleware(record.socket, record.next, data),
            kind if kind == K::SIO_DELIVERY_KIND_CLIENT_AUTH as i32 => on_auth(record.client, record.auth, data),
            kind if kind == K::SIO_DELIVERY_KIND_ACK as i32 => on_ack(record.status, record.payload, data),
            kind if kind == K::SIO_DELIVERY_KIND_DONE as i32 => on_done(record.status, record.error, data),
            kind if kind == K::SIO_DELIVERY_KIND_REQUEST as i32 => on_request(record.request, record.reply, data),
            kind if kind == K::SIO_DELIVERY_KIND_CLIENT_EVENT as i32 => {
                on_client_event(record.client, record.event, data);
            }
            kind if kind == K::SIO_DELIVERY_KIND_CLIENT_CONNECT_ERROR as i32 => {
                on_connect_error(record.client, record.error, data);
            }
            kind if kind == K::SIO_DELIVERY_KIND_MANAGER as i32 => {
                on_manager(record.status, record.attempt, record.text, record.error, data);
            }
            kind if kind == K::SIO_DELIVERY_KIND_LOG as i32 => {
                on_log(record.status, record.text, record.message, data);
            }
            kind => {
                called(data);
                assert!((1..=15).contains(&kind), "{kind}");
                read_text(record.text);
                read_error(record.error);
            }
        }
    }
}

pub(super) unsafe extern "C" fn on_wake(user_data: *mut c_void) {
    called(user_data);
}

pub(super) unsafe extern "C" fn on_thread(user_data: *mut c_void) {
    called(user_data);
}

pub(super) unsafe extern "C" fn on_header(name: sio_str, value: sio_str, _: *mut c_void) {
    read_text(name);
    read_text(value);
}

pub(super) unsafe extern "C" fn on_room(room: sio_str, _: *mut c_void) {
    read_text(room);
}
