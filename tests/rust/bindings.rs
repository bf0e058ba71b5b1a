//! The bindings, from outside: what they depend on, where they are unsafe, what their shared objects show.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use socketio_tests::c::{files, root, succeed};

/// Package, shared object, and the only symbols that it exports.
const BINDINGS: [(&str, &str, &[&str]); 2] = [
    ("socketio-python", "lib_native.so", &["PyInit__native"]),
    ("socketio-node", "libsocketio_node.so", &["napi_register_module_v1", "node_api_module_get_api_version_v1"]),
];

#[test]
fn the_bindings_are_built_on_the_c_api_alone() {
    for (package, allowed) in [
        ("socketio-bindings", "socketio-ffi"),
        ("socketio-python", "socketio-bindings"),
        ("socketio-node", "socketio-bindings"),
    ] {
        let ours: Vec<_> = dependencies(package).into_iter().filter(|name| name.starts_with("socketio")).collect();
        assert_eq!(ours, [allowed], "{package}");
    }
}

/// The C API's crate is a Rust library too: only what it exports to C may be named.
#[test]
fn only_exported_functions_and_c_types_are_named() {
    let code = std::fs::read_to_string(root().join("bindings/common/src/sys.rs")).unwrap();
    let symbols = std::fs::read_to_string(root().join("tests/abi/symbols.txt")).unwrap();
    let header: String = files(&root().join("include/socketio"), "h")
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    for rest in
        code.split(|c: char| !c.is_alphanumeric() && !"_:$".contains(c)).filter_map(|word| word.strip_prefix("c::"))
    {
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let known = symbols.lines().any(|symbol| symbol == name) || header.contains(&name);
        assert!(known || name.starts_with('$'), "{name} is not in C");
    }
}

#[test]
fn unsafe_code_is_in_one_file_of_each_binding() {
    for folder in ["common", "python", "node"] {
        for path in sources(&root().join("bindings").join(folder)) {
            let code = std::fs::read_to_string(&path).unwrap();
            let code: String = code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
            let named = path.ends_with("src/sys.rs");
            assert!(named || !code.contains("unsafe "), "{}", path.display());
        }
    }
}

#[test]
fn the_shared_objects_export_their_entry_only() {
    for (package, object, entries) in BINDINGS {
        succeed(Command::new(env!("CARGO")).args(["build", "--quiet", "--package", package]).current_dir(root()));
        let object = folder_of_cargo().join(object);
        let mut nm = Command::new("nm");
        let output = succeed(nm.args(["-D", "--defined-only", "--format=posix"]).arg(&object)).stdout;
        let text = String::from_utf8(output).unwrap();
        let exported: Vec<_> = text.lines().filter_map(|line| line.split(' ').next()).collect();
        assert!(!exported.is_empty() && exported.iter().all(|name| entries.contains(name)), "{package}: {exported:?}");
        let dynamic = succeed(Command::new("readelf").arg("-d").arg(&object)).stdout;
        assert!(String::from_utf8_lossy(&dynamic).contains("NODELETE"), "{package}");
    }
}

/// What a package names in its Cargo.toml.
fn dependencies(package: &str) -> Vec<String> {
    let mut cargo = Command::new(env!("CARGO"));
    let output = succeed(cargo.args(["metadata", "--no-deps", "--format-version=1"]).current_dir(root())).stdout;
    let metadata: Value = serde_json::from_slice(&output).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let found = packages.iter().find(|found| found["name"] == package).unwrap();
    let dependencies = found["dependencies"].as_array().unwrap();
    dependencies.iter().map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect()
}

/// The Rust files of a binding: its `src`, and what builds it.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = files(folder, "rs");
    found.extend(files(&folder.join("src"), "rs"));
    found
}

/// Where `cargo build` puts what it builds: the running test lies two floors below.
fn folder_of_cargo() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned()
}
