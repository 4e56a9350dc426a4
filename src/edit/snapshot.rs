//! A group and all its keys, as they were at one time.

use std::collections::BTreeMap;

use futures_util::future::join;

use crate::models::Time;
use crate::{Client, Error, ListSecrets, Result, Secret, SecretGroup, SecretGroupId, SecretId};

/// Never holds a value.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(super) group: SecretGroup,
    pub(super) keys: BTreeMap<String, Known>,
}

#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(super) id: SecretId,
    pub(super) updated_at: Option<Time>,
}

impl Snapshot {
    pub(super) async fn read(client: &Client, id: &SecretGroupId) -> Result<Self> {
        let groups = client.secret_groups();
        let (group, first) = join(groups.get(id), first_page(client, id)).await;
        Self::complete(client, group?, first?).await
    }

    /// The group itself was just read.
    pub(super) async fn of(client: &Client, group: SecretGroup) -> Result<Self> {
        let first = first_page(client, group.id()).await?;
        Self::complete(client, group, first).await
    }

    /// A list that the answer left out, or cut, is never taken for the whole: what the two reads have
    /// together must be as many as the server says there are, else the pages are read to their end.
    async fn complete(
        client: &Client,
        group: SecretGroup,
        first: crate::Page<Secret>,
    ) -> Result<Self> {
        let total = first.total();
        let mut keys = BTreeMap::new();
        let read = first.items().len() as u64;
        for secret in group.secrets().into_iter().flatten().chain(first.items()) {
            add(client, &mut keys, secret)?;
        }
        if total.is_none_or(|total| (keys.len() as u64) < total) {
            // An empty first page is the end of the list, whatever its total says.
            let rest = ListSecrets::in_group(group.id()).offset(read);
            let mut rest = (read > 0).then(|| client.secrets().stream(rest));
            while let Some(secret) = next(rest.as_mut()).await {
                add(client, &mut keys, &secret?)?;
            }
            if total.is_some_and(|total| (keys.len() as u64) < total) {
                return Err(unreadable(client));
            }
        }
        Ok(Self { group, keys })
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// `Err(ConcurrentEdit)` where `later` has other keys.
    pub(super) fn same_keys_in(&self, later: &Self) -> Result<()> {
        if self.keys.keys().eq(later.keys.keys()) { Ok(()) } else { self.unchanged_in(later) }
    }

    /// `Err(ConcurrentEdit)` where `later` is not the same group in the same state.
    pub(super) fn unchanged_in(&self, later: &Self) -> Result<()> {
        let only_in = |one: &Self, other: &Self| -> Box<[String]> {
            one.keys.keys().filter(|key| !other.has(key)).cloned().collect()
        };
        let added = only_in(later, self);
        let removed = only_in(self, later);
        let modified: Box<[String]> = self
            .keys
            .iter()
            .filter(|(key, known)| {
                later
                    .keys
                    .get(*key)
                    .is_some_and(|now| now.updated_at != known.updated_at || now.id != known.id)
            })
            .map(|(key, _)| key.clone())
            .collect();
        let same_time = self.group.updated_time() == later.group.updated_time();
        if added.is_empty() && removed.is_empty() && modified.is_empty() && same_time {
            return Ok(());
        }
        Err(Error::ConcurrentEdit { added, removed, modified, applied: false })
    }
}

async fn first_page(client: &Client, id: &SecretGroupId) -> Result<crate::Page<Secret>> {
    client.secrets().list(&ListSecrets::in_group(id)).await
}

fn add(client: &Client, keys: &mut BTreeMap<String, Known>, secret: &Secret) -> Result<()> {
    // Without its key a secret could neither be kept nor removed.
    let key = secret.key().ok_or_else(|| unreadable(client))?;
    let known = Known { id: secret.id().clone(), updated_at: secret.updated_time().cloned() };
    keys.insert(key.to_owned(), known);
    Ok(())
}

fn unreadable(client: &Client) -> Error {
    client.transport().not_understood(crate::Operation::ListSecrets, "secrets")
}

async fn next(pages: Option<&mut crate::Items<Secret>>) -> Option<Result<Secret>> {
    pages?.next().await
}
