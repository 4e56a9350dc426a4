//! Which keys an edit changes.

use std::collections::HashSet;
use std::fmt;

use serde::Serialize;

use super::changes::Changes;
use super::snapshot::Snapshot;
use crate::redact::Escaped;

/// The keys that an edit adds, rotates, removes and keeps; never a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    pub(super) creates_group: bool,
    pub(super) added: Vec<String>,
    pub(super) rotated: Vec<String>,
    pub(super) removed: Vec<String>,
    pub(super) kept: Vec<String>,
    /// Whether values were compared: kept keys are then printed as `unchanged`.
    #[serde(skip)]
    compared: bool,
}

impl Summary {
    /// `stay`: the keys to set that keep their value.
    pub(super) fn new(changes: &Changes, snapshot: &Snapshot, stay: &HashSet<&str>) -> Self {
        let set =
            || changes.set.iter().map(|(key, _)| key).filter(|key| !stay.contains(key.as_str()));
        let named: HashSet<&String> = set().chain(&changes.remove).collect();
        let (existing, unnamed): (Vec<&String>, Vec<&String>) =
            snapshot.keys.keys().partition(|key| named.contains(key));
        let existing = HashSet::<&String>::from_iter(existing);
        let (rotated, added) = set().cloned().partition(|key| existing.contains(key));
        let (unlisted, kept): (Vec<&String>, Vec<&String>) = unnamed
            .into_iter()
            .partition(|key| changes.remove_unlisted && !stay.contains(key.as_str()));
        let removed = changes.remove.iter().chain(unlisted).cloned().collect();
        let kept = kept.into_iter().cloned().collect();
        let compared = changes.compares_values();
        Self { creates_group: false, added, rotated, removed, kept, compared }
    }

    /// The summary for a group that does not exist.
    pub(super) fn of_new_group(changes: &Changes) -> Self {
        let added = changes.set.iter().map(|(key, _)| key.clone()).collect();
        Self { creates_group: true, added, ..Self::default() }
    }

    pub(super) fn removes_all(&self) -> bool {
        !self.removed.is_empty() && !self.sets_keys() && self.kept.is_empty()
    }

    pub(super) fn changes_nothing(&self) -> bool {
        !self.creates_group && !self.sets_keys() && self.removed.is_empty()
    }

    /// Whether a value is written.
    pub(super) fn sets_keys(&self) -> bool {
        !self.added.is_empty() || !self.rotated.is_empty()
    }

    /// The keys that the group has after the change.
    pub(super) fn keys_after(&self) -> impl Iterator<Item = &str> {
        [&self.kept, &self.rotated, &self.added].into_iter().flatten().map(String::as_str)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.creates_group {
            f.write_str("new group")?;
            return self.added.iter().try_for_each(|key| write!(f, "  + {}", Escaped(key)));
        }
        for (sign, keys) in [('+', &self.added), ('~', &self.rotated), ('-', &self.removed)] {
            for key in keys {
                write!(f, "{sign} {}  ", Escaped(key))?;
            }
        }
        if self.changes_nothing() {
            f.write_str("nothing to change  ")?;
        }
        write!(f, "= {} {}", self.kept.len(), if self.compared { "unchanged" } else { "kept" })
    }
}
