//! What requests carry in text that we read ourselves: the query of a handshake, the answer to it, and the URL that a
//! client is given.

use socketio_core::net::cors::CorsConfig;
use socketio_core::net::dial::url::Url;
use socketio_core::proto::engine::handshake::{Handshake, Refusal, Request, query_pairs};
use socketio_core::proto::engine::packet::Transport;
use socketio_core::server::ServerConfig;

/// Every reader gets the same text.
pub(super) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    query(text);
    open_packet(text);
    url(text);
    options(text);
}

/// A query is read as browsers do, by the word of the WHATWG's own reader.
fn query(text: &str) {
    let pairs: Vec<_> = query_pairs(text).collect();
    assert!(pairs.iter().eq(form_urlencoded::parse(text.as_bytes()).collect::<Vec<_>>().iter()), "{pairs:?}");
    let last = |name: &str| pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| &**value);
    for allowed in [&[Transport::Polling, Transport::WebSocket][..], &[Transport::WebSocket], &[]] {
        let transport = last("transport").and_then(Transport::from_name).filter(|it| allowed.contains(it));
        match (Request::parse(text, allowed), transport) {
            (Ok(request), Some(transport)) => {
                assert_eq!(request.transport, transport);
                assert_eq!(request.sid.as_deref(), last("sid").filter(|sid| !sid.is_empty()));
                assert_eq!(request.version_4, last("EIO") == Some("4"));
                assert_eq!(request.base64, last("b64").is_some_and(|value| !value.is_empty()));
                assert_eq!(request.jsonp.as_deref(), last("j"));
            }
            (Err(Refusal::TransportUnknown), None) => {}
            (parsed, _) => panic!("{text:?} is not {parsed:?}"),
        }
    }
}

/// The packet that opens a session says the same when it is written again.
fn open_packet(text: &str) {
    let Ok(handshake) = Handshake::parse(text) else { return };
    let packet = handshake.packet();
    assert_eq!(Handshake::parse(&packet[1..]), Ok(handshake), "{packet}");
}

/// A URL says the same when it is put together from its parts.
fn url(text: &str) {
    let Ok(url) = Url::parse(text) else { return };
    assert!(!url.host().is_empty() && url.port() != 0 && !url.host().contains(['/', '?', '#', '@']), "{url:?}");
    assert!(url.path().is_empty() || url.path().starts_with('/'), "{url:?}");
    let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
    let again = format!("http://{}{}{query}", url.authority(), url.path());
    assert_eq!(Url::parse(&again).as_ref(), Ok(&url), "{again}");
}

/// Options that were taken can be written into headers.
fn options(text: &str) {
    if let Ok(config) = ServerConfig::from_json(text) {
        assert!(config.cors.as_ref().is_none_or(|cors| CorsConfig::check(cors).is_ok()));
    }
}
