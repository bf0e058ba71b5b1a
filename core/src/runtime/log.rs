//! Log lines for the program's log callback. Nothing is printed by the library itself; while no callback is set, a
//! line costs one load.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use crate::runtime::sync::RwLock;

use super::Runtime;
use super::dispatch::delivery::Delivery;
use super::dispatch::queue::Queue;
use crate::error::Result;

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Something failed that should not.
    Error = 1,
    /// Something is odd, and may explain a failure.
    Warn,
    /// What an operator wants to know.
    Info,
    /// What a developer of a program wants to know.
    Debug,
    /// Everything.
    Trace,
}

/// Receives the lines: level, target (`engine`, `socket`, `http`, `manager`, ...), message.
pub type LogHandler = Box<dyn Fn(Level, &str, &str) + Send + Sync>;

struct Sink {
    queue: Arc<Queue>,
    handler: Arc<LogHandler>,
    waiting: Arc<AtomicUsize>,
}

static LEVEL: AtomicU8 = AtomicU8::new(0);
static SINK: RwLock<Option<Sink>> = RwLock::new(None);

/// Lines that may wait for delivery; more are dropped, so that a log cannot fill the memory.
const MAX_WAITING: usize = 4096;

/// Longest line in bytes; the rest is cut off.
const MAX_LINE: usize = 2048;

/// Has `handler` called with every line up to `level`, on a dispatch thread of the default runtime. Replaces the
/// handler set before; `None` turns the log off.
///
/// # Errors
/// Those of starting the default runtime.
pub fn set(level: Level, handler: Option<LogHandler>) -> Result<()> {
    let sink = match handler {
        Some(handler) => Some(Sink {
            queue: Runtime::get_default()?.next_queue().clone(),
            handler: Arc::new(handler),
            waiting: Arc::default(),
        }),
        None => None,
    };
    let level = if sink.is_some() { level as u8 } else { 0 };
    let before = std::mem::replace(&mut *SINK.write(), sink);
    LEVEL.store(level, Ordering::Relaxed);
    if let Some(Sink { queue, handler, .. }) = before {
        queue.push(Delivery::discard(handler));
    }
    Ok(())
}

/// Whether lines of this level are wanted.
pub fn enabled(level: Level) -> bool {
    level as u8 <= LEVEL.load(Ordering::Relaxed)
}

/// Sends a line on its way. What comes from a peer must be formatted with `{:?}`, which escapes it.
pub(crate) fn write(level: Level, target: &'static str, message: fmt::Arguments<'_>) {
    let sink = SINK.read();
    let Some(sink) = sink.as_ref() else { return };
    if sink.waiting.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
        sink.waiting.fetch_sub(1, Ordering::Relaxed);
        return;
    }
    let mut message = message.to_string();
    if message.len() > MAX_LINE {
        message.truncate(message.floor_char_boundary(MAX_LINE));
    }
    let (handler, waiting) = (sink.handler.clone(), sink.waiting.clone());
    sink.queue.push(Delivery::call(move || {
        waiting.fetch_sub(1, Ordering::Relaxed);
        handler(level, target, &message);
    }));
}

macro_rules! at {
    ($level:ident, $target:literal, $($message:tt)+) => {
        if $crate::runtime::log::enabled($crate::runtime::log::Level::$level) {
            $crate::runtime::log::write($crate::runtime::log::Level::$level, $target, format_args!($($message)+));
        }
    };
}
macro_rules! error { ($($line:tt)+) => { $crate::runtime::log::at!(Error, $($line)+) } }
macro_rules! warning { ($($line:tt)+) => { $crate::runtime::log::at!(Warn, $($line)+) } }

macro_rules! debug { ($($line:tt)+) => { $crate::runtime::log::at!(Debug, $($line)+) } }

#[allow(unused_imports, reason = "levels that no module uses yet")]
pub(crate) use {at, debug, error, warning};
