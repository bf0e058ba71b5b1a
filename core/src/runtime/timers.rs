//! Deadlines of connections: one timing wheel for all, so that a connection needs no timer of its own.
//!
//! The wheel is `tokio_util`'s `DelayQueue` (hierarchical, a millisecond fine). A connection keeps a [`Timer`] that
//! remembers what is armed. A deadline that moves back costs nothing: the timer fires at the old one and is armed anew.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::runtime::panics::Caught;
use crate::runtime::sync::Mutex;
use foldhash::fast::RandomState;
use tokio::runtime::Handle;
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key;

/// What has a deadline.
pub(crate) trait Timed: Send + Sync {
    /// Its armed deadline has passed. It is not armed any more.
    fn tick(self: Arc<Self>, now: Instant);
}

/// Which deadline of a [`Timed`] is armed, if any. Belongs beside the deadlines, under the same lock.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    armed: Option<Instant>,
}

impl Timer {
    /// To be said first in [`Timed::tick`].
    pub(crate) fn fired(&mut self) {
        self.armed = None;
    }
}

/// The deadlines of a runtime.
pub(crate) struct Timers {
    handle: Handle,
    wheel: Mutex<Wheel>,
}

#[derive(Default)]
struct Wheel {
    queue: DelayQueue<u64>,
    /// By the address of the target. An entry leaves with its key, so a key here is always valid.
    waiting: HashMap<u64, (Key, Weak<dyn Timed>), RandomState>,
}

/// The wheel's own horizon; a later deadline is armed again when this has passed.
const HORIZON: Duration = Duration::from_hours(365 * 24);

impl Timers {
    pub(crate) fn start(handle: &Handle) -> Arc<Self> {
        let timers = Arc::new(Self { handle: handle.clone(), wheel: Mutex::default() });
        let driven = Arc::downgrade(&timers);
        drop(handle.spawn(async move {
            // A bug that shows in a tick must not stop the clock of all others.
            while Caught::new(drive(&driven)).await.is_err() {}
        }));
        timers
    }

    /// Sees to it that `target` is ticked at `deadline`, or a little later. Called under the lock that holds `timer`.
    pub(crate) fn arm<T: Timed + 'static>(&self, target: &Arc<T>, timer: &mut Timer, deadline: Option<Instant>) {
        let Some(deadline) = deadline else { return };
        if timer.armed.is_some_and(|armed| armed <= deadline) {
            return;
        }
        timer.armed = Some(deadline);
        let at = deadline.min(Instant::now() + HORIZON).into();
        let mut wheel = self.wheel.lock();
        let wheel = &mut *wheel;
        // The wheel's own timer can only be made inside a runtime, and this is any thread.
        let _inside = self.handle.enter();
        if let Some((key, _)) = wheel.waiting.get(&address(target)) {
            wheel.queue.reset_at(key, at);
        } else {
            let key = wheel.queue.insert_at(address(target), at);
            let waiting: Weak<dyn Timed> = Arc::<T>::downgrade(target);
            wheel.waiting.insert(address(target), (key, waiting));
        }
    }

    /// Forgets what is armed for `target`: its memory is not kept until the deadline.
    pub(crate) fn disarm<T: Timed + 'static>(&self, target: &Arc<T>, timer: &mut Timer) {
        if timer.armed.take().is_some() {
            let mut wheel = self.wheel.lock();
            if let Some((key, _)) = wheel.waiting.remove(&address(target)) {
                wheel.queue.remove(&key);
            }
        }
    }
}

fn address<T: ?Sized>(target: &Arc<T>) -> u64 {
    Arc::as_ptr(target).cast::<()>() as u64
}

/// Ticks whatever has expired, until the timers are gone.
async fn drive(timers: &Weak<Timers>) {
    while let Some(target) = poll_fn(|cx| poll_expired(timers, cx)).await {
        if let Some(target) = target.upgrade() {
            target.tick(Instant::now());
        }
    }
}

/// The next target whose time has come; `None` when the timers are gone.
fn poll_expired(timers: &Weak<Timers>, cx: &mut Context<'_>) -> Poll<Option<Weak<dyn Timed>>> {
    let Some(timers) = timers.upgrade() else { return Poll::Ready(None) };
    let mut wheel = timers.wheel.lock();
    loop {
        match wheel.queue.poll_expired(cx) {
            Poll::Ready(Some(expired)) => {
                if let Some((_, target)) = wheel.waiting.remove(expired.get_ref()) {
                    return Poll::Ready(Some(target));
                }
            }
            // Empty: the queue keeps the waker and calls it at the next insert.
            Poll::Ready(None) | Poll::Pending => return Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};

    struct Bell(Mutex<Sender<Instant>>);

    impl Timed for Bell {
        fn tick(self: Arc<Self>, now: Instant) {
            self.0.lock().send(now).unwrap();
        }
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    }

    #[test]
    fn an_armed_target_is_ticked_after_its_deadline_from_any_thread() {
        let runtime = runtime();
        let timers = Timers::start(runtime.handle());
        let (sender, ticks) = channel();
        let bell = Arc::new(Bell(Mutex::new(sender)));
        let mut timer = Timer::default();
        let late = Instant::now() + Duration::from_hours(1);
        let soon = Instant::now() + Duration::from_millis(5);
        timers.arm(&bell, &mut timer, Some(late));
        timers.arm(&bell, &mut timer, Some(soon));
        assert!(ticks.recv().unwrap() >= soon);
        timer.fired();
        assert!(timers.wheel.lock().waiting.is_empty());
    }

    #[test]
    fn a_tick_that_panics_costs_no_other_target_its_own() {
        struct Planted;
        impl Timed for Planted {
            fn tick(self: Arc<Self>, _: Instant) {
                panic!("planted");
            }
        }
        let runtime = runtime();
        let timers = Timers::start(runtime.handle());
        let (sender, ticks) = channel();
        let bell = Arc::new(Bell(Mutex::new(sender)));
        let planted = Arc::new(Planted);
        let start = Instant::now();
        timers.arm(&planted, &mut Timer::default(), Some(start));
        timers.arm(&bell, &mut Timer::default(), Some(start + Duration::from_millis(5)));
        ticks.recv().unwrap();
        assert_eq!(Arc::strong_count(&planted), 1);
    }

    #[test]
    fn a_disarmed_target_is_forgotten_at_once() {
        let runtime = runtime();
        let timers = Timers::start(runtime.handle());
        let (sender, _ticks) = channel();
        let bell = Arc::new(Bell(Mutex::new(sender)));
        let mut timer = Timer::default();
        timers.arm(&bell, &mut timer, Some(Instant::now() + Duration::from_hours(1)));
        timers.disarm(&bell, &mut timer);
        assert_eq!(Arc::weak_count(&bell), 0);
        assert!(timers.wheel.lock().queue.is_empty());
    }

    #[test]
    fn a_deadline_beyond_the_horizon_is_accepted() {
        let runtime = runtime();
        let timers = Timers::start(runtime.handle());
        let (sender, _ticks) = channel();
        let bell = Arc::new(Bell(Mutex::new(sender)));
        let mut timer = Timer::default();
        timers.arm(&bell, &mut timer, Instant::now().checked_add(Duration::from_secs(u64::from(u32::MAX))));
    }
}
