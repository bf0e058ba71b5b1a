//! See `tests/src/fuzz/engine_payload.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| socketio_tests::fuzz::run("engine_payload", data));
