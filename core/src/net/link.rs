//! A WebSocket connection after its handshake, with our own buffering.
//!
//! The two halves have different owners. The [`Reader`] belongs to the connection's task and reads into the thread's
//! shared buffer: it holds bytes only while a frame is partial. The [`Writer`] belongs under the connection's lock:
//! whoever has something to send writes it straight to the socket, and what the socket refuses stays here until the
//! task finds it writable.

use std::cell::RefCell;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream, tcp, unix};
use tokio_util::io::poll_read_buf;

#[cfg(shuttle)]
use super::memory::{MemoryReader, MemoryStream, MemoryWriter};
use crate::proto::engine::outbox::Outbox;
use crate::proto::engine::packet::Packet;
use crate::proto::engine::websocket::{self, Decoder, Opcode, Role};
use crate::runtime::dispatch::wake;
use crate::runtime::fill_random;
use crate::runtime::sync::thread_local;

/// The size of a thread's read buffer, and of what is gathered for one write.
const BUFFER_BYTES: usize = 64 << 10;

/// From this size on, a message is written from where it lies and not copied.
const LARGE_BYTES: usize = 16 << 10;

/// Reads of one connection before the others of its thread get their turn.
const READS_PER_TURN: usize = 4;

/// Something that bytes come from and go to.
#[derive(Debug)]
pub enum Stream {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a unix socket.
    Unix(UnixStream),
    /// In a model.
    #[cfg(shuttle)]
    Memory(MemoryStream),
}

/// What sits behind a link and handles what it reads. Its methods take the connection's lock.
pub(crate) trait Endpoint {
    /// Handles the frames at the front of `input`: how many bytes they were, and whether more is wanted.
    fn received(&self, decoder: &mut Decoder, input: &mut [u8]) -> (usize, Flow);

    /// Called whenever the task runs: lets the writer go on ([`Writer::poll`]), says whether to read.
    fn poll(&self, cx: &mut Context<'_>) -> Flow;

    /// The peer sent its end, or the socket failed. Not called after [`Flow::Stop`].
    fn hung_up(&self, error: Option<io::Error>);
}

/// What the reader does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// It reads on.
    Read,
    /// It waits until the task is woken by [`Writer::wake`].
    Pause,
    /// It ends.
    Stop,
}

/// How a flush ended.
#[derive(Debug)]
pub(crate) enum Flushed {
    /// Everything is with the operating system.
    All,
    /// The socket takes no more; the task goes on when it does.
    Blocked,
    /// The connection is broken.
    Failed,
}

impl Stream {
    /// Has small packets sent at once, instead of when those before are acknowledged.
    pub(crate) fn set_nodelay(&self) {
        if let Self::Tcp(stream) = self {
            // It fails only on a connection that is broken already.
            let _ = stream.set_nodelay(true);
        }
    }

    /// Splits the stream for its task and its lock; `head` are the bytes that were read behind the handshake.
    pub(crate) fn into_link(self, role: Role, decoder: Decoder, head: &[u8]) -> (Reader, Writer) {
        let (read, write) = match self {
            Self::Tcp(stream) => {
                let (read, write) = stream.into_split();
                (ReadHalf::Tcp(read), WriteHalf::Tcp(write))
            }
            Self::Unix(stream) => {
                let (read, write) = stream.into_split();
                (ReadHalf::Unix(read), WriteHalf::Unix(write))
            }
            #[cfg(shuttle)]
            Self::Memory(stream) => {
                let (read, write) = stream.into_split();
                (ReadHalf::Memory(read), WriteHalf::Memory(write))
            }
        };
        let masked = role == Role::Client;
        (Reader { half: read, decoder, partial: head.to_vec(), fresh: !head.is_empty() }, Writer::new(write, masked))
    }
}

/// The reading half.
pub(crate) struct Reader {
    half: ReadHalf,
    decoder: Decoder,
    /// What was read and not used: the beginning of a frame, or whatever came before a pause.
    partial: Vec<u8>,
    /// Whether `partial` may hold whole frames.
    fresh: bool,
}

enum ReadHalf {
    Tcp(tcp::OwnedReadHalf),
    Unix(unix::OwnedReadHalf),
    #[cfg(shuttle)]
    Memory(MemoryReader),
}

