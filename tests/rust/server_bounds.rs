//! The bounds of a server, over real sockets and with small limits: each at its limit, and what happens past it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use socketio_core::data::{Limits, Payload};
use socketio_core::runtime::dispatch::event::Event;
use socketio_core::runtime::{Runtime, RuntimeConfig};
use socketio_core::server::{Server, ServerConfig, Socket};
use socketio_core::{Error, ErrorKind};
use socketio_tests::raw::{self, Frame, Polling, WebSocket};

/// A server with limits of the test's own, which closes when dropped. Its dispatch thread is its own too, for handlers
/// that block.
struct Served {
    server: Arc<Server>,
    address: String,
}

fn serve(limit: impl FnOnce(&mut Limits)) -> Served {
    serve_on(1, limit)
}

fn serve_on(dispatch_threads: usize, limit: impl FnOnce(&mut Limits)) -> Served {
    let mut config = ServerConfig::default();
    limit(&mut config.limits);
    let threads = NonZeroUsize::new(dispatch_threads);
    let runtime = Runtime::new(&RuntimeConfig { dispatch_threads: threads, ..RuntimeConfig::default() }).unwrap();
    let server = Server::new(&runtime, &config).unwrap();
    server.listen("127.0.0.1:0", Box::new(|_| {})).unwrap();
    let address = server.address(0).unwrap();
    Served { server, address }
}

impl Served {
    /// Calls `handler` with the sockets and first arguments of the event `name`.
    fn on(&self, name: &str, handler: impl Fn(&Arc<Socket>, &str) + Send + Sync + 'static) {
        let handler = move |socket: &Arc<Socket>, event: &mut Event| {
            handler(socket, event.payload().arg(0).unwrap_or_default());
        };
        self.server.of("/").unwrap().on(name, Box::new(handler)).unwrap();
    }

    /// Answers the event `echo`, by which a client sees that its session lives.
    fn echo(&self) {
        let echo = |_: &Arc<Socket>, event: &mut Event| {
            let payload = event.payload().clone();
            event.take_ack().unwrap().send(&payload).unwrap();
        };
        self.server.of("/").unwrap().on("echo", Box::new(echo)).unwrap();
    }

    /// The sockets as they join.
    fn sockets(&self) -> Receiver<Arc<Socket>> {
        let (sender, receiver) = channel();
        let sender = std::sync::Mutex::new(sender);
        self.server.of("/").unwrap().on_connection(Box::new(move |socket| {
            let _ = sender.lock().unwrap().send(socket.clone());
        }));
        receiver
    }

    /// The reasons of the sockets that leave, in order.
    fn reasons(&self) -> Receiver<String> {
        let (sender, receiver) = channel();
        let sender = std::sync::Mutex::new(sender);
        self.server.of("/").unwrap().on_disconnect(Box::new(move |_, reason| {
            let _ = sender.lock().unwrap().send(reason.to_owned());
        }));
        receiver
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.close_wait(Duration::from_mins(1)).unwrap();
    }
}

fn payload(json: &str) -> Payload {
    Payload::from_json(json, Vec::new()).unwrap()
}

/// Handlers that wait for a permit each, and count.
struct Slow {
    permits: Sender<()>,
    begun: Receiver<usize>,
    ended: Arc<AtomicUsize>,
}

impl Slow {
    /// The state, and what a handler does with its number.
    fn new() -> (Self, impl Fn(usize) + Send + Sync + 'static) {
        let ((permits, wait), (tell, begun)) = (channel(), channel());
        let (wait, tell) = (std::sync::Mutex::new(wait), std::sync::Mutex::new(tell));
        let ended = Arc::new(AtomicUsize::new(0));
        let counted = ended.clone();
        let handler = move |number| {
            let _ = tell.lock().unwrap().send(number);
            // An error: the test has failed already.
            let _ = wait.lock().unwrap().recv();
            counted.fetch_add(1, Ordering::SeqCst);
        };
        (Self { permits, begun, ended }, handler)
    }

