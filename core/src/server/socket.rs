//! A client in a namespace, as the server sees it.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::runtime::sync::Mutex;
use crate::runtime::sync::atomic::{AtomicU8, Ordering};
use once_cell::sync::OnceCell;

use super::broadcast::Broadcast;
use super::connection::Connection;
use super::handshake::Handshake;
use super::layer::SocketLayer;
use super::middleware::Waiting;
use super::namespace::Namespace;
use crate::adapter::{Recipient, Room};
use crate::data::id::Sid;
use crate::data::payload::Payload;
use crate::data::tag::{Kind, Tag};
use crate::error::{Error, ErrorKind, Result};
use crate::proto::engine::packet::{Encoded, Packet, Transport};
use crate::proto::socket::event::{ReceivedEvent, check_emitted};
use crate::proto::socket::text;
use crate::runtime::dispatch::delivery::{Delivery, EventTarget};
use crate::runtime::dispatch::event::{AckHandler, AckTarget, Event};
use crate::runtime::dispatch::listeners::{ListenerId, Listeners};
use crate::runtime::dispatch::queue::Queue;
use crate::runtime::dispatch::turn;
use crate::runtime::log;

/// Called with each event of its name.
pub type EventHandler = dyn Fn(&Arc<Socket>, &mut Event) + Send + Sync;

/// Called when a socket leaves, with the official reason.
pub type DisconnectHandler = dyn Fn(&Arc<Socket>, &str) + Send + Sync;

/// A client in a namespace.
///
/// Every method may be called from any thread. What is sent is in order; calls made in a handler are written to the
/// network together when the handlers of its batch have run.
#[repr(C)]
pub struct Socket {
    tag: Tag,
    /// A [`Stage`], changed under the connection's lock.
    stage: AtomicU8,
    id: Sid,
    namespace: Arc<Namespace>,
    connection: Arc<Connection<SocketLayer>>,
    handshake: Handshake,
    /// Handlers of this socket alone; most have none.
    listeners: OnceCell<Box<SocketListeners>>,
    data: Mutex<Option<Box<dyn Any + Send>>>,
}

/// How far a socket has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    /// Middlewares have not let it in yet.
    Waiting,
    Connected,
    Left,
}

/// The handlers that a socket can have, and a namespace for all of its sockets.
#[derive(Default)]
pub(super) struct SocketListeners {
    pub(super) events: Listeners<EventHandler>,
    pub(super) disconnecting: Listeners<DisconnectHandler>,
    pub(super) disconnect: Listeners<DisconnectHandler>,
}

impl SocketListeners {
    /// Takes a handler out; it is dropped on the thread that delivers.
    pub(super) fn remove(&self, id: ListenerId, queue: &Arc<Queue>) -> bool {
        let discard = |delivery| {
            queue.push(delivery);
            true
        };
        self.events.remove(id).map(Delivery::discard).is_some_and(discard)
            || self.disconnecting.remove(id).map(Delivery::discard).is_some_and(discard)
            || self.disconnect.remove(id).map(Delivery::discard).is_some_and(discard)
    }
}

/// A socket whose end its handlers are to be told of. It is in its rooms until then, and no longer if that is never, because
/// the queue was closed: the rooms keep it alive, and it keeps its namespace, whose they are.
pub(super) struct Leaving(Arc<Socket>);

impl Leaving {
    /// `socket` sends nothing from now on.
    pub(super) fn new(socket: Arc<Socket>) -> Self {
        socket.set_stage(Stage::Left);
        Self(socket)
    }

    /// Calls the handlers. On a dispatch thread.
    pub(super) fn tell(self, reason: &str) {
        let socket = self.0.clone();
        socket.disconnecting(reason);
        drop(self);
        socket.disconnected(reason);
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.namespace.adapter().remove(&self.0.id);
    }
}

impl Socket {
    /// The tag of sockets.
    pub const KIND: Kind = Kind::of_process(*b"sock");