thread_local! {
    /// What this thread reads into: one buffer for all of its connections.
    static READ: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// What this thread gathers for one write.
    static GATHER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Reader {
    /// Reads until the connection ends: the body of the connection's task.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, endpoint: &impl Endpoint) -> Poll<()> {
        for _ in 0..READS_PER_TURN {
            match endpoint.poll(cx) {
                Flow::Read => {}
                Flow::Pause => return Poll::Pending,
                Flow::Stop => return Poll::Ready(()),
            }
            if std::mem::take(&mut self.fresh) {
                match self.use_partial(endpoint) {
                    Flow::Read => {}
                    Flow::Pause => continue,
                    Flow::Stop => return Poll::Ready(()),
                }
            }
            match ready!(self.read_once(cx, endpoint)) {
                Ok(Flow::Read | Flow::Pause) => {}
                Ok(Flow::Stop) => return Poll::Ready(()),
                Err(error) => {
                    endpoint.hung_up((error.kind() != io::ErrorKind::UnexpectedEof).then_some(error));
                    return Poll::Ready(());
                }
            }
        }
        cx.waker().wake_by_ref();
        // A peer that sends without end keeps this thread busy; others need not wait for it.
        wake::wake_deferred();
        Poll::Pending
    }

    fn read_once(&mut self, cx: &mut Context<'_>, endpoint: &impl Endpoint) -> Poll<io::Result<Flow>> {
        if !self.partial.is_empty() {
            // By what the frame wants, but never more at once than a peer has proved to send.
            let wanted = self.decoder.wanted(&self.partial).unwrap_or(0).saturating_sub(self.partial.len());
            self.partial.reserve(wanted.clamp(512, BUFFER_BYTES));
            ready!(self.half.poll_read(cx, &mut self.partial))?;
            return Poll::Ready(Ok(self.use_partial(endpoint)));
        }
        READ.with_borrow_mut(|buffer| {
            buffer.clear();
            buffer.reserve(BUFFER_BYTES);
            ready!(self.half.poll_read(cx, buffer))?;
            let (used, flow) = endpoint.received(&mut self.decoder, buffer);
            self.partial.extend_from_slice(&buffer[used..]);
            self.fresh = flow == Flow::Pause;
            Poll::Ready(Ok(flow))
        })
    }

    fn use_partial(&mut self, endpoint: &impl Endpoint) -> Flow {
        let (used, flow) = endpoint.received(&mut self.decoder, &mut self.partial);
        if used == self.partial.len() {
            self.partial = Vec::new();
        } else {
            self.partial.drain(..used);
        }
        self.fresh = flow == Flow::Pause;
        flow
    }
}

impl ReadHalf {
    /// Appends what has arrived, at least one byte; the end of the stream is `UnexpectedEof`. The halves' own
    /// `poll_read` knows that a short read emptied the socket, and saves the read that would only say so.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        let n = ready!(match self {
            Self::Tcp(half) => poll_read_buf(Pin::new(half), cx, buffer),
            Self::Unix(half) => poll_read_buf(Pin::new(half), cx, buffer),
            #[cfg(shuttle)]
            Self::Memory(half) => half.poll_read(cx, buffer),
        })?;
        Poll::Ready(if n == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(n) })
    }
}

/// The writing half.
pub(crate) struct Writer {
    half: WriteHalf,
    /// Whether frames are masked: this is a client.
    masked: bool,
    /// The socket refused bytes; the task waits until it takes more.
    blocked: bool,
    /// The last frame was written or waits in `unsent`.
    ended: bool,
    unsent: Unsent,
    /// The newest ping that has not been answered. Older ones need no answer (RFC 6455, 5.5.3).
    pong: Option<Box<[u8]>>,
    waker: Option<Waker>,
}

enum WriteHalf {
    Tcp(tcp::OwnedWriteHalf),
    Unix(unix::OwnedWriteHalf),
    #[cfg(shuttle)]
    Memory(MemoryWriter),
}

/// Bytes that were taken from the outbox and not by the socket.
#[derive(Default)]
struct Unsent {
    head: Bytes,
    tail: Bytes,
}

impl Writer {
    fn new(half: WriteHalf, masked: bool) -> Self {
        Self { half, masked, blocked: false, ended: false, unsent: Unsent::default(), pong: None, waker: None }
    }

