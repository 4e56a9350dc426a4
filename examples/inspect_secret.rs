//! Shows the keys of a group, or one secret with its reference and its versions. Values are masked.
//!
//! ```sh
//! cargo run --example inspect_secret -- prod-secrets DB_PASSWORD
//! ```

mod support;

use std::process::ExitCode;

use support::{Args, Failure, GroupArgument, keys_table, masked, print, secret_of, shown, table};
use truefoundry_secrets::{Client, SecretId, Subject};

const USAGE: &str = "\
Usage: inspect_secret GROUP [KEY]
       inspect_secret --id GROUP-ID [KEY]
       inspect_secret --secret-id ID

Shows the keys of a secret group, or one secret. Values are masked: the first four characters of a long
one, (set) for the others.
";

#[tokio::main]
async fn main() -> ExitCode {
    support::run(inspect_secret()).await
}

async fn inspect_secret() -> Result<(), Failure> {
    let mut args = Args::from_env(USAGE, &["id=", "secret-id="])?;
    if let Some(id) = args.option("secret-id")? {
        args.finish()?;
        let connection = support::connect(&args).await?;
        return show(&connection.client, &id.into()).await;
    }
    let group = GroupArgument::from_args(&mut args)?;
    let key = args.next_if_any();
    args.finish()?;
    let connection = support::connect(&args).await?;
    let client = &connection.client;

    let group = group.find(client).await?;
    match key {
        None => print(keys_table(client, &group).await?),
        Some(key) => show(client, secret_of(client, &group, &key).await?.id()).await,
    }
}

async fn show(client: &Client, id: &SecretId) -> Result<(), Failure> {
    let secret = client.secrets().get(id).await?;
    let mut lines = vec![
        ("Key", secret.key().unwrap_or("?").to_owned()),
        ("ID", secret.id().to_string()),
        ("Value", masked(secret.value())),
    ];
    if let Ok(reference) = secret.reference() {
        lines.push(("Reference", reference.to_string()));
    }
    if let Some(by) = secret.created_by().and_then(Subject::display_name) {
        lines.push(("Created by", by.to_owned()));
    }
    if let Some(time) = secret.updated_at() {
        lines.push(("Last changed", format!("{time:.0}")));
    }
    if let Some(count) = secret.active_deployments() {
        lines.push(("Used by", format!("{count} active deployment(s)")));
    }
    for (name, text) in lines {
        print(format!("{name:<13} {}", shown(&text)))?;
    }

    let versions = client.secrets().versions(id).await?;
    let rows = versions.iter().map(|version| {
        [
            version.version().map_or_else(|| "?".to_owned(), |number| number.to_string()),
            masked(version.value()),
            version.created_at().map(|time| format!("{time:.0}")).unwrap_or_default(),
        ]
    });
    print(format!("\n{}", table(&["Version", "Value", "Created"], rows)))
}
