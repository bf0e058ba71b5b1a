//! The WebSocket handshake of a client (RFC 6455, section 4.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::header::{
    CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::Target;
use crate::error::{Error, ErrorKind, Result};
use crate::proto::engine::packet::Transport;
use crate::runtime::fill_random;
use crate::runtime::panics::Caught;

/// Opens a WebSocket at `target`, for the session `sid` if there is one already. Returns the stream and the bytes that
/// came behind the handshake. Dropped, it is called off. To be used inside a tokio runtime.
///
/// # Errors
/// `Io` or `Resolve` when there is no connection, `WebSocket` when the server does not upgrade it.
pub(crate) async fn open(target: &Target, sid: Option<&str>) -> Result<(TcpStream, Bytes)> {
    upgrade(target, sid).await.map_err(|error| Error::new(error.kind(), format!("websocket error: {error}")))
}

async fn upgrade(target: &Target, sid: Option<&str>) -> Result<(TcpStream, Bytes)> {
    let stream = connect(&target.host, target.port).await?;
    // Without it small frames wait for the acknowledgement of those before.
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| refused(&error))?;
    // Ends with the handshake, or when its sender is dropped.
    tokio::spawn(Caught::new(connection.with_upgrades()));

    let mut random = [0; 16];
    fill_random(&mut random);
    let key = BASE64.encode(random);
    let response = sender.send_request(request(target, sid, &key)?).await.map_err(|error| refused(&error))?;
    check(response.status(), response.headers(), &key)?;

    let upgraded = hyper::upgrade::on(response).await.map_err(|error| refused(&error))?;
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => Ok((parts.io.into_inner(), parts.read_buf)),
        Err(_) => Err(Error::new(ErrorKind::WebSocket, "the stream was exchanged")),
    }
}

/// Connects to the first address of the host that answers.
async fn connect(host: &str, port: u16) -> Result<TcpStream> {
    let resolve_error = |why: String| Error::new(ErrorKind::Resolve, format!("{host:?} cannot be resolved: {why}"));
    let mut last = resolve_error("it has no address".to_owned());
    for address in lookup_host((host, port)).await.map_err(|error| resolve_error(error.to_string()))? {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Error::new(ErrorKind::Io, format!("{address}: {error}")),
        }
    }
    Err(last)
}

fn request(target: &Target, sid: Option<&str>, key: &str) -> Result<Request<Empty<Bytes>>> {
    let invalid = |_| Error::new(ErrorKind::InvalidArgument, "the host cannot be named in a header");
    let mut headers = target.headers.clone();
    if !headers.contains_key(HOST) {
        headers.insert(HOST, HeaderValue::from_str(&target.authority).map_err(invalid)?);
    }
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_str(key).map_err(invalid)?);

    let mut request = Request::new(Empty::new());
    let uri = target.uri(Transport::WebSocket, sid)?;
    // A server is asked for a path, only a proxy for a whole URL.
    *request.uri_mut() = uri.path_and_query().cloned().map_or(uri, Into::into);
    *request.headers_mut() = headers;
    Ok(request)
}

/// Checks that the server speaks WebSocket, means this very request, and wants nothing that was not offered.
fn check(status: StatusCode, headers: &HeaderMap, key: &str) -> Result<()> {
    let error = |why: String| Err(Error::new(ErrorKind::WebSocket, why));
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return error(format!("the server answered with status {}", status.as_u16()));
    }
    if !has_token(headers, &UPGRADE, "websocket") || !has_token(headers, &CONNECTION, "upgrade") {
        return error("the server upgraded to something else".to_owned());
    }
    if headers.get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes)
        != Some(derive_accept_key(key.as_bytes()).as_bytes())
    {
        return error("the server answered another key".to_owned());
    }
    for name in [SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL] {
        if headers.contains_key(&name) {
            return error(format!("the server chose a {name} that was not offered"));
        }
    }
    Ok(())
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|found| found.trim().eq_ignore_ascii_case(token))
}

fn refused(error: &hyper::Error) -> Error {
    Error::new(ErrorKind::WebSocket, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_the_answer_to_our_key_is_accepted() {
        let sound = [
            ("upgrade", "WebSocket"),
            ("connection", "keep-alive, Upgrade"),
            ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ];
        let status = StatusCode::SWITCHING_PROTOCOLS;
        assert!(check(status, &headers(&sound), KEY).is_ok());
        assert!(check(StatusCode::OK, &headers(&sound), KEY).is_err());
        for missing in 0..sound.len() {
            let mut pairs = sound.to_vec();
            pairs.remove(missing);
            assert!(check(status, &headers(&pairs), KEY).is_err(), "without {}", sound[missing].0);
        }
        assert!(check(status, &headers(&sound), "b3RoZXI=").is_err());
        let mut deflated = sound.to_vec();
        deflated.push(("sec-websocket-extensions", "permessage-deflate"));
        assert!(check(status, &headers(&deflated), KEY).is_err());
    }
}