    pub(super) fn new(
        id: Sid,
        namespace: &Arc<Namespace>,
        connection: Arc<Connection<SocketLayer>>,
        handshake: Handshake,
        stage: Stage,
    ) -> Arc<Self> {
        Arc::new(Self {
            tag: Tag::new(Self::KIND),
            stage: AtomicU8::new(stage as u8),
            id,
            namespace: namespace.clone(),
            connection,
            handshake,
            listeners: OnceCell::new(),
            data: Mutex::new(None),
        })
    }

    /// Its id, 20 characters. Not the id of its Engine.IO session, which is a secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its namespace.
    pub fn namespace(&self) -> &Arc<Namespace> {
        &self.namespace
    }

    /// Whether it is in its namespace: not before middlewares have let it in, nor when it has left.
    pub fn connected(&self) -> bool {
        self.is_at(Stage::Connected)
    }

    /// How it came to be.
    pub fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// The transport in use.
    pub fn transport(&self) -> Transport {
        self.connection.transport()
    }

    /// Bytes that wait to be sent on its connection.
    pub fn buffered_bytes(&self) -> usize {
        self.connection.buffered_bytes()
    }

    /// Adds a handler for the event `name`, called after those of the namespace.
    ///
    /// # Errors
    /// `InvalidArgument` for a reserved name.
    pub fn on(&self, name: &str, handler: Box<EventHandler>) -> Result<ListenerId> {
        check_emitted(name)?;
        Ok(self.listeners().events.add(name, handler))
    }

    /// Adds a handler for the next event `name` only.
    ///
    /// # Errors
    /// As of [`Socket::on`].
    pub fn once(&self, name: &str, handler: Box<EventHandler>) -> Result<ListenerId> {
        check_emitted(name)?;
        Ok(self.listeners().events.add_once(name, handler))
    }

    /// Adds a handler for every event.
    pub fn on_any(&self, handler: Box<EventHandler>) -> ListenerId {
        self.listeners().events.add_any(handler)
    }

    /// Adds a handler that is called when the socket is about to leave and is still in its rooms.
    pub fn on_disconnecting(&self, handler: Box<DisconnectHandler>) -> ListenerId {
        self.listeners().disconnecting.add_any(handler)
    }

    /// Adds a handler that is called when the socket has left.
    pub fn on_disconnect(&self, handler: Box<DisconnectHandler>) -> ListenerId {
        self.listeners().disconnect.add_any(handler)
    }

    /// Takes a handler out; a call that has begun may still be running. `false` when there is no such handler.
    pub fn off(&self, id: ListenerId) -> bool {
        self.listeners.get().is_some_and(|listeners| listeners.remove(id, self.connection.queue()))
    }

    /// Sends an event. In a middleware it is kept: it follows the `CONNECT`, or is dropped when the client is turned away.
    ///
    /// # Errors
    /// `InvalidArgument` for a reserved name, `Closed`, `Backpressure` when too much waits to be sent already.
    pub fn emit(&self, name: &str, payload: &Payload) -> Result<()> {
        check_emitted(name)?;
        if let Some(kept) = self.emit_early((name, payload), &mut None) {
            return kept;
        }
        self.send(text::event(self.namespace.name(), name, payload, None))
    }

    /// Sends an event if that can be done now, and drops it otherwise (`socket.volatile.emit`).
    ///
    /// # Errors
    /// `InvalidArgument` for a reserved name, `Closed`.
    pub fn emit_volatile(&self, name: &str, payload: &Payload) -> Result<()> {
        check_emitted(name)?;
        if self.is_at(Stage::Waiting) {
            return Ok(());
        }
        let event = text::event(self.namespace.name(), name, payload, None);
        self.act(|_, io| {
            if io.is_writable() && !io.is_full() {
                event.into_packets().for_each(|packet| io.send(packet));
            }
            Ok(())
        })
    }

