//! What wipes the buffers of this crate: `zeroize`, except in the control build of the memory test.
//!
//! That build sets `--cfg truefoundry_no_wipe` by hand: it must not be possible to switch wiping off by a
//! feature or a variable. In that build every scenario of the test must fail, which shows that the
//! scenarios measure wiping. A [`SecretValue`](crate::SecretValue) is wiped even there, by
//! `secrecy`.

use std::io;
use std::ops::{Deref, DerefMut};

use zeroize::Zeroize as _;

pub(crate) const IS_ON: bool = cfg!(not(truefoundry_no_wipe));

/// A buffer that can be wiped with all its capacity.
pub(crate) trait Wipe {
    fn wipe(&mut self);
}

/// Cleared first: `zeroize` overwrites a vector's elements one by one, and its spare capacity at once.
impl Wipe for Vec<u8> {
    fn wipe(&mut self) {
        self.clear();
        if IS_ON {
            self.zeroize();
        }
    }
}

impl Wipe for String {
    fn wipe(&mut self) {
        self.clear();
        if IS_ON {
            self.zeroize();
        }
    }
}

/// A buffer that is wiped when it is dropped.
#[derive(Default)]
pub(crate) struct Zeroizing<B: Wipe>(B);

impl<B: Wipe> Zeroizing<B> {
    pub(crate) fn new(buffer: B) -> Self {
        Self(buffer)
    }
}

impl<B: Wipe> Drop for Zeroizing<B> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl<B: Wipe> Deref for Zeroizing<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.0
    }
}

impl<B: Wipe> DerefMut for Zeroizing<B> {
    fn deref_mut(&mut self) -> &mut B {
        &mut self.0
    }
}

impl Zeroizing<Vec<u8>> {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Appends. A vector that grows by itself leaves its old content in freed memory; this wipes
    /// it.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Self::with_capacity(needed.max(2 * self.0.capacity()));
            larger.0.extend_from_slice(&self.0);
            *self = larger;
        }
        self.0.extend_from_slice(bytes);
    }
}

impl io::Write for Zeroizing<Vec<u8>> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsRef<[u8]> for Zeroizing<Vec<u8>> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
