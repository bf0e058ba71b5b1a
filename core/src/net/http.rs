//! HTTP/1.1 connections of a server, on hyper.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper::{StatusCode, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpStream, UnixStream};
use tokio_util::sync::CancellationToken;

use super::link::Stream;
use super::listener::Peer;

/// A request as hyper hands it over, its body still on the way.
pub(crate) type Request = hyper::Request<Incoming>;

/// An answer, whole.
pub(crate) type Response = hyper::Response<Full<Bytes>>;

/// The bytes that a request's head may have.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// The headers that a request may have.
const MAX_HEADERS: usize = 100;

/// How long a request's head may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the last answer may take when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// What answers the requests of a server.
pub(crate) trait Service: Clone + Send + 'static {
    /// Answers one request. Dropped when the peer goes away meanwhile.
    fn call(self, request: Request, peer: Peer) -> impl Future<Output = Response> + Send;
}

/// Serves one connection until it ends or becomes a WebSocket. After `stop` the request that is being answered is the
/// last.
pub(crate) async fn serve(stream: Stream, peer: Peer, service: impl Service, stop: CancellationToken) {
    stream.set_nodelay();
    match stream {
        Stream::Tcp(stream) => serve_io(TokioIo::new(stream), peer, service, stop).await,
        Stream::Unix(stream) => serve_io(TokioIo::new(stream), peer, service, stop).await,
    }
}

async fn serve_io<I>(io: I, peer: Peer, service: impl Service, stop: CancellationToken)
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let answer = service_fn(|request| {
        let answered = service.clone().call(request, peer.clone());
        async { Ok::<_, std::convert::Infallible>(answered.await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        // The answers are whole and small: copied into one buffer they go out cheaper than as two slices.
        .writev(false);
    let mut connection = pin!(http.serve_connection(io, answer).with_upgrades());
    // A peer that breaks HTTP has been answered by hyper; a broken connection is an ordinary end.
    tokio::select! { biased;
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(STOP_TIMEOUT, connection).await;
        }
    }
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

/// The bare stream under an upgraded connection, and what was read of it already.
pub(crate) fn into_stream(upgraded: Upgraded) -> Option<(Stream, Bytes)> {
    let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => return Some((Stream::Tcp(parts.io.into_inner()), parts.read_buf)),
        Err(upgraded) => upgraded,
    };
    let parts = upgraded.downcast::<TokioIo<UnixStream>>().ok()?;
    Some((Stream::Unix(parts.io.into_inner()), parts.read_buf))
}
