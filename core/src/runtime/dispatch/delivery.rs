//! Something that a handler has to be called for.

use std::sync::Arc;

use super::event::AckHandler;
use crate::data::payload::Payload;
use crate::error::Result;
use crate::proto::socket::event::ReceivedEvent;
use crate::runtime::panics;

/// Something that a handler has to be called for.
pub enum Delivery {
    /// An event for the listeners of `target`; they are looked up when it is delivered.
    Event {
        /// Who received it.
        target: Arc<dyn EventTarget>,
        /// What was received.
        event: ReceivedEvent,
    },
    /// The end of a request that wanted an ack.
    Answer {
        /// Who waits for it.
        handler: AckHandler,
        /// What came back.
        result: Result<Payload>,
    },
    /// Everything that is not worth a form of its own.
    Call(Box<dyn FnOnce() + Send>),
}

/// Who receives events.
pub trait EventTarget: Send + Sync {
    /// Calls the listeners, on the thread that delivers.
    fn deliver(self: Arc<Self>, event: ReceivedEvent);

    /// The listeners will never be called: the queue was closed.
    fn drop_event(self: Arc<Self>, event: ReceivedEvent);
}

impl Delivery {
    /// A delivery that runs `call`.
    pub fn call(call: impl FnOnce() + Send + 'static) -> Self {
        Self::Call(Box::new(call))
    }

    /// A delivery that only drops `what`: registrations are taken apart on the thread that used to call them.
    pub fn discard(what: impl Send + 'static) -> Self {
        Self::call(move || drop(what))
    }

    /// Calls the handler. One in Rust may panic; the others still get their deliveries.
    pub(super) fn run(self) {
        let call = || match self {
            Self::Event { target, event } => target.deliver(event),
            Self::Answer { handler, result } => handler(result),
            Self::Call(call) => call(),
        };
        let _ = panics::caught(call);
    }

    /// Gives up what belongs to the program, and calls nobody.
    pub(super) fn forgo(self) {
        if let Self::Event { target, event } = self {
            target.drop_event(event);
        }
    }
}
