//! What a [`FakeTrueFoundry`] holds at the start, and which kind of installation it is.

use super::fake::FakeTrueFoundry;
use super::server::lock;
use super::state::{Quirk, State};
use crate::error::SoftDeleteState;
use crate::stores::SecretStoreKind;

/// Setup. Each of these takes effect at once, also on a server that is already in use:
/// `let _ = fake.clone().with_values_hidden();`.
impl FakeTrueFoundry {
    fn with(self, change: impl FnOnce(&mut State)) -> Self {
        change(&mut lock(&self.shared.state));
        self
    }

    fn quirk(self, quirk: Quirk) -> Self {
        self.with(|state| {
            state.quirks.insert(quirk);
        })
    }

    /// Connects a secret store. The first call replaces the AWS Secrets Manager store that the
    /// server starts with, later ones add to it.
    #[must_use]
    pub fn with_store(self, kind: SecretStoreKind) -> Self {
        self.with(|state| {
            state.add_store(kind, None);
        })
    }

    /// As [`with_store`](Self::with_store), with a store that the platform owns: its tenant is `internal`,
    /// whatever tenant uses it.
    #[must_use]
    pub fn with_platform_store(self, kind: SecretStoreKind) -> Self {
        self.with(|state| {
            state.add_store(kind, Some("internal".to_owned()));
        })
    }

    /// Disconnects every secret store. Groups stay, without a store.
    #[must_use]
    pub fn without_stores(self) -> Self {
        self.with(State::remove_stores)
    }

    /// Puts secrets into a group, which is created in the first store if it does not exist.
    ///
    /// This bypasses the API: the store's rules for keys and values are not applied.
    #[must_use]
    pub fn with_group<K, V>(self, name: &str, pairs: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        self.with(|state| {
            state.ensure_group(name);
            for (key, value) in pairs {
                state.seed(name, &key.into(), &value.into());
            }
        })
    }

    /// Puts secrets into a group of another tenant that the key may see. Tests name it by its FQN:
    /// `fake.value("internal:prod", "KEY")`.
    #[must_use]
    pub fn with_shared_group<K, V>(
        self,
        tenant: &str,
        name: &str,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        let fqn = format!("{tenant}:{name}");
        self.with(|state| {
            if state.group_named(&fqn).is_none() {
                state.add_group(name, Some(tenant.to_owned()));
            }
        })
        .with_group(&fqn, pairs)
    }

    /// An older server: it has no `GET /tenant-id`.
    #[must_use]
    pub fn without_tenant_id(self) -> Self {
        self.quirk(Quirk::NoTenantId)
    }

    /// An older server: it has no `GET /session`.
    #[must_use]
    pub fn without_session(self) -> Self {
        self.quirk(Quirk::NoSession)
    }

    /// An older server: logins are refreshed at the URL that `GET /tenant-id` names.
    #[must_use]
    pub fn with_older_login(self) -> Self {
        self.quirk(Quirk::OlderLogin)
    }

    /// The URL that `GET /tenant-id` names for refreshing. Default: the server's own.
    #[must_use]
    pub fn with_auth_server_url(self, url: &str) -> Self {
        self.with(|state| state.auth_server = Some(url.to_owned()))
    }

    /// Names the tenant.
    #[must_use]
    pub fn with_tenant(self, name: &str) -> Self {
        self.with(|state| name.clone_into(&mut state.tenant))
    }

    /// Puts a path before the API's, as installations behind a shared host have it. The
    /// [`base_url`](Self::base_url) carries it.
    #[must_use]
    pub fn with_path_prefix(self, prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
        self.with(|state| state.prefix = prefix)
    }

    /// Viewing values is switched off on the control plane: no response has any.
    #[must_use]
    pub fn with_values_hidden(self) -> Self {
        self.quirk(Quirk::ValuesHidden)
    }

    /// An older server: lists leave values out even if they are requested, and single reads have
    /// them.
    #[must_use]
    pub fn without_values_in_lists(self) -> Self {
        self.quirk(Quirk::NoValuesInLists)
    }

    /// Leaves `pagination` out.
    #[must_use]
    pub fn without_pagination(self) -> Self {
        self.quirk(Quirk::NoPagination)
    }

    /// Writes version numbers as `3.0`.
    #[must_use]
    pub fn with_fractional_versions(self) -> Self {
        self.quirk(Quirk::FractionalVersions)
    }

    /// Responds to a list by FQN with 404 if one of them is unknown, instead of leaving it out.
    #[must_use]
    pub fn with_strict_batches(self) -> Self {
        self.quirk(Quirk::StrictBatches)
    }

    /// AWS Secrets Manager keeps a deleted name for its recovery window, and refuses to make it
    /// again. Off by default, because it is not known how TrueFoundry deletes there.
    #[must_use]
    pub fn with_scheduled_deletion(self) -> Self {
        self.quirk(Quirk::ScheduledDeletion)
    }

    /// Returns at most this many entries per page, whatever limit is requested.
    #[must_use]
    pub fn with_page_limit(self, limit: usize) -> Self {
        self.with(|state| state.page_limit = Some(limit.max(1)))
    }

    /// Names at most this many keys in a group's `associatedSecrets`; with 0 the field is absent.
    #[must_use]
    pub fn with_associated_secrets(self, limit: usize) -> Self {
        self.with(|state| state.associated_limit = Some(limit))
    }

    /// Denies access to a group: 403 wherever it is named, and lists leave it out.
    #[must_use]
    pub fn without_access_to(self, group: &str) -> Self {
        self.with(|state| {
            state.denied.insert(group.to_owned());
        })
    }

    /// Keeps only this many requests for [`requests`](Self::requests); with 0 they are only counted.
    #[must_use]
    pub fn with_recording_limit(self, limit: usize) -> Self {
        lock(&self.shared.log).set_limit(limit);
        self
    }

    /// Makes the stores unreachable (`true`) or healthy again: writes fail with 424, and so do deletes
    /// that are not forced.
    pub fn set_store_failing(&self, failing: bool) {
        let mut state = lock(&self.shared.state);
        if failing {
            state.quirks.insert(Quirk::StoreFailing);
        } else {
            state.quirks.remove(&Quirk::StoreFailing);
        }
    }

    /// Sets Azure's state of every secret that has been deleted so far.
    pub fn set_soft_delete_state(&self, soft_delete: SoftDeleteState) {
        lock(&self.shared.state).tombstones.set_state(soft_delete);
    }

    /// Purges everything that was soft-deleted or scheduled for deletion, as a person in the
    /// store's own portal would. Returns how many names are free again.
    pub fn purge_soft_deleted(&self) -> usize {
        lock(&self.shared.state).tombstones.purge()
    }
}
