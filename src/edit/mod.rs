//! Changes to a group that name what changes and leave the rest alone.
//!
//! The API's own update is a full list: a key that is left out is deleted with all its versions. An
//! [`Edit`] reads the keys (never the values), and sends the others along as kept.

mod ensure;
mod lock;
mod plan;
mod replace;
mod snapshot;
mod summary;
mod write;

pub use ensure::Ensured;
pub use plan::{AppliedEdit, EditPlan};

use std::collections::HashSet;
use std::sync::Arc;

use crate::api::{FoundStore, SecretGroups};
use crate::client::Client;
use crate::models::{Checks, SecretEntry, SecretGroup, SecretGroupId, check_secrets};
use crate::redact::Quoted;
use crate::secret_value::SecretValue;
use crate::stores::SecretStoreKind;
use crate::transport::Sends;
use crate::{Error, Result};
use lock::lock;
use snapshot::Snapshot;
use summary::Summary;

/// How often a direct [`Edit::apply`] plans anew when the group changes under it.
const PLANS: u32 = 3;

/// A change to a secret group: keys to set, keys to remove. From [`SecretGroups::edit`].
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client, new_value: truefoundry_secrets::SecretValue)
/// # -> truefoundry_secrets::Result<()> {
/// let plan = client.secret_groups().edit("sg-abc")
///     .set("DB-PASSWORD", new_value)
///     .remove("OLD-KEY")
///     .plan().await?;
/// println!("{plan}"); // prod-secrets: ~ DB-PASSWORD  - OLD-KEY  = 4 kept
/// plan.apply().await?;
/// # Ok(())
/// # }
/// ```
///
/// # What is promised
/// - Only keys that are named in [`remove`](Self::remove) are removed; an edit that only removes deletes
///   those secrets one by one and cannot lose any other key.
/// - A list of keys is doubted before others are deleted by it: it must hold as many different secrets as the
///   server's total, and end on a page that is not full; else nothing is written.
/// - A change by another client before the re-read that [`EditPlan::apply`] makes is reported as
///   [`Error::ConcurrentEdit`], and nothing is written.
/// - Edits of one group from one client and its clones wait for each other, in order; edits of different
///   groups do not. An edit that waits fails with [`Error::Timeout`] once [`ClientBuilder::timeout`] and
///   [`ClientBuilder::unconfirmed_write_timeout`] have passed together, such as behind an edit whose future
///   is kept but no longer polled.
/// - After a write or a removal whose outcome is unknown (its response was lost, or the future was
///   dropped) the next edit of that group first waits until it sees it done, or until
///   [`ClientBuilder::unconfirmed_write_timeout`] has passed since it was given up: a write that arrives
///   late would delete what was added since. The error's [`hint`](Error::hint) says so, and an event
///   (feature `tracing`) when the wait begins. A failure that the service itself reports is not waited for.
///
/// [`ClientBuilder::timeout`]: crate::ClientBuilder::timeout
/// [`ClientBuilder::unconfirmed_write_timeout`]: crate::ClientBuilder::unconfirmed_write_timeout
///
/// # What is not
/// The API has no compare-and-set. A key that **another process adds between this edit's last read and
/// its write** is not in the list that is written, and is deleted without either of them seeing an error;
/// a value that it sets in that time is overwritten where this edit sets the key, too. The window is one
/// round trip long. Nor can a client tell whose write it sees: where another process makes the same change
/// as a lost write of this one, that write counts as done. A server of which the group's own list, the page
/// and the total leave out the same keys of a group of fewer than 100 is believed. Where several processes write one group at
/// the same time, let one of them do the writing.
#[derive(Debug)]
#[must_use = "nothing is changed before `plan` or `apply`"]
pub struct Edit {
    client: Client,
    target: Target,
    changes: Changes,
}

#[derive(Debug)]
enum Target {
    Id(SecretGroupId),
    Name(String),
}

/// What an edit is to do.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    set: Vec<(String, SecretValue)>,
    remove: Vec<String>,
    allow_empty: bool,
    checks: Checks,
}

