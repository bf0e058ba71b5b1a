//! From the library to JavaScript: what was delivered, as the JSON that `lib/hub.js` reads.
//!
//! A batch is an array of records, each an array that begins with a [kind](Kind). Payloads are in it as they came: the library
//! has checked them.

use socketio_bindings::{Delivery, Payload, Socket};

use crate::json;
use crate::objects::Objects;
use crate::sys::Call;

/// What a record is about. The numbers are those of `lib/hub.js`.
#[derive(Clone, Copy)]
enum Kind {
    Event,
    Connection,
    Disconnecting,
    Disconnect,
    Ack,
    Done,
    ClientEvent,
    ClientConnect,
    ClientConnectError,
    ClientDisconnect,
    Manager,
    Middleware,
    ClientAuth,
}

/// Writes one record, with a comma if others are before it; and adds its attachments to `call`. How many bytes these have.
pub(crate) fn write(out: &mut String, delivery: Delivery<'_>, objects: &mut Objects, call: &mut Call<'_>) -> usize {
    let Objects { sockets, clients, .. } = objects;
    match delivery {
        Delivery::Event { socket, event, .. } => {
            let Some(number) = sockets.number(&socket) else { return 0 };
            let right = event.take_ack().and_then(|ack| Some(sockets.get_mut(number)?.acks.keep(ack)));
            begin(out, Kind::Event, number);
            return arguments(out, right, Some(event.name()), &event.payload(), call);
        }
        Delivery::Middleware { id, socket, next } => {
            let number = sockets.number(&socket).unwrap_or_else(|| sockets.add(&socket));
            if let Some(peer) = sockets.get_mut(number) {
                peer.asked = Some(next);
            }
            introduction(out, Kind::Middleware, number, id, &socket);
        }
        Delivery::Connection { id, socket } => {
            if let Some(number) = sockets.number(&socket) {
                begin(out, Kind::Connection, number);
                field(out, id);
            } else {
                introduction(out, Kind::Connection, sockets.add(&socket), id, &socket);
            }
        }
        Delivery::Disconnecting { socket, reason, rooms, .. } => {
            let Some(number) = sockets.number(&socket) else { return 0 };
            begin(out, Kind::Disconnecting, number);
            text(out, reason);
            out.push(',');
            out.push_str(if rooms.is_empty() { "[]" } else { rooms });
        }
        Delivery::Disconnect { socket, reason, .. } => {
            let Some(number) = sockets.number(&socket) else { return 0 };
            begin(out, Kind::Disconnect, number);
            text(out, reason);
        }
        Delivery::Ack { id, status, payload } => {
            begin(out, Kind::Ack, id);
            if let Some(payload) = payload {
                return arguments(out, Some(0), None, &payload, call);
            }
            field(out, status);
        }
        Delivery::Done { id, status, message } => {
            begin(out, Kind::Done, id);
            field(out, status);
            text(out, message);
        }
        Delivery::ClientEvent { id, event, .. } => {
            let Some(client) = clients.get_mut(id as u32) else { return 0 };
            let right = event.take_ack().map(|ack| client.acks.keep(ack));
            begin(out, Kind::ClientEvent, id);
            return arguments(out, right, Some(event.name()), &event.payload(), call);
        }
        Delivery::ClientAuth { id, auth, .. } => {
            let Some(client) = clients.get_mut(id as u32) else { return 0 };
            client.asked = Some(auth);
            begin(out, Kind::ClientAuth, id);
        }
        Delivery::ClientConnect { id, client } => {
            begin(out, Kind::ClientConnect, id);
            text(out, &client.id().unwrap_or_default());
        }
        Delivery::ClientConnectError { id, status, message, data, .. } => {
            begin(out, Kind::ClientConnectError, id);
            field(out, status);
            text(out, message);
            if let Some(data) = data {
                out.push(',');
                out.push_str(data.json());
            }
        }
        Delivery::ClientDisconnect { id, reason, .. } => {
            begin(out, Kind::ClientDisconnect, id);
            text(out, reason);
        }
        Delivery::Manager { id, event, attempt, reason, message } => {
            begin(out, Kind::Manager, id);
            field(out, event);
            field(out, attempt);
            text(out, reason);
            text(out, message);
        }
        Delivery::Log { .. } | Delivery::Unknown => return 0,
    }
    out.push(']');
    0
}

fn begin(out: &mut String, kind: Kind, number: impl TryInto<i64>) {
    if out.len() > 1 {
        out.push(',');
    }
    out.push('[');
    json::number(out, kind as i32);
    field(out, number);
}

fn field(out: &mut String, number: impl TryInto<i64>) {
    out.push(',');
    json::number(out, number.try_into().unwrap_or_default());
}

fn text(out: &mut String, value: &str) {
    out.push(',');
    json::string(out, value);
}

/// The end of a record: the right to answer or 0, the array of arguments, and if it has attachments the number of the first. With
/// a name, that is the first argument.
fn arguments(
    out: &mut String,
    right: Option<u64>,
    name: Option<&str>,
    payload: &Payload,
    call: &mut Call<'_>,
) -> usize {
    field(out, right.unwrap_or_default());
    let array = payload.json();
    out.push(',');
    if let Some(name) = name {
        out.push('[');
        json::string(out, name);
        if payload.count() > 0 {
            out.push(',');
        }
        out.push_str(&array[1..]);
    } else {
        out.push_str(array);
    }
    let mut bytes = 0;
    for i in 0..payload.attachment_count() {
        let attachment = payload.attachment(i);
        bytes += attachment.len();
        let number = call.attach(attachment);
        if i == 0 {
            field(out, number);
        }
    }
    out.push(']');
    bytes
}

/// A record about a socket that JavaScript does not know yet, but for its end.
fn introduction(out: &mut String, kind: Kind, number: u32, namespace: u64, socket: &Socket) {
    begin(out, kind, number);
    field(out, namespace);
    text(out, socket.id());
    handshake(out, socket);
}

/// How a socket came to be: what `lib/handshake.js` makes the official object of.
fn handshake(out: &mut String, socket: &Socket) {
    let handshake = socket.handshake();
    out.push_str(",{\"url\":");
    json::string(out, handshake.url());
    out.push_str(",\"address\":");
    json::string(out, handshake.address());
    out.push_str(if handshake.secure() { ",\"secure\":true" } else { ",\"secure\":false" });
    out.push_str(",\"issued\":");
    json::number(out, handshake.issued());
    out.push_str(",\"auth\":");
    out.push_str(handshake.auth_json());
    out.push_str(",\"headers\":[");
    let mut separator = "";
    for (name, value) in handshake.headers() {
        for part in [name, value] {
            out.push_str(separator);
            json::string(out, &part);
            separator = ",";
        }
    }
    out.push_str("]}");
}