    /// Writes what waits, as far as the socket takes it.
    pub(crate) fn flush(&mut self, outbox: &mut Outbox) -> Flushed {
        if self.blocked {
            return Flushed::Blocked;
        }
        match self.try_flush(outbox) {
            Ok(()) => Flushed::All,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.blocked = true;
                self.wake();
                Flushed::Blocked
            }
            Err(_) => Flushed::Failed,
        }
    }

    /// Sends one packet past the outbox, behind what is half written.
    pub(crate) fn send_now(&mut self, packet: &str) -> Flushed {
        let mut frame = Vec::new();
        websocket::put_frame(&mut frame, Opcode::Text, packet.as_bytes(), self.masked.then(next_mask));
        self.put_off(&frame);
        self.flush(&mut Outbox::default())
    }

    /// Answers a ping.
    pub(crate) fn pong(&mut self, content: &[u8]) -> Flushed {
        self.pong = Some(content.into());
        self.flush(&mut Outbox::default())
    }

    /// Ends the connection with a close frame behind what is half written; what waits in the outbox is not sent.
    pub(crate) fn close(&mut self, code: Option<u16>) -> Flushed {
        if !self.ended {
            self.ended = true;
            let mut frame = Vec::new();
            websocket::put_close(&mut frame, code, self.masked.then(next_mask));
            self.put_off(&frame);
        }
        self.flush(&mut Outbox::default())
    }

    /// Whether the last frame has been written or waits only for the socket.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Ends the connection now, without a word.
    pub(crate) fn abort(&mut self) {
        self.ended = true;
        self.half.shutdown(Shutdown::Both);
        self.wake();
    }

    /// Bytes taken from the outbox that the socket has not taken.
    pub(crate) fn unsent(&self) -> usize {
        self.unsent.head.len() + self.unsent.tail.len()
    }

    /// Whether the socket takes no more at present.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Called by the task: remembers how to wake it, and waits for the socket if that refused bytes. Ready when the
    /// connection should be flushed again.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => self.waker = Some(cx.waker().clone()),
        }
        if !self.blocked {
            return Poll::Pending;
        }
        // An error shows at the write that follows.
        let _ = ready!(self.half.poll_write_ready(cx));
        self.blocked = false;
        Poll::Ready(())
    }

    /// Has the task run.
    pub(crate) fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    fn try_flush(&mut self, outbox: &mut Outbox) -> io::Result<()> {
        self.write_unsent()?;
        GATHER.with_borrow_mut(|gathered| {
            loop {
                gathered.clear();
                let tail = self.gather(gathered, outbox);
                if gathered.is_empty() && tail.is_empty() {
                    // One burst must not be paid for ever after.
                    gathered.shrink_to(2 * BUFFER_BYTES);
                    return Ok(());
                }
                let sent = match self.half.write(gathered, &tail) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                    sent => sent?,
                };
                if sent == gathered.len() + tail.len() {
                    self.shut_if_ended();
                    continue;
                }
                let head = Bytes::copy_from_slice(gathered.get(sent..).unwrap_or_default());
                self.unsent = Unsent { head, tail: tail.slice(sent.saturating_sub(gathered.len())..) };
                return Err(io::ErrorKind::WouldBlock.into());
            }
        })
    }

    /// Takes packets from the outbox as finished frames; a large one is returned to be written from where it lies.
    fn gather(&mut self, gathered: &mut Vec<u8>, outbox: &mut Outbox) -> Bytes {
        if !self.ended
            && let Some(content) = self.pong.take()
        {
            websocket::put_frame(gathered, Opcode::Pong, &content, self.masked.then(next_mask));
        }
        while !self.ended
            && gathered.len() < BUFFER_BYTES
            && let Some(packet) = outbox.pop()
        {
            let large = match packet {
                Packet::Text(text) => self.put(gathered, Opcode::Text, text),
                Packet::Binary(bytes) => self.put(gathered, Opcode::Binary, bytes),
                Packet::Shared(encoded) if !self.masked => put_or_return(gathered, encoded.websocket().clone()),
                Packet::Shared(encoded) => {
                    let key = Some(next_mask());
                    websocket::put_frame(gathered, Opcode::Text, encoded.text(), key);
                    for attachment in encoded.attachments() {
                        websocket::put_frame(gathered, Opcode::Binary, attachment, Some(next_mask()));
                    }
                    Bytes::new()
                }
                Packet::End => {
                    self.ended = true;
                    websocket::put_close(gathered, None, self.masked.then(next_mask));
                    Bytes::new()
                }
            };
            if !large.is_empty() {
                return large;
            }
        }
        Bytes::new()
    }

    fn put(&self, gathered: &mut Vec<u8>, opcode: Opcode, content: Bytes) -> Bytes {
        if self.masked {
            websocket::put_frame(gathered, opcode, &content, Some(next_mask()));
            return Bytes::new();
        }
        websocket::put_header(gathered, opcode, content.len(), None);
        put_or_return(gathered, content)
    }

    fn put_off(&mut self, bytes: &[u8]) {
        let Unsent { head, tail } = std::mem::take(&mut self.unsent);
        self.unsent.head = [&head[..], &tail, bytes].concat().into();
    }

    fn write_unsent(&mut self) -> io::Result<()> {
        if self.unsent() == 0 {
            return Ok(());
        }
        while self.unsent() > 0 {
            let sent = self.half.write(&self.unsent.head, &self.unsent.tail)?;
            let of_head = sent.min(self.unsent.head.len());
            self.unsent.head.advance(of_head);
            self.unsent.tail.advance(sent - of_head);
        }
        self.unsent = Unsent::default();
        self.shut_if_ended();
        Ok(())
    }

    /// Behind the last frame comes the end of the stream. The reader goes on until the peer has closed too, so that
    /// bytes on their way to us do not make the system reset the connection and lose what we sent.
    fn shut_if_ended(&self) {
        if self.ended {
            self.half.shutdown(Shutdown::Write);
        }
    }
}

