//! What a corked thread sends: on the wire it is one batch for each connection.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use socketio_core::data::Payload;
use socketio_core::runtime::dispatch::turn;
use socketio_core::runtime::{Runtime, RuntimeConfig};
use socketio_core::server::{Namespace, Server, ServerConfig, Socket};
use socketio_tests::raw::{Polling, WebSocket};

/// A server with its main namespace and its address.
fn serve() -> (Arc<Server>, Arc<Namespace>, String) {
    let runtime = Runtime::new(&RuntimeConfig::default()).unwrap();
    let server = Server::new(&runtime, &ServerConfig::default()).unwrap();
    server.listen("127.0.0.1:0", Box::new(|_| {})).unwrap();
    let (namespace, address) = (server.of("/").unwrap(), server.address(0).unwrap());
    (server, namespace, address)
}

fn only_socket(namespace: &Namespace) -> Arc<Socket> {
    namespace.sockets().pop().unwrap()
}

#[test]
fn each_answer_of_the_polling_transport_carries_what_was_sent_under_one_cork() {
    let (_server, namespace, address) = serve();
    let client = Polling::join(&address);
    let socket = only_socket(&namespace);
    let none = Payload::new();
    for round in 0..3 {
        // A `GET` is answered by the first write: with what that has.
        let (answered, answer) = channel();
        thread::scope(|scope| {
            scope.spawn(|| answered.send(client.get()).unwrap());
            turn::cork();
            socket.emit("a", &none).unwrap();
            namespace.emit("b", &none).unwrap();
            turn::cork();
            socket.emit_with_ack("c", &none, None, Box::new(|_| {})).unwrap();
            turn::uncork();
            assert!(answer.try_recv().is_err());
            socket.emit("d", &none).unwrap();
            turn::uncork();
            let batch = format!("42[\"a\"]\u{1e}42[\"b\"]\u{1e}42{round}[\"c\"]\u{1e}42[\"d\"]");
            assert_eq!(answer.recv().unwrap().body, batch);
        });
    }
}

#[test]
fn what_another_thread_sends_meanwhile_is_not_held_and_comes_behind() {
    let (_server, namespace, address) = serve();
    let mut client = WebSocket::join(&address);
    let socket = only_socket(&namespace);
    let none = Payload::new();
    turn::cork();
    socket.emit("first", &none).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| socket.emit("second", &none).unwrap());
    });
    // The other thread has written both.
    assert_eq!(socket.buffered_bytes(), 0);
    socket.emit("third", &none).unwrap();
    assert!(socket.buffered_bytes() > 0);
    turn::uncork();
    for name in ["first", "second", "third"] {
        assert_eq!(client.text(), format!("42[\"{name}\"]"));
    }
}

#[test]
fn a_thread_that_ends_corked_holds_nobody_up() {
    let (_server, namespace, address) = serve();
    let mut client = WebSocket::join(&address);
    let socket = only_socket(&namespace);
    let none = Payload::new();
    for _ in 0..20 {
        thread::scope(|scope| {
            scope.spawn(|| {
                turn::cork();
                socket.emit("left", &none).unwrap();
            });
        });
        // The next thread may lie where that one was.
        thread::scope(|scope| {
            scope.spawn(|| turn::run(|| socket.emit("next", &none).unwrap()));
        });
        assert_eq!(client.text(), "42[\"left\"]");
        assert_eq!(client.text(), "42[\"next\"]");
    }
}
