//! Response bodies that may hold values, and are wiped when they are dropped.
//!
//! hyper hands out body frames as slices of its read buffer and mostly releases that buffer at its next
//! read, so a frame that is held until then becomes the only owner, and can be overwritten without
//! `unsafe`. This depends on hyper's internals: it is best effort, guarded by the memory test.

use bytes::{Bytes, BytesMut};

use super::recycle::ConnectionRecycler;
use crate::wipe::Zeroizing;

/// More than hyper's longest buffer, which is a little over 400 KiB.
const MAX_BUFFER: usize = 512 * 1024;

/// The body of one response. Declare it before the response, whose headers share the first frame's buffer,
/// so that it is dropped after the response, even on a panic or a cancellation.
///
/// Only the first frame of each of hyper's buffers is held, and only until hyper has moved on to
/// the next buffer. However small the pieces that a server sends, they do not keep a buffer each.
pub(super) struct WipedBody {
    first: Option<Bytes>,
    /// The distance from the start of `first` to the end of the last frame in its buffer.
    reach: usize,
    /// The whole text, if it came in more than one frame.
    joined: Zeroizing<Vec<u8>>,
    frames: usize,
    /// How much to reserve at once if the text has to be joined.
    expected: usize,
    recycler: ConnectionRecycler,
    /// The connection ends with this response, so no other one has to be ended.
    close_connection: bool,
}

impl WipedBody {
    pub(super) fn new(recycler: &ConnectionRecycler, close_connection: bool) -> Self {
        Self {
            first: None,
            reach: 0,
            joined: Zeroizing::default(),
            frames: 0,
            expected: 0,
            recycler: recycler.clone(),
            close_connection,
        }
    }

    pub(super) fn expect(&mut self, length: usize) {
        self.expected = length;
    }

    pub(super) fn push(&mut self, frame: Bytes) {
        self.frames += 1;
        let Some(first) = self.first.take() else {
            self.hold(frame);
            return;
        };
        if self.frames == 2 {
            self.joined = Zeroizing::with_capacity(self.expected.max(first.len() + frame.len()));
            self.joined.append(&first);
        }
        self.joined.append(&frame);
        match first.try_into_mut() {
            Ok(buffer) => {
                wipe(buffer, self.reach);
                self.hold(frame);
            }
            Err(first) => {
                if let Some(reach) = reach_of(&first, &frame) {
                    self.reach = reach;
                    self.first = Some(first);
                } else {
                    self.is_shared();
                    self.hold(frame);
                }
            }
        }
    }

    fn hold(&mut self, frame: Bytes) {
        self.reach = frame.len();
        self.first = Some(frame);
    }

    /// hyper still owns the buffer, so it cannot be wiped: ending a connection makes hyper release
    /// it.
    fn is_shared(&self) {
        if !self.close_connection {
            self.recycler.request_close();
        }
    }

    /// The whole text.
    pub(super) fn text(&self) -> &[u8] {
        match &self.first {
            Some(first) if self.frames == 1 => first,
            _ => &self.joined,
        }
    }
}

impl Drop for WipedBody {
    fn drop(&mut self) {
        match self.first.take().map(Bytes::try_into_mut) {
            Some(Ok(buffer)) => wipe(buffer, self.reach),
            Some(Err(_)) => self.is_shared(),
            None => {}
        }
    }
}

/// Wipes what was received into the buffer. The unused rest, often a hundred times as long, is left
/// alone.
///
/// On a connection with long buffers, earlier responses are in the buffer, too, and are wiped.
fn wipe(mut buffer: BytesMut, reach: usize) {
    if !crate::wipe::IS_ON {
        return;
    }
    let rest = buffer.capacity();
    buffer.clear();
    // Moves to the beginning of the buffer. It never allocates: if it is already there, it fails.
    let before = if buffer.try_reclaim(rest + 1) { buffer.capacity() - rest } else { 0 };
    // This overwrites the used part. The barrier keeps the compiler from leaving that out.
    buffer.resize(before + reach.min(rest), 0);
    zeroize::optimization_barrier(buffer.as_ref());
}

/// From the beginning of `earlier` to the end of `later`, if that seems to be in the same buffer,
/// which is guessed from the distance. After a wrong guess, a frame stays unwiped.
fn reach_of(earlier: &Bytes, later: &Bytes) -> Option<usize> {
    let behind = later.as_ptr().addr().checked_sub(earlier.as_ptr().addr())?;
    (earlier.len()..=MAX_BUFFER).contains(&behind).then(|| behind + later.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A buffer as hyper fills it: its frames, and what hyper keeps of it.
    fn buffer(texts: &[&str]) -> (Vec<Bytes>, BytesMut) {
        let mut buffer = BytesMut::with_capacity(256);
        let frames = texts.iter().map(|text| {
            buffer.extend_from_slice(text.as_bytes());
            buffer.split().freeze()
        });
        (frames.collect(), buffer)
    }

    fn body(frames: Vec<Bytes>, recycler: &ConnectionRecycler) -> WipedBody {
        let mut body = WipedBody::new(recycler, false);
        for frame in frames {
            body.push(frame);
        }
        body
    }

    #[test]
    fn the_text_is_whole_however_it_came() {
        let texts = ["one ", "two ", "three ", "", "four"];
        for buffers in [1, 2, 5] {
            let mut body = WipedBody::new(&ConnectionRecycler::default(), false);
            let mut whole = String::new();
            for texts in texts.chunks(texts.len().div_ceil(buffers)) {
                let (of_one, _hyper) = buffer(texts);
                for frame in of_one {
                    body.push(frame);
                }
                whole.push_str(&texts.concat());
            }
            assert_eq!(body.text(), whole.as_bytes());
        }
        assert_eq!(WipedBody::new(&ConnectionRecycler::default(), false).text(), b"");
    }

    #[test]
    fn a_buffer_that_hyper_has_left_is_not_held() {
        let recycler = ConnectionRecycler::default();
        let mut body = WipedBody::new(&recycler, false);
        for n in 1..=1000 {
            // hyper has the buffer that it fills, and no other.
            let (of_one, _hyper) = buffer(&["x", "y"]);
            for frame in of_one {
                body.push(frame);
            }
            assert_eq!(body.text().len(), 2 * n);
        }
        assert!(body.first.as_ref().is_some_and(Bytes::is_unique));
        drop(body);
        assert!(!recycler.take_close_request());
    }

    #[test]
    fn a_buffer_that_hyper_keeps_ends_one_connection() {
        let recycler = ConnectionRecycler::default();
        let (frames, hyper) = buffer(&["first", "second"]);
        drop(body(frames, &recycler));
        assert!(recycler.take_close_request());
        assert!(!recycler.take_close_request(), "one request ends one connection");
        drop(hyper);
        let (frames, hyper) = buffer(&["on a connection that ends anyway"]);
        let mut last = WipedBody::new(&recycler, true);
        for frame in frames {
            last.push(frame);
        }
        drop((last, hyper));
        assert!(!recycler.is_requested());
    }
}
