use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::decode::{Context, Wire};
use crate::text::Text;

/// A time as the answer writes it, read when it is asked for: a page has thousands of them, and most are
/// never looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Time(Text);

impl Time {
    /// The time; one without an offset is UTC, as the service means it. `None` for text that is no time.
    pub(crate) fn timestamp(&self) -> Option<Timestamp> {
        let text = self.0.as_str();
        if let Ok(timestamp) = text.parse() {
            return Some(timestamp);
        }
        let civil: DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    }
}

impl Wire for Time {
    fn decode<'de, D: serde::Deserializer<'de>>(
        context: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        Text::decode(context, deserializer).map(Self)
    }
}

impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
