//! The transport: connections that carry bytes, each direction by itself, and everything that can go wrong with them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::scenario::Conditions;
use super::tally::{Injected, Tally};
use crate::network::Side;
use crate::random::Random;

/// The number of a connection.
pub(super) type ConnectionId = u32;

/// All connections between the two sides. What is written to one arrives there in order; connections overtake each other.
#[derive(Debug)]
pub(super) struct Wire {
    connections: BTreeMap<ConnectionId, Connection>,
    last: ConnectionId,
    pub(super) conditions: Conditions,
    /// Nothing reaches that side for the time being, and connections that are open now never carry anything to it again.
    silent: [bool; 2],
    /// Connections are refused.
    pub(super) refusing: bool,
    /// The connection that carries this byte, counted over all, is cut there.
    cut_at: Option<u64>,
    /// The sessions that something was done to which may end them.
    pub(super) blamed: BTreeSet<u32>,
    order: u64,
    newest: [(u64, ConnectionId); 2],
    random: Random,
    pub(super) tally: Tally,
}

#[derive(Debug)]
struct Connection {
    /// The session of the client that it belongs to.
    carrier: u32,
    /// By the side that it leads to.
    pipes: [Pipe; 2],
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Pipe {
    transit: VecDeque<Segment>,
    /// Bytes in transit.
    load: usize,
    /// So many bytes pass before the connection breaks.
    left: Option<usize>,
    /// Nothing arrives any more, and nobody is told.
    dead: bool,
    /// The receiver does not read.
    paused: bool,
    /// The sender was told that there is no room.
    starved: bool,
    /// Nothing more is taken.
    shut: bool,
    last_at: Duration,
}

#[derive(Debug)]
struct Segment {
    at: Duration,
    order: u64,
    piece: Piece,
}

#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    End,
    Reset,
}

/// What a receiver gets.
#[derive(Debug)]
pub(super) enum Arrival {
    Bytes(Vec<u8>),
    /// The peer sends nothing more.
    End,
    /// The connection is broken.
    Reset,
}

/// Something on its way that comes next on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) connection: ConnectionId,
    pub(super) to: Side,
    pub(super) at: Duration,
}

impl Wire {
    pub(super) fn new(conditions: Conditions, cut_at: Option<u64>, random: Random) -> Self {
        Self {
            connections: BTreeMap::new(),
            last: 0,
            conditions,
            silent: [false; 2],
            refusing: false,
            cut_at,
            blamed: BTreeSet::new(),
            order: 0,
            newest: [(0, 0); 2],
            random,
            tally: Tally::default(),
        }
    }

    /// Connects the client's session `carrier` to the server.
    pub(super) fn open(&mut self, now: Duration, carrier: u32) -> ConnectionId {
        self.last += 1;
        let id = self.last;
        let mut pipes = [Pipe::default(), Pipe::default()];
        for (pipe, silent) in pipes.iter_mut().zip(self.silent) {
            pipe.dead = silent;
        }
        if self.silent.contains(&true) {
            self.blamed.insert(carrier);
        }
        if self.random.percent(self.conditions.cut) {
            let side = self.random.below(2);
            pipes[side].left = Some(self.random.below(self.conditions.cut_within));
        }
        self.connections.insert(id, Connection { carrier, pipes });
        if self.refusing {
            self.tally.inject(Injected::Refusal);
            self.reset(now, id, true);
        }
        id
    }

    /// The session of the client that `id` belongs to.
    pub(super) fn carrier(&self, id: ConnectionId) -> Option<u32> {
        self.connections.get(&id).map(|connection| connection.carrier)
    }

    /// All connections that are there.
    pub(super) fn connections(&self) -> Vec<ConnectionId> {
        self.connections.keys().copied().collect()
    }

    /// Sends `bytes` as far as there is room; returns how many were taken. A connection that is gone takes all.
    pub(super) fn write(&mut self, now: Duration, id: ConnectionId, to: Side, bytes: &[u8]) -> usize {
        let Some(connection) = self.connections.get_mut(&id) else { return bytes.len() };
        let pipe = &mut connection.pipes[to as usize];
        if pipe.shut {
            return bytes.len();
        }
        let taken = bytes.len().min(self.conditions.capacity.saturating_sub(pipe.load));
        pipe.starved = taken < bytes.len();
        if pipe.starved {
            self.tally.inject(Injected::PartialWrite);
        }
        let before = self.tally.bytes;
        self.tally.bytes += taken as u64;
        let mut left = pipe.left;
        if let Some(cut_at) = self.cut_at
            && (before..self.tally.bytes).contains(&cut_at)
        {
            left = Some((cut_at - before) as usize);
        }
        let passes = left.map_or(taken, |left| left.min(taken));
        if let Some(left) = &mut pipe.left {
            *left -= passes.min(*left);
        }
        self.carry(now, id, to, &bytes[..passes]);
        if left.is_some_and(|left| left <= taken) {
            self.tally.inject(Injected::Cut);
            let all = self.random.percent(50);
            self.reset(now, id, all);
        }
        taken
    }

