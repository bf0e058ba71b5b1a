//! A manager: one connection at a time to one server, shared by all its sockets.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::runtime::sync::{Mutex, mpsc};
use tokio::sync::Notify;

use super::config::{ManagerConfig, SocketConfig, check_auth};
use super::connection::Connection;
use super::event::{ManagerEvent, ManagerEventKind, ManagerHandler};
use super::port::Port;
use super::reconnection::Reconnection;
use super::socket::Socket;
use super::state::{State, Step};
use crate::data::limits::Limits;
use crate::data::tag::{Kind, Tag};
use crate::error::{Error, ErrorKind, Result};
use crate::net::dial::Target;
use crate::net::dial::polling::PollingClient;
use crate::net::dial::url::Url;
use crate::proto::engine::packet::Transport;
use crate::proto::engine::session::ClientConfig;
use crate::proto::engine::websocket::{Decoder, Role};
use crate::runtime::dispatch::delivery::Delivery;
use crate::runtime::dispatch::dispatcher::Dispatcher;
use crate::runtime::dispatch::listeners::{ListenerId, Listeners};
use crate::runtime::dispatch::queue::{Queue, Stalled};
use crate::runtime::dispatch::turn;
use crate::runtime::dispatch::undelivered::Undelivered;
use crate::runtime::timers::{Timed, Timer};
use crate::runtime::{Done, Runtime, panics};

/// Room for deliveries that is kept from one stretch of work to the next.
const MAX_KEPT: usize = 1024;

/// Connects to a server, and connects again when the connection is lost.
///
/// Every method may be called from any thread; handlers run where [`ManagerConfig::delivery`] says, those of one manager and
/// its sockets never two at once. While a manager has a connection, or tries to get one, it lives on without references of the
/// program: [`close`](Self::close) ends that.
#[repr(C)]
pub struct Manager {
    tag: Tag,
    runtime: Arc<Runtime>,
    dispatcher: Dispatcher,
    queue: Arc<Queue>,
    config: ManagerConfig,
    limits: Arc<Limits>,
    session_config: ClientConfig,
    namespace: String,
    target: Arc<Target>,
    listeners: Listeners<ManagerHandler>,
    undelivered: Undelivered,
    resumed: Notify,
    locked: Mutex<Locked>,
}

struct Locked {
    state: State,
    timer: Timer,
    /// The turn that last noted this manager, and flushes it at its end.
    noted: Option<turn::Id>,
    deliveries: Vec<Delivery>,
    /// A bug has left the state such that nothing can be done with it.
    broken: bool,
}

impl Manager {
    /// The tag of managers.
    pub const KIND: Kind = Kind::of_process(*b"mngr");

    /// A manager for the server at `url`: `http://host:port`, with the namespace that its sockets join by default as its
    /// path. It connects when its first socket does, or by [`open`](Self::open).
    ///
    /// # Errors
    /// `InvalidArgument` for a URL or an option that cannot work, `InvalidJson` for an auth that is no JSON object,
    /// `Unsupported` for `https` and `wss`.
    pub fn new(runtime: &Arc<Runtime>, url: &str, config: ManagerConfig) -> Result<Arc<Self>> {
        config.validate()?;
        let url = Url::parse(url)?;
        let target = Target::new(&url, &config.request_path(), &config.query, &config.extra_headers)?;
        let limits = Arc::new(Limits {
            max_payload: config.max_payload,
            queued_bytes: config.max_buffered_bytes,
            ..Limits::DEFAULT
        });
        let dispatcher = Dispatcher::new(runtime, &config.delivery)?;
        let queue = dispatcher.queue();
        Ok(Arc::new(Self {
            tag: Tag::new(Self::KIND),
            runtime: runtime.clone(),
            undelivered: Undelivered::new(queue.clone()),
            dispatcher,
            queue,
            session_config: ClientConfig { transports: config.transports.clone().into(), upgrade: config.upgrade },
            namespace: namespace_name(url.path()),
            target: Arc::new(target),
            listeners: Listeners::default(),
            resumed: Notify::new(),
            locked: Mutex::new(Locked {
                state: State::new(limits.clone(), Reconnection::new(&config), config.timeout),
                timer: Timer::default(),
                noted: None,
                deliveries: Vec::new(),
                broken: false,
            }),
            limits,
            config,
        }))
    }

