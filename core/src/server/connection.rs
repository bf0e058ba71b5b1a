//! One Engine.IO connection: a session, its transports, and the layer that sits on it.
//!
//! Everything is under one short lock, and whoever has work takes it: the connection's task when its WebSocket is
//! readable or writable, an HTTP request, the timers, a thread that emits. Nothing under the lock waits or calls user code.
//! Locks of other parts that are taken meanwhile (queue, timers, sessions, namespaces, rooms) are leaves: nothing is
//! locked under them.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::engine::Engine;
use crate::data::id::Sid;
use crate::data::limits::Limits;
use crate::error::{Error, ErrorKind, Result};
use crate::net::link::{Endpoint, Flow, Flushed, Stream, Writer};
use crate::proto::engine::handshake::{Refusal, Request};
use crate::proto::engine::outbox::Outbox;
use crate::proto::engine::packet::{Message, Packet, Received, Transport};
use crate::proto::engine::payload;
use crate::proto::engine::server::ServerSession;
use crate::proto::engine::session::{Answer, Cause, CloseReason, ExchangeId, Flush, Input, Output};
use crate::proto::engine::websocket::{Decoder, Frame, Role};
use crate::proto::socket::event::ReceivedEvent;
use crate::runtime::dispatch::queue::{Delivery, EventTarget, Queue, Stalled};
use crate::runtime::dispatch::turn;
use crate::runtime::log;
use crate::runtime::timers::{Timed, Timer};

/// How long a closed WebSocket may take to close from its side too.
const LINGER: Duration = Duration::from_secs(10);

/// What sits on an Engine.IO connection. Called under the connection's lock.
pub trait Layer: Send + Sized + 'static {
    /// A message arrived.
    fn message(&mut self, io: &mut Io<'_, Self>, message: Message<'_>);

    /// When [`Layer::tick`] is wanted next.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// A deadline has passed.
    fn tick(&mut self, _io: &mut Io<'_, Self>) {}

    /// The connection is over. Nothing is called afterwards.
    fn closed(&mut self, _io: &mut Io<'_, Self>, _reason: CloseReason) {}
}

/// A connection with the layer `L` on it.
pub struct Connection<L: Layer> {
    sid: Sid,
    engine: Arc<Engine<L>>,
    queue: Arc<Queue>,
    undelivered: Undelivered,
    inner: Mutex<Inner<L>>,
}

struct Inner<L> {
    session: ServerSession,
    layer: L,
    /// The WebSocket: the transport, or the one that probes.
    writer: Option<Writer>,
    /// Tells that WebSocket's task from those of earlier ones.
    link: u32,
    exchanges: u32,
    /// Requests that wait for their answer.
    waiting: Vec<(ExchangeId, oneshot::Sender<Reply>)>,
    /// Requests that wait until handlers have caught up.
    held: Vec<Waker>,
    timer: Timer,
    /// When a WebSocket that was closed is dropped.
    linger: Option<Instant>,
    /// The end of the thread's turn flushes this connection.
    noted: bool,
    /// Handlers have to catch up before more is read.
    paused: bool,
    closed: bool,
}

/// The answer to a request of the polling transport.
#[derive(Debug)]
pub(super) enum Reply {
    /// 200 with packets.
    Packets(Bytes),
    /// What the session says.
    Answer(Answer),
}

/// Events that were read and whose handlers have not returned.
#[derive(Default)]
struct Undelivered {
    events: AtomicUsize,
    bytes: AtomicUsize,
    /// The connection does not read because of them.
    paused: AtomicBool,
}

/// What a layer may do while it handles something.
pub struct Io<'a, L: Layer> {
    connection: &'a Arc<Connection<L>>,
    session: &'a mut ServerSession,
    deliveries: &'a mut Vec<Delivery>,
    now: Instant,
    unsent: usize,
    blocked: bool,
    close: bool,
}

/// One stretch of work on a connection, under its lock.
struct Step<'a, L: Layer> {
    connection: &'a Arc<Connection<L>>,
    now: Instant,
    deliveries: Vec<Delivery>,
}

