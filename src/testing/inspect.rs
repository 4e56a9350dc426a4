//! Looking at the state of a [`FakeTrueFoundry`], and changing it behind the client's back.

use super::entities::{Group, Key};
use super::fake::FakeTrueFoundry;
use super::server::lock;
use crate::stores::SecretStoreKind;

impl FakeTrueFoundry {
    fn with_group_named<T>(&self, name: &str, read: impl FnOnce(&Group) -> T) -> Option<T> {
        lock(&self.shared.state).group_named(name).map(read)
    }

    fn with_key<T>(&self, group: &str, key: &str, read: impl FnOnce(&Key) -> T) -> Option<T> {
        self.with_group_named(group, |group| group.key(key).map(read)).flatten()
    }

    /// The identifier of a group.
    pub fn group_id(&self, group: &str) -> Option<String> {
        self.with_group_named(group, |group| group.id.clone())
    }

    /// The names of all groups.
    pub fn groups(&self) -> Vec<String> {
        lock(&self.shared.state).groups.iter().map(|group| group.name.clone()).collect()
    }

    /// The identifier of a secret.
    pub fn secret_id(&self, group: &str, key: &str) -> Option<String> {
        self.with_key(group, key, |key| key.id.clone())
    }

    /// The current value of a secret.
    pub fn value(&self, group: &str, key: &str) -> Option<String> {
        self.with_key(group, key, |key| key.current().map(|version| version.value.clone()))
            .flatten()
    }

    /// The keys of a group; none if the group does not exist.
    pub fn keys(&self, group: &str) -> Vec<String> {
        self.with_group_named(group, |group| {
            group.keys.iter().map(|key| key.name.clone()).collect()
        })
        .unwrap_or_default()
    }

    /// The number of a secret's current version.
    pub fn version(&self, group: &str, key: &str) -> Option<u32> {
        self.with_key(group, key, |key| key.current().map(|version| version.number)).flatten()
    }

    /// The identifier of the first store of this kind, for `integrationId`.
    pub fn store_id(&self, kind: &SecretStoreKind) -> Option<String> {
        lock(&self.shared.state)
            .stores
            .iter()
            .find(|store| store.kind == *kind)
            .map(|store| store.id.clone())
    }

    /// The name of the first store of this kind as manifests have it, for `integration_fqn`.
    pub fn store_fqn(&self, kind: &SecretStoreKind) -> Option<String> {
        let state = lock(&self.shared.state);
        let store = state.stores.iter().find(|store| store.kind == *kind)?;
        Some(super::stores::fqn(&state, store))
    }

    /// The stores' own passwords, which appear in `auth_data` on the wire. They give access to
    /// nothing; a client must not keep or print them.
    pub fn store_credentials(&self) -> Vec<String> {
        lock(&self.shared.state).stores.iter().map(|store| store.credential.clone()).collect()
    }

    /// The stored names that cannot be used again yet.
    pub fn soft_deleted(&self) -> Vec<String> {
        lock(&self.shared.state).tombstones.names()
    }

    /// Writes a value as another client would have: adds the key, or gives it a new version if the
    /// value differs. Creates the group if it does not exist.
    pub fn set_value(&self, group: &str, key: &str, value: &str) {
        lock(&self.shared.state).seed(group, key, value);
    }

    /// Removes a key as another client would have. Returns whether it existed.
    pub fn remove_key(&self, group: &str, key: &str) -> bool {
        let mut state = lock(&self.shared.state);
        let Some(id) = state.group_named(group).map(|group| group.id.clone()) else {
            return false;
        };
        state.remove_keys(&id, &[key.to_owned()])
    }

    /// Removes a whole group as another client would have. Returns whether it existed.
    pub fn remove_group(&self, group: &str) -> bool {
        let mut state = lock(&self.shared.state);
        let Some(id) = state.group_named(group).map(|group| group.id.clone()) else {
            return false;
        };
        state.remove_group(&id)
    }
}
