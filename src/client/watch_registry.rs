//! The watches that a client's own writes wake.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

use crate::models::{SecretGroupId, SecretId};
use crate::{Error, Result};

/// The watches of a client and its clones. It holds them weakly, and a watch that ends removes
/// itself.
#[derive(Clone, Default)]
pub(crate) struct WatchRegistry(Arc<Mutex<Watches>>);

#[derive(Default)]
struct Watches {
    next: u64,
    by_number: HashMap<u64, Weak<Interest>>,
}

/// What a watch watches: a write that names it wakes the watch.
pub(crate) struct Interest {
    name: String,
    group: Mutex<(SecretGroupId, HashSet<SecretId>)>,
    wake: Notify,
}

/// What was written.
pub(crate) enum Written<'a> {
    Group(&'a SecretGroupId),
    GroupNamed(&'a str),
    Secret(&'a SecretId),
}

/// Keeps an [`Interest`] registered.
pub(crate) struct Registration {
    interest: Arc<Interest>,
    number: u64,
    registry: WatchRegistry,
}

impl WatchRegistry {
    pub(crate) fn register(&self, name: &str, group: SecretGroupId) -> Registration {
        let interest = Arc::new(Interest {
            name: name.to_owned(),
            group: Mutex::new((group, HashSet::new())),
            wake: Notify::new(),
        });
        let mut watches = lock(&self.0);
        watches.next += 1;
        let number = watches.next;
        watches.by_number.insert(number, Arc::downgrade(&interest));
        Registration { interest, number, registry: self.clone() }
    }

    /// Wakes the watches of what was or may have been written.
    fn wake(&self, written: &Written<'_>) {
        let watches = lock(&self.0);
        for interest in watches.by_number.values().filter_map(Weak::upgrade) {
            if interest.is_about(written) {
                interest.wake.notify_one();
            }
        }
    }

    /// Returns the outcome of a write, after waking its watches if it was or may have been done.
    pub(crate) fn told<T>(&self, written: &Written<'_>, outcome: Result<T>) -> Result<T> {
        if outcome.as_ref().err().is_none_or(Error::may_have_been_applied) {
            self.wake(written);
        }
        outcome
    }
}

impl Interest {
    fn is_about(&self, written: &Written<'_>) -> bool {
        match written {
            Written::GroupNamed(name) => self.name == *name,
            Written::Group(id) => lock(&self.group).0 == **id,
            Written::Secret(id) => lock(&self.group).1.contains(*id),
        }
    }

    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }
}

impl Registration {
    pub(crate) fn interest(&self) -> &Arc<Interest> {
        &self.interest
    }

    /// Updates what the watched group is.
    pub(crate) fn is_now(&self, group: SecretGroupId, secrets: HashSet<SecretId>) {
        *lock(&self.interest.group) = (group, secrets);
    }

    pub(crate) async fn woken(&self) {
        self.interest.wake.notified().await;
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        lock(&self.registry.0).by_number.remove(&self.number);
    }
}

impl fmt::Debug for WatchRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WatchRegistry").field(&lock(&self.0).by_number.len()).finish()
    }
}

/// Ignores poisoning: no holder of these locks can panic halfway through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_watches_that_ended_leave_nothing() {
        let registry = WatchRegistry::default();
        let register = |number| registry.register("app", format!("g-{number}").into());
        let all: Vec<_> = (0..10_000).map(register).collect();
        let first = registry.register("app", "g-0".into());
        drop(all);
        assert_eq!(lock(&registry.0).by_number.len(), 1);
        drop(first);
        assert_eq!(lock(&registry.0).by_number.len(), 0);
    }
}
