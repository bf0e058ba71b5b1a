//! Namespaces: separate sets of sockets over the same connections.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use crate::runtime::sync::RwLock;
use foldhash::fast::RandomState;

use super::broadcast::Broadcast;
use super::middleware::{Middleware, Middlewares};
use super::socket::{DisconnectHandler, EventHandler, Socket, SocketListeners};
use crate::adapter::{Adapter, BroadcastOptions, MemoryAdapter, Recipient};
use crate::data::limits::Limits;
use crate::data::payload::Payload;
use crate::data::tag::{Kind, Tag};
use crate::error::{Error, ErrorKind, Result};
use crate::proto::socket::event::check_emitted;
use crate::runtime::dispatch::delivery::Delivery;
use crate::runtime::dispatch::listeners::{ListenerId, Listeners};
use crate::runtime::dispatch::queue::Queue;

/// Called with each new socket.
pub type ConnectionHandler = dyn Fn(&Arc<Socket>) + Send + Sync;

/// A set of sockets with its handlers and rooms. Every method may be called from any thread.
#[repr(C)]
pub struct Namespace {
    tag: Tag,
    name: Arc<str>,
    adapter: Box<dyn Adapter>,
    middlewares: Middlewares,
    connection: Listeners<ConnectionHandler>,
    listeners: SocketListeners,
    queue: Arc<Queue>,
}

impl Namespace {
    /// The tag of namespaces.
    pub const KIND: Kind = Kind::of_process(*b"nsp ");

    fn new(name: &str, queue: &Arc<Queue>) -> Arc<Self> {
        Arc::new(Self {
            tag: Tag::new(Self::KIND),
            name: name.into(),
            adapter: Box::new(MemoryAdapter::new()),
            middlewares: Middlewares::default(),
            connection: Listeners::default(),
            listeners: SocketListeners::default(),
            queue: queue.clone(),
        })
    }

    /// Its name, with the slash.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many sockets there are in this process.
    pub fn socket_count(&self) -> usize {
        self.adapter.count()
    }

    /// The socket with this id.
    pub fn find(&self, sid: &str) -> Option<Arc<Socket>> {
        self.adapter.find(sid).and_then(as_socket)
    }

    /// All sockets of this process.
    pub fn sockets(&self) -> Vec<Arc<Socket>> {
        let mut selected = Vec::new();
        self.adapter.select(&BroadcastOptions::default(), &mut selected);
        selected.into_iter().filter_map(as_socket).collect()
    }

    /// Adds a middleware: it is asked about each client that wants to join from now on, behind those added before
    /// (`namespace.use` of the official server). It stays.
    pub fn add_middleware(&self, middleware: Box<Middleware>) {
        self.middlewares.add(middleware);
    }

    /// Adds a handler that is called with each new socket, before any handler of its events.
    pub fn on_connection(&self, handler: Box<ConnectionHandler>) -> ListenerId {
        self.connection.add_any(handler)
    }

    /// Adds a handler for the event `name` of every socket, those that are connected already included.
    ///
    /// # Errors
    /// `InvalidArgument` for a reserved name.
    pub fn on(&self, name: &str, handler: Box<EventHandler>) -> Result<ListenerId> {
        check_emitted(name)?;
        Ok(self.listeners.events.add(name, handler))
    }

    /// Adds a handler for every event of every socket.
    pub fn on_any(&self, handler: Box<EventHandler>) -> ListenerId {
        self.listeners.events.add_any(handler)
    }

    /// Adds a handler that is called when a socket is about to leave and is still in its rooms.
    pub fn on_disconnecting(&self, handler: Box<DisconnectHandler>) -> ListenerId {
        self.listeners.disconnecting.add_any(handler)
    }

    /// Adds a handler that is called when a socket has left.
    pub fn on_disconnect(&self, handler: Box<DisconnectHandler>) -> ListenerId {
        self.listeners.disconnect.add_any(handler)
    }

    /// Takes a handler out; a call that has begun may still be running. `false` when there is no such handler.
    pub fn off(&self, id: ListenerId) -> bool {
        if let Some(removed) = self.connection.remove(id) {
            self.queue.push(Delivery::discard(removed));
            return true;
        }
        self.listeners.remove(id, &self.queue)
    }

    /// Sends an event to every socket.
    ///
    /// # Errors
    /// `InvalidArgument` for a reserved name.
    pub fn emit(self: &Arc<Self>, name: &str, payload: &Payload) -> Result<()> {
        self.broadcast().emit(name, payload)
    }

    /// A broadcast, to every socket unless rooms are named.
    pub fn broadcast(self: &Arc<Self>) -> Broadcast {
        Broadcast::new(self)
    }

    pub(super) fn shared_name(&self) -> &Arc<str> {
        &self.name
    }

    pub(super) fn adapter(&self) -> &dyn Adapter {
        &*self.adapter
    }

    pub(super) fn middlewares(&self) -> &Middlewares {
        &self.middlewares
    }

    pub(super) fn listeners(&self) -> &SocketListeners {
        &self.listeners
    }

    /// Calls the handlers for a new socket. On a dispatch thread.
    pub(super) fn connected(&self, socket: &Arc<Socket>) {
        self.connection.find("").each(|handler| handler(socket));
    }

    /// Takes all handlers out and drops them. On a thread that delivers.
    fn clear(&self) {
        let SocketListeners { events, disconnecting, disconnect } = &self.listeners;
        drop((
            self.middlewares.clear(),
            self.connection.clear(),
            events.clear(),
            disconnecting.clear(),
            disconnect.clear(),
        ));
    }
}

fn as_socket(recipient: Arc<dyn Recipient>) -> Option<Arc<Socket>> {
    let any: Arc<dyn Any + Send + Sync> = recipient;
    any.downcast().ok()
}

/// The namespaces of a server.
pub(super) struct Namespaces {
    by_name: RwLock<HashMap<Arc<str>, Arc<Namespace>, RandomState>>,
    limits: Limits,
}

impl Namespaces {
    pub(super) fn new(limits: Limits) -> Self {
        Self { by_name: RwLock::default(), limits }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<Namespace>> {
        self.by_name.read().get(name).cloned()
    }

    /// The namespace of this name, made if need be. A missing slash is added, as the official server does.
    pub(super) fn get_or_add(&self, name: &str, queue: &Arc<Queue>) -> Result<Arc<Namespace>> {
        let name = if name.starts_with('/') { name.to_owned() } else { format!("/{name}") };
        if name.len() > self.limits.namespace_name {
            return Err(Error::new(ErrorKind::TooLarge, "namespace name too long"));
        }
        if name.contains(',') {
            return Err(Error::new(ErrorKind::InvalidArgument, "a comma cannot be in a namespace's name"));
        }
        let mut by_name = self.by_name.write();
        let namespace = by_name.entry(name.as_str().into()).or_insert_with(|| Namespace::new(&name, queue));
        Ok(namespace.clone())
    }

    /// Takes all handlers out and drops them. On a thread that delivers.
    pub(super) fn clear(&self) {
        let namespaces: Vec<_> = self.by_name.read().values().cloned().collect();
        for namespace in namespaces {
            namespace.clear();
        }
    }
}