impl SecretGroups<'_> {
    /// Begins a change of the group with this identifier: the way to add, rotate and remove keys without
    /// deleting the others.
    pub fn edit(self, id: impl Into<SecretGroupId>) -> Edit {
        Edit::new(self.client().clone(), Target::Id(id.into()))
    }

    /// Begins a change of the group with this name. [`Edit::apply`] makes one request more than with the
    /// identifier and [`Edit::plan`] makes none; each makes one more if the tenant's name is not known yet
    /// ([`get_by_name`](Self::get_by_name)).
    pub fn edit_by_name(self, name: impl Into<String>) -> Edit {
        Edit::new(self.client().clone(), Target::Name(name.into()))
    }
}

impl Edit {
    fn new(client: Client, target: Target) -> Self {
        Self { client, target, changes: Changes::default() }
    }

    /// Adds the key, or gives it this value: a new version if the value differs.
    pub fn set(mut self, key: impl Into<String>, value: impl Into<SecretValue>) -> Self {
        self.changes.set.push((key.into(), value.into()));
        self
    }

    /// Removes the key with all its versions.
    pub fn remove(mut self, key: impl Into<String>) -> Self {
        self.changes.remove.push(key.into());
        self
    }

    /// Allows removing the last key, which is [`Error::EmptyGroup`] otherwise.
    pub fn allow_empty(mut self) -> Self {
        self.changes.allow_empty = true;
        self
    }

    /// Sends keys and values that break the store's documented rules, in case the store has changed
    /// them; the store is not looked up.
    pub fn skip_store_rules(mut self) -> Self {
        self.changes.checks.skip_store_rules = true;
        self
    }

    /// Sends values that look like this crate's own masks (`(set)`, `(empty)`, four characters and
    /// `***`), which are refused otherwise.
    pub fn allow_masked_text(mut self) -> Self {
        self.changes.checks.allow_masked_text = true;
        self
    }

    /// Sends values that are references (`tfy-secret://tenant:group:key`, also within quotes), which are
    /// refused otherwise.
    pub fn allow_reference_text(mut self) -> Self {
        self.changes.checks.allow_reference_text = true;
        self
    }

    /// Reads the group's keys and says what would change. Nothing is written.
    ///
    /// It takes two requests: the group, and the first 100 of its secrets (at the same time, or one after
    /// the other by name). A group of 100 keys and more takes one more, because a full page does not
    /// show that it is the last, nor a total that nothing follows. If neither of the two lists all keys it takes one more per 100 keys, and one
    /// to see that the group did not change meanwhile. A control plane that neither lists a group's keys in
    /// the group nor says how long its pages are takes those two, too. The first edit that sets keys in a
    /// store takes one more, to learn the store's rules.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty or duplicate key, a masked value or a reference as a value, before
    /// anything is sent;
    /// [`Error::KeyNotSupported`] and [`Error::InvalidInput`] for what the store does not accept;
    /// [`Error::NotFound`] for the group, or for a key to remove that does not exist;
    /// [`Error::EmptyGroup`]; [`Error::Decode`] if the server's lists contradict each other or its totals all
    /// three times that they are read, [`Error::ConcurrentEdit`] if the group changes every time.
    pub async fn plan(self) -> Result<EditPlan> {
        self.changes.check_input()?;
        let changes = Arc::new(self.changes);
        let client = self.client.sending(changes.clone());
        let snapshot = match self.target {
            Target::Id(id) => Snapshot::read(&client, &id).await?,
            Target::Name(name) => {
                let group = client.secret_groups().get_by_name(&name).await?;
                Snapshot::of(&client, group).await?
            }
        };
        let store = changes.store(&client, &snapshot.group).await;
        let summary = changes.planned_on(&client, &snapshot, store.kind.as_ref())?;
        Ok(EditPlan { client, changes, snapshot, summary })
    }

