//! One Engine.IO connection of a manager: its session, and the requests and the WebSocket that carry it.
//!
//! It lives under the manager's lock. Its tasks do not touch it: they bring what they have to its [`Port`], which takes
//! the lock. What the session has for the layer above is handed on as [`Happened`].

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::port::Port;
use crate::error::{Error, ErrorKind};
use crate::net::dial::polling::PollingClient;
use crate::net::link::{Flushed, Writer};
use crate::proto::engine::client::ClientSession;
use crate::proto::engine::outbox::Outbox;
use crate::proto::engine::packet::{Message, Received, Transport};
use crate::proto::engine::payload;
use crate::proto::engine::session::{Cause, ClientConfig, CloseReason, ExchangeId, Flush, Input, Output, Outputs};
use crate::proto::engine::websocket::{Frame, FrameError};

/// How long the end of a connection may take: for the server to close its side, or to answer the last request.
const LINGER: Duration = Duration::from_secs(10);

/// What a session tells the layer above.
#[derive(Debug)]
pub(super) enum Happened<'a> {
    /// The server has opened it.
    Opened,
    /// A message arrived.
    Message(Message<'a>),
    /// A heartbeat of the server arrived.
    Ping,
    /// It is over, with what went wrong as far as known; said once, and nothing after it.
    Closed(CloseReason, Option<Error>),
}

/// What sits on a connection. Called under the manager's lock.
pub(super) trait Layer {
    /// Something happened; answers go into the session.
    fn happened(&mut self, session: &mut ClientSession, happened: Happened<'_>);
}

/// The layer of a connection that was given up: it only comes to its end.
pub(super) struct Nobody;

impl Layer for Nobody {
    fn happened(&mut self, _session: &mut ClientSession, _happened: Happened<'_>) {}
}

/// A connection, open or on its way there or to its end. Dropped, it ends at once.
pub(super) struct Connection {
    port: Port,
    runtime: Handle,
    session: ClientSession,
    polling: PollingClient,
    /// The `GET` that waits for its answer.
    get: Option<AbortHandle>,
    /// The `POST` that waits for its answer.
    post: Option<AbortHandle>,
    /// What opens the WebSocket, and then reads it.
    websocket: Option<AbortHandle>,
    writer: Option<Writer>,
    /// What went wrong last: the reason when the session ends by it.
    failure: Option<Error>,
    /// What is left of the connection has until then, because the session is over or was given up before it was open.
    linger: Option<Instant>,
    /// The bytes that waited to be sent when `linger` was set.
    unsent: usize,
}

impl Connection {
    /// A connection whose tasks report to `port`.
    pub(super) fn new(port: Port, runtime: &Handle, config: ClientConfig, polling: PollingClient) -> Self {
        Self {
            port,
            runtime: runtime.clone(),
            session: ClientSession::new(config),
            polling,
            get: None,
            post: None,
            websocket: None,
            writer: None,
            failure: None,
            linger: None,
            unsent: 0,
        }
    }

    /// Begins to open it.
    pub(super) fn start(&mut self, now: Instant, layer: &mut dyn Layer) {
        let outputs = self.session.start();
        self.carry_out(now, outputs, layer);
    }

    /// Which of the manager's connections this is.
    pub(super) fn number(&self) -> u64 {
        self.port.number()
    }

    /// The session: for the layer above to send by, and to look at.
    pub(super) fn session(&mut self) -> &mut ClientSession {
        &mut self.session
    }

    /// Bytes that wait to be sent.
    pub(super) fn buffered_bytes(&mut self) -> usize {
        self.session.outbox().bytes() + self.writer.as_ref().map_or(0, Writer::unsent)
    }

    /// Whether what is sent now goes out at once.
    pub(super) fn is_writable(&self) -> bool {
        match self.session.transport() {
            Transport::WebSocket => self.writer.as_ref().is_some_and(|writer| !writer.is_blocked()),
            Transport::Polling => self.post.is_none(),
        }
    }

    /// When [`tick`](Self::tick) is wanted next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.linger.or(self.session.deadline())
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: Instant, layer: &mut dyn Layer) {
        if self.session.deadline().is_some_and(|deadline| deadline <= now) {
            self.handle(now, Input::Tick, layer);
        }
        // A server that takes what was sent, however slowly, gets all of it.
        if self.linger.is_some_and(|until| until <= now) && self.buffered_bytes() < self.unsent {
            self.linger(now);
        }
    }

