//! What the fuzzer calls with bytes of its own choice (`scripts/fuzz`), and ordinary tests with the inputs that it found
//! worth keeping (`rust/corpora.rs`). A target panics when something does not hold that must hold for every input.
//!
//! Those that read what a peer sends take it as it is on the wire, and compare with a second opinion: a library that does
//! the same, a model in a few plain lines, or writing it again. The others take their input as a script of steps
//! ([`Script`]), and keep the books that a session, a peer or the C API must not upset.

mod c_api;
mod client_peer;
mod client_session;
mod engine_payload;
mod http_query;
mod json;
mod script;
mod server_peer;
mod server_session;
mod socket_packets;
mod websocket_frames;

pub use script::Script;

/// A function to be called with any bytes.
pub type Target = fn(&[u8]);

/// All targets, by the names of their corpora.
pub const TARGETS: [(&str, Target); 9] = [
    ("engine_payload", engine_payload::run),
    ("websocket_frames", websocket_frames::run),
    ("http_query", http_query::run),
    ("socket_packets", socket_packets::run),
    ("server_session", server_session::run),
    ("client_session", client_session::run),
    ("server_peer", server_peer::run),
    ("client_peer", client_peer::run),
    ("c_api", c_api::run),
];

/// Calls the target `name`.
///
/// # Panics
/// When there is none of that name, or something does not hold.
pub fn run(name: &str, data: &[u8]) {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("there is no target {name}")).1(data);
}
