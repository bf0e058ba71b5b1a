//! Test drivers.

pub mod c;
