//! Servers, namespaces, broadcasts, and sockets as far as clients connect.

use std::ptr;

use socketio::{
    sio_broadcast, sio_broadcast_disconnect_sockets, sio_broadcast_emit, sio_broadcast_except, sio_broadcast_local,
    sio_broadcast_sockets_join, sio_broadcast_sockets_leave, sio_broadcast_to, sio_broadcast_volatile, sio_namespace,
    sio_namespace_broadcast, sio_namespace_emit, sio_namespace_find, sio_namespace_name, sio_namespace_off,
    sio_namespace_on, sio_namespace_on_any, sio_namespace_on_connection, sio_namespace_on_disconnect,
    sio_namespace_on_disconnecting, sio_namespace_retain, sio_namespace_socket_count, sio_payload, sio_runtime,
    sio_server, sio_server_clients_count, sio_server_close, sio_server_get_address, sio_server_listen, sio_server_new,
    sio_server_of, sio_server_on_request, sio_server_options, sio_server_retain, sio_socket, sio_socket_broadcast,
    sio_socket_buffered_bytes, sio_socket_connected, sio_socket_data, sio_socket_disconnect, sio_socket_emit,
    sio_socket_emit_flags, sio_socket_emit_with_ack, sio_socket_get_handshake, sio_socket_get_namespace, sio_socket_id,
    sio_socket_in_room, sio_socket_join, sio_socket_leave, sio_socket_off, sio_socket_on, sio_socket_on_any,
    sio_socket_on_disconnect, sio_socket_on_disconnecting, sio_socket_once, sio_socket_retain, sio_socket_rooms,
    sio_socket_set_data, sio_socket_transport, sio_status, sio_string, sio_string_get,
};
use socketio::{
    sio_handshake_auth_json, sio_handshake_header, sio_handshake_headers, sio_handshake_query, sio_handshake_url,
    sio_namespace_use,
};

use super::host::Host;
use super::registry::{
    self, Times, on_ack, on_connection, on_disconnect, on_done, on_event, on_header, on_middleware, on_request,
    on_room, read_text,
};

/// Addresses that nobody can listen on; none is looked up by name.
const BAD_ADDRESSES: [&[u8]; 7] = [b"", b"nonsense", b"127.0.0.1:99999", b"127.0.0.1:", b"[::1", b"unix:", b"\xff"];

/// Makes a server, or what belongs to one.
pub(super) fn make(host: &mut Host<'_>) {
    // SAFETY: the program keeps the conventions: all arguments are what `Host` hands out.
    unsafe {
        match host.script.below(10) {
            0..=2 if host.servers.len() < 3 => {
                let (runtime, options) = (host.lend::<sio_runtime>(), host.lend::<sio_server_options>());
                let mut out = host.out();
                let status = sio_server_new(runtime.handle, options.handle, out.place());
                let good = (runtime.good || runtime.handle.is_null()) && (options.good || options.handle.is_null());
                // One that is not kept closes when its last reference goes.
                if host.done(status, &out, good) && host.script.byte() & 1 == 0 {
                    let server = host.lend_last();
                    host.servers.push(sio_server_retain(server));
                }
            }
            3 => listen(host),
            4 | 5 => {
                let (server, name) = (host.lend::<sio_server>(), host.text());
                let namespace = sio_server_of(server.handle, name);
                assert!(server.good || namespace.is_null());
                host.hold(namespace);
            }
            6 => {
                let namespace = host.lend::<sio_namespace>();
                host.hold(sio_namespace_broadcast(namespace.handle));
            }
            7 => {
                let (server, namespace) = (host.lend::<sio_server>(), host.lend::<sio_namespace>());
                let server = (sio_server_retain(server.handle), server);
                assert_eq!(server.0.is_null(), !server.1.good);
                host.hold(server.0);
                host.hold(sio_namespace_retain(namespace.handle));
            }
            8 => {
                let (server, mut out) = (host.lend::<sio_server>(), host.out::<sio_string>());
                let status = sio_server_get_address(server.handle, 0, out.place());
                host.done(status, &out, server.good);
            }
            _ => {
                if host.address.is_some() && host.count::<socketio::sio_client>() > 0 {
                    registry::await_socket();
                }
                if let Some(socket) = registry::take_socket() {
                    host.hold(socket);
                }
            }
        }
    }
}

/// Listens: on a port of the loopback interface once, else where nobody can.
unsafe fn listen(host: &mut Host<'_>) {
    let (server, choice) = (host.lend::<sio_server>(), host.script.byte());
    let callback = host.callback(on_done as _, Times::Once);
    let address = if host.address.is_none() && choice < 128 {
        b"127.0.0.1:0"
    } else {
        BAD_ADDRESSES[usize::from(choice) % BAD_ADDRESSES.len()]
    };
    let address = host.kept(address);
    // SAFETY: as the caller says.
    unsafe {
        let status = sio_server_listen(server.handle, address, callback.function, callback.user_data, callback.destroy);
        host.registered(status, &callback, server.good);
        if status == sio_status::SIO_OK {
            let mut string = ptr::null_mut();
            assert_eq!(sio_server_get_address(server.handle, 0, &raw mut string), sio_status::SIO_OK);
            let text = sio_string_get(string);
            let text = std::slice::from_raw_parts(text.ptr.cast::<u8>(), text.len);
            host.address = Some(String::from_utf8_lossy(text).into_owned());
            host.hold(string);
        }
    }
}

