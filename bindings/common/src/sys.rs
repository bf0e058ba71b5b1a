//! The only unsafe file: the functions of socketio.h as methods of types that give back what they hold.
//!
//! A type that owns a reference releases it when it is dropped. What the library lends is a [`Ref`] to the same type, which
//! releases nothing. Registrations carry a number instead of a pointer, which comes back with each [`Delivery`]: all
//! deliveries are taken from a [`Queue`], so no callback is ever called.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, Ordering};

use socketio as c;
pub use socketio::{sio_log_level as LogLevel, sio_manager_event as ManagerEvent, sio_status as Status};

/// The number of a registration. It comes back in what is delivered for it.
pub type Id = u64;

/// A call that failed.
#[derive(Clone, Debug)]
pub struct Error {
    /// What kind of failure.
    pub status: Status,
    /// The detail, for people.
    pub message: String,
}

/// What calls that can fail give.
pub type Result<T> = std::result::Result<T, Error>;

/// A borrowed `T`: what the library lends until the delivery is cleared.
pub struct Ref<'a, T>(ManuallyDrop<T>, PhantomData<&'a T>);

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// An owned handle: `$name` around a `$c`, which `$release` gives back.
macro_rules! handle {
    ($(#[$doc:meta])* $visible:vis $name:ident, $c:ident, $release:ident) => {
        $(#[$doc])*
        $visible struct $name(NonNull<c::$c>);

        // SAFETY: the functions of this type may be called from any thread.
        unsafe impl Send for $name {}
        // SAFETY: as above; what is for one thread at a time has no methods that take `&self`.
        unsafe impl Sync for $name {}

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: it owns this reference.
                unsafe { c::$release(self.0.as_ptr()) };
            }
        }

        impl $name {
            #[allow(dead_code, reason = "not every type is lent")]
            fn lent<'a>(pointer: *const c::$c) -> Option<Ref<'a, Self>> {
                NonNull::new(pointer.cast_mut()).map(|handle| Ref(ManuallyDrop::new(Self(handle)), PhantomData))
            }

            #[allow(dead_code, reason = "as above: one that is looked for and may not be there")]
            fn found(pointer: *mut c::$c) -> Option<Self> {
                NonNull::new(pointer).map(Self)
            }

            #[allow(dead_code, reason = "not every type comes from a function that returns it")]
            fn owned(pointer: *mut c::$c) -> Result<Self> {
                NonNull::new(pointer).map(Self).ok_or_else(|| last_error(Status::SIO_ERR_INVALID_ARGUMENT))
            }
        }
    };
}

/// `Clone` by one more reference.
macro_rules! retained {
    ($name:ident, $retain:ident) => {
        impl Clone for $name {
            fn clone(&self) -> Self {
                // SAFETY: the handle is alive; a reference to what is alive is never NULL.
                Self(unsafe { NonNull::new(c::$retain(self.0.as_ptr())) }.unwrap_or(self.0))
            }
        }
    };
}

handle! {
    /// The arguments of an event or an ack.
    pub Payload, sio_payload, sio_payload_release
}
handle! {
    /// Where deliveries wait until they are taken.
    pub Queue, sio_queue, sio_queue_release
}
handle! {
    /// A server.
    pub Server, sio_server, sio_server_release
}
handle! {
    /// A namespace of a server.
    pub Namespace, sio_namespace, sio_namespace_release
}
handle! {
    /// A client in a namespace of a server.
    pub Socket, sio_socket, sio_socket_release
}
handle! {
    /// A broadcast in the making.
    pub Broadcast, sio_broadcast, sio_broadcast_free
}
handle! {
    /// A client's connection to a server.
    pub Manager, sio_manager, sio_manager_release
}
handle! {
    /// The client's end of a namespace.
    pub Client, sio_client, sio_client_release
}
handle! {
    /// The right to answer an event. Dropped, it does not.
    pub Ack, sio_ack, sio_ack_drop
}
handle! {
    /// The right to decide about a client that wants to join. Dropped, it turns it away.
    pub Next, sio_next, sio_next_drop
}
handle! {
    /// The right to say what a client sends to be let in. Dropped, that is nothing.
    pub Auth, sio_auth, sio_auth_drop
}
handle! {
    /// An event, while its delivery lasts.
    pub Event, sio_event, sio_event_release
}
handle! {
    ServerOptions, sio_server_options, sio_server_options_free
}
handle! {
    ManagerOptions, sio_manager_options, sio_manager_options_free
}
handle! {
    ClientOptions, sio_client_options, sio_client_options_free
}
handle! {
    Text, sio_string, sio_string_free
}

