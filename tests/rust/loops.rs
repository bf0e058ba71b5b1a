//! The chat of `ffi/examples`, on the library's threads and on loops of the program's own: poll, libuv, GLib, and ticks.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use socketio_tests::c::{compile_example, root, scratch, succeed};

/// The members, each of which is a program of its own, and what that needs.
const MEMBERS: [(&str, &[&str]); 4] =
    [("chat_client", &[]), ("loop_poll", &[]), ("loop_glib", &["glib-2.0"]), ("loop_tick", &[])];

/// The one that says what is typed.
const TYPES: &str = "loop_poll";
const TYPED: &str = "this was typed";

#[test]
fn a_server_on_a_thread_of_the_library_lets_members_on_all_loops_chat() {
    chat("chat_server", &[]);
}

#[test]
fn a_server_on_libuv_lets_members_on_all_loops_chat() {
    chat("loop_libuv", &["libuv"]);
}

/// Each member sees all that the others say, in their order, and ends by itself. The server ends when it is told to, also
/// while there is a member.
fn chat(server: &str, packages: &[&str]) {
    let folder = scratch(server);
    let page = root().join("include/socketio.h");
    let program = compile_example(server, packages, &folder);
    let programs = MEMBERS.map(|(name, packages)| (name, compile_example(name, packages, &folder)));
    let mut server = Command::new(program).arg("0").arg(page).stdout(Stdio::piped()).spawn().unwrap();
    let greeting = first_line(&mut server);
    let url = greeting.strip_prefix("listening on ").unwrap();

    let members = programs.clone().map(|(name, program)| (name, join(&program, url, name)));
    for (name, member) in members {
        let output = member.wait_with_output().unwrap();
        let transcript = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{transcript}");
        assert!(transcript.contains(&format!("[{name}] the server has acknowledged: sent\n")), "{transcript}");
        for (other, _) in MEMBERS.iter().filter(|(other, _)| *other != name) {
            let from_other = format!("[{name}] {other}");
            let heard: Vec<_> = transcript.lines().filter_map(|line| line.strip_prefix(&from_other)).collect();
            let heard = heard.into_iter().filter(|what| !what.starts_with(" has "));
            assert_eq!(heard.collect::<Vec<_>>(), said(other), "{transcript}");
        }
    }

    let mut last = waiting_member(&programs[0].1, url);
    assert_eq!(first_line(&mut last), "[last] joins lobby");
    succeed(Command::new("kill").arg(server.id().to_string()));
    let status = server.wait().unwrap();
    last.kill().unwrap();
    last.wait().unwrap();
    assert!(status.success(), "the server ended with {status}");
}

/// What the others see of a member.
fn said(name: &str) -> Vec<String> {
    let mut said = vec![
        format!(": hello, I am {name}"),
        " sent the face: a smiling face".to_owned(),
        ": did this arrive?".to_owned(),
    ];
    if name == TYPES {
        said.push(format!(": {TYPED}"));
    }
    said
}

/// A member that waits for all others, and leaves when it has seen what they say.
fn join(program: &Path, url: &str, name: &str) -> Child {
    let others = MEMBERS.iter().filter(|(other, _)| *other != name);
    let expected: usize = others.map(|(other, _)| said(other).len()).sum();
    let mut member = Command::new(program);
    member.args([url, "lobby", name, "--members", &MEMBERS.len().to_string(), "--expect", &expected.to_string()]);
    let mut member = member.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // The others read nothing.
    drop(writeln!(member.stdin.take().unwrap(), "{TYPED}"));
    member
}

/// A member that waits for more than there are.
fn waiting_member(program: &Path, url: &str) -> Child {
    let mut member = Command::new(program);
    member.args([url, "lobby", "last", "--members", "2"]).stdout(Stdio::piped()).spawn().unwrap()
}

/// Byte by byte: the rest stays for who reads it.
fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::with_capacity(1, child.stdout.as_mut().unwrap().by_ref()).read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}
