//! Floor 3: how bytes travel.

pub mod cors;
pub mod dial;
pub mod http;
pub mod link;
pub mod listener;
#[cfg(shuttle)]
pub mod memory;