    /// The socket of a namespace: always the same while it lives. The empty name is the namespace in the manager's URL;
    /// a missing slash in front is added. With the option `autoConnect` it connects now (one that exists already: again).
    ///
    /// A program that must not miss the first `connect` turns `autoConnect` off, adds its handlers and then calls
    /// [`Socket::connect`].
    ///
    /// # Errors
    /// `InvalidJson` for an auth that is no JSON object, `TooLarge` past the bounds for a name or for the number of
    /// namespaces.
    pub fn socket(self: &Arc<Self>, namespace: &str, config: SocketConfig) -> Result<Arc<Socket>> {
        let auth_json = config.auth_json.or_else(|| self.config.auth_json.clone());
        auth_json.as_deref().map_or(Ok(()), check_auth)?;
        let namespace = if namespace.is_empty() { self.namespace.clone() } else { namespace_name(namespace) };
        let make = |namespace, slot| Socket::new(self, namespace, slot);
        let socket = self.run(|state, step| {
            let socket = state.sockets().socket(step, &namespace, SocketConfig { auth_json }, make)?;
            if self.config.auto_connect {
                state.connect(step, &socket);
            }
            Ok(socket)
        });
        socket.flatten()
    }

    /// Opens a connection, if there is none and none is tried for.
    pub fn open(self: &Arc<Self>) {
        let _ = self.run(State::open);
    }

    /// Disconnects all sockets (`io client disconnect`), closes the connection behind what was sent before, and tries no
    /// more to get one. `done` is called where handlers are, when nothing is left of it. The manager can be opened again.
    pub fn close(self: &Arc<Self>, done: Done) {
        let _ = self.run(|state, step| state.close(step, done));
        if self.runtime.has_ended() {
            // Nobody is left to see the connection end. It holds on to the manager as the manager does to it.
            drop(self.run(|state, _| state.abandon()));
        }
    }

    /// The same, and waits for it.
    ///
    /// # Errors
    /// `WouldDeadlock` on a thread that calls handlers, `Timeout` when it takes longer (it goes on then), `Closed`
    /// when runtime or queue were closed before.
    pub fn close_wait(self: &Arc<Self>, timeout: Duration) -> Result<()> {
        let (sender, ended) = mpsc::channel();
        // Whoever waits may be gone by then.
        self.dispatcher.wait(|| self.close(Box::new(move |result| drop(sender.send(result)))), &ended, timeout)
    }

    /// Adds a handler for what happens to the connection.
    pub fn on(&self, kind: ManagerEventKind, handler: Box<ManagerHandler>) -> ListenerId {
        self.listeners.add(kind.as_str(), handler)
    }

    /// Takes a handler out; a call that has begun may still be running. `false` when there is no such handler.
    pub fn off(&self, id: ListenerId) -> bool {
        let removed = self.listeners.remove(id).map(Delivery::discard);
        removed.map(|removed| self.queue.push(removed)).is_some()
    }

    /// Bytes that wait to be sent on the connection.
    pub fn buffered_bytes(&self) -> usize {
        self.look(State::buffered_bytes)
    }

    /// The transport in use, while there is a connection.
    pub fn transport(&self) -> Option<Transport> {
        self.look(State::transport)
    }

