//! Managers and their clients: of a server of the same program, or of one that is not there.

use std::ptr;

use socketio::{
    sio_client, sio_client_active, sio_client_buffered_bytes, sio_client_connect, sio_client_connected,
    sio_client_disconnect, sio_client_emit, sio_client_emit_flags, sio_client_emit_with_ack, sio_client_get_manager,
    sio_client_id, sio_client_namespace, sio_client_off, sio_client_on, sio_client_on_any, sio_client_on_auth,
    sio_client_on_connect, sio_client_on_connect_error, sio_client_on_disconnect, sio_client_once, sio_client_options,
    sio_client_retain, sio_client_set_auth_json, sio_client_transport, sio_manager, sio_manager_close, sio_manager_new,
    sio_manager_off, sio_manager_on, sio_manager_open, sio_manager_options, sio_manager_retain, sio_manager_socket,
    sio_payload, sio_runtime, sio_status,
};

use super::host::Host;
use super::registry::{
    Times, on_ack, on_auth, on_client_disconnect, on_client_event, on_connect, on_connect_error, on_done, on_manager,
    read_text,
};

/// URLs that lead nowhere, without a look at names.
const URLS: [&[u8]; 8] = [
    b"http://127.0.0.1:1",
    b"http://[::1]:1/adm?x=1",
    b"ws://127.0.0.1:1/",
    b"https://x",
    b"",
    b"http://",
    b"\xff",
    b"http://127.0.0.1:0",
];

/// Makes a manager, or a client of one.
pub(super) fn make(host: &mut Host<'_>) {
    // SAFETY: the program keeps the conventions: all arguments are what `Host` hands out.
    unsafe {
        match host.script.below(6) {
            0..=2 if host.managers.len() < 3 => {
                let (runtime, options) = (host.lend::<sio_runtime>(), host.lend::<sio_manager_options>());
                let (choice, mut out) = (usize::from(host.script.byte()), host.out());
                let url = match (&host.address, choice) {
                    (Some(address), 0..128) => format!("http://{address}").into_bytes(),
                    _ => URLS[choice % URLS.len()].to_vec(),
                };
                let url = host.kept(&url);
                let status = sio_manager_new(runtime.handle, url, options.handle, out.place());
                let good = (runtime.good || runtime.handle.is_null()) && (options.good || options.handle.is_null());
                if host.done(status, &out, good) {
                    let manager = host.lend_last();
                    host.managers.push(sio_manager_retain(manager));
                }
            }
            3 => {
                let (manager, client) = (host.lend::<sio_manager>(), host.lend::<sio_client>());
                host.hold(sio_manager_retain(manager.handle));
                let kept = sio_client_retain(client.handle);
                assert_eq!(kept, if client.good { client.handle } else { ptr::null_mut() });
                host.hold(kept);
            }
            _ => {
                let (manager, name) = (host.lend::<sio_manager>(), host.text());
                let options = host.lend::<sio_client_options>();
                let client = sio_manager_socket(manager.handle, name, options.handle);
                assert!(client.is_null() || manager.good && (options.good || options.handle.is_null()));
                host.hold(client);
            }
        }
    }
}

/// Calls something of a manager or a client.
pub(super) fn call(host: &mut Host<'_>) {
    // SAFETY: as above.
    unsafe { if host.script.below(5) == 0 { call_manager(host) } else { call_client(host) } }
}

unsafe fn call_manager(host: &mut Host<'_>) {
    let manager = host.lend::<sio_manager>();
    let to = manager.handle;
    // SAFETY: as the caller says.
    unsafe {
        match host.script.below(5) {
            0 => {
                let status = sio_manager_open(to);
                host.answered(status, manager.good);
            }
            1 => {
                let callback = host.callback(on_done as _, Times::Once);
                let status = sio_manager_close(to, callback.function, callback.user_data, callback.destroy);
                host.registered(status, &callback, manager.good);
            }
            2 | 3 => {
                let (event, mut listener) = (host.script.below(11) as i32 - 1, 0);
                let callback = host.callback(on_manager as _, Times::Any);
                let (function, user_data, destroy) = (callback.function, callback.user_data, callback.destroy);
                let status = sio_manager_on(to, event, function, user_data, destroy, &raw mut listener);
                host.registered(status, &callback, manager.good && function.is_some() && (1..=8).contains(&event));
                if listener != 0 && host.script.byte() & 1 == 0 {
                    assert_eq!(sio_manager_off(to, listener), sio_status::SIO_OK);
                }
            }
            _ => {
                let status = sio_manager_off(to, host.number());
                host.answered(status, manager.good);
            }
        }
    }
}

