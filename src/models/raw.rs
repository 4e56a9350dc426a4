use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::decode::{Context, Lenient, whole_number_in};
use super::shared_str::SharedStr;

/// A time or a version as written in the response, a string or a number.
///
/// Changes are detected by comparing the text, so a server may write it in any form. It is parsed
/// on demand: a page has thousands of them, and most are never read.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Raw(SharedStr);

impl Raw {
    /// The time; one without an offset is UTC, as the service means it. `None` for text that is not
    /// a time.
    pub(crate) fn timestamp(&self) -> Option<Timestamp> {
        let text = self.text();
        if let Ok(timestamp) = text.parse() {
            return Some(timestamp);
        }
        let civil: DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    }

    /// The whole number, also written `3.0` or `"3"`.
    pub(crate) fn whole_number(&self) -> Option<u64> {
        whole_number_in(&self.text())
    }

    /// A string without its quotes and escapes; a number as it is.
    fn text(&self) -> Cow<'_, str> {
        let raw = self.0.as_str();
        match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(plain) if !plain.contains('\\') => plain.into(),
            Some(_) => serde_json::from_str::<String>(raw).unwrap_or_default().into(),
            None => raw.into(),
        }
    }
}

impl Lenient for Raw {
    fn read<'de>(context: &Context<'de>, raw: &'de str) -> Result<Option<Self>, serde_json::Error> {
        if raw.starts_with(['{', '[', 't', 'f']) {
            return Ok(None);
        }
        context.text(raw).map(Self).map(Some)
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl serde::Serialize for Raw {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<serde_json::Number>(self.0.as_str()) {
            Ok(number) => number.serialize(serializer),
            Err(_) => serializer.serialize_str(&self.text()),
        }
    }
}
