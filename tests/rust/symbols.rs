//! `libsocketio.so` exports what `tests/abi/symbols.txt` lists, and nothing else.
//!
//! `UPDATE_SYMBOLS=1 cargo test -p socketio-tests --test symbols` writes the list.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::process::Command;

use socketio_tests::c::{library_folder, root, succeed};

/// Names that speak of no object.
const OF_THE_LIBRARY: [&str; 3] = ["sio_version", "sio_cork", "sio_uncork"];

/// Names that sndio, which some systems link everything against, already exports.
const TAKEN: [&str; 8] =
    ["sio_open", "sio_close", "sio_read", "sio_write", "sio_start", "sio_stop", "sio_onmove", "sio_eof"];

#[test]
fn the_exported_symbols_are_those_of_the_list() {
    let list = root().join("tests/abi/symbols.txt");
    let symbols = exported();
    if std::env::var_os("UPDATE_SYMBOLS").is_some() {
        std::fs::write(&list, symbols.join("\n") + "\n").unwrap();
    }
    let known = std::fs::read_to_string(&list).unwrap();
    assert_eq!(symbols, known.lines().collect::<Vec<_>>(), "if this is meant, run with UPDATE_SYMBOLS=1");
}

#[test]
fn exported_symbols_have_the_prefix_and_are_nobody_elses() {
    for symbol in exported() {
        let names_an_object = symbol.starts_with("sio_") && symbol.matches('_').count() >= 2;
        assert!(names_an_object || OF_THE_LIBRARY.contains(&symbol.as_str()), "{symbol}");
        assert!(!TAKEN.contains(&symbol.as_str()), "{symbol}");
    }
}

#[test]
fn the_library_has_its_soname_and_stays_loaded() {
    let library = library_folder().join("libsocketio.so");
    let output = succeed(Command::new("readelf").arg("-d").arg(library));
    let dynamic = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(dynamic.contains("[libsocketio.so.0]"), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

fn exported() -> Vec<String> {
    let library = library_folder().join("libsocketio.so");
    let output = succeed(Command::new("nm").args(["-D", "--defined-only", "--format=posix"]).arg(library));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<_> = text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    names.sort();
    names
}
