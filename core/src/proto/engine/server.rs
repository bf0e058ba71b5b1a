//! The server's side of one connection: opens on either transport, keeps the heartbeat, lets polling move to a
//! WebSocket, and closes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::handshake::{Handshake, Refusal, Request};
use super::outbox::Outbox;
use super::packet::{Packet, Received, Transport};
use super::session::{Answer, Cause, CloseReason, ExchangeId, Flush, Input, Output, Outputs, SessionConfig, after};

/// While a client probes its WebSocket a waiting `GET` is answered this often, so that the client can leave polling.
const NOOP_INTERVAL: Duration = Duration::from_millis(100);

/// One connection as the server sees it. The module [`session`](super::session) says how it is driven.
#[derive(Debug)]
pub struct ServerSession {
    config: Arc<SessionConfig>,
    outbox: Outbox,
    state: State,
    link: Link,
    /// The `GET` that waits for packets.
    poll: Option<ExchangeId>,
    /// The `POST` that is under way.
    post: Option<ExchangeId>,
    ping_at: Instant,
    /// The pong that is awaited.
    pong_by: Option<Instant>,
    /// We do not read.
    paused: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// The end is in the outbox, and waits that long for a `GET`.
    Closing {
        until: Instant,
    },
    Closed,
}

/// Where packets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Polling,
    /// Still polling; a WebSocket is attached and has until then to finish the upgrade. `noop_at` is there once it was
    /// probed.
    Probing {
        until: Instant,
        noop_at: Option<Instant>,
    },
    WebSocket,
}

impl ServerSession {
    /// A session that opens on `transport`. Its first packet, which tells the client `sid`, is in the outbox.
    pub fn new(now: Instant, sid: &str, config: Arc<SessionConfig>, transport: Transport) -> Self {
        let mut outbox = Outbox::new();
        outbox.push(Packet::Text(Handshake::new(sid, transport, &config).packet().into()));
        Self {
            ping_at: after(now, config.ping_interval),
            config,
            outbox,
            state: State::Open,
            link: if transport == Transport::Polling { Link::Polling } else { Link::WebSocket },
            poll: None,
            post: None,
            pong_by: None,
            paused: false,
        }
    }

