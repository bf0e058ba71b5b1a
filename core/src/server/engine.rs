//! The Engine.IO server: its sessions by id, and what HTTP requests and WebSockets do with them.
//!
//! The rules are those of the official `engine.io` server, in its order of checks; statuses and bodies too.

use std::collections::HashMap;
use std::sync::Arc;

use crate::runtime::sync::RwLock;
use crate::runtime::sync::atomic::{AtomicBool, Ordering};
use bytes::Bytes;
use foldhash::fast::RandomState;
use http_body_util::Full;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::connection::{Connection, ExchangeReply, Layer};
use super::handshake::RequestHead;
use crate::data::id::Sid;
use crate::data::limits::Limits;
use crate::net::cors::CorsConfig;
use crate::net::http::{self, BodyError, Request, Response};
use crate::net::link::Stream;
use crate::net::listener::Peer;
use crate::proto::engine::handshake::{Refusal, Request as Query};
use crate::proto::engine::packet::Transport;
use crate::proto::engine::session::{Answer, SessionConfig};
use crate::runtime::dispatch::dispatcher::Dispatcher;
use crate::runtime::{Runtime, log, new_sid};

/// What an Engine.IO server is made of.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// What the path of a request starts with, `/` at both ends.
    pub path: String,
    /// The transports that clients may use.
    pub transports: Vec<Transport>,
    /// Heartbeat and upgrade.
    pub session: SessionConfig,
    /// Bounds.
    pub limits: Limits,
    /// Who may use the server from a page of another origin; nobody gets headers for that without.
    pub cors: Option<CorsConfig>,
}

/// Makes the layer of a new connection from the request that opened it.
pub type OpenLayer<L> = Box<dyn Fn(RequestHead) -> L + Send + Sync>;

/// An Engine.IO server.
pub struct Engine<L: Layer> {
    runtime: Arc<Runtime>,
    dispatcher: Arc<Dispatcher>,
    config: EngineConfig,
    session: Arc<SessionConfig>,
    sessions: [Shard<L>; SHARDS],
    open: OpenLayer<L>,
    closed: AtomicBool,
}

type Shard<L> = RwLock<HashMap<Sid, Arc<Connection<L>>, RandomState>>;

/// Maps that the sessions are spread over, so that handshakes do not wait for each other.
const SHARDS: usize = 16;

impl<L: Layer> Engine<L> {
    /// A server without sessions.
    pub(crate) fn new(
        runtime: Arc<Runtime>,
        dispatcher: Arc<Dispatcher>,
        config: EngineConfig,
        open: OpenLayer<L>,
    ) -> Arc<Self> {
        let session = Arc::new(config.session.clone());
        let sessions = std::array::from_fn(|_| RwLock::default());
        Arc::new(Self { runtime, dispatcher, config, session, sessions, open, closed: AtomicBool::new(false) })
    }

    /// Whether a request to this path is one of ours.
    pub fn serves(&self, path: &str) -> bool {
        path.starts_with(&self.config.path)
    }

    /// How many sessions there are.
    pub fn count(&self) -> usize {
        self.sessions.iter().map(|shard| shard.read().len()).sum()
    }

    /// Refuses new sessions from now on.
    pub fn stop(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// All connections.
    pub fn connections(&self) -> Vec<Arc<Connection<L>>> {
        self.sessions.iter().flat_map(|shard| shard.read().values().cloned().collect::<Vec<_>>()).collect()
    }

    /// Answers one request to our path.
    pub(crate) async fn handle(self: Arc<Self>, request: Request, peer: Peer) -> Response {
        let Some(cors) = &self.config.cors else { return self.answer(request, &peer).await };
        if request.method() == Method::OPTIONS {
            let mut answer = response(StatusCode::NO_CONTENT, None, Bytes::new());
            cors.preflight(request.headers(), answer.headers_mut());
            answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            return answer;
        }
        let origin = request.headers().get(header::ORIGIN).cloned();
        let mut answer = self.answer(request, &peer).await;
        cors.decorate(origin.as_ref(), answer.headers_mut());
        answer
    }

    async fn answer(self: &Arc<Self>, mut request: Request, peer: &Peer) -> Response {
        if wants_upgrade(&request) { self.upgrade(&mut request, peer) } else { self.poll(request, peer).await }
    }

    /// A client whose WebSocket is open, in a model.
    #[cfg(shuttle)]
    pub(super) fn accept(self: &Arc<Self>, stream: Stream) {
        self.attach(None, Some(RequestHead::of_model()), stream, &[]);
    }

    pub(super) fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// Gives connections their queues.
    pub(super) fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.config.limits
    }

