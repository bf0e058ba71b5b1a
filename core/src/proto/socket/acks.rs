//! Who waits for which answer.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Instant;

/// The acknowledgements that one socket waits for.
///
/// It gives out the ids, which count up and are never reused, and keeps a waiter `W` for each until it is answered,
/// its time is over or the socket is gone. While nothing is awaited it holds no memory but itself.
#[derive(Debug)]
pub struct AckTable<W> {
    next: u64,
    waiting: Option<Box<Waiting<W>>>,
}

#[derive(Debug)]
struct Waiting<W> {
    /// In the order of their ids. An answered one leaves a gap until those before it are answered too.
    entries: VecDeque<Entry<W>>,
    /// Entries that are no gaps.
    live: usize,
    /// The soonest first. Those of answered entries stay a while.
    deadlines: BinaryHeap<Reverse<(Instant, u64)>>,
}

#[derive(Debug)]
struct Entry<W> {
    id: u64,
    waiter: Option<W>,
}

impl<W> AckTable<W> {
    /// An empty table.
    pub fn new() -> Self {
        Self::after(0)
    }

    /// An empty table that gives out ids from `next` on: a peer that was asked by the table before this one may still answer
    /// that.
    pub fn after(next: u64) -> Self {
        Self { next, waiting: None }
    }

    /// The id that comes next.
    pub const fn next_id(&self) -> u64 {
        self.next
    }

    /// Lets `waiter` wait for an answer until `deadline`, and returns the id to ask with. Past `max` the oldest waiter is
    /// given back: it waits no longer.
    pub fn insert(&mut self, waiter: W, deadline: Option<Instant>, max: usize) -> (u64, Option<W>) {
        let id = self.next;
        self.next += 1;
        let waiting = self.waiting.get_or_insert_with(Box::default);
        let oldest = if waiting.live >= max.max(1) { waiting.pop_oldest() } else { None };
        waiting.entries.push_back(Entry { id, waiter: Some(waiter) });
        waiting.live += 1;
        if let Some(deadline) = deadline {
            waiting.deadlines.push(Reverse((deadline, id)));
        }
        (id, oldest)
    }

    /// The waiter for the answer with `id`; `None` for an id that is unknown, or answered already.
    pub fn take(&mut self, id: u64) -> Option<W> {
        let waiter = self.waiting.as_mut()?.take(id);
        self.tidy();
        waiter
    }

    /// When [`expire`](Self::expire) is wanted next. It may be the time of an answered one: then nothing expires.
    pub fn deadline(&self) -> Option<Instant> {
        self.waiting.as_ref()?.deadlines.peek().map(|Reverse((deadline, _))| *deadline)
    }

    /// One waiter whose time is over, with its id. Call it until there is none.
    pub fn expire(&mut self, now: Instant) -> Option<(u64, W)> {
        let waiting = self.waiting.as_mut()?;
        let expired = loop {
            let Some(&Reverse((deadline, id))) = waiting.deadlines.peek() else { break None };
            if deadline > now {
                break None;
            }
            waiting.deadlines.pop();
            if let Some(waiter) = waiting.take(id) {
                break Some((id, waiter));
            }
        };
        self.tidy();
        expired
    }

    /// Empties the table: all waiters with their ids, the oldest first. Ids go on counting.
    pub fn drain(&mut self) -> impl Iterator<Item = (u64, W)> + use<W> {
        let entries = self.waiting.take().map(|waiting| waiting.entries).unwrap_or_default();
        entries.into_iter().filter_map(|entry| entry.waiter.map(|waiter| (entry.id, waiter)))
    }

    /// Takes out the waiters whose id is not wanted any more, the oldest first.
    pub fn drain_unless(&mut self, mut keep: impl FnMut(u64) -> bool) -> Vec<W> {
        let Some(waiting) = &mut self.waiting else { return Vec::new() };
        let ids: Vec<u64> = waiting.entries.iter().filter(|entry| !keep(entry.id)).map(|entry| entry.id).collect();
        let waiters = ids.into_iter().filter_map(|id| waiting.take(id)).collect();
        self.tidy();
        waiters
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.live)
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives back the memory of a burst, keeps what a steady exchange needs.
    fn tidy(&mut self) {
        const SMALL: usize = 64;
        let Some(waiting) = &mut self.waiting else { return };
        if waiting.live == 0 {
            waiting.deadlines.clear();
            if waiting.entries.capacity().max(waiting.deadlines.capacity()) > SMALL {
                self.waiting = None;
            }
        } else if waiting.deadlines.len() > SMALL.max(2 * waiting.live) {
            let entries = &waiting.entries;
            waiting
                .deadlines
                .retain(|Reverse((_, id))| position(entries, *id).is_some_and(|at| entries[at].waiter.is_some()));
        }
    }
}

