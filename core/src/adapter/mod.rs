//! Floor 3: who else hears. Rooms, and broadcasts to them.
//!
//! Each namespace has one [`Adapter`]: it knows the sockets of the namespace and the rooms they are in. What it reaches
//! sockets by is [`Recipient`], so that this module knows no server.

mod memory;
mod rooms;

use std::any::Any;
use std::sync::Arc;

pub use memory::MemoryAdapter;
pub use rooms::RoomIndex;

use crate::data::Limits;
use crate::error::{Error, ErrorKind, Result};
use crate::proto::engine::packet::Encoded;

/// A room's name. Room names are case-sensitive texts; a socket is in the room named as its id from the start.
pub type Room = Arc<str>;

/// A socket as an adapter sees it.
///
/// It is called without any lock of the adapter held, and may be closed by then: it takes care of that itself.
/// (`Any`, so that who put it in can get it back as what it is.)
pub trait Recipient: Any + Send + Sync {
    /// The socket's id.
    fn id(&self) -> &str;

    /// Sends `packet` to the client; a `volatile` one is dropped when it cannot be sent now.
    fn deliver(&self, packet: &Arc<Encoded>, volatile: bool);

    /// Disconnects the client from the namespace, or closes the whole connection.
    fn disconnect(&self, close: bool);
}

/// To whom a broadcast goes, and how.
#[derive(Clone, Debug, Default)]
pub struct BroadcastOptions {
    rooms: Vec<Room>,
    except: Vec<Room>,
    /// Drop it for those it cannot be sent to now.
    pub volatile: bool,
    /// Only to sockets of this server, not to those of others in a cluster.
    pub local: bool,
}

impl BroadcastOptions {
    /// To the sockets in `room`, besides those in rooms named before. Without any room it goes to the whole namespace.
    ///
    /// `TooLarge` when the name is too long.
    pub fn to(&mut self, room: &str) -> Result<()> {
        add_room(&mut self.rooms, room)
    }

    /// Not to the sockets in `room`.
    ///
    /// `TooLarge` when the name is too long.
    pub fn except(&mut self, room: &str) -> Result<()> {
        add_room(&mut self.except, room)
    }

    /// The rooms it goes to; none means everybody.
    pub fn rooms(&self) -> &[Room] {
        &self.rooms
    }

    /// The rooms whose sockets it does not go to.
    pub fn excepted(&self) -> &[Room] {
        &self.except
    }
}

fn add_room(rooms: &mut Vec<Room>, room: &str) -> Result<()> {
    check_room(room)?;
    if !rooms.iter().any(|known| **known == *room) {
        rooms.push(room.into());
    }
    Ok(())
}

/// A name within the bound.
pub(crate) fn check_room(room: &str) -> Result<()> {
    if room.len() <= Limits::DEFAULT.room_name {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::TooLarge, "room name too long"))
    }
}

/// The sockets of a namespace and their rooms. Every method may be called from any thread.
pub trait Adapter: Send + Sync {
    /// A socket enters the namespace; one with the same id is replaced.
    fn add(&self, socket: Arc<dyn Recipient>);

    /// A socket leaves the namespace and all its rooms.
    fn remove(&self, id: &str) -> Option<Arc<dyn Recipient>>;

    /// The socket with this id.
    fn find(&self, id: &str) -> Option<Arc<dyn Recipient>>;

    /// How many sockets there are.
    fn count(&self) -> usize;

    /// Puts a socket into a room.
    ///
    /// `TooLarge` when the room's name is too long, `Closed` when the socket is not in the namespace.
    fn join(&self, id: &str, room: &str) -> Result<()>;

    /// Takes a socket out of a room. Nothing happens when it is not in it.
    fn leave(&self, id: &str, room: &str);

    /// Whether a socket is in a room.
    fn in_room(&self, id: &str, room: &str) -> bool;

    /// The rooms that a socket is in, its own first.
    fn rooms_of(&self, id: &str) -> Vec<Room>;

    /// Fills `selected` with the sockets of this server that `options` mean, each once.
    fn select(&self, options: &BroadcastOptions, selected: &mut Vec<Arc<dyn Recipient>>);

    /// Sends a packet to the sockets that `options` mean, in no particular order.
    fn broadcast(&self, packet: &Arc<Encoded>, options: &BroadcastOptions);

    /// Puts the sockets that `options` mean into a room.
    ///
    /// `TooLarge` when the room's name is too long.
    fn add_sockets(&self, options: &BroadcastOptions, room: &str) -> Result<()>;

    /// Takes the sockets that `options` mean out of a room.
    fn del_sockets(&self, options: &BroadcastOptions, room: &str);

    /// Disconnects the sockets that `options` mean.
    fn disconnect_sockets(&self, options: &BroadcastOptions, close: bool);
}

#[cfg(test)]
mod tests {
    use crate::runtime::sync::Mutex;

    use super::*;

    /// A socket that records what reaches it.
    pub(super) struct Probe {
        id: String,
        pub(super) delivered: Mutex<Vec<(Arc<Encoded>, bool)>>,
        pub(super) disconnected: Mutex<Option<bool>>,
    }

    impl Probe {
        pub(super) fn new(id: &str) -> Arc<Self> {
            Arc::new(Self { id: id.into(), delivered: Mutex::default(), disconnected: Mutex::default() })
        }
    }

    impl Recipient for Probe {
        fn id(&self) -> &str {
            &self.id
        }

        fn deliver(&self, packet: &Arc<Encoded>, volatile: bool) {
            self.delivered.lock().push((Arc::clone(packet), volatile));
        }

        fn disconnect(&self, close: bool) {
            *self.disconnected.lock() = Some(close);
        }
    }

    #[test]
    fn the_bound_of_room_names_holds() {
        let max = Limits::DEFAULT.room_name;
        let mut options = BroadcastOptions::default();
        for (length, fits) in [(max - 1, true), (max, true), (max + 1, false)] {
            let name = "x".repeat(length);
            assert_eq!(options.to(&name).is_ok(), fits);
            assert_eq!(options.except(&name).is_ok(), fits);
        }
        assert_eq!(options.rooms().len(), 2);
        assert_eq!(options.to(&"x".repeat(max + 1)).map_err(|error| error.kind()), Err(ErrorKind::TooLarge));
    }
}
