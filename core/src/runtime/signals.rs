//! Signals are the program's: library threads block all but those that report a fault of the thread itself.
#![allow(unsafe_code)]

/// Blocks, on this thread, every signal but SEGV, BUS, FPE, ILL, TRAP, ABRT and PROF.
#[cfg(unix)]
pub(super) fn block() {
    let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigfillset` initialises the set before anything reads it, and the calls take pointers to this frame
    // only. `pthread_sigmask` changes this thread's mask and no other's.
    unsafe {
        libc::sigfillset(set.as_mut_ptr());
        for signal in
            [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGPROF]
        {
            libc::sigdelset(set.as_mut_ptr(), signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
    }
}

/// There are no such signals elsewhere.
#[cfg(not(unix))]
pub(super) fn block() {}
