//! What was sent and what has arrived: the checks that hold whatever the network does.
//!
//! They are made twice. On the lower floor every message that a session takes is remembered by its hash, and has to come
//! out of the other session next. On the upper floor every event has a number from which its content follows; it is sent to
//! one socket, and has to be the next one there. So a message that is lost, doubled, changed or out of order is noticed
//! when the next one arrives, and what has arrived when a session ends is a prefix of what was sent.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

use bytes::Bytes;
use socketio_core::data::{Payload, PayloadBuilder};
use socketio_core::proto::engine::packet::{Message, Packet};

use crate::network::Side;
use crate::random::Random;

/// The number of an event, and of who waits for its answer.
pub(super) type Number = u64;

/// The number of a server's socket, which its id is made of.
pub(super) type SocketNumber = u32;

/// Everything that is sent.
#[derive(Debug)]
pub(super) struct Ledger {
    seed: u64,
    /// The largest argument or attachment of ordinary events.
    size: usize,
    /// The largest message that is allowed.
    max_payload: usize,
    last: Number,
    last_socket: SocketNumber,
    sessions: BTreeMap<u32, Traffic>,
    sockets: BTreeMap<SocketNumber, [VecDeque<Number>; 2]>,
    /// The server's sockets by session and namespace, the present one last.
    joined: BTreeMap<(u32, &'static str), Vec<SocketNumber>>,
    /// What a client's socket has emitted and could not send yet.
    kept: BTreeMap<&'static str, VecDeque<Number>>,
    waiting: BTreeSet<Number>,
}

/// What one session of the client and the server's has to carry.
#[derive(Debug, Default)]
struct Traffic {
    /// By the side it is for.
    underway: [VecDeque<u64>; 2],
    pulse: [Option<Pulse>; 2],
}

/// How long a session may live without a sign of the other side.
#[derive(Clone, Copy, Debug)]
struct Pulse {
    until: Instant,
    paused: bool,
}

impl Ledger {
    pub(super) fn new(seed: u64, size: usize, max_payload: usize) -> Self {
        Self {
            seed,
            size,
            max_payload,
            last: 0,
            last_socket: 0,
            sessions: BTreeMap::new(),
            sockets: BTreeMap::new(),
            joined: BTreeMap::new(),
            kept: BTreeMap::new(),
            waiting: BTreeSet::new(),
        }
    }
}

/// The lower floor: messages of a session, and its heartbeat.
impl Ledger {
    /// A session has taken these messages for `to`.
    pub(super) fn sent(&mut self, session: u32, to: Side, packet: &Packet) {
        let underway = &mut self.sessions.entry(session).or_default().underway[to as usize];
        match packet {
            Packet::Text(text) => underway.push_back(hash(true, &text[1..])),
            Packet::Binary(bytes) => underway.push_back(hash(false, bytes)),
            Packet::Shared(encoded) => {
                underway.push_back(hash(true, &encoded.text()[1..]));
                underway.extend(encoded.attachments().iter().map(|bytes| hash(false, bytes)));
            }
            Packet::End => {}
        }
    }

    /// A session of `side` gives out a message.
    pub(super) fn received(&mut self, session: u32, side: Side, message: Message<'_>) -> Result<(), String> {
        let (is_text, bytes) = match message {
            Message::Text(text) => (true, text.as_bytes()),
            Message::Binary(bytes) => (false, bytes),
        };
        let underway = &mut self.sessions.entry(session).or_default().underway[side as usize];
        match underway.pop_front() {
            Some(next) if next == hash(is_text, bytes) => Ok(()),
            next => Err(format!(
                "the {side:?}'s session {session} received {message:?}, which is {}",
                if next.is_none() { "one message too many" } else { "not the next message" }
            )),
        }
    }

    /// How many messages for `to` have not arrived.
    pub(super) fn underway(&self, session: u32, to: Side) -> usize {
        self.sessions.get(&session).map_or(0, |traffic| traffic.underway[to as usize].len())
    }

