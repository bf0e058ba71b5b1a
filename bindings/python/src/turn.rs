//! A turn: what one drain of the queue calls, in the order in which it happened.

use pyo3::exceptions::{PyKeyboardInterrupt, PySystemExit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};
use socketio_bindings::Ack;

use crate::queue::Queue;
use crate::reply::{self, Reply};

/// Calls handlers until the drain is over.
pub(crate) struct Turn<'py> {
    pub(crate) py: Python<'py>,
    pub(crate) queue: &'py Queue,
    /// A task was made that has not begun yet: what comes later has to wait in the loop behind it.
    pub(crate) deferred: bool,
}

/// A function to call, and what to do with what it returns.
pub(crate) struct Call<'py> {
    pub(crate) function: Bound<'py, PyAny>,
    /// Whether calling it does nothing but make a coroutine.
    pub(crate) is_coroutine: bool,
    pub(crate) arguments: Vec<Bound<'py, PyAny>>,
    pub(crate) ack: Option<Ack>,
}

impl<'py> Turn<'py> {
    /// Calls now, or as soon as what was before has begun. Only what ends the process comes back as an error.
    pub(crate) fn call(&mut self, call: Call<'py>) -> PyResult<()> {
        let called = if call.is_coroutine {
            self.start(call)
        } else if self.deferred {
            self.defer(call)
        } else {
            self.call_now(call)
        };
        called.or_else(|error| self.report(error))
    }

    /// Calls what says itself whether it has begun a task that is still to run, as `call` does.
    pub(crate) fn begin(&mut self, call: Call<'py>) -> PyResult<()> {
        if self.deferred {
            return self.call(call);
        }
        let deferred = self.in_context(call.function, call.arguments).and_then(|result| result.is_truthy());
        deferred.map(|deferred| self.deferred = deferred).or_else(|error| self.report(error))
    }

    fn start(&mut self, call: Call<'py>) -> PyResult<()> {
        let arguments = PyTuple::new(self.py, call.arguments)?;
        self.deferred |= self.queue.spawn(self.py, &call.function, &arguments, call.ack)?;
        Ok(())
    }

    fn call_now(&mut self, call: Call<'py>) -> PyResult<()> {
        let result = self.in_context(call.function, call.arguments)?;
        if is_coroutine(&result)? {
            let function = self.queue.host(self.py).getattr(pyo3::intern!(self.py, "itself"))?;
            return self.start(Call { function, is_coroutine: true, arguments: vec![result], ack: call.ack });
        }
        call.ack.map_or(Ok(()), |ack| reply::send(self.py, ack, &result))
    }

    /// Calls in a context of its own, as a task has one: what it sets there is not seen by the next.
    fn in_context(
        &self,
        function: Bound<'py, PyAny>,
        mut arguments: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        static COPY_CONTEXT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        arguments.insert(0, function);
        let context = COPY_CONTEXT.import(self.py, "contextvars", "copy_context")?.call0()?;
        context.call_method1(pyo3::intern!(self.py, "run"), PyTuple::new(self.py, arguments)?)
    }

    fn defer(&mut self, call: Call<'py>) -> PyResult<()> {
        let arguments = PyTuple::new(self.py, call.arguments)?;
        let reply = call.ack.map(|ack| Bound::new(self.py, Reply::new(ack))).transpose()?;
        self.queue
            .host(self.py)
            .call_method1(pyo3::intern!(self.py, "call_later"), (call.function, arguments, reply))?;
        Ok(())
    }

    /// Has the loop report an error, unless it is one that is meant to end the program.
    pub(crate) fn report(&self, error: PyErr) -> PyResult<()> {
        if error.is_instance_of::<PyKeyboardInterrupt>(self.py) || error.is_instance_of::<PySystemExit>(self.py) {
            return Err(error);
        }
        self.queue.host(self.py).call_method1(pyo3::intern!(self.py, "report"), (error,)).map(drop)
    }
}

/// Whether this is what a coroutine function returns.
fn is_coroutine(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    static COROUTINE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    Ok(object.get_type().is(COROUTINE.import(object.py(), "types", "CoroutineType")?))
}
