//! See `tests/src/fuzz/websocket_frames.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| socketio_tests::fuzz::run("websocket_frames", data));
