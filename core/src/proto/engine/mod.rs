//! Engine.IO, protocol version 4.

pub mod websocket;
