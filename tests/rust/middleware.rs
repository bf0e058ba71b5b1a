//! Middlewares: what a client sees of them on the wire, and the program of the client, until they have decided.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use socketio_core::ErrorKind;
use socketio_core::data::Payload;
use socketio_core::runtime::dispatch::DeliveryMode;
use socketio_core::runtime::dispatch::host::HostQueue;
use socketio_core::runtime::{OfProcess, Runtime, RuntimeConfig};
use socketio_core::server::{Namespace, Next, Server, ServerConfig, Socket};
use socketio_tests::raw::{Polling, WebSocket};

struct Served {
    server: Arc<Server>,
    namespace: Arc<Namespace>,
    address: String,
}

fn serve(change: impl FnOnce(&mut ServerConfig)) -> Served {
    let runtime = Runtime::new(&RuntimeConfig::default()).unwrap();
    let mut config = ServerConfig::default();
    change(&mut config);
    let server = Server::new(&runtime, &config).unwrap();
    server.listen("127.0.0.1:0", Box::new(|_| {})).unwrap();
    let (namespace, address) = (server.of("/").unwrap(), server.address(0).unwrap());
    Served { server, namespace, address }
}

impl Served {
    /// Adds a middleware that leaves its decisions to the test.
    fn ask(&self) -> Receiver<(Arc<Socket>, Next)> {
        let (sender, receiver) = channel();
        let sender = Mutex::new(sender);
        self.namespace.add_middleware(Box::new(move |socket, next| {
            let _ = sender.lock().unwrap().send((socket.clone(), next));
        }));
        receiver
    }

    /// Says what handlers hear of sockets.
    fn hear(&self) -> Receiver<String> {
        let (sender, receiver) = channel();
        let tell = move |sender: &Arc<Mutex<Sender<String>>>, what: String| drop(sender.lock().unwrap().send(what));
        let sender = Arc::new(Mutex::new(sender));
        let (connection, disconnect, event) = (sender.clone(), sender.clone(), sender);
        self.namespace.on_connection(Box::new(move |_| tell(&connection, "connection".into())));
        self.namespace.on_disconnect(Box::new(move |_, reason| tell(&disconnect, reason.into())));
        self.namespace.on_any(Box::new(move |_, received| tell(&event, received.name().into())));
        receiver
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.close_wait(Duration::from_mins(1)).unwrap();
    }
}

fn json(array: &str) -> Payload {
    Payload::from_json(array, Vec::new()).unwrap()
}

fn closed<T>() -> Result<T, ErrorKind> {
    Err(ErrorKind::Closed)
}

/// Counts the references to what a program has kept with a socket: when there is none, the socket is gone.
fn keep_something(socket: &Socket) -> Weak<()> {
    let kept = Arc::new(());
    let weak = Arc::downgrade(&kept);
    socket.set_data(Some(Box::new(kept)));
    weak
}

