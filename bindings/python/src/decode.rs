//! Payloads as Python objects.

use std::fmt;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use socketio_bindings::Payload;

/// The arguments of a payload, pushed behind what `arguments` holds already.
pub(crate) fn push_arguments<'py>(
    py: Python<'py>,
    payload: &Payload,
    arguments: &mut Vec<Bound<'py, PyAny>>,
) -> PyResult<()> {
    let before = arguments.len();
    let attachments = Attachments::new(py, payload);
    let mut parser = serde_json::Deserializer::from_str(payload.json());
    let pushed = parser.deserialize_seq(Arguments { objects: Objects { py, attachments: &attachments }, arguments });
    if pushed.is_err() {
        // What is JSON and yet nothing for the quick way: integers beyond 64 bits, lone surrogates.
        arguments.truncate(before);
        arguments.extend(slow(py, payload.json(), &attachments)?.try_iter()?.collect::<PyResult<Vec<_>>>()?);
    }
    Ok(())
}

/// The object that a JSON text stands for.
pub(crate) fn object<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    let attachments = Attachments(Vec::new());
    let mut parser = serde_json::Deserializer::from_str(json);
    Objects { py, attachments: &attachments }.deserialize(&mut parser).or_else(|_| slow(py, json, &attachments))
}

/// The attachments of a payload; each is made once, however many placeholders stand for it.
struct Attachments<'py>(Vec<Bound<'py, PyBytes>>);

impl<'py> Attachments<'py> {
    fn new(py: Python<'py>, payload: &Payload) -> Self {
        Self((0..payload.attachment_count()).map(|i| PyBytes::new(py, payload.attachment(i))).collect())
    }

    /// What an object is replaced by if it is a placeholder.
    fn of(&self, object: &Bound<'py, PyDict>) -> Option<Bound<'py, PyAny>> {
        if self.0.is_empty() || !object.get_item("_placeholder").ok()??.is_truthy().ok()? {
            return None;
        }
        let num = object.get_item("num").ok()??.extract::<usize>().ok()?;
        self.0.get(num).map(|bytes| bytes.clone().into_any())
    }
}

/// The same by Python's own parser.
fn slow<'py>(py: Python<'py>, json: &str, attachments: &Attachments<'py>) -> PyResult<Bound<'py, PyAny>> {
    let parsed = py.import("json")?.call_method1("loads", (json,))?;
    if attachments.0.is_empty() { Ok(parsed) } else { filled(parsed, attachments) }
}

/// Puts attachments in the place of their placeholders.
fn filled<'py>(value: Bound<'py, PyAny>, attachments: &Attachments<'py>) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(dict) = value.cast::<PyDict>() {
        if let Some(bytes) = attachments.of(dict) {
            return Ok(bytes);
        }
        for (key, item) in
            dict.items().iter().map(|pair| pair.extract()).collect::<PyResult<Vec<(Bound<'_, PyAny>, _)>>>()?
        {
            dict.set_item(key, filled(item, attachments)?)?;
        }
    } else if let Ok(list) = value.cast::<PyList>() {
        for (i, item) in list.iter().enumerate() {
            list.set_item(i, filled(item, attachments)?)?;
        }
    }
    Ok(value)
}

/// Makes the object of one JSON value.
#[derive(Clone, Copy)]
struct Objects<'a, 'py> {
    py: Python<'py>,
    attachments: &'a Attachments<'py>,
}

/// The elements of the outermost array, one by one.
struct Arguments<'a, 'py> {
    objects: Objects<'a, 'py>,
    arguments: &'a mut Vec<Bound<'py, PyAny>>,
}

impl<'de> Visitor<'de> for Arguments<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element_seed(self.objects)? {
            self.arguments.push(element);
        }
        Ok(())
    }
}

impl<'de, 'py> DeserializeSeed<'de> for Objects<'_, 'py> {
    type Value = Bound<'py, PyAny>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, 'py> Visitor<'de> for Objects<'_, 'py> {
    type Value = Bound<'py, PyAny>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(self.py.None().into_bound(self.py))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(pyo3::types::PyBool::new(self.py, value).to_owned().into_any())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(PyInt::new(self.py, value).into_any())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(PyInt::new(self.py, value).into_any())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        // As large as this it may have been written as an integer, which it would not be any more.
        if value.abs() >= 9_223_372_036_854_775_808.0 {
            return Err(E::custom("a number beyond 64 bits"));
        }
        Ok(PyFloat::new(self.py, value).into_any())
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(PyString::new(self.py, value).into_any())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(self)? {
            list.push(element);
        }
        Ok(PyList::new(self.py, list).map_err(de::Error::custom)?.into_any())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let dict = PyDict::new(self.py);
        while let Some(name) = members.next_key_seed(Key(self.py))? {
            dict.set_item(name, members.next_value_seed(self)?).map_err(de::Error::custom)?;
        }
        Ok(self.attachments.of(&dict).unwrap_or_else(|| dict.into_any()))
    }
}

/// The name of a member.
struct Key<'py>(Python<'py>);

impl<'de, 'py> DeserializeSeed<'de> for Key<'py> {
    type Value = Bound<'py, PyString>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'py> Visitor<'_> for Key<'py> {
    type Value = Bound<'py, PyString>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(PyString::new(self.0, value))
    }
}
