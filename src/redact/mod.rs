//! What an error may show of a text that a server wrote.
//!
//! A server may echo what it was sent, in any encoding. So its texts are compared with everything
//! that was sent: escapes are decoded ([`escapes`]), both sides are reduced to letters and digits
//! ([`reading`]), and a text that contains a reduced value is withheld as a whole ([`Scrubber`]).
//! The work is linear in the text plus the values, whatever they are.

mod control;
mod cut_quotes;
mod display;
mod escapes;
mod needles;
mod reading;
mod scrubber;
#[cfg(test)]
mod tests;

pub(crate) use display::{Escaped, List, Named, Quoted, Wait};

pub(crate) use control::{escape_control, is_steering};
pub(crate) use scrubber::{MARK, Scrubber, WITHHELD};

#[cfg(test)]
thread_local! {
    /// How many bytes were looked at, and how many grams and windows were looked up.
    static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// One unit of work, counted by the tests of how the work grows.
fn step() {
    #[cfg(test)]
    STEPS.set(STEPS.get() + 1);
}
