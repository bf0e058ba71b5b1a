//! Which socket is in which room.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use smallvec::SmallVec;

use super::{BroadcastOptions, Recipient, Room};

/// The sockets of a namespace and the rooms they are in, both ways.
///
/// A socket is in its own room, named as its id, without anything being kept for it: an idle socket costs one entry of a map.
#[derive(Default)]
pub struct RoomIndex {
    /// Ids are ours, and random: a fast hash will do.
    sockets: HashMap<ById, Option<Box<Joined>>, foldhash::fast::RandomState>,
    /// Only what was joined: a socket does not stand under its own room. Names may be chosen by clients, hence a keyed hash.
    rooms: HashMap<Room, Members>,
}

/// The rooms of a socket that has been in others than its own; until then there is none of this.
#[derive(Default)]
struct Joined {
    rooms: Vec<Room>,
    /// It left the room named as its id.
    left_own: bool,
}

/// Those in a room, by their address.
type Members = HashMap<usize, Arc<dyn Recipient>, foldhash::fast::RandomState>;

/// A socket, to be looked up by its id.
struct ById(Arc<dyn Recipient>);

impl RoomIndex {
    /// An index without sockets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a socket; gives back one with the same id, which it replaces.
    pub fn add(&mut self, socket: Arc<dyn Recipient>) -> Option<Arc<dyn Recipient>> {
        let replaced = self.remove(socket.id());
        self.sockets.insert(ById(socket), None);
        replaced
    }

    /// Removes a socket from here and from its rooms. Rooms disappear with their last socket.
    pub fn remove(&mut self, id: &str) -> Option<Arc<dyn Recipient>> {
        let (ById(socket), joined) = self.sockets.remove_entry(id)?;
        for room in joined.into_iter().flat_map(|joined| joined.rooms) {
            remove_member(&mut self.rooms, &room, &socket);
        }
        if self.sockets.capacity() > 64.max(4 * self.sockets.len()) {
            self.sockets.shrink_to(2 * self.sockets.len());
        }
        Some(socket)
    }

    /// The socket with this id.
    pub fn find(&self, id: &str) -> Option<&Arc<dyn Recipient>> {
        self.sockets.get_key_value(id).map(|(ById(socket), _)| socket)
    }

    /// How many sockets there are.
    pub fn len(&self) -> usize {
        self.sockets.len()
    }

    /// Whether there are no sockets.
    pub fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    /// Puts a socket into a room; false if there is no such socket. Rooms appear with their first socket.
    pub fn join(&mut self, id: &str, room: &str) -> bool {
        let Some((ById(socket), _)) = self.sockets.get_key_value(id) else { return false };
        if id == room {
            if let Some(Some(joined)) = self.sockets.get_mut(id) {
                joined.left_own = false;
            }
            return true;
        }
        let socket = Arc::clone(socket);
        let name = match self.rooms.get_key_value(room) {
            Some((name, _)) => Arc::clone(name),
            None => room.into(),
        };
        let new = self.rooms.entry(Arc::clone(&name)).or_default().insert(address(&socket), socket).is_none();
        if new && let Some(joined) = self.sockets.get_mut(id) {
            joined.get_or_insert_default().rooms.push(name);
        }
        true
    }

    /// Takes a socket out of a room; false if it was not in it.
    pub fn leave(&mut self, id: &str, room: &str) -> bool {
        let Some((ById(socket), _)) = self.sockets.get_key_value(id) else { return false };
        let socket = Arc::clone(socket);
        let Some(joined) = self.sockets.get_mut(id) else { return false };
        if id == room {
            return !std::mem::replace(&mut joined.get_or_insert_default().left_own, true);
        }
        let Some(joined) = joined else { return false };
        let Some(at) = joined.rooms.iter().position(|name| **name == *room) else { return false };
        joined.rooms.swap_remove(at);
        remove_member(&mut self.rooms, room, &socket);
        true
    }

    /// Whether a socket is in a room.
    pub fn in_room(&self, id: &str, room: &str) -> bool {
        let Some((ById(socket), joined)) = self.sockets.get_key_value(id) else { return false };
        if id == room {
            return in_own_room(joined.as_deref());
        }
        self.rooms.get(room).is_some_and(|members| members.contains_key(&address(socket)))
    }

    /// The rooms of a socket, its own first.
    pub fn rooms_of(&self, id: &str) -> Vec<Room> {
        let Some((ById(socket), joined)) = self.sockets.get_key_value(id) else { return Vec::new() };
        let own = in_own_room(joined.as_deref()).then(|| socket.id().into());
        own.into_iter().chain(joined.iter().flat_map(|joined| joined.rooms.iter().cloned())).collect()
    }

    /// Fills `selected` with the sockets that `options` mean, each once: those in any of its rooms, or all if it names none,
    /// but not those in an excepted room.
    pub fn select(&self, options: &BroadcastOptions, selected: &mut Vec<Arc<dyn Recipient>>) {
        selected.clear();
        let excepted: SmallVec<[Place<'_>; 4]> = options.excepted().iter().map(|room| self.place(room)).collect();
        let wanted = |socket: &&Arc<dyn Recipient>| !excepted.iter().any(|place| place.holds(socket));

        if options.rooms().is_empty() {
            selected.reserve(self.sockets.len());
            selected.extend(self.sockets.keys().map(|ById(socket)| socket).filter(wanted).cloned());
            return;
        }
        for room in options.rooms() {
            selected.extend(self.place(room).sockets().filter(wanted).cloned());
        }
        if options.rooms().len() > 1 {
            selected.sort_unstable_by_key(address);
            selected.dedup_by_key(|socket| address(socket));
        }
    }

    fn place(&self, room: &str) -> Place<'_> {
        let own = self.sockets.get_key_value(room).filter(|(_, joined)| in_own_room(joined.as_deref()));
        Place { own: own.map(|(ById(socket), _)| socket), members: self.rooms.get(room) }
    }
}

