//! Where a reference begins and ends. The text is read forward, and what a step reads beyond the end
//! of its reference is bounded or stops at the next one, so that hostile text takes no more than
//! linear time.

use std::borrow::Cow;
use std::ops::Range;

use super::context::{Context, Style};
use super::steps;
use crate::models::{SCHEME, SecretRef};

/// The part of the scheme that no encoder escapes, to search for.
const ANCHOR: &str = "tfy";

/// A template must close within this many bytes: searching further for each `{{` of a long line
/// would take quadratic time.
const MAX_TEMPLATE: usize = 256;

/// What ends a reference within a longer text, in addition to white space.
const MENTION_ENDS: &str = "\"'`\\,;|&<>()[]{}“”„‘’‚«»‹›";

/// Punctuation that belongs to the sentence if it is at the end of a reference within a longer
/// text.
const PUNCTUATION: [char; 7] = ['.', ':', '!', '?', '*', '…', '。'];

/// A stretch of the text that begins with the scheme, and what it says.
pub(super) struct Candidate<'a> {
    pub(super) range: Range<usize>,
    pub(super) decoded: Cow<'a, str>,
    /// Where its scheme ends, if nothing but punctuation follows, as in prose.
    pub(super) bare_end: Option<usize>,
    pub(super) spelling: Spelling,
}

/// The next candidate at or after a position; `context` is read up to its start.
pub(super) fn next_candidate<'a>(
    text: &'a str,
    mut from: usize,
    context: &mut Context<'_>,
) -> Option<Candidate<'a>> {
    loop {
        let unread = text.get(from..)?;
        let found = unread.find(ANCHOR);
        steps::count(found.unwrap_or(unread.len()) + ANCHOR.len());
        let start = from + found?;
        let rest = text.get(start..)?;
        let Some(scheme) = scheme_len(rest) else {
            from = start + ANCHOR.len();
            continue;
        };
        context.advance(start);
        let body = rest.get(scheme..)?;
        let style = context.style();
        let is_escaped = scheme != SCHEME.len();
        let opener = Quote::before(text, start);
        let closing = opener.as_ref().map_or(Closing::None, |quote| quote.closing(body));
        let (end, reading) = match (closing, &opener) {
            (Closing::At(end), Some(quote)) => (end, quote.reading(is_escaped)),
            // In YAML and dotenv, the value continues below.
            (Closing::Below(end), Some(quote))
                if quote.escapes == 0 && context.quote().is_some() =>
            {
                (end, Reading::Verbatim)
            }
            _ => {
                let end = unquoted_end(body, style);
                let end = end + continuation(body.get(end..)?, style).unwrap_or(0);
                let is_verbatim = style != Style::Mention && !is_escaped;
                (end, if is_verbatim { Reading::Verbatim } else { Reading::Unescaped })
            }
        };
        let range = start..start + scheme + end;
        steps::count(range.len());
        let decoded = decode(text, &range, reading);
        let bare_end = is_bare(body).then_some(start + scheme);
        let is_unclear = opener.is_some_and(|quote| {
            let is_in_another = context.quote().is_some_and(|open| open != char::from(quote.byte));
            match reading {
                Reading::Doubled => is_in_another || quote.is_assigned,
                Reading::Unescaped => true,
                Reading::Json | Reading::Verbatim => is_in_another,
            }
        });
        let spelling = Spelling { reading, is_unclear };
        return Some(Candidate { range, decoded, bare_end, spelling });
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

/// The first character of the text, and the rest. An escaped slash (`\/`) or code point (`\u002d`)
/// is decoded, however many backslashes it has from being encoded repeatedly.
fn unescaped_char(text: &str) -> Option<(char, &str)> {
    let after = text.trim_start_matches('\\');
    steps::count(text.len() - after.len() + 1);
    if after.len() < text.len() {
        if let Some(rest) = after.strip_prefix('/') {
            return Some(('/', rest));
        }
        if let Some((character, rest)) = code_point(after) {
            return Some((character, rest));
        }
    }
    next_char(text)
}

/// The character that `u002d` at the start of the text stands for, and the rest; `None` for half of
/// a surrogate pair.
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
    /// How many backslashes precede it, as in a quoted text within a quoted text.
    escapes: usize,
    /// Whether it is the last of three, as in the long strings of Python and TOML.
    is_tripled: bool,
    /// Whether it comes right after a `=`, as in dotenv and in a shell.
    is_assigned: bool,
}

/// How a quote ends.
enum Closing {
    /// The text that closes it, backslashes included, begins here in the body.
    At(usize),
    /// It is still open at the end of its line, whose line break ends here.
    Below(usize),
    None,
}

impl Quote {
    fn before(text: &str, start: usize) -> Option<Self> {
        let before = text.get(..start)?.as_bytes();
        let (&byte, before) = before.split_last()?;
        if !matches!(byte, b'"' | b'\'' | b'`') {
            return None;
        }
        let escapes = before.iter().rev().take_while(|&&b| b == b'\\').count();
        steps::count(escapes + 3);
        let is_tripled = before.ends_with(&[byte, byte]);
        Some(Self { byte, escapes, is_tripled, is_assigned: before.ends_with(b"=") })
    }

