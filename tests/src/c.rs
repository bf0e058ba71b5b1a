//! Compiling and running C programs against the shared library of this build.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What every C program of the project is compiled with.
pub const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-pedantic", "-Werror"];

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).components().as_path().parent().unwrap_or(Path::new("/")).to_owned()
}

/// The folder that cargo put `libsocketio.so` into when it built the running test.
///
/// # Panics
/// When it is not there.
pub fn library_folder() -> PathBuf {
    let program = std::env::current_exe().expect("a running test has a path");
    let folder = program.parent().expect("a program lies in a folder").to_owned();
    assert!(folder.join("libsocketio.so").exists(), "no libsocketio.so in {}", folder.display());
    folder
}

/// A folder that a program finds the library in when it runs: under its SONAME.
fn runtime_folder() -> PathBuf {
    let folder = scratch("lib");
    let linked = std::os::unix::fs::symlink(library_folder().join("libsocketio.so"), folder.join("libsocketio.so.0"));
    // Tests run at once: any of them may have been here before.
    assert!(linked.is_ok() || folder.join("libsocketio.so.0").exists(), "{linked:?}");
    folder
}

/// A folder for what the test `name` builds.
///
/// # Panics
/// When it cannot be made.
pub fn scratch(name: &str) -> PathBuf {
    let folder = library_folder().join("c").join(name);
    std::fs::create_dir_all(&folder).expect("the target folder is writable");
    folder
}

/// Compiles and links `source`, as C99 with threads and POSIX, into `program`.
///
/// # Panics
/// When the compiler finds anything to say.
pub fn compile(source: &Path, program: &Path) {
    let mut cc = Command::new("cc");
    cc.arg("-I").arg(root().join("tests/c"));
    link(cc.arg(source), program);
}

/// Compiles and links the example `name` of `ffi/examples` into `folder`, with what the examples share and with `packages`
/// of pkg-config; its path.
///
/// # Panics
/// When the compiler finds anything to say, or a package is missing.
pub fn compile_example(name: &str, packages: &[&str], folder: &Path) -> PathBuf {
    let program = folder.join(name);
    let examples = root().join("ffi/examples");
    let mut cc = Command::new("cc");
    cc.arg(examples.join(name).with_extension("c")).args(files(&examples.join("chat"), "c"));
    for package in packages {
        let flags = succeed(Command::new("pkg-config").args(["--cflags", "--libs", package])).stdout;
        cc.args(String::from_utf8_lossy(&flags).split_whitespace());
    }
    link(&mut cc, &program);
    program
}

/// Has `cc` make `program` of the sources that it was given.
fn link(cc: &mut Command, program: &Path) {
    cc.args(["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-g", "-pthread"]).args(WARNINGS);
    cc.arg("-I").arg(root().join("include")).arg("-o").arg(program).arg("-L").arg(library_folder());
    // A program that names nothing of the library is not linked with it: it may load it.
    cc.args(["-Wl,--as-needed", "-lsocketio", "-ldl"]);
    cc.arg(format!("-Wl,-rpath,{}", runtime_folder().display()));
    succeed(cc);
}

/// Runs `command` to its end; its output when it exits with 0.
///
/// # Panics
/// When it does not, with what it printed.
pub fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let Output { status, stdout, stderr } = &output;
    assert!(status.success(), "{command:?}: {status}\n{}{}", text(stdout), text(stderr));
    output
}

/// The files of `folder` with this extension, in order.
///
/// # Panics
/// When the folder cannot be read.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension() == Some(OsStr::new(extension)));
    files.sort();
    files
}
