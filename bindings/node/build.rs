//! Link arguments of the addon.

#[path = "../common/link.rs"]
mod link;

fn main() {
    napi_build::setup();
    link::link();
}
