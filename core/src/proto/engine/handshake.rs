//! The first words of a session: what the query of a request asks for, what is refused and how, and the packet that
//! opens a session.
//!
//! A server checks a request in the order of the official one:
//!
//! 1. [`Request::parse`]: the transport;
//! 2. the `Origin` header, which is the shell's ([`Refusal::BadRequest`]);
//! 3. with a `sid`: is there such a session ([`Refusal::SessionUnknown`]), and
//!    [`ServerSession::check`](super::server::ServerSession::check);
//!    without: [`Request::check_method`], then the shell's own policy ([`Refusal::Forbidden`]), then
//!    [`Request::check_version`].

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::packet::{Malformed, Transport};
use super::session::SessionConfig;

/// What the query of a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The transport, one of those that the server allows.
    pub transport: Transport,
    /// The session it belongs to; without one it opens a session.
    pub sid: Option<Cow<'a, str>>,
    /// Whether it speaks version 4 of the protocol.
    pub version_4: bool,
    /// Whether the client reads text only: binary messages go as base64 on a WebSocket too.
    pub base64: bool,
    /// The number of the callback that a client without `XMLHttpRequest` wants the answer wrapped in (JSONP).
    pub jsonp: Option<Cow<'a, str>>,
}

impl<'a> Request<'a> {
    /// Reads a query string (without `?`). Of a key that comes twice the last one counts.
    pub fn parse(query: &'a str, allowed: &[Transport]) -> Result<Self, Refusal> {
        let (mut transport, mut sid, mut jsonp) = (None, None, None);
        let (mut version_4, mut base64) = (false, false);
        for (key, value) in query_pairs(query) {
            match &*key {
                "transport" => transport = Transport::from_name(&value),
                "sid" => sid = Some(value).filter(|sid| !sid.is_empty()),
                "EIO" => version_4 = value == "4",
                "b64" => base64 = !value.is_empty(),
                "j" => jsonp = Some(value),
                _ => {}
            }
        }
        let transport = transport.filter(|it| allowed.contains(it)).ok_or(Refusal::TransportUnknown)?;
        Ok(Self { transport, sid, version_4, base64, jsonp })
    }

    /// Whether a request without `sid` may open a session: only a `GET`, and a WebSocket only by an HTTP upgrade
    /// (`upgrade`: the request asks for one).
    pub fn check_method(&self, is_get: bool, upgrade: bool) -> Result<(), Refusal> {
        if !is_get {
            Err(Refusal::BadHandshakeMethod)
        } else if upgrade == (self.transport == Transport::WebSocket) {
            Ok(())
        } else {
            Err(Refusal::BadRequest)
        }
    }

    /// Whether the protocol's version is one we speak.
    pub const fn check_version(&self) -> Result<(), Refusal> {
        if self.version_4 { Ok(()) } else { Err(Refusal::UnsupportedVersion) }
    }
}

/// The pairs of a query string, decoded as browsers do: `+` is a space, a `%` without two digits stands for itself, and
/// what is not UTF-8 becomes U+FFFD.
pub fn query_pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key), decode(value))
    })
}

fn decode(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let mut rest = text.as_bytes();
    let mut decoded = Vec::with_capacity(rest.len());
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (*byte, tail) {
            (b'+', _) => decoded.push(b' '),
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                decoded.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            (byte, _) => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()).into()
}

/// The value of an ASCII hexadecimal digit.
const fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// Why a server turns a request down, with the numbers and words of the official one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The transport is missing, unknown or not allowed.
    TransportUnknown = 0,
    /// There is no session of that id.
    SessionUnknown = 1,
    /// A session is opened by `GET`.
    BadHandshakeMethod = 2,
    /// The request does not fit the session, or cannot be right.
    BadRequest = 3,
    /// The application refused.
    Forbidden = 4,
    /// The client speaks another version of the protocol.
    UnsupportedVersion = 5,
}

