//! Which variables of a manifest move and which stay.

use std::collections::{BTreeMap, HashMap};

use super::manifest::{Entry, Manifest, Value};
use super::sensitive::why_sensitive;
use super::support::{Failure, Reading, shown, table, tell};

/// What the command line says about single variables.
#[derive(Default)]
pub(crate) struct Wishes {
    pub(crate) also: Vec<String>,
    pub(crate) not: Vec<String>,
    /// The environment variable by the manifest's.
    pub(crate) from: HashMap<String, String>,
}

enum Action {
    Move(&'static str),
    KeepReference,
    Keep,
}

/// The variables that move. All variables are listed with their action.
pub(crate) fn moving<'a>(
    path: &str,
    manifest: &'a Manifest<'_>,
    wishes: &Wishes,
) -> Result<Vec<&'a Entry>, Failure> {
    let entries = manifest.entries();
    refuse_malformed(path, entries)?;
    let named = wishes.also.iter().chain(&wishes.not).chain(wishes.from.keys());
    if let Some(unknown) = named.into_iter().find(|name| !entries.iter().any(|e| e.name == **name))
    {
        let message = format!("env has no {}", shown(unknown));
        return Err(Failure::other(message, "Names are case-sensitive."));
    }
    if entries.is_empty() {
        tell("The manifest has no variables in a map named env.");
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    let mut moving = Vec::new();
    for entry in entries {
        let action = match action_of(entry, wishes)? {
            Action::Move(why) => {
                moving.push(entry);
                format!("move ({why})")
            }
            Action::KeepReference => "keep (already a reference)".to_owned(),
            Action::Keep => "keep".to_owned(),
        };
        rows.push([entry.name.clone(), entry.line.to_string(), action]);
    }
    tell(format_args!("{}\n", table(&["Variable", "Line", "Action"], rows)));
    Ok(moving)
}

/// The platform would use a malformed reference as the value.
fn refuse_malformed(path: &str, entries: &[Entry]) -> Result<(), Failure> {
    let malformed: Vec<_> = entries
        .iter()
        .filter_map(|entry| match Reading::of(entry.text()) {
            Reading::Malformed(problem) => {
                Some([format!("{path}:{}", entry.line), entry.name.clone(), problem])
            }
            _ => None,
        })
        .collect();
    if malformed.is_empty() {
        return Ok(());
    }
    let message = format!("nothing was created: {} malformed reference(s)", malformed.len());
    tell(format_args!("{}\n", table(&["Place", "Variable", "Problem"], malformed)));
    Err(Failure::other(message, "Correct those values: tfy-secret://tenant:group:key."))
}

fn action_of(entry: &Entry, wishes: &Wishes) -> Result<Action, Failure> {
    let asked = if wishes.from.contains_key(&entry.name) {
        Some("--from")
    } else {
        wishes.also.contains(&entry.name).then_some("--also")
    };
    if matches!(Reading::of(entry.text()), Reading::Reference(_)) {
        return Ok(Action::KeepReference);
    }
    if wishes.not.contains(&entry.name) {
        return Ok(Action::Keep);
    }
    match (asked.or_else(|| why_sensitive(&entry.name, entry.text())), &entry.value) {
        (None, _) => Ok(Action::Keep),
        (Some(why), Value::Text(_)) => Ok(Action::Move(why)),
        (Some(_), Value::Unclear(reason)) => Err(Failure::other(
            format!("{} at line {} cannot be moved: {reason}", shown(&entry.name), entry.line),
            "Write its value out there, or leave it with --not NAME.",
        )),
    }
}

/// A manifest of several components can have a name twice; one secret stands for both of them.
pub(crate) fn distinct_names<'a>(moving: &[&'a Entry]) -> Result<Vec<&'a str>, Failure> {
    let mut values: BTreeMap<&str, &str> = BTreeMap::new();
    let mut names = Vec::new();
    for entry in moving {
        match values.insert(&entry.name, entry.text()) {
            None => names.push(entry.name.as_str()),
            Some(other) if other == entry.text() => {}
            Some(_) => {
                return Err(Failure::other(
                    format!("{} has different values in two places", shown(&entry.name)),
                    "Move one of them by itself: split the manifest, or rename the variable.",
                ));
            }
        }
    }
    Ok(names)
}
