//! The server: requests and WebSockets, and the sessions behind them, driven as `core/src/server/` drives them.

mod polling;
mod websocket;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socketio_core::proto::engine::packet::{Message, Packet, Transport};
use socketio_core::proto::engine::payload;
use socketio_core::proto::engine::server::ServerSession;
use socketio_core::proto::engine::session::{Answer, CloseReason, ExchangeId, Flush, Input, Output};
use socketio_core::proto::socket::server::{Incoming, Joined, ServerPeer};
use socketio_core::proto::socket::{AckTable, ProtocolError, text};

use self::polling::{Body, Request};
use super::Planted;
use super::http::Sending;
use super::inbox::{Delivery, Inbox};
use super::ledger::{Number, SocketNumber};
use super::link::Link;
use super::scenario::{NAMESPACES, REFUSED};
use super::shared::Shared;
use super::tally::Happened;
use super::wire::{Arrival, ConnectionId};
use crate::network::Side;

/// How long a closed WebSocket may take to close from its side too.
const LINGER: Duration = Duration::from_secs(10);

/// All of the server.
#[derive(Debug, Default)]
pub(super) struct Server {
    /// By the client's session that they belong to.
    sessions: BTreeMap<u32, Session>,
    /// Requests that are not answered, or not read to their end.
    requests: BTreeMap<ConnectionId, Request>,
    sending: Vec<Sending>,
}

/// One session.
#[derive(Debug)]
struct Session {
    number: u32,
    engine: ServerSession,
    peer: ServerPeer<SocketNumber, Number>,
    link: Option<Link>,
    linger: Option<Instant>,
    exchanges: u32,
    waiting: BTreeMap<ExchangeId, ConnectionId>,
    answers: Vec<(ConnectionId, Vec<u8>)>,
    /// The body that is handed in at the pace of the handlers.
    body: Option<Body>,
    inbox: Inbox,
    paused: bool,
    closed: bool,
    /// Our program has closed it.
    closing: bool,
    /// When the timer fires.
    armed: Option<Instant>,
}

impl Server {
    /// The numbers of the sessions that are not over.
    pub(super) fn open(&self) -> Vec<u32> {
        self.sessions.values().filter(|session| !session.closed).map(|session| session.number).collect()
    }

    /// When something is to be done: the number of the session, and whether it is for a handler that returns.
    pub(super) fn due(&self, shared: &Shared) -> impl Iterator<Item = (Duration, u32, bool)> {
        self.sessions.values().flat_map(|session| {
            let armed = session.armed.map(|at| (shared.when(Side::Server, at), session.number, false));
            let inbox = session.inbox.due().map(|at| (at, session.number, true));
            [armed, inbox].into_iter().flatten()
        })
    }

    /// The timer of a session fires.
    pub(super) fn tick(&mut self, shared: &mut Shared, number: u32) {
        self.with(shared, number, |session, shared| session.tick(shared));
    }

    /// The handler of an event returns.
    pub(super) fn returned(&mut self, shared: &mut Shared, number: u32) {
        self.with(shared, number, |session, shared| {
            if let Some(delivery) = session.inbox.returned(shared) {
                session.answer(shared, &delivery);
            }
            if session.paused && session.inbox.is_low(shared) {
                session.resume(shared);
            }
        });
    }

    /// Something arrived.
    pub(super) fn arrived(&mut self, shared: &mut Shared, connection: ConnectionId, arrival: Arrival) {
        let websocket =
            self.sessions.values().find(|it| it.link.as_ref().is_some_and(|link| link.connection == connection));
        if let Some(session) = websocket {
            let number = session.number;
            self.with(shared, number, |session, shared| session.read(shared, arrival));
        } else {
            self.request(shared, connection, arrival);
        }
    }

    /// A connection takes bytes again.
    pub(super) fn writable(&mut self, shared: &mut Shared, connection: ConnectionId) {
        self.sending.retain_mut(|sending| sending.connection != connection || sending.proceed(shared));
        let numbers: Vec<_> = self.sessions.keys().copied().collect();
        for number in numbers {
            self.with(shared, number, |session, _| {
                if let Some(link) = session.link.as_mut().filter(|link| link.connection == connection) {
                    link.unblock();
                }
            });
        }
    }

