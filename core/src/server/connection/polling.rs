//! The polling transport of a connection: what the requests of its session do.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{Connection, Layer};
use crate::proto::engine::handshake::{Refusal, Request};
use crate::proto::engine::packet::Transport;
use crate::proto::engine::payload;
use crate::proto::engine::session::{Answer, ExchangeId, Input};

/// The answer to a request of the polling transport.
#[derive(Debug)]
pub(in crate::server) enum ExchangeReply {
    /// 200 with packets.
    Packets(Bytes),
    /// What the session says.
    Answer(Answer),
    /// 500: a bug has ended the session.
    Failed,
}

impl<L: Layer> Connection<L> {
    /// Whether this session takes a request of `transport` now.
    pub(in crate::server) fn check(&self, request: &Request<'_>, upgrade: bool) -> Result<(), Refusal> {
        self.inner.lock().session.check(request, upgrade)
    }

    /// A `GET` arrived.
    pub(in crate::server) fn poll_started(self: &Arc<Self>) -> Exchange<L> {
        self.exchange(Input::Poll)
    }

    /// The head of a `POST` arrived.
    pub(in crate::server) fn post_started(self: &Arc<Self>) -> Exchange<L> {
        self.exchange(Input::PostStarted)
    }

    fn exchange(self: &Arc<Self>, input: impl FnOnce(ExchangeId) -> Input<'static>) -> Exchange<L> {
        let (sender, receiver) = oneshot::channel();
        let mut id = ExchangeId(0);
        let _ = self.run(|inner, step| {
            inner.exchanges = inner.exchanges.wrapping_add(1);
            id = ExchangeId(inner.exchanges);
            if !inner.closed {
                inner.waiting.push((id, sender));
                inner.step(step, input(id));
            }
        });
        Exchange { connection: self.clone(), id, receiver, answered: false }
    }

    /// Hands in the packets of a body, as far as handlers keep up.
    fn post_packets(self: &Arc<Self>, packets: &mut payload::Decoder<'_>, cx: &Context<'_>) -> Poll<()> {
        let handed_in = self.run(|inner, step| {
            loop {
                if inner.closed {
                    return Poll::Ready(());
                }
                if inner.pause_if_full(step) {
                    if !inner.held.iter().any(|held| held.will_wake(cx.waker())) {
                        inner.held.push(cx.waker().clone());
                    }
                    return Poll::Pending;
                }
                match packets.next_packet() {
                    Some(Ok(packet)) => inner.step(step, Input::Packet(Transport::Polling, packet)),
                    Some(Err(_)) => inner.step(step, Input::Malformed(Transport::Polling)),
                    None => return Poll::Ready(()),
                }
            }
        });
        handed_in.unwrap_or(Poll::Ready(()))
    }

    fn exchange_input(self: &Arc<Self>, input: Input<'_>) {
        let _ = self.run(|inner, step| {
            if !inner.closed {
                inner.step(step, input);
            }
        });
    }
}

/// A request of the polling transport. Dropped before it was answered, it counts as given up by the peer.
pub(in crate::server) struct Exchange<L: Layer> {
    connection: Arc<Connection<L>>,
    id: ExchangeId,
    receiver: oneshot::Receiver<ExchangeReply>,
    answered: bool,
}

impl<L: Layer> Exchange<L> {
    /// The answer, when there is one.
    pub(in crate::server) async fn answer(mut self) -> ExchangeReply {
        let reply = (&mut self.receiver).await;
        self.answered = true;
        // No answer: the session was over already.
        reply.unwrap_or(ExchangeReply::Answer(Answer::BadRequest))
    }

    /// Whether the answer stands already, before the body is there.
    pub(in crate::server) fn is_answered(&self) -> bool {
        !self.receiver.is_empty() || self.receiver.is_terminated()
    }

    /// Hands in the body of a `POST`, at the pace of the handlers.
    pub(in crate::server) async fn post(&self, body: &[u8]) {
        match payload::Decoder::new(body) {
            Ok(mut packets) => poll_fn(|cx| self.connection.post_packets(&mut packets, cx)).await,
            Err(_) => self.connection.exchange_input(Input::Malformed(Transport::Polling)),
        }
        self.connection.exchange_input(Input::PostDone(self.id));
    }

    /// The `POST` was larger than allowed: the shell answers 413, and the session lives on.
    pub(in crate::server) fn refuse(mut self) {
        self.answered = true;
        let _ = self.connection.run(|inner, step| {
            inner.waiting.retain(|(id, _)| *id != self.id);
            if !inner.closed {
                inner.step(step, Input::PostRefused(self.id));
            }
        });
    }

    /// The `POST` is of a kind that no client sends.
    pub(in crate::server) fn invalid(&self) {
        self.connection.exchange_input(Input::PostInvalid(self.id));
    }
}

impl<L: Layer> Drop for Exchange<L> {
    fn drop(&mut self) {
        if !self.answered {
            let _ = self.connection.run(|inner, step| {
                inner.waiting.retain(|(id, _)| *id != self.id);
                if !inner.closed {
                    inner.step(step, Input::Aborted(self.id));
                }
            });
        }
    }
}