retained!(Queue, sio_queue_retain);
retained!(Server, sio_server_retain);
retained!(Namespace, sio_namespace_retain);
retained!(Socket, sio_socket_retain);
retained!(Manager, sio_manager_retain);
retained!(Client, sio_client_retain);

/// Methods of a handle that are one call: `name(arguments) -> Result = what is made of the result  function(arguments);`
macro_rules! methods {
    ($(
        $(#[$doc:meta])*
        $name:ident($($argument:ident: $type:ty),*) -> $result:ty = $convert:tt $function:ident($($given:expr),*);
    )*) => {$(
        $(#[$doc])*
        pub fn $name(&self $(, $argument: $type)*) -> $result {
            // SAFETY: the handle is alive, what is given outlives the call or is a number, and what the library lends
            // lives as long as the handle.
            unsafe { $convert(c::$function(self.0.as_ptr() $(, $given)*)) }
        }
    )*};
}

impl Clone for Payload {
    fn clone(&self) -> Self {
        // SAFETY: the handle is alive.
        Self(
            unsafe { NonNull::new(c::sio_payload_retain(self.0.as_ptr())) }
                .expect("a payload is data, which can be kept"),
        )
    }
}

// ---- payloads, events, acks ------------------------------------------------------------------------------------------

impl Payload {
    /// The payload of a JSON array and the attachments that its placeholders name. Both are copied.
    pub fn from_json(array: &str, attachments: &[&[u8]]) -> Result<Self> {
        let attachments: Vec<_> = attachments.iter().map(|bytes| c::sio_bytes::new(bytes)).collect();
        // SAFETY: text and attachments outlive the call.
        created(|out| unsafe { c::sio_payload_from_json(text(array), attachments.as_ptr(), attachments.len(), out) })
            .map(Self)
    }

    methods! {
        /// The arguments as the text of a JSON array, in which `{"_placeholder":true,"num":0}` stands for attachment 0.
        json() -> &str = borrowed sio_payload_json();
        /// How many arguments.
        count() -> usize = plain sio_payload_count();
        /// How many attachments.
        attachment_count() -> usize = plain sio_payload_attachment_count();
    }

    /// Attachment `i`; no bytes when there is none.
    pub fn attachment(&self, i: usize) -> &[u8] {
        // SAFETY: the bytes live as long as the payload, which nobody changes.
        unsafe { borrowed_bytes(c::sio_payload_attachment(self.0.as_ptr(), i)) }
    }
}

impl Event {
    methods! {
        /// Its name.
        name() -> &str = borrowed sio_event_name();
    }

    /// Its arguments.
    pub fn payload(&self) -> Ref<'_, Payload> {
        // SAFETY: the payload is the event's own.
        Payload::lent(unsafe { c::sio_event_get_payload(self.0.as_ptr()) }).expect("every event has a payload")
    }

    methods! {
        /// The right to answer it; none when the sender wants no ack, or it was taken before.
        take_ack() -> Option<Ack> = (Ack::found) sio_event_take_ack();
    }
}

impl Ack {
    /// Answers.
    pub fn send(self, payload: &Payload) -> Result<()> {
        // SAFETY: the ack is given up, also when this fails.
        done(unsafe { c::sio_ack_send(ManuallyDrop::new(self).0.as_ptr(), payload.0.as_ptr()) })
    }
}

impl Next {
    /// The client may join.
    pub fn accept(self) -> Result<()> {
        // SAFETY: the right is given up, also when this fails.
        done(unsafe { c::sio_next_accept(ManuallyDrop::new(self).0.as_ptr()) })
    }

    /// The client may not join: it gets the message, and `data`, a payload of one argument.
    pub fn reject(self, message: &str, data: Option<&Payload>) -> Result<()> {
        let data = data.map_or(ptr::null_mut(), |data| data.0.as_ptr());
        // SAFETY: as above; text and payload outlive the call.
        done(unsafe { c::sio_next_reject(ManuallyDrop::new(self).0.as_ptr(), text(message), data) })
    }
}

impl Auth {
    /// Has the client send the JSON of an object.
    pub fn send(self, json: &str) -> Result<()> {
        // SAFETY: the right is given up, also when this fails; the text is alive.
        done(unsafe { c::sio_auth_send(ManuallyDrop::new(self).0.as_ptr(), text(json)) })
    }
}

// ---- deliveries ------------------------------------------------------------------------------------------------------

impl Queue {
    /// An empty queue of the default runtime, whose threads start now if they have not.
    pub fn new() -> Result<Self> {
        STARTED.store(true, Ordering::Relaxed);
        // SAFETY: no wake function, so no user data.
        created(|out| unsafe { c::sio_queue_new(ptr::null_mut(), None, ptr::null_mut(), None, out) }).map(Self)
    }

    methods! {
        /// Readable while something waits. It is the queue's: it is only polled.
        fd() -> i32 = plain sio_queue_fd();
    }

    /// Fills `deliveries`, which must be empty, with what waits; how many there are. It does not wait for any.
    pub fn take(&self, deliveries: &mut Deliveries) -> Result<usize> {
        deliveries.clear();
        let mut count = 0;
        // SAFETY: there is room for `capacity` records, and nobody else uses it.
        let taken = unsafe {
            c::sio_queue_take(
                self.0.as_ptr(),
                deliveries.records.as_mut_ptr().cast(),
                deliveries.records.capacity(),
                &raw mut count,
            )
        };
        done(taken)?;
        // SAFETY: so many records were written.
        unsafe { deliveries.records.set_len(count) };
        Ok(count)
    }

    /// Gives up what waits and takes no more.
    pub fn close(&self) {
        // SAFETY: the handle is alive.
        unsafe { c::sio_queue_close(self.0.as_ptr()) };
    }
}

/// Records that were taken and not given back yet.
pub struct Deliveries {
    records: Vec<c::sio_delivery>,
    next: usize,
}

// SAFETY: records are given back on any thread.
unsafe impl Send for Deliveries {}

impl Deliveries {
    /// Room for `capacity` records.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { records: Vec::with_capacity(capacity.max(1)), next: 0 }
    }

    /// The next one. What is borrowed in it lives until the records are cleared.
    #[allow(clippy::should_implement_trait, reason = "it lends")]
    pub fn next(&mut self) -> Option<Delivery<'_>> {
        let record = self.records.get_mut(self.next)?;
        self.next += 1;
        // SAFETY: a record that sio_queue_take wrote, seen once.
        Some(unsafe { Delivery::of(record) })
    }

    /// Whether all were seen.
    pub fn is_done(&self) -> bool {
        self.next >= self.records.len()
    }

    /// Gives the records back, with the rights to answer in those that nobody has seen.
    pub fn clear(&mut self) {
        while self.next().is_some() {}
        // SAFETY: the records are those of sio_queue_take, and nothing borrows from them any more.
        unsafe { c::sio_delivery_clear(self.records.as_mut_ptr(), self.records.len()) };
        self.records.clear();
        self.next = 0;
    }
}

