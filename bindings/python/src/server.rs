//! A server, and its namespaces.

use std::collections::HashMap;
use std::sync::Mutex;

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString, PyTuple};
use socketio_bindings::{Event, Id, Next};

use crate::cork::{tired, writing};
use crate::error::{OrRaise, unless_gone};
use crate::handlers::Handlers;
use crate::queue::{Queue, Route};
use crate::reply::{Admission, Reply};
use crate::socket::Socket;
use crate::turn::{Call, Turn};
use crate::{decode, encode};

/// A server, whose events wait in a queue.
#[pyclass(frozen, module = "socketio_native._native")]
pub(crate) struct Server {
    native: socketio_bindings::Server,
    queue: Py<Queue>,
}

#[pymethods]
impl Server {
    /// A server that does not listen yet. `options` is the JSON of the official options.
    #[new]
    fn new(options: &str, queue: Py<Queue>) -> PyResult<Self> {
        Ok(Self { native: socketio_bindings::Server::new(options, &queue.get().native).or_raise()?, queue })
    }

    /// Listens on one more address; `done(status, message, ())` is called when it does.
    fn listen(&self, py: Python<'_>, address: &str, done: Py<PyAny>) -> PyResult<()> {
        let queue = self.queue.get();
        let id = queue.add(Route::Function(done));
        py.detach(|| self.native.listen(address, id)).or_raise().inspect_err(|_| {
            queue.remove(id);
        })
    }

    /// Address number `i` of those that it listens on.
    fn address(&self, i: usize) -> PyResult<String> {
        self.native.address(i).or_raise()
    }

    /// The namespace `name`, which clients can join from now on. Their events go to `handlers`; `owner` has the methods
    /// `_admit`, `_ended` and `_in_turn`, the last of which is called for events when they are to be handled one by one.
    fn of(
        &self,
        py: Python<'_>,
        name: &str,
        owner: Py<PyAny>,
        handlers: Py<Handlers>,
        one_by_one: bool,
    ) -> PyResult<Py<Namespace>> {
        let native = self.native.of(name).or_raise()?;
        let name = PyString::new(py, native.name()).unbind();
        let queue = self.queue.clone_ref(py);
        let id = self.queue.get().reserve();
        let sockets = Mutex::default();
        let namespace = Py::new(py, Namespace { native, name, owner, handlers, one_by_one, queue, id, sockets })?;
        self.queue.get().set(id, Route::Namespace(namespace.clone_ref(py)));
        namespace.get().listen().or_raise()?;
        Ok(namespace)
    }

    /// Number of connections.
    #[getter]
    fn clients_count(&self) -> u64 {
        self.native.clients_count()
    }

    /// Closes it; `done(status, message, ())` is called when its last socket is gone.
    fn close(&self, py: Python<'_>, done: Py<PyAny>) -> PyResult<()> {
        let id = self.queue.get().add(Route::Function(done));
        py.detach(|| self.native.close(id)).or_raise()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.queue)
    }
}

/// A namespace of a server.
#[pyclass(frozen, module = "socketio_native._native")]
pub(crate) struct Namespace {
    native: socketio_bindings::Namespace,
    name: Py<PyString>,
    owner: Py<PyAny>,
    handlers: Py<Handlers>,
    one_by_one: bool,
    queue: Py<Queue>,
    id: Id,
    sockets: Mutex<Sockets>,
}

/// The sockets of a namespace, by what the library and what the program knows them by.
#[derive(Default)]
struct Sockets {
    by_key: HashMap<usize, Py<Socket>>,
    by_sid: HashMap<String, Py<Socket>>,
}

impl Namespace {
    fn listen(&self) -> socketio_bindings::Result<()> {
        self.native.use_(self.id)?;
        self.native.on_any(self.id)?;
        self.native.on_disconnecting(self.id)
    }

