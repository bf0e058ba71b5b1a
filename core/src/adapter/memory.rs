//! The adapter of a server that stands alone.

use std::cell::Cell;
use std::sync::Arc;

use crate::runtime::sync::RwLock;

use super::{Adapter, BroadcastOptions, Recipient, Room, RoomIndex, check_room};
use crate::error::{Error, ErrorKind, Result};
use crate::proto::engine::packet::Encoded;

/// Keeps everything in memory, behind one lock, which is never held while a socket is called.
#[derive(Default)]
pub struct MemoryAdapter {
    index: RwLock<RoomIndex>,
}

thread_local! {
    /// The list that broadcasts of this thread select into. It is taken for as long as it is in use.
    static SELECTED: Cell<Vec<Arc<dyn Recipient>>> = const { Cell::new(Vec::new()) };
}

impl MemoryAdapter {
    /// An adapter without sockets.
    pub fn new() -> Self {
        Self::default()
    }

    fn for_each(&self, options: &BroadcastOptions, mut call: impl FnMut(&Arc<dyn Recipient>)) {
        /// A list that was longer is not kept.
        const KEPT: usize = 1 << 16;
        let mut selected = SELECTED.take();
        self.index.read().select(options, &mut selected);
        selected.iter().for_each(&mut call);
        selected.clear();
        selected.shrink_to(KEPT);
        SELECTED.set(selected);
    }
}

impl Adapter for MemoryAdapter {
    fn add(&self, socket: Arc<dyn Recipient>) {
        // What is replaced is dropped when the lock is free again.
        let replaced = self.index.write().add(socket);
        drop(replaced);
    }

    fn remove(&self, id: &str) -> Option<Arc<dyn Recipient>> {
        self.index.write().remove(id)
    }

    fn find(&self, id: &str) -> Option<Arc<dyn Recipient>> {
        self.index.read().find(id).cloned()
    }

    fn count(&self) -> usize {
        self.index.read().len()
    }

    fn join(&self, id: &str, room: &str) -> Result<()> {
        check_room(room)?;
        let joined = self.index.write().join(id, room);
        if joined { Ok(()) } else { Err(Error::new(ErrorKind::Closed, "the socket is disconnected")) }
    }

    fn leave(&self, id: &str, room: &str) {
        self.index.write().leave(id, room);
    }

    fn in_room(&self, id: &str, room: &str) -> bool {
        self.index.read().in_room(id, room)
    }

    fn rooms_of(&self, id: &str) -> Vec<Room> {
        self.index.read().rooms_of(id)
    }

    fn select(&self, options: &BroadcastOptions, selected: &mut Vec<Arc<dyn Recipient>>) {
        self.index.read().select(options, selected);
    }

    fn broadcast(&self, packet: &Arc<Encoded>, options: &BroadcastOptions) {
        self.for_each(options, |socket| socket.deliver(packet, options.volatile));
    }

    fn add_sockets(&self, options: &BroadcastOptions, room: &str) -> Result<()> {
        check_room(room)?;
        self.for_each(options, |socket| {
            // One that has gone meanwhile joins nothing.
            self.index.write().join(socket.id(), room);
        });
        Ok(())
    }

    fn del_sockets(&self, options: &BroadcastOptions, room: &str) {
        self.for_each(options, |socket| {
            self.index.write().leave(socket.id(), room);
        });
    }

    fn disconnect_sockets(&self, options: &BroadcastOptions, close: bool) {
        self.for_each(options, |socket| socket.disconnect(close));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::tests::Probe;
    use super::*;

    fn adapter() -> (MemoryAdapter, [Arc<Probe>; 3]) {
        let adapter = MemoryAdapter::new();
        let sockets = ["a", "b", "c"].map(Probe::new);
        for socket in &sockets {
            adapter.add(socket.clone());
        }
        (adapter, sockets)
    }

    fn packet() -> Arc<Encoded> {
        Arc::new(Encoded::new(Bytes::from_static(b"42[\"a\"]"), Vec::new()))
    }

    #[test]
    fn a_broadcast_hands_everyone_the_same_packet_once() {
        let (adapter, sockets) = adapter();
        adapter.join("a", "x").unwrap();
        adapter.join("b", "x").unwrap();
        let mut options = BroadcastOptions { volatile: true, ..BroadcastOptions::default() };
        options.to("x").unwrap();
        options.to("b").unwrap();
        let packet = packet();

        adapter.broadcast(&packet, &options);

        for (socket, times) in sockets.iter().zip([1, 1, 0]) {
            let delivered = socket.delivered.lock();
            assert_eq!(delivered.len(), times, "{}", socket.id());
            assert!(delivered.iter().all(|(delivered, volatile)| Arc::ptr_eq(delivered, &packet) && *volatile));
        }
        assert_eq!(Arc::strong_count(&sockets[0]), 3, "the list must not keep sockets alive");
    }

    #[test]
    fn sockets_are_found_by_id_as_what_they_are() {
        let (adapter, sockets) = adapter();
        let found: Arc<dyn std::any::Any + Send + Sync> = adapter.find("b").unwrap();
        assert!(Arc::ptr_eq(&found.downcast::<Probe>().unwrap_or_else(|_| panic!("another type")), &sockets[1]));
        assert!(adapter.find("d").is_none());
        assert_eq!(adapter.count(), 3);
    }

    #[test]
    fn a_selection_can_be_moved_into_and_out_of_rooms_and_disconnected() {
        let (adapter, sockets) = adapter();
        let mut options = BroadcastOptions::default();
        options.except("c").unwrap();

        adapter.add_sockets(&options, "x").unwrap();
        assert!(adapter.in_room("a", "x") && adapter.in_room("b", "x") && !adapter.in_room("c", "x"));
        adapter.leave("a", "x");
        adapter.disconnect_sockets(&options, true);
        adapter.del_sockets(&options, "x");

        assert!(!adapter.in_room("b", "x"));
        assert_eq!(sockets.map(|socket| *socket.disconnected.lock()), [Some(true), Some(true), None]);
    }

    #[test]
    fn only_sockets_of_the_namespace_join_rooms() {
        let (adapter, _) = adapter();
        adapter.remove("a");
        assert_eq!(adapter.join("a", "x").map_err(|error| error.kind()), Err(ErrorKind::Closed));
        assert_eq!(adapter.join("b", &"x".repeat(1025)).map_err(|error| error.kind()), Err(ErrorKind::TooLarge));
        assert_eq!(adapter.rooms_of("b"), ["b".into()]);
    }

    #[test]
    fn a_broadcast_within_a_broadcast_is_fine() {
        struct Echo(MemoryAdapter);
        impl Recipient for Echo {
            fn id(&self) -> &'static str {
                "echo"
            }
            fn deliver(&self, packet: &Arc<Encoded>, _: bool) {
                self.0.broadcast(packet, &BroadcastOptions::default());
            }
            fn disconnect(&self, _: bool) {}
        }
        let (inner, sockets) = adapter();
        let outer = MemoryAdapter::new();
        outer.add(Arc::new(Echo(inner)));

        outer.broadcast(&packet(), &BroadcastOptions::default());

        assert!(sockets.iter().all(|socket| socket.delivered.lock().len() == 1));
    }
}
