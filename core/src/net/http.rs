//! HTTP/1.1 connections of a server, on hyper.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper::{StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Notify;

use super::link::Stream;
use super::listener::Peer;
use crate::data::limits::Limits;
use crate::runtime::dispatch::wake;
use crate::runtime::panics::Caught;

/// A request as hyper hands it over, its body still on the way. Boxed, because it is moved through several futures, each of
/// which would have room for all of it.
pub(crate) type Request = Box<hyper::Request<Incoming>>;

/// An answer, whole.
pub(crate) type Response = hyper::Response<Full<Bytes>>;

/// The bytes that a request's head may have.
const MAX_HEAD_BYTES: usize = Limits::DEFAULT.request_head;

/// The headers that a request may have.
const MAX_HEADERS: usize = Limits::DEFAULT.request_headers;

/// How long the head of a connection's first request may take.
const HEAD_TIMEOUT: Duration = Limits::DEFAULT.request_head_time;

/// How long a connection may be idle before the head of the next request is there. Longer than a heartbeat, so that the
/// connection that a polling client sends by is not closed under it.
const KEEP_ALIVE: Duration = Limits::DEFAULT.keep_alive;

/// How many times within that an idle connection is looked at.
const LOOKS: u32 = 4;

/// How long the last answer may take when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// What answers the requests of a server.
pub(crate) trait Service: Clone + Send + 'static {
    /// Answers one request. Dropped when the peer goes away meanwhile.
    fn call(self, request: Request, peer: Peer) -> impl Future<Output = Response> + Send;
}

/// Tells connections and listeners of a server that it ends. Asking costs a load: a connection asks whenever it runs.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    said: AtomicBool,
    waiting: Notify,
}

impl Stop {
    /// Says it.
    pub(crate) fn say(&self) {
        self.said.store(true, Ordering::SeqCst);
        self.waiting.notify_waiters();
    }

    /// Whether it was said.
    pub(crate) fn is_said(&self) -> bool {
        self.said.load(Ordering::SeqCst)
    }

    /// Waits until it is said.
    pub(crate) async fn wait(&self) {
        let mut said = pin!(self.waiting.notified());
        said.as_mut().enable();
        if !self.is_said() {
            said.await;
        }
    }
}

/// Serves one connection until it ends or becomes a WebSocket. After `stop` the request that is being answered is the
/// last.
pub(crate) async fn serve(stream: Stream, peer: Peer, service: impl Service, stop: Arc<Stop>) {
    stream.set_nodelay();
    match stream {
        Stream::Tcp(stream) => serve_io(TokioIo::new(stream), peer, service, &stop).await,
        Stream::Unix(stream) => serve_io(TokioIo::new(stream), peer, service, &stop).await,
        #[cfg(shuttle)]
        Stream::Memory(_) => {}
    }
}

async fn serve_io<I>(io: I, peer: Peer, service: impl Service, stop: &Stop)
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let activity = Activity::default();
    let answer = service_fn(|request| {
        wake::count_work(1);
        let answered = Caught::new(service.clone().call(Box::new(request), peer.clone()));
        let under_way = activity.begin();
        async move {
            let answer = answered.await;
            drop(under_way);
            Ok::<_, Infallible>(answer.unwrap_or_else(|_| failed()))
        }
    });
    let mut http = http1::Builder::new();
    http.header_read_timeout(None)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        // The answers are whole and small: copied into one buffer they go out cheaper than as two slices.
        .writev(false);
    let mut connection = pin!(http.serve_connection(io, answer).with_upgrades());
    let mut look = pin!(tokio::time::sleep(HEAD_TIMEOUT));
    let mut idle = Idle::default();
    let mut stopped = pin!(stop.wait());
    let mut watching = false;
    let ended = poll_fn(|cx| {
        // A peer that breaks HTTP has been answered by hyper; a broken connection is an ordinary end.
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        if !std::mem::replace(&mut watching, true) {
            // Once is enough: it wakes this task, whoever looks at it then.
            let _ = stopped.as_mut().poll(cx);
            let _ = look.as_mut().poll(cx);
        }
        if stop.is_said() {
            return Poll::Ready(false);
        }
        while look.is_elapsed() {
            if idle.is_over(&activity) {
                return Poll::Ready(true);
            }
            look.as_mut().reset(tokio::time::Instant::now() + KEEP_ALIVE / LOOKS);
            let _ = look.as_mut().poll(cx);
        }
        Poll::Pending
    });
    if !ended.await {
        connection.as_mut().graceful_shutdown();
        let _ = tokio::time::timeout(STOP_TIMEOUT, connection).await;
    }
}

