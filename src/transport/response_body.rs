//! The bodies of responses: the one place where they are read.

use bytes::Bytes;
use reqwest::Response;

use super::recycle::{BytesSeen, ConnectionRecycler};
use super::wiped_body::WipedBody;
use crate::models::decode::{self, DecodeFailure, FromWire};

/// A server that announces more than it sends must not make us allocate it.
const MAX_RESERVED: usize = 1024 * 1024;

/// The body of a successful response.
pub(super) enum Body {
    /// One that cannot hold values.
    Plain(Vec<u8>),
    /// One that can.
    Wiped(WipedBody),
}

impl Body {
    pub(super) fn decode<T: FromWire>(self) -> Result<T, DecodeFailure> {
        match self {
            Self::Plain(bytes) => {
                let text = String::from_utf8(bytes);
                decode::borrowed(text.map_err(|_| DecodeFailure { line: 0, column: 0 })?)
            }
            Self::Wiped(body) => decode::owned(body.text()),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Wiped(body) => body.text(),
        }
    }

    /// Whether it was meant as JSON, whatever its content type says.
    pub(super) fn begins_as_json(&self) -> bool {
        let bytes = self.bytes();
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['))
    }

    /// How many resources a delete deleted, if the server says so.
    pub(super) fn deleted_count(&self) -> Result<Option<u64>, DecodeFailure> {
        let bytes = self.bytes();
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        // A page that a proxy made up is not a confirmation.
        decode::count(bytes)
    }
}

/// Where a body goes as it is read.
pub(super) trait Sink {
    fn push(&mut self, frame: Bytes);
}

impl Sink for Vec<u8> {
    fn push(&mut self, frame: Bytes) {
        self.extend_from_slice(&frame);
    }
}

impl Sink for WipedBody {
    fn push(&mut self, frame: Bytes) {
        self.push(frame);
    }
}

/// How far a body was read.
#[derive(PartialEq)]
pub(super) enum Read {
    Whole,
    OverLimit,
}

/// The rest of a response, which is still to be read.
pub(super) struct BodyReader<'a> {
    response: &'a mut Response,
    limit: usize,
    seen: BytesSeen,
    /// Notified of long responses; `None` if the connection ends with this one.
    recycler: Option<&'a ConnectionRecycler>,
}

impl<'a> BodyReader<'a> {
    /// Reads the body, and clears the headers: use them before.
    pub(super) fn new(
        response: &'a mut Response,
        limit: usize,
        recycler: Option<&'a ConnectionRecycler>,
    ) -> Self {
        let seen = BytesSeen::head(response.headers());
        // Headers are slices of the first frame's buffer: it could not be wiped, and up to 400 KiB would
        // stay until the end.
        response.headers_mut().clear();
        Self { response, limit, seen, recycler }
    }

    /// Whether the server announces more than the limit.
    pub(super) fn is_too_large(&self) -> bool {
        self.response.content_length().is_some_and(|length| length > self.limit as u64)
    }

    /// How much to reserve for what the server announces.
    pub(super) fn expected(&self) -> usize {
        let announced = self.response.content_length().and_then(|n| usize::try_from(n).ok());
        announced.unwrap_or_default().min(MAX_RESERVED)
    }

    /// Reads until the end, or until more than the limit has come.
    pub(super) async fn read(mut self, sink: &mut impl Sink) -> Result<Read, reqwest::Error> {
        let mut length = 0_usize;
        while let Some(frame) = self.response.chunk().await? {
            self.seen.frame(&frame);
            length = length.saturating_add(frame.len());
            sink.push(frame);
            if length > self.limit {
                return Ok(Read::OverLimit);
            }
        }
        if let Some(recycler) = self.recycler {
            recycler.after(&self.seen);
        }
        Ok(Read::Whole)
    }
}
