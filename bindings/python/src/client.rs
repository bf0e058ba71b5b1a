//! A client's connection, and its ends of namespaces.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyString;
use socketio_bindings::{Event, Id, ManagerEvent};

use crate::cork::{tired, writing};
use crate::error::OrRaise;
use crate::handlers::Handlers;
use crate::queue::{Queue, Route};
use crate::turn::{Call, Turn};
use crate::{decode, encode};

/// One connection to a server.
#[pyclass(frozen, module = "socketio_native._native")]
pub(crate) struct Manager {
    native: socketio_bindings::Manager,
    queue: Py<Queue>,
    id: Id,
}

#[pymethods]
impl Manager {
    /// A connection to the server at `url`, which is opened with its first client. `options` is the JSON of the official
    /// options. `told(event, reason, message)` is called when it was opened, could not be, and was closed.
    #[new]
    fn new(url: &str, options: &str, queue: Py<Queue>, told: Py<PyAny>) -> PyResult<Self> {
        let native = socketio_bindings::Manager::new(url, options, &queue.get().native).or_raise()?;
        let id = queue.get().add(Route::Function(told));
        for event in [ManagerEvent::SIO_MANAGER_OPEN, ManagerEvent::SIO_MANAGER_ERROR, ManagerEvent::SIO_MANAGER_CLOSE]
        {
            native.on(event, id).or_raise()?;
        }
        Ok(Self { native, queue, id })
    }

    /// The client of a namespace. `auth` is sent when it connects, unless it is `None`. Events go to `handlers`; `owner` has the methods
    /// `_on_connect`, `_on_connect_error` and `_on_disconnect`.
    fn client(
        &self,
        py: Python<'_>,
        namespace: &str,
        auth: Option<&Bound<'_, PyAny>>,
        owner: Py<PyAny>,
        handlers: Py<Handlers>,
    ) -> PyResult<Py<Client>> {
        let auth = auth.map(encode::json).transpose()?;
        let native = self.native.socket(namespace, auth.as_deref()).or_raise()?;
        let queue = self.queue.clone_ref(py);
        let name = PyString::new(py, native.namespace()).unbind();
        let id = queue.get().reserve();
        let client = Py::new(py, Client { native, name, owner, handlers, queue, id })?;
        self.queue.get().set(id, Route::Client(client.clone_ref(py)));
        client.get().listen().or_raise()?;
        Ok(client)
    }

    /// Closes the connection; `done(status, message, ())` is called when nothing is left of it.
    fn close(&self, py: Python<'_>, done: Py<PyAny>) -> PyResult<()> {
        let id = self.queue.get().add(Route::Function(done));
        py.detach(|| self.native.close(id)).or_raise()
    }

    /// Is told nothing any more.
    fn forget(&self) {
        drop(self.queue.get().remove(self.id));
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.queue)
    }
}

/// The client's end of a namespace.
#[pyclass(frozen, module = "socketio_native._native")]
pub(crate) struct Client {
    native: socketio_bindings::Client,
    name: Py<PyString>,
    owner: Py<PyAny>,
    handlers: Py<Handlers>,
    queue: Py<Queue>,
    id: Id,
}

impl Client {
    fn listen(&self) -> socketio_bindings::Result<()> {
        self.native.on_any(self.id)?;
        self.native.on_connect(self.id)?;
        self.native.on_connect_error(self.id)?;
        self.native.on_disconnect(self.id)
    }

    /// An event has come.
    pub(crate) fn event(&self, turn: &mut Turn<'_>, event: &Event) -> PyResult<()> {
        let py = turn.py;
        let Some(handler) = self.handlers.get().find(py, self.native.namespace(), event.name()) else {
            // A client answers also what it has no handler for.
            return event.take_ack().map_or(Ok(()), |ack| crate::reply::send(py, ack, &py.None().into_bound(py)));
        };
        let mut arguments = Vec::with_capacity(8);
        if handler.wants_event {
            arguments.push(PyString::new(py, event.name()).into_any());
        }
        if handler.wants_namespace {
            arguments.push(self.name.bind(py).clone().into_any());
        }
        decode::push_arguments(py, &event.payload(), &mut arguments)?;
        let ack = event.take_ack();
        turn.call(Call { function: handler.function, is_coroutine: handler.is_coroutine, arguments, ack })
    }

    /// Tells the owner.
    pub(crate) fn tell<'py>(
        slf: &Bound<'py, Self>,
        turn: &mut Turn<'py>,
        method: &str,
        mut arguments: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let function = slf.get().owner.bind(turn.py).getattr(method)?;
        arguments.insert(0, slf.clone().into_any());
        turn.call(Call { function, is_coroutine: false, arguments, ack: None })
    }
}

#[pymethods]
impl Client {
    /// The name of its namespace.
    #[getter]
    fn namespace(&self, py: Python<'_>) -> Py<PyString> {
        self.name.clone_ref(py)
    }

    /// Its id while it is connected.
    #[getter]
    fn sid(&self) -> Option<String> {
        self.native.id()
    }

    /// `"polling"` or `"websocket"`; no text when there is no connection.
    #[getter]
    fn transport(&self) -> &'static str {
        self.native.transport()
    }

    /// Has it connected.
    fn connect(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.native.connect()).or_raise()
    }

    /// Disconnects it.
    fn disconnect(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.native.disconnect()).or_raise()
    }

    /// Sends an event. Whether others are to run before more is sent.
    fn emit(&self, py: Python<'_>, event: &str, data: &Bound<'_, PyAny>) -> PyResult<bool> {
        let payload = encode::payload(data)?;
        writing(py, || self.native.emit(event, &payload, false)).or_raise()?;
        Ok(tired(encode::size(&payload)))
    }

    /// Sends an event that is answered: `answer(status, message, arguments)`. A timeout of 0 is none.
    fn ask(
        &self,
        py: Python<'_>,
        event: &str,
        data: &Bound<'_, PyAny>,
        timeout: u32,
        answer: Py<PyAny>,
    ) -> PyResult<()> {
        let payload = encode::payload(data)?;
        let queue = self.queue.get();
        let id = queue.add(Route::Function(answer));
        writing(py, || self.native.emit_with_ack(event, &payload, timeout, id)).or_raise().inspect_err(|_| {
            queue.remove(id);
        })
    }

    /// Is told nothing any more.
    fn forget(&self) {
        drop(self.queue.get().remove(self.id));
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.owner)?;
        visit.call(&self.handlers)?;
        visit.call(&self.queue)
    }
}
