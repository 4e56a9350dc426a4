//! Writes a planned edit.

use std::collections::HashSet;

use super::changes::Changes;
use super::snapshot::Snapshot;
use super::summary::Summary;
use crate::api::DeleteOptions;
use crate::client::{Client, EditGuard, UnconfirmedWrite};
use crate::models::{SecretEntry, SecretGroup};
use crate::operation::Operation;
use crate::transport::Deletion;
use crate::{Error, Result};

/// Writes `changes` over `before`, the group as it was read last.
///
/// Returns the group of the response; `None` if there was nothing to change or keys were only
/// removed.
pub(super) async fn write(
    client: &Client,
    guard: &mut EditGuard,
    before: &Snapshot,
    changes: &Changes,
    summary: &Summary,
) -> Result<Option<SecretGroup>> {
    if summary.changes_nothing() {
        return Ok(None);
    }
    if !summary.sets_keys() {
        remove_each(client, guard, before, &summary.removed).await?;
        return Ok(None);
    }
    let group = put(client, guard, before, changes, summary).await?;
    verify(client, before, &group, summary).await?;
    Ok(Some(group))
}

async fn put(
    client: &Client,
    guard: &mut EditGuard,
    before: &Snapshot,
    changes: &Changes,
    summary: &Summary,
) -> Result<SecretGroup> {
    let id = before.group.id();
    let kept = summary.kept.iter().map(|key| SecretEntry { key, value: None });
    let set = changes.written(summary).map(|(key, value)| SecretEntry { key, value: Some(value) });
    let entries: Vec<_> = kept.chain(set).collect();
    guard.begin(UnconfirmedWrite::of_list(client, summary, before));
    let written = client.secret_groups().put_full_list(id, &entries).await;
    let error = match guard.end(written) {
        Ok(group) => return Ok(group),
        Err(error) => error,
    };
    // Another client may have deleted a key to keep, or the group.
    if matches!(error.status(), Some(400 | 404 | 422)) {
        match Snapshot::read(client, id).await {
            Ok(now) => before.same_keys_in(&now)?,
            Err(gone @ Error::NotFound { .. }) => return Err(gone),
            Err(_) => {}
        }
    }
    Err(error)
}

/// The response to a full list must be that list. If it is not, or lists no keys, one more read
/// decides.
async fn verify(
    client: &Client,
    before: &Snapshot,
    group: &SecretGroup,
    summary: &Summary,
) -> Result<()> {
    let expected: HashSet<&str> = summary.keys_after().collect();
    if keys_of(group).is_some_and(|returned| returned == expected) {
        return Ok(());
    }
    let read = Snapshot::read(client, before.group.id()).await;
    let now = read.map_err(Error::after_a_write)?;
    let removed: Vec<String> =
        expected.iter().filter(|key| !now.has(key)).map(|key| (*key).to_owned()).collect();
    // Any other key was added after this write. A key to remove that still exists as the same
    // secret was not removed.
    let stayed = |key: &&String| {
        let id = |snapshot: &Snapshot| snapshot.keys.get(*key).map(|known| known.id.clone());
        id(&now).is_some_and(|is| Some(is) == id(before))
    };
    let added: Vec<String> = summary.removed.iter().filter(stayed).cloned().collect();
    if removed.is_empty() && added.is_empty() {
        return Ok(());
    }
    Err(Error::concurrent_edit(added, removed, vec![], true))
}

async fn remove_each(
    client: &Client,
    guard: &mut EditGuard,
    before: &Snapshot,
    keys: &[String],
) -> Result<()> {
    for (index, key) in keys.iter().enumerate() {
        let Some(known) = before.keys.get(key) else { continue };
        guard.begin(UnconfirmedWrite::of_removal(client, key, &known.id));
        let deleted = client.secrets().try_delete(&known.id, &DeleteOptions::default()).await;
        let deleted = match guard.end(deleted) {
            // The "not found" need not come from the service itself.
            Ok(Deletion::NotFound | Deletion::Done(Some(0))) => {
                let operation = Operation::DeleteSecret;
                let still_there = client.transport().not_understood(operation, "secrets");
                confirm_gone(client, before, key, still_there.after_a_write()).await
            }
            Ok(Deletion::Done(_)) => Ok(()),
            Err(error) if error.is_not_found() => confirm_gone(client, before, key, error).await,
            Err(error) => Err(error),
        };
        if let Err(error) = deleted {
            let (done, rest) = keys.split_at(index);
            if done.is_empty() {
                return Err(error);
            }
            return Err(Error::PartiallyApplied {
                done: done.into(),
                failed: key.as_str().into(),
                not_tried: rest.iter().skip(1).cloned().collect(),
                source: Box::new(error),
            });
        }
    }
    Ok(())
}

/// If nothing was found to delete, the removal succeeded only if the key is gone, and not if it
/// exists under a new identifier. `still_there` is the error if the same secret still exists.
async fn confirm_gone(
    client: &Client,
    before: &Snapshot,
    key: &str,
    still_there: Error,
) -> Result<()> {
    let now = match Snapshot::read(client, before.group.id()).await {
        Ok(now) => now,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error),
    };
    // Only this key is compared: earlier removals have changed the group.
    match (before.keys.get(key), now.keys.get(key)) {
        (_, None) => Ok(()),
        (Some(was), Some(is)) if was.id == is.id => Err(still_there),
        _ => Err(Error::concurrent_edit(vec![], vec![], vec![key.to_owned()], false)),
    }
}

fn keys_of(group: &SecretGroup) -> Option<HashSet<&str>> {
    group.secrets()?.iter().map(crate::models::Secret::key).collect()
}
