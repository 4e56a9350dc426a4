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
    text.len() + escaped(text.as_bytes()) * (r"\u0000".len() - 1)
}

/// How many bytes JSON escapes. Sums that fit into a byte let many bytes be compared at once.
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is an early exit for each byte")]
fn escaped(text: &[u8]) -> usize {
    let is_escaped = |byte: &u8| (*byte == b'"') | (*byte == b'\\') | (*byte < 0x20);
    let in_chunk = |chunk: &[u8]| chunk.iter().map(|byte| u8::from(is_escaped(byte))).sum::<u8>();
    text.chunks(128).map(|chunk| usize::from(in_chunk(chunk))).sum()
}

/// Only a map with keys that are not strings cannot be written, and serde's text might quote it.
fn refuse(_: serde_json::Error) -> Error {
    Error::invalid_input("request", "it cannot be written as JSON")
}
