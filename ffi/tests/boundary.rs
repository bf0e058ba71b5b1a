//! The exported functions as C calls them, those that need no runtime: texts, bytes, values, payloads, options, and the
//! ownership of all of them. Small enough for Miri, which sees what is done with each pointer: `make miri`.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::ptr::{null, null_mut};

use socketio::*;

fn str(text: &str) -> sio_str {
    sio_str::new(text)
}

fn bytes(bytes: &[u8]) -> sio_bytes {
    sio_bytes::new(bytes)
}

/// What a text of the library says.
fn text_of<'a>(text: sio_str) -> &'a str {
    if text.len == 0 {
        return "";
    }
    // SAFETY: the tests keep the owners of their texts.
    std::str::from_utf8(unsafe { std::slice::from_raw_parts(text.ptr.cast(), text.len) }).unwrap()
}

fn bytes_of<'a>(bytes: sio_bytes) -> &'a [u8] {
    if bytes.len == 0 {
        return &[];
    }
    // SAFETY: as above.
    unsafe { std::slice::from_raw_parts(bytes.ptr, bytes.len) }
}

/// Runs what a C program would do.
macro_rules! c {
    ($($statements:tt)*) => {
        // SAFETY: the tests keep the conventions of socketio.h.
        unsafe { $($statements)* }
    };
}

