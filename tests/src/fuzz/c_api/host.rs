//! A program in C: the handles that it holds, and the arguments that it chooses.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr;

use socketio::{
    sio_broadcast, sio_broadcast_free, sio_bytes, sio_client, sio_client_options, sio_client_options_free,
    sio_client_release, sio_delivery, sio_delivery_clear, sio_destroy_fn, sio_last_error_message, sio_log_set,
    sio_log_set_queue, sio_manager, sio_manager_close, sio_manager_close_wait, sio_manager_options,
    sio_manager_options_free, sio_manager_release, sio_namespace, sio_namespace_release, sio_payload,
    sio_payload_release, sio_queue, sio_queue_close, sio_queue_dispatch, sio_queue_release, sio_queue_take,
    sio_runtime, sio_runtime_options, sio_runtime_options_free, sio_runtime_release, sio_runtime_shutdown_wait,
    sio_server, sio_server_close, sio_server_close_wait, sio_server_options, sio_server_options_free,
    sio_server_release, sio_socket, sio_socket_release, sio_status, sio_str, sio_string, sio_string_free, sio_value,
    sio_value_free,
};

use super::super::Script;
use super::registry::{self, HUNG, Times};

/// What a handle is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Value,
    Payload,
    String,
    ServerOptions,
    ManagerOptions,
    ClientOptions,
    RuntimeOptions,
    Runtime,
    Queue,
    Server,
    Namespace,
    Broadcast,
    Socket,
    Manager,
    Client,
}

/// A type that a program holds handles of.
pub(super) trait Handle {
    const KIND: Kind;
    /// What a reference is given back by.
    const GIVE_BACK: unsafe extern "C" fn(*mut Self);
}

macro_rules! handles {
    ($($type:ty: $kind:ident, $give_back:ident;)*) => {
        $(impl Handle for $type {
            const KIND: Kind = Kind::$kind;
            const GIVE_BACK: unsafe extern "C" fn(*mut Self) = $give_back;
        })*

        /// Gives a reference back.
        ///
        /// # Safety
        /// `handle` is of `kind` or NULL, and the caller's.
        unsafe fn give_back(kind: Kind, handle: *mut c_void) {
            match kind {
                // SAFETY: as the caller says.
                $(Kind::$kind => unsafe { <$type>::GIVE_BACK(handle.cast()) },)*
            }
        }
    };
}

handles! {
    sio_value: Value, sio_value_free;
    sio_payload: Payload, sio_payload_release;
    sio_string: String, sio_string_free;
    sio_server_options: ServerOptions, sio_server_options_free;
    sio_manager_options: ManagerOptions, sio_manager_options_free;
    sio_client_options: ClientOptions, sio_client_options_free;
    sio_runtime_options: RuntimeOptions, sio_runtime_options_free;
    sio_runtime: Runtime, sio_runtime_release;
    sio_queue: Queue, sio_queue_release;
    sio_server: Server, sio_server_release;
    sio_namespace: Namespace, sio_namespace_release;
    sio_broadcast: Broadcast, sio_broadcast_free;
    sio_socket: Socket, sio_socket_release;
    sio_manager: Manager, sio_manager_release;
    sio_client: Client, sio_client_release;
}

/// A handle as an argument.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arg<T> {
    pub(super) handle: *mut T,
    /// Neither NULL nor of another type.
    pub(super) good: bool,
}

/// A function with its `user_data`, to be registered.
pub(super) struct Callback<F> {
    pub(super) function: Option<F>,
    pub(super) user_data: *mut c_void,
    pub(super) destroy: sio_destroy_fn,
}

/// A place for a result, which knows whether it was written to.
pub(super) struct Out<T> {
    place: *mut T,
    wanted: bool,
}

impl<T> Out<T> {
    /// What the function is given: NULL when the program has no place.
    pub(super) fn place(&mut self) -> *mut *mut T {
        if self.wanted { &raw mut self.place } else { ptr::null_mut() }
    }
}

