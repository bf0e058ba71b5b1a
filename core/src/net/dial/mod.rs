//! How a client reaches a server.
