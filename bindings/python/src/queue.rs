//! What one event loop drains.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString, PyTuple};
use socketio_bindings::{Ack, Deliveries, Delivery, Id, LogLevel, Payload, Status};

use crate::client::Client;
use crate::cork::{cork, uncork};
use crate::decode;
use crate::error::OrRaise;
use crate::reply::Reply;
use crate::server::Namespace;
use crate::turn::{Call, Turn};

/// How much is taken at once: the loop has other work, too.
const BATCH: usize = 256;

/// Where everything waits that happens to the servers and clients of an event loop.
#[pyclass(frozen, module = "socketio_native._native")]
pub(crate) struct Queue {
    pub(crate) native: socketio_bindings::Queue,
    /// What was taken last. Some of it is left when a handler has ended the program.
    taken: Mutex<Deliveries>,
    /// Whom the number of a registration stands for.
    routes: Mutex<HashMap<Id, Route>>,
    next: AtomicU64,
    /// What the loop does for the queue.
    host: Py<PyAny>,
    spawn: Py<PyAny>,
}

/// Who is told.
pub(crate) enum Route {
    Namespace(Py<Namespace>),
    Client(Py<Client>),
    /// A function: for an answer or an end, which come once, and for what happens to a connection.
    Function(Py<PyAny>),
}

impl Route {
    fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Namespace(namespace) => Self::Namespace(namespace.clone_ref(py)),
            Self::Client(client) => Self::Client(client.clone_ref(py)),
            Self::Function(function) => Self::Function(function.clone_ref(py)),
        }
    }
}

impl Queue {
    /// The number of a new registration.
    pub(crate) fn add(&self, route: Route) -> Id {
        let id = self.reserve();
        self.set(id, route);
        id
    }

    /// A number for a registration that is made later.
    pub(crate) fn reserve(&self) -> Id {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Says whom a number stands for.
    pub(crate) fn set(&self, id: Id, route: Route) {
        if let Ok(mut routes) = self.routes.lock() {
            routes.insert(id, route);
        }
    }

    /// Forgets a registration.
    pub(crate) fn remove(&self, id: Id) -> Option<Route> {
        self.routes.lock().ok()?.remove(&id)
    }

    pub(crate) fn host<'py>(&'py self, py: Python<'py>) -> &'py Bound<'py, PyAny> {
        self.host.bind(py)
    }

    /// Has a task await what `function` returns, and answer with its result. Whether it has still to begin.
    pub(crate) fn spawn<'py>(
        &self,
        py: Python<'py>,
        function: &Bound<'py, PyAny>,
        arguments: &Bound<'py, PyTuple>,
        ack: Option<Ack>,
    ) -> PyResult<bool> {
        let reply = ack.map(|ack| Bound::new(py, Reply::new(ack))).transpose()?;
        self.spawn.bind(py).call1((function, arguments, reply))?.is_truthy()
    }

    fn route(&self, py: Python<'_>, id: Id) -> Option<Route> {
        Some(self.routes.lock().ok()?.get(&id)?.clone_ref(py))
    }

    fn deliver(&self, turn: &mut Turn<'_>, delivery: Delivery<'_>) -> PyResult<()> {
        let py = turn.py;
        match delivery {
            Delivery::Event { id, socket, event } => match self.route(py, id) {
                Some(Route::Namespace(namespace)) => namespace.get().event(turn, &socket, &event),
                _ => Ok(()),
            },
            Delivery::Middleware { id, socket, next } => match self.route(py, id) {
                Some(Route::Namespace(namespace)) => Namespace::request(namespace.bind(py), turn, &socket, next),
                _ => Ok(()),
            },
            Delivery::Disconnecting { id, socket, reason, rooms } => match self.route(py, id) {
                Some(Route::Namespace(namespace)) => Namespace::end(namespace.bind(py), turn, &socket, reason, rooms),
                _ => Ok(()),
            },
            Delivery::Ack { id, status, payload } => self.once(turn, id, status, "", payload.as_deref()),
            Delivery::Done { id, status, message } => self.once(turn, id, status, message, None),
            Delivery::ClientEvent { id, event, .. } => match self.route(py, id) {
                Some(Route::Client(client)) => client.get().event(turn, &event),
                _ => Ok(()),
            },
            Delivery::ClientConnect { id, .. } => self.client(turn, id, "_on_connect", Vec::new()),
            Delivery::ClientConnectError { id, status, message, data, .. } => {
                let refused = PyBool::new(py, status == Status::SIO_ERR_REJECTED as i32).to_owned().into_any();
                let mut arguments = vec![refused, PyString::new(py, message).into_any()];
                if let Some(data) = data {
                    decode::push_arguments(py, &data, &mut arguments)?;
                }
                self.client(turn, id, "_on_connect_error", arguments)
            }
            Delivery::ClientDisconnect { id, reason, .. } => {
                self.client(turn, id, "_on_disconnect", vec![PyString::new(py, reason).into_any()])
            }
            Delivery::Manager { id, event, reason, message, .. } => match self.route(py, id) {
                Some(Route::Function(function)) => {
                    let arguments = vec![
                        event.into_pyobject(py)?.into_any(),
                        PyString::new(py, reason).into_any(),
                        PyString::new(py, message).into_any(),
                    ];
                    turn.call(Call { function: function.into_bound(py), is_coroutine: false, arguments, ack: None })
                }
                _ => Ok(()),
            },
            Delivery::Log { level, target, message } => {
                self.host(py).call_method1(pyo3::intern!(py, "log"), (level, target, message)).map(drop)
            }
            Delivery::Connection { .. }
            | Delivery::Disconnect { .. }
            | Delivery::ClientAuth { .. }
            | Delivery::Unknown => Ok(()),
        }
    }

    fn once(&self, turn: &mut Turn<'_>, id: Id, status: i32, message: &str, payload: Option<&Payload>) -> PyResult<()> {
        let py = turn.py;
        let Some(Route::Function(function)) = self.remove(id) else { return Ok(()) };
        let mut arguments = Vec::new();
        if let Some(payload) = payload {
            decode::push_arguments(py, payload, &mut arguments)?;
        }
        let arguments = vec![
            status.into_pyobject(py)?.into_any(),
            PyString::new(py, message).into_any(),
            PyTuple::new(py, arguments)?.into_any(),
        ];
        turn.call(Call { function: function.into_bound(py), is_coroutine: false, arguments, ack: None })
    }

    fn client<'py>(
        &self,
        turn: &mut Turn<'py>,
        id: Id,
        method: &str,
        arguments: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        match self.route(turn.py, id) {
            Some(Route::Client(client)) => Client::tell(client.bind(turn.py), turn, method, arguments),
            _ => Ok(()),
        }
    }
}

