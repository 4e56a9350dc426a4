//! Plans and writes in one go, starts over if another client was faster, and creates a missing
//! group.

use super::changes::Changes;
use super::lock::lock;
use super::plan::AppliedEdit;
use super::snapshot::Snapshot;
use super::summary::Summary;
use super::write;
use crate::api::FoundStore;
use crate::client::{Client, EditGuard};
use crate::models::{NewGroupPlace, NewGroupRequest, SecretGroup, SecretGroupId};
use crate::{Error, Result};

/// How often a group is created or written, or found to be gone, before its edit is given up.
const ROUNDS: u32 = 3;

pub(super) struct Run<'a> {
    client: &'a Client,
    changes: &'a Changes,
    /// Whether to read the group again after a write, and write again what is missing then.
    confirms: bool,
    rounds: u32,
    may_have_written: bool,
    /// Whether the response to a creation was lost.
    may_have_created: bool,
    /// Why the last creation failed, in case the group does not exist after it.
    not_created: Option<Error>,
    /// What was added; a key that was added in several rounds is in it several times.
    added: Vec<String>,
    store: Option<FoundStore>,
}

enum Round {
    Done(Box<AppliedEdit>),
    /// Another client was faster, as the error says.
    Again(Error),
}

impl<'a> Run<'a> {
    pub(super) fn new(client: &'a Client, changes: &'a Changes) -> Self {
        Self {
            client,
            changes,
            confirms: false,
            rounds: 0,
            may_have_written: false,
            may_have_created: false,
            not_created: None,
            added: Vec::new(),
            store: None,
        }
    }

    pub(super) fn confirming(client: &'a Client, changes: &'a Changes) -> Self {
        Self { confirms: true, ..Self::new(client, changes) }
    }

    /// What was added in all rounds.
    pub(super) fn into_added(self) -> Vec<String> {
        self.added
    }

    pub(super) async fn by_id(&mut self, id: &SecretGroupId) -> Result<AppliedEdit> {
        match self.apply(id).await? {
            Round::Done(applied) => Ok(*applied),
            Round::Again(error) => Err(error),
        }
    }

    pub(super) async fn by_name(&mut self, name: &str) -> Result<AppliedEdit> {
        let result = self.find_and_apply(name).await;
        // A later read may have failed: what was written before stays written.
        result.map_err(|error| if self.may_have_written { error.after_a_write() } else { error })
    }

