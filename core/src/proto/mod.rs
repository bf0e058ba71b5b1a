//! Floor 1: what is said. Pure codecs and state machines: no tokio, no clock, no sockets.

pub mod backoff;
pub mod engine;
pub mod socket;