/// Waits until whatever threads still do with a socket is done.
fn is_dropped(kept: &Weak<()>) {
    while kept.strong_count() > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn middlewares_are_asked_in_order_and_then_the_client_is_let_in() {
    let served = serve(|_| {});
    let (first, second, heard) = (served.ask(), served.ask(), served.hear());
    let mut client = WebSocket::open(&served.address);
    client.send(r#"40{"token":"x"}"#);

    let (socket, next) = first.recv().unwrap();
    assert_eq!(socket.handshake().auth(), r#"{"token":"x"}"#);
    assert!(!socket.connected() && second.try_recv().is_err());
    assert!(served.namespace.find(socket.id()).is_none() && served.namespace.socket_count() == 0);
    next.accept().unwrap();
    let (again, next) = second.recv().unwrap();
    assert!(Arc::ptr_eq(&socket, &again) && !socket.connected() && heard.try_recv().is_err());
    next.accept().unwrap();

    assert_eq!(client.text(), format!(r#"40{{"sid":"{}"}}"#, socket.id()));
    assert!(socket.connected() && served.namespace.find(socket.id()).is_some());
    assert_eq!(heard.recv().unwrap(), "connection");
    client.send(r#"42["event"]"#);
    assert_eq!(heard.recv().unwrap(), "event");
}

#[test]
fn who_is_turned_away_hears_why_and_may_ask_again() {
    let served = serve(|_| {});
    let (asked, never_asked, heard) = (served.ask(), served.ask(), served.hear());
    let mut client = WebSocket::open(&served.address);
    client.send("40");
    let (socket, next) = asked.recv().unwrap();
    let kept = keep_something(&socket);
    socket.join("room").unwrap();
    socket.emit("lost", &json("[]")).unwrap();
    let (answer, answered) = channel();
    socket.emit_with_ack("lost", &json("[]"), None, Box::new(move |result| answer.send(result).unwrap())).unwrap();
    next.reject("not you", Some(r#"{"code":7}"#)).unwrap();

    assert_eq!(client.text(), r#"44{"message":"not you","data":{"code":7}}"#);
    assert_eq!(answered.recv().unwrap().map_err(|error| error.kind()), closed());
    assert_eq!(socket.emit("x", &json("[]")).map_err(|error| error.kind()), closed());
    assert_eq!(socket.join("x").map_err(|error| error.kind()), closed());
    assert!(!socket.connected() && socket.rooms().is_empty());
    drop(socket);
    is_dropped(&kept);

    client.send("40");
    asked.recv().unwrap().1.reject("again", None).unwrap();
    assert_eq!(client.text(), r#"44{"message":"again"}"#);
    assert!(never_asked.try_recv().is_err() && heard.try_recv().is_err());
}

#[test]
fn what_is_sent_before_follows_the_connect_in_order_and_broadcasts_do_not() {
    let served = serve(|_| {});
    let asked = served.ask();
    let mut client = WebSocket::open(&served.address);
    client.send("40");
    let (socket, next) = asked.recv().unwrap();
    let binary = Payload::from_json(r#"[{"_placeholder":true,"num":0}]"#, vec![b"bytes"[..].into()]).unwrap();
    let (answer, answered) = channel();
    socket.join("room").unwrap();
    socket.join("left").unwrap();
    socket.leave("left");
    socket.emit("first", &json("[1]")).unwrap();
    socket.emit_volatile("dropped", &json("[]")).unwrap();
    served.namespace.emit("broadcast", &json("[]")).unwrap();
    served.namespace.broadcast().to("room").unwrap().emit("broadcast", &json("[]")).unwrap();
    socket.emit_with_ack("ask", &json("[]"), None, Box::new(move |result| answer.send(result).unwrap())).unwrap();
    socket.emit("binary", &binary).unwrap();
    socket.disconnect(true);
    assert!(socket.in_room("room") && !socket.in_room("left") && !socket.in_room(socket.id()));
    assert_eq!(socket.rooms(), ["room".into()]);
    next.accept().unwrap();
    socket.emit("last", &json("[]")).unwrap();
    served.namespace.broadcast().to("room").unwrap().emit("room", &json("[]")).unwrap();

    assert!(client.text().starts_with("40{"));
    assert_eq!(client.text(), r#"42["first",1]"#);
    assert_eq!(client.text(), r#"420["ask"]"#);
    assert_eq!(client.text(), r#"451-["binary",{"_placeholder":true,"num":0}]"#);
    assert_eq!(client.read().unwrap().content, b"bytes");
    assert_eq!(client.text(), r#"42["last"]"#);
    assert_eq!(client.text(), r#"42["room"]"#);
    client.send(r#"430["answer"]"#);
    assert_eq!(answered.recv().unwrap().unwrap().json(), r#"["answer"]"#);
    assert!(socket.in_room(socket.id()) && socket.in_room("room"));
}

#[test]
fn a_client_that_goes_away_leaves_nothing_to_decide() {
    let served = serve(|_| {});
    let (asked, heard) = (served.ask(), served.hear());
    let mut client = WebSocket::open(&served.address);
    client.send("40");
    let (socket, next) = asked.recv().unwrap();
    let kept = keep_something(&socket);
    let (answer, answered) = channel();
    socket.emit_with_ack("lost", &json("[]"), None, Box::new(move |result| answer.send(result).unwrap())).unwrap();
    drop(client);

    assert_eq!(answered.recv().unwrap().map_err(|error| error.kind()), closed());
    assert_eq!(next.accept().map_err(|error| error.kind()), closed());
    drop(socket);
    is_dropped(&kept);

    // Handlers of the main namespace run one after the other: nothing was heard when the next one has come.
    let mut another = WebSocket::open(&served.address);
    another.send("40");
    asked.recv().unwrap().1.accept().unwrap();
    assert!(another.text().starts_with("40{"));
    assert_eq!(heard.recv().unwrap(), "connection");
}

#[test]
fn who_is_forgotten_is_turned_away() {
    let served = serve(|_| {});
    served.namespace.add_middleware(Box::new(|_, next| drop(next)));
    let mut client = WebSocket::open(&served.address);
    client.send("40");
    assert_eq!(client.text(), r#"44{"message":"internal error"}"#);
}

#[test]
fn a_client_that_nobody_decides_about_is_closed_in_the_end() {
    let served = serve(|config| config.connect_timeout = Duration::from_millis(50));
    let asked = served.ask();
    let mut client = WebSocket::open(&served.address);
    client.send("40");
    let (_socket, next) = asked.recv().unwrap();
    assert_eq!(client.close_code(), None);
    assert_eq!(next.accept().map_err(|error| error.kind()), closed());
}

#[test]
fn a_client_in_one_namespace_may_wait_for_another_longer_than_for_its_first() {
    let served = serve(|config| config.connect_timeout = Duration::from_millis(50));
    served.server.of("/open").unwrap();
    let asked = served.ask();
    let mut client = WebSocket::open(&served.address);
    client.send("40/open,");
    assert!(client.text().starts_with("40/open,{"));
    client.send("40");
    let (_socket, next) = asked.recv().unwrap();
    let mut another = WebSocket::open(&served.address);
    assert_eq!(another.close_code(), None);
    next.accept().unwrap();
    assert!(client.text().starts_with("40{"));
}

#[test]
fn who_speaks_before_it_is_let_in_breaks_the_protocol() {
    for packet in [r#"42["event"]"#, "41", "430[]", r#"451-["event"]"#] {
        let served = serve(|_| {});
        let (asked, heard) = (served.ask(), served.hear());
        let mut client = WebSocket::open(&served.address);
        client.send("40");
        let (socket, next) = asked.recv().unwrap();
        client.send(packet);
        assert_eq!(client.close_code(), None, "{packet}");
        assert_eq!(next.accept().map_err(|error| error.kind()), closed());
        assert!(!socket.connected() && heard.try_recv().is_err());
    }
}

#[test]
fn who_asks_again_has_given_up_the_attempt_before() {
    let served = serve(|_| {});
    let (asked, heard) = (served.ask(), served.hear());
    let mut client = WebSocket::open(&served.address);
    client.send("40");
    let (before, stale) = asked.recv().unwrap();
    client.send("40");
    let (socket, next) = asked.recv().unwrap();
    assert_eq!(stale.reject("stale", None).map_err(|error| error.kind()), closed());
    assert_eq!(before.join("room").map_err(|error| error.kind()), closed());
    next.accept().unwrap();
    assert_eq!(client.text(), format!(r#"40{{"sid":"{}"}}"#, socket.id()));
    assert_eq!(heard.recv().unwrap(), "connection");
}

#[test]
fn a_server_that_closes_lets_nobody_in() {
    let served = serve(|_| {});
    let (asked, heard) = (served.ask(), served.hear());
    let client = Polling::open(&served.address);
    assert_eq!(client.post("40").status, 200);
    let (socket, next) = asked.recv().unwrap();
    let kept = keep_something(&socket);
    served.server.close_wait(Duration::from_mins(1)).unwrap();
    assert_eq!(next.accept().map_err(|error| error.kind()), closed());
    drop(socket);
    is_dropped(&kept);
    assert!(heard.try_recv().is_err());
}

#[test]
fn an_ack_that_is_waited_for_too_long_before_the_client_is_let_in_times_out() {
    let served = serve(|_| {});
    let asked = served.ask();
    let mut client = WebSocket::open(&served.address);
    client.send("40");
    let (socket, next) = asked.recv().unwrap();
    let (answer, answered) = channel();
    let handler = Box::new(move |result| answer.send(result).unwrap());
    socket.emit_with_ack("late", &json("[]"), Some(Duration::from_millis(10)), handler).unwrap();
    socket.emit("sent", &json("[]")).unwrap();
    assert_eq!(answered.recv().unwrap().map_err(|error| error.kind()), Err(ErrorKind::Timeout));
    next.accept().unwrap();
    assert!(client.text().starts_with("40{"));
    assert_eq!(client.text(), r#"42["sent"]"#);
}

#[test]
fn what_is_kept_for_a_client_is_bounded() {
    let served = serve(|config| config.limits.queued_bytes = 10_000);
    let asked = served.ask();
    let mut client = WebSocket::open(&served.address);
    client.send("40");
    let (socket, _next) = asked.recv().unwrap();
    let event = json(&format!("[\"{}\"]", "x".repeat(1000)));
    let sent = (0..20).take_while(|_| socket.emit("x", &event).is_ok()).count();
    assert!((1..=10).contains(&sent), "{sent}");
    let refused = socket.emit("x", &json("[]"));
    assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::Backpressure));
    assert_eq!(socket.join(&"x".repeat(1025)).map_err(|error| error.kind()), Err(ErrorKind::TooLarge));
}

#[test]
fn clients_that_wait_count_towards_the_namespaces_of_a_client() {
    let served = serve(|config| config.limits.namespaces = 2);
    let asked = served.ask();
    served.server.of("/a").unwrap();
    served.server.of("/b").unwrap();
    let mut client = WebSocket::open(&served.address);
    client.send("40");
    let (_socket, next) = asked.recv().unwrap();
    client.send("40/a,");
    assert!(client.text().starts_with("40/a,{"));
    client.send("40/b,");
    assert_eq!(client.text(), r#"44/b,{"message":"Too many namespaces"}"#);
    next.accept().unwrap();
    assert!(client.text().starts_with("40{"));
}

/// In a callback, at once: the way that most programs take.
#[test]
fn each_way_of_delivery_asks_middlewares() {
    let decide = |served: &Served| {
        for number in 0..3 {
            served.namespace.add_middleware(Box::new(move |socket, next| {
                socket.emit("asked", &json(&format!("[{number}]"))).unwrap();
                next.accept().unwrap();
            }));
        }
        served.namespace.on_connection(Box::new(|socket| socket.emit("connection", &json("[]")).unwrap()));
    };
    let join = |served: &Served| {
        let mut client = WebSocket::open(&served.address);
        client.send("40");
        let told: Vec<_> = (0..5).map(|_| client.text()).collect();
        assert!(told[0].starts_with("40{"));
        assert_eq!(told[1..], [r#"42["asked",0]"#, r#"42["asked",1]"#, r#"42["asked",2]"#, r#"42["connection"]"#]);
    };
    for mode in [DeliveryMode::Threads, DeliveryMode::Inline] {
        let served = serve(|config| config.delivery = mode);
        decide(&served);
        join(&served);
    }
    let runtime = Runtime::new(&RuntimeConfig::default()).unwrap();
    let queue = HostQueue::new(&runtime, None).unwrap();
    let served = serve(|config| config.delivery = DeliveryMode::Queue(OfProcess::new(queue.clone())));
    decide(&served);
    std::thread::scope(|scope| {
        let client = scope.spawn(|| join(&served));
        while !client.is_finished() {
            queue.dispatch(0).unwrap();
            std::thread::yield_now();
        }
    });
}
