//! The client: its sockets, and the connections that carry them one after the other, driven as `core/src/client/` drives
//! them.

mod carrier;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use socketio_core::proto::backoff::Backoff;
use socketio_core::proto::engine::packet::{Message, Packet, Transport};
use socketio_core::proto::engine::session::CloseReason;
use socketio_core::proto::socket::client::{ClientPeer, Disconnected, Incoming};
use socketio_core::proto::socket::{ReceivedEvent, text};

use self::carrier::{Carrier, News};
use super::Planted;
use super::inbox::{Delivery, Inbox};
use super::ledger::{Number, SocketNumber};
use super::scenario::NAMESPACES;
use super::shared::Shared;
use super::tally::{Happened, Injected};
use super::wire::{Arrival, ConnectionId};
use crate::network::Side;

/// A client's program, and what it connects by.
#[derive(Debug)]
pub(super) struct Client {
    peer: ClientPeer<&'static str, Number>,
    /// The connection that is opening or open.
    current: Option<Carrier>,
    /// Former ones that come to their end.
    ending: Vec<Carrier>,
    last: u32,
    opened: bool,
    /// Until when the current one has to be open.
    open_by: Option<Instant>,
    backoff: Backoff,
    reconnect_at: Option<Instant>,
    /// The program wants a connection.
    wanted: bool,
    /// The server's socket that each namespace was last connected to over this connection.
    sockets: BTreeMap<&'static str, SocketNumber>,
    inbox: Inbox,
    paused: bool,
}

impl Client {
    pub(super) fn new(shared: &mut Shared) -> Self {
        let mut peer = ClientPeer::new();
        for namespace in NAMESPACES {
            if let Err(error) = peer.add(namespace.into(), namespace, &shared.scenario.limits) {
                shared.breach(format!("{namespace}: {error}"));
            }
        }
        Self {
            peer,
            current: None,
            ending: Vec::new(),
            last: 0,
            opened: false,
            open_by: None,
            backoff: Backoff::new(Duration::from_millis(500), Duration::from_secs(3), 0.5),
            reconnect_at: None,
            wanted: true,
            sockets: BTreeMap::new(),
            inbox: Inbox::default(),
            paused: false,
        }
    }

    /// The number of the session that is open.
    pub(super) fn open_session(&self) -> Option<u32> {
        self.current.as_ref().filter(|_| self.opened).map(Carrier::number)
    }

    /// The number of the session that is open or opening.
    pub(super) fn session_number(&self) -> Option<u32> {
        self.current.as_ref().map(Carrier::number)
    }

    /// When something is to be done, and whether it is for a handler that returns.
    pub(super) fn due(&self, shared: &Shared) -> impl Iterator<Item = (Duration, bool)> {
        let carriers = self.current.iter().chain(&self.ending).filter_map(Carrier::deadline);
        let own = [self.reconnect_at, self.open_by, self.peer.deadline()];
        let ticks = carriers.chain(own.into_iter().flatten()).map(|at| (shared.when(Side::Client, at), false));
        ticks.chain(self.inbox.due().map(|at| (at, true)))
    }

    /// A deadline has come.
    pub(super) fn tick(&mut self, shared: &mut Shared) {
        let now = shared.clock(Side::Client);
        self.each(shared, |carrier, shared, news| carrier.tick(shared, news));
        while let Some(number) = self.peer.expire(now) {
            shared.ledger.drop_kept(number);
            resolve(shared, number, None);
        }
        if self.open_by.is_some_and(|by| by <= now) {
            shared.note(|| "client: opening took too long".to_owned());
            self.open_failed(shared);
            self.settle(shared);
        }
        if self.reconnect_at.is_some_and(|at| at <= now) {
            self.reconnect_at = None;
            self.open(shared);
        }
    }

    /// The handler of an event returns.
    pub(super) fn returned(&mut self, shared: &mut Shared) {
        if let Some(delivery) = self.inbox.returned(shared) {
            self.answer(shared, &delivery);
        }
        if self.paused && self.inbox.is_low(shared) {
            shared.note(|| "client: reads on".to_owned());
            self.resume(shared);
            self.each(shared, |carrier, shared, news| carrier.read_on(shared, news));
        }
        self.flush(shared);
    }

    /// Something arrived.
    pub(super) fn arrived(&mut self, shared: &mut Shared, connection: ConnectionId, arrival: Arrival) {
        let mut arrival = Some(arrival);
        self.each(shared, |carrier, shared, news| {
            if carrier.owns(connection)
                && let Some(arrival) = arrival.take()
            {
                carrier.arrived(shared, connection, arrival, news);
            }
        });
    }

    /// A connection takes bytes again.
    pub(super) fn writable(&mut self, shared: &mut Shared, connection: ConnectionId) {
        self.each(shared, |carrier, shared, _| carrier.writable(shared, connection));
    }