impl Refusal {
    /// The number in the body.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The words in the body.
    pub const fn message(self) -> &'static str {
        match self {
            Self::TransportUnknown => "Transport unknown",
            Self::SessionUnknown => "Session ID unknown",
            Self::BadHandshakeMethod => "Bad handshake method",
            Self::BadRequest => "Bad request",
            Self::Forbidden => "Forbidden",
            Self::UnsupportedVersion => "Unsupported protocol version",
        }
    }

    /// The HTTP status of the answer; a request for a WebSocket is answered with 400 and the bare message instead.
    pub const fn status(self) -> u16 {
        if matches!(self, Self::Forbidden) { 403 } else { 400 }
    }

    /// The body of the answer, `application/json`.
    pub fn body(self) -> String {
        format!(r#"{{"code":{},"message":"{}"}}"#, self.code(), self.message())
    }
}

/// What a server tells a client when a session opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The session's id, a secret of the two.
    pub sid: String,
    /// Whether the session may move to a WebSocket.
    pub websocket: bool,
    /// How often the server sends a ping.
    pub ping_interval: Duration,
    /// How long after that the client gives up.
    pub ping_timeout: Duration,
    /// The largest body that the server takes, if it says so.
    pub max_payload: Option<usize>,
}

/// [`Handshake`] as JSON, keys in the official order.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Open<'a> {
    #[serde(borrow)]
    sid: Cow<'a, str>,
    upgrades: Vec<Cow<'a, str>>,
    ping_interval: u64,
    ping_timeout: u64,
    #[serde(default)]
    max_payload: Option<u64>,
}

impl Handshake {
    /// What a server with that configuration says to a session that begins on `transport`.
    pub fn new(sid: &str, transport: Transport, config: &SessionConfig) -> Self {
        Self {
            sid: sid.to_owned(),
            websocket: config.upgrades && transport == Transport::Polling,
            ping_interval: config.ping_interval,
            ping_timeout: config.ping_timeout,
            max_payload: Some(config.max_payload),
        }
    }

    /// The packet that opens a session: `0` and JSON.
    pub fn packet(&self) -> String {
        let open = Open {
            sid: Cow::Borrowed(&self.sid),
            upgrades: if self.websocket { vec![Transport::WebSocket.as_str().into()] } else { Vec::new() },
            ping_interval: self.ping_interval.as_millis() as u64,
            ping_timeout: self.ping_timeout.as_millis() as u64,
            max_payload: self.max_payload.map(|bytes| bytes as u64),
        };
        let json = serde_json::to_string(&open).unwrap_or_default();
        format!("0{json}")
    }

