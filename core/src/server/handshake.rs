//! The request that opened a connection, as handlers see it.

use std::sync::Arc;
use std::time::SystemTime;

use crate::data::payload::Payload;
use crate::data::tag::{Kind, Tag};
use crate::net::http::Request;
use crate::net::listener::Peer;
use crate::proto::engine::handshake::query_pairs;

/// The head of a request. It is kept as long as its connection, so it is kept small: one text, searched when asked.
#[derive(Clone, Debug)]
pub struct RequestHead {
    /// The target, then name and value of each header, each with a NUL behind it.
    text: Box<str>,
    target: usize,
    address: Peer,
    issued: i64,
}

impl RequestHead {
    /// What is kept of `request`, which came from `address`.
    pub(crate) fn new(request: &Request, address: &Peer) -> Self {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let mut text = String::with_capacity(512);
        text.push_str(target);
        for (name, value) in request.headers() {
            text.push('\0');
            text.push_str(name.as_str());
            text.push('\0');
            // Values may hold Latin-1; Node reads them so too.
            text.extend(value.as_bytes().iter().map(|byte| char::from(*byte)));
        }
        let issued = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_millis() as i64);
        Self { target: target.len(), text: text.into(), address: address.clone(), issued }
    }

    /// That of a model, where no request was read.
    #[cfg(shuttle)]
    pub(super) fn of_model() -> Self {
        Self { text: "/".into(), target: 1, address: "memory".into(), issued: 0 }
    }

    /// The target: path and query.
    pub fn url(&self) -> &str {
        &self.text[..self.target]
    }

    /// The IP address of the client, or `unix`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The first value of a header; `name` in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All headers, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut parts = self.text[self.target..].split('\0').skip(1);
        std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
    }

    /// The last value of a key of the query, decoded.
    pub fn query(&self, key: &str) -> Option<String> {
        let (_, query) = self.url().split_once('?')?;
        query_pairs(query).filter(|(known, _)| known == key).last().map(|(_, value)| value.into_owned())
    }
}

/// How a socket came to be: the request that opened its connection, and what its client sent to be let in
/// (`socket.handshake` of the official server).
#[repr(C)]
#[derive(Debug)]
pub struct Handshake {
    tag: Tag,
    head: Arc<RequestHead>,
    auth: Option<Payload>,
}

impl Handshake {
    /// The tag of handshakes.
    pub const KIND: Kind = Kind::new(*b"hand");

    /// `auth` has the object that came with the `CONNECT` as its one argument.
    pub(super) fn new(head: Arc<RequestHead>, auth: Option<Payload>) -> Self {
        Self { tag: Tag::new(Self::KIND), head, auth }
    }

    /// The first value of a header of the request; `name` in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// All headers, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.head.headers()
    }

    /// The last value of a key of the query, decoded.
    pub fn query(&self, key: &str) -> Option<String> {
        self.head.query(key)
    }

    /// The target of the request: path and query.
    pub fn url(&self) -> &str {
        self.head.url()
    }

    /// The IP address of the client, or `unix`.
    pub fn address(&self) -> &str {
        self.head.address()
    }

    /// The object that the client sent to be let in, as JSON; `{}` when it sent none.
    pub fn auth(&self) -> &str {
        self.auth.as_ref().and_then(|auth| auth.arg(0)).unwrap_or("{}")
    }

    /// Whether the request came over TLS.
    pub fn secure(&self) -> bool {
        false
    }

    /// When the request came, in milliseconds since 1970.
    pub fn issued(&self) -> i64 {
        self.head.issued
    }
}
