//! Log lines for the program's log callback. Nothing is printed by the library itself; while no callback is set, a
//! line costs one load.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use super::Runtime;
use super::dispatch::delivery::Delivery;
use super::dispatch::host::HostQueue;
use super::dispatch::queue::Queue;
use super::process::Process;
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

/// Where the lines of a process go.
pub(super) struct Log {
    sink: Option<Sink>,
    /// What takes the place of a dispatch thread.
    queue: Option<Arc<Queue>>,
}

impl Log {
    pub(super) const fn new() -> Self {
        Self { sink: None, queue: None }
    }
}

#[derive(Clone)]
struct Sink {
    queue: Arc<Queue>,
    handler: Arc<LogHandler>,
    waiting: Arc<AtomicUsize>,
}

static LEVEL: AtomicU8 = AtomicU8::new(0);

/// Lines that may wait for delivery; more are dropped, so that a log cannot fill the memory.
const MAX_WAITING: usize = 4096;

/// Longest line in bytes; the rest is cut off.
const MAX_LINE: usize = 2048;

/// Has `handler` called with every line up to `level`, on a dispatch thread of the default runtime or where the queue of
/// [`set_queue`] is dispatched. Replaces the handler set before; `None` turns the log off.
///
/// # Errors
/// Those of starting the default runtime.
pub fn set(level: Level, handler: Option<LogHandler>) -> Result<()> {
    let thread = if handler.is_some() { Some(Runtime::get_default()?.next_queue().clone()) } else { None };
    let before = {
        let mut log = Process::current().log.write();
        let queue = log.queue.clone().or(thread);
        let sink = handler.zip(queue).map(|(handler, queue)| Sink {
            queue,
            handler: Arc::new(handler),
            waiting: Arc::default(),
        });
        LEVEL.store(if sink.is_some() { level as u8 } else { 0 }, Ordering::Relaxed);
        std::mem::replace(&mut log.sink, sink)
    };
    if let Some(Sink { queue, handler, .. }) = before {
        queue.push(Delivery::discard(handler));
    }
    Ok(())
}

/// Has lines wait in `queue` from now on, for the program to dispatch; `None`: for a dispatch thread again.
///
/// # Errors
/// Those of starting the default runtime.
pub fn set_queue(queue: Option<&HostQueue>) -> Result<()> {
    let queue = queue.map(|queue| queue.queue().clone());
    let next = match &queue {
        Some(queue) => queue.clone(),
        None => Runtime::get_default()?.next_queue().clone(),
    };
    let mut log = Process::current().log.write();
    log.queue = queue;
    if let Some(sink) = &mut log.sink {
        sink.queue = next;
    }
    Ok(())
}

/// Turns the log of a forked child off: its parent's handler is not for it.
pub(super) fn forget() {
    LEVEL.store(0, Ordering::Relaxed);
}

/// Whether lines of this level are wanted.
pub fn enabled(level: Level) -> bool {
    level as u8 <= LEVEL.load(Ordering::Relaxed)
}

/// Sends a line on its way.
pub(crate) fn write(level: Level, target: &'static str, message: fmt::Arguments<'_>) {
    // Without the lock: to push can be to call the program's wake function.
    let Some(sink) = Process::current().log.read().sink.clone() else { return };
    if sink.waiting.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
        sink.waiting.fetch_sub(1, Ordering::Relaxed);
        return;
    }
    let message = line(message);
    let Sink { queue, handler, waiting } = sink;
    queue.push(Delivery::call(move || {
        waiting.fetch_sub(1, Ordering::Relaxed);
        handler(level, target, &message);
    }));
}

/// One line of what may hold anything that a peer has sent: bounded, and without characters that end a line or steer a
/// terminal.
fn line(message: fmt::Arguments<'_>) -> String {
    struct Line(String);
    impl fmt::Write for Line {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for c in text.chars() {
                if self.0.len() >= MAX_LINE {
                    return Err(fmt::Error);
                }
                // Besides control characters: those that end lines, and those that turn the direction of writing.
                match c {
                    '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                        self.0.extend(c.escape_default());
                    }
                    _ => self.0.push(c),
                }
            }
            Ok(())
        }
    }
    let mut line = Line(String::new());
    // It fails where the line is full.
    let _ = fmt::write(&mut line, message);
    line.0
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_bounded() {
        assert_eq!(line(format_args!("a {} c", "ü\"\r\n\x1b[31m\u{202e}")), "a ü\"\\r\\n\\u{1b}[31m\\u{202e} c");
        let long = line(format_args!("{}{}", "x".repeat(MAX_LINE - 1), "\n".repeat(MAX_LINE)));
        assert!((MAX_LINE..MAX_LINE + 16).contains(&long.len()));
    }
}
