//! What an edit would do, and what it did.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::changes::Changes;
use super::lock::lock;
use super::run::create;
use super::snapshot::Snapshot;
use super::summary::Summary;
use super::write;
use crate::client::Client;
use crate::models::{NewGroupPlace, Secret, SecretGroup};
use crate::redact::Escaped;
use crate::{Error, Result};

macro_rules! summary_accessors {
    () => {
        /// Whether the group did not exist and is created with the new keys.
        pub fn creates_group(&self) -> bool {
            self.summary.creates_group
        }

        /// The keys that are new.
        pub fn added(&self) -> &[String] {
            &self.summary.added
        }

        /// The existing keys that are given a value. After
        /// [`Edit::skip_unchanged`](super::Edit::skip_unchanged) these are only the keys with a
        /// different value; otherwise a key is included even if it has that value already.
        pub fn rotated(&self) -> &[String] {
            &self.summary.rotated
        }

        /// The keys that are removed.
        pub fn removed(&self) -> &[String] {
            &self.summary.removed
        }

        /// The keys that do not change, in order.
        pub fn kept(&self) -> &[String] {
            &self.summary.kept
        }
    };
}

/// What an [`Edit`](super::Edit) would do to a group as it was read. Show it, decide on it, and
/// apply it.
///
/// `Display` prints it in one line, such as
/// `prod-secrets: + NEW  ~ DB-PASSWORD  - OLD-KEY  = 4 kept`: the keys that are added, rotated and
/// removed, and how many are kept, or `= 4 unchanged` if values were compared
/// ([`Edit::skip_unchanged`](super::Edit::skip_unchanged)). A group that the plan creates is marked
/// `new group`. Values never appear. If the server says of a key neither when it was last changed
/// nor which versions it has, the line ends with `(rotations by others cannot be seen)`.
///
/// It serializes for a report as names only: `group`, `creates_group`, `added`, `rotated`, `removed`, `kept`.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// let plan = client.secret_groups().edit("sg-abc").remove("OLD-KEY").plan().await?;
/// println!("{plan}"); // prod-secrets: - OLD-KEY  = 4 kept
/// if !plan.is_empty() {
///     plan.apply().await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a plan changes nothing until it is applied"]
pub struct EditPlan {
    pub(super) client: Client,
    pub(super) changes: Arc<Changes>,
    pub(super) before: Before,
    pub(super) summary: Summary,
}

/// What was planned on.
#[derive(Debug)]
pub(super) enum Before {
    Group(Box<Snapshot>),
    /// No group has this name; it is created in this place.
    NoGroup(String, NewGroupPlace),
}

impl EditPlan {
    summary_accessors!();

    /// The group as it was read; `None` if the plan creates it.
    pub fn group(&self) -> Option<&SecretGroup> {
        match &self.before {
            Before::Group(snapshot) => Some(&snapshot.group),
            Before::NoGroup(..) => None,
        }
    }

    /// The group's name, or its identifier if the server does not state a name.
    pub fn group_name(&self) -> &str {
        match &self.before {
            Before::Group(snapshot) => {
                let group = &snapshot.group;
                group.name().unwrap_or_else(|| group.id().as_str())
            }
            Before::NoGroup(name, _) => name,
        }
    }

    /// The keys that came without a change marker: the server says neither when they were last
    /// changed nor which versions they have. A new value that another client gives one of them is
    /// noticed only if the group's own time changes with it.
    pub fn unmarked(&self) -> Vec<&str> {
        let Before::Group(snapshot) = &self.before else { return Vec::new() };
        let keys = snapshot.keys.iter();
        keys.filter(|(_, known)| known.marker.is_absent()).map(|(key, _)| key.as_str()).collect()
    }

    /// Whether nothing would be written: no key is set or removed, and no group created. Unless values are
    /// compared ([`Edit::skip_unchanged`](super::Edit::skip_unchanged)) a key that is set to the value that it
    /// has counts as rotated.
    pub fn is_empty(&self) -> bool {
        self.summary.changes_nothing()
    }

