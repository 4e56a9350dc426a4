//! Copies a secret group to another store, and rewrites a manifest to the copy.
//!
//! ```sh
//! cargo run --example copy_group -- prod-secrets prod-az --store azure --manifest app.yaml --out app.az.yaml
//! ```
//!
//! The manifest goes to the file of `--out`, else to stdout; everything else to stderr.

mod support;

use std::collections::HashMap;
use std::process::ExitCode;

use support::{
    Args, Change, Consent, Failure, OutFile, describe, print_exactly, read_text, shown, table, tell,
};
use truefoundry_secrets::{
    Error, SecretGroup, SecretRef, SecretStoreKind, find_refs, rewrite_refs,
};

const USAGE: &str = "\
Usage: copy_group FROM TO [--store aws|azure|gcp|vault|ID] [--manifest FILE [--out FILE]] [--yes]

Copies the values of the group FROM to the group TO, which is created in the store if it does not exist.
Keys that the store does not accept get a name near theirs, which is shown first. Keys that TO has in
addition stay; running it again changes nothing.

  --store          where to create TO; needed if several stores are connected
  --manifest FILE  then write FILE with its references to FROM replaced by those to TO
  --out FILE       write it to this file, which stays as it is if anything fails; default: stdout
  --yes            change the group without asking
";

#[tokio::main]
async fn main() -> ExitCode {
    support::run(copy_group()).await
}

async fn copy_group() -> Result<(), Failure> {
    let mut args = Args::from_env(USAGE, &["store=", "manifest=", "out=", "yes"])?;
    let (store, path, out) = (args.option("store")?, args.option("manifest")?, args.option("out")?);
    let consent = Consent::from_flag(args.flag("yes"));
    let (from, to) = (args.next("FROM")?, args.next("TO")?);
    if from == to {
        return Err(args.wrong("FROM and TO are the same group"));
    }
    let manifest = path.as_deref().map(|path| read_text(path, "FILE")).transpose()?;
    let file = match (&out, &path) {
        (Some(out), Some(path)) => Some(OutFile::new(out, path)?),
        (Some(_), None) => return Err(args.wrong("--out is for --manifest")),
        (None, _) => None,
    };
    args.finish()?;

    let connection = support::connect(&args).await?;
    let client = &connection.client;
    let store = support::choose_store(&connection, store.as_deref()).await?;
    let kind = store.kind().unwrap_or(&SecretStoreKind::Generic);
    let from = client.secret_groups().get_by_name(&from).await?;
    let values = client.resolve_group_by_id(from.id()).await?;
    let names: Vec<(String, String)> =
        values.renames(kind)?.into_iter().map(|(old, new)| (old.to_owned(), new)).collect();
    if let Some(manifest) = &manifest {
        // Before anything is created.
        let rehearsal = moved(&from, &names, |key| Ok(SecretRef::new("tenant", &to, key)?))?;
        rewrite(manifest, &rehearsal)?;
    }

    let sync = client.secret_groups().sync(&to, values.renamed_for(kind)?).create_in(&store);
    let plan = sync.plan().await?;
    let is_in_another = |to: &SecretGroup| to.integration_id().is_some_and(|id| id != store.id());
    if plan.group().is_some_and(is_in_another) {
        return Err(Failure::other(
            format!("{} is in another store, which may not accept these keys", shown(&to)),
            "Choose the store that it is in with --store, or another name.",
        ));
    }
    let mut details =
        vec![format!("store: {}", shown(&describe(&store))), format!("plan:  {plan}")];
    let renamed: Vec<_> = names.iter().filter(|(old, new)| old != new).collect();
    if !renamed.is_empty() {
        let rows = renamed.into_iter().map(|(old, new)| [old.clone(), new.clone()]);
        details.extend(table(&["Key", "Is renamed to"], rows).lines().map(str::to_owned));
    }
    if plan.is_empty() {
        tell(format_args!("{plan}\n"));
    } else {
        let change = Change { action: "Copy a secret group", group: &to, details };
        support::confirm(&connection, &change, consent)?;
        plan.apply().await.inspect_err(|error| {
            if Error::may_have_been_applied(error) {
                tell("The group may have been changed. Running this again completes it.");
            }
        })?;
    }
    let copy = client.secret_groups().get_by_name(&to).await?;
    tell(format_args!("{} (ID {}) has all keys.", shown(&to), copy.id()));

    let Some(manifest) = manifest else { return Ok(()) };
    let moved = moved(&from, &names, |key| Ok(copy.reference(key)?))?;
    let rewritten = rewrite(&manifest, &moved)?;
    for found in find_refs(&rewritten) {
        match found {
            Ok(found) if is_of(&from, found.reference()) => {
                let (line, column) = (found.line(), found.column());
                let what = format!("{} (no such key exists)", shown(found.reference().as_str()));
                tell(format_args!("warning: left as it is: line {line}, column {column}: {what}"));
            }
            Ok(_) => {}
            Err(left) => tell(format_args!("warning: left as it is: {left}")),
        }
    }
    file.map_or_else(|| print_exactly(&rewritten), |file| file.write(&rewritten))
}

/// The new reference for each old one.
fn moved(
    from: &SecretGroup,
    names: &[(String, String)],
    new: impl Fn(&str) -> Result<SecretRef, Box<dyn std::error::Error>>,
) -> Result<HashMap<SecretRef, SecretRef>, Failure> {
    let hint = "A manifest can only use keys that a reference can name.";
    let failed = |error: Box<dyn std::error::Error>| Failure::other(error.to_string(), hint);
    let pair = |(old, name): &(String, String)| Ok((from.reference(old)?, new(name)?));
    names.iter().map(|names| pair(names).map_err(failed)).collect()
}

fn is_of(group: &SecretGroup, reference: &SecretRef) -> bool {
    reference.fqn().strip_prefix(group.fqn()).is_some_and(|key| key.starts_with(':'))
}

fn rewrite(manifest: &str, moved: &HashMap<SecretRef, SecretRef>) -> Result<String, Failure> {
    rewrite_refs(manifest, |found| moved.get(found.reference()).cloned())
        .map_err(|error| Failure::other(error.to_string(), "Nothing was written to --out."))
}
