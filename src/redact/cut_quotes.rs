//! A failure's text without the secrets that it quotes, before anything is read out of it.
//!
//! What is parsed out of a failure is made of ordinary strings, which are freed unwiped. So what the server
//! quotes as it was sent, or with JSON's escapes, is overwritten first. Each text in which that happened is
//! withheld later, as is what is quoted in other ways.

use zeroize::Zeroizing;

use super::reading::{for_each_byte, for_each_lower};
use super::scrubber::{MARK, Scrubber, WINDOW, Windows};
use super::step;

impl Scrubber {
    /// The text with a mark in the place of each letter and digit of every 16 bytes in a row that a value
    /// has, too. No quote and no escape of JSON is changed. `None` if nothing is quoted.
    pub(crate) fn cut_quotes(&self, text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        // Of a page in another encoding, or one that was cut within a character, what is UTF-8.
        let readable = std::str::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len);
        let (readable, rest) = text.split_at_checked(readable)?;
        let readable = std::str::from_utf8(readable).ok()?;
        // In lower case a character may take three bytes in place of two.
        let mut letters = Zeroizing::new(Vec::with_capacity(2 * text.len()));
        for_each_letter(readable, |_, byte| letters.push(byte));
        let mut there = Windows::default();
        let likely = letters.windows(WINDOW).filter(|window| self.letters.may_have(window));
        likely.for_each(|window| there.insert(window));
        if there.is_empty() {
            return None;
        }
        let mut quoted = Windows::default();
        let sent = self.letters.windows().filter(|window| window.len() == WINDOW);
        sent.filter(|window| there.contains(window)).for_each(|window| quoted.insert(window));
        if quoted.is_empty() {
            return None;
        }
        let mut places = Vec::with_capacity(letters.len());
        for_each_letter(readable, |place, _| places.push(place));
        let mut marks: Vec<usize> = Vec::new();
        for (window, places) in letters.windows(WINDOW).zip(places.windows(WINDOW)) {
            if quoted.contains(window) {
                // Windows overlap: only what follows the last one is new.
                let done = marks.last().copied();
                marks.extend(places.iter().filter(|place| Some(**place) > done));
            }
        }
        marks.dedup();
        let mut marks = marks.into_iter().peekable();
        // A mark is no longer than what it replaces, so this never grows and leaves a copy behind.
        let mut clean = Zeroizing::new(Vec::with_capacity(text.len()));
        for (at, character) in readable.char_indices() {
            step();
            let shown = marks.next_if_eq(&at).map_or(character, |_| MARK);
            clean.extend_from_slice(shown.encode_utf8(&mut [0; 4]).as_bytes());
        }
        clean.extend_from_slice(rest);
        Some(clean)
    }
}

/// The bytes of letters and digits in lower case, and where the character of each stands. What follows a
/// backslash is left out, with the digits of a `\u`.
fn for_each_letter(text: &str, mut act: impl FnMut(usize, u8)) {
    let mut characters = text.char_indices();
    while let Some((place, character)) = characters.next() {
        step();
        if character == '\\' {
            if characters.next().is_some_and(|(_, kind)| kind == 'u') {
                characters.nth(3);
            }
            continue;
        }
        for_each_lower(character, |lower| {
            if lower.is_alphanumeric() {
                for_each_byte(lower, |byte| act(place, byte));
            }
        });
    }
}
