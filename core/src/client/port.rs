//! Where the tasks of a connection bring what they have: each of its methods takes the manager's lock.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Context;
use std::time::Instant;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::connection::{Connection, Layer};
use super::manager::Manager;
use crate::net::dial::polling::PollingClient;
use crate::net::dial::websocket;
use crate::net::link::{Endpoint, Flow, Stream};
use crate::proto::engine::session::ExchangeId;
use crate::proto::engine::websocket::{Decoder, Role};
use crate::runtime::panics::Caught;

/// The way of a connection's tasks to the connection. It keeps the manager alive while they run.
#[derive(Clone)]
pub(super) struct Port {
    manager: Arc<Manager>,
    number: u64,
}

impl Port {
    /// The way to the connection with this number, which the manager never uses again.
    pub(super) fn new(manager: &Arc<Manager>, number: u64) -> Self {
        Self { manager: manager.clone(), number }
    }

    /// The connection's number.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Starts a `GET`.
    pub(super) fn get(
        &self,
        runtime: &Handle,
        polling: PollingClient,
        sid: Option<String>,
        id: ExchangeId,
    ) -> AbortHandle {
        let port = self.clone();
        self.start(runtime, async move {
            let body = polling.get(sid.as_deref()).await;
            port.manager.caught_up(port.number).await;
            port.with(|connection, now, layer| connection.got(now, id, body, layer));
        })
    }

    /// Starts a `POST`.
    pub(super) fn post(
        &self,
        runtime: &Handle,
        polling: PollingClient,
        sid: String,
        id: ExchangeId,
        body: Bytes,
    ) -> AbortHandle {
        let port = self.clone();
        self.start(runtime, async move {
            let answer = polling.post(&sid, body).await;
            port.with(|connection, now, layer| connection.posted(now, id, answer, layer));
        })
    }

    /// Opens a WebSocket, then reads it until it ends.
    pub(super) fn open_websocket(&self, runtime: &Handle, sid: Option<String>) -> AbortHandle {
        let port = self.clone();
        self.start(runtime, async move {
            let (stream, head) = match websocket::open(port.manager.target(), sid.as_deref()).await {
                Ok(opened) => opened,
                Err(error) => {
                    port.with(|connection, now, layer| connection.websocket_gone(now, Some(error), layer));
                    return;
                }
            };
            let decoder = port.manager.frame_decoder();
            let (mut reader, writer) = Stream::Tcp(stream).into_link(Role::Client, decoder, &head);
            port.with(|connection, now, layer| connection.websocket_opened(now, writer, layer));
            poll_fn(|cx| reader.poll(cx, &port)).await;
        })
    }

    /// Starts a task of the connection. A bug that shows in it costs the connection.
    fn start(&self, runtime: &Handle, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let port = self.clone();
        let task = async move {
            if let Err(bug) = Caught::new(task).await {
                port.manager.lose(port.number, bug);
            }
        };
        runtime.spawn(task).abort_handle()
    }

    /// Works on the connection under the lock, if it is still there.
    fn with<R>(&self, work: impl FnOnce(&mut Connection, Instant, &mut dyn Layer) -> R) -> Option<R> {
        self.manager.run(|state, step| state.with_connection(step, self.number, work)).ok().flatten()
    }
}

/// The connection as its WebSocket sees it.
impl Endpoint for Port {
    fn received(&self, decoder: &mut Decoder, input: &mut [u8]) -> (usize, Flow) {
        let received = self.manager.run(|state, step| {
            let mut used = 0;
            loop {
                match state.websocket(self.number).map(|(_, ended)| ended) {
                    None => return (used, Flow::Stop),
                    Some(true) => return (input.len(), Flow::Read),
                    Some(false) if state.must_pause(step, self.number) => return (used, Flow::Pause),
                    Some(false) => {}
                }
                match decoder.next(&mut input[used..]) {
                    Ok((bytes, None)) => return (used + bytes, Flow::Read),
                    Ok((bytes, Some(frame))) => {
                        used += bytes;
                        state.with_connection(step, self.number, |connection, now, layer| {
                            connection.frame(now, frame, layer);
                        });
                    }
                    Err(error) => {
                        state.with_connection(step, self.number, |connection, now, layer| {
                            connection.bad_frame(now, error, layer);
                        });
                    }
                }
            }
        });
        received.unwrap_or((0, Flow::Stop))
    }

    fn poll(&self, cx: &mut Context<'_>) -> Flow {
        loop {
            let (writable, paused) = self.manager.look(|state| {
                let paused = state.is_paused(self.number);
                (state.websocket(self.number).map(|(writer, _)| writer.poll(cx).is_ready()), paused)
            });
            match writable {
                None => return Flow::Stop,
                Some(false) if paused => return Flow::Pause,
                Some(false) => return Flow::Read,
                // Until the socket has been asked and says no: a write that was cut short leaves it as writable as it was.
                Some(true) => self.with(|connection, now, layer| connection.continue_writing(now, layer)),
            };
        }
    }

    fn hung_up(&self, _error: Option<io::Error>) {
        self.with(|connection, now, layer| connection.websocket_gone(now, None, layer));
    }
}
