//! The architecture, executable: which module of the core may name which, and what the lower floors may not know.

use std::fs;
use std::path::{Path, PathBuf};

/// The floors of the core from the ground up. Modules of one floor do not know each other.
const FLOORS: [&[&str]; 6] =
    [&["error"], &["data"], &["proto"], &["runtime"], &["adapter", "net"], &["client", "server"]];

/// What the floors below `runtime` must not name: they are told the time and given their randomness.
const FORBIDDEN_BELOW: [&str; 8] =
    ["tokio::", "std::net", "std::thread", "Instant::now", "SystemTime", "getrandom", "hyper", "std::sync::Mutex"];

/// Lines that a file should not have more of.
const LONG: usize = 700;

fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src")
}

/// The files of a directory and of those in it, without those that are tests as a whole.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The code of a file, without its comments and without its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

/// The modules of the crate that `code` names by `crate::`.
fn named(code: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let list = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default(),
            None => rest,
        };
        for item in list.split(',').take(if rest.starts_with('{') { usize::MAX } else { 1 }) {
            let module: String = item.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            modules.push(module);
        }
    }
    modules
}

#[test]
fn modules_import_from_lower_floors_only() {
    let mut broken = Vec::new();
    for path in sources(&core()) {
        let relative = path.strip_prefix(core()).unwrap();
        let module =
            relative.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let Some(own) = floor(&module) else { continue };
        for named in named(&code(&path)) {
            let Some(other) = floor(&named) else { continue };
            if other > own || (other == own && named != module) {
                broken.push(format!("{} names {named}", relative.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_module_of_the_core_has_its_floor() {
    for entry in fs::read_dir(core()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(module == "lib" || floor(module).is_some(), "{module} is on no floor");
    }
}

#[test]
fn data_and_proto_know_neither_clock_nor_threads_nor_sockets() {
    for module in ["data", "proto"] {
        for path in sources(&core().join(module)) {
            let code = code(&path);
            for forbidden in FORBIDDEN_BELOW {
                // The one oracle that proto shares with tokio's world.
                let code = code.replace("tokio_tungstenite::", "");
                assert!(!code.contains(forbidden), "{} names {forbidden}", path.display());
            }
        }
    }
}

#[test]
fn engine_io_does_not_know_socket_io() {
    for path in sources(&core().join("proto/engine")) {
        let code = code(&path);
        assert!(!code.contains("proto::socket") && !code.contains("super::super::socket"), "{}", path.display());
    }
    for path in sources(&core().join("proto/socket")) {
        for rest in code(&path).split("proto::engine").skip(1) {
            assert!(rest.starts_with("::packet"), "{} names more of Engine.IO than its packets", path.display());
        }
    }
}

#[test]
fn unsafe_code_is_in_the_named_files_of_the_core_only() {
    for path in sources(&core()) {
        let named = path.ends_with("runtime/signals.rs") || path.ends_with("runtime/fork.rs");
        assert_eq!(code(&path).contains("unsafe "), named, "{}", path.display());
    }
}

#[test]
fn files_are_of_one_idea() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for directory in ["core/src", "ffi/src", "tests/src"] {
        for path in sources(&root.join(directory)) {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= LONG, "{} has {lines} lines", path.display());
        }
    }
}
