//! Texts on their way: into JSON, and out of the fields of the outbox.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Writes `value` as a JSON string.
pub(crate) fn string(out: &mut String, value: &str) {
    out.push('"');
    let mut plain = 0;
    for (i, byte) in value.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&value[plain..i]);
        plain = i + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            _ => write!(out, "\\u{byte:04x}").unwrap_or_default(),
        }
    }
    out.push_str(&value[plain..]);
    out.push('"');
}

/// Writes a number. This is in each record several times, which is why it is not left to the formatter.
pub(crate) fn number(out: &mut String, value: impl Into<i64>) {
    let value = value.into();
    if value < 0 {
        out.push('-');
    }
    let mut digits = [0; 20];
    let mut rest = value.unsigned_abs();
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend(digits[first..].iter().map(|&digit| char::from(digit)));
}

/// A field of the outbox as it was before tabs, line feeds and backslashes were escaped.
pub(crate) fn unescape(field: &str) -> Cow<'_, str> {
    if !field.contains('\\') {
        return Cow::Borrowed(field);
    }
    let mut out = String::with_capacity(field.len());
    let mut chars = field.chars();
    while let Some(char) = chars.next() {
        out.push(match (char, char == '\\') {
            (_, true) => match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some(other) => other,
                None => break,
            },
            (plain, false) => plain,
        });
    }
    Cow::Owned(out)
}
