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
    pair(tail, b"\\u")
}

/// Four digits, or twice four with `between` where they are a surrogate pair.
fn pair(tail: &[u8], between: &[u8]) -> Option<(usize, u32)> {
    let first = hex(tail.get(..4)?)?;
    if (0xD800..0xDC00).contains(&first)
        && tail.get(4..6) == Some(between)
        && let Some(second) = tail.get(6..10).and_then(hex)
        && (0xDC00..0xE000).contains(&second)
    {
        return Some((10, 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)));
    }
    Some((4, first))
}

/// As Python, nginx and C print bytes: `\xHH` and `\ooo` are a byte each and not a character.
pub(super) fn bytes(rest: &[u8]) -> Option<(usize, Bytes)> {
    let (taken, number) = match rest {
        [b'\\', b'x', tail @ ..] => (4, hex(tail.get(..2)?)?),
        [b'\\', b'0'..=b'3', ..] if rest.get(1..4).and_then(octal).is_some() => {
            (4, octal(rest.get(1..4)?)?)
        }
        _ => return json(rest),
    };
    Some((taken, Bytes::one(u8::try_from(number).ok()?)))
}

/// One character in lower case, where that changes it.
pub(super) fn lower(rest: &[u8]) -> Option<(usize, Bytes)> {
    let length = match rest.first()? {
        0..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    };
    let character = std::str::from_utf8(rest.get(..length)?).ok()?.chars().next()?;
    let lower = lowered(character);
    (lower != character).then(|| (length, Bytes::character(lower)))
}

/// The lower case where it is one character, which it nearly always is.
pub(in crate::scrub) fn lowered(character: char) -> char {
    let mut lower = character.to_lowercase();
    lower.next().filter(|_| lower.next().is_none()).unwrap_or(character)
}

/// A byte, or a code unit as old JavaScript writes it: `%u0061`.
pub(super) fn percent(rest: &[u8]) -> Option<(usize, Bytes)> {
    let tail = rest.strip_prefix(b"%")?;
    if let Some(digits) = tail.strip_prefix(b"u") {
        return pair(digits, b"%u").map(|(taken, number)| (taken + 2, Bytes::code_point(number)));
    }
    let digits = tail.get(..2)?;
    let byte = u8::try_from(hex(digits)?).ok()?;
    Some((3, Bytes::one(byte)))
}

/// As in a form, where a space is written `+`.
pub(super) fn form(rest: &[u8]) -> Option<(usize, Bytes)> {
    if rest.first() == Some(&b'+') { Some((1, Bytes::one(b' '))) } else { percent(rest) }
}

/// What a template engine writes for a character that HTML gives a meaning, and what those that are
/// thorough write for all they know a name for. Case is ignored on both sides, so one of a letter is enough.
const ENTITIES: [(&str, char); 92] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("tab", '\t'),
    ("newline", '\n'),
    ("excl", '!'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("semi", ';'),
    ("equals", '='),
    ("quest", '?'),
    ("commat", '@'),
    ("bsol", '\\'),
    ("grave", '`'),
    ("euro", '\u{20ac}'),
    ("iexcl", '\u{a1}'),
    ("cent", '\u{a2}'),
    ("pound", '\u{a3}'),
    ("curren", '\u{a4}'),
    ("yen", '\u{a5}'),
    ("brvbar", '\u{a6}'),
    ("sect", '\u{a7}'),
    ("uml", '\u{a8}'),
    ("copy", '\u{a9}'),
    ("ordf", '\u{aa}'),
    ("laquo", '\u{ab}'),
    ("not", '\u{ac}'),
    ("shy", '\u{ad}'),
    ("reg", '\u{ae}'),
    ("macr", '\u{af}'),
    ("deg", '\u{b0}'),
    ("plusmn", '\u{b1}'),
    ("sup2", '\u{b2}'),
    ("sup3", '\u{b3}'),
    ("acute", '\u{b4}'),
    ("micro", '\u{b5}'),
    ("para", '\u{b6}'),
    ("middot", '\u{b7}'),
    ("cedil", '\u{b8}'),
    ("sup1", '\u{b9}'),
    ("ordm", '\u{ba}'),
    ("raquo", '\u{bb}'),
    ("frac14", '\u{bc}'),
    ("frac12", '\u{bd}'),
    ("frac34", '\u{be}'),
    ("iquest", '\u{bf}'),
    ("times", '\u{d7}'),
    ("szlig", '\u{df}'),
    ("agrave", '\u{e0}'),
    ("aacute", '\u{e1}'),
    ("acirc", '\u{e2}'),
    ("atilde", '\u{e3}'),
    ("auml", '\u{e4}'),
    ("aring", '\u{e5}'),
    ("aelig", '\u{e6}'),
    ("ccedil", '\u{e7}'),
    ("egrave", '\u{e8}'),
    ("eacute", '\u{e9}'),
    ("ecirc", '\u{ea}'),
    ("euml", '\u{eb}'),
    ("igrave", '\u{ec}'),
    ("iacute", '\u{ed}'),
    ("icirc", '\u{ee}'),
    ("iuml", '\u{ef}'),
    ("eth", '\u{f0}'),
    ("ntilde", '\u{f1}'),
    ("ograve", '\u{f2}'),
    ("oacute", '\u{f3}'),
    ("ocirc", '\u{f4}'),
    ("otilde", '\u{f5}'),
    ("ouml", '\u{f6}'),
    ("divide", '\u{f7}'),
    ("oslash", '\u{f8}'),
    ("ugrave", '\u{f9}'),
    ("uacute", '\u{fa}'),
    ("ucirc", '\u{fb}'),
    ("uuml", '\u{fc}'),
    ("yacute", '\u{fd}'),
    ("thorn", '\u{fe}'),
    ("yuml", '\u{ff}'),
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
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    let count =
        digits.iter().take(zeros + 7).take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let number = number(digits.get(..count)?, radix)?;
    Some((1 + prefix + count, Bytes::code_point(number)))
}

fn named(tail: &[u8]) -> Option<(usize, Bytes)> {
    ENTITIES.iter().find_map(|(name, character)| {
        let said = tail.get(..name.len())?;
        let ends = tail.get(name.len()) == Some(&b';');
        // Only these may go without the semicolon; `&num` could as well be a parameter of a query.
        let may_be_open = matches!(*name, "amp" | "lt" | "gt" | "quot");
        (said.eq_ignore_ascii_case(name.as_bytes()) && (ends || may_be_open))
            .then(|| (name.len(), Bytes::character(*character)))
    })
}

fn octal(digits: &[u8]) -> Option<u32> {
    number(digits, 8)
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
