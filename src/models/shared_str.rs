//! Strings of a response, kept as ranges of one shared buffer.
//!
//! A page of 100 groups with 20 secrets each holds some 20,000 strings. One allocation for each would
//! cost more than parsing the page, so a [`SharedStr`] is 24 bytes that point into the page it came in.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, OnceLock};

/// The buffer that the texts of one response share. It is filled when decoding ends.
pub(crate) type Buffer = Arc<OnceLock<String>>;

/// Hides the `OnceLock` from clippy, which would warn of keys with interior mutability if a user put an
/// identifier into a `HashMap`: a buffer is filled once, before any other owner of it exists.
trait StrBuffer: Send + Sync + UnwindSafe + RefUnwindSafe {
    fn text(&self) -> Option<&str>;
}

impl StrBuffer for OnceLock<String> {
    fn text(&self) -> Option<&str> {
        self.get().map(String::as_str)
    }
}

#[derive(Clone)]
pub(crate) struct SharedStr {
    buffer: Arc<dyn StrBuffer>,
    start: u32,
    len: u32,
}

impl SharedStr {
    pub(crate) fn at(buffer: &Buffer, start: u32, len: u32) -> Self {
        let buffer = Arc::<OnceLock<String>>::clone(buffer);
        Self { buffer, start, len }
    }

    /// All of the response that its models keep in memory.
    #[cfg(test)]
    pub(crate) fn whole_buffer(&self) -> &str {
        self.buffer.text().unwrap_or_default()
    }

    fn range(&self) -> Range<usize> {
        let start = self.start as usize;
        start..start.saturating_add(self.len as usize)
    }

    pub(crate) fn as_str(&self) -> &str {
        self.buffer.text().and_then(|text| text.get(self.range())).unwrap_or_default()
    }
}

impl From<String> for SharedStr {
    fn from(text: String) -> Self {
        // Only names and identifiers that an application typed come this way; none is near 4 GiB.
        let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self { buffer: Arc::new(OnceLock::from(text)), start: 0, len }
    }
}

impl fmt::Debug for SharedStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl PartialEq for SharedStr {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for SharedStr {}

impl PartialOrd for SharedStr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SharedStr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for SharedStr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl serde::Serialize for SharedStr {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_small_and_an_absent_one_costs_no_more() {
        assert_eq!(size_of::<SharedStr>(), 24);
        assert_eq!(size_of::<Option<SharedStr>>(), 24);
    }

    #[test]
    fn a_place_outside_the_buffer_is_empty_rather_than_a_panic() {
        let buffer: Buffer = Arc::new(OnceLock::from("né".to_owned()));
        assert_eq!(SharedStr::at(&buffer, 1, 2).as_str(), "é");
        assert_eq!(SharedStr::at(&buffer, 2, 1).as_str(), "");
        assert_eq!(SharedStr::at(&buffer, u32::MAX, u32::MAX).as_str(), "");
    }
}
