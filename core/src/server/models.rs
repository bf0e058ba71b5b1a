//! What threads may do to a client that waits to be let in, under the model checker: decide about it, send to it and to
//! everybody, and close the server, all at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Next, Server, ServerConfig, Socket};
use crate::data::payload::Payload;
use crate::net::memory;
use crate::runtime::sync::mpsc::{Receiver, channel};
use crate::runtime::sync::thread::{self, JoinHandle};
use crate::runtime::sync::{Mutex, explore};
use crate::runtime::{Runtime, RuntimeConfig};

/// A server with one client that asks to join, and how often its handlers were called.
struct Model {
    server: Arc<Server>,
    asked: Receiver<(Arc<Socket>, Next)>,
    connections: Arc<AtomicUsize>,
    disconnections: Arc<AtomicUsize>,
    /// What the client has read when the server has closed.
    received: JoinHandle<Vec<String>>,
}

impl Model {
    fn new() -> Self {
        let runtime = Runtime::new(&RuntimeConfig::default()).expect("a runtime that starts no I/O threads");
        let server = Server::new(&runtime, &ServerConfig::default()).expect("a server");
        let namespace = server.of("/").expect("a namespace");
        let (sender, asked) = channel();
        let sender = Mutex::new(sender);
        namespace.add_middleware(Box::new(move |socket, next| drop(sender.lock().send((socket.clone(), next)))));
        let (connections, disconnections) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (connected, disconnected) = (connections.clone(), disconnections.clone());
        namespace.on_connection(Box::new(move |socket| {
            assert!(socket.in_room("early"));
            connected.fetch_add(1, Ordering::SeqCst);
        }));
        namespace.on_disconnect(Box::new(move |_, _| drop(disconnected.fetch_add(1, Ordering::SeqCst))));
        let (stream, peer) = memory::stream(4096);
        server.accept(stream);
        peer.send_text("40");
        let received = thread::spawn(move || peer.receive_texts());
        Self { server, asked, connections, disconnections, received }
    }

    /// A thread that lets the client in if it still can: says whether it could.
    fn deciding(asked: Receiver<(Arc<Socket>, Next)>) -> JoinHandle<bool> {
        thread::spawn(move || {
            // The server may have closed before it has asked.
            let Ok((socket, next)) = asked.recv() else { return false };
            let ready = socket.join("early").and_then(|()| socket.emit("early", &Payload::new()));
            let accepted = next.accept().is_ok();
            assert!(ready.is_ok() || !accepted);
            accepted
        })
    }
}

/// Closes the server, and returns when the last handler has been called.
fn close(server: &Server) {
    let (sender, closed) = channel();
    server.close(Box::new(move |_| drop(sender.send(()))));
    let _ = closed.recv();
}

#[test]
fn a_client_is_let_in_once_or_not_at_all_while_its_server_closes() {
    explore::random(|| {
        let Model { server, asked, connections, disconnections, received } = Model::new();
        let deciding = Model::deciding(asked);
        let telling = server.of("/").expect("a namespace");
        let telling = thread::spawn(move || telling.emit("all", &Payload::new()));
        close(&server);
        let accepted = usize::from(deciding.join().expect("no panic"));
        let told = telling.join().expect("no panic");
        assert!(told.is_ok());
        assert_eq!(connections.load(Ordering::SeqCst), accepted);
        assert_eq!(disconnections.load(Ordering::SeqCst), accepted);
        assert_eq!(server.of("/").map(|namespace| namespace.socket_count()), Ok(0));
        let received = received.join().expect("no panic");
        let texts: Vec<_> = received.iter().map(String::as_str).filter(|text| text.starts_with('4')).collect();
        let connect = texts.iter().position(|text| text.starts_with("40{"));
        assert_eq!(connect, (accepted > 0).then_some(0), "{texts:?}");
        if accepted > 0 {
            assert_eq!(texts.get(1), Some(&"42[\"early\"]"), "{texts:?}");
        }
    });
}

#[test]
fn a_token_may_outlive_its_server() {
    explore::random(|| {
        let Model { server, asked, connections, received, .. } = Model::new();
        let forgetting = thread::spawn(move || drop(asked.recv()));
        drop(server);
        forgetting.join().expect("no panic");
        let received = received.join().expect("no panic");
        assert!(!received.iter().any(|text| text.starts_with("40{")), "{received:?}");
        assert_eq!(connections.load(Ordering::SeqCst), 0);
    });
}
