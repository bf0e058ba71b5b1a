//! The client's end of Socket.IO, over one connection after the other.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use socketio_core::data::{Limits, Payload};
use socketio_core::proto::engine::packet::Message;
use socketio_core::proto::socket::ClientPeer;
use socketio_core::proto::socket::client::{Disconnected, Incoming};

use super::Script;

const NAMES: [&str; 4] = ["/", "/adm", "/a", "/adm/b"];

const MESSAGES: [&str; 14] = [
    "0{\"sid\":\"x\"}",
    "0/adm,{\"sid\":\"y\"}",
    "0{}",
    "1",
    "1/adm,",
    "2[\"a\"]",
    "2/adm,7[\"a\",1]",
    "30[]",
    "3/adm,1[2]",
    "51-[\"a\",{\"_placeholder\":true,\"num\":0}]",
    "61-/adm,0[{\"_placeholder\":true,\"num\":0}]",
    "4{\"message\":\"no\",\"data\":[1]}",
    "4/adm,\"no\"",
    "0/a",
];

/// Each step is a message of the server or a call of the program.
pub(super) fn run(data: &[u8]) {
    let mut limits = Limits::DEFAULT;
    (limits.namespaces, limits.pending_acks, limits.queued_bytes) = (3, 4, 64);
    (limits.undelivered_events, limits.undelivered_bytes) = (4, 128);
    let mut script = Script::new(data);
    let mut books =
        Books { peer: ClientPeer::new(), open: false, waiting: BTreeMap::new(), next: 0, now: Instant::now() };
    while let Some(step) = script.step() {
        books.step(step, &mut script, &limits);
    }
    books.closed();
    for waiter in books.peer.drain() {
        books.done(waiter);
    }
    assert!(books.waiting.is_empty(), "{:?} were forgotten", books.waiting);
}

/// A peer, and who waits for an answer by our own account.
struct Books {
    peer: ClientPeer<&'static str, u32>,
    open: bool,
    waiting: BTreeMap<u32, &'static str>,
    next: u32,
    now: Instant,
}

impl Books {
    fn step(&mut self, step: u8, script: &mut Script<'_>, limits: &Limits) {
        match step % 14 {
            0..=3 => self.receive(Message::Text(script.text(&MESSAGES)), limits),
            4 => self.receive(Message::Binary(script.bytes(3)), limits),
            5 => {
                let name = script.pick(&NAMES);
                let had = self.peer.socket(name).is_some();
                let full = self.peer.sockets().count() >= limits.namespaces;
                assert_eq!(self.peer.add(name.into(), name, limits).is_err(), had || full);
            }
            6 => {
                let name = script.pick(&NAMES);
                if !self.peer.active(name) {
                    for waiter in self.peer.remove(name) {
                        self.done(waiter);
                    }
                    assert!(self.peer.socket(name).is_none());
                }
            }
            7 => {
                let name = script.pick(&NAMES);
                let was_active = self.peer.active(name);
                let send = self.peer.connect(name);
                assert!(!send || self.open && !was_active);
                assert_eq!(self.peer.active(name), self.peer.socket(name).is_some());
                if send && step >= 128 {
                    self.peer.ask(name);
                }
            }
            8 => {
                let name = script.pick(&NAMES);
                let was_connected = self.peer.connected(name);
                let left = self.peer.disconnect(name);
                assert!(left.is_some() == was_connected && !self.peer.active(name));
                left.into_iter().for_each(|(_, left)| self.disconnected(left));
            }
            9 if !self.open => {
                self.open = true;
                for (name, socket) in self.peer.opened() {
                    assert!(*name == *socket && self.peer.active(&name) && !self.peer.connected(&name));
                }
            }
            9 => {
                let name = script.pick(&NAMES);
                let is_active = self.peer.active(name);
                if self.peer.asked(name) {
                    assert!(is_active && !self.peer.connected(name) && !self.peer.asked(name));
                }
                assert_eq!(self.peer.active(name), is_active);
            }
            10 => self.closed(),
            11 => self.emit(script, limits),
            12 => {
                let (name, payload) = (script.pick(&NAMES), Payload::new());
                let writable = script.byte() & 1 == 0;
                let sent = self.peer.emit_volatile(name, "a", &payload, writable, limits);
                assert!(self.peer.socket(name).is_some() || sent.is_err());
                assert!(!matches!(sent, Ok(Some(_))) || self.peer.connected(name));
                assert_eq!(self.peer.answer(name, 3, &payload).is_some(), self.peer.connected(name));
            }
            13 => {
                self.now += Duration::from_millis(script.byte().into());
                while let Some(waiter) = self.peer.expire(self.now) {
                    self.done(waiter);
                }
                assert!(
                    self.peer.deadline().is_none_or(|deadline| deadline > self.now),
                    "a deadline stays in the past"
                );
            }
            _ => {}
        }
        let active = self.peer.sockets().any(|name| self.peer.active(name));
        assert_eq!(self.peer.any_active(), active);
        assert!(self.open || self.peer.sockets().all(|name| !self.peer.connected(name)));
    }

    fn emit(&mut self, script: &mut Script<'_>, limits: &Limits) {
        let (name, soon) = (script.pick(&NAMES), script.byte());
        let deadline = (soon > 1).then(|| self.now + Duration::from_millis(soon.into()));
        let mut waiter = (soon != 0).then_some((self.next, deadline));
        match self.peer.emit(name, "a", &Payload::new(), &mut waiter, limits) {
            Err(_) => assert_eq!(waiter.is_some(), soon != 0, "a waiter is taken by what fails"),
            Ok(emitted) => {
                assert!(waiter.is_none() && emitted.send.is_some() == self.peer.connected(name));
                if soon != 0 {
                    self.waiting.insert(self.next, name);
                    self.next += 1;
                }
                emitted.evicted.into_iter().for_each(|waiter| self.done(waiter));
            }
        }
        let waiting = self.waiting.values().filter(|it| **it == name).count();
        assert!(waiting <= limits.pending_acks, "{waiting} wait");
    }

    fn receive(&mut self, message: Message<'_>, limits: &Limits) {
        if !self.open {
            return;
        }
        match self.peer.receive(message, limits) {
            Err(_) => self.closed(),
            Ok(Some(Incoming::Connected { socket, sid, early, unsent })) => {
                assert!(self.peer.connected(socket) && !sid.is_empty());
                assert!(early.len() <= limits.undelivered_events && unsent.iter().all(|it| !it.is_empty()));
            }
            Ok(Some(Incoming::ConnectError { socket, .. })) => assert!(self.peer.socket(socket).is_some()),
            Ok(Some(Incoming::Event { socket, .. })) => assert!(self.peer.connected(socket)),
            Ok(Some(Incoming::Ack { waiter, .. })) => self.done(waiter),
            Ok(Some(Incoming::Disconnected(left))) => {
                assert!(!self.peer.active(left.socket));
                self.disconnected(left);
            }
            Ok(Some(Incoming::Reply(text))) => assert!(text.starts_with(b"41")),
            Ok(None) => {}
        }
    }

    fn disconnected(&mut self, left: Disconnected<&'static str, u32>) {
        left.waiters.into_iter().for_each(|waiter| self.done(waiter));
    }

    fn done(&mut self, waiter: u32) {
        assert!(self.waiting.remove(&waiter).is_some(), "{waiter} comes back twice");
    }

    /// The connection is gone.
    fn closed(&mut self) {
        self.open = false;
        for left in self.peer.closed() {
            assert!(self.peer.active(left.socket));
            self.disconnected(left);
        }
    }
}
