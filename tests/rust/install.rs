//! What `make install` puts in place is what a program finds through pkg-config.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::Command;

use socketio_tests::c::{WARNINGS, library_folder, root, scratch, succeed};

#[test]
fn a_program_found_through_pkg_config_runs() {
    let prefix = install("", &fresh("prefix"));
    let program = prefix.join("version");
    build(&prefix, &program, &pkg_config(&prefix, &["--cflags", "--libs"]));
    succeed(Command::new(&program).env("LD_LIBRARY_PATH", prefix.join("lib")));
}

#[test]
fn the_static_library_needs_only_what_pkg_config_says() {
    let prefix = install("", &fresh("static"));
    std::fs::remove_file(prefix.join("lib/libsocketio.so")).unwrap();
    let program = prefix.join("version");
    build(&prefix, &program, &pkg_config(&prefix, &["--cflags", "--libs", "--static"]));
    succeed(&mut Command::new(&program));
}

#[test]
fn destdir_goes_before_the_prefix_and_into_no_file() {
    let stage = fresh("stage");
    let prefix = install(stage.to_str().unwrap(), Path::new("/usr/local"));
    let file = std::fs::read_to_string(prefix.join("lib/pkgconfig/socketio.pc")).unwrap();
    assert!(file.contains("prefix=/usr/local\n"), "{file}");
    assert!(!file.contains(stage.to_str().unwrap()), "{file}");
    let soname = std::fs::read_link(prefix.join("lib/libsocketio.so")).unwrap();
    assert_eq!(soname, Path::new("libsocketio.so.0"));
    assert!(prefix.join("include/socketio/server.h").exists());
}

/// Installs this build; the folder that it is in.
fn install(stage: &str, prefix: &Path) -> PathBuf {
    succeed(Command::new(root().join("ffi/install.sh")).arg(prefix).arg(stage).arg(library_folder()));
    PathBuf::from(format!("{stage}{}", prefix.display()))
}

fn fresh(name: &str) -> PathBuf {
    let folder = scratch("install").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn pkg_config(prefix: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")).args(arguments).arg("socketio");
    let output = succeed(&mut command);
    String::from_utf8(output.stdout).unwrap().split_whitespace().map(str::to_owned).collect()
}

fn build(prefix: &Path, program: &Path, flags: &[String]) {
    let source = root().join("tests/c/version.c");
    assert!(prefix.join("lib/libsocketio.a").exists());
    succeed(Command::new("cc").arg("-std=c99").args(WARNINGS).arg(source).arg("-o").arg(program).args(flags));
}
