//! Every bound that holds for what peers send, and for what may wait.

use std::time::Duration;

/// The bounds of a server or a manager, with their defaults.
///
/// A bound is checked before the bytes it is about are kept. What happens past it stands at each field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of an HTTP request's head (16 KiB). Past it: 431, and the connection is closed.
    pub request_head: usize,
    /// Header lines of an HTTP request (100). Past it: 431, and the connection is closed.
    pub request_headers: usize,
    /// Time to the whole head of a new TCP connection's first request (10 s). Past it: closed.
    pub request_head_time: Duration,
    /// Time an HTTP connection may stay idle between two requests (65 s). Past it: closed.
    pub keep_alive: Duration,
    /// Bytes of one message in any form, `maxHttpBufferSize` (1,000,000): the body of a POST, a WebSocket message, an
    /// attachment after base64. Past it: 413 and the session stays, or WebSocket close code 1009. It also bounds what is
    /// held while attachments are waited for; past that: protocol error.
    pub max_payload: usize,
    /// Fragments of a WebSocket message, empty ones included (16,384). Past it: WebSocket close code 1008.
    pub fragments: usize,
    /// Bytes that may wait for a peer that pings and does not read (64 KiB). Past it: reading pauses.
    pub pong_bytes: usize,
    /// Attachments of a packet, `maxAttachments` (10). Past it: protocol error.
    pub attachments: usize,
    /// Arguments of an event or an acknowledgement (65,536). Past it: protocol error.
    pub arguments: usize,
    /// Bytes of a namespace's name (256). Past it: `CONNECT_ERROR` for a `CONNECT`, else protocol error.
    pub namespace_name: usize,
    /// Namespaces joined over one connection (256). Past it: `CONNECT_ERROR`.
    pub namespaces: usize,
    /// Bytes of a room's name (1 KiB). Past it: an error to the caller.
    pub room_name: usize,
    /// Bytes of a received event's name (1 KiB). Past it: protocol error.
    pub event_name: usize,
    /// Acknowledgements that a socket waits for (65,536). Past it: the oldest fails with an error to its waiter.
    pub pending_acks: usize,
    /// Bytes that may wait to be sent on one connection (16 MiB). Past it: an error to the emitter, and volatile packets are
    /// dropped.
    pub queued_bytes: usize,
    /// Events of one connection that its handlers have not taken yet (1,024). Past it: reading pauses.
    pub undelivered_events: usize,
    /// Bytes of the events of one connection that its handlers have not taken yet (1 MiB). Past it: reading pauses.
    pub undelivered_bytes: usize,
    /// Bytes of all undelivered events of one delivery queue (64 MiB). Past it: reading pauses.
    pub delivery_queue_bytes: usize,
    /// Sessions of a server (none). Past it: 503.
    pub sessions: Option<usize>,
}

/// How deep JSON may nest, counting the array of arguments. Past it: protocol error.
///
/// It is not an option: the scanner keeps its stack in one integer of so many bits.
pub const JSON_DEPTH: u32 = 128;

impl Limits {
    /// The defaults, as a constant.
    pub const DEFAULT: Self = Self {
        request_head: 16 << 10,
        request_headers: 100,
        request_head_time: Duration::from_secs(10),
        keep_alive: Duration::from_secs(65),
        max_payload: 1_000_000,
        fragments: 16_384,
        pong_bytes: 64 << 10,
        attachments: 10,
        arguments: 65_536,
        namespace_name: 256,
        namespaces: 256,
        room_name: 1 << 10,
        event_name: 1 << 10,
        pending_acks: 65_536,
        queued_bytes: 16 << 20,
        undelivered_events: 1_024,
        undelivered_bytes: 1 << 20,
        delivery_queue_bytes: 64 << 20,
        sessions: None,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