    pub(super) fn session_config(&self) -> &Arc<SessionConfig> {
        &self.session
    }

    pub(super) fn forget(&self, sid: &Sid) {
        self.shard(sid).write().remove(sid.as_str());
    }

    fn shard(&self, sid: &str) -> &Shard<L> {
        // The last characters hold the sequence number, which spreads evenly.
        &self.sessions[usize::from(sid.bytes().next_back().unwrap_or_default()) % SHARDS]
    }

    fn find(&self, sid: &str) -> Option<Arc<Connection<L>>> {
        self.shard(sid).read().get(sid).cloned()
    }

    /// Whether no more sessions are taken.
    fn is_full(&self) -> bool {
        self.closed.load(Ordering::SeqCst) || self.config.limits.sessions.is_some_and(|limit| self.count() >= limit)
    }

    /// A new session; `None` when the server takes no more.
    fn open(self: &Arc<Self>, transport: Transport, head: RequestHead) -> Option<Arc<Connection<L>>> {
        if self.is_full() {
            log::warning!(Engine, "a client was refused: no more sessions are taken");
            return None;
        }
        let sid = new_sid();
        log::debug!(Engine, "session {}: opened over {} from {}", sid.label(), transport.as_str(), head.address());
        let connection = Connection::new(self, sid, transport, (self.open)(head));
        let mut shard = self.shard(&sid).write();
        // Looked at under the lock: the server's end takes each lock after it has set this.
        if self.closed.load(Ordering::SeqCst) {
            return None;
        }
        shard.insert(sid, connection.clone());
        Some(connection)
    }

    /// The polling transport, and everything that is none.
    async fn poll(self: &Arc<Self>, request: Request, peer: &Peer) -> Response {
        let query = match Query::parse(request.uri().query().unwrap_or_default(), &self.config.transports) {
            Ok(query) => query,
            Err(refusal) => return refused(refusal),
        };
        let is_get = request.method() == Method::GET;
        let Some(sid) = &query.sid else {
            if let Err(refusal) = query.check_method(is_get, false).and_then(|()| query.check_version()) {
                return refused(refusal);
            }
            let Some(connection) = self.open(Transport::Polling, RequestHead::new(&request, peer)) else {
                return response(StatusCode::SERVICE_UNAVAILABLE, None, Bytes::new());
            };
            return packets(connection.poll_started().answer().await);
        };
        let Some(connection) = self.find(sid) else { return refused(Refusal::SessionUnknown) };
        if let Err(refusal) = connection.check(&query, false) {
            return refused(refusal);
        }
        match *request.method() {
            Method::GET => packets(connection.poll_started().answer().await),
            Method::POST => self.post(&connection, request).await,
            _ => response(StatusCode::INTERNAL_SERVER_ERROR, None, Bytes::new()),
        }
    }

