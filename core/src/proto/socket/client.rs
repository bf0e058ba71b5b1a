//! The client's end of a connection.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use smallvec::SmallVec;

use super::acks::AckTable;
use super::decoder::{Decoder, Packet};
use super::error::ProtocolError;
use super::event::ReceivedEvent;
use super::text::{self, Outgoing};
use crate::data::{Limits, Payload, json};
use crate::error::{Error, ErrorKind, Result};
use crate::proto::engine::packet::Message;

/// The sockets of a client, one for each namespace, over one connection after the other.
///
/// `S` is what the layer above knows a socket by, and is cloned with every event; `W` waits for an acknowledgement. What a
/// socket emits before it is connected is kept and sent then, also after a reconnection; what the server sends it before
/// that is kept as well.
#[derive(Debug)]
pub struct ClientPeer<S, W> {
    decoder: Decoder,
    open: bool,
    sockets: SmallVec<[Entry<S, W>; 1]>,
}

#[derive(Debug)]
struct Entry<S, W> {
    namespace: Arc<str>,
    socket: S,
    state: State,
    acks: AckTable<W>,
    /// What was emitted while the socket was not connected, with the id that it asks an answer by.
    unsent: VecDeque<(Option<u64>, Outgoing)>,
    unsent_bytes: usize,
    /// What arrived between our `CONNECT` and the server's.
    early: Vec<ReceivedEvent>,
    early_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Does not want to be connected.
    Inactive,
    /// Connects as soon as there is a connection.
    Waiting,
    /// There is a connection, and what its `CONNECT` is to carry is being asked for.
    Asking,
    /// Has sent `CONNECT`.
    Connecting,
    /// Has sent `CONNECT` and does not want to be connected any more: leaves when the server answers.
    Abandoned,
    /// Has the server's `CONNECT`.
    Connected,
}

/// What a message of the server means for the layer above.
#[derive(Debug)]
pub enum Incoming<S, W> {
    /// A socket is connected. In this order: `early` is delivered, `unsent` is sent, and the socket learns of it.
    Connected {
        /// The socket.
        socket: S,
        /// Its id, given by the server.
        sid: Box<str>,
        /// Events that the server sent before it confirmed.
        early: Vec<ReceivedEvent>,
        /// What the socket emitted before it was connected.
        unsent: VecDeque<Outgoing>,
    },
    /// A socket could not connect. After a refusal (`Rejected`) it is inactive, and not connected again by itself.
    ConnectError {
        /// The socket.
        socket: S,
        /// The server's message and data.
        error: Error,
    },
    /// An event for a socket.
    Event {
        /// The socket.
        socket: S,
        /// The event.
        event: ReceivedEvent,
    },
    /// The answer that `waiter` waits for.
    Ack {
        /// The socket that asked.
        socket: S,
        /// Who waits.
        waiter: W,
        /// The answer.
        payload: Payload,
    },
    /// The server put a socket out: `io server disconnect`. The socket is inactive.
    Disconnected(Disconnected<S, W>),
    /// Send this: the answer to a `CONNECT` that is not wanted any more.
    Reply(Bytes),
}

/// A socket that is not connected any more.
#[derive(Debug)]
pub struct Disconnected<S, W> {
    /// The socket.
    pub socket: S,
    /// Whether the server had confirmed its `CONNECT`.
    pub connected: bool,
    /// Who waits for an answer in vain. (Those whose event was not even sent go on waiting.)
    pub waiters: Vec<W>,
}

/// What becomes of an event that is emitted.
#[derive(Debug)]
pub struct Emitted<W> {
    /// Send this now. Without it the event is kept until the socket is connected.
    pub send: Option<Outgoing>,
    /// The waiter that has to give way, because too many wait.
    pub evicted: Option<W>,
}

const V2_SERVER: &str = "It seems you are trying to reach a Socket.IO server in v2.x with a v3.x client, but they are not \
    compatible (more information here: https://socket.io/docs/v3/migrating-from-2-x-to-3-0/)";

impl<S: Clone, W> ClientPeer<S, W> {
    /// A peer without sockets and without a connection.
    pub fn new() -> Self {
        Self { decoder: Decoder::new(), open: false, sockets: SmallVec::new() }
    }

    /// Adds the socket of a namespace; it is inactive.
    ///
    /// `InvalidState` when the namespace has one already, `TooLarge` past the bounds of names and numbers.
    pub fn add(&mut self, namespace: Arc<str>, socket: S, limits: &Limits) -> Result<()> {
        if self.sockets.len() >= limits.namespaces || namespace.len() > limits.namespace_name {
            return Err(Error::new(ErrorKind::TooLarge, "too many namespaces, or a name too long"));
        }
        if self.entry(&namespace).is_some() {
            return Err(Error::new(ErrorKind::InvalidState, "the namespace has a socket already"));
        }
        self.sockets.push(Entry {
            namespace,
            socket,
            state: State::Inactive,
            acks: AckTable::new(),
            unsent: VecDeque::new(),
            unsent_bytes: 0,
            early: Vec::new(),
            early_bytes: 0,
        });
        Ok(())
    }

