//! Request bodies, written so that values leave no copy behind.

use bytes::Bytes;
use serde::Serialize;

use crate::secret_value::SecretValue;
use crate::wipe::Zeroizing;
use crate::{Error, Result};

/// Room for a key and its value's quotes and braces, or for a body without values.
const AROUND: usize = 128;

/// The JSON of `body` in a buffer that is wiped when the last clone is dropped.
pub(crate) fn json(body: &impl Serialize) -> Result<Bytes> {
    json_with(body, &[])
}

/// As `json`, for a body that contains these values.
///
/// It is written once, into a buffer with room for the values and their escapes. If the buffer has
/// to grow all the same, the old one is wiped.
pub(crate) fn json_with(body: &impl Serialize, values: &[&SecretValue]) -> Result<Bytes> {
    let room = values.iter().map(|value| AROUND + length_in_json(value)).sum::<usize>();
    let mut buffer = Zeroizing::with_capacity(AROUND + room);
    serde_json::to_writer(&mut buffer, body).map_err(refuse)?;
    Ok(Bytes::from_owner(buffer))
}

/// An upper bound in bytes.
fn length_in_json(value: &SecretValue) -> usize {
    let text = value.expose_secret();
    let escaped = text.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).count();
    text.len() + escaped * (r"\u0000".len() - 1)
}

/// Only a map with keys that are not strings cannot be written, and serde's text might quote it.
fn refuse(_: serde_json::Error) -> Error {
    Error::invalid_input("request", "it cannot be written as JSON")
}
