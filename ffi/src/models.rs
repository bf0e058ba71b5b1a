//! What a program in C may do while its callbacks run, under the model checker: release and remove on one thread what
//! another one delivers to. All of it goes through the exported functions.

use std::ffi::c_void;
use std::ptr;
use std::sync::Mutex as Plain;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

use socketio_core::net::memory::{self, Peer};
use socketio_core::runtime::is_delivering;
use socketio_core::runtime::sync::thread::{self, JoinHandle};
use socketio_core::runtime::sync::{Condvar, Mutex, explore};
use socketio_core::server::Server;

use crate::*;

/// The `user_data` of one registration, in static memory: what is wrong with it is seen at the end.
#[derive(Default)]
struct Watched {
    calls: AtomicUsize,
    destroyed: AtomicUsize,
    faults: Plain<Vec<&'static str>>,
    running: AtomicUsize,
    /// It was destroyed where callbacks are called.
    destroyed_in_place: AtomicBool,
    /// What the callback does besides.
    then: Option<Box<dyn Fn(*mut sio_socket) + Send + Sync>>,
    changed: Condvar,
    gone: Mutex<bool>,
}

impl Watched {
    fn new() -> &'static Self {
        Self::with(|_| ())
    }

    fn with(then: impl Fn(*mut sio_socket) + Send + Sync + 'static) -> &'static Self {
        Box::leak(Box::new(Self { then: Some(Box::new(then)), ..Self::default() }))
    }

    fn pointer(&'static self) -> *mut c_void {
        ptr::from_ref(self).cast_mut().cast()
    }

    fn called(&self, socket: *mut sio_socket) {
        self.running.fetch_add(1, Ordering::SeqCst);
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.expect_alive("called behind its end");
        if let Some(then) = &self.then {
            then(socket);
        }
        thread::yield_now();
        self.expect_alive("destroyed while it was called");
        self.running.fetch_sub(1, Ordering::SeqCst);
    }

    fn expect_alive(&self, fault: &'static str) {
        if self.destroyed.load(Ordering::SeqCst) > 0 {
            self.faults.lock().unwrap().push(fault);
        }
    }

    /// Waits until it is destroyed, which has to be once and behind its last call. Says how often it was called.
    fn end(&'static self) -> usize {
        let mut gone = self.gone.lock();
        while !*gone {
            gone = self.changed.wait(gone);
        }
        drop(gone);
        assert_eq!(*self.faults.lock().unwrap(), Vec::<&str>::new());
        assert_eq!((self.destroyed.load(Ordering::SeqCst), self.running.load(Ordering::SeqCst)), (1, 0));
        self.calls.load(Ordering::SeqCst)
    }
}

fn watched<'a>(user_data: *mut c_void) -> &'a Watched {
    // SAFETY: `Watched::pointer` made it, and it is never freed.
    unsafe { &*user_data.cast::<Watched>() }
}

unsafe extern "C" fn destroy(user_data: *mut c_void) {
    let watched = watched(user_data);
    if watched.running.load(Ordering::SeqCst) > 0 {
        watched.faults.lock().unwrap().push("destroyed while it is running");
    }
    watched.destroyed_in_place.store(is_delivering(), Ordering::SeqCst);
    watched.destroyed.fetch_add(1, Ordering::SeqCst);
    *watched.gone.lock() = true;
    watched.changed.notify_all();
}

unsafe extern "C" fn event(socket: *mut sio_socket, _event: *mut sio_event, user_data: *mut c_void) {
    watched(user_data).called(socket);
}

unsafe extern "C" fn connection(socket: *mut sio_socket, user_data: *mut c_void) {
    watched(user_data).called(socket);
}

unsafe extern "C" fn ended(_status: i32, _error: *const sio_error, user_data: *mut c_void) {
    watched(user_data).called(ptr::null_mut());
}

unsafe extern "C" fn acked(_status: i32, _response: *const sio_payload, user_data: *mut c_void) {
    watched(user_data).called(ptr::null_mut());
}

