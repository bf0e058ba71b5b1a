//! Requests, and the polling transport.

use socketio_core::proto::engine::handshake;
use socketio_core::proto::engine::packet::{Received, Transport};
use socketio_core::proto::engine::payload;
use socketio_core::proto::engine::session::{Answer, ExchangeId, Input};

use super::super::Planted;
use super::super::http::{self, Head, Sending};
use super::super::link::Link;
use super::super::shared::Shared;
use super::super::tally::Happened;
use super::super::wire::{Arrival, ConnectionId};
use super::{Server, Session, sid};
use crate::network::Side;

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    bytes: Vec<u8>,
    head: Option<Head>,
    /// The session's exchange that it is, from when its head was there.
    pub(super) exchange: Option<(u32, ExchangeId)>,
    pub(super) answered: bool,
}

/// The body of a `POST`.
#[derive(Debug)]
pub(super) struct Body {
    id: ExchangeId,
    bytes: Vec<u8>,
    /// The packets of it that were handed in.
    done: usize,
}

/// What the shell says when a session answers an exchange so.
pub(super) fn answer(answer: Answer) -> (u16, Vec<u8>) {
    match answer {
        Answer::Ok => (200, b"ok".to_vec()),
        Answer::Noop => (200, b"6".to_vec()),
        Answer::Close => (200, b"1".to_vec()),
        Answer::BadRequest => (400, Vec::new()),
    }
}

impl Server {
    /// Something arrived on a connection that is no WebSocket.
    pub(super) fn request(&mut self, shared: &mut Shared, connection: ConnectionId, arrival: Arrival) {
        match arrival {
            Arrival::Bytes(bytes) => {
                let request = self.requests.entry(connection).or_insert_with(Request::new);
                request.bytes.extend_from_slice(&bytes);
                if request.head.is_none() {
                    match http::head(&request.bytes) {
                        Ok(None) => {}
                        Ok(Some(head)) => {
                            request.bytes.drain(..head.len);
                            request.head = Some(head.clone());
                            self.head(shared, connection, &head);
                        }
                        Err(error) => shared.breach(format!("a request is {error}")),
                    }
                }
                self.body(shared, connection);
            }
            Arrival::End | Arrival::Reset => {
                let Some(request) = self.requests.remove(&connection) else { return };
                if let Some((number, id)) = request.exchange
                    && !request.answered
                {
                    self.with(shared, number, |session, shared| session.aborted(shared, id, request.bytes));
                }
                shared.wire.end(shared.now, connection, Side::Client, true);
            }
        }
    }

    /// Sends an answer.
    pub(super) fn reply(&mut self, shared: &mut Shared, connection: ConnectionId, answer: Vec<u8>) {
        let Some(request) = self.requests.get_mut(&connection) else { return };
        if std::mem::replace(&mut request.answered, true) {
            return shared.breach(format!("the request on connection {connection} was answered twice"));
        }
        shared.happen(Happened::RequestAnswered);
        let sending = Sending::start(shared, connection, Side::Client, answer, true);
        self.sending.extend(sending);
    }

    /// The head of a request is there.
    fn head(&mut self, shared: &mut Shared, connection: ConnectionId, head: &Head) {
        let Some(carrier) = shared.wire.carrier(connection) else { return };
        shared.note(|| format!("server: connection {connection}: {}", head.line));
        let (method, target) = head.line.split_once(' ').unwrap_or_default();
        let (method, upgrade) = (method.trim_end_matches('+'), method.ends_with('+'));
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let refused = |server: &mut Self, shared: &mut Shared, refusal: handshake::Refusal| {
            let answer = http::message(&refusal.status().to_string(), refusal.body().as_bytes());
            server.reply(shared, connection, answer);
        };
        let request = match handshake::Request::parse(query, &[Transport::Polling, Transport::WebSocket]) {
            Ok(request) => request,
            Err(refusal) => return shared.breach(format!("{query}: {refusal:?}")),
        };
        let number = if let Some(wanted) = &request.sid {
            let found = self.sessions.values().find(|session| !session.closed && sid(session.number) == *wanted);
            let Some(session) = found else {
                return refused(self, shared, handshake::Refusal::SessionUnknown);
            };
            if let Err(refusal) = session.engine.check(&request, upgrade) {
                return refused(self, shared, refusal);
            }
            session.number
        } else {
            if let Err(refusal) = request.check_method(method == "GET", upgrade).and_then(|()| request.check_version())
            {
                return shared.breach(format!("{}: {refusal:?}", head.line));
            }
            let session = Session::new(shared, carrier, request.transport);
            if self.sessions.insert(carrier, session).is_some() {
                shared.breach(format!("session {carrier} was opened twice"));
            }
            carrier
        };
        if upgrade {
            return self.upgrade(shared, connection, number, request.sid.is_none());
        }
        let mut id = ExchangeId(0);
        self.with(shared, number, |session, shared| {
            session.exchanges += 1;
            id = ExchangeId(session.exchanges);
            session.waiting.insert(id, connection);
            let input = if method == "GET" { Input::Poll(id) } else { Input::PostStarted(id) };
            session.step(shared, input);
        });
        if let Some(request) = self.requests.get_mut(&connection) {
            request.exchange = Some((number, id));
        }
        if method == "POST" && head.body > shared.scenario.limits.max_payload {
            shared.happen(Happened::Oversized);
            shared.blame(number);
            self.with(shared, number, |session, shared| {
                if let Some(connection) = session.waiting.remove(&id) {
                    session.answers.push((connection, http::message("413", &[])));
                    session.step(shared, Input::PostRefused(id));
                }
            });
        }
    }