impl<L: Layer> Io<'_, L> {
    /// The connection.
    pub fn connection(&self) -> &Arc<Connection<L>> {
        self.connection
    }

    /// The time of this step.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Queues a packet; it is written when the step or the turn ends.
    pub fn send(&mut self, packet: Packet) {
        self.session.send(packet);
    }

    /// Whether so much waits to be sent that nothing should be added.
    pub fn is_full(&mut self) -> bool {
        self.session.outbox().bytes() + self.unsent >= self.connection.limits().queued_bytes
    }

    /// Whether the transport takes something now: what is volatile is sent only then.
    pub fn is_writable(&self) -> bool {
        !self.blocked && self.session.is_writable()
    }

    /// Has the connection closed when the layer has returned.
    pub fn close(&mut self) {
        self.close = true;
    }

    /// Queues something for the program's threads, behind what was queued before.
    pub fn deliver(&mut self, delivery: Delivery) {
        self.deliveries.push(delivery);
    }

    /// Queues an event. Its target calls [`Connection::delivered`] when its handlers have returned.
    pub fn deliver_event(&mut self, target: Arc<dyn EventTarget>, event: ReceivedEvent) {
        let connection = self.connection;
        connection.undelivered.events.fetch_add(1, Ordering::SeqCst);
        connection.undelivered.bytes.fetch_add(event.len(), Ordering::SeqCst);
        connection.queue.hold(event.len());
        self.deliver(Delivery::Event { target, event });
    }

    /// The transport in use.
    pub fn transport(&self) -> Transport {
        self.session.transport()
    }
}

impl<L: Layer> Connection<L> {
    /// A new connection whose first transport is `transport`.
    pub(super) fn new(engine: &Arc<Engine<L>>, sid: Sid, transport: Transport, layer: L) -> Arc<Self> {
        let session = ServerSession::new(Instant::now(), &sid, engine.session_config().clone(), transport);
        let inner = Inner {
            session,
            layer,
            writer: None,
            link: 0,
            exchanges: 0,
            waiting: Vec::new(),
            held: Vec::new(),
            timer: Timer::default(),
            linger: None,
            noted: false,
            paused: false,
            closed: false,
        };
        Arc::new(Self {
            sid,
            engine: engine.clone(),
            queue: engine.runtime().next_queue().clone(),
            undelivered: Undelivered::default(),
            inner: Mutex::new(inner),
        })
    }

    /// The session's id, a secret of the two ends.
    pub(super) fn sid(&self) -> &Sid {
        &self.sid
    }

    /// Where this connection's deliveries go.
    pub fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// The transport in use.
    pub fn transport(&self) -> Transport {
        self.inner.lock().session.transport()
    }

    /// Bytes that wait to be sent.
    pub fn buffered_bytes(&self) -> usize {
        let mut inner = self.inner.lock();
        inner.session.outbox().bytes() + inner.unsent()
    }

