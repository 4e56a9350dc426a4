//! What is done with each value of a manifest.

use std::collections::{BTreeMap, HashMap};

use truefoundry_secrets::{ParseSecretRefReason, SecretRef, find_refs};

use super::judge::{self, Verdict, judge};
use super::manifest::{Kind, Manifest, Place, Within};
use super::support::{Failure, Reading, shown, table, tell};

/// What the command line says about single values, by name, variable or path.
#[derive(Default)]
pub(crate) struct Wishes {
    pub(crate) also: Vec<String>,
    pub(crate) not: Vec<String>,
    /// The environment variable for each place.
    pub(crate) from: HashMap<String, String>,
}

/// A value that moves.
pub(crate) struct Moving<'a> {
    pub(crate) place: &'a Place,
    /// The secret's key, and the variable that its value is read from if no other one is named.
    pub(crate) variable: String,
    /// The variable that was named for it.
    pub(crate) from: Option<&'a str>,
}

enum Action {
    Move(&'static str),
    /// What was found, and why it cannot move.
    Stuck(&'static str, &'static str),
    Malformed(String),
    /// With a remark, if there is anything to say.
    Keep(Option<&'static str>),
}

/// A group holds the secrets of one application.
const MAX_MOVING: usize = 1000;
const MAX_ROWS: usize = 200;

const PART: &str = "it is part of a longer text";
const BASE64: &str = "`data` is in Base64, which cannot hold a reference: write it as `stringData`";

/// The values to move. These, and all variables, are listed with their action.
pub(crate) fn moving<'a>(
    path: &str,
    manifest: &'a Manifest<'_>,
    wishes: &'a Wishes,
) -> Result<Vec<Moving<'a>>, Failure> {
    let named = wishes.also.iter().chain(&wishes.not).chain(wishes.from.keys());
    if let Some(unknown) = named.into_iter().find(|wish| !is_known(manifest, wish)) {
        let message = format!("the manifest has no {}", shown(unknown));
        return Err(Failure::other(
            message,
            "Names are case-sensitive; paths are as in the table.",
        ));
    }
    let mut rows = Vec::new();
    let mut stuck = Vec::new();
    let mut moving = Vec::new();
    let mut kept = 0;
    for place in manifest.places() {
        let action = match action_of(manifest, place, wishes) {
            Action::Move(why) => {
                if moving.len() == MAX_MOVING {
                    let message = format!("more than {MAX_MOVING} values look like secrets");
                    let hint = "Split the manifest: one group is for one application.";
                    return Err(Failure::other(message, hint));
                }
                let variable = manifest.variable(place);
                let from = wishes.from.iter().find(|(wish, _)| is_meant(manifest, place, wish));
                moving.push(Moving { place, variable, from: from.map(|(_, from)| from.as_str()) });
                format!("move ({why})")
            }
            Action::Stuck(why, reason) => {
                stuck.push(problem(path, manifest, place, format!("{why}; {reason}")));
                continue;
            }
            Action::Malformed(problem_of_it) => {
                stuck.push(problem(path, manifest, place, problem_of_it));
                continue;
            }
            Action::Keep(Some(remark)) => format!("keep ({remark})"),
            Action::Keep(None) if place.kind() == Kind::Variable => "keep".to_owned(),
            Action::Keep(None) => {
                kept += usize::from(place.kind() == Kind::Field);
                continue;
            }
        };
        let line = manifest.line(place).to_string();
        rows.push([manifest.variable(place), line, manifest.path(place), action]);
    }
    if !rows.is_empty() {
        tell(format_args!("{}\n", cut_table(&["Variable", "Line", "Path", "Action"], rows)));
    }
    tell(format_args!("{kept} other value(s) are kept: nothing suggests a secret.\n"));
    refuse(stuck)?;
    Ok(moving)
}

fn is_known(manifest: &Manifest<'_>, wish: &str) -> bool {
    manifest.places().iter().any(|place| is_meant(manifest, place, wish))
}

fn is_meant(manifest: &Manifest<'_>, place: &Place, wish: &str) -> bool {
    manifest.name_at(place) == wish
        || manifest.variable(place) == wish
        || manifest.path(place) == wish
}

fn problem(path: &str, manifest: &Manifest<'_>, place: &Place, problem: String) -> [String; 4] {
    let line = manifest.line(place);
    [format!("{path}:{line}"), manifest.variable(place), manifest.path(place), problem]
}

/// Nothing is created for a manifest that would still hold a secret, or a reference that the platform would
/// use as the value.
pub(crate) fn refuse(problems: Vec<[String; 4]>) -> Result<(), Failure> {
    if problems.is_empty() {
        return Ok(());
    }
    let message = format!(
        "nothing was created: {} place(s) of the manifest cannot stay as they are",
        problems.len()
    );
    tell(format_args!("{}\n", cut_table(&["Place", "Variable", "Path", "Problem"], problems)));
    Err(Failure::other(
        message,
        "Correct those places (a reference is tfy-secret://tenant:group:key), or leave one as it is with --not \
         PATH.",
    ))
}

/// The error if the value of this place cannot be replaced.
pub(crate) fn refuse_one(path: &str, manifest: &Manifest<'_>, moving: &Moving<'_>) -> Failure {
    let reason = "it cannot be replaced without changing something else";
    let problem = problem(path, manifest, moving.place, reason.to_owned());
    refuse(vec![problem])
        .err()
        .unwrap_or_else(|| Failure::other(reason, "Write the reference by hand."))
}

