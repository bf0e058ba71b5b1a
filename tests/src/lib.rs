//! Test drivers.

pub mod c;
pub mod choices;
pub mod pair;
