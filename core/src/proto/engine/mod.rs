//! Engine.IO, protocol version 4: one connection over HTTP long-polling, a WebSocket, or first the one and then the
//! other. Names nothing of Socket.IO.

pub mod client;
pub mod handshake;
pub mod outbox;
pub mod packet;
pub mod payload;
pub mod server;
pub mod session;
pub mod websocket;
