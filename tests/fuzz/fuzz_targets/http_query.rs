//! See `tests/src/fuzz/http_query.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| socketio_tests::fuzz::run("http_query", data));
