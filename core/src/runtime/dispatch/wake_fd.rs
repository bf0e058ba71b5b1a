//! A descriptor that is readable from a signal until it is cleared.

use std::io;
#[cfg(not(target_os = "linux"))]
use std::io::{Read, Write};
use std::os::fd::AsRawFd;

/// A descriptor that is readable from a signal until it is cleared. Nothing here blocks.
pub(super) struct WakeFd {
    #[cfg(target_os = "linux")]
    event: std::os::fd::OwnedFd,
    /// What is written to the second is read from the first.
    #[cfg(not(target_os = "linux"))]
    pair: (std::os::unix::net::UnixStream, std::os::unix::net::UnixStream),
}

#[cfg(target_os = "linux")]
impl WakeFd {
    pub(super) fn new() -> io::Result<Self> {
        use rustix::event::{EventfdFlags, eventfd};
        Ok(Self { event: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)? })
    }

    pub(super) fn number(&self) -> i32 {
        self.event.as_raw_fd()
    }

    pub(super) fn signal(&self) {
        // It fails only when the counter is full, and then it is readable.
        let _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
    }

    /// Whether it is readable.
    #[cfg(all(test, shuttle))]
    pub(super) fn is_signalled(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut fds = [PollFd::new(&self.event, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
    }

    pub(super) fn clear(&self) {
        // It fails when there was no signal.
        let _ = rustix::io::read(&self.event, &mut [0; 8]);
    }
}

#[cfg(not(target_os = "linux"))]
impl WakeFd {
    pub(super) fn new() -> io::Result<Self> {
        let pair = std::os::unix::net::UnixStream::pair()?;
        pair.0.set_nonblocking(true)?;
        pair.1.set_nonblocking(true)?;
        Ok(Self { pair })
    }

    pub(super) fn number(&self) -> i32 {
        self.pair.0.as_raw_fd()
    }

    pub(super) fn signal(&self) {
        // It fails only when the buffer is full, and then it is readable.
        let _ = (&self.pair.1).write(&[1]);
    }

    pub(super) fn clear(&self) {
        while (&self.pair.0).read(&mut [0; 64]).is_ok_and(|n| n > 0) {}
    }
}
