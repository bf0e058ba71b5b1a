//! See `tests/src/fuzz/c_api.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| socketio_tests::fuzz::run("c_api", data));
