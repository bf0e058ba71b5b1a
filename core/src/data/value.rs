//! A tree of values, for those who have no JSON library at hand.
//!
//! Events travel as text ([`Payload`](super::Payload)); a tree is built from an argument when it is asked for.

use bytes::Bytes;

use super::json::{JsonError, Scanner};
use super::limits::JSON_DEPTH;
use super::tag::{Kind, Tag};
use super::text;
use crate::error::{Error, ErrorKind, Result};

/// A JSON value, or bytes.
///
/// A tree is never deeper than JSON may nest, so that it can be walked, printed and dropped by recursion.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Value {
    tag: Tag,
    /// Levels of arrays and objects: 0 for anything else, 1 for an empty array.
    height: u32,
    data: Data,
}

/// What a [`Value`] is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Data {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction or exponent that fits.
    Int(i64),
    /// Any other number. Infinite ones and NaN are printed as `null`, as JavaScript does.
    Double(f64),
    /// A string.
    Text(Box<str>),
    /// Binary data: an attachment.
    Bytes(Bytes),
    /// An array.
    Array(Vec<Value>),
    /// An object: its members in their order. Of equal keys the last one counts.
    Object(Vec<(Box<str>, Value)>),
}

impl Value {
    /// The tag of values.
    pub const KIND: Kind = Kind::new(*b"valu");

    /// A value that holds no other values: `Array` and `Object` of `data` must be empty.
    fn leaf(data: Data) -> Self {
        let height = u32::from(matches!(data, Data::Array(_) | Data::Object(_)));
        Self { tag: Tag::new(Self::KIND), height, data }
    }

    /// `null`.
    pub fn null() -> Self {
        Self::leaf(Data::Null)
    }

    /// An empty array.
    pub fn array() -> Self {
        Self::leaf(Data::Array(Vec::new()))
    }

    /// An empty object.
    pub fn object() -> Self {
        Self::leaf(Data::Object(Vec::new()))
    }

    /// Appends `value` to an array.
    ///
    /// `InvalidState` when this is no array, `TooLarge` when the tree would be deeper than JSON may nest.
    pub fn push(&mut self, value: Value) -> Result<()> {
        let height = self.height_with(&value)?;
        let Data::Array(items) = &mut self.data else {
            return Err(Error::new(ErrorKind::InvalidState, "not an array"));
        };
        items.push(value);
        self.height = height;
        Ok(())
    }

    /// Sets member `key` of an object.
    ///
    /// `InvalidState` when this is no object, `TooLarge` when the tree would be deeper than JSON may nest.
    pub fn set(&mut self, key: &str, value: Value) -> Result<()> {
        let height = self.height_with(&value)?;
        let Data::Object(members) = &mut self.data else {
            return Err(Error::new(ErrorKind::InvalidState, "not an object"));
        };
        match members.iter_mut().find(|(name, _)| &**name == key) {
            Some((_, old)) => *old = value,
            None => members.push((key.into(), value)),
        }
        self.height = height;
        Ok(())
    }

    /// Levels of arrays and objects in it: 0 for anything else, 1 for an empty array.
    pub(super) fn height(&self) -> u32 {
        self.height
    }

    fn height_with(&self, child: &Value) -> Result<u32> {
        let height = self.height.max(child.height + 1);
        if height > JSON_DEPTH {
            return Err(Error::new(ErrorKind::TooLarge, "values nested too deep"));
        }
        Ok(height)
    }

    /// What it is, to match on.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// Elements of an array, or members of an object; else 0.
    pub fn len(&self) -> usize {
        match &self.data {
            Data::Array(items) => items.len(),
            Data::Object(members) => members.len(),
            _ => 0,
        }
    }

