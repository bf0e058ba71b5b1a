//! Python objects as payloads, by the rules of `json.dumps`, and bytes anywhere.

use std::borrow::Cow;
use std::fmt::Write;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple};
use socketio_bindings::Payload;

use crate::error::OrRaise;

/// How deep lists and dicts may be in each other, as the library has it: the list of arguments counts.
const DEPTH: usize = 128;

/// The payload of what python-socketio calls data: `None` is no argument, a tuple several, anything else one.
pub(crate) fn payload(data: &Bound<'_, PyAny>) -> PyResult<Payload> {
    let mut text = Encoder::default();
    if let Ok(several) = data.cast::<PyTuple>() {
        text.list(several.iter())?;
    } else if data.is_none() {
        text.json.push_str("[]");
    } else {
        text.list(std::iter::once(data.clone()))?;
    }
    text.finish()
}

/// The payload of one argument.
pub(crate) fn one(argument: &Bound<'_, PyAny>) -> PyResult<Payload> {
    let mut text = Encoder::default();
    text.list(std::iter::once(argument.clone()))?;
    text.finish()
}

/// The JSON of one value without bytes.
pub(crate) fn json(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let mut text = Encoder::default();
    text.value(value)?;
    if text.attachments.is_empty() { Ok(text.json) } else { Err(PyTypeError::new_err("bytes cannot be sent here")) }
}

/// About how many bytes a payload is.
pub(crate) fn size(payload: &Payload) -> usize {
    (0..payload.attachment_count()).map(|i| payload.attachment(i).len()).sum::<usize>() + payload.json().len()
}

#[derive(Default)]
struct Encoder<'py> {
    json: String,
    attachments: Vec<Attachment<'py>>,
    depth: usize,
}

enum Attachment<'py> {
    /// Immutable, so it need not be copied before the library does.
    Bytes(Bound<'py, PyBytes>),
    Copy(Vec<u8>),
}

impl<'py> Encoder<'py> {
    fn finish(self) -> PyResult<Payload> {
        let attachments = self.attachments.iter().map(|attachment| match attachment {
            Attachment::Bytes(bytes) => bytes.as_bytes(),
            Attachment::Copy(bytes) => bytes,
        });
        Payload::from_json(&self.json, &attachments.collect::<Vec<_>>()).or_raise()
    }

