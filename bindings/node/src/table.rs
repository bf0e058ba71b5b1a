//! Objects by number: JavaScript knows them by it.

use std::collections::VecDeque;

/// A number for each `T`. JavaScript gives a number up in the same stream of calls in which it uses it: a number that was given
/// up may be given again.
pub(crate) struct Table<T> {
    entries: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Table<T> {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new(), free: Vec::new() }
    }

    /// The number that the next [`insert`](Self::insert) gives.
    pub(crate) fn next(&self) -> u32 {
        self.free.last().copied().unwrap_or(self.entries.len() as u32)
    }

    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(number) = self.free.pop() {
            self.entries[number as usize] = Some(value);
            return number;
        }
        self.entries.push(Some(value));
        self.entries.len() as u32 - 1
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.entries.get(number as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.entries.get_mut(number as usize)?.as_mut()
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let value = self.entries.get_mut(number as usize)?.take()?;
        self.free.push(number);
        Some(value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.entries.iter().enumerate().filter_map(|(number, entry)| Some((number as u32, entry.as_ref()?)))
    }
}

/// How many rights to answer are kept for one socket. JavaScript forgets functions that it does not call; these would stay.
const RIGHTS: usize = 65_536;

/// Rights to answer, numbered from 1 in their order. Past the bound the oldest is given up.
pub(crate) struct Rights<T> {
    first: u64,
    waiting: VecDeque<Option<T>>,
}

impl<T> Rights<T> {
    pub(crate) const fn new() -> Self {
        Self { first: 1, waiting: VecDeque::new() }
    }

    pub(crate) fn keep(&mut self, right: T) -> u64 {
        if self.waiting.len() == RIGHTS {
            self.waiting.pop_front();
            self.first += 1;
        }
        self.waiting.push_back(Some(right));
        self.first + self.waiting.len() as u64 - 1
    }

    pub(crate) fn take(&mut self, number: u64) -> Option<T> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let right = self.waiting.get_mut(place)?.take();
        while let Some(None) = self.waiting.front() {
            self.waiting.pop_front();
            self.first += 1;
        }
        right
    }
}
