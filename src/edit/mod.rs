//! Changes to a group that name what changes and leave the rest alone.
//!
//! The API's own update is a full list: a key that is left out is deleted with all its versions. An
//! [`Edit`] reads the keys, and values only to compare them, and sends the others along as kept.

mod changes;
mod ensure;
mod lock;
mod plan;
mod replace;
mod run;
mod snapshot;
mod summary;
mod values;
mod write;

pub use ensure::Ensured;
pub use plan::{AppliedEdit, EditPlan};

use std::sync::Arc;

use crate::api::SecretGroups;
use crate::client::Client;
use crate::models::{NewGroupPlace, SecretGroupId, SecretStore};
use crate::secret_value::SecretValue;
use crate::{Error, Result};
use changes::{Changes, Existing};
use plan::Before;
use run::Run;
use snapshot::Snapshot;
use summary::Summary;

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
/// - Only keys that are named in [`remove`](Self::remove) are removed and, after
///   [`remove_unlisted`](Self::remove_unlisted), those that were read and are not set; the plan
///   names them. An edit that only removes deletes those secrets one by one and cannot lose any
///   other key.
/// - A list of keys is checked before other keys are deleted because of it: it must hold as many
///   distinct secrets as the server's total, and end on a page that is not full. Otherwise nothing
///   is written.
/// - A change by another client before the re-read that [`EditPlan::apply`] makes is reported as
///   [`Error::ConcurrentEdit`], and nothing is written.
/// - Edits of one group from one client and its clones wait for each other, in order; edits of different
///   groups do not. An edit fails with [`Error::Timeout`] if it waits longer than
///   [`ClientBuilder::timeout`] and [`ClientBuilder::unconfirmed_write_timeout`] together, such as
///   behind an edit whose future is kept but no longer polled.
/// - After a write or a removal whose outcome is unknown (its response was lost, or the future was
///   dropped) the next edit of that group first waits until it sees that change, or until
///   [`ClientBuilder::unconfirmed_write_timeout`] has passed since it was given up: a write that
///   arrives late would delete what was added since. The error's [`hint`](Error::hint) says so, and
///   an event (feature `tracing`) reports when the wait begins. After a failure that the service
///   itself reports, no edit waits.
///
/// [`ClientBuilder::timeout`]: crate::ClientBuilder::timeout
/// [`ClientBuilder::unconfirmed_write_timeout`]: crate::ClientBuilder::unconfirmed_write_timeout
///
/// # What is not promised
/// The API has no compare-and-set. A key that **another process adds between this edit's last read and
/// its write** is not in the list that is written, and is deleted without an error for either of
/// them; a value that it sets in that time is overwritten if this edit sets the key, too. The
/// window is one round trip long. A client cannot tell whose write it sees: if another process
/// makes the same change as a lost write of this one, that write counts as done. In a group of
/// fewer than 100 keys, this edit cannot notice if the server leaves the same keys out of the
/// group's own list, the page and the total. If several processes write one group at the same time,
/// let one of them do the writing.
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

