//! The body of a failed response: the documented shapes, and an excerpt of any other.

#[cfg(test)]
pub(in crate::error) mod tests;

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::html;
use crate::redact::{MARK, Scrubber, WITHHELD};
use crate::wipe::Wipe;

/// A body may be as large as the response limit allows, but its beginning says what went wrong.
const LOOKED_AT: usize = 64 * 1024;
const MAX_MESSAGE: usize = 2 * 1024;
const MAX_DETAILS: usize = 1024;
const MAX_CODE: usize = 128;
const MAX_PROBLEMS: usize = 32;
const MAX_PROBLEM: usize = 512;
const MAX_PLACE: usize = 16;
/// Text in any other shape is mostly a proxy's page: an excerpt is enough.
const MAX_JUNK: usize = 512;
/// Kept in addition until the text is scrubbed: if it were cut earlier, half a value, with its
/// escapes, would not be recognised.
const MARGIN: usize = 512;
const ELLIPSIS: &str = "…";
/// A code point that is not a character, so no server's own text ends with it.
const CUT_HERE: &str = "\u{10ffff}";
/// Failures that a proxy can report while the service behind it is still working.
const NOT_ENDED: [u16; 3] = [408, 502, 504];

/// What a failed response says, bounded in every part.
///
/// There is no `Debug`: until [`scrub`](Self::scrub) has run, the texts may hold a value that the
/// server echoed.
#[derive(Clone, Default)]
pub(crate) struct ErrorBody {
    /// The status of the response.
    pub(crate) status: u16,
    /// The status that the body itself states.
    status_code: Option<u64>,
    /// The service's own code, whether it was written as a number or as a string.
    pub(crate) code: Option<String>,
    /// One text; a list of problems is joined into it.
    pub(crate) message: Option<String>,
    /// How much of the message [`scrub`](Self::scrub) keeps.
    message_limit: usize,
    /// Whether the message is the problems, joined.
    joined: bool,
    /// Whether the message came from the documented field of that name.
    has_message: bool,
    pub(crate) problems: Vec<String>,
    /// The service's `details`, as text or JSON.
    pub(crate) details: Option<String>,
}

impl ErrorBody {
    /// Whether the service itself ended the work with this failure, so that none of it can still
    /// happen: the body is an object that states the response's own status and a message. 408, 502
    /// and 504 only say that a wait was given up, not that the work ended.
    pub(crate) fn has_ended(&self, status: u16) -> bool {
        self.has_message
            && self.status_code == Some(u64::from(status))
            && !NOT_ENDED.contains(&status)
    }

    /// For a response with a success status: a body that contradicts it does not prove that the
    /// work has ended.
    pub(crate) fn in_success(self) -> Self {
        Self { status_code: None, ..self }
    }

    /// All texts that can say what went wrong.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let message = self.message.iter().filter(|_| !self.joined);
        message.chain(&self.problems).chain(&self.details).chain(&self.code).map(String::as_str)
    }

    /// Withholds every text in which the server echoed a secret, and shortens the others. Must come after
    /// classification, which needs the words.
    pub(crate) fn scrub(&mut self, scrubber: &Scrubber) {
        if self.joined {
            // It is joined again below, from the scrubbed problems.
            self.message.iter_mut().for_each(Wipe::wipe);
        }
        let message = self.message.iter_mut().filter(|_| !self.joined);
        let texts = message.chain(&mut self.problems).chain(&mut self.details);
        scrubber.withhold(texts.chain(&mut self.code));
        for problem in &mut self.problems {
            *problem = cut(problem, MAX_PROBLEM);
        }
        if self.joined {
            self.message = Some(self.problems.join("; "));
        }
        self.message = self.message.take().map(|text| cut(&text, self.message_limit));
        self.details = self.details.take().map(|text| cut(&text, MAX_DETAILS));
        // Programs compare codes, so no placeholder is left in place of one.
        let code = self.code.take().filter(|code| code != WITHHELD);
        self.code = code.map(|code| cut(&code, MAX_CODE));
    }
}