impl Drop for Deliveries {
    fn drop(&mut self) {
        self.clear();
    }
}

/// What happened. `id` is the number of the registration.
#[allow(missing_docs, reason = "fields are what their types say")]
#[rustfmt::skip]
pub enum Delivery<'a> {
    /// An event of a server's socket.
    Event { id: Id, socket: Ref<'a, Socket>, event: Ref<'a, Event> },
    /// A client wants to join: `socket` is not connected before it is let in.
    Middleware { id: Id, socket: Ref<'a, Socket>, next: Next },
    /// A socket has joined.
    Connection { id: Id, socket: Ref<'a, Socket> },
    /// A socket is about to leave; `rooms` is the JSON array of those that it was in.
    Disconnecting { id: Id, socket: Ref<'a, Socket>, reason: &'a str, rooms: &'a str },
    /// A socket has left.
    Disconnect { id: Id, socket: Ref<'a, Socket>, reason: &'a str },
    /// The answer to an event, or why there is none: a [`Status`].
    Ack { id: Id, status: i32, payload: Option<Ref<'a, Payload>> },
    /// A call has come to its end, with a [`Status`]; there is a message when it failed.
    Done { id: Id, status: i32, message: &'a str },
    /// An event for a client.
    ClientEvent { id: Id, client: Ref<'a, Client>, event: Ref<'a, Event> },
    /// A client is about to ask to be let in.
    ClientAuth { id: Id, client: Ref<'a, Client>, auth: Auth },
    /// A client is connected.
    ClientConnect { id: Id, client: Ref<'a, Client> },
    /// A client could not be connected.
    ClientConnectError { id: Id, client: Ref<'a, Client>, status: i32, message: &'a str, data: Option<Ref<'a, Payload>> },
    /// A client is not connected any more.
    ClientDisconnect { id: Id, client: Ref<'a, Client>, reason: &'a str },
    /// Something happened to a manager: a [`ManagerEvent`].
    Manager { id: Id, event: i32, attempt: u32, reason: &'a str, message: &'a str },
    /// A line of the log: a [`LogLevel`].
    Log { level: i32, target: &'a str, message: &'a str },
    /// Something that this version does not know.
    Unknown,
}

impl Delivery<'_> {
    /// # Safety
    /// `record` is one that `sio_queue_take` wrote and that was not cleared; it is seen for the first time.
    unsafe fn of(record: &mut c::sio_delivery) -> Delivery<'_> {
        use c::sio_delivery_kind as kind;
        let id = record.user_data.addr() as Id;
        // SAFETY: all that is borrowed lives as long as the record.
        let (reason, second) = unsafe { (borrowed(record.text), borrowed(record.message)) };
        let (status, attempt) = (record.status, record.attempt);
        // SAFETY: as above.
        let (message, data) = unsafe {
            if record.error.is_null() {
                ("", None)
            } else {
                let message = borrowed(c::sio_error_message(record.error));
                (message, Payload::lent(c::sio_error_get_data(record.error)))
            }
        };
        let (socket, client) = (Socket::lent(record.socket), Client::lent(record.client));
        let (event, payload) = (Event::lent(record.event), Payload::lent(record.payload));
        match (record.kind, socket, client, event) {
            (k, Some(socket), _, Some(event)) if k == kind::SIO_DELIVERY_KIND_EVENT as i32 => {
                Delivery::Event { id, socket, event }
            }
            (k, Some(socket), ..) if k == kind::SIO_DELIVERY_KIND_MIDDLEWARE as i32 => {
                // It is the host's, who drops it when it is not taken any further.
                match Next::found(std::mem::replace(&mut record.next, ptr::null_mut())) {
                    Some(next) => Delivery::Middleware { id, socket, next },
                    None => Delivery::Unknown,
                }
            }
            (k, Some(socket), ..) if k == kind::SIO_DELIVERY_KIND_CONNECTION as i32 => {
                Delivery::Connection { id, socket }
            }
            (k, Some(socket), ..) if k == kind::SIO_DELIVERY_KIND_DISCONNECTING as i32 => {
                Delivery::Disconnecting { id, socket, reason, rooms: second }
            }
            (k, Some(socket), ..) if k == kind::SIO_DELIVERY_KIND_DISCONNECT as i32 => {
                Delivery::Disconnect { id, socket, reason }
            }
            (k, ..) if k == kind::SIO_DELIVERY_KIND_ACK as i32 => Delivery::Ack { id, status, payload },
            (k, ..) if k == kind::SIO_DELIVERY_KIND_DONE as i32 => Delivery::Done { id, status, message },
            (k, _, Some(client), Some(event)) if k == kind::SIO_DELIVERY_KIND_CLIENT_EVENT as i32 => {
                Delivery::ClientEvent { id, client, event }
            }
            (k, _, Some(client), _) if k == kind::SIO_DELIVERY_KIND_CLIENT_AUTH as i32 => {
                // Owned, as above.
                match Auth::found(std::mem::replace(&mut record.auth, ptr::null_mut())) {
                    Some(auth) => Delivery::ClientAuth { id, client, auth },
                    None => Delivery::Unknown,
                }
            }
            (k, _, Some(client), _) if k == kind::SIO_DELIVERY_KIND_CLIENT_CONNECT as i32 => {
                Delivery::ClientConnect { id, client }
            }
            (k, _, Some(client), _) if k == kind::SIO_DELIVERY_KIND_CLIENT_CONNECT_ERROR as i32 => {
                Delivery::ClientConnectError { id, client, status, message, data }
            }
            (k, _, Some(client), _) if k == kind::SIO_DELIVERY_KIND_CLIENT_DISCONNECT as i32 => {
                Delivery::ClientDisconnect { id, client, reason }
            }
            (k, ..) if k == kind::SIO_DELIVERY_KIND_MANAGER as i32 => {
                Delivery::Manager { id, event: status, attempt, reason, message }
            }
            (k, ..) if k == kind::SIO_DELIVERY_KIND_LOG as i32 => {
                Delivery::Log { level: status, target: reason, message: second }
            }
            _ => Delivery::Unknown,
        }
    }
}

// ---- servers ---------------------------------------------------------------------------------------------------------

impl Server {
    /// A server that does not listen yet. `options` is the JSON of the official options; what happens waits in `queue`.
    pub fn new(options: &str, queue: &Queue) -> Result<Self> {
        // SAFETY: handles and text are alive during the calls.
        unsafe {
            let prepared = ServerOptions::owned(c::sio_server_options_new())?;
            done(c::sio_server_options_set_json(prepared.0.as_ptr(), text(options)))?;
            done(c::sio_server_options_set_queue(prepared.0.as_ptr(), queue.0.as_ptr()))?;
            created(|out| c::sio_server_new(ptr::null_mut(), prepared.0.as_ptr(), out)).map(Self)
        }
    }

    methods! {
        /// Listens on one more address; [`Delivery::Done`] tells when it does.
        listen(address: &str, id: Id) -> Result<()> = done sio_server_listen(text(address), Some(on_done), data(id), None);
    }

    /// Address number `i` of those that it listens on, its port filled in.
    pub fn address(&self, i: usize) -> Result<String> {
        // SAFETY: the handle is alive.
        taken(|out| unsafe { c::sio_server_get_address(self.0.as_ptr(), i, out) })
    }

    methods! {
        /// The namespace of this name, which clients can join from now on.
        of(name: &str) -> Result<Namespace> = (Namespace::owned) sio_server_of(text(name));
        /// Number of connections.
        clients_count() -> u64 = plain sio_server_clients_count();
        /// Closes it; [`Delivery::Done`] tells when the last socket is gone.
        close(id: Id) -> Result<()> = done sio_server_close(Some(on_done), data(id), None);
    }
}

impl Namespace {
    methods! {
        /// Has every event of every socket delivered.
        on_any(id: Id) -> Result<()> = done sio_namespace_on_any(Some(on_event), data(id), None, ptr::null_mut());
        /// Has each client that wants to join delivered, to be decided about.
        use_(id: Id) -> Result<()> = done sio_namespace_use(Some(on_middleware), data(id), None);
        /// Has each new socket delivered.
        on_connection(id: Id) -> Result<()> = done sio_namespace_on_connection(Some(on_socket), data(id), None, ptr::null_mut());
        /// Has the beginning of each end delivered.
        on_disconnecting(id: Id) -> Result<()> = done sio_namespace_on_disconnecting(Some(on_end), data(id), None, ptr::null_mut());
        /// Has the end of each socket delivered.
        on_disconnect(id: Id) -> Result<()> = done sio_namespace_on_disconnect(Some(on_end), data(id), None, ptr::null_mut());
        /// Its name, with the slash.
        name() -> &str = borrowed sio_namespace_name();
        /// The socket with this id.
        find(sid: &str) -> Option<Socket> = (Socket::found) sio_namespace_find(text(sid));
        /// Sends an event to every socket.
        emit(event: &str, payload: &Payload) -> Result<()> = done sio_namespace_emit(text(event), payload.0.as_ptr());
        /// A broadcast to every socket.
        broadcast() -> Result<Broadcast> = (Broadcast::owned) sio_namespace_broadcast();
    }
}

impl Socket {
    /// The same for all handles of a socket while one of them lives, and nobody else's.
    pub fn key(&self) -> usize {
        self.0.addr().get()
    }

    methods! {
        /// Its id, also the name of its own room.
        id() -> &str = borrowed sio_socket_id();
        /// Whether it is connected.
        connected() -> bool = plain sio_socket_connected();
        /// "polling" or "websocket".
        transport() -> &'static str = borrowed sio_socket_transport();
    }

    /// How it came to be.
    pub fn handshake(&self) -> Handshake<'_> {
        // SAFETY: the handshake lives as long as the socket.
        Handshake(unsafe { c::sio_socket_get_handshake(self.0.as_ptr()) }, PhantomData)
    }

    methods! {
        /// Sends an event; a volatile one is dropped when it cannot be sent at once.
        emit(event: &str, payload: &Payload, volatile: bool) -> Result<()> =
            done sio_socket_emit_flags(text(event), payload.0.as_ptr(), volatile_flag(volatile));
        /// Sends an event whose answer is delivered as [`Delivery::Ack`]; 0 waits as long as the socket lives.
        emit_with_ack(event: &str, payload: &Payload, timeout_ms: u32, id: Id) -> Result<()> =
            done sio_socket_emit_with_ack(text(event), payload.0.as_ptr(), timeout_ms, Some(on_ack), data(id), None);
        /// Puts it into a room.
        join(room: &str) -> Result<()> = done sio_socket_join(text(room));
        /// Takes it out of a room.
        leave(room: &str) -> Result<()> = done sio_socket_leave(text(room));
        /// Whether it is in a room.
        in_room(room: &str) -> bool = plain sio_socket_in_room(text(room));
    }

    /// The rooms that it is in, that of its id among them.
    pub fn rooms(&self) -> Vec<String> {
        unsafe extern "C" fn add(room: c::sio_str, rooms: *mut c_void) {
            // SAFETY: the list of the call below, on its thread; the text lives until this returns.
            unsafe { (*rooms.cast::<Vec<String>>()).push(borrowed(room).to_owned()) };
        }
        let mut rooms = Vec::<String>::new();
        // SAFETY: the list outlives the call, during which alone `add` runs.
        unsafe { c::sio_socket_rooms(self.0.as_ptr(), Some(add), (&raw mut rooms).cast()) };
        rooms
    }

    methods! {
        /// Disconnects it from its namespace; with `close` from all, and closes its connection.
        disconnect(close: bool) -> Result<()> = done sio_socket_disconnect(close);
        /// A broadcast to every other socket of its namespace.
        broadcast() -> Result<Broadcast> = (Broadcast::owned) sio_socket_broadcast();
        /// Bytes that wait to be sent on its connection.
        buffered_bytes() -> u64 = plain sio_socket_buffered_bytes();
    }
}

/// How a socket came to be.
pub struct Handshake<'a>(*const c::sio_handshake, PhantomData<&'a ()>);

/// The same for what a socket's handshake lends.
macro_rules! lent_by_handshake {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) -> $result:ty = $convert:tt $function:ident($($given:expr),*);)*) => {$(
        $(#[$doc])*
        pub fn $name(&self $(, $argument: $type)*) -> $result {
            // SAFETY: the handshake is alive, and what it lends lives as long as its socket.
            unsafe { $convert(c::$function(self.0 $(, $given)*)) }
        }
    )*};
}

impl<'a> Handshake<'a> {
    lent_by_handshake! {
        /// The first value of a header; no text when there is none.
        header(name: &str) -> &'a str = borrowed sio_handshake_header(text(name));
        /// Whether the request came over TLS.
        secure() -> bool = plain sio_handshake_secure();
        /// The target of the request.
        url() -> &'a str = borrowed sio_handshake_url();
        /// The IP address of the client, or "unix".
        address() -> &'a str = borrowed sio_handshake_address();
        /// What the client sent to be let in, as the JSON of an object.
        auth_json() -> &'a str = borrowed sio_handshake_auth_json();
        /// When the request came, in milliseconds since 1970.
        issued() -> i64 = plain sio_handshake_issued();
    }

    /// Every header of the request, in their order; names are in lower case.
    pub fn headers(&self) -> Vec<(String, String)> {
        unsafe extern "C" fn add(name: c::sio_str, value: c::sio_str, headers: *mut c_void) {
            // SAFETY: the list of the call below, on its thread; both texts live until this returns.
            unsafe {
                let header = (borrowed(name).to_owned(), borrowed(value).to_owned());
                (*headers.cast::<Vec<(String, String)>>()).push(header);
            }
        }
        let mut headers = Vec::<(String, String)>::new();
        // SAFETY: the list outlives the call, during which alone `add` runs.
        unsafe { c::sio_handshake_headers(self.0, Some(add), (&raw mut headers).cast()) };
        headers
    }
}

/// Methods that add to a broadcast and give it back, for chains.
macro_rules! adds {
    ($($(#[$doc:meta])* $name:ident($($room:ident)?) = $function:ident;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(self $(, $room: &str)?) -> Self {
            // SAFETY: handle and text are alive.
            unsafe { c::$function(self.0.as_ptr() $(, text($room))?) };
            self
        }
    )*};
}

impl Broadcast {
    adds! {
        /// To the sockets in `room`, besides those in rooms named before.
        to(room) = sio_broadcast_to;
        /// Not to the sockets in `room`.
        except(room) = sio_broadcast_except;
        /// Not to clients that it cannot be sent to at once.
        volatile() = sio_broadcast_volatile;
        /// Only to sockets of this process.
        local() = sio_broadcast_local;
    }

    methods! {
        /// Sends an event.
        emit(event: &str, payload: &Payload) -> Result<()> = done sio_broadcast_emit(text(event), payload.0.as_ptr());
        /// Puts the sockets into a room.
        sockets_join(room: &str) -> Result<()> = done sio_broadcast_sockets_join(text(room));
        /// Takes the sockets out of a room.
        sockets_leave(room: &str) -> Result<()> = done sio_broadcast_sockets_leave(text(room));
        /// Disconnects the sockets; with `close` closes their connections.
        disconnect_sockets(close: bool) -> Result<()> = done sio_broadcast_disconnect_sockets(close);
    }
}

// ---- clients ---------------------------------------------------------------------------------------------------------

impl Manager {
    /// A manager for the server at `url`. `options` is the JSON of the official options; what happens waits in `queue`.
    pub fn new(url: &str, options: &str, queue: &Queue) -> Result<Self> {
        // SAFETY: handles and texts are alive during the calls.
        unsafe {
            let prepared = ManagerOptions::owned(c::sio_manager_options_new())?;
            done(c::sio_manager_options_set_json(prepared.0.as_ptr(), text(options)))?;
            done(c::sio_manager_options_set_queue(prepared.0.as_ptr(), queue.0.as_ptr()))?;
            created(|out| c::sio_manager_new(ptr::null_mut(), text(url), prepared.0.as_ptr(), out)).map(Self)
        }
    }

    /// The client of a namespace, always the same one. `auth` is the JSON of an object.
    pub fn socket(&self, nsp: &str, auth: Option<&str>) -> Result<Client> {
        // SAFETY: handles and texts are alive during the calls.
        unsafe {
            let options = ClientOptions::owned(c::sio_client_options_new())?;
            if let Some(auth) = auth {
                done(c::sio_client_options_set_auth_json(options.0.as_ptr(), text(auth)))?;
            }
            Client::owned(c::sio_manager_socket(self.0.as_ptr(), text(nsp), options.0.as_ptr()))
        }
    }

    methods! {
        /// Opens a connection, if there is none and none is tried for.
        open() -> Result<()> = done sio_manager_open();
        /// Has every event of a kind delivered.
        on(event: ManagerEvent, id: Id) -> Result<()> =
            done sio_manager_on(event as i32, Some(on_manager), data(id), None, ptr::null_mut());
        /// Closes it; [`Delivery::Done`] tells when nothing is left of the connection.
        close(id: Id) -> Result<()> = done sio_manager_close(Some(on_done), data(id), None);
    }
}

impl Client {
    methods! {
        /// Has every event delivered.
        on_any(id: Id) -> Result<()> = done sio_client_on_any(Some(on_client_event), data(id), None, ptr::null_mut());
        /// Has each CONNECT delivered before it is sent, to be told what it is to carry.
        on_auth(id: Id) -> Result<()> = done sio_client_on_auth(Some(on_client_auth), data(id), None);
        /// What it sends to be let in from now on: the JSON of an object.
        set_auth_json(json: &str) -> Result<()> = done sio_client_set_auth_json(text(json));
        /// Has each connection delivered.
        on_connect(id: Id) -> Result<()> = done sio_client_on_connect(Some(on_client), data(id), None, ptr::null_mut());
        /// Has each refusal or failure delivered.
        on_connect_error(id: Id) -> Result<()> = done sio_client_on_connect_error(Some(on_client_error), data(id), None, ptr::null_mut());
        /// Has the end of each connection delivered.
        on_disconnect(id: Id) -> Result<()> = done sio_client_on_disconnect(Some(on_client_end), data(id), None, ptr::null_mut());
    }

    /// The same for all handles of a client while one of them lives, and nobody else's.
    pub fn key(&self) -> usize {
        self.0.addr().get()
    }

    methods! {
        /// The name of its namespace, with the slash.
        namespace() -> &str = borrowed sio_client_namespace();
    }

    /// Its id while it is connected.
    pub fn id(&self) -> Option<String> {
        // SAFETY: the handle is alive.
        taken(|out| unsafe { c::sio_client_id(self.0.as_ptr(), out) }).ok()
    }

    methods! {
        /// Whether it is connected.
        connected() -> bool = plain sio_client_connected();
        /// Whether it is connected or will be as soon as possible.
        active() -> bool = plain sio_client_active();
        /// Has it connected.
        connect() -> Result<()> = done sio_client_connect();
        /// Disconnects it.
        disconnect() -> Result<()> = done sio_client_disconnect();
        /// Sends an event, or keeps it until it is connected; a volatile one is dropped then.
        emit(event: &str, payload: &Payload, volatile: bool) -> Result<()> =
            done sio_client_emit_flags(text(event), payload.0.as_ptr(), volatile_flag(volatile));
        /// Sends an event whose answer is delivered as [`Delivery::Ack`]; 0 waits as long as it takes.
        emit_with_ack(event: &str, payload: &Payload, timeout_ms: u32, id: Id) -> Result<()> =
            done sio_client_emit_with_ack(text(event), payload.0.as_ptr(), timeout_ms, Some(on_ack), data(id), None);
        /// "polling" or "websocket"; no text when there is no connection.
        transport() -> &'static str = borrowed sio_client_transport();
        /// Bytes that wait to be sent on its connection.
        buffered_bytes() -> u64 = plain sio_client_buffered_bytes();
    }
}

// ---- the process -----------------------------------------------------------------------------------------------------

/// What this thread sends from now on waits for [`uncork`], and is then written once for each connection. Corks nest.
pub fn cork() {
    // SAFETY: it has no arguments.
    unsafe { c::sio_cork() };
}

/// Writes what has waited since the first [`cork`].
pub fn uncork() {
    // SAFETY: it has no arguments.
    unsafe { c::sio_uncork() };
}

/// Whether this process has asked for the default runtime.
static STARTED: AtomicBool = AtomicBool::new(false);

/// Ends the default runtime, if it was ever started: for the end of the process.
pub fn shut_down(timeout_ms: u32) -> Result<()> {
    if !STARTED.load(Ordering::Relaxed) {
        return Ok(());
    }
    // SAFETY: the default runtime lives as long as the process.
    done(unsafe { c::sio_runtime_shutdown_wait(c::sio_runtime_get_default(), timeout_ms) })
}

/// Says that this process is a child that was forked: before all else in it.
pub fn after_fork_child() {
    STARTED.store(false, Ordering::Relaxed);
    // SAFETY: it has no arguments.
    unsafe { c::sio_after_fork_child() };
}

/// Has lines of the log up to `level` wait in `queue` as [`Delivery::Log`].
pub fn log_to(queue: &Queue, level: LogLevel) -> Result<()> {
    // SAFETY: the handle is alive; there is no user data.
    unsafe {
        done(c::sio_log_set_queue(queue.0.as_ptr()))?;
        done(c::sio_log_set(level as i32, Some(on_log), ptr::null_mut(), None))
    }
}

// ---- helpers ---------------------------------------------------------------------------------------------------------

// Registered where a function is wanted. Records are taken instead, so none of them is ever called.
unsafe extern "C" fn on_event(_: *mut c::sio_socket, _: *mut c::sio_event, _: *mut c_void) {}
unsafe extern "C" fn on_socket(_: *mut c::sio_socket, _: *mut c_void) {}
unsafe extern "C" fn on_middleware(_: *mut c::sio_socket, _: *mut c::sio_next, _: *mut c_void) {}
unsafe extern "C" fn on_end(_: *mut c::sio_socket, _: c::sio_str, _: *const c::sio_error, _: *mut c_void) {}
unsafe extern "C" fn on_ack(_: i32, _: *const c::sio_payload, _: *mut c_void) {}
unsafe extern "C" fn on_done(_: i32, _: *const c::sio_error, _: *mut c_void) {}
unsafe extern "C" fn on_client_event(_: *mut c::sio_client, _: *mut c::sio_event, _: *mut c_void) {}
unsafe extern "C" fn on_client_auth(_: *mut c::sio_client, _: *mut c::sio_auth, _: *mut c_void) {}
unsafe extern "C" fn on_client(_: *mut c::sio_client, _: *mut c_void) {}
unsafe extern "C" fn on_client_error(_: *mut c::sio_client, _: *const c::sio_error, _: *mut c_void) {}
unsafe extern "C" fn on_client_end(_: *mut c::sio_client, _: c::sio_str, _: *const c::sio_error, _: *mut c_void) {}
unsafe extern "C" fn on_manager(_: i32, _: u32, _: c::sio_str, _: *const c::sio_error, _: *mut c_void) {}
unsafe extern "C" fn on_log(_: i32, _: c::sio_str, _: c::sio_str, _: *mut c_void) {}

/// The number of a registration as its user data.
fn data(id: Id) -> *mut c_void {
    ptr::without_provenance_mut(id as usize)
}

fn text(text: &str) -> c::sio_str {
    c::sio_str::new(text)
}

/// # Safety
/// What the library lends as a text lives for `'a`.
unsafe fn borrowed<'a>(text: c::sio_str) -> &'a str {
    // SAFETY: texts of the library are UTF-8.
    unsafe { std::str::from_utf8_unchecked(borrowed_bytes(c::sio_bytes { ptr: text.ptr.cast(), len: text.len })) }
}

/// # Safety
/// What the library lends as bytes lives for `'a`.
unsafe fn borrowed_bytes<'a>(bytes: c::sio_bytes) -> &'a [u8] {
    // SAFETY: without a length the pointer may be NULL; else it points to so many bytes.
    if bytes.len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(bytes.ptr, bytes.len) } }
}

