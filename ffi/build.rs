//! Link arguments of `libsocketio.so`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // The number is the ABI's: it changes when a program must be linked again.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libsocketio.so.0");
        // Threads of the library may still run in its code when the host calls `dlclose`.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
