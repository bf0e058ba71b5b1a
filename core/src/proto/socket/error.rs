//! How a peer can break the protocol.

use std::fmt;

use crate::data::json::JsonError;
use crate::error::{Error, ErrorKind};

/// The peer broke the protocol. The connection is closed: both ends see the reason that the official implementations give,
/// `forced close` or `parse error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A packet of no known type.
    UnknownType,
    /// The number of attachments is missing, is no number, or is zero.
    Attachments,
    /// A packet announces more attachments than allowed.
    TooManyAttachments,
    /// Text arrived while attachments were awaited.
    UnexpectedText,
    /// An attachment arrived that no packet announced.
    UnexpectedBinary,
    /// A packet and its attachments are larger than one message may be.
    TooLarge,
    /// A namespace's name is too long.
    NamespaceName,
    /// A packet for a namespace that is not joined, or the second `CONNECT` for one that is.
    State,
    /// An id of an acknowledgement that is no 64-bit number.
    AckId,
    /// A packet's data is of the wrong kind for its type, missing, or not allowed.
    Payload,
    /// An event's name is reserved, too long, or neither a string nor a number.
    EventName,
    /// A packet's data is not JSON, or passes a bound.
    Json(JsonError),
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownType => "unknown packet type",
            Self::Attachments => "illegal attachments",
            Self::TooManyAttachments => "too many attachments",
            Self::UnexpectedText => "text while attachments are awaited",
            Self::UnexpectedBinary => "binary data when none is awaited",
            Self::TooLarge => "packet too large",
            Self::NamespaceName => "namespace name too long",
            Self::State => "packet does not fit the state of its namespace",
            Self::AckId => "invalid acknowledgement id",
            Self::Payload => "invalid payload",
            Self::EventName => "invalid event name",
            Self::Json(error) => return write!(f, "invalid payload: {error}"),
        })
    }
}

impl std::error::Error for ProtocolError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            _ => None,
        }
    }
}

impl From<JsonError> for ProtocolError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl From<ProtocolError> for Error {
    fn from(error: ProtocolError) -> Self {
        Error::new(ErrorKind::Protocol, error.to_string())
    }
}
