//! Which keys an edit changes.

use std::collections::HashSet;
use std::fmt;

use super::Changes;
use super::snapshot::Snapshot;
use crate::redact::Escaped;

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
        let named: HashSet<&String> = set().chain(&changes.remove).collect();
        let kept = snapshot.keys.keys().filter(|key| !named.contains(key)).cloned().collect();
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
