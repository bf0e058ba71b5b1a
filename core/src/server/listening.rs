//! What a server of either layer listens with: its listeners and their HTTP connections.

use std::sync::Arc;

use crate::runtime::sync::Mutex;
use tokio_util::task::TaskTracker;

use crate::error::{Error, ErrorKind, Result};
use crate::net::http::{self, Service, Stop};
use crate::net::listener::Listener;
use crate::runtime::panics::Caught;
use crate::runtime::{Runtime, log};

/// Listeners and HTTP connections, until they are stopped.
pub(super) struct Listening {
    runtime: Arc<Runtime>,
    addresses: Mutex<Vec<String>>,
    tasks: TaskTracker,
    stop: Arc<Stop>,
}

impl Listening {
    pub(super) fn new(runtime: &Arc<Runtime>) -> Self {
        Self { runtime: runtime.clone(), addresses: Mutex::default(), tasks: TaskTracker::new(), stop: Arc::default() }
    }

    /// Has `service` answer what arrives at `address`.
    ///
    /// # Errors
    /// `InvalidArgument` for what is no address, `Resolve`, `AddressInUse`, `Io`, `Closed` once stopped.
    pub(super) fn listen(&self, address: &str, service: impl Service + Sync) -> Result<()> {
        let _inside = self.runtime.handle().enter();
        let listener = Listener::bind(address)?;
        let mut addresses = self.addresses.lock();
        if self.stop.is_said() {
            return Err(Error::new(ErrorKind::Closed, "the server is closed"));
        }
        log::info!(Server, "listening on {}", listener.address());
        addresses.push(listener.address().to_owned());
        let (tasks, stop) = (self.tasks.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            let accepted = |stream, peer| {
                tasks.spawn(Caught::new(http::serve(stream, peer, service.clone(), stop.clone())));
            };
            tokio::select! {
                () = listener.run(accepted) => {}
                () = stop.wait() => {}
            }
        });
        Ok(())
    }

    /// The address of the `i`th listener, its port filled in.
    pub(super) fn address(&self, i: usize) -> Option<String> {
        self.addresses.lock().get(i).cloned()
    }

    /// Accepts nothing from now on; HTTP connections end after the answer that is due.
    pub(super) fn stop(&self) {
        // Whoever listens meanwhile either is seen by the tracker or sees this.
        let addresses = self.addresses.lock();
        if !self.stop.is_said() && !addresses.is_empty() {
            log::info!(Server, "listening no more on {}", addresses.join(", "));
        }
        self.stop.say();
        self.tasks.close();
    }

    /// Calls `then` when all of that has ended.
    pub(super) fn when_ended(&self, then: impl FnOnce() + Send + 'static) {
        let tasks = self.tasks.clone();
        self.runtime.spawn(async move {
            tasks.wait().await;
            then();
        });
    }
}