    /// Takes out the socket of a namespace, which must not be active, and returns who waits for answers to it.
    pub fn remove(&mut self, namespace: &str) -> Vec<W> {
        debug_assert!(!self.active(namespace));
        let Some(at) = self.sockets.iter().position(|entry| *entry.namespace == *namespace) else { return Vec::new() };
        self.sockets.swap_remove(at).acks.drain().map(|(_, waiter)| waiter).collect()
    }

    /// The socket of a namespace.
    pub fn socket(&self, namespace: &str) -> Option<&S> {
        self.sockets.iter().find(|entry| *entry.namespace == *namespace).map(|entry| &entry.socket)
    }

    /// All sockets.
    pub fn sockets(&self) -> impl Iterator<Item = &S> {
        self.sockets.iter().map(|entry| &entry.socket)
    }

    /// The connection is open. Send a [`text::connect`] for each of these sockets.
    pub fn opened(&mut self) -> Vec<(Arc<str>, S)> {
        self.open = true;
        let waiting = self.sockets.iter_mut().filter(|entry| entry.state == State::Waiting);
        waiting
            .map(|entry| {
                entry.state = State::Connecting;
                (Arc::clone(&entry.namespace), entry.socket.clone())
            })
            .collect()
    }

    /// The connection is gone. Each of these sockets was connected or about to be, and will be again with the next one.
    pub fn closed(&mut self) -> Vec<Disconnected<S, W>> {
        self.open = false;
        self.decoder.reset();
        self.sockets.iter_mut().filter_map(Entry::connection_lost).collect()
    }

    /// A socket wants to be connected, now and after each reconnection. Returns whether a [`text::connect`] is to be sent
    /// for it now.
    pub fn connect(&mut self, namespace: &str) -> bool {
        let open = self.open;
        let Some(entry) = self.entry(namespace) else { return false };
        let (state, send) = match entry.state {
            State::Inactive if open => (State::Connecting, true),
            State::Inactive => (State::Waiting, false),
            // The server's answer to the first one is still to come; a second one would end the connection.
            State::Abandoned => (State::Connecting, false),
            state => (state, false),
        };
        entry.state = state;
        send
    }

    /// What the `CONNECT` of a socket is to carry has to be asked for: said instead of sending it, when that was wanted. It is
    /// wanted again when [`asked`](Self::asked) says so.
    pub fn ask(&mut self, namespace: &str) {
        self.replace(namespace, State::Connecting, State::Asking);
    }

    /// It is known what the `CONNECT` of a socket is to carry. Returns whether it is still to be sent.
    pub fn asked(&mut self, namespace: &str) -> bool {
        self.replace(namespace, State::Asking, State::Connecting)
    }

    /// A socket does not want to be connected any more. If it was, it gets the reason `io client disconnect`, and the message
    /// is to be sent.
    pub fn disconnect(&mut self, namespace: &str) -> Option<(Bytes, Disconnected<S, W>)> {
        let entry = self.entry(namespace)?;
        let connected = entry.state == State::Connected;
        entry.state = match entry.state {
            State::Connecting | State::Abandoned => State::Abandoned,
            _ => State::Inactive,
        };
        // Whatever connects it again, what came for this attempt is not for that one.
        entry.take_early();
        connected.then(|| (text::disconnect(namespace), entry.disconnected(true)))
    }

    /// Whether a socket is connected: the server has confirmed.
    pub fn connected(&self, namespace: &str) -> bool {
        self.state(namespace) == State::Connected
    }

    /// Whether a socket is connected or will be as soon as possible.
    pub fn active(&self, namespace: &str) -> bool {
        self.state(namespace).active()
    }

    /// Whether any socket is active. When none is, the connection is of no use.
    pub fn any_active(&self) -> bool {
        self.sockets.iter().any(|entry| entry.state.active())
    }