    /// Sends an event that asks for an ack. `handler` is called exactly once, on a dispatch thread: with what the client
    /// answered, or with `Timeout` after `timeout` (never when it is `None`), or with `Closed`. It is dropped unused when
    /// this call fails.
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
        if let Some(kept) = self.emit_early((name, payload), &mut ack) {
            return kept;
        }
        self.act(|layer, io| {
            refuse_if_full(io)?;
            layer.emit_with_ack(io, self.namespace.name(), (name, payload), &mut ack)
        })
    }

    /// Puts the socket into a room.
    ///
    /// # Errors
    /// `TooLarge` when the name is too long, `Closed`.
    pub fn join(&self, room: &str) -> Result<()> {
        if let Some(joined) = self.while_waiting(|waiting| waiting.join(room)) {
            return joined;
        }
        self.namespace.adapter().join(&self.id, room)
    }

    /// Takes the socket out of a room.
    pub fn leave(&self, room: &str) {
        if self.while_waiting(|waiting| waiting.leave(room)).is_some() {
            return;
        }
        self.namespace.adapter().leave(&self.id, room);
    }

    /// Whether the socket is in a room.
    pub fn in_room(&self, room: &str) -> bool {
        let early = self.while_waiting(|waiting| waiting.in_room(room));
        early.unwrap_or_else(|| self.namespace.adapter().in_room(&self.id, room))
    }

    /// The rooms the socket is in; the one of its own id is one of them, once it is connected.
    pub fn rooms(&self) -> Vec<Room> {
        let early = self.while_waiting(|waiting| waiting.rooms());
        early.unwrap_or_else(|| self.namespace.adapter().rooms_of(&self.id))
    }

    /// A broadcast to others: without any room to the namespace, and never to this socket.
    pub fn broadcast(&self) -> Broadcast {
        Broadcast::from_socket(&self.namespace, &self.id)
    }

    /// Disconnects the client from this namespace; with `close` from all, and closes the connection. What was sent before
    /// still goes out. Nothing happens when it is disconnected already, or not connected yet.
    pub fn disconnect(&self, close: bool) {
        // An error says that it is disconnected.
        let _ = self.act(|layer, io| {
            if close {
                layer.disconnect_all(io);
            } else {
                layer.disconnect(io, self.namespace.name());
            }
            Ok(())
        });
    }

    /// Keeps something with the socket (`socket.data`), in place of what was kept; gives that back. What is kept is
    /// dropped with the socket.
    pub fn set_data(&self, data: Option<Box<dyn Any + Send>>) -> Option<Box<dyn Any + Send>> {
        std::mem::replace(&mut *self.data.lock(), data)
    }

    /// Looks at what is kept with the socket. `look` must not call [`Socket::set_data`].
    pub fn with_data<R>(&self, look: impl FnOnce(Option<&mut (dyn Any + Send)>) -> R) -> R {
        look(self.data.lock().as_deref_mut())
    }

    /// It has come further. Said under its connection's lock.
    pub(super) fn set_stage(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Release);
    }

    /// Its last middleware has let it in.
    ///
    /// # Errors
    /// `Closed` when it does not wait for that any more.
    pub(super) fn let_in(self: &Arc<Self>) -> Result<()> {
        self.connection.act(|layer, io| layer.let_in(io, self))
    }

    /// A middleware has turned it away; `data` is JSON.
    ///
    /// # Errors
    /// `Closed` when it does not wait for that any more.
    pub(super) fn turn_away(self: &Arc<Self>, message: &str, data: Option<&str>) -> Result<()> {
        self.connection.act(|layer, io| layer.turn_away(io, self, message, data))
    }

    /// # Errors
    /// `Closed` when it does not wait to be let in, or not any more.
    pub(super) fn check_waiting(&self) -> Result<()> {
        if self.is_at(Stage::Waiting) { Ok(()) } else { Err(gone()) }
    }

    /// Runs `call` where handlers are called, behind what waits for its connection.
    pub(super) fn deliver_call(&self, call: impl FnOnce() + Send + 'static) {
        self.connection.queue().push(Delivery::call(call));
    }

    /// It was never connected and will not be. On a thread that delivers, which takes registrations apart.
    pub(super) fn never_connected(&self) {
        self.clear_listeners();
    }

    fn is_at(&self, stage: Stage) -> bool {
        self.stage.load(Ordering::Acquire) == stage as u8
    }

    /// Keeps an event until it is let in; `None` when it does not wait for that. `ack` is taken when the event is kept.
    fn emit_early(
        &self,
        event: (&str, &Payload),
        ack: &mut Option<(AckHandler, Option<Instant>)>,
    ) -> Option<Result<()>> {
        let limit = self.connection.limits().queued_bytes;
        self.while_waiting(|waiting| waiting.emit(event, ack, limit))
    }

    /// Does something to what it will be; `None` when it does not wait to be let in.
    fn while_waiting<R>(&self, act: impl FnOnce(&mut Waiting) -> R) -> Option<R> {
        if !self.is_at(Stage::Waiting) {
            return None;
        }
        self.connection.act(|layer, _| Ok(layer.waiting(self).map(act))).ok().flatten()
    }

    /// Calls the handlers that may still look at its rooms.
    fn disconnecting(self: &Arc<Self>, reason: &str) {
        self.namespace.listeners().disconnecting.find("").each(|handler| handler(self, reason));
        if let Some(own) = self.listeners.get() {
            own.disconnecting.find("").each(|handler| handler(self, reason));
        }
    }

    /// Calls the handlers of the end.
    fn disconnected(self: &Arc<Self>, reason: &str) {
        self.namespace.listeners().disconnect.find("").each(|handler| handler(self, reason));
        if let Some(own) = self.listeners.get() {
            own.disconnect.find("").each(|handler| handler(self, reason));
        }
        // Nothing comes after this; here is the thread that takes registrations apart.
        self.clear_listeners();
    }

    fn clear_listeners(&self) {
        if let Some(own) = self.listeners.get() {
            drop((own.events.clear(), own.disconnecting.clear(), own.disconnect.clear()));
        }
    }

    fn listeners(&self) -> &SocketListeners {
        self.listeners.get_or_init(Box::default)
    }

    fn send(&self, packets: text::Outgoing) -> Result<()> {
        self.act(|_, io| {
            refuse_if_full(io)?;
            packets.into_packets().for_each(|packet| io.send(packet));
            Ok(())
        })
    }

    fn act<R>(
        &self,
        act: impl FnOnce(&mut SocketLayer, &mut super::connection::Io<'_, SocketLayer>) -> Result<R>,
    ) -> Result<R> {
        self.connection.act(|layer, io| {
            // Asked under the connection's lock, under which it is changed.
            if self.connected() { act(layer, io) } else { Err(gone()) }
        })
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Closed, "the socket is disconnected")
}

