//! Log lines for the program's log callback. Nothing is printed by the library itself; while no callback is set, a
//! line costs one load.

mod filter;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use super::Runtime;
use super::dispatch::delivery::Delivery;
use super::dispatch::host::HostQueue;
use super::dispatch::queue::Queue;
use super::process::Process;
use crate::error::Result;
use filter::Filter;

pub use filter::Target;

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

/// Receives the lines: level, name of the target, message.
pub type LogHandler = Box<dyn Fn(Level, &str, &str) + Send + Sync>;

/// Where the lines of a process go.
pub(super) struct Log {
    sink: Option<Sink>,
    /// What takes the place of a dispatch thread.
    queue: Option<Arc<Queue>>,
    /// The last level that the handler wants; 0 without one.
    max_level: u8,
    filter: Filter,
}

impl Log {
    pub(super) const fn new() -> Self {
        Self { sink: None, queue: None, max_level: 0, filter: Filter::EVERYTHING }
    }

    /// Has lines written, or not, as this says.
    fn apply(&self) {
        for target in Target::ALL {
            LEVELS[target as usize].store(self.max_level.min(self.filter.level(target)), Ordering::Relaxed);
        }
    }
}

#[derive(Clone)]
struct Sink {
    queue: Arc<Queue>,
    handler: Arc<LogHandler>,
    backlog: Arc<Backlog>,
}

/// The lines that were written and that the handler has not got.
#[derive(Default)]
struct Backlog {
    waiting: AtomicUsize,
    /// There was no room for them.
    dropped: AtomicUsize,
}

/// One line that waits.
struct Waiting(Arc<Backlog>);

/// The last level of each target that is wanted.
static LEVELS: [AtomicU8; Target::ALL.len()] = [const { AtomicU8::new(0) }; Target::ALL.len()];

/// Lines that may wait for delivery; more are dropped and counted, so that a log cannot fill the memory.
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
            backlog: Arc::default(),
        });
        log.max_level = if sink.is_some() { level as u8 } else { 0 };
        log.apply();
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

/// Lets through what `directives` say, of what the handler wants: `target=level` and a level for all other targets,
/// separated by commas, as in `warn,engine=debug`. Targets are those of [`Target`], levels `off`, `error`, `warn`, `info`,
/// `debug` and `trace`. Targets that no directive is for let nothing through; without any directive all do.
///
/// # Errors
/// `InvalidArgument`, naming what is no target or no level; the filter stays as it was.
pub fn set_filter(directives: &str) -> Result<()> {
    let filter = Filter::parse(directives)?;
    let mut log = Process::current().log.write();
    log.filter = filter;
    log.apply();
    Ok(())
}

/// Turns the log of a forked child off: its parent's handler is not for it.
pub(super) fn forget() {
    for level in &LEVELS {
        level.store(0, Ordering::Relaxed);
    }
}

/// Whether lines of this target and level are wanted.
pub fn enabled(target: Target, level: Level) -> bool {
    level as u8 <= LEVELS[target as usize].load(Ordering::Relaxed)
}

/// Sends a line on its way.
pub(crate) fn write(target: Target, level: Level, message: fmt::Arguments<'_>) {
    let Some(Sink { queue, handler, backlog }) = Process::current().log.read().sink.clone() else { return };
    let Some(waiting) = Waiting::enter(&backlog) else { return };
    let message = line(message);
    // A line is written wherever it comes up, under any lock.
    queue.push_locked(Delivery::call(move || {
        let left = waiting.leave();
        handler(level, target.as_str(), &message);
        if left <= MAX_WAITING / 2 && backlog.dropped.load(Ordering::Relaxed) > 0 {
            let dropped = backlog.dropped.swap(0, Ordering::Relaxed);
            let message = format!("{dropped} lines were dropped because too many waited for the handler of the log");
            handler(Level::Warn, Target::Runtime.as_str(), &message);
        }
    }));
}

