//! Warnings and notes about the manifest that is written.

use super::actions::Moving;
use super::judge;
use super::manifest::{Kind, Manifest};
use super::support::{KeyFromEnv, Reading, shown, tell};

/// Shorter values occur by chance.
const MIN_VALUE: usize = 8;

/// A value that was moved may also be in a comment, or within another value; and a comment may hold
/// a secret of its own. Returns whether there was anything to warn of.
pub(crate) fn warn_of_leftovers(
    manifest: &Manifest<'_>,
    moving: &[&Moving<'_>],
    output: &Manifest<'_>,
) -> bool {
    let mut warned = false;
    let mut warn = |message: String| {
        warned = true;
        tell(format_args!("warning: {message}"));
    };
    for (line, comment) in output.comments() {
        if let Some(why) = judge::is_leak(comment) {
            warn(format!("the comment on line {line} of the output looks like a secret ({why})"));
        }
    }
    for one in moving {
        let value = manifest.value(one.place).trim();
        if value.len() < MIN_VALUE {
            continue;
        }
        let still = |place: &str| {
            format!(
                "what was the value of {} still stands in {place} of the output",
                shown(&one.variable)
            )
        };
        let mut in_comments = output.comments().filter(|(_, comment)| comment.contains(value));
        if let Some((line, _)) = in_comments.next() {
            warn(still(&format!("line {line}")));
        }
        let in_other = |place: &&super::manifest::Place| {
            let text = output.value(place);
            text.contains(value) && !matches!(Reading::of(text), Reading::Reference(_))
        };
        if let Some(place) = output.places().iter().find(in_other) {
            let what = if place.kind() == Kind::Key { "a name, " } else { "" };
            let place =
                format!("line {} ({what}{})", output.line(place), shown(&output.path(place)));
            warn(still(&place));
        }
    }
    warned
}

/// `Bearer ...` in the manifest stands for the whole header, and so does its variable.
pub(crate) fn notes(
    manifest: &Manifest<'_>,
    moving: &[&Moving<'_>],
    keys: &[KeyFromEnv],
) -> Vec<String> {
    let scheme = |text: &str| {
        let scheme = text.split_once(' ').map(|(scheme, _)| scheme.to_ascii_lowercase());
        scheme.filter(|scheme| ["bearer", "basic", "token"].contains(&scheme.as_str()))
    };
    let is_missing = |key: &&KeyFromEnv| {
        let one = moving.iter().find(|one| one.variable == key.asked());
        let before = one.and_then(|one| scheme(manifest.value(one.place).trim()));
        before.is_some() && scheme(key.value.expose_secret().trim()) != before
    };
    let note = |key: &KeyFromEnv| {
        format!(
            "note: the manifest's value for {} begins with an authorization scheme, the variable's does not; the \
             whole value is replaced",
            shown(&key.key)
        )
    };
    keys.iter().filter(is_missing).map(note).collect()
}

pub(crate) fn next_step(out: Option<&str>, warned: bool) {
    match out {
        _ if warned => tell("\nNext: fix what the warnings above name, then deploy the manifest."),
        Some(out) => tell(format_args!("\nNext: deploy it:\n\n    tfy apply -f {}", shown(out))),
        None => tell(
            "\nNext: save what is on stdout as a file (or use --out FILE) and deploy it:\n\n    \
             tfy apply -f FILE",
        ),
    }
}
