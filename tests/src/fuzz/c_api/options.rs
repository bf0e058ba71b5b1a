//! Options, runtimes, the log, and what the library says about itself.

use std::ffi::CStr;

use socketio::{
    SIO_ABI_VERSION, sio_abi_check, sio_client_options, sio_client_options_new, sio_client_options_set_auth_json,
    sio_log_set, sio_manager_options, sio_manager_options_new, sio_manager_options_set_auth_json,
    sio_manager_options_set_auto_connect, sio_manager_options_set_delivery, sio_manager_options_set_extra_header,
    sio_manager_options_set_json, sio_manager_options_set_max_buffered_bytes, sio_manager_options_set_path,
    sio_manager_options_set_query, sio_manager_options_set_reconnection, sio_manager_options_set_reconnection_attempts,
    sio_manager_options_set_reconnection_delay, sio_manager_options_set_timeout, sio_manager_options_set_transports,
    sio_manager_options_set_upgrade, sio_runtime_new, sio_runtime_options, sio_runtime_options_new,
    sio_runtime_options_set_dispatch_threads, sio_runtime_options_set_thread_hooks,
    sio_runtime_options_set_thread_name_prefix, sio_runtime_options_set_worker_threads, sio_runtime_retain,
    sio_server_options, sio_server_options_new, sio_server_options_set_allow_upgrades,
    sio_server_options_set_connect_timeout, sio_server_options_set_cors, sio_server_options_set_delivery,
    sio_server_options_set_json, sio_server_options_set_max_buffered_bytes,
    sio_server_options_set_max_http_buffer_size, sio_server_options_set_path, sio_server_options_set_ping_interval,
    sio_server_options_set_ping_timeout, sio_server_options_set_transports, sio_server_options_set_upgrade_timeout,
    sio_status, sio_status_name, sio_version,
};

use super::host::Host;
use super::registry::{Times, on_log, on_thread};

/// Makes options, or a runtime.
pub(super) fn make(host: &mut Host<'_>) {
    // SAFETY: the program keeps the conventions: all arguments are what `Host` hands out.
    unsafe {
        match host.script.below(8) {
            0 | 1 => host.hold(sio_server_options_new()),
            2 | 3 => host.hold(sio_manager_options_new()),
            4 => host.hold(sio_client_options_new()),
            5 => host.hold(sio_runtime_options_new()),
            6 => {
                let callback = host.callback(on_log as _, Times::Any);
                let level = host.script.below(8) as i32;
                let status = sio_log_set(level, callback.function, callback.user_data, callback.destroy);
                host.registered(status, &callback, true);
            }
            // Threads are dear.
            _ if host.runtimes.is_empty() => {
                let options = host.lend::<sio_runtime_options>();
                let mut out = host.out();
                let status = sio_runtime_new(options.handle, out.place());
                if host.done(status, &out, options.good || options.handle.is_null()) {
                    let runtime = host.lend_last();
                    host.runtimes.push(sio_runtime_retain(runtime));
                }
            }
            _ => about(host),
        }
    }
}

unsafe fn about(host: &mut Host<'_>) {
    let number = host.number() as u32;
    // SAFETY: these take numbers, and return constants.
    unsafe {
        assert_eq!(sio_abi_check(number) == sio_status::SIO_OK, number == SIO_ABI_VERSION);
        assert!(!CStr::from_ptr(sio_status_name(number.cast_signed())).is_empty());
        assert!(!CStr::from_ptr(sio_version()).is_empty());
    }
}

/// Sets an option.
pub(super) fn set(host: &mut Host<'_>) {
    // SAFETY: as above.
    unsafe {
        match host.script.below(8) {
            0..=2 => set_server(host),
            3..=5 => set_manager(host),
            6 => {
                let (options, text) = (host.lend::<sio_client_options>(), host.text());
                let status = sio_client_options_set_auth_json(options.handle, text);
                host.answered(status, options.good);
            }
            _ => set_runtime(host),
        }
    }
}

unsafe fn set_server(host: &mut Host<'_>) {
    let options = host.lend::<sio_server_options>();
    let to = options.handle;
    // SAFETY: as the caller says.
    let status = unsafe {
        match host.script.below(14) {
            0..=2 => sio_server_options_set_json(to, host.text()),
            3 => sio_server_options_set_path(to, host.text()),
            4 => sio_server_options_set_ping_interval(to, host.number() as u32),
            5 => sio_server_options_set_ping_timeout(to, host.number() as u32),
            6 => sio_server_options_set_upgrade_timeout(to, host.number() as u32),
            7 => sio_server_options_set_connect_timeout(to, host.number() as u32),
            8 => sio_server_options_set_max_http_buffer_size(to, host.number()),
            9 => sio_server_options_set_transports(to, host.script.below(6) as u32),
            10 => sio_server_options_set_allow_upgrades(to, host.script.byte() & 1 == 0),
            11 => sio_server_options_set_cors(to, host.text()),
            12 => sio_server_options_set_max_buffered_bytes(to, host.number()),
            _ => sio_server_options_set_delivery(to, host.number() as i32),
        }
    };
    host.answered(status, options.good);
}

unsafe fn set_manager(host: &mut Host<'_>) {
    let options = host.lend::<sio_manager_options>();
    let to = options.handle;
    // SAFETY: as the caller says.
    let status = unsafe {
        match host.script.below(16) {
            0..=2 => sio_manager_options_set_json(to, host.text()),
            3 => sio_manager_options_set_path(to, host.text()),
            4 => sio_manager_options_set_transports(to, host.script.below(6) as u32),
            5 => sio_manager_options_set_upgrade(to, host.script.byte() & 1 == 0),
            6 => sio_manager_options_set_reconnection(to, host.script.byte() & 1 == 0),
            7 => sio_manager_options_set_reconnection_attempts(to, host.number() as u32),
            8 => {
                let (min, max) = (host.number() as u32, host.number() as u32);
                sio_manager_options_set_reconnection_delay(to, min, max, f64::from_bits(host.number()))
            }
            9 => sio_manager_options_set_timeout(to, host.number() as u32),
            10 => sio_manager_options_set_query(to, host.text(), host.text()),
            11 => sio_manager_options_set_extra_header(to, host.text(), host.text()),
            12 => sio_manager_options_set_auth_json(to, host.text()),
            13 => sio_manager_options_set_auto_connect(to, host.script.byte() & 1 == 0),
            14 => sio_manager_options_set_max_buffered_bytes(to, host.number()),
            _ => sio_manager_options_set_delivery(to, host.number() as i32),
        }
    };
    host.answered(status, options.good);
}

unsafe fn set_runtime(host: &mut Host<'_>) {
    let options = host.lend::<sio_runtime_options>();
    let to = options.handle;
    // SAFETY: as the caller says.
    let status = unsafe {
        match host.script.below(4) {
            3 => {
                let callback = host.callback(on_thread as _, Times::Any);
                let (function, user_data, destroy) = (callback.function, callback.user_data, callback.destroy);
                let status = sio_runtime_options_set_thread_hooks(to, function, function, user_data, destroy);
                return host.registered(status, &callback, options.good);
            }
            0 => sio_runtime_options_set_worker_threads(to, host.threads()),
            1 => sio_runtime_options_set_dispatch_threads(to, host.threads()),
            _ => sio_runtime_options_set_thread_name_prefix(to, host.text()),
        }
    };
    host.answered(status, options.good);
}
