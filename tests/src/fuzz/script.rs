//! Bytes as a script: each step takes as many of them as it has something to choose.

/// What is left of a script.
#[derive(Clone, Copy, Debug)]
pub struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    /// A script at its start.
    pub const fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// The next byte; `None` at the end.
    pub fn step(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    /// The next byte; 0 at the end.
    pub fn byte(&mut self) -> u8 {
        self.step().unwrap_or_default()
    }

    /// One of the numbers below `limit`, which is from 1 to 256.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Eight bytes as a number.
    pub fn number(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    /// Up to `limit` bytes, which is at most 255: their number comes first.
    pub fn bytes(&mut self, limit: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(self.below(limit + 1).min(self.0.len()));
        self.0 = rest;
        bytes
    }

    /// One of `words`, or else bytes of the script as far as they are text.
    pub fn text(&mut self, words: &[&'a str]) -> &'a str {
        match usize::from(self.byte()) {
            word if word < words.len() => words[word],
            _ => {
                let bytes = self.bytes(255);
                bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
            }
        }
    }
}
