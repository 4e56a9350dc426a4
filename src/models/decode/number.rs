//! Numbers of a response.
//!
//! They are read from their text: with its feature `arbitrary_precision`, which any crate of a program can
//! switch on for all of them, `serde_json` gives visitors an object in place of a number.

use serde_json::value::RawValue;

use super::DecodeFailure;

/// The number of deletions, if the whole response to a delete is a number. Any other JSON confirms
/// the delete without a count.
pub(crate) fn count(body: &[u8]) -> Result<Option<u64>, DecodeFailure> {
    Ok(whole_number_in(serde_json::from_str::<&RawValue>(super::text(body)?)?.get()))
}

/// The whole number that the text is, also written `3.0`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole and within the range that f64 holds exactly"
)]
pub(crate) fn whole_number_in(text: &str) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    // Not the standard library's parser, which would bring tables that nothing else needs.
    let number: f64 = serde_json::from_str(text).ok()?;
    (number.fract() == 0.0 && (0.0..=EXACT).contains(&number)).then_some(number as u64)
}
