//! What can go wrong, with the numeric codes that the C API shows as `sio_status`.

use std::borrow::Cow;
use std::fmt;

/// The result of a fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error: its kind, and a message for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
    data: Option<Box<str>>,
}

/// The kinds of error. The numbers never change or move: they are the C API's status codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is out of its range, or missing.
    InvalidArgument = 1,
    /// A text is not UTF-8.
    InvalidUtf8 = 2,
    /// A text is not JSON, or not of the shape that is wanted.
    InvalidJson = 3,
    /// The call does not fit the object's state.
    InvalidState = 4,
    /// The object was closed.
    Closed = 5,
    /// There is no connection.
    NotConnected = 6,
    /// It took too long.
    Timeout = 7,
    /// It was called off.
    Cancelled = 8,
    /// A waiting call on a thread that delivers callbacks.
    WouldDeadlock = 9,
    /// Too much waits to be sent.
    Backpressure = 10,
    /// A bound of size or number was passed.
    TooLarge = 11,
    /// There is no such thing.
    NotFound = 12,
    /// It can be used once only.
    AlreadyUsed = 13,
    /// Known, but not built yet.
    Unsupported = 14,
    /// The operating system refused.
    Io = 100,
    /// A host name could not be resolved.
    Resolve = 101,
    /// TLS failed.
    Tls = 102,
    /// The address to listen on is taken.
    AddressInUse = 103,
    /// An unexpected HTTP answer.
    Http = 104,
    /// The WebSocket failed.
    WebSocket = 105,
    /// The peer broke the protocol.
    Protocol = 200,
    /// The handshake failed.
    Handshake = 201,
    /// The server refused the connection to a namespace.
    Rejected = 202,
    /// The adapter failed.
    Adapter = 203,
    /// The object belongs to the parent of this forked process.
    Forked = 900,
    /// Header and library do not fit.
    Abi = 901,
    /// A bug in the library was caught.
    Panic = 902,
}

impl Error {
    /// An error of `kind`; the message starts in lower case and has no full stop.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), data: None }
    }

    /// The same error with JSON that the peer sent along (the `data` of a `CONNECT_ERROR`).
    #[must_use]
    pub fn with_data(mut self, json: impl Into<Box<str>>) -> Self {
        self.data = Some(json.into());
        self
    }

    /// What kind of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What happened, for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// JSON that the peer sent along with the error.
    pub fn data(&self) -> Option<&str> {
        self.data.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::AddrInUse => ErrorKind::AddressInUse,
            std::io::ErrorKind::TimedOut => ErrorKind::Timeout,
            _ => ErrorKind::Io,
        };
        Self::new(kind, error.to_string())
    }
}
