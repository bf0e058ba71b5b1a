//! Values, payloads and strings.

use socketio::{
    sio_bytes, sio_kind, sio_payload, sio_payload_arg_json, sio_payload_attachment, sio_payload_attachment_count,
    sio_payload_count, sio_payload_from_json, sio_payload_get_value, sio_payload_json, sio_payload_new,
    sio_payload_push_bool, sio_payload_push_bytes, sio_payload_push_double, sio_payload_push_int,
    sio_payload_push_json, sio_payload_push_null, sio_payload_push_text, sio_payload_push_value, sio_payload_retain,
    sio_status, sio_string, sio_string_get, sio_value, sio_value_as_bool, sio_value_as_bytes, sio_value_as_double,
    sio_value_as_int, sio_value_as_text, sio_value_at, sio_value_clone, sio_value_count, sio_value_get,
    sio_value_key_at, sio_value_kind, sio_value_new_array, sio_value_new_bool, sio_value_new_bytes,
    sio_value_new_double, sio_value_new_int, sio_value_new_null, sio_value_new_object, sio_value_new_text,
    sio_value_parse, sio_value_print, sio_value_push, sio_value_set,
};

use super::host::Host;
use super::registry::read_text;

/// Makes a value, a payload or a string.
pub(super) fn make(host: &mut Host<'_>) {
    // SAFETY: the program keeps the conventions: all arguments are what `Host` hands out.
    unsafe {
        match host.script.below(16) {
            0 => host.hold(sio_value_new_null()),
            1 => {
                let value = host.script.byte() & 1 == 1;
                host.hold(sio_value_new_bool(value));
            }
            2 => {
                let value = host.number();
                host.hold(sio_value_new_int(value.cast_signed()));
            }
            3 => {
                let value = host.number();
                host.hold(sio_value_new_double(f64::from_bits(value)));
            }
            4 => {
                let text = host.text();
                host.hold(sio_value_new_text(text));
            }
            5 => {
                let bytes = host.bytes();
                host.hold(sio_value_new_bytes(bytes));
            }
            6 | 7 => host.hold(sio_value_new_array()),
            8 => host.hold(sio_value_new_object()),
            9 => {
                let (text, mut out) = (host.text(), host.out());
                let status = sio_value_parse(text, out.place());
                host.done(status, &out, true);
            }
            10 => {
                let value = host.lend::<sio_value>();
                let cloned = sio_value_clone(value.handle);
                assert_eq!(cloned.is_null(), !value.good);
                host.hold(cloned);
            }
            11 => {
                let (value, mut out) = (host.lend::<sio_value>(), host.out());
                let status = sio_value_print(value.handle, out.place());
                host.done(status, &out, value.good);
            }
            12 | 13 => host.hold(sio_payload_new()),
            14 => from_json(host),
            _ => {
                let payload = host.lend::<sio_payload>();
                let kept = sio_payload_retain(payload.handle);
                assert_eq!(kept.is_null(), !payload.good);
                host.hold(kept);
            }
        }
    }
}

unsafe fn from_json(host: &mut Host<'_>) {
    let (text, mut out) = (host.text(), host.out());
    let attachments: Vec<sio_bytes> = (0..host.script.below(3)).map(|_| host.bytes()).collect();
    let pointer = if host.script.byte() > 250 { std::ptr::null() } else { attachments.as_ptr() };
    let good = attachments.is_empty() || !pointer.is_null();
    // SAFETY: as the caller says; there are as many attachments.
    let status = unsafe { sio_payload_from_json(text, pointer, attachments.len(), out.place()) };
    host.done(status, &out, good);
}

