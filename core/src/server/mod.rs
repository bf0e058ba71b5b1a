//! Floor 4: who is speaking, listening side.
//!
//! A [`Server`] listens, or is fed by a host; its [`Namespace`]s hold the [`Socket`]s of the clients.

mod broadcast;
mod config;
pub mod connection;
pub mod engine;
mod engine_server;
mod handshake;
mod layer;
mod listening;
mod middleware;
#[cfg(all(test, shuttle))]
mod models;
mod namespace;
mod request;
mod socket;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::runtime::sync::Mutex;
use crate::runtime::sync::mpsc::sync_channel;
use arc_swap::ArcSwapOption;
use hyper::StatusCode;

use crate::data::tag::{Kind, Tag};
use crate::error::{ErrorKind, Result};
use crate::net::http::{self, Service};
use crate::net::listener::Peer;
use crate::runtime::dispatch::delivery::Delivery;
use crate::runtime::dispatch::dispatcher::Dispatcher;
use crate::runtime::dispatch::queue::Queue;
use crate::runtime::{Done, Runtime, is_delivering};
use engine::Engine;
use layer::SocketLayer;
use listening::Listening;
use namespace::Namespaces;

pub use broadcast::Broadcast;
pub use config::ServerConfig;
pub use engine_server::EngineServer;
pub use handshake::{Handshake, RequestHead};
pub use middleware::{Middleware, Next};
pub use namespace::{ConnectionHandler, Namespace};
pub use request::{Reply, Request, RequestHandler};
pub use socket::{DisconnectHandler, EventHandler, Socket};

/// A Socket.IO server. Every method may be called from any thread.
///
/// Dropped without [`Server::close`] it closes too, and nobody is told.
#[repr(C)]
pub struct Server {
    tag: Tag,
    shared: Arc<Shared>,
}

/// What the server's tasks hold.
struct Shared {
    engine: Arc<Engine<SocketLayer>>,
    namespaces: Arc<Namespaces>,
    dispatcher: Arc<Dispatcher>,
    queue: Arc<Queue>,
    /// Where requests go that are not ours.
    requests: ArcSwapOption<Box<RequestHandler>>,
    listening: Listening,
}

impl Server {
    /// The tag of servers.
    pub const KIND: Kind = Kind::of_process(*b"serv");

    /// A server that does not listen yet.
    ///
    /// # Errors
    /// `InvalidArgument` for options that cannot work.
    pub fn new(runtime: &Arc<Runtime>, config: &ServerConfig) -> Result<Arc<Self>> {
        config.check()?;
        let namespaces = Arc::new(Namespaces::new(config.limits.clone()));
        let dispatcher = Arc::new(Dispatcher::new(runtime, &config.delivery)?);
        let queue = dispatcher.queue();
        namespaces.get_or_add("/", &queue)?;
        let (of_layers, connect_timeout) = (namespaces.clone(), config.connect_timeout);
        let open = Box::new(move |head| {
            let connect_by = Instant::now().checked_add(connect_timeout);
            SocketLayer::new(of_layers.clone(), head, connect_by)
        });
        let shared = Shared {
            engine: Engine::new(runtime.clone(), dispatcher.clone(), config.engine(), open),
            namespaces,
            dispatcher,
            queue,
            requests: ArcSwapOption::empty(),
            listening: Listening::new(runtime),
        };
        Ok(Arc::new(Self { tag: Tag::new(Self::KIND), shared: Arc::new(shared) }))
    }

    /// Listens on `host:port` (`127.0.0.1:3000`, `[::1]:3000`, `localhost:3000`, port 0 for any free one, `:3000` for all
    /// addresses) or on `unix:/path`. May be called several times. `done` is told when connections are accepted; it is not
    /// called when this call fails.
    ///
    /// # Errors
    /// `InvalidArgument` for what is no address, `Resolve`, `AddressInUse`, `Io`, `Closed` for a closed server.
    pub fn listen(&self, address: &str, done: Done) -> Result<()> {
        let shared = &self.shared;
        shared.listening.listen(address, HttpService(shared.clone()))?;
        shared.queue.push(Delivery::call(|| done(Ok(()))));
        Ok(())
    }

