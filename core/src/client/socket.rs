//! A namespace that the client has joined, or wants to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use super::auth::{Answer, AuthHandler};
use super::config::check_auth;
use super::event::{ConnectErrorHandler, ConnectHandler, DisconnectHandler, EventHandler};
use super::manager::Manager;
use super::sockets::Slot;
use super::state::Delivered;
use crate::data::payload::Payload;
use crate::data::tag::{Kind, Tag};
use crate::error::{Error, Result};
use crate::proto::engine::packet::Transport;
use crate::proto::socket::event::{ReceivedEvent, check_emitted};
use crate::runtime::dispatch::delivery::{Delivery, EventTarget};
use crate::runtime::dispatch::event::{AckHandler, AckTarget, Event};
use crate::runtime::dispatch::listeners::{ListenerId, Listeners};

/// The client's end of a namespace.
///
/// Every method may be called from any thread. What is emitted while the socket is not connected waits until it is, and
/// is in order with what comes after. Calls made in a handler are written to the network together when the handlers of its
/// batch have run. While the socket is active it lives on without references of the program.
#[repr(C)]
pub struct Socket {
    tag: Tag,
    slot: Slot,
    namespace: Arc<str>,
    manager: Arc<Manager>,
    handlers: Handlers,
}

#[derive(Default)]
struct Handlers {
    events: Listeners<EventHandler>,
    connect: Listeners<ConnectHandler>,
    connect_error: Listeners<ConnectErrorHandler>,
    disconnect: Listeners<DisconnectHandler>,
    auth: ArcSwapOption<Box<AuthHandler>>,
}

impl Socket {
    /// The tag of client sockets.
    pub const KIND: Kind = Kind::of_process(*b"clnt");

    pub(super) fn new(manager: &Arc<Manager>, namespace: Arc<str>, slot: Slot) -> Self {
        Self { tag: Tag::new(Self::KIND), slot, namespace, manager: manager.clone(), handlers: Handlers::default() }
    }

    /// The name of its namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its manager.
    pub fn manager(&self) -> &Arc<Manager> {
        &self.manager
    }

    /// Its id, which the server has given it for as long as it is connected; `None` while it is not.
    pub fn id(&self) -> Option<String> {
        self.manager.look(|state| state.sockets().id(self.slot).map(str::to_owned))
    }

    /// Whether the server has confirmed it and the connection stands, as far as known.
    pub fn connected(&self) -> bool {
        self.manager.look(|state| state.sockets().connected(self.slot))
    }

    /// Whether it is connected, or will be as soon as that is possible. Not after a refusal, nor after either side has
    /// disconnected it: then [`connect`](Self::connect) makes it active again.
    pub fn active(&self) -> bool {
        self.manager.look(|state| state.sockets().active(self.slot))
    }

    /// Bytes that wait to be sent on its manager's connection.
    pub fn buffered_bytes(&self) -> usize {
        self.manager.buffered_bytes()
    }

    /// The transport that its manager's connection uses, while there is one.
    pub fn transport(&self) -> Option<Transport> {
        self.manager.transport()
    }

    /// Has it connected, now and after each loss of the connection. Nothing happens when it is active already.
    pub fn connect(self: &Arc<Self>) {
        let _ = self.manager.run(|state, step| state.connect(step, self));
    }

    /// Disconnects it: its handlers hear `io client disconnect` if it was connected. What was sent before still goes out;
    /// the connection is closed with its manager's last active socket.
    pub fn disconnect(&self) {
        let _ = self.manager.run(|state, step| state.disconnect(step, self.slot));
    }

    /// Sets the text of the JSON object that each CONNECT carries from the next one on, or that there is none. It takes the
    /// place of a handler that was to be asked.
    ///
    /// # Errors
    /// `InvalidJson` when it is no JSON object.
    pub fn set_auth(&self, json: Option<String>) -> Result<()> {
        json.as_deref().map_or(Ok(()), check_auth)?;
        self.manager.run(|state, _| state.sockets().set_auth(self.slot, json))?;
        self.replace_auth_handler(None);
        Ok(())
    }

    /// Has `handler` asked before each CONNECT what that is to carry, in place of what was set before.
    pub fn on_auth(&self, handler: Box<AuthHandler>) {
        self.replace_auth_handler(Some(Arc::new(handler)));
        let _ = self.manager.run(|state, _| state.sockets().ask_for_auth(self.slot));
    }

    /// Adds a handler for the event `name`.
    ///
    /// # Errors
    /// `InvalidArgument` for a reserved name.
    pub fn on(&self, name: &str, handler: Box<EventHandler>) -> Result<ListenerId> {
        check_emitted(name)?;
        Ok(self.handlers.events.add(name, handler))
    }

    /// Adds a handler for the next event `name` only.
    ///
    /// # Errors
    /// As of [`Socket::on`].
    pub fn once(&self, name: &str, handler: Box<EventHandler>) -> Result<ListenerId> {
        check_emitted(name)?;
        Ok(self.handlers.events.add_once(name, handler))
    }

    /// Adds a handler for every event, called before those for one name.
    pub fn on_any(&self, handler: Box<EventHandler>) -> ListenerId {
        self.handlers.events.add_any(handler)
    }

    /// Adds a handler that is called when the socket is connected.
    pub fn on_connect(&self, handler: Box<ConnectHandler>) -> ListenerId {
        self.handlers.connect.add_any(handler)
    }