    /// The program emits an event to a socket, as to one of several recipients if `broadcast`.
    pub(super) fn emit(&mut self, shared: &mut Shared, number: u32, ack: bool, broadcast: bool) {
        self.with(shared, number, |session, shared| {
            if let Some(namespace) = session.some_namespace(shared) {
                session.emit(shared, namespace, ack, broadcast);
            }
        });
    }

    /// The program has a client leave a namespace.
    pub(super) fn leave(&mut self, shared: &mut Shared, number: u32) {
        self.with(shared, number, |session, shared| {
            let Some(namespace) = session.some_namespace(shared) else { return };
            if let Some(joined) = session.peer.leave(namespace) {
                shared.note(|| format!("server {number}: leaves {namespace}"));
                shared.happen(Happened::Left);
                // What the client has sent there meanwhile breaks the protocol.
                shared.blame(number);
                session.send(shared, Packet::Text(text::disconnect(namespace)));
                left(shared, joined);
            }
        });
    }

    /// The program closes a session.
    pub(super) fn close(&mut self, shared: &mut Shared, number: u32) {
        self.with(shared, number, |session, shared| session.close(shared));
    }

    /// Whether messages of a session wait for a handler, or to be sent.
    pub(super) fn is_busy(&mut self, number: u32) -> bool {
        self.sessions.get_mut(&number).is_some_and(|session| {
            session.inbox.due().is_some() || session.body.is_some() || !session.engine.outbox().is_empty()
        })
    }

    /// The sockets of a session, with their namespaces.
    pub(super) fn sockets(&self, number: u32) -> BTreeMap<&'static str, SocketNumber> {
        let Some(session) = self.sessions.get(&number) else { return BTreeMap::new() };
        NAMESPACES.into_iter().filter_map(|name| Some((name, *session.peer.socket(name)?))).collect()
    }

    /// The transport of a session.
    pub(super) fn transport(&self, number: u32) -> Option<Transport> {
        self.sessions.get(&number).map(|session| session.engine.transport())
    }

    /// What is left when all is over, in words.
    pub(super) fn leftovers(&self) -> Option<String> {
        if let Some(session) = self.sessions.values().next() {
            return Some(format!("the server still has {session:?}"));
        }
        let waits = self.requests.values().find(|request| request.exchange.is_some() && !request.answered);
        waits.map(|request| format!("the server has not answered {request:?}"))
    }

    /// Does something with a session, then writes what it sent, checks its bounds and arms its timer.
    fn with(&mut self, shared: &mut Shared, number: u32, work: impl FnOnce(&mut Session, &mut Shared)) {
        let Some(session) = self.sessions.get_mut(&number) else { return };
        work(session, shared);
        session.flush(shared);
        session.check(shared);
        session.arm();
        let answers = std::mem::take(&mut session.answers);
        if session.is_over() {
            self.sessions.remove(&number);
        }
        for (connection, answer) in answers {
            self.reply(shared, connection, answer);
        }
    }
}

impl Session {
    fn new(shared: &mut Shared, number: u32, transport: Transport) -> Self {
        let now = shared.clock(Side::Server);
        let engine = ServerSession::new(now, &sid(number), Arc::clone(&shared.scenario.session), transport);
        shared.ledger.pulse(number, Side::Server, now + shared.scenario.heartbeat());
        Self {
            number,
            engine,
            peer: ServerPeer::new(),
            link: None,
            linger: None,
            exchanges: 0,
            waiting: BTreeMap::new(),
            answers: Vec::new(),
            body: None,
            inbox: Inbox::default(),
            paused: false,
            closed: false,
            closing: false,
            armed: None,
        }
    }

