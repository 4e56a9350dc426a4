//! The forms of a text that are compared.

use super::control::is_steering;
use super::{escapes, step};
use crate::wipe::Zeroizing;

/// Servers that quote what another one quoted are common, longer chains are not.
const MAX_LAYERS: usize = 2;

/// What a byte of ASCII is in [`Letters`]: itself in lower case, or 0 if it is neither letter nor digit.
#[expect(clippy::indexing_slicing, reason = "it is evaluated when it is compiled")]
static ASCII: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        if byte.is_ascii_alphanumeric() {
            table[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// What is compared in addition to the text: the text with one layer, with two layers and with all
/// layers of escapes decoded.
pub(super) fn without_escapes(text: &str) -> Vec<Zeroizing<Vec<u8>>> {
    if !escapes::may_be_in(text) {
        return Vec::new();
    }
    let mut texts: Vec<Zeroizing<Vec<u8>>> = Vec::new();
    let is_new = |texts: &[Zeroizing<Vec<u8>>], next: &[u8]| {
        next != text.as_bytes() && texts.iter().all(|known| **known != next)
    };
    for _ in 0..MAX_LAYERS {
        let last = texts.last().map_or(text.as_bytes(), |last| last.as_slice());
        let next = escapes::undone_once(last);
        if is_new(&texts, &next) {
            texts.push(next);
        }
    }
    let whole = escapes::undone(text);
    if is_new(&texts, &whole) {
        texts.push(whole);
    }
    texts
}

/// Calls `act` with each form of a value. One form is what is left of it if the tags are removed
/// from a page that holds it unescaped.
pub(super) fn each_of_value(value: &str, act: &mut impl FnMut(&[u8])) {
    let mut each = |text: &str| {
        act(text.as_bytes());
        for text in without_escapes(text) {
            act(&text);
        }
    };
    each(value);
    if value.contains('<') {
        let mut without_tags = Zeroizing::new(String::with_capacity(value.len()));
        let mut in_tag = false;
        for character in value.chars() {
            step();
            match character {
                '<' => in_tag = true,
                '>' if in_tag => in_tag = false,
                it if !in_tag => without_tags.push(it),
                _ => {}
            }
        }
        each(&without_tags);
    }
}

/// Letters and digits in lower case, without anything that servers change, add or leave out when
/// they quote.
pub(super) fn letters(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut letters = Letters::room(text);
    each_part(text, |part| letters.extend(part));
    letters.finish()
}

/// All characters in lower case, for values with few letters: without backslashes and invisible
/// characters, and with one space for any run of white space or of `+`, as forms encode a space.
pub(super) fn spelling(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut spelling = Zeroizing::new(Vec::with_capacity(room(text)));
    each_part(text, |part| {
        for character in part.chars().flat_map(char::to_lowercase) {
            step();
            if character.is_whitespace() || character == '+' {
                if spelling.last() != Some(&b' ') {
                    spelling.push(b' ');
                }
            } else if character != '\\' && !is_steering(character) {
                spelling.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    });
    spelling
}

/// Enough for a buffer that must not grow, because growing would leave a copy behind: in lower
/// case, some characters have three bytes instead of two, and a byte that is not UTF-8 becomes two.
fn room(text: &[u8]) -> usize {
    if text.is_ascii() { text.len() } else { 2 * text.len() }
}

/// Bytes that are not UTF-8 are read as Latin-1, in which `%E9` is an `é`.
fn each_part(text: &[u8], mut act: impl FnMut(&str)) {
    // The usual case, in which the bytes need not be read one by one.
    if let Ok(text) = std::str::from_utf8(text) {
        return act(text);
    }
    for chunk in text.utf8_chunks() {
        act(chunk.valid());
        for byte in chunk.invalid() {
            act(char::from(*byte).encode_utf8(&mut [0; 4]));
        }
    }
}

/// Collects letters and digits in lower case.
pub(super) struct Letters {
    bytes: Zeroizing<Vec<u8>>,
    len: usize,
}

impl Letters {
    /// With room for the letters of a text.
    pub(super) fn room(text: &[u8]) -> Self {
        Self { bytes: Zeroizing::new(vec![0; room(text)]), len: 0 }
    }

    pub(super) fn extend(&mut self, mut text: &str) {
        while !text.is_ascii() {
            let Some(at) = text.find(|character: char| !character.is_ascii()) else { break };
            let (ascii, rest) = text.split_at(at);
            self.extend_ascii(ascii.as_bytes());
            let mut characters = rest.chars();
            characters.next().into_iter().for_each(|character| self.push(character));
            text = characters.as_str();
        }
        self.extend_ascii(text.as_bytes());
    }

    fn extend_ascii(&mut self, text: &[u8]) {
        let Some(room) = self.bytes.get_mut(self.len..) else { return };
        let mut len = 0;
        for byte in text {
            step();
            let letter = ASCII.get(usize::from(*byte)).copied().unwrap_or_default();
            // Written without a branch for the bytes that are left out.
            if let Some(place) = room.get_mut(len) {
                *place = letter;
            }
            len += usize::from(letter != 0);
        }
        self.len += len;
    }

    fn push(&mut self, character: char) {
        step();
        for lower in lower_letters(character) {
            let mut bytes = [0; 4];
            let bytes = lower.encode_utf8(&mut bytes).as_bytes();
            if let Some(room) = self.bytes.get_mut(self.len..self.len + bytes.len()) {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
            }
        }
    }

    pub(super) fn finish(mut self) -> Zeroizing<Vec<u8>> {
        self.bytes.truncate(self.len);
        self.bytes
    }
}

/// How many bytes the character has in [`Letters`].
#[inline]
pub(super) fn letters_of(character: char) -> usize {
    if character.is_ascii() {
        usize::from(character.is_ascii_alphanumeric())
    } else {
        lower_letters(character).map(char::len_utf8).sum()
    }
}

fn lower_letters(character: char) -> impl Iterator<Item = char> {
    character.to_lowercase().filter(|lower| lower.is_alphanumeric())
}