    /// A client wants to join. Without a handler that decides, it may.
    pub(crate) fn request<'py>(
        slf: &Bound<'py, Self>,
        turn: &mut Turn<'py>,
        native: &socketio_bindings::Socket,
        next: Next,
    ) -> PyResult<()> {
        let (py, namespace) = (turn.py, slf.get());
        let socket = Py::new(py, Socket::new(py, native))?;
        if let Ok(mut sockets) = namespace.sockets.lock() {
            sockets.by_key.insert(native.key(), socket.clone_ref(py));
            sockets.by_sid.insert(native.id().to_owned(), socket.clone_ref(py));
        }
        let admission = Bound::new(py, Admission::new(next))?;
        let function = namespace.owner.bind(py).getattr("_admit")?;
        let arguments = vec![slf.clone().into_any(), socket.into_bound(py).into_any(), admission.into_any()];
        turn.begin(Call { function, is_coroutine: false, arguments, ack: None })
    }

    /// An event has come.
    pub(crate) fn event(&self, turn: &mut Turn<'_>, native: &socketio_bindings::Socket, event: &Event) -> PyResult<()> {
        let py = turn.py;
        let Some(socket) = self.of_key(py, native.key()) else { return Ok(()) };
        let Some(handler) = self.handlers.get().find(py, self.native.name(), event.name()) else {
            return Ok(());
        };
        let mut arguments = Vec::with_capacity(8);
        if handler.wants_event {
            arguments.push(PyString::new(py, event.name()).into_any());
        }
        if handler.wants_namespace {
            arguments.push(self.name.bind(py).clone().into_any());
        }
        arguments.push(socket.get().sid(py).into_any());
        decode::push_arguments(py, &event.payload(), &mut arguments)?;
        let ack = event.take_ack();
        if self.one_by_one {
            let ack = ack.map(|ack| Py::new(py, Reply::new(ack))).transpose()?;
            let arguments = PyTuple::new(py, arguments)?;
            return self.owner.bind(py).call_method1("_in_turn", (socket, handler.function, arguments, ack)).map(drop);
        }
        turn.call(Call { function: handler.function, is_coroutine: handler.is_coroutine, arguments, ack })
    }

    /// A socket has left.
    pub(crate) fn end<'py>(
        slf: &Bound<'py, Self>,
        turn: &mut Turn<'py>,
        native: &socketio_bindings::Socket,
        reason: &str,
        rooms: &str,
    ) -> PyResult<()> {
        let (py, namespace) = (turn.py, slf.get());
        let Some(socket) = namespace.of_key(py, native.key()) else { return Ok(()) };
        if namespace.handlers.get().find(py, namespace.native.name(), "disconnect").is_none() {
            namespace.forget(socket.get());
            return Ok(());
        }
        socket.get().left(decode::object(py, rooms)?.extract()?);
        let function = namespace.owner.bind(py).getattr("_ended")?;
        let reason = PyString::new(py, reason).into_any();
        let arguments = vec![slf.clone().into_any(), socket.into_bound(py).into_any(), reason];
        turn.call(Call { function, is_coroutine: false, arguments, ack: None })
    }

    fn of_key(&self, py: Python<'_>, key: usize) -> Option<Py<Socket>> {
        Some(self.sockets.lock().ok()?.by_key.get(&key)?.clone_ref(py))
    }

    fn of_sid(&self, py: Python<'_>, sid: &str) -> Option<Py<Socket>> {
        Some(self.sockets.lock().ok()?.by_sid.get(sid)?.clone_ref(py))
    }

    /// A broadcast to `to`, which is all when it is `None`, without the sockets in `skip`.
    fn broadcast(&self, to: &[String], skip: &[String]) -> PyResult<socketio_bindings::Broadcast> {
        let all = self.native.broadcast().or_raise()?;
        let rooms = to.iter().fold(all, |broadcast, room| broadcast.to(room));
        Ok(skip.iter().fold(rooms, |broadcast, sid| broadcast.except(sid)))
    }
}

#[pymethods]
impl Namespace {
    /// Its name, with the slash.
    #[getter]
    fn name(&self, py: Python<'_>) -> Py<PyString> {
        self.name.clone_ref(py)
    }

    /// The socket with this id.
    fn socket(&self, py: Python<'_>, sid: &str) -> Option<Py<Socket>> {
        self.of_sid(py, sid)
    }

