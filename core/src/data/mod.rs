//! Floor 0: values.
//!
//! What an event carries ([`Payload`], [`Value`]), the JSON underneath, ids, and the bounds of everything.
//! Nothing here knows a packet, a socket or a clock.

pub mod id;
pub mod json;
pub mod limits;
pub mod payload;
pub mod tag;
pub mod text;
pub mod value;

pub use id::Sid;
pub use limits::Limits;
pub use payload::{Payload, PayloadBuilder};
pub use tag::{Kind, Mark, Tag};
pub use value::Value;

#[cfg(test)]
pub(crate) mod tests;