    /// Hands one input to the session and carries out what it asks for.
    fn step(&mut self, shared: &mut Shared, input: Input<'_>) {
        let (number, was_closed) = (self.number, self.closed);
        shared.note(|| format!("server {number}: {input:?}"));
        for output in self.engine.handle(shared.clock(Side::Server), input) {
            shared.note(|| format!("server {number}:   -> {output:?}"));
            if was_closed && !matches!(output, Output::Answer(_, Answer::BadRequest)) {
                shared.breach(format!("the server's session {number} did {output:?} after its end"));
            }
            match output {
                Output::Message(message) => self.message(shared, message),
                Output::Probe(packet) => {
                    if let Some(link) = &mut self.link {
                        link.send_now(shared, packet);
                    }
                }
                Output::CloseWebSocket => {
                    if let Some(link) = &mut self.link {
                        link.close(shared, None);
                        self.linger = Some(shared.clock(Side::Server) + LINGER);
                    }
                    if self.engine.transport() == Transport::Polling {
                        shared.happen(Happened::UpgradeFailed);
                        // The client may have moved already: then the session ends with the WebSocket.
                        shared.blame(number);
                    }
                }
                Output::Upgraded => {
                    shared.happen(Happened::Upgraded);
                    let until = shared.clock(Side::Server) + shared.scenario.session.ping_timeout;
                    shared.ledger.pulse(number, Side::Server, until);
                }
                Output::Answer(id, answer) => self.answered(shared, id, polling::answer(answer)),
                Output::Closed(reason) => self.ended(shared, reason),
                other => shared.breach(format!("the server did {other:?}")),
            }
        }
    }

    fn tick(&mut self, shared: &mut Shared) {
        let now = shared.clock(Side::Server);
        if self.linger.is_some_and(|linger| linger <= now) {
            self.linger = None;
            if let Some(mut link) = self.link.take() {
                link.abort(shared);
            }
            if self.closed {
                self.engine.outbox().clear();
            }
        }
        self.step(shared, Input::Tick);
        if let Some(at) = self.engine.deadline().filter(|at| *at <= now) {
            shared.breach(format!("a deadline of the server's session {} stays {:?} ago", self.number, now - at));
        }
        while let Some(number) = self.peer.expire(now) {
            resolve(shared, number, None);
        }
    }

    /// A message for the layer above.
    fn message(&mut self, shared: &mut Shared, message: Message<'_>) {
        let received = shared.ledger.received(self.number, Side::Server, message);
        shared.check(received);
        let received = self.peer.receive(message, &shared.scenario.limits);
        match received {
            Ok(None) => {}
            Ok(Some(Incoming::Event { socket, event })) => {
                let arrived = shared.ledger.arrived_at_server(socket, event.name(), event.payload());
                let binary = !event.payload().attachments().is_empty();
                shared.happen(if binary { Happened::BinaryEvent } else { Happened::Event });
                match arrived {
                    Ok(number) => {
                        let namespace = self.namespace_of(socket);
                        let delivery = Delivery { namespace, socket, number, ack: event.ack(), bytes: event.len() };
                        self.inbox.push(shared, delivery);
                    }
                    Err(breach) => shared.breach(breach),
                }
            }
            Ok(Some(Incoming::Ack { waiter, payload, .. })) => resolve(shared, waiter, Some(&payload)),
            Ok(Some(Incoming::Connect { namespace, .. })) => self.connect(shared, namespace),
            Ok(Some(Incoming::Refused(packet))) => self.send(shared, Packet::Text(packet)),
            Ok(Some(Incoming::Disconnect(joined))) => {
                shared.happen(Happened::Left);
                left(shared, joined);
            }
            Err(error) => {
                let number = self.number;
                shared.note(|| format!("server {number}: {error}"));
                match error {
                    ProtocolError::TooLarge => shared.happen(Happened::Oversized),
                    ProtocolError::State if shared.is_blamed(number) => {}
                    error => shared.breach(format!("the client broke the protocol: {error}")),
                }
                shared.blame(number);
                self.close(shared);
            }
        }
    }

    fn connect(&mut self, shared: &mut Shared, name: &str) {
        let known = NAMESPACES.into_iter().find(|known| *known == name && name != REFUSED);
        let Some(namespace) = known else {
            return self.send(shared, Packet::Text(text::connect_error(name, "Invalid namespace", None)));
        };
        let socket = shared.ledger.join(self.number, namespace);
        if let Some(before) = self.peer.join(namespace.into(), socket) {
            shared.breach(format!("{namespace} was joined twice, by {before:?}"));
        }
        shared.happen(Happened::Joined);
        let connected = text::connected(namespace, &format!("s{socket}"));
        self.send(shared, Packet::Text(connected));
        if shared.random.percent(30) {
            // What a program does in its connection handler.
            self.emit(shared, namespace, true, false);
        }
    }

