//! What an edit would do, and what it did.

use std::fmt;
use std::sync::Arc;

use super::snapshot::Snapshot;
use super::{Changes, write};
use crate::display::Escaped;
use crate::{Client, Result, SecretGroup, SecretGroupId};

/// The keys that an edit adds, rotates, removes and keeps; never a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(super) added: Vec<String>,
    pub(super) rotated: Vec<String>,
    pub(super) removed: Vec<String>,
    pub(super) kept: Vec<String>,
}

impl Summary {
    pub(super) fn new(changes: &Changes, snapshot: &Snapshot) -> Self {
        let set = || changes.set.iter().map(|(key, _)| key);
        let (rotated, added) = set().cloned().partition(|key| snapshot.has(key));
        let kept = snapshot
            .keys
            .keys()
            .filter(|key| !changes.remove.contains(key) && set().all(|set| set != *key))
            .cloned()
            .collect();
        Self { added, rotated, removed: changes.remove.clone(), kept }
    }

    pub(super) fn removes_all(&self) -> bool {
        !self.removed.is_empty()
            && [&self.added, &self.rotated, &self.kept].iter().all(|keys| keys.is_empty())
    }

    pub(super) fn changes_nothing(&self) -> bool {
        [&self.added, &self.rotated, &self.removed].iter().all(|keys| keys.is_empty())
    }

    /// The keys that the group has once this is done.
    pub(super) fn keys_after(&self) -> impl Iterator<Item = &str> {
        [&self.kept, &self.rotated, &self.added].into_iter().flatten().map(String::as_str)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (sign, keys) in [('+', &self.added), ('~', &self.rotated), ('-', &self.removed)] {
            for key in keys {
                write!(f, "{sign} {}  ", Escaped(key))?;
            }
        }
        if self.changes_nothing() {
            f.write_str("nothing to change  ")?;
        }
        write!(f, "= {} kept", self.kept.len())
    }
}

macro_rules! summary_accessors {
    () => {
        /// The keys that are new.
        pub fn added(&self) -> &[String] {
            &self.summary.added
        }

        /// The keys that are there already and are given a value, also the one that they have.
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
/// rotated, removed and how many are kept. Values never appear.
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

    /// Whether no key is set or removed. Values are not read: a key that is set to the value that it has
    /// counts as rotated.
    pub fn is_empty(&self) -> bool {
        self.summary.changes_nothing()
    }

    /// Writes the change.
    ///
    /// The group is read again just before (two requests, made at the same time); where anything about
    /// it differs from what was planned on, nothing is written. Then it is written with one request, or
    /// with one per key where the plan only removes.
    ///
    /// # Errors
    /// [`Error::ConcurrentEdit`](crate::Error::ConcurrentEdit) where somebody changed the group;
    /// [`Error::PartiallyApplied`](crate::Error::PartiallyApplied) where one of several removals failed;
    /// else as [`SecretGroups::update`](crate::SecretGroups::update). Where
    /// [`may_have_been_applied`](crate::Error::may_have_been_applied) is true the write may have been
    /// done; the next edit of this client waits for it.
    pub async fn apply(self) -> Result<AppliedEdit> {
        let Self { client, changes, snapshot, summary } = self;
        if summary.changes_nothing() {
            return Ok(AppliedEdit { group: None, summary });
        }
        let id: SecretGroupId = snapshot.group.id().clone();
        let mut turn = client.queues().turn(&id).await;
        turn.settle(&client, &id).await;
        let now = Snapshot::read(&client, &id).await?;
        snapshot.unchanged_in(&now)?;
        write::write(&client, &mut turn, &now, &changes, summary).await
    }
}

impl fmt::Display for EditPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = &self.snapshot.group;
        let name = group.name().unwrap_or_else(|| group.id().as_str());
        write!(f, "{}: {}", Escaped(name), self.summary)
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

    /// The group as the server answered the write; `None` where nothing was to be changed or secrets
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
