//! What there is once per process: a forked child gets its own, and does not look at its parent's.

use std::sync::Arc;

use once_cell::race::OnceBox;
use once_cell::sync::OnceCell;

use super::Runtime;
use super::log::Log;
use super::sync::RwLock;
use crate::data::tag::forks;

/// What there is once per process.
pub(super) struct Process {
    pub(super) runtime: OnceCell<Arc<Runtime>>,
    pub(super) log: RwLock<Log>,
    /// That of a child, in the child. Not a cell that waits for whoever fills it: that thread may be the parent's.
    child: OnceBox<Process>,
}

impl Process {
    const fn new() -> Self {
        Self { runtime: OnceCell::new(), log: RwLock::new(Log::new()), child: OnceBox::new() }
    }

    /// That of this process.
    pub(super) fn current() -> &'static Self {
        static FIRST: Process = Process::new();
        (0..forks()).fold(&FIRST, |process, _| process.child.get_or_init(|| Box::new(Self::new())))
    }
}
