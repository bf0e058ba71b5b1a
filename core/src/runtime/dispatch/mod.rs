//! How handlers are called: never where an event was read, never with a lock held.
//!
//! I/O threads push [`queue::Delivery`]s; a dispatch thread takes them in batches and calls the handlers. What
//! the handlers send is noted and written once per connection when the batch ends ([`turn`]).

pub mod event;
pub mod listeners;
pub mod queue;
pub(crate) mod threads;
pub mod turn;
pub(crate) mod undelivered;
