//! An event as it was received.

use std::ops::Range;

use bytes::Bytes;

use super::error::ProtocolError;
use crate::data::json::Scanner;
use crate::data::payload::check_placeholders;
use crate::data::{Limits, Payload, text};
use crate::error::{Error, ErrorKind, Result};

/// Whether `name` stands for something that the library itself reports, so that no peer may send it and nobody emits it:
/// the list of the official parser.
pub fn is_reserved(name: &str) -> bool {
    matches!(name, "connect" | "connect_error" | "disconnect" | "disconnecting" | "newListener" | "removeListener")
}

/// Whether a program may emit an event of this name, or listen to it.
///
/// # Errors
/// `InvalidArgument` for a reserved name.
pub fn check_emitted(name: &str) -> Result<()> {
    if is_reserved(name) {
        return Err(Error::new(ErrorKind::InvalidArgument, format!("{name:?} is a reserved event name")));
    }
    Ok(())
}

/// An event that a peer sent: its name, its arguments, and the id of the acknowledgement that is asked for.
///
/// The text of the packet is copied once; name and arguments are slices of that copy.
#[derive(Clone, Debug)]
pub struct ReceivedEvent {
    payload: Payload,
    name: Name,
    ack: Option<u64>,
}

#[derive(Clone, Debug)]
enum Name {
    /// A slice of the payload's text.
    Slice(Range<u32>),
    /// One that is not written in the text as it reads: it has escapes, or is a number.
    Owned(Box<str>),
}

impl ReceivedEvent {
    /// The event whose data is `json`: `["name",args..]`. Placeholders must name one of `attachments`; with none of those
    /// announced there are no placeholders.
    pub(super) fn parse(
        json: &str,
        ack: Option<u64>,
        attachments: usize,
        limits: &Limits,
    ) -> Result<Self, ProtocolError> {
        let mut scanner = Scanner::new(json);
        scanner.expect(b'[')?;
        scanner.whitespace();
        let name = RawName::scan(&mut scanner, json)?;
        scanner.whitespace();

        let slice = &name.range;
        let (text, start, count) = if scanner.take(b']') {
            scanner.end()?;
            let mut text = Vec::with_capacity(slice.len() + 2);
            text.extend_from_slice(&json.as_bytes()[slice.clone()]);
            text.extend_from_slice(b"[]");
            (text, slice.len(), 0)
        } else {
            scanner.expect(b',')?;
            scanner.whitespace();
            let first = scanner.at();
            let count = scanner.more_elements(limits.arguments)?;
            let end = scanner.at();
            scanner.end()?;
            // The byte before the first argument is a comma or white space: it becomes the bracket of the arguments' array.
            let start = first - 1 - slice.start;
            let mut text = json.as_bytes()[slice.start..end].to_vec();
            text[start] = b'[';
            (text, start, count)
        };
        let name = name.resolve(json, limits)?;
        let payload = Payload::from_parts(Bytes::from(text), start as u32, count as u32, Vec::new());
        if attachments > 0 {
            check_placeholders(payload.json(), attachments)?;
        }
        Ok(Self { payload, name, ack })
    }

    /// The event's name. A number that was sent as the name reads as JavaScript prints it.
    pub fn name(&self) -> &str {
        match &self.name {
            Name::Slice(range) => {
                let name = &self.payload.whole_text()[range.start as usize..range.end as usize];
                std::str::from_utf8(name).unwrap_or_default()
            }
            Name::Owned(name) => name,
        }
    }

    /// The event's arguments.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The event's arguments, to change them.
    pub fn payload_mut(&mut self) -> &mut Payload {
        self.own_name();
        &mut self.payload
    }

    /// The event's arguments, without its name.
    pub fn into_payload(self) -> Payload {
        self.payload
    }

    /// The id to acknowledge the event with, if the sender asks for it.
    pub fn ack(&self) -> Option<u64> {
        self.ack
    }

    /// Bytes that the event holds, for the bounds on undelivered events.
    pub fn len(&self) -> usize {
        self.payload.whole_text().len() + self.payload.attachments().iter().map(Bytes::len).sum::<usize>()
    }

    /// Whether the event holds no bytes; never so.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Attaches what was announced.
    pub(super) fn set_attachments(&mut self, attachments: Vec<Bytes>) {
        self.payload.set_attachments(attachments);
    }

    /// Makes the name independent of the payload's text.
    fn own_name(&mut self) {
        if let Name::Slice(_) = self.name {
            self.name = Name::Owned(self.name().into());
        }
    }
}

/// An event's name as it stands in the text.
struct RawName {
    range: Range<usize>,
    form: Form,
}

enum Form {
    Plain,
    Escaped,
    Number,
}

impl RawName {
    fn scan(scanner: &mut Scanner<'_>, json: &str) -> Result<Self, ProtocolError> {
        match scanner.peek() {
            b'"' => {
                let string = scanner.string()?;
                let form = if string.escaped { Form::Escaped } else { Form::Plain };
                Ok(Self { range: string.range, form })
            }
            b'-' | b'0'..=b'9' => {
                let start = scanner.at();
                scanner.number()?;
                let range = start..scanner.at();
                // Up to 15 digits are exact as a JavaScript number, and print as they are.
                let plain = range.len() <= 15 && json[range.clone()].bytes().all(|b| b.is_ascii_digit());
                Ok(Self { range, form: if plain { Form::Plain } else { Form::Number } })
            }
            _ => Err(ProtocolError::EventName),
        }
    }