    /// The session of `side` has a sign of the other one: it may live until then.
    pub(super) fn pulse(&mut self, session: u32, side: Side, until: Instant) {
        let pulse = &mut self.sessions.entry(session).or_default().pulse[side as usize];
        let paused = pulse.is_some_and(|pulse| pulse.paused);
        let until = pulse.map_or(until, |pulse| pulse.until.max(until));
        *pulse = Some(Pulse { until, paused });
    }

    /// The session of `side` does not read for a while; or reads again, and may live until `grace` at least, because what
    /// it waits for may be behind all that it has not read.
    pub(super) fn pause(&mut self, session: u32, side: Side, grace: Option<Instant>) {
        if let Some(pulse) = &mut self.sessions.entry(session).or_default().pulse[side as usize] {
            match grace {
                None => pulse.paused = true,
                Some(grace) if std::mem::take(&mut pulse.paused) => pulse.until = pulse.until.max(grace),
                Some(_) => {}
            }
        }
    }

    /// The session of `side` is over.
    pub(super) fn ended(&mut self, session: u32, side: Side) {
        self.sessions.entry(session).or_default().pulse[side as usize] = None;
    }

    /// The session of `side` that has lived for too long.
    pub(super) fn outlived(&self, side: Side, now: Instant) -> Option<(u32, Duration)> {
        self.sessions.iter().find_map(|(session, traffic)| {
            let pulse = traffic.pulse[side as usize].filter(|pulse| !pulse.paused && pulse.until < now)?;
            Some((*session, now - pulse.until))
        })
    }
}

/// The upper floor: events and answers.
impl Ledger {
    /// The number of a new socket of the server.
    pub(super) fn join(&mut self, session: u32, namespace: &'static str) -> SocketNumber {
        self.last_socket += 1;
        self.joined.entry((session, namespace)).or_default().push(self.last_socket);
        self.last_socket
    }

    /// The next event: its number, name and arguments.
    pub(super) fn next_event(&mut self) -> (Number, &'static str, Payload) {
        self.last += 1;
        let (name, payload) = self.event(self.last);
        (self.last, name, payload)
    }

    /// What follows from the number of an event.
    pub(super) fn event(&self, number: Number) -> (&'static str, Payload) {
        let mut random = Random::new(self.seed ^ number.wrapping_mul(0x9e37_79b9));
        let name = *random.pick(&["tell", "ask", "move", "größe \"x\""]);
        let mut payload = PayloadBuilder::new();
        let fits = payload.push_int(number as i64).is_ok();
        let mut size = random.below(self.size + 1);
        if self.max_payload <= 20_000 && random.percent(3) {
            // Around the largest that is allowed, where that is not out of proportion.
            size = self.max_payload - 200 + random.below(400);
        }
        if random.percent(70) {
            let text: String = (0..size).map(|at| char::from(b'a' + ((number as usize + at) % 26) as u8)).collect();
            let _ = payload.push_text(&text);
        }
        if random.percent(25) {
            for _ in 0..=random.below(3) {
                let bytes = vec![random.next() as u8; random.below(self.size + 1)];
                let _ = payload.push_bytes(bytes.into());
            }
        }
        debug_assert!(fits);
        (name, payload.build())
    }

    /// The answer to an event.
    pub(super) fn answer(&self, number: Number) -> Payload {
        let mut payload = PayloadBuilder::new();
        let _ = payload.push_int(-(number as i64));
        if number.is_multiple_of(5) {
            let _ = payload.push_bytes(Bytes::from(number.to_be_bytes().to_vec()));
        }
        payload.build()
    }

    /// An event is on its way to, or from, that socket of the server.
    pub(super) fn emitted(&mut self, socket: SocketNumber, to: Side, number: Number) {
        self.sockets.entry(socket).or_default()[to as usize].push_back(number);
    }

    /// A client's socket keeps an event until it is connected.
    pub(super) fn keep(&mut self, namespace: &'static str, number: Number) {
        self.kept.entry(namespace).or_default().push_back(number);
    }

