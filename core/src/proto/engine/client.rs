//! The client's side of one connection: opens on the first of its transports, answers heartbeats, moves from polling to
//! a WebSocket when the server offers it, and closes.

use std::time::{Duration, Instant};

use super::handshake::Handshake;
use super::outbox::Outbox;
use super::packet::{Packet, Received, Transport};
use super::session::{Cause, ClientConfig, CloseReason, ExchangeId, Flush, Input, Output, Outputs, after};

/// One connection as the client sees it. The module [`session`](super::session) says how it is driven.
///
/// Its clock may have stood still (a suspended laptop): before it sends, a shell hands in [`Input::Tick`] if the
/// deadline has passed.
#[derive(Debug)]
pub struct ClientSession {
    config: ClientConfig,
    outbox: Outbox,
    state: State,
    link: Link,
    /// The `GET` that is under way.
    get: Option<ExchangeId>,
    /// The `POST` that is under way.
    post: Option<ExchangeId>,
    last_exchange: u32,
    sid: String,
    max_payload: usize,
    /// How long the server may be silent, and until when.
    heartbeat: Duration,
    ping_by: Option<Instant>,
    /// We do not read.
    paused: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Opening,
    /// Closed while the handshake was asked for: as soon as there is a session at the server, it is ended.
    Leaving,
    Open,
    /// Waits for what is under way, then says goodbye.
    Closing,
    Closed,
}

/// Where packets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Polling,
    /// Still polling; a WebSocket was asked for.
    Asked,
    /// Still polling; the WebSocket is open and `2probe` is on its way.
    Probed,
    /// The WebSocket works. No new request is made; the move is said when the last one has been answered.
    Pausing,
    WebSocket,
}

impl ClientSession {
    /// A session that does nothing before [`start`](Self::start).
    pub fn new(config: ClientConfig) -> Self {
        let link = match config.transports.first() {
            Some(Transport::WebSocket) => Link::WebSocket,
            _ => Link::Polling,
        };
        Self {
            config,
            outbox: Outbox::new(),
            state: State::Opening,
            link,
            get: None,
            post: None,
            last_exchange: 0,
            sid: String::new(),
            max_payload: usize::MAX,
            heartbeat: Duration::MAX,
            ping_by: None,
            paused: false,
        }
    }