/// Who is in a room.
struct Place<'a> {
    /// The socket whose own room it is.
    own: Option<&'a Arc<dyn Recipient>>,
    /// Those who joined it.
    members: Option<&'a Members>,
}

impl<'a> Place<'a> {
    fn holds(&self, socket: &Arc<dyn Recipient>) -> bool {
        self.own.is_some_and(|own| address(own) == address(socket))
            || self.members.is_some_and(|members| members.contains_key(&address(socket)))
    }

    fn sockets(&self) -> impl Iterator<Item = &'a Arc<dyn Recipient>> + use<'a> {
        self.own.into_iter().chain(self.members.into_iter().flat_map(HashMap::values))
    }
}

/// Tells sockets apart while they are held.
fn address(socket: &Arc<dyn Recipient>) -> usize {
    Arc::as_ptr(socket).cast::<()>() as usize
}

fn in_own_room(joined: Option<&Joined>) -> bool {
    !joined.is_some_and(|joined| joined.left_own)
}

fn remove_member(rooms: &mut HashMap<Room, Members>, room: &str, socket: &Arc<dyn Recipient>) {
    let Some(members) = rooms.get_mut(room) else { return };
    members.remove(&address(socket));
    if members.is_empty() {
        rooms.remove(room);
    } else if members.capacity() > 64.max(4 * members.len()) {
        members.shrink_to(2 * members.len());
    }
}

impl Borrow<str> for ById {
    fn borrow(&self) -> &str {
        self.0.id()
    }
}

impl Hash for ById {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id().hash(state);
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &Self) -> bool {
        self.0.id() == other.0.id()
    }
}

impl Eq for ById {}

#[cfg(test)]
mod tests {
    use super::super::tests::Probe;
    use super::*;

    /// Sockets `a`, `b`, `c`; `a` and `b` in room `x`, `b` and `c` in room `y`.
    fn index() -> RoomIndex {
        let mut index = RoomIndex::new();
        for id in ["a", "b", "c"] {
            index.add(Probe::new(id));
        }
        for (id, room) in [("a", "x"), ("b", "x"), ("b", "y"), ("c", "y")] {
            assert!(index.join(id, room));
        }
        index
    }

    #[track_caller]
    fn selects(index: &RoomIndex, rooms: &[&str], except: &[&str], expected: &str) {
        let mut options = BroadcastOptions::default();
        for room in rooms {
            options.to(room).unwrap();
        }
        for room in except {
            options.except(room).unwrap();
        }
        let mut selected = Vec::new();
        index.select(&options, &mut selected);
        let mut ids: Vec<&str> = selected.iter().map(|socket| socket.id()).collect();
        ids.sort_unstable();
        assert_eq!(ids.concat(), expected);
    }

    #[test]
    fn a_selection_is_the_union_of_rooms_without_the_excepted() {
        let index = index();
        selects(&index, &[], &[], "abc");
        selects(&index, &["x"], &[], "ab");
        selects(&index, &["x", "y"], &[], "abc");
        selects(&index, &["x", "y", "x", "nobody"], &["a"], "bc");
        selects(&index, &["x"], &["y"], "a");
        selects(&index, &[], &["x"], "c");
        selects(&index, &[], &["x", "c", "nobody"], "");
        selects(&index, &["nobody"], &[], "");
    }

    #[test]
    fn a_socket_is_in_the_room_named_as_its_id() {
        let mut index = index();
        selects(&index, &["a"], &[], "a");
        assert!(index.in_room("a", "a") && !index.in_room("a", "b"));

        index.join("c", "a");
        selects(&index, &["a"], &[], "ac");
        selects(&index, &[], &["a"], "b");

        assert!(index.leave("a", "a") && !index.leave("a", "a"));
        selects(&index, &["a"], &[], "c");
        assert_eq!(index.rooms_of("a"), ["x".into()]);

        index.join("a", "a");
        selects(&index, &["a"], &[], "ac");
        assert_eq!(index.rooms_of("c"), ["c".into(), "y".into(), "a".into()]);
    }

    #[test]
    fn rooms_come_and_go_with_their_sockets() {
        let mut index = index();
        assert!(index.leave("a", "x") && !index.leave("a", "x"));
        assert!(index.join("b", "x"));
        index.remove("b");
        assert_eq!(index.rooms.keys().map(|room| &**room).collect::<Vec<_>>(), ["y"]);
        index.remove("c");
        assert!(index.rooms.is_empty());
        selects(&index, &[], &[], "a");
    }

    #[test]
    fn unknown_sockets_are_nowhere() {
        let mut index = index();
        assert!(!index.join("d", "x") && !index.leave("d", "x") && !index.in_room("d", "d"));
        assert!(index.rooms_of("d").is_empty() && index.find("d").is_none() && index.remove("d").is_none());
    }

    #[test]
    fn a_socket_with_the_same_id_takes_the_place_of_the_old_one() {
        let mut index = index();
        let replaced = index.add(Probe::new("a"));
        assert_eq!(replaced.map(|socket| socket.id() == "a"), Some(true));
        assert_eq!(index.len(), 3);
        selects(&index, &["x"], &[], "b");
    }

    #[test]
    fn an_idle_socket_costs_one_entry_of_three_words() {
        assert_eq!(size_of::<(ById, Option<Box<Joined>>)>(), 24);
    }
}
