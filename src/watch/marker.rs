//! What shows that a group has changed, without its values.

use std::collections::{HashMap, HashSet};

use crate::models::{Marker, SecretGroup, SecretGroupId, SecretId};

/// The times and versions in a group as it was read.
#[derive(Debug)]
pub(super) struct Markers {
    group: SecretGroupId,
    updated_at: Option<String>,
    secrets: HashMap<SecretId, Marker>,
}

impl Markers {
    pub(super) fn of(group: &SecretGroup) -> Self {
        let secrets = group.secrets().into_iter().flatten();
        Self {
            group: group.id().clone(),
            updated_at: group.marker().map(|raw| format!("{raw:?}")),
            secrets: secrets.map(|secret| (secret.id().clone(), secret.marker())).collect(),
        }
    }

    pub(super) fn group(&self) -> &SecretGroupId {
        &self.group
    }

    pub(super) fn secrets(&self) -> HashSet<SecretId> {
        self.secrets.keys().cloned().collect()
    }

    /// Whether a key could be rotated without a change here.
    pub(super) fn are_incomplete(&self) -> bool {
        self.updated_at.is_none()
            && (self.secrets.is_empty() || self.secrets.values().any(Marker::is_absent))
    }

    pub(super) fn differ_from(&self, other: &Self) -> bool {
        self.group != other.group
            || self.updated_at != other.updated_at
            || self.secrets.len() != other.secrets.len()
            || self.secrets.iter().any(|(id, marker)| {
                other.secrets.get(id).is_none_or(|before| marker.differs(before))
            })
    }
}
