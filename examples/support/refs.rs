//! Texts with references in them, and references that come to nothing.

use std::io::Read as _;

use truefoundry_secrets::{Error, SecretRef};

use super::{Failure, table};

/// A file's text, or stdin's where the path is `-`.
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

/// Shows every reference that does not resolve, with the variable that it was for where there is one: the
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
    eprintln!("{}\n", table(header, rows));
    let message = format!("{} of the references cannot be resolved", all.len());
    Failure::other(message, error.hint())
}

pub(crate) const MISSING: &str = "does not exist, or this key may not see it";
const HIDDEN: &str = "its value is not shown by the control plane";
