//! What is local to a thread of the model checker, with the methods that the standard library has for it.

use std::cell::{Cell, RefCell};

/// A value for each thread, as [`std::thread::LocalKey`].
#[derive(Debug)]
pub struct LocalKey<T: 'static>(#[doc(hidden)] pub shuttle::thread::LocalKey<T>);

/// Declares values as the macro of the standard library does, of those forms of it that are in use.
macro_rules! thread_locals {
    ($($(#[$attribute:meta])* static $name:ident: $type:ty = const { $first:expr };)+) => {$(
        $(#[$attribute])*
        static $name: $crate::runtime::sync::local::LocalKey<$type> =
            $crate::runtime::sync::local::LocalKey(shuttle::thread::LocalKey {
                init: || $first,
                _p: std::marker::PhantomData,
            });
    )+};
}

pub(crate) use thread_locals as thread_local;

impl<T: 'static> LocalKey<T> {
    /// Looks at the value.
    pub fn with<R>(&'static self, look: impl FnOnce(&T) -> R) -> R {
        self.0.with(look)
    }
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// Replaces the value.
    pub fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    /// Replaces the value, and gives the one before.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }

    /// A copy of the value.
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Takes the value out.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// Replaces the value.
    pub fn set(&'static self, value: T) {
        self.with(|cell| *cell.borrow_mut() = value);
    }

    /// Changes the value.
    pub fn with_borrow_mut<R>(&'static self, change: impl FnOnce(&mut T) -> R) -> R {
        self.with(|cell| change(&mut cell.borrow_mut()))
    }

    /// Takes the value out.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }
}
