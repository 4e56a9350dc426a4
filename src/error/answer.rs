//! What a failed call's answer says, whatever shape the service or a proxy in front of it gave it.

mod html;
#[cfg(test)]
pub(in crate::error) mod tests;

use serde_json::{Map, Value};

use crate::redact::{MARK, Scrubber, WITHHELD};

/// An answer may be as large as the response limit allows, but its beginning says what went wrong.
const LOOKED_AT: usize = 64 * 1024;
const MAX_MESSAGE: usize = 2 * 1024;
const MAX_DETAILS: usize = 1024;
const MAX_CODE: usize = 128;
const MAX_PROBLEMS: usize = 32;
const MAX_PROBLEM: usize = 512;
/// Text that is not the service's own shape is mostly a proxy's page: a glimpse is enough.
const MAX_JUNK: usize = 512;
/// So much more is kept until the secrets are taken out, escapes and all: cut before, half a value would
/// not be recognised.
const MARGIN: usize = 512;
const ELLIPSIS: &str = "…";
/// A code point that is no character, so that no server's own text ends with it.
const CUT_HERE: &str = "\u{10ffff}";
/// How far `{"error": {"error": ..}}` is followed.
const MAX_DEPTH: u8 = 4;

/// Most telling first: `error` is the bare reason phrase where `message` or `error_description`
/// stands beside it.
const MESSAGE_KEYS: [&str; 10] = [
    "message",
    "Message",
    "error_description",
    "error",
    "detail",
    "errors",
    "issues",
    "msg",
    "title",
    "reason",
];
const CODE_KEYS: [&str; 5] = ["code", "Code", "errorCode", "error_code", "__type"];
const DETAILS_KEYS: [&str; 3] = ["details", "innererror", "innerError"];
const LIST_KEYS: [&str; 3] = ["errors", "issues", "detail"];
const PLACE_KEYS: [&str; 5] = ["loc", "path", "field", "property", "instancePath"];

/// A failed answer, bounded in every part.
///
/// There is no `Debug`: until [`scrub`](Self::scrub) has run, the texts may hold a value that the
/// server echoed.
#[derive(Clone, Default)]
pub(crate) struct ServerAnswer {
    pub(crate) status: u16,
    /// The service's own code, whether it was written as a number or as a string.
    pub(crate) code: Option<String>,
    /// One text; a list of problems is joined into it.
    pub(crate) message: Option<String>,
    /// How much of the message is kept at the end.
    message_limit: usize,
    /// Whether the message is the problems, joined.
    joined: bool,
    pub(crate) problems: Vec<String>,
    /// Compact JSON of whatever else the service said.
    pub(crate) details: Option<String>,
}

impl ServerAnswer {
    /// Withholds every text in which the server echoed a secret, and shortens the others. Must come after
    /// classification, which needs the words.
    pub(crate) fn scrub(&mut self, scrubber: &Scrubber) {
        let texts = self.message.iter_mut().chain(&mut self.problems).chain(&mut self.details);
        scrubber.withhold(texts.chain(&mut self.code));
        for problem in &mut self.problems {
            *problem = cut(problem, MAX_PROBLEM);
        }
        if self.joined {
            self.message = Some(self.problems.join("; "));
        }
        self.message = self.message.take().map(|text| cut(&text, self.message_limit));
        self.details = self.details.take().map(|text| cut(&text, MAX_DETAILS));
        // Programs compare codes.
        let code = self.code.take().filter(|code| code != WITHHELD);
        self.code = code.map(|code| cut(&code, MAX_CODE));
    }
}

/// Reads what it can; an answer that makes no sense gives one without a message, never a failure.
pub(crate) fn parse(status: u16, content_type: Option<&str>, body: &[u8]) -> ServerAnswer {
    let mut answer = ServerAnswer { status, message_limit: MAX_MESSAGE, ..ServerAnswer::default() };
    let head = body.get(..LOOKED_AT).unwrap_or(body);
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return answer;
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) => read_whole(&mut answer, &value),
        Err(_) => from_text(&mut answer, content_type, text),
    }
    if answer.message.is_none() && !answer.problems.is_empty() {
        answer.message = Some(bounded(&answer.problems.join("; "), MAX_MESSAGE));
        answer.joined = true;
    }
    answer
}

/// Shortens to at most `max` bytes and a margin, with a mark that [`cut`] takes off again.
fn bounded(text: &str, max: usize) -> String {
    shortened(text, max + MARGIN, CUT_HERE)
}

/// Shortens a clean text to at most `max` bytes, the ellipsis included.
pub(crate) fn cut(text: &str, max: usize) -> String {
    let Some(rest) = text.strip_suffix(CUT_HERE) else { return shortened(text, max, ELLIPSIS) };
    // What was cut before it was clean may end in the beginning of a value, too short to be recognised; and
    // what was taken out before it may have brought that up to here.
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

fn from_text(answer: &mut ServerAnswer, content_type: Option<&str>, text: &str) {
    let says_html = content_type.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    if says_html || text.starts_with('<') {
        let stripped = html::text(text, MAX_JUNK + MARGIN);
        answer.message_limit = MAX_JUNK;
        answer.message = (!stripped.is_empty()).then(|| bounded(&stripped, MAX_JUNK));
        return;
    }
    if is_binary(text) {
        return;
    }
    // JSON that was cut off still begins with the service's own words, and those are what is
    // classified.
    let max = if text.starts_with(['{', '[', '"']) { MAX_MESSAGE } else { MAX_JUNK };
    let mut folded = String::new();
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
        if folded.len() > max + MARGIN {
            break;
        }
    }
    answer.message_limit = max;
    answer.message = Some(bounded(&folded, max));
}

