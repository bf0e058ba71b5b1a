//! The calling side: how a client reaches a server, by HTTP requests or by one WebSocket.

pub mod polling;
pub mod url;
pub mod websocket;

use hyper::Uri;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};

use crate::error::{Error, ErrorKind, Result};
use crate::proto::engine::packet::Transport;
use crate::runtime::new_sid;
use url::{Url, encode_component};

/// Headers that say how a message is framed or a connection is upgraded: those are ours.
const OWN_HEADERS: [HeaderName; 9] = [
    CONNECTION,
    CONTENT_LENGTH,
    SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Where an Engine.IO server is, and what every request to it carries.
#[derive(Clone, Debug)]
pub struct Target {
    host: String,
    port: u16,
    authority: String,
    /// Path and the program's part of the query, ready for `EIO=4` to be appended.
    base: String,
    headers: HeaderMap,
}

impl Target {
    /// The server at `url` that answers under `path`. `query` is appended to every request, instead of the query of the
    /// URL unless it is empty; `headers` are sent with every request.
    ///
    /// # Errors
    /// `InvalidArgument` when the path or a header cannot be sent.
    pub fn new(url: &Url, path: &str, query: &[(String, String)], headers: &[(String, String)]) -> Result<Self> {
        let mut base = String::from(path);
        if !base.starts_with('/') {
            base.insert(0, '/');
        }
        base.push('?');
        if query.is_empty() {
            if let Some(query) = url.query() {
                base.push_str(query);
                base.push('&');
            }
        } else {
            for (name, value) in query {
                encode_component(&mut base, name);
                base.push('=');
                encode_component(&mut base, value);
                base.push('&');
            }
        }
        let target = Self {
            host: url.host().to_owned(),
            port: url.port(),
            authority: url.authority(),
            base,
            headers: header_map(headers)?,
        };
        match target.uri(Transport::Polling, None) {
            Ok(_) => Ok(target),
            Err(_) => Err(Error::new(ErrorKind::InvalidArgument, format!("path {path:?} cannot be part of a URL"))),
        }
    }

    /// Host and port.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The URI of a request, of the session `sid` if there is one already.
    fn uri(&self, transport: Transport, sid: Option<&str>) -> Result<Uri> {
        let mut path = format!("{}EIO=4&transport={}", self.base, transport.as_str());
        if transport == Transport::Polling {
            // No cache on the way can have seen it.
            path.push_str("&t=");
            path.push_str(&new_sid().as_str()[..8]);
        }
        if let Some(sid) = sid {
            path.push_str("&sid=");
            encode_component(&mut path, sid);
        }
        Uri::builder()
            .scheme("http")
            .authority(self.authority.as_str())
            .path_and_query(path)
            .build()
            .map_err(|error| Error::new(ErrorKind::InvalidArgument, error.to_string()))
    }
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let invalid = |what| Error::new(ErrorKind::InvalidArgument, format!("header {name:?} {what}"));
        let value = HeaderValue::from_str(value).map_err(|_| invalid("has a value that cannot be sent"))?;
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid("is not a header name"))?;
        if OWN_HEADERS.contains(&name) {
            return Err(invalid("is set by the library"));
        }
        map.append(name, value);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn requests_carry_the_query_the_transport_and_the_session() {
        let url = Url::parse("http://example.com:3000/nsp?a=b").unwrap();
        let target = Target::new(&url, "/socket.io/", &[], &[]).unwrap();
        let uri = target.uri(Transport::WebSocket, Some("a/b")).unwrap();
        assert_eq!(uri, "http://example.com:3000/socket.io/?a=b&EIO=4&transport=websocket&sid=a%2Fb");
        let target = Target::new(&url, "x", &[pair("k y", "ü&")], &[]).unwrap();
        let uri = target.uri(Transport::Polling, None).unwrap().to_string();
        assert!(uri.starts_with("http://example.com:3000/x?k%20y=%C3%BC%26&EIO=4&transport=polling&t="), "{uri}");
    }

    #[test]
    fn headers_that_cannot_be_sent_are_refused_by_name() {
        let url = Url::parse("http://localhost").unwrap();
        for (name, value) in [("a b", ""), ("x", "a\r\nb: c"), ("Content-Length", "3"), ("sec-websocket-key", "k")] {
            let error = Target::new(&url, "/", &[], &[pair(name, value)]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.message().contains(name), "{error}");
        }
        assert!(Target::new(&url, "/a b", &[], &[]).is_err());
    }
}
