//! Deletes a secret group, or one secret of it.
//!
//! ```sh
//! cargo run --example delete -- dev-secrets            # the group with all its secrets
//! cargo run --example delete -- dev-secrets API_KEY    # one secret with all its versions
//! ```

mod support;

use std::process::ExitCode;

use support::{Args, Change, Consent, Failure, GroupArgument, name_of, print, secrets_of, shown};
use truefoundry_secrets::{DeleteOptions, Secret};

const USAGE: &str = "\
Usage: delete GROUP [KEY] [--yes] [--force]
       delete --id GROUP-ID [KEY] [--yes] [--force]

Deletes a secret group with all its secrets, or with KEY that one secret with all its versions. --force
deletes even if the store behind the platform fails or cannot be reached.
";

#[tokio::main]
async fn main() -> ExitCode {
    support::run(delete()).await
}

async fn delete() -> Result<(), Failure> {
    let mut args = Args::from_env(USAGE, &["id=", "yes", "force"])?;
    let consent = Consent::from_flag(args.flag("yes"));
    let force = args.flag("force");
    let group = GroupArgument::from_args(&mut args)?;
    let key = args.next_if_any();
    args.finish()?;
    let options = if force { DeleteOptions::new().force() } else { DeleteOptions::new() };
    let forced =
        force.then(|| "forced: what the store does not delete now stays there unseen".to_owned());
    let connection = support::connect(&args).await?;
    let client = &connection.client;

    let group = group.find(client).await?;
    let name = name_of(&group);
    if let Some(key) = key {
        let secret = support::secret_of(client, &group, &key).await?;
        let mut details = vec![format!("- {} with all its versions", shown(&key))];
        if let Some(count) = secret.active_deployments().filter(|count| *count > 0) {
            details.push(format!("  used by {count} active deployment(s)"));
        }
        details.extend(forced);
        let change = Change { action: "Delete one secret", group: name, details };
        support::confirm(&connection, &change, consent)?;
        client.secrets().delete_with(secret.id(), &options).await?;
        return print(format!("deleted {} of {}", shown(&key), shown(name)));
    }
    let secrets = secrets_of(client, &group).await?;
    let keys = secrets.iter().filter_map(Secret::key);
    let mut details = vec![format!("with all versions of its {} secret(s):", secrets.len())];
    details.extend(keys.map(|key| format!("- {}", shown(key))));
    details.extend(forced);
    let change = Change { action: "Delete a whole secret group", group: name, details };
    support::confirm(&connection, &change, consent)?;
    client.secret_groups().delete_with(group.id(), &options).await?;
    print(format!("deleted {}", shown(name)))
}