unsafe fn call_client(host: &mut Host<'_>) {
    let client = host.lend::<sio_client>();
    let to = client.handle;
    // SAFETY: as the caller says.
    unsafe {
        let status = match host.script.below(10) {
            0 => {
                read_text(sio_client_namespace(to));
                read_text(sio_client_transport(to));
                let _ = (sio_client_connected(to), sio_client_active(to), sio_client_buffered_bytes(to));
                assert_eq!(sio_client_get_manager(to).is_null(), !client.good);
                let mut out = host.out();
                let status = sio_client_id(to, out.place());
                host.done(status, &out, client.good);
                return;
            }
            1 | 2 => sio_client_connect(to),
            3 => sio_client_disconnect(to),
            4 => sio_client_off(to, host.number()),
            5 | 6 => {
                let (event, payload, flags) = (host.text(), host.lend::<sio_payload>(), host.script.below(4) as u32);
                let status = match flags {
                    0 => sio_client_emit(to, event, payload.handle),
                    _ => sio_client_emit_flags(to, event, payload.handle, flags - 1),
                };
                return host.answered(status, client.good && (payload.good || payload.handle.is_null()));
            }
            7 => {
                let (event, payload, time) = (host.text(), host.lend::<sio_payload>(), host.number() as u32);
                let callback = host.callback(on_ack as _, Times::Once);
                let (function, user_data, destroy) = (callback.function, callback.user_data, callback.destroy);
                let status = sio_client_emit_with_ack(to, event, payload.handle, time, function, user_data, destroy);
                let good = client.good && (payload.good || payload.handle.is_null());
                return host.registered(status, &callback, good && function.is_some());
            }
            _ => return listen(host, client.good, to),
        };
        host.answered(status, client.good);
    }
}

unsafe fn listen(host: &mut Host<'_>, good: bool, to: *mut sio_client) {
    let mut listener = 0;
    let step = host.script.below(8);
    // SAFETY: as the caller says.
    unsafe {
        match step {
            0..=2 => {
                let (event, callback) = (host.text(), host.callback(on_client_event as _, Times::Any));
                let (function, user_data, destroy) = (callback.function, callback.user_data, callback.destroy);
                let status = match step {
                    0 => sio_client_on(to, event, function, user_data, destroy, &raw mut listener),
                    1 => sio_client_once(to, event, function, user_data, destroy, &raw mut listener),
                    _ => sio_client_on_any(to, function, user_data, destroy, &raw mut listener),
                };
                host.registered(status, &callback, good && function.is_some());
            }
            3 => {
                let callback = host.callback(on_connect as _, Times::Any);
                let (function, user_data, destroy) = (callback.function, callback.user_data, callback.destroy);
                let status = sio_client_on_connect(to, function, user_data, destroy, ptr::null_mut());
                host.registered(status, &callback, good && function.is_some());
            }
            4 => {
                let callback = host.callback(on_connect_error as _, Times::Any);
                let (function, user_data, destroy) = (callback.function, callback.user_data, callback.destroy);
                let status = sio_client_on_connect_error(to, function, user_data, destroy, ptr::null_mut());
                host.registered(status, &callback, good && function.is_some());
            }
            5 => {
                let callback = host.callback(on_auth as _, Times::Any);
                let (function, user_data, destroy) = (callback.function, callback.user_data, callback.destroy);
                let status = sio_client_on_auth(to, function, user_data, destroy);
                host.registered(status, &callback, good && function.is_some());
            }
            6 => {
                let status = sio_client_set_auth_json(to, host.text());
                host.answered(status, good);
            }
            _ => {
                let callback = host.callback(on_client_disconnect as _, Times::Any);
                let (function, user_data, destroy) = (callback.function, callback.user_data, callback.destroy);
                let status = sio_client_on_disconnect(to, function, user_data, destroy, ptr::null_mut());
                host.registered(status, &callback, good && function.is_some());
            }
        }
        if listener != 0 && host.script.byte() & 3 == 0 {
            // A listener for one event may have gone by itself.
            let status = sio_client_off(to, listener);
            host.answered(status, true);
        }
    }
}
