//! A server's session and a client's session joined in virtual time.
//!
//! A [`Pair`] is both shells, with a network between them. What one side sends is in transit until it is delivered: each
//! HTTP request and each answer by itself, the frames of the WebSocket in order for each direction, so that the two
//! transports overtake one another as they like. Either time decides what comes next ([`Pair::advance`], with a latency
//! that varies) or the test does ([`Pair::pending`] and [`Pair::take`]).
//!
//! All the while it checks what must hold whatever happens; the first breach is kept ([`Pair::breach`]):
//! messages arrive complete and in order, once each; every exchange is answered exactly once; a session ends once, and
//! does nothing after that; no deadline stays in the past.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use socketio_core::proto::engine::client::ClientSession;
use socketio_core::proto::engine::packet::{Message, Packet, Received, Transport};
use socketio_core::proto::engine::payload;
use socketio_core::proto::engine::server::ServerSession;
use socketio_core::proto::engine::session::{
    Answer, Cause, ClientConfig, CloseReason, ExchangeId, Flush, Input, Output, SessionConfig,
};

pub use crate::network::Side;
use crate::network::{Exchange, Frame, Network, What};

/// A bug planted into a side, as if its session had it: what the checks are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The client sends what waits by the WebSocket before it says that it moves there.
    FlushBeforeUpgrade,
    /// The server answers a `GET` with a second noop.
    SecondNoop,
    /// The client moves to the WebSocket without waiting for its `POST`.
    LostPost,
}

/// What a side has gone through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How many messages it sent.
    pub sent: usize,
    /// How many messages it received, each as it was sent and in order.
    pub received: usize,
    /// Whether it moved to the WebSocket.
    pub upgraded: bool,
    /// How it ended, and when.
    pub closed: Option<(CloseReason, Instant)>,
}

/// Something that can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// What is in transit at that place arrives.
    Arrival(usize),
    /// The side's deadline comes.
    Tick(Side),
}

/// Two sessions and the network between them.
#[derive(Debug)]
pub struct Pair {
    /// The time at both ends.
    pub now: Instant,
    server: Option<ServerSession>,
    client: ClientSession,
    config: Arc<SessionConfig>,
    seen: [Seen; 2],
    /// Whether the side has the WebSocket, by its own account.
    websocket: [bool; 2],
    closing: [bool; 2],
    network: Network,
    exchanges: BTreeMap<ExchangeId, Exchange>,
    largest_post: usize,
    fault: Option<Fault>,
    breach: Option<String>,
}

impl Pair {
    /// A client that is about to open a session.
    pub fn new(config: SessionConfig, client: ClientConfig) -> Self {
        let mut pair = Self {
            now: Instant::now(),
            server: None,
            client: ClientSession::new(client),
            config: Arc::new(config),
            seen: [Seen::default(); 2],
            websocket: [false; 2],
            closing: [false; 2],
            network: Network::new(Duration::from_millis(10), Duration::ZERO, 1),
            exchanges: BTreeMap::new(),
            largest_post: 0,
            fault: None,
            breach: None,
        };
        for output in pair.client.start() {
            pair.client_output(output);
        }
        pair
    }

    /// A network that takes from `latency` to `latency + jitter`, drawn by `seed`.
    #[must_use]
    pub const fn with_latency(mut self, latency: Duration, jitter: Duration, seed: u64) -> Self {
        self.network.set_latency(latency, jitter, seed);
        self
    }

    /// With a bug.
    #[must_use]
    pub const fn with_fault(mut self, fault: Option<Fault>) -> Self {
        self.fault = fault;
        self
    }

    /// What `side` has gone through.
    pub const fn seen(&self, side: Side) -> &Seen {
        &self.seen[side as usize]
    }

    /// The first thing that was not as it must be.
    pub fn breach(&self) -> Option<&str> {
        self.breach.as_deref()
    }

    /// The transport that `side` sends by.
    pub fn transport(&self, side: Side) -> Option<Transport> {
        match side {
            Side::Server => self.server.as_ref().map(ServerSession::transport),
            Side::Client => Some(self.client.transport()),
        }
    }