    /// Takes a message of the server. A binary packet's first ones, and packets for sockets that are not active, become
    /// nothing to do. After an error the connection is closed: `parse error`.
    pub fn receive(&mut self, message: Message<'_>, limits: &Limits) -> Result<Option<Incoming<S, W>>, ProtocolError> {
        let Some(decoded) = self.decoder.add(message, limits, |_| true)? else { return Ok(None) };
        let Some(entry) = self.entry(&decoded.namespace) else { return Ok(None) };
        Ok(match (decoded.packet, entry.state) {
            (Packet::Connect(_), State::Abandoned) => {
                entry.state = State::Inactive;
                Some(Incoming::Reply(text::disconnect(&entry.namespace)))
            }
            (Packet::ConnectError(_) | Packet::Disconnect, State::Abandoned) => {
                entry.state = State::Inactive;
                None
            }
            (_, State::Inactive | State::Waiting | State::Asking | State::Abandoned)
            | (Packet::ConnectError(_), State::Connected) => None,
            (Packet::Connect(data), _) => Some(entry.confirmed(data)),
            (Packet::Event(event), State::Connected) => Some(Incoming::Event { socket: entry.socket.clone(), event }),
            (Packet::Event(event), State::Connecting) => {
                entry.keep_early(event, limits)?;
                None
            }
            (Packet::Ack(id, payload), _) => {
                let waiter = id.and_then(|id| entry.acks.take(id));
                waiter.map(|waiter| Incoming::Ack { socket: entry.socket.clone(), waiter, payload })
            }
            (Packet::Disconnect, state) => {
                entry.state = State::Inactive;
                Some(Incoming::Disconnected(entry.disconnected(state == State::Connected)))
            }
            (Packet::ConnectError(data), _) => {
                entry.state = State::Inactive;
                entry.take_early();
                Some(Incoming::ConnectError { socket: entry.socket.clone(), error: refusal(data) })
            }
        })
    }

    /// A socket emits an event, and lets a waiter wait for the answer until a deadline if it wants one. The waiter is taken
    /// only if this succeeds.
    ///
    /// `NotFound` when the namespace has no socket, `Backpressure` when too much is kept already.
    pub fn emit(
        &mut self,
        namespace: &str,
        name: &str,
        payload: &Payload,
        waiter: &mut Option<(W, Option<Instant>)>,
        limits: &Limits,
    ) -> Result<Emitted<W>> {
        let entry = self.known(namespace)?;
        entry.check_room(limits)?;
        let (id, evicted) = match waiter.take() {
            Some((waiter, deadline)) => {
                let (id, evicted) = entry.acks.insert(waiter, deadline, limits.pending_acks);
                (Some(id), evicted)
            }
            None => (None, None),
        };
        let send = entry.send_or_keep(id, text::event(namespace, name, payload, id));
        Ok(Emitted { send, evicted })
    }

    /// A socket emits an event that is dropped unless the transport can be written to now. As with the official client,
    /// one that is not dropped is kept while the socket is not connected.
    ///
    /// Errors as [`emit`](Self::emit).
    pub fn emit_volatile(
        &mut self,
        namespace: &str,
        name: &str,
        payload: &Payload,
        writable: bool,
        limits: &Limits,
    ) -> Result<Option<Outgoing>> {
        let open = self.open;
        let entry = self.known(namespace)?;
        if !(open && writable) {
            return Ok(None);
        }
        entry.check_room(limits)?;
        Ok(entry.send_or_keep(None, text::event(namespace, name, payload, None)))
    }

    /// The answer to event `id`; `None` when the socket is not connected any more.
    pub fn answer(&self, namespace: &str, id: u64, payload: &Payload) -> Option<Outgoing> {
        self.connected(namespace).then(|| text::ack(namespace, id, payload))
    }

    /// How many bytes of what arrived are kept: packets that are not complete, and events for sockets that are about to be
    /// connected.
    pub fn held_bytes(&self) -> usize {
        self.decoder.held_bytes() + self.sockets.iter().map(|entry| entry.early_bytes).sum::<usize>()
    }

    /// How many bytes a socket keeps until it is connected.
    pub fn unsent_bytes(&self, namespace: &str) -> usize {
        let entry = self.sockets.iter().find(|entry| *entry.namespace == *namespace);
        entry.map_or(0, |entry| entry.unsent_bytes)
    }

    /// When [`expire`](Self::expire) is wanted next.
    pub fn deadline(&self) -> Option<Instant> {
        self.sockets.iter().filter_map(|entry| entry.acks.deadline()).min()
    }

    /// One waiter whose time is over. Call it until there is none. An event that was not sent yet never will be.
    pub fn expire(&mut self, now: Instant) -> Option<W> {
        self.sockets.iter_mut().find_map(|entry| entry.expire(now))
    }

    /// All waiters of all sockets, and nothing is kept any more: the manager is closed for good.
    pub fn drain(&mut self) -> Vec<W> {
        let drain = |entry: &mut Entry<S, W>| {
            entry.take_unsent();
            entry.acks.drain_unless(|_| false)
        };
        self.sockets.iter_mut().flat_map(drain).collect()
    }