/// A reference of the program's, to be given from thread to thread.
struct Held<T>(*mut T);

// SAFETY: handles may be used on any thread.
unsafe impl<T> Send for Held<T> {}

/// On a thread of its own.
fn on_thread<T: 'static>(handle: *mut T, act: impl FnOnce(*mut T) + Send + 'static) -> JoinHandle<()> {
    let held = Held(handle);
    thread::spawn(move || {
        let held = held;
        act(held.0);
    })
}

struct Program {
    runtime: *mut sio_runtime,
    server: *mut sio_server,
    namespace: *mut sio_namespace,
}

impl Program {
    fn new() -> Self {
        let (mut runtime, mut server) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the places are there, and the options may be NULL.
        let namespace = unsafe {
            assert_eq!(sio_runtime_new(ptr::null(), &raw mut runtime), sio_status::SIO_OK);
            assert_eq!(sio_server_new(runtime, ptr::null(), &raw mut server), sio_status::SIO_OK);
            sio_server_of(server, sio_str::new("/"))
        };
        Self { runtime, server, namespace }
    }

    fn on(&self, name: &str, watched: &'static Watched) -> sio_listener {
        let mut listener = 0;
        let (name, user_data) = (sio_str::new(name), watched.pointer());
        // SAFETY: the namespace and the place are there, and the functions take this `user_data`.
        let status =
            unsafe { sio_namespace_on(self.namespace, name, Some(event), user_data, Some(destroy), &raw mut listener) };
        assert_eq!(status, sio_status::SIO_OK);
        listener
    }

    fn on_connection(&self, watched: &'static Watched) {
        let user_data = watched.pointer();
        // SAFETY: as above; the place may be NULL.
        let status = unsafe {
            sio_namespace_on_connection(self.namespace, Some(connection), user_data, Some(destroy), ptr::null_mut())
        };
        assert_eq!(status, sio_status::SIO_OK);
    }

    /// A client that connects, sends two events and stays until the server closes.
    fn client(&self) -> JoinHandle<Peer> {
        let (stream, peer) = memory::stream(4096);
        // SAFETY: the handle is the address of the server.
        unsafe { &*self.server.cast::<Server>() }.accept(stream);
        for packet in ["40", "42[\"a\"]", "42[\"a\"]"] {
            peer.send_text(packet);
        }
        thread::spawn(move || {
            peer.receive_texts();
            peer
        })
    }

    /// Releases what the program has, on other threads and all at once.
    fn release(self) {
        // SAFETY: these references are the program's, and it gives them up here.
        let releases = [
            on_thread(self.server, |server| unsafe { sio_server_release(server) }),
            on_thread(self.namespace, |namespace| unsafe { sio_namespace_release(namespace) }),
            on_thread(self.runtime, |runtime| unsafe { sio_runtime_release(runtime) }),
        ];
        releases.into_iter().for_each(|release| release.join().unwrap());
    }
}

#[test]
fn a_listener_that_is_removed_is_destroyed_behind_its_last_call() {
    explore::random(|| {
        let (program, handler) = (Program::new(), Watched::new());
        let listener = program.on("a", handler);
        let client = program.client();
        // SAFETY: the program keeps the namespace meanwhile.
        let removing = on_thread(program.namespace, move |namespace| unsafe {
            assert_eq!(sio_namespace_off(namespace, listener), sio_status::SIO_OK);
            assert_eq!(sio_namespace_off(namespace, listener), sio_status::SIO_ERR_NOT_FOUND);
        });
        let calls = handler.end();
        assert!(calls <= 2);
        assert!(handler.destroyed_in_place.load(Ordering::SeqCst));
        removing.join().unwrap();
        program.release();
        client.join().unwrap();
        assert_eq!(handler.calls.load(Ordering::SeqCst), calls);
    });
}

