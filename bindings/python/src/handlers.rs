//! Who is called for an event.

use std::collections::HashMap;
use std::sync::Mutex;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

/// Stands for every event, and for every namespace.
const ANY: &str = "*";

/// The handlers of a server or a client, by namespace and event.
#[pyclass(frozen, module = "socketio_native._native")]
pub(crate) struct Handlers {
    table: Mutex<HashMap<String, HashMap<String, Handler>>>,
    /// Events that a handler for every event is not called for.
    reserved: Vec<String>,
    /// Whether handlers for every namespace are asked also where a namespace has handlers of its own.
    fall_through: bool,
}

/// A function, and whether it is a coroutine function.
struct Handler {
    function: Py<PyAny>,
    is_coroutine: bool,
}

/// A handler as Python has it: whether it is a coroutine function, and its first arguments, come with it.
type Registered<'py> = (Bound<'py, PyAny>, bool, Bound<'py, PyTuple>);

/// A handler that was found for an event.
pub(crate) struct Found<'py> {
    /// What to call.
    pub(crate) function: Bound<'py, PyAny>,
    /// Whether calling it only makes a coroutine.
    pub(crate) is_coroutine: bool,
    /// One for every event wants to know which it was.
    pub(crate) wants_event: bool,
    /// One for every namespace wants to know which it was.
    pub(crate) wants_namespace: bool,
}

impl Handlers {
    /// Looks for the event's own handler first, then for one of every event, and both in the namespace first.
    pub(crate) fn find<'py>(&self, py: Python<'py>, namespace: &str, event: &str) -> Option<Found<'py>> {
        let table = self.table.lock().ok()?;
        let find = |handlers: &HashMap<String, Handler>, wants_namespace| {
            let (handler, wants_event) = match handlers.get(event) {
                Some(handler) => (handler, false),
                None if self.reserved.iter().any(|reserved| reserved == event) => return None,
                None => (handlers.get(ANY)?, true),
            };
            let function = handler.function.bind(py).clone();
            Some(Found { function, is_coroutine: handler.is_coroutine, wants_event, wants_namespace })
        };
        match table.get(namespace) {
            Some(handlers) if !self.fall_through => find(handlers, false),
            Some(handlers) => find(handlers, false).or_else(|| find(table.get(ANY)?, true)),
            None => find(table.get(ANY)?, true),
        }
    }
}

#[pymethods]
impl Handlers {
    #[new]
    fn new(reserved: Vec<String>, fall_through: bool) -> Self {
        Self { table: Mutex::default(), reserved, fall_through }
    }

    /// Sets the handler of an event, in place of the one before.
    fn set(&self, namespace: String, event: String, function: Py<PyAny>, is_coroutine: bool) {
        let handler = Handler { function, is_coroutine };
        let before =
            self.table.lock().ok().and_then(|mut table| table.entry(namespace).or_default().insert(event, handler));
        drop(before); // with the table free again: it may run code
    }

    /// The namespaces that have handlers.
    fn namespaces(&self) -> Vec<String> {
        self.table.lock().map(|table| table.keys().filter(|name| *name != ANY).cloned().collect()).unwrap_or_default()
    }

    /// The handler of an event, whether it is a coroutine function, and what it is to be called with before all else.
    fn get<'py>(&self, py: Python<'py>, namespace: &str, event: &str) -> PyResult<Option<Registered<'py>>> {
        let Some(found) = self.find(py, namespace, event) else { return Ok(None) };
        let event = found.wants_event.then(|| PyString::new(py, event));
        let namespace = found.wants_namespace.then(|| PyString::new(py, namespace));
        let first = PyTuple::new(py, event.into_iter().chain(namespace).collect::<Vec<_>>())?;
        Ok(Some((found.function, found.is_coroutine, first)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(table) = self.table.try_lock() {
            for handler in table.values().flat_map(HashMap::values) {
                visit.call(&handler.function)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        let before = self.table.lock().map(|mut table| std::mem::take(&mut *table));
        drop(before);
    }
}
