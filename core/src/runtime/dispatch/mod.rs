//! How handlers are called: in order, never two of one connection at once, never with a lock held.
//!
//! I/O threads push [`delivery::Delivery`]s. A dispatch thread takes them in batches and calls the handlers; or the program
//! does ([`host`]), or the thread that pushed them. What the handlers send is noted and written once per
//! connection when the batch ends ([`turn`]).

mod consume;
pub mod delivery;
pub(crate) mod dispatcher;
pub mod event;
pub mod host;
pub(crate) mod inline;
pub mod listeners;
#[cfg(all(test, shuttle))]
mod models;
pub mod queue;
pub(crate) mod threads;
pub mod turn;
pub(crate) mod undelivered;
pub mod wake;
mod wake_fd;

pub use consume::is_delivering;
pub use dispatcher::DeliveryMode;
