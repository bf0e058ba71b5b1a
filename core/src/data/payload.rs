//! What an event or an acknowledgement carries.

use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;

use super::json;
use super::limits::Limits;
use super::tag::{Kind, Tag};
use super::text;
use super::value::{Value, write_double, write_int, write_placeholder};
use crate::error::{Error, ErrorKind, Result};

/// The arguments of an event or an acknowledgement, as they are on the wire: a JSON array, in which
/// `{"_placeholder":true,"num":i}` stands for attachment `i`, and the attachments.
///
/// A clone shares the bytes. A payload is always valid: whoever holds one need not check its JSON again.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Payload {
    tag: Tag,
    /// Where the array begins in `text`; it reaches to the end. What is before it is the event's name, received with it.
    start: u32,
    count: u32,
    text: Bytes,
    attachments: Vec<Bytes>,
    index: OnceLock<Box<Index>>,
}

/// Made when an argument is asked for.
#[derive(Clone, Debug)]
struct Index {
    /// Where the arguments stand in the JSON.
    ranges: Vec<Range<u32>>,
    values: OnceLock<Vec<Value>>,
}

impl Payload {
    /// The tag of payloads.
    pub const KIND: Kind = Kind::new(*b"payl");

    /// No arguments.
    pub fn new() -> Self {
        Self::from_parts(Bytes::from_static(b"[]"), 0, 0, Vec::new())
    }

    /// The payload of a JSON array and its attachments. Without attachments nothing is a placeholder.
    ///
    /// `InvalidJson` when `array` is not a JSON array, is too deep, or a placeholder names no attachment; `TooLarge` when it
    /// has too many arguments.
    pub fn from_json(array: &str, attachments: Vec<Bytes>) -> Result<Self> {
        let (place, count) = json::array(array, Limits::DEFAULT.arguments)?;
        bounded_length(array.len())?;
        if !attachments.is_empty() {
            check_placeholders(array, attachments.len())?;
        }
        let text = Bytes::copy_from_slice(&array.as_bytes()[place]);
        Ok(Self::from_parts(text, 0, count as u32, attachments))
    }

    /// The payload whose JSON is `text[start..]`, an array of `count` elements that was checked, as are its placeholders.
    /// All of `text` is UTF-8.
    pub(crate) fn from_parts(text: Bytes, start: u32, count: u32, attachments: Vec<Bytes>) -> Self {
        Self { tag: Tag::new(Self::KIND), start, count, text, attachments, index: OnceLock::new() }
    }

    /// Attaches what a binary packet announced. The placeholders must have been checked.
    pub(crate) fn set_attachments(&mut self, attachments: Vec<Bytes>) {
        self.attachments = attachments;
    }

    /// The text that the JSON is the end of.
    pub(crate) fn whole_text(&self) -> &Bytes {
        &self.text
    }

    /// The JSON array.
    pub fn json(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or("[]")
    }

    /// The JSON array as bytes, which are UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[self.start as usize..]
    }

    /// The arguments within the brackets of the array: empty, or `1,"a"`.
    pub fn arguments(&self) -> &[u8] {
        let array = self.as_bytes();
        if self.count == 0 { &[] } else { &array[1..array.len() - 1] }
    }

    /// The attachments.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// Number of arguments.
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// Whether there are no arguments.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of JSON and attachments together.
    pub fn byte_len(&self) -> usize {
        self.as_bytes().len() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }

    /// Argument `i` as JSON. The first call finds all of them.
    pub fn arg(&self, i: usize) -> Option<&str> {
        let range = self.index().ranges.get(i)?;
        self.json().get(range.start as usize..range.end as usize)
    }

    /// Argument `i` as a tree. The first call builds all of them; they live as long as the payload.
    pub fn value(&self, i: usize) -> Option<&Value> {
        let index = self.index();
        let values = index.values.get_or_init(|| {
            let json = self.json();
            let value = |range: &Range<u32>| {
                let json = &json[range.start as usize..range.end as usize];
                Value::parse(json, &self.attachments).unwrap_or_default()
            };
            index.ranges.iter().map(value).collect()
        });
        values.get(i)
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| {
            let mut elements = json::elements(self.json());
            let next = || elements.next_range().map(|range| range.start as u32..range.end as u32);
            Box::new(Index { ranges: std::iter::from_fn(next).collect(), values: OnceLock::new() })
        })
    }

    /// Changes the payload by a builder that starts with what is in it. Other clones stay as they are; without any, the text
    /// is not copied.
    pub fn edit<R>(&mut self, change: impl FnOnce(&mut PayloadBuilder) -> R) -> R {
        let mut builder = std::mem::take(self).into_builder();
        let result = change(&mut builder);
        *self = builder.build();
        result
    }

    /// A builder that starts with what is in this payload.
    pub fn into_builder(self) -> PayloadBuilder {
        let mut json = if self.start == 0 { Vec::from(self.text) } else { self.as_bytes().to_vec() };
        json.pop();
        PayloadBuilder { json, count: self.count, attachments: self.attachments }
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes() && self.attachments == other.attachments
    }
}

