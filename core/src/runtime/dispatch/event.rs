//! What a handler is given: an event, and the ack that its sender may want.

use std::sync::Arc;

use crate::data::payload::Payload;
use crate::data::tag::{Kind, Tag};
use crate::error::Result;
use crate::proto::socket::event::ReceivedEvent;

/// Called once with what the other side acked, or with why it never will: `Timeout`, `Closed`.
pub type AckHandler = Box<dyn FnOnce(Result<Payload>) + Send>;

/// An event as it was received.
#[repr(C)]
pub struct Event {
    tag: Tag,
    received: ReceivedEvent,
    ack: Option<Ack>,
}

/// The right to answer an event, once, from any thread and at any time.
#[repr(C)]
pub struct Ack {
    tag: Tag,
    id: u64,
    target: Arc<dyn AckTarget>,
}

/// Where an ack goes: the socket that received the event.
pub trait AckTarget: Send + Sync {
    /// Sends the ack with this id.
    fn send_ack(self: Arc<Self>, id: u64, payload: &Payload) -> Result<()>;
}

impl Event {
    /// The tag of events.
    pub const KIND: Kind = Kind::of_process(*b"evnt");

    /// The event `received` by `target`.
    pub fn new(received: ReceivedEvent, target: &Arc<impl AckTarget + 'static>) -> Self {
        let ack = received.ack().map(|id| Ack { tag: Tag::new(Ack::KIND), id, target: target.clone() });
        Self { tag: Tag::new(Self::KIND), received, ack }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.received.name()
    }

    /// Its arguments.
    pub fn payload(&self) -> &Payload {
        self.received.payload()
    }

    /// Whether the sender waits for an ack that has not been taken.
    pub fn wants_ack(&self) -> bool {
        self.ack.is_some()
    }

    /// A copy to keep that the right to answer goes to.
    #[must_use]
    pub fn split_off(&mut self) -> Self {
        Self { ack: self.ack.take(), ..self.clone() }
    }

    /// The right to answer; `None` when the sender wants no ack, or it was taken before.
    pub fn take_ack(&mut self) -> Option<Ack> {
        self.ack.take()
    }
}

/// A copy to keep; the right to answer stays with the original.
impl Clone for Event {
    fn clone(&self) -> Self {
        Self { tag: Tag::new(Self::KIND), received: self.received.clone(), ack: None }
    }
}

impl Ack {
    /// The tag of acks.
    pub const KIND: Kind = Kind::of_process(*b"ack ");

    /// Answers.
    ///
    /// # Errors
    /// `Closed` when the socket is gone, `Backpressure` when too much waits to be sent to it.
    pub fn send(self, payload: &Payload) -> Result<()> {
        self.target.send_ack(self.id, payload)
    }
}
