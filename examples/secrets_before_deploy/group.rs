//! The group that the manifest's secrets go into.

use std::collections::HashSet;

use super::support::{
    self, Change, Connection, Consent, Failure, KeyFromEnv, describe, shown, tell,
};
use truefoundry_secrets::{Ensured, Error, NewSecretGroup, SecretGroup, SecretStore};

/// The group with at least these keys. Existing keys are left untouched, and nothing is asked if it
/// has all of them.
pub(crate) async fn ensure(
    connection: &Connection,
    store: &SecretStore,
    name: &str,
    keys: Vec<KeyFromEnv>,
    notes: Vec<String>,
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
    details.extend(notes);
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
