//! As much of HTTP as polling needs: a first line, a length, a body; one exchange for each connection.

use super::shared::Shared;
use super::wire::ConnectionId;
use crate::network::Side;

/// The longest head that is accepted.
const MAX_HEAD: usize = 512;

/// The head of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Method and target, or the status.
    pub(super) line: String,
    /// How long the body is said to be.
    pub(super) body: usize,
    /// How many bytes the head takes.
    pub(super) len: usize,
}

/// A whole message.
pub(super) fn message(line: &str, body: &[u8]) -> Vec<u8> {
    let mut message = format!("{line}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    message.extend_from_slice(body);
    message
}

/// The head at the front of `bytes`, once it is there; an error when it cannot be one.
pub(super) fn head(bytes: &[u8]) -> Result<Option<Head>, String> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if bytes.len() > MAX_HEAD { Err("a head without an end".to_owned()) } else { Ok(None) };
    };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|error| error.to_string())?;
    let (line, length) = head.split_once("\r\nContent-Length: ").ok_or_else(|| format!("no length in {head:?}"))?;
    let body = length.parse().map_err(|_| format!("no length in {head:?}"))?;
    Ok(Some(Head { line: line.to_owned(), body, len: end + 4 }))
}

/// A message on its way out, for whose whole length there may be no room at once.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) connection: ConnectionId,
    to: Side,
    rest: Vec<u8>,
    /// The sender says afterwards that this was all.
    end: bool,
}

impl Sending {
    /// Begins to send.
    pub(super) fn start(
        shared: &mut Shared,
        connection: ConnectionId,
        to: Side,
        message: Vec<u8>,
        end: bool,
    ) -> Option<Self> {
        let mut sending = Self { connection, to, rest: message, end };
        sending.proceed(shared).then_some(sending)
    }

    /// Sends on. Whether something is left.
    pub(super) fn proceed(&mut self, shared: &mut Shared) -> bool {
        let taken = shared.wire.write(shared.now, self.connection, self.to, &self.rest);
        self.rest.drain(..taken);
        if self.rest.is_empty() && self.end {
            shared.wire.end(shared.now, self.connection, self.to, false);
        }
        !self.rest.is_empty()
    }
}