    /// A client whose WebSocket is open, in a model.
    #[cfg(shuttle)]
    pub fn accept(&self, stream: crate::net::memory::MemoryStream) {
        self.shared.engine.accept(crate::net::link::Stream::Memory(stream));
    }

    /// The address of the `i`th successful [`Server::listen`], its port filled in.
    pub fn address(&self, i: usize) -> Option<String> {
        self.shared.listening.address(i)
    }

    /// The namespace of this name, made if need be; clients can join it from then on. A missing slash is added.
    ///
    /// # Errors
    /// `TooLarge` for a name of more than 256 bytes, `InvalidArgument` for one with a comma.
    pub fn of(&self, name: &str) -> Result<Arc<Namespace>> {
        self.shared.namespaces.get_or_add(name, &self.shared.queue)
    }

    /// Has `handler` answer requests outside the Socket.IO path; without one they get 404. Replaces the one before.
    pub fn on_request(&self, handler: Box<RequestHandler>) {
        self.shared.set_request_handler(Some(Arc::new(handler)));
    }

    /// How many clients are connected.
    pub fn clients_count(&self) -> usize {
        self.shared.engine.count()
    }

    /// Closes the server: listeners, then clients (`server shutting down`). `done` is called where handlers are, behind
    /// the last call of any handler; also when the server was closed before.
    pub fn close(&self, done: Done) {
        self.shared.close(Some(done));
    }

    /// The same, and waits for the end.
    ///
    /// # Errors
    /// `WouldDeadlock` in a handler, `Timeout`; the server closes all the same.
    pub fn close_wait(&self, timeout: Duration) -> Result<()> {
        let (sender, ended) = sync_channel(1);
        let close = || self.close(Box::new(move |result| drop(sender.send(result))));
        match self.shared.dispatcher.wait(close, &ended, timeout) {
            // No handler will be called any more: that is an end too.
            Err(error) if error.kind() == ErrorKind::Closed => Ok(()),
            result => result,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.close(None);
    }
}

impl Shared {
    fn set_request_handler(&self, handler: Option<Arc<Box<RequestHandler>>>) {
        if let Some(before) = self.requests.swap(handler) {
            self.queue.push(Delivery::discard(before));
        }
    }

    fn close(&self, done: Option<Done>) {
        self.engine.stop();
        self.listening.stop();
        for connection in self.engine.connections() {
            let _ = connection.act(|layer, io| {
                layer.shut_down(io);
                Ok(())
            });
            connection.terminate();
        }
        self.set_request_handler(None);
        let end = End { namespaces: self.namespaces.clone(), done: Mutex::new(done) };
        let (dispatcher, queue) = (self.dispatcher.clone(), self.queue.clone());
        self.listening.when_ended(move || dispatcher.discard_behind_all(&queue, end));
    }
}

/// Takes the handlers out and calls the end report when the last queue has come to it: the sockets' ends are delivered
/// before, to those handlers.
struct End {
    namespaces: Arc<Namespaces>,
    done: Mutex<Option<Done>>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.namespaces.clear();
        // Elsewhere it is dropped only with a queue that was closed: nobody is called any more.
        if let Some(done) = self.done.get_mut().take()
            && is_delivering()
        {
            done(Ok(()));
        }
    }
}

#[derive(Clone)]
struct HttpService(Arc<Shared>);

impl Service for HttpService {
    async fn call(self, request: http::Request, peer: Peer) -> http::Response {
        let shared = self.0;
        if let Some(refusal) = http::refuse(&request) {
            return refusal;
        }
        if shared.engine.serves(request.uri().path()) {
            return shared.engine.clone().handle(request, peer).await;
        }
        match shared.requests.load_full() {
            None => request::empty(StatusCode::NOT_FOUND),
            Some(handler) => {
                let limit = shared.engine.limits().max_payload;
                request::answer(handler, shared.queue.clone(), limit, request, peer).await
            }
        }
    }
}
