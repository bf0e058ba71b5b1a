//! The WebSocket transport of a connection.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Context;

use super::{Connection, Inner, LINGER, Layer, Step};
use crate::net::link::{Endpoint, Flow, Flushed, Stream};
use crate::proto::engine::outbox::Outbox;
use crate::proto::engine::packet::{Received, Transport};
use crate::proto::engine::session::{Cause, Input};
use crate::proto::engine::websocket::{Decoder, Frame, Role};
use crate::runtime::log;
use crate::runtime::panics::Caught;

impl<L: Layer> Connection<L> {
    /// Takes over a WebSocket after its handshake, `head` being what was read behind that: the transport of a new session, or
    /// the candidate of an upgrade, which is closed when the session takes none.
    pub(in crate::server) fn attach(self: &Arc<Self>, stream: Stream, head: &[u8], opening: bool) {
        let limits = self.limits();
        let decoder =
            Decoder::new(Role::Server, limits.max_payload, u32::try_from(limits.fragments).unwrap_or(u32::MAX));
        let (mut reader, mut writer) = stream.into_link(Role::Server, decoder, head);
        let link = self.run(|inner, step| {
            if inner.closed || (!opening && !inner.session.may_upgrade()) {
                // The writer's drop ends the stream behind the close frame.
                let _ = writer.close(None);
                return None;
            }
            inner.link += 1;
            if let Some(mut before) = inner.writer.replace(writer) {
                // An earlier candidate that was refused, and whose peer has not closed it yet.
                before.abort();
            }
            inner.linger = None;
            if !opening {
                inner.step(step, Input::WebSocketOpened);
            }
            Some(inner.link)
        });
        if let Ok(Some(link)) = link {
            let end = LinkEnd { connection: self.clone(), link };
            self.engine.runtime().spawn(async move {
                if Caught::new(poll_fn(|cx| reader.poll(cx, &end))).await.is_err() {
                    end.connection.give_up();
                }
            });
        }
    }
}

/// The connection as one of its WebSockets sees it.
struct LinkEnd<L: Layer> {
    connection: Arc<Connection<L>>,
    link: u32,
}

impl<L: Layer> Endpoint for LinkEnd<L> {
    fn received(&self, decoder: &mut Decoder, input: &mut [u8]) -> (usize, Flow) {
        let received = self.connection.run(|inner, step| {
            let mut used = 0;
            loop {
                if inner.writer.is_none() || inner.link != self.link {
                    return (used, Flow::Stop);
                }
                if inner.linger.is_some() {
                    // Closed on our side: what still comes is only taken off the socket.
                    return (input.len(), Flow::Read);
                }
                if inner.pause_if_full(step) {
                    return (used, Flow::Pause);
                }
                match decoder.next(&mut input[used..]) {
                    Ok((bytes, frame)) => {
                        used += bytes;
                        match frame {
                            Some(frame) => inner.frame(step, frame),
                            None => return (used, Flow::Read),
                        }
                    }
                    Err(error) => {
                        log::debug!(Engine, "bad frame: {error}");
                        inner.fail_websocket(step, error.code());
                    }
                }
            }
        });
        received.unwrap_or((0, Flow::Stop))
    }

    fn poll(&self, cx: &mut Context<'_>) -> Flow {
        let mut inner = self.connection.inner.lock();
        if inner.link != self.link {
            return Flow::Stop;
        }
        let paused = inner.paused;
        let Some(writer) = &mut inner.writer else { return Flow::Stop };
        if writer.poll(cx).is_ready() {
            let written = self.connection.work(inner, |inner, step| {
                inner.continue_writing(step);
                // Until the socket has been asked and says no: a write that was cut short leaves it as writable as it was,
                // and then nobody would tell us.
                while let Some(writer) = &mut inner.writer
                    && writer.poll(cx).is_ready()
                {
                    inner.continue_writing(step);
                }
            });
            if written.is_err() {
                return Flow::Stop;
            }
        }
        if paused { Flow::Pause } else { Flow::Read }
    }

    fn hung_up(&self, _error: Option<io::Error>) {
        let _ = self.connection.run(|inner, step| {
            if inner.link == self.link {
                inner.websocket_gone(step, Cause::Closed);
            }
        });
    }
}

impl<L: Layer> Inner<L> {
    fn frame(&mut self, step: &mut Step<'_, L>, frame: Frame<'_>) {
        let packet = match frame {
            Frame::Text(text) => {
                let mut scratch = Vec::new();
                match Received::from_text(text, &mut scratch) {
                    Ok(packet) => return self.step(step, Input::Packet(Transport::WebSocket, packet)),
                    Err(_) => return self.step(step, Input::Malformed(Transport::WebSocket)),
                }
            }
            Frame::Binary(bytes) => Received::from_binary(bytes),
            Frame::Ping(content) => {
                if let Some(writer) = &mut self.writer {
                    let _ = writer.pong(content);
                }
                return;
            }
            Frame::Pong => return,
            Frame::Close(code) => {
                // Answered in kind, then the stream ends.
                if let Some(writer) = &mut self.writer {
                    let _ = writer.close(code);
                }
                return self.websocket_gone(step, Cause::Closed);
            }
        };
        self.step(step, Input::Packet(Transport::WebSocket, packet));
    }

    /// The peer broke the WebSocket protocol.
    fn fail_websocket(&mut self, step: &mut Step<'_, L>, code: u16) {
        if let Some(writer) = &mut self.writer {
            let _ = writer.close(Some(code));
        }
        let writer = self.writer.take();
        self.step(step, Input::WebSocketClosed(Cause::Error));
        // It stays until the peer has read the close frame.
        self.writer = writer;
        self.linger = Some(step.now + LINGER);
    }

    pub(super) fn websocket_gone(&mut self, step: &mut Step<'_, L>, cause: Cause) {
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
        // One that was closed on our side is not the session's any more.
        if self.linger.take().is_none() && !self.closed {
            self.step(step, Input::WebSocketClosed(cause));
        }
        if self.closed {
            // Nobody takes it any more; a program may keep its socket, and with it this connection.
            self.session.outbox().clear();
        }
    }

    /// The WebSocket takes bytes again.
    fn continue_writing(&mut self, step: &mut Step<'_, L>) {
        let Some(writer) = &mut self.writer else { return };
        // First what is left of this WebSocket: while it only probes, the outbox is not for it.
        match writer.flush(&mut Outbox::new()) {
            Flushed::All => self.flush(step),
            Flushed::Blocked => {}
            Flushed::Failed => self.websocket_gone(step, Cause::Closed),
        }
    }
}
