//! What a manager's lock protects: its connection, its sockets, and the attempts to connect again.

use std::borrow::Borrow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::auth::Answer;
use super::connection::{Connection, Happened, Layer, Nobody};
use super::event::ManagerEvent;
use super::manager::Manager;
use super::port::Port;
use super::reconnection::{Reconnection, Scheduled};
use super::socket::{Route, Socket};
use super::sockets::{Slot, Sockets};
use crate::data::limits::Limits;
use crate::data::payload::Payload;
use crate::error::{Error, ErrorKind, Result};
use crate::net::link::Writer;
use crate::proto::engine::client::ClientSession;
use crate::proto::engine::packet::{Message, Transport};
use crate::proto::engine::session::CloseReason;
use crate::proto::socket::event::ReceivedEvent;
use crate::proto::socket::text::Outgoing;
use crate::runtime::dispatch::delivery::Delivery;
use crate::runtime::dispatch::event::AckHandler;
use crate::runtime::{Done, fill_random, log};

/// Under the lock of a [`Manager`].
pub(super) struct State {
    /// The connection that is opening or open.
    connection: Option<Connection>,
    /// Former ones that still come to their end.
    ending: Vec<Connection>,
    /// The number of the last connection.
    last: u64,
    upper: Upper,
    /// Who waits until there is no connection any more.
    closers: Vec<Done>,
    /// Handlers have to catch up before more is read.
    paused: bool,
}

/// What sits on the connection and outlives it.
struct Upper {
    phase: Phase,
    reconnection: Reconnection,
    sockets: Sockets,
    timeout: Duration,
    /// The connection is of no use any more and has to be closed.
    give_up: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Opening {
        /// When it has taken too long.
        until: Option<Instant>,
    },
    Open,
}

/// One stretch of work under the lock.
pub(super) struct Step<'a> {
    pub(super) manager: &'a Arc<Manager>,
    pub(super) now: Instant,
    pub(super) deliveries: Vec<Delivery>,
}

impl Step<'_> {
    /// Queues something for the program's threads, behind what was queued before.
    pub(super) fn deliver(&mut self, delivery: Delivery) {
        self.deliveries.push(delivery);
    }

    /// Queues an event.
    pub(super) fn deliver_event(&mut self, target: Arc<Route>, event: ReceivedEvent) {
        self.manager.undelivered().hold(event.len());
        self.deliver(Delivery::Event { target, event });
    }

    /// Queues a call that something of `bytes` which the server sent leads to: it counts as an event does.
    pub(super) fn deliver_call(&mut self, bytes: usize, call: impl FnOnce() + Send + 'static) {
        self.manager.undelivered().hold(bytes);
        let delivered = Delivered(self.manager.clone(), bytes);
        self.deliver(Delivery::call(move || {
            let _delivered = delivered;
            call();
        }));
    }

    /// Ends the wait for an ack with an error.
    pub(super) fn fail(&mut self, handler: AckHandler, kind: ErrorKind, why: &'static str) {
        self.deliver(Delivery::Answer { handler, result: Err(Error::new(kind, why)) });
    }

    /// Tells the manager's listeners.
    fn report(&mut self, event: ManagerEvent) {
        if self.manager.has_listeners() {
            let manager = self.manager.clone();
            self.deliver(Delivery::call(move || manager.call(&event)));
        }
    }
}

/// Returns the budget of something delivered, also when a handler panics, or is never called.
pub(super) struct Delivered<M: Borrow<Arc<Manager>>>(pub(super) M, pub(super) usize);

impl<M: Borrow<Arc<Manager>>> Drop for Delivered<M> {
    fn drop(&mut self) {
        self.0.borrow().delivered(self.1);
    }
}

impl State {
    pub(super) fn new(limits: Arc<Limits>, reconnection: Reconnection, timeout: Duration) -> Self {
        let upper =
            Upper { phase: Phase::Closed, reconnection, sockets: Sockets::new(limits), timeout, give_up: false };
        Self { connection: None, ending: Vec::new(), last: 0, upper, closers: Vec::new(), paused: false }
    }

    pub(super) fn sockets(&mut self) -> &mut Sockets {
        &mut self.upper.sockets
    }

    /// Bytes that wait to be sent on the connection.
    pub(super) fn buffered_bytes(&mut self) -> usize {
        self.connection.as_mut().map_or(0, Connection::buffered_bytes)
    }

    /// The transport in use, while there is a connection.
    pub(super) fn transport(&mut self) -> Option<Transport> {
        self.connection.as_mut().map(|connection| connection.session().transport())
    }

