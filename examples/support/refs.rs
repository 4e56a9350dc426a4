//! Texts with references in them, and references that do not resolve.

use std::io::Read as _;

use truefoundry_secrets::{Error, SecretRef};

use super::{Failure, table, tell};

const SCHEME: &str = "tfy-secret://";

/// What a value is to a program that replaces references by secrets.
pub(crate) enum Reading {
    Reference(SecretRef),
    /// Meant to be a reference, with the reason why it is not one. The value itself may be a
    /// secret.
    Malformed(String),
    /// A longer text with a reference in it.
    Within,
    Other,
}

impl Reading {
    pub(crate) fn of(value: &str) -> Self {
        // Characters that shells and env files leave around a value.
        let is_quote = |c: char| "\"'`\\\u{2018}\u{2019}\u{201c}\u{201d}".contains(c);
        let is_blank = |c: char| {
            c.is_whitespace()
                || c.is_control()
                || "\u{200b}\u{200e}\u{200f}\u{2060}\u{feff}".contains(c)
        };
        let bare = value.trim_matches(|c| is_quote(c) || is_blank(c));
        let scheme = bare.get(..SCHEME.len() - 1);
        let is_whole = scheme.is_some_and(|scheme| "tfy-secret:/".eq_ignore_ascii_case(scheme))
            // `"reference" and "reference"`
            && (bare == value || !bare.contains(is_quote));
        if !is_whole {
            return if value.contains(SCHEME) { Self::Within } else { Self::Other };
        }
        if bare.len() < value.len() {
            let only_blanks = value.trim_matches(is_blank).len() == bare.len();
            return Self::Malformed(if only_blanks {
                "whitespace or an invisible character is next to the reference".to_owned()
            } else {
                "quotes stand around the reference".to_owned()
            });
        }
        SecretRef::parse(bare)
            .map_or_else(|problem| Self::Malformed(problem.to_string()), Self::Reference)
    }
}

/// A file's text, or stdin's if the path is `-`.
pub(crate) fn read_text(path: &str, what: &str) -> Result<String, Failure> {
    let text = if path == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(|error| {
        Failure::other(
            format!("{what} cannot be read: {error}"),
            "Give the path of a text file that this user may read.",
        )
    })
}

/// Shows every reference that does not resolve, with the variable that it was for, if any: the
/// error itself names the first twenty.
pub(crate) fn not_resolved(
    error: Error,
    variables_of: impl Fn(&SecretRef) -> Vec<String>,
) -> Failure {
    let Error::Unresolved { missing, hidden, .. } = &error else { return error.into() };
    let missing = missing.iter().map(|reference| (reference, MISSING));
    let all: Vec<_> = missing.chain(hidden.iter().map(|reference| (reference, HIDDEN))).collect();
    let with_variables = all.iter().any(|(reference, _)| !variables_of(reference).is_empty());
    let rows = all.iter().map(|(reference, problem)| {
        let mut row = vec![reference.to_string(), (*problem).to_owned()];
        if with_variables {
            row.insert(0, variables_of(reference).join(", "));
        }
        row
    });
    let header: &[&str] = if with_variables {
        &["Variable", "Reference", "Problem"]
    } else {
        &["Reference", "Problem"]
    };
    tell(format_args!("{}\n", table(header, rows)));
    let message = format!("{} of the references cannot be resolved", all.len());
    Failure::other(message, error.hint())
}

pub(crate) const MISSING: &str = "does not exist, or this key may not see it";
const HIDDEN: &str = "its value is not shown by the control plane";