    /// Reads the JSON of that packet. Keys and upgrades that we do not know are left out.
    pub fn parse(json: &str) -> Result<Self, Malformed> {
        let open: Open<'_> = serde_json::from_str(json).map_err(|_| Malformed)?;
        Ok(Self {
            sid: open.sid.into_owned(),
            websocket: open.upgrades.iter().any(|name| name == Transport::WebSocket.as_str()),
            ping_interval: Duration::from_millis(open.ping_interval),
            ping_timeout: Duration::from_millis(open.ping_timeout),
            max_payload: open.max_payload.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Transport; 2] = [Transport::Polling, Transport::WebSocket];

    #[test]
    fn a_query_is_read() {
        let request = Request::parse("EIO=4&transport=polling&t=abc&sid=a%2Db&b64=1&j=3", &ALL).unwrap();
        assert_eq!(request.transport, Transport::Polling);
        assert_eq!(request.sid.as_deref(), Some("a-b"));
        assert!(request.version_4 && request.base64);
        assert_eq!(request.jsonp.as_deref(), Some("3"));
        let request = Request::parse("&transport=polling&transport=websocket&sid=&EIO=04&", &ALL).unwrap();
        assert_eq!((request.transport, request.sid, request.version_4), (Transport::WebSocket, None, false));
    }

    #[test]
    fn unknown_and_forbidden_transports_are_refused_first() {
        for query in ["", "EIO=4", "transport=", "transport=webtransport&EIO=3", "transport=polling%00", "transport"] {
            assert_eq!(Request::parse(query, &ALL), Err(Refusal::TransportUnknown), "{query}");
        }
        let refused = Request::parse("EIO=4&transport=polling", &[Transport::WebSocket]);
        assert_eq!(refused, Err(Refusal::TransportUnknown));
    }

    #[test]
    fn a_session_is_opened_by_get_and_a_websocket_by_an_upgrade() {
        for (transport, is_get, upgrade, expected) in [
            ("polling", true, false, Ok(())),
            ("websocket", true, true, Ok(())),
            ("polling", false, false, Err(Refusal::BadHandshakeMethod)),
            ("websocket", false, false, Err(Refusal::BadHandshakeMethod)),
            ("websocket", true, false, Err(Refusal::BadRequest)),
            ("polling", true, true, Err(Refusal::BadRequest)),
        ] {
            let query = format!("transport={transport}");
            let request = Request::parse(&query, &ALL).unwrap();
            assert_eq!(request.check_method(is_get, upgrade), expected);
            assert_eq!(request.check_version(), Err(Refusal::UnsupportedVersion));
        }
        for (version, expected) in
            [("4", Ok(())), ("3", Err(Refusal::UnsupportedVersion)), ("", Err(Refusal::UnsupportedVersion))]
        {
            let query = format!("EIO={version}&transport=polling");
            assert_eq!(Request::parse(&query, &ALL).unwrap().check_version(), expected);
        }
    }

    #[test]
    fn queries_are_decoded_as_browsers_do() {
        let pairs = |query| query_pairs(query).map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
        assert_eq!(pairs("a=1&b=x+y%20z&c&=d&e=1=2"), ["a=1", "b=x y z", "c=", "=d", "e=1=2"]);
        assert_eq!(
            pairs("a=%&b=%4&c=%zz&d=%E2%82%AC&e=%ff&%61=%2b"),
            ["a=%", "b=%4", "c=%zz", "d=€", "e=\u{fffd}", "a=+"]
        );
        assert!(matches!(query_pairs("plain=text").next(), Some((Cow::Borrowed(_), Cow::Borrowed(_)))));
    }

    #[test]
    fn refusals_have_the_official_form() {
        for (refusal, status, body) in [
            (Refusal::TransportUnknown, 400, r#"{"code":0,"message":"Transport unknown"}"#),
            (Refusal::SessionUnknown, 400, r#"{"code":1,"message":"Session ID unknown"}"#),
            (Refusal::BadHandshakeMethod, 400, r#"{"code":2,"message":"Bad handshake method"}"#),
            (Refusal::BadRequest, 400, r#"{"code":3,"message":"Bad request"}"#),
            (Refusal::Forbidden, 403, r#"{"code":4,"message":"Forbidden"}"#),
            (Refusal::UnsupportedVersion, 400, r#"{"code":5,"message":"Unsupported protocol version"}"#),
        ] {
            assert_eq!((refusal.status(), refusal.body().as_str()), (status, body));
        }
    }

    #[test]
    fn the_open_packet_goes_both_ways() {
        let handshake = Handshake::new("abc", Transport::Polling, &SessionConfig::default());
        let packet = handshake.packet();
        let json =
            r#"{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
        assert_eq!(packet, format!("0{json}"));
        assert_eq!(Handshake::parse(json), Ok(handshake));
        assert!(
            Handshake::new("abc", Transport::WebSocket, &SessionConfig::default())
                .packet()
                .contains(r#""upgrades":[]"#)
        );
    }

    #[test]
    fn an_open_packet_of_an_older_server_has_no_payload_and_of_a_newer_one_more_keys() {
        let json = r#"{"sid":"a\u0062","upgrades":["webtransport"],"pingInterval":1,"pingTimeout":2,"new":[{}]}"#;
        let handshake = Handshake::parse(json).unwrap();
        assert_eq!((handshake.sid.as_str(), handshake.websocket, handshake.max_payload), ("ab", false, None));
        for json in
            ["", "{}", "null", r#"{"sid":"a"}"#, r#"{"sid":"a","upgrades":[],"pingInterval":-1,"pingTimeout":2}"#]
        {
            assert_eq!(Handshake::parse(json), Err(Malformed), "{json}");
        }
    }
}
