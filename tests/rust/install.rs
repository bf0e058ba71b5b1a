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

/// What else it defines would clash with another library in Rust that a different compiler built.
#[test]
fn the_static_library_shows_its_own_names_only() {
    let prefix = install("", &fresh("names"));
    let mut nm = Command::new("nm");
    nm.args(["--extern-only", "--defined-only", "--format=posix"]).arg(prefix.join("lib/libsocketio.a"));
    let output = String::from_utf8(succeed(&mut nm).stdout).unwrap();
    let lines = output.lines().filter(|line| line.contains(' '));
    let names: Vec<_> = lines.filter_map(|line| line.split(' ').next()).collect();
    let listed = std::fs::read_to_string(root().join("tests/abi/symbols.txt")).unwrap();
    assert!(listed.lines().all(|name| names.contains(&name)), "{names:?}");
    let others: Vec<_> = names.iter().filter(|name| !listed.lines().any(|listed| listed == **name)).collect();
    assert_eq!(others, [&"DW.ref.sio_eh_personality"]);
}

/// Each Rust library brings the standard library along: two of them in one program must not clash.
#[test]
fn the_static_library_goes_together_with_another_one_in_rust() {
    let prefix = install("", &fresh("two"));
    std::fs::remove_file(prefix.join("lib/libsocketio.so")).unwrap();
    let (other, program) = (prefix.join("libother.a"), prefix.join("two"));
    let write = |name: &str, text: &str| {
        let source = prefix.join(name);
        std::fs::write(&source, text).unwrap();
        source
    };
    // Both unwind, allocate and start threads.
    let in_rust = r#"
        #[unsafe(no_mangle)]
        pub extern "C" fn other_sum(n: usize) -> usize {
            let sum = move || std::thread::spawn(move || (0..n).collect::<Vec<_>>().iter().sum()).join();
            std::panic::catch_unwind(sum).ok().and_then(Result::ok).unwrap_or(0)
        }
    "#;
    let in_c = r#"
        #include <socketio.h>
        size_t other_sum(size_t n);
        int main(void)
        {
          sio_server *server = NULL;
          sio_status status = sio_server_new(NULL, NULL, &server);
          sio_server_release(server);
          return status == SIO_OK && other_sum(10) == 45 ? 0 : 1;
        }
    "#;
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition", "2024", "--crate-type", "staticlib", "-o"]).arg(&other);
    succeed(rustc.arg(write("other.rs", in_rust)));
    let in_c = write("two.c", in_c);
    for other_first in [true, false] {
        let mut cc = Command::new("cc");
        cc.arg(&in_c).arg("-o").arg(&program);
        if other_first {
            cc.arg(&other);
        }
        cc.args(pkg_config(&prefix, &["--cflags", "--libs", "--static"]));
        if !other_first {
            cc.arg(&other);
        }
        succeed(&mut cc);
        succeed(&mut Command::new(&program));
    }
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
