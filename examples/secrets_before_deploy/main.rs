//! Moves the secrets of a deployment manifest into a secret group, before it is deployed.
//!
//! ```sh
//! export DB_PASSWORD API_KEY   # set them first, without leaving them in the shell's history
//! cargo run --example secrets_before_deploy -- examples/secrets_before_deploy/app.yaml --store aws \
//!     --out app.deploy.yaml &&
//!     tfy apply -f app.deploy.yaml
//! ```
//!
//! The manifest with references goes to the file of `--out`, else to stdout; everything else to stderr.

mod actions;
mod group;
mod judge;
mod manifest;
mod report;
#[path = "../support/mod.rs"]
mod support;

use std::collections::HashMap;
use std::process::ExitCode;

use actions::{Moving, Wishes};
use manifest::{Manifest, Place, Refusal};
use support::{Args, Asked, Consent, Failure, OutFile, read_text, tell};
use truefoundry_secrets::SecretRef;

const USAGE: &str = "\
Usage: secrets_before_deploy MANIFEST [--out FILE] [--group NAME] [--store aws|azure|gcp|vault|ID]
                             [--also PLACE]... [--not PLACE]... [--from PLACE:VARIABLE]... [--yes]

Finds the secrets in the manifest, wherever they stand, puts them into a secret group and writes the manifest
with references in their places. The secrets' values are read from environment variables, never from the
manifest: from those of the same names, and for a value that is not a variable from one that is named after its
path (SPEC_AUTH_PASSWORD for spec.auth.password). Keys that the group already has keep their values, so running it
again changes nothing.

