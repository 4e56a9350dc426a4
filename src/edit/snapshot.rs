//! A group and all its keys, as they were at one time.

use std::collections::{BTreeMap, HashSet};

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

/// How often a group is read that others change while it is read.
const READS: u32 = 3;

impl Snapshot {
    pub(super) async fn read(client: &Client, id: &SecretGroupId) -> Result<Self> {
        let groups = client.secret_groups();
        for _ in 0..READS {
            // Boxed, or every future of an edit is 16 KB long.
            let (group, first) =
                join(Box::pin(groups.get(id)), Box::pin(first_page(client, id))).await;
            if let Some(snapshot) = Self::complete(client, group?, first?).await? {
                return Ok(snapshot);
            }
        }
        Err(Error::concurrent_edit(vec![], vec![], vec![], false))
    }

    /// The group itself was just read.
    pub(super) async fn of(client: &Client, group: SecretGroup) -> Result<Self> {
        let first = first_page(client, group.id()).await?;
        let id = group.id().clone();
        match Self::complete(client, group, first).await? {
            Some(snapshot) => Ok(snapshot),
            None => Self::read(client, &id).await,
        }
    }

    /// A list that the answer left out, or cut, is never taken for the whole: one of the two by itself must
    /// be as long as the server says, else the pages are read to their end. Together they may hold a key
    /// that was removed in between, which would stand in for one that neither of them lists.
    ///
    /// `None` where the group changed while its pages were read: a key may have moved from one page to
    /// another that was read before.
    async fn complete(
        client: &Client,
        group: SecretGroup,
        first: crate::Page<Secret>,
    ) -> Result<Option<Self>> {
        let total = first.total();
        let mut keys = BTreeMap::new();
        let read = first.items().len() as u64;
        for secret in group.secrets().into_iter().flatten().chain(first.items()) {
            add(client, &mut keys, secret)?;
        }
        let listed = group.secrets().map_or(0, <[Secret]>::len) as u64;
        if total.is_some_and(|total| read >= total || listed >= total) {
            return Ok(Some(Self { group, keys }));
        }
        let mut paged: HashSet<String> = first.items().iter().map(id_of).collect();
        // An empty first page is the end of the list, whatever its total says.
        let rest = ListSecrets::in_group(group.id()).offset(read);
        let mut rest = (read > 0).then(|| client.secrets().stream(rest));
        while let Some(secret) = next(rest.as_mut()).await {
            let secret = secret?;
            add(client, &mut keys, &secret)?;
            paged.insert(id_of(&secret));
        }
        let now = client.secret_groups().get(group.id()).await?;
        if now.updated_time() != group.updated_time() {
            return Ok(None);
        }
        if total.is_some_and(|total| (paged.len() as u64) < total) {
            return Err(unreadable(client));
        }
        Ok(Some(Self { group, keys }))
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
        let only_in = |one: &Self, other: &Self| -> Vec<String> {
            one.keys.keys().filter(|key| !other.has(key)).cloned().collect()
        };
        let added = only_in(later, self);
        let removed = only_in(self, later);
        let modified: Vec<String> = self
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
        Err(Error::concurrent_edit(added, removed, modified, false))
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

fn id_of(secret: &Secret) -> String {
    secret.id().as_str().to_owned()
}

fn unreadable(client: &Client) -> Error {
    client.transport().not_understood(crate::Operation::ListSecrets, "secrets")
}

async fn next(pages: Option<&mut crate::Items<Secret>>) -> Option<Result<Secret>> {
    pages?.next().await
}
