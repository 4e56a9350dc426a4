//! JSON strings unescaped into one exact allocation.
//!
//! `serde_json` unescapes in a scratch buffer that it frees unwiped; every PEM key has escapes.

use crate::wipe::Zeroizing;

/// The text of a JSON string, quotes included in `raw`. `None` if `serde_json` would refuse it.
pub(crate) fn json_string(raw: &str) -> Option<Box<str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if raw.len() < 2 {
        return None;
    }
    // Nearly all values. The loop has no early exit, so the compiler compares many bytes at once.
    if !inner.bytes().fold(false, |any, byte| any | is_special(byte)) {
        return Some(inner.into());
    }
    // The first pass only counts, so that the second never grows its buffer and leaves a copy behind.
    let mut len = 0;
    each_piece(inner, |piece| len += piece.len())?;
    let mut text = Zeroizing::new(String::with_capacity(len));
    each_piece(inner, |piece| text.push_str(piece))?;
    // Length and capacity agree, so boxing moves nothing.
    Some(std::mem::take(&mut *text).into_boxed_str())
}

fn each_piece(mut rest: &str, mut take: impl FnMut(&str)) -> Option<()> {
    loop {
        let Some(at) = special(rest.as_bytes()) else {
            take(rest);
            return Some(());
        };
        take(rest.get(..at)?);
        let (character, after) = escape(rest.get(at..)?.strip_prefix('\\')?)?;
        take(character.encode_utf8(&mut [0; 4]));
        rest = after;
    }
}

/// Whether the byte cannot appear unescaped in a JSON string.
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is an early exit for each byte")]
fn is_special(byte: u8) -> bool {
    (byte == b'\\') | (byte == b'"') | (byte < 0x20)
}

fn special(bytes: &[u8]) -> Option<usize> {
    const CHUNK: usize = 32;
    let has_none =
        |chunk: &&[u8; CHUNK]| !chunk.iter().fold(false, |any, it| any | is_special(*it));
    let plain = CHUNK * bytes.as_chunks().0.iter().take_while(has_none).count();
    let at = bytes.get(plain..)?.iter().position(|byte| is_special(*byte))?;
    Some(plain + at)
}

/// The character that an escape stands for, and what follows. The backslash is already consumed.
pub(crate) fn escape(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    let character = match chars.next()? {
        plain @ ('"' | '\\' | '/') => plain,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode(chars.as_str()),
        _ => return None,
    };
    Some((character, chars.as_str()))
}

/// The character that `\u` escapes stand for, two of them if it is a surrogate pair.
fn unicode(text: &str) -> Option<(char, &str)> {
    let (first, rest) = four_digits(text)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, rest));
    }
    let (second, rest) = four_digits(rest.strip_prefix("\\u")?)?;
    if !(0xD800..0xDC00).contains(&first) || !(0xDC00..0xE000).contains(&second) {
        return None;
    }
    let joined = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    Some((char::from_u32(joined)?, rest))
}

fn four_digits(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn agrees(raw: &str) -> Result<(), TestCaseError> {
        let theirs = serde_json::from_str::<String>(raw).ok();
        let ours = json_string(raw).map(String::from);
        prop_assert_eq!(ours, theirs, "{}", raw);
        Ok(())
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            agrees(&serde_json::to_string(&text).unwrap())?;
        }

        #[test]
        fn anything_between_quotes_is_read_or_refused_as_serde_json_does(
            inner in "([a-z\"\\\\\u{1}é😀]|\\\\[\"\\\\/bfnrtux]|\\\\u[dD][89a-fA-F][0-9a-f]{2}|\\\\u[0-9a-fA-F]{0,4}){0,12}"
        ) {
            agrees(&format!("\"{inner}\""))?;
        }
    }

    proptest! {
        /// As ASCII-only servers write it: surrogates in pairs, digits in either case.
        #[test]
        fn a_text_of_nothing_but_escapes_comes_back(text in any::<String>(), upper in any::<bool>()) {
            let escaped: String = text
                .encode_utf16()
                .map(|unit| if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") })
                .collect();
            let raw = format!("\"{escaped}\"");
            prop_assert_eq!(json_string(&raw).map(String::from), Some(text));
            agrees(&raw)?;
        }

        /// Cut off in an escape, in a pair, or before the last quote.
        #[test]
        fn what_is_cut_off_is_refused_as_serde_json_does(
            inner in "(\\\\[\"\\\\/bfnrt]|\\\\u[dD]83[dD]\\\\u[dD]e00|\\\\u00e9|[a-zé]){1,6}",
            keep in 0_usize..40,
        ) {
            let whole = format!("\"{inner}\"");
            agrees(&whole)?;
            let cut: String = whole.chars().take(keep).collect();
            if cut.len() < whole.len() {
                agrees(&cut)?;
                agrees(&format!("{cut}\""))?;
            }
        }
    }

    #[test]
    fn the_quotes_must_be_two() {
        assert_eq!(json_string("\""), None);
        assert_eq!(json_string(""), None);
        assert_eq!(json_string("\"\"").as_deref(), Some(""));
        assert_eq!(json_string("12"), None);
    }
}
