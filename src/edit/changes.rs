//! The changes of an edit, and what they do to a group as it was read.

use std::collections::{HashMap, HashSet};

use super::lock::await_settled;
use super::snapshot::Snapshot;
use super::summary::Summary;
use super::values;
use crate::api::FoundStore;
use crate::client::Client;
use crate::models::{
    Checks, NewGroupPlace, SecretGroup, SecretGroupId, check_secrets, entries, same_secret,
};
use crate::redact::Quoted;
use crate::secret_value::SecretValue;
use crate::stores::SecretStoreKind;
use crate::transport::Sends;
use crate::{Error, Result};

#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(super) set: Vec<(String, SecretValue)>,
    pub(super) existing: Existing,
    pub(super) remove: Vec<String>,
    /// Whether keys that are neither set nor named are removed.
    pub(super) remove_unlisted: bool,
    /// Where a group that does not exist is created.
    pub(super) create_in: Option<NewGroupPlace>,
    pub(super) allow_empty: bool,
    pub(super) checks: Checks,
}

/// What to do with a key to set that already exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Existing {
    /// Give it the value.
    #[default]
    Set,
    /// Give it the value unless it has that value already.
    SetIfDifferent,
    /// Keep its value.
    Keep,
}

impl Sends for Changes {
    fn values(&self) -> Vec<&SecretValue> {
        self.set.iter().map(|(_, value)| value).collect()
    }
}

impl Changes {
    pub(super) fn check_input(&self) -> Result<()> {
        check_secrets(entries(&self.set), None, self.checks)?;
        // An empty list, such as that of an empty file, is more often a mistake than intended.
        if self.remove_unlisted && self.set.is_empty() && !self.allow_empty {
            return Err(Error::EmptyGroup { context: None });
        }
        let set: HashSet<&str> = self.set.iter().map(|(key, _)| key.as_str()).collect();
        let mut removed = HashSet::new();
        for key in &self.remove {
            let refuse = |reason| Error::invalid_input("key", format!("{} {reason}", Quoted(key)));
            if key.is_empty() {
                return Err(Error::invalid_input("key", "it is empty"));
            }
            if !removed.insert(key) {
                return Err(refuse("is removed twice"));
            }
            if set.contains(key.as_str()) {
                return Err(refuse("is both set and removed"));
            }
        }
        Ok(())
    }

    /// The place of a group that was not found, if these changes create it there.
    pub(super) fn place(&self, error: &Error) -> Option<&NewGroupPlace> {
        // A key to remove cannot be in a new group.
        self.create_in.as_ref().filter(|_| error.is_missing_group() && self.remove.is_empty())
    }

    /// If no tenant is known, the group was found by its name alone and may be another tenant's.
    pub(super) fn check_tenant(&self, client: &Client, group: &SecretGroup) -> Result<()> {
        let is_elsewhere =
            |place: &NewGroupPlace| group.integration_id().is_some() && !place.has(group);
        if client.known_tenant().is_some() || !self.create_in.as_ref().is_some_and(is_elsewhere) {
            return Ok(());
        }
        let reason = format!(
            "{} is in another store, and can be another tenant's; say which with ClientBuilder::tenant",
            Quoted(group.fqn())
        );
        Err(Error::invalid_input("group name", reason))
    }

    /// What these changes do to the group as it was read, or why they cannot be done to it.
    pub(super) async fn planned_on(&self, client: &Client, snapshot: &Snapshot) -> Result<Summary> {
        let stay = match self.existing {
            Existing::Set => HashSet::new(),
            Existing::SetIfDifferent => values::unchanged(client, snapshot, &self.set).await?,
            Existing::Keep => self.existing_keys(snapshot).collect(),
        };
        let summary = Summary::new(self, snapshot, &stay);
        if let Some(missing) = self.remove.iter().find(|key| !snapshot.has(key)) {
            return Err(client.transport().no_such_key(snapshot.group.id(), missing));
        }
        if summary.removes_all() && !self.allow_empty {
            return Err(Error::EmptyGroup { context: None });
        }
        Ok(summary)
    }

    fn existing_keys(&self, snapshot: &Snapshot) -> impl Iterator<Item = &str> {
        self.set.iter().map(|(key, _)| key.as_str()).filter(|key| snapshot.has(key))
    }

    /// Whether values are read for the plan, which gives the group time to change meanwhile.
    pub(super) fn compares_values(&self) -> bool {
        self.existing == Existing::SetIfDifferent
    }

    /// A plan that finds nothing to change is not checked again, so no late write may arrive after
    /// it.
    pub(super) async fn await_settled(&self, client: &Client, group: &SecretGroupId) -> bool {
        self.compares_values() && await_settled(client, group).await
    }

    /// The keys and values that are written.
    pub(super) fn written<'a>(
        &'a self,
        summary: &'a Summary,
    ) -> impl Iterator<Item = &'a (String, SecretValue)> {
        let written: HashSet<&String> = summary.added.iter().chain(&summary.rotated).collect();
        self.set.iter().filter(move |(key, _)| written.contains(key))
    }

    /// Whether a value is written regardless of what is read.
    pub(super) fn always_set(&self) -> bool {
        self.existing == Existing::Set && !self.set.is_empty()
    }

    /// The store whose rules apply to what is written, if any.
    pub(super) async fn store(&self, client: &Client, group: &SecretGroup) -> FoundStore {
        if self.checks.skip_store_rules {
            return FoundStore::default();
        }
        match &self.create_in {
            Some(place) if place.kind.is_some() && place.has(group) => {
                FoundStore { kind: place.kind.clone(), made_request: false }
            }
            _ => client.store_of(group).await,
        }
    }

    pub(super) fn check_store_rules(
        &self,
        snapshot: &Snapshot,
        summary: &Summary,
        store: Option<&SecretStoreKind>,
    ) -> Result<()> {
        let Some(store) = store else { return Ok(()) };
        let existing = snapshot.keys.keys().map(|key| (store.identity(key), key));
        let mut known: HashMap<String, &String> = existing.collect();
        for (key, value) in self.written(summary) {
            // An existing key was accepted once, whatever the rules say.
            if !snapshot.has(key) {
                if store.check_key(key).is_err() {
                    return Err(Error::key_not_supported(key, store));
                }
                // If this write removes the other key, the new one goes with it.
                if let Some(other) = known.insert(store.identity(key), key) {
                    return Err(same_secret(other, key, store));
                }
            }
            store.check_value(value).map_err(|problem| {
                Error::invalid_input(format!("value of {}", Quoted(key)), problem.to_string())
            })?;
        }
        Ok(())
    }

    /// The rules of the store in which the group is created.
    pub(super) fn check_new(&self, place: &NewGroupPlace) -> Result<()> {
        check_secrets(entries(&self.set), place.kind.as_ref(), self.checks)
    }
}
