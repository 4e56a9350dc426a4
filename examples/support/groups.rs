//! Looks up groups and secrets, and shows them.

use truefoundry_secrets::{Client, ListSecrets, Secret, SecretGroup};

use super::{Args, Failure, masked, shown, table};

/// The group that the command line names: by name, or by identifier behind `--id`.
pub(crate) enum GroupArgument {
    Name(String),
    Id(String),
}

impl GroupArgument {
    pub(crate) fn from_args(args: &mut Args) -> Result<Self, Failure> {
        match args.option("id")? {
            Some(id) => Ok(Self::Id(id)),
            None => args.next("GROUP").map(Self::Name),
        }
    }

    pub(crate) async fn find(&self, client: &Client) -> Result<SecretGroup, Failure> {
        Ok(match self {
            Self::Name(name) => client.secret_groups().get_by_name(name).await?,
            Self::Id(id) => client.secret_groups().get(id).await?,
        })
    }
}

pub(crate) fn name_of(group: &SecretGroup) -> &str {
    group.name().unwrap_or_else(|| group.id().as_str())
}

pub(crate) fn groups_table(groups: &[SecretGroup]) -> String {
    let rows = groups.iter().map(|group| {
        // Older control planes leave the list out, which does not mean that it is empty.
        let secrets = group.secrets().map_or_else(|| "?".to_owned(), |all| all.len().to_string());
        [name_of(group).to_owned(), group.id().to_string(), secrets]
    });
    table(&["Name", "ID", "Secrets"], rows)
}

/// All secrets of a group, without values.
pub(crate) async fn secrets_of(
    client: &Client,
    group: &SecretGroup,
) -> Result<Vec<Secret>, Failure> {
    Ok(client.secrets().stream(ListSecrets::in_group(group.id())).try_collect().await?)
}

pub(crate) async fn secret_of(
    client: &Client,
    group: &SecretGroup,
    key: &str,
) -> Result<Secret, Failure> {
    let secrets = secrets_of(client, group).await?;
    secrets.into_iter().find(|secret| secret.key() == Some(key)).ok_or_else(|| {
        Failure::other(
            format!("the group {} has no key {}", shown(name_of(group)), shown(key)),
            "List its keys with `inspect_secret GROUP`; names are case-sensitive.",
        )
    })
}

/// The keys of a group with their values masked.
pub(crate) async fn keys_table(client: &Client, group: &SecretGroup) -> Result<String, Failure> {
    let with_values = ListSecrets::in_group(group.id()).with_values();
    let secrets = client.secrets().stream(with_values).try_collect().await?;
    let rows = secrets.iter().map(|secret| {
        [
            secret.key().unwrap_or("?").to_owned(),
            secret.id().to_string(),
            masked(secret.value()),
            secret.updated_at().map(|time| format!("{time:.0}")).unwrap_or_default(),
        ]
    });
    Ok(table(&["Key", "ID", "Value", "Last changed"], rows))
}
