//! See `tests/src/fuzz/server_session.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| socketio_tests::fuzz::run("server_session", data));
