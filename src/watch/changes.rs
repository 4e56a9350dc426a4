//! What changed, for observers that ask from time to time.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// When each key last changed, counted in changes of the group. Names only.
#[derive(Debug, Default)]
pub(super) struct ChangeLog(Mutex<BTreeMap<String, Last>>);

#[derive(Debug)]
struct Last {
    /// The change that brought the key into the group.
    appeared: u64,
    changed: u64,
    exists: bool,
}

impl ChangeLog {
    /// Records change number `number`, from the keys of `before` to those of `after`; `false` if
    /// nothing changed.
    pub(super) fn note(
        &self,
        number: u64,
        before: &HashMap<String, u64>,
        after: &HashMap<String, u64>,
    ) -> bool {
        let mut log = self.lock();
        let mut any = false;
        for (key, print) in after {
            let was = before.get(key);
            if was == Some(print) {
                continue;
            }
            any = true;
            let last = log.entry(key.clone()).or_insert(Last {
                appeared: 0,
                changed: number,
                exists: true,
            });
            if was.is_none() {
                last.appeared = number;
            }
            last.changed = number;
            last.exists = true;
        }
        for key in before.keys().filter(|key| !after.contains_key(*key)) {
            any = true;
            let last = log.entry(key.clone()).or_insert(Last {
                appeared: 0,
                changed: number,
                exists: false,
            });
            last.changed = number;
            last.exists = false;
        }
        any
    }

    fn since(&self, number: u64) -> Change {
        let mut change = Change::default();
        for (key, last) in self.lock().iter().filter(|(_, last)| last.changed > number) {
            let existed = last.appeared <= number;
            match (existed, last.exists) {
                (true, true) => change.rotated.push(key.clone()),
                (true, false) => change.removed.push(key.clone()),
                (false, true) => change.added.push(key.clone()),
                // It came and went unseen.
                (false, false) => {}
            }
        }
        change
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Last>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The changes of a watched group, for one observer; from [`Watch::changes`](super::Watch::changes).
///
/// It holds a number and no values, and does not keep the watch alive.
///
/// ```no_run
/// # async fn f(watch: truefoundry_secrets::Watch) {
/// let mut changes = watch.changes();
/// tokio::spawn(async move {
///     while let Some(change) = changes.next().await {
///         println!("rotated: {}", change.rotated().join(", "));
///     }
/// });
/// # }
/// ```
pub struct Changes {
    log: Arc<ChangeLog>,
    newest: watch::Receiver<u64>,
    seen: u64,
}

impl Changes {
    pub(super) fn new(log: Arc<ChangeLog>, newest: watch::Receiver<u64>) -> Self {
        let seen = *newest.borrow();
        Self { log, newest, seen }
    }

    /// Waits for the next change and returns all that changed since the last call, or since
    /// [`Watch::changes`](super::Watch::changes); `None` once the last [`Watch`](super::Watch) is dropped.
    /// Cancelling loses nothing.
    ///
    /// ```no_run
    /// # async fn f(mut changes: truefoundry_secrets::Changes) {
    /// while let Some(change) = changes.next().await {
    ///     println!("changed: {change:?}");
    /// }
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<Change> {
        let seen = self.seen;
        let newest = *self.newest.wait_for(|newest| *newest > seen).await.ok()?;
        self.seen = newest;
        Some(self.log.since(seen))
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// The names of the keys that changed in a watched group.
///
/// ```no_run
/// # fn f(change: &truefoundry_secrets::Change) {
/// let is_new_password = change.rotated().iter().any(|key| key == "DB-PASSWORD");
/// if is_new_password || !change.removed().is_empty() {
///     println!("reconnecting");
/// }
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    added: Vec<String>,
    rotated: Vec<String>,
    removed: Vec<String>,
}

impl Change {
    /// The keys that are new.
    pub fn added(&self) -> &[String] {
        &self.added
    }

    /// The keys that have another value.
    pub fn rotated(&self) -> &[String] {
        &self.rotated
    }

    /// The keys that are gone.
    pub fn removed(&self) -> &[String] {
        &self.removed
    }
}
