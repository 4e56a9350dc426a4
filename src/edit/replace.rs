//! The API's own update of a group: the full list of its keys.

use super::lock::lock;
use crate::api::SecretGroups;
use crate::client::UnconfirmedWrite;
use crate::models::{Checks, SecretGroup, SecretGroupId, SecretUpdate, check_secrets};
use crate::{Error, Result};

impl SecretGroups<'_> {
    /// **Deletes every key that is left out**: `PUT /secret-groups/{id}` with the full list.
    ///
    /// A key that is not in `secrets` is deleted with all its versions. [`SecretUpdate::keep`] keeps a
    /// key's value, [`SecretUpdate::set`] adds a key or gives it a new version. It is retried only
    /// if no connection was made.
    ///
    /// It waits for edits of this group from this client, and they wait for it, as
    /// [`Edit`](crate::Edit) describes. After an unknown outcome the next one waits the full time,
    /// because nothing that is read can show that this write was done.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::{SecretUpdate, SecretValue};
    ///
    /// // Every other key of the group is deleted.
    /// let all = [
    ///     SecretUpdate::keep("API-KEY"),
    ///     SecretUpdate::set("DB-PASSWORD", SecretValue::from_env("DB_PASSWORD")?),
    /// ];
    /// client.secret_groups().replace_secrets("sg-abc", &all).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] for an empty list and [`Error::InvalidInput`] for an empty or repeated
    /// key, a masked value or a reference as a value, before anything is sent; [`Error::NotFound`],
    /// [`Error::PermissionDenied`], [`Error::MissingFields`] if a key to keep does not exist;
    /// [`Error::KeyNotSupported`], [`Error::SoftDeleted`], [`Error::StoreFailed`] from the store,
    /// whose rules are not checked here; [`Error::Timeout`] if an earlier edit of this group does
    /// not end.
    #[doc(alias = "update")]
    pub async fn replace_secrets(
        self,
        id: impl Into<SecretGroupId>,
        secrets: &[SecretUpdate],
    ) -> Result<SecretGroup> {
        let entries: Vec<_> = secrets.iter().map(SecretUpdate::entry).collect();
        if entries.is_empty() {
            return Err(Error::EmptyGroup { context: None });
        }
        secrets.iter().try_for_each(SecretUpdate::check_text)?;
        let checks =
            Checks { allow_masked_text: true, allow_reference_text: true, ..Checks::default() };
        check_secrets(entries.iter().copied(), None, checks)?;
        let (client, id) = (self.client(), id.into());
        let mut guard = lock(client, &id).await?;
        guard.begin(UnconfirmedWrite::of_unread_list(client, &entries));
        guard.end(self.put_full_list(&id, &entries).await)
    }
}