/// Compressed or encrypted bytes that some proxy sent unlabelled: nobody can read them.
fn is_binary(text: &str) -> bool {
    let (mut odd, mut all) = (0_usize, 0_usize);
    for character in text.chars().take(MAX_JUNK) {
        all += 1;
        let is_odd = character == char::REPLACEMENT_CHARACTER
            || (character.is_control() && !character.is_whitespace() && character != MARK);
        odd += usize::from(is_odd);
    }
    odd * 4 > all
}

fn read_whole(answer: &mut ServerAnswer, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => {
            answer.message = Some(bounded(&value.to_string(), MAX_JUNK));
        }
        Value::String(_) | Value::Array(_) | Value::Object(_) => {
            let understood = read(answer, value, 0);
            let empty = value.as_object().is_some_and(Map::is_empty);
            // An unknown shape is better shown than swallowed.
            if !understood && !empty && answer.details.is_none() && !value.is_string() {
                answer.details = Some(bounded(&value.to_string(), MAX_DETAILS));
            }
        }
    }
}

/// Takes a message or problems from `value`; says whether there was either.
fn read(answer: &mut ServerAnswer, value: &Value, depth: u8) -> bool {
    match value {
        Value::String(text) if !text.trim().is_empty() => {
            answer.message = Some(bounded(text.trim(), MAX_MESSAGE));
            true
        }
        Value::Array(items) => {
            read_list(answer, items);
            !answer.problems.is_empty()
        }
        Value::Object(fields) if depth < MAX_DEPTH => read_object(answer, fields, depth),
        _ => false,
    }
}

fn read_object(answer: &mut ServerAnswer, fields: &Map<String, Value>, depth: u8) -> bool {
    if answer.code.is_none() {
        answer.code = CODE_KEYS.iter().find_map(|key| code(fields.get(*key)?));
    }
    if answer.details.is_none() {
        answer.details = DETAILS_KEYS
            .iter()
            .find_map(|key| fields.get(*key).filter(|value| !value.is_null()))
            .map(|value| bounded(&compact(value), MAX_DETAILS));
    }
    let understood = MESSAGE_KEYS
        .iter()
        .filter_map(|key| fields.get(*key))
        .any(|value| read(answer, value, depth + 1));
    if answer.problems.is_empty() {
        for list in LIST_KEYS.iter().filter_map(|key| fields.get(*key)) {
            match list {
                Value::Array(items) => read_list(answer, items),
                Value::Object(by_field) if !understood => read_by_field(answer, by_field),
                _ => {}
            }
        }
    }
    understood || !answer.problems.is_empty()
}

fn code(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(bounded(text.trim(), MAX_CODE)),
        Value::Number(number) => Some(bounded(&number.to_string(), MAX_CODE)),
        _ => None,
    }
}

fn compact(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn read_list(answer: &mut ServerAnswer, items: &[Value]) {
    let room = MAX_PROBLEMS.saturating_sub(answer.problems.len());
    let problems = items.iter().map(problem).filter(|problem| !problem.is_empty());
    answer.problems.extend(problems.take(room));
}

/// `{"name": ["must be a string"]}`, the other common way to say which field is wrong.
fn read_by_field(answer: &mut ServerAnswer, fields: &Map<String, Value>) {
    for (field, said) in fields {
        let texts = match said {
            Value::Array(items) => items.as_slice(),
            other => std::slice::from_ref(other),
        };
        for text in texts.iter().filter_map(Value::as_str) {
            if answer.problems.len() < MAX_PROBLEMS {
                answer.problems.push(bounded(&format!("{field}: {text}"), MAX_PROBLEM));
            }
        }
    }
}

fn problem(item: &Value) -> String {
    let Value::Object(fields) = item else {
        return bounded(compact(item).trim(), MAX_PROBLEM);
    };
    let place = PLACE_KEYS.iter().find_map(|key| fields.get(*key)).map(place).unwrap_or_default();
    let said = ["msg", "message", "detail", "error", "description"]
        .iter()
        .find_map(|key| fields.get(*key).and_then(Value::as_str).map(str::to_owned))
        .or_else(|| fields.get("constraints").and_then(Value::as_object).map(constraints))
        .unwrap_or_else(|| item.to_string());
    let whole = if place.is_empty() { said } else { format!("{place}: {said}") };
    bounded(&whole, MAX_PROBLEM)
}

fn place(value: &Value) -> String {
    match value {
        Value::Array(steps) => steps.iter().map(compact).collect::<Vec<_>>().join("."),
        other => compact(other),
    }
}

fn constraints(rules: &Map<String, Value>) -> String {
    rules.values().map(compact).collect::<Vec<_>>().join(", ")
}
