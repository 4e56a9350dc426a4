//! One edit of a group at a time, and none over a write whose outcome is not known.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep};

use super::plan::Summary;
use super::snapshot::Snapshot;
use crate::models::Marker;
use crate::{Client, SecretGroupId, SecretId};

/// Groups that nobody edits are forgotten when this many are known.
const PRUNE_AT: usize = 256;
const FIRST_LOOK: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The groups that a client and its clones edit.
#[derive(Debug, Default)]
pub(crate) struct Queues(Mutex<HashMap<String, Arc<tokio::sync::Mutex<State>>>>);

/// What is known of the last write to a group.
#[derive(Debug, Default)]
pub(crate) struct State {
    unsettled: Option<Unsettled>,
}

/// A write that was sent, and of which nobody knows whether it was, or will be, done.
#[derive(Debug)]
struct Unsettled {
    /// When its caller stopped waiting for the answer; `None` while the write is under way.
    given_up: Option<Instant>,
    settle_time: Duration,
    added: Vec<String>,
    /// With its identifier: a key of the same name that somebody adds later is another secret.
    removed: Vec<(String, SecretId)>,
    /// Rotated keys with the marker that they carried before.
    rotated: Vec<(String, Option<Marker>)>,
}

/// The right to edit one group, until it is dropped.
pub(crate) struct Turn(OwnedMutexGuard<State>);

impl Queues {
    /// Waits for the edits of this group that came before.
    pub(super) async fn turn(&self, id: &SecretGroupId) -> Turn {
        let state = {
            let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if groups.len() >= PRUNE_AT {
                groups.retain(|_, state| is_needed(state));
            }
            Arc::clone(groups.entry(id.as_str().to_owned()).or_default())
        };
        Turn(state.lock_owned().await)
    }
}

fn is_needed(state: &Arc<tokio::sync::Mutex<State>>) -> bool {
    let may_arrive = |state: &State| state.unsettled.as_ref().is_some_and(Unsettled::may_arrive);
    Arc::strong_count(state) > 1 || state.try_lock().map_or(true, |state| may_arrive(&state))
}

impl Turn {
    /// Waits until an earlier write of unknown outcome is seen done, or can no longer arrive.
    pub(super) async fn settle(&mut self, client: &Client, id: &SecretGroupId) {
        let mut pause = FIRST_LOOK;
        while let Some(unsettled) = self.0.unsettled.as_ref().filter(|it| it.may_arrive()) {
            // A failing read is no sign that the write arrived, and none that it did not.
            if Snapshot::read(client, id).await.is_ok_and(|now| unsettled.is_done_in(&now)) {
                break;
            }
            sleep(pause.min(unsettled.left())).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.0.unsettled = None;
    }

    /// Notes, before a write is sent, what it will have done. A future that is dropped, or a process
    /// that panics, then leaves the note behind.
    pub(super) fn about_to_write(&mut self, client: &Client, summary: &Summary, before: &Snapshot) {
        let marker_of = |key: &String| before.keys.get(key).map(|known| known.marker.clone());
        let removed = summary.removed.iter();
        self.0.unsettled = Some(Unsettled {
            given_up: None,
            settle_time: client.settle_time(),
            added: summary.added.clone(),
            removed: removed
                .filter_map(|key| Some((key.clone(), before.keys.get(key)?.id.clone())))
                .collect(),
            rotated: summary.rotated.iter().map(|key| (key.clone(), marker_of(key))).collect(),
        });
    }

    /// The same for the removal of one key: arriving late, it would remove what was set meanwhile.
    pub(super) fn about_to_delete(&mut self, client: &Client, key: &str, id: &SecretId) {
        self.0.unsettled = Some(Unsettled {
            given_up: None,
            settle_time: client.settle_time(),
            added: Vec::new(),
            removed: vec![(key.to_owned(), id.clone())],
            rotated: Vec::new(),
        });
    }

    /// The write's outcome is known.
    pub(super) fn settled(&mut self) {
        self.0.unsettled = None;
    }
}

/// A write that is still under way is given up: its error goes to the caller, or its future was dropped.
/// Its time to arrive begins now, not when it was sent, which may be a whole timeout ago.
impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(unsettled) = &mut self.0.unsettled {
            unsettled.given_up.get_or_insert_with(Instant::now);
        }
    }
}

impl Unsettled {
    fn left(&self) -> Duration {
        let waited = self.given_up.map_or(Duration::ZERO, |instant| instant.elapsed());
        self.settle_time.saturating_sub(waited)
    }

    fn may_arrive(&self) -> bool {
        !self.left().is_zero()
    }

    fn is_done_in(&self, now: &Snapshot) -> bool {
        self.added.iter().all(|key| now.has(key))
            && self
                .removed
                .iter()
                .all(|(key, id)| now.keys.get(key).is_none_or(|known| known.id != *id))
            && self.rotated.iter().all(|(key, before)| {
                now.keys
                    .get(key)
                    .zip(before.as_ref())
                    .is_some_and(|(known, before)| known.marker.differs(before))
            })
    }
}
