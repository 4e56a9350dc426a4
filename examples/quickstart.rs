//! The main job from beginning to end: pick a store, create a group, look at it, rotate a value, delete.
//!
//! ```sh
//! cargo run --example quickstart
//! ```
//!
//! Against a real control plane (`TFY_BASE_URL` and `TFY_API_KEY`) it asks first, works in a group with a
//! new name, and deletes only that.

mod support;

use std::process::ExitCode;

use support::{Args, Change, Connection, Consent, Failure, name_of, print, shown, tell};
use truefoundry_secrets::{
    Client, ListSecretGroups, NewSecretGroup, SecretGroup, SecretStore, SecretStoreKind,
    SecretValue,
};

const USAGE: &str = "\
Usage: quickstart [--store aws|azure|gcp|vault|ID] [--yes]

Creates a secret group, shows it, rotates one of its values and deletes it again. Without TFY_BASE_URL
and TFY_API_KEY it does so in a fake control plane. The values come from QUICKSTART_DB_PASSWORD and
QUICKSTART_API_KEY, or are made up.
";

#[tokio::main]
async fn main() -> ExitCode {
    support::run(quickstart()).await
}

async fn quickstart() -> Result<(), Failure> {
    let args = Args::from_env(USAGE, &["store=", "yes"])?;
    let mut choice = args.option("store")?;
    let mut consent = Consent::from_flag(args.flag("yes"));
    args.finish()?;
    let connection = support::connect_without_login(&args).await?;
    if connection.is_fake() {
        choice.get_or_insert_with(|| "aws".to_owned());
        consent = Consent::OnlyFake;
    }

    print("1. Pick the secret store")?;
    let store = support::choose_store(&connection, choice.as_deref()).await?;
    print(format!("   {}\n", shown(&support::describe(&store))))?;

    print("2. Create a secret group from environment variables")?;
    let name = format!("quickstart-{}", support::random_word());
    let (db_password, api_key) = (key_for(&store, "DB_PASSWORD"), key_for(&store, "API_KEY"));
    let new = NewSecretGroup::new(&name, &store)
        .secret(&db_password, value_of("QUICKSTART_DB_PASSWORD")?)
        .secret(&api_key, value_of("QUICKSTART_API_KEY")?);
    let mut details = vec![
        format!("store: {}", shown(&support::describe(&store))),
        format!("adds {db_password} and {api_key}, rotates {api_key}, then deletes the group"),
    ];
    if store.kind() == Some(&SecretStoreKind::AzureVault) {
        details.push("(Azure Key Vault keeps deleted names, for 90 days by default.)".to_owned());
    }
    let change = Change {
        action: "Create a secret group, rotate a value in it, and delete it again",
        group: &name,
        details,
    };
    support::confirm(&connection, &change, consent)?;
    let group = create(&connection.client, new).await?;

    // From here on the created group is deleted whatever happens, also if the reader of stdout has
    // gone, and nothing else is.
    let shown_and_rotated = show_and_rotate(&connection, &group, &api_key).await;
    let deleted = connection.client.secret_groups().delete(group.id()).await;
    if deleted.is_err() {
        tell(format_args!("The group {} (ID {}) may still exist.", shown(&name), group.id()));
    }
    shown_and_rotated?;
    deleted?;
    match connection.client.secret_groups().get(group.id()).await {
        Err(gone) if gone.is_not_found() => print("   deleted, and no longer found"),
        Err(error) => Err(error.into()),
        Ok(_) => Err(Failure::other("the group still exists", "Delete it with `delete`.")),
    }
}

async fn create(client: &Client, new: NewSecretGroup) -> Result<SecretGroup, Failure> {
    let name = new.name().to_owned();
    let created = client.secret_groups().create(new).await;
    if created.as_ref().is_err_and(truefoundry_secrets::Error::may_have_been_applied) {
        tell(format_args!("A group named {} may have been created.", shown(&name)));
    }
    Ok(created?)
}

async fn show_and_rotate(
    connection: &Connection,
    group: &SecretGroup,
    api_key: &str,
) -> Result<(), Failure> {
    let client = &connection.client;
    print(format!("   created {} with the ID {}\n", shown(name_of(group)), group.id()))?;

    print("3. List the secret groups")?;
    let groups = client.secret_groups().stream(ListSecretGroups::new()).try_collect().await?;
    print(format!("{}\n", support::groups_table(&groups)))?;

    print("4. Show the keys of the new group: values are masked wherever they are printed")?;
    print(format!("{}\n", support::keys_table(client, group).await?))?;

    print("5. Rotate a value: the plan says what will change before anything does")?;
    let plan = client.secret_groups().edit(group.id()).set(api_key, made_up_value()).plan().await?;
    print(format!("   plan: {plan}"))?;
    let done = plan.apply().await?;
    print(format!("   done: {done}"))?;
    print(format!("{}\n", support::keys_table(client, group).await?))?;
    print("6. Delete the group")
}

/// The key as the store accepts it: Azure Key Vault, for one, accepts no underscores.
fn key_for(store: &SecretStore, key: &str) -> String {
    store.kind().and_then(|kind| kind.suggest_key(key)).unwrap_or_else(|| key.to_owned())
}

fn value_of(variable: &str) -> Result<SecretValue, Failure> {
    if std::env::var_os(variable).is_some() {
        print(format!("   the variable {variable} is set and is used"))?;
        return Ok(SecretValue::from_env(variable)?);
    }
    print(format!("   the variable {variable} is not set: a value is made up"))?;
    Ok(made_up_value())
}

fn made_up_value() -> SecretValue {
    let word = support::random_word;
    format!("{}{}{}", word(), word(), word()).into()
}