/// Texts that programs have, or should not have.
const TEXTS: [&[u8]; 34] = [
    b"",
    b"/",
    b"/adm",
    b"adm",
    b"a",
    b"hello",
    b"connect",
    b"disconnect",
    b"newListener",
    b"a,b",
    b"a\0b",
    b"\0",
    b"\xff",
    b"\xe2\x82",
    "\u{20ac}".as_bytes(),
    b"1",
    b"-0",
    b"1e999",
    b"null",
    b"{}",
    b"[]",
    b"[1,\"a\",{\"b\":[]}]",
    b"{\"_placeholder\":true,\"num\":0}",
    b"[{\"_placeholder\":true,\"num\":1}]",
    b"{\"token\":1}",
    b"\"\\ud800\"",
    b"{\"origin\":\"*\"}",
    b"{\"pingInterval\":0,\"pingTimeout\":0}",
    b"{\"transports\":[\"websocket\"],\"path\":\"\"}",
    b"{\"cors\":{\"origin\":[\"a\\nb\"]}}",
    b"{\"maxHttpBufferSize\":0,\"maxPayload\":18446744073709551615}",
    b"{\"reconnectionDelay\":1e300,\"timeout\":false,\"query\":{\"a\":\"b\"}}",
    b"{\"auth\":{\"a\":[1]}}",
    b"/a/b/../c/",
];

/// A program, and the script that it follows.
pub(super) struct Host<'a> {
    pub(super) script: Script<'a>,
    held: Vec<(Kind, *mut c_void)>,
    /// References for the end: a manager that is not closed goes on.
    pub(super) managers: Vec<*mut sio_manager>,
    pub(super) servers: Vec<*mut sio_server>,
    pub(super) runtimes: Vec<*mut sio_runtime>,
    pub(super) queues: Vec<*mut sio_queue>,
    /// What was taken of queues and not given back yet.
    pub(super) records: Vec<sio_delivery>,
    /// The address that a server of this program listens on.
    pub(super) address: Option<String>,
    /// Texts and bytes that were arguments, each in memory of its own size.
    memory: Vec<Box<[u8]>>,
}

