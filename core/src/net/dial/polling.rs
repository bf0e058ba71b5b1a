//! Polling: an Engine.IO session carried by HTTP requests.

use std::error::Error as _;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::Target;
use crate::error::{Error, ErrorKind, Result};
use crate::proto::engine::packet::Transport;

/// Longest part of an error answer that is told to the program.
const MAX_REPORTED: usize = 256;

/// Sends the requests of one session, over kept-alive connections that end with it. Cheap to clone. To be used inside
/// a tokio runtime; a request that is dropped is called off.
#[derive(Clone, Debug)]
pub(crate) struct PollingClient {
    client: Client<HttpConnector, Full<Bytes>>,
    target: Arc<Target>,
    max_body: usize,
}

impl PollingClient {
    /// For the server at `target`. An answer may have at most `max_body` bytes.
    pub(crate) fn new(target: Arc<Target>, max_body: usize) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { client, target, max_body }
    }

    /// Asks for what the server has to send: the handshake when there is no session yet.
    ///
    /// # Errors
    /// `Io` or `Resolve` when there is no connection, `Http` for an answer other than 200, `TooLarge` past `max_body`.
    pub(crate) async fn get(&self, sid: Option<&str>) -> Result<Bytes> {
        self.request(Method::GET, sid, Bytes::new()).await.map_err(|error| during("xhr poll error", &error))
    }

    /// Sends a payload.
    ///
    /// # Errors
    /// Those of [`get`](Self::get).
    pub(crate) async fn post(&self, sid: &str, body: Bytes) -> Result<()> {
        let answer = self.request(Method::POST, Some(sid), body).await;
        answer.map(drop).map_err(|error| during("xhr post error", &error))
    }

    async fn request(&self, method: Method, sid: Option<&str>, body: Bytes) -> Result<Bytes> {
        let mut request = Request::new(Full::new(body));
        *request.uri_mut() = self.target.uri(Transport::Polling, sid)?;
        request.headers_mut().clone_from(&self.target.headers);
        if method == Method::POST {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=UTF-8"));
        }
        *request.method_mut() = method;
        let response = self.client.request(request).await.map_err(|error| connect_error(&error))?;
        let status = response.status();
        let body = read_body(response.into_body(), self.max_body).await?;
        if status == StatusCode::OK {
            return Ok(body);
        }
        let text = String::from_utf8_lossy(&body[..body.len().min(MAX_REPORTED)]);
        Err(Error::new(ErrorKind::Http, format!("status {}: {:?}", status.as_u16(), text)))
    }
}

/// The body as one piece; its size is checked before bytes are kept.
async fn read_body(mut body: Incoming, max: usize) -> Result<Bytes> {
    let too_large = || Error::new(ErrorKind::TooLarge, format!("the answer has more than {max} bytes"));
    if body.size_hint().lower() > max as u64 {
        return Err(too_large());
    }
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Error::new(ErrorKind::Io, error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > max - first.len() - whole.len() {
            return Err(too_large());
        }
        // Most answers are one piece: that is not copied.
        if first.is_empty() && whole.is_empty() {
            first = data;
            continue;
        }
        whole.extend_from_slice(&std::mem::take(&mut first));
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

fn connect_error(error: &hyper_util::client::legacy::Error) -> Error {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    let kind = if text.contains("dns error") { ErrorKind::Resolve } else { ErrorKind::Io };
    Error::new(kind, text)
}

/// The error as the official client names it, with what happened behind it.
fn during(what: &str, error: &Error) -> Error {
    Error::new(error.kind(), format!("{what}: {error}"))
}
