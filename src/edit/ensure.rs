//! The deploy-time bootstrap: a group that has at least these keys.

use std::collections::HashSet;
use std::sync::Arc;

use super::lock::lock;
use super::snapshot::Snapshot;
use super::summary::Summary;
use super::{Changes, write};
use crate::api::{FoundStore, SecretGroups};
use crate::client::Client;
use crate::models::{NewSecretGroup, SecretGroup};
use crate::redact::Quoted;
use crate::secret_value::SecretValue;
use crate::transport::Sends;
use crate::{Error, Result};

/// How often [`SecretGroups::ensure`] looks, writes what is missing and looks again.
const ROUNDS: u32 = 3;

/// What [`SecretGroups::ensure`] found or did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Ensured {
    /// The group was created.
    Created(SecretGroup),
    /// The group existed; these keys were added.
    #[non_exhaustive]
    Extended {
        /// The group, as it was read after the write.
        group: SecretGroup,
        /// The keys that this call added.
        added: Vec<String>,
    },
    /// The group existed with all the keys; nothing was written.
    Unchanged(SecretGroup),
}

impl Ensured {
    /// The group.
    pub fn group(&self) -> &SecretGroup {
        match self {
            Self::Created(group) | Self::Unchanged(group) | Self::Extended { group, .. } => group,
        }
    }

    /// The group alone.
    pub fn into_group(self) -> SecretGroup {
        match self {
            Self::Created(group) | Self::Unchanged(group) | Self::Extended { group, .. } => group,
        }
    }
}

impl SecretGroups<'_> {
    /// Makes sure that the group exists and has at least these keys: creates it if it is missing, adds
    /// the keys that are missing, and leaves existing keys untouched. Running it twice changes nothing.
    ///
    /// An existing key keeps its value, whatever value is given here. After adding keys the group is read
    /// again, and keys that another client has removed since are added again, in three rounds at most. If
    /// the response to the creation is lost, `ensure` itself finds out whether the group was created.
    ///
    /// Equal calls from several processes end with all keys present; each of them adds at most one
    /// version to a key that was missing when it read. Calls with different keys share the window that
    /// [`Edit`](crate::Edit) describes.
    ///
    /// It takes three requests where nothing is missing (by name, then the group and its keys at the same
    /// time), two where the group is created, and seven where keys are added. Where those are the first keys
    /// for a store whose rules are not known, because the group is in another one than the given or only an
    /// identifier was given, it takes three more: to learn the rules, and to read the group again. Reading a
    /// group of 100 keys and more takes one more each time, as in [`Edit::plan`](crate::Edit::plan).
    ///
    /// # Errors
    /// As [`create`](Self::create) and [`Edit::apply`](crate::Edit::apply);
    /// [`Error::ConcurrentEdit`] where other writers undid the additions, or got in their way, every time;
    /// [`Error::AlreadyExists`] where the group exists, but this API key does not see it;
    /// [`Error::InvalidInput`] if the control plane tells no tenant and the only group of this name is in another
    /// store than the given one: it can be another tenant's.
    pub async fn ensure(self, new: NewSecretGroup) -> Result<Ensured> {
        new.check()?;
        let mut progress = Rounds::default();
        let new = Arc::new(new);
        let client = self.client().sending(new.clone());
        let ensured = ensure(client.secret_groups(), &new, &mut progress).await;
        // What failed may be a later look: what was written before stays written.
        ensured
            .map_err(|error| if progress.may_have_written { error.after_a_write() } else { error })
    }
}

impl Sends for NewSecretGroup {
    fn values(&self) -> Vec<&SecretValue> {
        self.secrets().iter().map(|(_, value)| value).collect()
    }
}

/// What the rounds before this one did.
#[derive(Default)]
struct Rounds {
    writes: u32,
    may_have_written: bool,
    /// The response to a creation was lost.
    may_have_created: bool,
    /// Why the last creation failed, in case the group does not exist after it.
    not_created: Option<Error>,
    /// A key that was added in several rounds is in it several times.
    added: Vec<String>,
    store: Option<FoundStore>,
}