    /// The program wants a socket to be connected.
    pub(super) fn connect(&mut self, shared: &mut Shared, namespace: &'static str) {
        shared.note(|| format!("client: connects {namespace}"));
        self.wanted = true;
        if self.peer.connect(namespace) {
            self.send(shared, Packet::Text(text::connect(namespace, None)));
        }
        if self.current.is_none() && self.reconnect_at.is_none() {
            self.open(shared);
        }
        self.flush(shared);
    }

    /// The program wants a socket not to be connected. When none is any more, the connection goes too.
    pub(super) fn disconnect(&mut self, shared: &mut Shared, namespace: &'static str) {
        shared.note(|| format!("client: disconnects {namespace}"));
        if let Some((goodbye, disconnected)) = self.peer.disconnect(namespace) {
            shared.happen(Happened::Left);
            self.send(shared, Packet::Text(goodbye));
            lose(shared, disconnected);
        }
        if !self.peer.any_active() {
            self.close(shared);
        }
        self.flush(shared);
    }

    /// The program closes: the sockets connect again when they are told to.
    pub(super) fn close(&mut self, shared: &mut Shared) {
        shared.note(|| "client: closes".to_owned());
        self.wanted = false;
        self.reconnect_at = None;
        self.backoff.reset();
        for namespace in NAMESPACES {
            if let Some((goodbye, disconnected)) = self.peer.disconnect(namespace) {
                self.send(shared, Packet::Text(goodbye));
                lose(shared, disconnected);
            }
        }
        if self.current.is_some() {
            self.lost(shared);
        }
        self.settle(shared);
        self.flush(shared);
    }

    /// The program closes for good: nobody waits for anything any more.
    pub(super) fn drain(&mut self, shared: &mut Shared) {
        for number in self.peer.drain() {
            resolve(shared, number, None);
        }
    }

    /// The program emits an event.
    pub(super) fn emit(&mut self, shared: &mut Shared, namespace: &'static str, ack: bool, volatile: bool) {
        // A clock that stood still: first what is due.
        if self.due(shared).any(|(at, returns)| !returns && at <= shared.now) {
            self.tick(shared);
        }
        let room = shared.scenario.limits.queued_bytes;
        if self.current.as_mut().is_some_and(|carrier| carrier.buffered() >= room) {
            return shared.happen(Happened::Refused);
        }
        let connected = self.peer.connected(namespace);
        let (number, name, payload) = shared.ledger.next_event();
        let limits = &shared.scenario.limits;
        let outgoing = if volatile {
            let writable = self.current.as_ref().is_some_and(Carrier::is_writable);
            match self.peer.emit_volatile(namespace, name, &payload, writable, limits) {
                Ok(outgoing) => {
                    if outgoing.is_none() && !connected && self.opened && writable {
                        shared.ledger.keep(namespace, number);
                    }
                    outgoing
                }
                Err(_) => return shared.happen(Happened::Refused),
            }
        } else {
            let deadline = shared.random.percent(50).then(|| shared.clock(Side::Client) + Duration::from_millis(500));
            let mut waiter = ack.then_some((number, deadline));
            match self.peer.emit(namespace, name, &payload, &mut waiter, limits) {
                Ok(emitted) => {
                    if ack {
                        shared.ledger.ask(number);
                    }
                    if emitted.send.is_none() {
                        shared.ledger.keep(namespace, number);
                    }
                    if let Some(evicted) = emitted.evicted {
                        resolve(shared, evicted, None);
                    }
                    emitted.send
                }
                Err(_) => return shared.happen(Happened::Refused),
            }
        };
        if let Some(outgoing) = outgoing {
            if let Some(socket) = self.socket(namespace) {
                shared.ledger.emitted(socket, Side::Server, number);
            }
            outgoing.into_packets().for_each(|packet| self.send(shared, packet));
        }
        self.flush(shared);
    }

    /// The network gives up a request that is under way.
    pub(super) fn abort(&mut self, shared: &mut Shared) {
        let Some(carrier) = &mut self.current else { return };
        if let Some((id, connection)) = carrier.some_exchange(shared) {
            shared.inject(Injected::Abort);
            shared.blame(carrier.number());
            shared.note(|| format!("client: {id:?} on connection {connection} is given up"));
            shared.wire.end(shared.now, connection, Side::Server, true);
            self.each(shared, |carrier, shared, news| {
                if carrier.owns(connection) {
                    carrier.arrived(shared, connection, Arrival::Reset, news);
                }
            });
        }
    }

    /// The socket of the server that a namespace is connected to.
    pub(super) fn socket(&self, namespace: &str) -> Option<SocketNumber> {
        self.sockets.get(namespace).copied().filter(|_| self.peer.connected(namespace))
    }