    /// Closes it: what was sent before still goes out.
    pub(super) fn close(&mut self, now: Instant, layer: &mut dyn Layer) {
        if self.session.sid().is_empty() && self.linger.is_none() {
            // A server that has not answered yet may never do so.
            self.linger(now);
        }
        self.handle(now, Input::Close, layer);
    }

    /// Whether nothing of it is left to be done.
    pub(super) fn is_finished(&mut self, now: Instant) -> bool {
        let done = self.writer.is_none() && self.session.outbox().is_empty() && self.post.is_none();
        self.session.is_closed() && done || self.linger.is_some_and(|until| until <= now)
    }

    /// Writes what waits, as far as the transport takes it.
    pub(super) fn flush(&mut self, now: Instant, layer: &mut dyn Layer) {
        while let Some(to) = self.session.flush() {
            match to {
                Flush::WebSocket => {
                    let Some(writer) = &mut self.writer else { return };
                    match writer.flush(self.session.outbox()) {
                        Flushed::All => {}
                        Flushed::Blocked => return,
                        Flushed::Failed => return self.websocket_gone(now, None, layer),
                    }
                }
                Flush::Post(id) => {
                    let max = self.session.max_payload();
                    let body = payload::encode(self.session.outbox(), max);
                    let sid = self.session.sid().to_owned();
                    self.post = Some(self.port.post(&self.runtime, self.polling.clone(), sid, id, body));
                }
                Flush::Poll(_) => return,
            }
        }
    }

    /// Hands one input to the session and carries out what it asks for.
    fn handle(&mut self, now: Instant, input: Input<'_>, layer: &mut dyn Layer) {
        let outputs = self.session.handle(now, input);
        self.carry_out(now, outputs, layer);
    }

    fn carry_out(&mut self, now: Instant, outputs: Outputs<'_>, layer: &mut dyn Layer) {
        for output in outputs {
            match output {
                Output::Message(message) => layer.happened(&mut self.session, Happened::Message(message)),
                Output::Opened(_) => layer.happened(&mut self.session, Happened::Opened),
                Output::Ping => layer.happened(&mut self.session, Happened::Ping),
                Output::Get(id) => self.get = Some(self.port.get(&self.runtime, self.polling.clone(), self.sid(), id)),
                Output::OpenWebSocket => self.websocket = Some(self.port.open_websocket(&self.runtime, self.sid())),
                Output::Probe(packet) => {
                    if let Some(writer) = &mut self.writer {
                        // A failure shows at the next read.
                        let _ = writer.send_now(packet);
                    }
                }
                Output::CloseWebSocket => self.end_websocket(None),
                Output::Closed(reason) => {
                    self.linger(now);
                    let failure = self.failure.take();
                    layer.happened(&mut self.session, Happened::Closed(reason, failure));
                }
                _ => {}
            }
        }
    }

    fn linger(&mut self, now: Instant) {
        self.linger = Some(now + LINGER);
        self.unsent = self.buffered_bytes();
    }

    fn sid(&self) -> Option<String> {
        Some(self.session.sid()).filter(|sid| !sid.is_empty()).map(str::to_owned)
    }
}

/// The polling transport.
impl Connection {
    /// The answer to a `GET`.
    pub(super) fn got(&mut self, now: Instant, id: ExchangeId, body: Result<Bytes, Error>, layer: &mut dyn Layer) {
        self.get = None;
        let body = match body {
            Ok(body) => body,
            Err(error) => return self.failed(now, id, error, layer),
        };
        let Ok(mut packets) = payload::Decoder::new(&body) else {
            return self.malformed(now, Transport::Polling, layer);
        };
        while let Some(packet) = packets.next_packet() {
            match packet {
                Ok(packet) => self.handle(now, Input::Packet(Transport::Polling, packet), layer),
                Err(_) => return self.malformed(now, Transport::Polling, layer),
            }
        }
        self.handle(now, Input::GetDone(id), layer);
    }

    /// The answer to a `POST`.
    pub(super) fn posted(&mut self, now: Instant, id: ExchangeId, answer: Result<(), Error>, layer: &mut dyn Layer) {
        self.post = None;
        match answer {
            Ok(()) => self.handle(now, Input::PostDone(id), layer),
            Err(error) => self.failed(now, id, error, layer),
        }
    }

