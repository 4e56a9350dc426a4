//! Body frames that are overwritten when they are no longer needed.
//!
//! hyper hands out body frames as slices of its read buffer and lets go of that buffer at its next
//! read, so a frame that is held until the response is dropped becomes the only owner, and can be
//! overwritten without `unsafe`. This depends on hyper's insides: it is best effort, guarded by tests.

use bytes::Bytes;
use zeroize::{Zeroize, Zeroizing};

/// The frames of one answer. Declare it before the response, so that on a panic or a cancellation the
/// response, whose headers share the buffer, goes first.
#[derive(Default)]
pub(crate) struct Frames(Vec<Bytes>);

impl Frames {
    pub(crate) fn push(&mut self, frame: Bytes) {
        self.0.push(frame);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    /// Lets `read` see the whole text: in place where it came in one piece, else joined in a buffer that
    /// is wiped.
    pub(crate) fn with_joined<T>(&self, read: impl FnOnce(&[u8]) -> T) -> T {
        match self.0.as_slice() {
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

    /// Frames of one read pin each other. From the last to the first each lets go, so that the first of a
    /// buffer is its only owner, and takes in those that were given up behind it. One pass: a server
    /// decides how many frames there are.
    fn wipe(&mut self) {
        let mut given_up = false;
        while let Some(frame) = self.0.pop() {
            match frame.try_into_mut() {
                Ok(mut buffer) => {
                    // Else only what was received: the whole buffer is often a hundred times as long.
                    if given_up {
                        buffer.resize(buffer.capacity(), 0);
                    }
                    buffer.as_mut().zeroize();
                    given_up = false;
                }
                Err(_) => given_up = true,
            }
        }
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.wipe();
    }
}
