//! A WebSocket on the simulated network, buffered as `net/link.rs` buffers one on a real socket.

use socketio_core::data::Limits;
use socketio_core::proto::engine::outbox::Outbox;
use socketio_core::proto::engine::packet::Packet;
use socketio_core::proto::engine::websocket::{self, Decoder, MAX_HEADER, Opcode, Role};

use super::Planted;
use super::shared::Shared;
use super::tally::Injected;
use super::wire::ConnectionId;
use crate::network::Side;

/// What is gathered for one write.
const GATHERED: usize = 4 << 10;

/// One end of a WebSocket.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) connection: ConnectionId,
    side: Side,
    pub(super) decoder: Decoder,
    /// Read and not used.
    pub(super) partial: Vec<u8>,
    /// Taken from the outbox and not by the network.
    unsent: Vec<u8>,
    blocked: bool,
    ended: bool,
    shut: bool,
}

impl Link {
    /// The end of `side`.
    pub(super) fn new(connection: ConnectionId, side: Side, limits: &Limits) -> Self {
        let role = if side == Side::Server { Role::Server } else { Role::Client };
        let fragments = u32::try_from(limits.fragments).unwrap_or(u32::MAX);
        Self {
            connection,
            side,
            decoder: Decoder::new(role, limits.max_payload, fragments),
            partial: Vec::new(),
            unsent: Vec::new(),
            blocked: false,
            ended: false,
            shut: false,
        }
    }

    /// Bytes that the network has not taken.
    pub(super) const fn unsent(&self) -> usize {
        self.unsent.len()
    }

    /// Whether the last frame was sent, or waits only for the network.
    pub(super) const fn ended(&self) -> bool {
        self.ended
    }

    /// Whether the network takes no more at present.
    pub(super) const fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Sends what waits, as far as the network takes it.
    pub(super) fn flush(&mut self, shared: &mut Shared, outbox: &mut Outbox) {
        loop {
            if !self.write(shared) || self.ended {
                return;
            }
            // Where the frames end: whoever drops what is not sent yet drops whole frames.
            let mut ends = Vec::new();
            while !self.ended
                && self.unsent.len() < GATHERED
                && let Some(packet) = outbox.pop()
            {
                self.put_packet(shared, packet);
                ends.push(self.unsent.len());
            }
            if self.unsent.is_empty() {
                return;
            }
            let whole = self.unsent.len();
            if !self.write(shared) {
                if shared.planted == Some(Planted::ForgottenFrames) {
                    let sent = whole - self.unsent.len();
                    let end = ends.into_iter().find(|end| *end >= sent).unwrap_or(whole);
                    self.unsent.truncate(end - sent);
                }
                return;
            }
        }
    }

    /// The network takes bytes again.
    pub(super) fn unblock(&mut self) {
        self.blocked = false;
    }

    /// Sends a packet past the outbox.
    pub(super) fn send_now(&mut self, shared: &mut Shared, packet: &str) {
        self.put(shared, Opcode::Text, packet.as_bytes());
        self.write(shared);
    }

    /// Answers a ping.
    pub(super) fn pong(&mut self, shared: &mut Shared, content: &[u8]) {
        if !self.ended {
            let key = self.key(shared);
            websocket::put_frame(&mut self.unsent, Opcode::Pong, content, key);
            self.write(shared);
        }
    }

    /// Ends it with a close frame; what waits in the outbox is not sent.
    pub(super) fn close(&mut self, shared: &mut Shared, code: Option<u16>) {
        if !self.ended {
            self.ended = true;
            let key = self.key(shared);
            websocket::put_close(&mut self.unsent, code, key);
        }
        self.write(shared);
    }

    /// Ends it without a word.
    pub(super) fn abort(&mut self, shared: &mut Shared) {
        shared.wire.end(shared.now, self.connection, self.side.other(), true);
    }

    /// What was read and is no whole frame stays, within bounds.
    pub(super) fn keep(&mut self, shared: &mut Shared, decoder: Decoder, mut partial: Vec<u8>, used: usize) {
        partial.drain(..used);
        let bound = shared.scenario.limits.max_payload + MAX_HEADER;
        let wanted = decoder.wanted(&partial).unwrap_or(0);
        if wanted > bound || decoder.held_bytes() > shared.scenario.limits.max_payload {
            shared.breach(format!("a WebSocket of the {:?} wants {wanted} bytes of {bound}", self.side));
        }
        (self.decoder, self.partial) = (decoder, partial);
    }

    /// Whether everything was sent.
    fn write(&mut self, shared: &mut Shared) -> bool {
        if self.blocked {
            return false;
        }
        let taken = shared.wire.write(shared.now, self.connection, self.side.other(), &self.unsent);
        self.unsent.drain(..taken);
        self.blocked = !self.unsent.is_empty();
        if self.ended && !self.blocked && !std::mem::replace(&mut self.shut, true) {
            shared.wire.end(shared.now, self.connection, self.side.other(), false);
        }
        !self.blocked
    }

    fn put_packet(&mut self, shared: &mut Shared, packet: Packet) {
        match packet {
            Packet::Text(text) => self.put(shared, Opcode::Text, &text),
            Packet::Binary(bytes) => self.put(shared, Opcode::Binary, &bytes),
            Packet::Shared(encoded) if self.side == Side::Server => self.unsent.extend_from_slice(encoded.websocket()),
            Packet::Shared(encoded) => {
                self.put(shared, Opcode::Text, encoded.text());
                encoded.attachments().iter().for_each(|bytes| self.put(shared, Opcode::Binary, bytes));
            }
            Packet::End => {
                self.ended = true;
                let key = self.key(shared);
                websocket::put_close(&mut self.unsent, None, key);
            }
        }
    }

    /// A message, now and then in fragments, as other implementations send them.
    fn put(&mut self, shared: &mut Shared, opcode: Opcode, content: &[u8]) {
        let key = self.key(shared);
        if !shared.random.percent(shared.scenario.network.fragment) {
            return websocket::put_frame(&mut self.unsent, opcode, content, key);
        }
        shared.inject(Injected::Fragmented);
        let count = 2 + shared.random.below(3);
        let mut rest = content;
        for number in 0..count {
            let last = number + 1 == count;
            let (piece, more) = rest.split_at(if last { rest.len() } else { shared.random.below(rest.len() + 1) });
            let start = self.unsent.len();
            websocket::put_frame(&mut self.unsent, if number == 0 { opcode } else { Opcode::Continuation }, piece, key);
            if !last {
                // Not the last one.
                self.unsent[start] &= 0x7f;
                if shared.random.percent(20) {
                    websocket::put_frame(&mut self.unsent, Opcode::Ping, b"between", key);
                }
            }
            rest = more;
        }
    }

    fn key(&self, shared: &mut Shared) -> Option<[u8; 4]> {
        (self.side == Side::Client).then(|| (shared.random.next() as u32).to_ne_bytes())
    }
}
