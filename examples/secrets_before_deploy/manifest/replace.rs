//! Replaces single values in the text.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;

use serde_saphyr::granit_parser::{Event, ScalarStyle};

use super::events::{self, Refusal, Reported};
use super::{Manifest, Place};

impl Manifest<'_> {
    /// The text with the values of these places replaced.
    ///
    /// The result is read again and compared, event by event, with the original: if it differs in
    /// anything but these values, comments included, it is an error.
    pub(crate) fn replace(&self, changes: &[(&Place, &str)]) -> Result<String, Refusal> {
        let mut edits = Vec::new();
        let mut wanted = HashMap::new();
        for (place, new) in changes {
            let text = events::text(&self.events, place.at);
            let new = format!("{}{new}", text.get(..place.prefix).unwrap_or_default());
            self.edits_for(place.at, &new, &mut edits)?;
            wanted.insert(place.at, new);
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
        self.verify(&out, &wanted)?;
        Ok(out)
    }

    fn edits_for(
        &self,
        at: usize,
        new: &str,
        edits: &mut Vec<(Range<usize>, String)>,
    ) -> Result<(), Refusal> {
        let Some((Event::Scalar(_, style, 0, None), span)) = self.events.get(at) else {
            return Err(unequal());
        };
        let range = span.byte_range().ok_or_else(unequal)?;
        match style {
            ScalarStyle::DoubleQuoted => edits.push((range, double_quoted(new))),
            ScalarStyle::SingleQuoted => {
                edits.push((range, format!("'{}'", new.replace('\'', "''"))));
            }
            ScalarStyle::Plain if !range.is_empty() => edits.push((range, self.plain(new))),
            // The value is empty; the new one goes after the indicator.
            ScalarStyle::Plain => {
                let is_item = self.text.get(..range.start).is_some_and(|text| text.ends_with('-'));
                let end = if is_item { range.start } else { self.after_last(at, &[':'])? + 1 };
                edits.push((end..end, format!(" {}", self.plain(new))));
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let header = self.after_last(at, &['|', '>'])?;
                let rest = self.text.get(header..).ok_or_else(unequal)?;
                let indicator = rest.find(|c: char| !"|>+-0123456789".contains(c));
                edits.push((header..header + indicator.unwrap_or(rest.len()), self.plain(new)));
                // A comment after the indicator stays, and so does the line's end.
                let line_end = header + rest.find(['\r', '\n']).unwrap_or(rest.len());
                let content = self.text.get(..range.end).ok_or_else(unequal)?.trim_end().len();
                if content > line_end {
                    edits.push((line_end..content, String::new()));
                }
            }
        }
        Ok(())
    }

    /// The first of these characters after what precedes a value, comments left out.
    fn after_last(&self, at: usize, characters: &[char]) -> Result<usize, Refusal> {
        // A collection's own start is reported where its first item is.
        let is_written = |event: &Reported<'_>| match event {
            (Event::Comment(..), _) => None,
            (_, span) => span.byte_range().filter(|range| !range.is_empty()),
        };
        let before = self.events.get(..at).unwrap_or_default().iter().rev();
        let from = before.filter_map(is_written).map(|range| range.end).next().unwrap_or(0);
        let rest = self.text.get(from..).ok_or_else(unequal)?;
        let mut is_comment = false;
        let mut last = ' ';
        for (offset, c) in rest.char_indices() {
            match c {
                '\n' | '\r' => is_comment = false,
                '#' if last.is_whitespace() => is_comment = true,
                _ if !is_comment && characters.contains(&c) => return Ok(from + offset),
                _ => {}
            }
            last = c;
        }
        Err(unequal())
    }

    /// Without quotes if that says the same.
    fn plain(&self, new: &str) -> String {
        let is_simple = |c: char| c.is_ascii_alphanumeric() || "-_./:=".contains(c);
        let plain = !self.is_json
            && new.chars().all(is_simple)
            && new.starts_with(|c: char| c.is_ascii_alphabetic())
            && !new.ends_with(':');
        if plain { new.to_owned() } else { double_quoted(new) }
    }

    fn verify(&self, out: &str, wanted: &HashMap<usize, String>) -> Result<(), Refusal> {
        let after = events::of(out).map_err(|_| unequal())?;
        if self.is_json && serde_json::from_str::<serde::de::IgnoredAny>(out).is_err() {
            return Err(unequal());
        }
        // A comment between an indicator and its text is reported before or after it.
        let comments = |all: &[Reported<'_>]| -> Vec<String> {
            (0..all.len()).filter_map(|at| Some(events::comment(all, at)?.to_owned())).collect()
        };
        if comments(&self.events) != comments(&after) {
            return Err(unequal());
        }
        let is_data = |event: &&Reported<'_>| !matches!(event.0, Event::Comment(..));
        let before = self.events.iter().enumerate().filter(|(_, event)| is_data(event));
        let mut after = after.iter().filter(is_data);
        for (at, (old, _)) in before {
            let new = after.next().map(|(event, _)| event).ok_or_else(unequal)?;
            let is_right = match (wanted.get(&at), new) {
                (None, new) => old == new,
                (Some(wanted), Event::Scalar(text, _, 0, None)) => text == wanted,
                (Some(_), _) => false,
            };
            if !is_right {
                return Err(unequal());
            }
        }
        if after.next().is_some() { Err(unequal()) } else { Ok(()) }
    }
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
