//! What JavaScript writes as JSON goes through unchanged: numbers of any length, halves of surrogate pairs.

#![allow(clippy::unwrap_used, reason = "a test")]

use socketio_core::data::Payload;
use socketio_core::runtime::{Runtime, RuntimeConfig};
use socketio_core::server::{Server, ServerConfig};
use socketio_tests::raw::WebSocket;

const ARGUMENTS: [&str; 5] = [
    r#""\ud800""#,
    r#"{"\udc00":"a\uD83Db\u00e9é"}"#,
    "0.1000000000000000055511151231257827",
    "123456789012345678901234567890",
    "[-0,1e400,1E-7,\"\\u2028\"]",
];

#[test]
fn arguments_are_the_same_text_on_both_wires() {
    let server = Server::new(&Runtime::new(&RuntimeConfig::default()).unwrap(), &ServerConfig::default()).unwrap();
    server.listen("127.0.0.1:0", Box::new(|_| {})).unwrap();
    let namespace = server.of("/").unwrap();
    namespace.on_any(Box::new(|_, event| event.take_ack().unwrap().send(event.payload()).unwrap())).get();
    let mut client = WebSocket::join(&server.address(0).unwrap());
    for argument in ARGUMENTS {
        client.send(&format!("421[\"echo\",{argument}]"));
        assert_eq!(client.text(), format!("431[{argument}]"));
        namespace.emit("told", &Payload::from_json(&format!("[{argument}]"), Vec::new()).unwrap()).unwrap();
        assert_eq!(client.text(), format!("42[\"told\",{argument}]"));
    }
}

#[test]
fn auth_may_hold_them_too() {
    let server = Server::new(&Runtime::new(&RuntimeConfig::default()).unwrap(), &ServerConfig::default()).unwrap();
    server.listen("127.0.0.1:0", Box::new(|_| {})).unwrap();
    let mut client = WebSocket::open(&server.address(0).unwrap());
    client.send(r#"40{"name":"\ud800"}"#);
    assert!(client.text().starts_with("40{"));
    let sockets = server.of("/").unwrap().sockets();
    assert_eq!(sockets[0].handshake().auth(), r#"{"name":"\ud800"}"#);
}
