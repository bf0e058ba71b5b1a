//! The native half of the Node package. The other half is in `lib/`.
//!
//! JavaScript has one [`Hub`](hub::Hub) per environment. What happens comes to it [in batches](inbox), and what it does goes
//! back [in one call](outbox); objects are known by [numbers](objects) on the way.

mod hub;
mod inbox;
mod json;
mod objects;
mod outbox;
#[allow(unsafe_code, reason = "libuv and Node-API are C")]
mod sys;
mod table;