fn put_or_return(gathered: &mut Vec<u8>, content: Bytes) -> Bytes {
    if content.len() >= LARGE_BYTES {
        return content;
    }
    gathered.extend_from_slice(&content);
    Bytes::new()
}

/// Writes both. Unlike the standard library's vectored write it never raises `SIGPIPE`, which would end a C program whose
/// thread writes to a peer that has gone.
fn send_both(socket: &SockRef<'_>, both: &[io::IoSlice<'_>]) -> io::Result<usize> {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    const FLAGS: libc::c_int = libc::MSG_NOSIGNAL;
    // Elsewhere the standard library has set the socket up so, or there are no signals.
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    const FLAGS: i32 = 0;
    socket.send_vectored_with_flags(both, FLAGS)
}

impl WriteHalf {
    fn write(&self, head: &[u8], tail: &[u8]) -> io::Result<usize> {
        if tail.is_empty() {
            return match self {
                Self::Tcp(half) => half.try_write(head),
                Self::Unix(half) => half.try_write(head),
                #[cfg(shuttle)]
                Self::Memory(half) => half.try_write(head, &[]),
            };
        }
        let both = [io::IoSlice::new(head), io::IoSlice::new(tail)];
        match self {
            Self::Tcp(half) => {
                let stream = half.as_ref();
                stream.try_io(Interest::WRITABLE, || send_both(&SockRef::from(stream), &both))
            }
            Self::Unix(half) => {
                let stream = half.as_ref();
                stream.try_io(Interest::WRITABLE, || send_both(&SockRef::from(stream), &both))
            }
            #[cfg(shuttle)]
            Self::Memory(half) => half.try_write(head, tail),
        }
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(half) => half.as_ref().poll_write_ready(cx),
            Self::Unix(half) => half.as_ref().poll_write_ready(cx),
            #[cfg(shuttle)]
            Self::Memory(half) => half.poll_write_ready(cx),
        }
    }

    fn shutdown(&self, how: Shutdown) {
        // It fails only where the peer was faster.
        let _ = match self {
            Self::Tcp(half) => SockRef::from(half.as_ref()).shutdown(how),
            Self::Unix(half) => SockRef::from(half.as_ref()).shutdown(how),
            #[cfg(shuttle)]
            Self::Memory(half) => {
                half.end(how == Shutdown::Both);
                Ok(())
            }
        };
    }
}

/// A masking key that nobody can foresee (RFC 6455, 10.3), drawn from the system's generator many at a time.
fn next_mask() -> [u8; 4] {
    const KEYS: usize = 256;
    thread_local! {
        static DRAWN: RefCell<Vec<[u8; 4]>> = const { RefCell::new(Vec::new()) };
    }
    DRAWN.with_borrow_mut(|drawn| {
        if drawn.is_empty() {
            drawn.resize(KEYS, [0; 4]);
            fill_random(drawn.as_flattened_mut());
        }
        drawn.pop().unwrap_or_default()
    })
}