    /// The first step: how to reach the server. To be called once.
    pub fn start(&mut self) -> Outputs<'static> {
        let mut out = Outputs::new();
        if self.config.transports.is_empty() {
            self.over(CloseReason::TransportError, &mut out);
        } else if self.link == Link::WebSocket {
            out.push(Output::OpenWebSocket);
        } else {
            self.send_get(&mut out);
        }
        out
    }

    /// One step: what happened goes in, what is to be done comes out.
    pub fn handle<'a>(&mut self, now: Instant, input: Input<'a>) -> Outputs<'a> {
        let mut out = Outputs::new();
        if self.state == State::Closed {
            return out;
        }
        match input {
            Input::Packet(transport, packet) if transport == self.transport() => self.packet(now, packet, &mut out),
            Input::Packet(Transport::WebSocket, packet) => self.probe_packet(packet, &mut out),
            Input::Malformed(transport) if transport == self.transport() => {
                self.fail(CloseReason::TransportError, &mut out);
            }
            Input::Malformed(Transport::WebSocket) => self.end_probe(&mut out),
            Input::WebSocketOpened if self.link == Link::Asked => {
                self.link = Link::Probed;
                out.push(Output::Probe("2probe"));
            }
            Input::WebSocketClosed(cause) => self.websocket_closed(cause, &mut out),
            Input::GetDone(id) if self.get == Some(id) => self.get_done(&mut out),
            Input::PostDone(id) if self.post == Some(id) => {
                self.post = None;
                self.proceed(&mut out);
            }
            Input::Aborted(id) if self.get == Some(id) || self.post == Some(id) => {
                (self.get, self.post) = (None, None);
                self.fail(CloseReason::TransportError, &mut out);
            }
            Input::Tick if self.deadline().is_some_and(|ping_by| ping_by <= now) => {
                self.fail(CloseReason::PingTimeout, &mut out);
            }
            Input::Close => self.close(&mut out),
            _ => {}
        }
        out
    }

    /// Puts `packet` behind what waits already. It is kept until the session opens; one that is closing takes no more.
    pub fn send(&mut self, packet: Packet) {
        if matches!(self.state, State::Opening | State::Open) {
            self.outbox.push(packet);
        }
    }

    /// Who may take packets from the outbox now; `None` when nothing waits, or nobody can take it.
    ///
    /// After [`Flush::Post`] that `POST` is under way: the caller takes one body of at most
    /// [`max_payload`](Self::max_payload) bytes, and nothing more is taken before the answer.
    pub fn flush(&mut self) -> Option<Flush> {
        if self.outbox.is_empty() || self.is_opening() {
            return None;
        }
        match self.link {
            Link::WebSocket => Some(Flush::WebSocket),
            Link::Pausing => None,
            Link::Polling | Link::Asked | Link::Probed if self.post.is_some() => None,
            Link::Polling | Link::Asked | Link::Probed => {
                let id = self.next_exchange();
                self.post = Some(id);
                Some(Flush::Post(id))
            }
        }
    }

    /// What waits to be sent. Packets are put in by [`send`](Self::send), and taken here.
    pub const fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// When [`Input::Tick`] is wanted next, if nothing else happens.
    pub const fn deadline(&self) -> Option<Instant> {
        if self.paused { None } else { self.ping_by }
    }

    /// We stop reading because our own handlers are slow: the server's ping may be waiting unread, so its deadline stands
    /// still.
    pub const fn pause(&mut self) {
        self.paused = true;
    }

    /// We read again. The ping has the whole time anew: it may be behind everything that was not read meanwhile.
    pub fn resume(&mut self, now: Instant) {
        if std::mem::take(&mut self.paused) {
            self.ping_by = self.ping_by.map(|_| after(now, self.heartbeat));
        }
    }

    /// The transport that carries the session's packets.
    pub fn transport(&self) -> Transport {
        if self.link == Link::WebSocket { Transport::WebSocket } else { Transport::Polling }
    }

    /// The id that the server gave the session; empty before it is open.
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// The largest body that the server takes.
    pub const fn max_payload(&self) -> usize {
        self.max_payload
    }

    /// Whether the session is over.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// A packet on the transport in use.
    fn packet<'a>(&mut self, now: Instant, packet: Received<'a>, out: &mut Outputs<'a>) {
        match packet {
            Received::Open(json) if self.is_opening() => self.open(now, json, out),
            Received::Close if self.link != Link::WebSocket => self.fail(CloseReason::TransportClose, out),
            // Nothing can be said to a client before the session is open.
            Received::Message(_) | Received::Ping(_) if self.is_opening() => {
                self.fail(CloseReason::TransportError, out);
            }
            Received::Message(message) => out.push(Output::Message(message)),
            Received::Ping(_) => {
                self.ping_by = Some(after(now, self.heartbeat));
                self.send(Packet::pong());
                out.push(Output::Ping);
            }
            Received::Open(_) | Received::Close | Received::Pong(_) | Received::Upgrade | Received::Noop => {}
        }
    }

    /// A packet on a WebSocket that is not in use yet.
    fn probe_packet(&mut self, packet: Received<'_>, out: &mut Outputs<'_>) {
        match (self.link, packet) {
            (Link::Probed, Received::Pong("probe")) => {
                self.link = Link::Pausing;
                self.proceed(out);
            }
            _ => self.end_probe(out),
        }
    }

    fn open(&mut self, now: Instant, json: &str, out: &mut Outputs<'_>) {
        let Ok(handshake) = Handshake::parse(json) else {
            return self.fail(CloseReason::TransportError, out);
        };
        self.sid.clone_from(&handshake.sid);
        self.max_payload = handshake.max_payload.filter(|max| *max > 0).unwrap_or(usize::MAX);
        if std::mem::replace(&mut self.state, State::Open) == State::Leaving {
            return self.say_goodbye(out);
        }
        self.heartbeat = handshake.ping_interval.saturating_add(handshake.ping_timeout);
        self.ping_by = Some(after(now, self.heartbeat));
        let upgrade =
            self.config.upgrade && handshake.websocket && self.config.transports.contains(&Transport::WebSocket);
        out.push(Output::Opened(Box::new(handshake)));
        if upgrade && self.link == Link::Polling {
            self.link = Link::Asked;
            out.push(Output::OpenWebSocket);
        }
    }

    fn get_done(&mut self, out: &mut Outputs<'_>) {
        self.get = None;
        match (self.state, self.link) {
            // An answer that does not open the session is not from an Engine.IO server.
            (State::Opening | State::Leaving, _) => self.fail(CloseReason::TransportError, out),
            (_, Link::Pausing) => self.proceed(out),
            _ => self.send_get(out),
        }
    }

    /// Does what waited for an exchange to be over: moves to the WebSocket, or says goodbye.
    fn proceed(&mut self, out: &mut Outputs<'_>) {
        if self.link == Link::Pausing {
            if self.get.is_some() || self.post.is_some() {
                return;
            }
            self.link = Link::WebSocket;
            out.push(Output::Probe("5"));
            out.push(Output::Upgraded);
        }
        if self.state == State::Closing && self.is_drained() {
            self.say_goodbye(out);
        }
    }

    /// Our side closes: at once, or when the handshake, the upgrade or the `POST` under way is over.
    fn close(&mut self, out: &mut Outputs<'_>) {
        match self.state {
            State::Opening if self.get.is_some() => {
                self.outbox.clear();
                self.state = State::Leaving;
            }
            State::Opening => self.fail(CloseReason::ForcedClose, out),
            State::Open if self.link != Link::Pausing && self.is_drained() => self.say_goodbye(out),
            State::Open => self.state = State::Closing,
            State::Leaving | State::Closing | State::Closed => {}
        }
    }

    fn is_opening(&self) -> bool {
        matches!(self.state, State::Opening | State::Leaving)
    }

    /// Whether the end can be said behind all that was to be sent.
    fn is_drained(&self) -> bool {
        self.link == Link::WebSocket || (self.outbox.is_empty() && self.post.is_none())
    }

    fn say_goodbye(&mut self, out: &mut Outputs<'_>) {
        self.drop_probe(out);
        self.outbox.push(Packet::End);
        self.over(CloseReason::ForcedClose, out);
    }

    /// The end without more ado: what waits is dropped.
    fn fail(&mut self, reason: CloseReason, out: &mut Outputs<'_>) {
        self.outbox.clear();
        self.drop_probe(out);
        if self.link == Link::WebSocket {
            out.push(Output::CloseWebSocket);
        } else if reason == CloseReason::PingTimeout && self.post.is_none() {
            // The server may hear what we do not.
            self.outbox.push(Packet::End);
        }
        self.over(reason, out);
    }

    fn websocket_closed(&mut self, cause: Cause, out: &mut Outputs<'_>) {
        match self.link {
            Link::Polling => {}
            Link::Asked | Link::Probed | Link::Pausing => self.resume_polling(out),
            Link::WebSocket => {
                self.outbox.clear();
                let reason = match cause {
                    Cause::Closed => CloseReason::TransportClose,
                    Cause::Error => CloseReason::TransportError,
                };
                self.over(reason, out);
            }
        }
    }

    fn over(&mut self, reason: CloseReason, out: &mut Outputs<'_>) {
        self.state = State::Closed;
        self.ping_by = None;
        out.push(Output::Closed(reason));
    }

    /// The WebSocket that was to take over did not keep to the protocol.
    fn end_probe(&mut self, out: &mut Outputs<'_>) {
        if matches!(self.link, Link::Asked | Link::Probed | Link::Pausing) {
            out.push(Output::CloseWebSocket);
            self.resume_polling(out);
        }
    }

    fn drop_probe(&mut self, out: &mut Outputs<'_>) {
        if matches!(self.link, Link::Asked | Link::Probed | Link::Pausing) {
            out.push(Output::CloseWebSocket);
            self.link = Link::Polling;
        }
    }

    /// Polling goes on without a WebSocket.
    fn resume_polling(&mut self, out: &mut Outputs<'_>) {
        self.link = Link::Polling;
        self.proceed(out);
        if self.state != State::Closed && self.get.is_none() {
            self.send_get(out);
        }
    }

    fn send_get(&mut self, out: &mut Outputs<'_>) {
        let id = self.next_exchange();
        self.get = Some(id);
        out.push(Output::Get(id));
    }

    const fn next_exchange(&mut self) -> ExchangeId {
        self.last_exchange = self.last_exchange.wrapping_add(1);
        ExchangeId(self.last_exchange)
    }
}
