//! The calling side: a [`Manager`] keeps a connection to a server, its [`Socket`]s are the namespaces joined over it.
//!
//! Everything of a manager is under one short lock, and whoever has work takes it: the tasks of its connection, the timers,
//! a thread that emits. Nothing under the lock waits or calls user code. Locks of other parts that are taken meanwhile
//! (queue, timers) are leaves: nothing is locked under them.

mod auth;
mod config;
mod connection;
mod event;
mod manager;
mod port;
mod reconnection;
mod socket;
mod sockets;
mod state;
#[cfg(test)]
mod tests;

pub use auth::{Auth, AuthHandler};
pub use config::{ManagerConfig, SocketConfig};
pub use event::{
    ConnectErrorHandler, ConnectHandler, DisconnectHandler, EventHandler, ManagerEvent, ManagerEventKind,
    ManagerHandler,
};
pub use manager::Manager;
pub use socket::Socket;
