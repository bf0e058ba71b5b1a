//! HTTP/1.1 connections of a server, on hyper.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpStream, UnixStream};

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

/// What answers the requests of a server.
pub(crate) trait Service: Clone + Send + 'static {
    /// Answers one request. Dropped when the peer goes away meanwhile.
    fn call(self, request: Request, peer: Peer) -> impl Future<Output = Response> + Send;
}

/// Serves one connection until it ends or becomes a WebSocket.
pub(crate) async fn serve(stream: Stream, peer: Peer, service: impl Service) {
    let answer = service_fn(|request| {
        let answered = service.clone().call(request, peer.clone());
        async { Ok::<_, std::convert::Infallible>(answered.await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        // The answers are whole and small: one write each without this is cheaper than a vectored one.
        .writev(false);
    // A peer that breaks HTTP has been answered by hyper; a broken connection is an ordinary end.
    let _ = match stream {
        Stream::Tcp(stream) => {
            let _ = stream.set_nodelay(true);
            http.serve_connection(TokioIo::new(stream), answer).with_upgrades().await
        }
        Stream::Unix(stream) => http.serve_connection(TokioIo::new(stream), answer).with_upgrades().await,
    };
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
