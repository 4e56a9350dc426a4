//! The deploy-time bootstrap: a group that has at least these keys.

use std::collections::HashSet;
use std::sync::Arc;

use super::changes::{Changes, Existing};
use super::run::Run;
use crate::Result;
use crate::api::SecretGroups;
use crate::models::{NewSecretGroup, SecretGroup};

/// What [`SecretGroups::ensure`] found or did.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client, new: truefoundry_secrets::NewSecretGroup)
/// # -> truefoundry_secrets::Result<()> {
/// use truefoundry_secrets::Ensured;
///
/// match client.secret_groups().ensure(new).await? {
///     Ensured::Created(group) => println!("created {}", group.id()),
///     Ensured::Extended { added, .. } => println!("added {}", added.join(", ")),
///     _ => println!("nothing to do"),
/// }
/// # Ok(())
/// # }
/// ```
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
    /// It takes three requests if nothing is missing (by name, then the group and its keys at the
    /// same time), two if the group is created, and seven if keys are added. It takes three more,
    /// to learn the store's rules and read the group again, if those are the first keys for a store
    /// whose rules are not known: the group is in another store than the given one, or only an
    /// identifier was given. Each read of a group of 100 or more keys takes one more, as in
    /// [`Edit::plan`](crate::Edit::plan).
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::{NewSecretGroup, SecretStoreKind, SecretValue};
    ///
    /// let store = client.secret_stores().find(SecretStoreKind::AzureVault).await?;
    /// let new = NewSecretGroup::new("prod-secrets", &store)
    ///     .secret("DB-PASSWORD", SecretValue::from_env("DB_PASSWORD")?);
    /// let group = client.secret_groups().ensure(new).await?.into_group();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`create`](Self::create) and [`Edit::apply`](crate::Edit::apply);
    /// [`Error::ConcurrentEdit`](crate::Error::ConcurrentEdit) if other writers undid the
    /// additions, or got in their way, every time;
    /// [`Error::AlreadyExists`](crate::Error::AlreadyExists) if the group exists but this API key
    /// may not see it; [`Error::InvalidInput`](crate::Error::InvalidInput) if the control plane
    /// does not tell the tenant and the only group of this name is in another store than the given
    /// one: it can be another tenant's.
    pub async fn ensure(self, new: NewSecretGroup) -> Result<Ensured> {
        new.check()?;
        let (name, place, set, checks) = new.into_parts();
        let existing = Existing::Keep;
        let changes =
            Changes { set, existing, create_in: Some(place), checks, ..Changes::default() };
        let changes = Arc::new(changes);
        let client = self.client().sending(changes.clone());
        let mut run = Run::confirming(&client, &changes);
        let ensured = run.by_name(&name).await?;
        let creates_group = ensured.summary.creates_group;
        let group = match ensured.group {
            Some(group) => group,
            // Only a removal returns no group.
            None => client.secret_groups().get_by_name(&name).await?,
        };
        let mut seen = HashSet::new();
        let mut added = run.into_added();
        added.retain(|key| seen.insert(key.clone()));
        Ok(match (creates_group, added.is_empty()) {
            (true, _) => Ensured::Created(group),
            (false, true) => Ensured::Unchanged(group),
            (false, false) => Ensured::Extended { group, added },
        })
    }
}
