//! Body frames that are overwritten when they are no longer needed.
//!
//! hyper hands out body frames as slices of its read buffer and mostly lets go of that buffer at its next
//! read, so a frame that is held until then becomes the only owner, and can be overwritten without
//! `unsafe`. This depends on hyper's insides: it is best effort, guarded by tests.

use std::task::Poll;

use bytes::{Bytes, BytesMut};
use zeroize::{Zeroize, Zeroizing};

use super::reuse::{self, Reuse};

/// The text of one answer. Declare it before the response, so that on a panic or a cancellation the
/// response, whose headers share the buffer, goes first.
///
/// Of each of hyper's buffers one frame is held, the first, and only until hyper has gone on to the next:
/// however small the pieces are in which a server sends, they do not keep a buffer each.
pub(crate) struct Frames {
    first: Option<Bytes>,
    /// How far the frames of its buffer go, from where it begins.
    reach: usize,
    /// The whole text, where it came in more than one frame.
    joined: Zeroizing<Vec<u8>>,
    count: usize,
    /// How long the text will be, as far as it is worth reserving for.
    expected: usize,
    reuse: Reuse,
    /// The connection ends with this answer, so that there is nothing to ask of another one.
    last: bool,
}

impl Frames {
    pub(crate) fn new(reuse: Reuse, last: bool) -> Self {
        let joined = Zeroizing::default();
        Self { first: None, reach: 0, joined, count: 0, expected: 0, reuse, last }
    }

    pub(crate) fn expect(&mut self, length: usize) {
        self.expected = length;
    }

    pub(crate) fn push(&mut self, frame: Bytes) {
        self.count += 1;
        let Some(first) = self.first.take() else {
            self.hold(frame);
            return;
        };
        if self.count == 2 {
            self.join(&first);
        }
        self.join(&frame);
        match first.try_into_mut() {
            Ok(buffer) => {
                wipe(buffer, self.reach);
                self.hold(frame);
            }
            Err(first) => {
                if let Some(reach) = reuse::reach(&first, &frame) {
                    self.reach = reach;
                    self.first = Some(first);
                } else {
                    self.reuse.keep(first, !self.last);
                    self.hold(frame);
                }
            }
        }
    }

    fn hold(&mut self, frame: Bytes) {
        self.reach = frame.len();
        self.first = Some(frame);
    }

    fn join(&mut self, bytes: &[u8]) {
        let needed = self.joined.len() + bytes.len();
        if needed > self.joined.capacity() {
            // A vector that grows by itself leaves what it had in freed memory.
            let capacity = needed.max(2 * self.joined.capacity()).max(self.expected);
            let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
            larger.extend_from_slice(&self.joined);
            self.joined = larger;
        }
        self.joined.extend_from_slice(bytes);
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &[u8] {
        match &self.first {
            Some(first) if self.count == 1 => first,
            _ => &self.joined,
        }
    }

    /// The connection's task may be just about to let go, on another thread or next on this one.
    pub(crate) async fn let_go(&self) {
        self.reuse.sweep();
        // Where hyper keeps a buffer for long, it is waited for in vain, and once is enough.
        let Some(first) = self.first.as_ref().filter(|_| !self.reuse.is_keeping()) else { return };
        // Turns and not time: a test that has stopped the clock would wait for ever.
        let mut turns = 0..200;
        std::future::poll_fn(|context| {
            if first.is_unique() || turns.next().is_none() {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        match self.first.take().map(Bytes::try_into_mut) {
            Some(Ok(buffer)) => wipe(buffer, self.reach),
            Some(Err(first)) => self.reuse.keep(first, !self.last),
            None => {}
        }
        self.reuse.sweep();
    }
}

/// Only what was received: the whole buffer is often a hundred times as long.
fn wipe(mut buffer: BytesMut, reach: usize) {
    buffer.resize(reach.min(buffer.capacity()), 0);
    buffer.as_mut().zeroize();
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A buffer as hyper fills it: its frames, and what hyper keeps of it.
    pub(crate) fn buffer(texts: &[&str]) -> (Vec<Bytes>, BytesMut) {
        let mut buffer = BytesMut::with_capacity(256);
        let frames = texts.iter().map(|text| {
            buffer.extend_from_slice(text.as_bytes());
            buffer.split().freeze()
        });
        (frames.collect(), buffer)
    }

    #[test]
    fn the_text_is_whole_however_it_came() {
        let texts = ["one ", "two ", "three ", "", "four"];
        for buffers in [1, 2, 5] {
            let mut frames = Frames::new(Reuse::default(), false);
            let mut whole = String::new();
            for texts in texts.chunks(texts.len().div_ceil(buffers)) {
                let (of_one, _hyper) = buffer(texts);
                for frame in of_one {
                    frames.push(frame);
                }
                whole.push_str(&texts.concat());
            }
            assert_eq!(frames.text(), whole.as_bytes());
        }
        assert_eq!(Frames::new(Reuse::default(), false).text(), b"");
    }

    #[test]
    fn a_buffer_that_hyper_has_left_is_not_held() {
        let mut frames = Frames::new(Reuse::default(), false);
        for n in 1..=1000 {
            // hyper has the buffer that it fills, and no other.
            let (of_one, _hyper) = buffer(&["x", "y"]);
            for frame in of_one {
                frames.push(frame);
            }
            assert_eq!(frames.text().len(), 2 * n);
        }
        assert!(frames.first.as_ref().is_some_and(Bytes::is_unique));
        assert!(!frames.reuse.is_keeping());
    }
}
