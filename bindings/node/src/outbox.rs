//! From JavaScript to the library: what `lib/outbox.js` has written down, one operation a line.
//!
//! A line is fields between tabs, the first of them a letter. Texts are [escaped](json::unescape); JSON has no tabs or line
//! feeds of its own. A payload is two fields: the number of its attachments, which are the next ones of the list, and its JSON.

use std::borrow::Cow;
use std::fmt::Write as _;

use napi::bindgen_prelude::BufferSlice;
use socketio_bindings::{Broadcast, Error, Namespace, Next, Payload, Result, Status, cork, uncork};

use crate::json;
use crate::objects::Objects;

/// Carries the operations out, in order; what they send is written at the end. What the library refused comes back as the JSON of an array, for each of them the kind
/// of object ("socket", "client", "next" or "" for what JavaScript should not have asked for), its number, the number of the ack that
/// will not come or 0, the status and the message.
pub(crate) fn apply(text: &str, attachments: &[BufferSlice<'_>], objects: &mut Objects) -> Option<String> {
    cork();
    let refused = carry_out(text, attachments.iter(), objects);
    uncork();
    refused
}

fn carry_out<'a>(
    text: &'a str,
    mut attachments: std::slice::Iter<'a, BufferSlice<'a>>,
    objects: &mut Objects,
) -> Option<String> {
    let mut refused = String::new();
    for line in text.split_terminator('\n') {
        let mut fields = Fields { rest: line, attachments: &mut attachments };
        let Err(Refusal { kind, number, ack, error }) = operation(&mut fields, objects) else { continue };
        refused.push(if refused.is_empty() { '[' } else { ',' });
        let _ = write!(refused, "[\"{kind}\",{number},{ack},{},", error.status as i32);
        json::string(&mut refused, &error.message);
        refused.push(']');
    }
    if refused.is_empty() {
        return None;
    }
    refused.push(']');
    Some(refused)
}

/// An operation that the library has refused.
struct Refusal {
    kind: &'static str,
    number: u32,
    ack: u64,
    error: Error,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { kind: "", number: 0, ack: 0, error }
    }
}

/// The fields of one line.
struct Fields<'a, 'b> {
    rest: &'a str,
    attachments: &'b mut std::slice::Iter<'a, BufferSlice<'a>>,
}

impl<'a> Fields<'a, '_> {
    fn raw(&mut self) -> &'a str {
        let (field, rest) = self.rest.split_once('\t').unwrap_or((self.rest, ""));
        self.rest = rest;
        field
    }

    fn text(&mut self) -> Cow<'a, str> {
        json::unescape(self.raw())
    }

    fn number<T: std::str::FromStr + Default>(&mut self) -> T {
        self.raw().parse().unwrap_or_default()
    }

    fn flag(&mut self) -> bool {
        self.raw() == "1"
    }

    fn payload(&mut self) -> Result<Payload> {
        let count: usize = self.number();
        let json = self.rest; // it is always the last one
        if count == 0 {
            return Payload::from_json(json, &[]);
        }
        let attachments: Vec<&[u8]> = self.attachments.by_ref().take(count).map(|buffer| &**buffer).collect();
        Payload::from_json(json, &attachments)
    }
}

