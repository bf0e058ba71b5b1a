//! The headers in `include/socketio/` are what cbindgen makes of `ffi/src/`, one per file of the same name.
//!
//! `UPDATE_HEADER=1 cargo test -p socketio-tests --test header` writes them.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cbindgen::{Builder, Config, DocumentationStyle, Language, Style};

#[test]
fn headers_are_those_of_the_sources() {
    let update = std::env::var_os("UPDATE_HEADER").is_some();
    let headers = generate();
    let folder = root().join("include/socketio");
    if update {
        fs::create_dir_all(&folder).unwrap();
    }
    let mut stale = Vec::new();
    for (stem, text) in &headers {
        let path = folder.join(format!("{stem}.h"));
        if fs::read_to_string(&path).ok().as_ref() == Some(text) {
            continue;
        }
        if update {
            fs::write(&path, text).unwrap();
        } else {
            stale.push(stem.as_str());
        }
    }
    assert!(
        stale.is_empty(),
        "stale headers {stale:?}: run UPDATE_HEADER=1 cargo test -p socketio-tests --test header"
    );
    for header in fs::read_dir(&folder).unwrap() {
        let path = header.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(headers.contains_key(&stem), "{} has no source", path.display());
    }
}

#[test]
fn the_umbrella_includes_every_header() {
    let umbrella = fs::read_to_string(root().join("include/socketio.h")).unwrap();
    for stem in generate().keys() {
        let line = format!("#include \"socketio/{stem}.h\"");
        assert!(umbrella.contains(&line), "include/socketio.h lacks {line}");
    }
}

/// The text of each header, by the stem of its source.
fn generate() -> BTreeMap<String, String> {
    let sources: Vec<PathBuf> =
        fs::read_dir(root().join("ffi/src")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut homes = BTreeMap::new();
    let mut texts = BTreeMap::new();
    for source in &sources {
        let text = fs::read_to_string(source).unwrap();
        let stem = source.file_stem().unwrap().to_string_lossy().into_owned();
        let names: Vec<&str> = text.lines().filter_map(definition).collect();
        if names.is_empty() && !text.contains("extern \"C\" fn sio_") {
            continue;
        }
        homes.extend(names.into_iter().map(|name| (name.to_owned(), stem.clone())));
        texts.insert(stem, source);
    }
    texts.into_iter().map(|(stem, source)| (stem.clone(), header(&stem, source, &homes))).collect()
}

/// The C name that a line of Rust defines, if it defines one.
fn definition(line: &str) -> Option<&str> {
    let kinds = ["pub struct ", "pub enum ", "pub type ", "pub const "];
    let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
    let name = rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next()?;
    (name.starts_with("sio_") || name.starts_with("SIO_")).then_some(name)
}

/// One header: what cbindgen makes of `source`, after the includes of the types it borrows.
fn header(stem: &str, source: &Path, homes: &BTreeMap<String, String>) -> String {
    let body = bindings(stem, source, &[]);
    let mut includes: Vec<&str> = identifiers(&body).filter_map(|name| homes.get(name)).map(String::as_str).collect();
    includes.retain(|home| *home != stem);
    includes.sort_unstable();
    includes.dedup();
    bindings(stem, source, &includes)
}

fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with(['*', '/']));
    code.flat_map(|line| line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_'))
}

fn bindings(stem: &str, source: &Path, includes: &[&str]) -> String {
    let mut config = Config {
        language: Language::C,
        cpp_compat: true,
        style: Style::Type,
        documentation_style: DocumentationStyle::Doxy,
        include_guard: Some(format!("SOCKETIO_{}_H", stem.to_uppercase())),
        header: Some(format!("/* Generated from ffi/src/{stem}.rs: change that, not this. */")),
        no_includes: true,
        usize_is_size_t: true,
        line_length: 120,
        ..Config::default()
    };
    config.sys_includes = ["stdbool.h", "stddef.h", "stdint.h", "string.h"].map(str::to_owned).to_vec();
    config.includes = includes.iter().map(|stem| format!("{stem}.h")).collect();
    let text = fs::read_to_string(source).unwrap();
    // Types that no function of their own file uses.
    config.export.include = text.lines().filter_map(definition).map(str::to_owned).collect();
    let mut out = Vec::new();
    Builder::new().with_config(config).with_src(source).generate().unwrap().write(&mut out);
    let mut header = String::from_utf8(out).unwrap();
    // C that Rust cannot say: macros for literals and the like. It goes inside the include guard.
    if let Ok(more) = fs::read_to_string(source.with_extension("h")) {
        let end = header.rfind("#endif  /* SOCKETIO_").unwrap();
        header.insert_str(end, &format!("{}\n\n", more.trim_end()));
    }
    header.truncate(header.trim_end().len());
    header.push('\n');
    header
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
