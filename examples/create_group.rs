//! Creates a secret group. The values come from environment variables.
//!
//! ```sh
//! export DB_PASSWORD API_KEY   # set them first, without leaving them in the shell's history
//! cargo run --example create_group -- my-app --store azure DB_PASSWORD API_KEY
//! ```

mod support;

use std::process::ExitCode;

use support::{
    Args, Change, Consent, Failure, describe, groups_table, keys_from_arguments, mapping_lines,
    print, tell,
};
use truefoundry_secrets::{Error, NewSecretGroup};

const USAGE: &str = "\
Usage: create_group NAME [--store aws|azure|gcp|vault|ID] [--yes] KEY...

Creates the secret group NAME with these keys. The value of KEY is read from the environment variable of
that name; KEY:VARIABLE reads another one. Variables that mean something else in nearly every environment
(TFY_API_KEY, PATH, HOME) are read only as KEY:VARIABLE. If the store does not accept a KEY (Azure Key Vault
accepts no underscores) a name near it is used and shown; the KEY of KEY:VARIABLE is used as it is.
";

#[tokio::main]
async fn main() -> ExitCode {
    support::run(create_group()).await
}

async fn create_group() -> Result<(), Failure> {
    let mut args = Args::from_env(USAGE, &["store=", "yes"])?;
    let store = args.option("store")?;
    let consent = Consent::from_flag(args.flag("yes"));
    let name = args.next("NAME")?;
    let arguments = args.rest();
    if arguments.is_empty() {
        return Err(args.wrong("missing KEY"));
    }
    let connection = support::connect(&args).await?;

    let store = support::choose_store(&connection, store.as_deref()).await?;
    let keys = keys_from_arguments(&arguments, store.kind())?;
    let mut details = vec![format!("store: {}", support::shown(&describe(&store))), String::new()];
    details.extend(mapping_lines(&keys, store.kind()));
    let new = NewSecretGroup::new(&name, &store);
    let new = keys.into_iter().fold(new, |new, key| new.secret(key.key, key.value));
    new.check()?;
    let change = Change { action: "Create a secret group", group: &name, details };
    support::confirm(&connection, &change, consent)?;

    let group = connection.client.secret_groups().create(new).await.inspect_err(|error| {
        if Error::may_have_been_applied(error) {
            tell("The group may have been created: check with `list_groups`.");
        }
    })?;
    print(groups_table(&[group]))
}