    /// Has the layer do something under the lock. What it sends is written when this thread's turn ends, or at once
    /// outside a turn.
    ///
    /// # Errors
    /// `Closed`, and those of `act`.
    pub fn act<R>(self: &Arc<Self>, act: impl FnOnce(&mut L, &mut Io<'_, L>) -> Result<R>) -> Result<R> {
        let mut inner = self.inner.lock();
        if inner.closed {
            return Err(Error::new(ErrorKind::Closed, "the connection is closed"));
        }
        let mut step = Step::new(self);
        let result = inner.with_layer(&mut step, act);
        if !turn::is_active() {
            inner.flush(&mut step);
        } else if !inner.noted {
            inner.noted = true;
            turn::note(self.clone());
        }
        step.end(&mut inner);
        result
    }

    /// Closes the connection: what was sent before still goes out.
    pub fn close(self: &Arc<Self>) {
        self.run(|inner, step| {
            if !inner.closed {
                inner.step(step, Input::Close);
            }
        });
    }

    /// Closes the connection now: a client on polling that does not ask just now is not waited for.
    pub(super) fn terminate(self: &Arc<Self>) {
        self.run(|inner, step| {
            if !inner.closed {
                inner.step(step, Input::Close);
                inner.flush(step);
                inner.closed(step, CloseReason::ForcedClose);
            }
        });
    }

    /// The handlers of an event of so many bytes have returned.
    pub fn delivered(self: &Arc<Self>, bytes: usize) {
        self.queue.release(bytes);
        let events = self.undelivered.events.fetch_sub(1, Ordering::SeqCst) - 1;
        let bytes = self.undelivered.bytes.fetch_sub(bytes, Ordering::SeqCst) - bytes;
        // Reading goes on when half of the budget is free, so that it does not stop again at once.
        let limits = self.limits();
        if self.undelivered.paused.load(Ordering::SeqCst)
            && events <= limits.undelivered_events / 2
            && bytes <= limits.undelivered_bytes / 2
        {
            self.clone().resume();
        }
    }

    fn limits(&self) -> &Limits {
        self.engine.limits()
    }

    /// Runs `work` under the lock, writes what it sent and passes on what it delivered.
    fn run<R>(self: &Arc<Self>, work: impl FnOnce(&mut Inner<L>, &mut Step<'_, L>) -> R) -> R {
        let mut inner = self.inner.lock();
        let mut step = Step::new(self);
        let result = work(&mut inner, &mut step);
        inner.flush(&mut step);
        step.end(&mut inner);
        result
    }

    /// Whether handlers have to catch up before more is read.
    fn must_pause(self: &Arc<Self>) -> bool {
        let over = || {
            let limits = self.limits();
            self.undelivered.events.load(Ordering::SeqCst) >= limits.undelivered_events
                || self.undelivered.bytes.load(Ordering::SeqCst) >= limits.undelivered_bytes
        };
        if over() {
            self.undelivered.paused.store(true, Ordering::SeqCst);
            // Looked at again: the last event may have been handled just before the flag was seen.
            if over() {
                return true;
            }
            self.undelivered.paused.store(false, Ordering::SeqCst);
        }
        self.queue.stall(self.limits().delivery_queue_bytes, || self.clone())
    }
}

/// The polling transport: what HTTP requests of a session do.
impl<L: Layer> Connection<L> {
    /// Whether this session takes a request of `transport` now.
    pub(super) fn check(&self, request: &Request<'_>, upgrade: bool) -> Result<(), Refusal> {
        self.inner.lock().session.check(request, upgrade)
    }

    /// A `GET` arrived.
    pub(super) fn poll_started(self: &Arc<Self>) -> Exchange<L> {
        self.exchange(|id| Input::Poll(id))
    }

    /// The head of a `POST` arrived.
    pub(super) fn post_started(self: &Arc<Self>) -> Exchange<L> {
        self.exchange(|id| Input::PostStarted(id))
    }

    fn exchange(self: &Arc<Self>, input: impl FnOnce(ExchangeId) -> Input<'static>) -> Exchange<L> {
        self.run(|inner, step| {
            inner.exchanges = inner.exchanges.wrapping_add(1);
            let id = ExchangeId(inner.exchanges);
            let (sender, receiver) = oneshot::channel();
            if !inner.closed {
                inner.waiting.push((id, sender));
                inner.step(step, input(id));
            }
            Exchange { connection: self.clone(), id, receiver, answered: false }
        })
    }

    /// Hands in the packets of a body, as far as handlers keep up.
    fn post_packets(self: &Arc<Self>, packets: &mut payload::Decoder<'_>, cx: &Context<'_>) -> Poll<()> {
        self.run(|inner, step| {
            loop {
                if inner.closed {
                    return Poll::Ready(());
                }
                if inner.pause_if_full(step) {
                    inner.held.push(cx.waker().clone());
                    return Poll::Pending;
                }
                match packets.next_packet() {
                    Some(Ok(packet)) => inner.step(step, Input::Packet(Transport::Polling, packet)),
                    Some(Err(_)) => inner.step(step, Input::Malformed(Transport::Polling)),
                    None => return Poll::Ready(()),
                }
            }
        })
    }

    fn exchange_input(self: &Arc<Self>, input: Input<'_>) {
        self.run(|inner, step| {
            if !inner.closed {
                inner.step(step, input);
            }
        });
    }
}

/// A request of the polling transport. Dropped before it was answered, it counts as given up by the peer.
pub(super) struct Exchange<L: Layer> {
    connection: Arc<Connection<L>>,
    id: ExchangeId,
    receiver: oneshot::Receiver<Reply>,
    answered: bool,
}

impl<L: Layer> Exchange<L> {
    /// The answer, when there is one.
    pub(super) async fn answer(mut self) -> Reply {
        let reply = (&mut self.receiver).await;
        self.answered = true;
        // No answer: the session was over already.
        reply.unwrap_or(Reply::Answer(Answer::BadRequest))
    }

    /// Whether the answer stands already, before the body is there.
    pub(super) fn is_answered(&self) -> bool {
        !self.receiver.is_empty() || self.receiver.is_terminated()
    }

    /// Hands in the body of a `POST`, at the pace of the handlers.
    pub(super) async fn post(&self, body: &[u8]) {
        match payload::Decoder::new(body) {
            Ok(mut packets) => poll_fn(|cx| self.connection.post_packets(&mut packets, cx)).await,
            Err(_) => self.connection.exchange_input(Input::Malformed(Transport::Polling)),
        }
        self.connection.exchange_input(Input::PostDone(self.id));
    }

    /// The `POST` was larger than allowed: the shell answers 413, and the session lives on.
    pub(super) fn refuse(mut self) {
        self.answered = true;
        self.connection.run(|inner, step| {
            inner.waiting.retain(|(id, _)| *id != self.id);
            if !inner.closed {
                inner.step(step, Input::PostRefused(self.id));
            }
        });
    }

    /// The `POST` is of a kind that no client sends.
    pub(super) fn invalid(&self) {
        self.connection.exchange_input(Input::PostInvalid(self.id));
    }
}

impl<L: Layer> Drop for Exchange<L> {
    fn drop(&mut self) {
        if !self.answered {
            self.connection.run(|inner, step| {
                inner.waiting.retain(|(id, _)| *id != self.id);
                if !inner.closed {
                    inner.step(step, Input::Aborted(self.id));
                }
            });
        }
    }
}

/// The WebSocket transport.
impl<L: Layer> Connection<L> {
    /// Takes over a WebSocket after its handshake, `head` being what was read behind that: the transport of a new session, or
    /// the candidate of an upgrade, which is closed when the session takes none.
    pub(super) fn attach(self: &Arc<Self>, stream: Stream, head: &[u8], opening: bool) {
        let limits = self.limits();
        let decoder = Decoder::new(Role::Server, limits.max_payload, limits.fragments as u32);
        let (mut reader, mut writer) = stream.into_link(Role::Server, decoder, head);
        let link = self.run(|inner, step| {
            if inner.closed || (!opening && !inner.session.may_upgrade()) {
                // The writer's drop ends the stream behind the close frame.
                let _ = writer.close(None);
                return None;
            }
            inner.link += 1;
            inner.writer = Some(writer);
            inner.linger = None;
            if !opening {
                inner.step(step, Input::WebSocketOpened);
            }
            Some(inner.link)
        });
        if let Some(link) = link {
            let end = LinkEnd { connection: self.clone(), link };
            self.engine.runtime().spawn(async move { poll_fn(|cx| reader.poll(cx, &end)).await });
        }
    }
}

/// The connection as one of its WebSockets sees it.
struct LinkEnd<L: Layer> {
    connection: Arc<Connection<L>>,
    link: u32,
}

impl<L: Layer> Endpoint for LinkEnd<L> {
    fn received(&self, decoder: &mut Decoder, input: &mut [u8]) -> (usize, Flow) {
        self.connection.run(|inner, step| {
            let mut used = 0;
            loop {
                if inner.writer.is_none() || inner.link != self.link {
                    return (used, Flow::Stop);
                }
                if inner.linger.is_some() {
                    // Closed on our side: what still comes is only taken off the socket.
                    return (input.len(), Flow::Read);
                }
                if inner.pause_if_full(step) {
                    return (used, Flow::Pause);
                }
                match decoder.next(&mut input[used..]) {
                    Ok((bytes, frame)) => {
                        used += bytes;
                        match frame {
                            Some(frame) => inner.frame(step, frame),
                            None => return (used, Flow::Read),
                        }
                    }
                    Err(error) => {
                        log::debug!("engine", "bad frame: {error}");
                        inner.fail_websocket(step, error.code());
                    }
                }
            }
        })
    }

    fn poll(&self, cx: &mut Context<'_>) -> Flow {
        let mut inner = self.connection.inner.lock();
        if inner.link != self.link {
            return Flow::Stop;
        }
        let paused = inner.paused;
        let Some(writer) = &mut inner.writer else { return Flow::Stop };
        if writer.poll(cx).is_ready() {
            let mut step = Step::new(&self.connection);
            inner.continue_writing(&mut step);
            step.end(&mut inner);
            // Asked again: the socket may have refused more.
            if let Some(writer) = &mut inner.writer {
                let _ = writer.poll(cx);
            }
        }
        if paused { Flow::Pause } else { Flow::Read }
    }

    fn hung_up(&self, _error: Option<io::Error>) {
        self.connection.run(|inner, step| {
            if inner.link == self.link {
                inner.websocket_gone(step, Cause::Closed);
            }
        });
    }
}

impl<L: Layer> Inner<L> {
    /// Hands one input to the session and carries out what it asks for.
    fn step(&mut self, step: &mut Step<'_, L>, input: Input<'_>) {
        for output in self.session.handle(step.now, input) {
            match output {
                Output::Message(message) => {
                    self.with_layer(step, |layer, io| layer.message(io, message));
                }
                Output::Probe(packet) => {
                    if let Some(writer) = &mut self.writer {
                        // A failure shows at the next read.
                        let _ = writer.send_now(packet);
                    }
                }
                Output::CloseWebSocket => {
                    if let Some(writer) = &mut self.writer {
                        let _ = writer.close(None);
                        self.linger = Some(step.now + LINGER);
                    }
                }
                Output::Answer(id, answer) => self.reply(id, Reply::Answer(answer)),
                Output::Closed(reason) => self.closed(step, reason),
                _ => {}
            }
        }
    }

    /// Calls the layer, and closes if it asked for that.
    fn with_layer<R>(&mut self, step: &mut Step<'_, L>, act: impl FnOnce(&mut L, &mut Io<'_, L>) -> R) -> R {
        let mut io = Io {
            connection: step.connection,
            unsent: self.writer.as_ref().map_or(0, Writer::unsent),
            blocked: self.writer.as_ref().is_some_and(Writer::is_blocked),
            session: &mut self.session,
            deliveries: &mut step.deliveries,
            now: step.now,
            close: false,
        };
        let result = act(&mut self.layer, &mut io);
        if io.close && !self.closed {
            self.step(step, Input::Close);
        }
        result
    }

    fn closed(&mut self, step: &mut Step<'_, L>, reason: CloseReason) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        step.connection.engine.forget(&step.connection.sid);
        self.paused = false;
        if self.writer.is_some() {
            self.linger = Some(step.now + LINGER);
        }
        self.with_layer(step, |layer, io| layer.closed(io, reason));
        self.held.drain(..).for_each(Waker::wake);
    }

    fn frame(&mut self, step: &mut Step<'_, L>, frame: Frame<'_>) {
        let packet = match frame {
            Frame::Text(text) => {
                let mut scratch = Vec::new();
                match Received::from_text(text, &mut scratch) {
                    Ok(packet) => return self.step(step, Input::Packet(Transport::WebSocket, packet)),
                    Err(_) => return self.step(step, Input::Malformed(Transport::WebSocket)),
                }
            }
            Frame::Binary(bytes) => Received::from_binary(bytes),
            Frame::Ping(content) => {
                if let Some(writer) = &mut self.writer {
                    let _ = writer.pong(content);
                }
                return;
            }
            Frame::Pong => return,
            Frame::Close(_) => {
                // Answered with our own, then the stream ends.
                if let Some(writer) = &mut self.writer {
                    let _ = writer.close(None);
                }
                return self.websocket_gone(step, Cause::Closed);
            }
        };
        self.step(step, Input::Packet(Transport::WebSocket, packet));
    }

    /// The peer broke the WebSocket protocol.
    fn fail_websocket(&mut self, step: &mut Step<'_, L>, code: u16) {
        if let Some(writer) = &mut self.writer {
            let _ = writer.close(Some(code));
        }
        let writer = self.writer.take();
        self.step(step, Input::WebSocketClosed(Cause::Error));
        // It stays until the peer has read the close frame.
        self.writer = writer;
        self.linger = Some(step.now + LINGER);
    }

    fn websocket_gone(&mut self, step: &mut Step<'_, L>, cause: Cause) {
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
        // One that was closed on our side is not the session's any more.
        if self.linger.take().is_none() && !self.closed {
            self.step(step, Input::WebSocketClosed(cause));
        }
    }

    /// Writes what waits to whoever can take it.
    fn flush(&mut self, step: &mut Step<'_, L>) {
        self.write_out(step);
        if self.closed {
            // Who still waits for an answer gets the one of a session that is over.
            self.waiting.clear();
        }
    }

    fn write_out(&mut self, step: &mut Step<'_, L>) {
        while let Some(to) = self.session.flush() {
            match to {
                Flush::WebSocket => {
                    let Some(writer) = &mut self.writer else { return };
                    match writer.flush(self.session.outbox()) {
                        Flushed::All => {}
                        Flushed::Blocked => return,
                        Flushed::Failed(_) => return self.websocket_gone(step, Cause::Closed),
                    }
                }
                Flush::Poll(id) => {
                    let packets = payload::encode(self.session.outbox(), usize::MAX);
                    self.reply(id, Reply::Packets(packets));
                }
                Flush::Post(_) => return,
            }
        }
    }

    /// The WebSocket takes bytes again.
    fn continue_writing(&mut self, step: &mut Step<'_, L>) {
        let Some(writer) = &mut self.writer else { return };
        // First what is left of this WebSocket: while it only probes, the outbox is not for it.
        match writer.flush(&mut Outbox::new()) {
            Flushed::All => self.flush(step),
            Flushed::Blocked => {}
            Flushed::Failed(_) => self.websocket_gone(step, Cause::Closed),
        }
    }

    fn reply(&mut self, id: ExchangeId, reply: Reply) {
        if let Some(at) = self.waiting.iter().position(|(waiting, _)| *waiting == id) {
            // The peer may just have gone; then its packets go with it, as they would on their way.
            let _ = self.waiting.swap_remove(at).1.send(reply);
        }
    }

    fn pause_if_full(&mut self, step: &Step<'_, L>) -> bool {
        if self.closed || !step.connection.must_pause() {
            return false;
        }
        if !std::mem::replace(&mut self.paused, true) {
            self.session.pause(step.now);
        }
        true
    }

    fn unsent(&self) -> usize {
        self.writer.as_ref().map_or(0, Writer::unsent)
    }

    fn deadline(&self) -> Option<Instant> {
        if self.closed {
            return [self.linger, self.session.deadline()].into_iter().flatten().min();
        }
        [self.session.deadline(), self.layer.deadline(), self.linger].into_iter().flatten().min()
    }
}

thread_local! {
    /// The list that steps of this thread gather deliveries in.
    static DELIVERIES: std::cell::Cell<Vec<Delivery>> = const { std::cell::Cell::new(Vec::new()) };
}

impl<'a, L: Layer> Step<'a, L> {
    fn new(connection: &'a Arc<Connection<L>>) -> Self {
        Self { connection, now: Instant::now(), deliveries: DELIVERIES.take() }
    }

