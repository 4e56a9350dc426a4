//! The task that checks for changes.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::changes::{ChangeLog, Changes};
use super::marker::Markers;
use super::schedule;
use crate::client::{Client, Interest, Registration};
use crate::models::SecretGroup;
use crate::references::SecretMap;
use crate::transport::{fraction, trace};
use crate::{Error, Result};

/// Values are read this often whatever the markers say.
const FULL_READ_EVERY: Duration = Duration::from_secs(15 * 60);
/// The minimum time between the starts of requested reads.
const MIN_PAUSE: Duration = Duration::from_secs(1);

/// What a watch and its task share.
pub(super) struct Shared<T> {
    pub(super) current: ArcSwap<T>,
    status: Mutex<Status>,
    log: Arc<ChangeLog>,
    /// The number of the newest change.
    newest: watch::Receiver<u64>,
    finished: watch::Receiver<Finished>,
    interest: Arc<Interest>,
}

struct Status {
    confirmed: Instant,
    last_error: Option<Arc<Error>>,
    keys: Vec<String>,
    /// The number of the newest read of values that has begun.
    begun: u64,
}

/// The newest read of values that has ended.
#[derive(Clone, Default)]
struct Finished {
    number: u64,
    error: Option<Arc<Error>>,
}

impl<T> Shared<T> {
    fn status(&self) -> MutexGuard<'_, Status> {
        // Ignores poisoning: no holder can panic halfway through a change.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn confirmed(&self) -> Instant {
        self.status().confirmed
    }

    pub(super) fn last_error(&self) -> Option<Arc<Error>> {
        self.status().last_error.clone()
    }

    pub(super) fn keys(&self) -> Vec<String> {
        self.status().keys.clone()
    }

    pub(super) fn changes(&self) -> Changes {
        Changes::new(Arc::clone(&self.log), self.newest.clone())
    }

    /// Waits for a read of values that begins after now.
    pub(super) async fn refresh(&self) -> Result<(), Option<Arc<Error>>> {
        let after = self.status().begun;
        let mut finished = self.finished.clone();
        self.interest.wake();
        match finished.wait_for(|finished| finished.number > after).await {
            Ok(finished) => finished.error.clone().map_or(Ok(()), |error| Err(Some(error))),
            // Its runtime is gone.
            Err(_) => Err(self.last_error()),
        }
    }
}

pub(super) struct Task<T> {
    client: Client,
    name: String,
    every: Duration,
    make: fn(SecretMap) -> Result<T>,
    shared: Arc<Shared<T>>,
    registration: Registration,
    /// The markers that were read just before the latest values.
    markers: Markers,
    /// Whether the next check reads values whatever the markers say: two rotations within one second may
    /// carry one marker.
    once_more: bool,
    /// Why the latest values are not the current ones.
    unusable: Option<Arc<Error>>,
    last_begun: Instant,
    last_read: Instant,
    hasher: RandomState,
    /// Hashes of the current values, with a hasher that only this watch has.
    prints: HashMap<String, u64>,
    newest: watch::Sender<u64>,
    finished: watch::Sender<Finished>,
}

