//! The one reader of escapes.
//!
//! It decodes them until none is left, however many layers there are, so that a text and its
//! escaped form become the same. A text that only looks escaped, such as a value with `%41` in it,
//! is decoded in the same way on both sides of a comparison.

use crate::wipe::Zeroizing;

use super::step;

/// The beginnings of hexadecimal escapes, each with its number of digits.
const HEXADECIMAL: [(&[u8], usize); 5] =
    [(b"%", 2), (br"\x", 2), (br"\u", 4), (b"%u", 4), (br"\U", 8)];
const ENTITIES: [(&[u8], char); 6] =
    [(b"amp", '&'), (b"lt", '<'), (b"gt", '>'), (b"quot", '"'), (b"apos", '\''), (b"nbsp", ' ')];
/// A backslash that was itself written as an escape. It escapes what follows, but is not the first half of an
/// escaped backslash together with the beginning of the next escape: `\u005c\u006e` is `\n`. UTF-8
/// has no such byte.
const BACKSLASH: u8 = 0xFF;
/// A backslash that was written as two. It begins the next escape, or belongs to one more pair, but
/// not to a pair with a [`BACKSLASH`]: `\\134\\156` is `\n`, too. UTF-8 has no such byte either.
const PAIR: u8 = 0xFE;
/// HTML has names of up to 31 characters, and numbers may have leading zeros.
const MAX_ENTITY: usize = 32;
const MAX_BRACED: usize = 10;

/// What an escape stands for.
enum Decoded {
    /// A pair of backslashes; holds the second.
    Pair(u8),
    /// A byte, which may be part of a character.
    Byte(u8),
    Character(char),
}

/// Whether the text has any of the characters that every escape begins with.
pub(super) fn may_be_in(text: &str) -> bool {
    // Without an early exit within a chunk, the compiler compares many bytes at once.
    let has_any = |bytes: &[u8]| bytes.iter().fold(false, |any, byte| any | begins_one(*byte));
    let (chunks, rest) = text.as_bytes().as_chunks::<32>();
    chunks.iter().inspect(|_| step()).any(|chunk| has_any(chunk)) || has_any(rest)
}

#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is an early exit at each byte")]
fn begins_one(byte: u8) -> bool {
    (byte == b'\\') | (byte == b'%') | (byte == b'&')
}

/// The text with all escapes decoded, as bytes, because `%XX` and `\xXX` stand for bytes.
///
/// Each byte is appended. An escape that ends with it is replaced by what it stands for, which is shorter
/// and may be the end of another escape. So the work is linear however they are nested.
pub(super) fn undone(text: &str) -> Zeroizing<Vec<u8>> {
    // It never grows, and so leaves no copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    for byte in text.bytes() {
        bytes.push(byte);
        step();
        while let Some((length, decoded)) = escape_at_end(&bytes) {
            step();
            let start = bytes.len().saturating_sub(length);
            bytes.truncate(start);
            match decoded {
                Decoded::Pair(BACKSLASH) | Decoded::Byte(b'\\') | Decoded::Character('\\') => {
                    bytes.push(BACKSLASH);
                }
                Decoded::Pair(_) => bytes.push(PAIR),
                Decoded::Byte(byte) if byte != BACKSLASH && byte != PAIR => bytes.push(byte),
                Decoded::Byte(byte) => push(&mut bytes, char::from(byte)),
                Decoded::Character(character) => push(&mut bytes, character),
            }
        }
    }
    // Only now, because `\0` also begins an octal number.
    let mut after_backslash = false;
    bytes.retain_mut(|byte| {
        let is_nul = after_backslash && *byte == b'0';
        after_backslash = is_backslash(*byte);
        if after_backslash {
            *byte = b'\\';
        }
        !is_nul
    });
    bytes
}

/// The text with its outermost layer of escapes decoded.
///
/// A decoded character never begins another escape. So a value that looks escaped itself, such as
/// one with `%41` in it, comes out unchanged when the escapes that a server added are decoded.
pub(super) fn undone_once(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut decoded_to = 0;
    for byte in text {
        bytes.push(*byte);
        step();
        let fresh = bytes.get(decoded_to..).unwrap_or_default();
        let Some((length, decoded)) = escape_at_end(fresh) else { continue };
        let start = bytes.len().saturating_sub(length);
        bytes.truncate(start);
        match decoded {
            Decoded::Pair(_) => bytes.push(b'\\'),
            Decoded::Byte(byte) => bytes.push(byte),
            Decoded::Character(character) => push(&mut bytes, character),
        }
        decoded_to = bytes.len();
    }
    bytes
}