#[test]
fn texts_and_bytes_without_content_may_have_any_pointer() {
    c! {
        let payload = sio_payload_new();
        let nowhere = sio_str { ptr: null(), len: 0 };
        assert_eq!(sio_payload_push_text(payload, nowhere), sio_status::SIO_OK);
        assert_eq!(sio_payload_push_text(payload, sio_str { ptr: std::ptr::dangling(), len: 0 }), sio_status::SIO_OK);
        assert_eq!(sio_payload_push_bytes(payload, sio_bytes { ptr: null(), len: 0 }), sio_status::SIO_OK);
        assert_eq!(sio_payload_push_text(payload, sio_str { ptr: null(), len: 1 }), sio_status::SIO_ERR_INVALID_ARGUMENT);
        let endless = sio_str { ptr: str("x").ptr, len: usize::MAX };
        assert_eq!(sio_payload_push_text(payload, endless), sio_status::SIO_ERR_INVALID_ARGUMENT);
        let not_utf8 = sio_str { ptr: b"\xff".as_ptr().cast(), len: 1 };
        assert_eq!(sio_payload_push_text(payload, not_utf8), sio_status::SIO_ERR_INVALID_UTF8);
        assert_eq!(text_of(sio_last_error_message()), "the text is not UTF-8");
        assert_eq!(text_of(sio_payload_json(payload)), r#"["","",{"_placeholder":true,"num":0}]"#);
        sio_payload_release(payload);
    }
}

#[test]
fn a_payload_keeps_copies_and_clones_share_them() {
    c! {
        let mut array = String::from(r#"[1,{"_placeholder":true,"num":0},"x"]"#);
        let mut attachment = vec![1, 2, 3];
        let mut payload = null_mut();
        let attachments = [bytes(&attachment)];
        let status = sio_payload_from_json(str(&array), attachments.as_ptr(), 1, &raw mut payload);
        assert_eq!(status, sio_status::SIO_OK);
        // The caller's memory is its own again.
        array.clear();
        attachment.fill(0);

        let kept = sio_payload_retain(payload);
        assert_eq!(sio_payload_push_int(payload, -5), sio_status::SIO_OK);
        assert_eq!(sio_payload_count(payload), 4);
        sio_payload_release(payload);
        assert_eq!(sio_payload_count(kept), 3);
        assert_eq!(text_of(sio_payload_arg_json(kept, 2)), "\"x\"");
        assert_eq!(text_of(sio_payload_arg_json(kept, 3)), "");
        assert_eq!(bytes_of(sio_payload_attachment(kept, 0)), [1, 2, 3]);
        assert!(bytes_of(sio_payload_attachment(kept, 1)).is_empty());
        assert_eq!(bytes_of(sio_value_as_bytes(sio_payload_get_value(kept, 1))), [1, 2, 3]);
        assert!(sio_payload_get_value(kept, 3).is_null());
        sio_payload_release(kept);
    }
}

#[test]
fn a_payload_can_be_read_by_several_threads_at_once() {
    struct Shared(*const sio_payload);
    // SAFETY: a payload that nobody changes is for all threads.
    unsafe impl Sync for Shared {}
    c! {
        let payload = sio_payload_new();
        assert_eq!(sio_payload_push_json(payload, str(r#"{"a":[1,2,3]}"#)), sio_status::SIO_OK);
        let shared = Shared(payload);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                let shared = &shared;
                scope.spawn(move || {
                    // The first to ask builds the tree for all.
                    let value = sio_value_get(sio_payload_get_value(shared.0, 0), str("a"));
                    assert_eq!(sio_value_count(value), 3);
                    let own = sio_payload_retain(shared.0);
                    assert_eq!(text_of(sio_payload_json(own)), r#"[{"a":[1,2,3]}]"#);
                    sio_payload_release(own);
                });
            }
        });
        sio_payload_release(payload);
    }
}

#[test]
fn values_are_consumed_by_what_they_are_put_into() {
    c! {
        let object = sio_value_new_object();
        let array = sio_value_new_array();
        assert_eq!(sio_value_push(array, sio_value_new_int(7)), sio_status::SIO_OK);
        assert_eq!(sio_value_push(array, sio_value_new_bytes(bytes(b"\0\x01"))), sio_status::SIO_OK);
        assert_eq!(sio_value_push(array, sio_value_new_text(str("é"))), sio_status::SIO_OK);
        assert_eq!(sio_value_set(object, str("list"), array), sio_status::SIO_OK);
        // What cannot be put in is consumed all the same.
        assert_eq!(sio_value_push(object, sio_value_new_null()), sio_status::SIO_ERR_INVALID_STATE);

        let list = sio_value_get(object, str("list"));
        assert_eq!(text_of(sio_value_key_at(object, 0)), "list");
        assert_eq!(sio_value_as_int(sio_value_at(list, 0)), 7);
        assert_eq!(bytes_of(sio_value_as_bytes(sio_value_at(list, 1))), b"\0\x01");
        assert_eq!(text_of(sio_value_as_text(sio_value_at(list, 2))), "é");
        assert!(sio_value_at(list, 3).is_null());
        let clone = sio_value_clone(object);
        sio_value_free(object);

        let payload = sio_payload_new();
        assert_eq!(sio_payload_push_value(payload, clone), sio_status::SIO_OK);
        assert_eq!(sio_payload_attachment_count(payload), 1);
        assert_eq!(text_of(sio_payload_json(payload)), r#"[{"list":[7,{"_placeholder":true,"num":0},"é"]}]"#);
        sio_payload_release(payload);
    }
}

#[test]
fn a_printed_value_is_a_text_of_its_own() {
    c! {
        let (mut value, mut printed) = (null_mut(), null_mut());
        assert_eq!(sio_value_parse(str(r#"[1.50,"\u0041"]"#), &raw mut value), sio_status::SIO_OK);
        assert_eq!(sio_value_print(value, &raw mut printed), sio_status::SIO_OK);
        sio_value_free(value);
        assert_eq!(text_of(sio_string_get(printed)), r#"[1.5,"A"]"#);
        sio_string_free(printed);
        assert_eq!(sio_value_parse(str("["), &raw mut value), sio_status::SIO_ERR_INVALID_JSON);
    }
}

#[test]
fn results_have_a_place_or_the_call_fails() {
    c! {
        assert_eq!(sio_value_parse(str("1"), null_mut()), sio_status::SIO_ERR_INVALID_ARGUMENT);
        let mut places = [null_mut::<sio_value>(); 2];
        let misaligned = places.as_mut_ptr().cast::<u8>().add(1).cast();
        assert_eq!(sio_value_parse(str("1"), misaligned), sio_status::SIO_ERR_INVALID_ARGUMENT);
        // Where it fails, nothing is written: the place may hold no value yet.
        let mut place = std::mem::MaybeUninit::uninit();
        assert_eq!(sio_value_parse(str("?"), place.as_mut_ptr()), sio_status::SIO_ERR_INVALID_JSON);
        assert_eq!(sio_value_parse(str("1"), place.as_mut_ptr()), sio_status::SIO_OK);
        sio_value_free(place.assume_init());
    }
}

#[test]
fn handles_of_other_types_and_null_are_refused() {
    c! {
        let payload = sio_payload_new();
        let options = sio_server_options_new();
        assert_eq!(sio_payload_count(options.cast()), 0);
        assert_eq!(text_of(sio_last_error_message()), "a handle is of another type or was released");
        sio_value_free(payload.cast());
        sio_payload_release(options.cast());
        assert_eq!(sio_payload_push_null(payload.cast::<u8>().add(1).cast()), sio_status::SIO_ERR_INVALID_ARGUMENT);
        assert_eq!(sio_payload_push_null(null_mut()), sio_status::SIO_ERR_INVALID_ARGUMENT);
        assert!(sio_payload_retain(null()).is_null());
        assert_eq!(sio_payload_push_null(payload), sio_status::SIO_OK);
        assert_eq!(sio_server_options_set_ping_interval(options, 5), sio_status::SIO_OK);
        sio_payload_release(payload);
        sio_server_options_free(options);
        sio_server_options_free(null_mut());
    }
}

#[test]
fn records_may_be_cleared_twice() {
    c! {
        sio_delivery_clear(null_mut(), 0);
        let mut records: [sio_delivery; 2] = std::mem::zeroed();
        sio_delivery_clear(records.as_mut_ptr(), records.len());
        sio_delivery_clear(records.as_mut_ptr(), records.len());
        assert!(records.iter().all(|record| record.kind == 0 && record.owner.is_null()));
    }
}

/// Drawn evenly from all bit patterns, and those that are hard to read back.
fn doubles() -> impl Iterator<Item = f64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let drawn = std::iter::repeat_with(move || {
        // xorshift
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from_bits(state)
    });
    let hard = [0.1, -0.0, 5e-324, 2.225_073_858_507_201e-308, f64::MAX, 1e23, 9_007_199_254_740_993.0, 0.3 + 0.6];
    hard.into_iter().chain(drawn.filter(|number| number.is_finite()).take(if cfg!(miri) { 20 } else { 2000 }))
}

#[test]
fn numbers_come_back_exactly() {
    for number in doubles() {
        c! {
            let payload = sio_payload_new();
            assert_eq!(sio_payload_push_double(payload, number), sio_status::SIO_OK);
            let mut read = null_mut();
            let status = sio_payload_from_json(sio_payload_json(payload), null(), 0, &raw mut read);
            assert_eq!(status, sio_status::SIO_OK);
            let back = sio_value_as_double(sio_payload_get_value(read, 0));
            assert_eq!(back.to_bits(), number.to_bits(), "{number:?}");
            sio_payload_release(read);
            sio_payload_release(payload);
        }
    }
}

/// JavaScript's texts may hold one, and `JSON.stringify` writes it as an escape.
#[test]
fn half_of_a_surrogate_pair_stays_in_the_json_and_is_replaced_in_texts() {
    c! {
        let mut payload = null_mut();
        let status = sio_payload_from_json(str(r#"["\ud800",{"\udc00":"a\uD83Db"}]"#), null(), 0, &raw mut payload);
        assert_eq!(status, sio_status::SIO_OK);
        assert_eq!(text_of(sio_payload_json(payload)), r#"["\ud800",{"\udc00":"a\uD83Db"}]"#);
        assert_eq!(text_of(sio_payload_arg_json(payload, 0)), r#""\ud800""#);
        assert_eq!(text_of(sio_value_as_text(sio_payload_get_value(payload, 0))), "\u{fffd}");
        assert_eq!(sio_payload_push_json(payload, str(r#""\udfff""#)), sio_status::SIO_OK);
        assert_eq!(text_of(sio_payload_json(payload)), r#"["\ud800",{"\udc00":"a\uD83Db"},"\udfff"]"#);
        sio_payload_release(payload);
    }
}