    /// One step: what happened goes in, what is to be done comes out.
    pub fn handle<'a>(&mut self, now: Instant, input: Input<'a>) -> Outputs<'a> {
        let mut out = Outputs::new();
        if self.state == State::Closed {
            if let Input::Poll(id) | Input::PostStarted(id) | Input::PostInvalid(id) = input {
                out.push(Output::Answer(id, Answer::BadRequest));
            }
            return out;
        }
        match input {
            Input::Packet(transport, packet) if transport == self.transport() => self.packet(now, packet, &mut out),
            Input::Packet(Transport::WebSocket, packet) => self.probe_packet(now, packet, &mut out),
            Input::Malformed(transport) if transport == self.transport() => {
                self.refuse(CloseReason::ParseError, &mut out);
            }
            Input::Malformed(Transport::WebSocket) => self.end_probe(&mut out),
            Input::WebSocketOpened if self.may_upgrade() => {
                self.link = Link::Probing { until: after(now, self.config.upgrade_timeout), noop_at: None };
            }
            Input::WebSocketClosed(cause) => self.websocket_closed(cause, &mut out),
            Input::Poll(id) => self.poll(now, id, &mut out),
            Input::PostStarted(id) => {
                if self.link == Link::WebSocket {
                    out.push(Output::Answer(id, Answer::BadRequest));
                } else if self.post.is_some() {
                    out.push(Output::Answer(id, Answer::BadRequest));
                    self.fail(CloseReason::TransportError, &mut out);
                } else {
                    self.post = Some(id);
                }
            }
            Input::PostDone(id) if self.post == Some(id) => {
                self.post = None;
                out.push(Output::Answer(id, Answer::Ok));
            }
            Input::PostRefused(id) if self.post == Some(id) => self.post = None,
            Input::PostInvalid(id) => {
                self.post.take_if(|post| *post == id);
                out.push(Output::Answer(id, Answer::BadRequest));
                if self.link != Link::WebSocket {
                    self.fail(CloseReason::TransportError, &mut out);
                }
            }
            Input::Aborted(id) => {
                let gone = self.poll.take_if(|poll| *poll == id).or(self.post.take_if(|post| *post == id));
                if gone.is_some() {
                    self.fail(CloseReason::TransportError, &mut out);
                }
            }
            Input::Tick => self.tick(now, &mut out),
            Input::Close => self.close(now, &mut out),
            _ => {}
        }
        out
    }

    /// Puts `packet` behind what waits already. A session that is closing takes no more.
    pub fn send(&mut self, packet: Packet) {
        if self.state == State::Open {
            self.outbox.push(packet);
        }
    }

    /// Who may take packets from the outbox now; `None` when nothing waits, or nobody can take it.
    ///
    /// A [`Flush::Poll`] is used up by this call: the caller answers it with what it takes, at least one packet. The
    /// official server puts all that waits into one answer.
    pub fn flush(&mut self) -> Option<Flush> {
        if self.outbox.is_empty() {
            None
        } else if self.link == Link::WebSocket {
            Some(Flush::WebSocket)
        } else {
            self.poll.take().map(Flush::Poll)
        }
    }

    /// What waits to be sent. Packets are put in by [`send`](Self::send), and taken here.
    pub const fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// When [`Input::Tick`] is wanted next, if nothing else happens.
    pub fn deadline(&self) -> Option<Instant> {
        let closing = match self.state {
            State::Open => None,
            State::Closing { until } => Some(until),
            State::Closed => return None,
        };
        let (upgrade, noop) = match self.link {
            Link::Probing { until, noop_at } => (Some(until), noop_at.filter(|_| self.poll.is_some())),
            _ => (None, None),
        };
        [closing, upgrade, noop, self.ping_due(), self.pong_due()].into_iter().flatten().min()
    }

    /// We stop reading because our own handlers are slow: the peer's pong may be waiting unread, so its deadline stands
    /// still. Pings go on, because the peer counts on them.
    pub const fn pause(&mut self) {
        self.paused = true;
    }

    /// We read again. The pong has the whole time anew: it may be behind everything that was not read meanwhile.
    pub fn resume(&mut self, now: Instant) {
        if std::mem::take(&mut self.paused) {
            self.pong_by = self.pong_by.map(|_| after(now, self.config.ping_timeout));
        }
    }

    /// The transport that carries the session's packets.
    pub fn transport(&self) -> Transport {
        if self.link == Link::WebSocket { Transport::WebSocket } else { Transport::Polling }
    }

    /// Whether a packet sent now could leave at once.
    pub fn is_writable(&self) -> bool {
        self.state == State::Open && (self.link == Link::WebSocket || self.poll.is_some())
    }

    /// Whether the session is over.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Whether a WebSocket that a client opened with this session's `sid` may be attached: only to polling, one at a
    /// time. Another one is closed without a word.
    pub fn may_upgrade(&self) -> bool {
        self.config.upgrades && self.link == Link::Polling && self.state != State::Closed
    }

    /// Whether a request with this session's `sid` fits it: the transport in use or an HTTP upgrade to a WebSocket
    /// (`upgrade`: the request asks for one), in the same version of the protocol.
    pub fn check(&self, request: &Request<'_>, upgrade: bool) -> Result<(), Refusal> {
        let wanted = if upgrade { Transport::WebSocket } else { self.transport() };
        if request.transport == wanted && (upgrade || wanted == Transport::Polling) && request.version_4 {
            Ok(())
        } else {
            Err(Refusal::BadRequest)
        }
    }

    /// A packet on the transport in use.
    fn packet<'a>(&mut self, now: Instant, packet: Received<'a>, out: &mut Outputs<'a>) {
        match packet {
            Received::Close if self.link != Link::WebSocket => self.leave(out),
            _ if self.state != State::Open => {}
            Received::Message(message) => out.push(Output::Message(message)),
            Received::Pong(_) => {
                // One that is read late, because we had stopped reading, does not put off the ping that the client counts
                // on; nor does a second one.
                let ping_at = after(now, self.config.ping_interval);
                if self.pong_by.take().is_some() && ping_at <= after(self.ping_at, self.config.ping_timeout) {
                    self.ping_at = ping_at;
                }
            }
            // In version 4 only the server sends pings.
            Received::Ping(_) => self.refuse(CloseReason::TransportError, out),
            Received::Open(_) | Received::Close | Received::Upgrade | Received::Noop => {}
        }
    }

    /// A packet on a WebSocket that is not in use yet.
    fn probe_packet(&mut self, now: Instant, packet: Received<'_>, out: &mut Outputs<'_>) {
        let Link::Probing { until, noop_at: probed } = self.link else { return };
        match packet {
            Received::Ping("probe") => {
                // A `GET` that arrives just behind the probe is answered as one that waited already.
                let noop_at = if self.poll.is_some() { now + NOOP_INTERVAL } else { now };
                self.link = Link::Probing { until, noop_at: Some(noop_at) };
                out.push(Output::Probe("3probe"));
                self.release_poll(out);
            }
            Received::Upgrade if probed.is_some() => {
                self.link = Link::WebSocket;
                // A client leaves polling before it says so; exchanges of one that did not still get their answer.
                self.drop_exchanges(Answer::Close, Answer::BadRequest, out);
                // A pong may have been on its way by a `POST` that will not come any more.
                self.pong_by = self.pong_by.map(|_| after(now, self.config.ping_timeout));
                out.push(Output::Upgraded);
                if self.state != State::Open {
                    self.finish(out);
                }
            }
            _ => self.end_probe(out),
        }
    }

    fn poll(&mut self, now: Instant, id: ExchangeId, out: &mut Outputs<'_>) {
        if self.link == Link::WebSocket {
            out.push(Output::Answer(id, Answer::BadRequest));
        } else if self.poll.is_some() {
            out.push(Output::Answer(id, Answer::BadRequest));
            self.fail(CloseReason::TransportError, out);
        } else {
            self.poll = Some(id);
            if self.state != State::Open {
                if self.only_end_waits() {
                    self.finish(out);
                }
            } else if let Link::Probing { noop_at: Some(noop_at), .. } = &mut self.link
                && *noop_at <= now
            {
                *noop_at = now + NOOP_INTERVAL;
                self.release_poll(out);
            }
        }
    }

    fn tick(&mut self, now: Instant, out: &mut Outputs<'_>) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.pong_due()) {
            return self.fail(CloseReason::PingTimeout, out);
        }
        if let State::Closing { until } = self.state
            && until <= now
        {
            return self.fail(CloseReason::ForcedClose, out);
        }
        if due(self.ping_due()) {
            self.ping_at = after(now, self.config.ping_interval);
            self.pong_by.get_or_insert(after(now, self.config.ping_timeout));
            self.send(Packet::ping());
        }
        if let Link::Probing { until, noop_at } = &mut self.link {
            if *until <= now {
                self.end_probe(out);
            } else if due(*noop_at) {
                *noop_at = Some(now + NOOP_INTERVAL);
                self.release_poll(out);
            }
        }
    }

    /// Our side closes: at once when the end can be told, else when the client polls next.
    fn close(&mut self, now: Instant, out: &mut Outputs<'_>) {
        if self.state != State::Open {
            return;
        }
        self.outbox.push(Packet::End);
        if self.link == Link::WebSocket || (self.poll.is_some() && self.only_end_waits()) {
            self.finish(out);
        } else {
            self.state = State::Closing { until: after(now, self.config.close_timeout) };
        }
    }

    /// Whether the next `GET` can be answered with the end. What waits before goes by an answer of its own: a client acts
    /// on the end at once, and on messages a moment later.
    fn only_end_waits(&self) -> bool {
        matches!(self.outbox.front(), Some(Packet::End))
    }

    /// The end, after all that waits: the outbox and the waiting `GET` are left to the last flush.
    fn finish(&mut self, out: &mut Outputs<'_>) {
        if let Some(post) = self.post.take() {
            out.push(Output::Answer(post, Answer::Ok));
        }
        self.end_probe(out);
        self.over(CloseReason::ForcedClose, out);
    }

    /// The client has sent what it must not; the `POST` that it came by was a good one all the same.
    fn refuse(&mut self, reason: CloseReason, out: &mut Outputs<'_>) {
        self.drop_exchanges(Answer::Close, Answer::Ok, out);
        self.fail(reason, out);
    }

    /// The client has said `1`.
    fn leave(&mut self, out: &mut Outputs<'_>) {
        self.drop_exchanges(Answer::Noop, Answer::Ok, out);
        self.fail(CloseReason::TransportClose, out);
    }

    /// The end without more ado: what waits is dropped.
    fn fail(&mut self, reason: CloseReason, out: &mut Outputs<'_>) {
        self.outbox.clear();
        self.drop_exchanges(Answer::Close, Answer::BadRequest, out);
        if self.link == Link::WebSocket {
            out.push(Output::CloseWebSocket);
        }
        self.end_probe(out);
        self.over(reason, out);
    }

    fn websocket_closed(&mut self, cause: Cause, out: &mut Outputs<'_>) {
        match self.link {
            Link::Polling => {}
            Link::Probing { .. } => self.link = Link::Polling,
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
        out.push(Output::Closed(reason));
    }

    /// Polling goes on without the WebSocket that tried to take over, if there is one.
    fn end_probe(&mut self, out: &mut Outputs<'_>) {
        if let Link::Probing { .. } = self.link {
            self.link = Link::Polling;
            out.push(Output::CloseWebSocket);
        }
    }

    fn drop_exchanges(&mut self, poll: Answer, post: Answer, out: &mut Outputs<'_>) {
        if let Some(id) = self.poll.take() {
            out.push(Output::Answer(id, poll));
        }
        if let Some(id) = self.post.take() {
            out.push(Output::Answer(id, post));
        }
    }

    /// Ends a waiting `GET` that nothing else will end at once.
    fn release_poll(&mut self, out: &mut Outputs<'_>) {
        if self.outbox.is_empty()
            && let Some(id) = self.poll.take()
        {
            out.push(Output::Answer(id, Answer::Noop));
        }
    }

    fn ping_due(&self) -> Option<Instant> {
        (self.pong_by.is_none() || self.paused).then_some(self.ping_at)
    }

    fn pong_due(&self) -> Option<Instant> {
        self.pong_by.filter(|_| !self.paused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_small() {
        let size = size_of::<ServerSession>();
        assert!(size <= 240 && size - size_of::<Outbox>() <= 160, "{size}");
    }
}
