//! Socket.IO on an Engine.IO connection: the sockets of one client, a namespace each.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::connection::{Io, Layer};
use super::handshake::{Handshake, RequestHead};
use super::middleware::{Early, Next, Waiting};
use super::namespace::Namespaces;
use super::socket::{Leaving, Socket, Stage};
use crate::data::payload::Payload;
use crate::error::{Error, ErrorKind, Result};
use crate::proto::engine::packet::{Message, Packet};
use crate::proto::engine::session::CloseReason;
use crate::proto::socket::acks::AckTable;
use crate::proto::socket::error::ProtocolError;
use crate::proto::socket::server::{Incoming, Joined, ServerPeer};
use crate::proto::socket::text;
use crate::runtime::dispatch::delivery::Delivery;
use crate::runtime::dispatch::event::AckHandler;
use crate::runtime::{log, new_sid};

/// The sockets of one connection.
pub(super) struct SocketLayer {
    namespaces: Arc<Namespaces>,
    peer: ServerPeer<Arc<Socket>, AckHandler>,
    head: Arc<RequestHead>,
    /// Clients that middlewares have not let in yet, one for a namespace; none of them has joined it.
    waiting: Vec<Waiting>,
    /// Until when a namespace has to be joined.
    connect_by: Option<Instant>,
    /// The client did what does not fit its state. The official server then gives its sockets up even where the connection
    /// cannot be closed at once.
    misused: bool,
}

impl SocketLayer {
    /// The layer of a new connection.
    pub(super) fn new(namespaces: Arc<Namespaces>, head: RequestHead, connect_by: Option<Instant>) -> Self {
        Self {
            namespaces,
            peer: ServerPeer::new(),
            head: Arc::new(head),
            waiting: Vec::new(),
            connect_by,
            misused: false,
        }
    }

    /// Sends an event that asks for an ack; `ack` is taken: the handler, called once with the answer or with why there is
    /// none, and until when it waits.
    pub(super) fn emit_with_ack(
        &mut self,
        io: &mut Io<'_, Self>,
        namespace: &str,
        (event, payload): (&str, &Payload),
        ack: &mut Option<(AckHandler, Option<Instant>)>,
    ) -> Result<()> {
        let limits = self.namespaces.limits();
        let expect = |(handler, deadline)| self.peer.expect_ack(namespace, handler, deadline, limits);
        match ack.take().and_then(expect) {
            None => Err(Error::new(ErrorKind::Closed, "the socket is disconnected")),
            Some((id, displaced)) => {
                if let Some(handler) = displaced {
                    let result = Err(Error::new(ErrorKind::TooLarge, "too many acks are pending"));
                    io.deliver(Delivery::Answer { handler, result });
                }
                text::event(namespace, event, payload, Some(id)).into_packets().for_each(|packet| io.send(packet));
                Ok(())
            }
        }
    }

    /// Our side has this client leave a namespace.
    pub(super) fn disconnect(&mut self, io: &mut Io<'_, Self>, namespace: &str) {
        if let Some(joined) = self.peer.leave(namespace) {
            io.send(Packet::Text(text::disconnect(namespace)));
            leave(io, joined, "server namespace disconnect");
        }
    }

    /// The same for all of its namespaces, and the connection.
    pub(super) fn disconnect_all(&mut self, io: &mut Io<'_, Self>) {
        for joined in self.peer.close() {
            io.send(Packet::Text(text::disconnect(&joined.namespace)));
            leave(io, joined, "server namespace disconnect");
        }
        self.give_up_waiting(io);
        io.close();
    }

    /// The server ends.
    pub(super) fn shut_down(&mut self, io: &mut Io<'_, Self>) {
        self.leave_all(io, "server shutting down");
        io.close();
    }