    /// When [`tick`](Self::tick) is wanted next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let opening = match self.upper.phase {
            Phase::Opening { until } => until,
            _ => None,
        };
        let connections = self.connection.iter().chain(&self.ending).filter_map(Connection::deadline);
        let others = [opening, self.upper.reconnection.deadline(), self.upper.sockets.deadline()];
        connections.chain(others.into_iter().flatten()).min()
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, step: &mut Step<'_>) {
        self.upper.sockets.tick(step);
        for connection in &mut self.ending {
            connection.tick(step.now, &mut Nobody);
        }
        if let Some(connection) = &mut self.connection {
            connection.tick(step.now, &mut Above { upper: &mut self.upper, step });
        }
        if let Phase::Opening { until: Some(until) } = self.upper.phase
            && until <= step.now
        {
            self.upper.open_failed(step, Error::new(ErrorKind::Timeout, "timeout"));
        }
        self.settle(step);
        if let Some(attempt) = self.upper.reconnection.due(step.now) {
            log::debug!(Manager, "attempt {attempt} to connect again");
            step.report(ManagerEvent::ReconnectAttempt(attempt));
            self.open(step);
        }
    }

    /// Opens a connection unless there is one.
    pub(super) fn open(&mut self, step: &mut Step<'_>) {
        if self.upper.phase != Phase::Closed {
            return;
        }
        log::debug!(Manager, "connecting to {}", step.manager.target().authority());
        self.upper.phase = Phase::Opening { until: step.now.checked_add(self.upper.timeout) };
        self.upper.reconnection.opening();
        self.last += 1;
        let port = Port::new(step.manager, self.last);
        let connection = self.connection.insert(step.manager.new_connection(port));
        connection.start(step.now, &mut Above { upper: &mut self.upper, step });
        self.settle(step);
    }

    /// Disconnects all sockets and closes the connection; `done` hears when nothing of it is left.
    pub(super) fn close(&mut self, step: &mut Step<'_>, done: Done) {
        self.closers.push(done);
        let session = self.connection.as_mut().map(Connection::session);
        self.upper.sockets.disconnect_all(step, session);
        self.upper.close(step);
        self.settle(step);
    }

    /// A socket wants to be connected.
    pub(super) fn connect(&mut self, step: &mut Step<'_>, socket: &Arc<Socket>) {
        let session = self.connection.as_mut().map(Connection::session);
        self.upper.sockets.connect(step, socket, session);
        if !self.upper.reconnection.is_active() {
            self.open(step);
        }
    }

    /// The answer to a question of a socket: what its CONNECT carries.
    pub(super) fn answered(&mut self, question: (Slot, u64), answer: &Answer) -> Result<()> {
        let session = self.connection.as_mut().map(Connection::session);
        self.upper.sockets.answered(session, question, answer)
    }

    /// A socket does not want to be connected any more.
    pub(super) fn disconnect(&mut self, step: &mut Step<'_>, slot: Slot) {
        if self.upper.sockets.active(slot) {
            let session = self.connection.as_mut().map(Connection::session);
            self.upper.sockets.disconnect(step, slot, session);
            self.upper.close_unless_needed(step);
            self.settle(step);
        }
    }

    /// Sends an event, or keeps it until its socket is connected.
    pub(super) fn emit(
        &mut self,
        step: &mut Step<'_>,
        slot: Slot,
        event: (&str, &Payload),
        ack: &mut Option<(AckHandler, Option<Instant>)>,
    ) -> Result<()> {
        self.check_room()?;
        let outgoing = self.upper.sockets.emit(step, slot, event, ack)?;
        self.send(outgoing);
        Ok(())
    }

    /// Sends an event, or drops it.
    pub(super) fn emit_volatile(&mut self, slot: Slot, event: (&str, &Payload)) -> Result<()> {
        let writable = self.connection.as_ref().is_some_and(Connection::is_writable) && self.check_room().is_ok();
        let outgoing = self.upper.sockets.emit_volatile(slot, event, writable)?;
        self.send(outgoing);
        Ok(())
    }

    /// Answers an event that came by `route`.
    pub(super) fn ack(&mut self, route: &Arc<Route>, id: u64, payload: &Payload) -> Result<()> {
        let closed = || Error::new(ErrorKind::Closed, "the socket that received the event is disconnected");
        let outgoing = self.upper.sockets.ack(route, id, payload).ok_or_else(closed)?;
        self.check_room()?;
        self.send(Some(outgoing));
        Ok(())
    }

    /// Works on one of the connections, if it is still there.
    pub(super) fn with_connection<R>(
        &mut self,
        step: &mut Step<'_>,
        number: u64,
        work: impl FnOnce(&mut Connection, Instant, &mut dyn Layer) -> R,
    ) -> Option<R> {
        let now = step.now;
        let result = match &mut self.connection {
            Some(connection) if connection.number() == number => {
                work(connection, now, &mut Above { upper: &mut self.upper, step })
            }
            _ => {
                let connection = self.ending.iter_mut().find(|connection| connection.number() == number)?;
                work(connection, now, &mut Nobody)
            }
        };
        self.settle(step);
        Some(result)
    }

    /// Whether handlers have to catch up before more is read from the connection with that number.
    pub(super) fn must_pause(&mut self, step: &Step<'_>, number: u64) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        if connection.number() != number {
            return false;
        }
        let manager = step.manager;
        if !manager.undelivered().must_pause(self.upper.sockets.limits(), || manager.clone()) {
            return false;
        }
        if !std::mem::replace(&mut self.paused, true) {
            log::debug!(Manager, "reads no more until handlers catch up");
        }
        connection.session().pause();
        true
    }

    /// Whether reading from the connection with that number waits for the handlers.
    pub(super) fn is_paused(&self, number: u64) -> bool {
        self.paused && self.connection.as_ref().is_some_and(|connection| connection.number() == number)
    }

    /// The WebSocket of the connection with that number, and whether it was closed.
    pub(super) fn websocket(&mut self, number: u64) -> Option<(&mut Writer, bool)> {
        let mut connections = self.connection.iter_mut().chain(&mut self.ending);
        connections.find(|connection| connection.number() == number)?.websocket()
    }

    /// Handlers have caught up.
    pub(super) fn resume(&mut self, step: &Step<'_>) {
        self.paused = false;
        if let Some(connection) = &mut self.connection {
            connection.session().resume(step.now);
            if let Some((writer, _)) = connection.websocket() {
                writer.wake();
            }
        }
    }

    /// Writes what waits, on all connections.
    pub(super) fn flush(&mut self, step: &mut Step<'_>) {
        if let Some(connection) = &mut self.connection {
            connection.flush(step.now, &mut Above { upper: &mut self.upper, step });
            self.settle(step);
        }
        for connection in &mut self.ending {
            connection.flush(step.now, &mut Nobody);
        }
    }

    /// A bug has shown: what there is of connections is dropped as it is, and the sockets' is lost.
    pub(super) fn give_up(&mut self, step: &mut Step<'_>, bug: Error) {
        self.connection = None;
        self.ending.clear();
        self.paused = false;
        self.upper.session_closed(step, CloseReason::TransportError, Some(bug));
        self.upper.give_up = false;
    }

    /// A bug has shown in a task of the connection with that number.
    pub(super) fn lose(&mut self, step: &mut Step<'_>, number: u64, bug: Error) {
        if self.connection.as_ref().is_some_and(|connection| connection.number() == number) {
            self.give_up(step, bug);
        }
        self.ending.retain(|connection| connection.number() != number);
    }

    /// Forgets connections that have come to their end, and says so to those who wait for it.
    pub(super) fn tidy(&mut self, step: &mut Step<'_>) {
        self.ending.retain_mut(|connection| !connection.is_finished(step.now));
        if self.connection.is_none() && self.ending.is_empty() {
            for done in self.closers.drain(..) {
                step.deliver(Delivery::call(move || done(Ok(()))));
            }
        }
    }

    /// Gives up what is left of the connections, because nothing works on them any more: to be dropped without the lock.
    pub(super) fn abandon(&mut self) -> Vec<Connection> {
        let mut left = std::mem::take(&mut self.ending);
        left.extend(self.connection.take());
        left
    }

    /// Does with the connection what the upper layer has decided.
    fn settle(&mut self, step: &mut Step<'_>) {
        let give_up = std::mem::take(&mut self.upper.give_up);
        if let Some(mut connection) = self.connection.take_if(|connection| give_up || connection.session().is_closed())
        {
            connection.close(step.now, &mut Nobody);
            // What is left of it is read without handlers.
            self.paused = false;
            connection.session().resume(step.now);
            if let Some((writer, _)) = connection.websocket() {
                writer.wake();
            }
            self.ending.push(connection);
        }
    }

    fn check_room(&mut self) -> Result<()> {
        if self.buffered_bytes() >= self.upper.sockets.limits().queued_bytes {
            return Err(Error::new(ErrorKind::Backpressure, "too much waits to be sent"));
        }
        Ok(())
    }

    fn send(&mut self, outgoing: Option<Outgoing>) {
        if let (Some(outgoing), Some(connection)) = (outgoing, &mut self.connection) {
            outgoing.into_packets().for_each(|packet| connection.session().send(packet));
        }
    }
}

