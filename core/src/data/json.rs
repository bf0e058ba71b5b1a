//! A validating JSON scanner: what it accepts is what JavaScript's `JSON.parse` accepts, down to [`JSON_DEPTH`] levels.
//!
//! Received arguments are scanned once and kept as text; no tree is built. The scanner works on text that is known to be
//! UTF-8, visits each byte once, allocates nothing and does not recurse.

use std::borrow::Cow;
use std::ops::Range;

use super::limits::JSON_DEPTH;
use super::text;
use crate::error::{Error, ErrorKind};

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// It is not JSON from this byte on.
    Syntax(usize),
    /// It nests deeper than [`JSON_DEPTH`].
    TooDeep,
    /// The array has more elements than allowed.
    TooMany,
    /// A placeholder names no attachment.
    Placeholder,
}

impl std::fmt::Display for JsonError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax(at) => write!(f, "not JSON from byte {at} on"),
            Self::TooDeep => write!(f, "JSON nested deeper than {JSON_DEPTH} levels"),
            Self::TooMany => f.write_str("too many arguments"),
            Self::Placeholder => f.write_str("a placeholder names no attachment"),
        }
    }
}

impl std::error::Error for JsonError {}

impl From<JsonError> for Error {
    fn from(error: JsonError) -> Self {
        let kind = if error == JsonError::TooMany { ErrorKind::TooLarge } else { ErrorKind::InvalidJson };
        Error::new(kind, error.to_string())
    }
}

/// Checks that `text` is one JSON value, and returns where it stands between white space.
pub fn value(text: &str) -> Result<Range<usize>, JsonError> {
    value_within(text, 0)
}

/// As [`value`], for a value that is to stand within an array of arguments.
pub fn argument(text: &str) -> Result<Range<usize>, JsonError> {
    value_within(text, 1)
}

fn value_within(text: &str, depth: u32) -> Result<Range<usize>, JsonError> {
    let mut scanner = Scanner::new(text);
    scanner.whitespace();
    let start = scanner.at();
    scanner.value(depth)?;
    let end = scanner.at();
    scanner.end()?;
    Ok(start..end)
}

/// Checks that `text` is one JSON array of at most `max` elements; returns where it stands between white space and how
/// many elements it has.
pub fn array(text: &str, max: usize) -> Result<(Range<usize>, usize), JsonError> {
    let mut scanner = Scanner::new(text);
    scanner.whitespace();
    let start = scanner.at();
    scanner.expect(b'[')?;
    let count = scanner.elements(max)?;
    let end = scanner.at();
    scanner.end()?;
    Ok((start..end, count))
}

/// Whether the valid JSON value `text` is an object.
pub fn is_object(text: &str) -> bool {
    text.trim_ascii_start().starts_with('{')
}

/// The member `key` of the valid JSON object `object`, as JSON; of several the last, as `JSON.parse` has it.
pub fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    let mut scanner = Scanner::new(object);
    scanner.whitespace();
    scanner.expect(b'{').ok()?;
    scanner.whitespace();
    let mut found = None;
    while scanner.peek() == b'"' {
        let name = scanner.key().ok()?;
        let start = scanner.at();
        scanner.value(1).ok()?;
        if text::unescape(&object[name.range]) == key {
            found = Some(&object[start..scanner.at()]);
        }
        scanner.whitespace();
        scanner.take(b',');
        scanner.whitespace();
    }
    found
}

/// The text of the valid JSON value `json`, if it is a string.
pub fn as_text(json: &str) -> Option<Cow<'_, str>> {
    json.strip_prefix('"')?.strip_suffix('"').map(text::unescape)
}

/// The elements of the valid JSON array `array`, as slices of it.
pub fn elements(array: &str) -> Elements<'_> {
    let mut scanner = Scanner::new(array);
    scanner.whitespace();
    let open = scanner.expect(b'[').is_ok();
    Elements { text: array, scanner, open }
}

/// See [`elements`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    open: bool,
}

impl Elements<'_> {
    /// Where the next element stands in the array's text.
    pub fn next_range(&mut self) -> Option<Range<usize>> {
        if !self.open {
            return None;
        }
        self.scanner.whitespace();
        let start = self.scanner.at();
        let end = self.scanner.value(1).map(|()| self.scanner.at());
        self.scanner.whitespace();
        self.open = self.scanner.take(b',');
        Some(start..end.ok()?)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.next_range().and_then(|range| self.text.get(range))
    }
}

/// A string between its quotes, as it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawString {
    /// Where it stands, without the quotes.
    pub range: Range<usize>,
    /// Whether it has escapes.
    pub escaped: bool,
}

