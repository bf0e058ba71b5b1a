//! Rights that are used up once, or never: to answer an event, and to let a client in.

use std::sync::Mutex;

use pyo3::prelude::*;
use socketio_bindings::{Ack, Next, Status};

use crate::cork::writing;
use crate::encode;
use crate::error::{OrRaise, unless_gone};

/// Answers an event with what its handler returned.
#[pyclass(frozen, module = "socketio_native._native")]
pub(crate) struct Reply(Mutex<Option<Ack>>);

impl Reply {
    pub(crate) fn new(ack: Ack) -> Self {
        Self(Mutex::new(Some(ack)))
    }
}

#[pymethods]
impl Reply {
    /// Sends the answer. Called again, or when the peer is gone, it does nothing.
    fn __call__(&self, py: Python<'_>, result: &Bound<'_, PyAny>) -> PyResult<()> {
        match self.0.lock().ok().and_then(|mut ack| ack.take()) {
            Some(ack) => send(py, ack, result),
            None => Ok(()),
        }
    }
}

/// Decides whether a client may join. Dropped undecided, it turns the client away.
#[pyclass(frozen, module = "socketio_native._native")]
pub(crate) struct Admission(Mutex<Option<Next>>);

impl Admission {
    pub(crate) fn new(next: Next) -> Self {
        Self(Mutex::new(Some(next)))
    }

    fn take(&self) -> Option<Next> {
        self.0.lock().ok()?.take()
    }
}

#[pymethods]
impl Admission {
    /// Lets it in. Whether it still wanted to be.
    fn accept(&self, py: Python<'_>) -> PyResult<bool> {
        match self.take().map(|next| writing(py, || next.accept())) {
            Some(Err(error)) if error.status == Status::SIO_ERR_CLOSED => Ok(false),
            Some(decided) => decided.or_raise().map(|()| true),
            None => Ok(false),
        }
    }

    /// Turns it away with a message, and with data unless that is `None`.
    fn reject(&self, py: Python<'_>, message: &str, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let data = if data.is_none() { None } else { Some(encode::one(data)?) };
        match self.take() {
            Some(next) => unless_gone(writing(py, || next.reject(message, data.as_ref()))),
            None => Ok(()),
        }
    }
}

/// Answers with `result`: `None` is no argument, a tuple several.
pub(crate) fn send(py: Python<'_>, ack: Ack, result: &Bound<'_, PyAny>) -> PyResult<()> {
    let payload = encode::payload(result)?;
    unless_gone(writing(py, || ack.send(&payload)))
}
