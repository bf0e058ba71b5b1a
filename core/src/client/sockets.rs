//! The sockets of a manager, under its lock: what they send and what is sent to them.

use std::sync::{Arc, Weak};
use std::time::Instant;

use super::auth::{Answer, Auth};
use super::config::SocketConfig;
use super::socket::{Route, Socket};
use super::state::Step;
use crate::data::limits::Limits;
use crate::data::payload::Payload;
use crate::error::{Error, ErrorKind, Result};
use crate::proto::engine::client::ClientSession;
use crate::proto::engine::packet::{Message, Packet};
use crate::proto::socket::client::{ClientPeer, Disconnected, Incoming};
use crate::proto::socket::error::ProtocolError;
use crate::proto::socket::text::{self, Outgoing};
use crate::runtime::dispatch::delivery::Delivery;
use crate::runtime::dispatch::event::AckHandler;

/// Why a socket that its own side disconnected is not connected.
const BY_CLIENT: &str = "io client disconnect";

/// Why a socket that the server disconnected is not connected.
const BY_SERVER: &str = "io server disconnect";

/// The place of a socket among those of its manager.
pub(super) type Slot = usize;

/// All sockets of a manager.
pub(super) struct Sockets {
    peer: ClientPeer<Slot, AckHandler>,
    seats: Vec<Seat>,
    limits: Arc<Limits>,
}

/// A socket, as long as the program or its being active keeps it.
struct Seat {
    namespace: Arc<str>,
    auth: Option<String>,
    /// Whether the socket is asked instead.
    asks: bool,
    /// How often it was asked what its CONNECT is to carry.
    questions: u64,
    socket: Weak<Socket>,
    /// An active socket lives on without the program.
    active: Option<Arc<Socket>>,
    /// Where its events go while it is connected. Another one after each CONNECT, which tells old acks.
    route: Option<Arc<Route>>,
    /// Its id while it is connected.
    id: Option<Box<str>>,
}

impl Sockets {
    pub(super) fn new(limits: Arc<Limits>) -> Self {
        Self { peer: ClientPeer::new(), seats: Vec::new(), limits }
    }

    /// The bounds that hold.
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The socket of a namespace, made by `make` if there is none yet.
    pub(super) fn socket(
        &mut self,
        step: &mut Step<'_>,
        namespace: &str,
        config: SocketConfig,
        make: impl FnOnce(Arc<str>, Slot) -> Socket,
    ) -> Result<Arc<Socket>> {
        let alive = self.seats.iter().find(|seat| *seat.namespace == *namespace).and_then(|seat| seat.socket.upgrade());
        if let Some(socket) = alive {
            return Ok(socket);
        }
        self.forget_dead(step);
        let namespace: Arc<str> = namespace.into();
        let free = self.seats.iter().position(|seat| seat.socket.strong_count() == 0);
        let slot = free.unwrap_or(self.seats.len());
        self.peer.add(namespace.clone(), slot, &self.limits)?;
        let socket = Arc::new(make(namespace.clone(), slot));
        let seat = Seat {
            namespace,
            auth: config.auth_json,
            asks: false,
            questions: 0,
            socket: Arc::downgrade(&socket),
            active: None,
            route: None,
            id: None,
        };
        if slot == self.seats.len() {
            self.seats.push(seat);
        } else {
            self.seats[slot] = seat;
        }
        Ok(socket)
    }

    /// Whether a socket is connected.
    pub(super) fn connected(&self, slot: Slot) -> bool {
        self.seats[slot].id.is_some()
    }

    /// The id of a socket, while it is connected.
    pub(super) fn id(&self, slot: Slot) -> Option<&str> {
        self.seats[slot].id.as_deref()
    }

    /// Whether a socket is connected, or will be when that is possible.
    pub(super) fn active(&self, slot: Slot) -> bool {
        self.peer.active(&self.seats[slot].namespace)
    }

    /// Whether any socket is active.
    pub(super) fn any_active(&self) -> bool {
        self.peer.any_active()
    }

