//! Link arguments of the extension module.

#[path = "../common/link.rs"]
mod link;

fn main() {
    link::link();
}
