//! Test drivers.