    /// Most values are of exactly these types, which takes no more than a comparison to know.
    fn value(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        if let Ok(text) = value.cast_exact::<PyString>() {
            self.text(text.to_str()?);
        } else if let Ok(number) = value.cast_exact::<PyInt>() {
            self.integer(number)?;
        } else if value.is_none() {
            self.json.push_str("null");
        } else if let Ok(truth) = value.cast_exact::<PyBool>() {
            self.json.push_str(truth_text(truth));
        } else if let Ok(number) = value.cast_exact::<PyFloat>() {
            self.float(number.value())?;
        } else if let Ok(dict) = value.cast_exact::<PyDict>() {
            self.dict(dict.iter())?;
        } else if let Ok(list) = value.cast_exact::<PyList>() {
            self.list(list.iter())?;
        } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            self.list(tuple.iter())?;
        } else {
            self.other(value)?;
        }
        Ok(())
    }

    /// Bytes, and what derives from the types above.
    fn other(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        if let Ok(bytes) = value.cast::<PyBytes>() {
            self.attach(Attachment::Bytes(bytes.clone()));
        } else if let Ok(bytes) = value.cast::<PyByteArray>() {
            self.attach(Attachment::Copy(bytes.to_vec()));
        } else if value.is_instance_of::<PyMemoryView>() {
            let bytes = value.call_method0("tobytes")?.cast_into::<PyBytes>()?;
            self.attach(Attachment::Bytes(bytes));
        } else if let Ok(text) = value.cast::<PyString>() {
            self.text(text.to_str()?);
        } else if let Ok(number) = value.cast::<PyInt>() {
            self.integer(number)?;
        } else if let Ok(number) = value.cast::<PyFloat>() {
            self.float(number.value())?;
        } else if value.is_instance_of::<PyDict>() {
            let items =
                value.call_method0("items")?.try_iter()?.map(|pair| pair?.extract()).collect::<PyResult<Vec<_>>>()?;
            self.dict(items.into_iter())?;
        } else if let Ok(list) = value.cast::<PyList>() {
            self.list(list.iter())?;
        } else if let Ok(tuple) = value.cast::<PyTuple>() {
            self.list(tuple.iter())?;
        } else {
            let name = value.get_type().name()?;
            return Err(PyTypeError::new_err(format!("Object of type {name} is not JSON serializable")));
        }
        Ok(())
    }

    fn list(&mut self, elements: impl Iterator<Item = Bound<'py, PyAny>>) -> PyResult<()> {
        self.enter()?;
        self.json.push('[');
        for (i, element) in elements.enumerate() {
            if i > 0 {
                self.json.push(',');
            }
            self.value(&element)?;
        }
        self.json.push(']');
        self.depth -= 1;
        Ok(())
    }

    fn dict(&mut self, members: impl Iterator<Item = (Bound<'py, PyAny>, Bound<'py, PyAny>)>) -> PyResult<()> {
        self.enter()?;
        self.json.push('{');
        for (i, (name, member)) in members.enumerate() {
            if i > 0 {
                self.json.push(',');
            }
            if let Ok(name) = name.cast::<PyString>() {
                self.text(name.to_str()?);
            } else {
                let name = key(&name)?;
                self.text(&name);
            }
            self.json.push(':');
            self.value(&member)?;
        }
        self.json.push('}');
        self.depth -= 1;
        Ok(())
    }

    /// A list that holds itself is found here too: it has no end.
    fn enter(&mut self) -> PyResult<()> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(PyValueError::new_err("lists and dicts are nested too deep, or hold themselves"));
        }
        Ok(())
    }

    fn attach(&mut self, attachment: Attachment<'py>) {
        let _ = write!(self.json, r#"{{"_placeholder":true,"num":{}}}"#, self.attachments.len());
        self.attachments.push(attachment);
    }

    fn text(&mut self, text: &str) {
        self.json.push('"');
        let mut plain = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte >= b' ' && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.json.push_str(&text[plain..at]);
            plain = at + 1;
            match byte {
                b'"' => self.json.push_str("\\\""),
                b'\\' => self.json.push_str("\\\\"),
                b'\n' => self.json.push_str("\\n"),
                b'\r' => self.json.push_str("\\r"),
                b'\t' => self.json.push_str("\\t"),
                _ => {
                    let _ = write!(self.json, "\\u{byte:04x}");
                }
            }
        }
        self.json.push_str(&text[plain..]);
        self.json.push('"');
    }

    fn integer(&mut self, number: &Bound<'py, PyInt>) -> PyResult<()> {
        match number.extract::<i64>() {
            Ok(number) => {
                let _ = write!(self.json, "{number}");
            }
            // With a class of its own it may have a text of its own, which is not to be asked.
            Err(_) => self.json.push_str(&int_repr(number)?),
        }
        Ok(())
    }

    fn float(&mut self, number: f64) -> PyResult<()> {
        self.json.push_str(&float_text(number)?);
        Ok(())
    }
}

/// A key that is no text, as `json.dumps` makes a text of it.
fn key(key: &Bound<'_, PyAny>) -> PyResult<Cow<'static, str>> {
    if let Ok(truth) = key.cast::<PyBool>() {
        Ok(truth_text(truth).into())
    } else if key.is_none() {
        Ok("null".into())
    } else if let Ok(number) = key.cast::<PyInt>() {
        int_repr(number).map(Into::into)
    } else if let Ok(number) = key.cast::<PyFloat>() {
        float_text(number.value()).map(Into::into)
    } else {
        let name = key.get_type().name()?;
        Err(PyTypeError::new_err(format!("keys must be str, int, float, bool or None, not {name}")))
    }
}

fn truth_text(truth: &Bound<'_, PyBool>) -> &'static str {
    if truth.is_true() { "true" } else { "false" }
}

fn int_repr(number: &Bound<'_, PyInt>) -> PyResult<String> {
    number.py().get_type::<PyInt>().call_method1("__repr__", (number,))?.extract()
}

fn float_text(number: f64) -> PyResult<String> {
    if number.is_finite() {
        // With a point or an exponent, so that it comes back as a float.
        Ok(format!("{number:?}"))
    } else {
        Err(PyValueError::new_err(format!("Out of range float values are not JSON compliant: {number}")))
    }
}
