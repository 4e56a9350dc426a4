mod context;
mod scan;
pub(super) mod steps;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::iter::FusedIterator;
use std::ops::Range;

use crate::models::{ParseSecretRefError, ParseSecretRefReason, SCHEME, SecretRef};

use context::Context;
pub(super) use scan::Spelling;

/// Finds every secret reference in a text: YAML, JSON, dotenv, Helm values, a shell script, prose.
///
/// Each `tfy-secret://` in the text gives one item, in order: the reference and its position, or a
/// [`MalformedRef`] if what follows the scheme is not one. So a scan of a manifest cannot miss a
/// broken reference: it has to handle the `Err`. A reference with a template in it is an `Err`,
/// too, with the reason [`Template`](ParseSecretRefReason::Template). A scheme that is followed by
/// white space, a quote or `...` is prose and gives no item.
///
/// ```
/// use truefoundry_secrets::find_refs;
///
/// let manifest = "\
/// env:
///   DB_PASSWORD: tfy-secret://my-org:prod:DB-PASSWORD
///   API_KEY: tfy-secret://my-org:prod
/// ";
/// let mut found = find_refs(manifest);
///
/// let first = found.next().unwrap()?;
/// assert_eq!(first.reference().key(), "DB-PASSWORD");
/// assert_eq!((first.line(), first.column()), (2, 16));
/// assert_eq!(&manifest[first.range()], first.reference().as_str());
///
/// let second = found.next().unwrap().unwrap_err();
/// assert_eq!(second.to_string(), "line 3, column 12: malformed secret reference: no key at byte 24 \
///     (a reference is written tfy-secret://tenant:group:key)");
/// # Ok::<(), truefoundry_secrets::MalformedRef>(())
/// ```
///
/// # Where a reference ends
///
/// It ends where the format around it ends the value. If formats differ, the longest reading
/// counts, so that no other secret is found than the one that the format's own reader sees.
///
/// - Right after a `"`, `'` or backtick, it ends at the next such quote, and may hold anything before
///   it, spaces included: `"tfy-secret://t:g:a key"`. Within `"…"` a `\"` does not end it and JSON
///   escapes are decoded (`tfy-secret:\/\/t:g:k`); within `'…'` two quotes stand for one, as in YAML.
///   Quotes that are escaped themselves (`"{\"A\": \"tfy-secret://t:g:k\"}"`) count as well, and
///   those within `{{…}}` do not. A quote that is open at the end of its line makes it malformed.
///   Escapes that only YAML has (`\x41`) stay as they are.
/// - As a value in YAML (after `key: `, `- ` or a line that ends with `:`), it ends at ` #`, `: ` or
///   the end of the line; within `[…]` and `{…}` also at `,` and brackets. It is malformed if the
///   value goes on in a deeper line.
/// - After `NAME=` or `export NAME=` at the start of a line, it ends as in dotenv: at ` #` or the end
///   of the line.
/// - Within a longer text (prose, a comment, a command line, markup) it ends at a space, tab or line
///   break, a quote (typographic ones, too), a backslash (unless it escapes a slash or is a
///   `\uXXXX`), or one of `,` `;` `|` `&` `<` `>` `(` `)` `[` `]` `{` `}`. A `.`, `:`, `!`, `?`, `*`
///   or ellipsis at its very end is taken for punctuation: `see tfy-secret://t:g:k.`
///
/// A character that cannot be seen, such as U+00A0 or ESC, never ends it: [`SecretRef`] refuses it.
/// Templates belong to it and are not filled in. Outside quotes, `${…}`, `$(…)`, `{{…}}` and
/// placeholders such as `{stage}` must close on their line within 256 bytes to be seen as such.
///
/// A list within one pair of quotes (`"tfy-secret://t:g:a,tfy-secret://t:g:b"`) is a single
/// reference, as it is to the platform. Comments are searched like the rest of the text, and the
/// scheme is found in the middle of a word, too. References without it (`t:g:k`) are not found.
///
/// The time taken grows linearly with the text, whatever is in it.
pub fn find_refs(text: &str) -> FindRefs<'_> {
    FindRefs { text, at: 0, context: Context::new(text) }
}

/// The references in a text, from [`find_refs`].
///
/// ```
/// use truefoundry_secrets::find_refs;
///
/// let text = "A=tfy-secret://my-org:prod:A\nB=tfy-secret://my-org:prod:B\n";
/// let keys: Vec<_> = find_refs(text).flatten().map(|it| it.reference().key().to_owned()).collect();
/// assert_eq!(keys, ["A", "B"]);
/// ```
#[derive(Clone)]
#[must_use = "a search does nothing until it is iterated"]
pub struct FindRefs<'a> {
    text: &'a str,
    /// Where the search continues.
    at: usize,
    /// The context of the last reference.
    context: Context<'a>,
}

