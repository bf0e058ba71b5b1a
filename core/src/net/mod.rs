//! Floor 3: how bytes travel.

pub mod dial;
