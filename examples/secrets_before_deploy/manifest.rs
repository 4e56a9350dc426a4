//! A deployment manifest, YAML or JSON, as text in which single values are replaced. Comments, order and
//! layout stay, because nothing else of the text is touched.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};

/// Why a manifest is not changed. It never quotes the manifest's text, which may hold secrets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) String);

type Node<'a> = (Event<'a>, Span);

pub(crate) struct Manifest<'a> {
    text: &'a str,
    is_json: bool,
    /// As the parser reports it; comments are in it, too.
    events: Vec<Node<'a>>,
    entries: Vec<Entry>,
    name: Option<String>,
}

/// One variable of an `env` map.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) line: usize,
    /// Where the name and the value are among the events.
    key_at: usize,
    value_at: usize,
}

/// What kind of place a node stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Document,
    Env,
    Other,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    /// Why it can be neither looked into nor replaced.
    Unclear(&'static str),
}

impl Entry {
    /// The value, or nothing if it is not clear.
    pub(crate) fn text(&self) -> &str {
        match &self.value {
            Value::Text(text) => text,
            Value::Unclear(_) => "",
        }
    }
}

impl<'a> Manifest<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Refusal> {
        let events = events_of(text)?;
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        let mut manifest = Self { text, is_json, events, entries: Vec::new(), name: None };
        let mut at = 0;
        while at < manifest.events.len() {
            at = manifest.visit(at, Within::Document)?;
        }
        Ok(manifest)
    }

    /// What the first document calls itself.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The variables of every `env` map, wherever in the manifest it is, in order.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Looks at the node that begins at `at` and says where the next one begins.
    fn visit(&mut self, at: usize, within: Within) -> Result<usize, Refusal> {
        match self.events.get(at).map(|(event, _)| event) {
            Some(Event::MappingStart(..)) => self.visit_map(at + 1, within),
            Some(Event::SequenceStart(..)) if within == Within::Env => Err(Refusal(format!(
                "env at line {} is a list; only a map of names and values is understood",
                self.line(at)
            ))),
            Some(Event::Alias(_)) if within == Within::Env => Err(Refusal(format!(
                "env at line {} is an alias; write the map out there",
                self.line(at)
            ))),
            Some(Event::SequenceStart(..)) => {
                let mut at = at + 1;
                while !matches!(self.events.get(at), Some((Event::SequenceEnd, _)) | None) {
                    at = self.visit(at, Within::Other)?;
                }
                Ok(at + 1)
            }
            _ => Ok(at + 1),
        }
    }

    fn visit_map(&mut self, mut at: usize, within: Within) -> Result<usize, Refusal> {
        let mut names = HashSet::new();
        loop {
            at = self.skip_comments(at);
            if matches!(self.events.get(at), Some((Event::MappingEnd, _)) | None) {
                return Ok(at + 1);
            }
            let key_at = at;
            let value_at = self.visit(key_at, Within::Other)?;
            let value_at = self.skip_comments(value_at);
            let name = self.text_at(key_at);
            if within == Within::Env {
                self.note_entry(name.as_deref(), key_at, value_at)?;
                if let Some(name) = &name
                    && !names.insert(name.clone())
                {
                    let line = self.line(key_at);
                    return Err(Refusal(format!(
                        "a name in env is given twice, again at line {line}"
                    )));
                }
            }
            if within == Within::Document && name.as_deref() == Some("name") && self.name.is_none()
            {
                self.name = self.text_at(value_at).filter(|name| !name.is_empty());
            }
            let is_env = within != Within::Env && name.as_deref() == Some("env");
            at = self.visit(value_at, if is_env { Within::Env } else { Within::Other })?;
        }
    }

    fn note_entry(
        &mut self,
        name: Option<&str>,
        key_at: usize,
        value_at: usize,
    ) -> Result<(), Refusal> {
        let line = self.line(key_at);
        let Some(name) = name else {
            return Err(Refusal(format!("a name in env at line {line} is not text")));
        };
        if name == "<<" {
            return Err(Refusal(format!(
                "env at line {line} merges another map (`<<`); write its variables out there"
            )));
        }
        let value = match self.events.get(value_at).map(|(event, _)| event) {
            Some(Event::Scalar(_, _, anchor, _)) if *anchor > 0 => {
                Value::Unclear("an anchor makes its value appear elsewhere, too")
            }
            Some(Event::Scalar(_, _, _, Some(_))) => Value::Unclear("its value has a tag"),
            Some(Event::Scalar(..)) => Value::Text(self.text_at(value_at).unwrap_or_default()),
            Some(Event::Alias(_)) => Value::Unclear("its value is an alias"),
            _ => Value::Unclear("its value is a map or a list"),
        };
        self.entries.push(Entry { name: name.to_owned(), value, line, key_at, value_at });
        Ok(())
    }

    /// A scalar's text. The parser reports an empty one as `~`.
    fn text_at(&self, at: usize) -> Option<String> {
        match self.events.get(at) {
            Some((Event::Scalar(text, ..), span)) => {
                Some(if span.is_empty() { String::new() } else { text.clone().into_owned() })
            }
            _ => None,
        }
    }

    fn skip_comments(&self, mut at: usize) -> usize {
        while matches!(self.events.get(at), Some((Event::Comment(..), _))) {
            at += 1;
        }
        at
    }

    fn line(&self, at: usize) -> usize {
        self.events.get(at).map_or(0, |(_, span)| span.start.line())
    }

    fn range(&self, at: usize) -> Range<usize> {
        self.events.get(at).and_then(|(_, span)| span.byte_range()).unwrap_or(0..0)
    }

    /// The text with these entries' values replaced.
    ///
    /// What comes out is read again and compared, event by event, with what went in: it differs in these
    /// values and in nothing else, comments included, or there is no result.
    pub(crate) fn replace(&self, changes: &[(&Entry, &str)]) -> Result<String, Refusal> {
        let mut edits = Vec::new();
        for (entry, new) in changes {
            self.edits_for(entry, new, &mut edits)?;
        }
        edits.sort_by_key(|(range, _)| range.start);
        let mut out = String::with_capacity(self.text.len() + changes.len() * 64);
        let mut copied = 0;
        for (range, new) in &edits {
            let before = self.text.get(copied..range.start).ok_or_else(unequal)?;
            out.push_str(before);
            out.push_str(new);
            copied = range.end;
        }
        out.push_str(self.text.get(copied..).ok_or_else(unequal)?);
        self.verify(&out, changes)?;
        Ok(out)
    }

    fn edits_for(
        &self,
        entry: &Entry,
        new: &str,
        edits: &mut Vec<(Range<usize>, String)>,
    ) -> Result<(), Refusal> {
        let Some((Event::Scalar(_, style, ..), _)) = self.events.get(entry.value_at) else {
            return Err(unequal());
        };
        let range = self.range(entry.value_at);
        match style {
            ScalarStyle::DoubleQuoted => edits.push((range, double_quoted(new))),
            ScalarStyle::SingleQuoted => {
                edits.push((range, format!("'{}'", new.replace('\'', "''"))));
            }
            ScalarStyle::Plain if !range.is_empty() => edits.push((range, self.plain(new))),
            // The value is empty; the new one belongs behind the colon.
            ScalarStyle::Plain => {
                let colon = self.after_key(entry, &[':'])?;
                edits.push((colon + 1..colon + 1, format!(" {}", self.plain(new))));
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let header = self.after_key(entry, &['|', '>'])?;
                let rest = self.text.get(header..).ok_or_else(unequal)?;
                let indicator = rest.find(|c: char| !"|>+-0123456789".contains(c));
                edits.push((header..header + indicator.unwrap_or(rest.len()), self.plain(new)));
                // A comment behind the indicator stays, and so does the line's end.
                let line_end = header + rest.find(['\r', '\n']).unwrap_or(rest.len());
                let content = self.text.get(..range.end).ok_or_else(unequal)?.trim_end().len();
                if content > line_end {
                    edits.push((line_end..content, String::new()));
                }
            }
        }
        Ok(())
    }

    /// The first of these characters behind an entry's name.
    fn after_key(&self, entry: &Entry, characters: &[char]) -> Result<usize, Refusal> {
        let from = self.range(entry.key_at).end;
        let rest = self.text.get(from..).ok_or_else(unequal)?;
        rest.find(characters).map(|at| from + at).ok_or_else(unequal)
    }

    /// Without quotes if that says the same.
    fn plain(&self, new: &str) -> String {
        let is_simple = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
        let plain = !self.is_json && new.chars().all(is_simple) && !new.ends_with(':');
        if plain { new.to_owned() } else { double_quoted(new) }
    }

    fn verify(&self, out: &str, changes: &[(&Entry, &str)]) -> Result<(), Refusal> {
        let after = events_of(out).map_err(|_| unequal())?;
        if self.is_json && serde_json::from_str::<serde::de::IgnoredAny>(out).is_err() {
            return Err(unequal());
        }
        // A comment between an indicator and its text is reported before or after it.
        let comments = |events: &[Node<'_>]| -> Vec<String> {
            let text = |event: &Node<'_>| match &event.0 {
                Event::Comment(text, _) => Some(text.clone().into_owned()),
                _ => None,
            };
            events.iter().filter_map(text).collect()
        };
        if comments(&self.events) != comments(&after) {
            return Err(unequal());
        }
        let is_data = |event: &&Node<'_>| !matches!(event.0, Event::Comment(..));
        let before = self.events.iter().enumerate().filter(|(_, event)| is_data(event));
        let mut after = after.iter().filter(is_data);
        for (at, (old, _)) in before {
            let new = after.next().map(|(event, _)| event).ok_or_else(unequal)?;
            let change = changes.iter().find(|(entry, _)| entry.value_at == at);
            let is_right = match (change, new) {
                (None, new) => old == new,
                (Some((_, wanted)), Event::Scalar(text, _, 0, None)) => text == wanted,
                (Some(_), _) => false,
            };
            if !is_right {
                return Err(unequal());
            }
        }
        if after.next().is_some() { Err(unequal()) } else { Ok(()) }
    }
}

fn events_of(text: &str) -> Result<Vec<Node<'_>>, Refusal> {
    let events: Result<Vec<_>, _> = Parser::new_from_str(text).collect();
    events.map_err(|error| {
        let at = error.marker();
        Refusal(format!("not valid YAML or JSON at line {}, column {}", at.line(), at.col() + 1))
    })
}

fn unequal() -> Refusal {
    Refusal("its values cannot be replaced without changing something else".to_owned())
}

/// JSON's notation, which is YAML's as well.
fn double_quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            // Cannot fail: it writes to a string.
            _ if character.is_control() => drop(write!(quoted, "\\u{:04x}", u32::from(character))),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
