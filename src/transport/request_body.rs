//! Request bodies, written so that values leave no copy behind.

use std::io;

use bytes::Bytes;
use serde::Serialize;

use crate::wipe::Zeroizing;
use crate::{Error, Result};

/// The JSON of `body` in a buffer that is wiped when the last clone is dropped.
///
/// Counted first, then written once into an exact allocation: a buffer that grows leaves its earlier
/// halves, values included, in freed memory.
pub(crate) fn json(body: &impl Serialize) -> Result<Bytes> {
    let mut count = Count(0);
    serde_json::to_writer(&mut count, body).map_err(refuse)?;
    let mut buffer = Zeroizing::new(Vec::with_capacity(count.0));
    serde_json::to_writer(&mut *buffer, body).map_err(refuse)?;
    Ok(Bytes::from_owner(buffer))
}

/// Only a map with keys that are not strings cannot be written, and serde's text might quote it.
fn refuse(_: serde_json::Error) -> Error {
    Error::invalid_input("request", "it cannot be written as JSON")
}

struct Count(usize);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