    /// Adds a handler that is called when the socket could not be connected: the server refused it, or there was no
    /// connection.
    pub fn on_connect_error(&self, handler: Box<ConnectErrorHandler>) -> ListenerId {
        self.handlers.connect_error.add_any(handler)
    }

    /// Adds a handler that is called when the socket is not connected any more.
    pub fn on_disconnect(&self, handler: Box<DisconnectHandler>) -> ListenerId {
        self.handlers.disconnect.add_any(handler)
    }

    /// Takes a handler out; a call that has begun may still be running. `false` when there is no such handler.
    pub fn off(&self, id: ListenerId) -> bool {
        let Handlers { events, connect, connect_error, disconnect, auth: _ } = &self.handlers;
        let removed = (events.remove(id).map(Delivery::discard))
            .or_else(|| connect.remove(id).map(Delivery::discard))
            .or_else(|| connect_error.remove(id).map(Delivery::discard))
            .or_else(|| disconnect.remove(id).map(Delivery::discard));
        removed.map(|removed| self.manager.queue().push(removed)).is_some()
    }

    /// Sends an event, or keeps it until the socket is connected.
    ///
    /// # Errors
    /// `InvalidArgument` for a reserved name, `Backpressure` when too much waits to be sent already.
    pub fn emit(&self, name: &str, payload: &Payload) -> Result<()> {
        check_emitted(name)?;
        self.manager.run(|state, step| state.emit(step, self.slot, (name, payload), &mut None)).flatten()
    }

    /// Sends an event if that can be done now, and drops it otherwise.
    ///
    /// # Errors
    /// As of [`Socket::emit`].
    pub fn emit_volatile(&self, name: &str, payload: &Payload) -> Result<()> {
        check_emitted(name)?;
        self.manager.run(|state, _| state.emit_volatile(self.slot, (name, payload))).flatten()
    }

    /// Sends an event that asks for an ack, or keeps it until the socket is connected. `handler` is called exactly once, on
    /// a dispatch thread: with what the server answered, with `Timeout` after `timeout` (never when it is `None`; an event
    /// that still waits is not sent any more then), or with `Closed` when the socket is disconnected before. It is dropped
    /// unused when this call fails.
    ///
    /// # Errors
    /// As of [`Socket::emit`].
    pub fn emit_with_ack(
        &self,
        name: &str,
        payload: &Payload,
        timeout: Option<Duration>,
        handler: AckHandler,
    ) -> Result<()> {
        check_emitted(name)?;
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        // On an error it is dropped here, where the lock is not held.
        let mut ack = Some((handler, deadline));
        self.manager.run(|state, step| state.emit(step, self.slot, (name, payload), &mut ack)).flatten()
    }

    /// Its place among the sockets of its manager.
    pub(super) fn slot(&self) -> Slot {
        self.slot
    }

    /// Who is to be asked what a CONNECT is to carry. On a thread that delivers: it may be the last reference.
    pub(super) fn auth_handler(&self) -> Option<Arc<Box<AuthHandler>>> {
        self.handlers.auth.load_full()
    }

    /// Sends the CONNECT for which the question of that number was asked.
    ///
    /// # Errors
    /// `Closed` when it is not wanted any more.
    pub(super) fn send_connect(&self, question: u64, answer: &Answer) -> Result<()> {
        self.manager.run(|state, _| state.answered((self.slot, question), answer)).flatten()
    }

    fn replace_auth_handler(&self, handler: Option<Arc<Box<AuthHandler>>>) {
        if let Some(before) = self.handlers.auth.swap(handler) {
            self.manager.queue().push(Delivery::discard(before));
        }
    }

    pub(super) fn call_connect(self: &Arc<Self>) {
        self.handlers.connect.find("").each(|handler| handler(self));
    }

    pub(super) fn call_connect_error(self: &Arc<Self>, error: &Error) {
        self.handlers.connect_error.find("").each(|handler| handler(self, error));
    }

    pub(super) fn call_disconnect(self: &Arc<Self>, reason: &str) {
        self.handlers.disconnect.find("").each(|handler| handler(self, reason));
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let handlers = std::mem::take(&mut self.handlers);
        self.manager.queue().push(Delivery::discard(handlers));
    }
}

/// A socket between one CONNECT and the disconnection that follows: where its events go, and their acks come from.
pub(super) struct Route {
    socket: Arc<Socket>,
}

impl Route {
    pub(super) fn new(socket: Arc<Socket>) -> Self {
        Self { socket }
    }

    pub(super) fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }
}

impl EventTarget for Route {
    fn drop_event(self: Arc<Self>, event: ReceivedEvent) {
        self.socket.manager.delivered(event.len());
    }

    fn deliver(self: Arc<Self>, received: ReceivedEvent) {
        let socket = &self.socket;
        let _delivered = Delivered(&socket.manager, received.len());
        let mut event = Event::new(received, &self);
        let handlers = socket.handlers.events.find(event.name());
        handlers.each(|handler| handler(socket, &mut event));
    }
}

impl AckTarget for Route {
    fn send_ack(self: Arc<Self>, id: u64, payload: &Payload) -> Result<()> {
        self.socket.manager.run(|state, _| state.ack(&self, id, payload)).flatten()
    }
}