    async fn find_and_apply(&mut self, name: &str) -> Result<AppliedEdit> {
        loop {
            let group = match self.client.secret_groups().get_by_name(name).await {
                Ok(group) => group,
                Err(missing) => {
                    let Some(place) = self.changes.place(&missing) else { return Err(missing) };
                    match self.create(name, place, missing).await? {
                        Some(group) => return Ok(AppliedEdit::of_new_group(self.changes, group)),
                        None => continue,
                    }
                }
            };
            self.changes.check_tenant(self.client, &group)?;
            if self.changes.always_set() && self.store.is_none() {
                self.store = Some(self.changes.store(self.client, &group).await);
            }
            match self.apply(group.id()).await {
                Ok(Round::Done(applied)) if !self.confirms || applied.is_unchanged() => {
                    return Ok(self.told_if_created(*applied));
                }
                Ok(Round::Again(error)) if !self.confirms => return Err(error),
                Ok(_) => {}
                // The group was deleted after it was found.
                Err(gone) if self.rounds <= ROUNDS && self.changes.place(&gone).is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// `None` if a look-up has to tell whether it was created.
    async fn create(
        &mut self,
        name: &str,
        place: &NewGroupPlace,
        missing: Error,
    ) -> Result<Option<SecretGroup>> {
        if self.rounds >= ROUNDS {
            return Err(self.not_created.take().unwrap_or(missing));
        }
        self.rounds += 1;
        let error = match create(self.client, self.changes, name, place).await {
            Ok(group) => return Ok(Some(group)),
            Err(error) => error,
        };
        if error.may_have_been_applied() {
            self.may_have_written = true;
            self.may_have_created = true;
        } else if !matches!(error, Error::AlreadyExists { .. }) {
            return Err(error);
        }
        self.not_created = Some(error);
        Ok(None)
    }

    /// If the response to a creation was lost and the group is as it should be, that creation made
    /// it.
    fn told_if_created(&self, applied: AppliedEdit) -> AppliedEdit {
        let is_ours = applied.is_unchanged() && applied.kept().len() == self.changes.set.len();
        match applied.group {
            Some(group) if self.may_have_created && self.added.is_empty() && is_ours => {
                AppliedEdit::of_new_group(self.changes, group)
            }
            group => AppliedEdit { group, summary: applied.summary },
        }
    }

    /// Plans and writes under one lock.
    async fn apply(&mut self, id: &SecretGroupId) -> Result<Round> {
        let mut guard = lock(self.client, id).await?;
        loop {
            let read = Snapshot::read(self.client, id).await;
            let snapshot = read.inspect_err(|_| self.rounds += 1)?;
            match self.write(&mut guard, snapshot).await? {
                Round::Again(_) if self.rounds < ROUNDS => {}
                round => return Ok(round),
            }
        }
    }

    async fn write(&mut self, guard: &mut EditGuard, mut snapshot: Snapshot) -> Result<Round> {
        let (client, changes) = (self.client, self.changes);
        let summary = match changes.planned_on(client, &snapshot).await {
            Err(faster @ Error::ConcurrentEdit { .. }) if self.rounds < ROUNDS => {
                self.rounds += 1;
                return Ok(Round::Again(faster));
            }
            planned => planned?,
        };
        if summary.changes_nothing() {
            let group = Some(snapshot.group);
            return Ok(Round::Done(Box::new(AppliedEdit { group, summary })));
        }
        if self.rounds >= ROUNDS {
            let missing = changes.written(&summary).map(|(key, _)| key.clone()).collect();
            return Err(Error::concurrent_edit(vec![], missing, vec![], self.may_have_written));
        }
        self.rounds += 1;
        let mut is_old = changes.compares_values();
        if self.store.is_none() && summary.sets_keys() {
            let found = changes.store(client, &snapshot.group).await;
            is_old |= found.made_request;
            self.store = Some(found);
        }
        let kind = self.store.as_ref().and_then(|store| store.kind.as_ref());
        changes.check_store_rules(&snapshot, &summary, kind)?;
        if is_old {
            // Nothing that takes time may come between the last read and the write.
            let now = Snapshot::read(client, snapshot.group.id()).await?;
            if let Err(faster) = snapshot.unchanged_in(&now) {
                return Ok(Round::Again(faster));
            }
            snapshot = now;
        }
        match write::write(client, guard, &snapshot, changes, &summary).await {
            Ok(group) => {
                self.wrote(&summary);
                Ok(Round::Done(Box::new(AppliedEdit { group, summary })))
            }
            Err(faster @ Error::ConcurrentEdit { applied: false, .. }) => Ok(Round::Again(faster)),
            Err(undone @ Error::ConcurrentEdit { .. }) if self.confirms => {
                self.wrote(&summary);
                Ok(Round::Again(undone))
            }
            Err(error) => Err(error),
        }
    }

    fn wrote(&mut self, summary: &Summary) {
        self.may_have_written = true;
        self.added.extend(summary.added.iter().cloned());
    }
}

/// Creates the group with all keys to set.
pub(super) async fn create(
    client: &Client,
    changes: &Changes,
    name: &str,
    place: &NewGroupPlace,
) -> Result<SecretGroup> {
    changes.check_new(place)?;
    let integration_id = &place.integration_id;
    let new = NewGroupRequest { name, integration_id, secrets: &changes.set };
    client.secret_groups().create_checked(new).await
}