/// Adds to a value or a payload.
pub(super) fn add(host: &mut Host<'_>) {
    let step = host.script.below(12);
    if step < 4 {
        return add_to_value(host, step);
    }
    let payload = host.lend::<sio_payload>();
    // SAFETY: as above.
    unsafe {
        let before = sio_payload_count(payload.handle);
        let mut good = payload.good;
        let status = match step {
            4 => {
                let text = host.text();
                sio_payload_push_json(payload.handle, text)
            }
            5 => {
                let text = host.text();
                sio_payload_push_text(payload.handle, text)
            }
            6 => {
                let value = host.number();
                sio_payload_push_int(payload.handle, value.cast_signed())
            }
            7 => {
                let value = host.number();
                sio_payload_push_double(payload.handle, f64::from_bits(value))
            }
            8 => sio_payload_push_bool(payload.handle, true),
            9 => sio_payload_push_null(payload.handle),
            10 => {
                let bytes = host.bytes();
                sio_payload_push_bytes(payload.handle, bytes)
            }
            _ => {
                let value = host.give::<sio_value>();
                good &= value.good;
                sio_payload_push_value(payload.handle, value.handle)
            }
        };
        host.answered(status, good);
        let added = usize::from(status == sio_status::SIO_OK);
        // One of another type may be the value, which is gone.
        assert!(!payload.good || sio_payload_count(payload.handle) == before + added, "{status:?}");
    }
}

fn add_to_value(host: &mut Host<'_>, step: usize) {
    let parent = host.lend::<sio_value>();
    // SAFETY: as above. A value that is lent and given up at once is refused, and gone.
    unsafe {
        let status = if step < 2 {
            let value = host.give::<sio_value>();
            let good = parent.good && value.good && parent.handle != value.handle;
            (sio_value_push(parent.handle, value.handle), good)
        } else {
            let (key, value) = (host.text(), host.give::<sio_value>());
            let good = parent.good && value.good && parent.handle != value.handle;
            (sio_value_set(parent.handle, key, value.handle), good)
        };
        host.answered(status.0, status.1);
    }
}

/// Reads a value, a payload or a string in all ways.
pub(super) fn read(host: &mut Host<'_>) {
    let i = host.script.below(8);
    // SAFETY: as above; what is borrowed is used before anything is changed.
    unsafe {
        match host.script.below(3) {
            0 => {
                let (value, key) = (host.lend::<sio_value>(), host.text());
                read_value(value.handle);
                read_value(sio_value_at(value.handle, i));
                read_value(sio_value_get(value.handle, key));
                read_text(sio_value_key_at(value.handle, i));
            }
            1 => {
                let payload = host.lend::<sio_payload>();
                read_text(sio_payload_json(payload.handle));
                read_text(sio_payload_arg_json(payload.handle, i));
                read_value(sio_payload_get_value(payload.handle, i));
                read_bytes(sio_payload_attachment(payload.handle, i));
                let (count, attachments) =
                    (sio_payload_count(payload.handle), sio_payload_attachment_count(payload.handle));
                assert!(payload.good || count + attachments == 0);
                let out_of_range = sio_payload_get_value(payload.handle, count);
                assert!(out_of_range.is_null() && sio_payload_attachment(payload.handle, attachments).len == 0);
            }
            _ => {
                let string = host.lend::<sio_string>();
                read_text(sio_string_get(string.handle));
            }
        }
    }
}

unsafe fn read_value(value: *const sio_value) {
    // SAFETY: the value is good, or one that the library can tell from a good one.
    unsafe {
        let kind = sio_value_kind(value);
        assert!((0..=sio_kind::SIO_OBJECT as i32).contains(&kind));
        let _ = (sio_value_as_bool(value), sio_value_as_int(value), sio_value_as_double(value));
        read_text(sio_value_as_text(value));
        read_bytes(sio_value_as_bytes(value));
        let count = sio_value_count(value);
        assert!(count == 0 || kind >= sio_kind::SIO_ARRAY as i32);
        assert!(sio_value_at(value, count).is_null());
    }
}

fn read_bytes(bytes: sio_bytes) {
    if bytes.len > 0 {
        // SAFETY: the library lends them for now.
        let bytes = unsafe { std::slice::from_raw_parts(bytes.ptr, bytes.len) };
        assert!(bytes.iter().map(|byte| usize::from(*byte)).sum::<usize>() < usize::MAX);
    }
}
