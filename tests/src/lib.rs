//! Test drivers.

pub mod c;
pub mod choices;
mod network;
pub mod pair;
pub mod raw;