    /// Lets `count` handlers end, one after the other; returns their numbers in the order of the calls.
    fn let_end(&self, count: usize) -> Vec<usize> {
        (0..count)
            .map(|_| {
                let number = self.begun.recv().unwrap();
                self.permits.send(()).unwrap();
                number
            })
            .collect()
    }
}

#[test]
fn a_websocket_is_read_no_further_than_its_handlers_allow() {
    const EVENTS: usize = 200;
    const LIMIT: usize = 4;
    let served = serve(|limits| limits.undelivered_events = LIMIT);
    let (slow, handler) = Slow::new();
    served.on("n", move |_, number| handler(number.parse().unwrap()));
    let mut client = WebSocket::join(&served.address);

    // Behind each event a ping: its pong says that the event was read.
    for number in 0..EVENTS {
        client.send(&format!(r#"42["n",{number}]"#));
        client.write(&raw::frame(9, number.to_string().as_bytes()));
    }
    let ended = slow.ended.clone();
    let reader = std::thread::spawn(move || {
        loop {
            let frame = client.read().unwrap();
            assert_eq!(frame.opcode, 10, "{frame:?}");
            let read = std::str::from_utf8(&frame.content).unwrap().parse::<usize>().unwrap() + 1;
            assert!(read <= ended.load(Ordering::SeqCst) + LIMIT, "{read} events were read");
            if read == EVENTS {
                break;
            }
        }
    });

    assert_eq!(slow.let_end(EVENTS), (0..EVENTS).collect::<Vec<_>>());
    reader.join().unwrap();
}

#[test]
fn bytes_of_events_are_bounded_as_their_number_is() {
    const EVENTS: usize = 50;
    let served = serve(|limits| limits.undelivered_bytes = 1000);
    let (slow, handler) = Slow::new();
    served.on("n", move |_, text| handler(text.len()));
    let mut client = WebSocket::join(&served.address);

    let event = format!(r#"42["n","{}"]"#, "x".repeat(600));
    for number in 0..EVENTS {
        client.send(&event);
        client.write(&raw::frame(9, number.to_string().as_bytes()));
    }
    let ended = slow.ended.clone();
    let reader = std::thread::spawn(move || {
        for read in 1..=EVENTS {
            assert_eq!(client.read().unwrap().content, (read - 1).to_string().as_bytes());
            assert!(read <= ended.load(Ordering::SeqCst) + 2, "{read} events were read");
        }
    });

    assert_eq!(slow.let_end(EVENTS), [602; EVENTS]);
    reader.join().unwrap();
}

#[test]
fn a_post_waits_until_handlers_have_caught_up() {
    const EVENTS: usize = 200;
    const LIMIT: usize = 4;
    let served = serve(|limits| limits.undelivered_events = LIMIT);
    let (slow, handler) = Slow::new();
    served.on("n", move |_, number| handler(number.parse().unwrap()));
    let client = Polling::join(&served.address);

    let body = (0..EVENTS).map(|number| format!(r#"42["n",{number}]"#)).collect::<Vec<_>>().join("\u{1e}");
    let ended = slow.ended.clone();
    let poster = std::thread::spawn(move || {
        assert_eq!(client.post(&body).status, 200);
        assert!(ended.load(Ordering::SeqCst) + LIMIT >= EVENTS);
        // The session lives on.
        assert_eq!(client.post(&format!(r#"42["n",{EVENTS}]"#)).status, 200);
    });

    assert_eq!(slow.let_end(EVENTS + 1), (0..=EVENTS).collect::<Vec<_>>());
    poster.join().unwrap();
}

#[test]
fn joining_and_leaving_count_as_events_do() {
    const ROUNDS: usize = 100;
    const LIMIT: usize = 4;
    let served = serve(|limits| limits.undelivered_events = LIMIT);
    let (slow, handler) = Slow::new();
    served.server.of("/").unwrap().on_connection(Box::new(move |_| handler(0)));
    let mut client = WebSocket::open(&served.address);

    for round in 0..ROUNDS {
        client.send("40");
        client.send("41");
        client.write(&raw::frame(9, round.to_string().as_bytes()));
    }
    let ended = slow.ended.clone();
    let reader = std::thread::spawn(move || {
        loop {
            let frame = client.read().unwrap();
            if frame.opcode == 1 {
                assert!(frame.content.starts_with(b"40{"));
                continue;
            }
            let read = std::str::from_utf8(&frame.content).unwrap().parse::<usize>().unwrap() + 1;
            assert!(read <= ended.load(Ordering::SeqCst) + LIMIT, "{read} rounds were read");
            if read == ROUNDS {
                break;
            }
        }
    });

    slow.let_end(ROUNDS);
    reader.join().unwrap();
}

#[test]
fn answers_count_as_events_do() {
    const ANSWERS: usize = 100;
    const LIMIT: usize = 4;
    let served = serve(|limits| limits.undelivered_events = LIMIT);
    let sockets = served.sockets();
    let (slow, handler) = Slow::new();
    let handler = Arc::new(handler);
    let mut client = WebSocket::join(&served.address);
    let socket = sockets.recv().unwrap();
    for _ in 0..ANSWERS {
        let handler = handler.clone();
        let answered =
            Box::new(move |answer: Result<Payload, Error>| handler(answer.unwrap().arg(0).unwrap().parse().unwrap()));
        socket.emit_with_ack("ask", &payload("[]"), None, answered).unwrap();
    }
    for number in 0..ANSWERS {
        assert_eq!(client.text(), format!(r#"42{number}["ask"]"#));
    }

    for number in 0..ANSWERS {
        client.send(&format!("43{number}[{number}]"));
        client.write(&raw::frame(9, number.to_string().as_bytes()));
    }
    let ended = slow.ended.clone();
    let reader = std::thread::spawn(move || {
        loop {
            let frame = client.read().unwrap();
            let read = std::str::from_utf8(&frame.content).unwrap().parse::<usize>().unwrap() + 1;
            assert!(read <= ended.load(Ordering::SeqCst) + LIMIT, "{read} answers were read");
            if read == ANSWERS {
                break;
            }
        }
    });

    assert_eq!(slow.let_end(ANSWERS), (0..ANSWERS).collect::<Vec<_>>());
    reader.join().unwrap();
}

#[test]
fn a_paused_connection_that_is_closed_ends_for_its_peer_too() {
    let served = serve(|limits| limits.undelivered_events = 1);
    let (slow, handler) = Slow::new();
    served.on("n", move |socket, _| {
        handler(0);
        socket.disconnect(true);
    });
    let mut client = WebSocket::join(&served.address);

    // More than the system keeps for us: the client cannot write on until the server reads.
    let (event, events) = (raw::frame(1, format!(r#"42["n","{}"]"#, "x".repeat(50_000)).as_bytes()), 1000);
    let mut writing = client.again();
    let writer = std::thread::spawn(move || (0..events).all(|_| writing.try_write(&event)));
    slow.let_end(1);

    assert_eq!(client.text(), "41");
    assert_eq!(client.close_code(), None);
    drop(client);
    writer.join().unwrap();
}

#[test]
fn an_emitter_is_told_that_a_client_does_not_read_and_the_client_loses_nothing() {
    const LIMIT: usize = 4 << 20;
    let served = serve(|limits| limits.queued_bytes = LIMIT);
    let sockets = served.sockets();
    for filler in [100, 40_000, 700_000] {
        let mut client = WebSocket::join(&served.address);
        let socket = sockets.recv().unwrap();
        let filler = "x".repeat(filler);

        let mut sent = 0;
        let refused = loop {
            match socket.emit("n", &payload(&format!(r#"[{sent},"{filler}"]"#))) {
                Ok(()) => sent += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(refused.kind(), ErrorKind::Backpressure);
        assert!((LIMIT..LIMIT + filler.len() + 100).contains(&socket.buffered_bytes()), "{}", socket.buffered_bytes());
        // Volatile ones are dropped, and nobody is told.
        socket.emit_volatile("n", &payload("[]")).unwrap();

        for number in 0..sent {
            assert_eq!(client.text(), format!(r#"42["n",{number},"{filler}"]"#));
        }
        assert_eq!(socket.buffered_bytes(), 0);
        socket.emit("n", &payload("[]")).unwrap();
        assert_eq!(client.text(), r#"42["n"]"#);
    }
}

#[test]
fn the_bound_of_queued_bytes_holds_on_polling_and_the_client_gets_all_of_it() {
    const LIMIT: usize = 10_000;
    let served = serve(|limits| limits.queued_bytes = LIMIT);
    let sockets = served.sockets();
    let client = Polling::join(&served.address);
    let socket = sockets.recv().unwrap();

    let event = format!(r#"42["n","{}"]"#, "x".repeat(990));
    assert_eq!(event.len(), 1000);
    let arguments = payload(&format!("[{}]", &event[7..event.len() - 1]));
    for _ in 0..10 {
        socket.emit("n", &arguments).unwrap();
    }
    assert_eq!(socket.buffered_bytes(), LIMIT);
    assert_eq!(socket.emit("n", &arguments).unwrap_err().kind(), ErrorKind::Backpressure);

    assert_eq!(client.get().body, vec![event; 10].join("\u{1e}"));
    socket.emit("n", &arguments).unwrap();
}

#[test]
fn a_broadcast_disconnects_a_client_that_does_not_read_and_reaches_the_others() {
    let served = serve(|limits| limits.queued_bytes = 100_000);
    let reasons = served.reasons();
    let idle = WebSocket::join(&served.address);
    let mut reader = WebSocket::join(&served.address);
    let namespace = served.server.of("/").unwrap();

    let filler = "x".repeat(10_000);
    let mut sent = 0;
    let reason = loop {
        namespace.emit("n", &payload(&format!(r#"[{sent},"{filler}"]"#))).unwrap();
        assert_eq!(reader.text(), format!(r#"42["n",{sent},"{filler}"]"#));
        sent += 1;
        if let Ok(reason) = reasons.try_recv() {
            break reason;
        }
    };

    assert_eq!(reason, "forced close");
    assert_eq!(namespace.socket_count(), 1);
    namespace.emit("n", &payload("[]")).unwrap();
    assert_eq!(reader.text(), r#"42["n"]"#);
    drop(idle);
}

#[test]
fn of_the_pings_of_a_peer_that_does_not_read_only_the_newest_is_kept() {
    const PINGS: usize = 500_000;
    let served = serve(|_| {});
    served.echo();
    let mut client = WebSocket::join(&served.address);

    // Far more than the buffers of the system hold on their way back.
    let mut pings = Vec::new();
    for number in 0..PINGS {
        pings.extend(raw::frame(9, format!("{number:0>125}").as_bytes()));
    }
    client.write(&pings);
    client.send(r#"420["echo"]"#);

    let mut pongs = 0;
    let mut newest = Vec::new();
    loop {
        match client.read().unwrap() {
            Frame { opcode: 10, content } => {
                assert!(content > newest);
                newest = content;
                pongs += 1;
            }
            frame => {
                assert_eq!(frame.content, b"430[]");
                break;
            }
        }
    }
    assert!(pongs < PINGS, "every one was kept");
    assert_eq!(newest, format!("{:0>125}", PINGS - 1).as_bytes());
}

#[test]
fn an_ack_handler_that_is_not_taken_is_dropped_where_no_lock_is_held() {
    /// Asks something that takes the connection's lock when it is dropped, as a program may.
    struct Asks(Arc<Socket>);
    impl Drop for Asks {
        fn drop(&mut self) {
            self.0.buffered_bytes();
        }
    }
    let served = serve(|limits| limits.queued_bytes = 100);
    let sockets = served.sockets();
    let client = Polling::join(&served.address);
    let socket = sockets.recv().unwrap();
    socket.emit("n", &payload(&format!("[{:?}]", "x".repeat(100)))).unwrap();

    let asks = Asks(socket.clone());
    let refused = socket.emit_with_ack("n", &payload("[]"), None, Box::new(move |_| drop(asks)));

    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Backpressure);
    drop(client);
}

#[test]
fn a_handler_that_blocks_holds_up_no_answer_of_another_thread() {
    let served = serve_on(2, |_| {});
    served.echo();
    let (slow, handler) = Slow::new();
    served.on("block", move |socket, _| {
        socket.namespace().emit("n", &payload("[]")).unwrap();
        handler(0);
    });
    // Connections take the threads in turn.
    let (mut first, mut second) = (WebSocket::join(&served.address), WebSocket::join(&served.address));

    first.send(r#"42["block"]"#);
    slow.begun.recv().unwrap();
    second.send(r#"420["echo"]"#);

    assert_eq!(second.text(), r#"42["n"]"#);
    assert_eq!(second.text(), "430[]");
    slow.permits.send(()).unwrap();
}

#[test]
fn answers_to_a_peer_that_does_not_read_are_bounded() {
    let served = serve(|limits| limits.queued_bytes = 100_000);
    let mut client = WebSocket::open(&served.address);

    // Each asks for an answer of our own.
    let flood = raw::frame(1, format!("40/{},", "x".repeat(100)).as_bytes()).repeat(1000);
    while served.server.clients_count() > 0 && client.try_write(&flood) {}

    assert_eq!(served.server.clients_count(), 0);
}

#[test]
fn probes_of_a_peer_that_does_not_read_are_bounded() {
    let served = serve(|_| {});
    served.echo();
    let session = Polling::join(&served.address);
    let mut probing = WebSocket::upgrade(&served.address, &format!("EIO=4&transport=websocket&sid={}", session.sid));

    const PROBES: usize = 1_000_000;
    let flood = raw::frame(1, b"2probe").repeat(PROBES / 100);
    (0..100).for_each(|_| probing.write(&flood));
    // What was read behind all of them: a packet that ends the probing.
    probing.send("4");

    let mut answers = 0;
    while let Some(frame) = probing.read() {
        if frame.opcode == 8 {
            break;
        }
        assert_eq!(frame.content, b"3probe");
        answers += 1;
    }
    assert!(answers < PROBES, "every one was answered");
    assert_eq!(session.post(r#"420["echo"]"#).status, 200);
    assert_eq!(session.get().body, "430[]");
}

#[test]
fn a_post_is_bounded_to_the_byte() {
    const LIMIT: usize = 1000;
    let served = serve(|limits| limits.max_payload = LIMIT);
    served.echo();
    let client = Polling::join(&served.address);
    let event = |size: usize| format!(r#"420["echo","{}"]"#, "x".repeat(size - 14));
    for size in [LIMIT - 1, LIMIT] {
        assert_eq!(client.post(&event(size)).status, 200);
        assert_eq!(client.get().body.len(), size - 7);
    }

    let answer = client.post(&event(LIMIT + 1));
    assert_eq!((answer.status, &*answer.body), (413, ""));

    // The same without a declared length.
    let chunked = |size: usize| {
        let (query, event) = (client.query(), event(size));
        let (first, second) = event.split_at(500);
        raw::request(
            &served.address,
            &format!(
                "POST /socket.io/?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
                 {:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
                first.len(),
                second.len()
            ),
        )
    };
    assert_eq!(chunked(LIMIT + 1).status, 413);
    for size in [LIMIT - 1, LIMIT] {
        assert_eq!(chunked(size).status, 200);
        assert_eq!(client.get().body.len(), size - 7);
    }
}

#[test]
fn a_message_is_bounded_to_the_byte_in_one_frame_and_in_several() {
    const LIMIT: usize = 1000;
    let served = serve(|limits| limits.max_payload = LIMIT);
    served.echo();
    let event = |size: usize| format!(r#"420["echo","{}"]"#, "x".repeat(size - 14));
    let whole = |size: usize| raw::frame(1, event(size).as_bytes());
    let parts = |size: usize| {
        let event = event(size);
        let (first, second) = event.as_bytes().split_at(500);
        [raw::fragment(1, first), raw::fragment(0x80, second)].concat()
    };
    for write in [&whole as &dyn Fn(usize) -> Vec<u8>, &parts] {
        let mut client = WebSocket::join(&served.address);
        for size in [LIMIT - 1, LIMIT] {
            client.write(&write(size));
            assert_eq!(client.text().len(), size - 7);
        }
        client.write(&write(LIMIT + 1));
        assert_eq!(client.close_code(), Some(1009));
        assert_eq!(client.read(), None);
    }
}

#[test]
fn sessions_are_bounded_on_both_transports() {
    let served = serve(|limits| limits.sessions = Some(2));
    let clients = (Polling::open(&served.address), WebSocket::open(&served.address));

    assert_eq!(raw::get(&served.address, "EIO=4&transport=polling").status, 503);
    let upgrade = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
                   Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    assert_eq!(raw::request(&served.address, upgrade).status, 503);

    assert_eq!(clients.0.post("1").status, 200);
    Polling::open(&served.address);
}

#[test]
fn fragments_are_bounded() {
    const LIMIT: usize = 10;
    let served = serve(|limits| limits.fragments = LIMIT);
    served.echo();
    for (count, fits) in [(LIMIT - 1, true), (LIMIT, true), (LIMIT + 1, false)] {
        let mut client = WebSocket::join(&served.address);
        client.write(&raw::fragment(1, br#"420["echo"]"#));
        client.write(&raw::fragment(0, b"").repeat(count - 2));
        client.write(&raw::fragment(0x80, b""));
        if fits {
            assert_eq!(client.text(), "430[]");
        } else {
            assert_eq!(client.close_code(), Some(1008));
        }
    }
}

/// Has a client send an event and says whether it got its answer; if not, it was disconnected for breaking the protocol.
#[track_caller]
fn is_taken(served: &Served, reasons: &Receiver<String>, send: impl FnOnce(&mut WebSocket)) -> bool {
    let mut client = WebSocket::join(&served.address);
    send(&mut client);
    let frame = client.read().unwrap();
    if frame.opcode == 8 {
        assert_eq!(reasons.recv().unwrap(), "forced close");
        return false;
    }
    drop(client);
    assert_eq!(reasons.recv().unwrap(), "transport close");
    true
}

#[test]
fn attachments_are_bounded() {
    const LIMIT: usize = 3;
    let served = serve(|limits| limits.attachments = LIMIT);
    served.echo();
    let reasons = served.reasons();
    for (count, fits) in [(LIMIT - 1, true), (LIMIT, true), (LIMIT + 1, false)] {
        let taken = is_taken(&served, &reasons, |client| {
            client.send(&format!(r#"45{count}-0["echo"]"#));
            // The server may have closed already.
            let _ = client.try_write(&raw::frame(2, b"x").repeat(count));
        });
        assert_eq!(taken, fits, "{count}");
    }
}

#[test]
fn arguments_are_bounded() {
    const LIMIT: usize = 10;
    let served = serve(|limits| limits.arguments = LIMIT);
    served.echo();
    let reasons = served.reasons();
    for (count, fits) in [(LIMIT - 1, true), (LIMIT, true), (LIMIT + 1, false)] {
        let taken = is_taken(&served, &reasons, |client| client.send(&format!(r#"420["echo"{}]"#, ",1".repeat(count))));
        assert_eq!(taken, fits, "{count}");
    }
}

#[test]
fn nesting_is_bounded() {
    const LIMIT: usize = 128;
    let served = serve(|_| {});
    served.echo();
    let reasons = served.reasons();
    for (depth, fits) in [(LIMIT - 1, true), (LIMIT, true), (LIMIT + 1, false)] {
        // The array of arguments is the outermost level.
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        let taken = is_taken(&served, &reasons, |client| client.send(&format!(r#"420["echo",{open}{close}]"#)));
        assert_eq!(taken, fits, "{depth}");
    }
}
