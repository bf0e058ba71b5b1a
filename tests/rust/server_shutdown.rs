//! What uses a runtime that was shut down, or a queue that was closed, fails, and does no harm.

use std::sync::mpsc::channel;
use std::time::Duration;

use socketio_core::data::Payload;
use socketio_core::runtime::dispatch::DeliveryMode;
use socketio_core::runtime::dispatch::host::HostQueue;
use socketio_core::runtime::{OfProcess, Runtime, RuntimeConfig};
use socketio_core::server::{Server, ServerConfig};
use socketio_tests::raw::{Polling, WebSocket};

#[test]
fn a_server_whose_runtime_was_shut_down_can_be_used_and_closed_and_dropped() {
    let runtime = Runtime::new(&RuntimeConfig::default()).unwrap();
    let server = Server::new(&runtime, &ServerConfig::default()).unwrap();
    server.listen("127.0.0.1:0", Box::new(|_| {})).unwrap();
    let address = server.address(0).unwrap();
    let (sender, sockets) = channel();
    let sender = std::sync::Mutex::new(sender);
    let namespace = server.of("/").unwrap();
    namespace.on_connection(Box::new(move |socket| sender.lock().unwrap().send(socket.clone()).unwrap()));
    let clients = (WebSocket::join(&address), Polling::join(&address));
    let joined = [sockets.recv().unwrap(), sockets.recv().unwrap()];

    runtime.shutdown_wait(Duration::from_mins(1)).unwrap();

    for socket in &joined {
        let _ = socket.emit("n", &Payload::new());
        let _ = socket.emit_with_ack("n", &Payload::new(), Some(Duration::from_secs(1)), Box::new(|_| {}));
    }
    let _ = namespace.emit("n", &Payload::new());
    joined[0].disconnect(false);
    joined[1].disconnect(true);
    assert!(server.close_wait(Duration::from_mins(1)).is_ok());
    assert!(server.listen("127.0.0.1:0", Box::new(|_| {})).is_err());
    assert_eq!(namespace.socket_count(), 0);
    drop((joined, namespace, server, runtime, clients));
}

#[test]
fn a_socket_that_nobody_can_be_told_of_any_more_does_not_stay() {
    let runtime = Runtime::get_default().unwrap();
    let queue = HostQueue::new(&runtime, None).unwrap();
    let delivery = DeliveryMode::Queue(OfProcess::new(queue.clone()));
    let server = Server::new(&runtime, &ServerConfig { delivery, ..ServerConfig::default() }).unwrap();
    server.listen("127.0.0.1:0", Box::new(|_| {})).unwrap();
    let address = server.address(0).unwrap();
    let clients = (WebSocket::join(&address), Polling::join(&address));
    let namespace = server.of("/").unwrap();
    assert_eq!(namespace.socket_count(), 2);

    queue.close();
    assert!(server.close_wait(Duration::from_mins(1)).is_ok());

    assert_eq!(namespace.socket_count(), 0);
    drop(clients);
}
