//! The C API, safe to call from Rust: what the bindings share. [`sys`] calls the exported functions, as any program in C
//! does, and nothing below them.

#[allow(unsafe_code, reason = "this is where Rust calls C")]
mod sys;

pub use sys::*;
