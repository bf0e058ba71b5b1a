//! What happens to a manager, and the handlers of this side.

use std::sync::Arc;

use super::socket::Socket;
use crate::error::Error;
use crate::runtime::dispatch::event::Event;

/// Called with each event of its name.
pub type EventHandler = dyn Fn(&Arc<Socket>, &mut Event) + Send + Sync;

/// Called when a socket is connected, also after a reconnection.
pub type ConnectHandler = dyn Fn(&Arc<Socket>) + Send + Sync;

/// Called when a socket could not be connected, with the reason; a refusal of the server has its kind `Rejected` and the
/// data that came with it.
pub type ConnectErrorHandler = dyn Fn(&Arc<Socket>, &Error) + Send + Sync;

/// Called when a socket is not connected any more, with the official reason.
pub type DisconnectHandler = dyn Fn(&Arc<Socket>, &str) + Send + Sync;

/// Called with what happens to a manager.
pub type ManagerHandler = dyn Fn(&ManagerEvent) + Send + Sync;

/// Something happened to a manager's connection.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ManagerEvent {
    /// A connection was opened.
    Open,
    /// A connection could not be opened, or failed.
    Error(Error),
    /// The connection is gone, with the official reason.
    Close(&'static str),
    /// A heartbeat of the server arrived.
    Ping,
    /// The manager tries to connect again; the number of this attempt, from 1.
    ReconnectAttempt(u32),
    /// It is connected again, after so many attempts.
    Reconnect(u32),
    /// An attempt to connect again failed.
    ReconnectError(Error),
    /// All attempts failed; the manager gives up.
    ReconnectFailed,
}

/// The kinds of [`ManagerEvent`], to listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ManagerEventKind {
    /// See [`ManagerEvent::Open`].
    Open,
    /// See [`ManagerEvent::Error`].
    Error,
    /// See [`ManagerEvent::Close`].
    Close,
    /// See [`ManagerEvent::Ping`].
    Ping,
    /// See [`ManagerEvent::ReconnectAttempt`].
    ReconnectAttempt,
    /// See [`ManagerEvent::Reconnect`].
    Reconnect,
    /// See [`ManagerEvent::ReconnectError`].
    ReconnectError,
    /// See [`ManagerEvent::ReconnectFailed`].
    ReconnectFailed,
}

impl ManagerEvent {
    /// Of which kind it is.
    pub fn kind(&self) -> ManagerEventKind {
        match self {
            Self::Open => ManagerEventKind::Open,
            Self::Error(_) => ManagerEventKind::Error,
            Self::Close(_) => ManagerEventKind::Close,
            Self::Ping => ManagerEventKind::Ping,
            Self::ReconnectAttempt(_) => ManagerEventKind::ReconnectAttempt,
            Self::Reconnect(_) => ManagerEventKind::Reconnect,
            Self::ReconnectError(_) => ManagerEventKind::ReconnectError,
            Self::ReconnectFailed => ManagerEventKind::ReconnectFailed,
        }
    }
}

impl ManagerEventKind {
    /// The official name of the event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Error => "error",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::ReconnectAttempt => "reconnect_attempt",
            Self::Reconnect => "reconnect",
            Self::ReconnectError => "reconnect_error",
            Self::ReconnectFailed => "reconnect_failed",
        }
    }
}