    /// Whether `side` has a session that is not over.
    pub fn is_open(&self, side: Side) -> bool {
        match side {
            Side::Server => self.server.as_ref().is_some_and(|server| !server.is_closed()),
            Side::Client => !self.client.sid().is_empty() && !self.client.is_closed(),
        }
    }

    /// How many bytes the largest body had that the client posted.
    pub const fn largest_post(&self) -> usize {
        self.largest_post
    }

    /// Whether `side` is open and does not close.
    pub fn may_send(&self, side: Side) -> bool {
        self.is_open(side) && !self.closing[side as usize]
    }

    /// `side` sends the next message: a number, as text and as bytes in turn.
    pub fn send(&mut self, side: Side) {
        if !self.may_send(side) {
            return;
        }
        let packet = numbered(self.seen[side as usize].sent);
        self.seen[side as usize].sent += 1;
        match (side, &mut self.server) {
            (Side::Server, Some(server)) => server.send(packet),
            _ => self.client.send(packet),
        }
        self.flush(side);
    }

    /// `side` closes.
    pub fn close(&mut self, side: Side) {
        self.closing[side as usize] = true;
        self.step(side, Input::Close);
    }

    /// The server stops reading, or reads again.
    pub fn pause_server(&mut self, paused: bool) {
        let now = self.now;
        if let Some(server) = &mut self.server {
            if paused { server.pause() } else { server.resume(now) }
        }
    }

    /// From now on nothing reaches `side`, and nobody is told.
    pub const fn deafen(&mut self, side: Side) {
        self.network.deafen(side);
    }

    /// The transport breaks, and both sides see it.
    pub fn cut(&mut self, transport: Transport) {
        if transport == Transport::WebSocket {
            self.network.lose(|what| matches!(what, What::Frame(_)));
            for side in [Side::Server, Side::Client] {
                if std::mem::take(&mut self.websocket[side as usize]) {
                    self.step(side, Input::WebSocketClosed(Cause::Closed));
                }
            }
        } else {
            self.network.lose(|what| !matches!(what, What::Frame(_)));
            let ids: Vec<_> = self.exchanges.iter().filter(|(_, it)| !it.over).map(|(id, _)| *id).collect();
            for id in ids {
                self.step(Side::Server, Input::Aborted(id));
                self.step(Side::Client, Input::Aborted(id));
                if let Some(exchange) = self.exchanges.get_mut(&id) {
                    exchange.over = true;
                }
            }
        }
    }

    /// All that can happen next: what may arrive first, and each side's deadline.
    pub fn pending(&self) -> Vec<Event> {
        let mut events: Vec<_> = self.network.arrivals().map(Event::Arrival).collect();
        events.extend(
            [Side::Server, Side::Client].into_iter().filter(|side| self.deadline(*side).is_some()).map(Event::Tick),
        );
        events
    }

    /// When `event` comes if time decides.
    pub fn time_of(&self, event: Event) -> Instant {
        match event {
            Event::Arrival(place) => self.network.time_of(place),
            Event::Tick(side) => self.deadline(side).unwrap_or(self.now),
        }
    }