/// The upper layer within a step.
struct Above<'u, 's, 'm> {
    upper: &'u mut Upper,
    step: &'s mut Step<'m>,
}

impl Layer for Above<'_, '_, '_> {
    fn happened(&mut self, session: &mut ClientSession, happened: Happened<'_>) {
        let Self { upper, step } = self;
        match happened {
            Happened::Message(message) => upper.message(step, session, message),
            Happened::Ping => step.report(ManagerEvent::Ping),
            Happened::Opened => upper.opened(step, session),
            Happened::Closed(reason, failure) => upper.session_closed(step, reason, failure),
        }
    }
}

impl Upper {
    fn opened(&mut self, step: &mut Step<'_>, session: &mut ClientSession) {
        log::debug!(Manager, "connected to {}", step.manager.target().authority());
        self.phase = Phase::Open;
        step.report(ManagerEvent::Open);
        self.sockets.opened(step, session);
        if let Some(attempts) = self.reconnection.opened() {
            step.report(ManagerEvent::Reconnect(attempts));
        }
    }

    fn message(&mut self, step: &mut Step<'_>, session: &mut ClientSession, message: Message<'_>) {
        if self.phase != Phase::Open {
            return;
        }
        let any_active = self.sockets.any_active();
        if let Err(error) = self.sockets.message(step, session, message) {
            log::warning!(Manager, "the server broke the protocol: {error}");
            self.closed(step, "parse error");
        } else if any_active {
            self.close_unless_needed(step);
        }
    }

