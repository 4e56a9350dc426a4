//! The kinds of the stores that were looked up.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::stores::SecretStoreKind;

/// A tenant has a handful of stores, but a faulty server may name new ones endlessly.
const MAX_STORES: usize = 256;

/// By identifier or FQN; `None` for a store whose kind cannot be found out, now or later.
#[derive(Debug, Default)]
pub(crate) struct KnownKinds(Mutex<HashMap<String, Option<SecretStoreKind>>>);

impl KnownKinds {
    /// `None` for a store that was not looked up yet.
    #[expect(clippy::option_option, reason = "a look-up without a result is remembered, too")]
    pub(crate) fn get(&self, store: &str) -> Option<Option<SecretStoreKind>> {
        self.stores().get(store).cloned()
    }

    pub(crate) fn insert(&self, store: &str, kind: Option<SecretStoreKind>) {
        let mut stores = self.stores();
        if stores.len() >= MAX_STORES {
            stores.clear();
        }
        stores.insert(store.to_owned(), kind);
    }

    fn stores(&self) -> MutexGuard<'_, HashMap<String, Option<SecretStoreKind>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_what_was_learned_last_and_never_more_than_its_bound() {
        let kinds = KnownKinds::default();
        for number in 0..3 * MAX_STORES {
            let name = format!("store-{number}");
            let kind = (number % 2 == 0).then_some(SecretStoreKind::AzureVault);
            kinds.insert(&name, kind.clone());
            assert_eq!(kinds.get(&name), Some(kind));
            assert!(kinds.stores().len() <= MAX_STORES);
        }
        assert!(kinds.get("store-0").is_none());
    }
}