async fn ensure(
    groups: SecretGroups<'_>,
    new: &NewSecretGroup,
    progress: &mut Rounds,
) -> Result<Ensured> {
    loop {
        match groups.get_by_name(new.name()).await {
            Ok(group) => {
                check_tenant(groups.client(), new, &group)?;
                if let Some(ensured) = extend(groups, new, progress, &group).await? {
                    return Ok(ensured);
                }
            }
            Err(Error::NotFound { .. }) if progress.writes < ROUNDS => {
                if let Some(group) = create(groups, new, progress).await? {
                    return Ok(Ensured::Created(group));
                }
            }
            Err(missing @ Error::NotFound { .. }) => {
                return Err(progress.not_created.take().unwrap_or(missing));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Where no tenant is known the group was found by its name alone, and may be another tenant's.
fn check_tenant(client: &Client, new: &NewSecretGroup, group: &SecretGroup) -> Result<()> {
    let is_elsewhere = group.integration_id().is_some_and(|id| id != new.integration_id());
    if client.known_tenant().is_some() || !is_elsewhere {
        return Ok(());
    }
    let reason = format!(
        "{} is in another store, and can be another tenant's; say which with ClientBuilder::tenant",
        Quoted(group.fqn())
    );
    Err(Error::invalid_input("group name", reason))
}

/// `None` where a look-up has to tell what became of it.
async fn create(
    groups: SecretGroups<'_>,
    new: &NewSecretGroup,
    progress: &mut Rounds,
) -> Result<Option<SecretGroup>> {
    progress.writes += 1;
    let error = match groups.create_checked(new).await {
        Ok(group) => return Ok(Some(group)),
        Err(error) => error,
    };
    if error.may_have_been_applied() {
        progress.may_have_written = true;
        progress.may_have_created = true;
    } else if !matches!(error, Error::AlreadyExists { .. }) {
        return Err(error);
    }
    progress.not_created = Some(error);
    Ok(None)
}

/// Adds what is missing; `None` if the group has to be read again.
async fn extend(
    groups: SecretGroups<'_>,
    new: &NewSecretGroup,
    progress: &mut Rounds,
    group: &SecretGroup,
) -> Result<Option<Ensured>> {
    let client = groups.client();
    let mut guard = lock(client, group.id()).await?;
    // Read anew: edits that held the lock before may have changed the group since it was found.
    let mut snapshot = match Snapshot::read(client, group.id()).await {
        Ok(snapshot) => snapshot,
        Err(error) => return progress.look_again(error),
    };
    if !has_all(new, &snapshot) && !new.is_checked_for(&snapshot.group) && progress.store.is_none()
    {
        let found = missing(new, &snapshot).store(client, &snapshot.group).await;
        if found.made_request {
            // Nothing that takes time may come between the last read and the write.
            snapshot = match Snapshot::read(client, group.id()).await {
                Ok(snapshot) => snapshot,
                Err(error) => return progress.look_again(error),
            };
        }
        progress.store = Some(found);
    }
    if has_all(new, &snapshot) {
        return Ok(Some(progress.done(snapshot.group)));
    }
    let changes = missing(new, &snapshot);
    let keys: Vec<String> = changes.set.iter().map(|(key, _)| key.clone()).collect();
    if progress.writes >= ROUNDS {
        return Err(Error::concurrent_edit(vec![], keys, vec![], progress.may_have_written));
    }
    if !new.is_checked_for(&snapshot.group)
        && let Some(kind) = progress.store.as_ref().and_then(|store| store.kind.as_ref())
    {
        changes.check_store_rules(&snapshot, kind)?;
    }
    progress.writes += 1;
    let summary = Summary::new(&changes, &snapshot);
    match write::write(client, &mut guard, &snapshot, &changes, &summary).await {
        Ok(_) | Err(Error::ConcurrentEdit { applied: true, .. }) => {
            progress.may_have_written = true;
            progress.added.extend(keys);
            Ok(None)
        }
        // Another client was faster; the next round reads the current state.
        Err(Error::ConcurrentEdit { applied: false, .. }) => Ok(None),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

impl Rounds {
    /// A group that was deleted since it was found is created in the next round. It counts as a round:
    /// another client may delete it every time.
    fn look_again(&mut self, error: Error) -> Result<Option<Ensured>> {
        if !error.is_not_found() || self.writes >= ROUNDS {
            return Err(error);
        }
        self.writes += 1;
        Ok(None)
    }

    fn done(&mut self, group: SecretGroup) -> Ensured {
        let mut seen = HashSet::new();
        let mut added = std::mem::take(&mut self.added);
        added.retain(|key| seen.insert(key.clone()));
        match (added.is_empty(), self.may_have_created) {
            (true, true) => Ensured::Created(group),
            (true, false) => Ensured::Unchanged(group),
            (false, _) => Ensured::Extended { group, added },
        }
    }
}

fn has_all(new: &NewSecretGroup, snapshot: &Snapshot) -> bool {
    new.keys().all(|key| snapshot.has(key))
}

/// What has to be written for the keys that do not exist.
fn missing(new: &NewSecretGroup, snapshot: &Snapshot) -> Changes {
    let missing = new.secrets().iter().filter(|(key, _)| !snapshot.has(key));
    Changes { set: missing.cloned().collect(), checks: new.checks(), ..Changes::default() }
}
