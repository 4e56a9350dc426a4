//! Decides which connections to close because they must not carry many more values.
//!
//! hyper reads into a buffer of 8 KiB and allocates a new one for its next read. Once a read has filled one,
//! that connection's buffers are longer, and hyper keeps one across many responses: no frame of it becomes
//! the only owner, and none can be wiped (see [`super::wiped_body`]). Ending the connection makes hyper
//! release it.
//!
//! The pool cannot be asked for a particular connection, but it hands out the most recently used one. So
//! the first request for values after a long response asks for its connection to be closed. If
//! other calls came in between, frames that cannot be wiped show it, and the next request closes
//! another connection. At most one connection is closed per second: a program that reads long
//! responses all the time must not open a new one for each of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::time::Instant;

/// hyper's first buffer.
const FIRST_BUFFER: usize = 8 * 1024;
/// Upper bound of the bytes around a header's name and value, around a chunk, and of a status line.
const AROUND: usize = 24;
const PAUSE: Duration = Duration::from_secs(1);

/// Shared by the calls of a client.
#[derive(Clone, Default)]
pub(crate) struct ConnectionRecycler(Arc<Shared>);

#[derive(Default)]
struct Shared {
    requested: AtomicBool,
    /// When the last connection was ended.
    ended: Mutex<Option<Instant>>,
}

impl ConnectionRecycler {
    /// Whether the next request for values should close its connection. Each request to close is
    /// returned once.
    pub(super) fn take_close_request(&self) -> bool {
        // Nearly every call ends here, without a lock.
        if !self.is_requested() {
            return false;
        }
        let now = Instant::now();
        let mut ended = self.0.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = ended.is_some_and(|ended| now.saturating_duration_since(ended) < PAUSE);
        if waits || !self.0.requested.swap(false, Ordering::Relaxed) {
            return false;
        }
        *ended = Some(now);
        true
    }

    pub(super) fn is_requested(&self) -> bool {
        self.0.requested.load(Ordering::Relaxed)
    }

    pub(super) fn request_close(&self) {
        self.0.requested.store(true, Ordering::Relaxed);
    }

    pub(super) fn after(&self, response: &BytesSeen) {
        if response.0 >= FIRST_BUFFER {
            self.request_close();
        }
    }
}

/// Upper bound of the bytes of a response that came over the wire.
pub(super) struct BytesSeen(usize);

impl BytesSeen {
    pub(super) fn head(headers: &HeaderMap) -> Self {
        let lines = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + AROUND);
        Self(lines.sum::<usize>() + 2 * AROUND)
    }

    pub(super) fn frame(&mut self, frame: &Bytes) {
        self.0 = self.0.saturating_add(frame.len() + AROUND);
    }
}
