//! What hyper does not let go of at once, and which connections must not carry many more values.
//!
//! hyper reads into a buffer of 8 KiB and takes a new one for its next read. Once a read has filled one,
//! that connection's buffers are longer, and hyper keeps one across many answers: no frame of it becomes the
//! only owner, and none can be wiped (see [`super::frames`]). Ending the connection makes hyper let go.
//!
//! Nobody can choose a connection of the pool, but it gives out the one that was used last. So the first
//! request for values after a long answer asks for its connection to be closed. Where others got in between,
//! frames that cannot be wiped tell, and the next request ends one more. That is one connection a second at
//! most: a program that reads long answers all the time must not make a new one for each of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use zeroize::Zeroize;

/// hyper's first buffer.
const SHORT: usize = 8 * 1024;
/// What stands around a header's name and value, and at most around a chunk; also more than a status line.
const AROUND: usize = 24;
/// One per buffer that hyper still has, which is one per connection. A server must not make it more.
const MOST_KEPT: usize = 64;
/// hyper's is 400 KiB and somewhat more.
const LONGEST_BUFFER: usize = 512 * 1024;
const PAUSE: Duration = Duration::from_secs(1);

/// Shared by the calls of a client.
#[derive(Clone, Default)]
pub(crate) struct Reuse(Arc<Shared>);

#[derive(Default)]
struct Shared {
    to_end: AtomicBool,
    /// When the last connection was ended.
    ended: Mutex<Option<Instant>>,
    /// The first frame of each buffer that hyper has as well.
    kept: Mutex<Vec<Bytes>>,
    /// Whether there are any, which nearly every call only asks.
    keeping: AtomicBool,
}

impl Reuse {
    /// Whether the next request for values is to end its connection. The answer is given once.
    pub(super) fn is_to_end(&self) -> bool {
        self.0.to_end.load(Ordering::Relaxed) && self.is_to_end_at(Instant::now())
    }

    fn is_to_end_at(&self, now: Instant) -> bool {
        let mut ended = self.0.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = ended.is_some_and(|ended| now.saturating_duration_since(ended) < PAUSE);
        if waits || !self.0.to_end.swap(false, Ordering::Relaxed) {
            return false;
        }
        *ended = Some(now);
        true
    }

    /// Whether hyper has a buffer that could not be wiped yet.
    pub(super) fn is_keeping(&self) -> bool {
        self.0.keeping.load(Ordering::Relaxed)
    }

    pub(super) fn after(&self, answer: &Received) {
        if answer.0 >= SHORT {
            self.0.to_end.store(true, Ordering::Relaxed);
        }
    }

    /// Keeps a frame until it can be wiped, with what follows it in its buffer.
    pub(super) fn keep(&self, frame: Bytes, ends_another: bool) {
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Two frames of one buffer would keep each other from being its only owner.
        if kept.iter().any(|other| reach(other, &frame).is_some()) {
            return;
        }
        kept.retain(|other| reach(&frame, other).is_none());
        if kept.len() < MOST_KEPT {
            kept.push(frame);
        }
        self.0.to_end.fetch_or(ends_another, Ordering::Relaxed);
        self.0.keeping.store(true, Ordering::Relaxed);
    }

    /// Wipes what hyper has let go of since.
    pub(super) fn sweep(&self) {
        if self.is_keeping() {
            self.0.sweep();
        }
    }
}

impl Shared {
    fn sweep(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for frame in std::mem::take(&mut *kept) {
            match frame.try_into_mut() {
                Ok(mut buffer) => {
                    buffer.resize(buffer.capacity(), 0);
                    buffer.as_mut().zeroize();
                }
                Err(frame) => kept.push(frame),
            }
        }
        self.keeping.store(!kept.is_empty(), Ordering::Relaxed);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.sweep();
    }
}

/// At most so many bytes came over the wire.
pub(super) struct Received(usize);

impl Received {
    pub(super) fn head(headers: &HeaderMap) -> Self {
        let lines = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + AROUND);
        Self(lines.sum::<usize>() + 2 * AROUND)
    }

    pub(super) fn frame(&mut self, frame: &Bytes) {
        self.0 = self.0.saturating_add(frame.len() + AROUND);
    }
}

/// From the beginning of `earlier` to the end of `later`, where that seems to stand in the same buffer; which
/// is guessed by how far on it is. A wrong guess costs that a frame stays unwiped.
pub(super) fn reach(earlier: &Bytes, later: &Bytes) -> Option<usize> {
    let behind = later.as_ptr().addr().checked_sub(earlier.as_ptr().addr())?;
    (earlier.len()..=LONGEST_BUFFER).contains(&behind).then(|| behind + later.len())
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};

    use super::*;
    use crate::transport::frames::Frames;
    use crate::transport::frames::tests::buffer;

    fn kept(reuse: &Reuse) -> usize {
        reuse.0.kept.lock().unwrap().len()
    }

    fn drop_frames(reuse: &Reuse, frames: Vec<Bytes>) {
        let mut held = Frames::new(reuse.clone(), false);
        for frame in frames {
            held.push(frame);
        }
    }

    #[test]
    fn what_nobody_else_has_is_wiped_at_once() {
        let reuse = Reuse::default();
        let (frames, rest) = buffer(&["first", "second", "third"]);
        drop(rest);
        drop_frames(&reuse, frames);
        assert_eq!(kept(&reuse), 0);
        assert!(!reuse.is_to_end());
    }

    #[test]
    fn a_buffer_that_is_not_let_go_is_kept_once_until_it_is_and_ends_one_connection() {
        let reuse = Reuse::default();
        let (mut frames, mut rest) = buffer(&["first", "second"]);
        rest.extend_from_slice(b"and an answer later");
        let later = rest.split().freeze();
        drop_frames(&reuse, std::mem::take(&mut frames));
        drop_frames(&reuse, vec![later]);
        assert_eq!(kept(&reuse), 1);
        let now = Instant::now();
        assert!(reuse.is_to_end_at(now));
        assert!(!reuse.is_to_end_at(now + PAUSE), "one request ends one connection");
        assert!(reuse.is_keeping());
        drop(rest);
        reuse.sweep();
        assert_eq!(kept(&reuse), 0);
    }

    #[test]
    fn one_connection_is_ended_in_a_second() {
        let reuse = Reuse::default();
        let mut long = Received::head(&HeaderMap::new());
        long.frame(&Bytes::from(vec![0; SHORT]));
        let now = Instant::now();
        for (after, ends) in [(0, true), (400, false), (999, false), (1000, true), (1001, false)] {
            reuse.after(&long);
            assert_eq!(reuse.is_to_end_at(now + Duration::from_millis(after)), ends, "{after}");
        }
    }

    #[test]
    fn a_server_does_not_decide_how_much_is_kept() {
        let reuse = Reuse::default();
        let buffers: Vec<_> = (0..2 * MOST_KEPT)
            .map(|_| BytesMut::zeroed(2 * LONGEST_BUFFER))
            .map(|mut buffer| (buffer.split_to(16).freeze(), buffer))
            .collect();
        for (frame, _) in &buffers {
            reuse.keep(frame.clone(), true);
        }
        assert!(kept(&reuse) <= MOST_KEPT);
    }

    #[test]
    fn an_answer_that_fills_the_first_buffer_ends_its_connection() {
        for (length, ends) in [(8 * 1024, true), (7 * 1024, false)] {
            let reuse = Reuse::default();
            let mut answer = Received::head(&HeaderMap::new());
            answer.frame(&Bytes::from(vec![0; length]));
            reuse.after(&answer);
            assert_eq!(reuse.is_to_end(), ends, "{length}");
        }
    }
}
