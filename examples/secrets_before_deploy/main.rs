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
mod manifest;
mod sensitive;
#[path = "../support/mod.rs"]
mod support;

use std::collections::{HashMap, HashSet};
use std::process::ExitCode;

use actions::{Wishes, distinct_names};
use manifest::{Entry, Manifest, Refusal};
use support::{
    Args, Asked, Change, Connection, Consent, Failure, KeyFromEnv, OutFile, describe, read_text,
    shown, tell,
};
use truefoundry_secrets::{Ensured, Error, NewSecretGroup, SecretGroup, SecretRef, SecretStore};

const USAGE: &str = "\
Usage: secrets_before_deploy MANIFEST [--out FILE] [--group NAME] [--store aws|azure|gcp|vault|ID]
                             [--also NAME]... [--not NAME]... [--from NAME:VARIABLE]... [--yes]

Finds the variables in the manifest's env that hold secrets, puts them into a secret group and writes the
manifest with references in their places. The secrets' values are read from environment variables of the
same names, never from the manifest. Keys that the group has already keep their values, so equal runs end
equally.

  --out FILE            write the manifest to this file, which stays as it is if anything fails; default:
                        stdout
  --group NAME          the group; default: the manifest's name and -secrets
  --store               where to create it; needed if several stores are connected
  --also NAME           move this variable, too
  --not NAME            leave this variable as it is
  --from NAME:VARIABLE  move this variable, with the value of the environment variable VARIABLE; needed for
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
    let names = distinct_names(&moving)?;
    let file = out.as_deref().map(|out| OutFile::new(out, &path)).transpose()?;
    if moving.is_empty() {
        tell("No variable is to be moved: the manifest is written as it is.\n");
        write(file, &text)?;
        next_step(out.as_deref());
        return Ok(());
    }
    let by_default = || manifest.name().map(|name| format!("{name}-secrets"));
    let Some(group) = group.or_else(by_default) else {
        let message = "the manifest has no name: give the group's with --group NAME";
        return Err(Failure::Usage(message.to_owned()));
    };

    let connection = support::connect(&args).await?;
    let store = support::choose_store(&connection, store.as_deref()).await?;
    let asked: Vec<_> = names
        .iter()
        .map(|name| Asked {
            key: name,
            variable: wishes.from.get(*name).map(String::as_str),
            flexible: true,
        })
        .collect();
    let way_out = "Name the variable that holds the secret with --from NAME:VARIABLE, or leave it in the \
                   manifest with --not NAME.";
    let keys = support::read_keys(&asked, store.kind(), way_out)?;
    // Once before anything is created: a manifest that cannot be written needs no group.
    let tenant = store.tenant_name().unwrap_or("tenant");
    let rehearsal = references(&keys, |key| {
        SecretRef::new(tenant, &group, key)
            .map_err(|error| Failure::other(error.to_string(), "Choose another name with --group."))
    })?;
    rewrite(&manifest, &moving, &rehearsal)?;
    let stored_as: Vec<_> =
        keys.iter().map(|key| (key.asked().to_owned(), key.key.clone())).collect();
    let group = Box::pin(ensure(&connection, &store, &group, keys, consent)).await?;

    let mut actual = HashMap::new();
    for (name, key) in stored_as {
        actual.insert(name, group.reference(&key)?.to_string());
    }
    let output = rewrite(&manifest, &moving, &actual)?;
    warn_of_leftovers(&moving, &output);
    write(file, &output).inspect_err(|_| {
        tell("The group is complete, but the manifest is not: run this again, which changes nothing else.");
    })?;
    next_step(out.as_deref());
    if connection.is_fake() {
        tell("\n(The group was created in the fake only: set TFY_BASE_URL and TFY_API_KEY first.)");
    }
    Ok(())
}

/// What `--from` says.
fn sources(args: &Args) -> Result<HashMap<String, String>, Failure> {
    let mut sources = HashMap::new();
    for (number, given) in args.options("from").iter().enumerate() {
        let parts = given.split_once(':').filter(|(name, variable)| {
            let is_safe = !support::may_be_a_value(variable, variable);
            !name.is_empty() && support::is_variable_name(variable) && is_safe
        });
        let Some((name, variable)) = parts else {
            let message = "is not NAME:VARIABLE with a variable that is set";
            return Err(args.wrong(&format!("--from #{} {message}", number + 1)));
        };
        if sources.insert(name.to_owned(), variable.to_owned()).is_some() {
            return Err(args.wrong(&format!("--from #{} names a variable again", number + 1)));
        }
    }
    Ok(sources)
}

