//! What threads may do to a connection at the same time, under the model checker: all of this is the real connection, its
//! task, its queue and a dispatch thread, with a stream in memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Connection, Io, Layer};
use crate::data::limits::Limits;
use crate::error::Result;
use crate::net::link::Stream;
use crate::net::memory::{self, Peer};
use crate::proto::engine::packet::{Message, Packet};
use crate::proto::engine::session::{CloseReason, SessionConfig};
use crate::runtime::dispatch::DeliveryMode;
use crate::runtime::dispatch::dispatcher::Dispatcher;
use crate::runtime::dispatch::host::HostQueue;
use crate::runtime::dispatch::turn;
use crate::runtime::sync::explore;
use crate::runtime::sync::thread::{self, JoinHandle};
use crate::runtime::timers::Timed;
use crate::runtime::{OfProcess, Runtime, RuntimeConfig};
use crate::server::engine::{Engine, EngineConfig};

/// Answers each message with itself, first under the lock and then from a handler, which closes the connection after the last
/// one.
struct Echo;

impl Layer for Echo {
    fn message(&mut self, io: &mut Io<'_, Self>, message: Message<'_>) {
        let Message::Text(text) = message else { return };
        io.send(packet(&format!("layer {text}")));
        let (connection, text) = (io.connection().clone(), text.to_owned());
        io.deliver_call(text.len(), move || {
            // The connection may be closed by then.
            let _ = send(&connection, &format!("handler {text}"));
            if text == "last" {
                connection.close();
            }
        });
    }

    fn closed(&mut self, io: &mut Io<'_, Self>, _reason: CloseReason) {
        io.send(packet("behind the end"));
    }
}

fn packet(text: &str) -> Packet {
    Packet::Text(format!("4{text}").into())
}

fn send(connection: &Arc<Connection<Echo>>, text: &str) -> Result<()> {
    connection.act(|_, io| {
        io.send(packet(text));
        Ok(())
    })
}

/// A connection whose peer has room for so many bytes, and a limit for the events that handlers have not taken.
fn connect(room: usize, undelivered_events: usize) -> (Arc<Connection<Echo>>, Arc<Peer>) {
    let runtime = Runtime::new(&RuntimeConfig::default()).expect("a runtime that starts no I/O threads");
    connect_on(&runtime, &DeliveryMode::Threads, room, undelivered_events)
}

fn connect_on(
    runtime: &Arc<Runtime>,
    delivery: &DeliveryMode,
    room: usize,
    undelivered_events: usize,
) -> (Arc<Connection<Echo>>, Arc<Peer>) {
    let dispatcher = Arc::new(Dispatcher::new(runtime, delivery).expect("a queue"));
    let config = EngineConfig {
        path: "/".into(),
        transports: Vec::new(),
        // A ping is due at every tick.
        session: SessionConfig { ping_interval: Duration::ZERO, ..SessionConfig::default() },
        limits: Limits { undelivered_events, ..Limits::DEFAULT },
        cors: None,
    };
    let engine = Engine::new(runtime.clone(), dispatcher, config, Box::new(|_| Echo));
    let (stream, peer) = memory::stream(room);
    engine.accept(Stream::Memory(stream));
    (engine.connections().remove(0), Arc::new(peer))
}

/// Reads to the end: all texts behind the handshake.
fn read(peer: &Arc<Peer>) -> JoinHandle<Vec<String>> {
    let peer = peer.clone();
    thread::spawn(move || {
        let mut texts = peer.receive_texts();
        assert!(texts.remove(0).starts_with("0{"), "the handshake comes first");
        texts
    })
}

/// The packets among `texts` that start so.
fn of<'a>(texts: &'a [String], sender: &str) -> Vec<&'a str> {
    texts.iter().map(|text| &text[1.min(text.len())..]).filter(|text| text.starts_with(sender)).collect()
}

/// Sends so many packets named after `sender`: says how many were taken.
fn send_all(connection: &Arc<Connection<Echo>>, sender: &str, first: usize, count: usize) -> usize {
    (first..first + count).take_while(|n| send(connection, &format!("{sender} {n}")).is_ok()).count()
}

fn numbered(sender: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{sender} {n}")).collect()
}

/// A thread that sends one packet by itself, two in a turn, and one in the next.
fn emit(connection: &Arc<Connection<Echo>>, sender: &'static str) -> JoinHandle<usize> {
    let connection = connection.clone();
    thread::spawn(move || {
        let mut taken = send_all(&connection, sender, 0, 1);
        taken += turn::run(|| send_all(&connection, sender, 1, 2));
        taken + turn::run(|| send_all(&connection, sender, 3, 1))
    })
}

