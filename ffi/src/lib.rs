//! The C API: a thin skin over `socketio-core`.
//!
//! One file per C type, and one generated header of the same name in `include/socketio/`; the conventions
//! that all functions keep are the text at the top of `include/socketio.h`. What the files share:
//!
//! ```text
//! guard     what every exported function passes through: no panic leaves, errors become a status
//! handle    pointers to opaque types: tag check, borrow, retain, release
//! callback  a C function with its user_data and destroy: the only place that calls into the host
//! ```
#![allow(non_camel_case_types, reason = "types carry their C names")]

#[macro_use]
mod guard;
mod callback;
mod handle;

mod ack;
mod auth;
mod broadcast;
mod client;
mod delivery;
mod error;
mod event;
mod handshake;
mod log;
mod manager;
mod manager_options;
mod middleware;
#[cfg(all(test, shuttle))]
mod models;
mod namespace;
mod payload;
mod queue;
mod request;
mod runtime;
mod server;
mod server_options;
mod socket;
mod status;
mod text;
mod value;
mod version;

pub use ack::*;
pub use auth::*;
pub use broadcast::*;
pub use client::*;
pub use delivery::*;
pub use error::*;
pub use event::*;
pub use handshake::*;
pub use log::*;
pub use manager::*;
pub use manager_options::*;
pub use middleware::*;
pub use namespace::*;
pub use payload::*;
pub use queue::*;
pub use request::*;
pub use runtime::*;
pub use server::*;
pub use server_options::*;
pub use socket::*;
pub use status::*;
pub use text::*;
pub use value::*;
pub use version::*;
