//! What wipes the buffers of this crate: `zeroize`, except in the control build of the memory test.
//!
//! That build sets `--cfg truefoundry_no_wipe` by hand: it must not be possible to switch wiping off by a
//! feature or a variable. In it every scenario of the test has to fail, which shows that the scenarios do
//! measure wiping. A [`SecretValue`](crate::SecretValue) is wiped even there, by `secrecy`.

pub(crate) const IS_ON: bool = cfg!(not(truefoundry_no_wipe));

#[cfg(truefoundry_no_wipe)]
pub(crate) use off::{Zeroize, Zeroizing};
#[cfg(not(truefoundry_no_wipe))]
pub(crate) use zeroize::{Zeroize, Zeroizing};

#[cfg(truefoundry_no_wipe)]
mod off {
    use std::ops::{Deref, DerefMut};

    pub(crate) trait Zeroize {
        fn zeroize(&mut self) {}
    }

    impl<T: ?Sized> Zeroize for T {}

    #[derive(Default)]
    pub(crate) struct Zeroizing<T>(T);

    impl<T> Zeroizing<T> {
        pub(crate) fn new(buffer: T) -> Self {
            Self(buffer)
        }
    }

    impl<T> Deref for Zeroizing<T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }

    impl<T> DerefMut for Zeroizing<T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.0
        }
    }

    impl AsRef<[u8]> for Zeroizing<Vec<u8>> {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
}
