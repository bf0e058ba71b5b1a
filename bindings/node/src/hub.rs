//! What JavaScript sees of the native half.

#![allow(clippy::needless_pass_by_value, reason = "what JavaScript gives is handed over, and errors are passed on")]

use std::cell::RefCell;
use std::rc::Rc;

use napi::bindgen_prelude::{BufferSlice, Env, Function, Unknown};
use napi_derive::napi;
use socketio_bindings::{Deliveries, Id, ManagerEvent, Queue, Status};

use crate::objects::{Objects, Peer};
use crate::sys::{self, Callback, Watch};
use crate::{inbox, json, outbox};

/// Events for JavaScript in one go: at most so many are taken, and the loop goes on before the next ones are.
const BATCH_EVENTS: usize = 512;

/// A call has little more than so many bytes of text and attachments; what was taken besides comes in the next one.
const BATCH_BYTES: usize = 1 << 20;

/// All servers and clients of a JavaScript environment. What happens to them is told by one function, in batches.
#[napi]
pub struct Hub {
    state: Rc<State>,
    watch: Watch,
    /// Where a text from JavaScript is put.
    text: Vec<u8>,
}

struct State {
    queue: Queue,
    /// What was taken, and where it is written down.
    deliveries: RefCell<(Deliveries, String)>,
    objects: RefCell<Objects>,
}

#[napi]
impl Hub {
    /// Starts the library's threads, if nobody has before.
    #[napi(constructor)]
    pub fn new(env: Env, on_batch: Function<'_, Unknown<'_>, Unknown<'_>>) -> napi::Result<Self> {
        let queue = Queue::new().map_err(thrown)?;
        let fd = queue.fd();
        let deliveries = RefCell::new((Deliveries::with_capacity(BATCH_EVENTS), String::new()));
        let state = Rc::new(State { queue, deliveries, objects: RefCell::new(Objects::new()) });
        let (drained, ended) = (Rc::clone(&state), Rc::clone(&state));
        let watch = Watch::new(&env, fd, &on_batch, move |callback| drained.drain(callback), move || ended.end())?;
        Ok(Self { state, watch, text: Vec::new() })
    }

    /// Whether the process stays up for what may come.
    #[napi]
    pub fn hold(&self, held: bool) {
        self.watch.hold(held);
    }

    /// Carries out what JavaScript has written down; what was refused of it, as JSON.
    #[napi]
    pub fn apply(
        &mut self,
        env: Env,
        operations: Unknown<'_>,
        units: u32,
        attachments: Option<Vec<BufferSlice<'_>>>,
    ) -> napi::Result<Option<String>> {
        let text = sys::text(&env, &operations, units, &mut self.text)?;
        let mut objects = self.state.objects.borrow_mut();
        Ok(outbox::apply(text, attachments.as_deref().unwrap_or_default(), &mut objects))
    }

    /// A server with the official options, given as JSON.
    #[napi]
    pub fn server(&self, options: String) -> napi::Result<u32> {
        let server = socketio_bindings::Server::new(&options, &self.state.queue).map_err(thrown)?;
        Ok(self.state.objects.borrow_mut().servers.insert(server))
    }

    /// Listens on one more address; the one that it is.
    #[napi]
    pub fn listen(&self, server: u32, address: String, place: u32) -> napi::Result<String> {
        let objects = self.state.objects.borrow();
        let server = objects.servers.get(server).ok_or_else(closed)?;
        server.listen(&address, 0).map_err(thrown)?;
        server.address(place as usize).map_err(thrown)
    }

    /// The namespace of a server, whose events are told from now on; its number.
    #[napi]
    pub fn namespace(&self, server: u32, name: String) -> napi::Result<u32> {
        let mut objects = self.state.objects.borrow_mut();
        let namespace = objects.servers.get(server).ok_or_else(closed)?.of(&name).map_err(thrown)?;
        let id = Id::from(objects.namespaces.next());
        namespace.on_connection(id).map_err(thrown)?;
        namespace.on_any(id).map_err(thrown)?;
        namespace.on_disconnecting(id).map_err(thrown)?;
        namespace.on_disconnect(id).map_err(thrown)?;
        Ok(objects.namespaces.insert(namespace))
    }

    /// Has clients that want to join a namespace asked about from now on.
    #[napi(js_name = "use")]
    pub fn use_(&self, namespace: u32) -> napi::Result<()> {
        let objects = self.state.objects.borrow();
        objects.namespaces.get(namespace).ok_or_else(closed)?.use_(Id::from(namespace)).map_err(thrown)
    }

    /// Number of connections of a server.
    #[napi]
    pub fn clients_count(&self, server: u32) -> u32 {
        let objects = self.state.objects.borrow();
        objects.servers.get(server).map_or(0, |server| server.clients_count().try_into().unwrap_or(u32::MAX))
    }

    /// The rooms of a socket.
    #[napi]
    pub fn rooms(&self, socket: u32) -> Vec<String> {
        let objects = self.state.objects.borrow();
        objects.sockets.get(socket).map(|socket| socket.handle.rooms()).unwrap_or_default()
    }

    /// The transport of a socket: "polling" or "websocket".
    #[napi]
    pub fn transport(&self, socket: u32) -> Option<String> {
        let objects = self.state.objects.borrow();
        objects.sockets.get(socket).map(|socket| socket.handle.transport().to_owned())
    }