    fn resolve(&self, json: &str, limits: &Limits) -> Result<Name, ProtocolError> {
        let raw = &json[self.range.clone()];
        let name = match self.form {
            // The copy of the text begins with the name.
            Form::Plain => Name::Slice(0..raw.len() as u32),
            Form::Escaped => Name::Owned(text::unescape(raw).into()),
            Form::Number => Name::Owned(text::js_number(raw.parse().unwrap_or(f64::NAN)).into()),
        };
        let name_text = if let Name::Owned(name) = &name { name } else { raw };
        if is_reserved(name_text) || name_text.len() > limits.event_name {
            return Err(ProtocolError::EventName);
        }
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::json::JsonError;

    fn parse(json: &str) -> Result<ReceivedEvent, ProtocolError> {
        ReceivedEvent::parse(json, None, 0, &Limits::DEFAULT)
    }

    #[track_caller]
    fn reads(json: &str, name: &str, arguments: &str, count: usize) {
        let event = parse(json).unwrap_or_else(|error| panic!("{json}: {error}"));
        assert_eq!(event.name(), name);
        assert_eq!(event.payload().json(), arguments);
        assert_eq!(event.payload().count(), count);
    }

    #[test]
    fn name_and_arguments_are_told_apart() {
        reads(r#"["a"]"#, "a", "[]", 0);
        reads(r#"["a",1]"#, "a", "[1]", 1);
        reads(r#"["a","b",{"c":[1,2]},null]"#, "a", r#"["b",{"c":[1,2]},null]"#, 3);
        reads("[ \"a\" ] ", "a", "[]", 0);
        reads("[\"a\" , \t1 , 2 ]\n", "a", "[1 , 2 ]", 2);
        reads(r#"["",1]"#, "", "[1]", 1);
        reads(r#"["é€😀","é"]"#, "é€😀", r#"["é"]"#, 1);
    }

    #[test]
    fn escaped_names_read_as_they_are_meant() {
        reads(r#"["a\n\u0062",1]"#, "a\nb", "[1]", 1);
        reads(r#"["\ud800"]"#, "\u{fffd}", "[]", 0);
    }

    #[test]
    fn numbers_are_names_as_javascript_prints_them() {
        reads("[1]", "1", "[]", 0);
        reads("[0,1]", "0", "[1]", 1);
        reads("[-1.50,1]", "-1.5", "[1]", 1);
        reads("[1e3]", "1000", "[]", 0);
        reads("[-0]", "0", "[]", 0);
        reads("[9007199254740993]", "9007199254740992", "[]", 0);
    }

    #[test]
    fn other_kinds_of_names_are_refused() {
        for json in ["[]", "[null]", "[true,1]", "[[\"a\"]]", "[{}]"] {
            assert_eq!(parse(json).map(drop), Err(ProtocolError::EventName), "{json}");
        }
    }

    #[test]
    fn reserved_names_are_refused_however_they_are_written() {
        for name in [
            "connect",
            "connect_error",
            "disconnect",
            "disconnecting",
            "newListener",
            "removeListener",
            "c\\u006fnnect",
        ] {
            let json = format!("[\"{name}\"]");
            assert_eq!(parse(&json).map(drop), Err(ProtocolError::EventName), "{json}");
        }
        reads(r#"["error"]"#, "error", "[]", 0);
    }

    #[test]
    fn what_is_no_json_array_is_refused() {
        for json in ["", "{}", "\"a\"", "[\"a\"", "[\"a\",]", "[\"a\", ]", "[\"a\"]]", "[\"a\" 1]", "[\"a\n\"]", "[01]"]
        {
            assert!(
                matches!(parse(json), Err(ProtocolError::Json(JsonError::Syntax(_)) | ProtocolError::EventName)),
                "{json}"
            );
        }
    }

    #[test]
    fn the_bound_of_the_name_holds() {
        let max = Limits::DEFAULT.event_name;
        let named = |length: usize| parse(&format!("[\"{}\"]", "x".repeat(length))).map(|event| event.name().len());
        assert_eq!(named(max - 1), Ok(max - 1));
        assert_eq!(named(max), Ok(max));
        assert_eq!(named(max + 1), Err(ProtocolError::EventName));
    }

    #[test]
    fn the_bound_of_arguments_holds() {
        let limits = Limits { arguments: 3, ..Limits::DEFAULT };
        let parse = |json| ReceivedEvent::parse(json, None, 0, &limits).map(|event| event.payload().count());
        assert_eq!(parse(r#"["a",1,2]"#), Ok(2));
        assert_eq!(parse(r#"["a",1,2,3]"#), Ok(3));
        assert_eq!(parse(r#"["a",1,2,3,4]"#), Err(ProtocolError::Json(JsonError::TooMany)));
    }

    #[test]
    fn the_bound_of_nesting_holds() {
        let nested = |depth: usize| parse(&format!("[\"a\",{}{}]", "[".repeat(depth), "]".repeat(depth))).map(drop);
        assert_eq!(nested(126), Ok(()));
        assert_eq!(nested(127), Ok(()));
        assert_eq!(nested(128), Err(ProtocolError::Json(JsonError::TooDeep)));
    }

    #[test]
    fn changing_the_payload_leaves_the_name() {
        let mut event = parse(r#"["name",1]"#).expect("valid");
        event.payload_mut().edit(|builder| builder.push_int(2)).expect("fits");
        assert_eq!((event.name(), event.payload().json()), ("name", "[1,2]"));
    }
}
