//! One Engine.IO connection: a session, its transports, and the layer that sits on it.
//!
//! Everything is under one short lock, and whoever has work takes it: the connection's task when its WebSocket is
//! readable or writable, an HTTP request, the timers, a thread that emits. Nothing under the lock waits or calls user code.
//! Locks of other parts that are taken meanwhile (queue, timers, sessions, namespaces, rooms) are leaves: nothing is
//! locked under them.
//!
//! A panic under the lock is a bug that costs this connection and no other: see [`Connection::work`].

#[cfg(all(test, shuttle))]
mod models;
mod polling;
mod websocket;

use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::runtime::sync::{Mutex, MutexGuard, thread_local};
use tokio::sync::oneshot;

pub(super) use polling::ExchangeReply;

use super::engine::Engine;
use crate::data::id::Sid;
use crate::data::limits::Limits;
use crate::error::{Error, ErrorKind, Result};
use crate::net::link::{Flushed, Writer};
use crate::proto::engine::packet::{Message, Packet, Transport};
use crate::proto::engine::payload;
use crate::proto::engine::server::ServerSession;
use crate::proto::engine::session::{Cause, CloseReason, ExchangeId, Flush, Input, Output};
use crate::proto::socket::event::ReceivedEvent;
use crate::runtime::dispatch::delivery::{Delivery, EventTarget};
use crate::runtime::dispatch::queue::{Queue, Stalled};
use crate::runtime::dispatch::turn;
use crate::runtime::dispatch::undelivered::Undelivered;
use crate::runtime::timers::{Timed, Timer};
use crate::runtime::{log, panics};

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

    /// The layer has asked for the end, and that has to wait for the client: on polling, for its next `GET`.
    fn closing(&mut self, _io: &mut Io<'_, Self>) {}

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
    waiting: Vec<(ExchangeId, oneshot::Sender<ExchangeReply>)>,
    /// Requests that wait until handlers have caught up.
    held: Vec<Waker>,
    timer: Timer,
    /// When a WebSocket that was closed is dropped.
    linger: Option<Instant>,
    /// The turn that last noted this connection, and flushes it at its end.
    noted: Option<turn::Id>,
    /// Handlers have to catch up before more is read.
    paused: bool,
    closed: bool,
    /// A bug has shown: what is in here is not to be relied upon.
    broken: bool,
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
        self.connection.undelivered.hold(event.len());
        self.deliver(Delivery::Event { target, event });
    }

    /// Queues a call that something of `bytes` which the peer sent leads to: it counts as an event does.
    pub fn deliver_call(&mut self, bytes: usize, call: impl FnOnce() + Send + 'static) {
        /// Returns the budget also when a handler panics, or is never called.
        struct Delivered<L: Layer>(Arc<Connection<L>>, usize);
        impl<L: Layer> Drop for Delivered<L> {
            fn drop(&mut self) {
                self.0.delivered(self.1);
            }
        }
        self.connection.undelivered.hold(bytes);
        let delivered = Delivered(self.connection.clone(), bytes);
        self.deliver(Delivery::call(move || {
            let _delivered = delivered;
            call();
        }));
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
            noted: None,
            paused: false,
            closed: false,
            broken: false,
        };
        let queue = engine.dispatcher().queue();
        let undelivered = Undelivered::new(queue.clone());
        Arc::new(Self { sid, engine: engine.clone(), queue, undelivered, inner: Mutex::new(inner) })
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
    /// `Closed`, those of `act`, and `Panic` when it panics: the connection is closed then.
    pub fn act<R>(self: &Arc<Self>, act: impl FnOnce(&mut L, &mut Io<'_, L>) -> Result<R>) -> Result<R> {
        let inner = self.inner.lock();
        if inner.closed {
            return Err(Error::new(ErrorKind::Closed, "the connection is closed"));
        }
        let result = self.work(inner, |inner, step| {
            let result = inner.with_layer(step, act);
            match turn::current() {
                None => inner.flush(step),
                // Another thread's turn may last as long as its handlers do: this one does not wait for it.
                turn if inner.noted != turn => {
                    inner.noted = turn;
                    turn::note(self.clone());
                }
                Some(_) => {}
            }
            result
        });
        result.flatten()
    }

    /// Closes the connection: what was sent before still goes out.
    pub fn close(self: &Arc<Self>) {
        let _ = self.run(|inner, step| {
            if !inner.closed {
                inner.step(step, Input::Close);
            }
        });
    }

    /// Closes the connection now: a client on polling that does not ask just now is not waited for.
    pub(super) fn terminate(self: &Arc<Self>) {
        let _ = self.run(|inner, step| {
            if !inner.closed {
                inner.step(step, Input::Close);
                inner.flush(step);
                inner.closed(step, CloseReason::ForcedClose);
            }
        });
    }

    /// The handlers of an event of so many bytes have returned.
    pub fn delivered(self: &Arc<Self>, bytes: usize) {
        if self.undelivered.release(bytes, self.limits()) {
            self.clone().resume();
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        self.engine.limits()
    }

    /// Runs `work` under the lock, writes what it sent and passes on what it delivered.
    ///
    /// # Errors
    /// `Panic`: a bug has shown, now or before, and the connection is over.
    fn run<R>(self: &Arc<Self>, work: impl FnOnce(&mut Inner<L>, &mut Step<'_, L>) -> R) -> Result<R> {
        self.work(self.inner.lock(), |inner, step| {
            let result = work(inner, step);
            inner.flush(step);
            result
        })
    }

    /// Runs `work` under the lock, and passes on what it delivered. If it panics, the connection is closed with `transport
    /// error` and never worked on again: whatever the bug has left half done is not touched by anybody.
    ///
    /// # Errors
    /// `Panic`: a bug has shown, now or before, and the connection is over.
    fn work<R>(
        self: &Arc<Self>,
        mut inner: MutexGuard<'_, Inner<L>>,
        work: impl FnOnce(&mut Inner<L>, &mut Step<'_, L>) -> R,
    ) -> Result<R> {
        if inner.broken {
            return Err(Error::new(ErrorKind::Panic, "the connection was closed because of a bug"));
        }
        let mut step = Step::new(self);
        let result = panics::caught(|| work(&mut inner, &mut step));
        if result.is_err() {
            inner.give_up(&mut step);
        }
        step.end(inner);
        result
    }

    /// It is over, just now.
    fn ended(&self, reason: CloseReason) {
        log::debug!(Engine, "session {}: closed, {}", self.sid.label(), reason.as_str());
        self.engine.forget(&self.sid);
    }

    /// A bug has shown outside the lock.
    fn give_up(self: &Arc<Self>) {
        let mut inner = self.inner.lock();
        let mut step = Step::new(self);
        inner.give_up(&mut step);
        step.end(inner);
    }

    /// Whether handlers have to catch up before more is read.
    fn must_pause(self: &Arc<Self>) -> bool {
        self.undelivered.must_pause(self.limits(), || self.clone())
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
                    // A peer that goes on asking and does not read gets no more answers.
                    if let Some(writer) = &mut self.writer
                        && writer.unsent() < step.connection.limits().pong_bytes
                    {
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
                Output::Answer(id, answer) => self.reply(id, ExchangeReply::Answer(answer)),
                Output::Closed(reason) => self.closed(step, reason),
                _ => {}
            }
        }
    }

    /// Calls the layer, and closes if it asked for that.
    fn with_layer<R>(&mut self, step: &mut Step<'_, L>, act: impl FnOnce(&mut L, &mut Io<'_, L>) -> R) -> R {
        let (result, close) = self.call_layer(step, act);
        if close && !self.closed {
            self.step(step, Input::Close);
            if !self.closed {
                self.call_layer(step, L::closing);
            }
        }
        result
    }

    /// Calls the layer; says whether it asked to close.
    fn call_layer<R>(&mut self, step: &mut Step<'_, L>, act: impl FnOnce(&mut L, &mut Io<'_, L>) -> R) -> (R, bool) {
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
        (result, io.close)
    }

    fn closed(&mut self, step: &mut Step<'_, L>, reason: CloseReason) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        step.connection.ended(reason);
        self.paused = false;
        if let Some(writer) = &self.writer {
            self.linger = Some(step.now + LINGER);
            // The task may have waited for handlers; from now on it only waits for the peer to close too.
            writer.wake();
        }
        self.with_layer(step, |layer, io| layer.closed(io, reason));
        self.held.drain(..).for_each(Waker::wake);
    }

    /// Ends the connection as it is, by way of nothing that a bug may have spoilt.
    fn give_up(&mut self, step: &mut Step<'_, L>) {
        self.broken = true;
        self.paused = false;
        self.linger = None;
        if let Some(mut writer) = self.writer.take() {
            writer.abort();
        }
        for (_, request) in self.waiting.drain(..) {
            // The peer may just have gone.
            let _ = request.send(ExchangeReply::Failed);
        }
        self.held.drain(..).for_each(Waker::wake);
        if !std::mem::replace(&mut self.closed, true) {
            step.connection.ended(CloseReason::TransportError);
            // The bug may be the layer's own; then it has had its chance.
            let _ = panics::caught(|| self.call_layer(step, |layer, io| layer.closed(io, CloseReason::TransportError)));
        }
        self.session.outbox().clear();
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
                        Flushed::Failed => return self.websocket_gone(step, Cause::Closed),
                    }
                }
                Flush::Poll(id) => {
                    let packets = payload::encode(self.session.outbox(), usize::MAX);
                    self.reply(id, ExchangeReply::Packets(packets));
                }
                Flush::Post(_) => return,
            }
        }
    }

    fn reply(&mut self, id: ExchangeId, reply: ExchangeReply) {
        if let Some(at) = self.waiting.iter().position(|(waiting, _)| *waiting == id) {
            // The peer may just have gone; then its packets go with it, as they would on their way.
            let _ = self.waiting.swap_remove(at).1.send(reply);
        }
    }

    fn pause_if_full(&mut self, step: &Step<'_, L>) -> bool {
        // Who is paused is resumed by somebody: asked again, it would be on the lists twice.
        if !self.paused && !self.closed && step.connection.must_pause() {
            log::debug!(Engine, "session {}: reads no more until handlers catch up", step.connection.sid.label());
            self.paused = true;
            self.session.pause();
        }
        self.paused
    }

    fn unsent(&self) -> usize {
        self.writer.as_ref().map_or(0, Writer::unsent)
    }

    fn deadline(&self) -> Option<Instant> {
        if self.broken {
            return None;
        }
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
    fn end(mut self, mut inner: MutexGuard<'_, Inner<L>>) {
        let wake = self.connection.queue.append(&mut self.deliveries);
        let timers = self.connection.engine.runtime().timers();
        match inner.deadline() {
            None if inner.closed => timers.disarm(self.connection, &mut inner.timer),
            deadline => timers.arm(self.connection, &mut inner.timer, deadline),
        }
        DELIVERIES.set(self.deliveries);
        drop(inner);
        drop(wake);
    }
}

