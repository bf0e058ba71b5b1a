//! Compiles the C programs of `tests/c` and runs them. Each checks what it does and exits with 0 when all is well.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::process::Command;

use socketio_tests::c::{WARNINGS, compile, files, root, scratch, succeed};

#[test]
fn the_programs_of_tests_c_succeed() {
    let folder = scratch("tests");
    let sources = files(&root().join("tests/c"), "c");
    assert!(!sources.is_empty());
    for source in sources {
        let program = folder.join(source.file_stem().unwrap());
        compile(&source, &program);
        succeed(Command::new("timeout").arg("60").arg(&program));
    }
}

#[test]
fn each_header_compiles_alone_and_twice_as_c99_and_as_cpp17() {
    let folder = scratch("headers");
    let include = root().join("include");
    let mut headers = files(&include.join("socketio"), "h");
    headers.push(include.join("socketio.h"));
    for header in headers {
        let name = header.strip_prefix(&include).unwrap().display();
        let stem = header.file_stem().unwrap().to_string_lossy().into_owned();
        let text = format!("#include <{name}>\n#include <{name}>\nint only_here;\n");
        for (compiler, standard, extension) in [("gcc", "c99", "c"), ("g++", "c++17", "cpp")] {
            let source = folder.join(&stem).with_extension(extension);
            std::fs::write(&source, &text).unwrap();
            check(compiler, standard, &include, &source);
        }
    }
}

/// The headers in use, not only read.
#[test]
fn programs_without_threads_are_cpp17_as_well() {
    let folder = scratch("cpp");
    for name in ["conventions", "payload", "value", "version"] {
        let source = folder.join(name).with_extension("cpp");
        std::fs::copy(root().join("tests/c").join(name).with_extension("c"), &source).unwrap();
        check("g++", "c++17", &root().join("include"), &source);
    }
}

fn check(compiler: &str, standard: &str, include: &Path, source: &Path) {
    let mut cc = Command::new(compiler);
    cc.arg(format!("-std={standard}")).args(WARNINGS).arg("-fsyntax-only").arg("-I").arg(include);
    cc.arg("-I").arg(root().join("tests/c")).arg(source);
    succeed(&mut cc);
}