    fn session_closed(&mut self, step: &mut Step<'_>, reason: CloseReason, failure: Option<Error>) {
        let failure = |otherwise| failure.unwrap_or_else(|| Error::new(ErrorKind::Io, otherwise));
        match self.phase {
            Phase::Closed => {}
            Phase::Opening { .. } => self.open_failed(step, failure(reason.as_str())),
            Phase::Open => {
                if reason == CloseReason::TransportError {
                    self.failed(step, &failure("the transport failed"));
                }
                self.closed(step, reason.as_str());
            }
        }
    }

    /// A connection could not be opened.
    fn open_failed(&mut self, step: &mut Step<'_>, error: Error) {
        log::warning!(Manager, "no connection to {}: {error}", step.manager.target().authority());
        self.phase = Phase::Closed;
        self.give_up = true;
        self.failed(step, &error);
        let (attempt, scheduled) = self.reconnection.open_failed(step.now, random());
        if attempt {
            step.report(ManagerEvent::ReconnectError(error));
        }
        report_scheduled(step, scheduled);
    }

    fn failed(&mut self, step: &mut Step<'_>, error: &Error) {
        step.report(ManagerEvent::Error(error.clone()));
        self.sockets.connect_error(step, error);
    }

    /// The open connection is gone, or is about to be given up.
    fn closed(&mut self, step: &mut Step<'_>, reason: &'static str) {
        log::debug!(Manager, "the connection to {} is closed: {reason}", step.manager.target().authority());
        self.phase = Phase::Closed;
        self.give_up = true;
        step.report(ManagerEvent::Close(reason));
        self.sockets.closed(step, reason);
        let scheduled = self.reconnection.lost(step.now, random());
        report_scheduled(step, scheduled);
    }

    /// The program wants no connection.
    fn close(&mut self, step: &mut Step<'_>) {
        self.reconnection.close();
        if self.phase != Phase::Closed {
            self.closed(step, CloseReason::ForcedClose.as_str());
        }
    }

    /// A connection without an active socket is of no use.
    fn close_unless_needed(&mut self, step: &mut Step<'_>) {
        if !self.sockets.any_active() {
            self.close(step);
        }
    }
}

fn report_scheduled(step: &mut Step<'_>, scheduled: Scheduled) {
    if scheduled == Scheduled::GivenUp {
        log::warning!(Manager, "gives up: there were as many attempts to connect as are allowed");
        step.report(ManagerEvent::ReconnectFailed);
    }
}

/// Evenly drawn from 0 (included) to 1 (excluded).
fn random() -> f64 {
    let mut bytes = [0; 4];
    fill_random(&mut bytes);
    f64::from(u32::from_ne_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}