/// Builds a [`Payload`] argument by argument.
///
/// `push_json` and `push_value` can fail; then nothing was added. All others fail only with `TooLarge`.
#[derive(Clone, Debug)]
pub struct PayloadBuilder {
    /// The array without its `]`.
    json: Vec<u8>,
    count: u32,
    attachments: Vec<Bytes>,
}

impl PayloadBuilder {
    /// A builder of a payload without arguments.
    pub fn new() -> Self {
        Self { json: vec![b'['], count: 0, attachments: Vec::new() }
    }

    /// Adds an argument that is JSON already. If there are attachments by now, placeholders in it may name them.
    ///
    /// `InvalidJson` when it is not one JSON value, is too deep, or a placeholder names no attachment.
    pub fn push_json(&mut self, json: &str) -> Result<()> {
        let place = json::argument(json)?;
        if !self.attachments.is_empty() {
            check_placeholders(json, self.attachments.len())?;
        }
        self.push(|out, _| out.extend_from_slice(&json.as_bytes()[place]))
    }

    /// Adds a text.
    pub fn push_text(&mut self, value: &str) -> Result<()> {
        self.push(|out, _| text::write_string(out, value))
    }

    /// Adds an integer. JavaScript peers round it past 2^53.
    pub fn push_int(&mut self, value: i64) -> Result<()> {
        self.push(|out, _| write_int(out, value))
    }

    /// Adds a number; `null` for an infinite one or NaN, as JavaScript does.
    pub fn push_double(&mut self, value: f64) -> Result<()> {
        self.push(|out, _| write_double(out, value))
    }

    /// Adds `true` or `false`.
    pub fn push_bool(&mut self, value: bool) -> Result<()> {
        self.push(|out, _| out.extend_from_slice(if value { b"true" } else { b"false" }))
    }

    /// Adds `null`.
    pub fn push_null(&mut self) -> Result<()> {
        self.push(|out, _| out.extend_from_slice(b"null"))
    }

    /// Adds binary data.
    pub fn push_bytes(&mut self, bytes: Bytes) -> Result<()> {
        self.push(|out, attachments| {
            write_placeholder(out, attachments.len());
            attachments.push(bytes);
        })
    }

    /// Adds a tree.
    ///
    /// `TooLarge` when it is so deep that it may not stand within the array of arguments.
    pub fn push_value(&mut self, value: &Value) -> Result<()> {
        if value.height() >= super::limits::JSON_DEPTH {
            return Err(Error::new(ErrorKind::TooLarge, "values nested too deep"));
        }
        self.push(|out, attachments| value.print(out, attachments))
    }

    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>, &mut Vec<Bytes>)) -> Result<()> {
        if self.count as usize >= Limits::DEFAULT.arguments {
            return Err(Error::new(ErrorKind::TooLarge, "too many arguments"));
        }
        let (length, attachments) = (self.json.len(), self.attachments.len());
        if self.count > 0 {
            self.json.push(b',');
        }
        write(&mut self.json, &mut self.attachments);
        if let Err(error) = bounded_length(self.json.len()) {
            self.json.truncate(length);
            self.attachments.truncate(attachments);
            return Err(error);
        }
        self.count += 1;
        Ok(())
    }

    /// The payload.
    pub fn build(mut self) -> Payload {
        self.json.push(b']');
        Payload::from_parts(Bytes::from(self.json), 0, self.count, self.attachments)
    }
}

impl Default for PayloadBuilder {
    fn default() -> Self {
        Self::new()
    }
}

/// Places within the text are kept in 32 bits.
fn bounded_length(length: usize) -> Result<()> {
    if length < u32::MAX as usize { Ok(()) } else { Err(Error::new(ErrorKind::TooLarge, "payload too large")) }
}

