//! Which kind of store is behind a group: remembered once it is known.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use super::secret_stores::ListSecretStores;
use crate::client::Client;
use crate::models::{SecretGroup, SecretGroupManifest, SecretStore};
use crate::stores::SecretStoreKind;
use crate::{Error, Result};

/// Time limit of the look-up, since an edit waits for it.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(5);
/// A tenant has a handful of stores; a server may name ever new ones.
const MAX_STORES: usize = 256;

/// By identifier or FQN; `None` for a store whose kind cannot be learned, now or later.
///
/// A look-up is not shared: a caller that is no longer polled would stall all others that wait for its
/// result.
#[derive(Debug, Default)]
pub(crate) struct StoreCache(Mutex<HashMap<String, Option<SecretStoreKind>>>);

/// What is known of a group's store.
#[derive(Debug, Default)]
pub(crate) struct FoundStore {
    /// `None` if it cannot be learned.
    pub(crate) kind: Option<SecretStoreKind>,
    /// Whether it was asked for, so that what was read before is old.
    pub(crate) made_request: bool,
}

impl StoreCache {
    pub(crate) async fn kind_of(&self, client: &Client, group: &SecretGroup) -> FoundStore {
        let stores = ListSecretStores::new();
        let (name, params) = match (group.integration_id(), group.manifest()) {
            (Some(id), _) => (id.as_str(), stores.id(id)),
            (None, Some(manifest)) if !manifest.integration_fqn().is_empty() => {
                let fqn = SecretGroupManifest::integration_fqn(manifest);
                (fqn, stores.fqn(fqn))
            }
            _ => return FoundStore::default(),
        };
        if let Some(found) = self.get(name) {
            return found;
        }
        // A control plane that fails now fails no edit.
        let found = timeout(LOOK_UP_TIMEOUT, look_up(client, &params, name)).await;
        let kind = found.ok().and_then(Result::ok).and_then(|kind| {
            self.insert(name, kind.clone());
            kind
        });
        FoundStore { kind, made_request: true }
    }

    fn get(&self, name: &str) -> Option<FoundStore> {
        let kind = self.stores().get(name)?.clone();
        Some(FoundStore { kind, made_request: false })
    }

    fn insert(&self, name: &str, kind: Option<SecretStoreKind>) {
        let mut stores = self.stores();
        if stores.len() >= MAX_STORES {
            stores.clear();
        }
        stores.insert(name.to_owned(), kind);
    }

    fn stores(&self) -> MutexGuard<'_, HashMap<String, Option<SecretStoreKind>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fails if it may succeed later.
async fn look_up(
    client: &Client,
    params: &ListSecretStores,
    name: &str,
) -> Result<Option<SecretStoreKind>> {
    match find(client, params).await {
        Ok(stores) => {
            let is_it =
                |store: &SecretStore| store.id().as_str() == name || store.fqn() == Some(name);
            Ok(stores.into_iter().find(is_it).and_then(|store| store.kind().cloned()))
        }
        // A key that may not see stores will not see them for the next edit either.
        Err(error) if matches!(error.status(), Some(403 | 404)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn find(client: &Client, params: &ListSecretStores) -> Result<Vec<SecretStore>> {
    let stores = client.secret_stores();
    match stores.list(params).await {
        // An older control plane.
        Err(Error::NotFound { .. }) => stores.list_by_provider_account().await,
        page => page.map(super::items::Page::into_items),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_what_was_learned_last_and_never_more_than_its_bound() {
        let cache = StoreCache::default();
        for number in 0..3 * MAX_STORES {
            let name = format!("store-{number}");
            let kind = (number % 2 == 0).then_some(SecretStoreKind::AzureVault);
            cache.insert(&name, kind.clone());
            let found = cache.get(&name).unwrap();
            assert_eq!((found.kind, found.made_request), (kind, false));
            assert!(cache.stores().len() <= MAX_STORES);
        }
        assert!(cache.get("store-0").is_none());
    }
}
