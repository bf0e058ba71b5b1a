//! The packets of one connection that wait to be sent, in order.

use std::collections::VecDeque;

use super::packet::Packet;

/// A queue of packets that holds nothing while it is empty: one waiting packet costs no allocation, and the buffer for
/// more is freed when it runs empty.
#[derive(Debug, Default)]
pub struct Outbox {
    first: Option<Packet>,
    /// Empty whenever `first` is.
    rest: VecDeque<Packet>,
    bytes: usize,
}

impl Outbox {
    /// An empty one.
    pub const fn new() -> Self {
        Self { first: None, rest: VecDeque::new(), bytes: 0 }
    }

    /// Puts `packet` behind all others.
    pub fn push(&mut self, packet: Packet) {
        self.bytes += packet.len();
        if self.first.is_none() {
            self.first = Some(packet);
        } else {
            self.rest.push_back(packet);
        }
    }

    /// Takes the packet that waited longest.
    pub fn pop(&mut self) -> Option<Packet> {
        let packet = self.first.take()?;
        self.bytes -= packet.len();
        self.first = self.rest.pop_front();
        if self.first.is_none() {
            self.rest = VecDeque::new();
        }
        Some(packet)
    }

    /// The packet that waited longest.
    pub const fn front(&self) -> Option<&Packet> {
        self.first.as_ref()
    }

    /// How many packets wait.
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    /// How many bytes wait, without framing.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing waits.
    pub const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Drops all that waits.
    pub fn clear(&mut self) {
        *self = Self::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(packet: Option<Packet>) -> Option<String> {
        match packet? {
            Packet::Text(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            other => Some(format!("{other:?}")),
        }
    }

    #[test]
    fn packets_leave_in_the_order_they_came() {
        let mut outbox = Outbox::new();
        for n in 0..100 {
            outbox.push(Packet::message(&format!("{n:02}")));
        }
        assert_eq!((outbox.len(), outbox.bytes()), (100, 300));
        for n in 0..100 {
            assert_eq!(text(outbox.pop()), Some(format!("4{n:02}")));
            assert_eq!((outbox.len(), outbox.bytes()), (99 - n, 3 * (99 - n)));
        }
        assert_eq!(text(outbox.pop()), None);
    }

    #[test]
    fn nothing_is_held_when_it_runs_empty_and_nothing_for_one_packet() {
        let mut outbox = Outbox::new();
        outbox.push(Packet::ping());
        assert_eq!(outbox.rest.capacity(), 0);
        outbox.push(Packet::ping());
        outbox.pop();
        outbox.pop();
        assert_eq!(outbox.rest.capacity(), 0);
        outbox.push(Packet::End);
        outbox.clear();
        assert!(outbox.is_empty() && outbox.front().is_none() && outbox.bytes() == 0);
    }

    #[test]
    fn it_is_small() {
        assert!(size_of::<Outbox>() <= 80, "{}", size_of::<Outbox>());
    }
}
