//! Every exported function of the C API is guarded: its body is one `guard!`.

#![allow(clippy::unwrap_used, reason = "a test")]

use socketio_tests::c::{files, root};

#[test]
fn the_body_of_every_exported_function_is_guarded() {
    let mut seen = 0;
    for source in files(&root().join("ffi/src"), "rs") {
        let text = std::fs::read_to_string(&source).unwrap();
        // What comes before the tests; in callback.rs, types of C functions too, which have no name.
        for part in text.split("extern \"C\" fn sio_").skip(1) {
            let name: String = part.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
            let body = &part[part.find('{').expect("a function has a body") + 1..];
            assert!(body.trim_start().starts_with("guard!("), "sio_{name} in {} is not guarded", source.display());
            seen += 1;
        }
    }
    assert!(seen > 40, "only {seen} exported functions were found");
}

#[test]
fn only_callbacks_call_into_c() {
    for source in files(&root().join("ffi/src"), "rs") {
        let name = source.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&source).unwrap();
        let blocks = text.matches("unsafe {").count();
        // The models are tests, and the host in them.
        let allowed = ["callback.rs", "guard.rs", "handle.rs", "models.rs"].contains(&name.as_str());
        assert!(allowed || blocks == 0, "{name} has {blocks} unsafe blocks");
    }
}
