//! Which kind of store is behind a group: looked up once for each store and remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::{
    Client, Error, ListSecretStores, Result, SecretGroup, SecretGroupManifest, SecretStore,
    SecretStoreKind,
};

/// So long the look-up may take: it is a service to the caller, whose edit waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// By identifier or FQN. A customer has a handful of stores.
#[derive(Debug, Default)]
pub(crate) struct KnownStores(Mutex<HashMap<String, Arc<tokio::sync::Mutex<Known>>>>);

#[derive(Debug, Default)]
enum Known {
    #[default]
    NotYet,
    /// `None` where it cannot be learned, now or later.
    Kind(Option<SecretStoreKind>),
    /// The look-up failed for the moment.
    Failed(Instant),
}

/// What came of asking for a store.
#[derive(Debug, Default)]
pub(crate) struct FoundStore {
    /// `None` where it cannot be learned.
    pub(crate) kind: Option<SecretStoreKind>,
    /// Whether a request was made or waited for, so that time has passed.
    pub(crate) asked: bool,
}

impl KnownStores {
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
        let known = Arc::clone(self.lock().entry(name.to_owned()).or_default());
        let mut asked = known.try_lock().is_err();
        let begun = Instant::now();
        // Edits of other groups in this store wait for the same answer.
        let mut known = known.lock().await;
        let is_to_ask = match &*known {
            Known::NotYet => true,
            Known::Kind(_) => false,
            // It was waited for, in vain.
            Known::Failed(at) => *at < begun,
        };
        if is_to_ask {
            asked = true;
            *known = look_up(client, &params, name).await;
        }
        let kind = if let Known::Kind(kind) = &*known { kind.clone() } else { None };
        FoundStore { kind, asked }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<tokio::sync::Mutex<Known>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn look_up(client: &Client, params: &ListSecretStores, name: &str) -> Known {
    match timeout(PATIENCE, find(client, params)).await {
        Ok(Ok(stores)) => {
            let is_it =
                |store: &SecretStore| store.id().as_str() == name || store.fqn() == Some(name);
            Known::Kind(stores.into_iter().find(is_it).and_then(|store| store.kind().cloned()))
        }
        // A key that may not see stores will not see them for the next edit either.
        Ok(Err(error)) if matches!(error.status(), Some(403 | 404)) => Known::Kind(None),
        // A control plane that fails now fails no edit.
        Ok(Err(_)) | Err(_) => Known::Failed(Instant::now()),
    }
}

async fn find(client: &Client, params: &ListSecretStores) -> Result<Vec<SecretStore>> {
    let stores = client.secret_stores();
    match stores.list(params).await {
        // An older control plane.
        Err(Error::NotFound { .. }) => stores.list_by_provider_account().await,
        page => page.map(crate::Page::into_items),
    }
}
