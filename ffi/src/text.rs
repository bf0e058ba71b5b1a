//! Texts and bytes as they pass the boundary.

use std::ffi::c_void;
use std::ptr;

use socketio_core::data::Kind;

use crate::handle::{Content, Handle, Owned};

/// Borrowed text: UTF-8, with a length, never in need of a NUL. `SIO_STR("x")` makes one of a literal,
/// `sio_cstr(p)` of a C string. `ptr` may be NULL when `len` is 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sio_str {
    /// The first byte.
    pub ptr: *const std::ffi::c_char,
    /// How many bytes.
    pub len: usize,
}

/// Borrowed bytes. `ptr` may be NULL when `len` is 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct sio_bytes {
    /// The first byte.
    pub ptr: *const u8,
    /// How many bytes.
    pub len: usize,
}

/// Text that the library hands over.
///
/// Methods: sio_string_get, sio_string_free.
pub struct sio_string {
    _opaque: [u8; 0],
}

/// Frees what a callback's `user_data` points to. The library calls it exactly once, after the last call of
/// the callback has returned, also when the registration fails. It may be NULL.
///
/// Thread: the thread that delivers the callback; the caller's when the registration fails.
pub type sio_destroy_fn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// The text.
///
/// Ownership: borrows `string`; the text lives until sio_string_free.
/// Thread: any.
/// Errors: an empty text when `string` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_string_get(string: *const sio_string) -> sio_str {
    guard!(|caller| caller.borrow(string).map(|text: &Owned<String>| sio_str::new(text)))
}

/// Frees the text.
///
/// Ownership: consumes `string`, which may be NULL.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_string_free(string: *mut sio_string) {
    guard!(|caller| caller.free(string))
}

impl Handle for sio_string {
    type Object = Owned<String>;
}

impl Content for String {
    const KIND: Kind = Kind::new(*b"strg");
}

impl sio_str {
    /// No text.
    pub const EMPTY: Self = Self { ptr: ptr::null(), len: 0 };

    /// A borrowed view of `text`, which must outlive it.
    pub const fn new(text: &str) -> Self {
        Self { ptr: text.as_ptr().cast(), len: text.len() }
    }
}

impl sio_bytes {
    /// No bytes.
    pub const EMPTY: Self = Self { ptr: ptr::null(), len: 0 };

    /// A borrowed view of `bytes`, which must outlive it.
    pub const fn new(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr(), len: bytes.len() }
    }
}