#[pymethods]
impl Queue {
    /// A queue whose `host` does what only the loop can: `spawn`, `call_later`, `call_soon`, `report`, `log`.
    #[new]
    fn new(host: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            native: socketio_bindings::Queue::new().or_raise()?,
            taken: Mutex::new(Deliveries::with_capacity(BATCH)),
            routes: Mutex::default(),
            next: AtomicU64::new(1),
            host: host.clone().unbind(),
            spawn: host.getattr("spawn")?.unbind(),
        })
    }

    /// Readable while something waits.
    fn fileno(&self) -> i32 {
        self.native.fd()
    }

    /// Calls the handlers of what waits, in order. What they send is held back until they have all begun.
    fn drain(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, queue) = (slf.py(), slf.get());
        // A handler that drains gets nothing: its own drain goes on afterwards.
        let Ok(mut taken) = queue.taken.try_lock() else { return Ok(()) };
        if taken.is_done() {
            match queue.native.take(&mut taken) {
                // A forked child that goes on with its parent's loop watches what is the parent's, which will drain it.
                Err(error) if error.status == Status::SIO_ERR_FORKED => return Ok(()),
                result => result.or_raise()?,
            };
        }
        cork();
        let mut turn = Turn { py, queue, deferred: false };
        let mut ended = Ok(());
        while let Some(delivery) = taken.next() {
            ended = queue.deliver(&mut turn, delivery).or_else(|error| turn.report(error));
            if ended.is_err() {
                break;
            }
        }
        let left = !taken.is_done();
        if !left {
            taken.clear();
        }
        drop(taken);
        if turn.deferred {
            queue.host(py).call_method1(pyo3::intern!(py, "call_soon"), (slf.getattr("uncork")?,))?;
        } else {
            uncork(py);
        }
        if left {
            queue.host(py).call_method1(pyo3::intern!(py, "call_soon"), (slf.getattr("drain")?,))?;
        }
        ended
    }

    /// Writes what was held back.
    #[allow(clippy::unused_self, reason = "what is held back is this thread's, and so is the queue")]
    fn uncork(&self, py: Python<'_>) {
        uncork(py);
    }

    /// Has lines of the library's log up to a level wait here.
    fn log(&self, level: i32) -> PyResult<()> {
        let level = match level {
            1 => LogLevel::SIO_LOG_ERROR,
            2 => LogLevel::SIO_LOG_WARN,
            3 => LogLevel::SIO_LOG_INFO,
            4 => LogLevel::SIO_LOG_DEBUG,
            _ => LogLevel::SIO_LOG_TRACE,
        };
        socketio_bindings::log_to(&self.native, level).or_raise()
    }

    /// Takes no more, and forgets whom it was to tell.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.native.close());
        uncork(py);
        self.__clear__();
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.host)?;
        visit.call(&self.spawn)?;
        if let Ok(routes) = self.routes.try_lock() {
            for route in routes.values() {
                match route {
                    Route::Namespace(namespace) => visit.call(namespace)?,
                    Route::Client(client) => visit.call(client)?,
                    Route::Function(function) => visit.call(function)?,
                }
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        let before = self.routes.lock().map(|mut routes| std::mem::take(&mut *routes));
        drop(before);
    }
}