fn refuse_if_full(io: &mut super::connection::Io<'_, SocketLayer>) -> Result<()> {
    if io.is_full() {
        return Err(Error::new(ErrorKind::Backpressure, "too much waits to be sent to this client"));
    }
    Ok(())
}

impl EventTarget for Socket {
    fn drop_event(self: Arc<Self>, event: ReceivedEvent) {
        self.connection.delivered(event.len());
    }

    fn deliver(self: Arc<Self>, received: ReceivedEvent) {
        /// Returns the budget also when a handler panics.
        struct Delivered<'a>(&'a Socket, usize);
        impl Drop for Delivered<'_> {
            fn drop(&mut self) {
                self.0.connection.delivered(self.1);
            }
        }
        let _delivered = Delivered(&self, received.len());
        let mut event = Event::new(received, &self);
        let shared = self.namespace.listeners().events.find(event.name());
        let own = self.listeners.get().map(|listeners| listeners.events.find(event.name()));
        shared.each(|handler| handler(&self, &mut event));
        if let Some(own) = own {
            own.each(|handler| handler(&self, &mut event));
        }
    }
}

impl AckTarget for Socket {
    fn send_ack(self: Arc<Self>, id: u64, payload: &Payload) -> Result<()> {
        self.send(text::ack(self.namespace.name(), id, payload))
    }
}