/// Every placeholder in valid JSON names one of `count` attachments.
pub(crate) fn check_placeholders(json: &str, count: usize) -> Result<(), json::JsonError> {
    json::placeholders(json, |_, num| if (num as usize) < count { Ok(()) } else { Err(json::JsonError::Placeholder) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_gives_back_its_json_and_arguments() {
        let payload = Payload::from_json(r#" [ 1 , "a,]\"" , {"b":[2]} ] "#, Vec::new()).expect("valid");

        assert_eq!(payload.json(), r#"[ 1 , "a,]\"" , {"b":[2]} ]"#);
        assert_eq!(payload.count(), 3);
        assert_eq!(payload.arg(0), Some("1"));
        assert_eq!(payload.arg(1), Some(r#""a,]\"""#));
        assert_eq!(payload.arg(2), Some(r#"{"b":[2]}"#));
        assert_eq!(payload.arg(3), None);
        assert_eq!(payload.value(2).and_then(|v| v.get("b")).and_then(|v| v.at(0)), Some(&Value::from(2)));
        assert_eq!(payload.value(3), None);
    }

    #[test]
    fn the_text_before_the_array_is_not_part_of_it() {
        let payload = Payload::from_parts(Bytes::from_static(br#"["ev"[1,2]"#), 5, 2, Vec::new());

        assert_eq!(payload.json(), "[1,2]");
        assert_eq!(payload.arguments(), b"1,2");
        assert_eq!(payload.arg(1), Some("2"));
        assert_eq!(payload.into_builder().build().json(), "[1,2]");
    }

    #[test]
    fn what_is_not_an_array_is_refused() {
        for json in ["", "{}", "1", "[", "[1]]", "[1,]", "null"] {
            assert_eq!(
                Payload::from_json(json, Vec::new()).map_err(|e| e.kind()),
                Err(ErrorKind::InvalidJson),
                "{json}"
            );
        }
    }

    #[test]
    fn placeholders_must_name_an_attachment() {
        let json = r#"[{"_placeholder":true,"num":1}]"#;
        assert!(Payload::from_json(json, Vec::new()).is_ok());
        assert!(Payload::from_json(json, vec![Bytes::new()]).is_err());
        assert!(Payload::from_json(json, vec![Bytes::new(); 2]).is_ok());
        // Attachments that nothing names are tolerated.
        assert!(Payload::from_json("[]", vec![Bytes::new()]).is_ok());
    }

    #[test]
    fn a_builder_adds_every_kind_of_argument() {
        let mut builder = PayloadBuilder::new();
        builder.push_json(" {\"a\": 1} ").expect("valid");
        builder.push_text("q\"").expect("fits");
        builder.push_int(-1).expect("fits");
        builder.push_double(0.5).expect("fits");
        builder.push_double(f64::NAN).expect("fits");
        builder.push_bool(true).expect("fits");
        builder.push_null().expect("fits");
        builder.push_bytes(Bytes::from_static(b"x")).expect("fits");
        let mut tree = Value::array();
        tree.push(Value::from(Bytes::from_static(b"y"))).expect("an array");
        builder.push_value(&tree).expect("fits");

        let payload = builder.build();

        assert_eq!(
            payload.json(),
            r#"[{"a": 1},"q\"",-1,0.5,null,true,null,{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]]"#
        );
        assert_eq!(payload.attachments(), [&b"x"[..], b"y"]);
        assert_eq!(payload.count(), 9);
        assert_eq!(payload, Payload::from_json(payload.json(), payload.attachments().to_vec()).expect("valid"));
    }

    #[test]
    fn a_failed_push_adds_nothing() {
        let mut builder = PayloadBuilder::new();
        builder.push_int(1).expect("fits");
        assert!(builder.push_json("1,2").is_err());
        assert!(builder.push_json("").is_err());
        assert_eq!(builder.build().json(), "[1]");
    }

    #[test]
    fn editing_leaves_clones_as_they_were() {
        let mut payload = Payload::from_json("[1]", Vec::new()).expect("valid");
        let clone = payload.clone();

        payload.edit(|builder| builder.push_text("a")).expect("fits");

        assert_eq!(payload.json(), r#"[1,"a"]"#);
        assert_eq!(payload.arg(1), Some("\"a\""));
        assert_eq!(clone.json(), "[1]");
    }

    #[test]
    fn the_bound_of_arguments_holds() {
        let max = Limits::DEFAULT.arguments;
        let array = |count: usize| format!("[{}]", vec!["0"; count].join(","));
        assert_eq!(Payload::from_json(&array(max - 1), Vec::new()).map(|p| p.count()), Ok(max - 1));
        assert_eq!(Payload::from_json(&array(max), Vec::new()).map(|p| p.count()), Ok(max));
        assert_eq!(Payload::from_json(&array(max + 1), Vec::new()).map_err(|e| e.kind()), Err(ErrorKind::TooLarge));

        let mut builder = Payload::from_json(&array(max - 1), Vec::new()).expect("valid").into_builder();
        builder.push_null().expect("fits");
        assert_eq!(builder.push_null().map_err(|e| e.kind()), Err(ErrorKind::TooLarge));
    }

    #[test]
    fn the_bound_of_nesting_counts_the_array_of_arguments() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Payload::from_json(&nested(128), Vec::new()).is_ok());
        assert!(Payload::from_json(&nested(129), Vec::new()).is_err());

        let mut builder = PayloadBuilder::new();
        builder.push_json(&nested(127)).expect("fits");
        assert!(builder.push_json(&nested(128)).is_err());
        builder.push_value(&Value::parse(&nested(127), &[]).expect("valid")).expect("fits");
        assert!(builder.push_value(&Value::parse(&nested(128), &[]).expect("valid")).is_err());
    }

    #[test]
    fn a_payload_is_small() {
        assert!(size_of::<Payload>() <= 88, "{}", size_of::<Payload>());
    }
}