    /// An event that a client's socket kept will not be sent.
    pub(super) fn drop_kept(&mut self, number: Number) {
        self.kept.values_mut().for_each(|kept| kept.retain(|it| *it != number));
    }

    /// A client's socket is connected: what it kept goes to that socket of the server now.
    pub(super) fn connected(
        &mut self,
        namespace: &'static str,
        socket: SocketNumber,
        unsent: usize,
    ) -> Result<(), String> {
        let kept = self.kept.remove(namespace).unwrap_or_default();
        if kept.len() != unsent {
            return Err(format!("{namespace} kept {} events and sends {unsent}", kept.len()));
        }
        self.sockets.entry(socket).or_default()[Side::Server as usize].extend(kept);
        Ok(())
    }

    /// An event arrived at a socket of the server.
    pub(super) fn arrived_at_server(
        &mut self,
        socket: SocketNumber,
        name: &str,
        payload: &Payload,
    ) -> Result<Number, String> {
        let number = self.check_content(name, payload)?;
        self.take_next(socket, Side::Server, number)?;
        Ok(number)
    }

    /// An event arrived at a client's namespace that is connected to `socket`, by that session.
    ///
    /// One of a socket that the client has left may come too: it was on its way when the client joined again, and nothing
    /// tells it from those that a server sends before its `CONNECT`. The official client takes them likewise.
    pub(super) fn arrived_at_client(
        &mut self,
        (session, namespace, socket): (u32, &'static str, SocketNumber),
        name: &str,
        payload: &Payload,
    ) -> Result<Number, String> {
        let number = self.check_content(name, payload)?;
        for earlier in self.joined.get(&(session, namespace)).into_iter().flatten().filter(|it| **it < socket) {
            let underway = &mut self.sockets.entry(*earlier).or_default()[Side::Client as usize];
            if let Some(at) = underway.iter().position(|it| *it == number) {
                underway.drain(..=at);
                return Ok(number);
            }
        }
        self.take_next(socket, Side::Client, number)?;
        Ok(number)
    }

    fn check_content(&self, name: &str, payload: &Payload) -> Result<Number, String> {
        let number = payload.arg(0).and_then(|number| number.parse().ok());
        let number = number.ok_or_else(|| format!("an event without a number: {payload:?}"))?;
        let (expected, content) = self.event(number);
        let same = expected == name
            && content.as_bytes() == payload.as_bytes()
            && content.attachments() == payload.attachments();
        if same { Ok(number) } else { Err(format!("event {number} arrived with another content")) }
    }

    fn take_next(&mut self, socket: SocketNumber, side: Side, number: Number) -> Result<(), String> {
        let underway = &mut self.sockets.entry(socket).or_default()[side as usize];
        let next = underway.front().copied();
        if next != Some(number) {
            return Err(format!("event {number} arrived at the {side:?}'s socket {socket}, where {next:?} is next"));
        }
        underway.pop_front();
        Ok(())
    }

    /// How many events for `to` at that socket have not arrived.
    pub(super) fn missing(&self, socket: SocketNumber, to: Side) -> usize {
        self.sockets.get(&socket).map_or(0, |events| events[to as usize].len())
    }

    /// Somebody waits for the answer to that event.
    pub(super) fn ask(&mut self, number: Number) {
        self.waiting.insert(number);
    }

    /// Who waited has got that answer, or an error.
    pub(super) fn resolved(&mut self, number: Number, answer: Option<&Payload>) -> Result<(), String> {
        if !self.waiting.remove(&number) {
            return Err(format!("event {number} was answered twice"));
        }
        if let Some(answer) = answer {
            let expected = self.answer(number);
            if expected.as_bytes() != answer.as_bytes() || expected.attachments() != answer.attachments() {
                return Err(format!("event {number} got the answer {answer:?}"));
            }
        }
        Ok(())
    }

    /// Those who wait in vain.
    pub(super) fn unresolved(&self) -> usize {
        self.waiting.len()
    }
}

fn hash(is_text: bool, bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (is_text, bytes).hash(&mut hasher);
    hasher.finish()
}