    fn send(&mut self, shared: &mut Shared, packet: Packet) {
        let before = self.engine.outbox().len();
        let for_ledger = packet.clone();
        self.engine.send(packet);
        if self.engine.outbox().len() > before {
            shared.ledger.sent(self.number, Side::Client, &for_ledger);
        }
    }

    fn emit(&mut self, shared: &mut Shared, namespace: &'static str, ack: bool, broadcast: bool) {
        let Some(socket) = self.peer.socket(namespace).copied() else { return };
        if self.buffered() >= shared.scenario.limits.queued_bytes {
            return shared.happen(Happened::Refused);
        }
        let (number, name, payload) = shared.ledger.next_event();
        let mut id = None;
        if ack {
            let deadline = shared.random.percent(50).then(|| shared.clock(Side::Server) + Duration::from_millis(500));
            let limits = &shared.scenario.limits;
            let Some((given, displaced)) = self.peer.expect_ack(namespace, number, deadline, limits) else { return };
            shared.ledger.ask(number);
            if let Some(displaced) = displaced {
                resolve(shared, displaced, None);
            }
            id = Some(given);
        }
        if !self.closed && !self.closing {
            shared.ledger.emitted(socket, Side::Client, number);
        }
        let outgoing = text::event(namespace, name, &payload, id);
        if broadcast {
            self.send(shared, Packet::Shared(Arc::new(outgoing.into_encoded())));
        } else {
            outgoing.into_packets().for_each(|packet| self.send(shared, packet));
        }
    }

    /// A handler answers, if its socket is still there.
    fn answer(&mut self, shared: &mut Shared, delivery: &Delivery) {
        let Some(id) = delivery.ack else { return };
        if self.peer.socket(delivery.namespace) == Some(&delivery.socket) && !delivery.number.is_multiple_of(11) {
            let outgoing = text::ack(delivery.namespace, id, &shared.ledger.answer(delivery.number));
            outgoing.into_packets().for_each(|packet| self.send(shared, packet));
        }
    }

    fn close(&mut self, shared: &mut Shared) {
        self.closing = true;
        self.step(shared, Input::Close);
    }

    fn ended(&mut self, shared: &mut Shared, reason: CloseReason) {
        if std::mem::replace(&mut self.closed, true) {
            shared.breach(format!("the server's session {} ended twice", self.number));
        }
        shared.ledger.ended(self.number, Side::Server);
        if reason == CloseReason::PingTimeout {
            shared.happen(Happened::PingTimeout);
        }
        if !self.closing && !shared.is_blamed(self.number) {
            shared.breach(format!("the server's session {} ended for no reason: {reason:?}", self.number));
        }
        shared.blame(self.number);
        self.body = None;
        self.paused = false;
        self.set_paused(shared, false);
        if self.link.is_some() {
            self.linger = Some(shared.clock(Side::Server) + LINGER);
        }
        self.peer.close().for_each(|joined| left(shared, joined));
    }

    /// Writes what waits to whoever can take it.
    fn flush(&mut self, shared: &mut Shared) {
        if let Some(link) = &mut self.link {
            // What is left of this WebSocket: while it only probes, the outbox is not for it.
            link.flush(shared, &mut socketio_core::proto::engine::outbox::Outbox::new());
        }
        while let Some(to) = self.engine.flush() {
            match to {
                Flush::WebSocket => {
                    let Some(link) = &mut self.link else { break };
                    link.flush(shared, self.engine.outbox());
                    if link.is_blocked() || link.ended() {
                        break;
                    }
                }
                Flush::Poll(id) => {
                    let packets = payload::encode(self.engine.outbox(), usize::MAX);
                    if packets.is_empty() {
                        shared.breach(format!("{id:?} is answered with nothing"));
                    }
                    self.answered(shared, id, (200, packets.to_vec()));
                }
                Flush::Post(_) => return shared.breach("the server posts".to_owned()),
            }
        }
        if self.closed && !self.waiting.is_empty() {
            if shared.planted == Some(Planted::AnsweredTwice) {
                for connection in std::mem::take(&mut self.waiting).into_values() {
                    self.answers.push((connection, super::http::message("400", &[])));
                }
            } else {
                shared.breach(format!("session {} ended and left {:?} without an answer", self.number, self.waiting));
            }
        }
    }

