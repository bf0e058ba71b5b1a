//! Floor 4: who is speaking, listening side.

pub mod connection;
pub mod engine;
pub mod handshake;
