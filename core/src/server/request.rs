//! Requests that are not for us: a program may answer them itself.

use std::sync::Arc;

use crate::runtime::sync::Mutex;
use bytes::Bytes;
use http_body_util::Full;
use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue};
use tokio::sync::oneshot;

use super::handshake::RequestHead;
use crate::data::tag::{Kind, Tag};
use crate::error::{Error, ErrorKind, Result};
use crate::net::http::{self, BodyError, Response};
use crate::net::listener::Peer;
use crate::runtime::dispatch::delivery::Delivery;
use crate::runtime::dispatch::queue::Queue;

/// Answers requests outside the Socket.IO path. Called on a dispatch thread.
pub type RequestHandler = dyn Fn(&Request, Reply) + Send + Sync;

/// A request, its body included.
#[repr(C)]
#[derive(Clone, Debug)]
pub struct Request {
    tag: Tag,
    method: Box<str>,
    head: RequestHead,
    body: Bytes,
}

/// The right to answer a request, once, from any thread and at any time. Dropped unused it answers 500.
#[repr(C)]
#[derive(Debug)]
pub struct Reply {
    tag: Tag,
    sender: Mutex<Option<oneshot::Sender<Response>>>,
}

impl Request {
    /// The tag of requests.
    pub const KIND: Kind = Kind::new(*b"reqt");

    /// The method, in upper case as it came.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Path and query, as they came.
    pub fn target(&self) -> &str {
        self.head.url()
    }

    /// The path, as it came.
    pub fn path(&self) -> &str {
        self.target().split_once('?').map_or(self.target(), |(path, _)| path)
    }

    /// The first value of a header; `name` in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The IP address of the client, or `unix`.
    pub fn address(&self) -> &str {
        self.head.address()
    }
}

impl Reply {
    /// The tag of replies.
    pub const KIND: Kind = Kind::of_process(*b"rply");

    /// Answers. `Content-Length` is added.
    ///
    /// # Errors
    /// `InvalidArgument` for a status below 200 or above 599, or a header that HTTP does not allow; `Closed` when the
    /// client is gone. After the former the reply is used up too, and the client gets 500.
    pub fn send(self, status: u16, headers: &[(&str, &str)], body: Bytes) -> Result<()> {
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = StatusCode::from_u16(status)
            .ok()
            .filter(|_| (200..600).contains(&status))
            .ok_or_else(|| Error::new(ErrorKind::InvalidArgument, format!("{status} is no status of an answer")))?;
        for (name, value) in headers {
            let header = HeaderName::try_from(*name).ok().zip(HeaderValue::try_from(*value).ok());
            let (name, value) =
                header.ok_or_else(|| Error::new(ErrorKind::InvalidArgument, format!("{name:?} cannot be a header")))?;
            response.headers_mut().append(name, value);
        }
        let sender = self.sender.lock().take();
        sender
            .and_then(|sender| sender.send(response).ok())
            .ok_or_else(|| Error::new(ErrorKind::Closed, "the client is gone"))
    }
}

/// Has `handler` answer a request.
pub(super) async fn answer(
    handler: Arc<Box<RequestHandler>>,
    queue: Arc<Queue>,
    limit: usize,
    request: http::Request,
    peer: Peer,
) -> Response {
    let head = RequestHead::new(&request, &peer);
    let method = request.method().as_str().into();
    let body = match http::read_body(request.into_body(), limit).await {
        Ok(body) => body,
        Err(BodyError::TooLarge) => return empty(StatusCode::PAYLOAD_TOO_LARGE),
        Err(BodyError::Cut) => return empty(StatusCode::BAD_REQUEST),
    };
    let request = Request { tag: Tag::new(Request::KIND), method, head, body };
    let (sender, receiver) = oneshot::channel();
    let reply = Reply { tag: Tag::new(Reply::KIND), sender: Mutex::new(Some(sender)) };
    queue.push(Delivery::call(move || handler(&request, reply)));
    receiver.await.unwrap_or_else(|_| empty(StatusCode::INTERNAL_SERVER_ERROR))
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