fn operation(fields: &mut Fields<'_, '_>, objects: &mut Objects) -> std::result::Result<(), Refusal> {
    match fields.raw() {
        // For sockets of a server:
        "e" => {
            let (number, volatile, event, payload) = (fields.number(), fields.flag(), fields.text(), fields.payload()?);
            let Some(socket) = objects.sockets.get(number) else { return Ok(()) };
            let sent = socket.handle.emit(&event, &payload, volatile);
            sent.or_else(|error| refused("socket", number, 0, error))
        }
        "a" => {
            let (number, timeout, ack) = (fields.number(), fields.number(), fields.number());
            let (event, payload) = (fields.text(), fields.payload()?);
            let sent = match objects.sockets.get(number) {
                Some(socket) => socket.handle.emit_with_ack(&event, &payload, timeout, ack),
                None => Err(gone()),
            };
            sent.or_else(|error| refused("socket", number, ack, error))
        }
        "k" => {
            let (number, right, payload) = (fields.number(), fields.number(), fields.payload()?);
            let Some(ack) = objects.sockets.get_mut(number).and_then(|socket| socket.acks.take(right)) else {
                return Ok(());
            };
            ack.send(&payload).or_else(|error| refused("socket", number, 0, error))
        }
        "b" => broadcast(fields, objects),
        "j" => with_socket(fields, objects, |socket, fields| socket.join(&fields.text())),
        "l" => with_socket(fields, objects, |socket, fields| socket.leave(&fields.text())),
        "d" => with_socket(fields, objects, |socket, fields| socket.disconnect(fields.flag())),
        "n" => {
            let number = fields.number();
            let next = objects.sockets.get_mut(number).and_then(|socket| socket.asked.take());
            // Who has gone away meanwhile will not be heard of again.
            let accepted = next.map_or(Ok(()), Next::accept);
            accepted.map_err(|error| Refusal { kind: "next", number, ack: 0, error })
        }
        "r" => {
            let (number, message) = (fields.number(), fields.text());
            let data = match fields.raw() {
                "" => None,
                json => Some(Payload::from_json(json, &[])?),
            };
            let next = objects.sockets.get_mut(number).and_then(|socket| socket.asked.take());
            let Some(next) = next else { return Ok(()) };
            next.reject(&message, data.as_ref()).or_else(|error| refused("socket", number, 0, error))
        }
        "f" => {
            objects.sockets.remove(fields.number());
            Ok(())
        }
        // For clients:
        "E" => {
            let (number, volatile, event, payload) = (fields.number(), fields.flag(), fields.text(), fields.payload()?);
            let Some(client) = objects.clients.get(number) else { return Ok(()) };
            let sent = client.handle.emit(&event, &payload, volatile);
            sent.or_else(|error| refused("client", number, 0, error))
        }
        "A" => {
            let (number, timeout, ack) = (fields.number(), fields.number(), fields.number());
            let (event, payload) = (fields.text(), fields.payload()?);
            let sent = match objects.clients.get(number) {
                Some(client) => client.handle.emit_with_ack(&event, &payload, timeout, ack),
                None => Err(gone()),
            };
            sent.or_else(|error| refused("client", number, ack, error))
        }
        "K" => {
            let (number, right, payload) = (fields.number(), fields.number(), fields.payload()?);
            let Some(ack) = objects.clients.get_mut(number).and_then(|client| client.acks.take(right)) else {
                return Ok(());
            };
            ack.send(&payload).or_else(|error| refused("client", number, 0, error))
        }
        "U" => {
            let (number, json) = (fields.number(), fields.raw());
            let auth = objects.clients.get_mut(number).and_then(|client| client.asked.take());
            let Some(auth) = auth else { return Ok(()) };
            auth.send(json).or_else(|error| refused("client", number, 0, error))
        }
        "C" => match objects.clients.get(fields.number()) {
            Some(client) => Ok(client.handle.connect()?),
            None => Ok(()),
        },
        "D" => match objects.clients.get(fields.number()) {
            Some(client) => Ok(client.handle.disconnect()?),
            None => Ok(()),
        },
        other => {
            Err(Error { status: Status::SIO_ERR_INVALID_ARGUMENT, message: format!("there is no operation {other:?}") }
                .into())
        }
    }
}

/// From whom (`s` and a socket's number, or `n` and a namespace's), volatile, rooms, rooms that are left out, and what: `e` event
/// payload, `j` room, `l` room, `d` close.
fn broadcast(fields: &mut Fields<'_, '_>, objects: &mut Objects) -> std::result::Result<(), Refusal> {
    let from_socket = fields.raw() == "s";
    let number = fields.number();
    let made = if from_socket {
        objects.sockets.get(number).map(|socket| socket.handle.broadcast())
    } else {
        objects.namespaces.get(number).map(Namespace::broadcast)
    };
    let Some(mut broadcast) = made.transpose()? else { return Ok(()) };
    if fields.flag() {
        broadcast = broadcast.volatile();
    }
    for add in [Broadcast::to, Broadcast::except] {
        for _ in 0..fields.number::<usize>() {
            broadcast = add(broadcast, &fields.text());
        }
    }
    match fields.raw() {
        "e" => {
            let event = fields.text();
            broadcast.emit(&event, &fields.payload()?)?;
        }
        "j" => broadcast.sockets_join(&fields.text())?,
        "l" => broadcast.sockets_leave(&fields.text())?,
        _ => broadcast.disconnect_sockets(fields.flag())?,
    }
    Ok(())
}

fn with_socket<'a>(
    fields: &mut Fields<'a, '_>,
    objects: &Objects,
    act: impl FnOnce(&socketio_bindings::Socket, &mut Fields<'a, '_>) -> Result<()>,
) -> std::result::Result<(), Refusal> {
    let number = fields.number();
    let Some(socket) = objects.sockets.get(number) else { return Ok(()) };
    act(&socket.handle, fields).or_else(|error| refused("socket", number, 0, error))
}

/// A socket that is gone is no mistake of anybody's: what is sent to it goes nowhere. Only who waits for an answer learns of it,
/// and a client for which too much waits is disconnected, as it is when a broadcast finds that.
fn refused(kind: &'static str, number: u32, ack: u64, error: Error) -> std::result::Result<(), Refusal> {
    if error.status == Status::SIO_ERR_CLOSED && ack == 0 {
        return Ok(());
    }
    Err(Refusal { kind, number, ack, error })
}

fn gone() -> Error {
    Error { status: Status::SIO_ERR_CLOSED, message: "the socket is gone".to_owned() }
}
