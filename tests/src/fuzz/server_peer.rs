//! The server's end of Socket.IO over one connection.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use socketio_core::data::Limits;
use socketio_core::proto::engine::packet::Message;
use socketio_core::proto::socket::ServerPeer;
use socketio_core::proto::socket::server::{Incoming, Joined};

use super::Script;

const NAMES: [&str; 4] = ["/", "/adm", "/a", "/adm/b"];

const MESSAGES: [&str; 12] = [
    "0",
    "0/adm,",
    "0/adm,{\"a\":1}",
    "1",
    "1/adm,",
    "2[\"a\"]",
    "2/adm,7[\"a\",1]",
    "30[]",
    "3/adm,1[2]",
    "51-[\"a\",{\"_placeholder\":true,\"num\":0}]",
    "61-/adm,0[{\"_placeholder\":true,\"num\":0}]",
    "4/a,{}",
];

/// Each step is a message of the client or a call of the program.
pub(super) fn run(data: &[u8]) {
    let mut limits = Limits::DEFAULT;
    (limits.namespaces, limits.pending_acks) = (3, 4);
    let mut script = Script::new(data);
    let mut books = Books { peer: ServerPeer::new(), waiting: BTreeMap::new(), next: 0, now: Instant::now() };
    while let Some(step) = script.step() {
        books.step(step, &mut script, &limits);
    }
    books.close();
    assert!(books.waiting.is_empty(), "{:?} were forgotten", books.waiting);
}

/// A peer, and who waits for an answer by our own account.
struct Books {
    peer: ServerPeer<String, u32>,
    waiting: BTreeMap<u32, &'static str>,
    next: u32,
    now: Instant,
}

impl Books {
    fn step(&mut self, step: u8, script: &mut Script<'_>, limits: &Limits) {
        match step % 9 {
            0..=2 => self.receive(Message::Text(script.text(&MESSAGES)), limits),
            3 => self.receive(Message::Binary(script.bytes(3)), limits),
            4 => {
                let name = script.pick(&NAMES);
                if let Some(replaced) = self.peer.join(name.into(), name.to_owned()) {
                    self.left(replaced);
                }
            }
            5 => {
                let name = script.pick(&NAMES);
                let was = self.peer.socket(name).is_some();
                let left = self.peer.leave(name);
                assert_eq!(left.is_some(), was);
                left.into_iter().for_each(|left| self.left(left));
            }
            6 => {
                let (name, soon) = (script.pick(&NAMES), script.byte());
                let deadline = (soon != 0).then(|| self.now + Duration::from_millis(soon.into()));
                let Some((_, evicted)) = self.peer.expect_ack(name, self.next, deadline, limits) else {
                    return assert!(self.peer.socket(name).is_none());
                };
                self.waiting.insert(self.next, name);
                self.next += 1;
                evicted.into_iter().for_each(|waiter| self.done(waiter));
                let waiting = self.waiting.values().filter(|it| **it == name).count();
                assert!(waiting <= limits.pending_acks, "{waiting} wait");
            }
            7 => {
                let (name, id) = (script.pick(&NAMES), script.byte());
                let cancelled = self.peer.cancel_ack(name, id.into());
                cancelled.into_iter().for_each(|waiter| self.done(waiter));
            }
            _ => {
                self.now += Duration::from_millis(script.byte().into());
                while let Some(waiter) = self.peer.expire(self.now) {
                    self.done(waiter);
                }
                assert!(
                    self.peer.deadline().is_none_or(|deadline| deadline > self.now),
                    "a deadline stays in the past"
                );
            }
        }
        assert_eq!(self.peer.is_empty(), self.peer.sockets().next().is_none());
    }

    fn receive(&mut self, message: Message<'_>, limits: &Limits) {
        match self.peer.receive(message, limits) {
            Err(_) => self.close(),
            Ok(Some(Incoming::Connect { namespace, .. })) => {
                assert!(self.peer.socket(namespace).is_none() && namespace.len() <= limits.namespace_name);
                let name = namespace.to_owned();
                assert!(self.peer.join(name.as_str().into(), name).is_none());
            }
            Ok(Some(Incoming::Refused(answer))) => assert!(answer.starts_with(b"44")),
            Ok(Some(Incoming::Event { socket, event })) => {
                assert!(self.peer.socket(&socket).is_some() && !event.is_empty());
            }
            Ok(Some(Incoming::Ack { socket, waiter, .. })) => {
                assert!(self.peer.socket(&socket).is_some());
                self.done(waiter);
            }
            Ok(Some(Incoming::Disconnect(left))) => self.left(left),
            Ok(None) => {}
        }
    }

    /// A socket is gone, and its waiters with it.
    fn left(&mut self, mut left: Joined<String, u32>) {
        assert_eq!(*left.namespace, *left.socket);
        left.acks.drain().for_each(|(_, waiter)| self.done(waiter));
    }

    fn done(&mut self, waiter: u32) {
        assert!(self.waiting.remove(&waiter).is_some(), "{waiter} comes back twice");
    }

    /// The connection is gone; the next one starts anew.
    fn close(&mut self) {
        let left: Vec<_> = self.peer.close().collect();
        left.into_iter().for_each(|left| self.left(left));
        assert!(self.peer.is_empty());
    }
}
