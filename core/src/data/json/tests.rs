use serde::de::IgnoredAny;

use super::*;
use crate::data::Value;
use crate::data::tests::Random;

const SEEDS: &[&str] = &[
    r#"["a",{"b":[1,-2.5e+3,0.1E-7,"\u00e9\ud83d\ude00\n"],"c":null},true,false]"#,
    r#" [ [ ] , { } , [ [ { "a" : [ ] } ] ] ] "#,
    r#"{"":"","a":{"a":{"a":0}},"long":"0123456789012345678901234567890123456789é€😀"}"#,
    "-0.0e-0",
    r#""\"\\\/\b\f\n\r\t\ud800""#,
    "[0,1,2,3,4,5,6,7,8,9]",
];

#[test]
fn what_json_is_and_what_not_agrees_with_serde_json() {
    let mut random = Random::new(1);
    let mut valid = 0;
    for round in 0..60_000 {
        let text = random.mutate(SEEDS[round % SEEDS.len()]);
        // Ignoring what it reads, serde_json accepts lone surrogates and any depth, as JavaScript does.
        let expected = serde_json::from_str::<IgnoredAny>(&text).is_ok();

        assert_eq!(value(&text).is_ok(), expected, "{text}");
        assert_eq!(Value::parse(&text, &[]).is_ok(), expected, "{text}");
        valid += usize::from(expected);
    }
    assert!((1_000..59_000).contains(&valid), "{valid} of 60000 are valid: the test tests little");
}

#[test]
fn elements_are_those_that_serde_json_sees() {
    let mut random = Random::new(2);
    for round in 0..20_000 {
        let text = random.mutate(SEEDS[round % SEEDS.len()]);
        let Ok(expected) = serde_json::from_str::<Vec<&serde_json::value::RawValue>>(&text) else { continue };

        let (place, count) = array(&text, usize::MAX).unwrap();

        assert_eq!(&text[place], text.trim_ascii());
        assert_eq!(count, expected.len());
        assert!(elements(&text).eq(expected.iter().map(|element| element.get())), "{text}");
    }
}

#[test]
fn any_special_byte_is_seen_at_any_place_in_a_string() {
    for length in 0..40 {
        for fill in [0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xa2, 0xff] {
            for at in 0..=length {
                for special in [b'"', b'\\', 0x00, 0x01, 0x1f] {
                    let mut bytes = vec![fill; length];
                    assert_eq!(plain_prefix(&bytes), length);
                    bytes.insert(at, special);
                    assert_eq!(plain_prefix(&bytes), at, "{special:#x} in {fill:#x}");
                }
            }
        }
    }
}

#[test]
fn syntax_errors_tell_their_place() {
    for (text, place) in [("", 0), ("[1,]", 3), ("[1}", 2), ("{\"a\" 1}", 5), ("\"a\n\"", 2), ("01", 1), ("1 x", 2)] {
        assert_eq!(value(text), Err(JsonError::Syntax(place)), "{text}");
    }
}

#[test]
fn the_bound_of_nesting_holds_for_arrays_and_objects() {
    for (depth, fits) in [(127, true), (128, true), (129, false), (100_000, false)] {
        let arrays = "[".repeat(depth) + &"]".repeat(depth);
        let objects = "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
        let mixed: String =
            (0..depth).map(|i| if i % 2 == 0 { "[" } else { "{\"a\":" }).chain(["1"]).collect::<String>()
                + &(0..depth).rev().map(|i| if i % 2 == 0 { "]" } else { "}" }).collect::<String>();
        for text in [&arrays, &objects, &mixed] {
            assert_eq!(value(text).is_ok(), fits, "{depth}");
            assert_eq!(placeholders(text, |_, _| Ok(())).is_ok(), fits, "{depth}");
        }
        assert_eq!(argument(&arrays).is_ok(), depth < 128);
        assert_eq!(array(&arrays, 1).is_ok(), fits);
    }
}

#[test]
fn the_bound_of_elements_holds() {
    for (text, fits) in [("[]", true), ("[1]", true), ("[1,2]", true), ("[1,2,3]", false)] {
        assert_eq!(array(text, 2).is_ok(), fits, "{text}");
    }
    // Only what is directly in the array counts.
    assert_eq!(array("[[1,2,3],{\"a\":1,\"b\":2,\"c\":3}]", 2), Ok((0..29, 2)));
}

#[test]
fn placeholders_are_found_wherever_they_stand() {
    let text =
        r#"[{"_placeholder":true,"num":1},{"x":[{"num":0,"more":[],"_placeholder":true}]},{"_placeholder":false}]"#;
    let mut found = Vec::new();

    placeholders(text, |place, num| {
        found.push((&text[place], num));
        Ok(())
    })
    .unwrap();

    assert_eq!(found, [(r#"{"_placeholder":true,"num":1}"#, 1), (r#"{"num":0,"more":[],"_placeholder":true}"#, 0)]);
}

#[test]
fn of_equal_keys_of_a_placeholder_the_last_one_counts() {
    let found = |text: &str| {
        let mut nums = Vec::new();
        placeholders(text, |_, num| {
            nums.push(num);
            Ok(())
        })
        .map(|()| nums)
    };
    assert_eq!(found(r#"{"_placeholder":false,"_placeholder":true,"num":7,"num":3}"#), Ok(vec![3]));
    assert_eq!(found(r#"{"_placeholder":true,"_placeholder":false}"#), Ok(vec![]));
    assert_eq!(found(r#"{"_placeholder":true,"num":7,"num":"x"}"#), Err(JsonError::Placeholder));
    assert_eq!(found(r#"{"_place\u0068older":true,"n\u0075m":2}"#), Ok(vec![2]));
}

#[test]
fn members_are_found_by_their_name_as_it_reads() {
    let object = r#" { "a" : 1 , "b\n" : {"a":2} , "s":"t\u0041", "a" : [3] } "#;
    assert_eq!(member(object, "a"), Some("[3]"));
    assert_eq!(member(object, "b\n"), Some(r#"{"a":2}"#));
    assert_eq!(member(object, "s").and_then(as_text).as_deref(), Some("tA"));
    assert_eq!(member(object, "c"), None);
    assert_eq!(member("{}", "a"), None);
    assert_eq!(member("\"a\"", "a"), None);
    assert_eq!(as_text("1"), None);
}
