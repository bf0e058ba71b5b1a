//! The native half of the Python package `socketio_native`.
//!
//! No thread of the library ever attaches to Python: what happens waits in a [`queue::Queue`], which the running asyncio
//! loop drains. What stands for a registration there is a number; the Python objects stay on this side.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

mod client;
mod cork;
mod decode;
mod encode;
mod error;
mod handlers;
mod queue;
mod reply;
mod server;
mod socket;
mod turn;

/// Closes what the library still has open, and ends its threads, within `timeout` milliseconds.
#[pyfunction]
fn shut_down(py: Python<'_>, timeout: u32) {
    // At the end of a process nobody is left to be told that it took longer.
    let _ = py.detach(|| socketio_bindings::shut_down(timeout));
}

/// Says that this process is a forked child: before anything else of this module in it.
#[pyfunction]
fn after_fork_child() {
    socketio_bindings::after_fork_child();
}

/// Refuses every interpreter of the process but the first one: what is static here holds objects of that one.
fn only_one_interpreter(py: Python<'_>) -> PyResult<()> {
    static HAS_ONE: AtomicBool = AtomicBool::new(false);
    const MARK: &str = "_socketio_native";
    let sys = py.import("sys")?;
    if HAS_ONE.swap(true, Ordering::Relaxed) && !sys.hasattr(MARK)? {
        return Err(PyImportError::new_err("socketio_native cannot be imported in a subinterpreter"));
    }
    sys.setattr(MARK, true)
}

#[pymodule]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::only_one_interpreter(module.py())
    }

    #[pymodule_export]
    use super::client::{Client, Manager};
    #[pymodule_export]
    use super::handlers::Handlers;
    #[pymodule_export]
    use super::queue::Queue;
    #[pymodule_export]
    use super::reply::{Admission, Reply};
    #[pymodule_export]
    use super::server::{Namespace, Server};
    #[pymodule_export]
    use super::socket::Socket;
    #[pymodule_export]
    use super::{after_fork_child, shut_down};
}