/// Walks over JSON text, token by token.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of `text`.
    pub fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), at: 0 }
    }

    /// The position: bytes consumed so far.
    #[inline]
    pub fn at(&self) -> usize {
        self.at
    }

    /// The next byte; 0, which no JSON text holds, at the end.
    #[inline]
    pub fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// Consumes `byte` if it is the next one.
    #[inline]
    pub fn take(&mut self, byte: u8) -> bool {
        if self.peek() == byte {
            self.at += 1;
            return true;
        }
        false
    }

    /// Consumes `byte`.
    #[inline]
    pub fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.take(byte) { Ok(()) } else { Err(self.syntax()) }
    }

    /// Consumes white space.
    #[inline]
    pub fn whitespace(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    /// Nothing but white space is left.
    pub fn end(&mut self) -> Result<(), JsonError> {
        self.whitespace();
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.syntax()) }
    }

    /// The rest of an array whose `[` is consumed: at most `max` elements and the `]`. Returns the number of elements.
    pub fn elements(&mut self, max: usize) -> Result<usize, JsonError> {
        self.whitespace();
        if self.take(b']') { Ok(0) } else { self.more_elements(max) }
    }

    /// As [`elements`](Self::elements), at the first byte of an element: there is at least one.
    pub fn more_elements(&mut self, max: usize) -> Result<usize, JsonError> {
        let mut count = 0;
        loop {
            if count == max {
                return Err(JsonError::TooMany);
            }
            self.value(1)?;
            count += 1;
            self.whitespace();
            if self.take(b']') {
                return Ok(count);
            }
            self.expect(b',')?;
            self.whitespace();
        }
    }

    /// One value, which begins at the next byte and stands inside `depth` arrays or objects.
    #[inline]
    pub fn value(&mut self, depth: u32) -> Result<(), JsonError> {
        match self.peek() {
            b'"' => self.skip_string().map(drop),
            b'{' | b'[' => self.composite(depth),
            _ => self.scalar(),
        }
    }

    /// An array or object with all that is in it.
    fn composite(&mut self, depth: u32) -> Result<(), JsonError> {
        // One bit for each open array (0) or object (1), the innermost lowest.
        let mut stack: u128 = 0;
        let mut open: u32 = 0;
        loop {
            // At the first byte of a value.
            match self.peek() {
                b'"' => drop(self.skip_string()?),
                byte @ (b'{' | b'[') => {
                    if depth + open == JSON_DEPTH {
                        return Err(JsonError::TooDeep);
                    }
                    self.at += 1;
                    self.whitespace();
                    let object = byte == b'{';
                    // The closing bracket is two places after the opening one, for both kinds.
                    if self.peek() == byte + 2 {
                        self.at += 1;
                    } else {
                        stack = stack << 1 | u128::from(object);
                        open += 1;
                        if object {
                            self.skip_key()?;
                        }
                        continue;
                    }
                }
                _ => self.scalar()?,
            }
            // After a value: all that ends with it, then the next one.
            loop {
                if open == 0 {
                    return Ok(());
                }
                self.whitespace();
                let object = stack & 1 == 1;
                match self.peek() {
                    b',' => {
                        self.at += 1;
                        self.whitespace();
                        if object {
                            self.skip_key()?;
                        }
                        break;
                    }
                    byte if byte == (if object { b'}' } else { b']' }) => {
                        self.at += 1;
                        stack >>= 1;
                        open -= 1;
                    }
                    _ => return Err(self.syntax()),
                }
            }
        }
    }

    /// A key with its colon, and the white space up to the value.
    pub fn key(&mut self) -> Result<RawString, JsonError> {
        let key = self.string()?;
        self.colon()?;
        Ok(key)
    }

    #[inline]
    fn skip_key(&mut self) -> Result<(), JsonError> {
        self.skip_string()?;
        self.colon()
    }

    #[inline]
    fn colon(&mut self) -> Result<(), JsonError> {
        self.whitespace();
        self.expect(b':')?;
        self.whitespace();
        Ok(())
    }

    /// A string with its quotes.
    #[inline]
    pub fn string(&mut self) -> Result<RawString, JsonError> {
        let start = self.at + 1;
        let escaped = self.skip_string()?;
        Ok(RawString { range: start..self.at - 1, escaped })
    }

    /// A string; tells whether it has escapes.
    #[inline]
    fn skip_string(&mut self) -> Result<bool, JsonError> {
        self.expect(b'"')?;
        self.at += plain_prefix(&self.bytes[self.at..]);
        let escaped = self.peek() != b'"';
        if escaped {
            self.rest_of_string()?;
        }
        self.at += 1;
        Ok(escaped)
    }

    /// From an escape up to the closing quote.
    #[cold]
    fn rest_of_string(&mut self) -> Result<(), JsonError> {
        loop {
            match self.peek() {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                _ => return Err(self.syntax()),
            }
            self.at += plain_prefix(&self.bytes[self.at..]);
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_ascii_hexdigit() {
                        return Err(self.syntax());
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.syntax()),
        }
        Ok(())
    }

    /// A number, `true`, `false` or `null`.
    fn scalar(&mut self) -> Result<(), JsonError> {
        let word: &[u8] = match self.peek() {
            b't' => b"true",
            b'f' => b"false",
            b'n' => b"null",
            _ => return self.number(),
        };
        if !self.bytes[self.at..].starts_with(word) {
            return Err(self.syntax());
        }
        self.at += word.len();
        Ok(())
    }

    /// A number.
    pub fn number(&mut self) -> Result<(), JsonError> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if !matches!(self.peek(), b'.' | b'e' | b'E') {
            return Ok(());
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> Result<(), JsonError> {
        let count = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { Err(self.syntax()) } else { Ok(()) }
    }

    #[cold]
    fn syntax(&self) -> JsonError {
        JsonError::Syntax(self.at)
    }
}