    /// When [`tick`](Self::tick) is wanted next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.peer.deadline()
    }

    /// Ends the waits for acks whose time is over.
    pub(super) fn tick(&mut self, step: &mut Step<'_>) {
        while let Some(handler) = self.peer.expire(step.now) {
            step.fail(handler, ErrorKind::Timeout, "operation has timed out");
        }
    }

    /// The connection is open: all active sockets join their namespaces.
    pub(super) fn opened(&mut self, step: &mut Step<'_>, session: &mut ClientSession) {
        for (namespace, slot) in self.peer.opened() {
            self.send_connect(step, session, &namespace, slot);
        }
    }

    /// The connection is gone.
    pub(super) fn closed(&mut self, step: &mut Step<'_>, reason: &'static str) {
        for disconnected in self.peer.closed() {
            self.disconnected(step, disconnected, reason);
        }
    }

    /// A connection could not be opened, or failed: those hear of it that wait for one.
    pub(super) fn connect_error(&mut self, step: &mut Step<'_>, error: &Error) {
        for seat in self.seats.iter().filter(|seat| seat.id.is_none()) {
            if let Some(socket) = &seat.active {
                let (socket, error) = (socket.clone(), error.clone());
                step.deliver(Delivery::call(move || socket.call_connect_error(&error)));
            }
        }
    }

    /// A socket wants to be connected; `session` is the open connection, if there is one.
    pub(super) fn connect(&mut self, step: &mut Step<'_>, socket: &Arc<Socket>, session: Option<&mut ClientSession>) {
        let slot = socket.slot();
        let seat = &mut self.seats[slot];
        seat.active.get_or_insert_with(|| socket.clone());
        let namespace = seat.namespace.clone();
        if self.peer.connect(&namespace)
            && let Some(session) = session
        {
            self.send_connect(step, session, &namespace, slot);
        }
    }

    /// What the CONNECTs of a socket carry from now on.
    pub(super) fn set_auth(&mut self, slot: Slot, auth: Option<String>) {
        let seat = &mut self.seats[slot];
        (seat.auth, seat.asks) = (auth, false);
    }

    /// Has a socket asked from now on what its CONNECTs are to carry.
    pub(super) fn ask_for_auth(&mut self, slot: Slot) {
        self.seats[slot].asks = true;
    }

    /// The answer to the question of that number, what the CONNECT of a socket is to carry.
    ///
    /// # Errors
    /// `Closed` when nobody wants to know any more.
    pub(super) fn answered(
        &mut self,
        session: Option<&mut ClientSession>,
        (slot, number): (Slot, u64),
        answer: &Answer,
    ) -> Result<()> {
        let seat = &self.seats[slot];
        let closed = || Error::new(ErrorKind::Closed, "the socket does not connect any more");
        let session = session.filter(|_| seat.questions == number && self.peer.asked(&seat.namespace));
        let auth = match answer {
            Answer::Auth(auth) => auth,
            Answer::Settled => &seat.auth,
        };
        session.ok_or_else(closed)?.send(Packet::Text(text::connect(&seat.namespace, auth.as_deref())));
        Ok(())
    }

    /// A socket does not want to be connected any more.
    pub(super) fn disconnect(&mut self, step: &mut Step<'_>, slot: Slot, session: Option<&mut ClientSession>) {
        let namespace = self.seats[slot].namespace.clone();
        if let Some((goodbye, disconnected)) = self.peer.disconnect(&namespace) {
            if let Some(session) = session {
                session.send(Packet::Text(goodbye));
            }
            self.disconnected(step, disconnected, BY_CLIENT);
        }
        self.deactivate(step, slot);
    }

    /// The same for all sockets.
    pub(super) fn disconnect_all(&mut self, step: &mut Step<'_>, mut session: Option<&mut ClientSession>) {
        for slot in 0..self.seats.len() {
            self.disconnect(step, slot, session.as_deref_mut());
        }
    }

    /// An event for the server, which may ask for an ack. What is to be sent now is returned. On an error the handler stays
    /// with the caller.
    pub(super) fn emit(
        &mut self,
        step: &mut Step<'_>,
        slot: Slot,
        (name, payload): (&str, &Payload),
        ack: &mut Option<(AckHandler, Option<Instant>)>,
    ) -> Result<Option<Outgoing>> {
        let emitted = self.peer.emit(&self.seats[slot].namespace, name, payload, ack, &self.limits)?;
        if let Some(handler) = emitted.evicted {
            step.fail(handler, ErrorKind::TooLarge, "too many acks are waited for");
        }
        Ok(emitted.send)
    }

    /// An event that may be dropped. What is to be sent now is returned.
    pub(super) fn emit_volatile(
        &mut self,
        slot: Slot,
        (name, payload): (&str, &Payload),
        writable: bool,
    ) -> Result<Option<Outgoing>> {
        self.peer.emit_volatile(&self.seats[slot].namespace, name, payload, writable, &self.limits)
    }

    /// The ack for an event that came by `route`; `None` when that is not the socket's present connection.
    pub(super) fn ack(&self, route: &Arc<Route>, id: u64, payload: &Payload) -> Option<Outgoing> {
        let seat = &self.seats[route.socket().slot()];
        let current = seat.route.as_ref().is_some_and(|current| Arc::ptr_eq(current, route));
        if current { self.peer.answer(&seat.namespace, id, payload) } else { None }
    }

    /// A message of the server.
    pub(super) fn message(
        &mut self,
        step: &mut Step<'_>,
        session: &mut ClientSession,
        message: Message<'_>,
    ) -> Result<(), ProtocolError> {
        match self.peer.receive(message, &self.limits)? {
            None => {}
            Some(Incoming::Event { socket: slot, event }) => {
                if let Some(route) = &self.seats[slot].route {
                    step.deliver_event(route.clone(), event);
                }
            }
            Some(Incoming::Ack { waiter, payload, .. }) => {
                step.deliver_call(payload.byte_len(), move || waiter(Ok(payload)));
            }
            Some(Incoming::Connected { socket: slot, sid, early, unsent }) => {
                let seat = &mut self.seats[slot];
                let Some(socket) = seat.active.clone() else { return Ok(()) };
                let route = Arc::new(Route::new(socket.clone()));
                seat.id = Some(sid);
                seat.route = Some(route.clone());
                for event in early {
                    step.deliver_event(route.clone(), event);
                }
                for event in unsent {
                    event.into_packets().for_each(|packet| session.send(packet));
                }
                step.deliver(Delivery::call(move || socket.call_connect()));
            }
            Some(Incoming::ConnectError { socket: slot, error }) => {
                if let Some(socket) = self.seats[slot].active.clone() {
                    let refused = error.kind() == ErrorKind::Rejected;
                    step.deliver(Delivery::call(move || socket.call_connect_error(&error)));
                    if refused {
                        self.deactivate(step, slot);
                    }
                }
            }
            Some(Incoming::Disconnected(disconnected)) => {
                let slot = disconnected.socket;
                self.disconnected(step, disconnected, BY_SERVER);
                self.deactivate(step, slot);
            }
            Some(Incoming::Reply(packet)) => session.send(Packet::Text(packet)),
        }
        Ok(())
    }

    /// Takes out all who wait for an ack: the manager is gone.
    pub(super) fn drain(&mut self) -> Vec<AckHandler> {
        self.peer.drain()
    }

    /// Sends the CONNECT of a socket, or asks it before what that is to carry.
    fn send_connect(&mut self, step: &mut Step<'_>, session: &mut ClientSession, namespace: &str, slot: Slot) {
        let seat = &mut self.seats[slot];
        let Some(socket) = seat.active.as_ref().filter(|_| seat.asks) else {
            return session.send(Packet::Text(text::connect(namespace, seat.auth.as_deref())));
        };
        seat.questions += 1;
        self.peer.ask(namespace);
        let auth = Auth::new(socket.clone(), seat.questions);
        step.deliver(Delivery::call(move || auth.ask()));
    }

    fn disconnected(&mut self, step: &mut Step<'_>, gone: Disconnected<Slot, AckHandler>, reason: &'static str) {
        let seat = &mut self.seats[gone.socket];
        seat.id = None;
        if let Some(route) = seat.route.take() {
            step.deliver(Delivery::call(move || route.socket().call_disconnect(reason)));
        }
        for handler in gone.waiters {
            step.fail(handler, ErrorKind::Closed, "socket has been disconnected");
        }
    }

    /// The socket is left to the program. It may be the last reference, which is not dropped under the lock.
    fn deactivate(&mut self, step: &mut Step<'_>, slot: Slot) {
        if let Some(socket) = self.seats[slot].active.take() {
            step.deliver(Delivery::discard(socket));
        }
    }

    /// Frees what sockets have left behind that do not exist any more.
    fn forget_dead(&mut self, step: &mut Step<'_>) {
        for seat in self.seats.iter().filter(|seat| seat.socket.strong_count() == 0) {
            for handler in self.peer.remove(&seat.namespace) {
                step.fail(handler, ErrorKind::Closed, "the socket was released");
            }
        }
    }
}