    /// Whether there are no elements or members.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Element `i` of an array, or the value of member `i` of an object.
    pub fn at(&self, i: usize) -> Option<&Value> {
        match &self.data {
            Data::Array(items) => items.get(i),
            Data::Object(members) => members.get(i).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The key of member `i` of an object.
    pub fn key_at(&self, i: usize) -> Option<&str> {
        match &self.data {
            Data::Object(members) => members.get(i).map(|(key, _)| &**key),
            _ => None,
        }
    }

    /// The value of member `key` of an object.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match &self.data {
            Data::Object(members) => members.iter().rev().find(|(name, _)| &**name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The value that `json` is the text of, where placeholders stand for `attachments`. Without attachments nothing is a
    /// placeholder. A lone surrogate becomes U+FFFD.
    ///
    /// `InvalidJson` when it is not JSON, too deep, or a placeholder names no attachment.
    pub fn parse(json: &str, attachments: &[Bytes]) -> Result<Self> {
        let mut parser = Parser { text: json, scanner: Scanner::new(json), attachments };
        parser.scanner.whitespace();
        let value = parser.value(0)?;
        parser.scanner.end()?;
        Ok(value)
    }

    /// Appends the value as JSON. Bytes go to `attachments`, and a placeholder with their number is printed.
    pub fn print(&self, out: &mut Vec<u8>, attachments: &mut Vec<Bytes>) {
        match &self.data {
            Data::Null => out.extend_from_slice(b"null"),
            Data::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Data::Int(value) => write_int(out, *value),
            Data::Double(value) => write_double(out, *value),
            Data::Text(value) => text::write_string(out, value),
            Data::Bytes(value) => {
                write_placeholder(out, attachments.len());
                attachments.push(value.clone());
            }
            Data::Array(items) => {
                out.push(b'[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    item.print(out, attachments);
                }
                out.push(b']');
            }
            Data::Object(members) => {
                out.push(b'{');
                for (i, (key, member)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    text::write_string(out, key);
                    out.push(b':');
                    member.print(out, attachments);
                }
                out.push(b'}');
            }
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.data == other.data
    }
}

impl Default for Value {
    fn default() -> Self {
        Self::null()
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::leaf(Data::Bool(value))
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::leaf(Data::Int(value))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::leaf(Data::Double(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::leaf(Data::Text(value.into()))
    }
}

impl From<Bytes> for Value {
    fn from(value: Bytes) -> Self {
        Self::leaf(Data::Bytes(value))
    }
}

/// Appends `{"_placeholder":true,"num":n}`.
pub(super) fn write_placeholder(out: &mut Vec<u8>, num: usize) {
    out.extend_from_slice(br#"{"_placeholder":true,"num":"#);
    let _ = serde_json::to_writer(&mut *out, &num);
    out.push(b'}');
}

/// Appends an integer.
pub(super) fn write_int(out: &mut Vec<u8>, value: i64) {
    // Writing to a Vec does not fail.
    let _ = serde_json::to_writer(out, &value);
}

/// Appends a number; `null` for one that JSON has no form of.
pub(super) fn write_double(out: &mut Vec<u8>, value: f64) {
    let _ = serde_json::to_writer(out, &value);
}

struct Parser<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    attachments: &'a [Bytes],
}

impl Parser<'_> {
    /// The value at the scanner, inside `depth` others.
    fn value(&mut self, depth: u32) -> Result<Value, JsonError> {
        let start = self.scanner.at();
        let byte = self.scanner.peek();
        if matches!(byte, b'[' | b'{') {
            if depth == JSON_DEPTH {
                return Err(JsonError::TooDeep);
            }
            return if byte == b'[' { self.array(depth) } else { self.object(depth) };
        }
        if byte == b'"' {
            let string = self.scanner.string()?;
            return Ok(Value::from(&*text::unescape(&self.text[string.range])));
        }
        self.scanner.value(depth)?;
        Ok(match &self.text[start..self.scanner.at()] {
            "null" => Value::null(),
            "true" => Value::from(true),
            "false" => Value::from(false),
            number => number_value(number),
        })
    }

    fn array(&mut self, depth: u32) -> Result<Value, JsonError> {
        let mut items = Vec::new();
        self.scanner.expect(b'[')?;
        self.scanner.whitespace();
        let mut closed = self.scanner.take(b']');
        while !closed {
            items.push(self.value(depth + 1)?);
            closed = self.next(b']')?;
        }
        let height = 1 + items.iter().map(|item| item.height).max().unwrap_or(0);
        Ok(Value { height, ..Value::leaf(Data::Array(items)) })
    }

    fn object(&mut self, depth: u32) -> Result<Value, JsonError> {
        let mut members: Vec<(Box<str>, Value)> = Vec::new();
        self.scanner.expect(b'{')?;
        self.scanner.whitespace();
        let mut closed = self.scanner.take(b'}');
        while !closed {
            let key = self.scanner.key()?;
            let key = text::unescape(&self.text[key.range]).into();
            members.push((key, self.value(depth + 1)?));
            closed = self.next(b'}')?;
        }
        let height = 1 + members.iter().map(|(_, member)| member.height).max().unwrap_or(0);
        let object = Value { height, ..Value::leaf(Data::Object(members)) };
        self.resolve(object)
    }

    /// Consumes a comma, or the end; tells whether it was the end.
    fn next(&mut self, close: u8) -> Result<bool, JsonError> {
        self.scanner.whitespace();
        if self.scanner.take(close) {
            return Ok(true);
        }
        self.scanner.expect(b',')?;
        self.scanner.whitespace();
        Ok(false)
    }

    /// The attachment that `object` stands for, or `object`.
    fn resolve(&self, object: Value) -> Result<Value, JsonError> {
        let placeholder = object.get("_placeholder").is_some_and(|value| value.data == Data::Bool(true));
        if self.attachments.is_empty() || !placeholder {
            return Ok(object);
        }
        let attachment = match object.get("num").map(|num| &num.data) {
            Some(Data::Int(num)) => usize::try_from(*num).ok().and_then(|num| self.attachments.get(num)),
            _ => None,
        };
        attachment.map(|bytes| Value::from(bytes.clone())).ok_or(JsonError::Placeholder)
    }
}

fn number_value(number: &str) -> Value {
    // `-0` is an integer only in its form: as one it would lose its sign.
    match number.parse::<i64>() {
        Ok(int) if number != "-0" => Value::from(int),
        _ => Value::from(number.parse().unwrap_or(f64::NAN)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(value: &Value) -> (String, Vec<Bytes>) {
        let (mut out, mut attachments) = (Vec::new(), Vec::new());
        value.print(&mut out, &mut attachments);
        (String::from_utf8(out).unwrap_or_default(), attachments)
    }

    fn parse(json: &str) -> Value {
        Value::parse(json, &[]).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    #[test]
    fn every_kind_is_parsed() {
        assert_eq!(parse(" null ").data(), &Data::Null);
        assert_eq!(parse("true").data(), &Data::Bool(true));
        assert_eq!(parse("-12").data(), &Data::Int(-12));
        assert_eq!(parse("1.5").data(), &Data::Double(1.5));
        assert_eq!(parse("\"a\\n\"").data(), &Data::Text("a\n".into()));
        assert_eq!(parse("[1, [2]]").at(1).and_then(|v| v.at(0)), Some(&Value::from(2)));
        assert_eq!(parse("{\"a\" : {\"b\":1}}").get("a").and_then(|v| v.get("b")), Some(&Value::from(1)));
    }

    #[test]
    fn integers_that_do_not_fit_become_doubles() {
        assert_eq!(parse("9223372036854775807").data(), &Data::Int(i64::MAX));
        assert_eq!(parse("9223372036854775808").data(), &Data::Double(9_223_372_036_854_775_808.0));
        assert_eq!(parse("1e999").data(), &Data::Double(f64::INFINITY));
        assert!(matches!(parse("-0").data(), Data::Double(zero) if zero.is_sign_negative()));
    }

    #[test]
    fn of_equal_keys_the_last_one_counts() {
        assert_eq!(parse(r#"{"a":1,"a":2}"#).get("a"), Some(&Value::from(2)));
    }

    #[test]
    fn placeholders_become_bytes_and_back() {
        let attachments = [Bytes::from_static(b"zero"), Bytes::from_static(b"one")];
        let json = r#"[{"_placeholder":true,"num":1},{"x":{"num":0,"_placeholder":true}}]"#;

        let value = Value::parse(json, &attachments).expect("valid");

        assert_eq!(value.at(0), Some(&Value::from(attachments[1].clone())));
        let (json, printed) = print(&value);
        assert_eq!(json, r#"[{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1}}]"#);
        assert_eq!(printed, [attachments[1].clone(), attachments[0].clone()]);
    }

    #[test]
    fn a_placeholder_out_of_range_is_refused() {
        let one = [Bytes::new()];
        for num in ["1", "-1", "0.5", "\"0\"", "null"] {
            let json = format!(r#"{{"_placeholder":true,"num":{num}}}"#);
            assert!(Value::parse(&json, &one).is_err(), "{json}");
        }
        assert!(Value::parse(r#"{"_placeholder":true}"#, &one).is_err());
    }

    #[test]
    fn without_attachments_nothing_is_a_placeholder() {
        let json = r#"{"_placeholder":true,"num":0}"#;
        assert_eq!(print(&parse(json)).0, json);
    }

    #[test]
    fn the_nesting_bound_holds_when_parsing_and_when_building() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Value::parse(&nested(127), &[]).is_ok());
        assert!(Value::parse(&nested(128), &[]).is_ok());
        assert!(Value::parse(&nested(129), &[]).is_err());

        let mut value = Value::null();
        for _ in 0..128 {
            let mut outer = Value::array();
            outer.push(value).expect("within the bound");
            value = outer;
        }
        assert_eq!(Value::array().push(value.clone()).map_err(|e| e.kind()), Err(ErrorKind::TooLarge));
        assert_eq!(Value::object().set("a", value).map_err(|e| e.kind()), Err(ErrorKind::TooLarge));
    }

    #[test]
    fn only_arrays_are_pushed_to_and_only_objects_have_members() {
        assert_eq!(Value::object().push(Value::null()).map_err(|e| e.kind()), Err(ErrorKind::InvalidState));
        assert_eq!(Value::array().set("a", Value::null()).map_err(|e| e.kind()), Err(ErrorKind::InvalidState));

        let mut object = Value::object();
        object.set("a", Value::from(1)).expect("an object");
        object.set("a", Value::from("x")).expect("an object");
        assert_eq!(print(&object).0, r#"{"a":"x"}"#);
    }

    #[test]
    fn what_json_has_no_number_for_prints_as_null() {
        assert_eq!(print(&Value::from(f64::NAN)).0, "null");
        assert_eq!(print(&Value::from(f64::INFINITY)).0, "null");
    }

    #[test]
    fn bad_json_is_refused() {
        for json in ["", " ", "[1,]", "{\"a\"}", "{,}", "[1 2]", "nul", "\"", "1 1"] {
            assert!(Value::parse(json, &[]).is_err(), "{json}");
        }
    }
}
