//! Body frames that are overwritten when they are no longer needed.
//!
//! hyper hands out body frames as slices of its read buffer and mostly lets go of that buffer at its next
//! read, so a frame that is held until the response is dropped becomes the only owner, and can be
//! overwritten without `unsafe`. This depends on hyper's insides: it is best effort, guarded by tests.

use std::task::Poll;

use bytes::Bytes;
use zeroize::{Zeroize, Zeroizing};

use super::reuse::{Reuse, follows};

/// There is no more between two frames of one answer in one buffer.
const AROUND_A_CHUNK: usize = 64;

/// The frames of one answer. Declare it before the response, so that on a panic or a cancellation the
/// response, whose headers share the buffer, goes first.
pub(crate) struct Frames {
    held: Vec<Bytes>,
    reuse: Reuse,
}

impl Frames {
    pub(crate) fn new(reuse: Reuse) -> Self {
        Self { held: Vec::new(), reuse }
    }

    pub(crate) fn push(&mut self, frame: Bytes) {
        self.held.push(frame);
    }

    pub(crate) fn len(&self) -> usize {
        self.held.iter().map(Bytes::len).sum()
    }

    /// Lets `read` see the whole text: in place where it came in one piece, else joined in a buffer that
    /// is wiped.
    pub(crate) fn with_joined<T>(&self, read: impl FnOnce(&[u8]) -> T) -> T {
        match self.held.as_slice() {
            [] => read(&[]),
            [frame] => read(frame),
            frames => {
                let mut joined = Zeroizing::new(Vec::with_capacity(self.len()));
                for frame in frames {
                    joined.extend_from_slice(frame);
                }
                read(&joined)
            }
        }
    }

    /// The connection's task may be just about to let go, on another thread or next on this one. Of several
    /// frames it cannot be told whether it is that task that holds them, or each other.
    pub(crate) async fn let_go(&self) {
        // Turns and not time: a test that has stopped the clock would wait for ever.
        let mut turns = 0..200;
        let [frame] = self.held.as_slice() else { return };
        std::future::poll_fn(|context| {
            if frame.is_unique() || turns.next().is_none() {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Frames of one read pin each other. From the last to the first each lets go, so that the first of a
    /// buffer is its only owner, and takes in those that were given up behind it. Where it is not, hyper
    /// has the buffer as well. One pass: a server decides how many frames there are.
    fn wipe(&mut self) {
        let mut behind: Option<Bytes> = None;
        while let Some(frame) = self.held.pop() {
            let given_up = match behind.take() {
                Some(later) if follows(&frame, &later, AROUND_A_CHUNK) => true,
                Some(first) => {
                    self.reuse.keep(first);
                    false
                }
                None => false,
            };
            match frame.try_into_mut() {
                Ok(mut buffer) => {
                    // Else only what was received: the whole buffer is often a hundred times as long.
                    if given_up {
                        buffer.resize(buffer.capacity(), 0);
                    }
                    buffer.as_mut().zeroize();
                }
                Err(frame) => behind = Some(frame),
            }
        }
        if let Some(first) = behind {
            self.reuse.keep(first);
        }
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.wipe();
        self.reuse.sweep();
    }
}
