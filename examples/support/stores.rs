//! Which secret store is meant.

use truefoundry_secrets::{SecretStore, SecretStoreKind};

use super::{Connection, Failure, table};

/// The store that `--store` names, or the only one that is connected. If several are left, a person has to
/// choose: the first of a list is not a choice.
pub(crate) async fn choose_store(
    connection: &Connection,
    choice: Option<&str>,
) -> Result<SecretStore, Failure> {
    let mut stores = connection.client.secret_stores().all().await?;
    if stores.is_empty() {
        return Err(Failure::other(
            "no secret store is connected",
            "Ask the platform's administrator to connect one.",
        ));
    }
    let all = choices(&stores);
    if let Some(choice) = choice {
        stores.retain(|store| is_meant(store, choice));
    }
    match stores.as_slice() {
        [store] => Ok(store.clone()),
        [] => Err(Failure::Usage(format!("--store names none of the connected stores:\n\n{all}"))),
        several => Err(Failure::Usage(format!(
            "several secret stores are connected, choose one with --store:\n\n{}",
            choices(several)
        ))),
    }
}

fn is_meant(store: &SecretStore, choice: &str) -> bool {
    let by_kind = store.kind().is_some_and(|kind| word_for(kind) == Some(choice));
    by_kind || store.id() == choice || store.fqn() == Some(choice)
}

/// What `--store` accepts for stores of this kind, in addition to their identifiers.
fn word_for(kind: &SecretStoreKind) -> Option<&'static str> {
    match kind {
        SecretStoreKind::AwsSecretsManager | SecretStoreKind::AwsParameterStore => Some("aws"),
        SecretStoreKind::AzureVault => Some("azure"),
        SecretStoreKind::GcpSecretManager => Some("gcp"),
        SecretStoreKind::HashicorpVault => Some("vault"),
        _ => None,
    }
}

fn choices(stores: &[SecretStore]) -> String {
    let words: Vec<_> = stores.iter().map(|store| store.kind().and_then(word_for)).collect();
    let rows = stores.iter().zip(&words).map(|(store, word)| {
        // A word that fits two stores would choose neither.
        let unique = word.filter(|_| words.iter().filter(|other| *other == word).count() == 1);
        let id = store.id().to_string();
        let option = format!("--store {}", unique.unwrap_or(&id));
        [option, kind_of(store), store.name().unwrap_or_default().to_owned(), id.clone()]
    });
    table(&["Choose with", "Kind", "Name", "ID"], rows)
}

fn kind_of(store: &SecretStore) -> String {
    store.kind().map_or_else(|| "of an unknown kind".to_owned(), ToString::to_string)
}

/// Such as `AWS Secrets Manager (main, cm0123)`.
pub(crate) fn describe(store: &SecretStore) -> String {
    match store.name() {
        Some(name) => format!("{} ({name}, {})", kind_of(store), store.id()),
        None => format!("{} ({})", kind_of(store), store.id()),
    }
}
