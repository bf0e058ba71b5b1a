//! A client of a server, in one of its namespaces.

use std::sync::Mutex;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::cork::writing;
use crate::decode;
use crate::error::{OrRaise, unless_gone};

/// What is known of a client as long as it is in a namespace, and until its `disconnect` handler has ended.
#[pyclass(frozen, weakref, module = "socketio_native._native")]
pub(crate) struct Socket {
    pub(crate) native: socketio_bindings::Socket,
    sid: Py<PyString>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    environ: Option<Py<PyDict>>,
    session: Option<Py<PyAny>>,
    /// Those that it was in when it left.
    rooms: Option<Vec<String>>,
}

impl Socket {
    pub(crate) fn new(py: Python<'_>, native: &socketio_bindings::Socket) -> Self {
        Self { native: native.clone(), sid: PyString::new(py, native.id()).unbind(), state: Mutex::default() }
    }

    pub(crate) fn sid<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.sid.bind(py).clone()
    }

    pub(crate) fn left(&self, rooms: Vec<String>) {
        if let Ok(mut state) = self.state.lock() {
            state.rooms = Some(rooms);
        }
    }

    fn kept<T>(&self, which: impl FnOnce(&State) -> Option<T>) -> Option<T> {
        which(&*self.state.lock().ok()?)
    }
}

#[pymethods]
impl Socket {
    /// Its id.
    #[getter(sid)]
    fn get_sid(&self, py: Python<'_>) -> Py<PyString> {
        self.sid.clone_ref(py)
    }

    /// Whether it is connected.
    #[getter]
    fn connected(&self) -> bool {
        self.native.connected()
    }

    /// `"polling"` or `"websocket"`.
    #[getter]
    fn transport(&self) -> &'static str {
        self.native.transport()
    }

    /// Whether it is no page of another site. Browsers say which site a page is of; others say nothing.
    #[getter]
    fn same_origin(&self) -> bool {
        let handshake = self.native.handshake();
        let origin = handshake.header("origin");
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        origin.is_empty()
            || ["host", "x-forwarded-host"].iter().any(|name| handshake.header(name).eq_ignore_ascii_case(host))
    }

    /// What it sent to be let in.
    fn auth<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        decode::object(py, self.native.handshake().auth_json())
    }

    /// The request that opened its connection, as WSGI has it. It is made once.
    fn environ<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        if let Some(environ) = self.kept(|state| state.environ.as_ref().map(|environ| environ.clone_ref(py))) {
            return Ok(environ.into_bound(py));
        }
        let environ = environ(py, &self.native)?;
        if let Ok(mut state) = self.state.lock() {
            state.environ = Some(environ.clone().unbind());
        }
        Ok(environ)
    }

    /// What the program keeps with it: a new dict at first.
    #[getter]
    fn session<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        if let Some(session) = self.kept(|state| state.session.as_ref().map(|session| session.clone_ref(py))) {
            return session.into_bound(py);
        }
        let session = PyDict::new(py).into_any();
        self.keep(session.clone().unbind());
        session
    }

    /// Keeps another object with it.
    fn keep(&self, session: Py<PyAny>) {
        let before = self.state.lock().map(|mut state| state.session.replace(session));
        drop(before);
    }

    /// The rooms that it is in, or was in when it left.
    fn rooms(&self) -> Vec<String> {
        self.kept(|state| state.rooms.clone()).unwrap_or_else(|| self.native.rooms())
    }

    /// Puts it into a room.
    fn join(&self, room: &str) -> PyResult<()> {
        self.native.join(room).or_raise()
    }

    /// Takes it out of a room.
    fn leave(&self, room: &str) -> PyResult<()> {
        self.native.leave(room).or_raise()
    }

    /// Disconnects it; with `close` its connection as well.
    fn disconnect(&self, py: Python<'_>, close: bool) -> PyResult<()> {
        unless_gone(writing(py, || self.native.disconnect(close)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(state) = self.state.try_lock() {
            visit.call(&state.environ)?;
            visit.call(&state.session)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let before = self.state.lock().map(|mut state| std::mem::take(&mut *state));
        drop(before);
    }
}

fn environ<'py>(py: Python<'py>, socket: &socketio_bindings::Socket) -> PyResult<Bound<'py, PyDict>> {
    let handshake = socket.handshake();
    let (path, query) = handshake.url().split_once('?').unwrap_or((handshake.url(), ""));
    let environ = PyDict::new(py);
    environ.set_item("REQUEST_METHOD", "GET")?;
    environ.set_item("SCRIPT_NAME", "")?;
    environ.set_item("PATH_INFO", path)?;
    environ.set_item("QUERY_STRING", query)?;
    environ.set_item("RAW_URI", handshake.url())?;
    environ.set_item("SERVER_PROTOCOL", "HTTP/1.1")?;
    environ.set_item("SERVER_SOFTWARE", "socketio-native")?;
    environ.set_item("REMOTE_ADDR", handshake.address())?;
    environ.set_item("wsgi.version", (1, 0))?;
    environ.set_item("wsgi.url_scheme", if handshake.secure() { "https" } else { "http" })?;
    environ.set_item("wsgi.async", true)?;
    environ.set_item("wsgi.multithread", false)?;
    environ.set_item("wsgi.multiprocess", false)?;
    environ.set_item("wsgi.run_once", false)?;
    for (name, value) in handshake.headers() {
        let name = name.to_ascii_uppercase().replace('-', "_");
        let name = match &*name {
            "CONTENT_TYPE" | "CONTENT_LENGTH" => name,
            _ => format!("HTTP_{name}"),
        };
        match environ.get_item(&name)? {
            Some(first) => environ.set_item(name, format!("{},{value}", first.extract::<String>()?))?,
            None => environ.set_item(name, value)?,
        }
    }
    Ok(environ)
}
