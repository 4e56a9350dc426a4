//! Removes the secrets that a failure quotes from its text, before the text is parsed.
//!
//! Parsing a failure creates ordinary strings, which are freed unwiped. So values that the server
//! quotes as they were sent, or with JSON's escapes, are overwritten first. Each text in which that
//! happened is withheld later, and so is each text that quotes a value in another way.

use std::ops::Range;

use super::needles::WINDOW;
use super::reading::{self, Letters};
use super::scrubber::{MARK, Scrubber};
use super::step;
use crate::wipe::Zeroizing;

impl Scrubber {
    /// The text with a mark in place of each byte of a letter or digit that belongs to a run of at
    /// least 16 such bytes shared with a value. JSON's quotes and escapes are not changed. `None`
    /// if nothing is quoted.
    pub(crate) fn cut_quotes(&self, text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        // Only the beginning that is UTF-8, if the page is in another encoding or was cut within a
        // character.
        let readable = std::str::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len);
        let readable = std::str::from_utf8(text.get(..readable)?).ok()?;
        let mut letters = Letters::room(readable.as_bytes());
        each_unescaped(readable, |_, part| letters.extend(part));
        let letters = letters.finish();
        let quoted = self.letters.covered(&letters, WINDOW);
        let mut quoted = quoted.iter();
        let mut range = quoted.next()?;

        let mut clean = Zeroizing::with_capacity(text.len());
        clean.append(text);
        let mut letter = 0;
        let mut marked = 0..0;
        each_unescaped(readable, |start, part| {
            for (at, character) in part.char_indices() {
                step();
                let next = letter + reading::letters_of(character);
                while let Some(following) = (range.end <= letter).then(|| quoted.next()).flatten() {
                    range = following;
                }
                if next > letter && range.start < next && letter < range.end {
                    let place = start + at;
                    if place != marked.end {
                        mark(&mut clean, std::mem::replace(&mut marked, place..place));
                    }
                    marked.end = place + character.len_utf8();
                }
                letter = next;
            }
        });
        mark(&mut clean, marked);
        Some(clean)
    }
}

/// Writes one mark for each byte, so the length of the text stays the same.
fn mark(text: &mut [u8], range: Range<usize>) {
    if let Some(bytes) = text.get_mut(range) {
        bytes.fill(MARK);
    }
}

/// Calls `act` with the text between escapes, and the position of each part. The character after a
/// backslash is left out, and so are the digits of a `\u`.
fn each_unescaped(text: &str, mut act: impl FnMut(usize, &str)) {
    let mut rest = text;
    loop {
        let start = text.len() - rest.len();
        let Some((part, escape)) = rest.split_once('\\') else { return act(start, rest) };
        act(start, part);
        step();
        let mut characters = escape.chars();
        if characters.next() == Some('u') {
            characters.nth(3);
        }
        rest = characters.as_str();
    }
}
