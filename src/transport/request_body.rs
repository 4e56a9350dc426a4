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

/// The same of a body in which these values stand.
///
/// It is written once. The buffer seldom has to grow, because a tenth is more than the escapes of nearly all
/// values need; if it does, what it leaves is wiped.
pub(crate) fn json_with(body: &impl Serialize, values: &[&SecretValue]) -> Result<Bytes> {
    let room = values.iter().map(|value| AROUND + value.len() + value.len() / 10).sum::<usize>();
    let mut buffer = Zeroizing::with_capacity(AROUND + room);
    serde_json::to_writer(&mut buffer, body).map_err(refuse)?;
    Ok(Bytes::from_owner(buffer))
}

/// Only a map with keys that are not strings cannot be written, and serde's text might quote it.
fn refuse(_: serde_json::Error) -> Error {
    Error::invalid_input("request", "it cannot be written as JSON")
}
