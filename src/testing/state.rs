//! The one state behind a server, and the look-ups that every endpoint shares.

use std::collections::BTreeSet;

use serde_json::json;

use super::clock::{Clock, random_token};
use super::entities::{Group, Key, Store};
use super::logins::Logins;
use super::response::Response;
use super::tombstones::Tombstones;
use crate::stores::SecretStoreKind;

/// Ways in which installations of the service differ from each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quirk {
    ValuesHidden,
    NoValuesInLists,
    NoPagination,
    FractionalVersions,
    StrictBatches,
    ScheduledDeletion,
    StoreFailing,
    NoTenantId,
    NoSession,
    OlderLogin,
}

pub(super) struct State {
    pub(super) tenant: String,
    pub(super) prefix: String,
    pub(super) quirks: BTreeSet<Quirk>,
    pub(super) page_limit: Option<usize>,
    pub(super) associated_limit: Option<usize>,
    pub(super) denied: BTreeSet<String>,
    pub(super) stores: Vec<Store>,
    pub(super) groups: Vec<Group>,
    pub(super) tombstones: Tombstones,
    pub(super) clock: Clock,
    pub(super) logins: Logins,
    /// What `tenant-id` names for refreshing, if it is not this server.
    pub(super) auth_server: Option<String>,
    only_the_default_store: bool,
}

impl State {
    pub(super) fn new() -> Self {
        let mut state = Self {
            tenant: "my-tenant".to_owned(),
            prefix: String::new(),
            quirks: BTreeSet::new(),
            page_limit: None,
            associated_limit: None,
            denied: BTreeSet::new(),
            stores: Vec::new(),
            groups: Vec::new(),
            tombstones: Tombstones::default(),
            clock: Clock::new(),
            logins: Logins::new(),
            auth_server: None,
            only_the_default_store: false,
        };
        state.add_store(SecretStoreKind::AwsSecretsManager, None);
        state.only_the_default_store = true;
        state
    }

    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    pub(super) fn fqn(&self, group: &Group) -> String {
        format!("{}:{}", self.tenant_of(group.tenant.as_ref()), group.name)
    }

    /// The owner's name, if it is another tenant than the server's own.
    pub(super) fn tenant_of<'a>(&'a self, other: Option<&'a String>) -> &'a str {
        other.unwrap_or(&self.tenant)
    }

    pub(super) fn add_store(&mut self, kind: SecretStoreKind, tenant: Option<String>) -> String {
        let id = self.clock.id();
        if self.only_the_default_store {
            self.stores.clear();
            self.only_the_default_store = false;
            // Groups made before the store was chosen move along, so that the order of the
            // builder's calls does not matter.
            for group in self.groups.iter_mut().filter(|group| group.store_id.is_some()) {
                group.store_id = Some(id.clone());
            }
        }
        self.stores.push(Store {
            id: id.clone(),
            name: format!("store-{}", self.stores.len().saturating_add(1)),
            kind,
            tenant,
            credential: format!("fake-store-password-{}", random_token()),
            created: self.clock.tick(),
        });
        id
    }

    pub(super) fn remove_stores(&mut self) {
        self.stores.clear();
        self.only_the_default_store = false;
        for group in &mut self.groups {
            group.store_id = None;
        }
    }

    pub(super) fn store_of(&self, group: &Group) -> Option<&Store> {
        let id = group.store_id.as_deref()?;
        self.stores.iter().find(|store| store.id == id)
    }

    pub(super) fn new_group(&mut self, name: &str, store_id: Option<String>) -> Group {
        let now = self.clock.tick();
        Group {
            id: self.clock.id(),
            name: name.to_owned(),
            tenant: None,
            store_id,
            keys: Vec::new(),
            collaborators: json!([{ "subject": "user:ada@example.com", "role_id": "secret-group-admin" }]),
            owned_by: None,
            created: now,
            updated: now,
        }
    }

    /// Bypasses the API, as another client's write would appear.
    pub(super) fn seed(&mut self, group: &str, key: &str, value: &str) {
        let id = self.ensure_group(group);
        let Self { groups, clock, .. } = self;
        if let Some(group) = groups.iter_mut().find(|candidate| candidate.id == id) {
            group.set(clock, key, value);
        }
    }

    pub(super) fn ensure_group(&mut self, name: &str) -> String {
        if let Some(group) = self.group_named(name) {
            return group.id.clone();
        }
        self.add_group(name, None)
    }

    pub(super) fn add_group(&mut self, name: &str, tenant: Option<String>) -> String {
        let store = self.stores.first().map(|store| store.id.clone());
        let group = Group { tenant, ..self.new_group(name, store) };
        let id = group.id.clone();
        self.groups.push(group);
        id
    }

    /// The tenant's own group of this name: what the API matches by name.
    pub(super) fn own_group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.tenant.is_none() && group.name == name)
    }

    /// The tenant's own group of this name, or any group with this FQN: how tests name one.
    pub(super) fn group_named(&self, name: &str) -> Option<&Group> {
        let by_fqn = || self.groups.iter().find(|group| self.fqn(group) == name);
        self.own_group(name).or_else(by_fqn)
    }

    pub(super) fn visible(&self, group: &Group) -> bool {
        !self.denied.contains(&group.name)
    }

    pub(super) fn group(&self, id: &str) -> Result<&Group, Response> {
        let group = self
            .groups
            .iter()
            .find(|group| group.id == id)
            .ok_or_else(|| Response::error(404, "Secret group ID not found"))?;
        if self.visible(group) { Ok(group) } else { Err(forbidden()) }
    }

    pub(super) fn secret(&self, id: &str) -> Result<(&Group, &Key), Response> {
        let (group, key) = self
            .groups
            .iter()
            .find_map(|group| Some((group, group.keys.iter().find(|key| key.id == id)?)))
            .ok_or_else(|| Response::error(404, "Secret ID not found"))?;
        if self.visible(group) { Ok((group, key)) } else { Err(forbidden()) }
    }

    /// Removes keys, and leaves behind the names that the store holds on to.
    pub(super) fn remove_keys(&mut self, group_id: &str, names: &[String]) -> bool {
        let scheduled = self.has(Quirk::ScheduledDeletion);
        let Self { groups, clock, tombstones, stores, .. } = self;
        let Some(group) = groups.iter_mut().find(|group| group.id == group_id) else {
            return false;
        };
        let store = stores.iter().find(|store| group.store_id.as_ref() == Some(&store.id));
        let mut removed = false;
        for name in names {
            if group.remove(clock, name) {
                removed = true;
                if let Some(store) = store {
                    tombstones.bury(store, &group.name, name, scheduled);
                }
            }
        }
        removed
    }

    pub(super) fn remove_group(&mut self, group_id: &str) -> bool {
        let Some(group) = self.groups.iter().find(|group| group.id == group_id) else {
            return false;
        };
        let names: Vec<String> = group.keys.iter().map(|key| key.name.clone()).collect();
        self.remove_keys(group_id, &names);
        self.groups.retain(|group| group.id != group_id);
        true
    }

    /// The store behind a group failed: every write fails, and a delete unless it is forced.
    pub(super) fn store_works(&self, forced: bool) -> Result<(), Response> {
        if self.has(Quirk::StoreFailing) && !forced {
            return Err(Response::error(424, "The secret store could not be reached"));
        }
        Ok(())
    }
}

pub(super) fn forbidden() -> Response {
    Response::error(403, "Cannot access secrets")
}
