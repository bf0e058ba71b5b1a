//! One connection of the client: its session, its requests and its WebSocket.

use std::time::{Duration, Instant};

use socketio_core::proto::engine::client::ClientSession;
use socketio_core::proto::engine::outbox::Outbox;
use socketio_core::proto::engine::packet::{Message, Packet, Received, Transport};
use socketio_core::proto::engine::payload;
use socketio_core::proto::engine::session::{Cause, CloseReason, ExchangeId, Flush, Input, Output, Outputs};
use socketio_core::proto::engine::websocket::{Decoder, Frame, FrameError, Role};

use super::super::http::{self, Sending};
use super::super::link::Link;
use super::super::shared::Shared;
use super::super::tally::Happened;
use super::super::wire::{Arrival, ConnectionId};
use crate::network::Side;

/// How long the end of a connection may take.
const LINGER: Duration = Duration::from_secs(10);

/// What a connection tells the layer above.
pub(super) enum News<'a> {
    /// The server has opened the session.
    Opened,
    /// A message arrived.
    Message(Message<'a>),
    /// More would be read: may it?
    MayRead(&'a mut bool),
}

/// Who is told.
type Upper<'a> = &'a mut dyn FnMut(News<'_>, &mut Shared, &mut Carrier);

/// A connection, open or on its way there or to its end.
#[derive(Debug)]
pub(super) struct Carrier {
    number: u32,
    session: ClientSession,
    get: Option<Exchange>,
    post: Option<Exchange>,
    /// An answer with packets that waits until handlers have caught up.
    answer: Option<(ExchangeId, Vec<u8>)>,
    /// The WebSocket that is being opened, and what was read of the answer.
    opening: Option<(ConnectionId, Vec<u8>)>,
    link: Option<Link>,
    sending: Vec<Sending>,
    linger: Option<Instant>,
    ended: Option<CloseReason>,
    given_up: bool,
    closing: bool,
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Exchange {
    id: ExchangeId,
    connection: ConnectionId,
    answer: Vec<u8>,
}

impl Carrier {
    /// Begins to open one.
    pub(super) fn start(shared: &mut Shared, number: u32) -> Self {
        let mut carrier = Self {
            number,
            session: ClientSession::new(shared.scenario.client.clone()),
            get: None,
            post: None,
            answer: None,
            opening: None,
            link: None,
            sending: Vec::new(),
            linger: None,
            ended: None,
            given_up: false,
            closing: false,
        };
        shared.note(|| format!("client {number}: starts"));
        let outputs = carrier.session.start();
        carrier.carry_out(shared, outputs, &mut |_, _, _| {});
        carrier
    }

    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    pub(super) fn transport(&self) -> Transport {
        self.session.transport()
    }

    /// Why the session is over.
    pub(super) const fn ended(&self) -> Option<CloseReason> {
        self.ended
    }

    /// The layer above wants no more of it.
    pub(super) const fn give_up(&mut self) {
        self.given_up = true;
    }

    pub(super) const fn is_given_up(&self) -> bool {
        self.given_up
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.linger, self.session.deadline()].into_iter().flatten().min()
    }

    /// Bytes that wait to be sent.
    pub(super) fn buffered(&mut self) -> usize {
        self.session.outbox().bytes() + self.link.as_ref().map_or(0, Link::unsent)
    }

    /// Whether messages wait to be sent.
    pub(super) fn is_busy(&mut self) -> bool {
        self.buffered() > 0 || self.post.is_some() || self.answer.is_some()
    }

    /// Whether what is sent now goes out at once.
    pub(super) fn is_writable(&self) -> bool {
        match self.session.transport() {
            Transport::WebSocket => self.link.as_ref().is_some_and(|link| !link.is_blocked()),
            Transport::Polling => self.post.is_none(),
        }
    }

    /// Whether that connection of the network is one of its own.
    pub(super) fn owns(&self, connection: ConnectionId) -> bool {
        let exchanges = [&self.get, &self.post].into_iter().flatten().any(|it| it.connection == connection);
        exchanges
            || self.opening.as_ref().is_some_and(|opening| opening.0 == connection)
            || self.link.as_ref().is_some_and(|link| link.connection == connection)
    }

    /// A request that waits for its answer.
    pub(super) fn some_exchange(&self, shared: &mut Shared) -> Option<(ExchangeId, ConnectionId)> {
        let exchanges: Vec<_> = [&self.get, &self.post].into_iter().flatten().collect();
        if exchanges.is_empty() {
            return None;
        }
        let exchange = shared.random.pick(&exchanges);
        Some((exchange.id, exchange.connection))
    }

    pub(super) fn send(&mut self, shared: &mut Shared, packet: Packet) {
        let before = self.session.outbox().len();
        let for_ledger = packet.clone();
        self.session.send(packet);
        if self.session.outbox().len() > before {
            shared.ledger.sent(self.number, Side::Server, &for_ledger);
        }
    }

    /// The program, or the end of its interest, closes it.
    pub(super) fn close(&mut self, shared: &mut Shared) {
        self.closing = true;
        self.given_up = true;
        if self.session.sid().is_empty() && self.linger.is_none() {
            self.linger = Some(shared.clock(Side::Client) + LINGER);
        }
        self.handle(shared, Input::Close, &mut |_, _, _| {});
        self.read_on(shared, &mut |_, _, _| {});
    }

    pub(super) fn tick(&mut self, shared: &mut Shared, upper: Upper<'_>) {
        let now = shared.clock(Side::Client);
        if self.session.deadline().is_some_and(|deadline| deadline <= now) {
            self.handle(shared, Input::Tick, upper);
        }
        if let Some(at) = self.session.deadline().filter(|at| *at <= now) {
            shared.breach(format!("a deadline of the client's session {} stays {:?} ago", self.number, now - at));
        }
    }

    /// The layer above stops reading, or reads again.
    pub(super) fn pause(&mut self, shared: &mut Shared, paused: bool) {
        let now = shared.clock(Side::Client);
        if paused {
            self.session.pause()
        } else {
            self.session.resume(now)
        }
        let grace = now + shared.scenario.heartbeat();
        shared.ledger.pause(self.number, Side::Client, (!paused).then_some(grace));
        if let Some(link) = &self.link {
            shared.wire.pause(link.connection, Side::Client, paused);
        }
    }

    /// Handlers have caught up.
    pub(super) fn read_on(&mut self, shared: &mut Shared, upper: Upper<'_>) {
        self.read_answer(shared, upper);
        self.read_frames(shared, upper);
    }

    pub(super) fn writable(&mut self, shared: &mut Shared, connection: ConnectionId) {
        self.sending.retain_mut(|sending| sending.connection != connection || sending.proceed(shared));
        if let Some(link) = self.link.as_mut().filter(|link| link.connection == connection) {
            link.unblock();
            self.flush(shared);
        }
    }

    /// Something arrived on one of its connections.
    pub(super) fn arrived(
        &mut self,
        shared: &mut Shared,
        connection: ConnectionId,
        arrival: Arrival,
        upper: Upper<'_>,
    ) {
        if self.link.as_ref().is_some_and(|link| link.connection == connection) {
            if let Arrival::Bytes(bytes) = arrival {
                if let Some(link) = &mut self.link {
                    link.partial.extend_from_slice(&bytes);
                }
                return self.read_frames(shared, upper);
            }
            if let Some(mut link) = self.link.take() {
                link.abort(shared);
            }
            return self.websocket_gone(shared, Cause::Closed, upper);
        }
        if self.opening.as_ref().is_some_and(|opening| opening.0 == connection) {
            return self.switching(shared, connection, arrival, upper);
        }
        let is_get = self.get.as_ref().is_some_and(|get| get.connection == connection);
        let exchange = if is_get { &mut self.get } else { &mut self.post };
        let Some(mut waiting) = exchange.take() else { return };
        let id = waiting.id;
        let whole = match arrival {
            Arrival::Bytes(bytes) => {
                waiting.answer.extend_from_slice(&bytes);
                match http::head(&waiting.answer) {
                    Ok(Some(head)) if waiting.answer.len() >= head.len + head.body => Some(head),
                    Ok(_) => {
                        *exchange = Some(waiting);
                        return;
                    }
                    Err(error) => return shared.breach(format!("an answer is {error}")),
                }
            }
            Arrival::End | Arrival::Reset => None,
        };
        self.sending.retain(|sending| sending.connection != connection);
        shared.wire.end(shared.now, connection, Side::Server, false);
        match whole {
            Some(head) if head.line == "200" => {
                let body = waiting.answer.split_off(head.len);
                if body.len() > head.body {
                    return shared.breach(format!("{id:?} has more than one answer"));
                }
                if is_get {
                    self.answer = Some((id, body));
                    self.read_answer(shared, upper);
                } else {
                    self.handle(shared, Input::PostDone(id), upper);
                }
            }
            Some(_) | None => self.handle(shared, Input::Aborted(id), upper),
        }
    }

    /// Writes what waits, as far as the transport takes it.
    pub(super) fn flush(&mut self, shared: &mut Shared) {
        if let Some(link) = &mut self.link {
            link.flush(shared, &mut Outbox::new());
        }
        while let Some(to) = self.session.flush() {
            match to {
                Flush::WebSocket => {
                    let Some(link) = &mut self.link else { return };
                    link.flush(shared, self.session.outbox());
                    if link.is_blocked() || link.ended() {
                        return;
                    }
                }
                Flush::Post(id) => {
                    let max = self.session.max_payload();
                    let body = payload::encode(self.session.outbox(), max);
                    if body.is_empty() {
                        shared.breach(format!("{id:?} posts nothing"));
                    }
                    self.post = Some(self.request(shared, id, "POST", &body));
                }
                Flush::Poll(_) => return shared.breach("the client answers".to_owned()),
            }
        }
    }

    /// Lets go of everything if nothing is left to be done.
    pub(super) fn finish(&mut self, shared: &mut Shared, now: Instant) -> bool {
        let done = self.link.is_none() && self.session.outbox().is_empty() && self.post.is_none();
        let over = self.session.is_closed() && done || self.linger.is_some_and(|until| until <= now);
        if over {
            let (number, exchanges) = (self.number, [&self.get, &self.post]);
            shared.note(|| format!("client {number}: is finished"));
            let connections = exchanges.into_iter().flatten().map(|exchange| exchange.connection);
            for connection in connections.chain(self.opening.as_ref().map(|opening| opening.0)) {
                shared.wire.end(shared.now, connection, Side::Server, true);
            }
            if let Some(link) = &mut self.link {
                link.abort(shared);
            }
            // One that was given up before the server had answered is not closed by its session.
            shared.ledger.ended(number, Side::Client);
        }
        over
    }

    fn handle(&mut self, shared: &mut Shared, input: Input<'_>, upper: Upper<'_>) {
        let number = self.number;
        shared.note(|| format!("client {number}: {input:?}"));
        let outputs = self.session.handle(shared.clock(Side::Client), input);
        if self.ended.is_some() && !outputs.is_empty() {
            shared.breach(format!("the client's session {number} did {outputs:?} after its end"));
        }
        self.carry_out(shared, outputs, upper);
    }

    fn carry_out(&mut self, shared: &mut Shared, outputs: Outputs<'_>, upper: Upper<'_>) {
        let number = self.number;
        for output in outputs {
            shared.note(|| format!("client {number}:   -> {output:?}"));
            match output {
                Output::Message(message) => {
                    let received = shared.ledger.received(number, Side::Client, message);
                    shared.check(received);
                    upper(News::Message(message), shared, self);
                }
                Output::Opened(_) => {
                    let until = shared.clock(Side::Client) + shared.scenario.heartbeat();
                    shared.ledger.pulse(number, Side::Client, until);
                    upper(News::Opened, shared, self);
                }
                Output::Ping => {
                    // The session has put its answer into the outbox by itself, which is no message.
                    let until = shared.clock(Side::Client) + shared.scenario.heartbeat();
                    shared.ledger.pulse(number, Side::Client, until);
                }
                Output::Get(id) => {
                    if let Some(get) = &self.get {
                        shared.breach(format!("{id:?} is asked for while {get:?} is under way"));
                    }
                    self.get = Some(self.request(shared, id, "GET", &[]));
                }
                Output::OpenWebSocket => {
                    let connection = self.connect(shared, "GET+", "websocket", &[]);
                    self.opening = Some((connection, Vec::new()));
                }
                Output::Probe(packet) => {
                    if let Some(link) = &mut self.link {
                        link.send_now(shared, packet);
                    }
                }
                Output::CloseWebSocket => self.end_websocket(shared, None),
                Output::Upgraded => {
                    if let (Some(get), _) | (_, Some(get)) = (&self.get, &self.post) {
                        shared.breach(format!("the client moves while {get:?} is under way"));
                    }
                }
                Output::Closed(reason) => self.closed(shared, reason),
                other => shared.breach(format!("the client did {other:?}")),
            }
        }
    }

    fn closed(&mut self, shared: &mut Shared, reason: CloseReason) {
        let number = self.number;
        if self.ended.replace(reason).is_some() {
            shared.breach(format!("the client's session {number} ended twice"));
        }
        shared.ledger.ended(number, Side::Client);
        if !self.closing && !self.given_up && !shared.is_blamed(number) {
            shared.breach(format!("the client's session {number} ended for no reason: {reason:?}"));
        }
        shared.blame(number);
        self.linger = Some(shared.clock(Side::Client) + LINGER);
    }

    fn request(&mut self, shared: &mut Shared, id: ExchangeId, method: &str, body: &[u8]) -> Exchange {
        let connection = self.connect(shared, method, "polling", body);
        Exchange { id, connection, answer: Vec::new() }
    }

    fn connect(&mut self, shared: &mut Shared, method: &str, transport: &str, body: &[u8]) -> ConnectionId {
        let connection = shared.wire.open(shared.now, self.number);
        let sid = self.session.sid();
        let sid = if sid.is_empty() { String::new() } else { format!("&sid={sid}") };
        let line = format!("{method} /socket.io/?EIO=4&transport={transport}{sid}");
        let number = self.number;
        shared.note(|| format!("client {number}: connection {connection}: {line}, {} bytes", body.len()));
        let message = http::message(&line, body);
        self.sending.extend(Sending::start(shared, connection, Side::Server, message, false));
        connection
    }

    /// The answer to a `GET`: all of it, as soon as handlers have caught up.
    fn read_answer(&mut self, shared: &mut Shared, upper: Upper<'_>) {
        let mut may_read = true;
        upper(News::MayRead(&mut may_read), shared, self);
        let Some((id, body)) = self.answer.take_if(|_| may_read) else { return };
        let Ok(mut packets) = payload::Decoder::new(&body) else {
            return self.handle(shared, Input::Malformed(Transport::Polling), upper);
        };
        while let Some(packet) = packets.next_packet() {
            match packet {
                Ok(packet) => self.handle(shared, Input::Packet(Transport::Polling, packet), upper),
                Err(_) => return self.handle(shared, Input::Malformed(Transport::Polling), upper),
            }
        }
        self.handle(shared, Input::GetDone(id), upper);
    }

    /// The answer to the request for a WebSocket.
    fn switching(&mut self, shared: &mut Shared, connection: ConnectionId, arrival: Arrival, upper: Upper<'_>) {
        let Some((_, mut answer)) = self.opening.take() else { return };
        if let Arrival::Bytes(bytes) = arrival {
            answer.extend_from_slice(&bytes);
            match http::head(&answer) {
                Ok(Some(head)) if head.line == "101" => {
                    let mut link = Link::new(connection, Side::Client, &shared.scenario.limits);
                    link.partial = answer.split_off(head.len);
                    self.link = Some(link);
                    self.handle(shared, Input::WebSocketOpened, upper);
                    return self.read_frames(shared, upper);
                }
                Ok(None) => {
                    self.opening = Some((connection, answer));
                    return;
                }
                _ => {}
            }
        }
        shared.wire.end(shared.now, connection, Side::Server, true);
        self.websocket_gone(shared, Cause::Error, upper);
    }

    fn read_frames(&mut self, shared: &mut Shared, upper: Upper<'_>) {
        let Some(link) = &mut self.link else { return };
        let idle = Decoder::new(Role::Client, shared.scenario.limits.max_payload, 0);
        let mut decoder = std::mem::replace(&mut link.decoder, idle);
        let mut partial = std::mem::take(&mut link.partial);
        let mut used = 0;
        loop {
            let Some(link) = &self.link else { return };
            if link.ended() {
                used = partial.len();
                break;
            }
            let mut may_read = true;
            upper(News::MayRead(&mut may_read), shared, self);
            if !may_read {
                break;
            }
            match decoder.next(&mut partial[used..]) {
                Ok((bytes, frame)) => {
                    used += bytes;
                    match frame {
                        Some(frame) => self.frame(shared, frame, upper),
                        None => break,
                    }
                }
                Err(error) => self.bad_frame(shared, error, upper),
            }
        }
        if let Some(link) = &mut self.link {
            link.keep(shared, decoder, partial, used);
        }
    }

    fn frame(&mut self, shared: &mut Shared, frame: Frame<'_>, upper: Upper<'_>) {
        let mut scratch = Vec::new();
        let packet = match frame {
            Frame::Text(text) => match Received::from_text(text, &mut scratch) {
                Ok(packet) => packet,
                Err(_) => return self.handle(shared, Input::Malformed(Transport::WebSocket), upper),
            },
            Frame::Binary(bytes) => Received::from_binary(bytes),
            Frame::Ping(content) => {
                if let Some(link) = &mut self.link {
                    link.pong(shared, content);
                }
                return;
            }
            Frame::Pong => return,
            Frame::Close(_) => {
                self.end_websocket(shared, None);
                self.link = None;
                return self.websocket_gone(shared, Cause::Closed, upper);
            }
        };
        self.handle(shared, Input::Packet(Transport::WebSocket, packet), upper);
    }

    /// The server broke the WebSocket protocol.
    fn bad_frame(&mut self, shared: &mut Shared, error: FrameError, upper: Upper<'_>) {
        if error == FrameError::TooLarge {
            shared.happen(Happened::Oversized);
            shared.blame(self.number);
        } else {
            shared.breach(format!("a bad frame reached the client: {error}"));
        }
        self.end_websocket(shared, Some(error.code()));
        let link = self.link.take();
        self.websocket_gone(shared, Cause::Error, upper);
        self.link = link;
    }

    fn websocket_gone(&mut self, shared: &mut Shared, cause: Cause, upper: Upper<'_>) {
        self.handle(shared, Input::WebSocketClosed(cause), upper);
        if self.session.is_closed() && self.session.transport() == Transport::WebSocket {
            self.session.outbox().clear();
        }
    }

    fn end_websocket(&mut self, shared: &mut Shared, code: Option<u16>) {
        if let Some(link) = &mut self.link {
            link.close(shared, code);
        } else if let Some((connection, _)) = self.opening.take() {
            shared.wire.end(shared.now, connection, Side::Server, true);
        }
    }
}
