//! To whom an event goes that is not for one socket.

use std::sync::Arc;

use super::namespace::Namespace;
use crate::adapter::BroadcastOptions;
use crate::data::id::Sid;
use crate::data::payload::Payload;
use crate::data::tag::{Kind, Tag};
use crate::error::Result;
use crate::proto::socket::event::check_emitted;
use crate::proto::socket::text;
use crate::runtime::dispatch::turn;

/// A broadcast in the making (`BroadcastOperator` of the official server). Without any room it goes to the whole
/// namespace; with several, to whoever is in one of them, once.
#[repr(C)]
#[derive(Clone)]
pub struct Broadcast {
    tag: Tag,
    namespace: Arc<Namespace>,
    options: BroadcastOptions,
}

impl Broadcast {
    /// The tag of broadcasts.
    pub const KIND: Kind = Kind::of_process(*b"bcst");

    pub(super) fn new(namespace: &Arc<Namespace>) -> Self {
        Self { tag: Tag::new(Self::KIND), namespace: namespace.clone(), options: BroadcastOptions::default() }
    }

    pub(super) fn from_socket(namespace: &Arc<Namespace>, sender: &Sid) -> Self {
        let mut broadcast = Self::new(namespace);
        // An id is far shorter than a room's name may be.
        let _ = broadcast.options.except(sender);
        broadcast
    }

    /// To the sockets in `room`, besides those in rooms named before.
    ///
    /// # Errors
    /// `TooLarge` when the name is too long.
    pub fn to(&mut self, room: &str) -> Result<&mut Self> {
        self.options.to(room)?;
        Ok(self)
    }

    /// Not to the sockets in `room`.
    ///
    /// # Errors
    /// `TooLarge` when the name is too long.
    pub fn except(&mut self, room: &str) -> Result<&mut Self> {
        self.options.except(room)?;
        Ok(self)
    }

    /// Drops the event for clients that it cannot be sent to now.
    pub fn volatile(&mut self) -> &mut Self {
        self.options.volatile = true;
        self
    }

    /// Only to sockets of this process, not to those of others in a cluster.
    pub fn local(&mut self) -> &mut Self {
        self.options.local = true;
        self
    }

    /// Sends an event. It is encoded once for all recipients. A client whose queue is full is disconnected.
    ///
    /// # Errors
    /// `InvalidArgument` for a reserved name.
    pub fn emit(&self, name: &str, payload: &Payload) -> Result<()> {
        check_emitted(name)?;
        let packet = Arc::new(text::event(self.namespace.name(), name, payload, None).into_encoded());
        turn::run(|| self.namespace.adapter().broadcast(&packet, &self.options));
        Ok(())
    }

    /// Puts the sockets into a room.
    ///
    /// # Errors
    /// `TooLarge` when the name is too long.
    pub fn sockets_join(&self, room: &str) -> Result<()> {
        self.namespace.adapter().add_sockets(&self.options, room)
    }

    /// Takes the sockets out of a room.
    pub fn sockets_leave(&self, room: &str) {
        self.namespace.adapter().del_sockets(&self.options, room);
    }

    /// Disconnects the sockets from the namespace, or with `close` their whole connections.
    pub fn disconnect_sockets(&self, close: bool) {
        turn::run(|| self.namespace.adapter().disconnect_sockets(&self.options, close));
    }
}