impl SecretGroups<'_> {
    /// Begins an edit of the group with this identifier: the way to add, rotate and remove keys
    /// without deleting the others.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::SecretValue;
    ///
    /// let value = SecretValue::from_env("DB_PASSWORD")?;
    /// let applied = client.secret_groups().edit("sg-abc").set("DB-PASSWORD", value).apply().await?;
    /// println!("{applied}"); // ~ DB-PASSWORD  = 4 kept
    /// # Ok(())
    /// # }
    /// ```
    pub fn edit(self, id: impl Into<SecretGroupId>) -> Edit {
        Edit::new(self.client().clone(), Target::Id(id.into()))
    }

    /// Begins an edit of the group with this name. [`Edit::apply`] makes one request more than with
    /// the identifier, and [`Edit::plan`] as many. If the tenant's name is not known yet, each
    /// makes one or two more (see [`get_by_name`](Self::get_by_name)).
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// client.secret_groups().edit_by_name("prod-secrets").remove("OLD-KEY").apply().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn edit_by_name(self, name: impl Into<String>) -> Edit {
        Edit::new(self.client().clone(), Target::Name(name.into()))
    }

    /// Begins an edit that brings the group with this name to a desired state. It sets these keys
    /// and skips those that already have their value: [`edit_by_name`](Self::edit_by_name) with
    /// [`set_all`](Edit::set_all) and [`skip_unchanged`](Edit::skip_unchanged).
    ///
    /// A group that does not exist is [`Error::NotFound`](crate::Error::NotFound) unless
    /// [`create_in`](Edit::create_in) says where to create it, and keys that are not listed stay unless
    /// [`remove_unlisted`](Edit::remove_unlisted) says otherwise. A second run with the same values writes
    /// nothing.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use truefoundry_secrets::{SecretMap, SecretStoreKind};
    ///
    /// let store = client.secret_stores().find(SecretStoreKind::AwsSecretsManager).await?;
    /// let desired = SecretMap::from_dotenv(&std::fs::read_to_string(".env")?)?;
    /// let sync = client.secret_groups().sync("prod", desired).create_in(&store).remove_unlisted();
    /// let plan = sync.plan().await?;
    /// println!("{plan}"); // prod: + NEW  ~ DB  - OLD  = 4 unchanged
    /// if !plan.is_empty() {
    ///     plan.apply().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "desired_state")]
    pub fn sync<K, V>(
        self,
        name: impl Into<String>,
        desired: impl IntoIterator<Item = (K, V)>,
    ) -> Edit
    where
        K: Into<String>,
        V: Into<SecretValue>,
    {
        self.edit_by_name(name).set_all(desired).skip_unchanged()
    }
}

impl Edit {
    fn new(client: Client, target: Target) -> Self {
        Self { client, target, changes: Changes::default() }
    }

