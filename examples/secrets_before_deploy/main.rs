//! Moves the secrets of a deployment manifest into a secret group, before it is deployed.
//!
//! ```sh
//! export DB_PASSWORD API_KEY   # set them first, without leaving them in the shell's history
//! cargo run --example secrets_before_deploy -- examples/secrets_before_deploy/app.yaml --store aws \
//!     > app.deploy.yaml
//! tfy apply -f app.deploy.yaml
//! ```
//!
//! The manifest with references goes to stdout, everything else to stderr.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people prints")]

mod manifest;
mod sensitive;
#[path = "../support/mod.rs"]
mod support;

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;

use manifest::{Entry, Manifest, Refusal, Value};
use sensitive::why_sensitive;
use support::{
    Args, Asked, Change, Consent, Failure, KeyFromEnv, describe, shown, table, variable_for,
};
use truefoundry_secrets::{Error, NewSecretGroup, SecretRef};

const SCHEME: &str = "tfy-secret://";

const USAGE: &str = "\
Usage: secrets_before_deploy MANIFEST [--group NAME] [--store aws|azure|gcp|vault|ID]
                             [--also NAME]... [--not NAME]... [--yes]

Finds the variables in the manifest's env that hold secrets, creates a secret group for them and prints the
manifest with references in their places. The secrets' values are read from environment variables of the
same names, never from the manifest.

  --group NAME   the group to create; default: the manifest's name and -secrets
  --store        where to keep it; needed where several stores are connected
  --also NAME    move this variable, too
  --not NAME     leave this variable as it is
  --yes          create the group without asking
";

#[tokio::main]
async fn main() -> ExitCode {
    support::run(secrets_before_deploy()).await
}

/// What becomes of a variable.
enum Fate {
    Moves(&'static str),
    IsReference,
    Stays,
}

async fn secrets_before_deploy() -> Result<(), Failure> {
    let mut args = Args::from_env(USAGE)?;
    let group = args.option("--group")?;
    let store = args.option("--store")?;
    let also = args.options("--also")?;
    let not = args.options("--not")?;
    let consent = Consent::from_flag(args.flag("--yes"));
    let path = args.next("MANIFEST")?;
    args.finish()?;

    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::other(
            format!("the manifest cannot be read: {error}"),
            "Give the path of a YAML or JSON file as the first argument.",
        )
    })?;
    let manifest = Manifest::parse(&text).map_err(refused)?;
    let mut fates = Vec::new();
    for entry in manifest.entries() {
        fates.push((entry, fate(entry, &also, &not)?));
    }
    if let Some(unknown) = also.iter().chain(&not).find(|name| !has_entry(&manifest, name)) {
        let message = format!("env has no {}", shown(unknown));
        return Err(Failure::other(message, "Upper and lower case count."));
    }
    if fates.is_empty() {
        eprintln!("The manifest has no variables in a map named env.");
    } else {
        show_fates(&fates);
    }
    let moving: Vec<&Entry> =
        fates.iter().filter(|(_, fate)| matches!(fate, Fate::Moves(_))).map(|(e, _)| *e).collect();
    if moving.is_empty() {
        eprintln!("No variable is to be moved: the manifest is printed as it is.\n");
        support::print_exactly(&text)?;
        next_step();
        return Ok(());
    }
    let names = distinct_names(&moving)?;
    let by_default = || manifest.name().map(|name| format!("{name}-secrets"));
    let Some(group) = group.or_else(by_default) else {
        let message = "the manifest has no name: give the group's with --group NAME";
        return Err(Failure::Usage(message.to_owned()));
    };

    let connection = support::connect().await?;
    let store = support::choose_store(&connection, store.as_deref()).await?;
    let asked: Vec<_> = names
        .iter()
        .map(|name| Asked { key: name, variable: variable_for(name), flexible: true })
        .collect();
    let keys = support::read_keys(&asked, store.kind())?;
    // Once before anything is created: a manifest that cannot be written needs no group.
    let tenant = store.tenant_name().unwrap_or("tenant");
    let rehearsal = references(&keys, |key| {
        SecretRef::new(tenant, &group, key)
            .map_err(|error| Failure::other(error.to_string(), "Choose another name with --group."))
    })?;
    rewrite(&manifest, &moving, &rehearsal)?;

    let mut details = vec![format!("store: {}", shown(&describe(&store))), String::new()];
    details.extend(support::mapping_lines(&keys, store.kind()));
    let change = Change { action: "Create a secret group", group: &group, details };
    support::confirm(&connection, &change, consent)?;
    let stored_as: Vec<_> =
        keys.iter().map(|key| (key.asked().to_owned(), key.key.clone())).collect();
    let new = keys
        .into_iter()
        .fold(NewSecretGroup::new(&group, &store), |new, key| new.secret(key.key, key.value));
    let created = connection.client.secret_groups().create(new).await.inspect_err(|error| {
        if Error::may_have_been_applied(error) {
            eprintln!("The group may have been created: look with `list_groups`.");
        }
    })?;
    eprintln!("Created {} (ID {}).\n", shown(&group), created.id());

    let mut actual = HashMap::new();
    for (name, key) in stored_as {
        actual.insert(name, created.reference(&key)?.to_string());
    }
    let output = rewrite(&manifest, &moving, &actual)?;
    warn_of_leftovers(&moving, &output);
    support::print_exactly(&output)?;
    next_step();
    if connection.is_fake() {
        eprintln!(
            "\n(The group was created in the fake only: set TFY_BASE_URL and TFY_API_KEY first.)"
        );
    }
    Ok(())
}

