//! Pointers to opaque types.
//!
//! A handle is the address of a Rust object that starts with a [`Tag`]: an object of the core in an `Arc`, which is
//! always the same pointer for the same object, or one of this crate in a `Box`. Every entry checks the tag before it
//! believes anything else, so that a NULL, a handle of another type and most released ones give
//! `SIO_ERR_INVALID_ARGUMENT`.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use socketio_core::data::{Kind, Mark, Tag};
use socketio_core::{Error, ErrorKind, Result};

use crate::guard::{Caller, invalid};

/// A C type, and what a pointer to it points to.
pub(crate) trait Handle: Sized {
    /// The Rust object.
    type Object: Object;
}

/// An object that C may hold a pointer to.
///
/// # Safety
/// The type is `#[repr(C)]` and its first field is a [`Tag`] of this kind.
pub(crate) unsafe trait Object {
    /// What its tag says.
    const KIND: Kind;
}

/// An object of this crate: a tag, and what it marks.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Owned<T> {
    tag: Tag,
    value: T,
}

/// What an [`Owned`] may hold.
pub(crate) trait Content {
    /// What the tag in front of it says.
    const KIND: Kind;
}

impl<T: Content> Owned<T> {
    /// `value` with its tag.
    pub(crate) fn new(value: T) -> Self {
        Self { tag: Tag::new(T::KIND), value }
    }
}

impl<T> Deref for Owned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Owned<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

// SAFETY: `#[repr(C)]`, and `new` puts a tag of this kind in front.
unsafe impl<T: Content> Object for Owned<T> {
    const KIND: Kind = T::KIND;
}

/// Hands `object` over: the host owns it now.
pub(crate) fn give<H: Handle>(object: H::Object) -> *mut H {
    Box::into_raw(Box::new(object)).cast()
}

/// The same; `view` sees the object where it lies now.
pub(crate) fn give_viewed<H: Handle, R>(object: H::Object, view: impl FnOnce(&mut H::Object, *mut H) -> R) -> R {
    let handle = give::<H>(object);
    // SAFETY: the object was made in the line above and nobody else knows it yet. What is borrowed from it here is used
    // before the host gives the handle back.
    view(unsafe { &mut *handle.cast::<H::Object>() }, handle)
}

/// Hands a reference to `object` over: the host releases it.
pub(crate) fn share<H: Handle>(object: Arc<H::Object>) -> *mut H {
    Arc::into_raw(object).cast_mut().cast()
}

/// Lends `object` to a callback.
pub(crate) fn lend<H: Handle>(object: &Arc<H::Object>) -> *mut H {
    Arc::as_ptr(object).cast_mut().cast()
}

/// Lends an object that is not shared to a callback, to be read.
pub(crate) fn lend_ref<H: Handle>(object: &H::Object) -> *const H {
    std::ptr::from_ref(object).cast()
}

/// Lends an object that is not shared to a callback.
pub(crate) fn lend_mut<H: Handle>(object: &mut H::Object) -> *mut H {
    std::ptr::from_mut(object).cast()
}

impl Caller {
    /// The object behind `handle`, for the duration of the call.
    pub(crate) fn borrow<H: Handle>(&self, handle: *const H) -> Result<&H::Object> {
        let object = check(handle)?;
        // SAFETY: it is a live object of this type, which the host keeps for the duration of the call.
        Ok(unsafe { &*object })
    }

    /// The object behind `handle`, for a change: types with such functions are for one thread at a time.
    #[allow(clippy::mut_from_ref, reason = "the object is the host's, not borrowed from the token")]
    pub(crate) fn borrow_mut<H: Handle>(&self, handle: *mut H) -> Result<&mut H::Object> {
        let object = check(handle)?.cast_mut();
        // SAFETY: as in `borrow`; the host lets no other thread in meanwhile, and no exported function takes two
        // handles of such a type to change them.
        Ok(unsafe { &mut *object })
    }

    /// A reference of our own to the shared object behind `handle`.
    pub(crate) fn share<H: Handle>(&self, handle: *const H) -> Result<Arc<H::Object>> {
        let object = check(handle)?;
        // SAFETY: handles of shared types come from `share` and `lend`, so from an `Arc`, and one reference is alive.
        unsafe {
            Arc::increment_strong_count(object);
            Ok(Arc::from_raw(object))
        }
    }

    /// One more reference for the host.
    pub(crate) fn retain<H: Handle>(&self, handle: *mut H) -> Result<*mut H> {
        self.share(handle).map(share)
    }

    /// Takes a reference of the host back; NULL is none.
    pub(crate) fn release<H: Handle>(&self, handle: *mut H) -> Result<()> {
        if !handle.is_null() {
            let object = check(handle)?;
            // SAFETY: it is a live object of a shared type, and the host gives up a reference that it owns.
            drop(unsafe { Arc::from_raw(object) });
        }
        Ok(())
    }

