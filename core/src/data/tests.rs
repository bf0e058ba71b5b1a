//! Random input that is the same in every run.

/// A small generator (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// `text` with up to four characters put in, taken out or repeated.
    pub(crate) fn mutate(&mut self, text: &str) -> String {
        const CHARS: &[char] = &[
            '"', '\\', '[', ']', '{', '}', ',', ':', '-', '+', '.', 'e', 'E', '0', '1', '9', 't', 'n', 'u', 'd', '/',
            ' ', '\n', '\t', '\u{0}', '\u{1f}', '\u{7f}', 'é', '😀',
        ];
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..=self.below(4) {
            let at = self.below(chars.len() + 1);
            match self.below(3) {
                0 => chars.insert(at, CHARS[self.below(CHARS.len())]),
                1 if at < chars.len() => drop(chars.remove(at)),
                _ if at < chars.len() => {
                    let end = (at + 1 + self.below(8)).min(chars.len());
                    let repeated = chars[at..end].to_vec();
                    chars.splice(at..at, repeated);
                }
                _ => {}
            }
        }
        chars.into_iter().collect()
    }
}
