//! The locks of the groups that are edited, and the writes whose outcome is not known: data only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use crate::Result;
use crate::models::{Marker, SecretGroupId, SecretId};

/// Fewer locks than these are never pruned.
const MIN_PRUNED: usize = 256;

type Lock = Arc<tokio::sync::Mutex<Option<UnconfirmedWrite>>>;

/// A lock for each group that a client and its clones edit.
#[derive(Debug, Default)]
pub(crate) struct EditLocks(Mutex<LockMap>);

#[derive(Debug, Default)]
struct LockMap {
    locks: HashMap<String, Lock>,
    /// How many locks the last pruning left.
    left: usize,
}

/// The right to edit one group, until it is dropped.
#[derive(Debug)]
pub(crate) struct EditGuard(OwnedMutexGuard<Option<UnconfirmedWrite>>);

/// A write that was sent, and that may take effect at any time until it is seen or its time is up.
#[derive(Debug)]
pub(crate) struct UnconfirmedWrite {
    /// When its caller stopped waiting for the response; `None` while it is under way.
    given_up: Option<Instant>,
    timeout: Duration,
    pub(crate) added: Vec<String>,
    /// With its identifier: a key of the same name that is added later is another secret.
    pub(crate) removed: Vec<(String, SecretId)>,
    /// Rotated keys with the marker that they carried before.
    pub(crate) rotated: Vec<(String, Option<Marker>)>,
}

impl EditLocks {
    /// Waits for the edits of this group that came before.
    pub(crate) async fn lock(&self, group: &SecretGroupId) -> EditGuard {
        EditGuard(self.lock_of(group).lock_owned().await)
    }

    /// `None` if an earlier edit of this group is under way.
    pub(crate) fn try_lock(&self, group: &SecretGroupId) -> Option<EditGuard> {
        self.lock_of(group).try_lock_owned().ok().map(EditGuard)
    }

    fn lock_of(&self, group: &SecretGroupId) -> Lock {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).lock_of(group.as_str())
    }
}

impl LockMap {
    fn lock_of(&mut self, group: &str) -> Lock {
        if let Some(lock) = self.locks.get(group) {
            return Arc::clone(lock);
        }
        // Only when the map has doubled, so that each new group costs a look at two locks at most.
        if self.locks.len() >= MIN_PRUNED.max(2 * self.left) {
            self.prune();
        }
        Arc::clone(self.locks.entry(group.to_owned()).or_default())
    }

    fn prune(&mut self) {
        self.locks.retain(|_, lock| is_needed(lock));
        self.left = self.locks.len();
    }
}

/// Whether it is held or waited for, or remembers a write that may still arrive.
fn is_needed(lock: &mut Lock) -> bool {
    Arc::get_mut(lock)
        .is_none_or(|lock| lock.get_mut().as_ref().is_some_and(UnconfirmedWrite::may_arrive))
}

impl EditGuard {
    /// The earlier write that may still arrive.
    pub(crate) fn unconfirmed(&self) -> Option<&UnconfirmedWrite> {
        self.0.as_ref().filter(|write| write.may_arrive())
    }

    /// Notes a write before it is sent: a future that is dropped, or that panics, leaves the note behind.
    pub(crate) fn begin(&mut self, write: UnconfirmedWrite) {
        *self.0 = Some(write);
    }

    /// Forgets the noted write unless it may still arrive; its error then says how long the next
    /// edit waits for it.
    pub(crate) fn end<T>(&mut self, outcome: Result<T>) -> Result<T> {
        match (outcome, &*self.0) {
            (Err(error), Some(write)) if error.may_still_arrive() => {
                Err(error.with_edit_wait(write.timeout))
            }
            (outcome, _) => {
                self.forget();
                outcome
            }
        }
    }

    pub(crate) fn forget(&mut self) {
        *self.0 = None;
    }
}

/// A write that is still under way is given up: its error goes to the caller, or its future was dropped.
/// Its time to arrive begins now, not when it was sent, which may be a whole timeout ago.
impl Drop for EditGuard {
    fn drop(&mut self) {
        if let Some(write) = &mut *self.0 {
            write.given_up.get_or_insert_with(Instant::now);
        }
    }
}

impl UnconfirmedWrite {
    /// A write to wait for until `timeout` after it was given up.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { given_up: None, timeout, added: vec![], removed: vec![], rotated: vec![] }
    }

    /// How much longer to wait for it.
    pub(crate) fn time_left(&self) -> Duration {
        let waited = self.given_up.map_or(Duration::ZERO, |instant| instant.elapsed());
        self.timeout.saturating_sub(waited)
    }

    fn may_arrive(&self) -> bool {
        !self.time_left().is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Locks this many groups; returns how many locks were looked at in addition to the groups'
    /// own.
    fn lock_all(map: &mut LockMap, groups: impl Iterator<Item = usize>) -> (Vec<Lock>, usize) {
        let mut looked_at = 0;
        let locks = groups.map(|group| {
            let (length, left) = (map.locks.len(), map.left);
            let lock = map.lock_of(&format!("group-{group}"));
            if (map.locks.len(), map.left) != (length + 1, left) {
                looked_at += length;
            }
            lock
        });
        (locks.collect(), looked_at)
    }

    #[test]
    fn an_edit_costs_as_much_among_many_groups_as_among_few() {
        for groups in [1_000, 4_000, 16_000] {
            let mut map = LockMap::default();
            let (held, looked_at) = lock_all(&mut map, 0..groups);
            assert!(looked_at <= 2 * groups, "{groups} at once: {looked_at}");
            assert_eq!(map.locks.len(), groups);
            drop(held);
            let (mut most, mut looked_at) = (0, 0);
            for group in groups..3 * groups {
                looked_at += lock_all(&mut map, group..=group).1;
                most = most.max(map.locks.len());
            }
            assert!(looked_at <= 4 * groups, "{groups} one after the other: {looked_at}");
            assert!(most <= MIN_PRUNED.max(2 * groups), "{groups}: {most}");
            assert!(map.locks.len() <= MIN_PRUNED, "{groups}: {}", map.locks.len());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_stays_as_long_as_its_write_may_arrive() {
        const TIMEOUT: Duration = Duration::from_secs(60);
        let locks = EditLocks::default();
        let group = SecretGroupId::from("group");
        locks.lock(&group).await.begin(UnconfirmedWrite::new(TIMEOUT));
        let left_by_pruning = || {
            let mut map = locks.0.lock().unwrap();
            map.prune();
            map.left
        };
        assert_eq!(left_by_pruning(), 1);
        let left = locks.lock(&group).await.unconfirmed().map(UnconfirmedWrite::time_left);
        assert_eq!(left, Some(TIMEOUT));
        tokio::time::advance(TIMEOUT).await;
        let guard = locks.lock(&group).await;
        assert!(guard.unconfirmed().is_none());
        assert_eq!(left_by_pruning(), 1, "it is held");
        drop(guard);
        assert_eq!(left_by_pruning(), 0);
    }
}
