//! What holds for every text that may be JSON; `serde_json` has the second opinion.

use serde::de::IgnoredAny;
use socketio_core::data::Value;
use socketio_core::data::json::{self, JsonError};

/// Reads `text` in all the ways there are.
pub(super) fn check(text: &str) {
    let value = json::value(text);
    if value != Err(JsonError::TooDeep) {
        let expected = serde_json::from_str::<IgnoredAny>(text).is_ok();
        assert_eq!(value.is_ok(), expected, "{text:?}: {value:?}");
    }
    assert_eq!(Value::parse(text, &[]).is_ok(), value.is_ok(), "{text:?}");
    if let Ok(place) = value {
        assert_eq!(text[place.clone()].trim_ascii(), &text[place.clone()]);
        assert_eq!(json::value(&text[place.clone()]), Ok(0..place.len()));
    }
    let Ok((place, count)) = json::array(text, 65_536) else { return };
    let array = &text[place];
    let elements: Vec<_> = json::elements(array).collect();
    assert_eq!(elements.len(), count, "{array:?}");
    assert!(elements.iter().all(|element| json::argument(element) == Ok(0..element.len())), "{elements:?}");
    let joined = format!("[{}]", elements.join(","));
    assert_eq!(json::array(&joined, count).map(|(_, count)| count), Ok(count));
    assert!(count == 0 || json::array(&joined, count - 1) == Err(JsonError::TooMany));
}
