//! Test drivers.

pub mod c;
pub mod choices;
pub mod fuzz;
mod network;
pub mod pair;
pub mod random;
pub mod raw;
pub mod simulation;
