//! Queues: callbacks where the program wants them.

use socketio::{
    sio_log_set_queue, sio_manager_options, sio_manager_options_set_queue, sio_queue, sio_queue_close,
    sio_queue_dispatch, sio_queue_fd, sio_queue_new, sio_queue_retain, sio_queue_take, sio_runtime, sio_server_options,
    sio_server_options_set_queue, sio_status,
};

use super::host::Host;
use super::registry::{self, Times, on_wake};

/// Makes a queue, or has it used.
pub(super) fn make(host: &mut Host<'_>) {
    // SAFETY: the program keeps the conventions: all arguments are what `Host` hands out.
    unsafe {
        match host.script.below(5) {
            0 if host.queues.len() < 2 => {
                let runtime = host.lend::<sio_runtime>();
                let (callback, mut out) = (host.callback(on_wake as _, Times::Any), host.out());
                let (wake, user_data, destroy) = (callback.function, callback.user_data, callback.destroy);
                let status = sio_queue_new(runtime.handle, wake, user_data, destroy, out.place());
                host.registered(status, &callback, runtime.good || runtime.handle.is_null());
                if host.done(status, &out, true) {
                    let queue = host.lend_last();
                    host.queues.push(sio_queue_retain(queue));
                }
            }
            1 => {
                let queue = host.lend::<sio_queue>();
                let kept = sio_queue_retain(queue.handle);
                assert_eq!(kept.is_null(), !queue.good);
                host.hold(kept);
            }
            2 => {
                let (options, queue) = (host.lend::<sio_manager_options>(), host.lend::<sio_queue>());
                let status = sio_manager_options_set_queue(options.handle, queue.handle);
                host.answered(status, options.good && queue.good);
            }
            3 => {
                let queue = host.lend::<sio_queue>();
                let status = sio_log_set_queue(queue.handle);
                host.answered(status, queue.good || queue.handle.is_null());
            }
            _ => {
                let (options, queue) = (host.lend::<sio_server_options>(), host.lend::<sio_queue>());
                let status = sio_server_options_set_queue(options.handle, queue.handle);
                host.answered(status, options.good && queue.good);
            }
        }
    }
}

/// Calls something of a queue.
pub(super) fn call(host: &mut Host<'_>) {
    let queue = host.lend::<sio_queue>();
    // SAFETY: as above.
    unsafe {
        match host.script.below(8) {
            2 | 3 => take(host, queue.handle, queue.good),
            4 => host.clear_records(1),
            0 => {
                let status = sio_queue_close(queue.handle);
                host.answered(status, queue.good);
            }
            1 => assert_eq!(sio_queue_fd(queue.handle) >= 0, queue.good),
            _ => {
                let (max, mut count) = (host.script.below(4), usize::MAX);
                let status = sio_queue_dispatch(queue.handle, max, &raw mut count);
                host.answered(status, queue.good);
                assert_eq!(count == usize::MAX, status != sio_status::SIO_OK);
                assert!(status != sio_status::SIO_OK || max == 0 || count <= max);
            }
        }
    }
}

/// Takes records, which stand for the calls; they are given back now or later.
unsafe fn take(host: &mut Host<'_>, queue: *mut sio_queue, good: bool) {
    let (capacity, mut count) = (host.script.below(4), usize::MAX);
    let mut records = Vec::with_capacity(capacity);
    // SAFETY: as the caller says; there is room for so many, and that many are written.
    unsafe {
        let status = sio_queue_take(queue, records.as_mut_ptr(), capacity, &raw mut count);
        host.answered(status, good && capacity > 0);
        assert_eq!(count == usize::MAX, status != sio_status::SIO_OK);
        if status == sio_status::SIO_OK {
            assert!(count <= capacity);
            records.set_len(count);
            records.iter().for_each(|record| registry::handle(record));
            host.records.extend(records);
        }
    }
}