impl<L: Layer> turn::Flush for Connection<L> {
    fn flush(self: Arc<Self>) {
        let _ = self.run(|inner, _| inner.noted = None);
    }
}

impl<L: Layer> Timed for Connection<L> {
    fn tick(self: Arc<Self>, now: Instant) {
        let _ = self.run(|inner, step| {
            inner.timer.fired();
            if inner.linger.is_some_and(|linger| linger <= now) {
                inner.linger = None;
                if let Some(mut writer) = inner.writer.take() {
                    writer.abort();
                }
                if inner.closed {
                    // Nobody takes it any more; a program may keep its socket, and with it this connection.
                    inner.session.outbox().clear();
                }
            }
            inner.step(step, Input::Tick);
            if !inner.closed && inner.layer.deadline().is_some_and(|deadline| deadline <= now) {
                inner.with_layer(step, Layer::tick);
            }
        });
    }
}

impl<L: Layer> Stalled for Connection<L> {
    fn resume(self: Arc<Self>) {
        let _ = self.run(|inner, step| {
            self.undelivered.resumed();
            if std::mem::take(&mut inner.paused) {
                log::debug!(Engine, "session {}: reads again", self.sid.label());
                inner.session.resume(step.now);
                if let Some(writer) = &inner.writer {
                    writer.wake();
                }
                inner.held.drain(..).for_each(Waker::wake);
            }
        });
    }
}