    /// Only in plain double quotes does a backslash mean something in every format.
    fn has_escapes(&self) -> bool {
        self.byte == b'"' && self.escapes == 0
    }

    /// Whether two of them inside stand for one, as in YAML.
    fn is_doubled(&self) -> bool {
        self.byte == b'\'' && self.escapes == 0 && !self.is_tripled
    }

    /// How the text within is read. An escaped scheme shows that the text was encoded.
    fn reading(&self, is_escaped: bool) -> Reading {
        if self.has_escapes() {
            Reading::Json
        } else if self.escapes > 0 || is_escaped {
            Reading::Unescaped
        } else if self.is_doubled() {
            Reading::Doubled
        } else {
            // The shell and YAML keep the backslashes.
            Reading::Verbatim
        }
    }

    /// Where it closes.
    ///
    /// An unsuccessful search stops at the next reference that the same quote opens, so no two
    /// searches read the same text.
    fn closing(&self, body: &str) -> Closing {
        let rest = |at: usize| body.get(at..).unwrap_or_default();
        let mut escaped = false;
        // Quotes before this position do not count: those of a template, and the second of a
        // doubled one.
        let mut hidden = 0;
        for (at, byte) in body.bytes().enumerate() {
            steps::count(1);
            match byte {
                b'\n' => return Closing::Below(at + 1),
                _ if at < hidden => {
                    let opens_another = byte == self.byte && scheme_len(rest(at + 1)).is_some();
                    if opens_another {
                        return Closing::None;
                    }
                }
                b'{' if rest(at).starts_with("{{") => {
                    escaped = false;
                    hidden = template(rest(at)).map_or(at + 2, |after| body.len() - after.len());
                }
                _ if escaped => escaped = false,
                b'\\' if self.has_escapes() => escaped = true,
                _ if byte == self.byte => {
                    if self.is_doubled() && body.as_bytes().get(at + 1) == Some(&byte) {
                        hidden = at + 2;
                        continue;
                    }
                    let inside = body.get(..at).unwrap_or_default();
                    let backslashes = at - inside.trim_end_matches('\\').len();
                    return Closing::At(at - backslashes.min(self.escapes));
                }
                _ => {}
            }
        }
        Closing::None
    }
}

/// Whether nothing but punctuation follows the scheme, as it does in prose.
fn is_bare(body: &str) -> bool {
    let rest = body.trim_start_matches(PUNCTUATION);
    steps::count(body.len() - rest.len());
    template(rest).or_else(|| placeholder(rest, '<', '>')).is_none()
        && unescaped_char(rest)
            .is_none_or(|(character, after)| ends(Style::Mention, ':', character, after))
}

/// Where a reference without quotes ends.
fn unquoted_end(body: &str, style: Style) -> usize {
    let mut rest = body;
    let mut previous = ':';
    loop {
        // A placeholder in angle brackets must be a whole part; elsewhere such brackets are markup.
        let in_template = match template(rest) {
            None if previous == ':' => placeholder(rest, '<', '>'),
            template => template,
        };
        if let Some(after) = in_template {
            (rest, previous) = (after, '}');
            continue;
        }
        let next = match style {
            Style::Mention => unescaped_char(rest),
            _ => next_char(rest),
        };
        let Some((character, after)) = next else { break };
        if ends(style, previous, character, after) {
            break;
        }
        (rest, previous) = (after, character);
    }
    let end = body.len() - rest.len();
    let within = body.get(..end).unwrap_or_default();
    match style {
        Style::Mention => within.trim_end_matches(PUNCTUATION).len(),
        _ => within.trim_end_matches([' ', '\t']).len(),
    }
}

/// Whether a reference without quotes ends before this character.
fn ends(style: Style, previous: char, character: char, after: &str) -> bool {
    let is_blank = |character: char| matches!(character, ' ' | '\t');
    match (style, character) {
        (_, '\n' | '\r') | (Style::Flow, ',' | '[' | ']' | '{' | '}') => true,
        // Other invisible characters stay: the reference is then refused, rather than read without
        // them.
        (Style::Mention, _) => is_blank(character) || MENTION_ENDS.contains(character),
        (_, '#') => is_blank(previous),
        (Style::Flow, ':') if after.starts_with([',', '[', ']', '{', '}']) => true,
        (Style::Flow | Style::Block { .. }, ':') => {
            after.is_empty() || after.starts_with([' ', '\t', '\n', '\r'])
        }
        _ => false,
    }
}