impl Waiting {
    /// Waits, if there is room.
    fn enter(backlog: &Arc<Backlog>) -> Option<Self> {
        let line = Self(backlog.clone());
        if backlog.waiting.fetch_add(1, Ordering::Relaxed) < MAX_WAITING {
            return Some(line);
        }
        backlog.dropped.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// Waits no more; how many still do.
    fn leave(self) -> usize {
        let backlog = self.0.clone();
        drop(self);
        backlog.waiting.load(Ordering::Relaxed)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
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

/// `at!(Target, Level, "format", ..)`; what comes behind the level is looked at only when the line is wanted.
macro_rules! at {
    ($target:ident, $level:ident, $($message:tt)+) => {
        if $crate::runtime::log::enabled($crate::runtime::log::Target::$target, $crate::runtime::log::Level::$level) {
            $crate::runtime::log::write(
                $crate::runtime::log::Target::$target,
                $crate::runtime::log::Level::$level,
                format_args!($($message)+),
            );
        }
    };
}
macro_rules! error { ($target:ident, $($line:tt)+) => { $crate::runtime::log::at!($target, Error, $($line)+) } }
macro_rules! warning { ($target:ident, $($line:tt)+) => { $crate::runtime::log::at!($target, Warn, $($line)+) } }
macro_rules! info { ($target:ident, $($line:tt)+) => { $crate::runtime::log::at!($target, Info, $($line)+) } }
macro_rules! debug { ($target:ident, $($line:tt)+) => { $crate::runtime::log::at!($target, Debug, $($line)+) } }

pub(crate) use {at, debug, error, info, warning};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_bounded() {
        assert_eq!(line(format_args!("a {} c", "ü\"\r\n\x1b[31m\u{202e}")), "a ü\"\\r\\n\\u{1b}[31m\\u{202e} c");
        let long = line(format_args!("{}{}", "x".repeat(MAX_LINE - 1), "\n".repeat(MAX_LINE)));
        assert!((MAX_LINE..MAX_LINE + 16).contains(&long.len()));
    }
    /// The log is the process's: one test for all of it.
    #[test]
    fn what_is_filtered_out_is_not_written_and_what_is_dropped_is_counted() {
        use std::sync::mpsc::{channel, sync_channel};
        let (sender, lines) = channel();
        let (go_on, blocked) = sync_channel::<()>(0);
        let both = crate::runtime::sync::Mutex::new((sender, blocked));
        set_filter("http=trace").unwrap();
        let handler = move |level: Level, target: &str, line: &str| {
            let (sender, blocked) = &*both.lock();
            sender.send((level, target.to_owned(), line.to_owned())).unwrap();
            if line == "first" {
                blocked.recv().unwrap();
            }
        };
        set(Level::Debug, Some(Box::new(handler))).unwrap();
        assert!(enabled(Target::Http, Level::Debug) && !enabled(Target::Http, Level::Trace));
        assert!(!enabled(Target::Engine, Level::Error));
        assert!(set_filter("engine=loud").is_err());
        debug!(Engine, "{}", lines.recv().map(|_| "never formatted").unwrap());
        debug!(Http, "first");
        assert_eq!(lines.recv().unwrap(), (Level::Debug, "http".to_owned(), "first".to_owned()));
        for i in 0..MAX_WAITING + 10 {
            debug!(Http, "{i}");
        }
        go_on.send(()).unwrap();
        let mut seen = 0;
        let report = loop {
            let (level, target, line) = lines.recv().unwrap();
            if target == "runtime" {
                break (level, line);
            }
            assert_eq!(line, seen.to_string());
            seen += 1;
        };
        assert_eq!(report.0, Level::Warn);
        assert!(report.1.starts_with("10 lines were dropped"), "{}", report.1);
        set(Level::Error, None).unwrap();
        set_filter("").unwrap();
        // What waited came all the same, and the report once.
        seen += lines.into_iter().inspect(|(_, target, _)| assert_eq!(target, "http")).count();
        assert_eq!(seen, MAX_WAITING);
    }
}