/// Reads what it can: `{statusCode, message, code?, details?}`, a list of messages, `{"detail": ..}`,
/// `{"error": ..}`, and an excerpt of anything else. A body that makes no sense gives one without a
/// message, never an error, and a truncated body gives what precedes the cut.
pub(crate) fn parse(status: u16, content_type: Option<&str>, body: &[u8]) -> ErrorBody {
    let mut read = ErrorBody { status, message_limit: MAX_MESSAGE, ..ErrorBody::default() };
    let head = body.get(..LOOKED_AT).unwrap_or(body);
    let text = readable(head);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with(['{', '[']) {
        read_json(&mut read, text);
    }
    if read.message.is_none() && read.problems.is_empty() && !matches!(text, "" | "{}" | "[]") {
        glimpse(&mut read, content_type, text);
    }
    if read.message.is_none() && !read.problems.is_empty() {
        read.message = Some(bounded(&read.problems.join("; "), MAX_MESSAGE));
        read.joined = true;
    }
    read
}

/// As `from_utf8_lossy`, which is slower on valid text: it reads the bytes one by one.
fn readable(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// The failure that the body of a successful response states: an object with a `statusCode` from
/// 400 to 599 and no `data`.
pub(crate) fn stated_failure(body: &[u8]) -> Option<u16> {
    let start = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body).trim_ascii_start();
    let first_key = start.strip_prefix(b"{")?.trim_ascii_start();
    // Every API response with data begins with it, and need not be read a second time.
    if first_key.starts_with(b"\"data\"") {
        return None;
    }
    let text = readable(start.get(..LOOKED_AT).unwrap_or(start));
    let fields = fields_of(&text)?;
    let status = fields.status_code?.get().parse().ok()?;
    (fields.data.is_none() && (400..600).contains(&status)).then_some(status)
}

/// Shortens to at most `max` bytes and a margin, with a mark that [`cut`] takes off again.
fn bounded(text: &str, max: usize) -> String {
    shortened(text, max + MARGIN, CUT_HERE)
}

/// Shortens a clean text to at most `max` bytes, the ellipsis included.
pub(crate) fn cut(text: &str, max: usize) -> String {
    let Some(rest) = text.strip_suffix(CUT_HERE) else { return shortened(text, max, ELLIPSIS) };
    // A text that was cut before it was scrubbed may end with the beginning of a value, too short
    // to be recognised: the end is dropped.
    let mut end = rest.len().saturating_sub(MARGIN / 4);
    while !rest.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let clean = rest.get(..end).unwrap_or_default();
    shortened(&format!("{clean}{ELLIPSIS}"), max, ELLIPSIS)
}

fn shortened(text: &str, max: usize, mark: &str) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let mut end = max.saturating_sub(mark.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let mut short = String::with_capacity(max);
    short.push_str(text.get(..end).unwrap_or_default());
    short.push_str(mark);
    short
}

/// The beginning of a text that is in none of the documented shapes.
fn glimpse(read: &mut ErrorBody, content_type: Option<&str>, text: &str) {
    let says_html = content_type.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    read.message_limit = MAX_JUNK;
    if says_html || text.starts_with('<') {
        let stripped = html::text(text, MAX_JUNK + MARGIN);
        read.message = (!stripped.is_empty()).then(|| bounded(&stripped, MAX_JUNK));
        return;
    }
    if is_binary(text) {
        return;
    }
    let mut folded = String::new();
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
        if folded.len() > MAX_JUNK + MARGIN {
            break;
        }
    }
    read.message = Some(bounded(&folded, MAX_JUNK));
}

/// Whether these are compressed or encrypted bytes that a proxy sent unlabelled.
fn is_binary(text: &str) -> bool {
    let (mut odd, mut all) = (0_usize, 0_usize);
    for character in text.chars().take(MAX_JUNK) {
        all += 1;
        let is_odd = character == char::REPLACEMENT_CHARACTER
            || (character.is_control()
                && !character.is_whitespace()
                && character != char::from(MARK));
        odd += usize::from(is_odd);
    }
    odd * 4 > all
}

/// The documented fields of an object. Each is kept as soon as it is read, so a truncated body
/// loses only what follows the cut.
#[derive(Default)]
struct Fields<'a> {
    status_code: Option<&'a RawValue>,
    message: Option<&'a RawValue>,
    detail: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
    code: Option<&'a RawValue>,
    details: Option<&'a RawValue>,
    data: Option<&'a RawValue>,
}

struct FieldsVisitor<'a, 'de>(&'a mut Fields<'de>);