/// The length of the rest of the line, if a YAML value continues below it.
fn continuation(text: &str, style: Style) -> Option<usize> {
    let content = text.trim_start_matches([' ', '\t', '\r', '\n']);
    let before = text.get(..text.len() - content.len())?;
    steps::count(before.len() + 1);
    let line_end = before.find('\n')?;
    let depth = before.len() - before.rfind('\n')? - 1;
    let goes_on = match (style, content.chars().next()?) {
        (_, '#') => false,
        // Helm's control lines may have any indentation.
        (Style::Block { indent }, _) => depth > indent && !content.starts_with("{{"),
        (Style::Flow, next) => !matches!(next, ',' | ']' | '}'),
        _ => false,
    };
    goes_on.then_some(line_end + 1)
}

fn next_char(text: &str) -> Option<(char, &str)> {
    steps::count(1);
    let mut chars = text.chars();
    Some((chars.next()?, chars.as_str()))
}

/// What follows the template at the start of the text, if it starts with one.
fn template(text: &str) -> Option<&str> {
    let Some((open, close)) = [("{{", "}}"), ("${{", "}}"), ("${", "}"), ("$(", ")")]
        .into_iter()
        .find(|(open, _)| text.starts_with(open))
    else {
        return placeholder(text, '{', '}');
    };
    let inside = text.get(open.len()..)?;
    let near = near(inside);
    let length = near.find(close)?;
    if near.get(..length)?.contains(['\n', '\r']) {
        return None;
    }
    inside.get(length + close.len()..)
}

/// What follows a placeholder such as `{stage}` at the start of the text, if it starts with one.
fn placeholder(text: &str, open: char, close: char) -> Option<&str> {
    let inside = text.strip_prefix(open)?;
    let near = near(inside);
    let name = near.get(..near.find(close)?)?;
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || " _-.".contains(c));
    if !is_name {
        return None;
    }
    inside.get(name.len()..)?.strip_prefix(close)
}

/// As much of the text as a template may take.
fn near(text: &str) -> &str {
    let mut length = text.len().min(MAX_TEMPLATE);
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    steps::count(length);
    text.get(..length).unwrap_or_default()
}

/// How a reference is written at its place, so that another one can be written there.
#[derive(Clone, Copy)]
pub(crate) struct Spelling {
    reading: Reading,
    /// Whether its quotes are within others, or may be a shell's: the meaning of a quote or a
    /// backslash is then unknown.
    is_unclear: bool,
}

impl Spelling {
    /// Whether this reference has a spelling at its place.
    pub(crate) fn exists_for(self, reference: &SecretRef) -> bool {
        !(self.is_unclear && reference.fqn().contains(['"', '\'', '`', '\\']))
    }

    /// `reference` as it has to be written in place of `written`, whose own scheme is kept as it is.
    pub(crate) fn write(self, written: &str, reference: &SecretRef, out: &mut String) {
        let scheme = scheme_len(written).and_then(|length| written.get(..length)).unwrap_or(SCHEME);
        // Later slashes are written in the same way as its own.
        let before_slash = scheme.strip_suffix('/').unwrap_or_default();
        let backslashes = before_slash.len() - before_slash.trim_end_matches('\\').len();
        let slash = scheme.get(scheme.len() - 1 - backslashes..).filter(|_| scheme.ends_with('/'));
        out.push_str(scheme);
        for character in reference.fqn().chars() {
            match (self.reading, character) {
                (Reading::Doubled, '\'') => out.push_str("''"),
                (Reading::Json, '"') => out.push_str("\\\""),
                (Reading::Json, '\\') => out.push_str("\\\\"),
                (Reading::Json | Reading::Unescaped, '/') => out.push_str(slash.unwrap_or("/")),
                _ => out.push(character),
            }
        }
    }
}

/// How the text of a reference is read.
#[derive(Clone, Copy)]
enum Reading {
    /// Every character stands for itself.
    Verbatim,
    /// Two single quotes stand for one.
    Doubled,
    /// As a JSON string, whose quotes surround the range.
    Json,
    /// Through escapes of slashes and code points, however often they were encoded.
    Unescaped,
}

/// Decodes the text at a range.
fn decode<'a>(text: &'a str, range: &Range<usize>, reading: Reading) -> Cow<'a, str> {
    let raw = text.get(range.clone()).unwrap_or_default();
    match reading {
        Reading::Doubled if raw.contains("''") => Cow::Owned(raw.replace("''", "'")),
        Reading::Json if raw.contains('\\') => {
            let with_quotes = text.get(range.start - 1..=range.end).unwrap_or_default();
            match serde_json::from_str::<String>(with_quotes) {
                Ok(decoded) if decoded.starts_with(SCHEME) => Cow::Owned(decoded),
                _ => Cow::Owned(unescaped(raw)),
            }
        }
        Reading::Unescaped if raw.contains('\\') => Cow::Owned(unescaped(raw)),
        _ => Cow::Borrowed(raw),
    }
}

fn unescaped(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((character, after)) = unescaped_char(rest) {
        decoded.push(character);
        rest = after;
        if character == '\\' {
            // The whole run at once: counting it again at each of its backslashes would be
            // quadratic.
            let after_run = rest.trim_start_matches('\\');
            decoded.extend(std::iter::repeat_n('\\', rest.len() - after_run.len()));
            rest = after_run;
        }
    }
    decoded
}