    /// Lets `event` happen, out of its time if need be.
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Arrival(place) => {
                let parcel = self.network.take(place);
                if parcel.to == Side::Server {
                    self.arrive_at_server(parcel.what)
                } else {
                    self.arrive_at_client(parcel.what)
                }
            }
            Event::Tick(side) => {
                self.now = self.now.max(self.time_of(event));
                self.step(side, Input::Tick);
                if self.deadline(side).is_some_and(|deadline| deadline <= self.now) {
                    self.break_off(format!("a deadline of the {side:?} stays in the past"));
                }
            }
        }
    }

    /// Lets time pass, and all that it brings.
    pub fn advance(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some((at, event)) =
            self.pending().into_iter().map(|event| (self.time_of(event), event)).min_by_key(|it| it.0)
            && at <= end
        {
            self.now = self.now.max(at);
            self.take(event);
        }
        self.now = end;
    }

    /// Checks what must hold when nothing is in transit: all exchanges but a waiting `GET` were answered, and if both
    /// sides are open all messages arrived.
    pub fn check_at_rest(&mut self) {
        let waiting = self.exchanges.values().filter(|it| !it.over);
        let (gets, posts): (Vec<_>, Vec<_>) = waiting.partition(|it| it.is_get);
        if !posts.is_empty() || gets.len() > 1 || (gets.len() == 1 && !self.is_open(Side::Server)) {
            self.break_off("an exchange was never answered".to_owned());
        }
        if self.is_open(Side::Server) && self.is_open(Side::Client) {
            for side in [Side::Server, Side::Client] {
                let (sent, received) = (self.seen(side).sent, self.seen(side.other()).received);
                if sent != received {
                    self.break_off(format!("{received} of {sent} messages of the {side:?} arrived"));
                }
            }
        }
    }

    fn deadline(&self, side: Side) -> Option<Instant> {
        match side {
            Side::Server => self.server.as_ref()?.deadline(),
            Side::Client => self.client.deadline(),
        }
    }

    fn break_off(&mut self, breach: String) {
        self.breach.get_or_insert(breach);
    }

    // The shells.

    fn step(&mut self, side: Side, input: Input<'_>) {
        let closed = self.seen(side).closed.is_some();
        match (side, &mut self.server) {
            (Side::Server, Some(server)) => {
                for output in server.handle(self.now, input) {
                    if closed && !matches!(output, Output::Answer(_, Answer::BadRequest)) {
                        self.break_off(format!("the server did {output:?} after its end"));
                    }
                    self.server_output(output);
                }
            }
            (Side::Server, None) => {}
            (Side::Client, _) => {
                for output in self.client.handle(self.now, input) {
                    if closed {
                        self.break_off(format!("the client did {output:?} after its end"));
                    }
                    self.client_output(output);
                }
            }
        }
        self.flush(side);
    }

    fn server_output(&mut self, output: Output<'_>) {
        match output {
            Output::Message(message) => self.receive(Side::Server, message),
            Output::Probe(text) => self.frame(Side::Client, Frame::Text(Bytes::from_static(text.as_bytes()))),
            Output::CloseWebSocket => self.close_websocket(Side::Server),
            Output::Upgraded => self.upgrade(Side::Server),
            Output::Closed(reason) => self.end(Side::Server, reason),
            Output::Answer(id, answer) => {
                let body = match answer {
                    Answer::Ok => Some("ok"),
                    Answer::Noop => Some("6"),
                    Answer::Close => Some("1"),
                    Answer::BadRequest => None,
                };
                self.answer(id, body.map(Bytes::from));
                if answer == Answer::Noop && self.fault == Some(Fault::SecondNoop) {
                    self.answer(id, Some(Bytes::from_static(b"6")));
                }
            }
            other => self.break_off(format!("the server did {other:?}")),
        }
    }

    fn client_output(&mut self, output: Output<'_>) {
        match output {
            Output::Message(message) => self.receive(Side::Client, message),
            Output::Probe(text) => {
                if text == "5" && self.fault == Some(Fault::FlushBeforeUpgrade) {
                    self.flush(Side::Client);
                }
                self.frame(Side::Server, Frame::Text(Bytes::from_static(text.as_bytes())));
            }
            Output::CloseWebSocket => self.close_websocket(Side::Client),
            Output::Upgraded => self.upgrade(Side::Client),
            Output::Closed(reason) => self.end(Side::Client, reason),
            Output::Opened(_) | Output::Ping => {}
            Output::Get(id) => {
                self.begin(id, true);
                self.put(Side::Server, What::Get(id));
            }
            Output::OpenWebSocket => {
                self.websocket[Side::Client as usize] = true;
                self.frame(Side::Server, Frame::Open);
            }
            other => self.break_off(format!("the client did {other:?}")),
        }
    }

    fn flush(&mut self, side: Side) {
        if side == Side::Client {
            while let Some(flush) = self.client.flush() {
                match flush {
                    Flush::WebSocket => {
                        let outbox = self.client.outbox();
                        let packets: Vec<_> = std::iter::from_fn(|| outbox.pop()).collect();
                        self.frames(Side::Client, packets);
                    }
                    Flush::Post(id) => {
                        let max = self.client.max_payload();
                        let body = payload::encode(self.client.outbox(), max);
                        self.largest_post = self.largest_post.max(body.len());
                        self.begin(id, false);
                        self.put(Side::Server, What::PostHead(id, body));
                    }
                    Flush::Poll(_) => self.break_off(format!("the client did {flush:?}")),
                }
            }
            self.leave();
        } else {
            while let Some((flush, server)) = self.server.as_mut().and_then(|server| Some((server.flush()?, server))) {
                match flush {
                    Flush::WebSocket => {
                        let outbox = server.outbox();
                        let packets: Vec<_> = std::iter::from_fn(|| outbox.pop()).collect();
                        self.frames(Side::Server, packets);
                    }
                    Flush::Poll(id) => {
                        let body = payload::encode(server.outbox(), usize::MAX);
                        self.answer(id, Some(body));
                    }
                    Flush::Post(_) => self.break_off(format!("the server did {flush:?}")),
                }
            }
        }
    }

    /// A client whose session is over drops its `GET` when its last `POST` was answered.
    fn leave(&mut self) {
        if !self.client.is_closed() || self.exchanges.values().any(|it| !it.is_get && !it.over) {
            return;
        }
        let gets = self.exchanges.iter_mut().filter(|(_, it)| !it.over);
        let ids: Vec<_> = gets.map(|(id, get)| (get.over = true, *id).1).collect();
        for id in ids {
            if !self.network.lose(|what| matches!(what, What::Get(get) if *get == id)) {
                self.put(Side::Server, What::Abort(id));
            }
        }
    }

    // The network.

    fn put(&mut self, to: Side, what: What) {
        self.network.put(self.now, to, what);
    }

    fn frame(&mut self, to: Side, frame: Frame) {
        if self.websocket[to.other() as usize] {
            self.put(to, What::Frame(frame));
        } else {
            self.break_off(format!("the {:?} sends {frame:?} without a WebSocket", to.other()));
        }
    }

    fn frames(&mut self, from: Side, packets: Vec<Packet>) {
        for packet in packets {
            match packet {
                Packet::Text(text) => self.frame(from.other(), Frame::Text(text)),
                Packet::Binary(bytes) => self.frame(from.other(), Frame::Binary(bytes)),
                Packet::Shared(_) => self.break_off("a pair sends no broadcasts".to_owned()),
                Packet::End => self.close_websocket(from),
            }
        }
    }

    fn close_websocket(&mut self, from: Side) {
        self.frame(from.other(), Frame::Close);
        self.websocket[from as usize] = false;
    }

    fn begin(&mut self, id: ExchangeId, is_get: bool) {
        let exchange = Exchange { is_get, answered: false, over: false };
        if self.exchanges.insert(id, exchange).is_some() {
            self.break_off(format!("{id:?} was used twice"));
        }
    }

    fn answer(&mut self, id: ExchangeId, body: Option<Bytes>) {
        match self.exchanges.get_mut(&id) {
            Some(exchange) if !exchange.answered => exchange.answered = true,
            _ => self.break_off(format!("{id:?} was answered twice")),
        }
        if body.as_ref().is_some_and(Bytes::is_empty) {
            self.break_off(format!("{id:?} was answered with nothing"));
        }
        self.put(Side::Client, What::Answer(id, body));
    }

    fn arrive_at_server(&mut self, what: What) {
        match what {
            What::Get(id) => {
                self.accept(Transport::Polling);
                self.step(Side::Server, Input::Poll(id));
            }
            What::PostHead(id, body) => {
                self.step(Side::Server, Input::PostStarted(id));
                self.put(Side::Server, What::PostBody(id, body));
            }
            What::PostBody(id, body) => {
                // A body whose exchange was answered before it was there is not read.
                if self.exchanges.get(&id).is_some_and(|post| !post.answered) {
                    self.read_body(Side::Server, &body);
                    self.step(Side::Server, Input::PostDone(id));
                }
            }
            What::Abort(id) => self.step(Side::Server, Input::Aborted(id)),
            What::Frame(Frame::Open) => {
                self.websocket[Side::Server as usize] = true;
                if self.accept(Transport::WebSocket) {
                    self.frame(Side::Client, Frame::Opened);
                    self.flush(Side::Server);
                } else if self.server.as_ref().is_some_and(ServerSession::may_upgrade) {
                    self.frame(Side::Client, Frame::Opened);
                    self.step(Side::Server, Input::WebSocketOpened);
                } else {
                    self.close_websocket(Side::Server);
                }
            }
            What::Frame(frame) => self.read_frame(Side::Server, &frame),
            What::Answer(..) => self.break_off("an answer went to the server".to_owned()),
        }
    }

    fn arrive_at_client(&mut self, what: What) {
        match what {
            What::Answer(id, body) => {
                let Some(exchange) = self.exchanges.get_mut(&id) else { return };
                exchange.over = true;
                match (body, exchange.is_get) {
                    (None, _) => self.step(Side::Client, Input::Aborted(id)),
                    (Some(_), false) => self.step(Side::Client, Input::PostDone(id)),
                    (Some(body), true) => {
                        self.read_body(Side::Client, &body);
                        self.step(Side::Client, Input::GetDone(id));
                    }
                }
            }
            What::Frame(frame) => self.read_frame(Side::Client, &frame),
            other => self.break_off(format!("{other:?} went to the client")),
        }
    }

    /// Opens the server's session with the first request.
    fn accept(&mut self, transport: Transport) -> bool {
        if self.server.is_some() {
            return false;
        }
        self.server = Some(ServerSession::new(self.now, "sid", Arc::clone(&self.config), transport));
        true
    }

    fn read_body(&mut self, side: Side, body: &[u8]) {
        let Ok(mut packets) = payload::Decoder::new(body) else {
            return self.step(side, Input::Malformed(Transport::Polling));
        };
        while let Some(packet) = packets.next_packet() {
            self.step(
                side,
                packet.map_or(Input::Malformed(Transport::Polling), |it| Input::Packet(Transport::Polling, it)),
            );
        }
    }

    fn read_frame(&mut self, side: Side, frame: &Frame) {
        if !self.websocket[side as usize] {
            return;
        }
        let mut scratch = Vec::new();
        let packet = match frame {
            Frame::Open => return self.break_off("a WebSocket was opened to the client".to_owned()),
            Frame::Opened => return self.step(side, Input::WebSocketOpened),
            Frame::Close => {
                self.websocket[side as usize] = false;
                return self.step(side, Input::WebSocketClosed(Cause::Closed));
            }
            Frame::Binary(bytes) => Ok(Received::from_binary(bytes)),
            Frame::Text(text) => Received::from_text(std::str::from_utf8(text).unwrap_or(""), &mut scratch),
        };
        if self.fault == Some(Fault::LostPost) && side == Side::Client && packet == Ok(Received::Pong("probe")) {
            let post = self.exchanges.iter().find(|(_, it)| !it.is_get && !it.answered).map(|(id, _)| *id);
            if let Some(id) = post {
                self.step(side, Input::PostDone(id));
            }
        }
        self.step(
            side,
            packet.map_or(Input::Malformed(Transport::WebSocket), |it| Input::Packet(Transport::WebSocket, it)),
        );
    }

    // The checks.

    fn receive(&mut self, side: Side, message: Message<'_>) {
        let seen = &mut self.seen[side as usize];
        let expected = numbered(seen.received);
        let fits = match (message, &expected) {
            (Message::Text(text), Packet::Text(packet)) => text.as_bytes() == &packet[1..],
            (Message::Binary(bytes), Packet::Binary(packet)) => bytes == packet,
            _ => false,
        };
        let number = seen.received;
        seen.received += 1;
        if !fits {
            self.break_off(format!("the {side:?} received {message:?} instead of message {number}"));
        }
    }

    fn upgrade(&mut self, side: Side) {
        if std::mem::replace(&mut self.seen[side as usize].upgraded, true) {
            self.break_off(format!("the {side:?} upgraded twice"));
        }
    }

    fn end(&mut self, side: Side, reason: CloseReason) {
        if self.seen[side as usize].closed.replace((reason, self.now)).is_some() {
            self.break_off(format!("the {side:?} ended twice"));
        }
    }
}

/// The message of that number.
fn numbered(number: usize) -> Packet {
    if number.is_multiple_of(2) {
        Packet::message(&number.to_string())
    } else {
        Packet::Binary(number.to_string().into())
    }
}
