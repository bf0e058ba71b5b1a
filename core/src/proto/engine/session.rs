//! The words that both sessions share: what goes into a [`ServerSession`](super::server::ServerSession) or a
//! [`ClientSession`](super::client::ClientSession), and what comes out.
//!
//! A session is the whole state of one Engine.IO connection without sockets, clock or threads. Whoever drives it (the
//! *shell*) keeps this contract:
//!
//! * It hands in what happens, one [`Input`] at a time, and carries out the [`Outputs`] in their order before it hands
//!   in the next.
//! * It then asks `flush()` and moves packets from the outbox to whoever may take them, until `flush()` is `None` or a
//!   socket is full.
//! * It hands in [`Input::Tick`] when `deadline()` has come; a later `Tick` does no harm.
//! * After [`Output::CloseWebSocket`] it hands in nothing more of that WebSocket.
//! * After [`Output::Closed`] it flushes until `flush()` is `None`, and is done with the session: what waits then ends with
//!   [`Packet::End`](super::packet::Packet::End), which closes a WebSocket. A client lets its last `POST` be answered
//!   before it drops a waiting `GET`, because a server takes a dropped `GET` for a failure.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use super::handshake::Handshake;
use super::packet::{Message, Received, Transport};

/// The number of one HTTP exchange of a session, unique among those that are under way. A server's shell gives them
/// out; on a client the session does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExchangeId(pub u32);

/// Something happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A packet arrived: a frame, or one packet of the body of a `POST` (server) or of the answer to a `GET` (client).
    Packet(Transport, Received<'a>),
    /// Bytes arrived that are no packet. The rest of that body is not handed in.
    Malformed(Transport),

    /// Server: a WebSocket was attached, after [`may_upgrade`](super::server::ServerSession::may_upgrade) allowed it.
    /// Client: the WebSocket asked for by [`Output::OpenWebSocket`] is open.
    WebSocketOpened,
    /// The WebSocket is gone, or could not be opened.
    WebSocketClosed(Cause),

    /// Server: a `GET` wants packets.
    Poll(ExchangeId),
    /// Server: the head of a `POST` arrived. Its packets follow when the whole body is there; a body that is cut short
    /// is not handed in at all.
    PostStarted(ExchangeId),
    /// Server: all packets of that `POST` were handed in. Client: it was answered with 200.
    PostDone(ExchangeId),
    /// Server: the shell has answered that `POST` itself and the session lives on (413, the body is too large).
    PostRefused(ExchangeId),
    /// Server: that `POST` is of a kind that no client sends (`application/octet-stream`).
    PostInvalid(ExchangeId),
    /// Client: that `GET` was answered with 200 and all packets of its body were handed in.
    GetDone(ExchangeId),
    /// Server: the peer left before that exchange was answered. Client: it failed, or was answered with anything but 200.
    Aborted(ExchangeId),

    /// Time has passed.
    Tick,
    /// Our side wants to close.
    Close,
}

/// Something is to be done.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output<'a> {
    /// A message for the layer above.
    Message(Message<'a>),
    /// Send this text frame on the WebSocket now, ahead of the outbox: `2probe`, `3probe` and `5` of an upgrade.
    Probe(&'static str),
    /// Close the WebSocket (a close frame without code) and forget it.
    CloseWebSocket,
    /// From now on all packets go by the WebSocket.
    Upgraded,
    /// The session is over. Comes once, as the last output.
    Closed(CloseReason),

    /// Server: answer that exchange.
    Answer(ExchangeId, Answer),

    /// Client: the server has opened the session.
    Opened(Box<Handshake>),
    /// Client: a heartbeat of the server arrived; its answer is in the outbox.
    Ping,
    /// Client: send a `GET` of that number.
    Get(ExchangeId),
    /// Client: open a WebSocket, with the `sid` if there is one by now.
    OpenWebSocket,
}

/// What one step of a session asks for, in the order in which it is to be done. No memory is allocated for it.
#[derive(Debug, Default)]
#[must_use = "a session relies on its outputs being carried out"]
pub struct Outputs<'a>(ArrayVec<Output<'a>, MAX_OUTPUTS>);

/// The most that one step asks for: the end of a session with two exchanges and a probe under way.
const MAX_OUTPUTS: usize = 6;

impl<'a> Outputs<'a> {
    pub(super) const fn new() -> Self {
        Self(ArrayVec::new_const())
    }

    pub(super) fn push(&mut self, output: Output<'a>) {
        self.0.push(output);
    }

    /// Whether there is nothing to be done.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for Outputs<'a> {
    type Item = Output<'a>;
    type IntoIter = arrayvec::IntoIter<Output<'a>, MAX_OUTPUTS>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Who takes packets from the outbox now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// The WebSocket, as many as it accepts.
    WebSocket,
    /// Server: the waiting `GET` of that number. It is answered with at least one packet and waits no longer.
    Poll(ExchangeId),
    /// Client: a `POST` of that number, with at least one packet and at most `max_payload()` bytes.
    Post(ExchangeId),
}

/// The answer to an exchange that takes nothing from the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a `POST`: 200 with `ok` as `text/html`.
    Ok,
    /// 400 with an empty body.
    BadRequest,
    /// To a `GET`: 200 with the packet `6`, so that the client can move on.
    Noop,
    /// To a `GET`: 200 with the packet `1`, the session is over.
    Close,
}

/// How a WebSocket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The peer closed it, or the network was cut.
    Closed,
    /// The peer broke the WebSocket protocol, or the WebSocket could not be opened.
    Error,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// A transport failed, or the peer used it wrongly.
    TransportError,
    /// The peer closed its transport.
    TransportClose,
    /// The heartbeat stayed away.
    PingTimeout,
    /// What the peer sent is no packet.
    ParseError,
    /// Our side closed.
    ForcedClose,
}

impl CloseReason {
    /// The official words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TransportError => "transport error",
            Self::TransportClose => "transport close",
            Self::PingTimeout => "ping timeout",
            Self::ParseError => "parse error",
            Self::ForcedClose => "forced close",
        }
    }
}

/// What a server's sessions have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// From the opening, or the last pong, to the next ping.
    pub ping_interval: Duration,
    /// How long a pong may take.
    pub ping_timeout: Duration,
    /// How long an upgrade may take.
    pub upgrade_timeout: Duration,
    /// How long the end of a session waits for a `GET` to tell it.
    pub close_timeout: Duration,
    /// What the handshake tells clients about the largest body and frame.
    pub max_payload: usize,
    /// Whether a session on polling may move to a WebSocket.
    pub upgrades: bool,
}

impl Default for SessionConfig {
    /// The official server's.
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            upgrade_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(30),
            max_payload: 1_000_000,
            upgrades: true,
        }
    }
}

/// What a client's sessions have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// The transports that may be used. The first one opens the session.
    pub transports: Arc<[Transport]>,
    /// Whether a session on polling tries to move to a WebSocket.
    pub upgrade: bool,
}

impl Default for ClientConfig {
    /// The official client's.
    fn default() -> Self {
        Self { transports: Arc::new([Transport::Polling, Transport::WebSocket]), upgrade: true }
    }
}

/// `now` and `delay` later; a delay beyond what the clock can say is as good as thirty years.
pub(super) fn after(now: Instant, delay: Duration) -> Instant {
    const FAR: Duration = Duration::from_hours(30 * 365 * 24);
    now + delay.min(FAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_small_enough_to_be_returned() {
        assert!(size_of::<Output<'_>>() <= 24, "{}", size_of::<Output<'_>>());
    }
}