    /// Passes on what was delivered and arms the timer, still under the lock: whoever is next comes behind.
    fn end(mut self, inner: &mut Inner<L>) {
        self.connection.queue.append(&mut self.deliveries);
        let timers = self.connection.engine.runtime().timers();
        match inner.deadline() {
            None if inner.closed => timers.disarm(self.connection, &mut inner.timer),
            deadline => timers.arm(self.connection, &mut inner.timer, deadline),
        }
        DELIVERIES.set(self.deliveries);
    }
}

impl<L: Layer> turn::Flush for Connection<L> {
    fn flush(self: Arc<Self>) {
        self.run(|inner, _| inner.noted = false);
    }
}

impl<L: Layer> Timed for Connection<L> {
    fn tick(self: Arc<Self>, now: Instant) {
        self.run(|inner, step| {
            inner.timer.fired();
            if inner.linger.is_some_and(|linger| linger <= now) {
                inner.linger = None;
                if let Some(mut writer) = inner.writer.take() {
                    writer.abort();
                }
            }
            inner.step(step, Input::Tick);
            if !inner.closed && inner.layer.deadline().is_some_and(|deadline| deadline <= now) {
                inner.with_layer(step, |layer, io| layer.tick(io));
            }
        });
    }
}

impl<L: Layer> Stalled for Connection<L> {
    fn resume(self: Arc<Self>) {
        self.run(|inner, step| {
            self.undelivered.paused.store(false, Ordering::SeqCst);
            if std::mem::take(&mut inner.paused) {
                inner.session.resume(step.now);
                if let Some(writer) = &inner.writer {
                    writer.wake();
                }
                inner.held.drain(..).for_each(Waker::wake);
            }
        });
    }
}
