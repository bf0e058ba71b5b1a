//! A stream in memory, for models: what a socket and tokio's readiness for it do, under the model checker.
//!
//! The library's side never blocks, the peer's does. There is room for so many bytes that the peer has not read; a write
//! that finds less is cut short, and the writer is told when there is room again.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::runtime::sync::{Condvar, Mutex};

/// The library's side, and its peer, with room for so many bytes between them.
pub fn stream(room: usize) -> (MemoryStream, Peer) {
    let state = State { room, writable: true, ..State::default() };
    let wire = Arc::new(Wire { state: Mutex::new(state), changed: Condvar::default() });
    (MemoryStream(wire.clone()), Peer(wire))
}

/// The library's side.
#[derive(Debug)]
pub struct MemoryStream(Arc<Wire>);

/// Who is at the other end.
#[derive(Debug)]
pub struct Peer(Arc<Wire>);

pub(super) struct MemoryReader(Arc<Wire>);

/// Dropped, it ends its direction, as tokio's do.
pub(super) struct MemoryWriter(Arc<Wire>);

#[derive(Debug)]
struct Wire {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    to_peer: VecDeque<u8>,
    room: usize,
    /// What tokio believes: it asks the system no more once that has refused.
    writable: bool,
    /// A write was refused, or cut short: the system says when there is room.
    wants_room: bool,
    ended: bool,
    from_peer: Vec<u8>,
    peer_ended: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl MemoryStream {
    pub(super) fn into_split(self) -> (MemoryReader, MemoryWriter) {
        (MemoryReader(self.0.clone()), MemoryWriter(self.0))
    }
}

impl MemoryReader {
    /// Appends what has arrived; 0 is the end.
    pub(super) fn poll_read(&self, cx: &Context<'_>, buffer: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        let mut state = self.0.state.lock();
        if state.from_peer.is_empty() && !state.peer_ended {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let arrived = state.from_peer.len();
        buffer.append(&mut state.from_peer);
        Poll::Ready(Ok(arrived))
    }
}

impl MemoryWriter {
    pub(super) fn try_write(&self, head: &[u8], tail: &[u8]) -> io::Result<usize> {
        let mut state = self.0.state.lock();
        assert!(!state.ended, "written behind the end");
        let room = state.room - state.to_peer.len();
        if !state.writable || room == 0 {
            state.writable = false;
            state.wants_room = true;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let taken = room.min(head.len() + tail.len());
        state.to_peer.extend(head.iter().chain(tail).take(taken));
        state.wants_room = taken < head.len() + tail.len();
        drop(state);
        self.0.changed.notify_all();
        Ok(taken)
    }

    pub(super) fn poll_write_ready(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.state.lock();
        if state.writable {
            return Poll::Ready(Ok(()));
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ends this direction, or both.
    pub(super) fn end(&self, both: bool) {
        self.0.state.lock().ended = true;
        self.0.changed.notify_all();
        if both {
            end_reading(&self.0);
        }
    }
}

impl Drop for MemoryWriter {
    fn drop(&mut self) {
        self.end(false);
    }
}

impl Peer {
    /// Sends bytes; there is always room for them.
    pub fn send(&self, bytes: &[u8]) {
        let mut state = self.0.state.lock();
        state.from_peer.extend_from_slice(bytes);
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
    }

    /// Sends a frame of text, masked with zeros: of fewer than 126 bytes.
    pub fn send_text(&self, text: &str) {
        assert!(text.len() < 126);
        self.send(&[&[0x81, 0x80 | text.len() as u8, 0, 0, 0, 0], text.as_bytes()].concat());
    }

    /// Waits for bytes and takes at most `max` of them; none is the end.
    pub fn receive(&self, max: usize) -> Vec<u8> {
        let mut state = self.0.state.lock();
        while state.to_peer.is_empty() && !state.ended {
            state = self.0.changed.wait(state);
        }
        let taken = max.min(state.to_peer.len());
        let received = state.to_peer.drain(..taken).collect();
        let mut writer = None;
        if taken > 0 && std::mem::take(&mut state.wants_room) {
            state.writable = true;
            writer = state.writer.take();
        }
        drop(state);
        writer.into_iter().for_each(Waker::wake);
        received
    }

    /// Reads frames until the end and leaves too: the text of each, and an empty one for the close frame.
    pub fn receive_texts(&self) -> Vec<String> {
        self.texts().collect()
    }

    /// The same, one by one.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        let mut received = Vec::new();
        std::iter::from_fn(move || {
            loop {
                if let Some((text, behind)) = first_text(&received) {
                    received.drain(..behind);
                    return Some(text);
                }
                let more = self.receive(usize::MAX);
                if more.is_empty() {
                    assert!(received.is_empty(), "a frame was cut short");
                    self.leave();
                    return None;
                }
                received.extend(more);
            }
        })
    }

    /// Sends nothing from now on.
    pub fn leave(&self) {
        end_reading(&self.0);
    }
}

fn end_reading(wire: &Wire) {
    let mut state = wire.state.lock();
    state.peer_ended = true;
    let reader = state.reader.take();
    drop(state);
    reader.into_iter().for_each(Waker::wake);
}

/// The frame at the front of `bytes`, if it is whole, and where it ends.
fn first_text(bytes: &[u8]) -> Option<(String, usize)> {
    let (&[opcode, length], rest) = bytes.split_first_chunk()?;
    let (head, length) = match length {
        126 => (4, usize::from(u16::from_be_bytes(*rest.first_chunk()?))),
        length => (2, usize::from(length)),
    };
    let text = bytes.get(head..head + length)?;
    let text = if opcode == 0x88 { String::new() } else { String::from_utf8_lossy(text).into_owned() };
    Some((text, head + length))
}
