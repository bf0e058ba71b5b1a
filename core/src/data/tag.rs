//! The word at the front of every object that C holds a pointer to.
//!
//! It lets the C API tell a socket from a server, and most dangling pointers from live ones, before it
//! believes anything else behind the pointer.

// In a model others may come in between when an object is used or dropped: its count of references is nothing that the
// checker sees.
#[cfg(shuttle)]
use shuttle::sync::atomic::AtomicU32;
use std::sync::atomic;
#[cfg(not(shuttle))]
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

/// What an object is, as four letters. Each type that C can hold has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    word: u32,
    of_process: bool,
}

impl Kind {
    /// The kind spelled by `letters`: data, which a forked child may go on using.
    pub const fn new(letters: [u8; 4]) -> Self {
        Self { word: u32::from_ne_bytes(letters), of_process: false }
    }

    /// The same for objects with threads, locks or descriptors behind them: those belong to the process that made them.
    pub const fn of_process(letters: [u8; 4]) -> Self {
        Self { of_process: true, ..Self::new(letters) }
    }

    /// What marks an object of this kind that is made in a process which is so many forks from the first.
    const fn word(self, forks: u32) -> u32 {
        if self.of_process { self.word ^ forks.wrapping_mul(0x9E37_79B1) } else { self.word }
    }
}

/// How many forks lie between this process and the one that the library was first used in.
static FORKS: atomic::AtomicU32 = atomic::AtomicU32::new(0);

/// How many forks lie between this process and the one that the library was first used in.
pub fn forks() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// Said in a child that has just been forked.
pub(crate) fn count_fork() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// Marks a live object of one [`Kind`]; overwritten when the object is dropped.
///
/// It is the first field of a `#[repr(C)]` struct.
#[derive(Debug)]
#[repr(transparent)]
pub struct Tag(AtomicU32);

/// What a [`Tag`] says about the object that it is the front of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A live object of the kind that was asked for.
    Live,
    /// One that belongs to the process which this one was forked from.
    Inherited,
    /// Something else, or an object that was dropped.
    Unknown,
}

impl Tag {
    const DROPPED: u32 = 0;

    /// The tag of a live object of `kind`.
    pub fn new(kind: Kind) -> Self {
        Self(AtomicU32::new(kind.word(forks())))
    }

    /// Whether this is the front of an object of `kind`.
    pub fn look(&self, kind: Kind) -> Mark {
        let (word, forks) = (self.0.load(Ordering::Relaxed), forks());
        if word == kind.word(forks) {
            Mark::Live
        } else if (0..forks).any(|forks| word == kind.word(forks)) {
            Mark::Inherited
        } else {
            Mark::Unknown
        }
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

        assert_eq!(tag.look(Kind::new(*b"sock")), Mark::Live);
        assert_eq!(tag.look(Kind::new(*b"serv")), Mark::Unknown);
    }

    #[test]
    fn a_tag_knows_its_process_where_that_matters() {
        // Not by `count_fork`: the other tests of this process would be the child's.
        let (data, object) = (Kind::new(*b"data"), Kind::of_process(*b"sock"));
        assert_eq!(data.word(0), data.word(3));
        assert_eq!(object.word(0), data_word(*b"sock"));
        assert_ne!(object.word(0), object.word(1));
        assert_ne!(object.word(1), object.word(2));
    }

    fn data_word(letters: [u8; 4]) -> u32 {
        u32::from_ne_bytes(letters)
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