    /// Plans and writes in one go, under one lock of this client and its clones. If the group has changed
    /// since it was read, it is planned again, three times at most.
    ///
    /// It makes two requests to read the group, at the same time (see [`plan`](Self::plan) for groups of 100
    /// keys and more), and one for the write, or one per key for an edit that only removes. An edit by name
    /// makes one more. The first edit that sets keys in a store makes one more to learn the store's rules,
    /// and by identifier two more, because the group is read again.
    ///
    /// # Errors
    /// As [`plan`](Self::plan) and [`EditPlan::apply`].
    pub async fn apply(self) -> Result<AppliedEdit> {
        self.changes.check_input()?;
        let changes = Arc::new(self.changes);
        let client = &self.client.sending(changes.clone());
        let mut store = None;
        let id = match self.target {
            Target::Id(id) => id,
            Target::Name(name) => {
                let group = client.secret_groups().get_by_name(&name).await?;
                store = Some(changes.store(client, &group).await);
                group.id().clone()
            }
        };
        let mut guard = lock(client, &id).await?;
        let mut plans = 1;
        loop {
            let snapshot = Snapshot::read(client, &id).await?;
            if store.is_none() {
                let found = changes.store(client, &snapshot.group).await;
                let made_request = found.made_request;
                store = Some(found);
                // Others may have written since, and nothing that takes time may come between the last
                // read and the write.
                if made_request {
                    continue;
                }
            }
            let kind = store.as_ref().and_then(|store| store.kind.as_ref());
            let summary = changes.planned_on(client, &snapshot, kind)?;
            match write::write(client, &mut guard, &snapshot, &changes, &summary).await {
                Err(Error::ConcurrentEdit { applied: false, .. }) if plans < PLANS => plans += 1,
                written => return written.map(|group| AppliedEdit { group, summary }),
            }
        }
    }
}

impl Sends for Changes {
    fn values(&self) -> Vec<&SecretValue> {
        self.set.iter().map(|(_, value)| value).collect()
    }
}

impl Changes {
    fn check_input(&self) -> Result<()> {
        let set = self.set.iter().map(|(key, value)| SecretEntry { key, value: Some(value) });
        check_secrets(set, None, self.checks)?;
        let set: HashSet<&str> = self.set.iter().map(|(key, _)| key.as_str()).collect();
        let mut removed = HashSet::new();
        for key in &self.remove {
            let refuse = |reason| Error::invalid_input("key", format!("{} {reason}", Quoted(key)));
            if key.is_empty() {
                return Err(Error::invalid_input("key", "it is empty"));
            }
            if !removed.insert(key) {
                return Err(refuse("is to be removed twice"));
            }
            if set.contains(key.as_str()) {
                return Err(refuse("is to be set and to be removed"));
            }
        }
        Ok(())
    }

    /// The store whose rules apply, if any.
    async fn store(&self, client: &Client, group: &SecretGroup) -> FoundStore {
        if self.set.is_empty() || self.checks.skip_store_rules {
            return FoundStore::default();
        }
        client.store_of(group).await
    }

    /// What these changes do to the group as it was read, or why they cannot be done to it.
    fn planned_on(
        &self,
        client: &Client,
        snapshot: &Snapshot,
        store: Option<&SecretStoreKind>,
    ) -> Result<Summary> {
        let summary = Summary::new(self, snapshot);
        if let Some(missing) = self.remove.iter().find(|key| !snapshot.has(key)) {
            return Err(client.transport().no_such_key(snapshot.group.id(), missing));
        }
        if summary.removes_all() && !self.allow_empty {
            return Err(Error::EmptyGroup { context: None });
        }
        if let Some(store) = store {
            self.check_store_rules(snapshot, store)?;
        }
        Ok(summary)
    }

    fn check_store_rules(&self, snapshot: &Snapshot, store: &SecretStoreKind) -> Result<()> {
        for (key, value) in &self.set {
            // An existing key was accepted once, whatever is known of the rules.
            if !snapshot.has(key) && store.check_key(key).is_err() {
                return Err(Error::key_not_supported(key, store));
            }
            store.check_value(value).map_err(|problem| {
                Error::invalid_input(format!("value of {}", Quoted(key)), problem.to_string())
            })?;
        }
        Ok(())
    }
}
