//! Bugs in a client: they cost its connection, and a new one is tried for.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::{Manager, ManagerConfig, ManagerEventKind, Socket, SocketConfig};
use crate::data::payload::Payload;
use crate::error::{ErrorKind, Result};
use crate::proto::engine::packet::Transport;
use crate::runtime::sync::Mutex;
use crate::runtime::{Runtime, RuntimeConfig};
use crate::server::{Server, ServerConfig};

struct Pair {
    server: Arc<Server>,
    manager: Arc<Manager>,
    client: Arc<Socket>,
    /// What the manager and its client hear.
    events: Receiver<String>,
}

impl Pair {
    /// A server, and a client of it that is connected.
    fn new(transports: Vec<Transport>) -> Self {
        let runtime = Runtime::new(&RuntimeConfig::default()).unwrap();
        let server = Server::new(&runtime, &ServerConfig::default()).unwrap();
        server.listen("127.0.0.1:0", Box::new(|_| {})).unwrap();
        let config = ManagerConfig {
            transports,
            auto_connect: false,
            reconnection_delay: Duration::from_millis(1),
            ..ManagerConfig::default()
        };
        let manager = Manager::new(&runtime, &format!("http://{}", server.address(0).unwrap()), config).unwrap();
        let (sender, events) = channel();
        let sender = Arc::new(Mutex::new(sender));
        let say = move |what: String| drop(sender.lock().send(what));
        for kind in [ManagerEventKind::Close, ManagerEventKind::Reconnect] {
            let say = say.clone();
            manager.on(kind, Box::new(move |event| say(format!("{event:?}"))));
        }
        let client = manager.socket("/", SocketConfig::default()).unwrap();
        let (connected, disconnected) = (say.clone(), say);
        client.on_connect(Box::new(move |_| connected("connected".to_owned())));
        client.on_disconnect(Box::new(move |_, reason| disconnected(format!("disconnected: {reason}"))));
        client.connect();
        let pair = Self { server, manager, client, events };
        pair.hears(&["connected"]);
        pair
    }

    fn hears(&self, expected: &[&str]) {
        for expected in expected {
            assert_eq!(self.events.recv().unwrap(), *expected);
        }
    }

    fn hears_that_it_is_connected_again(&self) {
        self.hears(&["Close(\"transport error\")", "disconnected: transport error", "Reconnect(1)", "connected"]);
        let (sender, answered) = channel();
        let echo = self.server.of("/").unwrap();
        let id = echo.on(
            "echo",
            Box::new(|_, event| {
                let payload = event.payload().clone();
                event.take_ack().unwrap().send(&payload).unwrap();
            }),
        );
        let handler = Box::new(move |answer: Result<Payload>| sender.send(answer.map(drop)).unwrap());
        self.client.emit_with_ack("echo", &Payload::default(), None, handler).unwrap();
        assert_eq!(answered.recv().unwrap(), Ok(()));
        echo.off(id.unwrap());
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.manager.close_wait(Duration::from_mins(1)).unwrap();
        self.server.close_wait(Duration::from_mins(1)).unwrap();
        assert_eq!(self.server.clients_count(), 0);
    }
}

#[test]
fn a_panic_under_the_lock_is_a_lost_connection() {
    for transport in [Transport::WebSocket, Transport::Polling] {
        let pair = Pair::new(vec![transport]);
        for _ in 0..2 {
            let error = pair.manager.run(|_, _| -> () { panic!("planted") }).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Panic);
            assert!(error.message().contains("planted"), "{error}");
            pair.hears_that_it_is_connected_again();
        }
    }
}

#[test]
fn a_panic_in_a_task_of_the_connection_is_a_lost_connection() {
    let pair = Pair::new(vec![Transport::WebSocket]);
    let bug = crate::error::Error::new(ErrorKind::Panic, "planted");
    // One that is long over concerns nobody.
    pair.manager.lose(7, bug.clone());
    pair.manager.lose(1, bug);
    pair.hears_that_it_is_connected_again();
}

#[test]
fn a_panic_while_it_connects_counts_as_a_failed_attempt() {
    let pair = Pair::new(vec![Transport::Polling]);
    pair.client.disconnect();
    pair.hears(&["disconnected: io client disconnect", "Close(\"forced close\")"]);
    let _ = pair.manager.run(|state, step| -> () {
        state.connect(step, &pair.client);
        panic!("planted");
    });
    pair.hears(&["Reconnect(1)", "connected"]);
}
