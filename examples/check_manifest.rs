//! Lists every secret reference of a manifest and whether it exists. No value is read.
//!
//! ```sh
//! cargo run --example check_manifest -- manifest.yaml
//! helm template chart | cargo run --example check_manifest -- - --output json
//! ```

mod support;

use std::process::ExitCode;

use serde_json::{Value, json};
use support::{Args, Failure, MISSING, print, print_exactly, read_text, table};
use truefoundry_secrets::{FoundRef, MalformedRef, ParseSecretRefReason, find_refs};

const USAGE: &str = "\
Usage: check_manifest FILE [--output table|json]

Lists each tfy-secret:// reference in FILE (- for stdin) with its line and column and whether the secret
exists. FILE can be any text: YAML, JSON, dotenv, Helm values. References in comments count. No value is read.

A reference with a template or a placeholder in it (${STAGE}, {{ .Values.key }}, <tenant>) is listed as not
checked: render the text first to check it.

  --output json  one object on stdout: references, each with line, column, reference (null if it is malformed or
                 a template), state (exists, missing, malformed, not_checked) and problem; and a count of each state

The exit code is 0 if all references exist; 1 if one is malformed or does not exist, or FILE cannot be read; 2 for
a usage error; 4 if the control plane cannot be queried: then the output is empty.
References that are not checked do not change the exit code.
";

/// The exit code if the control plane cannot be queried.
const NOT_ASKED: u8 = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Exists,
    Missing,
    Malformed,
    NotChecked,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::NotChecked => "not_checked",
        }
    }
}

struct Row {
    line: usize,
    column: usize,
    /// `None` if it is malformed or a template: it is not printed, since the text may be the secret
    /// itself.
    reference: Option<String>,
    state: State,
    problem: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    support::run(check_manifest()).await
}

async fn check_manifest() -> Result<(), Failure> {
    let mut args = Args::from_env(USAGE, &["output="])?;
    let as_json = match args.option("output")?.as_deref() {
        None | Some("table") => false,
        Some("json") => true,
        Some(_) => return Err(args.wrong("--output is table or json")),
    };
    let path = args.next("FILE")?;
    args.finish()?;
    let text = read_text(&path, "FILE")?;
    let found: Vec<_> = find_refs(&text).collect();

    let references: Vec<_> = found.iter().flatten().map(FoundRef::reference).collect();
    let checked = if references.is_empty() {
        None
    } else {
        let not_asked = |failure| Failure::WithCode(NOT_ASKED, Box::new(failure));
        let connection = support::connect(&args).await.map_err(not_asked)?;
        let checked = connection.client.check_refs(references).await;
        Some(checked.map_err(|error| not_asked(error.into()))?)
    };
    let exists = |found: &FoundRef| {
        checked.as_ref().is_some_and(|checked| checked.exists(found.reference()))
    };
    let rows: Vec<_> = found
        .iter()
        .map(|found| match found {
            Ok(found) => row_of(found, exists(found)),
            Err(problem) => row_of_problem(problem),
        })
        .collect();
    if as_json {
        print_exactly(&format!("{:#}\n", json_of(&rows)))?;
    } else if rows.is_empty() {
        print("There are no references.")?;
    } else {
        print(table_of(&rows))?;
    }
    let (missing, malformed) = (count(&rows, State::Missing), count(&rows, State::Malformed));
    if malformed + missing == 0 {
        return Ok(());
    }
    Err(Failure::other(
        format!(
            "of {} reference(s) {missing} cannot be found and {malformed} are malformed",
            rows.len()
        ),
        "Correct those places; `list_groups` and `inspect_secret` show what exists.",
    ))
}

fn row_of(found: &FoundRef, exists: bool) -> Row {
    Row {
        line: found.line(),
        column: found.column(),
        reference: Some(found.reference().to_string()),
        state: if exists { State::Exists } else { State::Missing },
        problem: (!exists).then(|| MISSING.to_owned()),
    }
}

fn row_of_problem(found: &MalformedRef) -> Row {
    let problem = found.problem();
    let is_template = problem.reason() == ParseSecretRefReason::Template;
    Row {
        line: found.line(),
        column: found.column(),
        reference: None,
        state: if is_template { State::NotChecked } else { State::Malformed },
        problem: Some(if is_template { "has a template".to_owned() } else { problem.to_string() }),
    }
}

fn count(rows: &[Row], state: State) -> usize {
    rows.iter().filter(|row| row.state == state).count()
}

fn table_of(rows: &[Row]) -> String {
    let rows = rows.iter().map(|row| {
        let problem = row.problem.clone().unwrap_or_default();
        let [what, state] = match row.state {
            State::Exists => ["", "exists"].map(str::to_owned),
            State::NotChecked => ["(template)".to_owned(), format!("not checked: {problem}")],
            State::Missing | State::Malformed => ["(malformed)".to_owned(), problem],
        };
        let what = row.reference.clone().unwrap_or(what);
        [format!("{}:{}", row.line, row.column), what, state]
    });
    table(&["Line:column", "Reference", "State"], rows)
}

fn json_of(rows: &[Row]) -> Value {
    let references: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "line": row.line,
                "column": row.column,
                "reference": row.reference,
                "state": row.state.name(),
                "problem": row.problem,
            })
        })
        .collect();
    json!({
        "references": references,
        "exists": count(rows, State::Exists),
        "missing": count(rows, State::Missing),
        "malformed": count(rows, State::Malformed),
        "not_checked": count(rows, State::NotChecked),
    })
}