    fn connect(&mut self, io: &mut Io<'_, Self>, name: &str, auth: Option<&str>) {
        let Some(namespace) = self.namespaces.get(name) else {
            log::debug!(Socket, "a client wants to join {name:?}, which does not exist");
            return answer(io, text::connect_error(name, "Invalid namespace", None));
        };
        // A client that asks again has given up the attempt before.
        if let Some(at) = self.waiting.iter().position(|waiting| waiting.socket.namespace().name() == name) {
            give_up(io, self.waiting.swap_remove(at));
        }
        if self.peer.sockets().count() + self.waiting.len() >= self.namespaces.limits().namespaces {
            return answer(io, text::connect_error(name, "Too many namespaces", None));
        }
        // The peer has read it, so it is JSON.
        let auth = auth.and_then(|auth| Payload::from_json(&format!("[{auth}]"), Vec::new()).ok());
        let handshake = Handshake::new(self.head.clone(), auth);
        let new_socket =
            |io: &Io<'_, Self>, stage| Socket::new(new_sid(), &namespace, io.connection().clone(), handshake, stage);
        match namespace.middlewares().count() {
            0 => {
                let socket = new_socket(io, Stage::Connected);
                self.join(io, &socket);
                io.deliver_call(socket.handshake().auth().len(), move || namespace.connected(&socket));
            }
            count => {
                let socket = new_socket(io, Stage::Waiting);
                self.waiting.push(Waiting::new(socket.clone()));
                let next = Next::new(socket.clone(), count);
                io.deliver_call(socket.handshake().auth().len(), move || next.ask());
            }
        }
    }

    /// A client is in the namespace of its socket, and is told so.
    fn join(&mut self, io: &mut Io<'_, Self>, socket: &Arc<Socket>) {
        let namespace = socket.namespace();
        log::debug!(Socket, "a client has joined {:?}", namespace.name());
        self.connect_by = None;
        self.peer.join(namespace.shared_name().clone(), socket.clone());
        namespace.adapter().add(socket.clone());
        answer(io, text::connected(namespace.name(), socket.id()));
    }

    /// The client whose socket this is, if it waits to be let in.
    pub(super) fn waiting(&mut self, socket: &Socket) -> Option<&mut Waiting> {
        self.waiting.iter_mut().find(|waiting| std::ptr::eq(&raw const *waiting.socket, socket))
    }

    /// Lets in a client that waits for it: what was kept for it follows the `CONNECT`.
    ///
    /// # Errors
    /// `Closed` when it does not wait any more.
    pub(super) fn let_in(&mut self, io: &mut Io<'_, Self>, socket: &Arc<Socket>) -> Result<()> {
        let (socket, rooms, events) = self.take_waiting(socket)?.into_parts();
        let namespace = socket.namespace().clone();
        socket.set_stage(Stage::Connected);
        self.join(io, &socket);
        // Nothing of this can fail: it is in, and the names of the rooms are within the bound.
        for room in rooms {
            let _ = namespace.adapter().join(socket.id(), &room);
        }
        for Early { name, payload, mut ack } in events {
            if ack.is_some() {
                let _ = self.emit_with_ack(io, namespace.name(), (&name, &payload), &mut ack);
            } else {
                text::event(namespace.name(), &name, &payload, None).into_packets().for_each(|packet| io.send(packet));
            }
        }
        io.deliver_call(0, move || namespace.connected(&socket));
        Ok(())
    }

    /// Turns away a client that waits to be let in; `data` is JSON.
    ///
    /// # Errors
    /// `Closed` when it does not wait any more.
    pub(super) fn turn_away(
        &mut self,
        io: &mut Io<'_, Self>,
        socket: &Arc<Socket>,
        message: &str,
        data: Option<&str>,
    ) -> Result<()> {
        let waiting = self.take_waiting(socket)?;
        let name = socket.namespace().name();
        log::debug!(Socket, "a client was turned away from {name:?}: {message}");
        answer(io, text::connect_error(name, message, data));
        give_up(io, waiting);
        Ok(())
    }

    fn take_waiting(&mut self, socket: &Arc<Socket>) -> Result<Waiting> {
        let at = self.waiting.iter().position(|waiting| Arc::ptr_eq(&waiting.socket, socket));
        let at = at.ok_or_else(|| Error::new(ErrorKind::Closed, "the client is gone"))?;
        Ok(self.waiting.swap_remove(at))
    }

    fn leave_all(&mut self, io: &mut Io<'_, Self>, reason: &'static str) {
        self.peer.close().for_each(|joined| leave(io, joined, reason));
        self.give_up_waiting(io);
    }

