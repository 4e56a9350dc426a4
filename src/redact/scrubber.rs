//! The comparison of what a server wrote with what it was sent.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use zeroize::{Zeroize, Zeroizing};

use super::{reading, step};

/// What stands in the place of a text that shows a value.
pub(crate) const WITHHELD: &str = "(message withheld)";
/// What [`Scrubber::cut_quotes`] leaves in the place of a character. No text of a service has it.
pub(crate) const MARK: char = '\u{7f}';
/// Shorter values are not looked for: any text holds three bytes of anything, so every message
/// would be withheld, and three bytes are found by trying anyway.
const MIN_VALUE: usize = 4;
/// Fewer letters and digits stand in a text by accident: such a value is looked for as it is spelled.
const MIN_LETTERS: usize = 8;
/// So many bytes in a row are no coincidence.
pub(super) const WINDOW: usize = 16;
/// Of so many windows of another text one is at a marked place by accident, or fewer.
const BEGINNINGS_PER_WINDOW: usize = 16;

/// Looks for the secrets of one call in what the server wrote.
///
/// It sees through JSON, percent, form and HTML escapes in any number of layers, changes of case, and
/// changed or dropped punctuation, blanks and characters that cannot be seen. It does not see through Base64,
/// compression or hashing.
///
/// There is no `Debug`, and its own copies are wiped.
pub(crate) struct Scrubber {
    pub(super) letters: Needles,
    spelled: Needles,
}

impl Scrubber {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut letters, mut spelled) = (Needles::default(), Needles::default());
        let mut known = HashSet::new();
        let secrets = secrets.into_iter().filter(|secret| secret.len() >= MIN_VALUE);
        for secret in secrets.filter(|secret| known.insert(*secret)) {
            // Of a value of four bytes one may be a backslash.
            let shortest = if secret.contains('\\') { MIN_VALUE - 1 } else { MIN_VALUE };
            for text in reading::of_value(secret) {
                let reduced = reading::letters(&text);
                if reduced.len() >= MIN_LETTERS {
                    letters.push(reduced);
                } else {
                    // What it ends in is often lost, such as the line feed of a file.
                    let spelling = reading::spelling(&text);
                    let trimmed = spelling.trim_ascii();
                    if trimmed.len() >= shortest {
                        spelled.push(Zeroizing::new(trimmed.to_vec()));
                    }
                }
            }
        }
        letters.mark_beginnings();
        spelled.mark_beginnings();
        Self { letters, spelled }
    }

    /// Whether a secret is in the text, or 16 bytes in a row of one.
    pub(crate) fn shows(&self, text: &str) -> bool {
        if self.letters.is_empty() && self.spelled.is_empty() {
            return false;
        }
        text.contains(MARK)
            || reading::of_text(text).iter().any(|text| {
                self.letters.any_in(|| reading::letters(text))
                    || self.spelled.any_in(|| reading::spelling(text))
            })
    }

    /// Withholds the texts of one response that show a secret, or all if only together they do, such as
    /// one that was taken for a list of characters. What is withheld is wiped. Returns whether anything was.
    pub(crate) fn withhold<'t>(&self, texts: impl IntoIterator<Item = &'t mut String>) -> bool {
        let mut texts: Vec<_> = texts.into_iter().collect();
        if !self.shows(&together(&texts)) {
            return false;
        }
        texts.retain_mut(|text| {
            let shows = self.shows(text);
            if shows {
                withhold(text);
            }
            !shows
        });
        if self.shows(&together(&texts)) {
            texts.into_iter().for_each(withhold);
        }
        true
    }
}

fn together(texts: &[&mut String]) -> Zeroizing<String> {
    let mut all = Zeroizing::new(String::with_capacity(texts.iter().map(|it| it.len()).sum()));
    for text in texts {
        all.push_str(text);
    }
    all
}

fn withhold(text: &mut String) {
    text.zeroize();
    text.push_str(WITHHELD);
}

/// What is looked for, in one reading.
#[derive(Default)]
pub(super) struct Needles {
    all: Vec<Zeroizing<Vec<u8>>>,
    /// The lengths that a window of the text has to have, one bit for each.
    lengths: u32,
    /// Whether the beginning of a window has this place, in a table of a power of two. Nearly all windows of a text
    /// have a place that none has, and need not be hashed.
    beginnings: Vec<bool>,
}

impl Needles {
    fn push(&mut self, needle: Zeroizing<Vec<u8>>) {
        self.lengths |= 1 << needle.len().min(WINDOW);
        self.all.push(needle);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn mark_beginnings(&mut self) {
        let size = (BEGINNINGS_PER_WINDOW * self.windows().count()).next_power_of_two();
        let mut beginnings = vec![false; size];
        for window in self.windows() {
            step();
            if let Some(marked) = beginnings.get_mut(place(window, size)) {
                *marked = true;
            }
        }
        self.beginnings = beginnings;
    }

    /// `false` only for what is no window of any value.
    pub(super) fn may_have(&self, window: &[u8]) -> bool {
        step();
        let place = place(window, self.beginnings.len());
        self.beginnings.get(place).is_some_and(|marked| *marked)
    }

    fn any_in(&self, text: impl FnOnce() -> Zeroizing<Vec<u8>>) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut windows = Windows::default();
        let text = text();
        for length in (1..=WINDOW).filter(|length| self.lengths >> length & 1 == 1) {
            let likely = text.windows(length).filter(|window| self.may_have(window));
            likely.for_each(|window| windows.insert(window));
        }
        !windows.is_empty() && self.windows().any(|window| windows.contains(window))
    }

    /// Every whole short needle, and each window of the longer ones.
    pub(super) fn windows(&self) -> impl Iterator<Item = &[u8]> {
        self.all.iter().flat_map(|needle| needle.windows(needle.len().min(WINDOW)))
    }
}

/// Where the window's first eight bytes are in a table of this size, a power of two. A text can be made to be
/// at marked places; then it is hashed.
fn place(window: &[u8], size: usize) -> usize {
    let beginning = window.first_chunk::<8>().map_or_else(
        || window.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)),
        |eight| u64::from_le_bytes(*eight),
    );
    // The upper bits, because each depends on all that is below it.
    let mixed = beginning.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let place = mixed.checked_shr(64 - size.trailing_zeros().min(64)).unwrap_or_default();
    usize::try_from(place).unwrap_or_default()
}

/// Pieces of at most 16 bytes, known by their hashes, so that no copy is left in memory that is not wiped.
///
/// The hashes have 64 bits and a random key for each set: no server can choose texts that share one, and
/// if two do by accident a message is withheld, in no more time.
#[derive(Default)]
pub(super) struct Windows {
    key: RandomState,
    hashes: HashSet<u64>,
}

impl Windows {
    pub(super) fn insert(&mut self, window: &[u8]) {
        step();
        self.hashes.insert(self.key.hash_one(window));
    }

    pub(super) fn contains(&self, window: &[u8]) -> bool {
        step();
        self.hashes.contains(&self.key.hash_one(window))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}
