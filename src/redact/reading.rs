//! What of a text is compared.

use zeroize::Zeroizing;

use super::control::is_steering;
use super::{escapes, step};

/// Servers that quote what another one quoted are common, longer chains are not.
const MAX_LAYERS: usize = 2;

/// The texts to compare: the text as it is, without one and two layers of escapes, and without any.
pub(super) fn of_text(text: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let mut texts = vec![Zeroizing::new(text.as_bytes().to_vec())];
    if !escapes::may_be_in(text) {
        return texts;
    }
    for _ in 0..MAX_LAYERS {
        let next = texts.last().map(|text| escapes::undone_once(text));
        texts.extend(next.filter(|next| texts.last() != Some(next)));
    }
    let whole = escapes::undone(text);
    if !texts.contains(&whole) {
        texts.push(whole);
    }
    texts
}

/// Those of a value, and those of what is left of it on a page that holds it unescaped, whose tags are taken out.
pub(super) fn of_value(value: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let mut texts = of_text(value);
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
        texts.extend(of_text(&without_tags));
    }
    texts
}

/// Letters and digits in lower case, and nothing of what servers change, add or leave out when they quote.
pub(super) fn letters(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut letters = room(text);
    lower_case(text, |character| {
        if character.is_alphanumeric() {
            push(&mut letters, character);
        }
    });
    letters
}

/// All characters in lower case, for values that are short of letters: without backslashes and what cannot
/// be seen, and with one blank for any number of them, as in a form also written `+`.
pub(super) fn spelling(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut spelling = room(text);
    lower_case(text, |character| {
        if character.is_whitespace() || character == '+' {
            if spelling.last() != Some(&b' ') {
                spelling.push(b' ');
            }
        } else if character != '\\' && !is_steering(character) {
            push(&mut spelling, character);
        }
    });
    spelling
}

/// A buffer that never grows and so leaves no copy behind: in lower case some characters have three bytes
/// instead of two, and a byte that is not UTF-8 becomes two.
fn room(text: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(2 * text.len()))
}

fn push(bytes: &mut Vec<u8>, character: char) {
    for_each_byte(character, |byte| bytes.push(byte));
}

#[inline]
pub(super) fn for_each_byte(character: char, mut act: impl FnMut(u8)) {
    match u8::try_from(character) {
        Ok(byte) if byte.is_ascii() => act(byte),
        _ => character.encode_utf8(&mut [0; 4]).bytes().for_each(act),
    }
}

/// Bytes that are none of UTF-8 are read as Latin-1, in which `%E9` is an `é`.
fn lower_case(text: &[u8], mut act: impl FnMut(char)) {
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            step();
            for_each_lower(character, &mut act);
        }
        for byte in chunk.invalid() {
            step();
            for_each_lower(char::from(*byte), &mut act);
        }
    }
}

/// Nearly all characters are ASCII, whose lower case costs less than a look into Unicode's tables.
#[inline]
pub(super) fn for_each_lower(character: char, mut act: impl FnMut(char)) {
    if character.is_ascii() {
        act(character.to_ascii_lowercase());
    } else {
        character.to_lowercase().for_each(act);
    }
}