    /// Whether a socket is to be connected.
    pub(super) fn active(&self, namespace: &str) -> bool {
        self.peer.active(namespace)
    }

    /// Whether the program wants a connection, and has not enough reason to have none.
    pub(super) fn wants_connection(&self) -> bool {
        self.wanted && self.peer.any_active()
    }

    /// Whether messages wait for a handler, or to be sent.
    pub(super) fn is_busy(&mut self) -> bool {
        self.inbox.due().is_some() || self.current.as_mut().is_some_and(Carrier::is_busy)
    }

    /// The transport that is in use.
    pub(super) fn transport(&self) -> Option<Transport> {
        self.current.as_ref().map(Carrier::transport)
    }

    /// What is left when all is over, in words.
    pub(super) fn leftovers(&self) -> Option<String> {
        let left = self.current.as_ref().or(self.ending.first())?;
        Some(format!("the client still has {left:?}"))
    }

    /// Does something with each connection, then what follows from it.
    fn each(
        &mut self,
        shared: &mut Shared,
        mut work: impl FnMut(&mut Carrier, &mut Shared, &mut dyn FnMut(News<'_>, &mut Shared, &mut Carrier)),
    ) {
        if let Some(mut carrier) = self.current.take() {
            let mut upper = |news: News<'_>, shared: &mut Shared, carrier: &mut Carrier| {
                self.news(shared, carrier, news);
            };
            work(&mut carrier, shared, &mut upper);
            self.current = Some(carrier);
            self.settle(shared);
        }
        let mut ending = std::mem::take(&mut self.ending);
        for carrier in &mut ending {
            work(carrier, shared, &mut |_, _, _| {});
        }
        self.ending.splice(0..0, ending);
        self.flush(shared);
    }

    /// What a connection tells the layer above.
    fn news(&mut self, shared: &mut Shared, carrier: &mut Carrier, news: News<'_>) {
        match news {
            News::Opened => {
                self.opened = true;
                self.open_by = None;
                shared.happen(Happened::Opened);
                if carrier.number() > 1 {
                    shared.happen(Happened::Reconnected);
                }
                self.backoff.reset();
                for (namespace, _) in self.peer.opened() {
                    carrier.send(shared, Packet::Text(text::connect(&namespace, None)));
                }
            }
            News::Message(message) => {
                if !carrier.is_given_up() {
                    self.message(shared, carrier, message);
                }
            }
            News::MayRead(may) => {
                if !self.paused && self.inbox.is_over(shared) {
                    shared.note(|| "client: stops reading".to_owned());
                    shared.happen(Happened::Paused);
                    self.paused = true;
                    carrier.pause(shared, true);
                    // It answers no ping meanwhile.
                    shared.blame(carrier.number());
                }
                *may = !self.paused;
            }
        }
    }

    fn message(&mut self, shared: &mut Shared, carrier: &mut Carrier, message: Message<'_>) {
        let received = self.peer.receive(message, &shared.scenario.limits);
        match received {
            Ok(None) => {}
            Ok(Some(Incoming::Event { socket, event })) => self.event(shared, carrier.number(), socket, &event),
            Ok(Some(Incoming::Ack { waiter, payload, .. })) => resolve(shared, waiter, Some(&payload)),
            Ok(Some(Incoming::Connected { socket: namespace, sid, early, unsent })) => {
                let Some(number) = sid.strip_prefix('s').and_then(|number| number.parse().ok()) else {
                    return shared.breach(format!("{namespace} got the id {sid}"));
                };
                shared.note(|| format!("client: {namespace} is connected to socket {number}"));
                self.sockets.insert(namespace, number);
                early.iter().for_each(|event| self.event(shared, carrier.number(), namespace, event));
                let connected = shared.ledger.connected(namespace, number, unsent.len());
                shared.check(connected);
                for outgoing in unsent {
                    outgoing.into_packets().for_each(|packet| carrier.send(shared, packet));
                }
            }
            Ok(Some(Incoming::ConnectError { socket, .. })) => {
                shared.note(|| format!("client: {socket} is refused"));
            }
            Ok(Some(Incoming::Disconnected(disconnected))) => lose(shared, disconnected),
            Ok(Some(Incoming::Reply(packet))) => carrier.send(shared, Packet::Text(packet)),
            Err(error) => {
                shared.note(|| format!("client: {error}"));
                if error == socketio_core::proto::socket::ProtocolError::TooLarge {
                    shared.happen(Happened::Oversized);
                } else {
                    shared.breach(format!("the server broke the protocol: {error}"));
                }
                shared.blame(carrier.number());
                carrier.give_up();
            }
        }
    }

    fn event(&mut self, shared: &mut Shared, session: u32, namespace: &'static str, event: &ReceivedEvent) {
        let binary = !event.payload().attachments().is_empty();
        shared.happen(if binary { Happened::BinaryEvent } else { Happened::Event });
        let socket = self.sockets.get(namespace).copied().unwrap_or_default();
        let place = (session, namespace, socket);
        match shared.ledger.arrived_at_client(place, event.name(), event.payload()) {
            Ok(number) => {
                let delivery = Delivery { namespace, socket, number, ack: event.ack(), bytes: event.len() };
                self.inbox.push(shared, delivery);
            }
            Err(breach) => shared.breach(breach),
        }
    }

    /// A handler answers, if its socket is still connected as it was.
    fn answer(&mut self, shared: &mut Shared, delivery: &Delivery) {
        let current =
            self.socket(delivery.namespace) == Some(delivery.socket) || shared.planted == Some(Planted::StaleAck);
        if let Some(id) = delivery.ack.filter(|_| current && !delivery.number.is_multiple_of(11))
            && let Some(outgoing) = self.peer.answer(delivery.namespace, id, &shared.ledger.answer(delivery.number))
        {
            outgoing.into_packets().for_each(|packet| self.send(shared, packet));
        }
    }

    fn send(&mut self, shared: &mut Shared, packet: Packet) {
        if let Some(carrier) = &mut self.current {
            carrier.send(shared, packet);
        }
    }

    fn flush(&mut self, shared: &mut Shared) {
        for carrier in self.current.iter_mut().chain(&mut self.ending) {
            carrier.flush(shared);
        }
        self.settle(shared);
        let now = shared.clock(Side::Client);
        self.ending.retain_mut(|carrier| !carrier.finish(shared, now));
        self.check(shared);
    }

    /// Does with the connection what it has come to.
    fn settle(&mut self, shared: &mut Shared) {
        let Some(carrier) = &self.current else { return };
        if carrier.is_given_up() {
            self.lost(shared);
        } else if let Some(reason) = carrier.ended() {
            if reason == CloseReason::PingTimeout {
                shared.happen(Happened::PingTimeout);
            }
            if self.opened {
                self.lost(shared);
            } else {
                self.open_failed(shared);
            }
        }
    }

    /// The connection is gone, or is given up.
    fn lost(&mut self, shared: &mut Shared) {
        self.peer.closed().into_iter().for_each(|disconnected| lose(shared, disconnected));
        self.open_failed(shared);
    }

    /// The connection is left to come to its end by itself; another one follows if the program wants it.
    fn open_failed(&mut self, shared: &mut Shared) {
        self.opened = false;
        self.open_by = None;
        self.sockets.clear();
        self.resume(shared);
        if let Some(mut carrier) = self.current.take() {
            carrier.close(shared);
            self.ending.push(carrier);
        }
        if self.wanted {
            let random = shared.random.below(1_000) as f64 / 1_000.0;
            self.reconnect_at = Some(shared.clock(Side::Client) + self.backoff.next_delay(random));
        }
    }

    fn open(&mut self, shared: &mut Shared) {
        self.last += 1;
        self.open_by = Some(shared.clock(Side::Client) + shared.scenario.connect_timeout);
        let carrier = Carrier::start(shared, self.last);
        self.current = Some(carrier);
        self.flush(shared);
    }

    fn resume(&mut self, shared: &mut Shared) {
        if std::mem::take(&mut self.paused)
            && let Some(carrier) = &mut self.current
        {
            carrier.pause(shared, false);
        }
    }

    fn check(&mut self, shared: &mut Shared) {
        let limits = &shared.scenario.limits;
        let most = limits.queued_bytes.saturating_add(100_000);
        let unsent: usize = NAMESPACES.iter().map(|namespace| self.peer.unsent_bytes(namespace)).max().unwrap_or(0);
        let held = self.peer.held_bytes();
        let early = limits.undelivered_bytes.saturating_mul(NAMESPACES.len());
        let buffered = self.current.as_mut().map_or(0, Carrier::buffered);
        // The answer to a `GET` is handed in as a whole, and so is what came before the socket was connected.
        let one = limits.max_payload.saturating_add(most).saturating_add(early);
        // What was kept goes out at once when the socket is connected.
        if unsent > most || held > limits.max_payload + early || buffered > most.saturating_mul(1 + NAMESPACES.len()) {
            shared.breach(format!("the client holds {unsent} and {buffered} bytes to send, and {held} received"));
        }
        self.inbox.check(shared, one);
    }
}

/// A socket is not connected any more: who waits for its answers waits in vain.
fn lose(shared: &mut Shared, disconnected: Disconnected<&'static str, Number>) {
    for number in disconnected.waiters {
        resolve(shared, number, None);
    }
}

fn resolve(shared: &mut Shared, number: Number, answer: Option<&socketio_core::data::Payload>) {
    shared.happen(if answer.is_some() { Happened::Answered } else { Happened::Unanswered });
    let resolved = shared.ledger.resolved(number, answer);
    shared.check(resolved);
}
