//! What JavaScript has a number for.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use socketio_bindings::{Ack, Auth, Client, Manager, Namespace, Next, Server, Socket};

use crate::table::{Rights, Table};

/// All of them.
pub(crate) struct Objects {
    pub(crate) servers: Table<Server>,
    pub(crate) namespaces: Table<Namespace>,
    pub(crate) sockets: Sockets,
    pub(crate) managers: Table<Manager>,
    pub(crate) clients: Table<Peer<Client, Auth>>,
}

/// A socket of either side, and the events of it that wait for an answer.
pub(crate) struct Peer<T, Right> {
    pub(crate) handle: T,
    pub(crate) acks: Rights<Ack>,
    /// What JavaScript is asked while it connects: whether it may join, or what it says to be let in.
    pub(crate) asked: Option<Right>,
}

/// The sockets of servers, by number, and their numbers.
pub(crate) struct Sockets {
    table: Table<Peer<Socket, Next>>,
    numbers: HashMap<usize, u32, RandomState>,
}

impl Objects {
    pub(crate) fn new() -> Self {
        Self {
            servers: Table::new(),
            namespaces: Table::new(),
            sockets: Sockets { table: Table::new(), numbers: HashMap::default() },
            managers: Table::new(),
            clients: Table::new(),
        }
    }
}

impl<T, Right> Peer<T, Right> {
    pub(crate) fn new(handle: T) -> Self {
        Self { handle, acks: Rights::new(), asked: None }
    }
}

impl Sockets {
    /// The number of a socket that has one.
    pub(crate) fn number(&self, socket: &Socket) -> Option<u32> {
        self.numbers.get(&socket.key()).copied()
    }

    /// A number for a socket that has none.
    pub(crate) fn add(&mut self, socket: &Socket) -> u32 {
        let number = self.table.insert(Peer::new(socket.clone()));
        self.numbers.insert(socket.key(), number);
        number
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Peer<Socket, Next>> {
        self.table.get(number)
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut Peer<Socket, Next>> {
        self.table.get_mut(number)
    }

    pub(crate) fn remove(&mut self, number: u32) {
        if let Some(peer) = self.table.remove(number) {
            self.numbers.remove(&peer.handle.key());
        }
    }
}