    fn give_up_waiting(&mut self, io: &mut Io<'_, Self>) {
        self.waiting.drain(..).for_each(|waiting| give_up(io, waiting));
    }

    /// One who waits for an answer and whose time is over.
    fn expire(&mut self, now: Instant) -> Option<AckHandler> {
        let early = |waiting: &mut Vec<Waiting>| waiting.iter_mut().find_map(|waiting| waiting.expire(now));
        self.peer.expire(now).or_else(|| early(&mut self.waiting))
    }
}

impl Layer for SocketLayer {
    fn message(&mut self, io: &mut Io<'_, Self>, message: Message<'_>) {
        match self.peer.receive(message, self.namespaces.limits()) {
            Ok(None) => {}
            Ok(Some(Incoming::Event { socket, event })) => io.deliver_event(socket, event),
            Ok(Some(Incoming::Ack { waiter, payload, .. })) => {
                io.deliver_call(payload.byte_len(), move || waiter(Ok(payload)));
            }
            Ok(Some(Incoming::Connect { namespace, auth })) => self.connect(io, namespace, auth),
            Ok(Some(Incoming::Refused(refusal))) => answer(io, refusal),
            Ok(Some(Incoming::Disconnect(joined))) => leave(io, joined, "client namespace disconnect"),
            Err(error) => {
                log::debug!(Socket, "a client broke the protocol: {error}");
                self.misused = error == ProtocolError::State;
                io.close();
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let early = self.waiting.iter().filter_map(Waiting::deadline).min();
        [self.connect_by, self.peer.deadline(), early].into_iter().flatten().min()
    }

    fn tick(&mut self, io: &mut Io<'_, Self>) {
        while let Some(handler) = self.expire(io.now()) {
            // The official words.
            let result = Err(Error::new(ErrorKind::Timeout, "operation has timed out"));
            io.deliver(Delivery::Answer { handler, result });
        }
        if self.connect_by.is_some_and(|by| by <= io.now()) {
            self.connect_by = None;
            log::debug!(Socket, "a client joined no namespace in time");
            io.close();
        }
    }

    fn closing(&mut self, io: &mut Io<'_, Self>) {
        if self.misused {
            self.leave_all(io, "forced server close");
        }
        self.give_up_waiting(io);
    }

    fn closed(&mut self, io: &mut Io<'_, Self>, reason: CloseReason) {
        self.leave_all(io, reason.as_str());
    }
}

/// Answers a packet of the client. One that goes on asking and does not read is disconnected.
fn answer(io: &mut Io<'_, SocketLayer>, packet: Bytes) {
    if io.is_full() {
        log::warning!(Socket, "a client that does not read is disconnected: too much waits to be sent to it");
        io.close();
    }
    io.send(Packet::Text(packet));
}

/// A client is not in a namespace any more: its socket sends nothing from now on, and its handlers get to know.
fn leave(io: &mut Io<'_, SocketLayer>, joined: Joined<Arc<Socket>, AckHandler>, reason: &'static str) {
    let Joined { socket, acks, namespace } = joined;
    log::debug!(Socket, "a client has left {namespace:?}: {reason}");
    let leaving = Leaving::new(socket);
    fail_acks(io, acks);
    io.deliver_call(0, move || leaving.tell(reason));
}

/// A client that was to be let in will not be: what was kept for it is dropped, and so is its socket, where registrations are
/// taken apart.
fn give_up(io: &mut Io<'_, SocketLayer>, waiting: Waiting) {
    let (socket, _, events) = waiting.into_parts();
    socket.set_stage(Stage::Left);
    for (handler, _) in events.into_iter().filter_map(|event| event.ack) {
        let result = Err(Error::new(ErrorKind::Closed, "socket has been disconnected"));
        io.deliver(Delivery::Answer { handler, result });
    }
    io.deliver(Delivery::call(move || socket.never_connected()));
}

fn fail_acks(io: &mut Io<'_, SocketLayer>, mut acks: AckTable<AckHandler>) {
    for (_, handler) in acks.drain() {
        let result = Err(Error::new(ErrorKind::Closed, "socket has been disconnected"));
        io.deliver(Delivery::Answer { handler, result });
    }
}