fn push(bytes: &mut Vec<u8>, character: char) {
    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

fn is_backslash(byte: u8) -> bool {
    matches!(byte, b'\\' | BACKSLASH | PAIR)
}

/// The length of the escape that the bytes end with, and what it stands for.
fn escape_at_end(bytes: &[u8]) -> Option<(usize, Decoded)> {
    let escape = match bytes.last()? {
        b';' => entity(bytes),
        b'}' => braced(bytes),
        b'0'..=b'7' => hexadecimal(bytes).or_else(|| octal(bytes)),
        last if last.is_ascii_hexdigit() => hexadecimal(bytes),
        _ => None,
    };
    escape.or_else(|| after_backslash(bytes))
}

fn hexadecimal(bytes: &[u8]) -> Option<(usize, Decoded)> {
    HEXADECIMAL.iter().find_map(|(begin, digits)| {
        let length = begin.len() + digits;
        let number = number_behind(bytes, begin, *digits)?;
        if *digits == 2 {
            return Some((length, Decoded::Byte(u8::try_from(number).ok()?)));
        }
        match number {
            // The first half of a surrogate pair: the second one follows.
            0xD800..0xDC00 => None,
            0xDC00..0xE000 => {
                let before = bytes.get(..bytes.len().checked_sub(length)?)?;
                let high = number_behind(before, begin, *digits)?.checked_sub(0xD800)?;
                let pair = 0x1_0000 + (high << 10) + (number - 0xDC00);
                Some((2 * length, Decoded::Character(char::from_u32(pair)?)))
            }
            _ => Some((length, character(number))),
        }
    })
}

/// The number that the last `digits` bytes form, if `begin` precedes it.
fn number_behind(bytes: &[u8], begin: &[u8], digits: usize) -> Option<u32> {
    let (before, digits) = bytes.split_at_checked(bytes.len().checked_sub(digits)?)?;
    let [first, rest @ ..] = begin else { return None };
    let at = before.strip_suffix(rest)?.last()?;
    let begins = at == first || (*first == b'\\' && is_backslash(*at));
    if begins { number(digits, 16) } else { None }
}

/// As C and git print bytes.
fn octal(bytes: &[u8]) -> Option<(usize, Decoded)> {
    let [first, digits @ ..] = bytes.last_chunk::<4>()?;
    if !is_backslash(*first) {
        return None;
    }
    Some((4, Decoded::Byte(u8::try_from(number(digits, 8)?).ok()?)))
}

/// As Rust prints characters: `\u{1b}`.
fn braced(bytes: &[u8]) -> Option<(usize, Decoded)> {
    let tail = bytes.get(bytes.len().saturating_sub(MAX_BRACED)..)?;
    let open = tail.iter().rposition(|byte| *byte == b'{')?;
    let (before, digits) = tail.split_at_checked(open)?;
    let number = number(digits.strip_prefix(b"{")?.strip_suffix(b"}")?, 16)?;
    is_backslash(*before.strip_suffix(b"u")?.last()?).then(|| (digits.len() + 2, character(number)))
}

/// `&lt;`, `&#60;`, `&#x3c;`. Other names stand for characters that are not compared, or for
/// letters that need no entity: they become an invisible character.
fn entity(bytes: &[u8]) -> Option<(usize, Decoded)> {
    let tail = bytes.strip_suffix(b";")?;
    let tail = tail.get(tail.len().saturating_sub(MAX_ENTITY)..)?;
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
    let start = tail.iter().rposition(|byte| !is_of_name(byte))?;
    let name = tail.get(start..)?.strip_prefix(b"&")?;
    let decoded = match name {
        [] => return None,
        [b'#', b'x' | b'X', digits @ ..] => character(number(digits, 16)?),
        [b'#', digits @ ..] => character(number(digits, 10)?),
        _ => {
            let known = ENTITIES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
            Decoded::Character(known.map_or('\u{ad}', |it| it.1))
        }
    };
    Some((name.len() + 2, decoded))
}

/// The one-character escapes of JSON and programming languages, and a backslash before a
/// punctuation mark. A backslash before the first character of another escape is kept: `\&#110;` is
/// `\n`.
fn after_backslash(bytes: &[u8]) -> Option<(usize, Decoded)> {
    let [first, last] = bytes.last_chunk::<2>()?;
    let decoded = match last {
        _ if !is_backslash(*first) => return None,
        b'\\' if *first != b'\\' => return None,
        &PAIR if *first == BACKSLASH => return None,
        last if is_backslash(*last) => return Some((2, Decoded::Pair(*last))),
        b'n' | b'r' | b't' | b'f' | b'v' => b'\n',
        b'a' | b'b' | b'e' => 0x08,
        b'%' | b'&' => return None,
        punctuation if punctuation.is_ascii_punctuation() => *punctuation,
        _ => return None,
    };
    Some((2, Decoded::Byte(decoded)))
}

fn character(number: u32) -> Decoded {
    Decoded::Character(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, byte| {
        number.checked_mul(radix)?.checked_add(char::from(*byte).to_digit(radix)?)
    })
}