    /// Adds the key, or gives it this value: a new version if the value differs.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::SecretValue;
    ///
    /// client.secret_groups().edit_by_name("prod-secrets")
    ///     .set("DB-PASSWORD", SecretValue::from_env("DB_PASSWORD")?)
    ///     .apply().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set(mut self, key: impl Into<String>, value: impl Into<SecretValue>) -> Self {
        self.changes.set.push((key.into(), value.into()));
        self
    }

    /// Sets each of these keys, such as those of a [`SecretMap`](crate::SecretMap).
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client)
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// use truefoundry_secrets::SecretMap;
    ///
    /// let values = SecretMap::from_dotenv(&std::fs::read_to_string(".env")?)?;
    /// client.secret_groups().edit_by_name("prod-secrets").set_all(values).apply().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_all<K, V>(mut self, values: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<SecretValue>,
    {
        let values = values.into_iter().map(|(key, value)| (key.into(), value.into()));
        self.changes.set.extend(values);
        self
    }

    /// Skips keys that already have the value to set: they get no new version.
    ///
    /// Only the values of the keys to set are read, 100 per request, and compared in a time that
    /// depends on their lengths only. The group is read before them, so that a change by another
    /// client after that is [`Error::ConcurrentEdit`](crate::Error::ConcurrentEdit). If nothing is
    /// left to change, nothing is written; otherwise the write takes two more requests, to read the
    /// group again.
    ///
    /// Its [`plan`](Self::plan) also waits for an earlier write of unknown outcome: if it arrived
    /// late, that write could change a value that was found equal.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client, values: truefoundry_secrets::SecretMap)
    /// # -> truefoundry_secrets::Result<()> {
    /// let applied = client.secret_groups().edit_by_name("prod-secrets")
    ///     .set_all(values)
    ///     .skip_unchanged()
    ///     .apply().await?;
    /// println!("{} new versions", applied.rotated().len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn skip_unchanged(mut self) -> Self {
        self.changes.existing = Existing::SetIfDifferent;
        self
    }

    /// Removes the key with all its versions.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// client.secret_groups().edit("sg-abc").remove("OLD-KEY").apply().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn remove(mut self, key: impl Into<String>) -> Self {
        self.changes.remove.push(key.into());
        self
    }

    /// Removes each of these keys with all its versions: those that are named here, and no others.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// client.secret_groups().edit("sg-abc").remove_all(["OLD-KEY", "OLDER-KEY"]).apply().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn remove_all(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.changes.remove.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Removes every key that this edit does not set, with all its versions.
    ///
    /// Show the [`plan`](Self::plan) first: it names the keys that would be removed. [`apply`](Self::apply) alone
    /// plans again if another client changes the group, and then also removes the keys that the
    /// other client added. If no key is set either, such as after an empty file, it fails with
    /// [`Error::EmptyGroup`](crate::Error::EmptyGroup) before anything is sent, unless
    /// [`allow_empty`](Self::allow_empty) was called.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client, values: truefoundry_secrets::SecretMap)
    /// # -> truefoundry_secrets::Result<()> {
    /// let edit = client.secret_groups().edit_by_name("prod-secrets").set_all(values).remove_unlisted();
    /// let plan = edit.plan().await?;
    /// println!("would be removed: {}", plan.removed().join(", "));
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "prune")]
    pub fn remove_unlisted(mut self) -> Self {
        self.changes.remove_unlisted = true;
        self
    }

    /// Creates the group in this store if it does not exist; an existing group stays in its store.
    /// It is only for an edit by name, and not with keys to [`remove`](Self::remove), which a new
    /// group does not have. Without keys to set it creates an empty group.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client, values: truefoundry_secrets::SecretMap)
    /// # -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::SecretStoreKind;
    ///
    /// let store = client.secret_stores().find(SecretStoreKind::AzureVault).await?;
    /// let edit = client.secret_groups().edit_by_name("prod-secrets").set_all(values).create_in(&store);
    /// if edit.apply().await?.creates_group() {
    ///     println!("the group is new");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_in(mut self, store: &SecretStore) -> Self {
        self.changes.create_in = Some(NewGroupPlace::of(store));
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
    /// It takes two requests: the group, and the first 100 of its secrets (at the same time, or one
    /// after the other by name). More are needed for
    /// - a group of 100 or more keys: one, because neither a full page nor a total shows that
    ///   nothing follows;
    /// - a group whose keys neither response lists in full: one per 100 keys, and one to see that
    ///   the group did not change meanwhile;
    /// - a control plane that neither lists a group's keys in the group nor says how long its pages
    ///   are: the same;
    /// - the first edit that sets keys in a store: one, to learn the store's rules;
    /// - [`skip_unchanged`](Self::skip_unchanged): one per 100 keys that are set and exist, or one
    ///   per key if the server leaves values out of lists.
    ///
    /// ```no_run
    /// # async fn f(edit: truefoundry_secrets::Edit) -> truefoundry_secrets::Result<()> {
    /// let plan = edit.plan().await?;
    /// if plan.removed().is_empty() {
    ///     plan.apply().await?;
    /// } else {
    ///     println!("not applied: {plan}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty or duplicate key, a masked value or a reference as a value, before
    /// anything is sent;
    /// [`Error::KeyNotSupported`] and [`Error::InvalidInput`] for what the store does not accept;
    /// [`Error::NotFound`] for the group, or for a key to remove that does not exist;
    /// [`Error::EmptyGroup`] if no key would be left, or none is set before
    /// [`remove_unlisted`](Self::remove_unlisted); [`Error::Unresolved`] or [`Error::ValueHidden`]
    /// if a value to compare is hidden; [`Error::Decode`] if the server's lists contradict each
    /// other or its totals in all three reads, [`Error::ConcurrentEdit`] if the group changes every
    /// time.
    pub async fn plan(self) -> Result<EditPlan> {
        self.check_input()?;
        let changes = Arc::new(self.changes);
        let client = self.client.sending(changes.clone());
        let snapshot = match self.target {
            Target::Id(id) => {
                changes.await_settled(&client, &id).await;
                Snapshot::read(&client, &id).await?
            }
            Target::Name(name) => match client.secret_groups().get_by_name(&name).await {
                Ok(group) => {
                    changes.check_tenant(&client, &group)?;
                    if changes.await_settled(&client, group.id()).await {
                        Snapshot::read(&client, group.id()).await?
                    } else {
                        Snapshot::of(&client, group).await?
                    }
                }
                Err(missing) => {
                    let Some(place) = changes.place(&missing) else { return Err(missing) };
                    changes.check_new(place)?;
                    let before = Before::NoGroup(name, place.clone());
                    let summary = Summary::of_new_group(&changes);
                    return Ok(EditPlan { client, changes, before, summary });
                }
            },
        };
        let summary = changes.planned_on(&client, &snapshot).await?;
        if summary.sets_keys() {
            let store = changes.store(&client, &snapshot.group).await;
            changes.check_store_rules(&snapshot, &summary, store.kind.as_ref())?;
        }
        Ok(EditPlan { client, changes, before: Before::Group(Box::new(snapshot)), summary })
    }

    /// Plans and writes in one go, under one lock of this client and its clones. If the group has changed
    /// since it was read, it is planned again, three times at most.
    ///
    /// It makes two requests to read the group, at the same time (see [`plan`](Self::plan) for
    /// groups of 100 or more keys), and one for the write, or one per key for an edit that only
    /// removes. An edit by name makes one more. The first edit that sets keys in a store makes one
    /// more to learn the store's rules and, by identifier, two further ones to read the group
    /// again. With [`skip_unchanged`](Self::skip_unchanged) it also reads the values and, if
    /// anything is left to change, makes two more to read the group again. A group that
    /// [`create_in`](Self::create_in) creates takes two requests: by name, and its creation. If the
    /// response to the creation is lost, `apply` itself finds out whether the group was created.
    ///
    /// ```no_run
    /// # async fn f(edit: truefoundry_secrets::Edit) -> truefoundry_secrets::Result<()> {
    /// match edit.apply().await {
    ///     Ok(applied) => println!("{applied}"), // ~ DB-PASSWORD  = 4 kept
    ///     Err(error) if error.may_have_been_applied() => eprintln!("perhaps done: {error}"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Writers on several machines
    /// It reads and writes within this one call. Hold a lock of your own around it: processes on
    /// any number of machines then take turns, which closes the window that [`Edit`] describes.
    /// With an advisory lock of `PostgreSQL` (`tokio-postgres`) and a table
    /// `CREATE TABLE group_writes (name text PRIMARY KEY)`:
    ///
    /// ```ignore
    /// /// Applies an edit of `group` while no other process edits it that asks for this lock.
    /// async fn apply_locked(
    ///     postgres: &tokio_postgres::Client, // not shared: a session gets its own lock again
    ///     group: &str,
    ///     wait: Duration, // how long a write may be under way: 60 s, as `unconfirmed_write_timeout`
    ///     edit: Edit,
    /// ) -> Result<AppliedEdit, BoxError> {
    ///     postgres.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", &[&group]).await?;
    ///     let mark = "INSERT INTO group_writes VALUES ($1) ON CONFLICT DO NOTHING";
    ///     if postgres.execute(mark, &[&group]).await? == 0 {
    ///         tokio::time::sleep(wait).await; // the last holder's write may still arrive
    ///     }
    ///     let applied = edit.apply().await;
    ///     if !applied.as_ref().is_err_and(Error::may_have_been_applied) {
    ///         postgres.execute("DELETE FROM group_writes WHERE name = $1", &[&group]).await?;
    ///     }
    ///     postgres.execute("SELECT pg_advisory_unlock(hashtextextended($1, 0))", &[&group]).await?;
    ///     Ok(applied?)
    /// }
    /// ```
    ///
    /// The lock alone is not enough. It is released as soon as its connection is lost, such as when
    /// a process is killed, and a `PUT` that this process had sent may still arrive and delete what
    /// the next holder adds. In that case, and after a write of unknown outcome, the row is left
    /// behind and makes the next holder wait until such a write has arrived or never will.
    ///
    /// The recipe has limits. It assumes a longest time for a write to arrive, which no service
    /// guarantees, and it does not order writers that do not take the lock. A process that loses
    /// its connection but keeps running does not notice before its edit has ended: if that can
    /// happen, make `wait` longer by the time that an `apply` may take,
    /// [`ClientBuilder::timeout`](crate::ClientBuilder::timeout) for each of its requests. A
    /// dropped call keeps the lock until its connection is closed.
    ///
    /// # Errors
    /// As [`plan`](Self::plan) and [`EditPlan::apply`].
    pub async fn apply(self) -> Result<AppliedEdit> {
        self.check_input()?;
        let changes = Arc::new(self.changes);
        let client = self.client.sending(changes.clone());
        let mut run = Run::new(&client, &changes);
        match self.target {
            Target::Id(id) => run.by_id(&id).await,
            Target::Name(name) => run.by_name(&name).await,
        }
    }

    fn check_input(&self) -> Result<()> {
        if matches!(self.target, Target::Id(_)) && self.changes.create_in.is_some() {
            let reason = "a group that may have to be created is edited by name, not by identifier";
            return Err(Error::invalid_input("group", reason));
        }
        self.changes.check_input()
    }
}
