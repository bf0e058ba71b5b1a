//! Session ids, in the form of the official `base64id`.

use std::fmt;
use std::hash::{Hash, Hasher};

use arrayvec::ArrayString;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A session id: 20 characters of `A-Z a-z 0-9 - _`, 96 random bits and a sequence number.
///
/// Engine.IO sessions and Socket.IO sockets each get their own. An Engine.IO id is a bearer secret: it is never logged. The
/// length matters to others: the official adapters take a room name of 20 characters for a socket's id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sid(ArrayString<{ Sid::LEN }>);

impl Sid {
    /// Characters of an id.
    pub const LEN: usize = 20;

    /// The id of `random` bits, which come from the operating system's generator. `sequence` only makes a repetition
    /// impossible within a process; its lowest 24 bits are used.
    pub fn new(random: [u8; 12], sequence: u32) -> Self {
        let mut bytes = [0; 15];
        bytes[..12].copy_from_slice(&random);
        bytes[12..].copy_from_slice(&sequence.to_be_bytes()[1..]);

        let mut text = [0; Self::LEN];
        let written = URL_SAFE_NO_PAD.encode_slice(bytes, &mut text);
        debug_assert_eq!(written, Ok(Self::LEN));
        Self(ArrayString::from_byte_string(&text).unwrap_or_default())
    }

    /// `text` as an id, if it has the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        let valid =
            text.len() == Self::LEN && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        valid.then(|| ArrayString::from(text).ok().map(Self)).flatten()
    }

    /// What tells it from others of the process and is no secret: its sequence number.
    pub fn label(&self) -> &str {
        &self.0[Self::LEN - 4..]
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// As `str` does, so that maps keyed by ids are searched by `&str`.
impl Hash for Sid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl std::borrow::Borrow<str> for Sid {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl std::ops::Deref for Sid {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Shows that there is an id, not which: it is a secret.
impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sid(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_20_characters_of_url_safe_base64() {
        assert_eq!(Sid::new([0; 12], 0).as_str(), "AAAAAAAAAAAAAAAAAAAA");
        assert_eq!(Sid::new([0xff; 12], 1).as_str(), "________________AAAB");
    }

    #[test]
    fn the_sequence_number_tells_equal_random_bits_apart() {
        assert_ne!(Sid::new([7; 12], 1), Sid::new([7; 12], 2));
        assert_eq!(Sid::new([7; 12], 1), Sid::new([7; 12], 1 + (1 << 24)));
    }

    #[test]
    fn only_texts_in_the_form_of_an_id_are_parsed() {
        let id = Sid::new([9; 12], 9);

        assert_eq!(Sid::parse(id.as_str()), Some(id));
        assert_eq!(Sid::parse("AAAAAAAAAAAAAAAAAAA"), None);
        assert_eq!(Sid::parse("AAAAAAAAAAAAAAAAAAAAA"), None);
        assert_eq!(Sid::parse("AAAAAAAAAAAAAAAAAAA="), None);
        assert_eq!(Sid::parse("AAAAAAAAAAAAAAAAAAé"), None);
    }

    #[test]
    fn debug_output_hides_the_id() {
        assert_eq!(format!("{:?}", Sid::new([9; 12], 9)), "Sid(..)");
    }
}