/// Calls something of a server.
pub(super) fn call(host: &mut Host<'_>) {
    // SAFETY: as above.
    unsafe {
        match host.script.below(8) {
            0 => call_server(host),
            1..=3 => call_namespace(host),
            4 | 5 => call_broadcast(host),
            _ => call_socket(host),
        }
    }
}

unsafe fn call_server(host: &mut Host<'_>) {
    let server = host.lend::<sio_server>();
    // SAFETY: as the caller says.
    unsafe {
        match host.script.below(4) {
            0 => assert!(server.good || sio_server_clients_count(server.handle) == 0),
            1 => {
                let callback = host.callback(on_done as _, Times::Once);
                let status = sio_server_close(server.handle, callback.function, callback.user_data, callback.destroy);
                host.registered(status, &callback, server.good);
            }
            _ => {
                let callback = host.callback(on_request as _, Times::Any);
                let status =
                    sio_server_on_request(server.handle, callback.function, callback.user_data, callback.destroy);
                host.registered(status, &callback, server.good);
            }
        }
    }
}

unsafe fn call_namespace(host: &mut Host<'_>) {
    let namespace = host.lend::<sio_namespace>();
    let to = namespace.handle;
    let mut listener = 0;
    // SAFETY: as the caller says.
    unsafe {
        let step = host.script.below(10);
        match step {
            0 => {
                read_text(sio_namespace_name(to));
                assert!(namespace.good || sio_namespace_socket_count(to) == 0);
                let id = host.text();
                host.hold(sio_namespace_find(to, id));
            }
            1 => {
                let (event, payload) = (host.text(), host.lend::<sio_payload>());
                let status = sio_namespace_emit(to, event, payload.handle);
                host.answered(status, namespace.good && (payload.good || payload.handle.is_null()));
            }
            2 | 3 => {
                let callback = host.callback(on_connection as _, Times::Any);
                let status = sio_namespace_on_connection(
                    to,
                    callback.function,
                    callback.user_data,
                    callback.destroy,
                    &raw mut listener,
                );
                host.registered(status, &callback, namespace.good && callback.function.is_some());
            }
            4 | 5 => {
                let (event, callback) = (host.text(), host.callback(on_event as _, Times::Any));
                let (function, user_data, destroy) = (callback.function, callback.user_data, callback.destroy);
                let status = if step == 4 {
                    sio_namespace_on(to, event, function, user_data, destroy, &raw mut listener)
                } else {
                    sio_namespace_on_any(to, function, user_data, destroy, ptr::null_mut())
                };
                host.registered(status, &callback, namespace.good && function.is_some());
            }
            6 | 7 => {
                let callback = host.callback(on_disconnect as _, Times::Any);
                let (function, user_data, destroy) = (callback.function, callback.user_data, callback.destroy);
                let status = if step == 6 {
                    sio_namespace_on_disconnect(to, function, user_data, destroy, &raw mut listener)
                } else {
                    sio_namespace_on_disconnecting(to, function, user_data, destroy, ptr::null_mut())
                };
                host.registered(status, &callback, namespace.good && function.is_some());
            }
            8 => {
                let callback = host.callback(on_middleware as _, Times::Any);
                let (function, user_data, destroy) = (callback.function, callback.user_data, callback.destroy);
                let status = sio_namespace_use(to, function, user_data, destroy);
                host.registered(status, &callback, namespace.good && function.is_some());
            }
            _ => {
                let status = sio_namespace_off(to, host.number());
                host.answered(status, namespace.good);
            }
        }
        // Some listeners go again at once.
        if listener != 0 && host.script.byte() & 3 == 0 {
            // The end of its server may have taken it out meanwhile.
            let status = sio_namespace_off(to, listener);
            assert!(matches!(status, sio_status::SIO_OK | sio_status::SIO_ERR_NOT_FOUND), "{status:?}");
            assert_eq!(sio_namespace_off(to, listener), sio_status::SIO_ERR_NOT_FOUND);
        }
    }
}