    /// Takes an object of the host back.
    pub(crate) fn take<H: Handle>(&self, handle: *mut H) -> Result<Box<H::Object>> {
        let object = check(handle)?.cast_mut();
        // SAFETY: it is a live object of a type that `give` hands out, and the host gives it up.
        Ok(unsafe { Box::from_raw(object) })
    }

    /// Drops an object of the host; NULL is none.
    pub(crate) fn free<H: Handle>(&self, handle: *mut H) -> Result<()> {
        if !handle.is_null() {
            self.take(handle)?;
        }
        Ok(())
    }
}

fn check<H: Handle>(handle: *const H) -> Result<*const H::Object> {
    let object = handle.cast::<H::Object>();
    if object.is_null() {
        return Err(invalid("a handle is NULL"));
    }
    if !object.is_aligned() {
        return Err(invalid("a handle is misaligned"));
    }
    // SAFETY: the host promises a live handle. If it is wrong about that, the word is the best way to find out.
    let tag = unsafe { &*object.cast::<Tag>() };
    match tag.look(H::Object::KIND) {
        Mark::Live => Ok(object),
        Mark::Inherited => {
            Err(Error::new(ErrorKind::Forked, "the object belongs to the process that this one was forked from"))
        }
        Mark::Unknown => Err(invalid("a handle is of another type or was released")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard;

    struct Thing;
    struct Other;

    impl Content for u8 {
        const KIND: Kind = Kind::new(*b"u8__");
    }

    impl Content for u16 {
        const KIND: Kind = Kind::new(*b"u16_");
    }

    impl Handle for Thing {
        type Object = Owned<u8>;
    }

    impl Handle for Other {
        type Object = Owned<u16>;
    }

    fn call<T>(body: impl FnOnce(&Caller) -> Result<T>) -> Result<T> {
        let mut result = None;
        // SAFETY: the tests keep the conventions.
        let () = unsafe {
            guard::run(|caller| {
                result = Some(body(caller));
                Ok(())
            })
        };
        result.expect("the body ran")
    }

    #[test]
    fn an_owned_object_goes_out_and_comes_back() {
        let handle: *mut Thing = give(Owned::new(7));

        assert_eq!(**call(|caller| caller.take(handle)).expect("a live handle"), 7);
    }

    #[test]
    fn a_handle_of_another_type_is_refused() {
        let handle: *mut Thing = give(Owned::new(7));

        assert!(call(|caller| caller.borrow(handle.cast::<Other>()).map(drop)).is_err());
        assert!(call(|caller| caller.free(handle)).is_ok());
    }

    #[test]
    fn null_is_no_handle_but_may_be_released() {
        let handle: *mut Thing = std::ptr::null_mut();

        assert!(call(|caller| caller.borrow(handle).map(drop)).is_err());
        assert!(call(|caller| caller.free(handle)).is_ok());
        assert!(call(|caller| caller.release(handle)).is_ok());
    }

    #[test]
    fn references_are_counted() {
        let object = Arc::new(Owned::new(7_u8));
        let handle: *mut Thing = lend(&object);

        let retained = call(|caller| caller.retain(handle)).expect("a live handle");

        assert_eq!(retained, handle);
        assert_eq!(Arc::strong_count(&object), 2);
        assert!(call(|caller| caller.release(retained)).is_ok());
        assert_eq!(Arc::strong_count(&object), 1);
    }

    #[test]
    fn a_shared_object_is_released_once_by_whoever_is_last() {
        struct Sent(*mut Thing);
        // SAFETY: handles are for any thread.
        unsafe impl Send for Sent {}
        let object = Arc::new(Owned::new(7_u8));
        let alive = Arc::downgrade(&object);
        let handle: *mut Thing = share(object);

        std::thread::scope(|scope| {
            for _ in 0..3 {
                let sent = Sent(call(|caller| caller.retain(handle)).expect("a live handle"));
                scope.spawn(move || {
                    let Sent(handle) = { sent };
                    assert_eq!(call(|caller| caller.share(handle)).map(|thing| **thing).expect("a live handle"), 7);
                    assert!(call(|caller| caller.release(handle)).is_ok());
                });
            }
            assert!(call(|caller| caller.release(handle)).is_ok());
        });

        assert!(alive.upgrade().is_none());
    }

    #[test]
    fn what_is_lent_to_a_callback_can_be_changed_there() {
        let mut object = Owned::new(7_u8);
        let handle: *mut Thing = lend_mut(&mut object);

        call(|caller| {
            **caller.borrow_mut(handle)? = 8;
            Ok(())
        })
        .expect("a live handle");

        assert_eq!(*object, 8);
        let read: *const Thing = lend_ref(&object);
        assert_eq!(call(|caller| caller.borrow(read).map(|thing| **thing)).expect("a live handle"), 8);
    }
}
