//! A failure's text without the secrets that it quotes, before anything is read out of it.
//!
//! What is parsed out of a failure is made of ordinary strings, which are freed unwiped. So what the server
//! quotes as it was sent, or with JSON's escapes, is overwritten first. Each text in which that happened is
//! withheld later, as is what is quoted in other ways.

use super::needles::WINDOW;
use super::reading::{self, Letters};
use super::scrubber::{MARK, Scrubber};
use super::step;
use crate::wipe::Zeroizing;

impl Scrubber {
    /// The text with a mark in the place of each byte of every letter and digit of 16 bytes in a row that a value
    /// has, too. No quote and no escape of JSON is changed. `None` if nothing is quoted.
    pub(crate) fn cut_quotes(&self, text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        // Of a page in another encoding, or one that was cut within a character, what is UTF-8.
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
        each_unescaped(readable, |start, part| {
            for (at, character) in part.char_indices() {
                step();
                let next = letter + reading::letters_of(character);
                while let Some(following) = (range.end <= letter).then(|| quoted.next()).flatten() {
                    range = following;
                }
                if next > letter && range.start < next && letter < range.end {
                    let place = start + at;
                    // The text stays as long as it is: a mark for each byte.
                    if let Some(bytes) = clean.get_mut(place..place + character.len_utf8()) {
                        bytes.fill(MARK);
                    }
                }
                letter = next;
            }
        });
        Some(clean)
    }
}

/// The text between escapes, and where each part stands. What follows a backslash is left out, with the digits
/// of a `\u`.
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
