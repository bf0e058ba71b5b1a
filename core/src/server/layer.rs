//! Socket.IO on an Engine.IO connection: the sockets of one client, a namespace each.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::connection::{Io, Layer};
use super::handshake::{Handshake, RequestHead};
use super::namespace::Namespaces;
use super::socket::{Leaving, Socket};
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
    /// Until when a namespace has to be joined.
    connect_by: Option<Instant>,
    /// The client did what does not fit its state. The official server then gives its sockets up even where the connection
    /// cannot be closed at once.
    misused: bool,
}

impl SocketLayer {
    /// The layer of a new connection.
    pub(super) fn new(namespaces: Arc<Namespaces>, head: RequestHead, connect_by: Option<Instant>) -> Self {
        Self { namespaces, peer: ServerPeer::new(), head: Arc::new(head), connect_by, misused: false }
    }

    /// Sends an event that asks for an ack; `handler` is taken, and called once with the answer, or with why there is none.
    pub(super) fn emit_with_ack(
        &mut self,
        io: &mut Io<'_, Self>,
        namespace: &str,
        (event, payload): (&str, &Payload),
        deadline: Option<Instant>,
        handler: &mut Option<AckHandler>,
    ) -> Result<()> {
        let limits = self.namespaces.limits();
        match handler.take().and_then(|handler| self.peer.expect_ack(namespace, handler, deadline, limits)) {
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
        // The peer has read it, so it is JSON.
        let auth = auth.and_then(|auth| Payload::from_json(&format!("[{auth}]"), Vec::new()).ok());
        let handshake = Handshake::new(self.head.clone(), auth);
        let socket = Socket::new(new_sid(), &namespace, io.connection().clone(), handshake);
        log::debug!(Socket, "a client has joined {name:?}");
        self.connect_by = None;
        self.peer.join(namespace.shared_name().clone(), socket.clone());
        namespace.adapter().add(socket.clone());
        answer(io, text::connected(name, socket.id()));
        io.deliver_call(socket.handshake().auth().len(), move || namespace.connected(&socket));
    }

    fn leave_all(&mut self, io: &mut Io<'_, Self>, reason: &'static str) {
        self.peer.close().for_each(|joined| leave(io, joined, reason));
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
        [self.connect_by, self.peer.deadline()].into_iter().flatten().min()
    }

    fn tick(&mut self, io: &mut Io<'_, Self>) {
        while let Some(handler) = self.peer.expire(io.now()) {
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

fn fail_acks(io: &mut Io<'_, SocketLayer>, mut acks: AckTable<AckHandler>) {
    for (_, handler) in acks.drain() {
        let result = Err(Error::new(ErrorKind::Closed, "socket has been disconnected"));
        io.deliver(Delivery::Answer { handler, result });
    }
}
