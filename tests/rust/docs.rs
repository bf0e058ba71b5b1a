//! What the headers promise in words.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use socketio_tests::c::{compile, files, root, scratch, succeed};

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

/// The README shows programs in pairs, a server and then its client: each server runs while its client talks to it.
#[test]
fn the_programs_of_the_readme_run() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    // Another test, or a server of the reader, may have the port that the text names.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let texts: Vec<_> = snippets(&readme).filter(|text| text.contains("int main(")).collect();
    assert!(!texts.is_empty() && texts.len() % 2 == 0, "{} programs in the README", texts.len());
    let programs: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(i, text)| build(&format!("program{i}"), &text.replace("3000", &port.to_string())))
        .collect();
    for pair in programs.chunks(2) {
        let mut server = Command::new(&pair[0]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("listening"), "{line:?}");
        let output = succeed(Command::new("timeout").arg("30").arg(&pair[1]));
        assert!(String::from_utf8_lossy(&output.stdout).contains("SIO_OK"), "{output:?}");
        // What a reader does with the Enter key.
        drop(server.stdin.take());
        assert!(server.wait().unwrap().success());
    }
}

#[test]
fn the_functions_of_the_readme_compile() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let texts: Vec<_> = snippets(&readme).filter(|text| !text.contains("int main(")).collect();
    assert!(!texts.is_empty());
    for (i, text) in texts.into_iter().enumerate() {
        build(&format!("functions{i}"), &format!("{text}\nint main(void)\n{{\n  return 0;\n}}\n"));
    }
}

/// What is written in C in a text of Markdown.
fn snippets(text: &str) -> impl Iterator<Item = &str> {
    text.split("```c\n").skip(1).filter_map(|rest| rest.split("```").next())
}

fn build(name: &str, text: &str) -> PathBuf {
    let program = scratch("readme").join(name);
    let source = program.with_extension("c");
    std::fs::write(&source, text).unwrap();
    compile(&source, &program);
    program
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
