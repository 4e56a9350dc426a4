//! References in a text replaced by others.

use std::error::Error;
use std::fmt;
use std::ops::Range;

use crate::models::{ParseSecretRefError, SecretRef};
use crate::redact::Escaped;
use crate::references::find_refs::{FoundRef, MalformedRef, find_refs};

/// Replaces references in any text, such as those of a manifest to a group that was copied: `replace` is called
/// with each reference that [`find_refs`] finds, and returns the one to write in its place, or `None` to leave
/// it.
///
/// Quotes stay, and within them the new reference is escaped as the old one was. Everything else
/// stays byte for byte, including malformed references and those with a template, which
/// [`find_refs`] reports.
///
/// ```
/// use truefoundry_secrets::{SecretRef, rewrite_refs};
///
/// let manifest = "env: # of prod\n  DB: \"tfy-secret://my-org:prod:DB_PASSWORD\"\n";
/// let new = SecretRef::new("my-org", "prod-az", "DB-PASSWORD")?;
/// let text = rewrite_refs(manifest, |found| {
///     (found.reference().group() == "prod").then(|| new.clone())
/// })?;
/// assert_eq!(text, "env: # of prod\n  DB: \"tfy-secret://my-org:prod-az:DB-PASSWORD\"\n");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// Before it is returned, the result is searched again: it must have the new references in place of
/// the old ones, and all others unchanged. The time taken grows linearly with both texts.
///
/// # Errors
/// [`UnwritableRef`] if a new reference cannot be written at its place, such as a key with a space in the
/// middle of a command line, which would end there, or one with a quote or a backslash within
/// nested quotes. Quotes around it are not added.
pub fn rewrite_refs(
    text: &str,
    mut replace: impl FnMut(&FoundRef) -> Option<SecretRef>,
) -> Result<String, UnwritableRef> {
    let mut written = String::with_capacity(text.len());
    let mut copied = 0;
    // What a search of the result has to find, and what was replaced.
    let mut expected: Vec<Found> = Vec::new();
    let mut replaced: Vec<(usize, UnwritableRef)> = Vec::new();
    let mut refs = find_refs(text);
    while let Some((found, spelling)) = refs.next_with_spelling() {
        let range = found.as_ref().map_or_else(MalformedRef::range, FoundRef::range);
        written.push_str(text.get(copied..range.start).unwrap_or_default());
        copied = range.end;
        let begin = written.len();
        let old = text.get(range).unwrap_or_default();
        let new = found.as_ref().ok().and_then(|found| {
            let new = replace(found)?;
            // A reference that does not change stays as it is written.
            (new != *found.reference()).then_some((new, found))
        });
        let says = if let Some((new, found)) = new {
            let (line, column) = (found.line(), found.column());
            let unwritable = UnwritableRef { reference: new.clone(), line, column };
            if !spelling.exists_for(&new) {
                return Err(unwritable);
            }
            spelling.write(old, &new, &mut written);
            replaced.push((expected.len(), unwritable));
            Ok(new)
        } else {
            written.push_str(old);
            found.map(FoundRef::into_reference).map_err(|malformed| malformed.problem())
        };
        expected.push(Found { range: begin..written.len(), says });
    }
    written.push_str(text.get(copied..).unwrap_or_default());
    if replaced.is_empty() {
        return Ok(written);
    }
    let Some(difference) = first_difference(&written, &expected) else { return Ok(written) };
    // The one that is not found, or the one before it, which changes how the text is read from there on.
    let cause = replaced.partition_point(|(index, _)| *index <= difference).saturating_sub(1);
    replaced.into_iter().nth(cause).map_or(Ok(written), |(_, unwritable)| Err(unwritable))
}

#[derive(PartialEq, Eq)]
struct Found {
    range: Range<usize>,
    says: Result<SecretRef, ParseSecretRefError>,
}

fn first_difference(text: &str, expected: &[Found]) -> Option<usize> {
    let mut found = find_refs(text).map(|found| match found {
        Ok(found) => Found { range: found.range(), says: Ok(found.into_reference()) },
        Err(malformed) => Found { range: malformed.range(), says: Err(malformed.problem()) },
    });
    let differs = |one: &Found| found.next().as_ref() != Some(one);
    expected.iter().position(differs).or_else(|| found.next().map(|_| expected.len()))
}

/// A reference that cannot be written in place of another one without changing the text around it.
///
/// ```
/// use truefoundry_secrets::{SecretRef, rewrite_refs};
///
/// let new = SecretRef::new("my-org", "prod", "a key")?; // the space would end it
/// let error = rewrite_refs("run --with tfy-secret://my-org:prod:KEY now", |_| Some(new.clone()))
///     .unwrap_err();
/// assert_eq!((error.line(), error.column()), (1, 12));
/// assert_eq!(error.reference(), &new);
/// # Ok::<(), truefoundry_secrets::ParseSecretRefError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnwritableRef {
    reference: SecretRef,
    line: usize,
    column: usize,
}

impl UnwritableRef {
    /// The new reference, which cannot be written.
    pub fn reference(&self) -> &SecretRef {
        &self.reference
    }

    /// The line of the text on which the old one begins, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column at which the old one begins, from 1, in characters (Unicode scalar values).
    pub fn column(&self) -> usize {
        self.column
    }
}

/// One line, such as `line 3, column 12: tfy-secret://t:g:a key cannot be written here: (...)`.
impl fmt::Display for UnwritableRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reference, line, column } = self;
        let reference = Escaped(reference.as_str());
        write!(
            f,
            "line {line}, column {column}: {reference} cannot be written here: it would not be "
        )?;
        f.write_str("read as a whole (put the old one in quotes, or use another key)")
    }
}

impl Error for UnwritableRef {}

#[cfg(test)]
mod tests;
