//! See `tests/src/fuzz/client_session.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| socketio_tests::fuzz::run("client_session", data));
