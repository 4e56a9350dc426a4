//! Which kind of store is behind a group: looked up once for each store and remembered.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::{
    Client, Error, ListSecretStores, Result, SecretGroup, SecretGroupManifest, SecretStore,
    SecretStoreKind,
};

/// By identifier or FQN. A customer has a handful of stores.
#[derive(Debug, Default)]
pub(crate) struct KnownStores(Mutex<HashMap<String, Option<SecretStoreKind>>>);

/// What came of asking for a store.
#[derive(Debug, Default)]
pub(crate) struct FoundStore {
    /// `None` where it cannot be learned.
    pub(crate) kind: Option<SecretStoreKind>,
    /// Whether that took a request.
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
        if let Some(kind) = self.lock().get(name) {
            return FoundStore { kind: kind.clone(), asked: false };
        }
        let kind = match look_up(client, &params).await {
            Ok(stores) => stores
                .into_iter()
                .find(|store| store.id().as_str() == name || store.fqn() == Some(name))
                .and_then(|store| store.kind().cloned()),
            // A key that may not see stores will not see them for the next edit either.
            Err(Error::NotFound { .. } | Error::PermissionDenied { .. }) => None,
            // The check is a service to the caller: a control plane that fails now fails no edit.
            Err(_) => return FoundStore { kind: None, asked: true },
        };
        self.lock().insert(name.to_owned(), kind.clone());
        FoundStore { kind, asked: true }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Option<SecretStoreKind>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn look_up(client: &Client, params: &ListSecretStores) -> Result<Vec<SecretStore>> {
    let stores = client.secret_stores();
    match stores.list(params).await {
        // An older control plane.
        Err(Error::NotFound { .. }) => stores.list_by_provider_account().await,
        page => page.map(crate::Page::into_items),
    }
}