    fn entry(&mut self, namespace: &str) -> Option<&mut Entry<S, W>> {
        self.sockets.iter_mut().find(|entry| *entry.namespace == *namespace)
    }

    fn known(&mut self, namespace: &str) -> Result<&mut Entry<S, W>> {
        self.entry(namespace).ok_or_else(|| Error::new(ErrorKind::NotFound, "the namespace has no socket"))
    }

    fn replace(&mut self, namespace: &str, from: State, to: State) -> bool {
        let entry = self.entry(namespace).filter(|entry| entry.state == from);
        entry.map(|entry| entry.state = to).is_some()
    }

    fn state(&self, namespace: &str) -> State {
        let entry = self.sockets.iter().find(|entry| *entry.namespace == *namespace);
        entry.map_or(State::Inactive, |entry| entry.state)
    }
}

impl<S: Clone, W> Default for ClientPeer<S, W> {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn active(self) -> bool {
        matches!(self, Self::Waiting | Self::Asking | Self::Connecting | Self::Connected)
    }
}

impl<S: Clone, W> Entry<S, W> {
    /// The server's `CONNECT`.
    fn confirmed(&mut self, data: Option<&str>) -> Incoming<S, W> {
        let socket = self.socket.clone();
        let sid = data.and_then(|data| json::member(data, "sid")).and_then(json::as_text);
        let Some(sid) = sid.filter(|sid| !sid.is_empty()) else {
            return Incoming::ConnectError { socket, error: Error::new(ErrorKind::Handshake, V2_SERVER) };
        };
        self.state = State::Connected;
        let (early, unsent) = (self.take_early(), self.take_unsent());
        Incoming::Connected { socket, sid: sid.into(), early, unsent }
    }

    fn connection_lost(&mut self) -> Option<Disconnected<S, W>> {
        let state = self.state;
        if !state.active() {
            self.state = State::Inactive;
            return None;
        }
        self.state = State::Waiting;
        (state != State::Waiting).then(|| self.disconnected(state == State::Connected))
    }

    fn disconnected(&mut self, connected: bool) -> Disconnected<S, W> {
        self.take_early();
        // Both are in the order of the ids.
        let mut unsent = self.unsent.iter().filter_map(|(id, _)| *id).peekable();
        let waiters = self.acks.drain_unless(|id| {
            while unsent.next_if(|unsent| *unsent < id).is_some() {}
            unsent.peek() == Some(&id)
        });
        Disconnected { socket: self.socket.clone(), connected, waiters }
    }

    fn keep_early(&mut self, event: ReceivedEvent, limits: &Limits) -> Result<(), ProtocolError> {
        self.early_bytes += event.len();
        if self.early_bytes > limits.undelivered_bytes || self.early.len() >= limits.undelivered_events {
            return Err(ProtocolError::TooLarge);
        }
        self.early.push(event);
        Ok(())
    }

    fn take_early(&mut self) -> Vec<ReceivedEvent> {
        self.early_bytes = 0;
        std::mem::take(&mut self.early)
    }

    /// `Backpressure` when the socket is not connected and too much is kept already.
    fn check_room(&self, limits: &Limits) -> Result<()> {
        if self.state != State::Connected && self.unsent_bytes >= limits.queued_bytes {
            return Err(Error::new(ErrorKind::Backpressure, "too much waits to be sent"));
        }
        Ok(())
    }

    fn send_or_keep(&mut self, id: Option<u64>, outgoing: Outgoing) -> Option<Outgoing> {
        if self.state == State::Connected {
            return Some(outgoing);
        }
        self.unsent_bytes += outgoing.len();
        self.unsent.push_back((id, outgoing));
        None
    }

    fn take_unsent(&mut self) -> VecDeque<Outgoing> {
        self.unsent_bytes = 0;
        std::mem::take(&mut self.unsent).into_iter().map(|(_, outgoing)| outgoing).collect()
    }

    fn expire(&mut self, now: Instant) -> Option<W> {
        let (id, waiter) = self.acks.expire(now)?;
        if let Some(at) = self.unsent.iter().position(|(unsent, _)| *unsent == Some(id))
            && let Some((_, outgoing)) = self.unsent.remove(at)
        {
            self.unsent_bytes -= outgoing.len();
        }
        Some(waiter)
    }
}

/// The error of a `CONNECT_ERROR`: an object with `message` and perhaps `data`, or, as some servers send it, the message.
fn refusal(data: &str) -> Error {
    let message = json::member(data, "message").map_or_else(|| json::as_text(data), json::as_text);
    let error = Error::new(ErrorKind::Rejected, message.unwrap_or_default().into_owned());
    match json::member(data, "data") {
        Some(data) => error.with_data(data),
        None => error,
    }
}

#[cfg(test)]
mod tests;
