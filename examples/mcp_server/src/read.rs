//! The tools that change nothing.

use truefoundry_secrets::{Client, FoundRef, ListSecrets, Secret, find_refs};

use crate::arguments;
use crate::failure::Failure;
use crate::output::{
    GroupRow, Listing, MalformedRow, ReferenceRow, References, SecretRow, StoreRow, Stores,
};

/// All groups; one group with its keys; or one secret.
pub(crate) async fn secrets(
    client: &Client,
    arguments: arguments::ListSecrets,
) -> Result<Listing, Failure> {
    Ok(match (arguments.secret_group_id, arguments.secret_id) {
        (None, None) => {
            let groups = client.secret_groups().all().await?;
            Listing { groups: groups.iter().map(GroupRow::from).collect(), secrets: Vec::new() }
        }
        (Some(id), None) => {
            let group = client.secret_groups().get(id).await?;
            let secrets = secrets_of(client, &group).await?;
            Listing {
                groups: vec![GroupRow::from(&group)],
                secrets: secrets.iter().map(SecretRow::from).collect(),
            }
        }
        (None, Some(id)) => {
            let secret = client.secrets().get(id).await?;
            Listing { groups: Vec::new(), secrets: vec![SecretRow::from(&secret)] }
        }
        (Some(_), Some(_)) => {
            return Err(Failure::input(
                "secret_group_id and secret_id are both given",
                "Give one of them, or neither for all groups.",
            ));
        }
    })
}

/// A group's secrets. Their values are not asked for.
pub(crate) async fn secrets_of(
    client: &Client,
    group: &truefoundry_secrets::SecretGroup,
) -> Result<Vec<Secret>, Failure> {
    Ok(client.secrets().stream(ListSecrets::in_group(group.id())).try_collect().await?)
}

pub(crate) async fn stores(client: &Client) -> Result<Stores, Failure> {
    let stores = client.secret_stores().all().await?;
    Ok(Stores { stores: stores.iter().map(StoreRow::from).collect() })
}

pub(crate) async fn references(client: &Client, text: &str) -> Result<References, Failure> {
    let found: Vec<_> = find_refs(text).collect();
    let references: Vec<_> = found.iter().flatten().map(FoundRef::reference).collect();
    let checked =
        if references.is_empty() { None } else { Some(client.check_refs(references).await?) };
    let mut result = References { references: Vec::new(), malformed: Vec::new() };
    for found in &found {
        match found {
            Ok(found) => result.references.push(ReferenceRow {
                line: found.line(),
                column: found.column(),
                reference: found.reference().to_string(),
                exists: checked.as_ref().is_some_and(|checked| checked.exists(found.reference())),
            }),
            Err(problem) => result.malformed.push(MalformedRow {
                line: problem.line(),
                column: problem.column(),
                problem: problem.problem().to_string(),
            }),
        }
    }
    Ok(result)
}