    /// More of a body is there.
    fn body(&mut self, shared: &mut Shared, connection: ConnectionId) {
        let Some(request) = self.requests.get_mut(&connection) else { return };
        let Some(head) = &request.head else { return };
        if request.bytes.len() > head.body {
            return shared.breach(format!("more than one request on connection {connection}"));
        }
        let is_whole = request.bytes.len() == head.body && head.line.starts_with("POST");
        let Some((number, id)) = request.exchange.filter(|_| is_whole && !request.answered) else { return };
        let bytes = std::mem::take(&mut request.bytes);
        self.with(shared, number, |session, shared| {
            session.body = Some(Body { id, bytes, done: 0 });
            session.hand_in(shared);
        });
    }

    /// A request for a WebSocket that is granted.
    fn upgrade(&mut self, shared: &mut Shared, connection: ConnectionId, number: u32, opening: bool) {
        self.requests.remove(&connection);
        shared.happen(Happened::RequestAnswered);
        let switching = http::message("101", &[]);
        let sending = Sending::start(shared, connection, Side::Client, switching, false);
        let limits = &shared.scenario.limits;
        let mut link = Link::new(connection, Side::Server, limits);
        if sending.is_some() {
            // Less room than an answer takes is not simulated.
            shared.breach("an answer found no room on a new connection".to_owned());
        }
        self.with(shared, number, |session, shared| {
            if session.closed || !opening && !session.engine.may_upgrade() {
                link.close(shared, None);
                return;
            }
            if let Some(mut before) = session.link.replace(link) {
                before.abort(shared);
            }
            session.linger = None;
            session.set_paused(shared, session.paused);
            if !opening {
                session.step(shared, Input::WebSocketOpened);
            }
        });
    }
}

impl Request {
    fn new() -> Self {
        Self { bytes: Vec::new(), head: None, exchange: None, answered: false }
    }
}

impl Session {
    /// Hands in the packets of a body, as far as handlers keep up.
    pub(super) fn hand_in(&mut self, shared: &mut Shared) {
        let Some(mut body) = self.body.take() else { return };
        let Ok(mut packets) = payload::Decoder::new(&body.bytes) else {
            return self.step(shared, Input::Malformed(Transport::Polling));
        };
        for _ in 0..body.done {
            let _ = packets.next_packet();
        }
        loop {
            if self.closed {
                return;
            }
            if self.pause_if_full(shared) {
                drop(packets);
                self.body = Some(body);
                return;
            }
            match packets.next_packet() {
                Some(Ok(packet)) => {
                    self.heard(shared, &packet);
                    self.step(shared, Input::Packet(Transport::Polling, packet));
                }
                Some(Err(_)) => self.step(shared, Input::Malformed(Transport::Polling)),
                None => break,
            }
            body.done += 1;
        }
        self.step(shared, Input::PostDone(body.id));
    }

    /// The peer has left before the exchange was answered; `bytes` of its body had arrived.
    fn aborted(&mut self, shared: &mut Shared, id: ExchangeId, bytes: Vec<u8>) {
        self.body.take_if(|body| body.id == id);
        if shared.planted == Some(Planted::TruncatedPost) && !bytes.is_empty() {
            self.body = Some(Body { id, bytes, done: 0 });
            self.hand_in(shared);
        }
        if self.waiting.remove(&id).is_some() {
            self.step(shared, Input::Aborted(id));
        }
    }

    /// A sign of the client.
    pub(super) fn heard(&self, shared: &mut Shared, packet: &Received<'_>) {
        if matches!(packet, Received::Pong("")) {
            let until = shared.clock(Side::Server) + shared.scenario.heartbeat();
            shared.ledger.pulse(self.number, Side::Server, until);
        }
    }
}