/// The requests of a connection. hyper's own timeout would set a timer for each of them; this is looked at now and then.
#[derive(Default)]
struct Activity {
    begun: AtomicU32,
    under_way: AtomicU32,
}

/// A request that is being answered.
struct UnderWay<'a>(&'a Activity);

impl Activity {
    fn begin(&self) -> UnderWay<'_> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(self)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How long nothing has begun.
#[derive(Default)]
struct Idle {
    begun: u32,
    looks: u32,
}

impl Idle {
    /// One look: whether the connection is to be closed. The first comes when the first head should be there.
    fn is_over(&mut self, activity: &Activity) -> bool {
        let begun = activity.begun.load(Ordering::Relaxed);
        let before = std::mem::replace(&mut self.begun, begun);
        if before != begun || activity.under_way.load(Ordering::Relaxed) > 0 {
            self.looks = 0;
            return false;
        }
        self.looks += 1;
        begun == 0 || self.looks > LOOKS
    }
}

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It is larger than allowed, or says that it will be.
    TooLarge,
    /// The peer went away before its end, or broke HTTP.
    Cut,
}

/// The whole body of a request, if it has at most `limit` bytes. One that comes in one piece is not copied.
pub(crate) async fn read_body(mut body: Incoming, limit: usize) -> Result<Bytes, BodyError> {
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLarge);
    }
    let mut first = Bytes::new();
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Cut)?.into_data() else { continue };
        if first.len().max(all.len()) + data.len() > limit {
            return Err(BodyError::TooLarge);
        }
        if first.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&data);
    }
    Ok(if all.is_empty() { first } else { all.into() })
}

/// The answer to what hyper lets pass and HTTP/1.1 does not: a request without `Host` (RFC 9112, 3.2).
pub(crate) fn refuse(request: &Request) -> Option<Response> {
    if request.version() < Version::HTTP_11 || request.headers().contains_key(header::HOST) {
        return None;
    }
    let mut response = Response::default();
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Some(response)
}

/// The answer to a request that a bug has shown with.
fn failed() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// The bare stream under an upgraded connection, and what was read of it already.
pub(crate) fn into_stream(upgraded: Upgraded) -> Option<(Stream, Bytes)> {
    let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => return Some((Stream::Tcp(parts.io.into_inner()), parts.read_buf)),
        Err(upgraded) => upgraded,
    };
    let parts = upgraded.downcast::<TokioIo<UnixStream>>().ok()?;
    Some((Stream::Unix(parts.io.into_inner()), parts.read_buf))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    #[derive(Clone)]
    struct Empty;

    impl Service for Empty {
        async fn call(self, _: Request, _: Peer) -> Response {
            Response::default()
        }
    }

    async fn connect() -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        drop(tokio::spawn(serve(Stream::Tcp(server), "test".into(), Empty, Arc::default())));
        client
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_never_sends_a_whole_head_is_closed() {
        let begun = Instant::now();
        let mut client = connect().await;
        client.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        assert_eq!(client.read(&mut [0; 16]).await.unwrap(), 0);
        assert!((HEAD_TIMEOUT..KEEP_ALIVE).contains(&begun.elapsed()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_kept_longer_than_a_heartbeat_lasts() {
        let mut client = connect().await;
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            assert!(client.read_buf(&mut answer).await.unwrap() > 0);
        }
        let idle = Instant::now();
        assert_eq!(client.read(&mut [0; 16]).await.unwrap(), 0);
        assert!((KEEP_ALIVE..2 * KEEP_ALIVE).contains(&idle.elapsed()), "{:?}", idle.elapsed());
    }
}