impl<'a> Host<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        // Panics that the library stops are seen in its log.
        let user_data = registry::register(Times::Any);
        // SAFETY: the function goes with the `user_data`.
        let status = unsafe { sio_log_set(1, Some(registry::on_log), user_data, Some(registry::destroy)) };
        registry::registered(user_data, status == sio_status::SIO_OK);
        Self {
            script: Script::new(data),
            held: Vec::new(),
            managers: Vec::new(),
            servers: Vec::new(),
            runtimes: Vec::new(),
            queues: Vec::new(),
            records: Vec::new(),
            address: None,
            memory: Vec::new(),
        }
    }

    /// Keeps a reference, if it is one.
    pub(super) fn hold<T: Handle>(&mut self, handle: *mut T) {
        if !handle.is_null() {
            self.held.push((T::KIND, handle.cast()));
        }
    }

    /// The handle that was held last.
    pub(super) fn lend_last<T: Handle>(&self) -> *mut T {
        self.held.last().filter(|(kind, _)| *kind == T::KIND).map_or(ptr::null_mut(), |(_, handle)| handle.cast())
    }

    /// How many handles of the type are held.
    pub(super) fn count<T: Handle>(&self) -> usize {
        self.held.iter().filter(|(kind, _)| *kind == T::KIND).count()
    }

    /// A handle to lend: mostly a good one.
    pub(super) fn lend<T: Handle>(&mut self) -> Arg<T> {
        let choice = usize::from(self.script.byte());
        self.choose::<T>(choice).map_or(Arg { handle: ptr::null_mut(), good: false }, |at| {
            let (kind, handle) = self.held[at];
            Arg { handle: handle.cast(), good: kind == T::KIND }
        })
    }

    /// A handle to give up: the program does not hold it any more.
    pub(super) fn give<T: Handle>(&mut self) -> Arg<T> {
        let choice = usize::from(self.script.byte());
        let Some(at) = self.choose::<T>(choice) else { return Arg { handle: ptr::null_mut(), good: false } };
        let (kind, handle) = self.held[at];
        if kind == T::KIND {
            self.held.swap_remove(at);
        }
        Arg { handle: handle.cast(), good: kind == T::KIND }
    }

    /// A place among the held ones: of the right type for most choices, of any for some, none for a few.
    fn choose<T: Handle>(&self, choice: usize) -> Option<usize> {
        match choice {
            250.. => None,
            240.. => (!self.held.is_empty()).then(|| choice % self.held.len()),
            _ => {
                let right: Vec<_> = (0..self.held.len()).filter(|at| self.held[*at].0 == T::KIND).collect();
                (!right.is_empty()).then(|| right[choice % right.len()])
            }
        }
    }

    /// One reference goes back, early.
    pub(super) fn give_back(&mut self) {
        if let at @ 1.. = self.held.len() {
            let at = self.script.byte() as usize % at;
            let (kind, handle) = self.held.swap_remove(at);
            // SAFETY: it is of that kind and was held.
            unsafe { give_back(kind, handle) };
        }
    }

    /// Memory of exactly those bytes, as long as the program runs.
    fn keep(&mut self, bytes: &[u8]) -> *const u8 {
        self.memory.push(bytes.into());
        self.memory.last().map_or(ptr::null(), |kept| kept.as_ptr())
    }

    /// A text, which may be none.
    pub(super) fn text(&mut self) -> sio_str {
        let choice = usize::from(self.script.byte());
        let bytes = match choice {
            // NULL with a length, and a length that nothing has.
            254 => return sio_str { ptr: ptr::null(), len: 3 },
            255 => return sio_str { ptr: c"x".as_ptr(), len: usize::MAX },
            250..=253 => return self.kept(&[b'x'; 2_000][..[255, 256, 257, 1_025][choice - 250]]),
            _ => TEXTS.get(choice).copied().unwrap_or_else(|| self.script.bytes(64)),
        };
        self.kept(bytes)
    }

    /// Bytes as a text that the library may look at until the program ends.
    pub(super) fn kept(&mut self, bytes: &[u8]) -> sio_str {
        sio_str { ptr: self.keep(bytes).cast(), len: bytes.len() }
    }

    /// Bytes, which may be none.
    pub(super) fn bytes(&mut self) -> sio_bytes {
        let text = self.text();
        sio_bytes { ptr: text.ptr.cast(), len: text.len }
    }

    /// A number, mostly one at an edge.
    pub(super) fn number(&mut self) -> u64 {
        const EDGES: [u64; 8] = [0, 1, 1_000, u32::MAX as u64 - 1, u32::MAX as u64, 1 << 53, i64::MAX as u64, u64::MAX];
        match self.script.byte() {
            choice @ 0..200 => EDGES[usize::from(choice) % EDGES.len()],
            _ => self.script.number(),
        }
    }

    /// A number of threads: few, or more than anybody may have.
    pub(super) fn threads(&mut self) -> u32 {
        self.script.pick(&[0, 1, 2, 3, 1_025, u32::MAX])
    }

    /// A place for a result.
    pub(super) fn out<T>(&mut self) -> Out<T> {
        // What is no handle: it must be overwritten or left alone.
        Out { place: ptr::dangling_mut(), wanted: self.script.byte() < 250 }
    }

    /// What a call that fills `out` has answered.
    pub(super) fn done<T: Handle>(&mut self, status: sio_status, out: &Out<T>, good: bool) -> bool {
        self.answered(status, good && out.wanted);
        let worked = status == sio_status::SIO_OK;
        assert_eq!(worked, out.place != ptr::dangling_mut(), "a result is written when a call works, and only then");
        if worked {
            assert!(!out.place.is_null());
            self.hold(out.place);
        }
        worked
    }

    /// What a call has answered: never by a bug, and not that it worked unless all its handles were good.
    pub(super) fn answered(&mut self, status: sio_status, good: bool) {
        use sio_status::{SIO_ERR_ABI, SIO_ERR_FORKED, SIO_ERR_PANIC, SIO_OK};
        assert!(!matches!(status, SIO_ERR_ABI | SIO_ERR_FORKED | SIO_ERR_PANIC), "{status:?}: {}", last_error());
        assert!(good || status != SIO_OK, "a call with a bad handle worked");
    }

    /// Functions that answer no status say in the last error that they met a bug.
    #[expect(clippy::unused_self, reason = "it is about the program's thread")]
    pub(super) fn check_last_error(&self) {
        let message = last_error();
        assert!(!message.contains("a bug in the library"), "{message}");
    }

    /// A function to register; sometimes there is none.
    pub(super) fn callback<F>(&mut self, function: F, times: Times) -> Callback<F> {
        let choice = self.script.byte();
        let function = (choice < 240).then_some(function);
        let user_data = registry::register(if function.is_some() { times } else { Times::Any });
        let destroy: sio_destroy_fn = if choice.is_multiple_of(16) { None } else { Some(registry::destroy) };
        Callback { function, user_data, destroy }
    }

    /// What a call that takes `callback` over has answered.
    pub(super) fn registered<F>(&mut self, status: sio_status, callback: &Callback<F>, good: bool) {
        self.answered(status, good);
        if callback.destroy.is_none() {
            registry::unwatched(callback.user_data);
        } else {
            registry::registered(callback.user_data, status == sio_status::SIO_OK);
        }
    }

    /// Gives records back, the last ones first.
    pub(super) fn clear_records(&mut self, most: usize) {
        let kept = self.records.len().saturating_sub(most);
        let mut records = self.records.split_off(kept);
        // SAFETY: the records were taken, and are given back once; then they are empty.
        unsafe {
            sio_delivery_clear(records.as_mut_ptr(), records.len());
            sio_delivery_clear(records.as_mut_ptr(), records.len());
        }
    }

    /// The program ends: it closes what goes on by itself, and gives back all that it holds.
    pub(super) fn end(mut self) {
        // SAFETY: all handles are of their types and held.
        unsafe {
            self.close_all();
            registry::catch_up(0, true);
            self.clear_records(usize::MAX);
            for (kind, handle) in std::mem::take(&mut self.held) {
                give_back(kind, handle);
            }
            release_sockets();
            assert_eq!(sio_log_set(1, None, ptr::null_mut(), None), sio_status::SIO_OK);
            assert_eq!(sio_log_set_queue(ptr::null_mut()), sio_status::SIO_OK);
            let queues = std::mem::take(&mut self.queues);
            for queue in &queues {
                let status = sio_queue_close(*queue);
                self.answered(status, true);
                sio_queue_release(*queue);
            }
            for runtime in std::mem::take(&mut self.runtimes) {
                let status = sio_runtime_shutdown_wait(runtime, HUNG.as_millis() as u32);
                assert_eq!(status, sio_status::SIO_OK, "{}", last_error());
                sio_runtime_release(runtime);
            }
            self.check_last_error();
            // Who waits for a queue that is closed is not called.
            registry::end(queues.is_empty());
            // A socket that connected late has come with the last callbacks.
            release_sockets();
        }
    }

    /// Closes managers and servers, and dispatches what they have to say.
    unsafe fn close_all(&mut self) {
        let hung = HUNG.as_millis() as u32;
        let waits = self.queues.is_empty();
        let mut closing = Vec::new();
        // SAFETY: all handles are of their types and held.
        unsafe {
            for manager in std::mem::take(&mut self.managers) {
                if waits {
                    let status = sio_manager_close_wait(manager, hung);
                    assert_eq!(status, sio_status::SIO_OK, "{}", last_error());
                }
                let user_data = registry::register(Times::Once);
                let status = sio_manager_close(manager, Some(registry::on_done), user_data, Some(registry::destroy));
                self.answered(status, true);
                registry::registered(user_data, status == sio_status::SIO_OK);
                closing.push(user_data);
                self.hold(manager);
            }
            for server in std::mem::take(&mut self.servers) {
                if waits {
                    let status = sio_server_close_wait(server, hung);
                    assert_eq!(status, sio_status::SIO_OK, "{}", last_error());
                }
                let user_data = registry::register(Times::Once);
                let status = sio_server_close(server, Some(registry::on_done), user_data, Some(registry::destroy));
                self.answered(status, true);
                registry::registered(user_data, status == sio_status::SIO_OK);
                closing.push(user_data);
                self.hold(server);
            }
        }
        let closed = registry::until_destroyed(&closing, || {
            for queue in &self.queues {
                // SAFETY: the queue is held. It may be closed already.
                unsafe { empty(*queue) };
            }
        });
        assert!(closed, "something does not close");
    }
}

/// Runs what waits in a queue; records that did not fit before come first.
unsafe fn empty(queue: *mut sio_queue) {
    // SAFETY: as the caller says; a record is written if one is counted.
    unsafe {
        while sio_queue_dispatch(queue, 0, ptr::null_mut()) == sio_status::SIO_ERR_INVALID_STATE {
            let (mut record, mut count) = (MaybeUninit::uninit(), 0);
            let status = sio_queue_take(queue, record.as_mut_ptr(), 1, &raw mut count);
            assert_eq!((status, count), (sio_status::SIO_OK, 1), "records that were left wait for the next call");
            registry::handle(record.assume_init_ref());
            sio_delivery_clear(record.as_mut_ptr(), 1);
        }
    }
}

unsafe fn release_sockets() {
    while let Some(socket) = registry::take_socket() {
        // SAFETY: the reference is ours.
        unsafe { sio_socket_release(socket) };
    }
}

/// The detail of the last failure.
pub(super) fn last_error() -> String {
    // SAFETY: the text lives until the next failure on this thread.
    unsafe { registry::text(&sio_last_error_message()).to_owned() }
}