unsafe fn call_broadcast(host: &mut Host<'_>) {
    let broadcast = host.lend::<sio_broadcast>();
    let to = broadcast.handle;
    // SAFETY: as the caller says.
    unsafe {
        let status = match host.script.below(8) {
            step @ 0..=3 => {
                let same = match step {
                    0 => sio_broadcast_to(to, host.text()),
                    1 => sio_broadcast_except(to, host.text()),
                    2 => sio_broadcast_volatile(to),
                    _ => sio_broadcast_local(to),
                };
                return assert!(same == if broadcast.good { to } else { same });
            }
            4 | 5 => {
                let (event, payload) = (host.text(), host.lend::<sio_payload>());
                let status = sio_broadcast_emit(to, event, payload.handle);
                return host.answered(status, broadcast.good && (payload.good || payload.handle.is_null()));
            }
            6 => sio_broadcast_sockets_join(to, host.text()),
            _ if host.script.byte() & 1 == 0 => sio_broadcast_sockets_leave(to, host.text()),
            _ => sio_broadcast_disconnect_sockets(to, host.script.byte() & 1 == 0),
        };
        host.answered(status, broadcast.good);
    }
}

unsafe fn call_socket(host: &mut Host<'_>) {
    let socket = host.lend::<sio_socket>();
    let to = socket.handle;
    // SAFETY: as the caller says.
    unsafe {
        let status = match host.script.below(12) {
            0 => return read_socket(host, to),
            1 => {
                host.hold(sio_socket_retain(to));
                return host.hold(sio_socket_broadcast(to));
            }
            2 => sio_socket_join(to, host.text()),
            3 => sio_socket_leave(to, host.text()),
            4 => sio_socket_disconnect(to, host.script.byte() & 1 == 0),
            5 => sio_socket_off(to, host.number()),
            6 | 7 => {
                let (event, payload, flags) = (host.text(), host.lend::<sio_payload>(), host.script.below(4) as u32);
                let status = match flags {
                    0 => sio_socket_emit(to, event, payload.handle),
                    _ => sio_socket_emit_flags(to, event, payload.handle, flags - 1),
                };
                return host.answered(status, socket.good && (payload.good || payload.handle.is_null()));
            }
            8 | 9 => {
                let (event, payload, time) = (host.text(), host.lend::<sio_payload>(), host.number() as u32);
                let callback = host.callback(on_ack as _, Times::Once);
                let (function, user_data, destroy) = (callback.function, callback.user_data, callback.destroy);
                let status = sio_socket_emit_with_ack(to, event, payload.handle, time, function, user_data, destroy);
                let good = socket.good && (payload.good || payload.handle.is_null());
                return host.registered(status, &callback, good && function.is_some());
            }
            10 => {
                let callback = host.callback(on_room, Times::Any);
                let status = sio_socket_set_data(to, callback.user_data, callback.destroy);
                return host.registered(status, &callback, socket.good);
            }
            _ => return listen_to_socket(host, socket.good, to),
        };
        host.answered(status, socket.good);
    }
}

unsafe fn listen_to_socket(host: &mut Host<'_>, good: bool, to: *mut sio_socket) {
    let none = ptr::null_mut();
    let step = host.script.below(5);
    // SAFETY: as the caller says.
    unsafe {
        if step < 3 {
            let (event, callback) = (host.text(), host.callback(on_event as _, Times::Any));
            let (function, user_data, destroy) = (callback.function, callback.user_data, callback.destroy);
            let status = match step {
                0 => sio_socket_on(to, event, function, user_data, destroy, none),
                1 => sio_socket_once(to, event, function, user_data, destroy, none),
                _ => sio_socket_on_any(to, function, user_data, destroy, none),
            };
            host.registered(status, &callback, good && function.is_some());
        } else {
            let callback = host.callback(on_disconnect as _, Times::Any);
            let (function, user_data, destroy) = (callback.function, callback.user_data, callback.destroy);
            let status = match step {
                3 => sio_socket_on_disconnecting(to, function, user_data, destroy, none),
                _ => sio_socket_on_disconnect(to, function, user_data, destroy, none),
            };
            host.registered(status, &callback, good && function.is_some());
        }
    }
}

unsafe fn read_socket(host: &mut Host<'_>, socket: *mut sio_socket) {
    let (text, mut out) = (host.text(), host.out::<sio_string>());
    // SAFETY: as the caller says; what is borrowed of the socket is used before it is given back.
    unsafe {
        read_text(sio_socket_id(socket));
        read_text(sio_socket_transport(socket));
        let _ = (sio_socket_connected(socket), sio_socket_buffered_bytes(socket), sio_socket_data(socket));
        let _ = sio_socket_in_room(socket, text);
        sio_socket_rooms(socket, Some(on_room), ptr::null_mut());
        let namespace = sio_socket_get_namespace(socket);
        read_text(sio_namespace_name(namespace));
        let handshake = sio_socket_get_handshake(socket);
        read_text(sio_handshake_header(handshake, text));
        sio_handshake_headers(handshake, Some(on_header), ptr::null_mut());
        read_text(sio_handshake_url(handshake));
        read_text(sio_handshake_auth_json(handshake));
        let status = sio_handshake_query(handshake, text, out.place());
        host.done(status, &out, !handshake.is_null());
    }
}