    /// Says that nothing more is sent to that side, or breaks the connection.
    pub(super) fn end(&mut self, now: Duration, id: ConnectionId, to: Side, broken: bool) {
        if broken {
            self.push(now, id, to, Piece::Reset);
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.pipes[to as usize].shut = true;
                let back = &mut connection.pipes[to.other() as usize];
                (back.shut, back.load) = (true, 0);
                back.transit.clear();
            }
        } else {
            self.push(now, id, to, Piece::End);
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.pipes[to as usize].shut = true;
            }
        }
        self.tidy(id);
    }

    /// Whether the receiver reads.
    pub(super) fn pause(&mut self, id: ConnectionId, to: Side, paused: bool) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.pipes[to as usize].paused = paused;
        }
    }

    /// What comes next on each connection.
    pub(super) fn due(&self) -> impl Iterator<Item = Due> {
        self.connections.iter().flat_map(|(id, connection)| {
            [Side::Server, Side::Client].into_iter().filter_map(|to| {
                let pipe = &connection.pipes[to as usize];
                let next = pipe.transit.front().filter(|_| !pipe.dead)?;
                let waits = pipe.paused && matches!(next.piece, Piece::Bytes(_));
                (!waits).then_some(Due { connection: *id, to, at: next.at })
            })
        })
    }

    /// Takes what is due. Also says whether the sender can go on.
    pub(super) fn take(&mut self, now: Duration, due: Due) -> Option<(Arrival, bool)> {
        let coalesce = self.random.percent(self.conditions.coalesce);
        let connection = self.connections.get_mut(&due.connection)?;
        let pipe = &mut connection.pipes[due.to as usize];
        let Segment { order, piece, .. } = pipe.transit.pop_front()?;
        let newest = &mut self.newest[due.to as usize];
        if order < newest.0 && newest.1 != due.connection {
            self.tally.inject(Injected::Overtaken);
        } else {
            *newest = (order, due.connection);
        }
        let arrival = match piece {
            Piece::Bytes(mut bytes) => {
                // What is late is there with what was sent before it.
                let margin = if coalesce { Duration::from_millis(20) } else { Duration::ZERO };
                while coalesce
                    && let Some(Segment { at, piece: Piece::Bytes(more), .. }) = pipe.transit.front()
                    && *at <= now + margin
                {
                    bytes.extend_from_slice(more);
                    pipe.transit.pop_front();
                    self.tally.inject(Injected::Coalesced);
                }
                pipe.load -= bytes.len();
                Arrival::Bytes(bytes)
            }
            Piece::End => Arrival::End,
            Piece::Reset => Arrival::Reset,
        };
        let room = std::mem::take(&mut pipe.starved);
        self.tidy(due.connection);
        Some((arrival, room))
    }

    /// Breaks the connection for both ends; `lossy`: what is on its way back does not arrive any more.
    pub(super) fn reset(&mut self, now: Duration, id: ConnectionId, lossy: bool) {
        self.blamed.extend(self.carrier(id));
        for to in [Side::Server, Side::Client] {
            if lossy && let Some(connection) = self.connections.get_mut(&id) {
                let pipe = &mut connection.pipes[to as usize];
                let keep = self.random.below(pipe.transit.len() + 1);
                pipe.transit.truncate(keep);
                pipe.load = pipe.transit.iter().map(Segment::len).sum();
            }
            self.push(now, id, to, Piece::Reset);
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.pipes[to as usize].shut = true;
            }
        }
    }

    /// Nothing arrives there on that connection before `until`.
    pub(super) fn stall(&mut self, id: ConnectionId, to: Side, until: Duration) {
        self.blamed.extend(self.carrier(id));
        if let Some(connection) = self.connections.get_mut(&id) {
            let pipe = &mut connection.pipes[to as usize];
            pipe.last_at = pipe.last_at.max(until);
            for segment in &mut pipe.transit {
                segment.at = segment.at.max(until);
            }
        }
    }

    /// From now on nothing reaches those sides; connections that are open now are dead for good.
    pub(super) fn silence(&mut self, sides: [bool; 2]) {
        self.silent = sides;
        for connection in self.connections.values_mut() {
            for (pipe, silent) in connection.pipes.iter_mut().zip(sides) {
                pipe.dead |= silent;
            }
            self.blamed.insert(connection.carrier);
        }
    }

    /// New connections carry again.
    pub(super) fn heal(&mut self) {
        self.silent = [false; 2];
        self.refusing = false;
        self.conditions.cut = 0;
        for connection in self.connections.values_mut() {
            for pipe in &mut connection.pipes {
                pipe.left = None;
            }
        }
    }

    fn carry(&mut self, now: Duration, id: ConnectionId, to: Side, bytes: &[u8]) {
        let mut rest = bytes;
        if rest.len() > 1 && self.random.percent(self.conditions.split) {
            self.tally.inject(Injected::Split);
            // A few bytes at a time, then the rest: a header may come byte by byte.
            for _ in 0..self.random.below(6) {
                let most = *self.random.pick(&[1, 2, 8, 100]);
                let (piece, more) = rest.split_at(1 + self.random.below(most.min(rest.len())));
                self.push(now, id, to, Piece::Bytes(piece.to_vec()));
                rest = more;
                if rest.is_empty() {
                    return;
                }
            }
        }
        if !rest.is_empty() {
            self.push(now, id, to, Piece::Bytes(rest.to_vec()));
        }
    }

    fn push(&mut self, now: Duration, id: ConnectionId, to: Side, piece: Piece) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let pipe = &mut connection.pipes[to as usize];
        if pipe.shut {
            return;
        }
        let at = now + self.conditions.latency + self.random.up_to(self.conditions.jitter);
        self.order += 1;
        let segment = Segment { at: at.max(pipe.last_at), order: self.order, piece };
        pipe.last_at = segment.at;
        pipe.load += segment.len();
        pipe.transit.push_back(segment);
    }

    /// Forgets a connection that carries nothing any more.
    fn tidy(&mut self, id: ConnectionId) {
        if self.connections.get(&id).is_some_and(|connection| {
            connection.pipes.iter().all(|pipe| pipe.shut && (pipe.transit.is_empty() || pipe.dead))
        }) {
            self.connections.remove(&id);
        }
    }
}

impl Segment {
    const fn len(&self) -> usize {
        match &self.piece {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::End | Piece::Reset => 0,
        }
    }
}
