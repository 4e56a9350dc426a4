//! What an edit would do, and what it did.

use std::fmt;
use std::sync::Arc;

use super::lock::lock;
use super::snapshot::Snapshot;
use super::summary::Summary;
use super::{Changes, write};
use crate::Result;
use crate::client::Client;
use crate::models::{SecretGroup, SecretGroupId};
use crate::redact::Escaped;

macro_rules! summary_accessors {
    () => {
        /// The keys that are new.
        pub fn added(&self) -> &[String] {
            &self.summary.added
        }

        /// The existing keys that are given a value, also if it is the one that they have.
        pub fn rotated(&self) -> &[String] {
            &self.summary.rotated
        }

        /// The keys that are removed.
        pub fn removed(&self) -> &[String] {
            &self.summary.removed
        }

        /// The keys that stay as they are.
        pub fn kept(&self) -> &[String] {
            &self.summary.kept
        }
    };
}

/// What an [`Edit`](super::Edit) would do to a group as it was read: to be shown, decided on and applied.
///
/// `Display` prints it in one line, `prod-secrets: + NEW  ~ DB-PASSWORD  - OLD-KEY  = 4 kept`: added,
/// rotated, removed and how many are kept. Values never appear. If the server says of a key neither when it
/// was last changed nor which versions it has, the line ends with `(rotations by others cannot be seen)`.
#[derive(Debug)]
#[must_use = "a plan changes nothing until it is applied"]
pub struct EditPlan {
    pub(super) client: Client,
    pub(super) changes: Arc<Changes>,
    pub(super) snapshot: Snapshot,
    pub(super) summary: Summary,
}

impl EditPlan {
    summary_accessors!();

    /// The group as it was read.
    pub fn group(&self) -> &SecretGroup {
        &self.snapshot.group
    }

    /// The keys that came without a change marker: the server says neither when they were last changed nor
    /// which versions they have. That another client gives one of them a new value is seen only if it changes
    /// the group's own time.
    pub fn unmarked(&self) -> Vec<&str> {
        let keys = self.snapshot.keys.iter();
        keys.filter(|(_, known)| known.marker.is_absent()).map(|(key, _)| key.as_str()).collect()
    }

    /// Whether no key is set or removed. Values are not read: a key that is set to the value that it has
    /// counts as rotated.
    pub fn is_empty(&self) -> bool {
        self.summary.changes_nothing()
    }

    /// Writes the change.
    ///
    /// The group is read again just before (two requests, at the same time); if it differs from the one that
    /// was planned on, nothing is written. Then it is written with one request, or with one per key if the
    /// plan only removes.
    ///
    /// # Errors
    /// [`Error::ConcurrentEdit`](crate::Error::ConcurrentEdit) if another client changed the group;
    /// [`Error::PartiallyApplied`](crate::Error::PartiallyApplied) if one of several removals failed;
    /// [`Error::Timeout`](crate::Error::Timeout) if an earlier edit of this group does not end;
    /// else as [`SecretGroups::replace_secrets`](crate::SecretGroups::replace_secrets). If
    /// [`may_have_been_applied`](crate::Error::may_have_been_applied) is true the write may have been
    /// done; if it may still arrive, the next edit of this group from this client waits for it.
    pub async fn apply(self) -> Result<AppliedEdit> {
        let Self { client, changes, snapshot, summary } = self;
        if summary.changes_nothing() {
            return Ok(AppliedEdit { group: None, summary });
        }
        let id: SecretGroupId = snapshot.group.id().clone();
        let mut guard = lock(&client, &id).await?;
        let now = Snapshot::read(&client, &id).await?;
        snapshot.unchanged_in(&now)?;
        let group = write::write(&client, &mut guard, &now, &changes, &summary).await?;
        Ok(AppliedEdit { group, summary })
    }
}

impl fmt::Display for EditPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = &self.snapshot.group;
        let name = group.name().unwrap_or_else(|| group.id().as_str());
        write!(f, "{}: {}", Escaped(name), self.summary)?;
        if self.unmarked().is_empty() {
            return Ok(());
        }
        f.write_str("  (rotations by others cannot be seen)")
    }
}

/// What an edit did.
#[derive(Clone, Debug)]
pub struct AppliedEdit {
    pub(super) group: Option<SecretGroup>,
    pub(super) summary: Summary,
}

impl AppliedEdit {
    summary_accessors!();

    /// The group as the response to the write describes it; `None` if nothing was to be changed or secrets
    /// were only removed.
    pub fn group(&self) -> Option<&SecretGroup> {
        self.group.as_ref()
    }
}

/// As an [`EditPlan`] prints, without the group's name.
impl fmt::Display for AppliedEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.summary.fmt(f)
    }
}