impl<T: Send + Sync + 'static> Task<T> {
    /// Reads the group for the first time, and returns any failure.
    pub(super) async fn load(
        client: Client,
        name: String,
        every: Duration,
        make: fn(SecretMap) -> Result<T>,
    ) -> Result<(Self, Arc<Shared<T>>)> {
        let began = Instant::now();
        let group = client.secret_groups().get_by_name(&name).await?;
        let markers = Markers::of(&group);
        let registration = client.watches().register(&name, group.id().clone());
        registration.is_now(group.id().clone(), markers.secrets());
        let values = client.values_of(group.id(), Some(&group)).await?;
        let hasher = RandomState::new();
        let prints = prints_of(&hasher, &values);
        let keys = values.keys().map(str::to_owned).collect();
        let current = make(values)?;
        let (newest, newest_seen) = watch::channel(0);
        let (finished, finished_seen) = watch::channel(Finished::default());
        let shared = Arc::new(Shared {
            current: ArcSwap::from_pointee(current),
            status: Mutex::new(Status { confirmed: began, last_error: None, keys, begun: 0 }),
            log: Arc::default(),
            newest: newest_seen,
            finished: finished_seen,
            interest: Arc::clone(registration.interest()),
        });
        let task = Self {
            client,
            name,
            every,
            make,
            shared: Arc::clone(&shared),
            registration,
            markers,
            once_more: false,
            unusable: None,
            last_begun: began,
            last_read: began,
            hasher,
            prints,
            newest,
            finished,
        };
        Ok((task, shared))
    }

    pub(super) async fn run(mut self) {
        let mut next = Instant::now() + schedule::first(self.every, fraction());
        loop {
            let is_asked = timeout_at(next, self.registration.woken()).await.is_ok();
            if is_asked {
                sleep_until(self.last_begun + MIN_PAUSE).await;
                self.begin_read();
            }
            let error = self.check(is_asked).await.err();
            if let Some(error) = &error {
                trace::watch_failed(&self.name, error);
            }
            let number = {
                let mut status = self.shared.status();
                status.last_error.clone_from(&error);
                status.begun
            };
            self.finished.send_if_modified(|finished| {
                let is_newer = number > finished.number;
                if is_newer {
                    *finished = Finished { number, error };
                }
                is_newer
            });
            next = Instant::now() + schedule::next(self.every, fraction());
        }
    }

    /// Calls of `refresh` from here on wait for the read after this one.
    fn begin_read(&mut self) {
        self.last_begun = Instant::now();
        self.shared.status().begun += 1;
    }

    /// Looks for a change, and reads the values if there may be one, or if a read was requested.
    async fn check(&mut self, is_asked: bool) -> Result<(), Arc<Error>> {
        let began = Instant::now();
        let group = self.read_group().await?;
        let markers = Markers::of(&group);
        let has_moved = markers.differ_from(&self.markers);
        let is_due = has_moved
            || self.once_more
            || markers.are_incomplete()
            || began.duration_since(self.last_read) >= FULL_READ_EVERY;
        if !is_asked {
            if !is_due {
                return self.confirm(began);
            }
            self.begin_read();
        }
        // Before the values are read, so that a write during the read is followed by another one.
        self.registration.is_now(group.id().clone(), markers.secrets());
        let values = self.client.values_of(group.id(), Some(&group)).await?;
        self.last_read = began;
        self.once_more = has_moved;
        self.markers = markers;
        self.take(values, began)
    }

    /// By its identifier, else by its name, in case it was deleted and created again.
    async fn read_group(&self) -> Result<SecretGroup> {
        let groups = self.client.secret_groups();
        match groups.get_once(self.markers.group()).await {
            Err(error) if error.is_not_found() => groups.get_by_name(&self.name).await,
            group => group,
        }
    }

    fn take(&mut self, values: SecretMap, began: Instant) -> Result<(), Arc<Error>> {
        let prints = prints_of(&self.hasher, &values);
        if prints == self.prints {
            self.unusable = None;
            return self.confirm(began);
        }
        let keys = values.keys().map(str::to_owned).collect();
        match (self.make)(values) {
            Ok(current) => {
                self.unusable = None;
                self.shared.current.store(Arc::new(current));
                self.shared.status().keys = keys;
                let number = *self.newest.borrow() + 1;
                self.shared.log.note(number, &self.prints, &prints);
                self.prints = prints;
                self.newest.send_replace(number);
                self.confirm(began)
            }
            Err(error) => {
                // They are not read again until something changes.
                self.once_more = false;
                self.unusable = Some(Arc::new(error));
                self.confirm(began)
            }
        }
    }

    /// The current values are those of the service, unless newer ones cannot be used.
    fn confirm(&self, began: Instant) -> Result<(), Arc<Error>> {
        if let Some(error) = &self.unusable {
            return Err(Arc::clone(error));
        }
        self.shared.status().confirmed = began;
        Ok(())
    }
}

fn prints_of(hasher: &RandomState, values: &SecretMap) -> HashMap<String, u64> {
    values
        .iter()
        .map(|(key, value)| (key.to_owned(), hasher.hash_one(value.expose_secret())))
        .collect()
}
