//! What the server remembers: stores, groups, keys, versions.

use serde_json::Value;

use super::clock::{Clock, Millis};
use crate::stores::SecretStoreKind;

#[derive(Clone)]
pub(super) struct Store {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: SecretStoreKind,
    /// Another tenant that it belongs to, such as the platform's own.
    pub(super) tenant: Option<String>,
    /// The store's own password, which a client must neither keep nor print.
    pub(super) credential: String,
    pub(super) created: Millis,
}

#[derive(Clone)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    /// Another tenant that shares it with this one.
    pub(super) tenant: Option<String>,
    pub(super) store_id: Option<String>,
    pub(super) keys: Vec<Key>,
    pub(super) collaborators: Value,
    pub(super) owned_by: Option<Value>,
    pub(super) created: Millis,
    pub(super) updated: Millis,
}

#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) versions: Vec<Version>,
    pub(super) created: Millis,
    pub(super) updated: Millis,
}

#[derive(Clone)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) number: u32,
    pub(super) value: String,
    pub(super) created: Millis,
}

impl Key {
    pub(super) fn current(&self) -> Option<&Version> {
        self.versions.last()
    }
}

impl Group {
    pub(super) fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Adds the key, or gives it a new version if the value differs.
    pub(super) fn set(&mut self, clock: &mut Clock, name: &str, value: &str) {
        let now = clock.tick();
        self.updated = now;
        let version = |clock: &mut Clock, number| Version {
            id: clock.id(),
            number,
            value: value.to_owned(),
            created: now,
        };
        if let Some(key) = self.keys.iter_mut().find(|key| key.name == name) {
            let current = key.current().map_or(0, |version| version.number);
            if key.current().is_none_or(|version| version.value != value) {
                key.versions.push(version(clock, current.saturating_add(1)));
                key.updated = now;
            }
        } else {
            let id = clock.id();
            let versions = vec![version(clock, 1)];
            self.keys.push(Key { id, name: name.to_owned(), versions, created: now, updated: now });
        }
    }

    pub(super) fn remove(&mut self, clock: &mut Clock, name: &str) -> bool {
        let before = self.keys.len();
        self.keys.retain(|key| key.name != name);
        let removed = self.keys.len() < before;
        if removed {
            self.updated = clock.tick();
        }
        removed
    }
}
