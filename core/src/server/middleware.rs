//! Middlewares: who decides whether a client may join a namespace, before its `CONNECT` is answered.
//!
//! Until then its socket exists and is not connected: it can be given data and listeners, joins rooms and is sent events, all
//! of which takes effect when it is let in. No broadcast reaches it, and nothing that its client says.

use std::sync::Arc;
use std::time::Instant;

use super::socket::Socket;
use crate::adapter::{Room, check_room};
use crate::data::payload::Payload;
use crate::data::tag::{Kind, Tag};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::dispatch::event::AckHandler;
use crate::runtime::sync::Mutex;
use crate::runtime::sync::atomic::{AtomicUsize, Ordering};

/// Decides about a client, then or later, by what it does with [`Next`].
pub type Middleware = dyn Fn(&Arc<Socket>, Next) + Send + Sync;

/// What a client is told when nobody has decided about it.
const UNDECIDED: &str = "internal error";

/// The right to decide about a client, once, from any thread and at any time. Dropped undecided it turns the client away.
///
/// When the client is gone, or has asked again, there is nothing to decide: the answer is `Closed`, and nothing happens.
#[repr(C)]
pub struct Next {
    tag: Tag,
    /// `None` when it is decided.
    socket: Option<Arc<Socket>>,
    /// How many middlewares have been asked.
    asked: usize,
    /// How many there were when the client came: it is not asked for by those that come later.
    count: usize,
}

impl Next {
    /// The tag of these.
    pub const KIND: Kind = Kind::of_process(*b"next");

    /// About `socket`, with so many to be asked.
    pub(super) fn new(socket: Arc<Socket>, count: usize) -> Self {
        Self { tag: Tag::new(Self::KIND), socket: Some(socket), asked: 0, count }
    }

    /// Asks the next middleware; behind the last one the client is let in.
    ///
    /// # Errors
    /// `Closed` when the client does not wait for it any more.
    pub fn accept(mut self) -> Result<()> {
        match &self.socket {
            Some(socket) if self.asked < self.count => {
                socket.check_waiting()?;
                socket.clone().deliver_call(move || self.ask());
                Ok(())
            }
            _ => self.socket.take().map_or(Ok(()), |socket| socket.let_in()),
        }
    }

    /// Turns the client away: it gets an error with this message, and with `data`, which is JSON.
    ///
    /// # Errors
    /// `Closed` when the client does not wait for it any more.
    pub fn reject(mut self, message: &str, data: Option<&str>) -> Result<()> {
        self.socket.take().map_or(Ok(()), |socket| socket.turn_away(message, data))
    }

    /// Calls the middleware whose turn it is. On a thread that delivers.
    pub(super) fn ask(mut self) {
        let Some(socket) = self.socket.clone() else { return };
        // Nobody asks for a client that is gone.
        if socket.check_waiting().is_err() {
            return;
        }
        match socket.namespace().middlewares().get(self.asked) {
            Some(middleware) => {
                self.asked += 1;
                middleware(&socket, self);
            }
            // The server was closed, and its handlers are gone.
            None => drop(self),
        }
    }
}

impl Drop for Next {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take() {
            // An error says that there is nothing to decide.
            let _ = socket.turn_away(UNDECIDED, None);
        }
    }
}

/// The middlewares of a namespace, in the order in which they are asked. They stay until the server is closed.
#[derive(Default)]
pub(super) struct Middlewares {
    list: Mutex<Vec<Arc<Box<Middleware>>>>,
    /// How many they are, for who holds the lock of a connection: nothing that may drop one is touched there.
    count: AtomicUsize,
}

impl Middlewares {
    /// Adds one behind the others.
    pub(super) fn add(&self, middleware: Box<Middleware>) {
        let mut list = self.list.lock();
        list.push(Arc::new(middleware));
        self.count.store(list.len(), Ordering::Release);
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Takes all of them out, to be dropped on a thread that delivers.
    pub(super) fn clear(&self) -> impl Sized + use<> {
        let mut list = self.list.lock();
        self.count.store(0, Ordering::Release);
        std::mem::take(&mut *list)
    }

    /// One of them. On a thread that delivers: it may be the last reference.
    fn get(&self, at: usize) -> Option<Arc<Box<Middleware>>> {
        self.list.lock().get(at).cloned()
    }
}

/// A client that is not let in yet. It lies with its connection, under whose lock it is.
pub(super) struct Waiting {
    pub(super) socket: Arc<Socket>,
    rooms: Vec<Room>,
    events: Vec<Early>,
    /// What the events take, roughly.
    bytes: usize,
}

/// An event for a client that is not let in yet.
pub(super) struct Early {
    pub(super) name: Box<str>,
    pub(super) payload: Payload,
    /// Who waits for an answer, and until when.
    pub(super) ack: Option<(AckHandler, Option<Instant>)>,
}

impl Waiting {
    pub(super) fn new(socket: Arc<Socket>) -> Self {
        Self { socket, rooms: Vec::new(), events: Vec::new(), bytes: 0 }
    }

    /// What it is to be put into and to be sent, in order.
    pub(super) fn into_parts(self) -> (Arc<Socket>, Vec<Room>, Vec<Early>) {
        (self.socket, self.rooms, self.events)
    }

    /// Keeps an event; `ack` is taken when that succeeds.
    ///
    /// # Errors
    /// `Backpressure` when it keeps `limit` bytes already.
    pub(super) fn emit(
        &mut self,
        (name, payload): (&str, &Payload),
        ack: &mut Option<(AckHandler, Option<Instant>)>,
        limit: usize,
    ) -> Result<()> {
        if self.bytes >= limit {
            return Err(Error::new(ErrorKind::Backpressure, "too much waits until this client is let in"));
        }
        self.bytes += size_of::<Early>() + name.len() + payload.byte_len();
        self.events.push(Early { name: name.into(), payload: payload.clone(), ack: ack.take() });
        Ok(())
    }

    /// When [`expire`](Self::expire) is wanted next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.events.iter().filter_map(Early::deadline).min()
    }

    /// One who waits for an answer and whose time is over. The event is not sent any more.
    pub(super) fn expire(&mut self, now: Instant) -> Option<AckHandler> {
        let at = self.events.iter().position(|event| event.deadline().is_some_and(|deadline| deadline <= now))?;
        self.events.remove(at).ack.map(|(handler, _)| handler)
    }

    /// # Errors
    /// `TooLarge` when the name is too long.
    pub(super) fn join(&mut self, room: &str) -> Result<()> {
        check_room(room)?;
        if !self.in_room(room) {
            self.rooms.push(room.into());
        }
        Ok(())
    }

    pub(super) fn leave(&mut self, room: &str) {
        self.rooms.retain(|joined| **joined != *room);
    }

    pub(super) fn in_room(&self, room: &str) -> bool {
        self.rooms.iter().any(|joined| **joined == *room)
    }

    pub(super) fn rooms(&self) -> Vec<Room> {
        self.rooms.clone()
    }
}

impl Early {
    fn deadline(&self) -> Option<Instant> {
        self.ack.as_ref().and_then(|(_, deadline)| *deadline)
    }
}