fn done(status: Status) -> Result<()> {
    if status == Status::SIO_OK { Ok(()) } else { Err(last_error(status)) }
}

fn plain<T>(value: T) -> T {
    value
}

fn last_error(status: Status) -> Error {
    // SAFETY: the text lives until the next call that fails on this thread, and is copied here.
    Error { status, message: unsafe { borrowed(c::sio_last_error_message()) }.to_owned() }
}

/// What a call writes to the place that it is given.
fn created<T>(call: impl FnOnce(*mut *mut T) -> Status) -> Result<NonNull<T>> {
    let mut out = MaybeUninit::new(ptr::null_mut());
    done(call(out.as_mut_ptr()))?;
    // SAFETY: initialised above.
    NonNull::new(unsafe { out.assume_init() }).ok_or_else(|| last_error(Status::SIO_ERR_PANIC))
}

/// The text that a call hands over.
fn taken(call: impl FnOnce(*mut *mut c::sio_string) -> Status) -> Result<String> {
    let string = Text(created(call)?);
    // SAFETY: the text lives as long as the handle.
    Ok(unsafe { borrowed(c::sio_string_get(string.0.as_ptr())) }.to_owned())
}

fn volatile_flag(volatile: bool) -> u32 {
    if volatile { c::sio_emit::SIO_EMIT_VOLATILE as u32 } else { 0 }
}