/// The group with at least these keys. What it has already is left untouched, and nothing is asked if it has
/// them all.
async fn ensure(
    connection: &Connection,
    store: &SecretStore,
    name: &str,
    keys: Vec<KeyFromEnv>,
    consent: Consent,
) -> Result<SecretGroup, Failure> {
    let client = &connection.client;
    let existing = match client.secret_groups().get_by_name(name).await {
        Ok(group) => Some(group),
        Err(Error::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let present: HashSet<String> = match &existing {
        Some(group) => support::secrets_of(client, group)
            .await?
            .iter()
            .filter_map(|secret| secret.key().map(str::to_owned))
            .collect(),
        None => HashSet::new(),
    };
    let kept: Vec<_> = keys.iter().map(|key| &key.key).filter(|k| present.contains(*k)).collect();
    let note = format!(
        "{} has these keys already, and they keep their values (`update_group` sets new ones): {}",
        shown(name),
        kept.iter().map(|key| shown(key)).collect::<Vec<_>>().join(", ")
    );
    if let Some(group) = existing.as_ref().filter(|_| kept.len() == keys.len()) {
        tell(format_args!("{note}\n"));
        return Ok(group.clone());
    }
    let mut details = vec![format!("store: {}", shown(&describe(store))), String::new()];
    details.extend(support::mapping_lines(&keys, store.kind()));
    if !kept.is_empty() {
        details.push(note);
    }
    let action =
        if existing.is_some() { "Add keys to a secret group" } else { "Create a secret group" };
    let new = NewSecretGroup::new(name, store);
    let new = keys.into_iter().fold(new, |new, key| new.secret(key.key, key.value));
    new.check()?;
    support::confirm(connection, &Change { action, group: name, details }, consent)?;

    let ensured = client.secret_groups().ensure(new).await.inspect_err(|error| {
        if error.may_have_been_applied() {
            tell("The group may have been changed. Running this again completes it.");
        }
    })?;
    let id = ensured.group().id();
    match &ensured {
        Ensured::Created(_) => tell(format_args!("Created {} (ID {id}).\n", shown(name))),
        _ => tell(format_args!("{} (ID {id}) has all keys.\n", shown(name))),
    }
    Ok(ensured.into_group())
}

/// To the file, else to stdout.
fn write(file: Option<OutFile>, text: &str) -> Result<(), Failure> {
    file.map_or_else(|| support::print_exactly(text), |file| file.write(text))
}

/// The references by the variables' names.
fn references(
    keys: &[KeyFromEnv],
    reference: impl Fn(&str) -> Result<SecretRef, Failure>,
) -> Result<HashMap<String, String>, Failure> {
    keys.iter().map(|key| Ok((key.asked().to_owned(), reference(&key.key)?.to_string()))).collect()
}

fn rewrite(
    manifest: &Manifest<'_>,
    moving: &[&Entry],
    references: &HashMap<String, String>,
) -> Result<String, Failure> {
    let changes: Vec<(&Entry, &str)> = moving
        .iter()
        .filter_map(|entry| Some((*entry, references.get(&entry.name)?.as_str())))
        .collect();
    manifest.replace(&changes).map_err(refused)
}

/// A value that was moved may stand in a comment, or in another field.
fn warn_of_leftovers(moving: &[&Entry], output: &str) {
    for entry in moving {
        let value = entry.text();
        // Shorter ones occur by chance.
        if value.len() < 8 {
            continue;
        }
        if let Some(line) = output.lines().position(|line| line.contains(value)) {
            tell(format_args!(
                "warning: what was the value of {} still stands in line {} of the output",
                shown(&entry.name),
                line + 1
            ));
        }
    }
    if moving.iter().any(|entry| !entry.text().is_empty()) {
        tell(
            "Values that stood in the manifest were not used. If such a file was shared or committed,\n\
             change those secrets.",
        );
    }
}

fn next_step(out: Option<&str>) {
    match out {
        Some(out) => tell(format_args!("\nNext: deploy it:\n\n    tfy apply -f {}", shown(out))),
        None => tell(
            "\nNext: save what is on stdout as a file (or use --out FILE) and deploy it:\n\n    \
             tfy apply -f FILE",
        ),
    }
}

fn refused(Refusal(reason): Refusal) -> Failure {
    Failure::other(
        format!("the manifest is not changed: {reason}"),
        "Correct that place, or write the references by hand (tfy-secret://tenant:group:key).",
    )
}
