//! Searches for many byte strings at once, in a number of steps that does not depend on their
//! content.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};
use std::ops::Range;

use super::step;
use crate::wipe::Zeroizing;

/// This many equal bytes in a row are not a coincidence.
pub(super) const WINDOW: usize = 16;
/// The length of what is looked up first: this many bytes fit into a `u64`.
const GRAM: usize = 8;
/// In an unrelated text, at most one in this many grams is at a marked place by accident.
const PLACES_PER_GRAM: usize = 16;

/// What is searched for: every short needle as a whole, and each window of the longer ones.
///
/// All grams of the needles are marked in a table. A window of a text can match only if all grams
/// in it are marked. One of them starts at a multiple of the number of grams per window, so only
/// grams at such positions are looked up.
pub(super) struct Needles {
    all: Vec<Zeroizing<Vec<u8>>>,
    /// The lengths of the windows to compare, one bit for each.
    lengths: u32,
    /// One bit for each place.
    marked: Vec<u64>,
    /// The shift that turns a mixed number into a place.
    shift: u32,
    windows: OnceCell<Windows>,
}

impl Needles {
    pub(super) fn new(all: Vec<Zeroizing<Vec<u8>>>) -> Self {
        let grams = all.iter().map(|needle| 1 + needle.len().saturating_sub(GRAM)).sum::<usize>();
        let places = (PLACES_PER_GRAM * grams).next_power_of_two().max(64);
        let lengths = all.iter().fold(0, |lengths, needle| lengths | 1 << needle.len().min(WINDOW));
        let mut needles = Self {
            all,
            lengths,
            marked: vec![0; places / 64],
            shift: 64 - places.trailing_zeros(),
            windows: OnceCell::new(),
        };
        for gram in needles.all.iter().flat_map(|needle| needle.windows(needle.len().min(GRAM))) {
            step();
            let (word, bit) = place(gram, needles.shift);
            if let Some(word) = needles.marked.get_mut(word) {
                *word |= bit;
            }
        }
        needles
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether any needle is in the text, or a window of a longer one.
    pub(super) fn are_in(&self, text: &[u8]) -> bool {
        (1..=WINDOW).any(|length| self.first_from(0, text, length).is_some())
    }

    /// The ranges of the text that match windows of `length` bytes, in order; adjacent ones are merged.
    pub(super) fn covered(&self, text: &[u8], length: usize) -> Vec<Range<usize>> {
        let mut covered = Vec::new();
        let mut from = 0;
        while let Some(start) = self.first_from(from, text, length) {
            let (mut last, mut end) = (start, start + length);
            // The last window that begins in this range extends it; those before it add nothing.
            while let Some(next) =
                (last + 1..=end).rev().find(|at| self.has_window_at(*at, text, length))
            {
                (last, end) = (end, next + length);
            }
            covered.push(start..end);
            from = end + 1;
        }
        covered
    }

    /// The first position from `from` on at which `length` bytes match a whole needle, or a window of
    /// one.
    fn first_from(&self, from: usize, text: &[u8], length: usize) -> Option<usize> {
        if self.lengths >> length & 1 == 0 {
            return None;
        }
        let gram = length.min(GRAM);
        let stride = 1 + length - gram;
        let (mut at, mut next) = (from, from);
        while let Some(sample) = text.get(at..at + gram) {
            if self.is_marked(sample) {
                // The windows that contain it, except those that the previous one was in, too.
                let mut starts = next.max((at + 1).saturating_sub(stride))..=at;
                if let Some(start) = starts.find(|start| self.has_window_at(*start, text, length)) {
                    return Some(start);
                }
                next = at + 1;
            }
            at += stride;
        }
        None
    }

    fn has_window_at(&self, start: usize, text: &[u8], length: usize) -> bool {
        let window = text.get(start..start + length);
        window.is_some_and(|it| self.is_likely(it, length.min(GRAM)) && self.have(it))
    }

    /// `false` only if it is not a gram of any needle.
    #[inline]
    fn is_marked(&self, gram: &[u8]) -> bool {
        step();
        let (word, bit) = place(gram, self.shift);
        self.marked.get(word).is_some_and(|word| word & bit != 0)
    }

    #[inline]
    fn is_likely(&self, window: &[u8], gram: usize) -> bool {
        let first = window.get(..gram).is_some_and(|gram| self.is_marked(gram));
        first && window.get(window.len() - gram..).is_some_and(|gram| self.is_marked(gram))
    }

    fn have(&self, window: &[u8]) -> bool {
        let windows = self.windows.get_or_init(|| {
            let all = self.all.iter();
            Windows::new(all.flat_map(|needle| needle.windows(needle.len().min(WINDOW))))
        });
        windows.contains(window)
    }
}

/// The place of a gram in the table. A text can be crafted to have its grams at marked places; its
/// windows are then looked up.
#[inline]
fn place(gram: &[u8], shift: u32) -> (usize, u64) {
    // The upper bits, because each depends on all bits below it.
    let mixed = number(gram).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> shift;
    (usize::try_from(mixed / 64).unwrap_or_default(), 1 << (mixed % 64))
}

/// At most eight bytes as a number.
#[inline]
fn number(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or_else(
        || bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)),
        |eight| u64::from_le_bytes(*eight),
    )
}

/// Windows of at most 16 bytes, stored as hashes, so that no unwiped copy is left in memory.
///
/// A hash is a product folded to 64 bits, with a random key for each set, so values with many
/// collisions cannot be chosen. An accidental collision only withholds a message.
struct Windows {
    key: [u64; 2],
    hashes: HashSet<u64, BuildHasherDefault<AsIs>>,
}

impl Windows {
    fn new<'n>(windows: impl Iterator<Item = &'n [u8]>) -> Self {
        let random = RandomState::new();
        let key = [0_u8, 1].map(|which| random.hash_one(which));
        let hashes = windows.map(|window| hash(window, key)).collect();
        Self { key, hashes }
    }

    fn contains(&self, window: &[u8]) -> bool {
        self.hashes.contains(&hash(window, self.key))
    }
}

fn hash(window: &[u8], key: [u64; 2]) -> u64 {
    step();
    let (first, second) = window.split_at_checked(GRAM).unwrap_or((window, &[]));
    let [first_key, second_key] = key;
    let first = u128::from(number(first).wrapping_add(first_key));
    let product = first * u128::from(number(second).wrapping_add(second_key));
    let half = u128::from(u64::MAX);
    u64::try_from((product >> 64) ^ (product & half)).unwrap_or_default()
}

/// A hasher for values that are already hashes.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