    /// Closes a server; the end is told under the number `done`.
    #[napi]
    pub fn close_server(&self, server: u32, done: u32) -> napi::Result<()> {
        let objects = self.state.objects.borrow();
        objects.servers.get(server).ok_or_else(closed)?.close(Id::from(done)).map_err(thrown)
    }

    /// Gives up a server that is closed, and its namespaces.
    #[napi]
    pub fn free_server(&self, server: u32, namespaces: Vec<u32>) {
        let mut objects = self.state.objects.borrow_mut();
        objects.servers.remove(server);
        for namespace in namespaces {
            objects.namespaces.remove(namespace);
        }
    }

    /// A manager for the server at `url`, with the official options, given as JSON. What happens to it is told.
    #[napi]
    pub fn manager(&self, url: String, options: String) -> napi::Result<u32> {
        let manager = socketio_bindings::Manager::new(&url, &options, &self.state.queue).map_err(thrown)?;
        let mut objects = self.state.objects.borrow_mut();
        let id = Id::from(objects.managers.next());
        for event in [
            ManagerEvent::SIO_MANAGER_OPEN,
            ManagerEvent::SIO_MANAGER_ERROR,
            ManagerEvent::SIO_MANAGER_CLOSE,
            ManagerEvent::SIO_MANAGER_PING,
            ManagerEvent::SIO_MANAGER_RECONNECT_ATTEMPT,
            ManagerEvent::SIO_MANAGER_RECONNECT,
            ManagerEvent::SIO_MANAGER_RECONNECT_ERROR,
            ManagerEvent::SIO_MANAGER_RECONNECT_FAILED,
        ] {
            manager.on(event, id).map_err(thrown)?;
        }
        Ok(objects.managers.insert(manager))
    }

    /// Has a manager connect.
    #[napi]
    pub fn open_manager(&self, manager: u32) -> napi::Result<()> {
        let objects = self.state.objects.borrow();
        objects.managers.get(manager).ok_or_else(closed)?.open().map_err(thrown)
    }

    /// Closes a manager's connection; the end is told under the number `done`.
    #[napi]
    pub fn close_manager(&self, manager: u32, done: u32) -> napi::Result<()> {
        let objects = self.state.objects.borrow();
        objects.managers.get(manager).ok_or_else(closed)?.close(Id::from(done)).map_err(thrown)
    }

    /// Gives up a manager that has no connection, and its clients.
    #[napi]
    pub fn free_manager(&self, manager: u32, clients: Vec<u32>) {
        let mut objects = self.state.objects.borrow_mut();
        objects.managers.remove(manager);
        for client in clients {
            objects.clients.remove(client);
        }
    }

    /// The client of a namespace, whose events are told from now on; its number.
    #[napi]
    pub fn client(&self, manager: u32, nsp: String) -> napi::Result<u32> {
        let mut objects = self.state.objects.borrow_mut();
        let manager = objects.managers.get(manager).ok_or_else(closed)?;
        let client = manager.socket(&nsp, None).map_err(thrown)?;
        let id = Id::from(objects.clients.next());
        client.on_any(id).map_err(thrown)?;
        client.on_auth(id).map_err(thrown)?;
        client.on_connect(id).map_err(thrown)?;
        client.on_connect_error(id).map_err(thrown)?;
        client.on_disconnect(id).map_err(thrown)?;
        Ok(objects.clients.insert(Peer::new(client)))
    }
}

impl State {
    /// Tells JavaScript what waits. It may call any method of the hub meanwhile.
    fn drain(&self, callback: &Callback<'_>) {
        let Ok(mut borrowed) = self.deliveries.try_borrow_mut() else { return };
        let (deliveries, text) = &mut *borrowed;
        if !self.queue.take(deliveries).is_ok_and(|count| count > 0) {
            return;
        }
        while !deliveries.is_done() {
            let mut call = callback.begin();
            let mut bytes = 0;
            text.clear();
            text.push('[');
            {
                let mut objects = self.objects.borrow_mut();
                while text.len() + bytes < BATCH_BYTES {
                    let Some(delivery) = deliveries.next() else { break };
                    bytes += inbox::write(text, delivery, &mut objects, &mut call);
                }
            }
            text.push(']');
            call.make(text);
        }
        deliveries.clear();
    }

    /// The environment ends: nobody is left to be told.
    fn end(&self) {
        self.queue.close();
        let Ok(objects) = self.objects.try_borrow() else { return };
        objects.servers.iter().for_each(|(id, server)| drop(server.close(Id::from(id))));
        objects.managers.iter().for_each(|(id, manager)| drop(manager.close(Id::from(id))));
    }
}

/// The library's error as an Error of JavaScript. Its `code` is what the status is called, without the prefix.
fn thrown(error: socketio_bindings::Error) -> napi::Error {
    let mut message = String::new();
    json::number(&mut message, error.status as i32);
    message.push(' ');
    message.push_str(&error.message);
    napi::Error::new(napi::Status::GenericFailure, message)
}

fn closed() -> napi::Error {
    let message = "it is closed".to_owned();
    thrown(socketio_bindings::Error { status: Status::SIO_ERR_CLOSED, message })
}
