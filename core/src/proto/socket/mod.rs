//! Socket.IO, protocol version 5.
