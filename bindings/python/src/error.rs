//! Errors of the library as Python exceptions.

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use socketio_bindings::{Error, Status};

/// Results of the library as results of Python.
pub(crate) trait OrRaise<T> {
    /// The value, or the exception that fits the status.
    fn or_raise(self) -> PyResult<T>;
}

impl<T> OrRaise<T> for socketio_bindings::Result<T> {
    fn or_raise(self) -> PyResult<T> {
        self.map_err(exception)
    }
}

/// Nothing, also when there was nobody left to send to: who leaves does not wait for what others send.
pub(crate) fn unless_gone(sent: socketio_bindings::Result<()>) -> PyResult<()> {
    match sent {
        Err(error) if error.status == Status::SIO_ERR_CLOSED => Ok(()),
        sent => sent.or_raise(),
    }
}

fn exception(error: Error) -> PyErr {
    match error.status {
        Status::SIO_ERR_FORKED => PyRuntimeError::new_err("it belongs to the parent of this forked process"),
        Status::SIO_ERR_CLOSED | Status::SIO_ERR_INVALID_STATE | Status::SIO_ERR_PANIC | Status::SIO_ERR_ABI => {
            PyRuntimeError::new_err(error.message)
        }
        Status::SIO_ERR_ADDRESS_IN_USE => os_error("EADDRINUSE", error.message),
        Status::SIO_ERR_IO | Status::SIO_ERR_RESOLVE => PyOSError::new_err(error.message),
        Status::SIO_ERR_BACKPRESSURE => ours("SocketIOError", error.message),
        _ => PyValueError::new_err(error.message),
    }
}

/// An `OSError` with the number that `errno` has for `name`.
fn os_error(name: &str, message: String) -> PyErr {
    Python::attach(|py| match py.import("errno").and_then(|errno| errno.getattr(name)?.extract::<i32>()) {
        Ok(number) => PyOSError::new_err((number, message)),
        Err(error) => error,
    })
}

/// One of the exceptions of `socketio_native.exceptions`.
pub(crate) fn ours(name: &str, message: String) -> PyErr {
    static EXCEPTIONS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    Python::attach(|py| {
        let module =
            EXCEPTIONS.get_or_try_init(py, || PyModule::import(py, "socketio_native.exceptions").map(Bound::unbind));
        match module.and_then(|module| module.bind(py).getattr(name)?.call1((message,))) {
            Ok(exception) => PyErr::from_value(exception),
            Err(error) => error,
        }
    })
}
