//! The kind of store behind a group, cached once it is known.

use std::time::Duration;

use tokio::time::timeout;

use super::secret_stores::ListSecretStores;
use crate::client::Client;
use crate::models::{Page, SecretGroup, SecretStore};
use crate::stores::SecretStoreKind;
use crate::{Error, Result};

/// Time limit of the look-up, since an edit waits for it.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(5);
/// What is known about a group's store.
#[derive(Debug, Default)]
pub(crate) struct FoundStore {
    /// `None` if it cannot be found out.
    pub(crate) kind: Option<SecretStoreKind>,
    /// Whether a request was made, so that what was read before may be outdated.
    pub(crate) made_request: bool,
}

impl Client {
    /// The kind of store that keeps the group's secrets, cached once it is known.
    ///
    /// Look-ups are not shared: a caller that is no longer polled would stall all others that wait
    /// for its result.
    pub(crate) async fn store_of(&self, group: &SecretGroup) -> FoundStore {
        let stores = ListSecretStores::new();
        let (name, params) = match (group.integration_id(), group.manifest()) {
            (Some(id), _) => (id.as_str(), stores.id(id)),
            (None, Some(manifest)) if !manifest.integration_fqn().is_empty() => {
                (manifest.integration_fqn(), stores.fqn(manifest.integration_fqn()))
            }
            _ => return FoundStore::default(),
        };
        if let Some(kind) = self.known_kinds().get(name) {
            return FoundStore { kind, made_request: false };
        }
        // A failed look-up does not fail the edit.
        let found = timeout(LOOK_UP_TIMEOUT, look_up(self, &params, name)).await;
        let kind = found.ok().and_then(Result::ok).and_then(|kind| {
            self.known_kinds().insert(name, kind.clone());
            kind
        });
        FoundStore { kind, made_request: true }
    }
}

/// Fails only if a later look-up may succeed.
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
        page => page.map(Page::into_items),
    }
}
