//! Which of the values to set a group already has.

use std::collections::HashSet;

use super::snapshot::Snapshot;
use crate::client::Client;
use crate::models::{Secret, SecretRef};
use crate::references::{Found, try_join_ordered};
use crate::secret_value::SecretValue;
use crate::{Error, Result};

/// The keys that already have the value to set. Only the values of the keys to set are read, 100
/// per request, and one by one if a list leaves them out.
///
/// # Errors
/// A hidden value, which may or may not be equal; [`Error::ConcurrentEdit`] for a key that no
/// longer exists.
pub(super) async fn unchanged<'a>(
    client: &Client,
    snapshot: &Snapshot,
    wanted: &'a [(String, SecretValue)],
) -> Result<HashSet<&'a str>> {
    let wanted = || wanted.iter().filter(|(key, _)| snapshot.has(key));
    let reference = |key: &str| snapshot.group.reference(key).ok();
    let references: Vec<SecretRef> = wanted().filter_map(|(key, _)| reference(key)).collect();
    let mut found =
        if references.is_empty() { Vec::new() } else { client.look_up(&references, true).await? }
            .into_iter();
    // Keys that no reference can name were not looked up.
    let listed = wanted().map(|(key, _)| reference(key).and_then(|_| found.next()));
    let reads = listed.zip(wanted()).map(|(listed, (key, _))| read(client, snapshot, key, listed));
    let reads: Vec<_> = reads.collect();
    let now = try_join_ordered(reads, client.concurrent_reads()).await?;

    let (mut same, mut hidden) = (HashSet::new(), Vec::new());
    for ((key, value), now) in wanted().zip(now) {
        match now {
            Some(now) if now.ct_eq(value) => drop(same.insert(key.as_str())),
            Some(_) => {}
            None => hidden.push(key.as_str()),
        }
    }
    if let Some(first) = hidden.first() {
        let first = Error::ValueHidden { id: (*first).into() };
        let hidden: Option<Box<[SecretRef]>> = hidden.into_iter().map(reference).collect();
        return Err(hidden.map_or(first, |hidden| Error::Unresolved { missing: [].into(), hidden }));
    }
    Ok(same)
}

/// The value of a key, `None` if it is hidden.
async fn read(
    client: &Client,
    snapshot: &Snapshot,
    key: &str,
    listed: Option<Found>,
) -> Result<Option<SecretValue>> {
    let gone = || Error::concurrent_edit(vec![], vec![key.to_owned()], vec![], false);
    match listed {
        Some(Found::Value(value)) => return Ok(Some(value)),
        Some(Found::Hidden | Found::Present) => return Ok(None),
        // The secret's own endpoint has what a list leaves out, for whatever reason.
        Some(Found::Missing) | None => {}
    }
    let known = snapshot.keys.get(key).ok_or_else(gone)?;
    match client.secrets().get(&known.id).await.map(Secret::into_value) {
        Ok(value) => Ok(value.ok()),
        Err(Error::PermissionDenied { .. }) => Ok(None),
        Err(Error::NotFound { .. }) => Err(gone()),
        Err(error) => Err(error),
    }
}