impl<W> Default for AckTable<W> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W> Default for Waiting<W> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), live: 0, deadlines: BinaryHeap::new() }
    }
}

impl<W> Waiting<W> {
    fn take(&mut self, id: u64) -> Option<W> {
        let at = position(&self.entries, id)?;
        let waiter = self.entries[at].waiter.take()?;
        self.live -= 1;
        while self.entries.front().is_some_and(|entry| entry.waiter.is_none()) {
            self.entries.pop_front();
        }
        // Answers out of order: the gaps must not outnumber those who wait.
        if self.entries.len() > 16 + 2 * self.live {
            self.entries.retain(|entry| entry.waiter.is_some());
        }
        Some(waiter)
    }

    fn pop_oldest(&mut self) -> Option<W> {
        let id = self.entries.front()?.id;
        self.take(id)
    }
}

fn position<W>(entries: &VecDeque<Entry<W>>, id: u64) -> Option<usize> {
    entries.binary_search_by_key(&id, |entry| entry.id).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ids_count_up_from_zero_and_find_their_waiters_once() {
        let mut acks = AckTable::new();
        for (id, waiter) in ["a", "b", "c"].into_iter().enumerate() {
            assert_eq!(acks.insert(waiter, None, 10), (id as u64, None));
        }

        assert_eq!(acks.take(1), Some("b"));
        assert_eq!(acks.take(1), None);
        assert_eq!(acks.take(7), None);
        assert_eq!(acks.take(2), Some("c"));
        assert_eq!(acks.take(0), Some("a"));
        assert!(acks.is_empty());
        assert_eq!(acks.insert("d", None, 10).0, 3);
    }

    #[test]
    fn past_the_bound_the_oldest_waits_no_longer() {
        let mut acks = AckTable::new();
        for id in 0..3 {
            assert_eq!(acks.insert(id, None, 3), (id, None));
        }
        assert_eq!(acks.insert(3, None, 3), (3, Some(0)));
        assert_eq!(acks.take(2), Some(2));
        assert_eq!(acks.insert(4, None, 3), (4, None));
        assert_eq!(acks.insert(5, None, 3), (5, Some(1)));
        assert_eq!(acks.len(), 3);
    }

    #[test]
    fn waiters_expire_in_the_order_of_their_deadlines() {
        let start = Instant::now();
        let at = |seconds| Some(start + Duration::from_secs(seconds));
        let mut acks = AckTable::new();
        acks.insert("late", at(3), 10);
        acks.insert("never", None, 10);
        acks.insert("soon", at(1), 10);
        acks.insert("answered", at(2), 10);
        acks.take(3);

        assert_eq!(acks.deadline(), at(1));
        assert_eq!(acks.expire(start), None);
        assert_eq!(acks.expire(start + Duration::from_secs(3)), Some((2, "soon")));
        assert_eq!(acks.expire(start + Duration::from_secs(3)), Some((0, "late")));
        assert_eq!(acks.expire(start + Duration::from_secs(3)), None);
        assert_eq!(acks.deadline(), None);
        assert_eq!(acks.drain().collect::<Vec<_>>(), [(1, "never")]);
    }

    #[test]
    fn answered_ones_do_not_pile_up() {
        let start = Instant::now();
        let deadline = Some(start + Duration::from_secs(30));
        let mut acks = AckTable::new();
        acks.insert((), None, 10);
        for id in 1..10_000 {
            acks.insert((), deadline, 10);
            assert!(acks.take(id).is_some());
        }

        let waiting = acks.waiting.as_ref().unwrap();
        assert!(waiting.entries.len() < 64 && waiting.deadlines.len() <= 64);
        assert_eq!(acks.len(), 1);
    }

    #[test]
    fn the_memory_of_a_burst_is_given_back() {
        let mut acks = AckTable::new();
        for _ in 0..1_000 {
            acks.insert((), None, 65_536);
        }
        for id in 0..1_000 {
            acks.take(id);
        }
        assert!(acks.waiting.is_none());
    }

    #[test]
    fn some_can_be_kept_when_the_rest_goes() {
        let mut acks = AckTable::new();
        for waiter in 0..4 {
            acks.insert(waiter, None, 10);
        }
        assert_eq!(acks.drain_unless(|id| id == 2), [0, 1, 3]);
        assert_eq!(acks.take(2), Some(2));
    }

    #[test]
    fn an_idle_table_is_two_words() {
        assert_eq!(size_of::<AckTable<[u64; 4]>>(), 16);
    }
}
