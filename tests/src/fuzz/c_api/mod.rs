//! The C API as a program calls it: any functions in any order, as far as the conventions of `socketio.h` allow. Handles
//! may be NULL or of another type, texts may be anything, results may have no place to go.
//!
//! Seen over all calls: none fails by a bug of the library, nor says that it worked when it cannot have; results are
//! written when a call worked, and only then; every `user_data` is destroyed exactly once, after its last call.

mod client;
mod host;
mod options;
mod queue;
mod registry;
mod server;
mod values;

use host::Host;
use socketio::{sio_cork, sio_uncork};

/// Programs are short: what a long one breaks, a short one mostly does too.
const MAX_CALLS: usize = 100;

/// Each step is a call, with its arguments.
pub(super) fn run(data: &[u8]) {
    let mut host = Host::new(data);
    for _ in 0..MAX_CALLS {
        let Some(step) = host.script.step() else { break };
        match step % 18 {
            _ if step >= 252 => {
                // SAFETY: it concerns this thread alone.
                unsafe { sio_cork() };
                server::call(&mut host);
                client::call(&mut host);
                // SAFETY: as above.
                unsafe { sio_uncork() };
            }
            _ if step >= 246 => registry::catch_up(usize::from(step), false),
            0..=2 => values::make(&mut host),
            3..=5 => values::add(&mut host),
            6 => values::read(&mut host),
            7 => options::make(&mut host),
            8 => options::set(&mut host),
            9 => server::make(&mut host),
            10 | 11 => server::call(&mut host),
            12 => client::make(&mut host),
            13 | 14 => client::call(&mut host),
            15 => queue::make(&mut host),
            16 => queue::call(&mut host),
            _ => host.give_back(),
        }
        host.check_last_error();
    }
    host.end();
}
