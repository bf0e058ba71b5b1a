//! Engine.IO by itself: connections that exchange messages, without Socket.IO on top.

use std::sync::Arc;

use hyper::StatusCode;

use super::connection::Layer;
use super::engine::{Engine, EngineConfig, OpenLayer};
use super::listening::Listening;
use super::request::empty;
use crate::error::Result;
use crate::net::http::{self, Request, Response, Service};
use crate::net::listener::Peer;
use crate::runtime::Runtime;
use crate::runtime::dispatch::dispatcher::Dispatcher;

/// A server whose connections each have a layer `L` on them. Dropped, it closes.
pub struct EngineServer<L: Layer> {
    engine: Arc<Engine<L>>,
    listening: Listening,
}

impl<L: Layer> EngineServer<L> {
    /// A server that does not listen yet; `open` makes the layer of each new connection.
    pub fn new(runtime: &Arc<Runtime>, config: EngineConfig, open: OpenLayer<L>) -> Self {
        let dispatcher = Arc::new(Dispatcher::Threads(runtime.clone()));
        let engine = Engine::new(runtime.clone(), dispatcher, config, open);
        Self { engine, listening: Listening::new(runtime) }
    }

    /// Listens on an address of the forms that [`Server::listen`](super::Server::listen) takes.
    ///
    /// # Errors
    /// As there.
    pub fn listen(&self, address: &str) -> Result<()> {
        self.listening.listen(address, EngineService(self.engine.clone()))
    }

    /// The address of the `i`th listener, its port filled in.
    pub fn address(&self, i: usize) -> Option<String> {
        self.listening.address(i)
    }

    /// The connections.
    pub fn engine(&self) -> &Arc<Engine<L>> {
        &self.engine
    }

    /// Closes listeners and connections.
    pub fn close(&self) {
        self.engine.stop();
        self.listening.stop();
        self.engine.connections().iter().for_each(super::connection::Connection::terminate);
    }
}

impl<L: Layer> Drop for EngineServer<L> {
    fn drop(&mut self) {
        self.close();
    }
}

struct EngineService<L: Layer>(Arc<Engine<L>>);

impl<L: Layer> Clone for EngineService<L> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<L: Layer> Service for EngineService<L> {
    async fn call(self, request: Request, peer: Peer) -> Response {
        if let Some(refusal) = http::refuse(&request) {
            return refusal;
        }
        if self.0.serves(request.uri().path()) {
            self.0.handle(request, peer).await
        } else {
            empty(StatusCode::NOT_FOUND)
        }
    }
}
