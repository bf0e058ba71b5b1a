//! What a client says to be let in: set once, or asked for before each `CONNECT`.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socketio_core::ErrorKind;
use socketio_core::client::{Auth, Manager, ManagerConfig, Socket, SocketConfig};
use socketio_core::runtime::{Runtime, RuntimeConfig};
use socketio_core::server::{Server, ServerConfig};

/// A server, and a client of it that does not connect by itself.
struct Pair {
    server: Arc<Server>,
    manager: Arc<Manager>,
    client: Arc<Socket>,
    /// What clients have said to be let in.
    said: Receiver<String>,
    connected: Receiver<()>,
}

impl Pair {
    fn new() -> Self {
        let runtime = Runtime::new(&RuntimeConfig::default()).unwrap();
        let server = Server::new(&runtime, &ServerConfig::default()).unwrap();
        server.listen("127.0.0.1:0", Box::new(|_| {})).unwrap();
        let (say, said) = channel();
        let say = Mutex::new(say);
        server.of("/").unwrap().on_connection(Box::new(move |socket| {
            say.lock().unwrap().send(socket.handshake().auth().to_owned()).unwrap();
        }));
        server.of("/other").unwrap();
        let config = ManagerConfig {
            auto_connect: false,
            reconnection_delay: Duration::from_millis(1),
            auth_json: Some(r#"{"of":"the manager"}"#.into()),
            ..ManagerConfig::default()
        };
        let manager = Manager::new(&runtime, &format!("http://{}", server.address(0).unwrap()), config).unwrap();
        let client = manager.socket("/", SocketConfig::default()).unwrap();
        let (connects, connected) = channel();
        let connects = Mutex::new(connects);
        client.on_connect(Box::new(move |_| connects.lock().unwrap().send(()).unwrap()));
        Self { server, manager, client, said, connected }
    }

    /// Asks the test.
    fn ask(&self) -> Receiver<Auth> {
        let (sender, asked) = channel();
        let sender = Mutex::new(sender);
        self.client.on_auth(Box::new(move |_, auth| drop(sender.lock().unwrap().send(auth))));
        asked
    }

    #[track_caller]
    fn is_let_in_with(&self, auth: &str) {
        assert_eq!(self.said.recv().unwrap(), auth);
        self.connected.recv().unwrap();
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.manager.close_wait(Duration::from_mins(1)).unwrap();
        self.server.close_wait(Duration::from_mins(1)).unwrap();
    }
}

fn says(number: u32) -> Option<String> {
    Some(format!(r#"{{"number":{number}}}"#))
}

#[test]
fn what_is_set_counts_from_the_next_connect_on() {
    let pair = Pair::new();
    pair.client.connect();
    pair.is_let_in_with(r#"{"of":"the manager"}"#);
    pair.client.set_auth(Some(r#"{"half":"\ud800"}"#.into())).unwrap();
    pair.client.disconnect();
    pair.client.connect();
    pair.is_let_in_with(r#"{"half":"\ud800"}"#);
    pair.client.set_auth(says(1)).unwrap();
    assert_eq!(pair.client.set_auth(Some("[]".into())).unwrap_err().kind(), ErrorKind::InvalidJson);
    assert!(pair.said.try_recv().is_err());
    pair.client.disconnect();
    pair.client.connect();
    pair.is_let_in_with(r#"{"number":1}"#);
    pair.client.disconnect();
    pair.client.set_auth(None).unwrap();
    pair.client.connect();
    pair.is_let_in_with("{}");
}

#[test]
fn it_is_asked_before_each_connect_also_after_a_reconnection() {
    let pair = Pair::new();
    let asked = pair.ask();
    let other = pair.manager.socket("/other", SocketConfig::default()).unwrap();
    let (connects, connected) = channel();
    let connects = Mutex::new(connects);
    other.on_connect(Box::new(move |_| connects.lock().unwrap().send(()).unwrap()));
    other.connect();
    pair.client.connect();
    // The other one does not wait for the answer.
    connected.recv().unwrap();
    let auth = asked.recv().unwrap();
    assert!(pair.client.active() && !pair.client.connected() && pair.said.try_recv().is_err());
    auth.send(says(1)).unwrap();
    pair.is_let_in_with(r#"{"number":1}"#);

    // Another server takes the place of the first one.
    let address = pair.server.address(0).unwrap();
    pair.server.close_wait(Duration::from_mins(1)).unwrap();
    let again = Server::new(&Runtime::new(&RuntimeConfig::default()).unwrap(), &ServerConfig::default()).unwrap();
    let (say, said) = channel();
    let say = Mutex::new(say);
    again.of("/").unwrap().on_connection(Box::new(move |socket| {
        say.lock().unwrap().send(socket.handshake().auth().to_owned()).unwrap();
    }));
    again.of("/other").unwrap();
    again.listen(&address, Box::new(|_| {})).unwrap();
    asked.recv().unwrap().send(says(2)).unwrap();
    assert_eq!(said.recv().unwrap(), r#"{"number":2}"#);
    pair.connected.recv().unwrap();
    pair.manager.close_wait(Duration::from_mins(1)).unwrap();
    again.close_wait(Duration::from_mins(1)).unwrap();
}

#[test]
fn a_question_that_is_dropped_has_nothing_for_an_answer() {
    let pair = Pair::new();
    pair.client.on_auth(Box::new(|_, auth| drop(auth)));
    pair.client.connect();
    pair.is_let_in_with("{}");
    pair.client.disconnect();
    pair.client.on_auth(Box::new(|_, auth| {
        assert_eq!(auth.send(Some("no object".into())).unwrap_err().kind(), ErrorKind::InvalidJson);
    }));
    pair.client.connect();
    pair.is_let_in_with("{}");
}

#[test]
fn who_is_disconnected_meanwhile_sends_nothing() {
    let pair = Pair::new();
    let asked = pair.ask();
    pair.client.connect();
    let stale = asked.recv().unwrap();
    pair.client.disconnect();
    pair.client.connect();
    let auth = asked.recv().unwrap();
    assert_eq!(stale.send(says(1)).unwrap_err().kind(), ErrorKind::Closed);
    auth.send(says(2)).unwrap();
    pair.is_let_in_with(r#"{"number":2}"#);

    pair.client.disconnect();
    pair.client.connect();
    let stale = asked.recv().unwrap();
    pair.manager.close_wait(Duration::from_mins(1)).unwrap();
    assert_eq!(stale.send(says(3)).unwrap_err().kind(), ErrorKind::Closed);
    assert!(pair.said.try_recv().is_err());
}

#[test]
fn what_is_set_takes_the_place_of_a_handler_and_the_reverse() {
    let pair = Pair::new();
    let before = pair.ask();
    pair.client.set_auth(says(1)).unwrap();
    pair.client.connect();
    pair.is_let_in_with(r#"{"number":1}"#);
    assert!(before.recv().is_err(), "the handler is gone");
    let asked = pair.ask();
    pair.client.disconnect();
    pair.client.connect();
    asked.recv().unwrap().send(says(2)).unwrap();
    pair.is_let_in_with(r#"{"number":2}"#);
}

#[test]
fn a_client_that_is_refused_may_be_asked_again() {
    let pair = Pair::new();
    pair.server.of("/").unwrap().add_middleware(Box::new(|socket, next| {
        let decided = match socket.handshake().auth() {
            r#"{"number":2}"# => next.accept(),
            _ => next.reject("not you", None),
        };
        decided.unwrap();
    }));
    let asked = pair.ask();
    pair.client.on_connect_error(Box::new(|client, error| {
        assert_eq!(error.kind(), ErrorKind::Rejected);
        client.connect();
    }));
    pair.client.connect();
    asked.recv().unwrap().send(says(1)).unwrap();
    asked.recv().unwrap().send(says(2)).unwrap();
    pair.is_let_in_with(r#"{"number":2}"#);
}
