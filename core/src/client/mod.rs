//! The calling side: a manager keeps a connection to a server, its sockets are the namespaces joined over it.

mod config;

pub use config::{ManagerConfig, SocketConfig};