fn cut_table(header: &[&str], mut rows: Vec<[String; 4]>) -> String {
    let more = rows.len().saturating_sub(MAX_ROWS);
    rows.truncate(MAX_ROWS);
    let table = table(header, rows);
    if more == 0 { table } else { format!("{table}\nand {more} more") }
}

fn action_of(manifest: &Manifest<'_>, place: &Place, wishes: &Wishes) -> Action {
    let value = manifest.value(place);
    let is_meant = |wish: &String| is_meant(manifest, place, wish);
    if wishes.not.iter().any(is_meant) {
        return Action::Keep(Some("--not"));
    }
    if place.kind() == Kind::Key {
        let why = judge::is_leak(value);
        return why.map_or(Action::Keep(None), |why| stuck_or_move(place, why, PART));
    }
    match Reading::of(value) {
        Reading::Reference(_) => return Action::Keep(Some("already a reference")),
        Reading::Malformed(_) if is_template(value) => return Action::Keep(Some("has a template")),
        Reading::Malformed(problem) => return Action::Malformed(problem),
        Reading::Within | Reading::Other => {}
    }
    if wishes.from.keys().any(is_meant) {
        return stuck_or_move(place, "--from", "");
    }
    if wishes.also.iter().any(is_meant) {
        return stuck_or_move(place, "--also", "");
    }
    if let Some(problem) = malformed_within(value) {
        return Action::Malformed(problem);
    }
    let has_reference = matches!(Reading::of(value), Reading::Within);
    let by_value = judge("", value);
    let verdict = match place.within() {
        // Any text, since there is none to judge.
        Within::Other if place.is_collection() => judge(manifest.name_at(place), "text"),
        Within::SecretText | Within::SecretBase64 if by_value == Verdict::Elsewhere => by_value,
        Within::SecretText | Within::SecretBase64 if value.is_empty() && place.fixed.is_none() => {
            Verdict::Clear
        }
        Within::SecretText => Verdict::Secret("stands in a Kubernetes Secret"),
        Within::SecretBase64 => return Action::Stuck("stands in a Kubernetes Secret", BASE64),
        Within::Pointer => by_value,
        Within::Other if has_reference => by_value,
        Within::Other => judge(manifest.name_at(place), value),
    };
    match verdict {
        // A chart has many of them. A variable waits for its value.
        Verdict::Secret(_)
            if value.is_empty() && place.kind() == Kind::Field && place.fixed.is_none() =>
        {
            Action::Keep(Some("empty"))
        }
        Verdict::Secret(why) => stuck_or_move(place, why, ""),
        // A whole variable can be moved.
        Verdict::Inside(why) if place.kind() == Kind::Variable => stuck_or_move(place, why, ""),
        Verdict::Inside(why) => stuck_or_move(place, why, PART),
        Verdict::Elsewhere => Action::Keep(Some("points elsewhere")),
        Verdict::Clear if has_reference => Action::Keep(Some("has a reference in it")),
        Verdict::Clear
            if judge::is_in_collection(manifest.map_of(place), manifest.name_at(place), value) =>
        {
            stuck_or_move(place, "stands in a map of secrets", "")
        }
        Verdict::Clear => Action::Keep(None),
    }
}

fn stuck_or_move(place: &Place, why: &'static str, part: &'static str) -> Action {
    match place.fixed {
        Some(reason) => Action::Stuck(why, reason),
        None if !part.is_empty() => Action::Stuck(why, part),
        None => Action::Move(why),
    }
}

/// A reference whose parts are filled in later, by Helm for one.
fn is_template(value: &str) -> bool {
    SecretRef::parse(value).is_err_and(|problem| problem.reason() == ParseSecretRefReason::Template)
}

/// `Bearer tfy-secret://group/KEY`
fn malformed_within(value: &str) -> Option<String> {
    if !value.contains("tfy-secret:") {
        return None;
    }
    let mut problems =
        find_refs(value).filter_map(Result::err).map(|malformed| malformed.problem());
    let problem = problems.find(|problem| problem.reason() != ParseSecretRefReason::Template);
    problem.map(|problem| problem.to_string())
}

/// The variables, each of them once. A manifest can need one in several places, for the same value.
pub(crate) fn distinct<'a, 'b>(
    manifest: &Manifest<'_>,
    moving: &'b [Moving<'a>],
) -> Result<Vec<&'b Moving<'a>>, Failure> {
    let mut first: BTreeMap<&str, &Moving<'_>> = BTreeMap::new();
    let mut distinct = Vec::new();
    for one in moving {
        let Some(other) = first.get(one.variable.as_str()) else {
            first.insert(&one.variable, one);
            distinct.push(one);
            continue;
        };
        if manifest.value(one.place) != manifest.value(other.place) || one.from != other.from {
            return Err(Failure::other(
                format!(
                    "{} has different values in two places: {} (line {}) and {} (line {})",
                    shown(&one.variable),
                    shown(&manifest.path(other.place)),
                    manifest.line(other.place),
                    shown(&manifest.path(one.place)),
                    manifest.line(one.place)
                ),
                "Move one of them by itself, into another group: leave the other with --not PATH.",
            ));
        }
    }
    Ok(distinct)
}