    fn failed(&mut self, now: Instant, id: ExchangeId, error: Error, layer: &mut dyn Layer) {
        self.failure = Some(error);
        self.handle(now, Input::Aborted(id), layer);
    }

    fn malformed(&mut self, now: Instant, transport: Transport, layer: &mut dyn Layer) {
        self.failure = Some(Error::new(ErrorKind::Protocol, "what the server sent is no packet"));
        self.handle(now, Input::Malformed(transport), layer);
    }
}

/// The WebSocket transport.
impl Connection {
    /// The WebSocket that was asked for is open.
    pub(super) fn websocket_opened(&mut self, now: Instant, mut writer: Writer, layer: &mut dyn Layer) {
        if self.websocket.is_none() {
            // Called off when it was open already: nobody will read it. A failure changes nothing.
            let _ = writer.close(None);
            return;
        }
        self.writer = Some(writer);
        self.handle(now, Input::WebSocketOpened, layer);
    }

    /// The WebSocket could not be opened, or is gone; with what went wrong if something did.
    pub(super) fn websocket_gone(&mut self, now: Instant, failure: Option<Error>, layer: &mut dyn Layer) {
        self.writer = None;
        self.failure = failure;
        let cause = if self.failure.is_some() { Cause::Error } else { Cause::Closed };
        self.handle(now, Input::WebSocketClosed(cause), layer);
        if self.session.is_closed() && self.session.transport() == Transport::WebSocket {
            // Both sides closed at once: what we still had to say has nowhere to go, and is not waited for.
            self.session.outbox().clear();
        }
    }

    /// A frame arrived.
    pub(super) fn frame(&mut self, now: Instant, frame: Frame<'_>, layer: &mut dyn Layer) {
        let mut scratch = Vec::new();
        let packet = match frame {
            Frame::Text(text) => match Received::from_text(text, &mut scratch) {
                Ok(packet) => packet,
                Err(_) => return self.malformed(now, Transport::WebSocket, layer),
            },
            Frame::Binary(bytes) => Received::from_binary(bytes),
            Frame::Ping(content) => {
                if let Some(writer) = &mut self.writer {
                    // A failure shows at the next read.
                    let _ = writer.pong(content);
                }
                return;
            }
            Frame::Pong => return,
            Frame::Close(_) => {
                // Answered with our own, then the stream ends.
                self.end_websocket(None);
                return self.websocket_gone(now, None, layer);
            }
        };
        self.handle(now, Input::Packet(Transport::WebSocket, packet), layer);
    }

    /// The server broke the WebSocket protocol.
    pub(super) fn bad_frame(&mut self, now: Instant, error: FrameError, layer: &mut dyn Layer) {
        self.end_websocket(Some(error.code()));
        let writer = self.writer.take();
        self.websocket_gone(now, Some(Error::new(ErrorKind::WebSocket, error.to_string())), layer);
        // It stays until the server has read the close frame.
        self.writer = writer;
    }

    /// The WebSocket, and whether it was closed: then it is only read empty.
    pub(super) fn websocket(&mut self) -> Option<(&mut Writer, bool)> {
        self.writer.as_mut().map(|writer| {
            let ended = writer.ended();
            (writer, ended)
        })
    }

    /// The WebSocket takes bytes again.
    pub(super) fn continue_writing(&mut self, now: Instant, layer: &mut dyn Layer) {
        let Some(writer) = &mut self.writer else { return };
        // First what is left of this WebSocket: while it only probes, the outbox is not for it.
        match writer.flush(&mut Outbox::new()) {
            Flushed::All => self.flush(now, layer),
            Flushed::Blocked => {}
            Flushed::Failed => self.websocket_gone(now, None, layer),
        }
    }

    fn end_websocket(&mut self, code: Option<u16>) {
        if let Some(writer) = &mut self.writer {
            // A failure shows at the next read.
            let _ = writer.close(code);
        } else if let Some(task) = self.websocket.take() {
            task.abort();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(writer) = &mut self.writer {
            writer.abort();
        }
        for task in [&self.get, &self.post, &self.websocket].into_iter().flatten() {
            task.abort();
        }
    }
}
