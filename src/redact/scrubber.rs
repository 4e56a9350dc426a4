//! The comparison of what a server wrote with what it was sent.

use super::needles::Needles;
use super::reading;
use crate::wipe::{Wipe as _, Zeroizing};

/// What replaces a text that shows a value.
pub(crate) const WITHHELD: &str = "(message withheld)";
/// What [`Scrubber::cut_quotes`] writes over a byte. No service sends this control character.
pub(crate) const MARK: u8 = 0x7f;
/// Shorter values are not searched for: three bytes occur in many texts by accident, so most
/// messages would be withheld, and three bytes can be guessed anyway.
const MIN_VALUE: usize = 4;
/// Fewer letters and digits occur in a text by accident: such a value is searched for as it is
/// spelled.
const MIN_LETTERS: usize = 8;

/// Looks for the secrets of one call in what the server wrote.
///
/// It sees through JSON, percent, form and HTML escapes in any number of layers, changes of case, and
/// changed or dropped punctuation, white space and invisible characters. It does not see through
/// Base64, compression or hashing.
///
/// There is no `Debug`, and its own copies are wiped.
pub(crate) struct Scrubber {
    pub(super) letters: Needles,
    spelled: Needles,
}

impl Scrubber {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut letters, mut spelled) = (Vec::new(), Vec::new());
        let mut secrets: Vec<_> =
            secrets.into_iter().filter(|secret| secret.len() >= MIN_VALUE).collect();
        secrets.sort_unstable();
        secrets.dedup();
        for secret in secrets {
            // One of the four bytes may be a backslash, which is left out.
            let shortest = if secret.contains('\\') { MIN_VALUE - 1 } else { MIN_VALUE };
            reading::each_of_value(secret, &mut |text| {
                let reduced = reading::letters(text);
                if reduced.len() >= MIN_LETTERS {
                    letters.push(reduced);
                    return;
                }
                // White space at the end is often lost, such as the line feed of a file.
                let spelling = reading::spelling(text);
                let trimmed = spelling.trim_ascii();
                if trimmed.len() >= shortest {
                    spelled.push(Zeroizing::new(trimmed.to_vec()));
                }
            });
        }
        Self { letters: Needles::new(letters), spelled: Needles::new(spelled) }
    }

    /// Whether a secret is in the text, or 16 consecutive bytes of one.
    pub(crate) fn shows(&self, text: &str) -> bool {
        if self.letters.is_empty() && self.spelled.is_empty() {
            return false;
        }
        text.as_bytes().contains(&MARK)
            || self.is_in(text.as_bytes())
            || reading::without_escapes(text).iter().any(|text| self.is_in(text))
    }

    fn is_in(&self, text: &[u8]) -> bool {
        (!self.letters.is_empty() && self.letters.are_in(&reading::letters(text)))
            || (!self.spelled.is_empty() && self.spelled.are_in(&reading::spelling(text)))
    }

    /// Withholds the texts of one response that show a secret, or all of them if they show one only
    /// when joined, such as a value that was taken for a list of characters. Withheld texts are
    /// wiped. Returns whether a secret was found.
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
    text.wipe();
    text.push_str(WITHHELD);
}