#[test]
fn the_last_release_of_a_server_takes_everything_apart_while_callbacks_run() {
    explore::random(|| {
        let (program, handler, connected) = (Program::new(), Watched::new(), Watched::new());
        program.on("a", handler);
        program.on_connection(connected);
        let client = program.client();
        program.release();
        handler.end();
        connected.end();
        client.join().unwrap();
    });
}

#[test]
fn a_close_reports_behind_all_callbacks() {
    explore::random(|| {
        let (program, handler) = (Program::new(), Watched::new());
        program.on("a", handler);
        let closed = Watched::with(|_| assert_eq!(handler.destroyed.load(Ordering::SeqCst), 1));
        let client = program.client();
        // SAFETY: the program keeps the server meanwhile, and the function takes this `user_data`.
        let status = unsafe { sio_server_close(program.server, Some(ended), closed.pointer(), Some(destroy)) };
        assert_eq!(status, sio_status::SIO_OK);
        program.release();
        assert_eq!(closed.end(), 1);
        handler.end();
        client.join().unwrap();
    });
}

#[test]
fn a_socket_is_released_inside_of_its_callback_and_outside() {
    explore::random(|| {
        let (program, own) = (Program::new(), Watched::new());
        let kept: &'static AtomicPtr<sio_socket> = Box::leak(Box::default());
        let handler = Watched::with(|_| {
            // Inside: perhaps the last one, the callback's own aside.
            let socket = kept.swap(ptr::null_mut(), Ordering::SeqCst);
            // SAFETY: it was retained, and whoever takes it out releases it.
            unsafe { sio_socket_release(socket) };
        });
        let connected = Watched::with(|socket| {
            let (name, user_data) = (sio_str::new("a"), own.pointer());
            // SAFETY: the socket is lent to this callback.
            unsafe {
                kept.store(sio_socket_retain(socket), Ordering::SeqCst);
                sio_socket_on(socket, name, Some(event), user_data, Some(destroy), ptr::null_mut());
            }
        });
        program.on("a", handler);
        program.on_connection(connected);
        let client = program.client();
        // SAFETY: as inside.
        let releasing = thread::spawn(|| unsafe { sio_socket_release(kept.swap(ptr::null_mut(), Ordering::SeqCst)) });
        program.release();
        client.join().unwrap();
        releasing.join().unwrap();
        let ran = connected.end();
        handler.end();
        // SAFETY: as inside: neither of them may have come to it.
        unsafe { sio_socket_release(kept.swap(ptr::null_mut(), Ordering::SeqCst)) };
        if ran > 0 {
            own.end();
        }
    });
}

#[test]
fn the_last_release_of_a_manager_answers_who_waits_once() {
    explore::random(|| {
        let (waiter, closed) = (Watched::new(), Watched::new());
        let (mut runtime, mut manager) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: all of these are live, and the functions take this `user_data`.
        let client = unsafe {
            sio_runtime_new(ptr::null(), &raw mut runtime);
            let options = sio_manager_options_new();
            sio_manager_options_set_auto_connect(options, false);
            let url = sio_str::new("http://localhost:1");
            assert_eq!(sio_manager_new(runtime, url, options, &raw mut manager), sio_status::SIO_OK);
            sio_manager_options_free(options);
            let client = sio_manager_socket(manager, sio_str::new("/"), ptr::null());
            let (name, user_data) = (sio_str::new("a"), waiter.pointer());
            sio_client_emit_with_ack(client, name, ptr::null(), 0, Some(acked), user_data, Some(destroy));
            assert_eq!(sio_manager_close(manager, Some(ended), closed.pointer(), Some(destroy)), sio_status::SIO_OK);
            client
        };
        // SAFETY: these references are the program's, and it gives them up here.
        let releases = [
            on_thread(client, |client| unsafe { sio_client_release(client) }),
            on_thread(manager, |manager| unsafe { sio_manager_release(manager) }),
            on_thread(runtime, |runtime| unsafe { sio_runtime_release(runtime) }),
        ];
        assert_eq!(closed.end(), 1);
        assert_eq!(waiter.end(), 1);
        releases.into_iter().for_each(|release| release.join().unwrap());
    });
}