/// How many bytes at the front need no attention within a string: no quote, backslash or control character.
#[inline]
fn plain_prefix(bytes: &[u8]) -> usize {
    // Most strings are short.
    match bytes.first_chunk() {
        Some(word) => match first_special(*word) {
            Some(at) => at,
            None => 8 + plain_prefix_of_long(&bytes[8..]),
        },
        None => bytes.iter().take_while(|&&byte| is_plain(byte)).count(),
    }
}

fn plain_prefix_of_long(bytes: &[u8]) -> usize {
    const BLOCK: usize = 64;
    // Written so that the compiler uses vectors.
    let all_plain = |block: &&[u8; BLOCK]| block.iter().fold(true, |plain, &byte| plain & is_plain(byte));
    let blocks = bytes.as_chunks::<BLOCK>().0.iter().take_while(all_plain).count();
    let (words, rest) = bytes[blocks * BLOCK..].as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        if let Some(at) = first_special(*word) {
            return blocks * BLOCK + i * 8 + at;
        }
    }
    bytes.len() - rest.len() + rest.iter().take_while(|&&byte| is_plain(byte)).count()
}

#[inline]
fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

/// Where in eight bytes the first is that is not plain.
#[inline]
fn first_special(word: [u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    // The lowest byte with its high bit set in the result is exact; those above it may be false.
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word & HIGHS;

    let word = u64::from_le_bytes(word);
    let quote = below(word ^ (ONES * u64::from(b'"')), 1);
    let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
    let special = quote | backslash | below(word, 0x20);
    if special == 0 { None } else { Some((special.trailing_zeros() / 8) as usize) }
}

/// Calls `found` with the place and the number of each placeholder, `{"_placeholder":true,"num":n}`, in the valid JSON
/// `text`, in the order of the text.
///
/// As in the official decoder an object is a placeholder when its `_placeholder` is `true`, whatever else is in it, and the
/// last of several equal keys counts. Unlike there, `num` must be written as an integer.
pub fn placeholders(
    text: &str,
    mut found: impl FnMut(Range<usize>, u32) -> Result<(), JsonError>,
) -> Result<(), JsonError> {
    let mut scanner = Scanner::new(text);
    scanner.whitespace();
    visit(text, &mut scanner, 0, &mut found)
}

/// Looks for placeholders in the value at `scanner`. The nesting bound of the scanner bounds the recursion.
fn visit(
    text: &str,
    scanner: &mut Scanner<'_>,
    depth: u32,
    found: &mut impl FnMut(Range<usize>, u32) -> Result<(), JsonError>,
) -> Result<(), JsonError> {
    let start = scanner.at();
    let (object, close) = match scanner.peek() {
        b'[' => (false, b']'),
        b'{' => (true, b'}'),
        _ => return scanner.value(depth),
    };
    if depth == JSON_DEPTH {
        return Err(JsonError::TooDeep);
    }
    scanner.at += 1;
    scanner.whitespace();
    if scanner.take(close) {
        return Ok(());
    }
    let mut placeholder = false;
    let mut num = None;
    loop {
        if object {
            let key = scanner.key()?;
            let raw = &text[key.range];
            let name = if key.escaped { text::unescape(raw) } else { raw.into() };
            let value = scanner.at();
            visit(text, scanner, depth + 1, found)?;
            match &*name {
                "_placeholder" => placeholder = &text[value..scanner.at()] == "true",
                "num" => num = text[value..scanner.at()].parse().ok(),
                _ => {}
            }
        } else {
            visit(text, scanner, depth + 1, found)?;
        }
        scanner.whitespace();
        if scanner.take(close) {
            break;
        }
        scanner.expect(b',')?;
        scanner.whitespace();
    }
    if placeholder {
        found(start..scanner.at(), num.ok_or(JsonError::Placeholder)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