    async fn post(&self, connection: &Arc<Connection<L>>, request: Request) -> Response {
        let exchange = connection.post_started();
        let is_binary = request
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes() == b"application/octet-stream");
        if is_binary {
            exchange.invalid();
        }
        if exchange.is_answered() {
            return posted(&exchange.answer().await);
        }
        match http::read_body(request.into_body(), self.config.limits.max_payload).await {
            Ok(body) => {
                exchange.post(&body).await;
                posted(&exchange.answer().await)
            }
            Err(BodyError::TooLarge) => {
                exchange.refuse();
                too_large()
            }
            // Nothing of it is handled, and dropping the exchange says that the peer went away.
            Err(BodyError::Cut) => response(StatusCode::BAD_REQUEST, None, Bytes::new()),
        }
    }

    /// A request for a WebSocket.
    fn upgrade(self: &Arc<Self>, request: &mut Request, peer: &Peer) -> Response {
        let (connection, accept) = match self.check_upgrade(request) {
            Ok(checked) => checked,
            Err(refusal) => {
                log::debug!(Engine, "a WebSocket was refused: {}", refusal.message());
                let mut refused =
                    response(StatusCode::BAD_REQUEST, Some("text/html"), refusal.message().as_bytes().into());
                refused.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                return refused;
            }
        };
        if connection.is_none() && self.is_full() {
            let mut full = response(StatusCode::SERVICE_UNAVAILABLE, None, Bytes::new());
            full.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return full;
        }
        let head = connection.is_none().then(|| RequestHead::new(request, peer));
        let (engine, upgraded) = (self.clone(), hyper::upgrade::on(&mut **request));
        self.runtime.spawn(async move {
            if let Some((stream, read)) = upgraded.await.ok().and_then(http::into_stream) {
                engine.attach(connection, head, stream, &read);
            }
        });
        let mut switching = response(StatusCode::SWITCHING_PROTOCOLS, None, Bytes::new());
        let headers = switching.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        switching
    }

    /// The session that the WebSocket is for, if it has one already, and the answer to its key.
    #[expect(clippy::type_complexity, reason = "a pair, used once")]
    fn check_upgrade(&self, request: &Request) -> Result<(Option<Arc<Connection<L>>>, HeaderValue), Refusal> {
        let query = Query::parse(request.uri().query().unwrap_or_default(), &self.config.transports)?;
        if self.config.cors.as_ref().is_some_and(|cors| !cors.allows(request.headers().get(header::ORIGIN))) {
            return Err(Refusal::BadRequest);
        }
        let connection = if let Some(sid) = &query.sid {
            let connection = self.find(sid).ok_or(Refusal::SessionUnknown)?;
            connection.check(&query, true)?;
            Some(connection)
        } else {
            query.check_method(request.method() == Method::GET, true)?;
            query.check_version()?;
            None
        };
        let headers = request.headers();
        let version = headers.get(header::SEC_WEBSOCKET_VERSION).map(HeaderValue::as_bytes);
        let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| is_key(key.as_bytes()));
        match (request.method() == Method::GET, version, key) {
            (true, Some(b"13" | b"8"), Some(key)) => {
                let accept = derive_accept_key(key.as_bytes());
                Ok((connection, HeaderValue::try_from(accept).map_err(|_| Refusal::BadRequest)?))
            }
            _ => Err(Refusal::BadRequest),
        }
    }

    fn attach(
        self: &Arc<Self>,
        connection: Option<Arc<Connection<L>>>,
        head: Option<RequestHead>,
        stream: Stream,
        read: &[u8],
    ) {
        match (connection, head) {
            (Some(connection), _) => connection.attach(stream, read, false),
            (None, Some(head)) => {
                if let Some(connection) = self.open(Transport::WebSocket, head) {
                    connection.attach(stream, read, true);
                }
            }
            (None, None) => {}
        }
    }
}

fn wants_upgrade(request: &Request) -> bool {
    let has = |name: HeaderName, token: &str| {
        request.headers().get_all(name).iter().any(|value| {
            value.to_str().is_ok_and(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
        })
    };
    has(header::UPGRADE, "websocket") && has(header::CONNECTION, "upgrade")
}

/// Whether this is a `Sec-WebSocket-Key`: 16 bytes in base64.
fn is_key(key: &[u8]) -> bool {
    key.len() == 24
        && key.ends_with(b"==")
        && key[..22].iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

fn response(status: StatusCode, content_type: Option<&'static str>, body: Bytes) -> Response {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}

fn refused(refusal: Refusal) -> Response {
    log::debug!(Engine, "a request was refused: {}", refusal.message());
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    response(status, Some("application/json"), refusal.body().into())
}

fn too_large() -> Response {
    let mut response = response(StatusCode::PAYLOAD_TOO_LARGE, None, Bytes::new());
    // The rest of the body is not read.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The answer to a `GET`.
fn packets(reply: ExchangeReply) -> Response {
    let body = match reply {
        ExchangeReply::Packets(packets) => packets,
        ExchangeReply::Answer(Answer::Noop) => Bytes::from_static(b"6"),
        ExchangeReply::Answer(Answer::Close) => Bytes::from_static(b"1"),
        ExchangeReply::Answer(_) => return response(StatusCode::BAD_REQUEST, None, Bytes::new()),
        ExchangeReply::Failed => return response(StatusCode::INTERNAL_SERVER_ERROR, None, Bytes::new()),
    };
    let mut response = response(StatusCode::OK, Some("text/plain; charset=UTF-8"), body);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer to a `POST`.
fn posted(reply: &ExchangeReply) -> Response {
    match reply {
        ExchangeReply::Answer(Answer::Ok) => {
            let mut response = response(StatusCode::OK, Some("text/html"), Bytes::from_static(b"ok"));
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        ExchangeReply::Failed => response(StatusCode::INTERNAL_SERVER_ERROR, None, Bytes::new()),
        _ => response(StatusCode::BAD_REQUEST, None, Bytes::new()),
    }
}
