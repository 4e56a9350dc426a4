//! A group's values that stay fresh.

mod changes;
mod marker;
mod schedule;
mod task;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::task::AbortHandle;

pub use changes::{Change, Changes};

use crate::client::Client;
use crate::references::SecretMap;
use crate::{Error, Result};
use task::{Shared, Task};

/// Clocks and timers reach further than this.
const MAX_INTERVAL: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A group to watch; from [`Client::watch_group`].
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// use std::time::Duration;
///
/// let watch = client
///     .watch_group("prod-secrets")
///     .every(Duration::from_secs(30))
///     .max_stale(Duration::from_secs(10 * 60))
///     .start()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is read before `start` or `start_as`"]
pub struct WatchGroup {
    client: Client,
    name: String,
    every: Duration,
    max_stale: Duration,
}

impl Client {
    /// Values that stay fresh: reads the group with this name now, and again whenever it changes.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use std::time::Duration;
    /// use serde::Deserialize;
    /// use truefoundry_secrets::SecretValue;
    ///
    /// #[derive(Deserialize)]
    /// struct Settings {
    ///     db_password: SecretValue,
    ///     pool_size: u32,
    /// }
    ///
    /// let watch = client
    ///     .watch_group("prod-secrets")
    ///     .every(Duration::from_secs(60))
    ///     .start_as::<Settings>()
    ///     .await?;
    /// let settings = watch.current(); // costs no request and never fails
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch_group(&self, name: impl Into<String>) -> WatchGroup {
        WatchGroup {
            client: self.clone(),
            name: name.into(),
            every: Duration::from_secs(60),
            max_stale: Duration::from_secs(60 * 60),
        }
    }
}

impl WatchGroup {
    /// How often to check for a change, give or take 10 %. Default: 60 s; at least 1 s, at most 365 days.
    ///
    /// A check is one request, without values. Values are read if something changed, once more at
    /// the check after a change, and every 15 minutes. They are read at each check if the group has
    /// no time of its own and either lists no keys or has a key with neither time nor version.
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval.clamp(Duration::from_secs(1), MAX_INTERVAL);
        self
    }

    /// How old the values may be for [`Watch::fresh`]. Default: 1 hour.
    pub fn max_stale(mut self, age: Duration) -> Self {
        self.max_stale = age;
        self
    }

    /// Reads the group and starts watching it, in a task of its own.
    ///
    /// # Errors
    /// As [`Client::resolve_group`]. Later failures do not affect the values: see
    /// [`Watch::last_error`].
    pub async fn start(self) -> Result<Watch<SecretMap>> {
        self.start_with(Ok).await
    }

    /// As [`start`](Self::start), with the values as a type of your own (see
    /// [`SecretMap::deserialize`]).
    ///
    /// # Errors
    /// As [`start`](Self::start); [`Error::InvalidSettings`].
    pub async fn start_as<T: DeserializeOwned + Send + Sync + 'static>(self) -> Result<Watch<T>> {
        self.start_with(|values| values.deserialize()).await
    }

    async fn start_with<T: Send + Sync + 'static>(
        self,
        make: fn(SecretMap) -> Result<T>,
    ) -> Result<Watch<T>> {
        let Self { client, name, every, max_stale } = self;
        let (task, shared) = Task::load(client, name, every, make).await?;
        let task = tokio::spawn(task.run()).abort_handle();
        Ok(Watch { shared, max_stale, task: Arc::new(AbortOnDrop(task)) })
    }
}

/// The values of a group as they are now; from [`WatchGroup::start`].
///
/// Clones share the values. Watching ends when the last clone is dropped. A write through the same client, or
/// a clone of it, is seen immediately.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// let watch = client.watch_group("prod-secrets").start().await?;
/// let values = watch.current(); // for each connection that is opened
/// let password = values.get("DB-PASSWORD");
/// # Ok(())
/// # }
/// ```
pub struct Watch<T = SecretMap> {
    shared: Arc<Shared<T>>,
    max_stale: Duration,
    task: Arc<AbortOnDrop>,
}

impl<T> Clone for Watch<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            max_stale: self.max_stale,
            task: Arc::clone(&self.task),
        }
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T: Send + Sync + 'static> Watch<T> {
    /// The newest values. It takes no lock, makes no request and never fails; the values of an earlier call
    /// stay as they were, and are wiped when the last `Arc` of them is dropped.
    pub fn current(&self) -> Arc<T> {
        self.shared.current.load_full()
    }

    /// The newest values, unless they are older than [`WatchGroup::max_stale`].
    ///
    /// ```no_run
    /// # fn f(watch: truefoundry_secrets::Watch) {
    /// match watch.fresh() {
    ///     Ok(values) => println!("{} keys", values.len()),
    ///     Err(error) => eprintln!("not ready: {error}"),
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Stale`] with the age and the last failure.
    pub fn fresh(&self) -> Result<Arc<T>> {
        let age = self.age();
        if age > self.max_stale {
            return Err(Error::Stale { age, source: self.last_error() });
        }
        Ok(self.current())
    }

    /// How long ago the control plane last confirmed the values.
    pub fn age(&self) -> Duration {
        self.shared.confirmed().elapsed()
    }

    /// Why the last check failed, or why its values cannot be used; `None` if it succeeded.
    pub fn last_error(&self) -> Option<Arc<Error>> {
        self.shared.last_error()
    }

    /// Reads the values now, for a program whose current values were just rejected ("password
    /// authentication failed").
    ///
    /// It waits for a read that begins after this call; concurrent callers share it. Reads begin at
    /// most once per second. Cancelling the call does not cancel the read.
    ///
    /// ```no_run
    /// # async fn f(watch: truefoundry_secrets::Watch) -> truefoundry_secrets::Result<()> {
    /// // The database just refused the password.
    /// let values = watch.refresh().await?;
    /// let password = values.get("DB-PASSWORD");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Stale`] if that read failed, or if its values cannot be used.
    pub async fn refresh(&self) -> Result<Arc<T>> {
        match self.shared.refresh().await {
            Ok(()) => Ok(self.current()),
            Err(source) => Err(Error::Stale { age: self.age(), source }),
        }
    }

    /// The changes from now on. A change whose values cannot be used is reported once they can be.
    ///
    /// ```no_run
    /// # async fn f(watch: truefoundry_secrets::Watch) {
    /// let mut changes = watch.changes();
    /// while let Some(change) = changes.next().await {
    ///     println!("rotated: {}", change.rotated().join(", "));
    /// }
    /// # }
    /// ```
    pub fn changes(&self) -> Changes {
        self.shared.changes()
    }
}

/// The age and the names of the keys.
impl<T> fmt::Debug for Watch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("age", &self.shared.confirmed().elapsed())
            .field("keys", &self.shared.keys())
            .finish_non_exhaustive()
    }
}
