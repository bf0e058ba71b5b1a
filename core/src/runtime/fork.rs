//! What becomes of the library in a forked child.
//!
//! A child has one thread and a copy of everything else: locks that other threads held stay locked in it, and descriptors
//! are shared with the parent. So it touches nothing that it inherited. Handles of the parent answer `Forked` there
//! ([`crate::data::tag`]), new objects get a new runtime ([`super::process`]), and what is dropped is left alone.
#![allow(unsafe_code)]

use std::process;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::log;
use crate::data::tag::{count_fork, forks};

/// The process that the library knows itself to be in; 0 before it was used.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Has forks noticed from now on. Said before the first thread is started.
pub(super) fn watch() {
    static WATCHES: AtomicBool = AtomicBool::new(false);
    if WATCHES.swap(true, Ordering::Relaxed) {
        return;
    }
    PROCESS.store(process::id(), Ordering::Relaxed);
    #[cfg(unix)]
    // SAFETY: the handler touches nothing but atomics, so it may run in a child whose other threads are gone; it stays where it
    // is, because the library cannot be unloaded. When there is no memory for it, `after_fork_child` is what is left.
    unsafe {
        libc::pthread_atfork(None, None, Some(in_child));
    }
}

#[cfg(unix)]
extern "C" fn in_child() {
    after_fork_child();
}

/// Said in a child that was forked without `fork` (by the system call itself): everything of the parent is out of reach from
/// now on. Elsewhere it does nothing.
pub fn after_fork_child() {
    let process = process::id();
    let known = PROCESS.swap(process, Ordering::Relaxed);
    if known != 0 && known != process {
        count_fork();
        log::forget();
    }
}

/// Remembers the process in which something began.
#[derive(Clone, Copy, Debug)]
pub struct Origin(u32);

impl Origin {
    /// This process.
    pub fn here() -> Self {
        Self(forks())
    }

    /// Whether this process was forked from that one.
    pub fn is_inherited(self) -> bool {
        self.0 != forks()
    }
}

/// Something of one process: a forked child does not drop it.
#[derive(Clone)]
pub struct OfProcess<T> {
    origin: Origin,
    /// `None` only while it is dropped.
    value: Option<T>,
}

impl<T> OfProcess<T> {
    /// `value`, made in this process.
    pub fn new(value: T) -> Self {
        Self { origin: Origin::here(), value: Some(value) }
    }

    /// Whether this process was forked from the one that made it.
    pub fn is_inherited(&self) -> bool {
        self.origin.is_inherited()
    }

    /// What it is.
    pub fn get(&self) -> &T {
        self.value.as_ref().expect("it is only dropped once")
    }
}

impl<T> Drop for OfProcess<T> {
    fn drop(&mut self) {
        if self.is_inherited() {
            std::mem::forget(self.value.take());
        }
    }
}
