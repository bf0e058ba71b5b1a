//! What is sent while a turn lasts is written at its end.

use std::cell::Cell;

use pyo3::prelude::*;

/// How much a thread sends before it is to let others run: what waits is not written before it does.
const EVENTS: usize = 128;
const BYTES: usize = 256 << 10;

thread_local! {
    static CORKED: Cell<bool> = const { Cell::new(false) };
    /// Events and bytes that were sent since others ran.
    static SENT: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// Counts an event that was sent. Whether its sender is to let others run.
pub(crate) fn tired(bytes: usize) -> bool {
    let (events, before) = SENT.get();
    let sent = (events + 1, before + bytes);
    let tired = sent.0 >= EVENTS || sent.1 >= BYTES;
    SENT.set(if tired { (0, 0) } else { sent });
    tired
}

/// Has this thread hold back what it sends.
pub(crate) fn cork() {
    if !CORKED.replace(true) {
        socketio_bindings::cork();
    }
}

/// Writes what was held back.
pub(crate) fn uncork(py: Python<'_>) {
    if CORKED.replace(false) {
        py.detach(socketio_bindings::uncork);
    }
}

/// Calls what may write, and lets other threads of Python run meanwhile. Where nothing is written yet they are not
/// given the chance: to get it back takes long when they compute.
pub(crate) fn writing<T: Send>(py: Python<'_>, send: impl FnOnce() -> T + Send) -> T {
    if CORKED.get() { send() } else { py.detach(send) }
}
