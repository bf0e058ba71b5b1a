//! What the steady state costs in heap allocations: counted in the whole process, through the C API, over real
//! sockets. The clients here are bare sockets with buffers of their own, so every allocation is the library's.
#![allow(unsafe_code, reason = "the tests call the C API")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::c_void;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use socketio::{
    sio_ack_send, sio_event, sio_event_get_payload, sio_event_take_ack, sio_namespace_emit, sio_namespace_on,
    sio_server, sio_server_close_wait, sio_server_get_address, sio_server_listen, sio_server_new, sio_server_of,
    sio_server_release, sio_socket, sio_socket_get_namespace, sio_str, sio_string_free, sio_string_get,
};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is the system's own; counting touches nothing else.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: passed on as it came.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: passed on as it came.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: passed on as it came.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// One test at a time: the count is the process's.
static ALONE: Mutex<()> = Mutex::new(());

fn text(text: &str) -> sio_str {
    sio_str { ptr: text.as_ptr().cast(), len: text.len() }
}

extern "C" fn echo(_: *mut sio_socket, event: *mut sio_event, _: *mut c_void) {
    // SAFETY: the event is live during the callback, and the ack is used up by the call.
    unsafe {
        sio_ack_send(sio_event_take_ack(event), sio_event_get_payload(event));
    }
}

extern "C" fn broadcast(socket: *mut sio_socket, event: *mut sio_event, _: *mut c_void) {
    // SAFETY: socket and event are live during the callback.
    unsafe {
        sio_namespace_emit(sio_socket_get_namespace(socket), text("b"), sio_event_get_payload(event));
    }
}

/// A server on a free port with both handlers.
fn serve() -> (*mut sio_server, String) {
    // SAFETY: all pointers are those that the calls before gave out.
    unsafe {
        let mut server = null_mut();
        assert_eq!(sio_server_new(null_mut(), null(), &raw mut server) as i32, 0);
        let namespace = sio_server_of(server, text("/"));
        sio_namespace_on(namespace, text("echo"), Some(echo), null_mut(), None, null_mut());
        sio_namespace_on(namespace, text("b"), Some(broadcast), null_mut(), None, null_mut());
        assert_eq!(sio_server_listen(server, text("127.0.0.1:0"), None, null_mut(), None) as i32, 0);
        let mut address = null_mut();
        assert_eq!(sio_server_get_address(server, 0, &raw mut address) as i32, 0);
        let sio_str { ptr, len } = sio_string_get(address);
        let copy = String::from_utf8(std::slice::from_raw_parts(ptr.cast::<u8>(), len).to_vec()).unwrap();
        sio_string_free(address);
        (server, copy)
    }
}

/// A client that has joined the main namespace over a WebSocket.
fn connect(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let request = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
                   Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    read_frame(&mut stream);
    write_frame(&mut stream, b"40");
    read_frame(&mut stream);
    stream
}

/// Writes a masked text frame; the mask is zero, so the bytes go as they are.
fn write_frame(stream: &mut TcpStream, content: &[u8]) {
    let mut frame = [0; 128];
    frame[0] = 0x81;
    frame[1] = 0x80 | content.len() as u8;
    frame[6..6 + content.len()].copy_from_slice(content);
    stream.write_all(&frame[..6 + content.len()]).unwrap();
}

fn read_frame(stream: &mut TcpStream) -> ([u8; 256], usize) {
    let (mut head, mut content) = ([0; 2], [0; 256]);
    stream.read_exact(&mut head).unwrap();
    let mut size = usize::from(head[1]);
    if size == 126 {
        let mut long = [0; 2];
        stream.read_exact(&mut long).unwrap();
        size = usize::from(u16::from_be_bytes(long));
    }
    stream.read_exact(&mut content[..size]).unwrap();
    (content, size)
}

/// Allocations per round of `round`, after some rounds to warm up.
fn count(mut round: impl FnMut()) -> f64 {
    const ROUNDS: u32 = 1000;
    (0..200).for_each(|_| round());
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    (0..ROUNDS).for_each(|_| round());
    (ALLOCATIONS.load(Ordering::Relaxed) - before) as f64 / f64::from(ROUNDS)
}

fn end(server: *mut sio_server) {
    // SAFETY: the server is live, and used no more afterwards.
    unsafe {
        assert_eq!(sio_server_close_wait(server, 60_000) as i32, 0);
        sio_server_release(server);
    }
}

#[test]
fn a_steady_echo_costs_at_most_four_allocations() {
    let _alone = ALONE.lock().unwrap();
    let (server, address) = serve();
    let mut client = connect(&address);
    let per_echo = count(|| {
        write_frame(&mut client, br#"421["echo","0123456789",{"a":[1,2,3]}]"#);
        let (content, size) = read_frame(&mut client);
        assert_eq!(&content[..size], br#"431["0123456789",{"a":[1,2,3]}]"#);
    });
    println!("allocations per echo: {per_echo}");
    assert!(per_echo <= 4.0, "{per_echo}");
    end(server);
}

#[test]
fn a_broadcast_allocates_nothing_per_recipient() {
    let _alone = ALONE.lock().unwrap();
    let (server, address) = serve();
    let mut clients = Vec::new();
    let mut measure = |recipients: usize| {
        while clients.len() < recipients {
            clients.push(connect(&address));
        }
        count(|| {
            write_frame(&mut clients[0], br#"42["b","0123456789"]"#);
            for client in &mut clients {
                let (content, size) = read_frame(client);
                assert_eq!(&content[..size], br#"42["b","0123456789"]"#);
            }
        })
    };
    let (few, many) = (measure(2), measure(100));
    println!("allocations per broadcast: {few} to 2 recipients, {many} to 100");
    assert!(many - few < 1.0, "{few} to 2 recipients, {many} to 100");
    end(server);
}
