//! Acquires a group's lock, and waits for an earlier write whose outcome is not known.

use std::future::pending;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::snapshot::Snapshot;
use super::summary::Summary;
use crate::Result;
use crate::client::{Client, EditGuard, UnconfirmedWrite};
use crate::models::{Marker, SecretEntry, SecretGroupId, SecretId};
use crate::transport::trace;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Waits for the edits of this group that came before, and for a write of theirs that may still arrive.
///
/// # Errors
/// [`Error::Timeout`](crate::Error::Timeout) if an earlier edit does not end: its future may be held
/// without being polled.
pub(super) async fn lock(client: &Client, group: &SecretGroupId) -> Result<EditGuard> {
    let limit = client.timeout().saturating_add(client.unconfirmed_write_timeout());
    let locks = client.edit_locks();
    let mut guard = if let Some(guard) = locks.try_lock(group) {
        guard
    } else {
        trace::awaiting_edit(group, limit);
        timeout(limit, locks.lock(group))
            .await
            .map_err(|_| client.transport().edit_under_way(group, limit))?
    };
    await_unconfirmed(&mut guard, client, group).await;
    Ok(guard)
}

/// Waits for a write of unknown outcome, which could still change what is about to be read; returns
/// whether one existed. It does not wait for an edit that is under way.
pub(super) async fn await_settled(client: &Client, group: &SecretGroupId) -> bool {
    let Some(mut guard) = client.edit_locks().try_lock(group) else { return false };
    if guard.unconfirmed().is_none() {
        return false;
    }
    await_unconfirmed(&mut guard, client, group).await;
    true
}

/// Waits until an earlier write of unknown outcome is seen done, or its time is up.
async fn await_unconfirmed(guard: &mut EditGuard, client: &Client, group: &SecretGroupId) {
    if let Some(write) = guard.unconfirmed() {
        trace::awaiting_write(group, write.time_left());
        let _ = timeout(write.time_left(), until_done(write, client, group)).await;
    }
    guard.forget();
}

async fn until_done(write: &UnconfirmedWrite, client: &Client, group: &SecretGroupId) {
    if write.shows_no_sign() {
        return pending().await;
    }
    let mut pause = FIRST_PAUSE;
    // A read that fails says nothing about the write.
    while !Snapshot::read(client, group).await.is_ok_and(|now| write.is_done_in(&now)) {
        sleep(pause).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

impl UnconfirmedWrite {
    /// The write of a full list.
    pub(super) fn of_list(client: &Client, summary: &Summary, before: &Snapshot) -> Self {
        let marker_of = |key: &String| before.keys.get(key).map(|known| known.marker.clone());
        let id_of = |key: &String| Some((key.clone(), before.keys.get(key)?.id.clone()));
        let mut write = Self::new(client.unconfirmed_write_timeout());
        write.added.clone_from(&summary.added);
        write.removed = summary.removed.iter().filter_map(id_of).collect();
        write.rotated = summary.rotated.iter().map(|key| (key.clone(), marker_of(key))).collect();
        write
    }

    /// The write of a full list over a group that was not read: nothing can be compared.
    pub(super) fn of_unread_list(client: &Client, entries: &[SecretEntry<'_>]) -> Self {
        let mut write = Self::new(client.unconfirmed_write_timeout());
        write.rotated = entries.iter().map(|entry| (entry.key.to_owned(), None)).collect();
        write
    }

    /// Whether reading the group cannot show that the write was done.
    fn shows_no_sign(&self) -> bool {
        self.rotated.iter().any(|(_, before)| before.as_ref().is_none_or(Marker::is_absent))
    }

    /// The removal of one key: if it arrived late, it would remove what was set meanwhile.
    pub(super) fn of_removal(client: &Client, key: &str, id: &SecretId) -> Self {
        let mut write = Self::new(client.unconfirmed_write_timeout());
        write.removed.push((key.to_owned(), id.clone()));
        write
    }

    fn is_done_in(&self, now: &Snapshot) -> bool {
        let is_gone =
            |(key, id): &(String, SecretId)| now.keys.get(key).is_none_or(|known| known.id != *id);
        self.added.iter().all(|key| now.has(key))
            && self.removed.iter().all(is_gone)
            && self.rotated.iter().all(|(key, before)| {
                now.keys
                    .get(key)
                    .zip(before.as_ref())
                    .is_some_and(|(known, before)| known.marker.differs(before))
            })
    }
}