    /// Writes the change.
    ///
    /// The group is read again just before (two requests, at the same time); if it differs from the
    /// one in the plan, nothing is written. The write takes one request, or one per key if the plan
    /// only removes. Creating a group takes one request.
    ///
    /// ```no_run
    /// # async fn f(plan: truefoundry_secrets::EditPlan) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::Error;
    ///
    /// match plan.apply().await {
    ///     Ok(applied) => println!("{applied}"),
    ///     Err(Error::ConcurrentEdit { applied: false, .. }) => println!("changed meanwhile: plan again"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::ConcurrentEdit`](crate::Error::ConcurrentEdit) if another client changed or created the group;
    /// [`Error::PartiallyApplied`](crate::Error::PartiallyApplied) if one of several removals failed;
    /// [`Error::Timeout`](crate::Error::Timeout) if an earlier edit of this group does not end;
    /// else as [`SecretGroups::replace_secrets`](crate::SecretGroups::replace_secrets). If
    /// [`may_have_been_applied`](crate::Error::may_have_been_applied) is true the write may have been
    /// done; if it may still arrive, the next edit of this group from this client waits for it.
    pub async fn apply(self) -> Result<AppliedEdit> {
        let Self { client, changes, before, summary } = self;
        let snapshot = match before {
            Before::Group(snapshot) => snapshot,
            Before::NoGroup(name, place) => {
                let group = create_planned(&client, &changes, &name, &place).await?;
                return Ok(AppliedEdit { group: Some(group), summary });
            }
        };
        if summary.changes_nothing() {
            return Ok(AppliedEdit { group: Some(snapshot.group), summary });
        }
        let id = snapshot.group.id();
        let mut guard = lock(&client, id).await?;
        let now = Snapshot::read(&client, id).await?;
        snapshot.unchanged_in(&now)?;
        let group = write::write(&client, &mut guard, &now, &changes, &summary).await?;
        Ok(AppliedEdit { group, summary })
    }
}

async fn create_planned(
    client: &Client,
    changes: &Changes,
    name: &str,
    place: &NewGroupPlace,
) -> Result<SecretGroup> {
    let exists = match create(client, changes, name, place).await {
        Err(exists @ Error::AlreadyExists { .. }) => exists,
        created => return created,
    };
    // The group may be one that this key may not see.
    let Ok(group) = client.secret_groups().get_by_name(name).await else { return Err(exists) };
    let keys = group.secrets().unwrap_or_default().iter().filter_map(Secret::key);
    Err(Error::concurrent_edit(keys.map(str::to_owned).collect(), vec![], vec![], false))
}

impl fmt::Display for EditPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Escaped(self.group_name()), self.summary)?;
        if self.unmarked().is_empty() {
            return Ok(());
        }
        f.write_str("  (rotations by others cannot be seen)")
    }
}

/// The group's name and the keys; no value.
impl Serialize for EditPlan {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Report<'a> {
            group: &'a str,
            #[serde(flatten)]
            summary: &'a Summary,
        }
        Report { group: self.group_name(), summary: &self.summary }.serialize(serializer)
    }
}

/// What an edit did. It serializes as its [`EditPlan`] does, without the group's name.
///
/// ```no_run
/// # async fn f(edit: truefoundry_secrets::Edit) -> truefoundry_secrets::Result<()> {
/// let applied = edit.apply().await?;
/// if !applied.is_unchanged() {
///     println!("{applied}"); // ~ DB-PASSWORD  = 4 kept
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AppliedEdit {
    pub(super) group: Option<SecretGroup>,
    pub(super) summary: Summary,
}

impl AppliedEdit {
    summary_accessors!();

    pub(super) fn of_new_group(changes: &Changes, group: SecretGroup) -> Self {
        Self { group: Some(group), summary: Summary::of_new_group(changes) }
    }

    /// Whether nothing was written, because there was nothing to change.
    pub fn is_unchanged(&self) -> bool {
        self.summary.changes_nothing()
    }

    /// The group as the response to the write describes it, or as it was read if there was nothing
    /// to change; `None` if secrets were only removed.
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

/// The keys; no value.
impl Serialize for AppliedEdit {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.summary.serialize(serializer)
    }
}
