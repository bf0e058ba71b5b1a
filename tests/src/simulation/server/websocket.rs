//! The WebSocket transport of a session.

use socketio_core::proto::engine::packet::{Received, Transport};
use socketio_core::proto::engine::session::{Cause, Input};
use socketio_core::proto::engine::websocket::{Decoder, Frame, FrameError, Role};

use super::super::shared::Shared;
use super::super::tally::Happened;
use super::super::wire::Arrival;
use super::{LINGER, Session};
use crate::network::Side;

impl Session {
    /// Something arrived on the WebSocket.
    pub(super) fn read(&mut self, shared: &mut Shared, arrival: Arrival) {
        match arrival {
            Arrival::Bytes(bytes) => {
                if let Some(link) = &mut self.link {
                    link.partial.extend_from_slice(&bytes);
                }
                self.read_frames(shared);
            }
            Arrival::End | Arrival::Reset => {
                if let Some(mut link) = self.link.take() {
                    link.abort(shared);
                }
                self.websocket_gone(shared, Cause::Closed);
            }
        }
    }

    /// Handlers have caught up.
    pub(super) fn read_on(&mut self, shared: &mut Shared) {
        self.hand_in(shared);
        self.read_frames(shared);
    }

    fn read_frames(&mut self, shared: &mut Shared) {
        let Some(link) = &mut self.link else { return };
        let connection = link.connection;
        let limits = &shared.scenario.limits;
        let idle = Decoder::new(Role::Server, limits.max_payload, 0);
        let mut decoder = std::mem::replace(&mut link.decoder, idle);
        let mut partial = std::mem::take(&mut link.partial);
        let mut used = 0;
        loop {
            if self.link.as_ref().is_none_or(|link| link.connection != connection) {
                return;
            }
            if self.linger.is_some() {
                used = partial.len();
                break;
            }
            if self.pause_if_full(shared) {
                break;
            }
            match decoder.next(&mut partial[used..]) {
                Ok((bytes, frame)) => {
                    used += bytes;
                    match frame {
                        Some(frame) => self.frame(shared, frame),
                        None => break,
                    }
                }
                Err(error) => self.bad_frame(shared, error),
            }
        }
        if let Some(link) = &mut self.link {
            link.keep(shared, decoder, partial, used);
        }
    }

    fn frame(&mut self, shared: &mut Shared, frame: Frame<'_>) {
        let packet = match frame {
            Frame::Text(text) => match Received::from_text(text, &mut Vec::new()) {
                Ok(packet) => {
                    self.heard(shared, &packet);
                    return self.step(shared, Input::Packet(Transport::WebSocket, packet));
                }
                Err(_) => return self.step(shared, Input::Malformed(Transport::WebSocket)),
            },
            Frame::Binary(bytes) => Received::from_binary(bytes),
            Frame::Ping(content) => {
                if let Some(link) = &mut self.link {
                    link.pong(shared, content);
                }
                return;
            }
            Frame::Pong => return,
            Frame::Close(code) => {
                if let Some(link) = &mut self.link {
                    link.close(shared, code);
                }
                self.link = None;
                return self.websocket_gone(shared, Cause::Closed);
            }
        };
        self.step(shared, Input::Packet(Transport::WebSocket, packet));
    }

    /// The client broke the WebSocket protocol.
    fn bad_frame(&mut self, shared: &mut Shared, error: FrameError) {
        if error == FrameError::TooLarge {
            shared.happen(Happened::Oversized);
            shared.blame(self.number);
        } else {
            shared.breach(format!("a bad frame reached the server: {error}"));
        }
        let mut link = self.link.take();
        if let Some(link) = &mut link {
            link.close(shared, Some(error.code()));
        }
        self.step(shared, Input::WebSocketClosed(Cause::Error));
        self.link = link;
        self.linger = Some(shared.clock(Side::Server) + LINGER);
    }

    fn websocket_gone(&mut self, shared: &mut Shared, cause: Cause) {
        let upgrading = !self.closed && self.engine.transport() == Transport::Polling;
        if self.linger.take().is_none() && !self.closed {
            self.step(shared, Input::WebSocketClosed(cause));
        }
        if upgrading {
            shared.happen(Happened::UpgradeFailed);
        }
        if self.closed {
            self.engine.outbox().clear();
        }
    }
}
