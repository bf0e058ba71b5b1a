//! See `tests/src/fuzz/socket_packets.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| socketio_tests::fuzz::run("socket_packets", data));
