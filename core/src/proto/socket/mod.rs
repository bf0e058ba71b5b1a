//! Socket.IO, protocol version 5.
//!
//! [`ServerPeer`] and [`ClientPeer`] are the two ends of a connection as Socket.IO
//! sees it: namespaces joined over it, events, acknowledgements. Messages of the Engine.IO layer go in, decoded packets and
//! encoded messages come out. Nothing here waits, sends or looks at a clock.

pub mod acks;
pub mod client;
pub mod decoder;
pub mod error;
pub mod event;
pub mod server;
pub mod text;

pub use acks::AckTable;
pub use client::ClientPeer;
pub use decoder::Decoder;
pub use error::ProtocolError;
pub use event::ReceivedEvent;
pub use server::ServerPeer;
pub use text::Outgoing;
