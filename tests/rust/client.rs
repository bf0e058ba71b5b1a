//! The client's life: what its objects hold and release, what its calls refuse, and how it keeps pace. Against our own
//! server, in one process.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use bytes::Bytes;
use socketio_core::client::{Manager, ManagerConfig, ManagerEvent, ManagerEventKind, Socket, SocketConfig};
use socketio_core::data::Payload;
use socketio_core::error::ErrorKind;
use socketio_core::runtime::{Runtime, RuntimeConfig};
use socketio_core::server::{Server, ServerConfig};

const LONG: Duration = Duration::from_secs(10);

/// The ways to connect: polling only, WebSocket only, polling then upgrade.
const WAYS: [&str; 3] = [r#"["polling"]"#, r#"["websocket"]"#, r#"["polling","websocket"]"#];

fn json(text: &str) -> Payload {
    Payload::from_json(text, Vec::new()).unwrap()
}

/// A server that echoes `echo` as ack and `message` as `message-back`, with a runtime of its own.
struct Echo {
    server: Arc<Server>,
}

impl Echo {
    fn start(address: &str, options: &str) -> Self {
        let runtime = Runtime::new(&RuntimeConfig::default()).unwrap();
        let server = Server::new(&runtime, &ServerConfig::from_json(options).unwrap()).unwrap();
        let root = server.of("/").unwrap();
        let echo = |_: &Arc<_>, event: &mut socketio_core::runtime::dispatch::event::Event| {
            if let Some(ack) = event.take_ack() {
                ack.send(event.payload()).unwrap();
            }
        };
        root.on("echo", Box::new(echo)).unwrap();
        root.on("message", Box::new(|socket, event| _ = socket.emit("message-back", event.payload()))).unwrap();
        let (done, listening) = channel();
        server.listen(address, Box::new(move |result| done.send(result).unwrap())).unwrap();
        listening.recv_timeout(LONG).unwrap().unwrap();
        Self { server }
    }

    fn url(&self) -> String {
        format!("http://{}", self.server.address(0).unwrap())
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.server.close_wait(LONG).unwrap();
    }
}

fn manager(url: &str, options: &str) -> Arc<Manager> {
    let mut config = ManagerConfig::from_json(options).unwrap();
    config.auto_connect = false;
    // A runtime of its own: the handlers of one test must not hold up those of another.
    Manager::new(&Runtime::new(&RuntimeConfig::default()).unwrap(), url, config).unwrap()
}

fn way(transports: &str) -> String {
    format!(r#"{{"transports":{transports},"reconnectionDelay":20,"reconnectionDelayMax":40}}"#)
}

/// A socket of the namespace `/` and a signal for each time that it is connected.
fn socket(manager: &Arc<Manager>) -> (Arc<Socket>, Receiver<()>) {
    let socket = manager.socket("/", SocketConfig::default()).unwrap();
    let (sender, connected) = channel();
    socket.on_connect(Box::new(move |_| _ = sender.send(())));
    (socket, connected)
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Set when it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn what_is_closed_and_released_is_gone_with_its_handlers() {
    let echo = Echo::start("127.0.0.1:0", "{}");
    for transports in WAYS {
        let manager = manager(&echo.url(), &way(transports));
        let (socket, connected) = socket(&manager);
        let dropped = Arc::new(AtomicBool::new(false));
        let guard = Dropped(dropped.clone());
        socket.on("x", Box::new(move |_, _| _ = &guard)).unwrap();
        socket.connect();
        connected.recv_timeout(LONG).unwrap();
        manager.close_wait(LONG).unwrap();
        wait_until("the server sees it leave", || echo.server.clients_count() == 0);

        let (weak_manager, weak_socket) = (Arc::downgrade(&manager), Arc::downgrade(&socket));
        drop((manager, socket));
        wait_until("the manager is gone", || weak_manager.strong_count() == 0 && weak_socket.strong_count() == 0);
        wait_until("the handler is gone", || dropped.load(Ordering::SeqCst));
    }
}

#[test]
fn a_socket_that_was_never_connected_is_gone_when_released_and_its_namespace_is_free() {
    let manager = manager("http://127.0.0.1:1", "{}");
    let socket = manager.socket("/a", SocketConfig::default()).unwrap();
    let (sender, answers) = channel();
    socket.emit_with_ack("x", &json("[]"), None, Box::new(move |answer| _ = sender.send(answer))).unwrap();
    drop(socket);
    for _ in 0..1000 {
        manager.socket("/b", SocketConfig::default()).unwrap();
    }
    let answer = answers.recv_timeout(LONG).unwrap();
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Closed);
    let weak = Arc::downgrade(&manager);
    drop(manager);
    wait_until("the manager is gone", || weak.strong_count() == 0);
}

#[test]
fn an_active_socket_lives_on_without_the_program() {
    let echo = Echo::start("127.0.0.1:0", "{}");
    let manager = manager(&echo.url(), "{}");
    let (socket, connected) = socket(&manager);
    let (sender, back) = channel();
    socket
        .on(
            "message-back",
            Box::new(move |socket, _| {
                socket.manager().close(Box::new(|result| result.unwrap()));
                sender.send(()).unwrap();
            }),
        )
        .unwrap();
    socket.connect();
    socket.emit("message", &json("[]")).unwrap();
    let weak = Arc::downgrade(&manager);
    drop((socket, manager));
    connected.recv_timeout(LONG).unwrap();
    back.recv_timeout(LONG).unwrap();
    wait_until("the manager is gone", || weak.strong_count() == 0);
}

#[test]
fn calls_that_cannot_work_say_so() {
    let runtime = Runtime::get_default().unwrap();
    for (url, kind) in [
        ("https://x", ErrorKind::Unsupported),
        ("wss://x/y", ErrorKind::Unsupported),
        ("nonsense", ErrorKind::InvalidArgument),
    ] {
        assert_eq!(Manager::new(&runtime, url, ManagerConfig::default()).err().unwrap().kind(), kind);
    }
    let manager = manager("http://127.0.0.1:1/from/url", r#"{"maxBufferedBytes":100}"#);
    assert_eq!(manager.socket("", SocketConfig::default()).unwrap().namespace(), "/from/url");
    assert_eq!(manager.socket("x", SocketConfig::default()).unwrap().namespace(), "/x");
    let auth = SocketConfig { auth_json: Some("[1]".to_owned()) };
    assert_eq!(manager.socket("/y", auth).err().unwrap().kind(), ErrorKind::InvalidJson);
    assert_eq!(manager.socket(&"y".repeat(300), SocketConfig::default()).err().unwrap().kind(), ErrorKind::TooLarge);

    let (socket, _) = socket(&manager);
    for name in ["connect", "disconnect", "newListener"] {
        assert_eq!(socket.emit(name, &json("[]")).unwrap_err().kind(), ErrorKind::InvalidArgument);
        assert!(socket.on(name, Box::new(|_, _| ())).is_err());
    }
    // Nothing of these is kept: there is no connection.
    for _ in 0..1000 {
        socket.emit_volatile("x", &json("[]")).unwrap();
    }
    while socket.emit("x", &json(r#"["0123456789"]"#)).is_ok() {}
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = Dropped(dropped.clone());
    let refused = socket.emit_with_ack("x", &json("[]"), None, Box::new(move |_| drop(guard)));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Backpressure);
    assert!(dropped.load(Ordering::SeqCst), "dropped unused");
}

#[test]
fn a_wait_in_a_callback_is_refused() {
    let echo = Echo::start("127.0.0.1:0", "{}");
    let manager = manager(&echo.url(), "{}");
    let (socket, _) = socket(&manager);
    let (sender, results) = channel();
    socket.on_connect(Box::new(move |socket| sender.send(socket.manager().close_wait(LONG)).unwrap()));
    socket.connect();
    assert_eq!(results.recv_timeout(LONG).unwrap().unwrap_err().kind(), ErrorKind::WouldDeadlock);
    manager.close_wait(LONG).unwrap();
}

#[test]
fn handlers_can_be_taken_out_and_once_is_once() {
    let echo = Echo::start("127.0.0.1:0", "{}");
    let manager = manager(&echo.url(), "{}");
    let (socket, _) = socket(&manager);
    let (sender, seen): (Sender<&str>, _) = channel();
    let tell = |what: &'static str| {
        let sender = sender.clone();
        Box::new(move |_: &Arc<Socket>, _: &mut _| sender.send(what).unwrap())
    };
    let off = socket.on("message-back", tell("off")).unwrap();
    socket.once("message-back", tell("once")).unwrap();
    socket.on("message-back", tell("on")).unwrap();
    assert!(socket.off(off));
    assert!(!socket.off(off));
    socket.connect();
    for _ in 0..2 {
        socket.emit("message", &json("[]")).unwrap();
    }
    let seen: Vec<_> = (0..3).map(|_| seen.recv_timeout(LONG).unwrap()).collect();
    assert_eq!(seen, ["once", "on", "on"]);
    manager.close_wait(LONG).unwrap();
}

#[test]
fn slow_handlers_stop_the_reading_and_lose_nothing() {
    const EVENTS: usize = 5000;
    let echo = Echo::start("127.0.0.1:0", "{}");
    for transports in WAYS {
        let manager = manager(&echo.url(), &way(transports));
        let (socket, connected) = socket(&manager);
        let gate = Arc::new(Barrier::new(2));
        let seen = Arc::new(AtomicUsize::new(0));
        let (waits, counts) = (gate.clone(), seen.clone());
        socket
            .on(
                "message-back",
                Box::new(move |_, event| {
                    let n = counts.load(Ordering::SeqCst);
                    assert!(event.payload().json().starts_with(&format!("[{n},")));
                    counts.store(n + 1, Ordering::SeqCst);
                    if n == 0 {
                        waits.wait();
                    }
                }),
            )
            .unwrap();
        socket.on_disconnect(Box::new(|_, reason| assert_eq!(reason, "io client disconnect")));
        socket.connect();
        connected.recv_timeout(LONG).unwrap();
        let text = "x".repeat(1000);
        for n in 0..EVENTS {
            socket.emit("message", &json(&format!(r#"[{n},"{text}"]"#))).unwrap();
        }
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(seen.load(Ordering::SeqCst), 1);
        gate.wait();
        wait_until("all events", || seen.load(Ordering::SeqCst) == EVENTS);
        assert!(socket.connected());
        manager.close_wait(LONG).unwrap();
    }
}

#[test]
fn an_ack_of_a_former_connection_is_not_sent_on_the_next() {
    let echo = Echo::start("127.0.0.1:0", "{}");
    let root = echo.server.of("/").unwrap();
    root.on("leave", Box::new(|socket, _| socket.disconnect(false))).unwrap();
    root.on(
        "ask",
        Box::new(|socket, _| {
            socket.emit_with_ack("question", &json("[]"), None, Box::new(|answer| assert!(answer.is_err()))).unwrap();
        }),
    )
    .unwrap();
    let manager = manager(&echo.url(), "{}");
    let (socket, connected) = socket(&manager);
    let (sender, acks) = channel();
    socket.on("question", Box::new(move |_, event| sender.send(event.take_ack().unwrap()).unwrap())).unwrap();
    let (gone, disconnected) = channel();
    socket.on_disconnect(Box::new(move |_, reason| gone.send(reason.to_owned()).unwrap()));
    socket.connect();
    socket.emit("ask", &json("[]")).unwrap();
    connected.recv_timeout(LONG).unwrap();
    let ack = acks.recv_timeout(LONG).unwrap();
    socket.emit("leave", &json("[]")).unwrap();
    assert_eq!(disconnected.recv_timeout(LONG).unwrap(), "io server disconnect");
    socket.connect();
    connected.recv_timeout(LONG).unwrap();
    assert_eq!(ack.send(&json("[1]")).unwrap_err().kind(), ErrorKind::Closed);
    manager.close_wait(LONG).unwrap();
}

#[test]
fn threads_emit_at_once_and_each_stays_in_order() {
    const EACH: usize = 500;
    let echo = Echo::start("127.0.0.1:0", "{}");
    for transports in WAYS {
        let manager = manager(&echo.url(), &way(transports));
        let (socket, _) = socket(&manager);
        let (sender, back) = channel();
        socket
            .on(
                "message-back",
                Box::new(move |_, event| {
                    sender
                        .send((event.payload().arg(0).unwrap().to_owned(), event.payload().attachments()[0].clone()))
                        .unwrap();
                }),
            )
            .unwrap();
        socket.connect();
        std::thread::scope(|scope| {
            for thread in 0..4_u8 {
                let socket = &socket;
                scope.spawn(move || {
                    for n in 0..EACH {
                        let array = format!(r#"[{n},{{"_placeholder":true,"num":0}}]"#);
                        let payload = Payload::from_json(&array, vec![Bytes::from(vec![thread; 3])]).unwrap();
                        socket.emit("message", &payload).unwrap();
                    }
                });
            }
        });
        let mut next = [0; 4];
        for _ in 0..4 * EACH {
            let (n, bytes) = back.recv_timeout(LONG).unwrap();
            let next = &mut next[usize::from(bytes[0])];
            assert_eq!(n, next.to_string());
            *next += 1;
        }
        manager.close_wait(LONG).unwrap();
    }
}

#[test]
fn requests_carry_the_headers_and_the_query_also_over_ipv6() {
    let echo = Echo::start("[::1]:0", r#"{"path":"/elsewhere"}"#);
    let (sender, handshakes) = channel();
    echo.server.of("/").unwrap().on_connection(Box::new(move |socket| {
        let handshake = socket.handshake();
        let seen = (handshake.header("x-test").map(str::to_owned), handshake.query("a b"));
        sender.send((seen, handshake.auth().to_owned())).unwrap();
    }));
    for transports in WAYS {
        let options = format!(
            r#"{{"transports":{transports},"path":"/elsewhere","extraHeaders":{{"X-Test":"1"}},"query":{{"a b":"ü&"}},
                "auth":{{"key":1}}}}"#
        );
        let manager = manager(&echo.url(), &options);
        let (socket, connected) = socket(&manager);
        socket.connect();
        connected.recv_timeout(LONG).unwrap();
        let (seen, auth) = handshakes.recv_timeout(LONG).unwrap();
        assert_eq!(seen, (Some("1".to_owned()), Some("ü&".to_owned())));
        assert_eq!(auth, r#"{"key":1}"#);
        manager.close_wait(LONG).unwrap();
    }
}

#[test]
fn a_manager_tells_of_its_connection_and_closes_with_its_last_socket() {
    let echo = Echo::start("127.0.0.1:0", r#"{"pingInterval":50}"#);
    for transports in WAYS {
        let manager = manager(&echo.url(), &way(transports));
        let (sender, events) = channel();
        for kind in [ManagerEventKind::Open, ManagerEventKind::Ping, ManagerEventKind::Close, ManagerEventKind::Error] {
            let sender = sender.clone();
            manager.on(kind, Box::new(move |event| sender.send(event.clone()).unwrap()));
        }
        let (one, connected) = socket(&manager);
        one.connect();
        connected.recv_timeout(LONG).unwrap();
        assert_eq!(events.recv_timeout(LONG).unwrap(), ManagerEvent::Open);
        assert_eq!(events.recv_timeout(LONG).unwrap(), ManagerEvent::Ping);
        one.disconnect();
        loop {
            match events.recv_timeout(LONG).unwrap() {
                ManagerEvent::Ping => {}
                event => break assert_eq!(event, ManagerEvent::Close("forced close")),
            }
        }
        wait_until("the server sees it leave", || echo.server.clients_count() == 0);
        manager.close_wait(LONG).unwrap();
    }
}

#[test]
fn calls_after_the_runtime_is_shut_down_do_no_harm() {
    let echo = Echo::start("127.0.0.1:0", "{}");
    for transports in WAYS {
        for connect in [false, true] {
            let runtime = Runtime::new(&RuntimeConfig::default()).unwrap();
            let manager =
                Manager::new(&runtime, &echo.url(), ManagerConfig::from_json(&way(transports)).unwrap()).unwrap();
            let (socket, connected) = socket(&manager);
            if connect {
                socket.connect();
                connected.recv_timeout(LONG).unwrap();
            }
            runtime.shutdown_wait(LONG).unwrap();
            socket.connect();
            socket.emit("message", &json("[]")).unwrap();
            let (sender, answers) = channel();
            let ack = Box::new(move |answer| _ = sender.send(answer));
            socket.emit_with_ack("message", &json("[]"), Some(Duration::from_millis(1)), ack).unwrap();
            socket.disconnect();
            manager.open();
            let closed = manager.close_wait(Duration::from_millis(10)).unwrap_err().kind();
            assert!(matches!(closed, ErrorKind::Timeout | ErrorKind::Closed));
            drop((socket, manager));
            assert!(answers.try_recv().is_err());
        }
    }
}

#[test]
fn closing_in_every_phase_ends_soon() {
    let echo = Echo::start("127.0.0.1:0", "{}");
    for transports in WAYS {
        for delay in [0, 1, 2, 3, 5, 8, 13, 21] {
            let manager = manager(&echo.url(), &way(transports));
            let (socket, _) = socket(&manager);
            socket.connect();
            socket.emit("message", &json("[]")).unwrap();
            std::thread::sleep(Duration::from_millis(delay));
            let start = Instant::now();
            manager.close_wait(LONG).unwrap();
            assert!(start.elapsed() < Duration::from_secs(2), "{transports} after {delay} ms: {:?}", start.elapsed());
            wait_until("the server sees it leave", || echo.server.clients_count() == 0);
        }
    }
}
