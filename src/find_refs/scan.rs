//! Where a reference begins and ends in free text. Every step reads forward, and what one step may
//! read again is bounded, so that hostile text costs no more than its length.

use std::{borrow::Cow, ops::Range};

use super::Candidate;
use crate::secret_ref::SCHEME;

/// The part of the scheme that no encoder escapes, to search for.
const ANCHOR: &str = "tfy";

/// A template that does not close within so many bytes is none: looking further for each `{{` of a
/// long line would take quadratic time.
const TEMPLATE_LIMIT: usize = 256;

pub(super) fn next_candidate(text: &str, from: usize) -> Option<Candidate<'_>> {
    let mut from = from;
    loop {
        let start = from + text.get(from..)?.find(ANCHOR)?;
        let rest = text.get(start..)?;
        let Some(scheme) = scheme_len(rest) else {
            from = start + ANCHOR.len();
            continue;
        };
        let body = rest.get(scheme..)?;
        let quoted = Quote::before(text, start).and_then(|quote| {
            let end = quote.end(body)?;
            Some((quote, end))
        });
        let (quote, end) = match quoted {
            Some((quote, end)) => (Some(quote), end),
            None => (None, plain_end(body)),
        };
        let range = start..start + scheme + end;
        let decoded = decode(text, &range, quote.as_ref(), scheme == SCHEME.len());
        return Some(Candidate { range, decoded });
    }
}

/// The length of the scheme at the start of the text, escaped or not.
fn scheme_len(text: &str) -> Option<usize> {
    let mut rest = text;
    for expected in SCHEME.chars() {
        let (character, after) = unescaped_char(rest)?;
        if character != expected {
            return None;
        }
        rest = after;
    }
    Some(text.len() - rest.len())
}

/// The first character of the text, read through one escape of a slash (`\/`) or of a code point
/// (`\u002d`), however many backslashes it has gathered by being encoded again; and what follows.
fn unescaped_char(text: &str) -> Option<(char, &str)> {
    let after = text.trim_start_matches('\\');
    if after.len() < text.len() {
        if let Some(rest) = after.strip_prefix('/') {
            return Some(('/', rest));
        }
        if let Some((character, rest)) = code_point(after) {
            return Some((character, rest));
        }
    }
    let mut chars = text.chars();
    Some((chars.next()?, chars.as_str()))
}

/// What `u002d` at the start of the text stands for. Halves of a surrogate pair stand for nothing.
fn code_point(text: &str) -> Option<(char, &str)> {
    let digits = text.strip_prefix('u')?;
    let (digits, rest) = (digits.get(..4)?, digits.get(4..)?);
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let character = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    Some((character, rest))
}

/// The quote right before a reference.
struct Quote {
    byte: u8,
    /// How many backslashes stand before it: the quotes of a text within a quoted text.
    escapes: usize,
}

impl Quote {
    fn before(text: &str, start: usize) -> Option<Self> {
        let before = text.get(..start)?.as_bytes();
        let (&byte, before) = before.split_last()?;
        if !matches!(byte, b'"' | b'\'' | b'`') {
            return None;
        }
        Some(Self { byte, escapes: before.iter().rev().take_while(|&&b| b == b'\\').count() })
    }

    /// Only in plain double quotes does a backslash mean something in every format.
    fn has_escapes(&self) -> bool {
        self.byte == b'"' && self.escapes == 0
    }

    /// Where in the body the closing quote's own text begins, if it closes on this line.
    ///
    /// Of many opening quotes few can fail to close, and so be searched for in vain: the next one of
    /// the same kind closes the one before it.
    fn end(&self, body: &str) -> Option<usize> {
        let mut escaped = false;
        let mut template_ends = 0;
        for (at, byte) in body.bytes().enumerate() {
            match byte {
                b'\n' | b'\r' => return None,
                // A template may have quotes of its own.
                _ if at < template_ends => {}
                b'{' if body.get(at..).is_some_and(|rest| rest.starts_with("{{")) => {
                    let rest = body.get(at..)?;
                    template_ends = at + template(rest).map_or(2, |after| rest.len() - after.len());
                }
                _ if escaped => escaped = false,
                b'\\' if self.has_escapes() => escaped = true,
                _ if byte == self.byte => {
                    let inside = body.get(..at)?;
                    let backslashes = inside.len() - inside.trim_end_matches('\\').len();
                    return Some(at - backslashes.min(self.escapes));
                }
                _ => {}
            }
        }
        None
    }
}

/// Where a reference without quotes ends.
fn plain_end(body: &str) -> usize {
    let mut rest = body;
    while let Some((character, after)) = unescaped_char(rest) {
        if let Some(after_template) = template(rest) {
            rest = after_template;
            continue;
        }
        let ends = character.is_whitespace()
            || character.is_control()
            || "\"'`\\,;|&<>()[]{}“”„‘’‚«»‹›".contains(character);
        if ends {
            break;
        }
        rest = after;
    }
    let end = body.len() - rest.len();
    body.get(..end)
        .map_or(end, |body| body.trim_end_matches(['.', ':', '!', '?', '*', '…', '。']).len())
}

/// What follows the template at the start of the text, if there is one.
fn template(text: &str) -> Option<&str> {
    let (open, close) = [("{{", "}}"), ("${", "}"), ("$(", ")")]
        .into_iter()
        .find(|(open, _)| text.starts_with(open))?;
    let inside = text.get(open.len()..)?;
    let mut near = inside.len().min(TEMPLATE_LIMIT);
    while !inside.is_char_boundary(near) {
        near -= 1;
    }
    let length = inside.get(..near)?.find(close)?;
    if inside.get(..length)?.contains(['\n', '\r']) {
        return None;
    }
    inside.get(length + close.len()..)
}

/// What the text at a range says. `plain_scheme` is whether its scheme was written without escapes.
fn decode<'a>(
    text: &'a str,
    range: &Range<usize>,
    quote: Option<&Quote>,
    plain_scheme: bool,
) -> Cow<'a, str> {
    let raw = text.get(range.clone()).unwrap_or_default();
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    match quote {
        Some(quote) if quote.has_escapes() => {
            let with_quotes = text.get(range.start - 1..=range.end).unwrap_or_default();
            match serde_json::from_str::<String>(with_quotes) {
                Ok(decoded) if decoded.starts_with(SCHEME) => Cow::Owned(decoded),
                _ => Cow::Owned(unescaped(raw)),
            }
        }
        // Single quotes keep backslashes in YAML and in the shell.
        Some(quote) if quote.escapes == 0 && plain_scheme => Cow::Borrowed(raw),
        _ => Cow::Owned(unescaped(raw)),
    }
}

fn unescaped(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((character, after)) = unescaped_char(rest) {
        decoded.push(character);
        rest = after;
        if character == '\\' {
            // The whole run at once: to count it again at each of its backslashes is quadratic.
            let after_run = rest.trim_start_matches('\\');
            decoded.extend(std::iter::repeat_n('\\', rest.len() - after_run.len()));
            rest = after_run;
        }
    }
    decoded
}
