//! Engine.IO and Socket.IO, both layers and both roles, in one crate.
//!
//! ```text
//! data     values: payloads, JSON, ids, limits
//! proto    what is said: pure state machines and codecs; no tokio, no clock, no sockets
//! runtime  threads: the tokio runtime, the delivery queue, timers
//! net      how it travels: sockets, HTTP, WebSocket links
//! adapter  who else hears: rooms and broadcast
//! server   who is speaking, listening side
//! client   who is speaking, calling side
//! ```
//!
//! A module imports only from modules above it in this list; `net` and `adapter` do not know each other,
//! nor do `server` and `client`. `tests/rust/floors.rs` checks that.

pub mod error;

pub mod data;

pub mod proto;

pub mod runtime;

pub mod adapter;
pub mod net;

pub mod client;
pub mod server;

pub use error::{Error, ErrorKind, Result};
