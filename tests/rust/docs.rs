//! What the headers promise in words.

#![allow(clippy::unwrap_used, reason = "a test")]

use socketio_tests::c::{files, root};

#[test]
fn every_function_says_who_owns_what_and_on_which_thread() {
    for header in files(&root().join("include/socketio"), "h") {
        let text = std::fs::read_to_string(&header).unwrap();
        for (docs, declaration) in functions(&text) {
            assert!(docs.contains("Thread:"), "{declaration} in {} lacks its thread", header.display());
            let pointers =
                declaration.contains('*') || declaration.contains("sio_str") || declaration.contains("sio_bytes");
            assert!(
                !pointers || docs.contains("Ownership:"),
                "{declaration} in {} lacks its ownership",
                header.display()
            );
        }
    }
}

#[test]
fn every_callback_says_on_which_thread_it_runs() {
    for header in files(&root().join("include/socketio"), "h") {
        let text = std::fs::read_to_string(&header).unwrap();
        for (docs, declaration) in
            documented(&text).filter(|(_, code)| code.starts_with("typedef") && code.contains("(*"))
        {
            assert!(docs.contains("Thread:"), "{declaration} in {} lacks its thread", header.display());
        }
    }
}

/// The functions that a header declares, with their documentation.
fn functions(header: &str) -> impl Iterator<Item = (&str, &str)> {
    documented(header).filter(|(_, code)| !code.starts_with(['#', 't', 'e']) && code.contains('('))
}

/// Each documentation comment, and what follows it up to the end of the declaration.
fn documented(header: &str) -> impl Iterator<Item = (&str, &str)> {
    header.split("\n/**\n").skip(1).filter_map(|part| {
        let (docs, code) = part.split_once("*/")?;
        Some((docs, code.trim_start().split([';', '{']).next()?))
    })
}
