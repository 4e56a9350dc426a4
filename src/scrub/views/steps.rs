//! One escape at the beginning of some bytes: how long it is, and what it stands for. Lenient,
//! since half an escape or a wrong one may be all that is left of an echo.

/// Up to four bytes, which is one character.
pub(super) struct Bytes {
    bytes: [u8; 4],
    length: usize,
}

impl Bytes {
    pub(super) fn one(byte: u8) -> Self {
        Self { bytes: [byte, 0, 0, 0], length: 1 }
    }

    fn character(character: char) -> Self {
        let mut bytes = [0; 4];
        let length = character.encode_utf8(&mut bytes).len();
        Self { bytes, length }
    }

    /// A number that is no character, such as half a surrogate pair, is still one escape.
    fn code_point(number: u32) -> Self {
        Self::character(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        self.bytes.iter().copied().take(self.length)
    }
}

pub(super) type Step = fn(&[u8]) -> Option<(usize, Bytes)>;

/// The escapes of JSON, and those that Rust, JavaScript and Python add when they print a string.
pub(super) fn json(rest: &[u8]) -> Option<(usize, Bytes)> {
    let [b'\\', kind, tail @ ..] = rest else {
        return None;
    };
    let byte = match kind {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'v' => 0x0b,
        b'e' => 0x1b,
        b'0' => 0,
        b'"' | b'\'' | b'\\' | b'/' | b'`' => *kind,
        b'x' => return Some((4, Bytes::code_point(hex(tail.get(..2)?)?))),
        b'U' => return Some((10, Bytes::code_point(hex(tail.get(..8)?)?))),
        b'u' => return unicode(tail).map(|(taken, number)| (taken + 2, Bytes::code_point(number))),
        _ => return None,
    };
    Some((2, Bytes::one(byte)))
}

/// What follows `\u`: four digits, a surrogate pair, or digits in braces.
fn unicode(tail: &[u8]) -> Option<(usize, u32)> {
    if let Some(braced) = tail.strip_prefix(b"{") {
        let digits = braced.iter().take(7).position(|byte| *byte == b'}')?;
        return Some((digits + 2, hex(braced.get(..digits)?)?));
    }
    let first = hex(tail.get(..4)?)?;
    if (0xD800..0xDC00).contains(&first)
        && tail.get(4..6) == Some(b"\\u")
        && let Some(second) = tail.get(6..10).and_then(hex)
        && (0xDC00..0xE000).contains(&second)
    {
        return Some((10, 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)));
    }
    Some((4, first))
}

pub(super) fn percent(rest: &[u8]) -> Option<(usize, Bytes)> {
    let digits = rest.strip_prefix(b"%")?.get(..2)?;
    let byte = u8::try_from(hex(digits)?).ok()?;
    Some((3, Bytes::one(byte)))
}

/// As in a form, where a space is written `+`.
pub(super) fn form(rest: &[u8]) -> Option<(usize, Bytes)> {
    if rest.first() == Some(&b'+') { Some((1, Bytes::one(b' '))) } else { percent(rest) }
}

/// What a template engine writes for a character that HTML gives a meaning, and a few more that
/// some are thorough with.
const ENTITIES: [(&[u8], u8); 26] = [
    (b"amp", b'&'),
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"quot", b'"'),
    (b"apos", b'\''),
    (b"nbsp", b' '),
    (b"tab", b'\t'),
    (b"newline", b'\n'),
    (b"excl", b'!'),
    (b"num", b'#'),
    (b"dollar", b'$'),
    (b"percnt", b'%'),
    (b"lpar", b'('),
    (b"rpar", b')'),
    (b"ast", b'*'),
    (b"plus", b'+'),
    (b"comma", b','),
    (b"period", b'.'),
    (b"sol", b'/'),
    (b"colon", b':'),
    (b"semi", b';'),
    (b"equals", b'='),
    (b"quest", b'?'),
    (b"commat", b'@'),
    (b"bsol", b'\\'),
    (b"grave", b'`'),
];

pub(super) fn html(rest: &[u8]) -> Option<(usize, Bytes)> {
    let tail = rest.strip_prefix(b"&")?;
    let (name_length, character) =
        if let Some(number) = tail.strip_prefix(b"#") { numeric(number)? } else { named(tail)? };
    let semicolon = usize::from(tail.get(name_length) == Some(&b';'));
    Some((1 + name_length + semicolon, character))
}

fn numeric(tail: &[u8]) -> Option<(usize, Bytes)> {
    let (prefix, radix) = match tail.first() {
        Some(b'x' | b'X') => (1, 16),
        _ => (0, 10),
    };
    let digits = tail.get(prefix..)?;
    let count = digits.iter().take(7).take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let number = number(digits.get(..count)?, radix)?;
    Some((1 + prefix + count, Bytes::code_point(number)))
}

fn named(tail: &[u8]) -> Option<(usize, Bytes)> {
    ENTITIES.iter().find_map(|(name, byte)| {
        let said = tail.get(..name.len())?;
        let ends = tail.get(name.len()) == Some(&b';');
        // Only these may go without the semicolon; `&num` could as well be a parameter of a query.
        let may_be_open = matches!(*name, b"amp" | b"lt" | b"gt" | b"quot");
        (said.eq_ignore_ascii_case(name) && (ends || may_be_open))
            .then(|| (name.len(), Bytes::one(*byte)))
    })
}

fn hex(digits: &[u8]) -> Option<u32> {
    number(digits, 16)
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, byte| {
        let digit = char::from(*byte).to_digit(radix)?;
        number.checked_mul(radix)?.checked_add(digit)
    })
}
