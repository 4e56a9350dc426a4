//! The values that are looked for, the disguises in which a server may echo them, and the search.

use std::fmt::Write as _;

/// This many letters and digits in a row are a leak; for a value with fewer, all of it.
const WINDOW: usize = 16;
const SHORTEST: usize = 4;

/// None of them, and no 16 letters of one, occur in any text by accident.
pub(crate) const VALUES: [&str; 11] = [
    "q7Zx",
    "é§7",
    "zQ\"9\nk!",
    "Vq8-zebra.Kx21",
    "she \"Quartz\" 'Jumps' `vow`",
    "-----BEGIN ZQ KEY-----\nMIIEvQ+IBA/DANBg==\nkqhkiG9w0BAQ==\n-----END ZQ KEY-----\n",
    "пароль-日本語-ключ-😀",
    "50%&<b>\"\\back/slash\\n+x=y;{z}",
    "{\"zuser\":\"zqroot\",\"zpass\":\"kv-1\"}",
    "<a href=zq>&amp;Kw&lt;9</a>zqx",
    "col\tumn\u{1b}[31mzred\u{0}nul\r\nend",
];

/// A name, and how it changes a text.
pub(crate) type Disguise = (&'static str, fn(&str) -> String);

/// Encodings that escape a text.
pub(crate) const ENCODINGS: [Disguise; 10] = [
    ("as it is", str::to_owned),
    ("JSON", json),
    ("JSON in ASCII", |text| json_ascii(&json(text))),
    ("JSON twice", |text| json(&json(text))),
    ("percent", |text| percent(text, false)),
    ("percent, lower case", |text| percent(text, true)),
    ("form", form),
    ("HTML", html),
    ("Rust debug", |text| inner(&format!("{text:?}"))),
    ("upper case", str::to_ascii_uppercase),
];

/// How much of it: whole, or cut off by something with a limit.
pub(crate) const CUTS: [Disguise; 3] = [
    ("whole", str::to_owned),
    ("its head", |text| part(text, 0, text.len() * 2 / 3)),
    ("its tail", |text| part(text, text.len() / 3, text.len())),
];

/// What to look for, in ASCII lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needles(Vec<String>);

impl Needles {
    pub(crate) fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut needles: Vec<String> = secrets
            .into_iter()
            .flat_map(pieces)
            .flat_map(|piece| ENCODINGS.map(|(_, encode)| encode(piece).to_ascii_lowercase()))
            .collect();
        needles.sort_unstable();
        needles.dedup();
        Self(needles)
    }

    /// The first of them that is in `text`.
    pub(crate) fn find(&self, text: &str) -> Option<&str> {
        let text = text.to_ascii_lowercase();
        // There are thousands of needles, and hardly any begins like a part of the text.
        let mut begins = vec![false; 1 << 16];
        text.as_bytes().windows(SHORTEST).for_each(|four| begins[place(four)] = true);
        let mut likely = self.0.iter().filter(|needle| begins[place(needle.as_bytes())]);
        likely.find(|needle| text.contains(*needle)).map(String::as_str)
    }
}

fn place(text: &[u8]) -> usize {
    let four = u32::from_le_bytes([text[0], text[1], text[2], text[3]]);
    usize::try_from(four.wrapping_mul(0x9E37_79B1) >> 16).unwrap()
}

/// Every run of 16 letters and digits, with the text between them; else all of it.
fn pieces(secret: &str) -> Vec<&str> {
    assert!(secret.len() >= SHORTEST, "{secret:?} is not looked for");
    let letters: Vec<(usize, char)> =
        secret.char_indices().filter(|(_, it)| it.is_alphanumeric()).collect();
    if letters.len() < WINDOW {
        return vec![secret];
    }
    let piece = |run: &[(usize, char)]| {
        let (first, (last, end)) = (run[0].0, run[WINDOW - 1]);
        &secret[first..last + end.len_utf8()]
    };
    letters.windows(WINDOW).map(piece).collect()
}

fn part(text: &str, from: usize, to: usize) -> String {
    let boundary = |at: usize| (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap();
    text[boundary(from)..boundary(to)].to_owned()
}

fn inner(quoted: &str) -> String {
    quoted[1..quoted.len() - 1].to_owned()
}

pub(crate) fn json(text: &str) -> String {
    inner(&serde_json::to_string(text).unwrap())
}

fn json_ascii(text: &str) -> String {
    let mut escaped = String::new();
    for unit in text.encode_utf16() {
        match char::from_u32(u32::from(unit)).filter(char::is_ascii) {
            Some(character) => escaped.push(character),
            None => write!(escaped, "\\u{unit:04x}").unwrap(),
        }
    }
    escaped
}

fn percent(text: &str, lower: bool) -> String {
    let escaped = text.bytes().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
            char::from(byte).to_string()
        }
        byte if lower => format!("%{byte:02x}"),
        byte => format!("%{byte:02X}"),
    });
    escaped.collect()
}

fn form(text: &str) -> String {
    percent(text, false).replace("%20", "+")
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[test]
fn the_search_finds_what_is_there() {
    for value in VALUES {
        let needles = Needles::of([value]);
        for (name, encode) in ENCODINGS {
            let text = format!("cannot set it to '{}', sorry", encode(value));
            assert!(needles.find(&text).is_some(), "{value:?}: {name}: {text}");
        }
        assert_eq!(needles.find("cannot set it to '***', sorry"), None);
    }
    let needles = Needles::of(["0123456789-abcdefghi"]);
    assert!(needles.find("x123456789-abcdefgx").is_some());
    assert!(needles.find("x123456789-abcdefx").is_none());
}