Values that already refer to another place (tfy-secret://, ${k8s-secret/..}, valueFrom, a template) stay. If a
secret is found that cannot be moved, such as one within a longer text, it is named with its line and path, and
nothing is created.

  --out FILE            write the manifest to this file, which stays as it is if anything fails; default:
                        stdout
  --group NAME          the group; default: the manifest's name and -secrets
  --store               where to create it; needed if several stores are connected
  --also PLACE          move this value, too; a place is a name, a variable or a path
  --not PLACE           leave this value as it is
  --from PLACE:VARIABLE move this value, with the value of the environment variable VARIABLE; needed for
                        names that mean something else in nearly every environment (TFY_API_KEY, PATH, HOME)
  --yes                 change the group without asking
";

#[tokio::main]
async fn main() -> ExitCode {
    support::run(secrets_before_deploy()).await
}

async fn secrets_before_deploy() -> Result<(), Failure> {
    let known = ["out=", "group=", "store=", "also=", "not=", "from=", "yes"];
    let mut args = Args::from_env(USAGE, &known)?;
    let out = args.option("out")?;
    let group = args.option("group")?;
    let store = args.option("store")?;
    let wishes =
        Wishes { also: args.options("also"), not: args.options("not"), from: sources(&args)? };
    let consent = Consent::from_flag(args.flag("yes"));
    let path = args.next("MANIFEST")?;
    args.finish()?;

    let text = read_text(&path, "MANIFEST")?;
    let manifest = Manifest::parse(&text).map_err(refused)?;
    let moving = actions::moving(&path, &manifest, &wishes)?;
    let distinct = actions::distinct(&manifest, &moving)?;
    let file = out.as_deref().map(|out| OutFile::new(out, &path)).transpose()?;
    if moving.is_empty() {
        tell("No value needs to be moved: the manifest is written unchanged.\n");
        let warned = report::warn_of_leftovers(&manifest, &distinct, &manifest);
        write(file, &text)?;
        report::next_step(out.as_deref(), warned);
        return Ok(());
    }
    let by_default = || manifest.name().map(|name| format!("{name}-secrets"));
    let Some(group) = group.or_else(by_default) else {
        let message = "the manifest has no name: give the group's with --group NAME";
        return Err(Failure::Usage(message.to_owned()));
    };

    let connection = support::connect(&args).await?;
    let store = support::choose_store(&connection, store.as_deref()).await?;
    let asked: Vec<_> = distinct
        .iter()
        .map(|one| Asked { key: &one.variable, variable: one.from, flexible: true })
        .collect();
    let way_out = "Name the variable that holds the secret with --from NAME:VARIABLE, or leave it in the \
                   manifest with --not NAME.";
    let keys = support::read_keys(&asked, store.kind(), way_out)?;
    // Tried once before anything is created: a manifest that cannot be written needs no group.
    let tenant = store.tenant_name().unwrap_or("tenant");
    let mut rehearsal = HashMap::new();
    for key in &keys {
        let reference = SecretRef::new(tenant, &group, &key.key).map_err(|error| {
            Failure::other(error.to_string(), "Choose another name with --group.")
        })?;
        rehearsal.insert(key.asked().to_owned(), reference.to_string());
    }
    rewrite(&path, &manifest, &moving, &rehearsal)?;
    let stored_as: Vec<_> =
        keys.iter().map(|key| (key.asked().to_owned(), key.key.clone())).collect();
    let notes = report::notes(&manifest, &distinct, &keys);
    let ensured = group::ensure(&connection, &store, &group, keys, notes, consent);
    let group = Box::pin(ensured).await?;

    let mut actual = HashMap::new();
    for (variable, key) in stored_as {
        actual.insert(variable, group.reference(&key)?.to_string());
    }
    let output = rewrite(&path, &manifest, &moving, &actual)?;
    if moving.iter().any(|one| !manifest.value(one.place).is_empty()) {
        tell(
            "Values that stood in the manifest were not used. If such a file was shared or committed,\n\
             change those secrets.",
        );
    }
    let after = Manifest::parse(&output).map_err(refused)?;
    let warned = report::warn_of_leftovers(&manifest, &distinct, &after);
    write(file, &output).inspect_err(|_| {
        tell("The group is complete, but the manifest is not: run this again, which changes nothing else.");
    })?;
    report::next_step(out.as_deref(), warned);
    if connection.is_fake() {
        tell("\n(The group was created in the fake only: set TFY_BASE_URL and TFY_API_KEY first.)");
    }
    Ok(())
}

/// What `--from` says.
fn sources(args: &Args) -> Result<HashMap<String, String>, Failure> {
    let mut sources = HashMap::new();
    for (number, given) in args.options("from").iter().enumerate() {
        let parts = given.rsplit_once(':').filter(|(place, variable)| {
            let is_safe = !support::may_be_a_value(variable, variable);
            !place.is_empty() && support::is_variable_name(variable) && is_safe
        });
        let Some((place, variable)) = parts else {
            let message = "is not PLACE:VARIABLE with a variable that is set";
            return Err(args.wrong(&format!("--from #{} {message}", number + 1)));
        };
        if sources.insert(place.to_owned(), variable.to_owned()).is_some() {
            return Err(args.wrong(&format!("--from #{} repeats a place", number + 1)));
        }
    }
    Ok(sources)
}

/// To the file, else to stdout.
fn write(file: Option<OutFile>, text: &str) -> Result<(), Failure> {
    file.map_or_else(|| support::print_exactly(text), |file| file.write(text))
}

/// The manifest with these references, which are given by variable.
fn rewrite(
    path: &str,
    manifest: &Manifest<'_>,
    moving: &[Moving<'_>],
    references: &HashMap<String, String>,
) -> Result<String, Failure> {
    let mut changes: Vec<(&Place, &str)> = Vec::new();
    for one in moving {
        changes.extend(references.get(&one.variable).map(|new| (one.place, new.as_str())));
    }
    manifest.replace(&changes).map_err(|refusal| {
        // The first one with which it fails.
        let (mut good, mut bad) = (0, changes.len());
        while good + 1 < bad {
            let middle = usize::midpoint(good, bad);
            let part = changes.get(..middle).unwrap_or_default();
            if manifest.replace(part).is_ok() { good = middle } else { bad = middle }
        }
        moving
            .get(good)
            .map_or_else(|| refused(refusal), |one| actions::refuse_one(path, manifest, one))
    })
}

fn refused(Refusal(reason): Refusal) -> Failure {
    Failure::other(
        format!("the manifest is not changed: {reason}"),
        "Correct that place, and render a template (helm template) first; or write the references by hand \
         (tfy-secret://tenant:group:key).",
    )
}