    /// Where its deliveries go.
    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    pub(super) fn undelivered(&self) -> &Undelivered {
        &self.undelivered
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn has_listeners(&self) -> bool {
        !self.listeners.is_empty()
    }

    /// Calls the listeners, on the thread that delivers.
    pub(super) fn call(&self, event: &ManagerEvent) {
        self.listeners.find(event.kind().as_str()).each(|handler| handler(event));
    }

    pub(super) fn new_connection(&self, port: Port) -> Connection {
        let polling = PollingClient::new(self.target.clone(), self.config.max_payload);
        Connection::new(port, self.runtime.handle(), self.session_config.clone(), polling)
    }

    pub(super) fn frame_decoder(&self) -> Decoder {
        Decoder::new(Role::Client, self.config.max_payload, Limits::DEFAULT.fragments as u32)
    }

    /// Reads something under the lock.
    pub(super) fn look<R>(&self, look: impl FnOnce(&mut State) -> R) -> R {
        look(&mut self.locked.lock().state)
    }

    /// Runs `work` under the lock, passes on what it delivered, and writes what it sent: at once, or when this thread's
    /// turn ends.
    ///
    /// # Errors
    /// `Panic` when it panics. That is a bug, which costs the connection: it counts as lost, and a new one is tried for.
    pub(super) fn run<R>(self: &Arc<Self>, work: impl FnOnce(&mut State, &mut Step<'_>) -> R) -> Result<R> {
        self.step(!turn::is_active(), work)
    }

    /// A bug has shown outside the lock, in a task of the connection with that number.
    pub(super) fn lose(self: &Arc<Self>, number: u64, bug: Error) {
        let _ = self.run(|state, step| state.lose(step, number, bug));
    }

    fn step<R>(self: &Arc<Self>, write: bool, work: impl FnOnce(&mut State, &mut Step<'_>) -> R) -> Result<R> {
        let mut locked = self.locked.lock();
        let Locked { state, timer, noted, deliveries, broken } = &mut *locked;
        if *broken {
            return Err(Error::new(ErrorKind::Panic, "the manager was given up because of a bug"));
        }
        let mut step = Step { manager: self, now: Instant::now(), deliveries: std::mem::take(deliveries) };
        let result = panics::caught(|| {
            let result = work(state, &mut step);
            if write {
                state.flush(&mut step);
            } else if *noted != turn::current() {
                // Another thread's turn may last as long as its handlers do: this one does not wait for it.
                *noted = turn::current();
                turn::note(self.clone());
            }
            result
        });
        if let Err(bug) = &result {
            // What cannot even be told that its connection is lost is left alone from now on.
            *broken = panics::caught(|| state.give_up(&mut step, bug.clone())).is_err();
        }
        state.tidy(&mut step);
        // Still under the lock: whoever is next comes behind.
        let wake = self.queue.append(&mut step.deliveries);
        *deliveries = step.deliveries;
        // A burst must not be paid for ever after.
        deliveries.shrink_to(MAX_KEPT);
        match state.deadline().filter(|_| !*broken) {
            None => self.runtime.timers().disarm(self, timer),
            deadline => self.runtime.timers().arm(self, timer, deadline),
        }
        drop(locked);
        drop(wake);
        result
    }

    /// Waits until handlers have caught up with the connection of that number.
    pub(super) async fn caught_up(self: &Arc<Self>, number: u64) {
        loop {
            let resumed = self.resumed.notified();
            if !self.run(|state, step| state.must_pause(step, number)).unwrap_or(false) {
                return;
            }
            resumed.await;
        }
    }

    /// The handlers of an event of so many bytes have returned.
    pub(super) fn delivered(self: &Arc<Self>, bytes: usize) {
        if self.undelivered.release(bytes, &self.limits) {
            self.clone().resume();
        }
    }
}

/// A namespace's name with its slash.
fn namespace_name(name: &str) -> String {
    if name.starts_with('/') { name.to_owned() } else { format!("/{name}") }
}

impl turn::Flush for Manager {
    fn flush(self: Arc<Self>) {
        self.locked.lock().noted = None;
        // The turn is still active while it ends: noted again, this would never come to an end.
        let _ = self.step(true, |_, _| ());
    }
}

impl Timed for Manager {
    fn tick(self: Arc<Self>, _now: Instant) {
        self.locked.lock().timer.fired();
        let _ = self.run(State::tick);
    }
}

impl Stalled for Manager {
    fn resume(self: Arc<Self>) {
        self.undelivered.resumed();
        let _ = self.run(|state, step| state.resume(step));
        self.resumed.notify_waiters();
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let mut left: Vec<_> = (self.locked.get_mut().state.sockets().drain().into_iter())
            .map(|handler| {
                let result = Err(Error::new(ErrorKind::Closed, "the manager was released"));
                Delivery::Answer { handler, result }
            })
            .collect();
        left.push(Delivery::discard(std::mem::take(&mut self.listeners)));
        drop(self.queue.append(&mut left));
    }
}