impl Recipient for Socket {
    fn id(&self) -> &str {
        &self.id
    }

    fn deliver(&self, packet: &Arc<Encoded>, volatile: bool) {
        let result = self.act(|_, io| {
            if volatile && (!io.is_writable() || io.is_full()) {
                return Ok(());
            }
            if io.is_full() {
                // It would miss this packet and get later ones; a client that is disconnected knows that it missed some.
                log::warning!(Socket, "a client that does not read is disconnected: too much waits to be sent to it");
                io.close();
                return Ok(());
            }
            io.send(Packet::Shared(packet.clone()));
            Ok(())
        });
        // Who has left meanwhile gets nothing.
        drop(result);
    }

    fn disconnect(&self, close: bool) {
        turn::run(|| Self::disconnect(self, close));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::client::{Manager, ManagerConfig, SocketConfig};
    use crate::runtime::sync::Mutex;
    use crate::runtime::{Runtime, RuntimeConfig};
    use crate::server::{Server, ServerConfig};

    #[test]
    fn a_panic_under_the_lock_disconnects_the_sockets_of_that_connection_only() {
        let runtime = Runtime::new(&RuntimeConfig::default()).unwrap();
        let server = Server::new(&runtime, &ServerConfig::default()).unwrap();
        server.listen("127.0.0.1:0", Box::new(|_| {})).unwrap();
        let (sender, heard) = channel();
        let sender = Arc::new(Mutex::new(sender));
        for name in ["/", "/other"] {
            let namespace = server.of(name).unwrap();
            let (joined, left) = (sender.clone(), sender.clone());
            namespace.on_connection(Box::new(move |socket| drop(joined.lock().send((socket.clone(), None)))));
            namespace.on_disconnect(Box::new(move |socket, reason| {
                drop(left.lock().send((socket.clone(), Some(reason.to_owned()))));
            }));
        }
        let url = format!("http://{}", server.address(0).unwrap());
        let connect = |names: &[&str]| {
            let config = ManagerConfig { reconnection: false, ..ManagerConfig::default() };
            let manager = Manager::new(&runtime, &url, config).unwrap();
            let clients = names.iter().map(|name| manager.socket(name, SocketConfig::default()).unwrap());
            let clients: Vec<_> = clients.collect();
            let sockets: Vec<_> = names.iter().map(|_| heard.recv().unwrap().0).collect();
            (manager, clients, sockets)
        };
        let (one, _clients, sockets) = connect(&["/", "/other"]);
        let (other, _client, others) = connect(&["/"]);

        let error = sockets[0].connection.act(|_, _| -> Result<()> { panic!("planted") }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Panic);
        for _ in &sockets {
            let (socket, reason) = heard.recv().unwrap();
            assert!(sockets.iter().any(|known| Arc::ptr_eq(known, &socket)));
            assert_eq!(reason.as_deref(), Some("transport error"));
            assert!(!socket.connected());
        }
        assert!(others[0].connected());
        assert_eq!(server.clients_count(), 1);
        let sent = server.of("/").unwrap().emit("to all", &Payload::default());
        sent.unwrap();
        for manager in [one, other] {
            manager.close_wait(std::time::Duration::from_mins(1)).unwrap();
        }
        assert!(Arc::ptr_eq(&heard.recv().unwrap().0, &others[0]));
        server.close_wait(std::time::Duration::from_mins(1)).unwrap();
    }
}
