//! The word at the front of every object that C holds a pointer to.
//!
//! It lets the C API tell a socket from a server, and most dangling pointers from live ones, before it
//! believes anything else behind the pointer.

use std::sync::atomic::{AtomicU32, Ordering};

/// What an object is, as four letters. Each type that C can hold has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(u32);

impl Kind {
    /// The kind spelled by `letters`.
    pub const fn new(letters: [u8; 4]) -> Self {
        Self(u32::from_ne_bytes(letters))
    }
}

/// Marks a live object of one [`Kind`]; overwritten when the object is dropped.
///
/// It is the first field of a `#[repr(C)]` struct.
#[derive(Debug)]
#[repr(transparent)]
pub struct Tag(AtomicU32);

impl Tag {
    const DROPPED: u32 = 0;

    /// The tag of a live object of `kind`.
    pub const fn new(kind: Kind) -> Self {
        Self(AtomicU32::new(kind.0))
    }

    /// Whether this is the front of a live object of `kind`.
    pub fn is(&self, kind: Kind) -> bool {
        self.0.load(Ordering::Relaxed) == kind.0
    }
}

impl Clone for Tag {
    fn clone(&self) -> Self {
        Self(AtomicU32::new(self.0.load(Ordering::Relaxed)))
    }
}

impl Drop for Tag {
    fn drop(&mut self) {
        // Atomic, because a plain store to memory that is about to be freed may be left out.
        self.0.store(Self::DROPPED, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_knows_its_kind_only() {
        let tag = Tag::new(Kind::new(*b"sock"));

        assert!(tag.is(Kind::new(*b"sock")));
        assert!(!tag.is(Kind::new(*b"serv")));
    }

    #[test]
    fn a_tag_is_the_word_at_the_front() {
        #[repr(C)]
        struct Object {
            tag: Tag,
            more: u64,
        }

        assert_eq!(std::mem::offset_of!(Object, tag), 0);
        assert_eq!(size_of::<Tag>(), 4);
    }
}