fn fate(entry: &Entry, also: &[String], not: &[String]) -> Result<Fate, Failure> {
    let named = |names: &[String]| names.contains(&entry.name);
    let value = match &entry.value {
        Value::Text(value) => value.as_str(),
        Value::Unclear(_) => "",
    };
    if value.starts_with(SCHEME) {
        if SecretRef::parse(value).is_err() {
            let line = entry.line;
            eprintln!("warning: {} at line {line} is a malformed reference", shown(&entry.name));
        }
        return Ok(Fate::IsReference);
    }
    if named(not) {
        return Ok(Fate::Stays);
    }
    let why = if named(also) { Some("--also") } else { why_sensitive(&entry.name, value) };
    match (why, &entry.value) {
        (None, _) => Ok(Fate::Stays),
        (Some(why), Value::Text(_)) => Ok(Fate::Moves(why)),
        (Some(_), Value::Unclear(reason)) => Err(Failure::other(
            format!("{} at line {} cannot be moved: {reason}", shown(&entry.name), entry.line),
            "Write its value out there, or leave it with --not NAME.",
        )),
    }
}

fn has_entry(manifest: &Manifest<'_>, name: &str) -> bool {
    manifest.entries().iter().any(|entry| entry.name == name)
}

fn show_fates(fates: &[(&Entry, Fate)]) {
    let rows = fates.iter().map(|(entry, fate)| {
        let fate = match fate {
            Fate::Moves(why) => format!("moves: {why}"),
            Fate::IsReference => "is a reference already".to_owned(),
            Fate::Stays => "stays".to_owned(),
        };
        [entry.name.clone(), entry.line.to_string(), fate]
    });
    eprintln!("{}\n", table(&["Variable", "Line", "What becomes of it"], rows));
}

/// A manifest of several components can have a name twice; one secret stands for both of them.
fn distinct_names<'a>(moving: &[&'a Entry]) -> Result<Vec<&'a str>, Failure> {
    let mut values: BTreeMap<&str, &Value> = BTreeMap::new();
    let mut names = Vec::new();
    for entry in moving {
        match (values.insert(&entry.name, &entry.value), &entry.value) {
            (None, _) => names.push(entry.name.as_str()),
            (Some(Value::Text(one)), Value::Text(other)) if one == other => {}
            _ => {
                return Err(Failure::other(
                    format!("{} has different values in two places", shown(&entry.name)),
                    "Move one of them by itself: split the manifest, or rename the variable.",
                ));
            }
        }
    }
    Ok(names)
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
        let Value::Text(value) = &entry.value else { continue };
        // Shorter ones occur by chance.
        if value.len() < 8 {
            continue;
        }
        if let Some(line) = output.lines().position(|line| line.contains(value.as_str())) {
            eprintln!(
                "warning: what was the value of {} still stands in line {} of the output",
                shown(&entry.name),
                line + 1
            );
        }
    }
    let in_clear =
        moving.iter().any(|entry| matches!(&entry.value, Value::Text(v) if !v.is_empty()));
    if in_clear {
        eprintln!(
            "Values that stood in the manifest were not used. Where such a file was shared or committed,\n\
             change those secrets."
        );
    }
}

fn next_step() {
    eprintln!(
        "\nNext: save what is on stdout as a file (`… > manifest.yaml`, not over the one that was read),\n\
         and deploy it:\n\n    tfy apply -f manifest.yaml"
    );
}

fn refused(Refusal(reason): Refusal) -> Failure {
    Failure::other(
        format!("the manifest is not changed: {reason}"),
        "Correct that place, or write the references by hand (tfy-secret://tenant:group:key).",
    )
}