    /// Sends an event to the socket or the rooms that `to` names, or to all. Whether others are to run before more is sent.
    fn emit(
        &self,
        py: Python<'_>,
        event: &str,
        data: &Bound<'_, PyAny>,
        to: Option<&Bound<'_, PyAny>>,
        skip: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let payload = encode::payload(data)?;
        let tired = tired(encode::size(&payload));
        if let (Some(to), None) = (to, skip)
            && let Ok(sid) = to.cast::<PyString>()
            && let Some(socket) = self.of_sid(py, sid.to_str()?)
        {
            return unless_gone(writing(py, || socket.get().native.emit(event, &payload, false))).map(|()| tired);
        }
        let broadcast = self.broadcast(&rooms(to)?, &rooms(skip)?)?;
        writing(py, || broadcast.emit(event, &payload)).or_raise().map(|()| tired)
    }

    /// The same with an answer from each socket: `answer(status, message, arguments)`, where a status of 0 is an answer.
    /// A timeout of 0 is none. How many were asked.
    #[allow(clippy::too_many_arguments, reason = "they are an event's, to and from")]
    fn ask(
        &self,
        py: Python<'_>,
        event: &str,
        data: &Bound<'_, PyAny>,
        to: Option<&Bound<'_, PyAny>>,
        skip: Option<&Bound<'_, PyAny>>,
        timeout: u32,
        answer: &Bound<'_, PyAny>,
    ) -> PyResult<usize> {
        let payload = encode::payload(data)?;
        let (to, skip) = (rooms(to)?, rooms(skip)?);
        let mut asked = 0;
        for socket in self.members(py, &to, &skip) {
            let id = self.queue.get().add(Route::Function(answer.clone().unbind()));
            match writing(py, || socket.get().native.emit_with_ack(event, &payload, timeout, id)) {
                Ok(()) => asked += 1,
                failed => {
                    self.queue.get().remove(id);
                    unless_gone(failed)?;
                }
            }
        }
        Ok(asked)
    }

    /// Takes every socket out of a room.
    fn close_room(&self, room: &str) -> PyResult<()> {
        self.native.broadcast().or_raise()?.to(room).sockets_leave(room).or_raise()
    }

    /// Is told nothing any more, and forgets its sockets.
    fn close(&self) {
        drop(self.queue.get().remove(self.id));
        self.__clear__();
    }

    /// Forgets a socket that is gone.
    fn forget(&self, socket: &Socket) {
        let before = self.sockets.lock().map(|mut sockets| {
            (sockets.by_key.remove(&socket.native.key()), sockets.by_sid.remove(socket.native.id()))
        });
        drop(before);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.owner)?;
        visit.call(&self.handlers)?;
        visit.call(&self.queue)?;
        if let Ok(sockets) = self.sockets.try_lock() {
            for socket in sockets.by_key.values().chain(sockets.by_sid.values()) {
                visit.call(socket)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        let before = self.sockets.lock().map(|mut sockets| std::mem::take(&mut *sockets));
        drop(before);
    }
}

impl Namespace {
    fn members(&self, py: Python<'_>, to: &[String], skip: &[String]) -> Vec<Py<Socket>> {
        let Ok(sockets) = self.sockets.lock() else { return Vec::new() };
        if let [sid] = to
            && let Some(socket) = sockets.by_sid.get(sid)
        {
            return if skip.contains(sid) { Vec::new() } else { vec![socket.clone_ref(py)] };
        }
        let is_member = |socket: &socketio_bindings::Socket| {
            !skip.iter().any(|sid| sid == socket.id()) && (to.is_empty() || to.iter().any(|room| socket.in_room(room)))
        };
        sockets.by_key.values().filter(|socket| is_member(&socket.get().native)).map(|s| s.clone_ref(py)).collect()
    }
}

/// The rooms that a `to`, `room` or `skip_sid` names.
fn rooms(names: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<String>> {
    let Some(names) = names else { return Ok(Vec::new()) };
    match room(names) {
        Some(name) => Ok(vec![name?]),
        None => names
            .try_iter()?
            .map(|name| {
                let name = name?;
                room(&name).unwrap_or_else(|| Err(PyTypeError::new_err("a room is named by a text or a number")))
            })
            .collect(),
    }
}

/// The name of one room.
fn room(name: &Bound<'_, PyAny>) -> Option<PyResult<String>> {
    if let Ok(name) = name.cast::<PyString>() {
        Some(name.extract())
    } else if name.is_instance_of::<PyInt>() {
        Some(name.str().and_then(|name| name.extract()))
    } else {
        None
    }
}
