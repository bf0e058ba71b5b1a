// How the shared object of a binding is linked: included by the build scripts of both.

/// Keeps the C functions that a binding carries to itself. The Rust compiler exports them, because they are `no_mangle`:
/// another library of the process could then take their place, or they that of another's.
pub(crate) fn link() {
    println!("cargo:rerun-if-changed=../common/link.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let list = "../../tests/abi/symbols.txt";
    println!("cargo:rerun-if-changed={list}");
    let symbols = std::fs::read_to_string(list).expect("the list of the C API's symbols");
    let hidden = symbols.lines().collect::<Vec<_>>().join(";\n    ");
    let script = std::path::Path::new(&std::env::var_os("OUT_DIR").expect("set by cargo")).join("hidden.map");
    std::fs::write(&script, format!("{{\n  local:\n    {hidden};\n}};\n")).expect("OUT_DIR is writable");
    // Beside the compiler's own version script, whose exports it narrows down: lld, which is Rust's linker here, merges them.
    println!("cargo:rustc-cdylib-link-arg=-Wl,--version-script={}", script.display());
    // One that uses nothing of the library carries none of it.
    println!("cargo:rustc-cdylib-link-arg=-Wl,--undefined-version");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-Bsymbolic-functions");
    // Threads of the library may still run in its code when the host unloads the binding, as Node does with a worker's.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
