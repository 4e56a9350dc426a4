//! Brings a secret group to what a dotenv file says. A second run changes nothing.
//!
//! ```sh
//! cargo run --example sync_env -- prod-secrets .env --plan
//! cargo run --example sync_env -- prod-secrets .env --store aws --prune --yes --output json
//! ```

mod support;

use std::process::ExitCode;

use serde_json::Value;
use support::{Args, Change, Consent, Failure, print, print_json, read_text, shown, tell};
use truefoundry_secrets::{EditPlan, Error, SecretMap, SecretValue};

const USAGE: &str = "\
Usage: sync_env GROUP FILE [--store aws|azure|gcp|vault|ID] [--prune] [--prune-most] [--plan]
                [--output json] [--yes]

Sets every variable of the dotenv FILE (- for stdin) as a key of GROUP. Values that are equal already are
neither written nor shown. All other keys stay, unless --prune is given.

  --store        where to create GROUP if it does not exist; without it that is an error
  --prune        remove the keys that FILE does not have
  --prune-most   with --prune and --yes: also if that is more than half of all keys, which otherwise needs
                 a second confirmation
  --plan         only show what would change
  --output json  one JSON object on stdout, with names and no values; \"applied\" says whether it was done
  --yes          change the group without asking
";

#[tokio::main]
async fn main() -> ExitCode {
    support::run(sync_env()).await
}

async fn sync_env() -> Result<(), Failure> {
    let known = ["store=", "prune", "prune-most", "plan", "output=", "yes"];
    let mut args = Args::from_env(USAGE, &known)?;
    let store = args.option("store")?;
    let as_json = match args.option("output")?.as_deref() {
        None => false,
        Some("json") => true,
        Some(_) => return Err(args.wrong("--output must be json")),
    };
    let (prune, prune_most) = (args.flag("prune"), args.flag("prune-most"));
    let (only_plan, yes) = (args.flag("plan"), args.flag("yes"));
    let (group, path) = (args.next("GROUP")?, args.next("FILE")?);
    args.finish()?;
    let text = SecretValue::from(read_text(&path, "FILE")?);
    let desired = SecretMap::from_dotenv(text.expose_secret())?;

    let connection = support::connect(&args).await?;
    let mut sync = connection.client.secret_groups().sync(&group, desired);
    if let Some(choice) = store {
        sync = sync.create_in(&support::choose_store(&connection, Some(&choice)).await?);
    }
    if prune {
        sync = sync.remove_unlisted();
    }
    let plan = sync.plan().await?;
    let (line, mut report) = (plan.to_string(), json_of(&plan));
    let applies = !plan.is_empty() && !only_plan;
    if applies {
        let consent = Consent::from_flag(yes);
        let details = vec![format!("plan:  {line}")];
        let change = Change { action: "Sync a secret group", group: &group, details };
        support::confirm(&connection, &change, consent)?;
        if removes_most(&plan) {
            confirm_removals(&connection, &group, &plan, yes, prune_most)?;
        }
        plan.apply().await.inspect_err(|error| {
            if Error::may_have_been_applied(error) {
                tell("The group may have been changed. Running this again completes it.");
            }
        })?;
    }
    if !as_json {
        return print(line);
    }
    if let Value::Object(report) = &mut report {
        report.insert("applied".to_owned(), applies.into());
    }
    print_json(&report)
}

fn json_of(plan: &EditPlan) -> Value {
    // Lists of texts and a flag: nothing can fail.
    serde_json::to_value(plan).unwrap_or_default()
}

/// Whether it is more likely that the file is wrong than that this is meant.
fn removes_most(plan: &EditPlan) -> bool {
    plan.removed().len() > plan.rotated().len() + plan.kept().len()
}

fn confirm_removals(
    connection: &support::Connection,
    group: &str,
    plan: &EditPlan,
    yes: bool,
    prune_most: bool,
) -> Result<(), Failure> {
    if prune_most {
        return Ok(());
    }
    let removed = plan.removed().len();
    let all = removed + plan.rotated().len() + plan.kept().len();
    let what = format!("{removed} of {all} keys would be removed with all their versions");
    if yes {
        return Err(Failure::NotConfirmed(format!(
            "Nothing was changed: {what}. Is it the right file? Then add --prune-most."
        )));
    }
    let keys = plan.removed().iter().map(|key| format!("- {}", shown(key)));
    let details = std::iter::once(what).chain(keys).collect();
    let change = Change { action: "Remove more than half of a secret group", group, details };
    support::confirm(connection, &change, Consent::Ask)
}