impl Iterator for FindRefs<'_> {
    type Item = Result<FoundRef, MalformedRef>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_with_spelling().map(|(found, _)| found)
    }
}

impl FindRefs<'_> {
    /// The next reference, and how it is written at its place.
    pub(super) fn next_with_spelling(
        &mut self,
    ) -> Option<(Result<FoundRef, MalformedRef>, Spelling)> {
        loop {
            let Some(found) = scan::next_candidate(self.text, self.at, &mut self.context) else {
                self.at = self.text.len();
                return None;
            };
            let (parsed, found_as) = (SecretRef::parse(&found.decoded), found.spelling);
            if let Some(bare_end) = found.bare_end
                && is_prose(&parsed)
            {
                self.at = bare_end;
                continue;
            }
            self.at = found.range.end;
            let (line, column) = self.context.line_and_column();
            let place = Place { range: found.range, line, column };
            let found = match parsed {
                Ok(reference) => Ok(FoundRef { reference, place }),
                Err(problem) => Err(MalformedRef { problem, place }),
            };
            return Some((found, found_as));
        }
    }
}

/// Whether a text that begins with a bare scheme is prose about references.
fn is_prose(parsed: &Result<SecretRef, ParseSecretRefError>) -> bool {
    use ParseSecretRefReason::{NoGroup, NoKey, NoTenant, SlashForColon};
    match parsed {
        // The platform reads `tfy-secret:// t:g:k` as a reference.
        Ok(reference) => reference.fqn().contains(SCHEME),
        Err(problem) => {
            matches!(problem.reason(), NoTenant | NoGroup | NoKey | SlashForColon)
        }
    }
}

impl FusedIterator for FindRefs<'_> {}

/// Shows the position of the search, and nothing of the text: a manifest may hold secrets of its
/// own.
impl fmt::Debug for FindRefs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FindRefs").field("at", &self.at).finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    range: Range<usize>,
    line: usize,
    column: usize,
}

/// A reference in a text, and its position.
///
/// ```
/// use truefoundry_secrets::find_refs;
///
/// for found in find_refs("DB_PASSWORD: tfy-secret://my-org:prod:DB-PASSWORD") {
///     let found = found?;
///     println!("{}:{} {}", found.line(), found.column(), found.reference());
/// }
/// # Ok::<(), truefoundry_secrets::MalformedRef>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRef {
    reference: SecretRef,
    place: Place,
}

impl FoundRef {
    /// The reference, with JSON escapes decoded.
    pub fn reference(&self) -> &SecretRef {
        &self.reference
    }

    /// The reference alone, to pass on without a copy.
    pub fn into_reference(self) -> SecretRef {
        self.reference
    }

    /// Its byte range in the text, from its scheme to its end: with its escapes, and without quotes
    /// around it.
    pub fn range(&self) -> Range<usize> {
        self.place.range.clone()
    }

    /// The line on which it begins, from 1. Lines end with `\n`.
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// The column at which it begins, from 1, in characters (Unicode scalar values).
    pub fn column(&self) -> usize {
        self.place.column
    }
}

/// A `tfy-secret://` in a text that begins no valid reference.
///
/// Holds nothing of the text.
///
/// ```
/// use truefoundry_secrets::find_refs;
///
/// for malformed in find_refs("API_KEY: tfy-secret://my-org:prod").filter_map(Result::err) {
///     eprintln!("manifest.yaml:{}: {}", malformed.line(), malformed.problem());
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedRef {
    problem: ParseSecretRefError,
    place: Place,
}

impl MalformedRef {
    /// What is wrong with it; positions count from its scheme, after decoding of JSON escapes.
    pub fn problem(&self) -> ParseSecretRefError {
        self.problem
    }

    /// Its byte range in the text, with its escapes.
    pub fn range(&self) -> Range<usize> {
        self.place.range.clone()
    }

    /// The line on which it begins, from 1. Lines end with `\n`.
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// The column at which it begins, from 1, in characters (Unicode scalar values).
    pub fn column(&self) -> usize {
        self.place.column
    }
}

/// One line, such as `line 3, column 12: malformed secret reference: no key at byte 24 (…)`.
impl fmt::Display for MalformedRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { problem, place: Place { line, column, .. } } = self;
        write!(f, "line {line}, column {column}: malformed secret reference: {problem}")
    }
}

impl Error for MalformedRef {}
