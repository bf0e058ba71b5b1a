//! Locks, atomics, channels and threads: the standard library's, whose locks keep all of their state in themselves on Linux.
//!
//! That is why they survive a `fork`: a lock with a table of waiters beside it, as `parking_lot` has one for the whole
//! process, may find that table locked for ever in the child.
//!
//! A panic under a lock does not poison it: who catches the panic decides what becomes of the state.
//!
//! Compiled with `--cfg shuttle` all of this is the model checker's of that name, whose scheduler then decides who runs
//! when ([`explore`]). Its threads take turns on one thread of the system, so what is local to a thread has to come from
//! here too. A `static` is not the model's: it outlives a run, and tests on other threads use it.

#[cfg(shuttle)]
use shuttle::sync as imp;
#[cfg(not(shuttle))]
use std::sync as imp;
use std::sync::{PoisonError, TryLockError};
use std::time::Duration;

#[cfg(shuttle)]
pub mod explore;
#[cfg(shuttle)]
pub mod local;

#[cfg(shuttle)]
pub(crate) use local::thread_local;
#[cfg(shuttle)]
pub use shuttle::thread;
#[cfg(not(shuttle))]
pub use std::thread;
#[cfg(not(shuttle))]
pub(crate) use std::thread_local;

pub use imp::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};
pub use imp::{atomic, mpsc};

/// A lock for one at a time.
#[derive(Debug, Default)]
pub struct Mutex<T>(imp::Mutex<T>);

/// A lock for one writer or many readers.
#[derive(Debug, Default)]
pub struct RwLock<T>(imp::RwLock<T>);

/// Lets a thread sleep until what a [`Mutex`] guards has changed.
#[derive(Debug, Default)]
pub struct Condvar(imp::Condvar);

impl<T> Mutex<T> {
    /// `value` behind a lock.
    pub const fn new(value: T) -> Self {
        Self(imp::Mutex::new(value))
    }

    /// Waits for the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lock unless somebody has it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// What it guards: nobody else can be there.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> RwLock<T> {
    /// `value` behind a lock.
    pub const fn new(value: T) -> Self {
        Self(imp::RwLock::new(value))
    }

    /// Waits until nobody writes.
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody reads or writes.
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Condvar {
    /// Gives the lock up until it is woken, perhaps for nothing.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, for at most `time`.
    pub fn wait_for<'a, T>(&self, guard: MutexGuard<'a, T>, time: Duration) -> MutexGuard<'a, T> {
        self.0.wait_timeout(guard, time).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Wakes one thread that waits.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all of them.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}