fn tick(connection: &Arc<Connection<Echo>>) -> JoinHandle<()> {
    let connection = connection.clone();
    thread::spawn(move || connection.tick(Instant::now()))
}

#[test]
fn what_is_sent_is_written_once_and_in_order_and_nobody_has_to_close_for_that() {
    /// Handshake, four of each emitter, an answer from the layer and one from a handler, a ping.
    const ALL: usize = 1 + 2 * 4 + 2 + 1;
    explore::random(|| {
        let (connection, peer) = connect(7, 1024);
        let (reading, closing) = (peer.clone(), connection.clone());
        let received = thread::spawn(move || {
            let mut texts = reading.texts();
            let received = Vec::from_iter(texts.by_ref().take(ALL));
            closing.close();
            assert_eq!(texts.collect::<Vec<_>>(), [""], "only the close frame comes behind");
            received
        });
        let emitters = [emit(&connection, "a"), emit(&connection, "b")];
        let ticking = tick(&connection);
        peer.send_text("4ping");
        assert_eq!(emitters.map(|emitter| emitter.join().unwrap()), [4, 4]);
        ticking.join().unwrap();
        let received = received.join().unwrap();
        assert_eq!(of(&received, "a"), numbered("a", 4));
        assert_eq!(of(&received, "b"), numbered("b", 4));
        assert_eq!((of(&received, "layer").len(), of(&received, "handler").len()), (1, 1));
        assert_eq!(received.iter().filter(|text| *text == "2").count(), 1, "one ping");
    });
}

#[test]
fn what_a_close_overtakes_is_refused_and_the_rest_is_written() {
    explore::random(|| {
        let (connection, peer) = connect(9, 1024);
        let received = read(&peer);
        let emitters = [emit(&connection, "a"), emit(&connection, "b")];
        let closing = connection.clone();
        thread::spawn(move || closing.close());
        let ticking = tick(&connection);
        peer.send_text("4ping");
        let [a, b] = emitters.map(|emitter| emitter.join().unwrap());
        ticking.join().unwrap();
        let received = received.join().unwrap();
        assert_eq!(of(&received, "a"), numbered("a", a));
        assert_eq!(of(&received, "b"), numbered("b", b));
        assert!(of(&received, "behind").is_empty());
        assert!(received.last().unwrap().is_empty(), "the close frame comes last");
        assert_eq!(connection.buffered_bytes(), 0);
    });
}

#[test]
fn what_is_sent_outside_of_a_turn_does_not_wait_for_the_turn_of_another_thread() {
    explore::random(|| {
        let (connection, peer) = connect(1024, 1024);
        let acting = connection.clone();
        let turning = thread::spawn(move || turn::run(|| send_all(&acting, "turn", 0, 2)));
        send(&connection, "outside").unwrap();
        // It is with the system when the call returns.
        let written = String::from_utf8_lossy(&peer.receive(usize::MAX)).into_owned();
        assert!(written.contains("outside"));
        turning.join().unwrap();
        connection.close();
        let written = written + &peer.receive_texts().concat();
        assert!(written.contains("turn 0") && written.contains("turn 1"));
    });
}

#[test]
fn a_connection_that_stops_reading_for_its_handlers_reads_on() {
    explore::random(|| {
        let (connection, peer) = connect(11, 1);
        let received = read(&peer);
        peer.send_text("40");
        peer.send_text("41");
        let ticking = tick(&connection);
        peer.send_text("42");
        peer.send_text("4last");
        let received = received.join().unwrap();
        ticking.join().unwrap();
        assert_eq!(of(&received, "layer"), ["layer 0", "layer 1", "layer 2", "layer last"]);
        assert_eq!(of(&received, "handler"), ["handler 0", "handler 1", "handler 2", "handler last"]);
    });
}

#[test]
fn a_connection_whose_queue_is_closed_reads_on() {
    explore::random(|| {
        let runtime = Runtime::new(&RuntimeConfig::default()).unwrap();
        let queue = HostQueue::new(&runtime, None).unwrap();
        let (connection, peer) = connect_on(&runtime, &DeliveryMode::Queue(OfProcess::new(queue.clone())), 1024, 1);
        for text in ["40", "41", "42"] {
            peer.send_text(text);
        }
        let dispatching = queue.clone();
        let dispatching = thread::spawn(move || drop(dispatching.dispatch(1)));
        queue.close();
        let mut written = String::new();
        while !written.contains("layer 2") {
            written += &String::from_utf8_lossy(&peer.receive(usize::MAX));
        }
        dispatching.join().unwrap();
        connection.close();
        peer.receive_texts();
    });
}
