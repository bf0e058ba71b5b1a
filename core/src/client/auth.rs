//! What a socket says to be let in, asked for anew before each `CONNECT`.

use std::sync::Arc;

use super::config::check_auth;
use super::socket::Socket;
use crate::data::tag::{Kind, Tag};
use crate::error::Result;

/// Says what a `CONNECT` is to carry, then or later, by what it does with [`Auth`].
pub type AuthHandler = dyn Fn(&Arc<Socket>, Auth) + Send + Sync;

/// The right to say what a `CONNECT` carries, once, from any thread and at any time: it is sent then. Dropped it says that
/// there is nothing to carry.
///
/// When the socket was disconnected meanwhile, or has lost its connection, nothing is sent: the answer is `Closed`. It is
/// asked for again with the next connection.
#[repr(C)]
pub struct Auth {
    tag: Tag,
    /// `None` when it was used up.
    socket: Option<Arc<Socket>>,
    /// Tells the questions of a socket apart.
    number: u64,
}

/// What a `CONNECT` carries.
#[derive(Debug)]
pub(super) enum Answer {
    /// The text of a JSON object, or nothing.
    Auth(Option<String>),
    /// What the socket has for all of them.
    Settled,
}

impl Auth {
    /// The tag of these.
    pub const KIND: Kind = Kind::of_process(*b"auth");

    /// The question of that number to `socket`.
    pub(super) fn new(socket: Arc<Socket>, number: u64) -> Self {
        Self { tag: Tag::new(Self::KIND), socket: Some(socket), number }
    }

    /// Sends the `CONNECT` with the text of a JSON object, or with nothing.
    ///
    /// # Errors
    /// `Closed` when it is not wanted any more; `InvalidJson` when it is no JSON object, and the `CONNECT` goes without it.
    pub fn send(self, json: Option<String>) -> Result<()> {
        json.as_deref().map_or(Ok(()), check_auth)?;
        self.answer(&Answer::Auth(json))
    }

    /// Calls the handler. On a thread that delivers.
    pub(super) fn ask(self) {
        let Some(socket) = self.socket.clone() else { return };
        match socket.auth_handler() {
            Some(handler) => handler(&socket, self),
            // It was taken out since. An error says that nobody wants to know.
            None => drop(self.answer(&Answer::Settled)),
        }
    }

    fn answer(mut self, answer: &Answer) -> Result<()> {
        self.socket.take().map_or(Ok(()), |socket| socket.send_connect(self.number, answer))
    }
}

impl Drop for Auth {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take() {
            // An error says that nobody wants to know.
            let _ = socket.send_connect(self.number, &Answer::Auth(None));
        }
    }
}
