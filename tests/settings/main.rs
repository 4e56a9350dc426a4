//! A group's values as the user's own types: what is accepted, what one error lists, and that no text of it
//! holds a value.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

mod formats;
mod kinds;
mod leaks;
mod names;
mod problems;
mod recipes;

use std::error::Error as _;
use std::fmt::Write as _;

use truefoundry_secrets::{Error, SecretMap};

fn map<const N: usize>(pairs: [(&str, &str); N]) -> SecretMap {
    pairs.into_iter().collect()
}

/// All texts of an error, in each of its forms.
fn texts(error: &Error) -> String {
    let mut text = format!("{error}\n{error:#}\n{error:?}\n{error:#?}\n{}\n", error.hint());
    let mut cause = error.source();
    while let Some(source) = cause {
        writeln!(text, "{source}\n{source:?}\n{source:#?}").unwrap();
        cause = source.source();
    }
    text
}

/// The names of missing fields, the keys of invalid values with what was expected, and whether there may be
/// more.
type Problems = (Vec<String>, Vec<(String, String)>, bool);

#[track_caller]
fn problems(error: &Error) -> Problems {
    let Error::InvalidSettings { missing, invalid, incomplete, .. } = error else {
        panic!("another error: {error:?}");
    };
    (missing.to_vec(), invalid.to_vec(), *incomplete)
}
