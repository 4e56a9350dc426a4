//! Lists every secret reference of a manifest and whether it exists. No value is read.
//!
//! ```sh
//! cargo run --example check_manifest -- manifest.yaml
//! helm template chart | cargo run --example check_manifest -- -
//! ```

mod support;

use std::process::ExitCode;

use support::{Args, Failure, MISSING, print, read_text, table};
use truefoundry_secrets::{FoundRef, MalformedRef, ParseSecretRefReason, find_refs};

const USAGE: &str = "\
Usage: check_manifest FILE

Lists each tfy-secret:// reference in FILE (- for stdin) with its line and column and whether the secret
exists. FILE can be any text: YAML, JSON, dotenv, Helm values. References in comments count. No value is read.

A reference with a template or a placeholder in it (${STAGE}, {{ .Values.key }}, <tenant>) is listed as not
checked: render the text first to check it.

The exit code is 1 if a reference is malformed or does not exist, else 0. What is not checked leaves it at 0.
";

const NOT_CHECKED: &str = "not checked: has a template";

#[tokio::main]
async fn main() -> ExitCode {
    support::run(check_manifest()).await
}

async fn check_manifest() -> Result<(), Failure> {
    let mut args = Args::from_env(USAGE, &[])?;
    let path = args.next("FILE")?;
    args.finish()?;
    let text = read_text(&path, "FILE")?;
    let found: Vec<_> = find_refs(&text).collect();
    if found.is_empty() {
        return print("There are no references.");
    }

    let references: Vec<_> = found.iter().flatten().map(FoundRef::reference).collect();
    let checked = if references.is_empty() {
        None
    } else {
        let connection = support::connect(&args).await?;
        Some(connection.client.check_refs(references).await?)
    };
    let (mut malformed, mut missing) = (0, 0);
    let rows = found.iter().map(|found| match found {
        Ok(found) => {
            let reference = found.reference();
            let exists = checked.as_ref().is_some_and(|checked| checked.exists(reference));
            missing += usize::from(!exists);
            let state = if exists { "exists" } else { MISSING };
            [place(found.line(), found.column()), reference.to_string(), state.to_owned()]
        }
        // Its text is not printed: the secret itself may stand there.
        Err(problem) => {
            let [what, state] = if is_template(problem) {
                ["(template)".to_owned(), NOT_CHECKED.to_owned()]
            } else {
                malformed += 1;
                ["(malformed)".to_owned(), problem.problem().to_string()]
            };
            [place(problem.line(), problem.column()), what, state]
        }
    });
    let table = table(&["Line:column", "Reference", "State"], rows);
    print(table)?;
    if malformed + missing == 0 {
        return Ok(());
    }
    Err(Failure::other(
        format!(
            "of {} reference(s) {missing} cannot be found and {malformed} are malformed",
            found.len()
        ),
        "Correct those places; `list_groups` and `inspect_secret` show what exists.",
    ))
}

fn place(line: usize, column: usize) -> String {
    format!("{line}:{column}")
}

fn is_template(problem: &MalformedRef) -> bool {
    problem.problem().reason() == ParseSecretRefReason::Template
}