impl<'de> Visitor<'de> for FieldsVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let fields = self.0;
        while let Some(name) = map.next_key::<String>()? {
            let field = match name.as_str() {
                "statusCode" => &mut fields.status_code,
                "message" => &mut fields.message,
                "detail" => &mut fields.detail,
                "error" => &mut fields.error,
                "code" => &mut fields.code,
                "details" => &mut fields.details,
                "data" => &mut fields.data,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *field = map.next_value::<Option<&RawValue>>()?;
        }
        Ok(())
    }
}

/// The fields of an object, even of a truncated one.
fn fields_of(text: &str) -> Option<Fields<'_>> {
    let mut fields = Fields::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let whole = json.deserialize_map(FieldsVisitor(&mut fields));
    // After any error but a truncation, the fields before it cannot be trusted.
    whole.map_or_else(|error| error.is_eof(), |()| true).then_some(fields)
}

fn read_json(read: &mut ErrorBody, text: &str) {
    if text.starts_with('[') {
        return read_list(read, text);
    }
    let Some(fields) = fields_of(text) else { return };
    read.status_code = fields.status_code.and_then(|raw| raw.get().parse().ok());
    read.code = fields.code.and_then(code);
    read.details = fields.details.and_then(details);
    read.has_message = fields.message.is_some_and(|raw| read_message(read, raw));
    // `error` comes last: it is a bare reason phrase if another field says more.
    let others = [fields.detail, fields.error];
    if !read.has_message {
        let _ = others.into_iter().flatten().any(|raw| read_message(read, raw));
    }
}

/// Reads a message in any of its forms; returns whether one was found.
fn read_message(read: &mut ErrorBody, raw: &RawValue) -> bool {
    /// What `error` can hold.
    #[derive(Deserialize)]
    struct Inner<'a> {
        #[serde(borrow)]
        message: Option<&'a RawValue>,
        #[serde(borrow)]
        code: Option<&'a RawValue>,
    }

    match raw.get().as_bytes().first() {
        Some(b'[') => read_list(read, raw.get()),
        Some(b'{') => {
            if let Ok(inner) = serde_json::from_str::<Inner<'_>>(raw.get()) {
                read.message = inner.message.and_then(|raw| text(raw, MAX_MESSAGE));
                read.code = read.code.take().or_else(|| inner.code.and_then(code));
            }
        }
        _ => read.message = text(raw, MAX_MESSAGE),
    }
    read.message.is_some() || !read.problems.is_empty()
}

fn read_list(read: &mut ErrorBody, raw: &str) {
    let items: Vec<&RawValue> = serde_json::from_str(raw).unwrap_or_default();
    read.problems.extend(items.into_iter().filter_map(problem).take(MAX_PROBLEMS));
}

/// A text, or a place and a text.
fn problem(item: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Located<'a> {
        #[serde(borrow)]
        loc: Option<Vec<&'a RawValue>>,
        #[serde(borrow)]
        msg: &'a RawValue,
    }

    if !item.get().starts_with('{') {
        return text(item, MAX_PROBLEM);
    }
    let Located { loc, msg } = serde_json::from_str(item.get()).ok()?;
    let place: Vec<String> = loc.into_iter().flatten().filter_map(code).take(MAX_PLACE).collect();
    let what = text(msg, MAX_PROBLEM)?;
    if place.is_empty() {
        return Some(what);
    }
    Some(bounded(&format!("{}: {what}", place.join(".")), MAX_PROBLEM))
}

/// The text of a JSON string; `None` for anything else, or if it is blank.
fn text(raw: &RawValue, max: usize) -> Option<String> {
    let text: String = serde_json::from_str(raw.get()).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| bounded(text, max))
}

/// A code or a step of a place: a text or a number.
fn code(raw: &RawValue) -> Option<String> {
    let is_number = raw.get().starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if is_number { Some(bounded(raw.get(), MAX_CODE)) } else { text(raw, MAX_CODE) }
}

/// A text as it is, anything else as the JSON that was sent.
fn details(raw: &RawValue) -> Option<String> {
    let is_text = raw.get().starts_with('"');
    if is_text { text(raw, MAX_DETAILS) } else { Some(bounded(raw.get(), MAX_DETAILS)) }
}