    /// The answer to an exchange.
    fn answered(&mut self, shared: &mut Shared, id: ExchangeId, (status, body): (u16, Vec<u8>)) {
        let connection = if shared.planted == Some(Planted::AnsweredTwice) {
            self.waiting.get(&id).copied()
        } else {
            self.waiting.remove(&id)
        };
        match connection {
            Some(connection) => {
                self.answers.push((connection, super::http::message(&status.to_string(), &body)));
            }
            None => shared.breach(format!("session {} answers {id:?}, which waits for no answer", self.number)),
        }
    }

    fn check(&mut self, shared: &mut Shared) {
        let limits = &shared.scenario.limits;
        // An emitter is told when the bound is reached: what reached it was one event, and answers come on top.
        let most = limits.queued_bytes.saturating_add(100_000);
        let (waits, held) = (self.buffered(), self.peer.held_bytes());
        if waits > most || held > limits.max_payload {
            shared.breach(format!("session {} holds {waits} bytes to send and {held} received", self.number));
        }
        let one = shared.scenario.limits.max_payload;
        self.inbox.check(shared, one);
    }

    fn arm(&mut self) {
        let peer = self.peer.deadline().filter(|_| !self.closed);
        self.armed = [self.engine.deadline(), peer, self.linger].into_iter().flatten().min();
    }

    fn buffered(&mut self) -> usize {
        self.engine.outbox().bytes() + self.link.as_ref().map_or(0, Link::unsent)
    }

    fn pause_if_full(&mut self, shared: &mut Shared) -> bool {
        if !self.paused && !self.closed && self.inbox.is_over(shared) {
            let number = self.number;
            shared.note(|| format!("server {number}: stops reading"));
            shared.happen(Happened::Paused);
            self.paused = true;
            self.engine.pause();
            self.set_paused(shared, true);
        }
        self.paused
    }

    fn resume(&mut self, shared: &mut Shared) {
        let number = self.number;
        shared.note(|| format!("server {number}: reads on"));
        self.paused = false;
        if shared.planted != Some(Planted::SilentResume) || self.engine.transport() == Transport::WebSocket {
            self.engine.resume(shared.clock(Side::Server));
        }
        self.set_paused(shared, false);
        self.read_on(shared);
    }

    /// Tells those who count on it whether this side reads.
    fn set_paused(&mut self, shared: &mut Shared, paused: bool) {
        let grace = shared.clock(Side::Server) + shared.scenario.session.ping_timeout;
        shared.ledger.pause(self.number, Side::Server, (!paused).then_some(grace));
        if let Some(link) = &self.link {
            shared.wire.pause(link.connection, Side::Server, paused);
        }
    }

    fn is_over(&mut self) -> bool {
        let rests = self.link.is_none() && self.waiting.is_empty() && self.answers.is_empty();
        self.closed && rests && self.inbox.due().is_none()
    }

    fn some_namespace(&self, shared: &mut Shared) -> Option<&'static str> {
        let joined: Vec<_> = NAMESPACES.into_iter().filter(|name| self.peer.socket(name).is_some()).collect();
        (!joined.is_empty()).then(|| *shared.random.pick(&joined))
    }

    fn namespace_of(&self, socket: SocketNumber) -> &'static str {
        NAMESPACES.into_iter().find(|name| self.peer.socket(name) == Some(&socket)).unwrap_or("/")
    }
}

/// A client is not in a namespace any more.
fn left(shared: &mut Shared, joined: Joined<SocketNumber, Number>) {
    let mut acks: AckTable<Number> = joined.acks;
    for (_, number) in acks.drain() {
        resolve(shared, number, None);
    }
}

/// Who waited for that answer has it, or waits in vain.
fn resolve(shared: &mut Shared, number: Number, answer: Option<&socketio_core::data::Payload>) {
    shared.happen(if answer.is_some() { Happened::Answered } else { Happened::Unanswered });
    let resolved = shared.ledger.resolved(number, answer);
    shared.check(resolved);
}

/// The id of a session.
fn sid(number: u32) -> String {
    format!("session-{number}")
}
